"""Stopping an order: the steps that customers, staff and the clock share."""

from storecore.accounts.model import Actor
from storecore.catalog.alerts import restocked
from storecore.catalog.model import StockReason
from storecore.orders import letters, repaying
from storecore.orders.giving_back import credit, payment_of, settle
from storecore.orders.model import Order
from storecore.orders.moves import stock_moves
from storecore.orders.refund import CreditNote, Refund, RefundCause, RefundStatus
from storecore.ports import Signer, Unit
from storecore.recording import record
from storecore.shop import Shop


def cancel(unit: Unit, shop: Shop, signer: Signer, order: Order, *, by: Actor, note: str | None) -> Order:
    """Stop a locked order, give back what was paid, credit its invoice, and put its goods back on the shelf.

    Raises ``IllegalTransition``.
    """
    cancelled = order.cancel(by=by, at=unit.now, note=note)
    unit.orders.save(cancelled)
    if not order.is_paid:
        unit.coupons.give_back(order.id)
    cancelled, credit_note = _undo(unit, shop, cancelled)
    unit.outbox.add([letters.order_status(unit, shop, signer, cancelled, credit_note)])
    if not order.belongs_to(by):
        record(unit, by, "order.cancel", before=order, after=cancelled)
    moves = stock_moves(unit, cancelled, by, StockReason.CANCELLATION)
    restocked(unit, moves, unit.stock.move(moves, sold=True))
    return cancelled


def give_back(unit: Unit, order: Order, *, cause: RefundCause) -> Order:
    """Owe a locked, cancelled order's customer everything they paid through a provider; the worker tells it."""
    _owe(unit, order, cause)
    return order


def _undo(unit: Unit, shop: Shop, order: Order) -> tuple[Order, CreditNote | None]:
    """The order's money and its invoice. What was paid offline is handed back by people: the books say so at once."""
    refund = _owe(unit, order, RefundCause.CANCELLATION)
    if refund is None:
        return order, credit(unit, shop, order, None)
    if refund.payment_id is not None:
        return order, None
    order, _, note = settle(unit, shop, order, refund)
    return order, note


def _owe(unit: Unit, order: Order, cause: RefundCause) -> Refund | None:
    if not order.owed:
        return None
    payment = payment_of(unit, order)
    shipping, shipping_tax = repaying.shipping_paid(order)
    refund = Refund(
        id=unit.new_id(),
        order_id=order.id,
        customer_id=order.customer_id,
        cause=cause,
        status=RefundStatus.APPROVED,
        items=repaying.whole(order),
        shipping=shipping,
        shipping_tax=shipping_tax,
        reason="",
        expect_return=False,
        created_at=unit.now,
        decided_at=unit.now,
        payment_id=payment.id if payment else None,
        payout_at=unit.now if payment else None,
    )
    unit.refunds.add(refund)
    return refund
