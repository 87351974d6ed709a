"""How this shop sells: its name, money, policies and public address."""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from storecore import media
from storecore.money import Money
from storecore.pricing import ShippingPolicy, TaxPolicy


def _ten_dollars() -> ShippingPolicy:
    return ShippingPolicy(fee=Money(1000, "USD"), free_from=Money(100_00, "USD"))


def _eight_percent() -> TaxPolicy:
    return TaxPolicy(default_rate=Decimal(8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The settings that rules depend on. ``Shop()`` sells in US dollars with the documented defaults.

    A shop in another currency gives its own shipping policy. Files that come with messages are of one of
    ``attachment_types``, at most ``attachment_most`` bytes each. Invoices name their buyer for
    ``invoice_retention_years``, as tax law demands. Mail links start with ``public_url``, whatever host
    a request named. With ``refuses_common_passwords`` a new one is none of the most common. A session
    that is not used ends after ``session_lifetime``, any at all ``session_longest`` after it began.
    """

    name: str = "Storecore"
    address: tuple[str, ...] = ()
    tax_id: str | None = None
    timezone: str = "UTC"
    currency: str = "USD"
    shipping: ShippingPolicy = field(default_factory=_ten_dollars)
    tax: TaxPolicy = field(default_factory=_eight_percent)
    delivery_time: timedelta = timedelta(minutes=30)
    low_stock_at: int = 5
    payment_timeout: timedelta = timedelta(minutes=30)
    return_window: timedelta = timedelta(days=30)
    session_lifetime: timedelta = timedelta(days=30)
    session_longest: timedelta | None = timedelta(days=180)
    refuses_common_passwords: bool = False
    invoice_retention_years: int = 10
    attachment_types: tuple[str, ...] = media.TYPES
    attachment_most: int = 15 * 1024 * 1024
    public_url: str = "http://127.0.0.1:8000"

    def papers_before(self, at: datetime) -> datetime:
        """Invoices and credit notes issued before this need not name their buyer any more."""
        year = at.year - self.invoice_retention_years
        last = monthrange(year, at.month)[1]
        return at.replace(year=year, day=min(at.day, last))

    def session_end(self, began: datetime, at: datetime) -> datetime:
        """When a session ends that began some time ago, and is used now for the last time."""
        unused = at + self.session_lifetime
        return unused if self.session_longest is None else min(unused, began + self.session_longest)

    def __post_init__(self) -> None:
        if not 1 <= self.invoice_retention_years <= 100:
            raise ValueError("invoices are kept for 1 to 100 years")
        for amount in (self.shipping.fee, self.shipping.free_from):
            if amount is not None and amount.currency != self.currency:
                raise ValueError(f"the shop sells in {self.currency}, but its shipping policy is in {amount.currency}")
        if not self.attachment_types or not set(self.attachment_types) <= set(media.TYPES):
            raise ValueError(f"attachments can be some of {', '.join(media.TYPES)}")
        object.__setattr__(self, "public_url", self.public_url.rstrip("/"))
