"""Carts."""

from datetime import timedelta
from typing import Any

import pytest

from storecore.carts.model import MAX_LINES, Cart, CartItem
from storecore.errors import Invalid, NotFound
from storecore.testing.builders import NOW, usd

LATER = NOW + timedelta(minutes=1)
EMPTY = Cart(id="cart", updated_at=NOW)


def test_putting_a_product_in_sets_its_quantity() -> None:
    cart = EMPTY.put("a", 2, seen_price=usd(5), at=LATER).put("b", 1, seen_price=usd(7), at=LATER)
    assert cart.quantities == {"a": 2, "b": 1}
    assert (cart.quantity("a"), cart.quantity("c"), cart.updated_at) == (2, 0, LATER)
    assert EMPTY.items == ()


def test_products_keep_their_places_when_quantities_change() -> None:
    cart = EMPTY.put("a", 2, seen_price=usd(5), at=NOW).put("b", 1, seen_price=usd(7), at=NOW)
    cart = cart.put("a", 9, seen_price=usd(6), at=LATER)
    assert cart.items == (
        CartItem(product_id="a", quantity=9, seen_price=usd(6)),
        CartItem(product_id="b", quantity=1, seen_price=usd(7)),
    )


def test_a_product_is_taken_out() -> None:
    cart = EMPTY.put("a", 2, seen_price=usd(5), at=NOW).put("b", 1, seen_price=usd(7), at=NOW)
    assert cart.without("a", at=LATER).quantities == {"b": 1}
    with pytest.raises(NotFound):
        cart.without("c", at=LATER)


def test_emptying_a_cart_drops_its_coupon() -> None:
    cart = EMPTY.put("a", 2, seen_price=usd(5), at=NOW).with_coupon("SAVE", at=NOW)
    assert cart.coupon == "SAVE"
    assert cart.with_coupon(None, at=LATER).coupon is None
    emptied = cart.emptied(at=LATER)
    assert (emptied.items, emptied.coupon, emptied.id, emptied.updated_at) == ((), None, "cart", LATER)


@pytest.mark.parametrize("quantity", [1, 999])
def test_a_cart_takes_1_to_999_of_a_product(quantity: int) -> None:
    assert EMPTY.put("a", quantity, seen_price=usd(5), at=NOW).quantity("a") == quantity


@pytest.mark.parametrize("quantity", [0, -1, 1000, 10**38])
def test_other_quantities_are_refused(quantity: int) -> None:
    with pytest.raises(Invalid, match="quantity: must be 1 to 999"):
        EMPTY.put("a", quantity, seen_price=usd(5), at=NOW)


@pytest.mark.parametrize("quantity", [1.5, 1.0, "2", True, None])
def test_a_quantity_is_a_whole_number(quantity: Any) -> None:
    with pytest.raises(TypeError, match="whole number"):
        EMPTY.put("a", quantity, seen_price=usd(5), at=NOW)


def test_a_cart_holds_100_different_products() -> None:
    cart = EMPTY
    for number in range(MAX_LINES):
        cart = cart.put(str(number), 1, seen_price=usd(5), at=NOW)
    assert cart.put("0", 2, seen_price=usd(5), at=NOW).quantity("0") == 2
    with pytest.raises(Invalid, match="items: must have 0 to 100 entries"):
        cart.put("one more", 1, seen_price=usd(5), at=NOW)
