import math
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storecore.catalog import affinity
from storecore.catalog.affinity import HALF_LIFE, SHRINK, Candidate, Demand, Neighbour
from storecore.testing.builders import NOW

counts = st.integers(1, 10**6)
heats = st.floats(0, 2.0**80)


def neighbour(
    seed: str = "tea", *, together: int = 3, seed_orders: int = 4, orders: int = 9, heat: float = 1.0
) -> Neighbour:
    """A pot, and how often it was bought with something."""
    demand = Demand(product_id="pot", orders=orders, heat=heat)
    return Neighbour(seed_id=seed, seed_orders=seed_orders, together=together, other=demand)


def wanted(**heat: float) -> list[Demand]:
    return [Demand(product_id=product_id, orders=1, heat=each) for product_id, each in heat.items()]


def test_affinity_is_the_cosine_of_two_products_orders_shrunk_where_few_tell() -> None:
    assert affinity.affinity(neighbour()) == 3 / math.sqrt(4 * 9) * 3 / (3 + SHRINK)
    assert affinity.affinity(neighbour(together=1, seed_orders=1, orders=1)) == 1 / (1 + SHRINK)
    assert affinity.affinity(neighbour(together=0)) == 0


@given(counts, counts, counts)
def test_affinity_is_from_0_to_1_whatever_is_counted(together: int, seed_orders: int, orders: int) -> None:
    assert 0 < affinity.affinity(neighbour(together=together, seed_orders=seed_orders, orders=orders)) <= 1


@given(st.integers(2, 10**6), st.integers(0, 10**6))
def test_products_that_others_buy_as_well_are_less_close(together: int, alone: int) -> None:
    near = affinity.affinity(neighbour(together=together, seed_orders=together, orders=together + alone))
    assert near >= affinity.affinity(neighbour(together=together, seed_orders=together, orders=together + alone + 1))


def test_an_order_weighs_twice_as_much_every_four_weeks() -> None:
    assert affinity.weight(NOW + HALF_LIFE) == 2 * affinity.weight(NOW)
    assert affinity.weight(NOW.replace(year=2)) > 0
    assert math.isfinite(affinity.weight(NOW.replace(year=9998)))


@given(st.lists(st.integers(0, 50), max_size=60), st.data())
def test_what_was_added_can_be_taken_back_without_a_trace(periods: list[int], data: st.DataObject) -> None:
    weights = [affinity.weight(NOW - n * (HALF_LIFE / 2)) for n in periods]
    out = data.draw(st.lists(st.sampled_from(weights), unique=True, max_size=5)) if weights else []
    left = list(weights)
    for each in out:
        left.remove(each)
    assert sum(weights) - sum(out) == sum(left)


def test_each_thing_that_a_product_goes_with_adds_to_its_closeness_whatever_their_order() -> None:
    rows = [neighbour(seed, together=n, seed_orders=9) for n, seed in enumerate(("tea", "cup", "tray"), start=1)]
    ((closeness, seed_id),) = {
        (found["pot"].closeness, found["pot"].seed_id)
        for found in (affinity.candidates(order, []) for order in permutations(rows))
    }
    apart = math.prod(1 - affinity.affinity(row) for row in rows)
    assert closeness == pytest.approx(1 - apart)
    assert seed_id == "tray"


def test_what_is_only_wanted_is_close_to_nothing() -> None:
    found = affinity.candidates([neighbour(heat=4.0)], wanted(pot=4.0, tent=2.0))
    assert found["tent"] == Candidate(product_id="tent", heat=2.0)
    assert (found["pot"].seed_id, found["pot"].heat) == ("tea", 4.0)
    assert set(affinity.without(found, {"pot"})) == {"tent"}


def test_a_taste_is_the_share_of_what_is_looked_at_on_each_shelf() -> None:
    tastes = affinity.taste([("hats", "wool"), ("hats",), ("tea",), ()])
    assert tastes == {"hats": 0.5, "wool": 0.25, "tea": 0.25}
    assert affinity.favourites(tastes, 2) == ["hats", "tea"]
    assert affinity.taste([]) == {}


def test_the_shelf_that_is_visited_and_what_is_wanted_decide_between_equals() -> None:
    found = affinity.candidates([], wanted(hat=1.0, tent=1.0, stove=2.0, cap=1.0))
    shelves = {"hat": ("hats",), "cap": ("hats", "wool")}
    ranked = [each.product_id for _, each in affinity.ranked(found, {"hats": 0.5, "wool": 1.0}, shelves)]
    assert ranked == ["cap", "hat", "stove", "tent"]


@given(st.dictionaries(st.text(min_size=1, max_size=3), heats, max_size=20), st.lists(st.floats(0, 1), max_size=20))
def test_scores_are_from_0_to_1_in_order_and_equals_by_id(heat: dict[str, float], closeness: list[float]) -> None:
    close = dict(zip(heat, closeness, strict=False))
    found = {
        each: Candidate(product_id=each, heat=warmth, closeness=close.get(each, 0.0)) for each, warmth in heat.items()
    }
    ranked = affinity.ranked(found, {"shelf": 1.0}, dict.fromkeys(list(heat)[::2], ("shelf",)))
    assert [(-score, each.product_id) for score, each in ranked] == sorted(
        (-score, each.product_id) for score, each in ranked
    )
    assert len(ranked) == len(found)
    assert all(0 <= score <= 1 for score, _ in ranked)
