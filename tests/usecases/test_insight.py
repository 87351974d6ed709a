"""The dashboard and reports: exact on every back end, before, amid and after the papers were rolled up."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from adapters.memory import MemoryStorage
from storecore.accounts.model import GUEST, SYSTEM, User
from storecore.accounts.permissions import Permission, Role
from storecore.catalog.model import Product
from storecore.errors import Forbidden, Invalid, NotAuthenticated, StoreError
from storecore.money import Money
from storecore.orders.model import Order, Status
from storecore.orders.refund import Disposition
from storecore.pricing import ShippingPolicy, TaxPolicy, TaxRate
from storecore.shop import Shop
from storecore.store import Store
from tests.usecases.books import check_reports
from tests.usecases.floor import BACK_ENDS, HOME, Clock, Floor, open_floor, person, product
from tests.usecases.purse import Purse, pay_online, with_purse

TAX_ADDED = Shop(timezone="America/New_York", shipping=ShippingPolicy(fee=Money(1000, "USD"), tax_class="standard"))
TAX_INSIDE = Shop(
    timezone="Asia/Kathmandu",
    shipping=ShippingPolicy(fee=Money(495, "USD"), tax_class="standard"),
    tax=TaxPolicy(default_rate=Decimal("19.5"), rates=(TaxRate(rate=Decimal(7), tax_class="reduced"),), included=True),
)
BEGAN = Clock().at.date()


@pytest.fixture(params=BACK_ENDS)
def floor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Floor]:
    with open_floor(request.param, tmp_path) as opened:
        yield opened


def trade(floor: Floor, seed: int, steps: int = 60) -> Store:
    """Some weeks of everything that can happen to an order, at random; the store to look at."""
    random, store = Random(seed), with_purse(floor, Purse())
    goods = [
        product(store, price=random.randint(1, 9999), stock=500, tax_class=random.choice(("standard", "reduced")))
        for _ in range(6)
    ]
    store.catalog.create_coupon(by=SYSTEM, code="CUT", percent=Decimal("12.5"))
    buyers: list[User | None] = [None, *(person(store) for _ in range(3))]
    sales = person(store, Role.SALES_MANAGER)
    orders: list[tuple[User | None, Order]] = []
    for _ in range(steps):
        floor.time.forward(hours=random.choice((1, 5, 20)))
        step = random.random()
        if step < 0.5 or not orders:
            orders.append(_buy(store, random, random.choice(buyers), goods))
        elif step < 0.6:
            store.work()
        else:
            _go_on(store, random, *random.choice(orders), sales)
    return store


def _buy(store: Store, random: Random, buyer: User | None, goods: Sequence[Product]) -> tuple[User | None, Order]:
    some = random.sample(goods, random.randint(1, 3))
    if random.random() < 0.3:
        store.catalog.discount(by=SYSTEM, product_ids=[some[0].id], percent=Decimal(random.choice((10, 33, 100))))
    order = store.orders.place(
        by=buyer or GUEST,
        items=[(each.id, random.randint(1, 4)) for each in some],
        deliver_to=HOME,
        coupon=random.choice((None, "CUT")),
        email=None if buyer else "guest@example.com",
    )
    if random.random() < 0.3:
        order = pay_online(store, order)
    return buyer, order


def _go_on(store: Store, random: Random, buyer: User | None, order: Order, sales: User) -> None:
    """Whatever is allowed next."""
    try:
        if random.random() < 0.25:
            store.orders.cancel(by=SYSTEM, order_id=order.id)
            return
        order = store.orders.get(by=SYSTEM, order_id=order.id)
        for status in list(Status)[list(Status).index(order.status) + 1 : -1]:
            order = store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
        if buyer and order.status is Status.DELIVERED:
            line = random.choice(order.lines)
            refund = store.refunds.request(
                by=buyer, order_id=order.id, items=[(line.id, random.randint(1, line.quantity))], reason="Too small."
            )
            sent_back = random.random() < 0.7
            store.refunds.approve(
                by=sales, refund_id=refund.id, include_shipping=random.random() < 0.3, expect_return=sent_back
            )
            if sent_back:
                disposition = random.choice(tuple(Disposition))
                store.refunds.receive(by=SYSTEM, refund_id=refund.id, disposition=disposition)
    except StoreError:
        pass  # not every step is open to every order


def ranges(store: Store) -> list[tuple[date, date]]:
    """All days, single ones, and those that cut months."""
    today = store.clock().date()
    return [
        (BEGAN.replace(day=1), today + timedelta(days=40)),
        (today - timedelta(days=1), today + timedelta(days=1)),
        (BEGAN + timedelta(days=2), BEGAN + timedelta(days=9)),
        (BEGAN.replace(day=1), date(2026, 3, 31)),
        (BEGAN + timedelta(days=3), date(2026, 4, 30)),
        *((BEGAN + timedelta(days=n), BEGAN + timedelta(days=n)) for n in range(3)),
    ]


@pytest.mark.parametrize("back_end", BACK_ENDS)
@pytest.mark.parametrize("shop", [TAX_ADDED, TAX_INSIDE], ids=["tax added", "tax inside"])
@pytest.mark.parametrize("seed", range(3))
def test_reports_equal_the_slow_ones_before_amid_and_after_they_are_rolled_up(
    back_end: str, shop: Shop, seed: int, tmp_path: Path
) -> None:
    with open_floor(back_end, tmp_path, shop) as floor:
        store = trade(floor, seed)
        check_reports(store, *ranges(store))
        store.insight.roll_up(fewest=1, most=7)
        check_reports(store, *ranges(store))
        for _ in range(4):
            _buy(store, Random(seed), None, [product(store, stock=50) for _ in range(3)])
        store.work()
        check_reports(store, *ranges(store))
        while store.insight.roll_up(fewest=1, most=5):
            pass
        check_reports(store, *ranges(store))


def test_the_dashboard_tells_what_is_going_on_and_what_waits(floor: Floor) -> None:
    sales, buyer = person(floor, Role.SALES_MANAGER), person(floor)
    thing = product(floor, price=20_00, stock=12, cost=Money(8_00, "USD"))
    order = floor.orders.place(by=buyer, items=[(thing.id, 4)], deliver_to=HOME)
    floor.orders.place(by=buyer, items=[(thing.id, 4)], deliver_to=HOME)
    for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
        order = floor.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    ask = floor.refunds.request
    decided = ask(by=buyer, order_id=order.id, items=[(order.lines[0].id, 1)], reason="Too small.")
    floor.refunds.approve(by=sales, refund_id=decided.id)
    ask(by=buyer, order_id=order.id, items=[(order.lines[0].id, 1)], reason="Too big.")
    floor.reviews.write(by=buyer, product_id=thing.id, rating=5, comment="Warm.")
    floor.support.open(by=buyer, message="Hello?")
    shown = floor.insight.dashboard(by=sales)
    assert shown.today.days.first == shown.today.days.last == BEGAN
    assert (shown.period.days.first, shown.period.days.last) == (date(2026, 3, 1), date(2026, 3, 31))
    for overview in (shown.today, shown.period):
        assert (overview.sales.net, overview.sales.profit) == (Money(160_00, "USD"), Money(96_00, "USD"))
        assert {status: many for status, many in overview.orders_by_status.items() if many} == {
            Status.DELIVERED: 1,
            Status.PENDING: 1,
        }
        assert overview.new_users == 2
    assert [(row.id, row.units) for row in shown.top_products] == [(thing.id, 8)]
    assert [each.id for each in shown.low_stock] == [thing.id]
    waiting = shown.waiting
    assert (waiting.reviews, waiting.conversations) == (1, 1)
    assert (waiting.refunds_to_decide, waiting.returns_to_receive, waiting.refunds_to_pay_out) == (1, 1, 0)


def test_an_order_that_waits_for_its_payment_is_no_sale(floor: Floor) -> None:
    thing = product(floor, price=20_00)
    floor.orders.place(by=person(floor), items=[(thing.id, 1)], deliver_to=HOME, payment="demo")
    shown = floor.insight.dashboard(by=SYSTEM)
    assert shown.today.sales.orders == 0
    assert shown.today.orders_by_status[Status.PENDING] == 1


def test_goods_that_come_back_give_their_cost_back_unless_they_are_scrapped(floor: Floor) -> None:
    buyer, thing = person(floor), product(floor, price=20_00, cost=Money(8_00, "USD"))
    order = floor.orders.place(by=buyer, items=[(thing.id, 3)], deliver_to=HOME)
    for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
        floor.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    for disposition, cost in ((Disposition.RESTOCK, 16_00), (Disposition.SCRAP, 16_00)):
        refund = floor.refunds.request(by=buyer, order_id=order.id, items=[(order.lines[0].id, 1)], reason="No.")
        floor.refunds.approve(by=SYSTEM, refund_id=refund.id)
        floor.refunds.receive(by=SYSTEM, refund_id=refund.id, disposition=disposition)
        assert floor.insight.sales(by=SYSTEM).total.cost == Money(cost, "USD")
    figures = floor.insight.sales(by=SYSTEM).total
    assert (figures.refunds, figures.profit) == (Money(40_00, "USD"), Money(4_00, "USD"))


def test_reports_are_for_those_who_may_read_them(floor: Floor) -> None:
    insight = floor.insight
    looks = (insight.dashboard, insight.sales, insight.top_products, insight.categories, insight.customers)
    for look in (*looks, insight.low_stock):
        with pytest.raises(NotAuthenticated):
            look(by=GUEST)
        for role in (Role.CUSTOMER, Role.PRODUCT_MANAGER):
            with pytest.raises(Forbidden, match=Permission.REPORTS_READ):
                look(by=person(floor, role))


def test_without_days_a_range_is_this_month_until_today(floor: Floor) -> None:
    floor.time.at = datetime(2026, 3, 20, 12, tzinfo=UTC)

    def days(**given: date) -> tuple[date, date]:
        found = floor.insight.categories(by=SYSTEM, **given).days
        return found.first, found.last

    assert days() == (date(2026, 3, 1), date(2026, 3, 20))
    assert days(first=date(2026, 2, 3)) == (date(2026, 2, 3), date(2026, 3, 20))
    assert days(last=date(2026, 2, 3)) == (date(2026, 2, 1), date(2026, 2, 3))
    assert days(first=date(2026, 5, 1)) == (date(2026, 5, 1), date(2026, 5, 1))
    for most in (0, 1001):
        with pytest.raises(Invalid, match="limit"):
            floor.insight.top_products(by=SYSTEM, most=most)


def test_the_worker_leaves_few_papers_for_later(floor: Floor) -> None:
    thing = product(floor, stock=50)
    for _ in range(3):
        floor.orders.place(by=person(floor), items=[(thing.id, 1)], deliver_to=HOME)
    floor.orders.issue_due()
    kept = 0 if isinstance(floor.storage, MemoryStorage) else 3
    assert floor.insight.roll_up() == 0
    assert floor.insight.roll_up(fewest=3) == kept
    assert floor.insight.roll_up(fewest=1) == 0
