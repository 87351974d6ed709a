"""Whose cart is whose."""

from storecore.accounts.model import Actor, Guest, User
from storecore.carts.model import Cart
from storecore.ports import Unit


def cart_of(unit: Unit, by: Actor) -> Cart | None:
    """A user's cart, or that of the guest who holds its token; None for somebody who has none."""
    if isinstance(by, User):
        return unit.carts.of_user(by.id)
    if not isinstance(by, Guest) or not by.cart_id:
        return None
    cart = unit.carts.get(by.cart_id)
    return cart if cart is not None and cart.user_id is None else None
