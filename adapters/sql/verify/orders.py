"""Every order with its lines, its history and its moves of stock, each side taken along in one pass."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlalchemy import select

from adapters.sql import tables
from adapters.sql.verify.amounts import wrong_amounts
from adapters.sql.verify.ciphertexts import opened, unreadable
from adapters.sql.verify.snapshot import Finding, Row, Snapshot
from storecore.catalog.model import StockReason
from storecore.orders.model import NEXT, Status
from storecore.orders.refund import Disposition

_orders, _lines = tables.orders.c, tables.order_lines.c
_history, _moves = tables.order_history.c, tables.stock_moves.c
_refunds, _items = tables.refunds.c, tables.refund_items.c

_rows = select(
    _orders.id,
    _orders.status,
    _orders.subtotal,
    _orders.discount,
    _orders.shipping,
    _orders.shipping_tax,
    _orders.shipping_tax_rate,
    _orders.tax,
    _orders.total,
    _orders.tax_included,
    _orders.explanation,
    _orders.private,
).order_by(_orders.id)
_frozen = select(
    _lines.order_id,
    _lines.position,
    _lines.id,
    _lines.product_id,
    _lines.quantity,
    _lines.unit_price,
    _lines.product_discount,
    _lines.order_discount,
    _lines.tax_rate,
    _lines.tax,
    _lines.total,
).order_by(_lines.order_id, _lines.position)
_steps = select(_history.order_id, _history.status).order_by(_history.order_id, _history.position)
_moved = (
    select(_moves.order_id, _moves.product_id, _moves.reason, _moves.change)
    .where(_moves.order_id.is_not(None))
    .order_by(_moves.order_id)
)
_returned = (
    select(_refunds.order_id, _items.product_id, _items.quantity)
    .join_from(tables.refunds, tables.refund_items)
    .where(_refunds.disposition == str(Disposition.RESTOCK))
    .order_by(_refunds.order_id)
)
_NEXT = {str(before): tuple(map(str, after)) for before, after in NEXT.items()}


def orders(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
    """Every order."""
    lines, steps, moved = snapshot.beside(_frozen), snapshot.beside(_steps), snapshot.beside(_moved)
    returned = snapshot.beside(_returned)
    for order in snapshot.rows(_rows):
        bought = lines.of(order.id)
        wrong = {
            "order-amounts": wrong_amounts(order, bought),
            "order-history": _wrong_history(order, [status for _, status in steps.of(order.id)]),
            "order-stock": _wrong_moves(order, bought, returned.of(order.id), moved.of(order.id)),
        }
        told = {rule: "; ".join(messages) for rule, messages in wrong.items()}
        found = [Finding(rule, "orders", order.id, message) for rule, message in told.items() if message]
        if opened(snapshot, _orders.private, order.id, order.private) is None:
            found.append(unreadable(_orders.private, order.id))
        yield found


def _wrong_history(order: Row, statuses: Sequence[str]) -> Iterator[str]:
    if not statuses:
        yield "it has no history"
        return
    if statuses[0] != Status.PENDING:
        yield f"its history begins with {statuses[0]}"
    for before, after in pairwise(statuses):
        if after not in _NEXT.get(before, ()):
            yield f"it went from {before} to {after}"
    if statuses[-1] != order.status:
        yield f"it is {order.status}, but its history ends with {statuses[-1]}"


def _wrong_moves(order: Row, lines: Sequence[Row], returned: Sequence[Row], moves: Sequence[Row]) -> Iterator[str]:
    """Each line's units were taken once, and put back once if the order was cancelled, or as they came back and were
    not scrapped; nothing else moved.
    """
    due = Counter((line.product_id, str(StockReason.SALE), -line.quantity) for line in lines)
    if order.status == Status.CANCELLED:
        due.update((line.product_id, str(StockReason.CANCELLATION), line.quantity) for line in lines)
    due.update((product_id, str(StockReason.RETURN), quantity) for _, product_id, quantity in returned)
    found = Counter((product_id, reason, change) for _, product_id, reason, change in moves)
    for (product_id, reason, change), times in (due - found).items():
        yield f"the ledger lacks {change:+} of {product_id} for its {reason}" + _how_often(times)
    for (product_id, reason, change), times in (found - due).items():
        yield f"the ledger has {change:+} of {product_id} for its {reason} that should not be there" + _how_often(times)


def _how_often(times: int) -> str:
    return f", {times} times" if times > 1 else ""
