"""An order: frozen amounts, a state machine printed as a table, and everything that happened to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from storecore import checks
from storecore.accounts.model import ERASED, Actor, Address
from storecore.errors import AlreadyPaid, IllegalTransition
from storecore.money import Money, total
from storecore.pricing import Step
from storecore.versioned import Versioned

NUMBER_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0 and O, no 1, I and L, and no U, so that numbers can be read aloud and spell nothing."""


class Status(StrEnum):
    """Where an order is."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


NEXT: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.PENDING: frozenset({Status.CONFIRMED, Status.CANCELLED}),
        Status.CONFIRMED: frozenset({Status.PROCESSING, Status.CANCELLED}),
        Status.PROCESSING: frozenset({Status.SHIPPED, Status.CANCELLED}),
        Status.SHIPPED: frozenset({Status.DELIVERED}),
        Status.DELIVERED: frozenset(),
        Status.CANCELLED: frozenset(),
    }
)


class PaymentStatus(StrEnum):
    """Where an order's money is."""

    UNPAID = "unpaid"
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"


_PAID = frozenset({PaymentStatus.PAID, PaymentStatus.PARTLY_REFUNDED, PaymentStatus.REFUNDED})

OFFLINE = "offline"
"""The payment provider that is none: on delivery or by invoice, recorded by staff."""

NOT_PAID_IN_TIME = "It was not paid in time."
"""What the history says of an order that the worker cancelled."""


NOWHERE = "nobody@erased.invalid"
"""Where mail about an order goes whose customer was erased: nowhere (RFC 2606)."""


