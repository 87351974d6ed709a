"""Encrypts with the newest key, each for its row, whatever is encrypted otherwise, while the shop goes on selling.

It goes through each table a few rows at a time. A row is replaced only if it is as it was read; one that somebody
changed meanwhile is read again. What has been done is not done again, so it can be stopped and begun anew at any time.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Delete, bindparam, delete, exists, func, select, update

from adapters.sql import tables
from adapters.sql.coupons import USER
from adapters.sql.dialect import Refusals
from adapters.sql.keys import forget_older
from adapters.sql.outbox import RECIPIENT
from adapters.sql.pages import FETCH, after, fetched
from adapters.sql.personal import Kept, columns
from adapters.sql.storage import SqlStorage
from adapters.sql.transaction import Row, Values, row_of
from storecore.errors import Busy, Contention
from storecore.ports import Cipher, Clock
from storecore.transactions import ATTEMPTS

Progress = Callable[[str, int, int | None], None]
"""Told which column is gone through, how many of its rows are done, and of how many."""


def _in_silence(_what: str, _done: int, _total: int | None) -> None: ...


BATCH = 200
"""Rows that are read at a time, and at most replaced in one transaction."""
ROUNDS = 5
"""How often everything is gone through, at most, until nothing with an older key is found."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many fields were encrypted or indexed anew; how many can't be opened by any key, which ``verify`` names;
    and whether nothing is left that needs an older key.
    """

    renewed: int
    unreadable: int
    done: bool


class _Field:
    """A column that depends on keys; ``renewed`` tells, of a row's key and of its values in the column and ``beside``,
    what it should hold instead.
    """

    def __init__(
        self,
        column: Column[Any],
        *beside: Column[Any],
        renewed: Callable[[Cipher, Sequence[Any], Sequence[Any]], bytes | None],
    ) -> None:
        table, key = column.table, list(column.table.primary_key)
        this = [each == bindparam(f"key{i}", type_=each.type) for i, each in enumerate(key)]
        rows = select(*key, column, *beside).where(column.is_not(None))
        if any(each.table is not table for each in beside):
            rows = rows.join_from(table, beside[0].table)
        self.column, self.key, self.renewed = column, len(key), renewed
        self.count = rows.with_only_columns(func.count(), maintain_column_froms=True)
        self.all = rows
        self.first = fetched(rows.order_by(*key))
        self.next = self.first.where(after(*key))
        self.swap = update(table).where(*this, column == bindparam("old")).values({column.name: bindparam("new")})
        self.before_swap: Delete | None = None


def _sealed(column: Column[Any]) -> _Field:
    return _Field(column, renewed=lambda cipher, key, values: cipher.renewed(str(column), row_of(*key), values[0]))


def _newest(indexes: Sequence[bytes], index: bytes) -> bytes | None:
    return indexes[0] if index in indexes[1:] else None


_outbox, _orders, _uses = tables.outbox.c, tables.orders.c, tables.coupon_uses.c


def _recipient(cipher: Cipher, key: Sequence[Any], values: Sequence[Any]) -> bytes | None:
    index, private = values
    recipient = json.loads(cipher.decrypt(str(_outbox.private), row_of(*key), private))["recipient"]
    return _newest(cipher.blind_indexes(RECIPIENT, recipient), index)


def _user(cipher: Cipher, key: Sequence[Any], values: Sequence[Any]) -> bytes | None:
    """An index of somebody who is not known any more is left as it is: nobody will ask for it."""
    (order_id, _), (index, private, customer_id) = key, values
    user = customer_id or json.loads(cipher.decrypt(str(_orders.private), row_of(order_id), private))["email"]
    return _newest(cipher.blind_indexes(USER, user), index)


def _mail() -> _Field:
    """Mail that two processes with different keys came to owe at once is sent once: the older twin is removed."""
    field = _Field(_outbox.recipient_index, _outbox.private, renewed=_recipient)
    twin = tables.outbox.alias().c
    same = exists().where(
        twin.event == _outbox.event, twin.template == _outbox.template, twin.recipient_index == bindparam("new")
    )
    field.before_swap = delete(tables.outbox).where(
        _outbox.id == bindparam("key0"), _outbox.recipient_index == bindparam("old"), same
    )
    return field


FIELDS: Mapping[str, _Field] = {
    str(field.column): field
    for field in (
        _mail(),
        _Field(_uses.user_index, _orders.private, _orders.customer_id, renewed=_user),
        *map(_sealed, columns(Kept.SEALED)),
    )
}
"""Every column that depends on keys, indexes before what they are made of."""
_REFUSES: Refusals = {"uq_outbox_event_recipient_index_template": Contention}


def rotate(storage: SqlStorage, clock: Clock, progress: Progress = _in_silence) -> Rotated:
    """Everything that depends on an older key, by the newest; that nothing does is found out by reading it all.

    Raises ``Unavailable`` for a database that does not answer; then what was done until then is done.
    """
    renewed = unreadable = 0
    for _round in range(ROUNDS):
        found = unreadable = 0
        for field in FIELDS.values():
            rotation = _Rotation(storage, clock, field)
            rotation.run(progress)
            found, unreadable = found + rotation.renewed, unreadable + rotation.unreadable
        renewed += found
        if not found:
            forget_older(storage, clock())
            storage.scrub()
            return Rotated(renewed, unreadable, done=True)
    return Rotated(renewed, unreadable, done=False)


def left(storage: SqlStorage) -> int:
    """How many fields depend on an older key, or are not encrypted for their row."""
    found = 0
    with storage.snapshot() as (connection, cipher):
        for field in FIELDS.values():
            rows = connection.execute(field.all, execution_options={"yield_per": BATCH})
            found += len(_look(cipher, field, rows).stale)
    return found


class _Look:
    """What of some rows depends on an older key: the parameters of ``swap``; and how many can't be opened."""

    def __init__(self) -> None:
        self.stale: list[Values] = []
        self.unreadable = 0


