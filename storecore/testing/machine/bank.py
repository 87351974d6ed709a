"""The machine's own payment provider: it does what it is told, forgets nothing, and can be out of reach."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from storecore.errors import EventForged, ProviderDown
from storecore.money import Money
from storecore.orders.model import Order
from storecore.orders.payment import Outcome, Payment, PaymentState, ProviderEvent
from storecore.orders.refund import Refund

NAME = "machine"
"""What the store calls it."""

SIGNED: Mapping[str, str] = MappingProxyType({"Signature": "the bank"})
_ACTION: Mapping[str, str] = MappingProxyType({"type": "redirect", "url": "https://bank.example/"})


class Card(StrEnum):
    """The token that stands for a card: what happens to it."""

    GOOD = "good"
    DECLINED = "declined"
    SECOND_STEP = "second step"


class Trouble(StrEnum):
    """What goes wrong with one of the bank's methods: nothing is done, or it is done and the answer is lost."""

    DOWN = "down"
    MUTE = "mute"


@dataclass(eq=False)
class Account:
    """What the bank knows of one payment: ``taken`` and ``given_back`` (by refund) in minor units."""

    order_id: str
    payment_id: str
    amount: Money
    state: PaymentState = PaymentState.ACTION_NEEDED
    challenged: bool = False
    taken: int = 0
    given_back: dict[str, int] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The bank's own id of the payment."""
        return f"bank-{self.payment_id}"

    @property
    def outcome(self) -> Outcome:
        """How it stands."""
        return Outcome(
            state=self.state,
            amount=Money(self.taken, self.amount.currency) if self.state is PaymentState.SUCCEEDED else None,
            failure="No." if self.state is PaymentState.FAILED else None,
            action=_ACTION,
        )


class Bank:
    """The ``PaymentProvider`` port. It gives back whatever it is asked for: whether that was right, the books say."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.told: list[bytes] = []
        self._trouble: tuple[str, Trouble] | None = None

    @contextmanager
    def troubled(self, trouble: tuple[str, Trouble] | None) -> Iterator[None]:
        """For a while, one of the methods goes wrong."""
        self._trouble = trouble
        try:
            yield
        finally:
            self._trouble = None

    def of_order(self, order_id: str) -> list[Account]:
        """Every attempt to pay an order that the bank has heard of."""
        return [account for account in self.accounts.values() if account.order_id == order_id]

    def approve(self, account: Account, *, approved: bool) -> None:
        """The second step: the customer says yes or no."""
        if account.challenged and account.state is PaymentState.ACTION_NEEDED:
            self._end(account, PaymentState.SUCCEEDED if approved else PaymentState.FAILED)

    def prepare(self, payment: Payment, order: Order) -> str:
        """The same reference for the same payment."""
        with self._answering("prepare"):
            account = self.accounts.setdefault(payment.id, Account(order.id, payment.id, payment.amount))
            return account.reference

    def take(self, payment: Payment, token: str | None) -> Outcome:
        """``token`` is a ``Card``."""
        with self._answering("take"):
            account = self.accounts[payment.id]
            if account.state is PaymentState.ACTION_NEEDED and token == Card.SECOND_STEP:
                account.challenged = True
                self._tell(account)
            elif account.state is PaymentState.ACTION_NEEDED and not account.challenged:
                self._end(account, PaymentState.SUCCEEDED if token == Card.GOOD else PaymentState.FAILED)
            return account.outcome

    def look_up(self, payment: Payment) -> Outcome:
        """How it stands."""
        with self._answering("look_up"):
            return self.accounts[payment.id].outcome

    def abandon(self, payment: Payment) -> Outcome:
        """Never take it, unless it was taken."""
        with self._answering("abandon"):
            account = self.accounts[payment.id]
            if account.state is PaymentState.ACTION_NEEDED:
                self._end(account, PaymentState.FAILED)
            return account.outcome

    def give_back(self, refund: Refund, payment: Payment) -> None:
        """Once for the same refund."""
        with self._answering("give_back"):
            self.accounts[payment.id].given_back.setdefault(refund.id, refund.amount.minor)

    def read_event(self, headers: Mapping[str, str], body: bytes, at: datetime) -> ProviderEvent:  # noqa: ARG002 - the port's
        """Raises ``EventForged`` for what is not ``SIGNED``; nothing is ever too old."""
        if dict(headers) != SIGNED:
            raise EventForged()
        told = json.loads(body)
        account = self.accounts[told["payment"]]
        then = Account(account.order_id, account.payment_id, account.amount, PaymentState(told["state"]))
        then.taken = told["taken"]
        return ProviderEvent(reference=account.reference, outcome=then.outcome)

    def _end(self, account: Account, state: PaymentState) -> None:
        account.state = state
        account.taken = account.amount.minor if state is PaymentState.SUCCEEDED else 0
        self._tell(account)

    def _tell(self, account: Account) -> None:
        told = {"payment": account.payment_id, "state": account.state, "taken": account.taken}
        self.told.append(json.dumps(told).encode())

    @contextmanager
    def _answering(self, method: str) -> Iterator[None]:
        if self._trouble == (method, Trouble.DOWN):
            raise ProviderDown("The bank does not answer.")
        yield
        if self._trouble == (method, Trouble.MUTE):
            raise ProviderDown("The bank's answer was lost.")
