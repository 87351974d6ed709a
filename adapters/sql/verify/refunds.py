"""Every refund can be read, and no line of an order is given back beyond its units and what was paid for them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import select

from adapters.sql import tables
from adapters.sql.verify.ciphertexts import opened, unreadable
from adapters.sql.verify.snapshot import Finding, Row, Snapshot
from storecore.money import half_up
from storecore.orders.refund import APPROVED, OPEN

_refunds, _items = tables.refunds.c, tables.refund_items.c
_lines = tables.order_lines.c
_rows = select(_refunds.id, _refunds.private)
_given = (
    select(_items.line_id, _refunds.status, _items.quantity, _items.amount, _items.tax)
    .join_from(tables.refund_items, tables.refunds)
    .order_by(_items.line_id)
)
_bought = select(_lines.id, _lines.quantity, _lines.total, _lines.tax).order_by(_lines.id)
_OPEN, _APPROVED = frozenset(map(str, OPEN)), frozenset(map(str, APPROVED))


def refunds(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
    """Every refund."""
    for id_, private in snapshot.rows(_rows):
        readable = opened(snapshot, _refunds.private, id_, private) is not None
        yield [] if readable else [unreadable(_refunds.private, id_)]


def given_back(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
    """Every line of an order, with what was given back of it."""
    given = snapshot.beside(_given)
    for line in snapshot.rows(_bought):
        wrong = "; ".join(_wrong(line, given.of(line.id)))
        yield [Finding("given-back", "order_lines", line.id, wrong)] if wrong else []


def _wrong(line: Row, items: Sequence[Row]) -> Iterator[str]:
    """Amounts of approved refunds are differences of one growing sum: together they are its value for all units."""
    if not items:
        return
    asked = sum(item.quantity for item in items if item.status in _OPEN)
    if asked > line.quantity:
        yield f"{asked} of its {line.quantity} units are given back or asked for"
    given: Counter[str] = Counter()
    for item in items:
        if item.status in _APPROVED:
            given.update(units=item.quantity, amount=item.amount, tax=item.tax)
    amount = half_up(line.total * given["units"], line.quantity)
    tax = half_up(line.tax * amount, line.total) if line.total else 0
    if (given["amount"], given["tax"]) != (amount, tax):
        yield (
            f"{given['amount']} minor units with {given['tax']} tax are given back for {given['units']} of its units, "
            f"which {amount} with {tax} were paid for"
        )
