"""The facets of a product list as they are answered: what each further choice would leave."""

from typing import Any, NotRequired

from typing_extensions import TypedDict

from storecore.catalog.facets import FacetedPage, Facets
from webapp.http.fields import Amount


class CategoryCount(TypedDict):
    """How many products are filed in or below a category."""

    id: str
    name: str
    count: int


class ValueCount(TypedDict):
    """How many products have an attribute with this value."""

    value: str
    count: int


class AttributeFacet(TypedDict):
    """The most frequent values of an attribute."""

    name: str
    values: list[ValueCount]


class PriceBandView(TypedDict):
    """How many products cost from ``min_price`` to ``max_price``, both included."""

    min_price: Amount
    max_price: Amount
    count: int
    currency: str


class FacetsView(TypedDict):
    """What the list can be narrowed to. A count respects all filters of the list but those of its own facet."""

    categories: list[CategoryCount]
    attributes: list[AttributeFacet]
    prices: list[PriceBandView]


class Faceted(TypedDict):
    """What is answered beside the items of a list: ``facets``, if they were asked for."""

    facets: NotRequired[FacetsView]


def show_facets(page: FacetedPage[Any]) -> Faceted:
    """The facets of a list, if they were asked for."""
    return {} if page.facets is None else {"facets": _show(page.facets)}


def _show(facets: Facets) -> FacetsView:
    return {
        "categories": [
            {"id": category.id, "name": category.name, "count": count} for category, count in facets.categories
        ],
        "attributes": [
            {"name": name, "values": [{"value": value, "count": count} for value, count in values]}
            for name, values in facets.attributes
        ],
        "prices": [
            {
                "min_price": str(band.least),
                "max_price": str(band.most),
                "count": band.count,
                "currency": band.least.currency,
            }
            for band in facets.prices
        ],
    }
