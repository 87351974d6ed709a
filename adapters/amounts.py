"""Amounts as people read them, exact to the last digit that is given."""

from decimal import Decimal

from babel import Locale
from babel.numbers import get_currency_symbol, parse_pattern


def with_currency(amount: str, currency: str, locale: str = "en_US") -> str:
    """``"1234.50"``, ``"USD"`` becomes ``"$1,234.50"``; the digits after the point are those of ``amount``."""
    pattern: str = Locale.parse(locale).currency_formats["standard"].pattern
    if get_currency_symbol(currency, locale)[-1].isalpha():  # "CHF 5.00" but "$5.00", as CLDR spaces currencies
        pattern = pattern.replace("¤#", "¤\u00a0#")
    return _format(pattern, amount, locale, currency)


def plain(amount: str, locale: str = "en_US") -> str:
    """``"1234.50"`` becomes ``"1,234.50"``."""
    return _format(Locale.parse(locale).decimal_formats[None].pattern, amount, locale, None)


def _format(pattern_text: str, amount: str, locale: str, currency: str | None) -> str:
    pattern = parse_pattern(pattern_text)
    digits = len(amount.partition(".")[2])
    pattern.frac_prec = (digits, digits)  # babel's own digits differ from ISO 4217 for some currencies
    return str(pattern.apply(Decimal(amount), locale, currency=currency, currency_digits=False))
