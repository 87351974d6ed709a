"""Mail that is owed. Who it is for, what it says and what a mail server said of it are encrypted."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select, text, tuple_, update

from adapters.sql import tables
from adapters.sql.dialect import add_missing
from adapters.sql.pages import NewestFirst
from adapters.sql.transaction import Row, Transaction, readable
from storecore.errors import NotFound
from storecore.lists import Page, PageRequest
from storecore.notices import Notice, NoticeState, Template

_outbox = tables.outbox.c
_NOTICE = (
    _outbox.id,
    _outbox.event,
    _outbox.template,
    _outbox.private,
    _outbox.invoice_of,
    _outbox.credit_note_id,
    _outbox.message_id,
    _outbox.state,
    _outbox.attempts,
    _outbox.created_at,
    _outbox.due_at,
    _outbox.sent_at,
    _outbox.user_id,
)
_list = NewestFirst(
    _NOTICE,
    at=_outbox.created_at,
    id_=_outbox.id,
    conditions={"state": _outbox.state == bindparam("state"), "user_id": _outbox.user_id == bindparam("user_id")},
)

RECIPIENT = "outbox.recipient"
"""The purpose of the blind index of whom mail is for."""

_add = add_missing(tables.outbox)
_key = (_outbox.event, _outbox.recipient_index, _outbox.template)
_there = select(*_key).where(tuple_(*_key).in_(bindparam("keys", expanding=True)))
_due = (
    select(*_NOTICE)
    .where(
        text(tables.TO_SEND),
        _outbox.due_at <= bindparam("at"),
        or_(_outbox.leased_until.is_(None), _outbox.leased_until <= bindparam("at")),
    )
    .order_by(_outbox.due_at, _outbox.id)
    .limit(bindparam("most"))
    .with_for_update(key_share=True, skip_locked=True)
)
_lease = update(tables.outbox).where(_outbox.id == bindparam("this")).values(leased_until=bindparam("until"))
_save = (
    update(tables.outbox)
    .where(_outbox.id == bindparam("this"))
    .values(
        {name: bindparam(name) for name in ("private", "state", "attempts", "created_at", "due_at", "sent_at")}
        | {"leased_until": None}
    )
)
_get = select(*_NOTICE).where(_outbox.id == bindparam("id"))
_locked = _get.with_for_update(key_share=True)
_remove = delete(tables.outbox).where(_outbox.id == bindparam("this"))
_forget = delete(tables.outbox).where(_outbox.user_id == bindparam("owner")).returning(_outbox.id)
_owed = select(func.count(), func.min(_outbox.due_at)).where(text(tables.TO_SEND))
_sweep = delete(tables.outbox).where(_outbox.state == str(NoticeState.SENT), _outbox.sent_at < bindparam("before"))


class SqlOutbox:
    """The ``Outbox`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, notices: Iterable[Notice]) -> None:
        """One statement; what is there already is dropped by the database. One more while there are older keys."""
        notices = self._without_older(list(notices))
        self._transaction.write(
            _add,
            [
                {
                    "id": notice.id,
                    "user_id": notice.user_id,
                    "event": notice.event,
                    "template": str(notice.template),
                    "recipient_index": self._transaction.blind_index(RECIPIENT, notice.recipient),
                    "invoice_of": notice.invoice_of,
                    "credit_note_id": notice.credit_note_id,
                    "message_id": notice.message_id,
                    "leased_until": None,
                    **self._changing(notice),
                }
                for notice in notices
            ],
        )

    def lease(self, at: datetime, until: datetime, limit: int) -> Sequence[Notice]:
        """Locks those it returns and skips those that others have locked."""
        self._transaction.check_writable()
        rows = self._transaction.rows(_due, {"at": at, "most": limit})
        self._transaction.write(_lease, [{"this": row[0], "until": until} for row in rows])
        return readable(self._notice, rows)

    def save(self, notice: Notice) -> None:
        """Raises ``NotFound``."""
        if not self._transaction.write(_save, {"this": notice.id, **self._changing(notice)}):
            raise _no_notice()

    def get(self, notice_id: str) -> Notice:
        """Raises ``NotFound``."""
        return self._one(self._transaction.row(_get, {"id": notice_id}))

    def locked(self, notice_id: str) -> Notice:
        """Locks the notice's row. Raises ``NotFound``."""
        self._transaction.check_writable()
        return self._one(self._transaction.row(_locked, {"id": notice_id}))

    def page(self, page: PageRequest, *, state: NoticeState | None = None) -> Page[Notice]:
        """Newest first."""
        return _list.page(self._transaction, page, self._notices, state=state)

    def owed(self) -> tuple[int, datetime | None]:
        """From the index that keeps just these."""
        ((count, due_at),) = self._transaction.rows(_owed)
        return count, due_at

    def sweep(self, before: datetime) -> int:
        """Those that were sent."""
        return self._transaction.write(_sweep, {"before": before})

    def of_user(self, user_id: str, page: PageRequest) -> Page[Notice]:
        """Newest first."""
        return _list.page(self._transaction, page, self._notices, user_id=user_id)

    def remove(self, notice_id: str) -> None:
        """Nothing happens if there is none."""
        self._transaction.write(_remove, {"this": notice_id})

    def forget(self, user_id: str) -> Sequence[str]:
        """One statement."""
        return [notice_id for (notice_id,) in self._transaction.returned(_forget, {"owner": user_id})]

    def _without_older(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        """Those that are not there with an index by an older key, which the database can't tell is the same."""
        older = {
            (notice.event, index, str(notice.template)): notice.id
            for notice in notices
            for index in self._transaction.blind_indexes(RECIPIENT, notice.recipient)[1:]
        }
        if not older:
            return notices
        there = {
            older[event, bytes(index), name]
            for event, index, name in self._transaction.rows(_there, {"keys": list(older)})
        }
        return [notice for notice in notices if notice.id not in there]

    def _changing(self, notice: Notice) -> dict[str, Any]:
        private = {"recipient": notice.recipient, "data": dict(notice.data), "error": notice.error}
        return {
            "private": self._transaction.seal("outbox.private", notice.id, private),
            "state": str(notice.state),
            "attempts": notice.attempts,
            "created_at": notice.created_at,
            "due_at": notice.due_at,
            "sent_at": notice.sent_at,
        }

    def _one(self, row: Row | None) -> Notice:
        if row is None:
            raise _no_notice()
        return self._notice(row)

    def _notices(self, rows: Sequence[Row]) -> Sequence[Notice]:
        return [self._notice(row) for row in rows]

    def _notice(self, row: Row) -> Notice:
        (
            id_,
            event,
            template,
            private,
            invoice_of,
            credit_note_id,
            message_id,
            state,
            attempts,
            created_at,
            due_at,
            sent_at,
            user_id,
        ) = row
        opened = self._transaction.unseal("outbox.private", id_, private)
        return Notice(
            id=id_,
            event=event,
            template=Template(template),
            user_id=user_id,
            recipient=opened["recipient"],
            data=MappingProxyType(opened["data"]),
            invoice_of=invoice_of,
            credit_note_id=credit_note_id,
            message_id=message_id,
            state=NoticeState(state),
            attempts=attempts,
            created_at=created_at,
            due_at=due_at,
            sent_at=sent_at,
            error=opened["error"],
        )


def _no_notice() -> NotFound:
    return NotFound("There is no such notice.")
