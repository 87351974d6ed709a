"""Giving money back, and saying so in the books: the steps that deciding, cancelling and the worker share."""

from storecore.errors import NotInvoiced
from storecore.orders.invoices import issued
from storecore.orders.model import Order
from storecore.orders.payment import Payment, PaymentState
from storecore.orders.refund import CreditNote, Refund
from storecore.ports import Unit
from storecore.shop import Shop


def payment_of(unit: Unit, order: Order) -> Payment | None:
    """The payment that an order's money came through; None if people took it."""
    payments = unit.payments.of_order(order.id)
    return next((payment for payment in payments if payment.state is PaymentState.SUCCEEDED), None)


def settle(unit: Unit, shop: Shop, order: Order, refund: Refund) -> tuple[Order, Refund, CreditNote | None]:
    """The money of a refund is back with the customer: the order, the refund and a credit note say so.

    The order is locked. There is no credit note for an order that was cancelled before it was invoiced.
    """
    settled, repaid = refund.paid_out(at=unit.now), order.refund(refund.amount)
    unit.refunds.save(settled)
    unit.orders.save(repaid)
    return repaid, settled, credit(unit, shop, repaid, settled)


def credit(unit: Unit, shop: Shop, order: Order, refund: Refund | None) -> CreditNote | None:
    """Take a refund, or (None) a whole cancelled order, off its invoice; None for an order that gets no invoice.

    An order that is taken off as a whole stays so: what was paid too late is no second credit.
    """
    try:
        invoice = issued(unit, shop, order)
    except NotInvoiced:
        return None
    if found := whole_credit(unit, order.id):
        return found
    note = CreditNote(
        id=unit.new_id(),
        sequence=unit.credit_notes.next_sequence(),
        order_id=order.id,
        refund_id=refund.id if refund else None,
        issued_at=unit.now,
        seller=invoice.seller,
        buyer=invoice.buyer,
        total=refund.amount if refund else order.total,
        tax=refund.tax if refund else order.tax,
    )
    unit.credit_notes.add(note)
    return note


def whole_credit(unit: Unit, order_id: str) -> CreditNote | None:
    """The credit note of an order that was cancelled before it was paid."""
    return next((note for note in unit.credit_notes.of_order(order_id) if note.refund_id is None), None)
