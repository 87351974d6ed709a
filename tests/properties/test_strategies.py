"""What the strategies draw is what a shop can hold, reaches everywhere, and shrinks to the plainest."""

from collections import Counter
from collections.abc import Callable, Hashable
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from storecore.accounts.model import SYSTEM, Actor, Address, SavedAddress, User
from storecore.accounts.permissions import ROLE_PERMISSIONS, Role
from storecore.carts.model import Cart
from storecore.catalog.coupon import Coupon
from storecore.catalog.model import Product
from storecore.errors import StoreError
from storecore.money import Money, total
from storecore.orders.model import NEXT, Order, PaymentStatus, Status
from storecore.orders.payment import PaymentState
from storecore.orders.refund import RefundStatus
from storecore.pricing import TaxRate
from storecore.testing.builders import NOW, ids, make_order, make_product
from storecore.testing.machine.books import check_sums
from storecore.testing.strategies import (
    Ask,
    Returns,
    Trade,
    actors,
    addresses,
    carts,
    coupons,
    discounts,
    guests,
    money,
    orders,
    placed_trades,
    products,
    refund_sequences,
    saved_addresses,
    staff,
    tax_tables,
    texts,
    trades,
    users,
    whole_returns,
)

T = TypeVar("T")
Kind = TypeVar("Kind", bound=Hashable)

patient = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
few = settings(patient, max_examples=10)


def plainest(strategy: SearchStrategy[T], wanted: Callable[[T], bool] = lambda _: True) -> T:
    """What a failure is told with."""
    return find(strategy, wanted, settings=settings(patient, max_examples=200, derandomize=True))


def seen(strategy: SearchStrategy[T], what: Callable[[T], Kind], *, tries: int = 60) -> set[Kind]:
    """Each kind of thing that is drawn."""
    kinds: set[Kind] = set()

    @settings(patient, max_examples=tries, derandomize=True, phases=[Phase.generate])
    @given(strategy)
    def draw(drawn: T) -> None:
        kinds.add(what(drawn))

    draw()
    return kinds


@few
@given(trades())
def test_a_drawn_order_went_along_the_table_and_adds_up(trade: Trade) -> None:
    order = trade.order
    check_sums(order)
    steps = [entry.status for entry in order.history]
    assert steps[0] is Status.PENDING
    assert steps[-1] is order.status
    assert all(after in NEXT[before] for before, after in pairwise(steps))
    assert [entry.at for entry in order.history] == sorted({entry.at for entry in order.history})
    assert {line.product_id for line in order.lines} == {product.id for product in trade.products}
    assert order.customer_id == (trade.customer.id if trade.customer else None)
    assert order.coupon_id == (trade.coupon.id if trade.coupon else None)


@few
@given(trades())
def test_its_payments_and_refunds_agree_with_it(trade: Trade) -> None:
    order, payments, refunds = trade.order, trade.payments, trade.refunds
    assert all(payment.amount == order.total and payment.order_id == order.id for payment in payments)
    assert sum(payment.state is not PaymentState.FAILED for payment in payments) <= 1
    waiting = any(not payment.state.final for payment in payments)
    assert waiting == (order.payment_status is PaymentStatus.PENDING)
    assert all(payment.state.final == (payment.check_at is None) for payment in payments)
    if any(payment.state is PaymentState.SUCCEEDED for payment in payments):
        assert order.is_paid
    done = [refund.amount for refund in refunds if refund.status is RefundStatus.REFUNDED]
    assert total(done, order.currency) == order.refunded


@few
@given(trades())
def test_no_two_things_of_one_example_have_the_same_id(trade: Trade) -> None:
    everything: list[Any] = [trade.order, *trade.products, *trade.order.lines, *trade.payments, *trade.refunds]
    everything += [each for each in (trade.customer, trade.coupon) if each]
    assert len({each.id for each in everything}) == len(everything)


