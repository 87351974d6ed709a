"""What a product list could be narrowed to."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

from adapters.memory.listing import matching
from adapters.memory.tables import Tables
from storecore.catalog.facets import cut
from storecore.catalog.model import Product
from storecore.ports import MOST_FACETS, Counts, ProductQuery


def counts(tables: Tables, query: ProductQuery) -> Counts:
    """See ``Products.counts``."""
    return Counts(
        categories=_by_category(tables, replace(query, category_id=None)),
        attributes=_by_attribute(tables, query),
        prices=Counter(
            cut(tables.kept_prices.get(product.id) or 0)
            for product in matching(tables, replace(query, min_price=None, max_price=None))
        ),
    )


def _by_category(tables: Tables, query: ProductQuery) -> Mapping[str, int]:
    return Counter(each for product in matching(tables, query) for each in set(_above(tables, product)))


def _above(tables: Tables, product: Product) -> Iterator[str]:
    """A product's categories, and those that they are filed under."""
    for category_id in product.category_ids:
        above: str | None = category_id
        while above is not None and (category := tables.categories.get(above)) is not None:
            yield above
            above = category.parent_id


def _by_attribute(tables: Tables, query: ProductQuery) -> Mapping[str, Mapping[str, int]]:
    chosen = {name for name, _ in query.attributes}
    found: dict[str, Counter[str]] = {}
    for product in matching(tables, query):
        for name, value in product.attributes.items():
            if name not in chosen:
                found.setdefault(name, Counter())[value] += 1
    for name in chosen:
        others = replace(query, attributes=tuple(pair for pair in query.attributes if pair[0] != name))
        values = Counter(each.attributes[name] for each in matching(tables, others) if name in each.attributes)
        if values:
            found[name] = values
    return {name: _most(found[name]) for name in _most({name: each.total() for name, each in found.items()})}


def _most(numbers: Mapping[str, int]) -> Mapping[str, int]:
    return dict(sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_FACETS])
