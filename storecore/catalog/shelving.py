"""Putting products into the catalog and changing them, however many at once: what edits and imports have in common."""

from collections.abc import Sequence
from typing import Any

from storecore import checks
from storecore.accounts.model import Actor
from storecore.catalog import alerts
from storecore.catalog.model import MAX_STOCK, Product, StockMove, StockReason, slugify
from storecore.catalog.price_edges import note_edges, price_change
from storecore.money import Money
from storecore.ports import Unit
from storecore.recording import record_all


def new_product(
    unit: Unit,
    *,
    sku: str,
    name: str,
    price: Money,
    description: str = "",
    cost: Money | None = None,
    stock: int = 0,
    **fields: Any,
) -> Product:
    """A product made now, with its opening stock; its cost is half the price unless told. Raises ``Invalid``."""
    return Product(
        id=unit.new_id(),
        sku=sku,
        name=name,
        slug=slugify(name) or slugify(sku),
        description=description,
        price=price,
        cost=cost if cost is not None else price.share(1, 2),
        stock=checks.whole(stock, "stock", least=0, most=MAX_STOCK),
        created_at=unit.now,
        updated_at=unit.now,
        **fields,
    )


def add(unit: Unit, by: Actor, products: Sequence[Product]) -> None:
    """Put new products into the catalog, with their first prices and, last, their stock. Raises ``SkuTaken``."""
    for product in products:
        unit.products.add(product)
    unit.products.add_prices([price_change(product, unit.now, by.id) for product in products])
    record_all(unit, by, "product.create", [(None, product) for product in products])
    openings = [
        StockMove(
            id=unit.new_id(),
            product_id=product.id,
            change=product.stock,
            reason=StockReason.OPENING,
            actor_id=by.id,
            at=unit.now,
        )
        for product in products
        if product.stock
    ]
    if openings:
        unit.stock.move(openings)


def save(unit: Unit, by: Actor, changes: Sequence[tuple[Product, Product]], *, action: str = "product.update") -> None:
    """Save locked products, given before and after: their price history goes on, and wishers hear of reductions.

    ``action`` is what the audit log calls it.
    """
    note_edges(unit, [before for before, _ in changes])
    history = []
    for before, after in changes:
        unit.products.save(after, unit.now)
        if (after.price, after.final_price(unit.now)) != (before.price, before.final_price(unit.now)):
            history.append(price_change(after, unit.now, by.id))
    unit.products.add_prices(history)
    alerts.reduced(unit, changes)
    record_all(unit, by, action, changes)
