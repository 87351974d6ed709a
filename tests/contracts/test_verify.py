"""``verify`` finds whatever is altered, lost or done twice in a database, and nothing in one that is well."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Column, Connection, Table, create_engine, select, text, update
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.files import DiskFiles
from adapters.sql import SqlStorage, migrate, verify
from adapters.sql.columns import metadata
from adapters.sql.personal import Kept, columns
from adapters.sql.transaction import row_of
from adapters.sql.verify import Finding
from storecore.accounts.model import GUEST, SYSTEM, Guest, User
from storecore.accounts.permissions import Role
from storecore.catalog.model import Product
from storecore.errors import Unavailable
from storecore.money import Money
from storecore.orders.model import Status
from storecore.orders.refund import Disposition
from storecore.pricing import ShippingPolicy, TaxPolicy
from storecore.shop import Shop
from storecore.transactions import Once
from tests.postgresql import conninfo, database, empty_database
from tests.usecases.floor import HOME, PASSWORD, Clock, Floor, person, product
from tests.usecases.purse import Purse, pay_online, with_purse
from webapp import demo, wiring
from webapp.cli import main
from webapp.settings import Settings

CIPHER = FernetCipher(["k" * 32])
TAX_IS_INSIDE = Shop(
    tax=TaxPolicy(default_rate=Decimal("19.5"), included=True),
    shipping=ShippingPolicy(fee=Money(1000, "USD"), tax_class="standard"),
)
LATER = Clock().at + timedelta(days=2)

Where = Path | URL
_numbers = count(1)


def trade(storage: SqlStorage) -> None:
    """Two months of a demo shop, and whatever else leaves rows; the last two orders have no invoice yet."""
    store = Floor(storage, Clock(), Shop())
    demo.seed(store)
    parent = store.catalog.create_category(by=SYSTEM, name="Below")
    store.catalog.update_category(by=SYSTEM, category_id=parent.id, parent_id=store.catalog.categories().items[0].id)
    buyer = store.accounts.register(
        email="buyer@example.com", password=PASSWORD, full_name="Buyer", home_address="1 Main St"
    )
    store.accounts.login(email=buyer.email, password=PASSWORD, device="Firefox")
    things = [product(store, price=price, stock=50) for price in (1999, 333, 7)]
    items = [(thing.id, 3) for thing in things]
    ids = [thing.id for thing in things]
    store.catalog.discount(by=SYSTEM, product_ids=ids[:2], percent=Decimal("33.33"))
    store.catalog.discount(by=SYSTEM, product_ids=ids[2:], percent=Decimal(5), starts_at=LATER)
    store.catalog.create_coupon(by=SYSTEM, code="TWO", percent=Decimal(10), max_uses=2, max_uses_per_user=1)
    store.catalog.create_coupon(by=SYSTEM, code="ONE", amount=Money(99, "USD"), max_uses=9)
    store.catalog.create_coupon(by=SYSTEM, code="UNUSED", percent=Decimal(10))
    once = Once(scope="orders", key="k", fingerprint=b"request", render=lambda order: order.id.encode())
    store.orders.place(by=buyer, items=items, deliver_to=HOME, coupon="TWO", once=once)
    store.orders.place(by=Guest(), items=items[:1], deliver_to=HOME, coupon="TWO", email="guest@example.com")
    regretted = store.orders.place(by=buyer, items=items, deliver_to=HOME, coupon="ONE")
    store.orders.cancel(by=buyer, order_id=regretted.id)
    give_back(store, buyer, things[0])
    store.carts.add_item(by=buyer, product_id=things[0].id, quantity=1)
    wished = product(store, stock=0)
    store.wishlist.add(by=buyer, product_id=wished.id)
    asked = store.support.open(by=buyer, message="Is this mine?")
    store.support.attach(by=buyer, conversation_id=asked.id, name="photo.txt", content=[b"Hello"])
    store.mail()
    store.insight.roll_up(fewest=1, most=1)
    store.catalog.adjust_stock(by=SYSTEM, product_id=wished.id, change=1, reason="found")
    store.orders.place(by=buyer, items=items, deliver_to=HOME, coupon="ONE")
    Floor(storage, Clock(), TAX_IS_INSIDE).orders.place(by=buyer, items=items, deliver_to=HOME)


def give_back(store: Floor, buyer: User, thing: Product) -> None:
    """Refunds in every state, with people's money and a provider's; orders cancelled before and after their invoice."""
    shop, items = with_purse(store, Purse()), [(thing.id, 3)]
    for online in (False, True):
        order = store.orders.place(by=buyer, items=items, deliver_to=HOME)
        for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
            if online and status is Status.CONFIRMED:
                pay_online(store, order)
            else:
                store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
        line = order.lines[0].id
        ask = partial(shop.refunds.request, by=buyer, order_id=order.id, reason="Too big")
        shop.refunds.withdraw(by=buyer, refund_id=ask(items=[(line, 3)]).id)
        first, second = ask(items=[(line, 1)]), ask(items=[(line, 1)])
        shop.refunds.approve(by=SYSTEM, refund_id=second.id, include_shipping=True, note="Yes")
        shop.refunds.receive(by=SYSTEM, refund_id=second.id, disposition=Disposition.RESTOCK)
        shop.refunds.pay_out()
        shop.refunds.approve(by=SYSTEM, refund_id=first.id, expect_return=False)
        ask(items=[(line, 1)])
    for paid in (False, True):
        order = store.orders.place(by=buyer, items=items, deliver_to=HOME)
        store.orders.invoice(by=buyer, order_id=order.id)
        if paid:
            store.orders.record_payment(by=SYSTEM, order_id=order.id)
        store.orders.cancel(by=buyer, order_id=order.id)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def traded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Where]:
    """A database with a shop in it, to be copied."""
    with _empty(request.param, tmp_path_factory.mktemp("traded")) as where:
        migrate(where)
        storage = SqlStorage(where, cipher=CIPHER)
        trade(storage)
        storage.close()
        yield where


@contextmanager
def _empty(back_end: str, folder: Path) -> Iterator[Where]:
    if back_end == "sqlite":
        yield folder / "shop.db"
    else:
        with empty_database() as url:
            yield url


@pytest.fixture
def where(traded: Where, tmp_path: Path) -> Iterator[Where]:
    """A copy of one's own."""
    if isinstance(traded, Path):
        yield Path(shutil.copy(traded, tmp_path / "shop.db"))
        return
    copy = traded.set(database=f"{traded.database}_{next(_numbers)}")
    with database() as home, psycopg.connect(conninfo(home), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{copy.database}" TEMPLATE "{traded.database}"'.encode())
        try:
            yield copy
        finally:
            connection.execute(f'DROP DATABASE "{copy.database}" WITH (FORCE)'.encode())


def found_in(where: Where, cipher: FernetCipher = CIPHER) -> Sequence[Finding]:
    storage = SqlStorage(where, cipher=cipher, pool_size=1)
    try:
        return verify.verify(storage, Clock().at)
    finally:
        storage.close()


@contextmanager
def by_hand(where: Where, *loosened: Table) -> Iterator[Connection]:
    """A connection of somebody who goes behind the shop's back; these tables have lost every constraint."""
    engine = create_engine(f"sqlite:///{where}" if isinstance(where, Path) else where)
    cascade = "" if isinstance(where, Path) else " CASCADE"
    with engine.begin() as connection:
        for table in loosened:
            connection.execute(text(f"CREATE TABLE loose AS SELECT * FROM {table.name}"))
            connection.execute(text(f"DROP TABLE {table.name}{cascade}"))
            connection.execute(text(f"ALTER TABLE loose RENAME TO {table.name}"))
        yield connection
    engine.dispose()


@dataclass(frozen=True, kw_only=True)
class Corruption:
    """What goes wrong with a row: ``victim`` finds it (its id, then what else statements name b, c, d).

    ``sealed`` is the table and id of a row that gets what is encrypted for another one by this; ``{}`` is the victim.
    """

    what: str
    rule: str
    table: str
    victim: str
    statements: Sequence[str]
    values: Mapping[str, Any] = field(default_factory=dict)
    sealed: tuple[str, str] | None = None

    def __str__(self) -> str:
        return self.what


LATEST = "SELECT id FROM orders WHERE NOT invoiced AND status = 'pending' AND {} ORDER BY id DESC LIMIT 1"
PLAIN, INSIDE = LATEST.format("NOT tax_included"), LATEST.format("tax_included")
CANCELLED = "SELECT id FROM orders WHERE status = 'cancelled' AND coupon_id IS NULL ORDER BY id LIMIT 1"
INVOICED = "SELECT id FROM orders WHERE invoiced AND status = 'delivered' ORDER BY id LIMIT 1"
LAST_INVOICE = "SELECT id FROM invoices ORDER BY sequence DESC LIMIT 1"
PLANNED = "SELECT id FROM products WHERE next_price_change IS NOT NULL"
ON_SALE = "SELECT id FROM products WHERE final_price < price ORDER BY id LIMIT 1"
MOVE = (
    "SELECT order_id, id, product_id, change FROM stock_moves"
    " WHERE reason = '{}' AND order_id IN ({}) ORDER BY id LIMIT 1"
)
SALE, CANCELLATION = MOVE.format("sale", PLAIN), MOVE.format("cancellation", CANCELLED)
REPEAT_MOVE = (
    "INSERT INTO stock_moves SELECT 'again', product_id, change, reason, note, order_id, actor_id, at"
    " FROM stock_moves WHERE id = :b"
)
PAYMENT = "SELECT id FROM payments ORDER BY id LIMIT 1"
PARTLY = "SELECT id FROM orders WHERE payment_status = 'partly_refunded' ORDER BY id LIMIT 1"
REFUND = "SELECT id FROM refunds WHERE status = '{}' AND expect_return ORDER BY id LIMIT 1"
RETURNED = "SELECT id FROM refunds WHERE disposition IS NOT NULL AND status = 'refunded' ORDER BY id LIMIT 1"
OWED = "SELECT id FROM refunds WHERE payout_at IS NOT NULL ORDER BY id LIMIT 1"
LAST_NOTE = "SELECT id FROM credit_notes ORDER BY sequence DESC LIMIT 1"
WHOLE_NOTE = "SELECT id FROM credit_notes WHERE refund_id IS NULL ORDER BY id LIMIT 1"
TALKED = "SELECT id FROM conversations WHERE status = 'claimed' AND customer_id IS NOT NULL ORDER BY id LIMIT 1"
LAST_SEQ = "SELECT last_seq FROM conversations WHERE id = :a"
PAIR = (
    "SELECT product_id || '/' || other_id, product_id, other_id FROM copurchases"
    " WHERE orders > 0 ORDER BY product_id, other_id LIMIT 1"
)
WANTED = "SELECT product_id FROM demand WHERE orders > 0 ORDER BY product_id LIMIT 1"
COUPON = "SELECT id FROM coupons WHERE code = '{}'"
PUBLISHED = "SELECT id FROM reviews WHERE status = 'published' AND private IS NOT NULL ORDER BY rating, id LIMIT 1"


def amounts(what: str, victim: str, *statements: str) -> Corruption:
    return Corruption(what=what, rule="order-amounts", table="orders", victim=victim, statements=statements)


def history(what: str, victim: str, *statements: str) -> Corruption:
    return Corruption(what=what, rule="order-history", table="orders", victim=victim, statements=statements)


def stock(what: str, victim: str, *statements: str) -> Corruption:
    return Corruption(what=what, rule="order-stock", table="orders", victim=victim, statements=statements)


def dates(what: str, victim: str, change: str) -> Corruption:
    statement = f"UPDATE refunds SET {change} WHERE id = :a"
    return Corruption(
        what=f"a refund {what}", rule="refund-dates", table="refunds", victim=victim, statements=[statement]
    )


def note(what: str, victim: str, change: str) -> Corruption:
    statement = f"UPDATE credit_notes SET {change} WHERE id = :a"
    return Corruption(what=what, rule="credit-note", table="credit_notes", victim=victim, statements=[statement])


def kept(what: str, victim: str, statement: str) -> Corruption:
    return Corruption(what=what, rule="kept", table="products", victim=victim, statements=[statement])


def counts(what: str, table: str, victim: str, change: str | None) -> Corruption:
    which = "product_id = :b AND other_id = :c" if table == "copurchases" else "product_id = :a"
    statement = f"UPDATE {table} {change} WHERE {which}" if change else f"DELETE FROM {table} WHERE {which}"
    return Corruption(what=what, rule="purchases", table=table, victim=victim, statements=[statement])


def _mode(victim: str) -> str:
    return " with tax inside" if victim == INSIDE else ""


def order_column(column: str, victim: str = PLAIN) -> Corruption:
    return amounts(
        f"an order's {column}{_mode(victim)}", victim, f"UPDATE orders SET {column} = {column} + 1 WHERE id = :a"
    )


def line_column(column: str, victim: str = PLAIN) -> Corruption:
    return amounts(
        f"a line's {column}{_mode(victim)}",
        victim,
        f"UPDATE order_lines SET {column} = {column} + 1 WHERE order_id = :a AND position = 0",
    )


def conversation(what: str, rule: str, *statements: str) -> Corruption:
    return Corruption(what=what, rule=rule, table="conversations", victim=TALKED, statements=statements)


def message(what: str, rule: str, statement: str) -> Corruption:
    """Something about an agent's message."""
    return Corruption(
        what=what,
        rule=rule,
        table="messages",
        victim=f"SELECT conversation_id || '/' || seq, conversation_id, seq FROM messages"
        f" WHERE side = 'agent' AND conversation_id IN ({TALKED}) ORDER BY seq LIMIT 1",
        statements=[statement.format("conversation_id = :b AND seq = :c")],
        values={"garbage": b"garbage"},
    )


def secret(table: str, column: str) -> Corruption:
    key = "scope || '/' || key" if table == "answers" else "id"
    return Corruption(
        what=f"the ciphertext {table}.{column}",
        rule="secret",
        table=table,
        victim=f"SELECT {key} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1 LIMIT 1",
        statements=[f"UPDATE {table} SET {column} = :garbage WHERE {key} = :a"],
        values={"garbage": b"garbage"},
    )


CORRUPTIONS = [
    # Stock.
    Corruption(
        what="stock that its ledger does not explain",
        rule="stock-ledger",
        table="shelf",
        victim="SELECT min(product_id) FROM shelf",
        statements=["UPDATE shelf SET on_hand = on_hand + 1 WHERE product_id = :a"],
    ),
    Corruption(
        what="a lost row of the ledger",
        rule="stock-ledger",
        table="shelf",
        victim="SELECT product_id, id FROM stock_moves WHERE reason = 'opening' ORDER BY id LIMIT 1",
        statements=["DELETE FROM stock_moves WHERE id = :b"],
    ),
    Corruption(
        what="stock below zero",
        rule="constraint",
        table="shelf",
        victim="SELECT product_id, on_hand FROM shelf WHERE on_hand > 0 ORDER BY product_id LIMIT 1",
        statements=[
            "UPDATE shelf SET on_hand = -3 WHERE product_id = :a",
            "UPDATE stock_moves SET change = change - :b - 3 WHERE product_id = :a AND reason = 'opening'",
        ],
    ),
    Corruption(
        what="units that no order sold",
        rule="units-sold",
        table="shelf",
        victim="SELECT min(product_id) FROM shelf",
        statements=["UPDATE shelf SET units_sold = units_sold + 1 WHERE product_id = :a"],
    ),
    # Orders.
    *(order_column(name) for name in ("subtotal", "discount", "shipping", "shipping_tax", "tax", "total")),
    *(order_column(name, INSIDE) for name in ("subtotal", "discount", "shipping", "shipping_tax", "tax", "total")),
    *(line_column(name) for name in ("unit_price", "product_discount", "order_discount", "tax", "total")),
    *(line_column(name, INSIDE) for name in ("unit_price", "product_discount", "order_discount", "tax", "total")),
    amounts("the tax mode", PLAIN, "UPDATE orders SET tax_included = NOT tax_included WHERE id = :a"),
    amounts("a tax rate", PLAIN, "UPDATE order_lines SET tax_rate = '9' WHERE order_id = :a AND position = 0"),
    amounts("a tax rate that is none", PLAIN, "UPDATE order_lines SET tax_rate = 'x' WHERE order_id = :a"),
    amounts("the tax rate of shipping", INSIDE, "UPDATE orders SET shipping_tax_rate = '1' WHERE id = :a"),
    amounts(
        "a cent of tax that every sum and the explanation agree on",
        "SELECT o.id, l.id, l.tax FROM orders o JOIN order_lines l ON l.order_id = o.id AND l.position = 0"
        f" WHERE o.id IN ({PLAIN})",
        "UPDATE order_lines SET tax = tax + 1, total = total + 1 WHERE id = :b",
        "UPDATE orders SET tax = tax + 1, total = total + 1, explanation = "
        """replace(explanation, ',"8",' || CAST(:c AS TEXT) || ']', ',"8",' || CAST(:c + 1 AS TEXT) || ']')"""
        " WHERE id = :a",
    ),
    amounts(
        "a cent moved from one line to another",
        PLAIN,
        "UPDATE order_lines SET order_discount = order_discount + 1, total = total - 1"
        " WHERE order_id = :a AND position = 0",
        "UPDATE order_lines SET order_discount = order_discount - 1, total = total + 1"
        " WHERE order_id = :a AND position = 1",
    ),
    amounts("an empty explanation", PLAIN, "UPDATE orders SET explanation = '[]' WHERE id = :a"),
    amounts("an explanation that is none", PLAIN, "UPDATE orders SET explanation = '{' WHERE id = :a"),
    amounts("an explanation that is a number", PLAIN, "UPDATE orders SET explanation = '7' WHERE id = :a"),
    amounts(
        "an explanation of lines that are not there",
        PLAIN,
        """UPDATE orders SET explanation = replace(explanation, '[[', '[["gone","x",1,"1",1],[') WHERE id = :a""",
    ),
    Corruption(
        what="an order number that another order has",
        rule="duplicate",
        table="orders",
        victim="SELECT b.id, a.number FROM orders a JOIN orders b ON a.id < b.id ORDER BY b.id DESC, a.id LIMIT 1",
        statements=["UPDATE orders SET number = :b WHERE id = :a"],
    ),
    history("a status that its history does not know", PLAIN, "UPDATE orders SET status = 'confirmed' WHERE id = :a"),
    history("no history", PLAIN, "DELETE FROM order_history WHERE order_id = :a"),
    history("a step that was lost", INVOICED, "DELETE FROM order_history WHERE order_id = :a AND position = 1"),
    history(
        "a step that is not allowed",
        PLAIN,
        "UPDATE orders SET status = 'shipped' WHERE id = :a",
        "INSERT INTO order_history SELECT order_id, 1, 'shipped', at, actor_id, note FROM order_history"
        " WHERE order_id = :a",
    ),
    history("a beginning that was lost", INVOICED, "DELETE FROM order_history WHERE order_id = :a AND position = 0"),
    stock(
        "units that were never taken",
        SALE,
        "DELETE FROM stock_moves WHERE id = :b",
        "UPDATE shelf SET on_hand = on_hand - :d WHERE product_id = :c",
    ),
    stock(
        "units that were taken twice",
        SALE,
        REPEAT_MOVE,
        "UPDATE shelf SET on_hand = on_hand + :d WHERE product_id = :c",
    ),
    stock(
        "units that were never put back",
        CANCELLATION,
        "DELETE FROM stock_moves WHERE id = :b",
        "UPDATE shelf SET on_hand = on_hand - :d WHERE product_id = :c",
    ),
    stock(
        "units that were put back twice",
        CANCELLATION,
        REPEAT_MOVE,
        "UPDATE shelf SET on_hand = on_hand + :d WHERE product_id = :c",
    ),
    stock(
        "units of a live order that were put back",
        SALE,
        REPEAT_MOVE,
        "UPDATE stock_moves SET reason = 'cancellation', change = -change WHERE id = 'again'",
        "UPDATE shelf SET on_hand = on_hand - :d WHERE product_id = :c",
    ),
    stock("units that left as something else", SALE, "UPDATE stock_moves SET reason = 'adjustment' WHERE id = :b"),
    # Invoices.
    Corruption(
        what="a gap in the invoices",
        rule="invoice-number",
        table="invoices",
        victim=LAST_INVOICE,
        statements=["UPDATE invoices SET sequence = sequence + 5 WHERE id = :a"],
    ),
    Corruption(
        what="invoices that don't begin with 1",
        rule="invoice-number",
        table="invoices",
        victim="SELECT id FROM invoices WHERE sequence = 1",
        statements=[
            *(f"DELETE FROM {table}" for table in ("rolled_up", "takings", "product_takings", "buyer_takings")),
            "UPDATE invoices SET sequence = sequence + 5",
        ],
    ),
    Corruption(
        what="an invoice number that was used twice",
        rule="duplicate",
        table="invoices",
        victim=LAST_INVOICE,
        statements=["UPDATE invoices SET sequence = sequence - 1 WHERE id = :a"],
    ),
    Corruption(
        what="a second invoice of an order",
        rule="duplicate",
        table="invoices",
        victim=f"SELECT 'zzz', id, sequence + 1 FROM invoices WHERE id IN ({LAST_INVOICE})",
        statements=[
            "INSERT INTO invoices SELECT 'zzz', :c, order_id, issued_at, seller, private, total, currency, NULL"
            " FROM invoices WHERE id = :b"
        ],
        sealed=("invoices", "{}"),
    ),
    Corruption(
        what="an invoice about another amount",
        rule="invoice-total",
        table="invoices",
        victim=LAST_INVOICE,
        statements=["UPDATE invoices SET total = total + 1 WHERE id = :a"],
    ),
    Corruption(
        what="an invoice in another currency",
        rule="invoice-total",
        table="invoices",
        victim=LAST_INVOICE,
        statements=["UPDATE invoices SET currency = 'EUR' WHERE id = :a"],
    ),
    Corruption(
        what="the last invoice, lost",
        rule="invoiced",
        table="orders",
        victim="SELECT order_id FROM invoices ORDER BY sequence DESC LIMIT 1",
        statements=["DELETE FROM invoices WHERE order_id = :a"],
    ),
    Corruption(
        what="an order that forgot its invoice",
        rule="invoiced",
        table="orders",
        victim=INVOICED,
        statements=["UPDATE orders SET invoiced = NOT invoiced WHERE id = :a"],
    ),
    # Purchases.
    counts("two products that were bought together once more", "copurchases", PAIR, "SET orders = orders + 1"),
    counts("two products whose purchases are forgotten", "copurchases", PAIR, None),
    counts("a product that is in one order less", "demand", WANTED, "SET orders = orders - 1"),
    counts("a product that is wanted more than it is", "demand", WANTED, "SET heat = heat * 1.001"),
    counts("a product whose orders are forgotten", "demand", WANTED, None),
    Corruption(
        what="an order that only says that it is counted, or not",
        rule="purchases",
        table="demand",
        victim="SELECT min(product_id), orders.id FROM orders JOIN order_lines ON order_id = orders.id WHERE counted"
        " GROUP BY orders.id HAVING count(*) = 1 ORDER BY orders.id LIMIT 1",
        statements=["UPDATE orders SET counted = NOT counted WHERE id = :b"],
    ),
    # Coupons.
    Corruption(
        what="a coupon's count",
        rule="coupon-count",
        table="coupon_counts",
        victim=COUPON.format("ONE"),
        statements=["UPDATE coupon_counts SET uses = uses + 1 WHERE coupon_id = :a"],
    ),
    Corruption(
        what="a coupon that was used too often",
        rule="coupon-limit",
        table="coupons",
        victim=COUPON.format("TWO"),
        statements=["UPDATE coupons SET max_uses = 1 WHERE id = :a"],
    ),
    Corruption(
        what="a coupon that one customer used too often",
        rule="coupon-limit",
        table="coupons",
        victim=COUPON.format("TWO"),
        statements=["UPDATE coupon_uses SET user_index = :same WHERE coupon_id = :a"],
        values={"same": b"same"},
    ),
    Corruption(
        what="a use of a coupon that was lost",
        rule="coupon-use",
        table="orders",
        victim=f"SELECT id, coupon_id FROM orders WHERE id IN ({PLAIN})",
        statements=[
            "DELETE FROM coupon_uses WHERE order_id = :a",
            "UPDATE coupon_counts SET uses = uses - 1 WHERE coupon_id = :b",
        ],
    ),
    Corruption(
        what="a use of a coupon that was not given back",
        rule="coupon-use",
        table="orders",
        victim="SELECT id, coupon_id FROM orders WHERE status = 'cancelled' AND coupon_id IS NOT NULL",
        statements=[
            "INSERT INTO coupon_uses VALUES (:a, :b, :who)",
            "UPDATE coupon_counts SET uses = uses + 1 WHERE coupon_id = :b",
        ],
        values={"who": b"who"},
    ),
    Corruption(
        what="a use of a coupon by an order without it",
        rule="coupon-use",
        table="coupon_uses",
        victim="SELECT o.id || '/' || c.id, o.id, c.id FROM orders o, coupons c WHERE c.code = 'UNUSED'"
        " AND o.coupon_id IS NULL ORDER BY o.id LIMIT 1",
        statements=[
            "INSERT INTO coupon_uses VALUES (:b, :c, :who)",
            "UPDATE coupon_counts SET uses = uses + 1 WHERE coupon_id = :c",
        ],
        values={"who": b"who"},
    ),
    # Reviews.
    Corruption(
        what="stars that a rating does not know of",
        rule="rating",
        table="ratings",
        victim=f"SELECT product_id, id FROM reviews WHERE id IN ({PUBLISHED}) AND rating < 5",
        statements=["UPDATE reviews SET rating = rating + 1 WHERE id = :b"],
    ),
    Corruption(
        what="a rating that counts a review which was lost",
        rule="rating",
        table="ratings",
        victim=f"SELECT product_id, id FROM reviews WHERE id IN ({PUBLISHED})",
        statements=["DELETE FROM reviews WHERE id = :b"],
    ),
    Corruption(
        what="a rating that counts a review which nobody may read",
        rule="rating",
        table="ratings",
        victim=f"SELECT product_id, id FROM reviews WHERE id IN ({PUBLISHED})",
        statements=["UPDATE reviews SET status = 'rejected' WHERE id = :b"],
    ),
    Corruption(
        what="a rating of the right stars by too many people",
        rule="rating",
        table="ratings",
        victim=f"SELECT product_id, rating FROM reviews WHERE id IN ({PUBLISHED})",
        statements=["UPDATE ratings SET count = 2, average = (200 * :b + 2) / 4 WHERE product_id = :a"],
    ),
    Corruption(
        what="a second review of a product by one user",
        rule="duplicate",
        table="reviews",
        victim="SELECT 'zzz', id FROM reviews WHERE status = 'pending' ORDER BY id LIMIT 1",
        statements=[
            "INSERT INTO reviews SELECT 'zzz', product_id, author_id, rating, private, status, created_at, updated_at,"
            " version FROM reviews WHERE id = :b"
        ],
        sealed=("reviews", "{}"),
    ),
    Corruption(
        what="six stars",
        rule="constraint",
        table="reviews",
        victim="SELECT id FROM reviews WHERE status = 'pending' ORDER BY id LIMIT 1",
        statements=["UPDATE reviews SET rating = 6 WHERE id = :a"],
    ),
    # Mail and requests.
    Corruption(
        what="mail that is owed twice",
        rule="duplicate",
        table="outbox",
        victim="SELECT b.id, a.event FROM outbox a JOIN outbox b ON a.recipient_index = b.recipient_index"
        " AND a.template = b.template AND a.id < b.id ORDER BY b.id LIMIT 1",
        statements=["UPDATE outbox SET event = :b WHERE id = :a"],
    ),
    Corruption(
        what="mail to somebody else than its row says",
        rule="recipient",
        table="outbox",
        victim="SELECT min(id) FROM outbox",
        statements=["UPDATE outbox SET recipient_index = :other WHERE id = :a"],
        values={"other": b"other"},
    ),
    Corruption(
        what="mail with the invoice of an order that is not there",
        rule="orphan",
        table="outbox",
        victim="SELECT min(id) FROM outbox WHERE invoice_of IS NOT NULL",
        statements=["UPDATE outbox SET invoice_of = 'nobody' WHERE id = :a"],
    ),
    Corruption(
        what="mail in no known state",
        rule="constraint",
        table="outbox",
        victim="SELECT min(id) FROM outbox",
        statements=["UPDATE outbox SET state = 'lost' WHERE id = :a"],
    ),
    Corruption(
        what="a request without an answer",
        rule="idempotency",
        table="answers",
        victim="SELECT scope || '/' || key FROM answers",
        statements=["UPDATE answers SET answer = NULL"],
    ),
    Corruption(
        what="a request without a fingerprint",
        rule="idempotency",
        table="answers",
        victim="SELECT scope || '/' || key FROM answers",
        statements=["UPDATE answers SET fingerprint = :nothing"],
        values={"nothing": b""},
    ),
    Corruption(
        what="a request that was carried out twice",
        rule="duplicate",
        table="answers",
        victim="SELECT scope || '/' || key FROM answers",
        statements=["INSERT INTO answers SELECT * FROM answers"],
    ),
    # Payments, refunds and credit notes.
    Corruption(
        what="a payment of another amount than its order",
        rule="payment-amount",
        table="payments",
        victim=PAYMENT,
        statements=["UPDATE payments SET amount = amount + 1 WHERE id = :a"],
    ),
    Corruption(
        what="a payment of an order that is not paid",
        rule="payment-status",
        table="payments",
        victim=f"SELECT 'zzz', id FROM orders WHERE id IN ({PLAIN})",
        statements=[
            "INSERT INTO payments SELECT 'zzz', id, 'purse', 'r', total, currency, 'succeeded', NULL, NULL, NULL,"
            " created_at, 1 FROM orders WHERE id = :b"
        ],
    ),
    Corruption(
        what="two payments of one order under way",
        rule="duplicate",
        table="payments",
        victim=f"SELECT 'zzz', order_id FROM payments WHERE id IN ({PAYMENT})",
        statements=[
            "INSERT INTO payments SELECT 'zzz', order_id, provider, 'r', amount, currency, 'submitted', NULL, NULL,"
            " NULL, created_at, 1 FROM payments WHERE order_id = :b"
        ],
    ),
    Corruption(
        what="money given back that no refund explains",
        rule="refunded",
        table="orders",
        victim=PARTLY,
        statements=["UPDATE orders SET refunded = refunded + 1 WHERE id = :a"],
    ),
    Corruption(
        what="a payment status that forgets what was given back",
        rule="refunded",
        table="orders",
        victim=PARTLY,
        statements=["UPDATE orders SET payment_status = 'paid' WHERE id = :a"],
    ),
    Corruption(
        what="a cancelled order whose money was kept",
        rule="refunded",
        table="orders",
        victim="SELECT order_id, id FROM refunds WHERE cause = 'cancellation' ORDER BY id LIMIT 1",
        statements=["UPDATE refunds SET cause = 'return' WHERE id = :b"],
    ),
    Corruption(
        what="a refund that is more than its parts",
        rule="refund-amount",
        table="refunds",
        victim=REFUND.format("requested"),
        statements=["UPDATE refunds SET amount = amount + 1 WHERE id = :a"],
    ),
    Corruption(
        what="a refund of more than was paid",
        rule="given-back",
        table="order_lines",
        victim=f"SELECT line_id, refund_id FROM refund_items WHERE refund_id IN ({REFUND.format('approved')})",
        statements=[
            "UPDATE refund_items SET amount = amount + 1 WHERE refund_id = :b",
            "UPDATE refunds SET amount = amount + 1 WHERE id = :b",
        ],
    ),
    Corruption(
        what="a refund of more units than were bought",
        rule="given-back",
        table="order_lines",
        victim=f"SELECT line_id, refund_id FROM refund_items WHERE refund_id IN ({REFUND.format('requested')})",
        statements=["UPDATE refund_items SET quantity = 99 WHERE refund_id = :b"],
    ),
    Corruption(
        what="a refund of a line of another order",
        rule="refund-line",
        table="refund_items",
        victim=f"SELECT id || '/x', id FROM refunds WHERE id IN ({REFUND.format('requested')})",
        statements=["UPDATE refund_items SET line_id = 'x' WHERE refund_id = :b"],
    ),
    dates("decided before it was", REFUND.format("requested"), "decided_at = created_at"),
    dates("paid before it was", REFUND.format("approved"), "refunded_at = created_at"),
    dates("received before it was", REFUND.format("approved"), "received_at = created_at"),
    dates("received without saying what became of the goods", RETURNED, "received_at = NULL"),
    dates("owed and forgotten", OWED, "payout_at = NULL"),
    dates("owed through no payment", OWED, "payment_id = NULL"),
    Corruption(
        what="goods that came back and are not on the shelf",
        rule="order-stock",
        table="orders",
        victim="SELECT order_id, id, product_id, change FROM stock_moves WHERE reason = 'return' ORDER BY id LIMIT 1",
        statements=[
            "DELETE FROM stock_moves WHERE id = :b",
            "UPDATE shelf SET on_hand = on_hand - :d WHERE product_id = :c",
        ],
    ),
    Corruption(
        what="a gap in the credit notes",
        rule="credit-note-number",
        table="credit_notes",
        victim=LAST_NOTE,
        statements=["UPDATE credit_notes SET sequence = sequence + 1 WHERE id = :a"],
    ),
    note("a credit note of more than its refund", LAST_NOTE, "total = total + 1"),
    note("a credit note with another tax", LAST_NOTE, "tax = tax - 1"),
    note("a credit note of more than its order", WHOLE_NOTE, "total = total + 1"),
    Corruption(
        what="a credit note of what was never invoiced",
        rule="credit-note",
        table="credit_notes",
        victim="SELECT 'zzz', id FROM orders WHERE status = 'cancelled' AND NOT invoiced ORDER BY id LIMIT 1",
        statements=[
            "INSERT INTO credit_notes SELECT 'zzz', (SELECT max(sequence) + 1 FROM credit_notes), o.id, NULL,"
            " n.issued_at, n.seller, n.private, o.total, o.tax, o.currency, NULL"
            " FROM orders o JOIN credit_notes n ON n.sequence = 1 WHERE o.id = :b"
        ],
        sealed=("credit_notes", "{}"),
    ),
    Corruption(
        what="a refund without a credit note",
        rule="credit-note",
        table="refunds",
        victim=f"SELECT refund_id, id FROM credit_notes WHERE id IN ({LAST_NOTE})",
        statements=[
            "DELETE FROM credit_notes WHERE id = :b",
            "UPDATE outbox SET credit_note_id = NULL WHERE credit_note_id = :b",
        ],
    ),
    Corruption(
        what="a cancelled order that is still invoiced",
        rule="credit-note",
        table="orders",
        victim=f"SELECT order_id, id, sequence FROM credit_notes WHERE id IN ({WHOLE_NOTE})",
        statements=[
            "DELETE FROM credit_notes WHERE id = :b",
            "UPDATE credit_notes SET sequence = sequence - 1 WHERE sequence > :c",
            "UPDATE outbox SET credit_note_id = NULL WHERE credit_note_id = :b",
        ],
    ),
    Corruption(
        what="an attached credit note that is not there",
        rule="orphan",
        table="outbox",
        victim="SELECT id FROM outbox WHERE credit_note_id IS NOT NULL ORDER BY id LIMIT 1",
        statements=["UPDATE outbox SET credit_note_id = 'gone' WHERE id = :a"],
    ),
    # Secrets.
    secret("addresses", "private"),
    secret("answers", "answer"),
    secret("credit_notes", "private"),
    secret("refunds", "private"),
    secret("conversations", "private"),
    secret("invoices", "private"),
    secret("orders", "private"),
    secret("outbox", "private"),
    secret("reviews", "private"),
    secret("users", "private"),
    # The catalog.
    kept("a kept price", ON_SALE, "UPDATE products SET final_price = final_price + 1 WHERE id = :a"),
    kept("a price that came too early", PLANNED, "UPDATE products SET final_price = 6 WHERE id = :a"),
    kept("a price change that was forgotten", PLANNED, "UPDATE products SET next_price_change = NULL WHERE id = :a"),
    kept("a folded name", ON_SALE, "UPDATE products SET name_folded = name_folded || 'x' WHERE id = :a"),
    kept("a kept average", ON_SALE, "UPDATE ratings SET average = 300 WHERE product_id = :a"),
    kept("a product that is filed nowhere", ON_SALE, "DELETE FROM product_categories WHERE product_id = :a"),
    kept(
        "an attribute",
        f"SELECT id FROM products WHERE id IN ({ON_SALE}) AND attributes <> '{{}}'",
        "UPDATE product_attributes SET value = 'plaid' WHERE product_id = :a",
    ),
    kept("attributes that are none", ON_SALE, "UPDATE products SET attributes = '{' WHERE id = :a"),
    kept("a currency that is none", ON_SALE, "UPDATE products SET currency = 'XXX' WHERE id = :a"),
    Corruption(
        what="a product without a shelf",
        rule="incomplete",
        table="products",
        victim=ON_SALE,
        statements=["DELETE FROM shelf WHERE product_id = :a"],
    ),
    Corruption(
        what="a product without a rating",
        rule="incomplete",
        table="products",
        victim=ON_SALE,
        statements=["DELETE FROM ratings WHERE product_id = :a"],
    ),
    Corruption(
        what="a coupon without a count",
        rule="incomplete",
        table="coupons",
        victim=COUPON.format("UNUSED"),
        statements=["DELETE FROM coupon_counts WHERE coupon_id = :a"],
    ),
    # Conversations.
    *(
        conversation(f"a message {what}", "messages", statement)
        for what, statement in {
            "too many by the count": "UPDATE conversations SET last_seq = last_seq + 1 WHERE id = :a",
            "too few by the count": "UPDATE conversations SET last_seq = 2, customer_read = 2, agent_read = 2"
            " WHERE id = :a",
            "lost in the middle": "DELETE FROM messages WHERE conversation_id = :a AND seq = 2",
            "lost at the end": f"DELETE FROM messages WHERE conversation_id = :a AND seq = ({LAST_SEQ})",
        }.items()
    ),
    replace(
        conversation(
            "a message with a number that leaves a gap",
            "messages",
            f"UPDATE messages SET seq = 99 WHERE conversation_id = :a AND seq = ({LAST_SEQ})",
        ),
        sealed=("messages", "{}/99"),
    ),
    conversation("a conversation without messages", "messages", "DELETE FROM messages WHERE conversation_id = :a"),
    conversation(
        "a conversation without messages that counts none",
        "messages",
        "DELETE FROM messages WHERE conversation_id = :a",
        "UPDATE conversations SET last_seq = 0, customer_read = 0, agent_read = 0 WHERE id = :a",
    ),
    conversation(
        "a claimed conversation without an agent",
        "constraint",
        "UPDATE conversations SET agent_id = NULL WHERE id = :a",
    ),
    conversation(
        "a waiting conversation with an agent",
        "constraint",
        "UPDATE conversations SET status = 'waiting' WHERE id = :a",
    ),
    conversation("a mark beyond what was said", "constraint", "UPDATE conversations SET agent_read = 99 WHERE id = :a"),
    conversation(
        "an open conversation that somebody closed",
        "constraint",
        "UPDATE conversations SET closed_by = 'agent' WHERE id = :a",
    ),
    conversation(
        "an agent who handles their own",
        "own-conversation",
        "UPDATE conversations SET customer_id = agent_id WHERE id = :a",
        "UPDATE messages SET author_id = (SELECT agent_id FROM conversations WHERE id = :a),"
        " author_key = (SELECT agent_id FROM conversations WHERE id = :a) WHERE conversation_id = :a",
    ),
    message("a message in somebody's mouth", "messages", "UPDATE messages SET side = 'customer' WHERE {}"),
    message("a message kept under another author", "messages", "UPDATE messages SET author_key = '' WHERE {}"),
    message("the ciphertext messages.private", "secret", "UPDATE messages SET private = :garbage WHERE {}"),
    *(
        Corruption(
            what=f"an attachment {what}",
            rule=rule,
            table="attachments",
            victim="SELECT id, conversation_id FROM attachments",
            statements=[statement],
            values={"garbage": b"garbage"},
        )
        for what, rule, statement in (
            ("without its message", "orphan", "UPDATE attachments SET seq = 99 WHERE id = :a"),
            ("without a byte", "constraint", "UPDATE attachments SET size = 0 WHERE id = :a"),
            ("whose name is unreadable", "secret", "UPDATE attachments SET private = :garbage WHERE id = :a"),
        )
    ),
    *(
        Corruption(
            what=f"an account that is not found by its {what}",
            rule="kept",
            table="users",
            victim="SELECT max(id) FROM users",
            statements=[f"UPDATE users SET {column} = 'x' WHERE id = :a"],
        )
        for what, column in (("name", "name_folded"), ("last name", "name_turned"))
    ),
    # What products are found by.
    Corruption(
        what="categories whose changes are not noted",
        rule="found-by",
        table="shelf_changes",
        victim="SELECT '1'",
        statements=["DELETE FROM shelf_changes WHERE id = 1"],
    ),
    Corruption(
        what="takings that no papers explain",
        rule="takings",
        table="takings",
        victim="SELECT day || '/' || tax_rate || '/False', day, tax_rate FROM takings WHERE units > 0",
        statements=["UPDATE takings SET listed = listed + 1 WHERE day = :b AND tax_rate = :c"],
    ),
    Corruption(
        what="a month of a product that is not its days",
        rule="takings",
        table="product_takings",
        victim="SELECT period || '/' || product_id, period, product_id FROM product_takings"
        " WHERE length(period) = 7 ORDER BY product_id LIMIT 1",
        statements=["UPDATE product_takings SET net = net + 1 WHERE period = :b AND product_id = :c"],
    ),
    Corruption(
        what="a month of a customer that is not its days",
        rule="takings",
        table="buyer_takings",
        victim="SELECT period || '/' || customer_id, period, customer_id FROM buyer_takings"
        " WHERE length(period) = 7 ORDER BY customer_id LIMIT 1",
        statements=["UPDATE buyer_takings SET spent = spent + 1 WHERE period = :b AND customer_id = :c"],
    ),
    Corruption(
        what="two accounts with one email",
        rule="duplicate",
        table="users",
        victim="SELECT b.id, a.email FROM users a JOIN users b ON a.id < b.id ORDER BY b.id DESC, a.id LIMIT 1",
        statements=["UPDATE users SET email = :b WHERE id = :a"],
    ),
]


def test_an_untouched_shop_is_well(where: Where) -> None:
    assert found_in(where) == []


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=str)
def test_what_is_wrong_is_found_and_nothing_else(where: Where, corruption: Corruption) -> None:
    touched = [table for table in metadata.tables.values() if any(table.name in s for s in corruption.statements)]
    with by_hand(where, *touched) as connection:
        id_, *rest = connection.execute(text(corruption.victim)).one()
        values = {**dict(zip("abcd", [id_, *rest], strict=False)), **corruption.values}
        for statement in corruption.statements:
            named = {name: value for name, value in values.items() if f":{name}" in statement}
            assert connection.execute(text(statement), named).rowcount
    found = found_in(where)
    due = [(corruption.rule, corruption.table, id_)]
    if corruption.sealed:
        table, row = corruption.sealed
        due.append(("secret", table, row.format(id_)))
    assert [(each.rule, each.table, each.id) for each in found] == due, found


