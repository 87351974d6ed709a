"""A user, the ways to be somebody (user, guest, the system), saved addresses and sessions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Self

from storecore import checks
from storecore.accounts.permissions import Permission, Role, effective
from storecore.errors import Forbidden, NotAuthenticated
from storecore.pricing import Destination
from storecore.versioned import Versioned

PASSWORD_LENGTH = (8, 128)
PREFERENCES_BYTES = 8 * 1024
ROTATION_GRACE = timedelta(seconds=10)
"""How long a rotated refresh token may still come back: parallel tabs, not thieves."""

ERASED = "Erased"
"""What stands where somebody's name was, once they were erased."""

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


def check_password(password: str, field_name: str = "password") -> str:
    """8 to 128 characters, any characters; normalised (NFC), so that it matches whatever keyboard typed it."""
    if not isinstance(password, str):
        raise TypeError(f"{field_name} is a string")
    least, most = PASSWORD_LENGTH
    password = composed_password(password)
    if not least <= len(password) <= most:
        raise checks.refuse(field_name, f"must have {least} to {most} characters")
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise checks.refuse(field_name, "must not contain half of a surrogate pair")
    return password


def composed_password(password: str) -> str:
    """A password as it was hashed, however the keyboard that types it now composes its characters."""
    return checks.composed(password, PASSWORD_LENGTH[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Versioned):
    """A person with an account. ``grants`` are single permissions given (True) or denied (False) beside the role."""

    id: str
    email: str
    full_name: str
    password_hash: str = field(repr=False)
    role: Role = Role.CUSTOMER
    grants: Mapping[Permission, bool] = field(default_factory=lambda: _NOTHING, hash=False)
    phone: str | None = field(default=None, repr=False)
    tax_id: str | None = field(default=None, repr=False)
    home_address: str | None = field(default=None, repr=False)
    preferences: Mapping[str, Any] = field(default_factory=lambda: _NOTHING, repr=False, hash=False)
    is_active: bool = True
    email_verified: bool = False
    created_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        set_(self, "email", checks.email(self.email))
        set_(self, "full_name", checks.text(self.full_name, "full_name", most=200))
        set_(self, "phone", checks.optional(self.phone, "phone", most=40))
        set_(self, "tax_id", checks.optional(self.tax_id, "tax_id", most=40))
        set_(self, "home_address", checks.optional(self.home_address, "home_address", most=500, lines=True))
        set_(self, "preferences", _check_preferences(self.preferences))
        set_(self, "grants", MappingProxyType(dict(self.grants)))

    @property
    def permissions(self) -> frozenset[Permission]:
        """What this user may do right now; nothing while banned."""
        return effective(self.role, self.grants) if self.is_active else frozenset()

    @property
    def display_name(self) -> str:
        """First name and initial, as strangers see it: ``Ada L.``"""
        return shortened(self.full_name)

    def may(self, permission: Permission) -> bool:
        """Whether this user holds a permission."""
        return permission in self.permissions

    def changed(self, **changes: Any) -> Self:
        """The user with other field values, one version on."""
        return replace(self, version=self.version + 1, **changes)

    def erased(self, name: str) -> Self:
        """The account without its person, for orders and reviews to refer to. Nobody opens it any more.

        Its email address is free for another account; in its place comes one that leads nowhere (RFC 2606), with a
        ``name`` that nobody else could have thought of.
        """
        return self.changed(
            email=f"{name}@erased.invalid",
            full_name=ERASED,
            password_hash="",
            role=Role.CUSTOMER,
            grants=_NOTHING,
            phone=None,
            tax_id=None,
            home_address=None,
            preferences=_NOTHING,
            is_active=False,
            email_verified=False,
        )


def shortened(full_name: str) -> str:
    """A name as strangers see it: ``Ada L.`` for Ada King Lovelace."""
    first, *rest = full_name.split()
    return f"{first} {rest[-1][0]}." if rest else first


def _check_preferences(preferences: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(preferences, Mapping):
        raise TypeError(f"preferences is an object, not {preferences!r}")
    if not preferences:
        return _NOTHING
    try:
        text = json.dumps(dict(preferences), ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
        plain = json.loads(text)  # what any storage gives back, and nothing that the caller still holds
    except (ValueError, TypeError, RecursionError):
        raise checks.refuse("preferences", "must be plain JSON") from None
    if size > PREFERENCES_BYTES:
        raise checks.refuse("preferences", f"must take at most {PREFERENCES_BYTES} bytes as JSON")
    return MappingProxyType(plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Somebody without an account. What they hold (a cart, an order, a conversation) they have a signed token for."""

    cart_id: str | None = None
    order_id: str | None = None
    conversation_id: str | None = None

    id: None = field(default=None, init=False)

    def may(self, permission: Permission) -> bool:
        """Guests may place orders and nothing else that needs a permission."""
        return permission is Permission.ORDERS_PLACE


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The shop itself: its worker and its command line."""

    id: None = field(default=None, init=False)

    def may(self, permission: Permission) -> bool:
        """Everything."""
        return True


SYSTEM = System()
GUEST = Guest()

Actor = User | Guest | System


def require(by: Actor, *any_of: Permission) -> None:
    """Let ``by`` pass only with one of these. Raises ``NotAuthenticated`` for guests, ``Forbidden`` for users."""
    if any(by.may(permission) for permission in any_of):
        return
    if isinstance(by, Guest):
        raise NotAuthenticated()
    raise Forbidden(f"This needs the permission {' or '.join(any_of)}.")


def require_user(by: Actor) -> User:
    """The user who asks. Raises ``NotAuthenticated`` for anybody else, ``Forbidden`` when banned."""
    if not isinstance(by, User):
        raise NotAuthenticated()
    if not by.is_active:
        raise Forbidden("This account is closed.")
    return by


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where goods go. ``country`` is ISO 3166-1 alpha-2."""

    recipient: str
    line1: str
    line2: str | None = None
    city: str
    region: str | None = None
    postal_code: str
    country: str

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        for name, most in (("recipient", 200), ("line1", 200), ("city", 100), ("postal_code", 20)):
            set_(self, name, checks.text(getattr(self, name), f"delivery_address.{name}", most=most))
        for name, most in (("line2", 200), ("region", 100)):
            set_(self, name, checks.optional(getattr(self, name), f"delivery_address.{name}", most=most))
        checks.country(self.country, "delivery_address.country")

    @property
    def destination(self) -> Destination:
        """As much of it as tax cares about."""
        return Destination(country=self.country, region=self.region or "")

    @property
    def lines(self) -> tuple[str, ...]:
        """As it is written on a parcel."""
        town = " ".join(part for part in (self.postal_code, self.city) if part)
        rows = (self.recipient, self.line1, self.line2, town, self.region, self.country)
        return tuple(row for row in rows if row)

    def erased(self) -> Self:
        """As much of it as the books need: the country, by which tax was reckoned."""
        return replace(self, recipient=ERASED, line1=ERASED, line2=None, city=ERASED, region=None, postal_code=ERASED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedAddress:
    """An address in a user's address book."""

    id: str
    user_id: str
    address: Address
    label: str | None = None
    created_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", checks.optional(self.label, "label", most=60))


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sign-in on one device; the family of every refresh token that was rotated from its first."""

    id: str
    user_id: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    device: str = ""
    ended_at: datetime | None = None

    def alive(self, at: datetime) -> bool:
        """Whether it still opens anything."""
        return self.ended_at is None and at < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """A refresh token as the shop keeps it: the SHA-256 of what the client holds."""

    hash: bytes
    session_id: str
    created_at: datetime
    replaced_at: datetime | None = None
