"""Lists by relevance: the pages of what matches, the best first. Statements are built once for each shape."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from adapters.sql import tables
from adapters.sql.listing import Shape, conditions, list_values, shape_of
from adapters.sql.matching import hits
from adapters.sql.pages import FETCH, fetched
from adapters.sql.product_rows import PRODUCT, PRODUCTS, product_from
from adapters.sql.transaction import Row, Transaction
from storecore.lists import Page, PageRequest
from storecore.ports import MOST_RELEVANT, Hit, ProductQuery

_products, _shelf, _documents = tables.products.c, tables.shelf.c, tables.search_documents.c


def page(transaction: Transaction, query: ProductQuery, asked: PageRequest) -> Page[Hit]:
    """One statement, and one that counts."""
    shape, values = shape_of(query), list_values(query)
    begin = int(asked.after[0] or 0) if asked.after else 0
    end = min(begin + asked.limit, MOST_RELEVANT)
    place = {"begin": begin, FETCH: max(end - begin, 0) + 1, "last": end}
    rows = transaction.rows(_ranked(shape), values | place) if begin < end else ()
    total = transaction.number(_counted(shape), values) if asked.total else None
    more = len(rows) > end - begin and end < MOST_RELEVANT
    return Page(items=tuple(map(_hit, rows[: end - begin])), next=(end,) if more else None, total=total)


def _hit(row: Row) -> Hit:
    return Hit(product=product_from(row[: len(PRODUCT)]), score=float(row[len(PRODUCT)]))


def _matched(shape: Shape) -> Select[Any]:
    """The documents that match and pass the filters; without filters the products need not be looked at."""
    found = hits()
    matched = select(found.c.id, found.c.score)
    if _filters(shape):
        return (
            matched.join(tables.search_documents, _documents.id == found.c.id)
            .join(PRODUCTS, _products.id == _documents.product_id)
            .where(*conditions(shape, matching=False))
        )
    return matched


def _filters(shape: Shape) -> Sequence[str]:
    _, given, attributes, _ = shape
    return [*(set(given) - {"match", "sort", "attributes"}), *range(attributes)]


@lru_cache(maxsize=512)
def _ranked(shape: Shape) -> Select[Any]:
    found = _matched(shape).subquery("found")
    best = select(found.c.id, found.c.score).order_by(found.c.score.desc(), found.c.id).limit(MOST_RELEVANT)
    matched = best.cte("matched").prefix_with("MATERIALIZED")
    # Only what can be on the page, or ties with it, is sorted by units sold: they are looked up one by one.
    last = select(matched.c.score).order_by(matched.c.score.desc()).limit(1).offset(bindparam("last")).scalar_subquery()
    top = fetched(
        select(_documents.product_id, matched.c.score, _shelf.units_sold_down)
        .join_from(matched, tables.search_documents, _documents.id == matched.c.id)
        .join(tables.shelf, _shelf.product_id == _documents.product_id)
        .where(matched.c.score >= func.coalesce(last, 0.0))
        .order_by(matched.c.score.desc(), _shelf.units_sold_down, _documents.product_id)
        .offset(bindparam("begin"))
    ).cte("top")
    return (
        select(*PRODUCT, top.c.score)
        .select_from(PRODUCTS.join(top, top.c.product_id == _products.id))
        .order_by(top.c.score.desc(), top.c.units_sold_down, _products.id)
    )


@lru_cache(maxsize=512)
def _counted(shape: Shape) -> Select[Any]:
    return select(func.count()).select_from(_matched(shape).subquery("matched"))
