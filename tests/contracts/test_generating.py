"""An invented shop keeps every promise that a real one keeps."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import ColumnElement, LargeBinary, Table, func, select, true
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage, generating, migrate, tables
from adapters.sql.columns import metadata
from adapters.sql.databases import open_database
from adapters.sql.generating import generate
from adapters.sql.inventing import TRADING, Invention
from adapters.sql.verify import verify
from storecore.accounts.model import SYSTEM
from storecore.errors import Conflict
from storecore.money import Money
from storecore.orders.model import Status
from storecore.ports import OrderQuery
from storecore.pricing import ShippingPolicy, TaxPolicy, price
from storecore.shop import Shop
from storecore.testing.builders import NOW
from tests.usecases.floor import HOME, Clock, Floor
from webapp.cli import main

CIPHER = FernetCipher(["k" * 32])
ORDERS = 300
TAX_IS_INSIDE = Shop(
    tax=TaxPolicy(default_rate=Decimal("19.5"), included=True),
    shipping=ShippingPolicy(fee=Money(1000, "USD"), tax_class="standard"),
)

Where = Path | URL


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    """A migrated database without rows."""
    if request.param == "postgresql":
        url: URL = request.getfixturevalue("url")
        return url
    migrate(tmp_path / "shop.db")
    return tmp_path / "shop.db"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small shop comes in as many parts as a large one."""
    monkeypatch.setattr(generating, "_AT_ONCE", 50)
    monkeypatch.setattr(generating, "_TOGETHER", 100)


def invented(*, seed: int = 1, shop: Shop | None = None, orders: int = ORDERS) -> Invention:
    """A shop of 60 products that was open until ``NOW``."""
    return Invention(
        seed=seed, shop=shop or Shop(), products=60, orders=orders, until=NOW, password_hash="nobody signs in"
    )


def in_silence(_what: str, _done: int, _whole: int) -> None:
    """Show no progress."""


def wrong_in(where: Where) -> list[str]:
    storage = SqlStorage(where, cipher=CIPHER)
    try:
        return [str(finding) for finding in verify(storage, NOW)]
    finally:
        storage.close()


def rows_of(where: Where) -> Mapping[str, list[Any]]:
    """Every row of every table, but for what is encrypted."""
    database = open_database(where, pool_size=1, patience=5)
    with database.reading() as connection:
        found = {
            table.name: sorted(connection.execute(select(*readable(table))).all(), key=repr)
            for table in metadata.sorted_tables
        }
    database.close()
    return found


def readable(table: Table) -> list[ColumnElement[Any]]:
    return [column for column in table.columns if not isinstance(column.type, LargeBinary)]


def count(where: Where, table: Table, which: ColumnElement[bool] | None = None) -> int:
    database = open_database(where, pool_size=1, patience=5)
    with database.reading() as connection:
        found = connection.execute(
            select(func.count()).select_from(table).where(true() if which is None else which)
        ).scalar_one()
    database.close()
    return found


