"""The audit log. Triggers of the database keep it append-only, whoever writes."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import bindparam, insert

from adapters.sql import tables
from adapters.sql.pages import NewestFirst
from adapters.sql.transaction import Row, Transaction, dumps, loads
from storecore.audit import AuditEntry
from storecore.lists import Page, PageRequest
from storecore.ports import AuditQuery

_audit = tables.audit.c
_ENTRY = (
    _audit.id,
    _audit.at,
    _audit.actor_id,
    _audit.actor_role,
    _audit.action,
    _audit.object_type,
    _audit.object_id,
    _audit.before,
    _audit.after,
    _audit.request_id,
)
_list = NewestFirst(
    _ENTRY,
    at=_audit.at,
    id_=_audit.id,
    conditions={
        name: _audit[name] == bindparam(name)
        for name in ("actor_id", "action", "object_type", "object_id", "request_id")
    }
    | {"written_from": _audit.at >= bindparam("written_from"), "written_to": _audit.at < bindparam("written_to")},
)
_add = insert(tables.audit)


class SqlAudit:
    """The ``Audit`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, entries: Iterable[AuditEntry]) -> None:
        """One statement."""
        self._transaction.write(
            _add,
            [
                {
                    "id": entry.id,
                    "at": entry.at,
                    "actor_id": entry.actor_id,
                    "actor_role": entry.actor_role,
                    "action": entry.action,
                    "object_type": entry.object_type,
                    "object_id": entry.object_id,
                    "before": dumps(dict(entry.before)),
                    "after": dumps(dict(entry.after)),
                    "request_id": entry.request_id,
                }
                for entry in entries
            ],
        )

    def page(self, query: AuditQuery, page: PageRequest) -> Page[AuditEntry]:
        """One statement, and one that counts."""
        return _list.page(self._transaction, page, _entries, **asdict(query))


def _entries(rows: Sequence[Row]) -> Sequence[AuditEntry]:
    return [_entry(row) for row in rows]


def _entry(row: Row) -> AuditEntry:
    id_, at, actor_id, actor_role, action, object_type, object_id, before, after, request_id = row
    return AuditEntry(
        id=id_,
        at=at,
        actor_id=actor_id,
        actor_role=actor_role,
        action=action,
        object_type=object_type,
        object_id=object_id,
        before=loads(before),
        after=loads(after),
        request_id=request_id,
    )
