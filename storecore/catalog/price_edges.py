"""Prices that the clock changed: a planned discount began, or one ended."""

from collections.abc import Iterable
from datetime import datetime

from storecore.catalog import alerts
from storecore.catalog.model import PriceChange, Product
from storecore.ports import Unit


def note_edges(unit: Unit, products: Iterable[Product]) -> None:
    """Write down each start and end of these products' discounts that has passed, at the moment when it did.

    What was noted before is not noted again. The worker does this within a second or so; staff who edit a product in
    that second do it first, or the product's history would lack a price and its wishers a mail.
    """
    due = [product for product in products if _passed(product, product.updated_at, unit.now)]
    if not due:
        return
    history = unit.products.price_history([product.id for product in due], unit.now)
    missed, begun = [], []
    for product in due:
        known = history.get(product.id, ())
        moments = _passed(product, known[-1].at if known else product.created_at, unit.now)
        missed += [price_change(product, at) for at in moments]
        if product.discount and product.discount.starts_at in moments:
            begun.append(product)
    unit.products.add_prices(missed)
    alerts.begun(unit, begun)


def price_change(product: Product, at: datetime, actor_id: str | None = None) -> PriceChange:
    """The row of price history that a change of this product leaves at a moment."""
    return PriceChange(
        product_id=product.id, at=at, price=product.price, final_price=product.final_price(at), actor_id=actor_id
    )


def _passed(product: Product, after: datetime, now: datetime) -> list[datetime]:
    edges = (product.discount.starts_at, product.discount.ends_at) if product.discount else ()
    return [at for at in edges if at is not None and after < at <= now]
