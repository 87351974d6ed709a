"""What becomes of an order: staff move it on, its owner changes or cancels it, and strangers can't."""

from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import rule

from storecore.accounts.model import Actor
from storecore.errors import AlreadyPaid, IllegalTransition, NotFound, StoreError
from storecore.orders.model import NEXT, Order, Status
from storecore.testing.machine.scene import Sale, Scene, Shopper, people, sales

notes = st.sampled_from((None, "ring twice", "leave it at the door"))


class Fulfilment(Scene):
    """Orders on their way, along the table of statuses and no other way."""

    @rule(sale=sales, which=st.integers(0, 1))
    def advance(self, sale: Sale, which: int) -> None:
        """To one of the next statuses, and to no other."""
        for to in Status:
            if to not in self._ahead(sale):
                self.attempt(IllegalTransition, partial(self._advance, sale, to))
        if ahead := sorted(self._ahead(sale)):
            self._advance(sale, ahead[which % len(ahead)])

    @rule(sale=sales)
    def deliver(self, sale: Sale) -> None:
        """All the way, if it is still on its way: so that orders arrive as well."""
        while ahead := self._ahead(sale) - {Status.CANCELLED}:
            for to in ahead:
                self._advance(sale, to)

    @rule(sale=sales, by_owner=st.booleans())
    def cancel(self, sale: Sale, by_owner: bool) -> None:
        by: Actor = sale.buyer.owning(sale.placed) if by_owner else self.staff
        refusal = None if Status.CANCELLED in NEXT[sale.status] else IllegalTransition
        if self.attempt(refusal, lambda: self.store.orders.cancel(by=by, order_id=sale.placed.id)):
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
        """Once, however often it is tried."""
        order_id = sale.placed.id
        for _ in range(2):
            refusal: type[StoreError] | None = AlreadyPaid if sale.paid else None
            if sale.status is Status.CANCELLED or self._is_being_paid(sale):
                refusal = IllegalTransition
            if self.attempt(refusal, lambda: self.store.orders.record_payment(by=self.staff, order_id=order_id)):
                sale.paid, sale.online, sale.pay_by = True, False, None

    @staticmethod
    def _ahead(sale: Sale) -> frozenset[Status]:
        """Where staff can move it."""
        return NEXT[sale.status] - ({Status.CONFIRMED} if sale.waits_for_bank else frozenset())

    def _is_being_paid(self, sale: Sale) -> bool:
        """Whether nobody can say yet if its money comes."""
        with self.reading() as unit:
            return any(not payment.state.final for payment in unit.payments.of_order(sale.placed.id))

    def _advance(self, sale: Sale, to: Status) -> Order:
        moved = self.store.orders.advance(by=self.staff, order_id=sale.placed.id, to=to)
        self._moved(sale, to)
        return moved

    def _moved(self, sale: Sale, to: Status) -> None:
        sale.status = to
        if to is Status.CANCELLED:
            self.move(sale.quantities, 1)
            sale.pay_by = None
            if not sale.paid:
                sale.coupon = None
            elif not any(account.taken for account in self.bank.of_order(sale.placed.id)):
                sale.refunded = sale.placed.total.minor  # people have handed it back
        elif to is Status.DELIVERED:
            sale.paid = True
