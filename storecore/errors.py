# ruff: noqa: N818 - they are refusals, named after what is refused, not programming errors
"""Everything the shop can refuse, as exceptions with a stable code.

A handful of *kinds* say what sort of refusal it is (an HTTP adapter maps kinds, once); each concrete error
adds a ``code`` that never changes, so that clients can rely on it, and a message a person can act on.
``CATALOGUE`` holds every code that exists: raising an unlisted one is impossible, since a class lists itself.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

CATALOGUE: dict[str, type["StoreError"]] = {}


class StoreError(Exception):
    """A refusal. ``message`` is for people, ``code`` for programs, ``extra`` for what a client needs to go on.

    ``errors`` names the fields that caused it: ``[("items.0.quantity", "must be 1 to 999")]``.
    """

    kind: ClassVar[str] = ""
    code: ClassVar[str] = ""
    title: ClassVar[str] = ""

    def __init__(self, message: str = "", errors: Iterable[tuple[str, str]] = (), **extra: Any) -> None:
        self.errors = tuple(errors)
        self.message = message or "; ".join(f"{field}: {why}" for field, why in self.errors) or self.title
        self.extra: Mapping[str, Any] = extra
        super().__init__(self.message)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if code := cls.__dict__.get("code"):
            if code in CATALOGUE:
                raise TypeError(f"error code {code!r} is already taken by {CATALOGUE[code].__name__}")
            CATALOGUE[code] = cls


# The kinds.


class Invalid(StoreError):
    """What was given can't be accepted; ``errors`` names each field."""

    kind = "invalid"
    code = "invalid"
    title = "Some of what was sent is not valid"


class NotAuthenticated(StoreError):
    """It is not known who asks."""

    kind = "not-authenticated"
    code = "not-authenticated"
    title = "Sign in first"


class Forbidden(StoreError):
    """It is known who asks, and they may not."""

    kind = "forbidden"
    code = "forbidden"
    title = "You may not do this"


class NotFound(StoreError):
    """There is no such thing, or it is somebody else's: the two answer alike."""

    kind = "not-found"
    code = "not-found"
    title = "There is no such thing"


class Conflict(StoreError):
    """The request is fine, but the state of the shop does not allow it."""

    kind = "conflict"
    code = "conflict"
    title = "The current state does not allow this"


class PreconditionFailed(StoreError):
    """The resource has changed since the caller read it."""

    kind = "precondition-failed"
    code = "precondition-failed"
    title = "It was changed meanwhile; read it again"


class Malformed(StoreError):
    """What was sent can't be read, or is not what it claims to be."""

    kind = "malformed"
    code = "malformed"
    title = "What was sent can't be read"


class Unavailable(StoreError):
    """Something the shop needs does not answer just now; trying again later may work."""

    kind = "unavailable"
    code = "unavailable"
    title = "The shop can't do this right now; try again shortly"


class TooLarge(StoreError):
    """What was sent is longer than is taken."""

    kind = "too-large"
    code = "too-large"
    title = "The body is too large"


class UnsupportedType(StoreError):
    """What was sent is of a type that is not taken here."""

    kind = "unsupported-type"
    code = "unsupported-type"
    title = "This type of body is not taken here"


class TooManyRequests(StoreError):
    """Too much, too fast. ``extra["retry_after"]`` is how many seconds to wait."""

    kind = "too-many-requests"
    code = "too-many-requests"
    title = "Too many requests; wait a little"


# What a port may raise about its technology.


class Contention(Unavailable):
    """Two transactions got in each other's way and this one lost: it had no effect and may run again."""

    code = "contention"
    title = "Too many people are changing this at once; try again shortly"


class Busy(Unavailable):
    """The database did not give this transaction its turn in time."""

    code = "busy"
    title = "The shop is very busy; try again shortly"


class Unreadable(Unavailable):
    """What is kept encrypted can't be opened where it is. Whoever goes through many things goes on with the next."""

    code = "unreadable"
    title = "Something that is kept encrypted can't be read just now"


# Accounts.


class InvalidCredentials(NotAuthenticated):
    """Wrong email or wrong password: which of the two is not said."""

    code = "invalid-credentials"
    title = "Email or password is wrong"


class SessionEnded(NotAuthenticated):
    """The session has expired, was signed out or was revoked."""

    code = "session-ended"
    title = "The session has ended; sign in again"


class TokenReused(NotAuthenticated):
    """A refresh token came back after it was rotated: somebody may have copied it, so its session was ended."""

    code = "token-reused"
    title = "This token was used before; sign in again"


class EmailTaken(Conflict):
    """Another account has this email."""

    code = "email-taken"
    title = "There is an account with this email"


class LinkInvalid(Invalid):
    """A link that was cut, forged, expired or already used."""

    code = "link-invalid"
    title = "This link is not valid any more; ask for a new one"


class WrongPassword(Invalid):
    """The current password, asked for again before a delicate change, is wrong."""

    code = "wrong-password"
    title = "The current password is wrong"


class LastAdmin(Conflict):
    """The shop would be left without an active admin."""

    code = "last-admin"
    title = "The last admin can't be demoted or banned"


