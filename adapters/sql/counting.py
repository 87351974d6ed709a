"""What a product list could be narrowed to."""

from collections import defaultdict
from collections.abc import Iterator, Set
from dataclasses import replace
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, case, func, select, union_all

from adapters.sql import tables
from adapters.sql.listing import conditions, list_values, shape_of
from adapters.sql.product_rows import PRODUCTS
from adapters.sql.transaction import Transaction
from storecore.money import LIMIT
from storecore.ports import MOST_FACETS, Counts, ProductQuery

_products, _shelf, _categories = tables.products.c, tables.shelf.c, tables.categories.c
_filed, _attributes = tables.product_categories.c, tables.product_attributes.c

_own = select(_categories.id, _categories.id.label("shelf")).cte("above", recursive=True)
_above = _own.union(
    select(_categories.parent_id, _own.c.shelf).where(_categories.id == _own.c.id, _categories.parent_id.is_not(None))
)
"""Each category with itself and every one that it is below: what stands on ``shelf`` counts for ``id``."""

_SCALES = [10**zeros for zeros in range(len(str(LIMIT)) - 2)]
_cut = case(*((_products.final_price < 100 * scale, _products.final_price // scale * scale) for scale in _SCALES))
"""``storecore.catalog.facets.cut``."""


def counts(transaction: Transaction, query: ProductQuery) -> Counts:
    """See ``Products.counts``."""
    anywhere, any_price = replace(query, category_id=None), replace(query, min_price=None, max_price=None)
    attributes: dict[str, dict[str, int]] = defaultdict(dict)
    for name, value, count in transaction.rows(_by_attribute(query), list_values(query)):
        attributes[name][value] = count
    return Counts(
        categories=dict(map(tuple, transaction.rows(_by_category(anywhere), list_values(anywhere)))),
        attributes=attributes,
        prices=dict(map(tuple, transaction.rows(_by_price(any_price), list_values(any_price)))),
    )


def _by_category(query: ProductQuery) -> Select[Any]:
    return (
        select(_above.c.id, func.count(_filed.product_id.distinct()))
        .select_from(tables.product_categories.join(_above, _above.c.shelf == _filed.category_id))
        .where(*_listed(_filed.product_id, query))
        .group_by(_above.c.id)
    )


def _by_price(query: ProductQuery) -> Select[Any]:
    return select(_cut, func.count()).where(_products.is_active, *_listed(_products.id, query)).group_by(_cut)


def _by_attribute(query: ProductQuery) -> Select[Any]:
    """Of each chosen name what it could be instead, of the others what they could be too, and the most of each."""
    chosen = defaultdict(set)
    for place, (name, _) in enumerate(query.attributes):
        chosen[name].add(place)
    names: list[BindParameter[str]] = [bindparam(f"name{min(places)}") for places in chosen.values()]
    parts = [_values(query).where(_attributes.name.not_in(names)) if names else _values(query)]
    parts += [
        _values(query, but=frozenset(places)).where(_attributes.name == name)
        for name, places in zip(names, chosen.values(), strict=True)
    ]
    found = union_all(*parts).subquery("found")
    whole = func.sum(found.c.count).over(partition_by=found.c.name)
    nth = func.row_number().over(partition_by=found.c.name, order_by=(found.c.count.desc(), found.c.value))
    counted = select(found, whole.label("whole"), nth.label("place")).subquery("counted")
    rank = func.dense_rank().over(order_by=(counted.c.whole.desc(), counted.c.name))
    ranked = select(counted, rank.label("rank")).subquery("ranked")
    return select(ranked.c.name, ranked.c.value, ranked.c.count).where(
        ranked.c.place <= MOST_FACETS, ranked.c.rank <= MOST_FACETS
    )


def _values(query: ProductQuery, but: Set[int] = frozenset()) -> Select[Any]:
    return (
        select(_attributes.name, _attributes.value, func.count().label("count"))
        .where(*_listed(_attributes.product_id, query, but))
        .group_by(_attributes.name, _attributes.value)
    )


def _listed(
    product_id: ColumnElement[str], query: ProductQuery, but: Set[int] = frozenset()
) -> Iterator[ColumnElement[bool]]:
    """Whether a product is on the list. What most products fulfil is said by the few that don't."""
    yield product_id.not_in(select(_products.id).where(~_products.is_active))
    if query.in_stock is not None:
        none_left = select(_shelf.product_id).where(_shelf.on_hand == 0)
        yield product_id.not_in(none_left) if query.in_stock else product_id.in_(none_left)
    others = conditions(shape_of(replace(query, in_stock=None)), but=but)
    if len(others) > 1:  # the first one says that it is active
        fitting = select(_products.id).select_from(PRODUCTS if query.min_rating is not None else tables.products)
        yield product_id.in_(fitting.where(*others))
