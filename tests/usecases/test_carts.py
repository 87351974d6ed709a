"""Filling carts, as a user and as a guest, and what happens to a guest's cart at sign-in."""

from decimal import Decimal

import pytest

from storecore.accounts.model import GUEST, SYSTEM, Guest
from storecore.carts.pricing import Problem
from storecore.errors import (
    CartEmpty,
    CouponNotApplicable,
    Invalid,
    NotFound,
    OutOfStock,
    ProductUnavailable,
)
from storecore.money import Money
from tests.usecases.floor import HOME, Floor, person, product


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def test_an_empty_cart_costs_nothing(store: Floor) -> None:
    assert store.carts.cart(by=person(store)).quote.total == usd(0)
    assert store.carts.cart(by=GUEST).items == ()


def test_quantities_accumulate_and_are_priced_as_checkout_prices_them(store: Floor) -> None:
    user, hat = person(store), product(store, price=1999)
    store.carts.add_item(by=user, product_id=hat.id, quantity=1)
    cart = store.carts.add_item(by=user, product_id=hat.id, quantity=2)
    assert [(item.quantity, item.line_total, item.problem) for item in cart.items] == [(3, usd(5997), None)]
    order = store.orders.checkout(by=user, deliver_to=HOME, expected_total=cart.quote.total)
    assert order.total == cart.quote.total


def test_a_cart_takes_no_more_than_there_is(store: Floor) -> None:
    user, hat = person(store), product(store, stock=2)
    store.carts.add_item(by=user, product_id=hat.id, quantity=2)
    with pytest.raises(OutOfStock) as short:
        store.carts.add_item(by=user, product_id=hat.id, quantity=1)
    assert short.value.extra["available"] == 2
    assert store.carts.cart(by=user).cart.quantity(hat.id) == 2


@pytest.mark.parametrize("quantity", [0, -1, 1000])
def test_quantities_are_1_to_999(store: Floor, quantity: int) -> None:
    user, hat = person(store), product(store, stock=5000)
    with pytest.raises(Invalid):
        store.carts.add_item(by=user, product_id=hat.id, quantity=quantity)
    store.carts.add_item(by=user, product_id=hat.id, quantity=999)
    with pytest.raises(Invalid):
        store.carts.add_item(by=user, product_id=hat.id, quantity=1)


def test_unknown_and_archived_products_are_refused(store: Floor) -> None:
    user, hat = person(store), product(store)
    with pytest.raises(NotFound):
        store.carts.add_item(by=user, product_id="nothing", quantity=1)
    store.catalog.archive_product(by=SYSTEM, product_id=hat.id)
    with pytest.raises(ProductUnavailable):
        store.carts.add_item(by=user, product_id=hat.id, quantity=1)


def test_lines_are_changed_removed_and_cleared(store: Floor) -> None:
    user, hat, cap = person(store), product(store), product(store)
    store.carts.add_item(by=user, product_id=hat.id, quantity=1)
    store.carts.add_item(by=user, product_id=cap.id, quantity=1)
    assert store.carts.set_quantity(by=user, product_id=hat.id, quantity=5).cart.quantities == {hat.id: 5, cap.id: 1}
    assert store.carts.remove_item(by=user, product_id=hat.id).cart.quantities == {cap.id: 1}
    with pytest.raises(NotFound):
        store.carts.remove_item(by=user, product_id=hat.id)
    with pytest.raises(NotFound):
        store.carts.set_quantity(by=user, product_id=hat.id, quantity=1)
    assert store.carts.clear(by=user).items == ()


