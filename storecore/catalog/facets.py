"""Facets: how many products of a list each further choice would leave, by category, attribute and price."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from storecore.catalog.model import Category
from storecore.lists import Page
from storecore.money import Money
from storecore.ports import Counts, ProductQuery, Unit

T = TypeVar("T")

MOST_BANDS = 5
_STEPS = (10, 15, 20, 25, 30, 40, 50, 60, 80, 100)
"""What a price that people find round begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBand:
    """``count`` products cost from ``least`` to ``most``, both included: filters that show just these."""

    least: Money
    most: Money
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """The choices there are, those that leave most products first.

    Each count respects every filter of the list but those of its own facet, so that another choice can be made.
    """

    categories: tuple[tuple[Category, int], ...]
    attributes: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    prices: tuple[PriceBand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetedPage(Page[T]):
    """A page of products, with the facets of the whole list if they were asked for."""

    facets: Facets | None = None


def facets(unit: Unit, query: ProductQuery, currency: str) -> Facets:
    """The facets of a list."""
    counts = unit.products.counts(query)
    categories = unit.categories.some(counts.categories)
    return Facets(
        categories=tuple(
            sorted(
                ((categories[each], count) for each, count in counts.categories.items()),
                key=lambda pair: (-pair[1], pair[0].name, pair[0].id),
            )
        ),
        attributes=_attributes(counts),
        prices=bands(counts.prices, currency),
    )


def _attributes(counts: Counts) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    sorted_values = {
        name: tuple(sorted(values.items(), key=lambda pair: (-pair[1], pair[0])))
        for name, values in counts.attributes.items()
    }
    return tuple(sorted(sorted_values.items(), key=lambda pair: (-sum(n for _, n in pair[1]), pair[0])))


def bands(prices: Mapping[int, int], currency: str) -> tuple[PriceBand, ...]:
    """At most five bands of about as many products each, with round ends, that together hold every product.

    ``prices`` counts products by final price in minor units, cut to its first two digits as :func:`cut` does it.
    """
    if not prices:
        return ()
    lowest, highest = min(prices), max(prices)
    ends = sorted({_round(price) for price in _quantiles(prices)} - {_round(lowest)})
    edges = [_round(lowest), *(end for end in ends if lowest < end <= highest), _beyond(highest)]
    counts = [0] * len(edges)
    for price, count in prices.items():
        counts[bisect_right(edges, price) - 1] += count
    return tuple(
        PriceBand(least=Money(least, currency), most=Money(end - 1, currency), count=count)
        for (least, end), count in zip(pairwise(edges), counts, strict=False)
        if count
    )


def cut(price: int) -> int:
    """A price with nothing but zeros after its first two digits: 1999 becomes 1900."""
    scale = _scale(price)
    return price // scale * scale


def _quantiles(prices: Mapping[int, int]) -> list[int]:
    """The prices that part the products into as many parts as there may be bands."""
    total, passed, found = sum(prices.values()), 0, []
    for price, count in sorted(prices.items()):
        found += [price] * ((passed + count) * MOST_BANDS // total - passed * MOST_BANDS // total)
        passed += count
    return found[:-1]


def _round(price: int) -> int:
    """The round price at or below a price."""
    if price < _STEPS[0]:
        return price
    scale = _scale(price)
    return max(step for step in _STEPS if step * scale <= price) * scale


def _beyond(price: int) -> int:
    """The next round price above everything that :func:`cut` makes into this one."""
    if price < _STEPS[0]:
        return price + 1
    scale = _scale(price)
    return min(step for step in _STEPS if step * scale > price) * scale


def _scale(price: int) -> int:
    """What the second digit of a price counts, 1 for prices of one digit."""
    return int(10 ** max(len(str(price)) - 2, 0))
