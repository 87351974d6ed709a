"""Papers are kept as long as the law says, the people on them no longer."""

from dataclasses import dataclass

from storecore.ports import Unit
from storecore.shop import Shop
from storecore.transactions import Activity, writing


@dataclass(frozen=True, kw_only=True)
class Retaining(Activity):
    """The end of an invoice's retention."""

    shop: Shop

    def forget_buyers(self, *, limit: int = 200) -> int:
        """The worker's: take the buyers off papers issued longer ago than the shop has to keep them; how many.

        A guest's order goes with its invoice: there is no account with which it could be erased.
        """
        done = 0
        while found := self._forget_some(limit=limit):
            done += found
        return done

    @writing
    def _forget_some(self, unit: Unit, *, limit: int) -> int:
        before = self.shop.papers_before(unit.now)
        of_orders = unit.invoices.forget_buyers(before, limit)
        for order_id in sorted(of_orders):
            order = unit.orders.locked(order_id)
            if order.customer_id is None:
                unit.orders.erase(order.erased())
                for refund in unit.refunds.of_order(order_id):
                    unit.refunds.save(refund.erased())
        return len(of_orders) + unit.credit_notes.forget_buyers(before, limit)
