"""What products are found by: their documents, and the shop's words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from heapq import nsmallest
from threading import Lock

from adapters.memory.listing import meets
from adapters.memory.ranking import keep_document, ranked
from adapters.memory.tables import Repository, Shelf, Tables, Workspace
from storecore.catalog.documents import Match, document
from storecore.catalog.lexicon import BEST_SELLERS, Lexicon
from storecore.catalog.model import Product
from storecore.catalog.nearness import near
from storecore.catalog.words import Language
from storecore.lists import Page, PageRequest
from storecore.ports import Hit, ProductQuery


class Vocabulary:
    """The storage's lexicon, and up to which change it knows the shop; threads take turns."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._lexicon = Lexicon(language, near)
        self._lock = Lock()
        self._changed = 0

    @contextmanager
    def read(self, tables: Tables) -> Iterator[Lexicon]:
        """The lexicon as these tables have it; only what another has seen of later ones may be newer."""
        with self._lock:
            self._keep_up(tables)
            yield self._lexicon

    def _keep_up(self, tables: Tables) -> None:
        changed = tables.last_numbers.get("documents") or 0
        if changed > self._changed:
            for product_id, each in tables.documents.items():
                product = tables.products.get(product_id)
                if each.changed > self._changed and product is not None:
                    terms, labels = each.document.name, each.document.labels
                    self._lexicon.put(product_id, name=product.name, terms=terms, labels=labels)
            self._changed = changed
        self._lexicon.put_categories(tables.categories.rows())
        shelves = ((-shelf.sold, product_id) for product_id, shelf in tables.shelves.items())
        self._lexicon.put_best_sellers([product_id for _, product_id in nsmallest(BEST_SELLERS, shelves)])


class MemorySearch(Repository):
    """Documents lie beside the products."""

    def __init__(self, space: Workspace, vocabulary: Vocabulary) -> None:
        super().__init__(space)
        self._vocabulary = vocabulary

    @contextmanager
    def lexicon(self) -> Iterator[Lexicon]:
        """The storage's, brought up to date with this unit's snapshot."""
        if self._space.writable:
            raise RuntimeError("this unit was opened for writing, and others would see what it may yet take back")
        with self._vocabulary.read(self._tables) as lexicon:
            yield lexicon

    def any(self, match: Match) -> bool:
        """Looks until one matches."""
        return any(meets(self._tables, product_id, match) for product_id, _ in self._tables.documents.items())

    def page(self, query: ProductQuery, page: PageRequest) -> Page[Hit]:
        """The best first."""
        return ranked(self._tables, query, page)

    def sold(self, product_ids: Iterable[str]) -> Mapping[str, int]:
        """Of those on sale."""
        found = ((each, self._tables.products.get(each)) for each in product_ids)
        on_sale = [each for each, product in found if product is not None and product.is_active]
        return {each: (self._tables.shelves.get(each) or Shelf()).sold for each in on_sale}

    def outdated(self, after: str, limit: int) -> Sequence[str]:
        """In order of ids."""
        return nsmallest(limit, (each for each in self._ids(after) if not self._is_current(each)))

    def products(self, after: str, limit: int) -> Sequence[str]:
        """In order of ids."""
        return nsmallest(limit, self._ids(after))

    def count(self) -> int:
        """All of them."""
        return sum(1 for _ in self._tables.products.items())

    def write(self, products: Iterable[Product]) -> int:
        """Those whose documents are not what they should be."""
        draft, before = self._draft, self._tables.last_numbers.get("documents") or 0
        for product in products:
            keep_document(draft, product.id, document(product, self._vocabulary.language))
        return (draft.last_numbers.get("documents") or 0) - before

    def _ids(self, after: str) -> Iterator[str]:
        return (product_id for product_id, _ in self._tables.products.items() if product_id > after)

    def _is_current(self, product_id: str) -> bool:
        kept = self._tables.documents.get(product_id)
        return kept is not None and kept.document.language == self._vocabulary.language.name
