"""Stopping an order: the steps that customers, staff and the clock share."""

from storecore.accounts.model import Actor
from storecore.catalog.alerts import restocked
from storecore.catalog.model import StockReason
from storecore.orders import letters
from storecore.orders.model import Order
from storecore.orders.moves import stock_moves
from storecore.orders.payment import PaymentState
from storecore.orders.refund import Refund, RefundCause, RefundItem, RefundStatus
from storecore.ports import Signer, Unit
from storecore.shop import Shop


def cancel(unit: Unit, shop: Shop, signer: Signer, order: Order, *, by: Actor, note: str | None) -> Order:
    """Stop a locked order, give back what was paid, and put its goods back on the shelf.

    Raises ``IllegalTransition``.
    """
    cancelled = order.cancel(by=by, at=unit.now, note=note)
    unit.orders.save(cancelled)
    unit.outbox.add([letters.order_status(unit, shop, signer, cancelled)])
    if not order.is_paid:
        unit.coupons.give_back(order.id)
    cancelled = give_back(unit, cancelled, cause=RefundCause.CANCELLATION)
    moves = stock_moves(unit, cancelled, by, StockReason.CANCELLATION)
    restocked(unit, moves, unit.stock.move(moves, sold=True))
    return cancelled


def give_back(unit: Unit, order: Order, *, cause: RefundCause) -> Order:
    """Owe a locked, cancelled order's customer everything they paid; the worker tells the provider.

    What was paid offline is handed back by people, so that the books say so at once.
    """
    if not order.owed:
        return order
    payments = unit.payments.of_order(order.id)
    payment = next((each for each in payments if each.state is PaymentState.SUCCEEDED), None)
    refund = Refund(
        id=unit.new_id(),
        order_id=order.id,
        customer_id=order.customer_id,
        cause=cause,
        status=RefundStatus.APPROVED if payment else RefundStatus.REFUNDED,
        items=tuple(
            RefundItem(
                line_id=line.id, product_id=line.product_id, quantity=line.quantity, amount=line.total, tax=line.tax
            )
            for line in sorted(order.lines, key=lambda line: line.id)
        ),
        shipping=order.shipping if order.tax_included else order.shipping + order.shipping_tax,
        shipping_tax=order.shipping_tax,
        reason="",
        expect_return=False,
        created_at=unit.now,
        decided_at=unit.now,
        refunded_at=None if payment else unit.now,
        payment_id=payment.id if payment else None,
        payout_at=unit.now if payment else None,
    )
    unit.refunds.add(refund)
    if payment:
        return order
    refunded = order.refund(refund.amount)
    unit.orders.save(refunded)
    return refunded
