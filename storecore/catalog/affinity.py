"""How well products go together, and what is wanted: the arithmetic of recommendations, without a clock.

Two products are as close as the cosine of their orders says (item-to-item collaborative filtering: Linden, Smith and
York, "Amazon.com Recommendations", IEEE Internet Computing 2003), shrunk where few orders tell.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HALF_LIFE = timedelta(weeks=4)
"""An order weighs twice as much as one of the four weeks before."""
SHRINK = 1.0
"""As many orders as it takes for half of what they say to count."""
TOGETHER, TASTE, HEAT = 0.85, 0.1, 0.05
"""What the parts of a score weigh: bought together, the shelves that are visited, and what is wanted now."""

_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
_LARGEST = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """In how many orders a product is, and how much it is wanted: the sum of their weights."""

    product_id: str
    orders: int
    heat: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A product that was bought in ``together`` orders with ``seed_id``, which is in ``seed_orders`` orders."""

    seed_id: str
    seed_orders: int
    together: int
    other: Demand


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What may be recommended. ``closeness`` is from 0 to 1; ``seed_id`` is what it is closest to, if to anything."""

    product_id: str
    closeness: float = 0.0
    heat: float = 0.0
    seed_id: str | None = None


def weight(at: datetime) -> float:
    """What an order placed at a time weighs: a power of two, so that sums are exact and can be taken back.

    All weights of before fall alike when time goes on, so that no sum needs to be touched for that.
    """
    return 2.0 ** max(-_LARGEST, min((at - _BEGIN) // HALF_LIFE, _LARGEST))


def affinity(neighbour: Neighbour) -> float:
    """From 0 (never together) to almost 1 (never apart)."""
    together = neighbour.together
    if together <= 0:
        return 0.0
    cosine = together / math.sqrt(neighbour.seed_orders * neighbour.other.orders)
    return min(cosine, 1.0) * together / (together + SHRINK)


def candidates(neighbours: Iterable[Neighbour], wanted: Iterable[Demand]) -> Mapping[str, Candidate]:
    """Everything that is close to something, or wanted.

    Each thing that a product is close to adds its share of what is missing to 1, whatever their order.
    """
    close: dict[str, list[tuple[float, str]]] = {}
    heat = {each.product_id: each.heat for each in wanted}
    for neighbour in neighbours:
        close.setdefault(neighbour.other.product_id, []).append((affinity(neighbour), neighbour.seed_id))
        heat[neighbour.other.product_id] = neighbour.other.heat
    found = {}
    for product_id, warmth in heat.items():
        links = sorted(close.get(product_id, ()))
        apart = math.prod(1 - share for share, _ in links)
        seed_id = links[-1][1] if links else None
        found[product_id] = Candidate(product_id=product_id, closeness=1 - apart, heat=warmth, seed_id=seed_id)
    return found


def taste(shelves: Iterable[Collection[str]]) -> Mapping[str, float]:
    """How much of what somebody looks at is on each shelf: from 0 to 1, by category."""
    counted: dict[str, int] = {}
    looked_at = list(shelves)
    for category_ids in looked_at:
        for category_id in category_ids:
            counted[category_id] = counted.get(category_id, 0) + 1
    return {category_id: count / len(looked_at) for category_id, count in counted.items()}


def ranked(
    found: Mapping[str, Candidate], tastes: Mapping[str, float], shelves: Mapping[str, Collection[str]]
) -> Sequence[tuple[float, Candidate]]:
    """Candidates with their scores from 0 to 1, the best first, equals by id. ``shelves`` are their categories."""
    hottest = max((each.heat for each in found.values()), default=0.0)

    def score(each: Candidate) -> float:
        wanted = each.heat / hottest if hottest > 0 else 0.0
        liked = max((tastes.get(shelf, 0.0) for shelf in shelves.get(each.product_id, ())), default=0.0)
        return TOGETHER * each.closeness + TASTE * liked + HEAT * wanted

    return sorted(((score(each), each) for each in found.values()), key=lambda pair: (-pair[0], pair[1].product_id))


def favourites(tastes: Mapping[str, float], most: int) -> Sequence[str]:
    """The shelves that are visited most, equals by id."""
    return sorted(tastes, key=lambda category_id: (-tastes[category_id], category_id))[:most]


def without(found: Mapping[str, Candidate], product_ids: Set[str]) -> Mapping[str, Candidate]:
    """The candidates but for these."""
    return {product_id: each for product_id, each in found.items() if product_id not in product_ids}
