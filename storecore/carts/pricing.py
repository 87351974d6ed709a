"""A cart as its owner sees it: priced by the function that checkout uses, with what changed since marked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from storecore import quoting
from storecore.accounts.model import Actor
from storecore.carts.model import Cart
from storecore.catalog.model import Product
from storecore.errors import CouponNotApplicable
from storecore.money import Money
from storecore.ports import Unit
from storecore.pricing import Quote
from storecore.shop import Shop


class Problem(StrEnum):
    """Why a line of a cart wants attention."""

    UNAVAILABLE = "unavailable"
    OUT_OF_STOCK = "out-of-stock"
    PRICE_CHANGED = "price-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedItem:
    """A line of a cart. ``line_total`` is final price times quantity; zero while ``product`` is no longer sold."""

    product_id: str
    product: Product | None
    quantity: int
    unit_price: Money
    final_price: Money
    line_total: Money
    available: int
    problem: Problem | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedCart:
    """A cart with its quote. ``coupon_problem`` says why its coupon does not count at the moment."""

    cart: Cart
    items: tuple[PricedItem, ...]
    quote: Quote
    coupon_problem: str | None = None


def priced(unit: Unit, cart: Cart, *, by: Actor, shop: Shop) -> PricedCart:
    """Price a cart as it stands; lines that are no longer sold cost nothing and stay to be seen."""
    products = unit.products.some(cart.quantities) if cart.items else {}
    on_sale = tuple(products[each.product_id] for each in cart.items if _sold(products, each.product_id))
    baskets = quoting.Selection(products=on_sale, quantities=cart.quantities).baskets(unit.now)
    coupon, coupon_problem = None, None
    if cart.coupon and baskets:
        try:
            coupon = quoting.coupon(unit, cart.coupon, baskets, user=by.id, shop=shop)
        except CouponNotApplicable as problem:
            coupon_problem = problem.message
    return PricedCart(
        cart=cart,
        items=tuple(
            _item(item.product_id, products.get(item.product_id), item.quantity, item.seen_price, unit)
            for item in cart.items
        ),
        quote=quoting.quote(baskets, shop=shop, coupon=coupon),
        coupon_problem=coupon_problem,
    )


def _sold(products: Mapping[str, Product], product_id: str) -> bool:
    return product_id in products and products[product_id].is_active


def _item(product_id: str, product: Product | None, quantity: int, seen: Money, unit: Unit) -> PricedItem:
    if product is None or not product.is_active:
        return PricedItem(
            product_id=product_id,
            product=product,
            quantity=quantity,
            unit_price=product.price if product else seen,
            final_price=seen,
            line_total=Money.zero(seen.currency),
            available=0,
            problem=Problem.UNAVAILABLE,
        )
    final = product.final_price(unit.now)
    problem = None
    if product.stock < quantity:
        problem = Problem.OUT_OF_STOCK
    elif final != seen:
        problem = Problem.PRICE_CHANGED
    return PricedItem(
        product_id=product_id,
        product=product,
        quantity=quantity,
        unit_price=product.price,
        final_price=final,
        line_total=final * quantity,
        available=product.stock,
        problem=problem,
    )
