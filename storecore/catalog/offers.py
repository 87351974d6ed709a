"""Products as they are offered right now: exact price, the price before the discount, and the shelves they are on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from storecore.accounts.model import Actor
from storecore.accounts.permissions import Permission
from storecore.catalog.model import PRIOR_PRICE_WINDOW, Category, Product, prior_price
from storecore.money import Money
from storecore.ports import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A product and what it costs at this moment. ``siblings`` are its variants, on a detail page only.

    ``prior_price`` is the lowest price of the 30 days before a running discount began, None without one.
    ``changes_at`` is when the clock alone will change the price, None if nothing is planned.
    """

    product: Product
    final_price: Money
    prior_price: Money | None
    categories: tuple[Category, ...]
    changes_at: datetime | None = None
    siblings: "tuple[Offer, ...]" = ()


def sees_costs(by: Actor) -> bool:
    """Whether somebody may know what the shop pays for its goods."""
    return by.may(Permission.PRICES_WRITE) or by.may(Permission.REPORTS_READ)


def offers(unit: Unit, products: Iterable[Product]) -> Sequence[Offer]:
    """Offers of these products in their order: two look-ups, however many they are."""
    products = tuple(products)
    categories = unit.categories.some({each for product in products for each in product.category_ids})
    reduced = [product for product in products if product.discount and product.discount.runs(unit.now)]
    began = min((product.discount.starts_at for product in reduced if product.discount), default=unit.now)
    history = unit.products.price_history([each.id for each in reduced], began - PRIOR_PRICE_WINDOW) if reduced else {}
    return [
        Offer(
            product=product,
            final_price=product.final_price(unit.now),
            prior_price=prior_price(history[product.id], product.discount)
            if product.discount and product.id in history
            else None,
            categories=tuple(categories[each] for each in product.category_ids if each in categories),
            changes_at=product.next_price_change(unit.now),
        )
        for product in products
    ]


def offer(unit: Unit, product: Product) -> Offer:
    """One product's offer."""
    return offers(unit, [product])[0]
