"""Coupons under a crowd, at the edges of their terms, and given back."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.sql import SqlStorage
from adapters.sql.verify import verify
from storecore.accounts.model import GUEST, SYSTEM, Actor
from storecore.catalog.coupon import Coupon
from storecore.errors import CouponNotApplicable, IllegalTransition
from storecore.money import Money
from storecore.orders.model import Order, PaymentStatus
from storecore.testing.contracts.proving import Together
from tests.usecases.floor import HOME, Floor, on_hand, person, product

CROWD = 20


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.fixture(autouse=True)
def books(store: Floor) -> Iterator[None]:
    """Whatever happened, the books are right: counts equal uses, no limit was passed."""
    yield
    if isinstance(store.storage, SqlStorage):
        assert verify(store.storage, store.time.at) == []


def uses(store: Floor, coupon: Coupon) -> int:
    return next(each.uses for each in store.catalog.coupons(by=SYSTEM).items if each.id == coupon.id)


def outcomes(race: Together) -> tuple[list[Order], list[str]]:
    """The orders that were placed, and the reasons of those that were not."""
    orders: list[Order] = []
    reasons: list[str] = []
    for outcome in race.outcomes:
        if isinstance(outcome, Order):
            orders.append(outcome)
        else:
            assert isinstance(outcome, CouponNotApplicable), outcome
            reasons.append(outcome.message)
    return orders, reasons


# A crowd.


def test_a_coupon_for_one_order_gives_one_of_twenty_buyers_an_order(store: Floor) -> None:
    things = [product(store, stock=100) for _ in range(3)]
    coupon = store.catalog.create_coupon(by=SYSTEM, code="ONE", percent=Decimal(10), max_uses=1)
    buyers = [person(store) for _ in range(CROWD)]

    def buy(number: int) -> Order:
        items = [(each.id, 1 + number % 3) for each in (things if number % 2 else things[::-1])]
        return store.orders.place(by=buyers[number], items=items, deliver_to=HOME, coupon="one")

    orders, reasons = outcomes(Together(*[lambda number=number: buy(number) for number in range(CROWD)]))
    assert (len(orders), set(reasons)) == (1, {"The coupon ONE has been used up."})
    assert uses(store, coupon) == 1
    assert [on_hand(store, each) for each in things] == [100 - orders[0].quantities[each.id] for each in things]
    mine = [len(store.orders.mine(by=buyer).items) for buyer in buyers]
    assert sorted(mine) == [0] * (CROWD - 1) + [1]


@pytest.mark.parametrize("share", [1, 3])
def test_a_user_who_orders_twenty_times_at_once_has_their_share_and_no_more(store: Floor, share: int) -> None:
    hat, user = product(store, stock=100), person(store)
    coupon = store.catalog.create_coupon(by=SYSTEM, code="MINE", percent=Decimal(10), max_uses_per_user=share)
    race = [
        lambda: store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, coupon="MINE") for _ in range(CROWD)
    ]
    orders, reasons = outcomes(Together(*race))
    assert (len(orders), set(reasons)) == (share, {"You have already used the coupon MINE."})
    assert (uses(store, coupon), on_hand(store, hat)) == (share, 100 - share)


def test_a_guest_who_orders_twenty_times_at_once_is_known_by_the_email(store: Floor) -> None:
    hat = product(store, stock=100)
    store.catalog.create_coupon(by=SYSTEM, code="MINE", percent=Decimal(10), max_uses_per_user=1)

    def buy(email: str) -> Order:
        return store.orders.place(by=GUEST, items=[(hat.id, 1)], deliver_to=HOME, coupon="MINE", email=email)

    emails = ["guest@example.com", "Guest@Example.COM"] * (CROWD // 2)
    orders, reasons = outcomes(Together(*[lambda email=email: buy(email) for email in emails]))
    assert (len(orders), len(reasons)) == (1, CROWD - 1)
    assert on_hand(store, hat) == 99


def test_carts_that_race_for_one_coupon_are_bought_or_stay_as_they_are(store: Floor) -> None:
    hat, buyers = product(store, stock=100), [person(store) for _ in range(8)]
    store.catalog.create_coupon(by=SYSTEM, code="ONE", percent=Decimal(10), max_uses=1)
    for buyer in buyers:
        store.carts.add_item(by=buyer, product_id=hat.id, quantity=2)
        store.carts.apply_coupon(by=buyer, code="ONE")
    race = Together(*[lambda buyer=buyer: store.orders.checkout(by=buyer, deliver_to=HOME) for buyer in buyers])
    orders, reasons = outcomes(race)
    assert (len(orders), len(reasons)) == (1, 7)
    carts = [store.carts.cart(by=buyer) for buyer in buyers]
    assert Counter(len(cart.items) for cart in carts) == {0: 1, 1: 7}
    assert {cart.coupon_problem for cart in carts if cart.items} == {"The coupon ONE has been used up."}
    assert on_hand(store, hat) == 98


def test_more_uses_than_buyers_leave_nobody_out(store: Floor) -> None:
    hat, buyers = product(store, stock=100), [person(store) for _ in range(CROWD)]
    coupon = store.catalog.create_coupon(
        by=SYSTEM, code="ALL", percent=Decimal(10), max_uses=CROWD, max_uses_per_user=1
    )
    race = [
        lambda buyer=buyer: store.orders.place(by=buyer, items=[(hat.id, 1)], deliver_to=HOME, coupon="ALL")
        for buyer in buyers
    ]
    orders, reasons = outcomes(Together(*race))
    assert (len(orders), reasons, uses(store, coupon)) == (CROWD, [], CROWD)


# Given back.


def test_an_order_that_is_cancelled_often_at_once_gives_its_coupon_back_once(store: Floor) -> None:
    hat, user = product(store), person(store)
    coupon = store.catalog.create_coupon(by=SYSTEM, code="TWO", percent=Decimal(10), max_uses=2)
    first, _ = (store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, coupon="TWO") for _ in range(2))
    actors: Sequence[Actor] = [user, SYSTEM] * 4
    race = Together(*[lambda by=by: store.orders.cancel(by=by, order_id=first.id) for by in actors])
    assert Counter(type(outcome) for outcome in race.outcomes) == {Order: 1, IllegalTransition: 7}
    assert (uses(store, coupon), on_hand(store, hat)) == (1, 9)
    store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, coupon="TWO")
    with pytest.raises(CouponNotApplicable, match="used up"):
        store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, coupon="TWO")


def test_a_share_that_was_given_back_can_be_used_again(store: Floor) -> None:
    hat, user = product(store), person(store)
    store.catalog.create_coupon(by=SYSTEM, code="MINE", percent=Decimal(10), max_uses_per_user=1)
    for _ in range(3):
        order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, coupon="MINE")
        store.orders.cancel(by=user, order_id=order.id)
    assert on_hand(store, hat) == 10


def test_an_order_that_was_paid_keeps_its_coupon_when_it_is_cancelled(store: Floor) -> None:
    hat, user = product(store), person(store)
    coupon = store.catalog.create_coupon(by=SYSTEM, code="ONCE", percent=Decimal(10), max_uses=1)
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, coupon="ONCE")
    assert store.orders.record_payment(by=SYSTEM, order_id=order.id).payment_status is PaymentStatus.PAID
    store.orders.cancel(by=SYSTEM, order_id=order.id)
    assert uses(store, coupon) == 1
    with pytest.raises(CouponNotApplicable, match="used up"):
        store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, coupon="ONCE")


# Terms.


def test_a_fixed_amount_never_takes_more_than_the_goods_cost(store: Floor) -> None:
    hat, cap, user = product(store, price=1000), product(store, price=333), person(store)
    store.catalog.create_coupon(by=SYSTEM, code="FIFTY", amount=usd(5000))
    order = store.orders.place(by=user, items=[(hat.id, 1), (cap.id, 2)], deliver_to=HOME, coupon="FIFTY")
    assert (order.subtotal, order.discount, order.tax, order.shipping) == (usd(1666), usd(1666), usd(0), usd(1000))
    assert order.total == usd(1000)
    assert [line.total for line in order.lines] == [usd(0), usd(0)]


def test_a_coupon_without_effect_is_accepted_and_counts(store: Floor) -> None:
    gift, user = product(store, price=0), person(store)
    coupon = store.catalog.create_coupon(by=SYSTEM, code="FIFTY", amount=usd(5000))
    order = store.orders.place(by=user, items=[(gift.id, 1)], deliver_to=HOME, coupon="FIFTY")
    assert (order.discount, order.coupon_code, uses(store, coupon)) == (usd(0), "FIFTY", 1)


def test_a_coupon_counts_from_its_start_until_just_before_its_end(store: Floor) -> None:
    hat, user = product(store, stock=100), person(store)
    start = store.time.at + timedelta(hours=1)
    end = start + timedelta(hours=1)
    store.catalog.create_coupon(by=SYSTEM, code="HOUR", percent=Decimal(10), starts_at=start, ends_at=end)
    tick = timedelta(microseconds=1)
    for at, why in ((start - tick, "not valid yet"), (start, ""), (end - tick, ""), (end, "expired")):
        store.time.at = at
        if why:
            with pytest.raises(CouponNotApplicable, match=why):
                store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, coupon="HOUR")
            with pytest.raises(CouponNotApplicable, match=why):
                store.orders.quote(by=user, items=[(hat.id, 1)], coupon="HOUR")
        else:
            placed = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, coupon="HOUR")
            assert placed.discount == usd(100)


def test_every_way_not_to_apply_has_a_reason_that_people_can_read(store: Floor) -> None:
    hat, user = product(store, price=1000), person(store)
    now = store.time.at
    make = store.catalog.create_coupon
    make(by=SYSTEM, code="EARLY", percent=Decimal(10), starts_at=now + timedelta(days=1))
    make(by=SYSTEM, code="LATE", percent=Decimal(10), ends_at=now)
    gone = make(by=SYSTEM, code="GONE", percent=Decimal(10))
    store.catalog.withdraw_coupon(by=SYSTEM, coupon_id=gone.id)
    make(by=SYSTEM, code="RICH", percent=Decimal(10), min_spend=usd(1001))
    make(by=SYSTEM, code="EMPTY", percent=Decimal(10), max_uses=1)
    make(by=SYSTEM, code="MINE", percent=Decimal(10), max_uses_per_user=1)
    for code in ("EMPTY", "MINE"):
        store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, coupon=code)
    store.carts.add_item(by=user, product_id=hat.id, quantity=1)
    for code, why in {
        "EARLY": "The coupon EARLY is not valid yet.",
        "LATE": "The coupon LATE has expired.",
        "GONE": "The coupon GONE was withdrawn.",
        "RICH": "The coupon RICH needs goods worth 10.01 USD.",
        "EMPTY": "The coupon EMPTY has been used up.",
        "MINE": "You have already used the coupon MINE.",
        "NOTHING": "There is no coupon NOTHING.",
    }.items():
        for ask in (
            lambda code=code: store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, coupon=code),
            lambda code=code: store.orders.quote(by=user, items=[(hat.id, 1)], coupon=code),
            lambda code=code: store.carts.apply_coupon(by=user, code=code),
        ):
            with pytest.raises(CouponNotApplicable) as refused:
                ask()
            assert refused.value.message == why
    assert on_hand(store, hat) == 8