def order_number(random: bytes) -> str:
    """A short number for people, such as ``S-7F3K-2Q9D``: unguessable, and no counter to queue on.

    Takes 16 random bytes, which makes the bias of the remainder too small to measure.
    """
    value, letters = int.from_bytes(random, "big"), ""
    for _ in range(8):
        value, digit = divmod(value, len(NUMBER_ALPHABET))
        letters += NUMBER_ALPHABET[digit]
    return f"S-{letters[:4]}-{letters[4:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """What was bought, as it was when it was bought: ``total = unit_price * quantity - discount + tax``.

    Tax is already inside the prices when the order's ``tax_included`` says so. ``cost`` is for one unit.
    """

    id: str
    product_id: str
    sku: str
    name: str
    quantity: int
    unit_price: Money
    product_discount: Money
    order_discount: Money
    tax_class: str
    tax_rate: Decimal
    tax: Money
    total: Money
    cost: Money

    @property
    def discount(self) -> Money:
        """Everything taken off this line."""
        return self.product_discount + self.order_discount

    @property
    def goods(self) -> Money:
        """What the line's goods cost after discounts, before added tax."""
        return self.unit_price * self.quantity - self.discount


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """The order reached a status, at a time, because of somebody (None: a guest or the shop itself)."""

    status: Status
    at: datetime
    actor_id: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Versioned):
    """A placed order. Amounts, names and rates are frozen; only its state moves.

    ``customer_id`` is None for guests; ``email`` is where its mail goes. ``total = subtotal - discount + shipping
    + tax``, without ``tax`` when ``tax_included``. ``refunded`` is what was given back of it. While a provider is
    waited for, ``pay_by`` is when that ends.
    """

    id: str
    number: str
    customer_id: str | None
    customer_name: str = field(repr=False)
    email: str = field(repr=False)
    status: Status = Status.PENDING
    payment_status: PaymentStatus = PaymentStatus.UNPAID
    payment_provider: str = OFFLINE
    pay_by: datetime | None = None
    lines: tuple[OrderLine, ...]
    subtotal: Money
    discount: Money
    shipping: Money
    shipping_tax: Money
    shipping_tax_rate: Decimal
    tax: Money
    total: Money
    refunded: Money
    tax_included: bool
    coupon_id: str | None = None
    coupon_code: str | None = None
    explanation: tuple[Step, ...] = ()
    rules: str
    delivery_address: Address = field(repr=False)
    note: str | None = field(default=None, repr=False)
    eta: datetime
    carrier: str | None = None
    tracking_number: str | None = None
    history: tuple[HistoryEntry, ...]
    created_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "note", checks.optional(self.note, "note", most=2000, lines=True))
        set_(self, "carrier", checks.optional(self.carrier, "carrier", most=100))
        set_(self, "tracking_number", checks.optional(self.tracking_number, "tracking_number", most=100))

    @property
    def currency(self) -> str:
        """The currency of every amount in here."""
        return self.total.currency

    @property
    def quantities(self) -> dict[str, int]:
        """Units by product."""
        return {line.product_id: line.quantity for line in self.lines}

    @property
    def tax_by_rate(self) -> list[tuple[Decimal, Money, Money]]:
        """For the invoice: (rate, net without tax, tax) for each rate, lowest first."""
        parts = [(line.tax_rate, line.goods, line.tax) for line in self.lines]
        if self.shipping:
            parts.append((self.shipping_tax_rate, self.shipping, self.shipping_tax))
        rows = []
        for rate in sorted({rate for rate, _, _ in parts}):
            tax = total((tax for r, _, tax in parts if r == rate), self.currency)
            base = total((base for r, base, _ in parts if r == rate), self.currency)
            rows.append((rate, base - tax if self.tax_included else base, tax))
        return rows

    def belongs_to(self, by: Actor) -> bool:
        """Whether ``by`` is its owner: the customer, or whoever holds the order's signed token."""
        if by.id is not None:
            return by.id == self.customer_id
        return getattr(by, "order_id", None) == self.id

    def confirm(self, *, by: Actor, at: datetime, note: str | None = None) -> Self:
        """Staff accept an order that is paid offline, or was paid. Raises ``IllegalTransition``."""
        if self.payment_provider != OFFLINE and not self.is_paid and self.status is Status.PENDING:
            raise IllegalTransition("The order waits for its payment, which confirms it.")
        return self._move(Status.CONFIRMED, by=by, at=at, note=note)

    def process(self, *, by: Actor, at: datetime, note: str | None = None) -> Self:
        """The warehouse begins to pack. Raises ``IllegalTransition``."""
        return self._move(Status.PROCESSING, by=by, at=at, note=note)

    def ship(
        self,
        *,
        by: Actor,
        at: datetime,
        note: str | None = None,
        carrier: str | None = None,
        tracking_number: str | None = None,
    ) -> Self:
        """It left the warehouse. Raises ``IllegalTransition``."""
        return self._move(Status.SHIPPED, by=by, at=at, note=note, carrier=carrier, tracking_number=tracking_number)

    def deliver(self, *, by: Actor, at: datetime, note: str | None = None) -> Self:
        """The customer has it; an order paid on delivery is paid now. Raises ``IllegalTransition``."""
        delivered = self._move(Status.DELIVERED, by=by, at=at, note=note)
        if delivered.payment_provider == OFFLINE and delivered.payment_status is PaymentStatus.UNPAID:
            return replace(delivered, payment_status=PaymentStatus.PAID)
        return delivered

    def cancel(self, *, by: Actor, at: datetime, note: str | None = None) -> Self:
        """Stop the order; only before it leaves the warehouse. Raises ``IllegalTransition``.

        Money that was paid is owed back: see :attr:`owed`.
        """
        return self._move(Status.CANCELLED, by=by, at=at, note=note, pay_by=None)

    @property
    def delivered_at(self) -> datetime | None:
        """When the customer got it."""
        return next((entry.at for entry in self.history if entry.status is Status.DELIVERED), None)

    @property
    def is_paid(self) -> bool:
        """Whether its money has arrived, whatever was given back since."""
        return self.payment_status in _PAID

    @property
    def counts(self) -> bool:
        """Whether its goods count as bought: it was not cancelled, nor was all of its money given back."""
        return self.status is not Status.CANCELLED and self.payment_status is not PaymentStatus.REFUNDED

    @property
    def owed(self) -> Money:
        """What a cancelled order's customer gets back, and has not yet."""
        owed = self.is_paid and self.status is Status.CANCELLED
        return self.total - self.refunded if owed else Money.zero(self.currency)

    def await_payment(self, provider: str, *, pay_by: datetime | None) -> Self:
        """A payment with a provider has begun. Raises ``AlreadyPaid``, ``IllegalTransition`` once it is not pending."""
        if self.is_paid:
            raise AlreadyPaid()
        if self.status is not Status.PENDING:
            raise IllegalTransition(f"An order is paid online while it is pending; this one is {self.status}.")
        return replace(
            self,
            payment_provider=provider,
            payment_status=PaymentStatus.PENDING,
            pay_by=pay_by,
            version=self.version + 1,
        )

    def wait_for_payment(self, *, pay_by: datetime) -> Self:
        """Nobody can tell yet whether its money has come: wait a little longer."""
        return replace(self, pay_by=pay_by, version=self.version + 1)

    def capture(self, *, by: Actor, at: datetime) -> Self:
        """The provider has taken the money: a pending order is confirmed, a cancelled one owes it back."""
        paid = replace(self, payment_status=PaymentStatus.PAID, pay_by=None)
        if self.status is Status.PENDING:
            return paid._move(Status.CONFIRMED, by=by, at=at, note=None)
        return replace(paid, version=self.version + 1)

    def fail_payment(self) -> Self:
        """The payment came to nothing; another one may be tried."""
        return replace(self, payment_status=PaymentStatus.FAILED, version=self.version + 1)

    def record_payment(self) -> Self:
        """Money was handed over. Raises ``AlreadyPaid``, ``IllegalTransition`` for a cancelled order."""
        if self.status is Status.CANCELLED:
            raise IllegalTransition("A cancelled order can't be paid.")
        if self.payment_status is PaymentStatus.PENDING:
            raise IllegalTransition("A payment of this order is under way.")
        if self.payment_status not in {PaymentStatus.UNPAID, PaymentStatus.FAILED}:
            raise AlreadyPaid()
        return replace(
            self,
            payment_provider=OFFLINE,
            payment_status=PaymentStatus.PAID,
            pay_by=None,
            version=self.version + 1,
        )

    def refund(self, amount: Money) -> Self:
        """So much was given back. Raises ``ValueError`` for more than was paid."""
        refunded = self.refunded + amount
        if not self.is_paid or refunded > self.total or amount.minor < 0:
            raise ValueError(f"{amount} can't be given back for an order of {self.total} that is {self.payment_status}")
        part = PaymentStatus.PARTLY_REFUNDED if refunded else PaymentStatus.PAID
        status = PaymentStatus.REFUNDED if refunded == self.total else part
        return replace(self, refunded=refunded, payment_status=status, version=self.version + 1)

    def amend(self, **changes: Any) -> Self:
        """Another ``delivery_address`` or ``note``, while nobody has begun to work on it.

        Raises ``IllegalTransition`` later on, ``TypeError`` for any other field: what was bought is frozen.
        """
        if not changes.keys() <= {"delivery_address", "note"}:
            raise TypeError(f"an order's {', '.join(changes)} can't be amended")
        if self.status is not Status.PENDING:
            raise IllegalTransition(f"An order can be changed while it is pending; this one is {self.status}.")
        return replace(self, version=self.version + 1, **changes)

    @property
    def is_open(self) -> bool:
        """Whether the shop still has to deliver it."""
        return bool(NEXT[self.status])

    def erased(self) -> Self:
        """The order without its person: what was sold, for how much, to which country. Notes go, whoever wrote them."""
        return replace(
            self,
            customer_name=ERASED,
            email=NOWHERE,
            delivery_address=self.delivery_address.erased(),
            note=None,
            carrier=None,
            tracking_number=None,
            history=tuple(replace(entry, note=None) for entry in self.history),
            version=self.version + 1,
        )

    def _move(self, to: Status, *, by: Actor, at: datetime, note: str | None, **changes: Any) -> Self:
        if to not in NEXT[self.status]:
            raise IllegalTransition(f"The order is {self.status}; it can't become {to}.")
        note = checks.optional(note, "note", most=2000, lines=True)
        entry = HistoryEntry(status=to, at=at, actor_id=by.id, note=note)
        return replace(self, status=to, history=(*self.history, entry), version=self.version + 1, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One order line on the fulfilment list."""

    line_id: str
    order_id: str
    order_number: str
    customer_id: str | None
    customer_name: str
    product_id: str
    product_name: str
    quantity: int
    total: Money
    delivery_address: Address
    status: Status

    @property
    def done(self) -> bool:
        """Whether it has arrived."""
        return self.status is Status.DELIVERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Seller or buyer on an invoice, as they were when it was issued."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str | None = None
    email: str | None = None


FORGOTTEN = Party(name=ERASED)
"""The buyer on an invoice that was issued longer ago than such papers are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An issued invoice. ``sequence`` is gapless from 1; the amounts are the order's, which never change."""

    id: str
    sequence: int
    order_id: str
    issued_at: datetime
    seller: Party
    buyer: Party = field(repr=False)
    total: Money

    @property
    def number(self) -> str:
        """The number as printed: ``INV-000042``."""
        return f"INV-{self.sequence:06d}"
