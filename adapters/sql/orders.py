"""Orders with their lines and history, and the fulfilment list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select, text, update

from adapters.sql import tables
from adapters.sql.columns import Instant, from_ticks, to_ticks
from adapters.sql.dialect import Refusals
from adapters.sql.order_rows import (
    HISTORY,
    LINE,
    ORDER,
    address_from,
    changing_values,
    history_values,
    line_values,
    order_from,
    order_values,
)
from adapters.sql.pages import NewestFirst, after, asked, fetched, page_of
from adapters.sql.transaction import Row, Transaction
from storecore.errors import Contention, NotFound
from storecore.lists import Page, PageRequest
from storecore.money import Money
from storecore.orders.model import Delivery, Order, Status
from storecore.ports import OrderQuery

_orders, _lines, _history = tables.orders.c, tables.order_lines.c, tables.order_history.c
_PRIVATE = ORDER.index(_orders.private)
_CREATED = ORDER.index(_orders.created_at)
_REFUSES: Refusals = {"uq_orders_number": Contention}

_add = insert(tables.orders)
_add_lines = insert(tables.order_lines)
_add_history = insert(tables.order_history)
_get = select(*ORDER, _orders.explanation).where(_orders.id == bindparam("id"))
_locked = _get.with_for_update(key_share=True)
_lines_of = (
    select(*LINE)
    .where(_lines.order_id.in_(bindparam("ids", expanding=True)))
    .order_by(_lines.order_id, _lines.position)
)
_history_of = (
    select(*HISTORY)
    .where(_history.order_id.in_(bindparam("ids", expanding=True)))
    .order_by(_history.order_id, _history.position)
)
_save = (
    update(tables.orders)
    .where(_orders.id == bindparam("this"), _orders.version == bindparam("version_before"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "status",
                "payment_status",
                "payment_provider",
                "pay_by",
                "refunded",
                "private",
                "eta",
                "carrier",
                "tracking_number",
                "version",
            )
        }
    )
)
_erase_notes = update(tables.order_history).where(_history.order_id == bindparam("this")).values(note=None)
_overdue = (
    select(_orders.id)
    .where(_orders.pay_by <= bindparam("at"))
    .order_by(_orders.pay_by, _orders.id)
    .limit(bindparam("most"))
)
# Said so that no index on the status serves: a customer has few orders, and a status has most of them.
_delivered = (
    select(_orders.id)
    .join_from(tables.orders, tables.order_lines)
    .where(
        _orders.customer_id == bindparam("customer_id"),
        _lines.product_id == bindparam("product_id"),
        func.lower(_orders.status) == str(Status.DELIVERED),
    )
    .limit(1)
)
_known_history = select(func.count()).where(_history.order_id == bindparam("id"))

_list = NewestFirst(
    ORDER,
    at=_orders.created_at,
    id_=_orders.id,
    conditions={
        "customer_id": _orders.customer_id == bindparam("customer_id"),
        "status": _orders.status == bindparam("status"),
        "placed_from": _orders.created_at >= bindparam("placed_from"),
        "placed_to": _orders.created_at < bindparam("placed_to"),
        "number": _orders.number == bindparam("number"),
    },
)

_DELIVERY = (
    _orders.created_at,
    _orders.id,
    _lines.position,
    _orders.number,
    _orders.customer_id,
    _orders.private,
    _orders.currency,
    _orders.status,
    _lines.id,
    _lines.product_id,
    _lines.name,
    _lines.quantity,
    _lines.total,
)
_WHICH = {None: text(tables.CONFIRMED), False: text(tables.TO_DELIVER), True: text("status = 'delivered'")}


class SqlOrders:
    """The ``Orders`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, order: Order) -> None:
        """Three statements, whatever the number of lines. Raises ``Contention``."""
        self._transaction.write(_add, order_values(self._transaction, order), refuses=_REFUSES)
        self._transaction.write(_add_lines, line_values(order))
        self._transaction.write(_add_history, history_values(order))

    def get(self, order_id: str) -> Order:
        """Raises ``NotFound``."""
        return self._one(_get, order_id)

    def locked(self, order_id: str) -> Order:
        """Locks the order's row. Raises ``NotFound``."""
        self._transaction.check_writable()
        return self._one(_locked, order_id)

    def save(self, order: Order) -> None:
        """Raises ``Contention``."""
        values = changing_values(self._transaction, order)
        self._transaction.save(_save, values | {"this": order.id, "version_before": order.version - 1})
        known = self._transaction.number(_known_history, {"id": order.id})
        self._transaction.write(_add_history, history_values(order, beyond=known))

    def erase(self, order: Order) -> None:
        """Raises ``Contention``."""
        self.save(order)
        self._transaction.write(_erase_notes, {"this": order.id})

    def page(self, query: OrderQuery, page: PageRequest) -> Page[Order]:
        """Three statements, and one that counts."""
        given = {each.name: getattr(query, each.name) for each in fields(query)}
        return _list.page(self._transaction, page, self._whole, **given)

    def deliveries(self, page: PageRequest, *, done: bool | None = None) -> Page[Delivery]:
        """One statement, and one that counts."""
        rows = self._transaction.rows(_to_deliver(done, page.after is not None), asked(page, first=from_ticks))
        total = self._transaction.number(_count_to_deliver(done)) if page.total else None
        return page_of(rows, page, self._deliveries, lambda row: (to_ticks(row[0]), row[1], row[2]), total)

    def overdue(self, at: datetime, limit: int) -> Sequence[str]:
        """By an index that keeps just those with a ``pay_by``."""
        return [order_id for (order_id,) in self._transaction.rows(_overdue, {"at": at, "most": limit})]

    def delivered(self, customer_id: str, product_id: str) -> bool:
        """By the index of a customer's orders."""
        values = {"customer_id": customer_id, "product_id": product_id}
        return self._transaction.row(_delivered, values) is not None

    def _one(self, statement: Select[Any], order_id: str) -> Order:
        row = self._transaction.row(statement, {"id": order_id})
        if row is None:
            raise NotFound("There is no such order.")
        ids = {"ids": [order_id]}
        lines, history = self._transaction.rows(_lines_of, ids), self._transaction.rows(_history_of, ids)
        return order_from(self._private(order_id, row[_PRIVATE]), row[:-1], lines, history, row[-1])

    def _whole(self, rows: Sequence[Row]) -> Sequence[Order]:
        if not rows:
            return ()
        ids = {"ids": [row[0] for row in rows]}
        lines = _by_order(self._transaction.rows(_lines_of, ids))
        history = _by_order(self._transaction.rows(_history_of, ids))
        return [order_from(self._private(row[0], row[_PRIVATE]), row, lines[row[0]], history[row[0]]) for row in rows]

    def _deliveries(self, rows: Sequence[Row]) -> Sequence[Delivery]:
        private = {row[1]: row[5] for row in rows}
        opened = {order_id: self._private(order_id, sealed) for order_id, sealed in private.items()}
        return [_delivery(row, opened[row[1]]) for row in rows]

    def _private(self, order_id: str, sealed: bytes) -> Mapping[str, Any]:
        opened: Mapping[str, Any] = self._transaction.unseal("orders.private", order_id, sealed)
        return opened


def _by_order(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    return {order_id: list(group) for order_id, group in groupby(rows, itemgetter(0))}


@lru_cache
def _to_deliver(done: bool | None, further: bool) -> Select[Any]:
    statement = select(*_DELIVERY).join_from(tables.orders, tables.order_lines).where(_WHICH[done])
    if further:
        begun = _orders.created_at >= bindparam("after0", type_=Instant)  # so much the index can look up
        statement = statement.where(begun, after(_orders.created_at, _orders.id, _lines.position))
    return fetched(statement.order_by(_orders.created_at, _orders.id, _lines.position))


@lru_cache
def _count_to_deliver(done: bool | None) -> Select[Any]:
    return select(func.count()).select_from(tables.orders.join(tables.order_lines)).where(_WHICH[done])


def _delivery(row: Row, private: Mapping[str, Any]) -> Delivery:
    (
        _,
        order_id,
        _,
        number,
        customer_id,
        _,
        currency,
        status,
        line_id,
        product_id,
        product_name,
        quantity,
        total,
    ) = row
    return Delivery(
        line_id=line_id,
        order_id=order_id,
        order_number=number,
        customer_id=customer_id,
        customer_name=private["customer_name"],
        product_id=product_id,
        product_name=product_name,
        quantity=quantity,
        total=Money(total, currency),
        delivery_address=address_from(private),
        status=Status(status),
    )