def test_an_audit_log_that_can_be_changed_is_found(where: Where) -> None:
    lift = "DROP TRIGGER audit_keeps_rows" if isinstance(where, Path) else "ALTER TABLE audit DISABLE TRIGGER USER"
    name = "audit_keeps_rows" if isinstance(where, Path) else "audit_is_append_only"
    with by_hand(where) as connection:
        connection.execute(text(lift))
    assert [(each.rule, each.table, each.id) for each in found_in(where)] == [("append-only", "audit", name)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM search_documents WHERE product_id = :a",
        "UPDATE search_documents SET name = 'other' WHERE product_id = :a",
        "UPDATE search_documents SET details = '' WHERE product_id = :a",
        "UPDATE search_documents SET language = 'other' WHERE product_id = :a",
    ],
)
def test_a_document_that_is_not_what_the_product_says_is_found_and_mended(where: Where, statement: str) -> None:
    with by_hand(where) as connection:
        product_id = connection.execute(text(ON_SALE)).scalar_one()
        connection.execute(text(statement), {"a": product_id})
    assert [(each.rule, each.table, each.id) for each in found_in(where)] == [
        ("found-by", "search_documents", product_id)
    ]
    with Floor(SqlStorage(where, cipher=CIPHER), Clock(), Shop()) as store:
        assert store.catalog.reindex(by=SYSTEM) == 1
    assert found_in(where) == []


