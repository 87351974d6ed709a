"""Keyset pages: one row more than asked for tells whether there is a next page."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, bindparam, tuple_

from adapters.sql.transaction import Row
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
