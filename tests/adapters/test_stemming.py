from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.stemming import KNOWN, language
from storecore.catalog.english import ENGLISH


def test_english_is_the_core_s_own() -> None:
    assert language("english") is ENGLISH


@pytest.mark.parametrize(
    ("name", "asked", "text"),
    [
        ("german", "haus", "Häuser"),
        ("german", "für stühle", "Stuhl"),
        ("french", "cheval", "Les chevaux"),
        ("turkish", "şapka", "ŞAPKALAR"),
        ("turkish", "ayakkabılar", "Ayakkabı"),
        ("spanish", "zapatos", "Zapato"),
    ],
)
def test_a_language_knows_the_forms_of_its_words(name: str, asked: str, text: str) -> None:
    tongue = language(name)
    terms = tongue.terms(text)
    assert all(any(word.meets(term) for term in terms) for word in tongue.question(f"{asked} "))
    assert tongue.question(asked)


@pytest.mark.parametrize("name", KNOWN)
def test_a_stem_is_a_word_that_can_be_looked_for(name: str) -> None:
    tongue = language(name)
    for text in ("Äpfel ŞAPKALAR creme ı ß straße", "Юлия λόγος χάρις", "סוודר कपड़े", "s e es 42 1000xm4 東"):
        assert all(term.isalnum() and term == term.casefold() for term in tongue.terms(text))


def test_the_name_tells_which_stems_an_index_was_made_with() -> None:
    assert language("german").name.startswith("german (Snowball ")
    assert language("german") is language("german")


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    for name in ("klingon", "porter", "English", ""):
        with pytest.raises(ValueError, match=r"must be one of .*english, .*turkish"):
            language(name)


def test_threads_share_the_stems() -> None:
    stem = language("german").stem
    tokens = [f"{word}{number}en" for number in range(200) for word in ("haus", "schuh", "jacke")]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(stem, tokens * 3)) == [stem(word) for word in tokens] * 3
