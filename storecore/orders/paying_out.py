"""The worker's side of refunds: tell the payment provider, and write down that the money is back."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from storecore.errors import PayoutRefused, ProviderDown
from storecore.orders import letters
from storecore.orders.giving_back import settle
from storecore.orders.payment import Payment
from storecore.orders.refund import Refund, RefundStatus
from storecore.ports import PaymentProvider, Signer, Unit
from storecore.shop import Shop
from storecore.transactions import Activity, writing

LEASE = timedelta(minutes=5)
"""How long a worker has to give back what it took, before another may."""
FIRST_RETRY = timedelta(seconds=30)
SLOWEST_RETRY = timedelta(hours=1)
REFUSED_RETRY = timedelta(days=1)
"""A provider that refuses (an account without funds) is asked again that rarely."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PayingOut(Activity):
    """Money that is owed through a provider, given back once by any number of workers: the provider acts once for a
    refund, however often it is asked.
    """

    providers: Mapping[str, PaymentProvider]
    signer: Signer
    shop: Shop

    def pay_out(self, *, limit: int = 5) -> int:
        """Try each refund that is due, up to ``limit``; how many were tried. A failure is noted, never raised."""
        leased = self._lease(limit=limit)
        for refund, payment in leased:
            self._pay(refund, payment)
        return len(leased)

    def _pay(self, refund: Refund, payment: Payment) -> None:
        if (provider := self.providers.get(payment.provider)) is None:
            self._put_off(due=refund, problem=f"The payment provider {payment.provider} is not set up.")
            return
        try:
            provider.give_back(refund, payment)
        except PayoutRefused as refused:
            self._put_off(due=refund, problem=refused.message, wait=REFUSED_RETRY)
        except ProviderDown as down:
            self._put_off(due=refund, problem=down.message)
        except Exception as broken:
            log.exception("refund %s could not be paid out", refund.id)
            self._put_off(due=refund, problem=type(broken).__name__)
        else:
            self._settle(paid=refund)

    @writing
    def _lease(self, unit: Unit, *, limit: int) -> Sequence[tuple[Refund, Payment]]:
        due = unit.refunds.lease(unit.now, unit.now + LEASE, limit)
        return [(refund, unit.payments.get(refund.payment_id)) for refund in due if refund.payment_id]

    @writing
    def _settle(self, unit: Unit, *, paid: Refund) -> None:
        order = unit.orders.locked(paid.order_id)
        refund = unit.refunds.get(paid.id)
        if refund.status is RefundStatus.REFUNDED:
            return  # another worker was faster; the provider has paid once
        order, refund, note = settle(unit, self.shop, order, refund)
        unit.outbox.add([letters.refund_status(unit, self.shop, self.signer, order, refund=refund, credit_note=note)])

    @writing
    def _put_off(self, unit: Unit, *, due: Refund, problem: str, wait: timedelta | None = None) -> None:
        """Try again later: after as long as it has been tried already, from half a minute to an hour."""
        unit.orders.locked(due.order_id)
        refund = unit.refunds.get(due.id)
        if refund.payout_at is None:
            return  # another worker was luckier
        tried = unit.now - (refund.owed_since or unit.now)
        wait = wait or min(max(tried, FIRST_RETRY), SLOWEST_RETRY)
        unit.refunds.save(refund.not_paid_out(problem, again_at=unit.now + wait))
