"""What providers tell by themselves, and what the worker has to ask them: every payment comes to an end."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from storecore.accounts.model import SYSTEM
from storecore.errors import NotFound, ProviderDown, Unreadable
from storecore.orders.cancelling import cancel
from storecore.orders.model import NOT_PAID_IN_TIME, Order, Status
from storecore.orders.outcomes import Asking, abandon, settle
from storecore.orders.payment import Outcome, Payment, PaymentState, ProviderEvent
from storecore.ports import PaymentProvider, Unit
from storecore.transactions import reading, writing

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
"""How long a worker has to ask about a payment, before another may."""

WAIT_LONGER = timedelta(minutes=1)
"""How much longer an order waits whose provider does not answer when its time is up."""

UNFINISHED = "The payment was not finished; please try again."


@dataclass(frozen=True, kw_only=True)
class Settling(Asking):
    """The shop's side of payments, for webhooks and the worker."""

    def hear(self, *, provider: str, headers: Mapping[str, str], body: bytes) -> None:
        """A provider tells something by itself. What is unknown, old news or too late changes nothing.

        Raises ``NotFound`` for a provider that is not set up, ``EventForged``, and ``ProviderDown`` when a failure
        could not be made certain: the provider tells it again.
        """
        if (adapter := self.providers.get(provider)) is None:
            raise NotFound("There is no such payment provider.")
        event = adapter.read_event(headers, body, self.clock())
        if event is None:
            return
        payment = self._known(provider=provider, event=event)
        if payment is None:
            log.info("%s told of %s, which is not known here", provider, event.reference)
            return
        outcome = event.outcome
        if not payment.state.final and (outcome.state is PaymentState.FAILED or outcome.failure):
            outcome = _given_up(adapter, payment, outcome)
        self._settle(payment_id=payment.id, outcome=outcome)

    @reading
    def _known(self, unit: Unit, *, provider: str, event: ProviderEvent) -> Payment | None:
        return unit.payments.by_reference(provider, event.reference)

    def settle_due(self, *, limit: int = 5) -> int:
        """The worker's: ask about payments that are open; how many. One provider that is down ends the round."""
        for done in range(limit):
            leased = self._lease()
            if not leased:
                return done
            payment, order = leased[0], self._ordered(order_id=leased[0].order_id)
            unwanted = order.status is Status.CANCELLED
            try:
                outcome = self._answer(payment, order, abandon if unwanted else _look_up)
            except ProviderDown as down:
                log.warning("payment %s can't be looked up: %s", payment.id, down)
                self._ask_later(payment_id=payment.id)
                return done + 1
            self._settle(payment_id=payment.id, outcome=outcome)
        return limit

    @writing
    def _lease(self, unit: Unit) -> Sequence[Payment]:
        return unit.payments.lease(unit.now, unit.now + LEASE, 1)

    @writing
    def _ask_later(self, unit: Unit, *, payment_id: str) -> None:
        payment = unit.payments.get(payment_id)
        if not payment.state.final:
            same = Outcome(state=payment.state, failure=payment.failure)
            unit.payments.save(payment.settled(same, check_at=payment.next_check(unit.now)))

    @reading
    def _ordered(self, unit: Unit, *, order_id: str) -> Order:
        return unit.orders.get(order_id)

    def cancel_overdue(self, *, limit: int = 5) -> int:
        """The worker's: cancel orders whose money did not come in time; how many were looked at.

        Their payment is given up with the provider first, so that none comes later. A provider that is down gives the
        order a little longer, and ends the round.
        """
        overdue = self._overdue(limit=limit)
        for done, order_id in enumerate(overdue, start=1):
            try:
                payment, order = self._opened(order_id=order_id)
            except Unreadable:
                continue
            outcome = None
            try:
                if payment is not None:
                    outcome = self._answer(payment, order, abandon)
            except ProviderDown as down:
                log.warning("order %s waits longer for its payment: %s", order.number, down)
                self._wait_longer(order_id=order_id)
                return done
            self._time_out(order_id=order_id, payment_id=payment.id if payment else None, outcome=outcome)
        return len(overdue)

    @reading
    def _overdue(self, unit: Unit, *, limit: int) -> Sequence[str]:
        return unit.orders.overdue(unit.now, limit)

    @reading
    def _opened(self, unit: Unit, *, order_id: str) -> tuple[Payment | None, Order]:
        return _open(unit, order_id), unit.orders.get(order_id)

    @writing
    def _wait_longer(self, unit: Unit, *, order_id: str) -> None:
        order = unit.orders.locked(order_id)
        if order.pay_by is not None and order.pay_by <= unit.now:
            unit.orders.save(order.wait_for_payment(pay_by=unit.now + WAIT_LONGER))

    @writing
    def _time_out(self, unit: Unit, *, order_id: str, payment_id: str | None, outcome: Outcome | None) -> None:
        """Cancel the order, unless its money has come after all; one that has begun to pay again waits longer."""
        order = unit.orders.locked(order_id)
        if payment_id is not None and outcome is not None:
            order, _ = settle(unit, self.shop, self.signer, payment_id, outcome)
        if order.pay_by is None or order.pay_by > unit.now:
            return
        if _open(unit, order_id):
            unit.orders.save(order.wait_for_payment(pay_by=unit.now + WAIT_LONGER))
            return
        cancel(unit, self.shop, self.signer, order, by=SYSTEM, note=NOT_PAID_IN_TIME)

    @writing
    def _settle(self, unit: Unit, *, payment_id: str, outcome: Outcome) -> None:
        settle(unit, self.shop, self.signer, payment_id, outcome)


def _look_up(provider: PaymentProvider, payment: Payment) -> Outcome:
    """The question how an open payment stands. One whose customer never heard what to do, or was declined, is over."""
    outcome = provider.look_up(payment)
    if outcome.state is PaymentState.ACTION_NEEDED and (payment.state is PaymentState.SUBMITTED or outcome.failure):
        return _given_up(provider, payment, outcome)
    return outcome


def _given_up(provider: PaymentProvider, payment: Payment, outcome: Outcome) -> Outcome:
    """What the provider says when told never to take it any more: a failure that is for good, or money after all."""
    certain = provider.abandon(payment)
    if certain.state is not PaymentState.FAILED:
        return certain
    return replace(certain, failure=outcome.failure or UNFINISHED)


def _open(unit: Unit, order_id: str) -> Payment | None:
    return next((payment for payment in unit.payments.of_order(order_id) if not payment.state.final), None)