def test_an_index_that_is_not_of_the_documents_is_found(where: Where) -> None:
    if not isinstance(where, Path):
        return  # PostgreSQL makes the index itself, of the row it is in
    touched = "INSERT INTO search_index (search_index, rowid, name, labels, details) SELECT {} FROM search_documents "
    with by_hand(where) as connection:
        id_, product_id = connection.execute(
            text("SELECT id, product_id FROM search_documents WHERE name > '' LIMIT 1")
        ).one()
        connection.execute(text(touched.format("'delete', id, name, labels, details") + f"WHERE id = {id_}"))
        connection.execute(text(touched.format("NULL, 4711, name, labels, details") + "LIMIT 1"))
    found = [(each.rule, each.table, each.id) for each in found_in(where)]
    assert found == [("found-by", "search_documents", product_id), ("found-by", "search_index", "4711")]


def _references() -> list[Column[Any]]:
    columns = [foreign.parent for table in metadata.tables.values() for foreign in table.foreign_keys]
    return sorted(columns, key=str)


@pytest.mark.parametrize("column", _references(), ids=str)
def test_a_row_that_refers_to_nothing_is_found(where: Where, column: Column[Any]) -> None:
    table = column.table
    keys = list(table.primary_key)
    with by_hand(where, table) as connection:
        victim = connection.execute(select(*keys).where(column.is_not(None)).order_by(*keys).limit(1)).one()
        this = [key == value for key, value in zip(keys, victim, strict=True)]
        connection.execute(update(table).where(*this).values({column.name: "nobody"}))
    named = ["nobody" if key is column else value for key, value in zip(keys, victim, strict=True)]
    id_ = "/".join(each.hex() if isinstance(each, bytes) else str(each) for each in named)
    orphans = [(each.table, each.id, each.message) for each in found_in(where) if each.rule == "orphan"]
    (foreign,) = column.foreign_keys
    assert orphans == [(table.name, id_, f"{column.name} nobody is not among the {foreign.column.table.name}")]


