"""Product lists: filters, orders and keyset pages. A statement is built once for each shape of a question."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, fields, replace
from decimal import ROUND_CEILING
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from adapters.sql import tables
from adapters.sql.matching import hits
from adapters.sql.pages import after, asked, fetched
from adapters.sql.product_rows import PRODUCT, PRODUCTS
from storecore.lists import Keyset, PageRequest
from storecore.ports import ProductQuery

_products, _shelf, _ratings = tables.products.c, tables.shelf.c, tables.ratings.c
_filed, _attributes, _categories = tables.product_categories.c, tables.product_attributes.c, tables.categories.c
_documents = tables.search_documents.c

_below = select(_categories.id).where(_categories.id == bindparam("category_id")).cte("below", recursive=True)
_below = _below.union(select(_categories.id).where(_categories.parent_id == _below.c.id))
"""A category and every one filed below it."""

_LOWEST, _LAST_TEXT = -(2**62), chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class _Order:
    """The columns a list follows, which an index keeps in order, and a keyset that lies before every row.

    The first page starts there: without a place to start, SQLite would rather sort all rows than follow the index.
    """

    columns: tuple[ColumnElement[Any], ...]
    start: Keyset
    backwards: bool = False


_ORDERS: Mapping[str, _Order] = MappingProxyType(
    {
        "newest": _Order((_products.id,), (_LAST_TEXT,), backwards=True),
        "price": _Order((_products.final_price, _products.id), (_LOWEST, "")),
        "-price": _Order((_products.final_price_down, _products.id), (_LOWEST, "")),
        "popularity": _Order((_shelf.units_sold_down, _shelf.product_id), (_LOWEST, "")),
        "rating": _Order((_ratings.average_down, _ratings.product_id), (_LOWEST, "")),
        "name": _Order((_products.name_folded, _products.id), ("", "")),
    }
)

Shape = tuple[str, tuple[str, ...], int, bool]
"""The order, the filters that are set, how many attributes, and whether in or out of stock."""


def page_values(query: ProductQuery, page: PageRequest) -> dict[str, Any]:
    """The parameters of :func:`listed`."""
    start = _ORDERS[query.sort].start if page.after is None else page.after
    return list_values(query) | asked(replace(page, after=start))


def list_values(query: ProductQuery) -> dict[str, Any]:
    """The parameters of :func:`counted`."""
    values: dict[str, Any] = {
        name: value
        for name in ("match", "category_id", "min_price", "max_price", "group")
        if (value := getattr(query, name)) is not None
    }
    if query.min_rating is not None:
        values["min_rating"] = int((query.min_rating * 100).to_integral_value(rounding=ROUND_CEILING))
    for i, (name, value) in enumerate(query.attributes):
        values |= {f"name{i}": name, f"value{i}": value}
    return values


def listed(query: ProductQuery, *, one_shelf: bool = False) -> Select[Any]:
    """The rows of a list: the columns of a product, then those it is sorted by but the id.

    ``one_shelf``: nothing is filed below the category; then the newest on it come first in the category's own index,
    and however many more there are need not be looked at.
    """
    shape = shape_of(query)
    return _newest_on(shape) if one_shelf else _listed(shape)


def counted(query: ProductQuery) -> Select[Any]:
    """How many rows the list has."""
    return _counted(shape_of(query))


def shape_of(query: ProductQuery) -> Shape:
    """What its statement depends on; the rest of it is parameters."""
    given = tuple(each.name for each in fields(query) if getattr(query, each.name) is not None)
    return query.sort, given, len(query.attributes), bool(query.in_stock)


@lru_cache(maxsize=512)
def _listed(shape: Shape) -> Select[Any]:
    order = _ORDERS[shape[0]]
    return fetched(
        select(*PRODUCT, *order.columns[:-1])
        .select_from(PRODUCTS)
        .where(*conditions(shape), after(*order.columns, newest_first=order.backwards))
        .order_by(*(column.desc() if order.backwards else column for column in order.columns))
    )


@lru_cache(maxsize=512)
def _newest_on(shape: Shape) -> Select[Any]:
    sort, given, attributes, in_stock = shape
    beside = sort, tuple(name for name in given if name != "category_id"), attributes, in_stock
    return fetched(
        select(*PRODUCT)
        .select_from(tables.product_categories.join(PRODUCTS, _filed.product_id == _products.id))
        .where(_filed.category_id == bindparam("category_id"), *conditions(beside))
        .where(after(_filed.product_id, newest_first=True))
        .order_by(_filed.product_id.desc())
    )


@lru_cache(maxsize=512)
def _counted(shape: Shape) -> Select[Any]:
    return select(func.count()).select_from(PRODUCTS).where(*conditions(shape))


def conditions(shape: Shape, *, matching: bool = True, but: Set[int] = frozenset()) -> list[ColumnElement[bool]]:
    """What a product of ``PRODUCTS`` has to be to be on a list; ``matching`` its text as well.

    ``but`` are the places of attribute filters that are left out.
    """
    _, given, attributes, in_stock = shape
    conditions: list[ColumnElement[bool]] = [_products.is_active]
    if "match" in given and matching:
        found = select(_documents.product_id).where(_documents.id.in_(select(hits().c.id)))
        conditions.append(_products.id.in_(found))
    if "category_id" in given:
        filed = select(_filed.product_id).where(_filed.category_id.in_(select(_below.c.id)))
        conditions.append(_products.id.in_(filed))
    if "min_price" in given:
        conditions.append(_products.final_price >= bindparam("min_price"))
    if "max_price" in given:
        conditions.append(_products.final_price <= bindparam("max_price"))
    if "in_stock" in given:
        conditions.append(_shelf.on_hand > 0 if in_stock else _shelf.on_hand == 0)
    if "min_rating" in given:
        conditions.append(_ratings.average >= bindparam("min_rating"))
    if "group" in given:
        conditions.append(_products.group == bindparam("group"))
    for i in sorted(set(range(attributes)) - but):
        described = select(_attributes.product_id).where(
            _attributes.name == bindparam(f"name{i}"), _attributes.value == bindparam(f"value{i}")
        )
        conditions.append(_products.id.in_(described))
    return conditions
