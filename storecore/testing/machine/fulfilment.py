"""What becomes of an order: staff move it on, its owner changes or cancels it, and strangers can't."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from storecore.accounts.model import Actor
from storecore.errors import AlreadyPaid, IllegalTransition, NotFound, StoreError
from storecore.orders.model import NEXT, Status
from storecore.testing.machine.scene import Sale, Scene, Shopper, people, sales

later_statuses = st.sampled_from([each for each in Status if each is not Status.PENDING])
notes = st.sampled_from((None, "ring twice", "leave it at the door"))


class Fulfilment(Scene):
    """Orders on their way, along the table of statuses and no other way."""

    @rule(sale=sales, to=later_statuses)
    def advance(self, sale: Sale, to: Status) -> None:
        moved = self.attempt(
            self._illegal(sale, to),
            lambda: self.store.orders.advance(by=self.staff, order_id=sale.placed.id, to=to),
        )
        if moved:
            self._moved(sale, to)

    @rule(sale=sales)
    def deliver(self, sale: Sale) -> None:
        """All the way, if it is still on its way: so that orders arrive as well."""
        while ahead := NEXT[sale.status] - {Status.CANCELLED}:
            for to in ahead:
                self.store.orders.advance(by=self.staff, order_id=sale.placed.id, to=to)
                self._moved(sale, to)

    @rule(sale=sales, by_owner=st.booleans())
    def cancel(self, sale: Sale, by_owner: bool) -> None:
        by: Actor = sale.buyer.owning(sale.placed) if by_owner else self.staff
        cancelled = self.attempt(
            self._illegal(sale, Status.CANCELLED), lambda: self.store.orders.cancel(by=by, order_id=sale.placed.id)
        )
        if cancelled:
            self._moved(sale, Status.CANCELLED)

    @rule(sale=sales, who=people)
    def meddle(self, sale: Sale, who: Shopper) -> None:
        """Somebody else's order is not there."""
        other = who.account or next((each.account for each in self.shoppers if each.account), None)
        if other is None or other is sale.buyer.account:
            return
        order_id = sale.placed.id
        self.attempt(NotFound, lambda: self.store.orders.get(by=other, order_id=order_id))
        self.attempt(NotFound, lambda: self.store.orders.cancel(by=other, order_id=order_id))
        self.attempt(NotFound, lambda: self.store.orders.amend(by=other, order_id=order_id, note="mine"))

    @rule(sale=sales, note=notes)
    def amend(self, sale: Sale, note: str | None) -> None:
        refusal = None if sale.status is Status.PENDING else IllegalTransition
        by, order_id = sale.buyer.owning(sale.placed), sale.placed.id
        if self.attempt(refusal, lambda: self.store.orders.amend(by=by, order_id=order_id, note=note)):
            sale.note = note

    @rule(sale=sales)
    def record_payment(self, sale: Sale) -> None:
        refusal: type[StoreError] | None = AlreadyPaid if sale.paid else None
        if sale.status is Status.CANCELLED:
            refusal = IllegalTransition
        order_id = sale.placed.id
        if self.attempt(refusal, lambda: self.store.orders.record_payment(by=self.staff, order_id=order_id)):
            sale.paid = True

    @staticmethod
    def _illegal(sale: Sale, to: Status) -> type[StoreError] | None:
        return None if to in NEXT[sale.status] else IllegalTransition

    def _moved(self, sale: Sale, to: Status) -> None:
        sale.status = to
        if to is Status.CANCELLED:
            self.move(sale.quantities, 1)
            if not sale.paid:
                sale.coupon = None
        elif to is Status.DELIVERED:
            sale.paid = True