def lower_a_limit(store: Floor) -> None:
    coupon = next(each for each in store.catalog.coupons(by=SYSTEM).items if each.code == "TWO")
    store.catalog.update_coupon(by=SYSTEM, coupon_id=coupon.id, max_uses=1)


def remove_a_category(store: Floor) -> None:
    thing = product(store)
    store.catalog.archive_product(by=SYSTEM, product_id=thing.id)
    store.catalog.remove_category(by=SYSTEM, category_id=thing.category_ids[0])


def start_a_discount(store: Floor) -> None:
    store.time.at = LATER
    store.work()


def _buyer(store: Floor) -> User:
    return store.accounts.login(email="buyer@example.com", password=PASSWORD).user


def cancel_a_paid_order(store: Floor) -> None:
    order = store.orders.place(by=_buyer(store), items=[(product(store).id, 1)], deliver_to=HOME, coupon="ONE")
    store.orders.record_payment(by=SYSTEM, order_id=order.id)
    store.orders.advance(by=SYSTEM, order_id=order.id, to=Status.CANCELLED)


def sell_out_and_warn(store: Floor) -> None:
    person(store, Role.PRODUCT_MANAGER)
    store.orders.place(by=_buyer(store), items=[(product(store, stock=3).id, 3)], deliver_to=HOME)