def test_orders_of_every_status_and_every_state_of_their_money_are_drawn() -> None:
    assert seen(orders(most=1), lambda order: order.status, tries=80) == set(Status)
    money: set[PaymentStatus] = set()
    for status in (Status.PENDING, Status.CANCELLED, Status.DELIVERED):
        found = seen(orders(status=status, most=1), lambda order: (order.status, order.payment_status), tries=80)
        assert {each for each, _ in found} == {status}
        money |= {each for _, each in found}
    assert money == set(PaymentStatus)


def test_an_order_in_a_currency_is_in_it() -> None:
    assert seen(orders(currency="KWD"), lambda order: order.currency, tries=20) == {"KWD"}
    assert len(seen(orders(), lambda order: order.currency)) > 10


def test_an_order_shrinks_to_one_cheap_thing_that_a_guest_has_ordered() -> None:
    trade = plainest(placed_trades(most=1), lambda trade: trade.order.total.minor > 0)
    (line,) = trade.order.lines
    assert (trade.order.total.minor, line.quantity, trade.customer, trade.coupon) == (1, 1, None, None)
    assert (trade.order.note, trade.order.created_at) == (None, NOW)


@few
@given(products(), st.lists(products(), max_size=3))
def test_products_of_one_example_differ_in_sku_and_slug(one: Product, more: list[Product]) -> None:
    every = [one, *more]
    assert len({each.sku for each in every}) == len({each.slug for each in every}) == len(every)
    assert all(each.final_price(NOW) <= each.price for each in every)


def test_given_fields_are_not_drawn() -> None:
    fixed = products(name="Hat", is_active=False, price=Money(5, "JPY"), cost=Money(1, "JPY"), category_ids=["c1"])
    assert seen(fixed, lambda each: (each.name, each.is_active, each.price.minor, each.category_ids), tries=10) == {
        ("Hat", False, 5, ("c1",))
    }
    assert seen(coupons(percent=Decimal(5)), lambda each: (each.percent, each.amount), tries=10) == {(Decimal(5), None)}
    assert seen(users(role=Role.VENDOR), lambda each: each.role, tries=10) == {Role.VENDOR}
    assert seen(carts(user_id="u1"), lambda each: each.user_id, tries=10) == {"u1"}


def both(kinds: set[tuple[bool, ...]]) -> bool:
    """Whether each of some traits was there, and was not."""
    return all(set(trait) == {True, False} for trait in zip(*kinds, strict=True))


def test_products_are_active_or_not_discounted_or_not_free_or_not() -> None:
    assert both(seen(products(), lambda each: (each.is_active, each.discount is None, bool(each.price))))


def test_discounts_run_are_planned_are_over_and_last_for_good() -> None:
    kinds = seen(discounts(), lambda each: (each.starts_at <= NOW, each.ends_at is None, each.runs(NOW)))
    assert {(True, True, True), (True, False, True), (True, False, False), (False, True, False)} <= kinds


def test_coupons_of_every_kind_are_drawn() -> None:
    def kind(coupon: Coupon) -> tuple[bool, ...]:
        return coupon.percent is None, coupon.max_uses is None, coupon.ends_at is None, coupon.is_active

    assert both(seen(coupons(), kind))


def test_the_plainest_things_are_plain() -> None:
    product = plainest(products())
    assert (len(product.name), product.price.minor, product.discount, product.attributes) == (1, 0, None, {})
    assert plainest(carts()).items == ()
    coupon = plainest(coupons())
    assert (coupon.max_uses, coupon.min_spend, coupon.ends_at) == (None, None, None)
    assert plainest(tax_tables(), bool) == (TaxRate(rate=Decimal(0), tax_class="standard"),)
    assert plainest(money(), lambda amount: amount.minor < 0).minor == -1


@few
@given(carts(), st.data())
def test_a_cart_has_each_product_once(cart: Cart, data: st.DataObject) -> None:
    assert len(cart.quantities) == len(cart.items)
    offered = data.draw(st.lists(products(), min_size=1, max_size=3))
    filled = data.draw(carts(offered, user_id="u1"))
    assert filled.quantities.keys() <= {product.id for product in offered}


def test_carts_are_empty_and_full() -> None:
    assert {0, 1} < seen(carts(), lambda cart: len(cart.items))


