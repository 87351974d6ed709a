"""What a text becomes: words that stay words, stems that agree with Snowball's, questions that their text answers."""

import re
from pathlib import Path

import snowballstemmer
from hypothesis import example, given
from hypothesis import strategies as st

from storecore.catalog.english import ENGLISH, porter2
from storecore.catalog.model import fold
from storecore.catalog.words import LONGEST_WORD, MOST_WORDS, words

SNOWBALL = snowballstemmer.stemmer("english")
STARTS = (
    *("", "y", "in", "gener", "commun", "arsen", "emerg", "inter", "later", "organ", "past", "univers", "succ", "proc"),
    *("exc", "even", "cann", "inn", "earr", "herr", "out", "tr", "hop", "hopp", "ad", "eg", "off", "sky", "ugl", "log"),
)
ENDS = (
    *("ational", "ization", "fulness", "ousness", "iveness", "tional", "biliti", "lessly", "ently", "ation", "alism"),
    *("ality", "fully", "ously", "ivity", "ogist", "ency", "ancy", "ably", "izer", "ator", "ally", "bly", "ogy", "ly"),
    *("alize", "icate", "icity", "ative", "ical", "ness", "ful", "ement", "ment", "ance", "ence", "able", "ible", "ll"),
    *("ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "sion", "tion", "al", "er", "ic", "eedly", "ingly", "s"),
    *("edly", "eed", "ing", "ed", "ies", "ied", "sses", "ss", "us", "y", "yed", "e", "es", "bling", "ating", "izing"),
)


@given(
    st.sampled_from(STARTS),
    st.text("aeiouybcdglmnprstvwx7", max_size=5),
    st.lists(st.sampled_from(ENDS), max_size=2).map("".join),
)
def test_english_stems_are_those_of_snowball(start: str, middle: str, end: str) -> None:
    word = start + middle + end
    assert porter2(word) == SNOWBALL.stemWord(word)


def test_english_stems_are_those_of_snowball_for_the_words_of_this_project() -> None:
    project = Path(__file__).parents[2]
    vocabulary = {
        word
        for pattern in ("*.md", "webapp/**/*.py", "storecore/**/*.py", "tests/**/*.py")
        for path in project.glob(pattern)
        for word in re.findall(r"[a-z]+", path.read_text(encoding="utf-8").lower())
    }
    vocabulary |= {"skis", "skies", "idly", "gently", "ugly", "early", "only", "singly", "andes", "atlas", "bias"}
    vocabulary |= {"cosmos", "howe", "news", "sky", "dying", "lying", "tying", "inning", "herring", "adding", "egged"}
    assert len(vocabulary) > 3_000
    assert {word: porter2(word) for word in vocabulary} == {word: SNOWBALL.stemWord(word) for word in vocabulary}


@given(st.text(max_size=60))
@example("ŉ's İ'S ǅ ﬁ ẛ̣ ⅷ ① 𝔘𝔫𝔦 ᾳ")
def test_words_are_folded_already_and_can_be_taken_to_words_again(text: str) -> None:
    found = words(text)
    assert all(word.isalnum() and 1 <= len(word) <= LONGEST_WORD for word in found)
    assert words(" ".join(found)) == found
    assert words(fold(text)) == words(text.upper().lower()) or not text.isascii()


@given(st.text(max_size=60))
@example("women's T-shirt")
def test_every_text_answers_itself_and_its_beginnings(text: str) -> None:
    terms = ENGLISH.terms(text)
    for asked in (text, f"{text} ", text[: len(text) // 2]):
        question = ENGLISH.question(asked)
        assert len(question) <= MOST_WORDS
        assert sum(word.is_prefix for word in question) <= 1
        if asked.isascii() and "'" not in asked:  # part of a character, or of a possessive, may be another word
            assert all(any(word.meets(term) for term in terms) for word in question)