def give_everything_away(store: Floor) -> None:
    free = product(store, discount_percent=Decimal(100))
    store.orders.place(by=_buyer(store), items=[(free.id, 2)], deliver_to=HOME, coupon="ONE")


@pytest.mark.parametrize(
    "happen",
    [
        lower_a_limit,
        remove_a_category,
        start_a_discount,
        cancel_a_paid_order,
        sell_out_and_warn,
        give_everything_away,
    ],
)
def test_what_may_happen_in_a_shop_is_not_wrong(where: Where, happen: Callable[[Floor], None]) -> None:
    storage = SqlStorage(where, cipher=CIPHER)
    store = Floor(storage, Clock(), Shop())
    happen(store)
    assert verify.verify(storage, store.clock()) == []
    storage.close()


def test_files_that_are_missing_or_cut_are_named(where: Where, tmp_path: Path) -> None:
    storage, files = SqlStorage(where, cipher=CIPHER), DiskFiles(tmp_path / "files")
    store = Floor(storage, Clock(), Shop(), files=files)
    asked = store.support.open(by=GUEST, message="Hello", guest_name="Zoë", guest_email="zoe@example.com")
    send = partial(store.support.attach, by=store.support.holder(store.support.token(asked)), conversation_id=asked.id)
    lost, cut, whole = (send(name=name, content=[b"Hello"]).message.attached for name in ("lost", "cut", "whole"))
    assert lost is not None
    assert cut is not None
    assert whole is not None
    (tmp_path / "files" / lost.stored_as).unlink()
    (tmp_path / "files" / cut.stored_as).write_bytes(b"Hell")
    found = verify.verify(storage, store.clock(), files=files)
    told = {each.id: each.message for each in found if each.rule == "file"}
    assert told.pop(lost.id) == f"the file {lost.stored_as} is missing"
    assert told.pop(cut.id) == f"the file {cut.stored_as} has 4 bytes instead of 5"
    assert len(told) == len(found) - 2 == 1, "what the shop had sent before is elsewhere"
    assert whole.id not in told
    assert verify.verify(storage, store.clock()) == []
    storage.close()


