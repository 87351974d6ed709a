"""The dashboard and reports: exact on every back end, before, amid and after the papers were rolled up."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from storecore.accounts.model import GUEST, SYSTEM, User
from storecore.accounts.permissions import Role
from storecore.catalog.model import Product
from storecore.errors import StoreError
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
