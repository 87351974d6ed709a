"""Looking around among the products over HTTP; nobody needs to sign in for it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from storecore.catalog.facets import FacetedPage
from storecore.catalog.offers import Offer, sees_costs
from storecore.lists import Page
from storecore.money import Money
from storecore.ports import ProductQuery
from webapp.facets import show_facets
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount, AmountText, Choice, Id, Number, PercentText, Text
from webapp.http.validation import Query

routes = Routes("products", "Products as customers see them.")


class CategoryName(TypedDict):
    """A shelf that a product is on."""

    id: str
    name: str


class RatingView(TypedDict):
    """Published reviews in numbers; ``average`` is null without any."""

    average: float | None
    count: int


class ProductView(TypedDict):
    """A product as it is offered right now.

    ``final_price`` is what one unit costs; ``prior_price``, with a running discount, is the lowest of the 30 days
    before it began. ``cost`` is there for those who set prices or read reports.
    """

    id: str
    sku: str
    name: str
    slug: str
    description: str
    categories: list[CategoryName]
    price: Amount
    final_price: Amount
    prior_price: Amount | None
    discount_percent: PercentText
    discount_starts_at: datetime | None
    discount_ends_at: datetime | None
    currency: str
    stock: int
    in_stock: bool
    attributes: dict[str, str]
    images: list[str]
    group: str | None
    tax_class: str
    is_active: bool
    rating: RatingView
    units_sold: int
    version: int
    created_at: datetime
    updated_at: datetime
    cost: NotRequired[Amount]


class ProductDetail(ProductView):
    """A product with the other variants of its group."""

    siblings: list[ProductView]


class ProductsView(TypedDict):
    """Several products."""

    items: list[ProductView]


def show_product(offer: Offer, ask: Ask[Any, Any]) -> ProductView:
    """A product as it is answered to whoever asks."""
    product, discount, rating = offer.product, offer.product.discount, offer.product.rating
    average = rating.average
    view: ProductView = {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "slug": product.slug,
        "description": product.description,
        "categories": [{"id": category.id, "name": category.name} for category in offer.categories],
        "price": str(product.price),
        "final_price": str(offer.final_price),
        "prior_price": None if offer.prior_price is None else str(offer.prior_price),
        "discount_percent": "0" if discount is None else f"{discount.percent:f}",
        "discount_starts_at": None if discount is None else discount.starts_at,
        "discount_ends_at": None if discount is None else discount.ends_at,
        "currency": product.price.currency,
        "stock": product.stock,
        "in_stock": product.stock > 0,
        "attributes": dict(product.attributes),
        "images": list(product.images),
        "group": product.group,
        "tax_class": product.tax_class,
        "is_active": product.is_active,
        "rating": {"average": None if average is None else float(average), "count": rating.count},
        "units_sold": product.units_sold,
        "version": product.version,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
    }
    if sees_costs(ask.by):
        view["cost"] = str(product.cost)
    return view


def show_detail(offer: Offer, ask: Ask[Any, Any]) -> ProductDetail:
    """A product with its siblings."""
    return {**show_product(offer, ask), "siblings": [show_product(each, ask) for each in offer.siblings]}


class Sort(StrEnum):
    """The orders a product list can have."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    CHEAPEST = "price"
    DEAREST = "-price"
    POPULARITY = "popularity"
    RATING = "rating"
    NAME = "name"


class ProductFilters(Query):
    """Which products count. Prices are final prices."""

    category: Id | None = None
    min_price: AmountText | None = None
    max_price: AmountText | None = None
    in_stock: bool | None = None
    min_rating: Number | None = None
    group: Annotated[str, Text(100)] | None = None
    attr: Mapping[str, str] = Field(default_factory=dict, description="attr.<name>=<value>, such as attr.size=M")
    facets: bool = Field(default=False, description="whether to answer counts by category, attribute and price too")

    unbound = ("facets",)

    def asked(self, currency: str) -> ProductQuery:
        """The question for the catalog. Raises ``Invalid`` for amounts that the currency does not have."""
        return ProductQuery(
            category_id=self.category,
            min_price=_minor(self.min_price, currency, "min_price"),
            max_price=_minor(self.max_price, currency, "max_price"),
            in_stock=self.in_stock,
            min_rating=self.min_rating,
            group=self.group,
            attributes=tuple(self.attr.items()),
        )


class ProductList(ProductFilters):
    """Which products to list. Prices are final prices; ``q`` is words that are looked for as by `/search`.

    Without ``sort``, what is asked for with ``q`` comes by relevance, anything else newest first.
    """

    q: Annotated[str, Text(200, least=0)] = ""
    sort: Choice[Sort] | None = None

    def asked(self, currency: str) -> ProductQuery:
        """The question for the catalog, with its order. What asks for nothing is as relevant as it is popular."""
        searched = bool(self.q.strip())
        sort = self.sort or (Sort.RELEVANCE if searched else Sort.NEWEST)
        if sort is Sort.RELEVANCE and not searched:
            sort = Sort.POPULARITY
        return replace(super().asked(currency), sort=str(sort))


def _minor(amount: str | None, currency: str, field: str) -> int | None:
    return None if amount is None else Money.parse(amount, currency, field=field).minor


def changes_at(found: Offer | Page[Offer]) -> datetime | None:
    """When the clock alone will change a price in this answer."""
    offers = found.items if isinstance(found, Page) else (found, *found.siblings)
    return min((offer.changes_at for offer in offers if offer.changes_at is not None), default=None)


@routes.endpoint("GET", "/products", show=show_product, beside=show_facets, remember=changes_at)
def list_products(ask: Ask[None, ProductList]) -> FacetedPage[Offer]:
    """Products that are sold, those out of stock too."""
    store, query = ask.store, ask.query
    return store.catalog.products(
        text=query.q, query=query.asked(store.shop.currency), page=ask.page, with_facets=query.facets
    )


@routes.endpoint("GET", "/products/{product_id}", show=show_detail, etag=True, remember=changes_at)
def get_product(ask: Ask, product_id: str) -> Offer:
    """One product, by its id or slug, with its variants."""
    return ask.store.catalog.product(product=product_id, by=ask.by)