def test_a_discount_that_the_worker_has_not_noted_yet_is_not_wrong(where: Where) -> None:
    storage = SqlStorage(where, cipher=CIPHER)
    assert verify.verify(storage, LATER + timedelta(minutes=5)) == []
    storage.close()


@pytest.mark.parametrize("elsewhere", ["row", "column"])
def test_what_was_encrypted_for_another_row_or_column_is_found(where: Where, elsewhere: str) -> None:
    moved = set()
    with by_hand(where) as connection:
        for column in columns(Kept.SEALED):
            key = list(column.table.primary_key)
            rows = select(*key).where(column.is_not(None)).order_by(*key).limit(1)
            row = connection.execute(rows).one()
            purpose = "another.column" if elsewhere == "column" else str(column)
            secret = CIPHER.encrypt(purpose, "another" if elsewhere == "row" else row_of(*row), b"{}")
            this = [part == value for part, value in zip(key, row, strict=True)]
            connection.execute(update(column.table).where(*this).values({column.name: secret}))
            moved.add(("secret", column.table.name, "/".join(map(str, row))))
    found = found_in(where)
    assert {(each.rule, each.table, each.id) for each in found} == moved
    assert {each.message.partition(" ")[2] for each in found} == {
        "can't be decrypted in this row by any of the shop's keys"
    }


