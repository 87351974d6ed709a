"""What is counted of purchases agrees with the orders that are marked as counted."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import func, select

from adapters.sql import tables
from adapters.sql.verify.snapshot import Finding, Snapshot
from storecore.catalog.affinity import weight

_orders, _pairs, _demand = tables.orders.c, tables.copurchases.c, tables.demand.c
_one, _other = tables.order_lines.alias("one").c, tables.order_lines.alias("other").c

_products = select(tables.products.c.id).order_by(tables.products.c.id)
_kept_pairs = select(_pairs.product_id, _pairs.other_id, _pairs.orders).order_by(_pairs.product_id, _pairs.other_id)
_real_pairs = (
    select(_one.product_id, _other.product_id, func.count())
    .where(
        _orders.counted,
        _one.order_id == _orders.id,
        _other.order_id == _orders.id,
        _one.product_id != _other.product_id,
    )
    .group_by(_one.product_id, _other.product_id)
    .order_by(_one.product_id, _other.product_id)
)
_kept_demand = select(_demand.product_id, _demand.orders, _demand.heat).order_by(_demand.product_id)
_real_demand = (
    select(_one.product_id, _orders.created_at)
    .where(_orders.counted, _one.order_id == _orders.id)
    .order_by(_one.product_id)
)
_newest = select(func.max(_orders.created_at)).where(_orders.counted)

_ROUNDED = 1e-6
"""Of the weight of the newest order: orders of many years do not fit into one sum to the last digit."""


def copurchases(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
    """Every product, with what was bought together with it."""
    kept, real = snapshot.beside(_kept_pairs), snapshot.beside(_real_pairs)
    for (product_id,) in snapshot.rows(_products):
        counted = {other_id: orders for _, other_id, orders in kept.of(product_id) if orders}
        found = {other_id: orders for _, other_id, orders in real.of(product_id)}
        yield [] if counted == found else list(_wrong_pairs(product_id, counted, found))


def demand(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
    """Every product, with the orders that it is in."""
    ((newest,),) = snapshot.rows(_newest)
    near = _ROUNDED * weight(newest) if newest else 0.0
    kept, real = snapshot.beside(_kept_demand), snapshot.beside(_real_demand)
    for (product_id,) in snapshot.rows(_products):
        moments = [placed_at for _, placed_at in real.of(product_id)]
        orders, heat = next(((row.orders, row.heat) for row in kept.of(product_id)), (0, 0.0))
        wrong = orders != len(moments) or abs(heat - sum(map(weight, moments))) > near
        message = f"counts {orders} orders with a heat of {heat:g}, the orders say {len(moments)}, or another heat"
        yield [Finding("purchases", "demand", product_id, message)] if wrong else []


def _wrong_pairs(product_id: str, counted: Mapping[str, int], found: Mapping[str, int]) -> Iterator[Finding]:
    for other_id in sorted(counted.keys() | found.keys()):
        kept, real = counted.get(other_id, 0), found.get(other_id, 0)
        if kept != real:
            message = f"counts {kept} orders of both, the orders say {real}"
            yield Finding("purchases", "copurchases", f"{product_id}/{other_id}", message)
