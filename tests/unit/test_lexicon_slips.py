"""What mistyped words are taken for."""

import pytest

from storecore.catalog.english import ENGLISH
from storecore.catalog.lexicon import Lexicon
from storecore.catalog.nearness import near


def lexicon(*names: str) -> Lexicon:
    words = Lexicon(ENGLISH, near)
    for number, name in enumerate(names):
        words.put(str(number), name=name, terms=" ".join(ENGLISH.terms(name)), labels="")
    return words


def meets(words: Lexicon, asked: str, name: str) -> bool:
    terms = set(ENGLISH.terms(name))
    return all(wanted.meets(terms) for wanted in words.tolerant_match(ENGLISH.question(asked)))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("sandsls", {"Sandals"}),
        ("sanad", {"Sandals", "Salad Bowl"}),  # "sanda" that goes on, or "salad"
        ("sanad ", {"Salad Bowl"}),
        ("jgis", set()),  # a slip in four letters would make almost any beginning
        ("jgisa", {"Jigsaw"}),
        ("salda bowl", {"Salad Bowl"}),
        ("bwl", set()),
    ],
)
def test_a_slip_is_forgiven_in_words_and_in_longer_beginnings(asked: str, found: set[str]) -> None:
    names = ("Sandals", "Salad Bowl", "Jigsaw")
    words = lexicon(*names)
    assert {name for name in names if meets(words, asked, name)} == found
