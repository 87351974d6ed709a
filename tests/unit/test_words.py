import pytest

from storecore.catalog.english import ENGLISH
from storecore.catalog.words import LONGEST_WORD, MOST_WORDS, Language, Word, words


def meets(asked: str, text: str) -> bool:
    terms = ENGLISH.terms(text)
    return all(any(word.meets(term) for term in terms) for word in ENGLISH.question(asked))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" - ", []),
        ("Red Wool Hat", ["red", "wool", "hat"]),
        ("Crème-Brûlée, ŞAHİN ışık", ["creme", "brulee", "sahin", "isik"]),
        ("100% (new) *best* under_score", ["100", "new", "best", "under", "score"]),
        ("WH-1000XM4/B", ["wh", "1000xm4", "b"]),
        ("Women's men’s ladies' 'quoted' d'Or it'sy", ["womens", "mens", "ladies", "quoted", "d", "or", "it", "sy"]),
        ("東京 カメラ2 ひらがな", ["東", "京", "カ", "メ", "ラ", "2", "ひ", "ら", "か", "な"]),
        ("・ー", ["ー"]),
        ("หมวก", ["ห", "ม", "ว", "ก"]),
        ("हिन्दी", ["हनद"]),
        ("x" * 100, ["x" * LONGEST_WORD]),
        ("a\x00b\ud800c", ["a", "b", "c"]),
    ],
)
def test_words_are_folded_runs_of_letters_and_digits(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_a_text_is_found_by_its_words_and_their_stems_in_its_order() -> None:
    assert ENGLISH.terms("Running shoes, red shoes") == ["running", "run", "shoes", "shoe", "red", "shoes", "shoe"]


def test_what_a_hyphen_or_an_apostrophe_joins_is_found_apart_and_in_one_piece() -> None:
    assert ENGLISH.terms("T-Shirts") == ["t", "shirts", "shirt", "tshirts", "tshirt"]
    assert ENGLISH.terms("L'Oréal") == ["l", "oreal", "loreal"]
    assert ENGLISH.terms("a - b 日-本") == ["a", "b", "日", "本"]
    assert ENGLISH.terms(f"{'x' * 60}-{'y' * 60}")[-1] == "x" * 60 + "y" * 4


def test_the_last_word_of_a_question_is_a_prefix_until_a_space_follows() -> None:
    running = Word(text="running", stem="run")
    assert ENGLISH.question("running sho") == (running, Word(text="sho", stem="sho", is_prefix=True))
    assert ENGLISH.question("running ") == (running,)
    assert ENGLISH.question("running\u3000") == (running,)
    assert ENGLISH.question("sho*") == (Word(text="sho", stem="sho", is_prefix=True),)
    assert ENGLISH.question("") == ENGLISH.question(" ") == ENGLISH.question("%_") == ()


def test_words_that_tell_nothing_are_asked_for_only_if_there_are_no_others() -> None:
    assert [word.text for word in ENGLISH.question("The hat of the year")] == ["hat", "year"]
    assert [word.text for word in ENGLISH.question("to be or")] == ["to", "be", "or"]
    assert ENGLISH.question("shoes for") == (Word(text="shoes", stem="shoe"),)


def test_a_question_has_ten_words_at_most_and_each_once() -> None:
    assert [word.text for word in ENGLISH.question("hat ha hat")] == ["hat", "ha"]
    assert not any(word.is_prefix for word in ENGLISH.question("hat ha hat"))
    many = " ".join(f"word{number}" for number in range(30))
    assert [word.text for word in ENGLISH.question(many)] == [f"word{number}" for number in range(MOST_WORDS)]
    assert not any(word.is_prefix for word in ENGLISH.question(many))


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("shoe", "Running Shoes"),
        ("shoes", "A shoe"),
        ("run ", "Running Shoes"),
        ("runn", "Running Shoes"),
        ("womens coats", "Women's Coat"),
        ("women coat", "Women's Coat"),
        ("women's coat", "Womens coat"),
        ("knives", "Bread Knife"),
        ("scarf", "Silk Scarves"),
        ("bookshelves", "Bookshelf"),
        ("woman coat", "Women's Coat"),
        ("man", "Men's Hat"),
        ("tshirt", "T-Shirt"),
        ("t-shirt", "T-Shirts"),
        ("wh1000xm4", "WH-1000XM4"),
        ("wh-1000", "WH-1000XM4"),
        ("sahin", "Şahin"),
        ("ŞAHİN", "sahin"),
        ("creme", "crème"),
    ],
)
def test_a_question_is_met_whatever_the_form_of_the_word(asked: str, text: str) -> None:
    assert meets(asked, text)


@pytest.mark.parametrize(
    ("asked", "text"),
    [("sho ", "shoes"), ("hoes", "shoes"), ("red hat", "red shoes"), ("hat", "hot"), ("bag", ""), ("oman ", "Omen")],
)
def test_a_question_is_not_met_by_part_of_it_or_by_the_middle_of_a_word(asked: str, text: str) -> None:
    assert not meets(asked, text)


def test_another_language_has_its_own_stems_and_words_that_tell_nothing() -> None:
    shouted = Language(name="shouting", stem=lambda word: word.rstrip("x"), stop_words=frozenset({"hey"}))
    assert shouted.terms("Heyxx You") == ["heyxx", "hey", "you"]
    assert shouted.question("hey youx ") == (Word(text="youx", stem="you"),)
