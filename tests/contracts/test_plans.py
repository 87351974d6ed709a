"""Every statement of a day's trade finds its rows by an index, so that it costs the same in a shop of any size.

The lists are looked at one by one in the tests of each back end; here are whole use cases, writing included.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage, migrate
from adapters.sql.columns import metadata
from adapters.sql.generating import generate
from adapters.sql.inventing import Invention
from storecore.accounts.model import GUEST, SYSTEM, Guest
from storecore.accounts.permissions import Role
from storecore.lists import PageRequest
from storecore.money import Money
from storecore.orders.model import Status
from storecore.ports import OrderQuery, ProductQuery
from storecore.shop import Shop
from storecore.support.model import ConversationStatus
from storecore.testing.builders import NOW
from storecore.transactions import Once
from tests.usecases.floor import HOME, PASSWORD, Clock, Floor

CIPHER = FernetCipher(["k" * 32])


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[tuple[Floor, list[str]]]:
    """An invented shop in a file, and the statements that look through a whole table of it."""
    path = tmp_path / "shop.db"
    migrate(path)
    fill(path)
    with watched(path, "EXPLAIN QUERY PLAN", follows_no_index) as shop:
        yield shop


@pytest.fixture
def postgresql(url: URL) -> Iterator[tuple[Floor, list[str]]]:
    """The same on a server, which looks through a whole table only where no index serves."""
    fill(url)
    avoid = url.update_query_dict({"options": "-c enable_seqscan=off"})
    with watched(avoid, "EXPLAIN", lambda steps, _: "Seq Scan" in str(steps)) as shop:
        yield shop


def fill(where: Path | URL) -> None:
    invention = Invention(seed=1, shop=Shop(), products=30, orders=60, until=NOW, password_hash="nobody signs in")
    generate(where, invention, cipher=CIPHER, progress=lambda what, done, whole: None)


@contextmanager
def watched(
    where: Path | URL, explain: str, wrong: Callable[[Sequence[str], str], bool]
) -> Iterator[tuple[Floor, list[str]]]:
    """A shop, and its statements whose plans are wrong."""
    storage, found = SqlStorage(where, cipher=CIPHER), list[str]()

    def look(connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        values = values[0] if isinstance(values, list) else values
        plan = connection.connection.driver_connection.execute(f"{explain} {statement}", values).fetchall()
        steps = [str(row[-1]) for row in plan]
        if wrong(steps, statement):
            found.append("\n".join([statement, *steps]))

    for engine in storage._database.engines:
        event.listen(engine, "before_cursor_execute", look)
    yield Floor(storage, Clock(NOW), Shop()), found
    storage.close()


def follows_no_index(steps: Sequence[str], statement: str) -> bool:
    """A list may follow an index from its beginning, where that brings the order and the list stops at its limit."""
    ordered = "LIMIT" in statement and "USE TEMP B-TREE FOR ORDER BY" not in steps
    for step in steps:
        scan, _, rest = step.partition(" ")
        # What is not a table of the shop is a part of the statement, and small.
        if scan == "SCAN" and rest.split()[0] in metadata.tables and not (ordered and "INDEX" in rest):
            return True
    return False


def browse(store: Floor) -> None:
    """A guest looks around."""
    first = store.catalog.products(page=PageRequest(limit=5))
    store.catalog.products(page=PageRequest(limit=5, after=first.next))
    categories = store.catalog.categories().items
    product = first.items[0].product
    for query in (
        ProductQuery(category_id=categories[0].id),
        ProductQuery(min_price=10_00, max_price=90_00, sort="price"),
        ProductQuery(in_stock=True, sort="popularity"),
        ProductQuery(group=product.group),
        ProductQuery(attributes=(("colour", "Moss"), ("size", "Large"))),
    ):
        store.catalog.products(query=query)
    store.catalog.product(product=product.id)
    store.catalog.product(product=product.slug)


def buy(store: Floor) -> None:
    """Somebody registers, fills a cart, buys it, looks at the order, and cancels another."""
    things = [(offer.product.id, 1) for offer in store.catalog.products(query=ProductQuery(in_stock=True)).items[:3]]
    store.catalog.create_coupon(by=SYSTEM, code="TEN", percent=Decimal(10), max_uses_per_user=5)
    user = store.accounts.register(email="ada@example.com", password=PASSWORD, full_name="Ada Lovelace")
    signed_in = store.accounts.login(email=user.email, password=PASSWORD)
    signed_in = store.accounts.refresh(refresh_token=signed_in.refresh_token)
    store.accounts.authenticate(session_id=signed_in.session.id)
    store.carts.add_item(by=user, product_id=things[0][0], quantity=1)
    store.carts.cart(by=user)
    store.orders.checkout(by=user, deliver_to=HOME)
    saved = store.accounts.add_address(by=user, address=HOME)
    once = Once(scope="ada", key="1", fingerprint=b"1", render=lambda result: b"done")
    order = store.orders.place(by=user, items=things, deliver_to=saved.id, coupon="TEN", once=once)
    store.orders.get(by=user, order_id=order.id)
    store.orders.mine(by=user, page=PageRequest(limit=1))
    store.orders.cancel(by=user, order_id=order.id)
    guest = store.orders.place(by=Guest(), items=things, deliver_to=HOME, email="guest@example.com")
    store.orders.get(by=Guest(order_id=guest.id), order_id=guest.id)
    store.accounts.logout(session_id=signed_in.session.id)


def work(store: Floor) -> None:
    """Staff find orders, move one on, and look after the catalog; the worker does its part."""
    order = store.orders.everyones(by=SYSTEM).items[0]
    bought = [(order.lines[0].product_id, 1)]
    new = store.orders.place(by=Guest(), items=bought, deliver_to=HOME, email="guest@example.com")
    day = OrderQuery(placed_from=order.created_at - timedelta(days=1), placed_to=order.created_at)
    for query in (
        OrderQuery(),
        day,
        OrderQuery(number=order.number),
        OrderQuery(customer_id=order.customer_id),
        OrderQuery(status=Status.DELIVERED, placed_from=day.placed_from),
    ):
        store.orders.everyones(by=SYSTEM, query=query)
    store.orders.deliveries(by=SYSTEM, done=False)
    store.orders.advance(by=SYSTEM, order_id=new.id, to=Status.CONFIRMED)
    store.orders.invoices(by=SYSTEM, issued_from=day.placed_from, issued_to=day.placed_to)
    product = store.catalog.low_stock(by=SYSTEM, at_most=1000).items[0].product
    made = store.catalog.create_product(
        by=SYSTEM,
        sku="NEW",
        name=product.name,
        price=Money(1000, "USD"),
        category_ids=product.category_ids,
        attributes={"size": "M"},
    ).product
    store.catalog.update_product(by=SYSTEM, product_id=made.id, name="Another name", attributes={"size": "L"})
    store.catalog.adjust_stock(by=SYSTEM, product_id=made.id, change=5, reason="found")
    store.catalog.discount(by=SYSTEM, product_ids=[made.id], percent=Decimal(10))
    store.time.forward(days=3)
    store.mail()


def talk(store: Floor) -> None:
    """A customer and a guest ask, an agent answers, and leaves."""
    customer = store.accounts.register(email="ada@example.com", password=PASSWORD, full_name="Ada Lovelace")
    agent = store.accounts.register(email="robin@example.com", password=PASSWORD, full_name="Robin Support")
    agent = store.accounts.set_role(by=SYSTEM, user_id=agent.id, role=Role.SUPPORT_AGENT)
    support, here, then = store.support, PageRequest(limit=1, total=True), PageRequest(limit=1, after=(1,))
    opened = support.open(by=customer, message="Hello")
    support.open(by=GUEST, message="Hello", guest_name="Zoë", guest_email="zoe@example.com")
    waiting = support.queue(by=agent, page=here)
    support.queue(by=agent, page=PageRequest(limit=1, after=waiting.next))
    support.claim(by=agent, conversation_id=opened.id)
    support.case(by=agent, conversation_id=opened.id)
    for _ in range(2):
        support.send(by=agent, conversation_id=opened.id, body="Hello", client_id="c1")
        support.messages(by=customer, conversation_id=opened.id, page=then)
    sent = support.attach(by=customer, conversation_id=opened.id, name="x", content=[b"Hello"], client_id="c2").message
    assert sent.attached is not None
    support.attachment(by=agent, attachment_id=sent.attached.id)
    store.time.forward(hours=2)
    support.sweep()
    support.latest(by=customer, conversation_id=opened.id)
    support.mark_read(by=customer, conversation_id=opened.id, seq=2)
    for by in (customer, agent):
        support.mine(by=by, page=here)
        support.mine(by=by, page=here, status=ConversationStatus.CLAIMED)
    store.accounts.ban(by=SYSTEM, user_id=agent.id)
    support.close(by=customer, conversation_id=opened.id)


@pytest.mark.parametrize("trade", [browse, buy, work, talk])
@pytest.mark.parametrize("back_end", ["sqlite", "postgresql"])
def test_no_statement_looks_through_a_whole_table(
    request: pytest.FixtureRequest, back_end: str, trade: Callable[[Floor], None]
) -> None:
    store, found = request.getfixturevalue(back_end)
    trade(store)
    assert found == [], "\n\n".join(found)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (OrderQuery(), "ix_orders_created_at"),
        (OrderQuery(status=Status.DELIVERED), "ix_orders_status_created_at (status=?)"),
        (OrderQuery(status=Status.DELIVERED, placed_to=NOW), "ix_orders_status_created_at (status=? AND created_at<?)"),
        (OrderQuery(placed_from=NOW, placed_to=NOW), "ix_orders_created_at (created_at>? AND created_at<?)"),
        (OrderQuery(customer_id="customer"), "ix_orders_customer_id_created_at (customer_id=?)"),
        (OrderQuery(number="S-1234-5678"), "(number=?)"),
    ],
)
def test_what_staff_filter_orders_by_is_looked_up_in_the_index_for_it(
    tmp_path: Path, query: OrderQuery, index: str
) -> None:
    migrate(tmp_path / "shop.db")
    with watched(tmp_path / "shop.db", "EXPLAIN QUERY PLAN", lambda _, statement: "orders.number" in statement) as shop:
        store, found = shop
        store.orders.everyones(by=SYSTEM, query=query)
    assert index in found[0]
