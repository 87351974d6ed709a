"""Keyset pages: one row more than asked for tells whether there is a next page."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Select, bindparam, func, select, tuple_

from adapters.sql.columns import from_ticks, to_ticks
from adapters.sql.transaction import Row, Transaction
from storecore.lists import Keyset, Page, PageRequest

T = TypeVar("T")

FETCH = "fetch"
"""The parameter that limits a list's rows."""


def after(*columns: ColumnElement[Any], newest_first: bool = False) -> ColumnElement[bool]:
    """Rows beyond the keyset ``after0``, ``after1``, …, in the order of these columns, which an index follows."""
    given = tuple_(*(bindparam(f"after{i}", type_=column.type) for i, column in enumerate(columns)))
    return tuple_(*columns) < given if newest_first else tuple_(*columns) > given


def fetched(statement: Select[Any]) -> Select[Any]:
    """The statement with its limit."""
    return statement.limit(bindparam(FETCH))


def asked(page: PageRequest, *, first: Callable[[Any], Any] = lambda value: value) -> dict[str, Any]:
    """Parameters of a page; ``first`` turns the keyset's first value into what its column holds."""
    values: dict[str, Any] = {FETCH: page.limit + 1}
    if page.after is not None:
        values |= {f"after{i}": value if i else first(value) for i, value in enumerate(page.after)}
    return values


def page_of(
    rows: Sequence[Row],
    page: PageRequest,
    items: Callable[[Sequence[Row]], Sequence[T]],
    key: Callable[[Row], Keyset],
    total: int | None,
) -> Page[T]:
    """The page that was asked for; ``items`` turns all of its rows into things at once."""
    shown = rows[: page.limit]
    return Page(
        items=tuple(items(shown)),
        next=key(shown[-1]) if len(rows) > page.limit else None,
        total=total,
    )


class NewestFirst:
    """A list of rows, the newest first: one statement for a page, whatever it is filtered by, and one that counts.

    ``at`` and ``id_`` are among the ``columns``; each of the ``conditions`` has a parameter of its own name.
    """

    def __init__(
        self,
        columns: Sequence[ColumnElement[Any]],
        *,
        at: ColumnElement[datetime],
        id_: Column[str],
        conditions: Mapping[str, ColumnElement[bool]],
    ) -> None:
        self._columns, self._conditions = tuple(columns), conditions
        self._at, self._id = at, id_
        self._when, self._name = self._columns.index(at), self._columns.index(id_)
        self._listed, self._counted = lru_cache(self._list), lru_cache(self._count)

    def page(
        self, transaction: Transaction, page: PageRequest, items: Callable[[Sequence[Row]], Sequence[T]], **given: Any
    ) -> Page[T]:
        """The page of rows that meet the conditions of these names; None does not filter."""
        values = {name: value for name, value in given.items() if value is not None}
        names = tuple(values)
        rows = transaction.rows(self._listed(names, page.after is not None), values | asked(page, first=from_ticks))
        total = transaction.number(self._counted(names), values) if page.total else None
        return page_of(rows, page, items, lambda row: (to_ticks(row[self._when]), row[self._name]), total)

    def _list(self, names: tuple[str, ...], further: bool) -> Select[Any]:
        statement = select(*self._columns).where(*(self._conditions[name] for name in names))
        if further:
            statement = statement.where(after(self._at, self._id, newest_first=True))
        return fetched(statement.order_by(self._at.desc(), self._id.desc()))

    def _count(self, names: tuple[str, ...]) -> Select[Any]:
        return select(func.count()).select_from(self._id.table).where(*(self._conditions[name] for name in names))
