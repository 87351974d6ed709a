"""What the papers say, added up by the quarter of an hour: the days of every time zone begin with one (since 1980).

A paper is an invoice, a credit note, or an order that waits for its invoice. Statements take the numbers of invoices
and of credit notes ``…_after`` … ``…_to``, the quarters ``since`` … ``before``, and ``now``, the quarter of papers that
wait: those count if that is among the quarters.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Executable,
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
from adapters.sql.columns import Instant, Whole, from_ticks, to_ticks
from adapters.sql.dialect import First, Quarter
from adapters.sql.transaction import Row, Values
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

Keyed = Iterator[tuple[date, str, Mapping[str, int]]]


Rows = Callable[[Executable, Values], Iterable[Row]]
"""Runs a query with its parameters."""


class Papers(NamedTuple):
    """Which papers: those with numbers beyond two, up to two, on some days; and those that wait, if it is their day."""

    invoices_after: int = 0
    invoices_to: int = _LAST
    notes_after: int = 0
    notes_to: int = _LAST
    since: int = 0
    before: int = _LAST
    now: int = -1

    def of(self, days: Days) -> "Papers":
        """Those of them that are of these days."""
        return self._replace(since=_quarter(days.begins), before=_quarter(days.ends))

    def with_waiting(self, now: datetime) -> "Papers":
        """Those that wait, too."""
        return self._replace(now=_quarter(now))


def _quarter(at: datetime) -> int:
    return to_ticks(at) // QUARTER


class Statements(NamedTuple):
    """The sums of papers that are found by their numbers, or else by when they were issued."""

    goods_by_rate: Select[Any]
    orders_by_rate: Select[Any]
    goods_by_product: Select[Any]
    goods_by_category: Select[Any]
    orders_by_customer: Select[Any]


def takings_of(
    rows: Rows, papers: Papers, timezone: str, statements: Statements | None = None
) -> Iterator[tuple[date, tuple[str, bool], Mapping[str, int]]]:
    """Day, tax rate with whether it is included, and amounts; several may be of one day and rate."""
    which = statements or BY_NUMBER
    for statement, names in ((which.goods_by_rate, OF_GOODS), (which.orders_by_rate, OF_ORDERS)):
        for quarter, rate, included, *amounts in rows(statement, papers._asdict()):
            yield _day(quarter, timezone), (rate, bool(included)), named(names, amounts)


def goods_of(rows: Rows, papers: Papers, timezone: str, statements: Statements | None = None) -> Keyed:
    """Day, product and amounts."""
    return _by_key(rows, (statements or BY_NUMBER).goods_by_product, OF_PRODUCTS, papers, timezone)


def categories_of(rows: Rows, papers: Papers, timezone: str) -> Keyed:
    """Day, the first category of the products, and amounts."""
    return _by_key(rows, BY_NUMBER.goods_by_category, OF_PRODUCTS, papers, timezone)


def buyers_of(rows: Rows, papers: Papers, timezone: str, statements: Statements | None = None) -> Keyed:
    """Day, customer (empty for guests) and amounts."""
    return _by_key(rows, (statements or BY_NUMBER).orders_by_customer, OF_BUYERS, papers, timezone)


def _by_key(rows: Rows, statement: Select[Any], names: Sequence[str], papers: Papers, timezone: str) -> Keyed:
    for quarter, key, *amounts in rows(statement, papers._asdict()):
        yield _day(quarter, timezone), key, named(names, amounts)


def named(names: Sequence[str], amounts: Sequence[Any]) -> Mapping[str, int]:
    """Sums by name; PostgreSQL gives them as decimals."""
    return {name: int(amount) for name, amount in zip(names, amounts, strict=True)}


@lru_cache(maxsize=2**16)
def _day(quarter: int, timezone: str) -> date:
    return day_of(from_ticks(quarter * QUARTER), timezone)


def _given(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=Whole)


def _paid_shipping(column: Column[int]) -> ColumnElement[int]:
    """Without the tax inside."""
    return column - case((_orders.c.tax_included, _orders.c.shipping_tax), else_=_ZERO)


class _Source(NamedTuple):
    """Orders with their papers, when those were issued, and which."""

    orders: FromClause
    quarter: ColumnElement[int]
    which: Sequence[ColumnElement[bool]]


def _issued(at: Column[datetime], sequence: Column[int], of: str, *, by_time: bool) -> dict[str, Any]:
    """The quarter of an issue, and what finds those that are asked for: an index of numbers, or else one of times."""
    which = [sequence > _given(f"{of}_after"), sequence <= _given(f"{of}_to")]
    if by_time:
        which += [at >= bindparam("begins", type_=Instant), at < bindparam("ends", type_=Instant)]
    return {"quarter": Quarter(at), "which": which}


def _invoiced(*, by_time: bool) -> _Source:
    of = _issued(_invoices.c.issued_at, _invoices.c.sequence, "invoices", by_time=by_time)
    return _Source(_orders.join(_invoices), **of)


def _credited(*, by_time: bool) -> _Source:
    of = _issued(_notes.c.issued_at, _notes.c.sequence, "notes", by_time=by_time)
    notes = _orders.join(_notes, _notes.c.order_id == _orders.c.id)
    return _Source(notes.outerjoin(_refunds, _refunds.c.id == _notes.c.refund_id), **of)


_WAITING = _Source(_orders, _given("now"), (text(f"({tables.TO_INVOICE})"),))  # type: ignore[arg-type] # a text is a condition
_CANCELLED = func.coalesce(_refunds.c.cause, "") != str(RefundCause.RETURN)
_RETURNED = _refunds.c.cause == str(RefundCause.RETURN)


def _line(source: _Source, sign: int, *also: ColumnElement[bool]) -> Select[Any]:
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


def _returned_line(source: _Source) -> Select[Any]:
    """Lines that came back."""
    orders, quarter, which = source
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


def _order(source: _Source, sign: int, *also: ColumnElement[bool]) -> Select[Any]:
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


def _returned(source: _Source) -> Select[Any]:
    """What was given back besides lines."""
    orders, quarter, which = source
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


def _statements(*, by_time: bool) -> Statements:
    invoiced, credited = _invoiced(by_time=by_time), _credited(by_time=by_time)
    goods = _papers(_line(invoiced, 1), _line(_WAITING, 1), _line(credited, -1, _CANCELLED), _returned_line(credited))
    whole = _papers(_order(invoiced, 1), _order(_WAITING, 1), _order(credited, -1, _CANCELLED), _returned(credited))
    net = goods.c.listed - goods.c.reduced - case((goods.c.tax_included, goods.c.goods_tax), else_=_ZERO)
    sold = (goods.c.units, goods.c.units_returned, net, goods.c.refunds, goods.c.cost)
    products = tables.products
    return Statements(
        goods_by_rate=_summed(goods, [goods.c.tax_rate, goods.c.tax_included], [goods.c[name] for name in OF_GOODS]),
        orders_by_rate=_summed(whole, [whole.c.tax_rate, whole.c.tax_included], [whole.c[name] for name in OF_ORDERS]),
        goods_by_product=_summed(goods, [goods.c.product_id], sold),
        goods_by_category=_summed(goods, [First(products.c.category_ids)], sold).join(
            products, products.c.id == goods.c.product_id
        ),
        orders_by_customer=_summed(
            whole, [func.coalesce(whole.c.customer_id, "")], [whole.c.orders, whole.c.invoiced - whole.c.credited]
        ),
    )


BY_NUMBER = _statements(by_time=False)
BY_TIME = _statements(by_time=True)
"""Takes the moments ``begins`` and ``ends`` too."""