def _look(cipher: Cipher, field: _Field, rows: Iterable[Row]) -> _Look:
    found = _Look()
    for row in rows:
        key, values = row[: field.key], row[field.key :]
        try:
            new = field.renewed(cipher, key, values)
        except ValueError:
            found.unreadable += 1
            continue
        if new is not None:
            found.stale.append({**{f"key{i}": part for i, part in enumerate(key)}, "old": values[0], "new": new})
    return found


class _Rotation:
    """Goes once through a column."""

    def __init__(self, storage: SqlStorage, clock: Clock, field: _Field) -> None:
        self._storage, self._clock, self._field = storage, clock, field
        self.renewed = 0
        self.unreadable = 0

    def run(self, progress: Progress) -> None:
        """From the first row to the last, however many come meanwhile."""
        field, done, last = self._field, 0, dict[str, Any]()
        with self._storage.snapshot() as (connection, _):
            total = connection.execute(field.count).scalar() or 0
        while True:
            with self._storage.snapshot() as (connection, cipher):
                rows = connection.execute(field.next if last else field.first, {**last, FETCH: BATCH}).all()
            look = _look(cipher, field, rows)
            if look.stale:
                self._swap(look.stale)
                continue  # the same rows are looked at again: some may have been changed before they were replaced
            self.unreadable += look.unreadable
            done += len(rows)
            progress(str(field.column), done, max(done, total))
            if len(rows) < BATCH:
                return
            last = {f"after{i}": part for i, part in enumerate(rows[-1][: field.key])}

    def _swap(self, stale: Sequence[Values]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._storage.changing(self._clock()) as transaction:
                    if self._field.before_swap is not None:
                        transaction.write(self._field.before_swap, stale)
                    swapped = transaction.write(self._field.swap, stale, refuses=_REFUSES)
                    transaction.commit()
            except (Contention, Busy):
                if attempt == ATTEMPTS:
                    raise
                self._storage.pause(attempt)
            else:
                self.renewed += max(swapped, 0)
                return
