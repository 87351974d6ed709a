"""The audit log: who of the staff did what to which thing, when, and what changed by it.

One table says which fields of an entity an entry tells of. Personal ones (``storecore.privacy``) are noted as changed,
without their values, so that an entry never has to be erased.
"""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from storecore.accounts.model import Actor, User
from storecore.catalog.coupon import Coupon
from storecore.catalog.model import Category, Product
from storecore.money import Money
from storecore.notices import Notice
from storecore.orders.model import Order
from storecore.orders.refund import Refund
from storecore.privacy import PERSONAL
from storecore.reviews.model import Review
from storecore.support.model import Conversation

HIDDEN = "(hidden)"
"""Stands for the value of a personal field."""
SYSTEM_ROLE = "system"
"""The role of the shop itself: its command line."""

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The correlation id of the request that is being answered; None for a Python program."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})

Audited = Product | Category | Coupon | Order | Refund | Review | Conversation | User | Notice
"""What staff act on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that a member of staff did: ``product.update``, ``order.cancel``, ``user.ban``.

    ``before`` and ``after`` hold the fields that changed as plain JSON; ``before`` is empty for what was made,
    ``after`` for what was removed. ``actor_role`` is the role the actor had then.
    """

    id: str
    at: datetime
    actor_id: str | None
    actor_role: str
    action: str
    object_type: str
    object_id: str
    before: Mapping[str, Any] = field(default_factory=lambda: _NOTHING, hash=False)
    after: Mapping[str, Any] = field(default_factory=lambda: _NOTHING, hash=False)
    request_id: str | None = None

    def __post_init__(self) -> None:
        for name in ("before", "after"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


@dataclass(frozen=True, slots=True)
class _Shown:
    """What an entry calls an entity, and the names of the fields that it tells of."""

    name: str
    fields: str


_SHOWN: Mapping[type, _Shown] = MappingProxyType(
    {
        Product: _Shown(
            "product",
            "sku name description category_ids price cost discount attributes images group tax_class is_active stock",
        ),
        Category: _Shown("category", "name parent_id"),
        Coupon: _Shown(
            "coupon", "code percent amount starts_at ends_at min_spend max_uses max_uses_per_user is_active"
        ),
        Order: _Shown(
            "order",
            "status payment_status payment_provider refunded "
            "customer_name email delivery_address note carrier tracking_number",
        ),
        Refund: _Shown("refund", "status amount shipping expect_return disposition reason decision_note"),
        Review: _Shown("review", "product_id status rating comment"),
        Conversation: _Shown("conversation", "status agent_id closed_by subject notes"),
        User: _Shown("user", "role grants is_active email_verified email full_name phone tax_id home_address"),
        Notice: _Shown("notice", "template state attempts recipient"),
    }
)


def entry(
    *,
    id: str,  # noqa: A002 - the entry's own id, as everywhere
    at: datetime,
    by: Actor,
    action: str,
    before: Audited | None = None,
    after: Audited | None = None,
    facts: Mapping[str, Any] = _NOTHING,
) -> AuditEntry:
    """What an action changed about an entity: made when there is no ``before``, removed when there is no ``after``.

    ``facts`` is what else is to be known of it, such as a reason; it is shown in ``after``.
    """
    subject = after if after is not None else before
    if subject is None:
        raise TypeError("an entry is about something that was there before or is there after")
    shown = _SHOWN[type(subject)]
    old, new = _look(before, shown), _look(after, shown)
    changed = [name for name in old | new if name not in old or name not in new or old[name] != new[name]]
    return AuditEntry(
        id=id,
        at=at,
        actor_id=by.id,
        actor_role=str(by.role) if isinstance(by, User) else SYSTEM_ROLE,
        action=action,
        object_type=shown.name,
        object_id=subject.id,
        before={name: _told(name, old[name], type(subject)) for name in changed if name in old},
        after={name: _told(name, new[name], type(subject)) for name in changed if name in new}
        | {name: _json(value) for name, value in facts.items()},
        request_id=request_id.get(),
    )


def _look(entity: Audited | None, shown: _Shown) -> dict[str, Any]:
    if entity is None:
        return {}
    return {name: getattr(entity, name) for name in shown.fields.split()}


def _told(name: str, value: Any, entity: type) -> Any:
    return HIDDEN if value is not None and name in PERSONAL.get(entity, ()) else _json(value)


def _json(value: Any) -> Any:
    """A field's value as plain JSON: amounts as ``"19.99 USD"``, moments in UTC."""
    if isinstance(value, Money):
        return f"{value} {value.currency}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(name): _json(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_json(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _json(getattr(value, each.name)) for each in fields(value)}
    return value if value is None or type(value) in (bool, int) else str(value)
