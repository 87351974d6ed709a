"""The money: what the bank holds, what the orders say, and what the credit notes add up to."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from storecore.insight.days import Days, day_of
from storecore.notices import Template
from storecore.orders.model import Order, PaymentStatus, Status
from storecore.orders.payment import Payment, PaymentState
from storecore.orders.refund import APPROVED, OPEN, CreditNote, Refund, RefundCause, RefundStatus
from storecore.ports import OrderQuery, RefundQuery, Unit
from storecore.testing.builders import NOW
from storecore.testing.machine.returning import Returning, paid_for
from storecore.testing.machine.scene import LONGEST_WAIT, every


class Reckoning(Returning):
    """Nobody pays twice, nobody gets more back than they paid, and in the end everybody has what is theirs."""

    @precondition(lambda self: self.nothing_is_forgotten_within(LONGEST_WAIT))
    @rule(wait=st.just(LONGEST_WAIT))
    def settle_up(self, wait: timedelta) -> None:
        """Some hours in which the bank can be reached bring every payment and every payout to its end."""
        self.later(wait)
        self.do_work()
        with self.reading() as unit:
            for sale in self.sales.values():
                order, accounts = unit.orders.get(sale.placed.id), self.bank.of_order(sale.placed.id)
                assert not any(each.payout_at for each in unit.refunds.of_order(order.id))
                open_payments = [each for each in unit.payments.of_order(order.id) if not each.state.final]
                assert not open_payments or order.status is Status.PENDING
                held = sum(each.taken - sum(each.given_back.values()) for each in accounts)
                through_bank = any(each.taken for each in accounts)
                assert held == (order.total.minor - order.refunded.minor if through_bank else 0)
                assert not through_bank or order.is_paid
                assert order.status is not Status.CANCELLED or held == 0

    def check(self, unit: Unit) -> None:
        """The same snapshot of orders, payments, refunds, credit notes and letters."""
        super().check(unit)
        refunds = list(every(partial(unit.refunds.page, RefundQuery())))
        notes: list[CreditNote] = []
        for order in every(partial(unit.orders.page, OrderQuery())):
            own = [each for each in refunds if each.order_id == order.id]
            payments, credit_notes = unit.payments.of_order(order.id), unit.credit_notes.of_order(order.id)
            self._check_payments(order, payments, own)
            self._check_refunds(order, own)
            self._check_credit(unit, order, own, credit_notes)
            notes += credit_notes
            check_given_back(order, own)
        assert sorted(note.sequence for note in notes) == list(range(1, len(notes) + 1))
        self._check_letters(unit, refunds)
        assert {each.credit_note_id for each in self.notices(unit)} <= {None, *(note.id for note in notes)}
        self._check_takings(unit, notes)

    def _check_payments(self, order: Order, payments: Sequence[Payment], refunds: Sequence[Refund]) -> None:
        accounts = self.bank.of_order(order.id)
        assert sum(account.taken for account in accounts) <= order.total.minor
        assert all(sum(account.given_back.values()) <= account.taken for account in accounts)
        assert len([each for each in payments if each.state is not PaymentState.FAILED]) <= 1
        assert all(each.state.final == (each.check_at is None) for each in payments)
        for each in payments:
            account = self.bank.accounts.get(each.id)
            if each.state is PaymentState.FAILED:
                assert account is None or account.state is PaymentState.FAILED, "given up, but not for good"
            if each.state is PaymentState.SUCCEEDED:
                assert each.amount == order.total
                assert order.is_paid
        waits = any(not each.state.final for each in payments)
        assert (order.payment_status is PaymentStatus.PENDING) is waits
        assert not waits or order.status is not Status.PENDING or order.pay_by is not None
        repaid = any(each.status is RefundStatus.REFUNDED for each in refunds)
        whole, none = order.refunded == order.total, not order.refunded
        assert (order.payment_status is PaymentStatus.PARTLY_REFUNDED) is (not none and not whole)
        if order.is_paid:
            assert (order.payment_status is PaymentStatus.REFUNDED) is (repaid and whole)
            assert (order.payment_status is PaymentStatus.PAID) is (none and not (repaid and whole))

    def _check_refunds(self, order: Order, refunds: Sequence[Refund]) -> None:
        done = [each for each in refunds if each.status is RefundStatus.REFUNDED]
        assert sum(each.amount.minor for each in done) == order.refunded.minor
        agreed = [each for each in refunds if each.status in {RefundStatus.APPROVED, RefundStatus.RECEIVED}]
        assert sum(each.amount.minor for each in (*done, *agreed)) <= order.total.minor
        assert sum(each.tax.minor for each in (*done, *agreed)) <= order.tax.minor
        for each in refunds:
            owed = each.status is RefundStatus.RECEIVED or (
                each.status is RefundStatus.APPROVED and not each.expect_return
            )
            assert (each.payout_at is not None) is owed
            check_dates(each)
            if claim := self.claims.get(each.id):
                paid_out = claim.status is not RefundStatus.REQUESTED and each.id in claim.sale.repaid
                assert each.status is (RefundStatus.REFUNDED if paid_out else claim.status)
            else:
                assert order.status is Status.CANCELLED
                assert each.amount == order.total
        of_the_whole = [each for each in refunds if each.id not in self.claims]
        assert len(of_the_whole) <= 1
        assert of_the_whole or not (order.status is Status.CANCELLED and order.is_paid and order.total)

    def _check_credit(self, unit: Unit, order: Order, refunds: Sequence[Refund], notes: Sequence[CreditNote]) -> None:
        """Whatever is taken off an invoice, once: each refund, or the whole of an order that was never paid."""
        invoice = unit.invoices.of_order(order.id)
        by_refund = {each.id: each for each in refunds}
        assert len({note.refund_id for note in notes}) == len(notes)
        whole = [note for note in notes if note.refund_id is None]
        for note in notes:
            assert invoice is not None
            refund = by_refund[note.refund_id] if note.refund_id else None
            assert (note.total, note.tax) == ((refund.amount, refund.tax) if refund else (order.total, order.tax))
            assert refund is None or refund.status is RefundStatus.REFUNDED
        settled = {each.id for each in refunds if each.status is RefundStatus.REFUNDED}
        expected: set[str | None] = {None} if whole else set(settled if invoice else ())
        assert {note.refund_id for note in notes} == expected
        owed = [each for each in refunds if each.payout_at is not None]
        if invoice and order.status is Status.CANCELLED and not owed:
            assert sum(note.total.minor for note in notes) == order.total.minor

    def _check_takings(self, unit: Unit, notes: Sequence[CreditNote]) -> None:
        """Reports are made of the papers, and of orders that only wait for theirs."""
        zone = self.store.shop.timezone
        days = Days(first=day_of(NOW, zone), last=day_of(self.clock(), zone), timezone=zone)
        takings = unit.insight.takings(days)
        issued = every(partial(unit.invoices.page, issued_from=None, issued_to=None))
        due = [self.sales[order_id].placed.total.minor for order_id in unit.invoices.due(len(self.sales) or 1)]
        assert sum(each.invoiced for each in takings) == sum(invoice.total.minor for invoice in issued) + sum(due)
        assert sum(each.credited for each in takings) == sum(note.total.minor for note in notes)

    def _check_letters(self, unit: Unit, refunds: Sequence[Refund]) -> None:
        written = Counter(each.event for each in self.notices(unit) if each.template is Template.REFUND_STATUS)
        assert written == Counter(f"refund:{each.id}:{status}" for each in refunds for status in letters(each))


def check_given_back(order: Order, refunds: Sequence[Refund]) -> None:
    """Of no line more units are asked for than were bought, and what was agreed is what was paid for so many."""
    for line in order.lines:
        of_line = [(each, item) for each in refunds for item in each.items if item.line_id == line.id]
        assert sum(item.quantity for each, item in of_line if each.status in OPEN) <= line.quantity
        agreed = [item for each, item in of_line if each.status in APPROVED]
        amount, tax = paid_for(line, sum(item.quantity for item in agreed))
        assert (sum(item.amount.minor for item in agreed), sum(item.tax.minor for item in agreed)) == (amount, tax)
    lines = {line.id: line.product_id for line in order.lines}
    assert all(lines[item.line_id] == item.product_id for each in refunds for item in each.items)


def check_dates(refund: Refund) -> None:
    """They agree with where it is."""
    done = refund.status is RefundStatus.REFUNDED
    back = refund.status is RefundStatus.RECEIVED or (done and refund.expect_return)
    assert (refund.decided_at is not None) is (refund.status is not RefundStatus.REQUESTED)
    assert (refund.received_at is not None) is (refund.disposition is not None) is back
    assert (refund.refunded_at is not None) is done
    assert refund.payout_at is None or refund.payment_id is not None


def letters(refund: Refund) -> list[RefundStatus]:
    """What its customer was told: not what they did themselves, and not what their cancelled order's letter says."""
    told: list[RefundStatus] = []
    if refund.status is RefundStatus.REJECTED:
        told.append(RefundStatus.REJECTED)
    approved = refund.status in {RefundStatus.APPROVED, RefundStatus.RECEIVED, RefundStatus.REFUNDED}
    if refund.cause is RefundCause.RETURN and approved and (refund.expect_return or refund.payment_id):
        told.append(RefundStatus.APPROVED)
    if refund.status is RefundStatus.REFUNDED and (refund.cause is RefundCause.RETURN or refund.payment_id):
        told.append(RefundStatus.REFUNDED)
    return told
