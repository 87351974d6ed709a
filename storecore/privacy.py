"""Which of the shop's fields tell something about a person: one map, for whatever has to treat them with care.

Storage adapters keep each of these fields by it (``adapters.sql.personal`` says how), the export shows them all but the
secrets, the erasure leaves none behind, and no log line carries one. A field that is missing here is nobody's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from storecore.accounts.model import Address, RefreshToken, SavedAddress, Session, User
from storecore.money import Money
from storecore.notices import Notice
from storecore.orders.model import HistoryEntry, Order, OrderLine, Party
from storecore.orders.payment import Payment
from storecore.orders.refund import Refund
from storecore.reviews.model import Review
from storecore.support.model import Attached, Conversation, Message


class Kind(StrEnum):
    """What a field tells of somebody."""

    NAME = "name"
    CONTACT = "contact"
    PLACE = "place"
    WORDS = "words"
    """What they wrote, or somebody wrote of them."""
    TRACE = "trace"
    """What they left in passing."""
    SECRET = "secret"  # noqa: S105 - names a kind
    """What they prove themselves with: kept as a hash, and shown to nobody, not even to them."""


_K = Kind
PERSONAL: Mapping[type, Mapping[str, Kind]] = MappingProxyType(
    {
        User: {
            "email": _K.CONTACT,
            "full_name": _K.NAME,
            "password_hash": _K.SECRET,
            "phone": _K.CONTACT,
            "tax_id": _K.NAME,
            "home_address": _K.PLACE,
            "preferences": _K.WORDS,
        },
        Address: {
            "recipient": _K.NAME,
            "line1": _K.PLACE,
            "line2": _K.PLACE,
            "city": _K.PLACE,
            "region": _K.PLACE,
            "postal_code": _K.PLACE,
        },
        SavedAddress: {"address": _K.PLACE, "label": _K.WORDS},
        Session: {"device": _K.TRACE},
        RefreshToken: {"hash": _K.SECRET},
        Order: {
            "customer_name": _K.NAME,
            "email": _K.CONTACT,
            "delivery_address": _K.PLACE,
            "note": _K.WORDS,
            "carrier": _K.TRACE,
            "tracking_number": _K.TRACE,
        },
        HistoryEntry: {"note": _K.WORDS},
        Party: {"name": _K.NAME, "address": _K.PLACE, "tax_id": _K.NAME, "email": _K.CONTACT},
        Refund: {"reason": _K.WORDS, "decision_note": _K.WORDS},
        Review: {"author": _K.NAME, "comment": _K.WORDS},
        Conversation: {
            "customer_name": _K.NAME,
            "guest_email": _K.CONTACT,
            "subject": _K.WORDS,
            "agent_name": _K.NAME,
            "notes": _K.WORDS,
        },
        Message: {"author_name": _K.NAME, "body": _K.WORDS, "client_id": _K.TRACE},
        Attached: {"name": _K.WORDS, "sha256": _K.TRACE},
        Notice: {"recipient": _K.CONTACT, "data": _K.WORDS, "error": _K.TRACE},
    }
)

WITHHELD: Mapping[type, frozenset[str]] = MappingProxyType(
    {
        OrderLine: frozenset({"cost"}),
        Payment: frozenset({"attempt_key"}),
        Attached: frozenset({"stored_as"}),
    }
)
"""What an export leaves out beside secrets: the shop's own business, which says nothing about anybody."""


def shown(value: Any) -> Any:
    """Anything of the shop as plain JSON, for the person it is about: without secrets, and what is :data:`WITHHELD`.

    Money is its amount and its currency, a time RFC 3339 in UTC.
    """
    if isinstance(value, Money):
        return {"amount": str(value), "currency": value.currency}
    if is_dataclass(value) and not isinstance(value, type):
        return {name: shown(getattr(value, name)) for name in _shown_fields(type(value))}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(name): shown(each) for name, each in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return [shown(each) for each in value]
    return str(value) if isinstance(value, (Decimal, StrEnum)) else value


def _shown_fields(entity: type) -> Iterator[str]:
    kinds, withheld = PERSONAL.get(entity, {}), WITHHELD.get(entity, frozenset())
    for each in fields(entity):
        if kinds.get(each.name) is not Kind.SECRET and each.name not in withheld:
            yield each.name


def names() -> frozenset[str]:
    """What the fields are called, in any entity: for whoever is handed names and values without an entity."""
    return frozenset(name for kinds in PERSONAL.values() for name in kinds)
