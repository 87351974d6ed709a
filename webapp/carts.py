"""Carts over HTTP: a user's own, or a guest's behind a signed cookie."""

import json
from typing import Annotated

from typing_extensions import TypedDict

from storecore.accounts.model import Guest
from storecore.accounts.permissions import Permission
from storecore.carts.pricing import PricedCart, PricedItem, Problem
from storecore.errors import CartEmpty, CouponNotApplicable, NotFound, OutOfStock, ProductUnavailable
from storecore.orders.model import Order
from storecore.transactions import Replayed
from webapp import limits
from webapp.http.answers import Answer
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount, Quantity, Text
from webapp.http.validation import Body
from webapp.orders import PLACING_REFUSES, Checkout, show_placed
from webapp.quotes import Item

routes = Routes("cart", "What somebody is about to buy.")


class CartItemView(TypedDict):
    """A line of a cart. ``problem`` says what changed since it was put in; ``available`` is how many there are."""

    product_id: str
    sku: str | None
    name: str | None
    quantity: int
    unit_price: Amount
    final_price: Amount
    line_total: Amount
    currency: str
    available: int
    problem: Problem | None


class CartView(TypedDict):
    """A cart, priced as checkout will price it, but for tax that depends on the address.

    ``coupon_problem`` says why the coupon does not count now.
    """

    id: str
    items: list[CartItemView]
    coupon: str | None
    coupon_problem: str | None
    subtotal: Amount
    discount: Amount
    shipping: Amount
    tax: Amount
    total: Amount
    currency: str


def _show_item(item: PricedItem) -> CartItemView:
    product = item.product
    return {
        "product_id": item.product_id,
        "sku": product.sku if product else None,
        "name": product.name if product else None,
        "quantity": item.quantity,
        "unit_price": str(item.unit_price),
        "final_price": str(item.final_price),
        "line_total": str(item.line_total),
        "currency": item.line_total.currency,
        "available": item.available,
        "problem": item.problem,
    }


def show_cart(cart: PricedCart) -> CartView:
    """A cart as it is answered to its owner."""
    quote = cart.quote
    return {
        "id": cart.cart.id,
        "items": [_show_item(item) for item in cart.items],
        "coupon": cart.cart.coupon,
        "coupon_problem": cart.coupon_problem,
        "subtotal": str(quote.subtotal),
        "discount": str(quote.discount),
        "shipping": str(quote.shipping),
        "tax": str(quote.tax),
        "total": str(quote.total),
        "currency": quote.currency,
    }


class NewQuantity(Body):
    """How many there should be."""

    quantity: Quantity


class UseCoupon(Body):
    """The code of a coupon."""

    code: Annotated[str, Text(40)]


_REFUSES = (NotFound, OutOfStock, ProductUnavailable)


@routes.endpoint("GET", "/cart", show=show_cart)
def get_cart(ask: Ask) -> PricedCart:
    """My cart, priced now.

    A guest's is behind the cookie `cart_token`, which comes with the first product put in.
    """
    return ask.store.carts.cart(by=ask.by)


@routes.endpoint(
    "POST", "/cart/items", show=show_cart, may=Permission.ORDERS_PLACE, once=True, limit=limits.CART, refuses=_REFUSES
)
def add_item(ask: Ask[Item]) -> PricedCart:
    """Put more of a product into my cart."""
    body = ask.body
    try:
        cart = ask.store.carts.add_item(by=ask.by, product_id=body.product_id, quantity=body.quantity, once=ask.once)
    except Replayed as replayed:
        # The first answer may have been lost, and the cookie with it.
        _keep(ask, json.loads(Answer.load(replayed.answer).body)["id"])
        raise
    _keep(ask, cart.cart.id)
    return cart


def _keep(ask: Ask[Item], cart_id: str) -> None:
    """Let a guest's browser hold the cart."""
    if isinstance(ask.by, Guest):
        ask.sessions.keep_cart(cart_id)


@routes.endpoint(
    "PATCH",
    "/cart/items/{product_id}",
    show=show_cart,
    may=Permission.ORDERS_PLACE,
    limit=limits.CART,
    refuses=_REFUSES,
)
def set_quantity(ask: Ask[NewQuantity], product_id: str) -> PricedCart:
    """Have exactly so many of a product that is in my cart."""
    return ask.store.carts.set_quantity(by=ask.by, product_id=product_id, quantity=ask.body.quantity)


@routes.endpoint("DELETE", "/cart/items/{product_id}", may=Permission.ORDERS_PLACE, limit=limits.CART)
def remove_item(ask: Ask, product_id: str) -> None:
    """Take a product out of my cart."""
    ask.store.carts.remove_item(by=ask.by, product_id=product_id)


@routes.endpoint("DELETE", "/cart", may=Permission.ORDERS_PLACE, limit=limits.CART)
def clear_cart(ask: Ask) -> None:
    """Empty my cart."""
    ask.store.carts.clear(by=ask.by)


@routes.endpoint(
    "PUT",
    "/cart/coupon",
    show=show_cart,
    may=Permission.ORDERS_PLACE,
    limit=limits.CART,
    refuses=(CouponNotApplicable, CartEmpty),
)
def apply_coupon(ask: Ask[UseCoupon]) -> PricedCart:
    """Use a coupon on my cart."""
    return ask.store.carts.apply_coupon(by=ask.by, code=ask.body.code)


@routes.endpoint("DELETE", "/cart/coupon", may=Permission.ORDERS_PLACE, limit=limits.CART)
def remove_coupon(ask: Ask) -> None:
    """Use no coupon on my cart."""
    ask.store.carts.remove_coupon(by=ask.by)


@routes.endpoint(
    "POST",
    "/cart/checkout",
    show=show_placed,
    location="/orders/{id}",
    may=Permission.ORDERS_PLACE,
    once=True,
    etag=True,
    limit=limits.GUEST_ORDERS,
    refuses=(CartEmpty, *PLACING_REFUSES),
)
def checkout(ask: Ask[Checkout]) -> Order:
    """Buy what is in my cart and empty it, or change nothing."""
    return ask.store.orders.checkout(by=ask.by, once=ask.once, **ask.body.decided(ask.store.shop))
