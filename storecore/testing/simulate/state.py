"""The whole state of a shop in one hash, as its ports tell it: the same for the same state on any back end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from hashlib import sha256
from typing import Any

from storecore.ports import AuditQuery, ConversationQuery, OrderQuery, RefundQuery, Unit, UserQuery
from storecore.testing.machine.scene import every
from storecore.testing.simulate.world import World


def state_hash(world: World) -> str:
    """SHA-256 in hexadecimal digits of every row that any port shows, in an order that only the rows decide about."""
    digest = sha256()
    with world.reading() as unit:
        for what in _everything(unit, world.told.guest_carts):
            digest.update(plain(what).encode() + b"\n")
    return digest.hexdigest()


def _everything(unit: Unit, guest_carts: Sequence[str]) -> Iterator[Any]:
    users = list(every(partial(unit.users.page, UserQuery())))
    for user in users:
        yield user
        yield sorted(map(plain, unit.users.addresses(user.id)))
        yield sorted(map(plain, unit.sessions.of_user(user.id)))
        yield unit.carts.of_user(user.id)
        yield sorted(map(plain, every(partial(unit.wishes.page, user.id))))
        yield sorted(map(plain, every(partial(unit.reviews.of_author, user.id))))
    yield [unit.carts.get(each) for each in guest_carts]
    yield list(every(unit.categories.page))
    products = list(every(unit.products.every))
    for product in products:
        yield product
        yield sorted(map(plain, every(partial(unit.stock.ledger, product.id))))
        yield sorted(map(plain, every(partial(unit.products.prices, product.id))))
    yield unit.search.sold(each.id for each in products)
    yield unit.purchases.wanted(len(products) + 1)
    yield sorted(map(plain, unit.purchases.together([each.id for each in products[:12]], len(products) + 1)))
    yield from every(unit.coupons.page)
    for order in every(partial(unit.orders.page, OrderQuery())):
        yield unit.orders.get(order.id)
        yield unit.payments.of_order(order.id)
        yield unit.invoices.of_order(order.id)
        yield unit.credit_notes.of_order(order.id)
    yield from every(partial(unit.refunds.page, RefundQuery()))
    for conversation in every(partial(unit.conversations.page, ConversationQuery())):
        yield conversation
        yield list(every(partial(unit.conversations.messages, conversation.id)))
    yield from every(partial(unit.audit.page, AuditQuery()))
    yield from every(unit.outbox.page)
    yield unit.insight.waiting()


def plain(value: Any) -> str:
    """A value as text: equal for equal values, whatever a mapping's order, a time's offset, or the process."""
    if is_dataclass(value) and not isinstance(value, type):
        inside = ",".join(f"{name}={plain(getattr(value, name))}" for name in _names(type(value)))
        return f"{type(value).__name__}({inside})"
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{plain(key)}:{plain(each)}" for key, each in value.items())) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "[" + ",".join(map(plain, value)) + "]"
    return repr(_simple(value))


def _simple(value: Any) -> str | bytes | int | float | None:
    match value:
        case Enum():
            simple: str = value.value
            return simple
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Decimal():
            return f"{value.normalize():f}"
        case str() | bytes() | int() | float() | None:
            return value
    raise TypeError(f"{value!r} has no plain text")


@cache
def _names(entity: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(entity))
