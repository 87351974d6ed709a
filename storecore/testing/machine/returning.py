"""What comes back: customers ask, staff decide and receive, and each unit's money goes back once."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, multiple, rule

from storecore.errors import AlreadyDecided, Forbidden, IllegalTransition, NotReturnable, StoreError
from storecore.money import half_up
from storecore.orders.model import OrderLine, Status
from storecore.orders.refund import Disposition, Refund, RefundStatus
from storecore.testing.machine.bank import Card
from storecore.testing.machine.paying import Paying
from storecore.testing.machine.scene import Sale, Stage, quantities, sales


@dataclass(eq=False)
class Claim:
    """A refund that was asked for: units by order line, where it should be, and (once approved) how much it is."""

    sale: Sale
    id: str
    units: Mapping[str, int]
    status: RefundStatus = RefundStatus.REQUESTED
    expect_return: bool = True
    received: bool = False
    amount: int = 0


claims: "Bundle[Claim]" = Bundle("claims")


class Returning(Paying):
    """Refunds of delivered orders, from being asked for to being owed."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.claims: dict[str, Claim] = {}

    @rule(
        target=claims,
        sale=sales,
        by_card=st.booleans(),
        picked=st.lists(st.tuples(st.integers(0, 3), quantities), min_size=1, max_size=3),
        modest=st.booleans(),
    )
    def ask_for_refund(
        self, sale: Sale, by_card: bool, picked: list[tuple[int, int]], modest: bool
    ) -> MultipleResults[Claim]:
        """Of some units, or of what is left; an order on its way is paid and delivered first, if it can be."""
        if by_card:
            self.pay(sale, Card.GOOD, trouble=None, again=False)
        self.deliver(sale)
        lines = sale.placed.lines
        left = {line.id: line.quantity - sale.reserved[line.id] for line in lines}
        items = [(lines[which % len(lines)].id, quantity) for which, quantity in picked]
        if modest and any(left.values()):
            items = [(line_id, 1) for line_id, units in left.items() if units][: len(picked)]
        units: Counter[str] = Counter()
        for line_id, quantity in items:
            units[line_id] += quantity
        fits = sale.status is Status.DELIVERED and all(left[each] >= quantity for each, quantity in units.items())
        refund = self.attempt(
            None if fits else NotReturnable,
            lambda: self.store.refunds.request(
                by=sale.buyer.owning(sale.placed), order_id=sale.placed.id, items=items, reason="Too small."
            ),
        )
        if refund is None:
            return multiple()
        sale.reserved.update(units)
        claim = Claim(sale, refund.id, units)
        self._check_amounts(claim, refund, shipping=0)
        self.claims[refund.id] = claim
        return multiple(claim)

    @rule(claim=claims, expect_return=st.booleans(), shipping=st.booleans())
    def approve_refund(self, claim: Claim, expect_return: bool, shipping: bool) -> None:
        """Never one's own; shipping is given back once."""
        sale, paid = claim.sale, self._shipping_paid(claim.sale) if shipping else 0
        refusal: type[StoreError] | None = None if claim.status is RefundStatus.REQUESTED else AlreadyDecided
        if refusal is None and shipping and sale.shipping_returned:
            refusal = NotReturnable
        if sale.buyer.account:
            self.attempt(
                Forbidden, lambda: self.store.refunds.approve(by=sale.buyer.by, refund_id=claim.id, expect_return=False)
            )
        approved = self.attempt(
            refusal,
            lambda: self.store.refunds.approve(
                by=self.staff, refund_id=claim.id, include_shipping=shipping, expect_return=expect_return
            ),
        )
        if approved is not None:
            self._check_amounts(claim, approved, shipping=paid)
            claim.status, claim.expect_return, claim.amount = (
                RefundStatus.APPROVED,
                expect_return,
                approved.amount.minor,
            )
            sale.returned.update(claim.units)
            sale.shipping_returned |= paid > 0
            if not expect_return:
                self._due(claim)

    @rule(claim=claims, by_owner=st.booleans())
    def call_off_refund(self, claim: Claim, by_owner: bool) -> None:
        """Its owner withdraws it, or staff reject it: its units may be asked for again."""
        refusal = None if claim.status is RefundStatus.REQUESTED else AlreadyDecided
        by = claim.sale.buyer.owning(claim.sale.placed)
        refunds = self.store.refunds
        called_off = self.attempt(
            refusal,
            lambda: (
                refunds.withdraw(by=by, refund_id=claim.id)
                if by_owner
                else refunds.reject(by=self.staff, refund_id=claim.id)
            ),
        )
        if called_off is not None:
            claim.status = RefundStatus.WITHDRAWN if by_owner else RefundStatus.REJECTED
            claim.sale.reserved.subtract(claim.units)

    @rule(claim=claims, disposition=st.sampled_from(Disposition), agreed=st.booleans())
    def receive_return(self, claim: Claim, disposition: Disposition, agreed: bool) -> None:
        """Twice: only once are goods put on the shelf, and is money due. Perhaps it is approved first."""
        if agreed:
            self.approve_refund(claim, expect_return=True, shipping=False)
        for _ in range(2):
            refusal: type[StoreError] | None = None
            if claim.received:
                refusal = AlreadyDecided
            elif claim.status is not RefundStatus.APPROVED or not claim.expect_return:
                refusal = IllegalTransition
            received = self.attempt(
                refusal,
                lambda: self.store.refunds.receive(by=self.staff, refund_id=claim.id, disposition=disposition),
            )
            if received is not None:
                claim.status, claim.received = RefundStatus.RECEIVED, True
                self._due(claim)
                if disposition is Disposition.RESTOCK:
                    self._restock(claim)

    def _restock(self, claim: Claim) -> None:
        for line in claim.sale.placed.lines:
            self.ware(line.product_id).stock += claim.units.get(line.id, 0)

    def _due(self, claim: Claim) -> None:
        """The bank has to pay it out, or people hand it over at once."""
        if not (claim.amount and any(account.taken for account in self.bank.of_order(claim.sale.placed.id))):
            claim.status = RefundStatus.REFUNDED
            claim.sale.refunded += claim.amount

    def _check_amounts(self, claim: Claim, refund: Refund, *, shipping: int) -> None:
        """What was really paid for these units, given those that were returned before."""
        lines = {line.id: line for line in claim.sale.placed.lines}
        assert {item.line_id: item.quantity for item in refund.items} == claim.units
        for item in refund.items:
            before = claim.sale.returned[item.line_id]
            now, then = (paid_for(lines[item.line_id], units) for units in (before + item.quantity, before))
            assert (item.amount.minor, item.tax.minor) == (now[0] - then[0], now[1] - then[1])
        assert refund.shipping.minor == shipping
        assert refund.amount.minor == sum(item.amount.minor for item in refund.items) + shipping

    @staticmethod
    def _shipping_paid(sale: Sale) -> int:
        order = sale.placed
        return order.shipping.minor + (0 if order.tax_included else order.shipping_tax.minor)


def paid_for(line: OrderLine, units: int) -> tuple[int, int]:
    """What was paid for so many units of a line, and the tax inside it, in minor units."""
    amount = half_up(line.total.minor * units, line.quantity)
    return amount, half_up(line.tax.minor * amount, line.total.minor) if line.total.minor else 0
