"""A refund: what is given back for an order, by whose decision, and the credit note that says so in the books."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from storecore.money import Money, total
from storecore.orders.model import Party


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
class Refund:
    """What is asked for, decided and given back. While requested, amounts are what an approval would give now.

    ``shipping`` is the part for shipping, ``shipping_tax`` inside it. ``payment_id`` is the payment that the money goes
    back through, None for offline orders. At ``payout_at`` the worker tells the provider; None: nothing is owed now.
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
    refunded_at: datetime | None = None
    payment_id: str | None = None
    payout_at: datetime | None = None
    payout_problem: str | None = None
    version: int = 1

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
