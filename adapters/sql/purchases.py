"""What is bought together: counts, and looks at their greatest."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Select,
    Subquery,
    bindparam,
    cast,
    func,
    not_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql

from adapters.sql import tables
from adapters.sql.columns import Whole
from adapters.sql.dialect import members
from adapters.sql.transaction import Row, Transaction, dumps
from storecore.catalog.affinity import Demand, Neighbour, weight
from storecore.orders.model import Status

_orders, _lines = tables.orders.c, tables.order_lines.c
_pairs, _demand = tables.copurchases.c, tables.demand.c
_products, _shelf, _filed = tables.products.c, tables.shelf.c, tables.product_categories.c

LAST_ORDERS = 10
MOST_PAIRS = 10_000
"""Pairs that are counted at once: an order of 100 lines has 9,900, and others want to write as well."""

_waits = select(_orders.id).where(text(tables.TO_COUNT)).limit(1)
_to_count = (
    select(_orders.id, _orders.created_at, _orders.counted)
    .where(text(tables.TO_COUNT))
    .order_by(_orders.created_at.desc(), _orders.id.desc())
    .limit(bindparam("most"))
    .with_for_update(key_share=True, skip_locked=True)
)
_given = members(bindparam("orders"))
_lines_of = select(_lines.order_id, _lines.product_id).where(_lines.order_id.in_(select(_given.c.key)))
_sign = cast(_given.c.value, Whole)
_one, _other = tables.order_lines.alias("one").c, tables.order_lines.alias("other").c
_counted_pairs = (
    select(_one.product_id, _other.product_id, func.sum(_sign))
    .select_from(_given)
    .where(
        _one.order_id == _given.c.key,
        _other.order_id == _given.c.key,
        _one.product_id != _other.product_id,
    )
    .group_by(_one.product_id, _other.product_id)
    .order_by(_one.product_id, _other.product_id)
)
_new_pairs = postgresql.insert(tables.copurchases).from_select(["product_id", "other_id", "orders"], _counted_pairs)
_add_pairs = _new_pairs.on_conflict_do_update(
    index_elements=["product_id", "other_id"], set_={"orders": _pairs.orders + _new_pairs.excluded.orders}
)
_new_demand = postgresql.insert(tables.demand)
_add_demand = _new_demand.on_conflict_do_update(
    index_elements=["product_id"],
    set_={
        "orders": _demand.orders + _new_demand.excluded.orders,
        "heat": _demand.heat + _new_demand.excluded.heat,
    },
)
_set_counted = update(tables.orders).where(_orders.id.in_(select(_given.c.key))).values(counted=not_(_orders.counted))

_kept = _orders.status != str(Status.CANCELLED)
_last = (
    select(_orders.id, _orders.created_at)
    .where(_orders.customer_id == bindparam("customer"), _kept)
    .order_by(_orders.created_at.desc(), _orders.id.desc())
    .limit(LAST_ORDERS)
    .subquery("last")
)
_lately = (
    select(_lines.product_id)
    .join_from(_last, tables.order_lines, _lines.order_id == _last.c.id)
    .order_by(_last.c.created_at.desc(), _last.c.id.desc(), _lines.position)
)
_asked = members(bindparam("asked"))
_bought = (
    select(_lines.product_id)
    .distinct()
    .join_from(tables.orders, tables.order_lines)
    .where(_orders.customer_id == bindparam("customer"), _kept, _lines.product_id.in_(select(_asked.c.key)))
)


class SqlPurchases:
    """The ``Purchases`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def waiting(self) -> bool:
        """By an index that keeps just the orders that wait."""
        return self._transaction.row(_waits) is not None

    def count(self, limit: int, *, pairs: int = MOST_PAIRS) -> int:
        """Five statements, whatever the number of orders. Rows are taken in the order of their products."""
        self._transaction.check_writable()
        waiting = self._transaction.rows(_to_count, {"most": limit})
        if not waiting:
            return 0
        products: dict[str, list[str]] = {row[0]: [] for row in waiting}
        for order_id, product_id in self._transaction.rows(_lines_of, {"orders": dumps(dict.fromkeys(products, 0))}):
            products[order_id].append(product_id)
        orders = _few(waiting, products, pairs)
        signs = {order_id: -1 if counted else 1 for order_id, _, counted in orders}
        given = {"orders": dumps(signs)}
        self._transaction.write(_add_pairs, given)
        self._transaction.write(_add_demand, _demand_values(orders, products, signs))
        self._transaction.write(_set_counted, given)
        return len(signs)

    def together(self, product_ids: Sequence[str], limit: int) -> Sequence[Neighbour]:
        """One look into the index for each product, all in one statement."""
        if not product_ids:
            return ()
        values = {f"of{n}": product_id for n, product_id in enumerate(product_ids)}
        rows = self._transaction.rows(_together(len(product_ids)), values | {"most": limit})
        return [
            Neighbour(
                seed_id=seed_id,
                seed_orders=seed_orders,
                together=together,
                other=Demand(product_id=other_id, orders=orders, heat=heat),
            )
            for seed_id, seed_orders, together, other_id, orders, heat in rows
        ]

    def wanted(self, limit: int) -> Sequence[Demand]:
        """From the hot end of an index."""
        return _demands(self._transaction.rows(_wanted, {"most": limit}))

    def wanted_in(self, category_ids: Sequence[str], limit: int) -> Sequence[Demand]:
        """From the new end of each shelf."""
        if not category_ids:
            return ()
        values = {f"of{n}": category_id for n, category_id in enumerate(category_ids)}
        return _demands(self._transaction.rows(_wanted_in(len(category_ids)), values | {"most": limit}))

    def lately(self, customer_id: str, limit: int) -> Sequence[str]:
        """By the index of a customer's orders."""
        rows = self._transaction.rows(_lately, {"customer": customer_id})
        return list(dict.fromkeys(product_id for (product_id,) in rows))[:limit]

    def bought(self, customer_id: str, product_ids: Iterable[str]) -> Set[str]:
        """By the index of a customer's orders."""
        values = {"customer": customer_id, "asked": dumps(dict.fromkeys(product_ids, ""))}
        return {product_id for (product_id,) in self._transaction.rows(_bought, values)}


def _few(waiting: Sequence[Row], products: Mapping[str, Sequence[str]], pairs: int) -> Sequence[Row]:
    """The first orders, at least one, that don't have more pairs than this."""
    for number, (order_id, *_) in enumerate(waiting):
        pairs -= len(products[order_id]) * (len(products[order_id]) - 1)
        if pairs < 0:
            return waiting[: max(number, 1)]
    return waiting


def _demand_values(
    orders: Sequence[Row], products: Mapping[str, Sequence[str]], signs: Mapping[str, int]
) -> list[dict[str, Any]]:
    sums: dict[str, tuple[int, float]] = {}
    for order_id, placed_at, _ in orders:
        sign, heat = signs[order_id], signs[order_id] * weight(placed_at)
        for product_id in products[order_id]:
            before = sums.get(product_id, (0, 0.0))
            sums[product_id] = before[0] + sign, before[1] + heat
    return [
        {"product_id": product_id, "orders": number, "heat": heat}
        for product_id, (number, heat) in sorted(sums.items())
    ]


def _demands(rows: Sequence[Row]) -> Sequence[Demand]:
    """The hottest first; the few rows are put in order here, where that costs the least."""
    found = [Demand(product_id=product_id, orders=orders, heat=heat) for product_id, orders, heat in rows]
    return sorted(found, key=lambda each: (each.heat, each.product_id), reverse=True)


def _on_sale(statement: Select[Any], product: Any) -> Select[Any]:
    """Only products that are active and in stock."""
    return statement.where(
        _products.id == product, _products.is_active, _shelf.product_id == product, _shelf.on_hand > 0
    )


def _each(look: Callable[[int], Select[Any]], number: int) -> Subquery:
    """The same look several times, each up to its own limit."""
    return union_all(*(select(look(n).subquery()) for n in range(number))).subquery("found")


@lru_cache
def _together(number: int) -> Select[Any]:
    found = _each(
        lambda n: (
            select(_pairs.product_id, _pairs.other_id, _pairs.orders)
            .where(_pairs.product_id == bindparam(f"of{n}"), _pairs.orders > 0)
            .order_by(_pairs.orders.desc(), _pairs.other_id.desc())
            .limit(bindparam("most"))
        ),
        number,
    )
    seed, other = tables.demand.alias("seed").c, tables.demand.alias("its").c
    columns = (found.c.product_id, seed.orders, found.c.orders, found.c.other_id, other.orders, other.heat)
    beside = select(*columns).where(seed.product_id == found.c.product_id, other.product_id == found.c.other_id)
    return _on_sale(beside, found.c.other_id)


_hottest = (
    select(_demand.product_id, _demand.orders, _demand.heat)
    .where(_demand.heat > 0)
    .order_by(_demand.heat.desc(), _demand.product_id.desc())
    .limit(bindparam("most"))
    .subquery("hottest")
)
_wanted = _on_sale(select(_hottest), _hottest.c.product_id)


@lru_cache
def _wanted_in(number: int) -> Select[Any]:
    newest = _each(
        lambda n: (
            select(_filed.product_id)
            .where(_filed.category_id == bindparam(f"of{n}"))
            .order_by(_filed.product_id.desc())
            .limit(bindparam("most"))
        ),
        number,
    )
    beside = (
        select(_demand.product_id, _demand.orders, _demand.heat)
        .distinct()
        .where(_demand.product_id == newest.c.product_id, _demand.heat > 0)
    )
    return _on_sale(beside, _demand.product_id)
