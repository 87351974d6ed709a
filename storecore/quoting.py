"""From product ids to a priced basket: the steps that carts, quotes and placing share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from storecore import checks
from storecore.accounts.model import Actor
from storecore.carts.model import MAX_LINES
from storecore.catalog.coupon import Coupon, normalise_code
from storecore.catalog.model import MAX_QUANTITY, Product, shortages
from storecore.errors import CouponNotApplicable, NotFound, OutOfStock, ProductUnavailable
from storecore.ports import Unit
from storecore.pricing import NOWHERE, Basket, Destination, Quote, goods_value, price
from storecore.shop import Shop

Item = tuple[str, int]
"""A product's id and how many of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Products to buy and how many, in the order in which they were named."""

    products: tuple[Product, ...]
    quantities: Mapping[str, int]

    def baskets(self, at: datetime, keys: Mapping[str, str] | None = None) -> Sequence[Basket]:
        """Ready for pricing; ``keys`` names the lines, by product id, where that is not the product id itself."""
        return [
            product.basket(self.quantities[product.id], at, key=keys[product.id] if keys else None)
            for product in self.products
        ]


def quantities(items: Iterable[Item]) -> dict[str, int]:
    """Units by product; a product that is named twice counts together. Raises ``Invalid`` naming the item."""
    wanted: dict[str, int] = {}
    items = tuple(items)
    checks.amount_of(items, "items", least=1, most=MAX_LINES)
    for i, (product_id, quantity) in enumerate(items):
        checks.whole(quantity, f"items.{i}.quantity", least=1, most=MAX_QUANTITY)
        wanted[product_id] = wanted.get(product_id, 0) + quantity
        checks.whole(wanted[product_id], f"items.{i}.quantity", least=1, most=MAX_QUANTITY)
    return wanted


def select(unit: Unit, items: Iterable[Item]) -> Selection:
    """The products of these items, all on sale. Raises ``Invalid``, ``NotFound``, ``ProductUnavailable``."""
    items = tuple(items)
    wanted = quantities(items)
    found = unit.products.some(wanted)
    unknown = [
        (f"items.{i}.product_id", "there is no such product") for i, (each, _) in enumerate(items) if each not in found
    ]
    if unknown:
        raise NotFound(errors=unknown)
    gone = [product_id for product_id in wanted if not found[product_id].is_active]
    if gone:
        names = ", ".join(found[each].name for each in gone)
        raise ProductUnavailable(f"No longer sold: {names}.", product_ids=gone)
    return Selection(products=tuple(found[each] for each in wanted), quantities=wanted)


def refuse_short(selection: Selection) -> None:
    """Raises ``OutOfStock`` listing every line of which plainly too few are left."""
    lines = shortages(selection.quantities, {product.id: product.stock for product in selection.products})
    if lines:
        raise OutOfStock(lines=lines)


def coupon(unit: Unit, code: str, baskets: Sequence[Basket], *, user: str | None, shop: Shop) -> Coupon:
    """The coupon behind a code, checked against these goods. Raises ``CouponNotApplicable`` saying why not.

    ``user`` is who uses it (a user's id or a guest's email), None when that is not known yet.
    """
    code = normalise_code(code)
    found = unit.coupons.by_code(code)
    if found is None:
        raise CouponNotApplicable(f"There is no coupon {code}.")
    used = unit.coupons.used_by(found.id, user) if user and found.max_uses_per_user is not None else 0
    found.check(goods=goods_value(baskets, shop.currency), at=unit.now, used_by_caller=used)
    return found


def quote(
    baskets: Sequence[Basket], *, shop: Shop, coupon: Coupon | None = None, where: Destination = NOWHERE
) -> Quote:
    """Price them by the shop's policies."""
    return price(
        baskets,
        currency=shop.currency,
        shipping=shop.shipping,
        tax=shop.tax,
        discounts=[coupon.discount] if coupon else [],
        where=where,
    )


def coupon_user(by: Actor, email: str | None) -> str | None:
    """Whose uses of a coupon count together."""
    return by.id or email
