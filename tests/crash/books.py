"""Whether the books are in order: nothing oversold, lost, half done or done twice."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Executable, exists, select

from adapters.sql import SqlStorage, tables
from adapters.sql.verify import verify
from storecore.accounts.model import SYSTEM
from storecore.lists import PageRequest
from storecore.orders.model import Order, Status
from storecore.store import Store

_orders, _outbox = tables.orders.c, tables.outbox.c


def check(store: Store) -> None:
    """Everything that ``storecore verify`` proves, and that every order is told of by mail."""
    found = [str(finding) for finding in verify(_storage(store), store.clock())]
    for status, event in ((None, "placed"), (Status.CANCELLED, "cancelled")):
        told = exists().where(_outbox.event == "order:" + _orders.id + f":{event}")
        untold = select(_orders.id).where(~told)
        if status:
            untold = untold.where(_orders.status == str(status))
        found += [f"order {row[0]} was {event} without a mail" for row in statement(store, untold)]
    assert not found, "\n".join(found)


def everything(store: Store) -> Iterator[Order]:
    """Every order, newest first."""
    after = None
    while True:
        page = store.orders.everyones(by=SYSTEM, page=PageRequest(limit=100, after=after))
        yield from page.items
        if not (after := page.next):
            return


def statement(store: Store, query: Executable) -> list[tuple[Any, ...]]:
    """Carry out one statement behind the shop's back; its rows."""
    with _storage(store)._database.writing() as connection:
        result = connection.execute(query)
        rows = [tuple(row) for row in result] if result.returns_rows else []
        connection.commit()
    return rows


def _storage(store: Store) -> SqlStorage:
    assert isinstance(store.storage, SqlStorage)
    return store.storage
