"""The outbox over HTTP: which mail was sent, is owed, or was given up."""

from datetime import datetime

from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.errors import Conflict
from storecore.lists import Page
from storecore.notices import Notice, NoticeState, Template
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Choice
from webapp.http.validation import Query

routes = Routes("outbox", "Mail that the shop sends.")


class NoticeView(TypedDict):
    """One mail to one person, without what it says: that may hold a link for their eyes only."""

    id: str
    event: str
    template: Template
    recipient: str
    state: NoticeState
    attempts: int
    error: str
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None


def show_notice(notice: Notice) -> NoticeView:
    """A mail as it is listed."""
    return {
        "id": notice.id,
        "event": notice.event,
        "template": notice.template,
        "recipient": notice.recipient,
        "state": notice.state,
        "attempts": notice.attempts,
        "error": notice.error,
        "created_at": notice.created_at,
        "due_at": notice.due_at,
        "sent_at": notice.sent_at,
    }


class NoticeList(Query):
    """Which mail: ``dead`` was given up."""

    state: Choice[NoticeState] | None = None


@routes.endpoint("GET", "/admin/outbox", show=show_notice, may=Permission.USERS_READ)
def list_notices(ask: Ask[None, NoticeList]) -> Page[Notice]:
    """Mail that is owed, was given up, or was sent lately; newest first."""
    return ask.store.notices.page(by=ask.by, state=ask.query.state, page=ask.page)


@routes.endpoint(
    "POST", "/admin/outbox/{notice_id}/retry", show=show_notice, may=Permission.USERS_WRITE, refuses=(Conflict,)
)
def retry_notice(ask: Ask, notice_id: str) -> Notice:
    """Send mail after all that was given up after 48 hours."""
    return ask.store.notices.retry(by=ask.by, notice_id=notice_id)
