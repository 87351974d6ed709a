"""What people type in: cleaned, or refused with the name of its field."""

import unicodedata
from decimal import Decimal
from typing import Any

import pytest

from storecore import checks
from storecore.errors import Invalid


def _text(value: str, *, most: int = 200, least: int = 1, lines: bool = False) -> str:
    return checks.text(value, "name", most=most, least=least, lines=lines)


def test_space_around_a_text_is_dropped() -> None:
    assert _text("  Ada \u00a0\u2003") == "Ada"


def test_a_text_is_composed() -> None:
    assert _text("Zoe\u0308") == "Zo\u00eb"


@pytest.mark.parametrize(
    "value",
    [
        "Ayşe Yılmaz",
        "👨\u200d👩\u200d👧",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # the flag of England is made of tags
        "❤\ufe0f",
        "می\u200cخواهم",
        "क\u094d\u200dष",
        "soft\u00adhyphen",
        "\U0001fae9",  # an emoji newer than some Pythons know
        "\ue000",
        "שלום\u200f!",
    ],
)
def test_every_script_and_emoji_passes(value: str) -> None:
    assert _text(value) == unicodedata.normalize("NFC", value)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("a\x00b", "U+0000"),
        ("a\x1bb", "U+001B"),
        ("a\x7fb", "U+007F"),
        ("a\x85b", "U+0085"),
        ("a\u2028b", "U+2028"),
        ("a\u2029b", "U+2029"),
        ("a\u202eb", "U+202E"),
        ("a\u2066b", "U+2066"),
        ("a\nb", "U+000A"),
        ("a\tb", "U+0009"),
        ("trailing\n", "U+000A"),
        ("a\r\nb", "U+000D"),
        ("\ud800", "half of a surrogate pair"),
    ],
)
def test_control_characters_are_refused_by_name(value: str, named: str) -> None:
    with pytest.raises(Invalid) as refused:
        _text(value)
    [(field, why)] = refused.value.errors
    assert field == "name"
    assert named in why


def test_texts_of_lines_may_have_line_feeds_and_tabs_and_nothing_else() -> None:
    assert _text("one\r\ntwo\n\tthree\n", lines=True) == "one\ntwo\n\tthree"
    for value in ("a\rb", "a\r\rb", "a\x0bb", "a\x0cb", "a\u2028b", "a\u202eb"):
        with pytest.raises(Invalid, match="must not contain"):
            _text(value, lines=True)


@pytest.mark.parametrize("value", ["", " ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u200d\u2060 \u200e", "\u00ad"])
def test_a_text_of_nothing_visible_is_empty(value: str) -> None:
    with pytest.raises(Invalid, match="must have 1 to 200 characters"):
        _text(value)
    assert _text(value, least=0) == ""
    assert checks.optional(value, "name", most=200) is None


def test_nothing_visible_on_several_lines_is_empty_too() -> None:
    assert _text("\u200b\n\u200b", least=0, lines=True) == ""


def test_a_length_is_counted_in_characters_after_cleaning() -> None:
    assert _text("  ab  ", most=2) == "ab"
    assert _text("e\u0301" * 3, most=3) == "é" * 3
    assert _text("👍" * 3, most=3) == "👍" * 3
    with pytest.raises(Invalid, match="must have 1 to 2 characters"):
        _text("abc", most=2)
    with pytest.raises(Invalid, match="must have at most 2 characters"):
        _text("abc", most=2, least=0)


def test_no_character_decomposes_into_more_than_four() -> None:
    """What lets overlong text be refused before it is composed."""
    assert max(len(unicodedata.normalize("NFD", chr(code))) for code in range(0x110000)) == 4


def test_a_million_combining_marks_are_refused_without_composing_them() -> None:
    zalgo = "a" + "\u0301\u0327" * 500_000
    with pytest.raises(Invalid):
        _text(zalgo, most=2000)  # composing them would take many minutes


@pytest.mark.parametrize("value", [None, 5, b"a", ["a"]])
def test_a_text_is_a_string(value: Any) -> None:
    with pytest.raises(TypeError, match="name is a string"):
        _text(value)


def test_a_text_that_may_be_absent_is_none_when_empty() -> None:
    assert checks.optional(None, "phone", most=5) is None
    assert checks.optional(" ", "phone", most=5) is None
    assert checks.optional(" 1 ", "phone", most=5) == "1"


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("  ada@example.com ", "ada@example.com"),
        ("ada+shop@example.co.uk", "ada+shop@example.co.uk"),
        ("ａｄａ＠example.com", "ada@example.com"),
        ("\u212aelvin@example.com", "kelvin@example.com"),
        ("ÄDA@bücher.example", "äda@bücher.example"),
        ("ईमेल@डाटामेल.भारत", "ईमेल@डाटामेल.भारत"),
        ("o'brien_{x}!#$%&*/=?^`|~-@x-1.example", "o'brien_{x}!#$%&*/=?^`|~-@x-1.example"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("J\u030c@example.com", "\u01f0@example.com"),
    ],
)
def test_an_email_is_stored_normalised(written: str, stored: str) -> None:
    assert checks.email(written) == stored
    assert checks.email(stored) == stored


