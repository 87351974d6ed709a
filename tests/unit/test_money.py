"""Money: whole minor units, three sizes of currency, one rounding rule."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from storecore.errors import Invalid
from storecore.money import EXPONENTS, LIMIT, Money, allocate, half_up, parse_percent, total


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (5, 10, 1),
        (4, 10, 0),
        (15, 10, 2),
        (25, 10, 3),
        (-5, 10, -1),
        (-4, 10, 0),
        (-15, 10, -2),
        (5, -10, -1),
        (-5, -10, 1),
        (0, 7, 0),
        (7, 7, 1),
        (10**30 + 1, 2, 5 * 10**29 + 1),
    ],
)
def test_halves_round_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert half_up(numerator, denominator) == rounded


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1999, "USD", "19.99"),
        (5, "USD", "0.05"),
        (-5, "USD", "-0.05"),
        (0, "USD", "0.00"),
        (-1999, "EUR", "-19.99"),
        (1999, "JPY", "1999"),
        (-1, "JPY", "-1"),
        (0, "JPY", "0"),
        (1999, "KWD", "1.999"),
        (1, "KWD", "0.001"),
        (LIMIT, "USD", "10000000000.00"),
    ],
)
def test_an_amount_is_written_with_exactly_the_digits_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert str(Money(minor, currency)) == text


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("19.99", "USD", 1999),
        ("20", "USD", 2000),
        ("0.5", "USD", 50),
        ("-0.05", "USD", -5),
        ("-0", "USD", 0),
        ("1999", "JPY", 1999),
        ("1.999", "KWD", 1999),
        ("9999999999.99", "USD", LIMIT - 1),
        ("999999999999", "JPY", LIMIT - 1),
    ],
)
def test_what_people_write_is_read(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "19,99",
        " 19.99",
        "19.99 ",
        "19.99\n",
        "+1",
        "--1",
        "1e3",
        "1_000",
        ".5",
        "5.",
        "0x10",
        "NaN",
        "Infinity",
        "1.2.3",
        "$5",
        "9" * 5000,
        "１９",  # digits of other scripts are no digits here
        "١٢",
    ],
)
def test_anything_else_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        Money.parse(text, "USD", field="price")
    assert refused.value.errors == (("price", 'must be an amount such as "19.99"'),)


def test_the_example_of_an_amount_has_the_digits_of_the_currency() -> None:
    with pytest.raises(Invalid, match='such as "1999"'):
        Money.parse("much", "JPY")
    with pytest.raises(Invalid, match=r'such as "1\.999"'):
        Money.parse("much", "KWD")


@pytest.mark.parametrize(("text", "currency"), [("1.5", "JPY"), ("19.999", "USD"), ("1.2345", "KWD"), ("1.0", "JPY")])
def test_more_digits_than_the_currency_has_are_refused(text: str, currency: str) -> None:
    with pytest.raises(Invalid):
        Money.parse(text, currency)


def test_an_amount_reaches_the_limit_nowhere() -> None:
    with pytest.raises(Invalid, match=r"must stay below 10000000000\.00"):
        Money.parse("10000000000.00", "USD")
    with pytest.raises(Invalid, match="must stay below"):
        Money.parse("-1000000000000", "JPY")


@pytest.mark.parametrize("amount", [19.99, 2, True, None, Decimal("19.99"), b"19.99"])
def test_only_text_is_read_as_an_amount(amount: Any) -> None:
    with pytest.raises(TypeError, match="written as a string"):
        Money.parse(amount, "USD")


@pytest.mark.parametrize("amount", [19.99, 1.0, True, "1", Decimal(1), None])
def test_money_is_made_of_whole_numbers_only(amount: Any) -> None:
    with pytest.raises(TypeError, match="whole minor units"):
        Money(amount, "USD")


@pytest.mark.parametrize("currency", ["usd", "XXX", "", "DOGE"])
def test_money_has_a_currency_that_exists(currency: str) -> None:
    with pytest.raises(ValueError, match="unknown currency"):
        Money(1, currency)
    with pytest.raises(ValueError, match="unknown currency"):
        Money.parse("1", currency)


def test_the_currencies_have_no_two_or_three_digits() -> None:
    assert {code: EXPONENTS[code] for code in ("JPY", "USD", "KWD")} == {"JPY": 0, "USD": 2, "KWD": 3}
    assert set(EXPONENTS.values()) == {0, 2, 3}
    assert all(len(code) == 3 and code.isupper() and code.isascii() for code in EXPONENTS)


def test_money_is_added_subtracted_negated_multiplied_and_compared() -> None:
    five, three = Money(5, "USD"), Money(3, "USD")
    assert five + three == Money(8, "USD")
    assert three - five == Money(-2, "USD") == -Money(2, "USD")
    assert five * 3 == Money(15, "USD")
    assert three < five
    assert three <= five
    assert five > three
    assert five >= five  # noqa: PLR0124 - equal amounts are what is tested
    assert bool(five)
    assert not Money.zero("USD")
    assert len({Money(5, "USD"), Money(5, "USD"), Money(5, "EUR")}) == 2


def test_two_currencies_never_meet() -> None:
    dollars, euros = Money(5, "USD"), Money(5, "EUR")
    assert dollars != euros
    meetings: list[Callable[[], object]] = [
        lambda: dollars + euros,
        lambda: dollars - euros,
        lambda: dollars < euros,
        lambda: dollars <= euros,
        lambda: dollars > euros,
        lambda: dollars >= euros,
        lambda: total([dollars, euros], "USD"),
        lambda: total([euros], "USD"),
    ]
    for meet in meetings:
        with pytest.raises(ValueError, match="can't mix"):
            meet()


@pytest.mark.parametrize("other", [1.5, 2, Decimal(1), "5", None])
def test_money_meets_nothing_but_money(other: Any) -> None:
    dollars = Money(5, "USD")
    meetings: list[Callable[[], object]] = [
        lambda: dollars + other,
        lambda: dollars - other,
        lambda: dollars < other,
        lambda: dollars >= other,
    ]
    for meet in meetings:
        with pytest.raises(TypeError, match="money goes with money"):
            meet()


@pytest.mark.parametrize("times", [1.5, 2.0, True, Decimal(2), "2"])
def test_money_is_multiplied_by_whole_numbers_only(times: Any) -> None:
    with pytest.raises(TypeError, match="whole numbers"):
        Money(5, "USD") * times


@pytest.mark.parametrize(
    ("minor", "rate", "amount"),
    [
        (1999, "10", 200),
        (50, "1", 1),
        (49, "1", 0),
        (-50, "1", -1),
        (10000, "8.875", 888),
        (100, "100", 100),
        (100, "0", 0),
        (3, "33.333333333333333333333333333333333333", 1),
        (10**11, "0.000000001", 1),
    ],
)
def test_a_percentage_is_exact_before_it_is_rounded_once(minor: int, rate: str, amount: int) -> None:
    assert Money(minor, "USD").percent(Decimal(rate)) == Money(amount, "USD")


@pytest.mark.parametrize("rate", [8.5, 8, True, "8"])
def test_a_percentage_is_a_decimal(rate: Any) -> None:
    with pytest.raises(TypeError, match="percentage"):
        Money(100, "USD").percent(rate)


def test_a_fraction_is_rounded_half_away_from_zero() -> None:
    assert Money(5, "USD").share(1, 2) == Money(3, "USD")
    assert Money(-5, "USD").share(1, 2) == Money(-3, "USD")
    assert Money(10, "USD").share(1, 3) == Money(3, "USD")


def test_the_sum_of_nothing_is_nothing() -> None:
    assert total([], "KWD") == Money.zero("KWD")
    assert total([Money(1, "USD"), Money(-4, "USD")], "USD") == Money(-3, "USD")


@pytest.mark.parametrize(
    ("whole", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (5, [3, 7], [2, 3]),  # 1.5 and 3.5: the tie goes to the earlier position
        (1, [1, 1], [1, 0]),
        (10, [0, 1, 0], [0, 10, 0]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (0, [0, 0], [0, 0]),
        (0, [], []),
        (7, [10**20, 10**20], [4, 3]),
    ],
)
def test_a_whole_is_divided_by_largest_remainder(whole: int, weights: list[int], parts: list[int]) -> None:
    assert allocate(whole, weights) == parts
    assert Money(whole, "USD").split(weights) == [Money(part, "USD") for part in parts]


@pytest.mark.parametrize(("whole", "weights"), [(1, []), (1, [0, 0]), (5, [2, -1]), (0, [-1, 1]), (-1, [0])])
def test_what_can_t_be_divided_is_an_error(whole: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="can't divide"):
        allocate(whole, weights)


@pytest.mark.parametrize("text", ["0", "8", "12.5", "12.50", "100", "100.00", "007"])
def test_a_percentage_is_read(text: str) -> None:
    assert parse_percent(text) == Decimal(text)


@pytest.mark.parametrize(
    "text", ["", "-1", "100.01", "101", "8.875", "1e1", "NaN", "5%", " 5", "5\n", "٥", ".5", "1000"]
)
def test_no_percentage_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_percent(text, field="discount_percent")
    message = 'must be a percentage from "0" to "100" with at most two decimals'
    assert refused.value.errors == (("discount_percent", message),)


def test_the_field_is_named_after_what_is_read_unless_it_is_named() -> None:
    with pytest.raises(Invalid) as no_amount:
        Money.parse("much", "USD")
    with pytest.raises(Invalid) as no_percentage:
        parse_percent("most")
    assert [field for field, _ in no_amount.value.errors + no_percentage.value.errors] == ["amount", "percent"]


@pytest.mark.parametrize("percent", [8, 8.5, Decimal(8), None])
def test_only_text_is_read_as_a_percentage(percent: Any) -> None:
    with pytest.raises(TypeError, match="written as a string"):
        parse_percent(percent)
