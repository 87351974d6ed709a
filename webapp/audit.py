"""The audit log over HTTP."""

from datetime import datetime
from typing import Annotated, Any

from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.audit import AuditEntry
from storecore.lists import Page
from storecore.ports import AuditQuery
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Id, Text
from webapp.periods import Period

routes = Routes("audit", "What staff did. Nobody changes or removes an entry, not even in the database.")

Word = Annotated[str, Text(128)]


class AuditEntryView(TypedDict):
    """One thing that a member of staff did, and the fields that changed by it; personal values are `(hidden)`."""

    id: str
    at: datetime
    actor_id: str | None
    actor_role: str
    action: str
    object_type: str
    object_id: str
    before: dict[str, Any]
    after: dict[str, Any]
    request_id: str | None


def show_entry(entry: AuditEntry) -> AuditEntryView:
    """An entry of the audit log."""
    return {
        "id": entry.id,
        "at": entry.at,
        "actor_id": entry.actor_id,
        "actor_role": entry.actor_role,
        "action": entry.action,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
        "before": dict(entry.before),
        "after": dict(entry.after),
        "request_id": entry.request_id,
    }


class AuditList(Period):
    """Which entries: ``actor`` is a user's id, ``action`` such as ``product.update``."""

    actor: Id | None = None
    action: Word | None = None
    object_type: Word | None = None
    object_id: Id | None = None
    request_id: Word | None = None


@routes.endpoint("GET", "/admin/audit", show=show_entry, may=Permission.AUDIT_READ)
def list_entries(ask: Ask[None, AuditList]) -> Page[AuditEntry]:
    """What staff did, newest first.

    `from` and `to` are days in the shop's time zone, both included.
    """
    asked = ask.query
    written_from, written_to = asked.bounds(ask.store.shop)
    query = AuditQuery(
        actor_id=asked.actor,
        action=asked.action,
        object_type=asked.object_type,
        object_id=asked.object_id,
        request_id=asked.request_id,
        written_from=written_from,
        written_to=written_to,
    )
    return ask.store.audit.page(by=ask.by, query=query, page=ask.page)
