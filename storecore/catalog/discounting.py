"""Discounts on many products at once, and keeping listed prices in step with the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from storecore import checks
from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.catalog import alerts
from storecore.catalog.model import Discount
from storecore.catalog.offers import Offer, offers
from storecore.catalog.price_edges import note_edges, price_change
from storecore.errors import NotFound
from storecore.ports import Unit
from storecore.recording import record_all
from storecore.transactions import Activity, writing

MAX_PRODUCTS = 500
"""Products in one request."""


@dataclass(frozen=True, kw_only=True)
class Discounting(Activity):
    """Reductions with a window, on any number of products, all or none."""

    @writing
    def discount(
        self,
        unit: Unit,
        *,
        by: Actor,
        product_ids: Sequence[str],
        percent: Decimal,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
    ) -> Sequence[Offer]:
        """Reduce products by a percentage, from now or a later start. Raises ``Invalid``, ``NotFound``."""
        require(by, Permission.PRICES_WRITE)
        start = max(starts_at or unit.now, unit.now)  # a start in the past would falsify the price before it
        percent = checks.percent(percent, "percent")
        reduced = Discount(percent=percent, starts_at=start, ends_at=ends_at)
        return self._set(unit, by, "product.discount", product_ids, reduced)

    @writing
    def clear_discount(self, unit: Unit, *, by: Actor, product_ids: Sequence[str]) -> Sequence[Offer]:
        """End the discounts of products, running or planned. Raises ``NotFound``."""
        require(by, Permission.PRICES_WRITE)
        return self._set(unit, by, "product.clear_discount", product_ids, None)

    @staticmethod
    def _set(
        unit: Unit, by: Actor, action: str, product_ids: Sequence[str], discount: Discount | None
    ) -> Sequence[Offer]:
        checks.amount_of(product_ids, "product_ids", least=1, most=MAX_PRODUCTS)
        products = unit.products.locked(product_ids)
        missing = [
            (f"product_ids.{i}", "there is no such product")
            for i, each in enumerate(product_ids)
            if each not in products
        ]
        if missing:
            raise NotFound(errors=missing)
        note_edges(unit, products.values())
        changed, history = [], []
        for product in products.values():
            after = product.changed(unit.now, discount=discount)
            changed.append(after)
            unit.products.save(after, unit.now)
            if after.final_price(unit.now) != product.final_price(unit.now):
                history.append(price_change(after, unit.now, by.id))
        unit.products.add_prices(history)
        alerts.reduced(unit, zip(products.values(), changed, strict=True))
        record_all(unit, by, action, zip(products.values(), changed, strict=True))
        return offers(unit, changed)

    @writing
    def refresh_prices(self, unit: Unit, *, limit: int = 100) -> int:
        """The worker's: note each discount that has begun or ended, at the moment it did. How many products changed."""
        changed = unit.products.refresh_prices(unit.now, limit)
        note_edges(unit, changed)
        return len(changed)