def test_actors_are_of_every_kind_and_role_with_and_without_grants() -> None:
    def kind(actor: Actor) -> tuple[str, bool, bool]:
        if isinstance(actor, User):
            return actor.role, bool(actor.grants), actor.is_active
        return type(actor).__name__, False, True

    kinds = seen(actors(), kind, tries=150)
    assert {name for name, _, _ in kinds} == {*Role, "Guest", "System"}
    assert both({(granted, active) for _, granted, active in kinds})


def test_staff_of_a_role_may_be_denied_anything_and_given_anything() -> None:
    def kind(user: User) -> tuple[bool, bool]:
        by_role = ROLE_PERMISSIONS[Role.SALES_MANAGER]
        return by_role <= user.permissions, user.permissions <= by_role

    assert both(seen(staff(Role.SALES_MANAGER), kind, tries=150))


def test_guests_hold_tokens_or_none() -> None:
    held = seen(guests(), lambda guest: (bool(guest.cart_id), bool(guest.order_id), bool(guest.conversation_id)))
    assert len(held) == 8


@few
@given(users().flatmap(saved_addresses), addresses())
def test_addresses_are_such_as_may_be_kept(saved: SavedAddress, address: Address) -> None:
    assert saved.address.lines
    assert address.destination.country


@few
@given(texts(most=5), texts(most=8, least=3, lines=True))
def test_texts_are_within_bounds_and_stay_as_they_are(short: str, long: str) -> None:
    assert 1 <= len(short) <= 5
    assert 3 <= len(long) <= 8
    assert "\n" not in short


def test_texts_of_lines_have_lines() -> None:
    assert len(seen(texts(most=20, lines=True), lambda text: "\n" in text, tries=100)) == 2


@few
@given(orders(status=Status.DELIVERED).filter(lambda order: not order.refunded), st.data())
def test_legal_steps_of_refunds_succeed_and_others_are_refused(order: Order, data: st.DataObject) -> None:
    steps = data.draw(refund_sequences(order))
    returns = Returns(order, ids(10**6))
    for step in steps:
        before = returns.order, list(returns.refunds)
        try:
            returns.carry_out([step])
        except StoreError:
            assert not step.legal
            assert (returns.order, returns.refunds) == before
        else:
            assert step.legal
    assert returns.order.refunded <= order.total


def delivered() -> Order:
    new_id = ids()
    hats = [make_product(new_id, category_ids=["c1"]) for _ in range(2)]
    order = make_order(new_id, hats, quantities={hats[0].id: 3})
    order = order.confirm(by=SYSTEM, at=NOW).process(by=SYSTEM, at=NOW)
    return order.ship(by=SYSTEM, at=NOW).deliver(by=SYSTEM, at=NOW)


def test_every_kind_of_step_is_drawn_legal_and_not() -> None:
    sequences = seen(
        refund_sequences(delivered()), lambda steps: tuple((step.ask, step.legal) for step in steps), tries=150
    )
    assert {kind for kinds in sequences for kind in kinds} == {(ask, legal) for ask in Ask for legal in (True, False)}
    legal = seen(refund_sequences(delivered(), legal=True), lambda each: all(step.legal for step in each), tries=100)
    assert legal == {True}


def test_a_sequence_of_refunds_shrinks_to_the_steps_that_matter() -> None:
    legal = refund_sequences(delivered(), legal=True)
    received = plainest(legal, lambda steps: any(step.ask is Ask.RECEIVE for step in steps))
    assert [step.ask for step in received] == [Ask.REQUEST, Ask.APPROVE, Ask.RECEIVE]
    assert list(received[0].units.values()) == [1]
    refused = plainest(refund_sequences(delivered()), lambda steps: any(not step.legal for step in steps))
    assert len(refused) == 1


@few
@given(placed_trades(), st.data())
def test_whole_returns_take_back_every_unit(trade: Trade, data: st.DataObject) -> None:
    taken: Counter[str] = Counter()
    for step in data.draw(whole_returns(trade.order)):
        assert all(step.values())
        taken.update(step)
    assert taken == {line.id: line.quantity for line in trade.order.lines}