def test_dotless_i_is_another_letter() -> None:
    assert len({checks.email("ı@example.com"), checks.email("I@example.com"), checks.email("İ@example.com")}) == 3


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@@example.com",
        "a@b@example.com",
        "ada example@example.com",
        "ada@exa mple.com",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "ada@.example.com",
        "ada@example..com",
        "ada@example.com.",
        "ada@-example.com",
        "ada@example-.com",
        "ada@exa_mple.com",
        "ada@192.168.0.1",
        "ada@[192.168.0.1]",
        '"ada"@example.com',
        "Ada <ada@example.com>",
        "ada@example.com,eve@example.com",
        "ada@example.com;eve@example.com",
        "friends:ada@example.com",
        "ada(comment)@example.com",
        "ada\u200b@example.com",
        "ada@exam\u00adple.com",
        "\ufeffada@example.com",
        "ada\u202e@example.com",
        "ada@example.com\nBcc: eve@example.com",
        "a\\b@example.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        "a@" + "b." * 130 + "com",
        "\ufdfa" * 3 + "@" + "\u33a5." * 100 + "com",  # longer than 254 once it is normalised
    ],
)
def test_what_is_no_email_is_refused(value: str) -> None:
    with pytest.raises(Invalid) as refused:
        checks.email(value)
    assert [field for field, _ in refused.value.errors] == ["email"]


def test_an_email_has_at_most_254_characters_after_it_is_normalised() -> None:
    host = ".".join(["b" * 60] * 3)
    assert len(checks.email("a" * 64 + "@" + host + ".ex")) == 250
    with pytest.raises(Invalid):
        checks.email("a" * 64 + "@" + host + ".㎥㎥㎥㎥")  # each cubic metre becomes two characters


def test_a_country_is_two_capital_letters_of_the_standard() -> None:
    assert [checks.country(code, "country") for code in ("TR", "US", "XK")] == ["TR", "US", "XK"]
    for code in ("tr", "TUR", "XX", "UK", "EU", "", "T", "TR "):
        with pytest.raises(Invalid, match="ISO 3166"):
            checks.country(code, "country")


def test_every_country_of_the_standard_is_there() -> None:
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    known = []
    for code in (a + b for a in letters for b in letters):
        try:
            known.append(checks.country(code, "country"))
        except Invalid:
            continue
    assert len(known) == 249 + 1  # ISO 3166-1, and Kosovo


@pytest.mark.parametrize("value", [1, 500, 999])
def test_a_whole_number_within_bounds_passes(value: int) -> None:
    assert checks.whole(value, "quantity", least=1, most=999) == value


@pytest.mark.parametrize("value", [0, -1, 1000, 10**38])
def test_a_whole_number_out_of_bounds_is_refused(value: int) -> None:
    with pytest.raises(Invalid, match="quantity: must be 1 to 999"):
        checks.whole(value, "quantity", least=1, most=999)


@pytest.mark.parametrize("value", [1.0, 1.5, True, "2", None, Decimal(2)])
def test_anything_else_is_no_whole_number(value: Any) -> None:
    with pytest.raises(TypeError, match="whole number"):
        checks.whole(value, "quantity", least=1, most=999)


@pytest.mark.parametrize("percent", ["0.01", "8", "12.5", "12.50", "99.99", "100", "100.00"])
def test_a_percentage_above_0_with_two_decimals_passes_as_it_is(percent: str) -> None:
    assert str(checks.percent(Decimal(percent), "percent")) == percent


@pytest.mark.parametrize(
    ("odd", "plain"), [("1E+1", "10.00"), ("12.500", "12.50"), ("1E+2", "100.00"), ("8.000000", "8.00")]
)
def test_a_percentage_written_oddly_is_written_plainly(odd: str, plain: str) -> None:
    assert str(checks.percent(Decimal(odd), "percent")) == plain


@pytest.mark.parametrize(
    "percent", ["0", "-1", "100.01", "8.875", "0.001", "1E-30", "NaN", "sNaN", "Infinity", "-Infinity"]
)
def test_other_percentages_are_refused(percent: str) -> None:
    with pytest.raises(Invalid, match="above 0 and at most 100"):
        checks.percent(Decimal(percent), "percent")


@pytest.mark.parametrize("percent", [10, 12.5, True, "10", None])
def test_a_percentage_is_a_decimal(percent: Any) -> None:
    with pytest.raises(TypeError, match="Decimal"):
        checks.percent(percent, "percent")


def test_the_number_of_things_in_a_list_is_bounded() -> None:
    checks.amount_of([1, 2], "images", most=2)
    for things in ([], [1, 2, 3]):
        with pytest.raises(Invalid, match="images: must have 1 to 2 entries"):
            checks.amount_of(things, "images", least=1, most=2)
