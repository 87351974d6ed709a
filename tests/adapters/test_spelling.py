from hypothesis import given
from hypothesis import strategies as st

from adapters import spelling
from storecore.catalog import nearness

LETTERS = "abcışд日"


@given(st.text(LETTERS, max_size=10), st.lists(st.text(LETTERS, max_size=10), max_size=30), st.integers(0, 3))
def test_rapidfuzz_finds_the_words_that_the_core_finds(word: str, among: list[str], at_most: int) -> None:
    assert spelling.near(word, among, at_most) == nearness.near(word, among, at_most)


def test_among_many_words_only_the_nearest_are_found() -> None:
    among = {f"lap{number}": None for number in range(5_000)} | {"laptop": None}
    assert spelling.near("laptpo", among, 2) == nearness.near("laptpo", among, 2) == ["laptop"]
