"""Paying an order through a provider: begin, ask the provider outside any transaction, settle."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from types import MappingProxyType

from storecore import checks
from storecore.accounts.model import Actor
from storecore.errors import AlreadyPaid, NotFound, PaymentInProgress, ProviderDown
from storecore.orders.model import Order
from storecore.orders.outcomes import Asking, abandon, capture, settle
from storecore.orders.payment import FIRST_CHECK, Outcome, Payment, PaymentState
from storecore.ports import PaymentProvider, Unit
from storecore.transactions import Once, reading, writing

log = logging.getLogger(__name__)

LONGEST_TOKEN = 500
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of an attempt to pay: the order now, and the payment, None where there was nothing to pay.

    ``action`` is what the customer has to do while the payment is ``action_needed``.
    """

    order: Order
    payment: Payment | None = None
    action: Mapping[str, str] = field(default_factory=lambda: _NOTHING, hash=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Paying(Asking):
    """The customer's side of a payment. However often it is asked for, money is taken once."""

    def pay(
        self,
        *,
        by: Actor,
        order_id: str,
        provider: str,
        token: str | None = None,
        if_version: int | None = None,
        once: Once | None = None,
    ) -> Attempt:
        """The owner pays a pending order. ``token`` stands for a card; without it the provider's own form is needed.

        A refusal is no error: the payment is ``failed``, says why, and another one may be tried. A provider that does
        not answer leaves it ``submitted``: the worker finds out, and so does the same request sent again. A payment
        that waits for the customer is given up for a new one.

        Raises ``AlreadyPaid``, ``PaymentInProgress``, ``IllegalTransition``, ``NotFound``, ``PreconditionFailed``,
        ``Invalid``; ``ProviderDown`` when an older payment could not be given up.
        """
        if provider not in self.providers:
            raise checks.refuse("provider", "is not known here")
        token = checks.optional(token, "token", most=LONGEST_TOKEN)
        if once is not None:
            self._replay(once=once)
        key = _attempt_key(once)
        for _ in range(3):
            order, payment = self._begin(by=by, order_id=order_id, provider=provider, key=key, if_version=if_version)
            if payment is None:
                return self._capture(order_id=order_id, once=once)
            if payment.state is not PaymentState.ACTION_NEEDED or _ours(payment, key):
                break
            self._conclude(payment_id=payment.id, outcome=self._answer(payment, order, abandon), once=None)
            if_version = None  # it was the caller's, before the older payment was given up
        else:
            raise PaymentInProgress()
        try:
            outcome = None if payment.state.final else self._answer(payment, order, partial(_take, token=token))
        except ProviderDown as down:
            log.warning("payment %s is left to the worker: %s", payment.id, down)
            outcome = None
        if outcome is None:
            return self._standing(payment_id=payment.id, once=once)
        return self._conclude(payment_id=payment.id, outcome=outcome, once=once)

    @reading
    def _replay(self, unit: Unit, *, once: Once | None) -> None:
        """Answer at once what was carried out before."""

    @writing
    def _begin(
        self, unit: Unit, *, by: Actor, order_id: str, provider: str, key: bytes | None, if_version: int | None
    ) -> tuple[Order, Payment | None]:
        """The payment to go on with: this request's own, another one that waits for the customer, or a new one.

        None when the order costs nothing.
        """
        order = unit.orders.locked(order_id)
        if not order.belongs_to(by):
            raise NotFound("There is no such order.")
        payments = unit.payments.of_order(order_id)
        if own := next((payment for payment in payments if _ours(payment, key)), None):
            return order, own
        order.expect(if_version)
        if order.is_paid:
            raise AlreadyPaid()
        opened = next((payment for payment in payments if not payment.state.final), None)
        if opened and opened.state is PaymentState.ACTION_NEEDED:
            return order, opened
        if opened:
            raise PaymentInProgress()
        pay_by = order.pay_by or unit.now + self.shop.payment_timeout
        awaiting = order.await_payment(provider, pay_by=pay_by)
        if not order.total:
            return order, None
        payment = Payment(
            id=unit.new_id(),
            order_id=order_id,
            provider=provider,
            amount=order.total,
            attempt_key=key,
            check_at=unit.now + FIRST_CHECK,
            created_at=unit.now,
        )
        unit.orders.save(awaiting)
        unit.payments.add(payment)
        return awaiting, payment

    @writing
    def _conclude(self, unit: Unit, *, payment_id: str, outcome: Outcome, once: Once | None) -> Attempt:
        order, payment = settle(unit, self.shop, self.signer, payment_id, outcome)
        waits = payment.state is PaymentState.ACTION_NEEDED
        return Attempt(order=order, payment=payment, action=outcome.action if waits else _NOTHING)

    @reading
    def _standing(self, unit: Unit, *, payment_id: str, once: Once | None) -> Attempt:
        """How it stands. This is not kept as the answer of the request, which may be sent again to hear more."""
        payment = unit.payments.get(payment_id)
        return Attempt(order=unit.orders.get(payment.order_id), payment=payment)

    @writing
    def _capture(self, unit: Unit, *, order_id: str, once: Once | None) -> Attempt:
        order = unit.orders.locked(order_id)
        if order.is_paid:
            raise AlreadyPaid()
        return Attempt(order=capture(unit, self.shop, self.signer, order))


def _take(provider: PaymentProvider, payment: Payment, *, token: str | None) -> Outcome:
    """The question that takes the money, unless that was done before; one given up meanwhile is looked up."""
    if payment.state is PaymentState.SUBMITTED:
        return provider.take(payment, token)
    return provider.look_up(payment)


def _attempt_key(once: Once | None) -> bytes | None:
    if once is None:
        return None
    return sha256("\0".join([once.scope, once.key, once.fingerprint.hex()]).encode()).digest()


def _ours(payment: Payment, key: bytes | None) -> bool:
    """Whether this very request, sent before, began the payment."""
    return key is not None and payment.attempt_key == key
