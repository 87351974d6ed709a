"""What a payment provider's word does to an order: the steps that paying, events and the worker share."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from storecore.accounts.model import SYSTEM
from storecore.errors import Invalid, ProviderDown
from storecore.orders import letters
from storecore.orders.cancelling import give_back
from storecore.orders.model import Order, PaymentStatus, Status
from storecore.orders.payment import Outcome, Payment, PaymentState
from storecore.orders.refund import RefundCause
from storecore.ports import PaymentProvider, Signer, Unit
from storecore.shop import Shop
from storecore.transactions import Activity, writing

log = logging.getLogger(__name__)

Question = Callable[[PaymentProvider, Payment], Outcome]

WRONG_AMOUNT = "Another amount was taken than was asked for; the shop has to look into it."


def settle(unit: Unit, shop: Shop, signer: Signer, payment_id: str, outcome: Outcome) -> tuple[Order, Payment]:
    """Write down how a payment stands; the order and the payment then. Told twice, too late or out of order: no effect.

    Money for an order that still waits confirms it; for one that was cancelled meanwhile it is owed back at once.
    Another amount than was asked for is never taken for a payment: it is logged, and people have to settle it.
    """
    order = unit.orders.locked(unit.payments.get(payment_id).order_id)
    payment = unit.payments.get(payment_id)
    if outcome.state is PaymentState.SUCCEEDED and outcome.amount != payment.amount:
        name = f"{payment.id} ({payment.provider} {payment.reference})"
        log.error("payment %s: %s was taken, not %s", name, outcome.amount, payment.amount)
        outcome = Outcome(state=PaymentState.FAILED, failure=WRONG_AMOUNT)
    settled = payment.settled(outcome, check_at=payment.next_check(unit.now))
    if settled is payment:
        return order, payment
    if settled.state is PaymentState.SUCCEEDED and _paid_otherwise(unit, order, payment):
        log.error("payment %s (%s %s) came on top of another", payment.id, payment.provider, payment.reference)
        return order, payment
    unit.payments.save(settled)
    if settled.state is PaymentState.SUCCEEDED:
        return capture(unit, shop, signer, order), settled
    if settled.state is PaymentState.FAILED and order.payment_status is PaymentStatus.PENDING:
        order = order.fail_payment()
        unit.orders.save(order)
    return order, settled


def capture(unit: Unit, shop: Shop, signer: Signer, order: Order) -> Order:
    """A locked order's money has arrived: confirm it and say so, or owe it back if it was cancelled."""
    captured = order.capture(by=SYSTEM, at=unit.now)
    unit.orders.save(captured)
    if captured.status is Status.CANCELLED:
        return give_back(unit, captured, cause=RefundCause.LATE_PAYMENT)
    if captured.status is not order.status:
        unit.outbox.add([letters.order_status(unit, shop, signer, captured)])
    return captured


def _paid_otherwise(unit: Unit, order: Order, payment: Payment) -> bool:
    """Whether this payment, given up before, was replaced by another one or by money in hand."""
    others = (other for other in unit.payments.of_order(order.id) if other.id != payment.id)
    return order.is_paid or any(other.state is not PaymentState.FAILED for other in others)


@dataclass(frozen=True, kw_only=True)
class Asking(Activity):
    """An activity that asks payment providers, outside any transaction."""

    providers: Mapping[str, PaymentProvider]
    signer: Signer
    shop: Shop

    def _answer(self, payment: Payment, order: Order, question: Question) -> Outcome:
        """What its provider answers about a payment, told of it first if need be. Raises ``ProviderDown``."""
        if (provider := self.providers.get(payment.provider)) is None:
            raise ProviderDown(f"The payment provider {payment.provider} is not set up.")
        if payment.reference is None:
            try:
                reference = provider.prepare(payment, order)
            except Invalid as refused:
                return Outcome(state=PaymentState.FAILED, failure=refused.message)
            payment = self._note_reference(payment_id=payment.id, reference=reference)
        return question(provider, payment)

    @writing
    def _note_reference(self, unit: Unit, *, payment_id: str, reference: str) -> Payment:
        """Write down what the provider calls a payment, before it is asked to take any money."""
        payment = unit.payments.get(payment_id)
        if payment.reference is not None:
            return payment
        prepared = payment.prepared(reference)
        unit.payments.save(prepared)
        return prepared


def abandon(provider: PaymentProvider, payment: Payment) -> Outcome:
    """The question that makes sure no money comes any more."""
    return provider.abandon(payment)