def test_with_the_wrong_keys_no_ciphertext_opens_and_the_report_stays_short(
    where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "MOST", 3)
    found = found_in(where, FernetCipher(["x" * 32]))
    assert {each.rule for each in found} == {"secret"}
    orders = [each for each in found if each.table == "orders"]
    assert [each.id == "…" for each in orders] == [False, False, False, True]
    assert orders[-1].message == "and 26 more"


def test_progress_counts_the_rows_of_every_table(where: Where) -> None:
    told: dict[str, list[tuple[int, int | None]]] = {}
    storage = SqlStorage(where, cipher=CIPHER)
    verify.verify(storage, Clock().at, lambda what, done, total: told.setdefault(what, []).append((done, total)))
    storage.close()
    assert told.pop("file") == [(0, None), (1, 1)]
    assert told.keys() == metadata.tables.keys()
    assert told["orders"] == [(0, 29), (29, 29)]
    for steps in told.values():
        assert steps == sorted(steps)


def test_a_database_that_was_not_migrated_is_not_called_well(tmp_path: Path) -> None:
    storage = SqlStorage(tmp_path / "shop.db", cipher=CIPHER)
    with pytest.raises(Unavailable, match="revision none"):
        verify.verify(storage, Clock().at)
    storage.close()


def test_verify_leaves_the_connection_as_it_was(where: Where) -> None:
    storage = SqlStorage(where, cipher=CIPHER, pool_size=1)
    assert verify.verify(storage, Clock().at) == []
    if isinstance(where, Path):
        with storage._database.engines[0].connect() as connection:
            for pragma, expected in (("temp_store", 2), ("ignore_check_constraints", 0)):
                assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == expected
    storage.close()


