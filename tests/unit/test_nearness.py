import pytest

from storecore.catalog.nearness import allowance, distance, near


@pytest.mark.parametrize(
    ("a", "b", "slips"),
    [
        ("", "", 0),
        ("jeans", "jeans", 0),
        ("jeens", "jeans", 1),
        ("jens", "jeans", 1),
        ("jeanns", "jeans", 1),
        ("ejans", "jeans", 1),
        ("laptpo", "laptop", 1),
        ("whet", "wheat", 1),
        ("ca", "abc", 3),  # a pair that was swapped is not opened again
        ("kitten", "sitting", 3),
        ("", "abc", 3),
    ],
)
def test_slips_are_missing_extra_wrong_and_swapped_letters(a: str, b: str, slips: int) -> None:
    assert distance(a, b, 3) == distance(b, a, 3) == slips
    assert distance(a, b, slips) == slips
    if slips:
        assert distance(a, b, slips - 1) is None


def test_longer_words_may_have_more_slips() -> None:
    assert [allowance("x" * length) for length in range(1, 13)] == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2]


def test_only_the_nearest_words_are_near_in_their_order() -> None:
    among = ["beats", "boat", "boots", "coat", "goat", "boa"]
    assert near("coot", among, 1) == ["coat"]
    assert near("boat", among, 2) == ["boat"]
    assert near("oat", among, 1) == ["boat", "coat", "goat"]
    assert near("zzzz", among, 2) == near("oat", [], 2) == []
    assert near("oat", among, 0) == []
