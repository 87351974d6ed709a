"""Which products a list shows, and in which order."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from adapters.memory.tables import Shelf, Tables
from storecore.catalog.documents import Match
from storecore.catalog.model import UNRATED, Product, fold
from storecore.lists import Keyset
from storecore.ports import ProductQuery


def _price(tables: Tables, product: Product) -> int:
    return tables.kept_prices.get(product.id) or 0


def _shelf(tables: Tables, product: Product) -> Shelf:
    return tables.shelves.get(product.id) or Shelf()


def _stars(tables: Tables, product: Product) -> int:
    """The average in hundredths, 0 without reviews."""
    average = (tables.ratings.get(product.id) or UNRATED).average
    return int(average * 100) if average is not None else 0


def with_facts(tables: Tables, product: Product) -> Product:
    """The product with its stock, sales and rating."""
    shelf = tables.shelves.get(product.id) or Shelf()
    rating = tables.ratings.get(product.id) or UNRATED
    return replace(product, stock=shelf.on_hand, units_sold=shelf.sold, rating=rating)


SORT_KEYS: Mapping[str, Callable[[Tables, Product], Keyset]] = {
    "newest": lambda tables, each: (each.id,),  # noqa: ARG005 - the others look at the tables
    "price": lambda tables, each: (_price(tables, each), each.id),
    "-price": lambda tables, each: (-_price(tables, each), each.id),
    "popularity": lambda tables, each: (-_shelf(tables, each).sold, each.id),
    "rating": lambda tables, each: (-_stars(tables, each), each.id),
    "name": lambda tables, each: (fold(each.name), each.id),  # noqa: ARG005 - the others look at the tables
}
"""Ascending but for ``newest``, whose ids go down: largest first is written as the smallest negative."""


def matching(tables: Tables, query: ProductQuery) -> Iterator[Product]:
    """Active products that pass every filter."""
    shelves = _below(tables, query.category_id)
    return (
        product
        for product in tables.products.rows()
        if product.is_active
        and (query.category_id is None or not shelves.isdisjoint(product.category_ids))
        and _passes(tables, product, query)
    )


def _below(tables: Tables, category_id: str | None) -> set[str | None]:
    """A category and every one filed below it."""
    found, added = {category_id}, True
    while added:
        below = {each.id for each in tables.categories.rows() if each.parent_id is not None and each.parent_id in found}
        added = not below <= found
        found |= below
    return found


def _passes(tables: Tables, product: Product, query: ProductQuery) -> bool:
    price = _price(tables, product)
    return (
        (query.group is None or query.group == product.group)
        and (query.min_price is None or price >= query.min_price)
        and (query.max_price is None or price <= query.max_price)
        and (query.in_stock is None or query.in_stock == (_shelf(tables, product).on_hand > 0))
        and (query.min_rating is None or _stars(tables, product) >= query.min_rating * 100)
        and all(product.attributes.get(name) == value for name, value in query.attributes)
        and (query.match is None or meets(tables, product.id, query.match))
    )


def meets(tables: Tables, product_id: str, match: Match) -> bool:
    """Whether a product's document has what each word asks for."""
    indexed = tables.documents.get(product_id)
    return indexed is not None and bool(match) and all(wanted.meets(indexed.weights) for wanted in match)
