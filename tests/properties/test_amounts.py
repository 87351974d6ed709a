"""Amounts as people write them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storecore.errors import Invalid
from storecore.money import EXPONENTS, LIMIT, Money
from storecore.testing.strategies import money


@given(money())
def test_what_is_written_reads_back(amount: Money) -> None:
    assert Money.parse(str(amount), amount.currency) == amount


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_every_currency_reads_back(currency: str) -> None:
    for minor in (0, 1, 9, 10, 99, 100, 999, 1000, 1999, LIMIT - 1):
        for amount in (Money(minor, currency), Money(-minor, currency)):
            assert Money.parse(str(amount), currency) == amount
            whole, _, part = str(amount).lstrip("-").partition(".")
            assert (len(part), whole.isdigit()) == (EXPONENTS[currency], True)


@given(st.text(max_size=20) | st.from_regex(r"-?[0-9.,e+_ ]{0,18}", fullmatch=True))
def test_any_text_is_an_amount_or_is_refused(text: str) -> None:
    for currency in ("JPY", "USD", "KWD"):
        with suppress(Invalid):
            assert abs(Money.parse(text, currency).minor) < LIMIT


@given(money(currency="USD"), money(currency="USD"))
def test_money_adds_up_as_numbers_do(a: Money, b: Money) -> None:
    assert (a + b).minor == a.minor + b.minor
    assert a + b - b == a
    assert a + -a == Money.zero("USD")
    assert (a < b, a <= b, a > b, a >= b) == (
        a.minor < b.minor,
        a.minor <= b.minor,
        a.minor > b.minor,
        a.minor >= b.minor,
    )