def lose_an_index(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_orders_created_at'")
    connection.commit()
    connection.close()


def run(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(main, arguments, env=env)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a demo shop."""
    monkeypatch.chdir(tmp_path)
    result = run("seed")
    assert result.exit_code == 0, result.output
    return tmp_path / "instance"


def test_the_command_says_what_was_checked_in_one_line(instance: Path) -> None:
    result = run("verify")
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) == 1
    assert result.output.startswith("All is well. ")
    assert "orders 20, " in result.output
    assert "order lines 50, " in result.output


def test_the_command_names_what_is_wrong_and_fails(instance: Path) -> None:
    with by_hand(instance / "store.db") as connection:
        connection.execute(text("UPDATE shelf SET on_hand = on_hand + 1"))
        ids = connection.execute(text("SELECT product_id FROM shelf")).scalars().all()
    result = run("verify")
    assert result.exit_code == 1
    for id_ in ids:
        assert f"shelf {id_}: " in result.output
    assert f"{len(ids)} findings" in result.output


def test_the_command_looks_for_the_files_that_came_with_messages(instance: Path) -> None:
    settings = Settings(instance_dir=instance)
    with wiring.opened(settings) as store:
        asked = store.support.open(by=GUEST, message="Hello", guest_name="Zoë", guest_email="zoe@example.com")
        zoe = store.support.holder(store.support.token(asked))
        sent = store.support.attach(by=zoe, conversation_id=asked.id, name="x", content=[b"Hello"])
    assert run("verify").exit_code == 0
    assert sent.message.attached is not None
    (instance / "attachments" / sent.message.attached.stored_as).unlink()
    result = run("verify")
    assert result.exit_code == 1
    assert f"attachments {sent.message.attached.id}: the file" in result.output
    assert "1 findings." in result.output


def test_a_damaged_file_is_told_before_anything_else(instance: Path) -> None:
    lose_an_index(instance / "store.db")
    result = run("verify")
    assert result.exit_code == 1
    assert "(file)" in result.output
    assert "orders " not in result.output


def test_the_command_makes_neither_a_database_nor_secrets(instance: Path) -> None:
    (instance / "secrets.json").unlink()
    result = run("verify")
    assert (result.exit_code, len(result.output.splitlines())) == (5, 1)
    assert "secrets.json is missing" in result.output
    (instance / "store.db").unlink()
    result = run("verify")
    assert (result.exit_code, len(result.output.splitlines())) == (4, 1)
    assert not {"store.db", "secrets.json"} & {path.name for path in instance.iterdir()}
