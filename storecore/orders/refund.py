"""A refund: what is given back for an order, by whose decision, and the credit note that says so in the books."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from storecore import checks
from storecore.accounts.model import Actor
from storecore.errors import AlreadyDecided, Forbidden, IllegalTransition
from storecore.money import Money, total
from storecore.orders.model import Party
from storecore.versioned import Versioned


class RefundStatus(StrEnum):
    """Where a refund is."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    RECEIVED = "received"
    REFUNDED = "refunded"


NEXT: Mapping[RefundStatus, frozenset[RefundStatus]] = MappingProxyType(
    {
        RefundStatus.REQUESTED: frozenset({RefundStatus.APPROVED, RefundStatus.REJECTED, RefundStatus.WITHDRAWN}),
        RefundStatus.APPROVED: frozenset({RefundStatus.RECEIVED, RefundStatus.REFUNDED}),
        RefundStatus.RECEIVED: frozenset({RefundStatus.REFUNDED}),
        RefundStatus.REJECTED: frozenset(),
        RefundStatus.WITHDRAWN: frozenset(),
        RefundStatus.REFUNDED: frozenset(),
    }
)


APPROVED = frozenset({RefundStatus.APPROVED, RefundStatus.RECEIVED, RefundStatus.REFUNDED})
"""A refund that somebody has agreed to: its amount is settled."""

OPEN = APPROVED | {RefundStatus.REQUESTED}
"""A refund that keeps its units from being asked for again."""


class RefundCause(StrEnum):
    """Why money goes back: the customer asked, the order was cancelled, or its payment came after that."""

    RETURN = "return"
    CANCELLATION = "cancellation"
    LATE_PAYMENT = "late_payment"


