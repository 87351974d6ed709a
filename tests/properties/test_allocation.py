"""Dividing money: exhaustively on small numbers, by chance on large ones."""

from fractions import Fraction
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from storecore.money import Money, allocate, half_up

WEIGHTS = st.lists(st.integers(0, 4) | st.integers(0, 10**12), min_size=1, max_size=8).filter(any)


def _is_largest_remainder(whole: int, weights: tuple[int, ...], parts: list[int]) -> bool:
    """The definition, said another way: whole quotas first, then one each by remainder, then by position."""
    quotas = [Fraction(whole * weight, sum(weights)) for weight in weights]
    extra = [part - quota.__floor__() for part, quota in zip(parts, quotas, strict=True)]
    if sum(parts) != whole or not set(extra) <= {0, 1}:
        return False
    ranks = [(-(quota % 1), position) for position, quota in enumerate(quotas)]
    got = [rank for rank, more in zip(ranks, extra, strict=True) if more]
    return sorted(ranks)[: len(got)] == sorted(got)


def test_every_small_division_is_by_largest_remainder() -> None:
    cases = 0
    for size in (1, 2, 3):
        for weights in product(range(5), repeat=size):
            for whole in range(13):
                if not any(weights):
                    continue
                parts = allocate(whole, weights)
                assert _is_largest_remainder(whole, weights, parts), (whole, weights, parts)
                assert allocate(-whole, weights) == [-part for part in parts]
                cases += 1
    assert cases == 13 * (4 + 24 + 124)


@given(st.integers(0, 10**12), WEIGHTS)
def test_any_division_is_by_largest_remainder(whole: int, weights: list[int]) -> None:
    assert _is_largest_remainder(whole, tuple(weights), allocate(whole, weights))


@given(st.integers(-(10**12), 10**12), WEIGHTS)
def test_the_parts_sum_to_the_whole_and_each_is_within_a_unit_of_its_share(whole: int, weights: list[int]) -> None:
    parts = allocate(whole, weights)
    assert sum(parts) == whole
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(whole * weight, sum(weights))) < 1
        assert weight or part == 0


@given(st.data(), WEIGHTS)
def test_a_part_is_never_more_than_what_it_is_taken_from(data: st.DataObject, weights: list[int]) -> None:
    whole = data.draw(st.integers(0, sum(weights)))
    assert all(0 <= part <= weight for part, weight in zip(allocate(whole, weights), weights, strict=True))


@given(st.data(), st.integers(0, 10**9), WEIGHTS)
def test_the_order_of_the_lines_moves_at_most_the_ties(data: st.DataObject, whole: int, weights: list[int]) -> None:
    places = data.draw(st.permutations(range(len(weights))))
    before, after = allocate(whole, weights), allocate(whole, [weights[place] for place in places])
    moved = {place for position, place in enumerate(places) if after[position] != before[place]}
    remainders = {whole * weights[place] % sum(weights) for place in moved}
    assert len(remainders) <= 1
    assert all(abs(after[position] - before[place]) <= 1 for position, place in enumerate(places))


@given(st.integers(0, 10**9), WEIGHTS, st.integers(1, 1000))
def test_only_proportions_count(whole: int, weights: list[int], factor: int) -> None:
    assert allocate(whole, [weight * factor for weight in weights]) == allocate(whole, weights)


@given(st.integers(0, 10**9), WEIGHTS)
def test_a_heavier_line_never_gets_less(whole: int, weights: list[int]) -> None:
    parts = allocate(whole, weights)
    for i, j in product(range(len(weights)), repeat=2):
        assert weights[i] <= weights[j] or parts[i] >= parts[j]


@given(st.integers(0, 10**9), WEIGHTS, st.integers(0, 8))
def test_a_line_that_weighs_nothing_changes_nothing(whole: int, weights: list[int], position: int) -> None:
    position = min(position, len(weights))
    parts = allocate(whole, [*weights[:position], 0, *weights[position:]])
    assert parts.pop(position) == 0
    assert parts == allocate(whole, weights)


@given(st.integers(-(10**12), 10**12), WEIGHTS)
def test_money_splits_as_numbers_do(minor: int, weights: list[int]) -> None:
    assert Money(minor, "KWD").split(weights) == [Money(part, "KWD") for part in allocate(minor, weights)]


@given(st.integers(), st.integers().filter(bool))
def test_half_up_is_the_nearest_whole_number_halves_away_from_zero(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    rounded = half_up(numerator, denominator)
    assert abs(rounded - exact) <= Fraction(1, 2)
    if abs(rounded - exact) == Fraction(1, 2):
        assert abs(rounded) > abs(exact)
    assert half_up(-numerator, denominator) == -rounded
