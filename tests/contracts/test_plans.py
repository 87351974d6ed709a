"""Every statement of a day's trade finds its rows by an index, so that it costs the same in a shop of any size.

The lists are looked at one by one in the tests of each back end; here are whole use cases, writing included.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.payments.demo import DECLINED, LOST_ANSWER, SECOND_STEP, SUCCEEDS, DemoPayments
from adapters.sql import SqlStorage, migrate
from adapters.sql.columns import metadata
from adapters.sql.generating import generate
from adapters.sql.inventing import Invention
from storecore.accounts.model import GUEST, SYSTEM, Guest, User
from storecore.accounts.permissions import Role
from storecore.catalog.recommending import Context
from storecore.insight.days import By
from storecore.lists import PageRequest
from storecore.money import Money
from storecore.notices import NoticeState
from storecore.orders.model import Order, Status
from storecore.orders.refund import Disposition, RefundStatus
from storecore.ports import AuditQuery, OrderQuery, ProductQuery, RefundQuery, UserQuery
from storecore.shop import Shop
from storecore.support.model import ConversationStatus
from storecore.testing.builders import NOW
from storecore.transactions import Once
from tests.usecases.floor import HOME, PASSWORD, Clock, Floor
from tests.usecases.purse import Purse, pay_online, with_purse

CIPHER = FernetCipher(["k" * 32])


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[tuple[Floor, list[str]]]:
    """An invented shop in a file, and the statements that look through a whole table of it."""
    path = tmp_path / "shop.db"
    migrate(path)
    fill(path)
    with watched(path, "EXPLAIN QUERY PLAN", follows_no_index, tmp_path) as shop:
        yield shop


@pytest.fixture
def postgresql(url: URL, tmp_path: Path) -> Iterator[tuple[Floor, list[str]]]:
    """The same on a server, which looks through a whole table only where no index serves."""
    fill(url)
    avoid = url.update_query_dict({"options": "-c enable_seqscan=off"})
    with watched(avoid, "EXPLAIN", lambda steps, _: "Seq Scan" in str(steps), tmp_path) as shop:
        yield shop


def fill(where: Path | URL) -> None:
    invention = Invention(seed=1, shop=Shop(), products=30, orders=60, until=NOW, password_hash="nobody signs in")
    generate(where, invention, cipher=CIPHER, progress=lambda what, done, whole: None)


@contextmanager
def watched(
    where: Path | URL, explain: str, wrong: Callable[[Sequence[str], str], bool], folder: Path
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
    yield Floor(storage, Clock(NOW), Shop(), {"demo": DemoPayments(folder / "demo-bank.db")}), found
    storage.close()


WAITING = ("USING INDEX ix_orders_to_invoice", "USING INDEX ix_reviews_to_moderate")
"""Indexes that keep just what waits for somebody, and are looked through as a whole."""


def follows_no_index(steps: Sequence[str], statement: str) -> bool:
    """A list may follow an index from its beginning, where that brings the order and the list stops at its limit."""
    ordered = "LIMIT" in statement and "USE TEMP B-TREE FOR ORDER BY" not in steps
    for step in steps:
        scan, _, rest = step.partition(" ")
        if rest.endswith(WAITING):
            continue
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
    for context in Context:
        store.catalog.recommendations(by=user, context=context, product_id=things[0][0])
    store.orders.checkout(by=user, deliver_to=HOME)
    saved = store.accounts.add_address(by=user, address=HOME)
    once = Once(scope="ada", key="1", fingerprint=b"1", render=lambda result: b"done")
    order = store.orders.place(by=user, items=things, deliver_to=saved.id, coupon="TEN", once=once)
    store.orders.get(by=user, order_id=order.id)
    store.orders.mine(by=user, page=PageRequest(limit=1))
    store.orders.cancel(by=user, order_id=order.id)
    store.wishlist.add(by=user, product_id=things[0][0])
    first = store.wishlist.wishes(by=user, page=PageRequest(limit=1, total=True))
    store.wishlist.wishes(by=user, page=PageRequest(limit=1, after=(0, first.items[0].offer.product.id)))
    store.wishlist.remove(by=user, product_id=things[0][0])
    store.wishlist.clear(by=user)
    guest = store.orders.place(by=Guest(), items=things, deliver_to=HOME, email="guest@example.com")
    store.orders.get(by=Guest(order_id=guest.id), order_id=guest.id)
    store.accounts.logout(session_id=signed_in.session.id)


def pay(store: Floor) -> None:
    """Somebody pays online at the second try, by a second step, or not at all; the worker finds out."""
    user = store.accounts.register(email="ada@example.com", password=PASSWORD, full_name="Ada Lovelace")
    things = [(offer.product.id, 1) for offer in store.catalog.products(query=ProductQuery(in_stock=True)).items[:2]]
    bank = store.orders.providers["demo"]
    assert isinstance(bank, DemoPayments)
    orders = [store.orders.place(by=user, items=things, deliver_to=HOME, payment="demo") for _ in range(4)]
    for order, token in zip(orders, (DECLINED, SECOND_STEP, LOST_ANSWER), strict=False):
        store.orders.pay(by=user, order_id=order.id, provider="demo", token=token)
    attempt = store.orders.pay(by=user, order_id=orders[3].id, provider="demo")
    once = Once(scope="ada", key="1", fingerprint=b"1", render=lambda result: b"done")
    store.orders.pay(by=user, order_id=orders[0].id, provider="demo", token=SUCCEEDS, once=once)
    assert attempt.payment is not None
    headers, body = bank.tell(attempt.payment.reference or "", store.time.at)
    store.orders.hear(provider="demo", headers=headers, body=body)
    store.time.forward(minutes=1)
    store.mail()
    store.time.forward(minutes=30)
    store.mail()


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
    wisher = store.accounts.register(email="wisher@example.com", password=PASSWORD, full_name="Ada Lovelace")
    store.wishlist.add(by=wisher, product_id=made.id)
    store.time.forward(minutes=1)
    store.catalog.adjust_stock(by=SYSTEM, product_id=made.id, change=5, reason="found")
    store.catalog.discount(by=SYSTEM, product_ids=[made.id], percent=Decimal(10))
    assert store.wishlist.tell_wishers(limit=1) == 1
    store.time.forward(days=3)
    store.mail()


def review(store: Floor) -> None:
    """Buyers write, change and withdraw reviews, a moderator decides, and everybody reads them."""
    arrived = store.orders.everyones(by=SYSTEM, query=OrderQuery(status=Status.DELIVERED)).items
    bought = next(order for order in arrived if order.customer_id is not None)
    buyer, product_id, one = buyer_of(store, bought), bought.lines[0].product_id, PageRequest(limit=1, total=True)
    written = store.reviews.write(by=buyer, product_id=product_id, rating=5, comment="Fits")
    store.reviews.pending(by=SYSTEM)
    store.reviews.approve(by=SYSTEM, review_id=written.id)
    store.reviews.edit(by=buyer, review_id=written.id, comment="Fits well")
    store.reviews.reject(by=SYSTEM, review_id=written.id)
    store.reviews.edit(by=buyer, review_id=written.id, comment=None)
    store.reviews.of_product(product_id=product_id, page=one)
    store.reviews.mine(by=buyer, page=one)
    store.accounts.profile(by=buyer, user_id=buyer.id)
    store.reviews.delete(by=buyer, review_id=written.id)


def administer(store: Floor) -> None:
    """An admin looks for people, appoints one, bans one, and reads what was done."""
    ada = store.accounts.register(email="ada@example.com", password=PASSWORD, full_name="Ada Lovelace")
    admin = store.accounts.create_admin(by=SYSTEM, email="root@example.com", password=PASSWORD, full_name="Root")
    store.accounts.set_role(by=admin, user_id=ada.id, role=Role.SUPPORT_AGENT)
    store.accounts.ban(by=admin, user_id=ada.id)
    for user_query in (UserQuery(text="ad"), UserQuery(role=Role.CUSTOMER), UserQuery(active=False)):
        page = PageRequest(limit=1, total=user_query.role is None)
        first = store.accounts.users(by=admin, query=user_query, page=page)
        store.accounts.users(by=admin, query=user_query, page=PageRequest(limit=1, after=first.next))
    for audit_query in (AuditQuery(actor_id=admin.id), AuditQuery(object_id=ada.id), AuditQuery(action="user.ban")):
        entries = store.audit.page(by=admin, query=audit_query, page=PageRequest(limit=1, total=True))
        store.audit.page(by=admin, query=audit_query, page=PageRequest(limit=1, after=entries.next))
    store.notices.page(by=admin, state=NoticeState.DEAD)


def buyer_of(store: Floor, order: Order) -> User:
    assert order.customer_id is not None
    with store.storage.reading(store.clock(), lambda: "") as unit:
        return unit.users.get(order.customer_id)


def give_back(store: Floor) -> None:
    """A customer sends goods back, staff decide and receive them, the worker pays; another order is cancelled."""
    things = [(offer.product.id, 2) for offer in store.catalog.products(query=ProductQuery(in_stock=True)).items[:2]]
    shop = with_purse(store, Purse())
    user = store.accounts.register(email="ada@example.com", password=PASSWORD, full_name="Ada Lovelace")
    for online in (False, True):
        order = store.orders.place(by=user, items=things, deliver_to=HOME)
        if online:
            pay_online(store, order)
        for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED)[online:]:
            store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
        items = [(line.id, 1) for line in order.lines]
        refund = shop.refunds.request(by=user, order_id=order.id, items=items, reason="Too small")
        shop.refunds.request(by=user, order_id=order.id, items=items, reason="Too small")
        shop.refunds.get(by=user, refund_id=refund.id)
        shop.refunds.approve(by=SYSTEM, refund_id=refund.id, include_shipping=True)
        shop.refunds.receive(by=SYSTEM, refund_id=refund.id, disposition=Disposition.RESTOCK)
        while shop.work():
            pass
        shop.refunds.credit_note(by=user, refund_id=refund.id)
        shop.refunds.find(by=SYSTEM, query=RefundQuery(order_id=order.id))
    page = PageRequest(limit=1)
    for query in (
        RefundQuery(),
        RefundQuery(status=RefundStatus.REQUESTED),
        RefundQuery(customer_id=user.id),
        RefundQuery(customer_id=user.id, status=RefundStatus.REFUNDED),
    ):
        first = shop.refunds.find(by=SYSTEM, query=query, page=page)
        shop.refunds.find(by=SYSTEM, query=query, page=PageRequest(limit=1, after=first.next))
    regretted = store.orders.place(by=user, items=things, deliver_to=HOME)
    store.orders.invoice(by=user, order_id=regretted.id)
    store.orders.cancel(by=user, order_id=regretted.id)


def report(store: Floor) -> None:
    """Sums are asked for before and after the worker has added papers to what is kept."""
    insight, today = store.insight, store.clock().date()
    ranges: list[dict[str, Any]] = [{}, {"first": today - timedelta(days=800), "last": today}]
    things = [(offer.product.id, 1) for offer in store.catalog.products(query=ProductQuery(in_stock=True)).items[:2]]
    store.orders.place(by=GUEST, items=things, deliver_to=HOME, email="guest@example.com")
    store.orders.issue_due()
    for _ in range(2):
        insight.dashboard(by=SYSTEM)
        for days in ranges:
            insight.sales(by=SYSTEM, cut=By.MONTH, **days)
            insight.top_products(by=SYSTEM, **days)
            insight.categories(by=SYSTEM, **days)
            insight.customers(by=SYSTEM, **days)
        assert insight.roll_up(fewest=1) in (0, 1)


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
    support.history(by=customer, conversation_id=opened.id)
    support.news(by=customer, conversation_id=opened.id, after=1)
    support.versions(conversation_ids=[opened.id])
    session = store.accounts.login(email=customer.email, password=PASSWORD).session
    assert store.accounts.signed_in(session_ids=[session.id]) == {session.id: customer}
    sent = support.attach(by=customer, conversation_id=opened.id, name="x", content=[b"Hello"], client_id="c2").message
    assert sent.attached is not None
    support.attachment(by=agent, attachment_id=sent.attached.id)
    store.time.forward(hours=2)
    support.sweep()
    support.mark_read(by=customer, conversation_id=opened.id, seq=2)
    for by in (customer, agent):
        support.mine(by=by, page=here)
        support.mine(by=by, page=here, status=ConversationStatus.CLAIMED)
    store.accounts.ban(by=SYSTEM, user_id=agent.id)
    support.close(by=customer, conversation_id=opened.id)


def exchange(store: Floor) -> None:
    """Products go out into a file, and come in again with some that are new or changed."""
    file = b"".join(store.catalog.export_products(by=SYSTEM))
    counted = [line.partition(b",")[0] + b",77" for line in file.splitlines()[1:]]
    for content in (file, b"\n".join([b"sku,stock", *counted])):
        store.catalog.import_products(by=SYSTEM, file=BytesIO(content), skip_bad=True)
    new = b"sku,name,categories,price,stock\nNEW,New,New things,1,1"
    assert store.catalog.import_products(by=SYSTEM, file=BytesIO(new)).created == 1


def leave(store: Floor) -> None:
    """A customer and an agent take their data with them and are erased; old papers let go of their buyers."""
    customer = store.accounts.register(email="ada@example.com", password=PASSWORD, full_name="Ada Lovelace")
    agent = store.accounts.register(email="robin@example.com", password=PASSWORD, full_name="Robin Support")
    agent = store.accounts.set_role(by=SYSTEM, user_id=agent.id, role=Role.SUPPORT_AGENT)
    opened = store.support.open(by=customer, message="Hello")
    store.support.claim(by=agent, conversation_id=opened.id)
    store.support.send(by=agent, conversation_id=opened.id, body="Hello")
    things = [(offer.product.id, 1) for offer in store.catalog.products(query=ProductQuery(in_stock=True)).items[:2]]
    order = store.orders.place(by=customer, items=things, deliver_to=HOME)
    store.carts.add_item(by=customer, product_id=things[0][0], quantity=1)
    for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
        store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    store.reviews.write(by=customer, product_id=things[0][0], rating=5)
    while store.work():
        pass
    for who in (agent, customer):
        store.accounts.export(by=who).close()
        store.accounts.erase(by=who, password=PASSWORD)
    store.time.forward(days=366 * 10)
    assert store.orders.forget_buyers() > 0


@pytest.mark.parametrize(
    "trade", [browse, buy, pay, work, review, give_back, report, talk, administer, exchange, leave]
)
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
    with watched(
        tmp_path / "shop.db", "EXPLAIN QUERY PLAN", lambda _, statement: "orders.number" in statement, tmp_path
    ) as shop:
        store, found = shop
        store.orders.everyones(by=SYSTEM, query=query)
    assert index in found[0]


def test_whether_somebody_is_a_buyer_is_looked_up_among_their_own_orders(tmp_path: Path) -> None:
    migrate(tmp_path / "shop.db")
    with watched(
        tmp_path / "shop.db", "EXPLAIN QUERY PLAN", lambda _, statement: "order_lines" in statement, tmp_path
    ) as shop:
        store, found = shop
        with store.storage.reading(store.clock(), lambda: "") as unit:
            assert not unit.orders.delivered("customer", "product")
    assert "ix_orders_customer_id_created_at (customer_id=?)" in found[0]
