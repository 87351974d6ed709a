"""What an order does to the shelves."""

from collections.abc import Sequence

from storecore.accounts.model import Actor
from storecore.catalog.model import StockMove, StockReason
from storecore.orders.model import Order
from storecore.ports import Unit


def stock_moves(unit: Unit, order: Order, by: Actor, reason: StockReason) -> Sequence[StockMove]:
    """The ledger rows of an order: units leave for a sale, and come back for anything else."""
    sign = -1 if reason is StockReason.SALE else 1
    return [
        StockMove(
            id=unit.new_id(),
            product_id=line.product_id,
            change=sign * line.quantity,
            reason=reason,
            note=order.number,
            order_id=order.id,
            actor_id=by.id,
            at=unit.now,
        )
        for line in order.lines
    ]
