"""What the strategies draw is what a shop can hold, reaches everywhere, and shrinks to the plainest."""

from collections import Counter
from collections.abc import Callable, Hashable
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from storecore.accounts.model import Actor, Address, Guest, SavedAddress, User
from storecore.accounts.permissions import Permission, Role
from storecore.carts.model import Cart
from storecore.catalog.coupon import Coupon
from storecore.catalog.model import Product
from storecore.errors import StoreError
from storecore.money import Money, total
from storecore.orders.model import NEXT, Order, PaymentStatus, Status
from storecore.orders.payment import PaymentState
from storecore.orders.refund import RefundStatus
from storecore.pricing import TaxRate
from storecore.testing.builders import NOW, ids
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

few = settings(max_examples=40, deadline=None)


def plainest(strategy: SearchStrategy[T], wanted: Callable[[T], bool] = lambda _: True) -> T:
    """What a failure is told with."""
    return find(strategy, wanted, settings=settings(max_examples=2000, deadline=None, derandomize=True, database=None))


def seen(strategy: SearchStrategy[T], what: Callable[[T], Kind], *, tries: int = 200) -> set[Kind]:
    """Each kind of thing that is drawn."""
    kinds: set[Kind] = set()

    @settings(max_examples=tries, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
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
    ways = seen(trades(), lambda trade: (trade.order.status, trade.order.payment_status))
    assert {status for status, _ in ways} == set(Status)
    assert {money for _, money in ways} == set(PaymentStatus)
    for status in Status:
        assert seen(orders(status=status), lambda order: order.status, tries=5) == {status}


def test_an_order_in_a_currency_is_in_it() -> None:
    assert seen(orders(currency="KWD"), lambda order: order.currency, tries=20) == {"KWD"}
    assert len(seen(orders(), lambda order: order.currency)) > 10


def test_the_plainest_order_is_of_one_thing_by_a_guest_and_pending() -> None:
    trade = plainest(trades(), lambda trade: trade.order.total.minor > 0)
    order = trade.order
    (line,) = order.lines
    assert (order.status, order.payment_status, order.total.minor) == (Status.PENDING, PaymentStatus.UNPAID, 1)
    assert (line.quantity, trade.customer, trade.coupon, trade.payments, order.note) == (1, None, None, (), None)
    assert order.created_at == NOW


def test_an_order_shrinks_to_the_shortest_way_to_where_it_goes_wrong() -> None:
    shipped = plainest(trades(), lambda trade: trade.order.status is Status.SHIPPED)
    assert len(shipped.order.lines) == 1
    assert (shipped.payments, shipped.order.payment_status) == ((), PaymentStatus.UNPAID)
    repaid = plainest(trades(), lambda trade: bool(trade.order.refunded))
    assert (repaid.order.refunded.minor, len(repaid.refunds)) == (1, 1)


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


def test_products_are_active_or_not_discounted_or_not_free_or_not() -> None:
    assert len(seen(products(), lambda each: (each.is_active, each.discount is None, bool(each.price)))) == 8


def test_discounts_run_are_planned_are_over_and_last_for_good() -> None:
    kinds = seen(discounts(), lambda each: (each.starts_at <= NOW, each.ends_at is None, each.runs(NOW)))
    assert {(True, True, True), (True, False, True), (True, False, False), (False, True, False)} <= kinds


def test_coupons_of_every_kind_are_drawn() -> None:
    def kind(coupon: Coupon) -> tuple[bool, ...]:
        return coupon.percent is None, coupon.max_uses is None, coupon.ends_at is None, coupon.is_active

    assert len(seen(coupons(), kind, tries=500)) == 16


def test_the_plainest_things_are_plain() -> None:
    product = plainest(products())
    assert (product.name, product.price.minor, product.discount, product.attributes) == ("a", 0, None, {})
    assert (product.created_at, product.is_active) == (NOW, True)
    user = plainest(users())
    assert (user.role, user.grants, user.phone, user.is_active) == (Role.CUSTOMER, {}, None, True)
    assert plainest(carts()).items == ()
    coupon = plainest(coupons())
    assert (coupon.percent or coupon.amount, coupon.max_uses, coupon.min_spend) == (Decimal(5), None, None)
    assert plainest(tax_tables(), bool) == (TaxRate(rate=Decimal(0), tax_class="standard"),)
    assert plainest(actors()) == Guest()
    assert plainest(money(), lambda amount: amount.minor < 0).minor == -1


@few
@given(carts(), st.data())
def test_a_cart_has_each_product_once(cart: Cart, data: st.DataObject) -> None:
    assert len(cart.quantities) == len(cart.items)
    offered = data.draw(st.lists(products(), min_size=1, max_size=3))
    filled = data.draw(carts(offered, user_id="u1"))
    assert filled.quantities.keys() <= {product.id for product in offered}


def test_carts_are_empty_and_full() -> None:
    assert len(seen(carts(), lambda cart: len(cart.items))) == 4


def test_actors_are_of_every_kind_and_role_with_and_without_grants() -> None:
    def kind(actor: Actor) -> tuple[str, bool, bool]:
        if isinstance(actor, User):
            return actor.role, bool(actor.grants), actor.is_active
        return type(actor).__name__, False, True

    kinds = seen(actors(), kind, tries=500)
    assert {(role, granted, True) for role in Role for granted in (True, False)} <= kinds
    assert {("Guest", False, True), ("System", False, True)} <= kinds
    assert any(not is_active for _, _, is_active in kinds)


def test_staff_of_a_role_may_be_denied_anything_and_given_anything() -> None:
    def known(user: User) -> bool:
        return Permission.REFUNDS_DECIDE in user.permissions

    assert seen(staff(Role.SALES_MANAGER), lambda user: user.role, tries=10) == {Role.SALES_MANAGER}
    assert seen(staff(Role.SALES_MANAGER), known, tries=500) == {True, False}
    assert seen(staff(Role.VENDOR), known, tries=500) == {True, False}


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
    assert len(seen(texts(most=20, lines=True), lambda text: "\n" in text, tries=500)) == 2


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


def test_every_kind_of_step_is_drawn_legal_and_not() -> None:
    order = plainest(orders(status=Status.DELIVERED), lambda order: order.shipping.minor > 0 and not order.refunded)
    sequences = seen(refund_sequences(order), lambda steps: tuple((step.ask, step.legal) for step in steps))
    assert {kind for kinds in sequences for kind in kinds} == {(ask, legal) for ask in Ask for legal in (True, False)}
    legal = seen(refund_sequences(order, legal=True), lambda each: all(step.legal for step in each), tries=100)
    assert legal == {True}


def test_a_sequence_of_refunds_shrinks_to_the_steps_that_matter() -> None:
    order = plainest(orders(status=Status.DELIVERED), lambda order: order.total.minor > 0)
    received = plainest(
        refund_sequences(order), lambda steps: any(step.ask is Ask.RECEIVE and step.legal for step in steps)
    )
    assert [step.ask for step in received] == [Ask.REQUEST, Ask.APPROVE, Ask.RECEIVE]
    assert list(received[0].units.values()) == [1]
    refused = plainest(refund_sequences(order), lambda steps: any(not step.legal for step in steps))
    assert len(refused) == 1


@few
@given(placed_trades(), st.data())
def test_whole_returns_take_back_every_unit(trade: Trade, data: st.DataObject) -> None:
    taken: Counter[str] = Counter()
    for step in data.draw(whole_returns(trade.order)):
        assert all(step.values())
        taken.update(step)
    assert taken == {line.id: line.quantity for line in trade.order.lines}