class StillOwed(Conflict):
    """An account can't be erased while the shop owes its owner goods or money, or waits for a payment."""

    code = "still-owed"
    title = "Something of this account is not finished yet"


# Catalog.


class SkuTaken(Conflict):
    """Another product has this SKU."""

    code = "sku-taken"
    title = "There is a product with this SKU"


class CategoryExists(Conflict):
    """Another category has this name."""

    code = "category-exists"
    title = "There is a category with this name"


class CategoryInUse(Conflict):
    """Products or other categories are still filed under it."""

    code = "category-in-use"
    title = "The category is still in use"


class ProductUnavailable(Conflict):
    """The product was taken off the shelf."""

    code = "product-unavailable"
    title = "The product is no longer sold"


class OutOfStock(Conflict):
    """Fewer are left than asked for. ``extra["lines"]``: ``[{"product_id", "requested", "available"}]``."""

    code = "out-of-stock"
    title = "Not enough in stock"


class AlreadyWished(Conflict):
    """The product is on the wishlist."""

    code = "already-wished"
    title = "The product is already on your wishlist"


class WishlistFull(Conflict):
    """The wishlist holds as many products as it may."""

    code = "wishlist-full"
    title = "The wishlist is full"


class MalformedSheet(Malformed):
    """A CSV file can't be read any further; the message says why, ``extra`` has the ``line`` and the ``column``."""

    code = "malformed-csv"
    title = "This is not a readable CSV file"


class ImportRefused(Invalid):
    """Some rows can't be imported, so none was; ``extra["report"]`` is the ``ImportReport``."""

    code = "import-refused"
    title = "Some rows can't be imported, so none was"


class CouponExists(Conflict):
    """Another coupon has this code."""

    code = "coupon-exists"
    title = "There is a coupon with this code"


class CouponNotApplicable(Conflict):
    """The coupon can't be used on this order; the message says why."""

    code = "coupon-not-applicable"
    title = "The coupon can't be used here"


# Carts and orders.


class CartEmpty(Conflict):
    """There is nothing to check out."""

    code = "cart-empty"
    title = "The cart is empty"


class PriceChanged(Conflict):
    """The total is not the one the customer agreed to. ``extra["quote"]`` is the new ``Quote``."""

    code = "price-changed"
    title = "The total has changed"


class IllegalTransition(Conflict):
    """The order's state does not lead there."""

    code = "illegal-transition"
    title = "The order can't go there from its current state"


class NotInvoiced(Conflict):
    """The order has no invoice yet."""

    code = "not-invoiced"
    title = "There is no invoice for this order yet"


class AlreadyPaid(Conflict):
    """The order is paid."""

    code = "already-paid"
    title = "The order is already paid"


class PaymentInProgress(Conflict):
    """Another payment of the order is under way."""

    code = "payment-in-progress"
    title = "A payment of this order is under way"


class NotPaid(Conflict):
    """Nothing was paid that could be given back."""

    code = "not-paid"
    title = "The order has not been paid"


class NotReturnable(Conflict):
    """The order can't be sent back (any more), or not that many units of it; the message says why."""

    code = "not-returnable"
    title = "This can't be returned"


class AlreadyDecided(Conflict):
    """Somebody has decided it before."""

    code = "already-decided"
    title = "This was decided before"


class NotCredited(Conflict):
    """There is no credit note yet."""

    code = "not-credited"
    title = "There is no credit note for this yet"


# Reviews.


class NotABuyer(Forbidden):
    """No order of the product has been delivered to them."""

    code = "not-a-buyer"
    title = "Only those who received the product can review it"


class DuplicateReview(Conflict):
    """The user has reviewed the product before."""

    code = "duplicate-review"
    title = "You have already reviewed this product"


# Support.


class AlreadyClaimed(Conflict):
    """Another agent has taken the conversation."""

    code = "already-claimed"
    title = "Another agent has claimed this conversation"


class NotClaimed(Conflict):
    """An agent speaks in a conversation that is theirs; this one is not."""

    code = "not-claimed"
    title = "Claim the conversation first"


class ConversationClosed(Conflict):
    """Nothing is added to a conversation that is over."""

    code = "conversation-closed"
    title = "The conversation is closed"


# Payments.


class EventForged(Malformed):
    """What claims to come from a payment provider does not, or is too old."""

    code = "event-forged"
    title = "This event was not signed by the provider"


class ProviderDown(Unavailable):
    """The payment provider does not answer; nobody knows whether it did what it was asked."""

    code = "provider-down"
    title = "The payment provider does not answer; try again shortly"


class PayoutRefused(Conflict):
    """The payment provider will not give the money back; the message says why."""

    code = "payout-refused"
    title = "The payment provider will not give the money back"


# Requests.


class IdempotencyKeyReused(Invalid):
    """The key was used for another request."""

    code = "idempotency-key-reused"
    title = "This Idempotency-Key was used for a different request"


class RequestInProgress(Conflict):
    """The first request with this key is still running."""

    code = "request-in-progress"
    title = "The first request with this Idempotency-Key is still running"


# Mail.


class MailerDown(Unavailable):
    """The mail server can't be reached or refuses for now."""

    code = "mailer-down"
    title = "Mail can't be sent right now"
