"""Products, their prices and how they are filed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, insert, or_, select, update

from adapters.sql import ranking, tables
from adapters.sql.columns import from_ticks, to_ticks
from adapters.sql.counting import counts
from adapters.sql.dialect import Refusals
from adapters.sql.listing import counted, list_values, listed, page_values
from adapters.sql.pages import after, asked, fetched, page_of
from adapters.sql.product_rows import PRODUCT, PRODUCTS, kept_price, product_from, values_of
from adapters.sql.search import index
from adapters.sql.transaction import Row, Transaction
from storecore.catalog.english import ENGLISH
from storecore.catalog.model import PriceChange, Product
from storecore.catalog.words import Language
from storecore.errors import Contention, NotFound, SkuTaken
from storecore.lists import Page, PageRequest
from storecore.money import Money
from storecore.ports import RELEVANCE, Counts, ProductQuery

_products, _prices, _filed = tables.products.c, tables.price_changes.c, tables.product_categories.c
_PRODUCT_REFUSES: Refusals = {"uq_products_sku": SkuTaken, "uq_products_slug": Contention}

_product = select(*PRODUCT).select_from(PRODUCTS)
_by_id = _product.where(_products.id == bindparam("wanted"))
_by_slug = _product.where(_products.slug == bindparam("wanted"))
_some = _product.where(_products.id.in_(bindparam("ids", expanding=True)))
_locked = _some.order_by(_products.id).with_for_update(of=tables.products, key_share=True)
_with_skus = _product.where(_products.sku.in_(bindparam("skus", expanding=True)))
_every_first = fetched(_product.order_by(_products.id))
_every_after = _every_first.where(after(_products.id))
_count_every = select(func.count()).select_from(tables.products)
_group = _product.where(_products.group == bindparam("group"), _products.is_active).order_by(_products.sku)
_slugs = select(_products.slug).where(
    _products.id != bindparam("id"),
    or_(
        _products.slug == bindparam("slug"),
        and_(_products.slug > bindparam("stem"), _products.slug < bindparam("beyond")),
    ),
)
_add = insert(tables.products)
_add_shelf = insert(tables.shelf)
_add_rating = insert(tables.ratings)
_FOUND_BY = ("category_ids", "attributes", "name", "description", "sku", "is_active")
_side = select(_products.slug, *(_products[name] for name in _FOUND_BY)).where(_products.id == bindparam("id"))
_EDITED = (
    "sku",
    "name",
    "slug",
    "description",
    "category_ids",
    "price",
    "cost",
    "currency",
    "discount_percent",
    "discount_starts_at",
    "discount_ends_at",
    "attributes",
    "images",
    "group",
    "tax_class",
    "is_active",
    "updated_at",
    "version",
    "name_folded",
    "final_price",
    "next_price_change",
)
_save = (
    update(tables.products)
    .where(_products.id == bindparam("this"), _products.version == bindparam("version_before"))
    .values({name: bindparam(name) for name in _EDITED})
)
_below = select(tables.categories.c.id).where(tables.categories.c.parent_id == bindparam("category_id")).limit(1)
_file = insert(tables.product_categories)
_unfile = delete(tables.product_categories).where(_filed.product_id == bindparam("product_id"))
_describe = insert(tables.product_attributes)
_undescribe = delete(tables.product_attributes).where(tables.product_attributes.c.product_id == bindparam("product_id"))
_to_refresh = (
    _product.where(_products.next_price_change <= bindparam("at"))
    .order_by(_products.next_price_change, _products.id)
    .limit(bindparam("most"))
    .with_for_update(of=tables.products, key_share=True, skip_locked=True)
)
_refresh = (
    update(tables.products)
    .where(_products.id == bindparam("this"))
    .values(final_price=bindparam("final_price"), next_price_change=bindparam("next_price_change"))
)

_PRICE = (_prices.product_id, _prices.at, _prices.price, _prices.final_price, _prices.currency, _prices.actor_id)
_add_prices = insert(tables.price_changes)
_prices_first = fetched(
    select(*_PRICE, _prices.id)
    .where(_prices.product_id == bindparam("product_id"))
    .order_by(_prices.product_id.desc(), _prices.at.desc(), _prices.id.desc())
)
_prices_after = _prices_first.where(after(_prices.at, _prices.id, newest_first=True))
_count_prices = select(func.count()).where(_prices.product_id == bindparam("product_id"))
_before = tables.price_changes.alias("before").c
_price_history = (
    select(*_PRICE)
    .where(
        _prices.product_id.in_(bindparam("ids", expanding=True)),
        or_(
            _prices.at >= bindparam("since"),
            _prices.id
            == select(_before.id)
            .where(_before.product_id == _prices.product_id, _before.at < bindparam("since"))
            .order_by(_before.at.desc(), _before.id.desc())
            .limit(1)
            .scalar_subquery(),
        ),
    )
    .order_by(_prices.product_id, _prices.at, _prices.id)
)


class SqlProducts:
    """The ``Products`` port."""

    def __init__(self, transaction: Transaction, language: Language = ENGLISH) -> None:
        self._transaction = transaction
        self._language = language

    def add(self, product: Product) -> None:
        """Raises ``SkuTaken``, and ``Contention`` when its slug is taken at this very moment."""
        self._transaction.check_writable()
        values = values_of(product, self._transaction.now) | {"slug": self._free_slug(product)}
        values |= {"id": product.id, "created_at": product.created_at}
        self._transaction.write(_add, values, refuses=_PRODUCT_REFUSES)
        self._transaction.write(_add_shelf, {"product_id": product.id, "on_hand": 0, "units_sold": 0})
        self._transaction.write(_add_rating, {"product_id": product.id, "total": 0, "count": 0, "average": 0})
        self._file(product)
        self._describe(product)
        index(self._transaction, product, self._language)

    def get(self, product_id_or_slug: str) -> Product:
        """Raises ``NotFound``."""
        wanted = {"wanted": product_id_or_slug}
        row = self._transaction.row(_by_id, wanted) or self._transaction.row(_by_slug, wanted)
        if row is None:
            raise NotFound("There is no such product.")
        return product_from(row)

    def some(self, product_ids: Iterable[str]) -> Mapping[str, Product]:
        """One look-up."""
        return self._some(_some, product_ids)

    def locked(self, product_ids: Iterable[str]) -> Mapping[str, Product]:
        """Locks the rows of the products, not of their stock."""
        self._transaction.check_writable()
        return self._some(_locked, product_ids)

    def with_skus(self, skus: Iterable[str]) -> Mapping[str, Product]:
        """One look-up."""
        wanted = list(set(skus))
        rows = self._transaction.rows(_with_skus, {"skus": wanted}) if wanted else ()
        return {product.sku: product for product in map(product_from, rows)}

    def group(self, group: str) -> Sequence[Product]:
        """By SKU."""
        return [product_from(row) for row in self._transaction.rows(_group, {"group": group})]

    def page(self, query: ProductQuery, page: PageRequest) -> Page[Product]:
        """One statement, one that counts, and for the newest of a category one that asks what is below it."""
        if query.sort == RELEVANCE:
            return ranking.page(self._transaction, query, page).map(lambda hit: hit.product)
        one_shelf = (
            query.sort == "newest"
            and query.category_id is not None
            and self._transaction.row(_below, {"category_id": query.category_id}) is None
        )
        rows = self._transaction.rows(listed(query, one_shelf=one_shelf), page_values(query, page))
        total = self._transaction.number(counted(query), list_values(query)) if page.total else None
        return page_of(
            rows,
            page,
            lambda shown: [product_from(row[: len(PRODUCT)]) for row in shown],
            lambda row: (*row[len(PRODUCT) :], row[0]),
            total,
        )

    def every(self, page: PageRequest) -> Page[Product]:
        """By id."""
        rows = self._transaction.rows(_every_after if page.after else _every_first, asked(page))
        total = self._transaction.number(_count_every) if page.total else None
        return page_of(rows, page, lambda shown: [product_from(row) for row in shown], lambda row: (row[0],), total)

    def counts(self, query: ProductQuery) -> Counts:
        """Three statements."""
        return counts(self._transaction, query)

    def save(self, product: Product, at: datetime) -> None:
        """Raises ``Contention``, ``SkuTaken``."""
        self._transaction.check_writable()
        before = self._transaction.row(_side, {"id": product.id})
        if before is None:
            raise Contention()
        slug, category_ids, attributes, *_ = before
        values = values_of(product, at) | {"this": product.id, "version_before": product.version - 1}
        if product.slug != slug:
            values["slug"] = self._free_slug(product)
        self._transaction.save(_save, values, refuses=_PRODUCT_REFUSES)
        if values["category_ids"] != category_ids:
            self._transaction.write(_unfile, {"product_id": product.id})
            self._file(product)
        if values["attributes"] != attributes:
            self._transaction.write(_undescribe, {"product_id": product.id})
            self._describe(product)
        if [values[name] for name in _FOUND_BY] != list(before[1:]):
            index(self._transaction, product, self._language)

    def refresh_prices(self, at: datetime, limit: int) -> Sequence[Product]:
        """Locks those it returns and skips those that others have locked."""
        self._transaction.check_writable()
        rows = self._transaction.rows(_to_refresh, {"at": at, "most": limit})
        products = [product_from(row) for row in rows]
        self._transaction.write(_refresh, [{"this": product.id} | kept_price(product, at) for product in products])
        return products

    def add_prices(self, changes: Iterable[PriceChange]) -> None:
        """One statement."""
        self._transaction.write(
            _add_prices,
            [
                {
                    "product_id": change.product_id,
                    "at": change.at,
                    "price": change.price.minor,
                    "final_price": change.final_price.minor,
                    "currency": change.price.currency,
                    "actor_id": change.actor_id,
                }
                for change in changes
            ],
        )

    def prices(self, product_id: str, page: PageRequest) -> Page[PriceChange]:
        """Newest first."""
        whose = {"product_id": product_id}
        rows = self._transaction.rows(
            _prices_after if page.after else _prices_first, whose | asked(page, first=from_ticks)
        )
        total = self._transaction.number(_count_prices, whose) if page.total else None
        return page_of(
            rows,
            page,
            lambda shown: [_price_change(row) for row in shown],
            lambda row: (to_ticks(row[1]), row[6]),
            total,
        )

    def price_history(self, product_ids: Iterable[str], since: datetime) -> Mapping[str, Sequence[PriceChange]]:
        """One statement."""
        history: dict[str, list[PriceChange]] = {product_id: [] for product_id in product_ids}
        if history:
            for row in self._transaction.rows(_price_history, {"ids": list(history), "since": since}):
                history[row[0]].append(_price_change(row))
        return history

    def _some(self, statement: Select[Any], product_ids: Iterable[str]) -> Mapping[str, Product]:
        wanted = list(set(product_ids))
        rows = self._transaction.rows(statement, {"ids": wanted}) if wanted else ()
        return {row[0]: product_from(row) for row in rows}

    def _free_slug(self, product: Product) -> str:
        slug = product.slug
        numbered = {"stem": f"{slug}-", "beyond": f"{slug}."}  # as a range, which an index finds
        rows = self._transaction.rows(_slugs, {"id": product.id, "slug": slug, **numbered})
        taken = {row[0] for row in rows}
        number = 1
        while slug in taken:
            number += 1
            slug = f"{product.slug}-{number}"
        return slug

    def _file(self, product: Product) -> None:
        rows = [{"product_id": product.id, "category_id": category_id} for category_id in product.category_ids]
        self._transaction.write(_file, rows)

    def _describe(self, product: Product) -> None:
        rows = [{"product_id": product.id, "name": name, "value": value} for name, value in product.attributes.items()]
        self._transaction.write(_describe, rows)


def _price_change(row: Row) -> PriceChange:
    product_id, at, price, final_price, currency, actor_id = row[:6]
    return PriceChange(
        product_id=product_id,
        at=at,
        price=Money(price, currency),
        final_price=Money(final_price, currency),
        actor_id=actor_id,
    )