class Disposition(StrEnum):
    """What became of goods that came back."""

    RESTOCK = "restock"
    SCRAP = "scrap"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundItem:
    """So many units of one order line, and what was really paid for them, ``tax`` being inside ``amount``."""

    line_id: str
    product_id: str
    quantity: int
    amount: Money
    tax: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund(Versioned):
    """What is asked for, decided and given back. While requested, amounts are what an approval would give now.

    ``shipping`` is the part for shipping, ``shipping_tax`` inside it. ``payment_id`` is the payment that the money goes
    back through, None for offline orders. At ``payout_at`` the worker tells the provider; None: nothing is owed now.
    ``decided_at`` is also when it was withdrawn.
    """

    id: str
    order_id: str
    customer_id: str | None
    cause: RefundCause = RefundCause.RETURN
    status: RefundStatus = RefundStatus.REQUESTED
    items: tuple[RefundItem, ...]
    shipping: Money
    shipping_tax: Money
    reason: str = field(repr=False)
    expect_return: bool = True
    disposition: Disposition | None = None
    decision_note: str | None = field(default=None, repr=False)
    decided_by: str | None = None
    created_at: datetime
    decided_at: datetime | None = None
    received_at: datetime | None = None
    refunded_at: datetime | None = None
    payment_id: str | None = None
    payout_at: datetime | None = None
    payout_problem: str | None = None
    version: int = 1

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "reason", checks.text(self.reason, "reason", most=2000, least=0, lines=True))
        set_(self, "decision_note", checks.optional(self.decision_note, "note", most=2000, lines=True))

    @property
    def amount(self) -> Money:
        """Everything that is given back, tax included."""
        return total((item.amount for item in self.items), self.shipping.currency) + self.shipping

    @property
    def tax(self) -> Money:
        """The tax inside ``amount``."""
        return total((item.tax for item in self.items), self.shipping.currency) + self.shipping_tax

    @property
    def quantities(self) -> dict[str, int]:
        """Units by order line."""
        return {item.line_id: item.quantity for item in self.items}

    @property
    def is_open(self) -> bool:
        """Whether something is still to happen: a decision, goods on their way back, or money."""
        return bool(NEXT[self.status])

    @property
    def owed_since(self) -> datetime | None:
        """When its money became due; None while it is not."""
        if self.status is RefundStatus.RECEIVED:
            return self.received_at
        return self.decided_at if self.status is RefundStatus.APPROVED and not self.expect_return else None

    def belongs_to(self, by: Actor) -> bool:
        """Whether ``by`` owns its order: the customer, or whoever holds the order's signed token."""
        if by.id is not None:
            return by.id == self.customer_id
        return getattr(by, "order_id", None) == self.order_id

    def approve(
        self,
        *,
        by: Actor,
        at: datetime,
        items: tuple[RefundItem, ...],
        shipping: Money,
        shipping_tax: Money,
        note: str | None = None,
        expect_return: bool = True,
    ) -> Self:
        """Agree to it, with the amounts that hold now. Raises ``AlreadyDecided``, ``Forbidden`` for one's own."""
        return self._decide(
            RefundStatus.APPROVED,
            by=by,
            at=at,
            note=note,
            items=items,
            shipping=shipping,
            shipping_tax=shipping_tax,
            expect_return=expect_return,
        )

    def reject(self, *, by: Actor, at: datetime, note: str | None = None) -> Self:
        """Refuse it; its units may be asked for again. Raises ``AlreadyDecided``, ``Forbidden`` for one's own."""
        return self._decide(RefundStatus.REJECTED, by=by, at=at, note=note)

    def withdraw(self, *, at: datetime) -> Self:
        """Its owner has thought better of it. Raises ``AlreadyDecided``."""
        self._expect_open()
        return self._become(RefundStatus.WITHDRAWN, decided_at=at)

    def receive(self, *, at: datetime, disposition: Disposition) -> Self:
        """The goods are back. Raises ``AlreadyDecided`` the second time, ``IllegalTransition`` if none are expected."""
        if self.disposition is not None:
            raise AlreadyDecided("These goods were received before.")
        if self.status is not RefundStatus.APPROVED or not self.expect_return:
            raise IllegalTransition(f"The refund is {self.status}; no goods are expected back for it.")
        return self._become(RefundStatus.RECEIVED, received_at=at, disposition=disposition)

    def owe(self, *, payment_id: str | None, at: datetime) -> Self:
        """The money is due, through this payment: the worker is to give it back."""
        return replace(self, payment_id=payment_id, payout_at=at)

    def paid_out(self, *, at: datetime) -> Self:
        """The money is back with the customer."""
        return self._become(RefundStatus.REFUNDED, refunded_at=at, payout_at=None, payout_problem=None)

    def not_paid_out(self, problem: str, *, again_at: datetime) -> Self:
        """The provider did not give the money back; staff can see why, and it is tried again."""
        return replace(self, payout_problem=problem[:500], payout_at=again_at, version=self.version + 1)

    def erased(self) -> Self:
        """The refund without what was said about it, by either side."""
        return replace(self, reason="", decision_note=None, version=self.version + 1)

    def _decide(self, to: RefundStatus, *, by: Actor, at: datetime, note: str | None, **changes: Any) -> Self:
        if by.id is not None and by.id == self.customer_id:
            raise Forbidden("Nobody decides a refund of their own order.")
        self._expect_open()
        return self._become(to, decided_by=by.id, decided_at=at, decision_note=note, **changes)

    def _expect_open(self) -> None:
        if self.status is not RefundStatus.REQUESTED:
            raise AlreadyDecided(f"The refund is {self.status} already.")

    def _become(self, to: RefundStatus, **changes: Any) -> Self:
        if to not in NEXT[self.status]:
            raise IllegalTransition(f"The refund is {self.status}; it can't become {to}.")
        return replace(self, status=to, version=self.version + 1, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """An issued credit note. ``sequence`` is gapless from 1; ``refund_id`` is None for an order cancelled unpaid."""

    id: str
    sequence: int
    order_id: str
    refund_id: str | None
    issued_at: datetime
    seller: Party
    buyer: Party = field(repr=False)
    total: Money
    tax: Money

    @property
    def number(self) -> str:
        """The number as printed: ``CN-000042``."""
        return f"CN-{self.sequence:06d}"