def test_what_changed_since_is_marked(store: Floor) -> None:
    user, items = person(store), [product(store) for _ in range(4)]
    for item in items:
        store.carts.add_item(by=user, product_id=item.id, quantity=2)
    store.catalog.archive_product(by=SYSTEM, product_id=items[0].id)
    store.catalog.adjust_stock(by=SYSTEM, product_id=items[1].id, change=-9, reason="lost")
    store.catalog.update_product(by=SYSTEM, product_id=items[2].id, price=usd(1500))
    cart = store.carts.cart(by=user)
    problems = [item.problem for item in cart.items]
    assert problems == [Problem.UNAVAILABLE, Problem.OUT_OF_STOCK, Problem.PRICE_CHANGED, None]
    assert [item.available for item in cart.items] == [0, 1, 10, 10]
    assert cart.quote.subtotal == usd(2 * (1000 + 1500 + 1000))
    acknowledged = store.carts.set_quantity(by=user, product_id=items[2].id, quantity=2)
    assert acknowledged.items[2].problem is None


def test_a_guests_cart_is_found_by_its_id_and_a_users_is_not(store: Floor) -> None:
    user, hat = person(store), product(store)
    guest = store.carts.add_item(by=GUEST, product_id=hat.id, quantity=1).cart
    assert store.carts.cart(by=Guest(cart_id=guest.id)).cart.quantities == {hat.id: 1}
    own = store.carts.add_item(by=user, product_id=hat.id, quantity=1).cart
    assert store.carts.cart(by=Guest(cart_id=own.id)).items == ()


def test_signing_in_pours_the_guests_cart_into_the_users_capped_and_told(store: Floor) -> None:
    user, hat, cap, gone = person(store), product(store, stock=5), product(store), product(store, stock=3)
    store.carts.add_item(by=user, product_id=hat.id, quantity=4)
    guest = Guest(cart_id=store.carts.add_item(by=GUEST, product_id=hat.id, quantity=3).cart.id)
    store.carts.add_item(by=guest, product_id=cap.id, quantity=2)
    store.carts.add_item(by=guest, product_id=gone.id, quantity=2)
    store.catalog.adjust_stock(by=SYSTEM, product_id=gone.id, change=-3, reason="lost")
    merged = store.carts.merge(by=user, cart_id=guest.cart_id)
    assert merged.cart.cart.quantities == {hat.id: 5, cap.id: 2, gone.id: 1}
    assert [(each.product_id, each.wanted, each.kept) for each in merged.capped] == [(hat.id, 7, 5), (gone.id, 2, 1)]
    assert store.carts.cart(by=guest).items == ()
    assert store.carts.merge(by=user, cart_id=guest.cart_id).cart.cart.quantities == merged.cart.cart.quantities


def test_another_users_cart_is_never_merged(store: Floor) -> None:
    victim, thief, hat = person(store), person(store), product(store)
    cart = store.carts.add_item(by=victim, product_id=hat.id, quantity=1).cart
    assert store.carts.merge(by=thief, cart_id=cart.id).cart.items == ()
    assert store.carts.cart(by=victim).cart.quantities == {hat.id: 1}


def test_a_coupon_reduces_the_cart_until_it_stops_applying(store: Floor) -> None:
    user, hat = person(store), product(store, price=1000)
    store.catalog.create_coupon(by=SYSTEM, code="SPRING", percent=Decimal(10), min_spend=usd(2000))
    with pytest.raises(CartEmpty):
        store.carts.apply_coupon(by=user, code="SPRING")
    store.carts.add_item(by=user, product_id=hat.id, quantity=1)
    with pytest.raises(CouponNotApplicable, match=r"goods worth 20\.00 USD"):
        store.carts.apply_coupon(by=user, code="SPRING")
    with pytest.raises(CouponNotApplicable, match="no coupon NOTHING"):
        store.carts.apply_coupon(by=user, code="nothing")
    store.carts.set_quantity(by=user, product_id=hat.id, quantity=2)
    assert store.carts.apply_coupon(by=user, code="spring").quote.discount == usd(200)
    less = store.carts.set_quantity(by=user, product_id=hat.id, quantity=1)
    assert (less.quote.discount, less.coupon_problem is not None) == (usd(0), True)
    assert store.carts.remove_coupon(by=user).coupon_problem is None
