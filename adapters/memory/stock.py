"""The shelf and its ledger."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from adapters.memory.listing import with_facts
from adapters.memory.pages import in_utc, page_of, ticks
from adapters.memory.tables import Repository, Shelf
from storecore.catalog.model import Product, StockMove, shortages
from storecore.errors import NotFound, OutOfStock
from storecore.lists import Page, PageRequest


class MemoryStock(Repository):
    """On hand never falls below zero and always equals the ledger's sum."""

    def on_hand(self, product_ids: Iterable[str]) -> Mapping[str, int]:
        """Units left of each product that exists."""
        shelves = {each: self._tables.shelves.get(each) for each in product_ids}
        return {each: shelf.on_hand for each, shelf in shelves.items() if shelf is not None}

    def move(self, moves: Sequence[StockMove], *, sold: bool = False) -> Mapping[str, int]:
        """Raises ``OutOfStock`` listing every short product, ``NotFound`` for an unknown one."""
        draft, changes = self._draft, Counter[str]()
        for move in moves:
            changes[move.product_id] += move.change
        on_hand = self.on_hand(changes)
        if len(on_hand) < len(changes):
            raise NotFound("There is no such product.")
        if short := shortages({each: -change for each, change in changes.items()}, on_hand):
            raise OutOfStock(lines=short)
        for product_id, change in changes.items():
            shelf = draft.shelves.get(product_id) or Shelf()
            sales = shelf.sold - change if sold else shelf.sold
            draft.shelves.put(product_id, Shelf(on_hand=shelf.on_hand + change, sold=sales))
        for move in moves:
            draft.moves.put(move.product_id, (*(draft.moves.get(move.product_id) or ()), in_utc(move)))
        return self.on_hand(changes)

    def ledger(self, product_id: str, page: PageRequest) -> Page[StockMove]:
        """Newest first."""
        moves = self._tables.moves.get(product_id) or ()
        return page_of(moves, page, lambda move: (ticks(move.at), move.id), descending=True)

    def low(self, at_most: int, page: PageRequest) -> Page[Product]:
        """Active products with so few left, fewest first."""
        tables = self._tables
        products = (with_facts(tables, each) for each in tables.products.rows() if each.is_active)
        return page_of((each for each in products if each.stock <= at_most), page, lambda each: (each.stock, each.id))
