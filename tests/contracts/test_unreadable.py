"""Something that no key opens, or that was moved to another row, keeps nobody else waiting."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Column, update
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage, tables
from storecore.accounts.model import SYSTEM
from storecore.errors import Unreadable
from storecore.orders.model import Status
from storecore.shop import Shop
from storecore.store import Store
from tests.databases import DATABASES, database
from tests.usecases.floor import HOME, Clock, Floor, person, product
from tests.usecases.purse import Purse, pay_online, with_purse

CIPHER = FernetCipher(["k" * 32])


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Floor]:
    with database(request.param, tmp_path) as where, closing(_floor(where)) as store:
        yield store


def _floor(where: Path | URL) -> Floor:
    return Floor(SqlStorage(where, cipher=CIPHER), Clock(), Shop())


def spoil(store: Store, column: "Column[str]", value: str) -> None:
    """Put what was encrypted for another row into the one with this value."""
    assert isinstance(store.storage, SqlStorage)
    secret = CIPHER.encrypt(f"{column.table.name}.private", "another", b"{}")
    with store.storage.changing(store.clock()) as transaction:
        assert transaction.write(update(column.table).where(column == value).values(private=secret), {}) == 1
        transaction.commit()


def test_an_order_that_can_not_be_read_keeps_no_other_from_its_invoice(store: Floor) -> None:
    buyer, thing = person(store), product(store, stock=9)
    first, second = (store.orders.place(by=buyer, items=[(thing.id, 1)], deliver_to=HOME) for _ in range(2))
    spoil(store, tables.orders.c.id, first.id)
    assert store.orders.issue_due() == 1
    assert store.orders.invoice(by=SYSTEM, order_id=second.id).content
    with pytest.raises(Unreadable):
        store.orders.invoice(by=SYSTEM, order_id=first.id)


def test_an_order_that_can_not_be_read_keeps_no_other_from_its_time_out(store: Floor) -> None:
    shop, buyer, thing = with_purse(store, Purse()), person(store), product(store, stock=9)
    first, second = (
        shop.orders.place(by=buyer, items=[(thing.id, 1)], deliver_to=HOME, payment="purse") for _ in range(2)
    )
    spoil(store, tables.orders.c.id, first.id)
    store.time.forward(hours=1)
    shop.orders.cancel_overdue()
    assert shop.orders.get(by=SYSTEM, order_id=second.id).status is Status.CANCELLED


def test_mail_that_can_not_be_read_keeps_no_other_waiting(store: Floor) -> None:
    buyer, thing = person(store), product(store, stock=9)
    first, second = (store.orders.place(by=buyer, items=[(thing.id, 1)], deliver_to=HOME) for _ in range(2))
    spoil(store, tables.outbox.c.event, f"order:{first.id}:placed")
    sent = {notice.event for notice in store.mail()}
    assert (f"order:{first.id}:placed" in sent, f"order:{second.id}:placed" in sent) == (False, True)
    assert store.notices.owed(by=SYSTEM)[0] == 1


def test_a_refund_that_can_not_be_read_keeps_no_other_from_its_money(store: Floor) -> None:
    purse, buyer, thing = Purse(), person(store), product(store, stock=9)
    shop, due = with_purse(store, purse), []
    for _ in range(2):
        order = pay_online(store, store.orders.place(by=buyer, items=[(thing.id, 1)], deliver_to=HOME))
        for status in (Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
            store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
        items = [(order.lines[0].id, 1)]
        refund = shop.refunds.request(by=buyer, order_id=order.id, items=items, reason="Too big")
        due.append(shop.refunds.approve(by=SYSTEM, refund_id=refund.id, expect_return=False).id)
    spoil(store, tables.refunds.c.id, due[0])
    assert shop.refunds.pay_out() == 1
    assert list(purse.given_back) == due[1:]
