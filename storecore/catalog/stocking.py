"""What is on the shelf: corrections by hand, and the ledger of every change."""

from dataclasses import dataclass, replace

from storecore import checks
from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.catalog import alerts
from storecore.catalog.model import StockMove, StockReason
from storecore.catalog.offers import Offer, offer
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.ports import Unit
from storecore.recording import record
from storecore.transactions import Activity, Once, reading, writing


@dataclass(frozen=True, kw_only=True)
class Stocking(Activity):
    """Stock in the hands of staff. Sales move it too, through orders."""

    @writing
    def adjust_stock(
        self, unit: Unit, *, by: Actor, product_id: str, change: int, reason: str, once: Once | None = None
    ) -> Offer:
        """Add or remove units, saying why. Raises ``OutOfStock`` when fewer would remain than none."""
        require(by, Permission.STOCK_ADJUST)
        if change == 0:
            raise checks.refuse("change", "must not be 0")
        product = unit.products.get(product_id)
        move = StockMove(
            id=unit.new_id(),
            product_id=product.id,
            change=change,
            reason=StockReason.ADJUSTMENT,
            note=checks.text(reason, "reason", most=500, lines=True),
            actor_id=by.id,
            at=unit.now,
        )
        left = unit.stock.move([move])
        alerts.restocked(unit, [move], left)
        after = replace(product, stock=left[product.id])
        before = replace(product, stock=after.stock - change)
        record(unit, by, "product.adjust_stock", before=before, after=after, change=change, reason=move.note)
        return offer(unit, unit.products.get(product.id))

    @reading
    def ledger(self, unit: Unit, *, by: Actor, product_id: str, page: PageRequest = FIRST_PAGE) -> Page[StockMove]:
        """Every change of a product's stock, newest first."""
        require(by, Permission.STOCK_ADJUST)
        return unit.stock.ledger(unit.products.get(product_id).id, page)
