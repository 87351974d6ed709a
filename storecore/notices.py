"""Mail the shop owes somebody: the outbox row, what each occasion says, and the worker that delivers.

A notice is written in the transaction of its cause; nothing is sent before that commits. Delivery is at least
once: the ``Message-ID`` is fixed with the row, so that a mail program can drop the rare second copy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

from storecore.errors import Conflict
from storecore.shop import Shop

FIRST_RETRY = timedelta(seconds=5)
SLOWEST_RETRY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=48)
LEASE = timedelta(minutes=2)
"""How long a worker has to send what it took, before another may."""

_NOTHING: Mapping[str, object] = MappingProxyType({})


class Template(StrEnum):
    """What a mail is about; mailers have one text for each."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - names a mail
    EMAIL_CHANGED = "email_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - names a mail
    ORDER_PLACED = "order_placed"
    ORDER_STATUS = "order_status"
    REFUND_STATUS = "refund_status"
    LOW_STOCK = "low_stock"
    REVIEW_DECIDED = "review_decided"
    WISHLIST_DISCOUNT = "wishlist_discount"
    WISHLIST_RESTOCK = "wishlist_restock"
    ACCOUNT_ERASED = "account_erased"


class NoticeState(StrEnum):
    """Where a notice is. ``leased`` is pending in some worker's hands."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One mail to one person. ``event`` + ``recipient`` + ``template`` exist once, however often the cause is retried.

    ``data`` is plain JSON for the template: amounts and times as text. ``invoice_of`` names an order whose invoice
    is attached when it is sent, ``credit_note_id`` names a credit note that goes with it. ``user_id`` is the account
    that it is written to, whatever its address is by now; None for guests, and for somebody who has none any more.
    """

    id: str
    event: str
    template: Template
    user_id: str | None = None
    recipient: str = field(repr=False)
    data: Mapping[str, object] = field(default_factory=lambda: _NOTHING, repr=False, hash=False)
    invoice_of: str | None = None
    credit_note_id: str | None = None
    message_id: str
    state: NoticeState = NoticeState.PENDING
    attempts: int = 0
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None = None
    error: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", MappingProxyType(dict(self.data)))

    @property
    def is_over(self) -> bool:
        """Whether not even its address may be kept now: the last mail to somebody who was erased has left, or can't."""
        return self.template is Template.ACCOUNT_ERASED and self.state is not NoticeState.PENDING

    def sent(self, at: datetime) -> "Notice":
        """It has left."""
        return replace(self, state=NoticeState.SENT, sent_at=at, attempts=self.attempts + 1, error="")

    def failed(self, at: datetime, error: str, *, for_good: bool = False) -> "Notice":
        """It has not: try again after 5 s, doubling up to 1 h, for 48 h; then park it as dead."""
        attempts = self.attempts + 1
        wait = min(FIRST_RETRY * 2 ** min(attempts - 1, 20), SLOWEST_RETRY)
        dead = for_good or at + wait - self.created_at > GIVE_UP_AFTER
        state = NoticeState.DEAD if dead else NoticeState.PENDING
        return replace(self, state=state, attempts=attempts, due_at=at + wait, error=error[:500])

    def revived(self, at: datetime) -> "Notice":
        """Staff want a dead one tried again, with its 48 h before it. Raises ``Conflict`` for one that is not dead."""
        if self.state is not NoticeState.DEAD:
            raise Conflict(f"Only mail that was given up can be tried again; this one is {self.state}.")
        return replace(self, state=NoticeState.PENDING, attempts=0, due_at=at, created_at=at, error="")


def compose(
    *,
    id: str,  # noqa: A002 - the notice's own id, as everywhere
    at: datetime,
    shop: Shop,
    event: str,
    template: Template,
    recipient: str,
    data: Mapping[str, object],
    user_id: str | None = None,
    invoice_of: str | None = None,
    credit_note_id: str | None = None,
) -> Notice:
    """A new notice, due at once, with its ``Message-ID`` (RFC 5322) fixed."""
    return Notice(
        id=id,
        event=event,
        template=template,
        recipient=recipient,
        data=data,
        user_id=user_id,
        invoice_of=invoice_of,
        credit_note_id=credit_note_id,
        message_id=f"<{id}@{urlsplit(shop.public_url).hostname or 'localhost'}>",
        created_at=at,
        due_at=at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a mail or is downloaded."""

    name: str
    media_type: str
    content: bytes
