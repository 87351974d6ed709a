"""What the papers say, added up by the quarter of an hour: the days of every time zone begin with one (since 1972).

A paper is an invoice, a credit note, or an order that waits for its invoice. Statements take the numbers of invoices
and of credit notes ``…_after`` … ``…_to``, the quarters ``since`` … ``before``, and ``now``, the quarter of papers that
wait: those count if that is among the quarters.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    bindparam,
    case,
    func,
    literal_column,
    select,
    text,
    union_all,
)

from adapters.sql import tables
from adapters.sql.columns import Whole, from_ticks, to_ticks
from adapters.sql.dialect import First, Quarter
from adapters.sql.transaction import Row, Transaction
from storecore.insight.days import Days, day_of
from storecore.orders.refund import Disposition, RefundCause

_invoices, _notes = tables.invoices, tables.credit_notes
_orders, _lines = tables.orders, tables.order_lines
_refunds, _items = tables.refunds, tables.refund_items

QUARTER = 15 * 60 * 1_000_000
"""Microseconds."""
_LAST = 2**62

OF_GOODS = ("units", "listed", "reduced", "goods_tax", "cost", "units_returned", "refunds")
"""What a line of a paper adds to the takings."""
OF_ORDERS = ("orders", "tax", "shipping", "invoiced", "refunded_tax", "refunded_shipping", "credited")
"""What a paper as a whole adds."""
OF_PRODUCTS = ("units", "units_returned", "net", "refunds", "cost")
OF_BUYERS = ("orders", "spent")

_ZERO = literal_column("0", Whole)
_ONE = literal_column("1", Whole)


class Papers(NamedTuple):
    """Which papers: those with numbers beyond two, up to two, on some days; and those that wait, if it is their day."""

    invoices_after: int = 0
    invoices_to: int = _LAST
    notes_after: int = 0
    notes_to: int = _LAST
    since: int = 0
    before: int = _LAST
    now: int = -1

    def of(self, days: Days, now: datetime) -> "Papers":
        """Those of them that are of these days, and those that wait."""
        return self._replace(since=_quarter(days.begins), before=_quarter(days.ends), now=_quarter(now))


def _quarter(at: datetime) -> int:
    return to_ticks(at) // QUARTER


def takings_of(
    transaction: Transaction, papers: Papers, timezone: str
) -> Sequence[tuple[date, Row, Mapping[str, int]]]:
    """Day, tax rate and whether it is included, and amounts; several may be of one day and rate."""
    found = []
    for statement, names in ((_goods_by_rate, OF_GOODS), (_orders_by_rate, OF_ORDERS)):
        for quarter, rate, included, *amounts in transaction.rows(statement, papers._asdict()):
            found.append((_day(quarter, timezone), (rate, bool(included)), _named(names, amounts)))
    return found


def goods_of(transaction: Transaction, papers: Papers, timezone: str) -> Sequence[tuple[date, Any, Mapping[str, int]]]:
    """Day, product and amounts."""
    return _by_key(transaction, _goods_by_product, OF_PRODUCTS, papers, timezone)


def categories_of(
    transaction: Transaction, papers: Papers, timezone: str
) -> Sequence[tuple[date, Any, Mapping[str, int]]]:
    """Day, the first category of the products, and amounts."""
    return _by_key(transaction, _goods_by_category, OF_PRODUCTS, papers, timezone)


def buyers_of(transaction: Transaction, papers: Papers, timezone: str) -> Sequence[tuple[date, Any, Mapping[str, int]]]:
    """Day, customer (empty for guests) and amounts."""
    return _by_key(transaction, _orders_by_customer, OF_BUYERS, papers, timezone)


def _by_key(
    transaction: Transaction, statement: Select[Any], names: Sequence[str], papers: Papers, timezone: str
) -> Sequence[tuple[date, Any, Mapping[str, int]]]:
    rows = transaction.rows(statement, papers._asdict())
    return [(_day(quarter, timezone), key, _named(names, amounts)) for quarter, key, *amounts in rows]


def _named(names: Sequence[str], amounts: Sequence[Any]) -> Mapping[str, int]:
    return {name: int(amount) for name, amount in zip(names, amounts, strict=True)}


@cache
def _day(quarter: int, timezone: str) -> date:
    return day_of(from_ticks(quarter * QUARTER), timezone)


def _given(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=Whole)


def _numbered(sequence: Column[int], of: str) -> tuple[ColumnElement[bool], ...]:
    return sequence > _given(f"{of}_after"), sequence <= _given(f"{of}_to")


def _paid_shipping(column: Column[int]) -> ColumnElement[int]:
    """Without the tax inside."""
    return column - case((_orders.c.tax_included, _orders.c.shipping_tax), else_=_ZERO)


_INVOICED = (_orders.join(_invoices), Quarter(_invoices.c.issued_at), _numbered(_invoices.c.sequence, "invoices"))
_WAITING = (_orders, _given("now"), (text(f"({tables.TO_INVOICE})"),))
_CREDITED = (
    _orders.join(_notes, _notes.c.order_id == _orders.c.id).outerjoin(_refunds, _refunds.c.id == _notes.c.refund_id),
    Quarter(_notes.c.issued_at),
    _numbered(_notes.c.sequence, "notes"),
)
_CANCELLED = func.coalesce(_refunds.c.cause, "") != str(RefundCause.RETURN)
_RETURNED = _refunds.c.cause == str(RefundCause.RETURN)

Source = tuple[FromClause, ColumnElement[int], Sequence[Any]]


def _line(source: Source, sign: int, *also: ColumnElement[bool]) -> Select[Any]:
    """Lines that were sold, or whose sale is taken back."""
    orders, quarter, which = source
    line = _lines.c
    return (
        select(
            quarter.label("quarter"),
            line.tax_rate,
            _orders.c.tax_included,
            line.product_id,
            (sign * line.quantity).label("units"),
            (sign * line.quantity * line.unit_price).label("listed"),
            (sign * (line.product_discount + line.order_discount)).label("reduced"),
            (sign * line.tax).label("goods_tax"),
            (sign * line.quantity * line.cost).label("cost"),
            _ZERO.label("units_returned"),
            _ZERO.label("refunds"),
        )
        .select_from(orders.join(_lines, _lines.c.order_id == _orders.c.id))
        .where(*which, *also)
    )


def _returned_line() -> Select[Any]:
    orders, quarter, which = _CREDITED
    returned = orders.join(_items, _items.c.refund_id == _refunds.c.id).join(
        _lines, (_lines.c.order_id == _orders.c.id) & (_lines.c.id == _items.c.line_id)
    )
    back = case((_refunds.c.disposition == str(Disposition.RESTOCK), _items.c.quantity * _lines.c.cost), else_=_ZERO)
    return (
        select(
            quarter.label("quarter"),
            _lines.c.tax_rate,
            _orders.c.tax_included,
            _items.c.product_id,
            _ZERO.label("units"),
            _ZERO.label("listed"),
            _ZERO.label("reduced"),
            _ZERO.label("goods_tax"),
            (-back).label("cost"),
            _items.c.quantity.label("units_returned"),
            (_items.c.amount - _items.c.tax).label("refunds"),
        )
        .select_from(returned)
        .where(*which, _RETURNED)
    )


def _order(source: Source, sign: int, *also: ColumnElement[bool]) -> Select[Any]:
    """What orders are besides their lines, or were before they were taken back."""
    orders, quarter, which = source
    order = _orders.c
    return (
        select(
            quarter.label("quarter"),
            order.shipping_tax_rate.label("tax_rate"),
            order.tax_included,
            order.customer_id,
            literal_column(str(sign), Whole).label("orders"),
            (sign * order.tax).label("tax"),
            (sign * _paid_shipping(order.shipping)).label("shipping"),
            (order.total if sign > 0 else _ZERO).label("invoiced"),
            _ZERO.label("refunded_tax"),
            _ZERO.label("refunded_shipping"),
            (_ZERO if sign > 0 else _notes.c.total).label("credited"),
        )
        .select_from(orders)
        .where(*which, *also)
    )


def _returned() -> Select[Any]:
    orders, quarter, which = _CREDITED
    order = _orders.c
    return (
        select(
            quarter.label("quarter"),
            order.shipping_tax_rate.label("tax_rate"),
            order.tax_included,
            order.customer_id,
            _ZERO.label("orders"),
            _ZERO.label("tax"),
            _ZERO.label("shipping"),
            _ZERO.label("invoiced"),
            _notes.c.tax.label("refunded_tax"),
            (_refunds.c.shipping - _refunds.c.shipping_tax).label("refunded_shipping"),
            _notes.c.total.label("credited"),
        )
        .select_from(orders)
        .where(*which, _RETURNED)
    )


def _papers(*parts: Select[Any]) -> Subquery:
    return union_all(*parts).subquery("papers")


def _summed(papers: Subquery, keys: Sequence[ColumnElement[Any]], amounts: Sequence[ColumnElement[Any]]) -> Select[Any]:
    quarter = papers.c.quarter
    return (
        select(quarter, *keys, *(func.sum(amount) for amount in amounts))
        .select_from(papers)
        .where(quarter >= _given("since"), quarter < _given("before"))
        .group_by(quarter, *keys)
    )


_goods = _papers(_line(_INVOICED, 1), _line(_WAITING, 1), _line(_CREDITED, -1, _CANCELLED), _returned_line())
_whole = _papers(_order(_INVOICED, 1), _order(_WAITING, 1), _order(_CREDITED, -1, _CANCELLED), _returned())
_net = _goods.c.listed - _goods.c.reduced - case((_goods.c.tax_included, _goods.c.goods_tax), else_=_ZERO)
_sold = (_goods.c.units, _goods.c.units_returned, _net, _goods.c.refunds, _goods.c.cost)

_goods_by_rate = _summed(_goods, [_goods.c.tax_rate, _goods.c.tax_included], [_goods.c[name] for name in OF_GOODS])
_orders_by_rate = _summed(_whole, [_whole.c.tax_rate, _whole.c.tax_included], [_whole.c[name] for name in OF_ORDERS])
_goods_by_product = _summed(_goods, [_goods.c.product_id], _sold)
_goods_by_category = _summed(_goods, [First(tables.products.c.category_ids)], _sold).join(
    tables.products, tables.products.c.id == _goods.c.product_id
)
_orders_by_customer = _summed(
    _whole, [func.coalesce(_whole.c.customer_id, "")], [_whole.c.orders, _whole.c.invoiced - _whole.c.credited]
)
