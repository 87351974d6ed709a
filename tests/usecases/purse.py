"""A payment provider to test with: it gives back what it is told to, once for a refund, unless it is out of order."""

from collections.abc import Mapping
from datetime import datetime

from storecore.accounts.model import SYSTEM
from storecore.errors import StoreError
from storecore.money import Money
from storecore.orders.model import OFFLINE, Order
from storecore.orders.payment import Outcome, Payment, PaymentState, ProviderEvent
from storecore.orders.refund import Refund
from storecore.store import Store


class Purse:
    """The ``PaymentProvider`` port, as far as giving back goes. ``trouble`` is raised by the next calls, one each."""

    def __init__(self) -> None:
        self.given_back: dict[str, Money] = {}
        self.calls = 0
        self.trouble: list[Exception] = []
        self.forgetful: list[StoreError] = []
        """Raised after the money is back: the answer got lost."""

    def prepare(self, payment: Payment, order: Order) -> str:
        return payment.id

    def take(self, payment: Payment, token: str | None) -> Outcome:
        return Outcome(state=PaymentState.SUCCEEDED, amount=payment.amount)

    def look_up(self, payment: Payment) -> Outcome:
        return Outcome(state=payment.state)

    def abandon(self, payment: Payment) -> Outcome:
        return Outcome(state=payment.state)

    def give_back(self, refund: Refund, payment: Payment) -> None:
        self.calls += 1
        assert (payment.id, payment.order_id) == (refund.payment_id, refund.order_id)
        if self.trouble:
            raise self.trouble.pop(0)
        self.given_back.setdefault(refund.id, refund.amount)
        if self.forgetful:
            raise self.forgetful.pop(0)

    def read_event(self, headers: Mapping[str, str], body: bytes, at: datetime) -> ProviderEvent | None:
        return None


def with_purse(store: Store, purse: Purse, name: str = "purse") -> Store:
    """The same store, with a provider."""
    return Store(**{**store.ports, "providers": {name: purse}})


def pay_online(store: Store, order: Order, name: str = "purse") -> Order:
    """The order as if its money had just come through a provider."""
    with store.storage.writing(store.clock(), store.ports["new_id"]) as unit:
        found = unit.orders.locked(order.id)
        assert found.payment_provider == OFFLINE
        waiting = found.await_payment(name, pay_by=None)
        unit.orders.save(waiting)
        payment = Payment(id=unit.new_id(), order_id=order.id, provider=name, amount=order.total, created_at=unit.now)
        unit.payments.add(payment)
        taken = Outcome(state=PaymentState.SUCCEEDED, amount=order.total)
        unit.payments.save(payment.settled(taken, check_at=None))
        paid = waiting.capture(by=SYSTEM, at=unit.now)
        unit.orders.save(paid)
        unit.commit()
    return paid
