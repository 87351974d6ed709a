"""A product as a row: the visible mapping between the two, which every list and look-up shares."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from adapters.sql import tables
from adapters.sql.restoring import restored
from adapters.sql.transaction import dumps, loads
from storecore.catalog.model import Discount, Product, Rating, fold
from storecore.money import Money

_products, _shelf, _ratings = tables.products.c, tables.shelf.c, tables.ratings.c

PRODUCT = (
    _products.id,
    _products.sku,
    _products.name,
    _products.slug,
    _products.description,
    _products.category_ids,
    _products.price,
    _products.cost,
    _products.currency,
    _products.discount_percent,
    _products.discount_starts_at,
    _products.discount_ends_at,
    _products.attributes,
    _products.images,
    _products.group,
    _products.tax_class,
    _products.is_active,
    _products.created_at,
    _products.updated_at,
    _products.version,
    _shelf.on_hand,
    _shelf.units_sold,
    _ratings.total,
    _ratings.count,
)
"""The columns that :func:`product_from` takes."""
PRODUCTS = tables.products.join(tables.shelf).join(tables.ratings)
"""A product with its facts."""


def values_of(product: Product, at: datetime) -> dict[str, Any]:
    """What staff edit, with the final price at a moment: every column but the id and the time of making."""
    discount = product.discount
    return {
        "sku": product.sku,
        "name": product.name,
        "slug": product.slug,
        "description": product.description,
        "category_ids": dumps(product.category_ids),
        "price": product.price.minor,
        "cost": product.cost.minor,
        "currency": product.price.currency,
        "discount_percent": int(discount.percent * 100) if discount else None,
        "discount_starts_at": discount.starts_at if discount else None,
        "discount_ends_at": discount.ends_at if discount else None,
        "attributes": dumps(dict(product.attributes)),
        "images": dumps(product.images),
        "group": product.group,
        "tax_class": product.tax_class,
        "is_active": product.is_active,
        "updated_at": product.updated_at,
        "version": product.version,
        "name_folded": fold(product.name),
        **kept_price(product, at),
    }


def kept_price(product: Product, at: datetime) -> dict[str, Any]:
    """The columns that the clock changes."""
    return {"final_price": product.final_price(at).minor, "next_price_change": product.next_price_change(at)}


def product_from(row: Sequence[Any]) -> Product:
    """A product from the columns of :data:`PRODUCT`."""
    (
        id_,
        sku,
        name,
        slug,
        description,
        category_ids,
        price,
        cost,
        currency,
        percent,
        starts_at,
        ends_at,
        attributes,
        images,
        group,
        tax_class,
        is_active,
        created_at,
        updated_at,
        version,
        on_hand,
        units_sold,
        stars,
        reviews,
    ) = row
    return restored(
        Product,
        id=id_,
        sku=sku,
        name=name,
        slug=slug,
        description=description,
        category_ids=tuple(loads(category_ids)),
        price=Money(price, currency),
        cost=Money(cost, currency),
        discount=None
        if percent is None
        else Discount(percent=Decimal(percent) / 100, starts_at=starts_at, ends_at=ends_at),
        attributes=MappingProxyType(loads(attributes)),
        images=tuple(loads(images)),
        group=group,
        tax_class=tax_class,
        is_active=bool(is_active),
        created_at=created_at,
        updated_at=updated_at,
        version=version,
        stock=on_hand,
        units_sold=units_sold,
        rating=Rating(total=stars, count=reviews),
    )