def test_an_invented_shop_passes_every_check(where: Where) -> None:
    generate(where, invented(), cipher=CIPHER, progress=in_silence)
    assert wrong_in(where) == []
    counts = {table.name: count(where, table) for table in metadata.sorted_tables}
    assert (counts["products"], counts["orders"], counts["users"]) == (60, ORDERS, ORDERS // 20 + 1)
    assert counts["invoices"] == count(where, tables.orders, tables.orders.c.status != "cancelled") < ORDERS
    assert 0 < counts["refunds"] == counts["credit_notes"] < ORDERS / 10, "some goods came back"
    assert counts["outbox"] == 0, "nobody gets mail"


def test_it_is_a_shop_to_go_on_in(where: Where) -> None:
    generate(where, invented(), cipher=CIPHER, progress=in_silence)
    store = Floor(SqlStorage(where, cipher=CIPHER), Clock(NOW), Shop())
    with store:
        old = store.orders.everyones(by=SYSTEM, query=OrderQuery(status=Status.DELIVERED)).items[0]
        assert old.customer_id
        with store.storage.reading(NOW, str) as unit:
            customer = unit.users.get(old.customer_id)
        kept, other = (
            store.orders.place(by=customer, items=[(old.lines[0].product_id, 1)], deliver_to=HOME) for _ in range(2)
        )
        store.orders.cancel(by=customer, order_id=other.id)
        assert kept.number in {mail.data["number"] for mail in store.mail()}
    assert wrong_in(where) == []


def test_a_shop_whose_prices_include_tax_passes_every_check(tmp_path: Path) -> None:
    migrate(tmp_path / "shop.db")
    generate(tmp_path / "shop.db", invented(shop=TAX_IS_INSIDE, orders=100), cipher=CIPHER, progress=in_silence)
    assert wrong_in(tmp_path / "shop.db") == []


def test_stopped_half_way_it_leaves_a_smaller_shop_in_which_everything_adds_up(where: Where) -> None:
    def stop(what: str, done: int, _whole: int) -> None:
        if what == "orders" and done > 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(where, invented(), cipher=CIPHER, progress=stop)
    assert wrong_in(where) == []
    assert count(where, tables.orders) == 200


def test_a_database_holds_one_invented_shop(tmp_path: Path) -> None:
    migrate(tmp_path / "shop.db")
    generate(tmp_path / "shop.db", invented(orders=0), cipher=CIPHER, progress=in_silence)
    before = rows_of(tmp_path / "shop.db")
    with pytest.raises(Conflict):
        generate(tmp_path / "shop.db", invented(seed=2), cipher=CIPHER, progress=in_silence)
    assert rows_of(tmp_path / "shop.db") == before


def test_the_same_seed_invents_the_same_shop_and_another_another(tmp_path: Path) -> None:
    shops = []
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        migrate(tmp_path / name)
        generate(tmp_path / name, invented(seed=seed, orders=60), cipher=CIPHER, progress=in_silence)
        shops.append(rows_of(tmp_path / name))
    one, again, other = shops
    assert one == again
    assert one["orders"] != other["orders"]


@pytest.mark.parametrize("shop", [Shop(), TAX_IS_INSIDE])
def test_every_order_costs_what_the_shop_would_ask(shop: Shop) -> None:
    invention = invented(shop=shop)
    products = {product.id: product for product in map(invention.product, range(60))}
    for order in map(invention.order, range(0, ORDERS, 5)):
        baskets = [
            products[line.product_id].basket(line.quantity, order.created_at, key=line.id) for line in order.lines
        ]
        quote = price(
            baskets,
            currency=shop.currency,
            shipping=shop.shipping,
            tax=shop.tax,
            where=order.delivery_address.destination,
        )
        assert (order.total, order.tax, order.explanation) == (quote.total, quote.tax, quote.explain())


def test_orders_come_one_after_another_for_two_years_and_none_has_a_future() -> None:
    invention = invented()
    orders = [invention.order(number) for number in range(ORDERS)]
    assert all(one.created_at < other.created_at for one, other in pairwise(orders))
    assert orders[0].created_at >= NOW - TRADING
    assert all(entry.at <= NOW for order in orders for entry in order.history)
    assert {order.status for order in orders[:-50]} == {Status.DELIVERED, Status.CANCELLED}
    assert len({order.status for order in orders[-50:]}) > 2, "there is work for the staff"
    assert len({order.number for order in orders}) == ORDERS


def test_customers_were_there_before_their_first_order() -> None:
    invention = invented()
    customers = [invention.customer(number)[0] for number in range(invention.customers(ORDERS))]
    opened = {customer.id: customer.created_at for customer in customers}
    orders = [invention.order(number) for number in range(ORDERS)]
    assert all(opened[order.customer_id] < order.created_at for order in orders if order.customer_id)
    assert 0 < sum(order.customer_id is None for order in orders) < ORDERS / 4, "some bought without an account"


def test_seed_invents_as_much_as_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    seeded = CliRunner().invoke(main, ["seed", "--products", "70", "--orders", "120"])
    assert seeded.exit_code == 0, seeded.output
    assert "Invented 70 products and 120 orders." in seeded.output
    assert CliRunner().invoke(main, ["verify"]).exit_code == 0
    again = CliRunner().invoke(main, ["seed", "--orders", "120"])
    assert (again.exit_code, "not empty" in again.output) == (1, True)
