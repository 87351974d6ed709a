"""The catalog as a CSV file, which imports back to the same catalog."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.catalog.offers import sees_costs
from storecore.catalog.product_sheet import COLUMNS, cells_of
from storecore.lists import MAX_LIMIT, Keyset, PageRequest
from storecore.ports import Unit
from storecore.sheet import written
from storecore.transactions import Activity, reading

MAY_EXPORT = (Permission.CATALOG_WRITE, Permission.PRICES_WRITE, Permission.STOCK_ADJUST, Permission.REPORTS_READ)
"""Whoever has one of these may export."""


@dataclass(frozen=True, kw_only=True)
class Exporting(Activity):
    """Every product in the hands of staff."""

    def export_products(self, *, by: Actor) -> Iterator[bytes]:
        """A CSV file in UTF-8, piece by piece: every product, archived ones too, the oldest first.

        Each piece is read when it is asked for. The cost is there for those who may see it. Needs one of
        ``MAY_EXPORT``.
        """
        require(by, *MAY_EXPORT)
        columns = [name for name in COLUMNS if name != "cost" or sees_costs(by)]
        return self._pieces(columns)

    def _pieces(self, columns: Sequence[str]) -> Iterator[bytes]:
        begun: Sequence[Sequence[str]] = [columns]
        after: Keyset | None = None
        while True:
            rows, after = self._rows(columns=columns, page=PageRequest(limit=MAX_LIMIT, after=after))
            yield "".join(written([*begun, *rows])).encode()
            if after is None:
                return
            begun = ()

    @reading
    def _rows(
        self, unit: Unit, *, columns: Sequence[str], page: PageRequest
    ) -> tuple[Sequence[Sequence[str]], Keyset | None]:
        found = unit.products.every(page)
        shelves = unit.categories.some({each for product in found.items for each in product.category_ids})
        return [cells_of(product, shelves, columns) for product in found.items], found.next
