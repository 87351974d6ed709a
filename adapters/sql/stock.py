"""What is on the shelves, and the ledger of every move."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, cast, func, insert, select, update

from adapters.sql import tables
from adapters.sql.columns import Whole, from_ticks, to_ticks
from adapters.sql.dialect import members
from adapters.sql.pages import after, asked, fetched, page_of
from adapters.sql.product_rows import PRODUCT, PRODUCTS, product_from
from adapters.sql.transaction import Row, Transaction, dumps
from storecore.catalog.model import Product, StockMove, StockReason, shortages
from storecore.errors import OutOfStock
from storecore.lists import Page, PageRequest

_shelf, _ledger = tables.shelf.c, tables.stock_moves.c

_on_hand = select(_shelf.product_id, _shelf.on_hand).where(_shelf.product_id.in_(bindparam("ids", expanding=True)))

_MOVE = (
    _ledger.id,
    _ledger.product_id,
    _ledger.change,
    _ledger.reason,
    _ledger.note,
    _ledger.order_id,
    _ledger.actor_id,
    _ledger.at,
)
_write_down = insert(tables.stock_moves)
_given = members(bindparam("changes"))
_change = select(_given.c.key, cast(_given.c.value, Whole).label("by")).limit(bindparam("number")).subquery("change")
"""So many products and how their stock changes; the limit tells PostgreSQL that they are few."""
_wanted = (
    select(_shelf.product_id, _change.c.by)
    .join_from(tables.shelf, _change, _shelf.product_id == _change.c.key)
    .order_by(_shelf.product_id)
    .with_for_update(of=tables.shelf, key_share=True)
    .cte("wanted")
)
"""The rows to change, locked one after another in the order in which everybody locks them."""
_take = (
    update(tables.shelf)
    .where(_shelf.product_id == _wanted.c.product_id, _shelf.on_hand + _wanted.c.by >= 0)
    .values(
        on_hand=_shelf.on_hand + _wanted.c.by,
        units_sold=_shelf.units_sold - _wanted.c.by * bindparam("sold"),
    )
    .returning(_shelf.product_id, _shelf.on_hand)
)
_ledger_first = fetched(
    select(*_MOVE)
    .where(_ledger.product_id == bindparam("product_id"))
    .order_by(_ledger.product_id.desc(), _ledger.at.desc(), _ledger.id.desc())
)
_ledger_after = _ledger_first.where(after(_ledger.at, _ledger.id, newest_first=True))
_count_ledger = select(func.count()).where(_ledger.product_id == bindparam("product_id"))

_few = (_shelf.on_hand <= bindparam("at_most"), tables.products.c.is_active)
_low_first = fetched(select(*PRODUCT).select_from(PRODUCTS).where(*_few).order_by(_shelf.on_hand, _shelf.product_id))
_low_after = _low_first.where(after(_shelf.on_hand, _shelf.product_id))
_count_low = select(func.count()).select_from(PRODUCTS).where(*_few)
_STOCK = PRODUCT.index(_shelf.on_hand)


class SqlStock:
    """The ``Stock`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def on_hand(self, product_ids: Iterable[str]) -> Mapping[str, int]:
        """One look-up."""
        wanted = list(set(product_ids))
        rows = self._transaction.rows(_on_hand, {"ids": wanted}) if wanted else ()
        return dict(map(tuple, rows))

    def move(self, moves: Sequence[StockMove], *, sold: bool = False) -> Mapping[str, int]:
        """Two statements; the second changes every shelf that has enough. Raises ``OutOfStock``, ``NotFound``."""
        self._transaction.write(_write_down, [_values(move) for move in moves])
        changes: Counter[str] = Counter()
        for move in moves:
            changes[move.product_id] += move.change
        values = {"changes": dumps(changes), "number": len(changes), "sold": int(sold)}
        left = dict(map(tuple, self._transaction.returned(_take, values)))
        if wanted := {product_id: -change for product_id, change in changes.items() if product_id not in left}:
            self._transaction.spoil()
            raise OutOfStock(lines=shortages(wanted, self.on_hand(wanted)))
        return left

    def ledger(self, product_id: str, page: PageRequest) -> Page[StockMove]:
        """Newest first."""
        whose = {"product_id": product_id}
        rows = self._transaction.rows(
            _ledger_after if page.after else _ledger_first, whose | asked(page, first=from_ticks)
        )
        total = self._transaction.number(_count_ledger, whose) if page.total else None
        return page_of(
            rows,
            page,
            lambda shown: [_move(row) for row in shown],
            lambda row: (to_ticks(row[7]), row[0]),
            total,
        )

    def low(self, at_most: int, page: PageRequest) -> Page[Product]:
        """Fewest first."""
        values = {"at_most": at_most}
        rows = self._transaction.rows(_low_after if page.after else _low_first, values | asked(page))
        total = self._transaction.number(_count_low, values) if page.total else None
        return page_of(
            rows, page, lambda shown: [product_from(row) for row in shown], lambda row: (row[_STOCK], row[0]), total
        )


def _values(move: StockMove) -> dict[str, Any]:
    return {
        "id": move.id,
        "product_id": move.product_id,
        "change": move.change,
        "reason": str(move.reason),
        "note": move.note,
        "order_id": move.order_id,
        "actor_id": move.actor_id,
        "at": move.at,
    }


def _move(row: Row) -> StockMove:
    id_, product_id, change, reason, note, order_id, actor_id, at = row
    return StockMove(
        id=id_,
        product_id=product_id,
        change=change,
        reason=StockReason(reason),
        note=note,
        order_id=order_id,
        actor_id=actor_id,
        at=at,
    )
