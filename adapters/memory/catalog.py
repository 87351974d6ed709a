"""Categories and products."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count

from adapters.memory.counting import counts
from adapters.memory.listing import SORT_KEYS, matching, with_facts
from adapters.memory.pages import in_utc, page_of, ticks
from adapters.memory.ranking import keep_document, ranked
from adapters.memory.tables import Repository, Shelf, Workspace
from storecore.catalog.documents import document
from storecore.catalog.model import UNRATED, Category, PriceChange, Product, fold_name
from storecore.catalog.words import Language
from storecore.errors import CategoryExists, CategoryInUse, Contention, NotFound, SkuTaken
from storecore.lists import Page, PageRequest
from storecore.ports import RELEVANCE, Counts, ProductQuery


class MemoryCategories(Repository):
    """Shelves with unique names."""

    def add(self, category: Category) -> None:
        """Raises ``CategoryExists``."""
        draft, name = self._draft, fold_name(category.name)
        if name in draft.categories_by_name:
            raise CategoryExists()
        draft.categories.put(category.id, in_utc(category))
        draft.categories_by_name.put(name, category.id)

    def get(self, category_id: str) -> Category:
        """Raises ``NotFound``."""
        if (category := self._tables.categories.get(category_id)) is None:
            raise NotFound("There is no such category.")
        return category

    def some(self, category_ids: Iterable[str]) -> Mapping[str, Category]:
        """Those that exist."""
        found = {each: self._tables.categories.get(each) for each in category_ids}
        return {each: category for each, category in found.items() if category is not None}

    def named(self, names: Iterable[str]) -> Mapping[str, Category]:
        """Those that exist."""
        wanted = {fold_name(name) for name in names}
        found = {name: self._tables.categories_by_name.get(name) for name in wanted}
        return {name: self.get(category_id) for name, category_id in found.items() if category_id is not None}

    def page(self, page: PageRequest) -> Page[Category]:
        """By folded name."""
        return page_of(self._tables.categories.rows(), page, lambda each: (fold_name(each.name), each.id))

    def save(self, category: Category) -> None:
        """Raises ``CategoryExists``, ``Contention``."""
        draft, stored, name = self._draft, self.get(category.id), fold_name(category.name)
        if category.version != stored.version + 1:
            raise Contention()
        if draft.categories_by_name.get(name) not in (None, category.id):
            raise CategoryExists()
        draft.categories_by_name.drop(fold_name(stored.name))
        draft.categories_by_name.put(name, category.id)
        draft.categories.put(category.id, in_utc(category))

    def remove(self, category_id: str) -> None:
        """Raises ``CategoryInUse``. Archived products go on naming it."""
        draft, category = self._draft, self.get(category_id)
        if any(each.parent_id == category_id for each in draft.categories.rows()) or any(
            product.is_active and category_id in product.category_ids for product in draft.products.rows()
        ):
            raise CategoryInUse()
        draft.categories.drop(category_id)
        draft.categories_by_name.drop(fold_name(category.name))


class MemoryProducts(Repository):
    """The catalog. What sales and reviews move lies in tables of its own and is put in when a product is read."""

    def __init__(self, space: Workspace, language: Language) -> None:
        super().__init__(space)
        self._language = language

    def add(self, product: Product) -> None:
        """Raises ``SkuTaken``. A slug that is taken gets a number."""
        draft = self._draft
        draft.shelves.put(product.id, Shelf())
        self._write(product, None, self._space.now)

    def get(self, product_id_or_slug: str) -> Product:
        """Raises ``NotFound``."""
        tables = self._tables
        product = tables.products.get(product_id_or_slug)
        if product is None and (product_id := tables.products_by_slug.get(product_id_or_slug)) is not None:
            product = tables.products.get(product_id)
        if product is None:
            raise NotFound("There is no such product.")
        return with_facts(tables, product)

    def some(self, product_ids: Iterable[str]) -> Mapping[str, Product]:
        """Those that exist."""
        found = {each: self._tables.products.get(each) for each in product_ids}
        return {each: with_facts(self._tables, product) for each, product in found.items() if product is not None}

    def locked(self, product_ids: Iterable[str]) -> Mapping[str, Product]:
        """Those that exist."""
        _ = self._draft
        return self.some(product_ids)

    def with_skus(self, skus: Iterable[str]) -> Mapping[str, Product]:
        """Those that exist."""
        found = self.some(filter(None, (self._tables.products_by_sku.get(sku) for sku in set(skus))))
        return {product.sku: product for product in found.values()}

    def group(self, group: str) -> Sequence[Product]:
        """Active variants, by SKU."""
        found = (each for each in self._tables.products.rows() if each.group == group and each.is_active)
        return [with_facts(self._tables, each) for each in sorted(found, key=lambda each: each.sku)]

    def page(self, query: ProductQuery, page: PageRequest) -> Page[Product]:
        """Active products that match."""
        if query.sort == RELEVANCE:
            return ranked(self._tables, query, page).map(lambda hit: hit.product)
        key, tables = SORT_KEYS[query.sort], self._tables
        found = page_of(
            matching(tables, query), page, lambda each: key(tables, each), descending=query.sort == "newest"
        )
        return found.map(lambda each: with_facts(tables, each))

    def every(self, page: PageRequest) -> Page[Product]:
        """By id."""
        found = page_of(self._tables.products.rows(), page, lambda each: (each.id,))
        return found.map(lambda each: with_facts(self._tables, each))

    def counts(self, query: ProductQuery) -> Counts:
        """Looks at every product."""
        return counts(self._tables, query)

    def save(self, product: Product, at: datetime) -> None:
        """Raises ``Contention``, ``SkuTaken``."""
        _ = self._draft
        stored = self._tables.products.get(product.id)
        if stored is None:
            raise NotFound("There is no such product.")
        if product.version != stored.version + 1:
            raise Contention()
        self._write(product, stored, at)

    def refresh_prices(self, at: datetime, limit: int) -> Sequence[Product]:
        """Those whose price should have changed by now, the longest overdue first."""
        draft = self._draft
        due = sorted((moment, each) for each, moment in draft.planned_prices.items() if moment <= at)[:limit]
        for _, product_id in due:
            product = draft.products.get(product_id)
            if product is not None:
                self._keep_price(product, at)
        found = self.some([product_id for _, product_id in due])
        return [found[product_id] for _, product_id in due]

    def add_prices(self, changes: Iterable[PriceChange]) -> None:
        """Append; changes of one moment keep the order in which they came."""
        draft = self._draft
        for change in changes:
            history = (*(draft.price_changes.get(change.product_id) or ()), in_utc(change))
            draft.price_changes.put(change.product_id, tuple(sorted(history, key=lambda each: each.at)))

    def prices(self, product_id: str, page: PageRequest) -> Page[PriceChange]:
        """Newest first."""
        history = enumerate(self._tables.price_changes.get(product_id) or ())
        found = page_of(history, page, lambda pair: (ticks(pair[1].at), pair[0]), descending=True)
        return found.map(lambda pair: pair[1])

    def price_history(self, product_ids: Iterable[str], since: datetime) -> Mapping[str, Sequence[PriceChange]]:
        """In order of time, from the price that held at ``since``."""
        return {each: _since(self._tables.price_changes.get(each) or (), since) for each in product_ids}

    def _write(self, product: Product, stored: Product | None, at: datetime) -> None:
        draft = self._draft
        if draft.products_by_sku.get(product.sku) not in (None, product.id):
            raise SkuTaken()
        if stored is not None:
            draft.products_by_sku.drop(stored.sku)
            draft.products_by_slug.drop(stored.slug)
        product = in_utc(replace(product, slug=self._free(product), stock=0, units_sold=0, rating=UNRATED))
        draft.products.put(product.id, product)
        draft.products_by_sku.put(product.sku, product.id)
        draft.products_by_slug.put(product.slug, product.id)
        self._keep_price(product, at)
        keep_document(draft, product.id, document(product, self._language))

    def _free(self, product: Product) -> str:
        """The product's slug, or with the first number that nobody has."""
        taken = self._tables.products_by_slug
        if product.slug not in taken:
            return product.slug
        return next(slug for n in count(2) if (slug := f"{product.slug}-{n}") not in taken)

    def _keep_price(self, product: Product, at: datetime) -> None:
        planned = product.next_price_change(at)
        self._draft.kept_prices.put(product.id, product.final_price(at).minor)
        if planned is None:
            self._draft.planned_prices.drop(product.id)
        else:
            self._draft.planned_prices.put(product.id, planned)


def _since(history: Sequence[PriceChange], since: datetime) -> Sequence[PriceChange]:
    earlier = sum(change.at < since for change in history)
    return history[max(earlier - 1, 0) :]
