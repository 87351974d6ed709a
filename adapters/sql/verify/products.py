"""Columns that are kept for lists and searches agree with the product that they were made from."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

from sqlalchemy import select

from adapters.sql import tables
from adapters.sql.product_rows import PRODUCT, PRODUCTS, kept_price, product_from
from adapters.sql.verify.snapshot import Finding, Row, Snapshot
from storecore.catalog.model import Product, fold
from storecore.errors import StoreError
from storecore.money import half_up

_products, _ratings = tables.products.c, tables.ratings.c
_filed, _described = tables.product_categories.c, tables.product_attributes.c

_KEPT = (
    _products.name_folded,
    _products.final_price,
    _products.next_price_change,
    _ratings.average,
)
_rows = select(*PRODUCT, *_KEPT).select_from(PRODUCTS).order_by(_products.id)
_shelves = select(_filed.product_id, _filed.category_id).order_by(_filed.product_id)
_attributes = select(_described.product_id, _described.name, _described.value).order_by(_described.product_id)

_CLOCKS_DIFFER = timedelta(minutes=1)
"""How far the clocks of two machines may be apart."""


def products(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
    """Every product."""
    categories = {id_ for (id_,) in snapshot.rows(select(tables.categories.c.id))}
    shelves, attributes = snapshot.beside(_shelves), snapshot.beside(_attributes)
    for row in snapshot.rows(_rows):
        filed = {category_id for _, category_id in shelves.of(row.id)}
        described = {name: value for _, name, value in attributes.of(row.id)}
        try:
            product = product_from(row[: len(PRODUCT)])
            wrong = {
                "name_folded": row.name_folded != fold(product.name),
                "final_price, next_price_change": not _priced_rightly(row, product, snapshot),
                "average": row.average != _average(product),
                "product_categories": filed != _still_there(product.category_ids, categories),
                "product_attributes": described != product.attributes,
            }
        except (ValueError, TypeError, ArithmeticError, StoreError) as error:
            yield [Finding("kept", "products", row.id, f"can't be read: {error}")]
        else:
            names = ", ".join(name for name, is_wrong in wrong.items() if is_wrong)
            yield [Finding("kept", "products", row.id, f"{names}: not what the product says")] if names else []


def _priced_rightly(row: Row, product: Product, snapshot: Snapshot) -> bool:
    """The kept price is the one of the last edit, or of a discount's start or end that the worker has noted since."""
    edges = (product.discount.starts_at, product.discount.ends_at) if product.discount else ()
    latest = snapshot.at + _CLOCKS_DIFFER
    moments = [edge for edge in edges if edge is not None and product.updated_at < edge <= latest]
    kept = {"final_price": row.final_price, "next_price_change": row.next_price_change}
    return any(kept == kept_price(product, moment) for moment in (product.updated_at, *moments))


def _average(product: Product) -> int:
    """In hundredths of a star; 0 without reviews."""
    return half_up(100 * product.rating.total, product.rating.count) if product.rating.count else 0


def _still_there(category_ids: Collection[str], categories: Collection[str]) -> set[str]:
    """A product that was archived keeps the ids of categories that were removed later."""
    return {category_id for category_id in category_ids if category_id in categories}
