"""The catalog in the hands of staff, over HTTP: products, discounts, stock and price history."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.catalog.model import MAX_STOCK, PriceChange, StockMove, StockReason
from storecore.catalog.offers import Offer
from storecore.errors import NotFound, OutOfStock, SkuTaken
from storecore.lists import Page
from storecore.money import Money
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount, AmountText, Id, Instant, Percent, Text
from webapp.http.validation import Body, absent
from webapp.products import ProductsView, show_product

routes = Routes("catalog", "Products, discounts, stock and prices in the hands of staff.")

Attributes = Annotated[dict[Annotated[str, Text(60)], Annotated[str, Text(500)]], Field(max_length=50)]
CategoryIds = Annotated[list[Id], Field(min_length=1, max_length=20)]
Description = Annotated[str, Text(20_000, least=0, lines=True)]
Images = Annotated[list[Annotated[str, Text(1000)]], Field(max_length=20)]


class NewProduct(Body):
    """A product to be put into the catalog; its cost is half the price unless told.

    A discount needs ``prices:write``.
    """

    sku: Annotated[str, Text(64)]
    name: Annotated[str, Text(200)]
    description: Description
    price: AmountText
    cost: AmountText | None = None
    stock: Annotated[int, Field(ge=0, le=MAX_STOCK)]
    category_ids: CategoryIds
    attributes: Attributes = absent()
    images: Images = absent()
    group: Annotated[str, Text(100)] | None = None
    tax_class: Annotated[str, Text(40)] = absent()
    discount_percent: Percent = absent()


class ProductPatch(Body):
    """What to change about a product. ``price``, ``cost`` and ``discount_percent`` need ``prices:write``.

    ``discount_percent`` "0" ends a discount; ``is_active`` true brings an archived product back.
    """

    sku: Annotated[str, Text(64)] = absent()
    name: Annotated[str, Text(200)] = absent()
    description: Description = absent()
    price: AmountText = absent()
    cost: AmountText = absent()
    category_ids: CategoryIds = absent()
    attributes: Attributes = absent()
    images: Images = absent()
    group: Annotated[str, Text(100)] | None = None
    tax_class: Annotated[str, Text(40)] = absent()
    discount_percent: Percent = absent()
    is_active: bool = absent()


def amounts(fields: dict[str, Any], currency: str, *names: str) -> dict[str, Any]:
    """The fields with those of these names read as money, where they were given."""
    read = {name: Money.parse(fields[name], currency, field=name) for name in names if fields.get(name) is not None}
    return fields | read


@routes.endpoint(
    "POST",
    "/products",
    show=show_product,
    location="/products/{id}",
    may=Permission.CATALOG_WRITE,
    once=True,
    etag=True,
    refuses=(SkuTaken,),
)
def create_product(ask: Ask[NewProduct]) -> Offer:
    """Put a product into the catalog."""
    fields = amounts(ask.body.given(), ask.store.shop.currency, "price", "cost")
    return ask.store.catalog.create_product(by=ask.by, once=ask.once, **fields)


@routes.endpoint(
    "PATCH",
    "/products/{product_id}",
    show=show_product,
    may=(Permission.CATALOG_WRITE, Permission.PRICES_WRITE),
    etag=True,
    refuses=(SkuTaken,),
)
def update_product(ask: Ask[ProductPatch], product_id: str) -> Offer:
    """Change a product. Prices need `prices:write`, everything else `catalog:write`."""
    fields = amounts(ask.body.given(), ask.store.shop.currency, "price", "cost")
    return ask.store.catalog.update_product(by=ask.by, product_id=product_id, if_version=ask.if_version, **fields)


@routes.endpoint("DELETE", "/products/{product_id}", may=Permission.CATALOG_WRITE, etag=True)
def archive_product(ask: Ask, product_id: str) -> None:
    """Take a product off the shelf.

    Lists lose it; orders keep what they bought. `is_active` brings it back.
    """
    ask.store.catalog.archive_product(by=ask.by, product_id=product_id, if_version=ask.if_version)


# Discounts.


class NewDiscount(Body):
    """A percentage off products from now, or from ``starts_at``, until ``ends_at`` (excluded; null: for good)."""

    product_ids: Annotated[list[Id], Field(min_length=1, max_length=500)]
    percent: Percent
    starts_at: Instant | None = None
    ends_at: Instant | None = None


class ClearDiscount(Body):
    """Products whose discount ends."""

    product_ids: Annotated[list[Id], Field(min_length=1, max_length=500)]


def _show_products(offers: Sequence[Offer], ask: Ask[Any, Any]) -> ProductsView:
    return {"items": [show_product(offer, ask) for offer in offers]}


@routes.endpoint("PATCH", "/products/discount", show=_show_products, may=Permission.PRICES_WRITE, refuses=(NotFound,))
def discount_products(ask: Ask[NewDiscount]) -> Sequence[Offer]:
    """Reduce many products at once, all or none."""
    body = ask.body
    return ask.store.catalog.discount(
        by=ask.by,
        product_ids=body.product_ids,
        percent=body.percent,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
    )


@routes.endpoint(
    "PATCH", "/products/discount/clear", show=_show_products, may=Permission.PRICES_WRITE, refuses=(NotFound,)
)
def clear_discounts(ask: Ask[ClearDiscount]) -> Sequence[Offer]:
    """End the discounts of many products, running or planned."""
    return ask.store.catalog.clear_discount(by=ask.by, product_ids=ask.body.product_ids)


# Stock and price history.


class StockChange(Body):
    """Units to add or, negative, to remove, and why."""

    change: Annotated[int, Field(ge=-MAX_STOCK, le=MAX_STOCK, json_schema_extra={"not": {"const": 0}})]
    reason: Annotated[str, Text(500, lines=True)]


class StockMoveView(TypedDict):
    """A row of the stock ledger. ``reason`` is what was said, or the number of the order."""

    id: str
    product_id: str
    change: int
    kind: StockReason
    reason: str
    order_id: str | None
    actor_id: str | None
    at: datetime


def show_stock_move(move: StockMove) -> StockMoveView:
    """A row of the stock ledger as it is answered."""
    return {
        "id": move.id,
        "product_id": move.product_id,
        "change": move.change,
        "kind": move.reason,
        "reason": move.note,
        "order_id": move.order_id,
        "actor_id": move.actor_id,
        "at": move.at,
    }


class PriceChangeView(TypedDict):
    """A row of the price history: from ``at`` on, one unit cost ``final_price``."""

    at: datetime
    price: Amount
    final_price: Amount
    currency: str
    actor_id: str | None


def show_price_change(change: PriceChange) -> PriceChangeView:
    """A row of the price history as it is answered."""
    return {
        "at": change.at,
        "price": str(change.price),
        "final_price": str(change.final_price),
        "currency": change.price.currency,
        "actor_id": change.actor_id,
    }


@routes.endpoint(
    "POST",
    "/products/{product_id}/stock",
    show=show_product,
    may=Permission.STOCK_ADJUST,
    once=True,
    refuses=(OutOfStock,),
)
def adjust_stock(ask: Ask[StockChange], product_id: str) -> Offer:
    """Correct the stock of a product, saying why."""
    return ask.store.catalog.adjust_stock(
        by=ask.by, product_id=product_id, change=ask.body.change, reason=ask.body.reason, once=ask.once
    )


@routes.endpoint("GET", "/products/{product_id}/stock", show=show_stock_move, may=Permission.STOCK_ADJUST)
def stock_ledger(ask: Ask, product_id: str) -> Page[StockMove]:
    """Every change of a product's stock, newest first."""
    return ask.store.catalog.ledger(by=ask.by, product_id=product_id, page=ask.page)


@routes.endpoint(
    "GET",
    "/products/{product_id}/prices",
    show=show_price_change,
    may=(Permission.CATALOG_WRITE, Permission.PRICES_WRITE),
)
def price_history(ask: Ask, product_id: str) -> Page[PriceChange]:
    """Every price a product has had, newest first; for those who keep the catalog or set prices."""
    return ask.store.catalog.prices(by=ask.by, product_id=product_id, page=ask.page)
