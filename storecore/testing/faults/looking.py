"""Looking at all that there is: to tell whether two states are the same, and where they differ.

Two looks are compared in two ways: exactly, and as :func:`told`, which leaves out what a second attempt may change
(times, ids and what random bytes were made into, versions, how often something was tried).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import partial
from typing import Any

from storecore.lists import every
from storecore.ports import AuditQuery, ConversationQuery, OrderQuery, Unit, UserQuery

Rows = Mapping[str, Mapping[Any, Any]]
"""Everything in a storage: rows by key, by the name of their kind."""

TRACES = frozenset({"version", "attempts", "error", "sequence"})
"""Fields that tell of another attempt, or which of two came first, and of nothing else."""
_MASKED = re.compile(
    r"(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12})"
    r"|(?P<number>\bS-[0-9A-Z]{4}-[0-9A-Z]{4}\b|\b[A-Z]{2,3}-[0-9]{6}\b)"
    r"|(?P<random>\b[0-9a-f]{32,}\b)"
    r"|(?P<token>token=[\w.%-]+)"
    r"|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z)"
)
_SHORTEST = 9
"""Characters of the shortest text that is masked."""
_LONG = 16
"""Bytes from which on they are taken for hashes, keys or secrets."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything in the storage, and what was done outside of it: mails, files by name, what the bank knows."""

    rows: Rows
    sent: tuple[tuple[str, str, str], ...]
    files: Mapping[str, bytes]
    bank: Mapping[str, object]


def rows_of(unit: Unit) -> Rows:
    """Everything that can be read through the ports."""
    users = {user.id: user for user in every(partial(unit.users.page, UserQuery()))}
    products = {product.id: product for product in every(unit.products.every)}
    orders = {order.id: order for order in every(partial(unit.orders.page, OrderQuery()))}
    conversations = {each.id: each for each in every(partial(unit.conversations.page, ConversationQuery()))}
    return {
        "users": users,
        "addresses": {user: unit.users.addresses(user) for user in users},
        "sessions": {user: unit.sessions.of_user(user) for user in users},
        "wishes": {user: tuple(every(partial(unit.wishes.page, user))) for user in users},
        "carts": {user: unit.carts.of_user(user) for user in users},
        "reviews": {user: tuple(every(partial(unit.reviews.of_author, user))) for user in users},
        "categories": {each.id: each for each in every(unit.categories.page)},
        "products": products,
        "prices": {each: tuple(every(partial(unit.products.prices, each))) for each in products},
        "stock moves": {each: tuple(every(partial(unit.stock.ledger, each))) for each in products},
        "stock": unit.stock.on_hand(products),
        "sold": unit.search.sold(products),
        "coupons": {each.id: each for each in every(unit.coupons.page)},
        "orders": {each: unit.orders.get(each) for each in orders},
        "invoices": {each: unit.invoices.of_order(each) for each in orders},
        "payments": {each: unit.payments.of_order(each) for each in orders},
        "refunds": {each: unit.refunds.of_order(each) for each in orders},
        "credit notes": {each: unit.credit_notes.of_order(each) for each in orders},
        "purchases": {each: unit.purchases.together([each], 100) for each in products},
        "conversations": conversations,
        "messages": {each: tuple(every(partial(unit.conversations.messages, each))) for each in conversations},
        "audit": {each.id: each for each in every(partial(unit.audit.page, AuditQuery()))},
        "notices": {each.id: each for each in every(unit.outbox.page)},
    }


class Teller:
    """Puts things into words; ids later than ``since`` have no name yet. Rows that it has seen it knows by heart."""

    def __init__(self, since: str, known: Rows) -> None:
        self._since = since
        self._known = {id(row): (row, self.told(row)) for table in known.values() for row in table.values()}

    def all_of(self, state: State) -> Counter[str]:
        """Everything in a state, a line each; what was mailed twice is there once."""
        lines = Counter(
            f"{name}: {self.told(key)} {self._row(row)}"
            for name, rows in state.rows.items()
            for key, row in rows.items()
        )
        lines += Counter(f"file: {content!r}" for content in state.files.values())
        lines += Counter(f"bank: {self.told(name)} {self.told(account)}" for name, account in state.bank.items())
        return lines + Counter(f"sent: {self.told(each)}" for each in set(state.sent))

    def told(self, value: Any) -> str:
        """One thing."""
        match value:
            case Enum():
                said = str(value)
            case str():
                said = self._masked(value)
            case datetime():
                said = "<time>"
            case bytes() if len(value) >= _LONG:
                said = "<bytes>"
            case float():
                said = f"{value:.6g}"
            case Mapping():
                said = ", ".join(sorted(f"{self.told(key)}: {self.told(each)}" for key, each in value.items()))
            case Set():
                said = ", ".join(sorted(map(self.told, value)))
            case bytes() | bool() | int() | date() | None:
                said = repr(value)
            case _:
                said = self._told_whole(value)
        return said

    def _told_whole(self, value: Any) -> str:
        """Something that has parts, or something else."""
        if is_dataclass(value):
            shown = (each.name for each in fields(value) if each.name not in TRACES)
            return f"{type(value).__name__}({', '.join(f'{name}={self.told(getattr(value, name))}' for name in shown)})"
        if hasattr(value, "read"):
            with value:
                return repr(value.read())
        if isinstance(value, (Sequence, Iterator)):
            return f"[{', '.join(map(self.told, value))}]"
        return self._masked(str(value))

    def _row(self, row: Any) -> str:
        known = self._known.get(id(row)) if hasattr(self, "_known") else None
        return known[1] if known is not None else self.told(row)

    def _masked(self, text: str) -> str:
        return text if len(text) < _SHORTEST else _MASKED.sub(self._mask, text)

    def _mask(self, found: re.Match[str]) -> str:
        known = found.lastgroup == "id" and found[0] <= self._since
        return found[0] if known else f"<{found.lastgroup}>"


def differences(expected: Counter[str], found: Counter[str]) -> str:
    """What is in one of them and not in the other, for people."""
    lost, more = expected - found, found - expected
    return "\n".join([*(f"- {line}" for line in sorted(lost)), *(f"+ {line}" for line in sorted(more))])
