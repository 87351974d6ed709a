"""Exact money: whole minor units, one rounding rule, no floats.

The one rounding rule of the shop is *half away from zero*, said once in :func:`half_up`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from storecore.errors import Invalid

LIMIT = 10**12
"""Amounts that people give, and order totals, stay below this many minor units."""

_THREE = "BHD IQD JOD KWD LYD OMR TND"
_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
    COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR
    IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
    NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC
    SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"""
EXPONENTS = {code: digits for digits, codes in ((0, _ZERO), (2, _TWO), (3, _THREE)) for code in codes.split()}
"""Digits after the point for each currency (ISO 4217, list one)."""

_AMOUNT = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,3}))?")


def half_up(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` to the nearest whole number, halves away from zero."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded


def allocate(whole: int, weights: Sequence[int]) -> list[int]:
    """Divide a whole number in proportion to weights by largest remainder.

    The parts always sum to the whole; each lies within one unit of its exact share; ties go to the earlier
    position; a zero weight gets zero. Raises ``ValueError`` for a negative weight, or when something is to be
    divided and every weight is zero.
    """
    total = sum(weights)
    if any(weight < 0 for weight in weights) or (whole and not total):
        raise ValueError(f"can't divide {whole} by the weights {list(weights)}")
    if not whole:
        return [0] * len(weights)
    sign, size = (1, whole) if whole > 0 else (-1, -whole)
    parts = [size * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(size * weights[i] % total), i))
    for i in by_remainder[: size - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the currency's smallest unit: ``Money(1999, "USD")`` is $19.99.

    Raises ``TypeError`` for an amount that is not a whole number (floats and booleans above all),
    ``ValueError`` for an unknown currency and for arithmetic or comparison between two currencies, ``TypeError`` for
    arithmetic with anything but money.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"money is counted in whole minor units, not {self.minor!r}")
        if self.currency not in EXPONENTS:
            raise ValueError(f"unknown currency {self.currency!r}")

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Nothing, in a currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str, *, field: str = "amount") -> "Money":
        """Read what a person wrote: ``"19.99"``, ``"20"``; at most the currency's digits, below :data:`LIMIT`.

        Raises ``TypeError`` for anything but a string, ``Invalid`` (naming ``field``) for a string that is no amount.
        """
        if not isinstance(text, str):
            raise TypeError(f"an amount is written as a string, not {text!r}")
        digits = EXPONENTS[cls.zero(currency).currency]
        match = _AMOUNT.fullmatch(text)
        if not match:
            raise Invalid(errors=[(field, f'must be an amount such as "{cls(1999, currency)}"')])
        sign, whole, part = match[1], match[2], match[3] or ""
        if len(part) > digits:
            raise Invalid(errors=[(field, f"{currency} has {digits} digits after the point")])
        minor = int(whole + part.ljust(digits, "0"))
        if minor >= LIMIT:
            raise Invalid(errors=[(field, f"must stay below {Money(LIMIT, currency)}")])
        return cls(-minor if sign else minor, currency)

    def __str__(self) -> str:
        """The amount with exactly the currency's digits: ``"19.99"``, ``"1999"`` (JPY), ``"-0.05"``."""
        digits = EXPONENTS[self.currency]
        if not digits:
            return str(self.minor)
        text = str(abs(self.minor)).rjust(digits + 1, "0")
        return f"{'-' if self.minor < 0 else ''}{text[:-digits]}.{text[-digits:]}"

    def __bool__(self) -> bool:
        return self.minor != 0

    def _same(self, other: "Money") -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money goes with money, not with {other!r}")
        if self.currency != other.currency:
            raise ValueError(f"can't mix {self.currency} and {other.currency}")
        return other.minor

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, times: int) -> "Money":
        if type(times) is not int:
            raise TypeError(f"money is multiplied by whole numbers, not {times!r}")
        return Money(self.minor * times, self.currency)

    def share(self, numerator: int, denominator: int) -> "Money":
        """A fraction of the amount, rounded half away from zero."""
        return Money(half_up(self.minor * numerator, denominator), self.currency)

    def percent(self, rate: Decimal) -> "Money":
        """``rate`` per cent of the amount, rounded half away from zero."""
        if not isinstance(rate, Decimal):
            raise TypeError(f"a percentage is a Decimal, not {rate!r}")
        numerator, denominator = rate.as_integer_ratio()
        return self.share(numerator, 100 * denominator)

    def split(self, weights: Sequence[int]) -> list["Money"]:
        """Divide by largest remainder; the parts always sum to the whole, a zero weight gets zero."""
        return [Money(part, self.currency) for part in allocate(self.minor, weights)]


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum, also of nothing."""
    result = 0
    for amount in amounts:
        if amount.currency != currency:
            raise ValueError(f"can't mix {currency} and {amount.currency}")
        result += amount.minor
    return Money(result, currency)


def parse_percent(text: str, *, field: str = "percent") -> Decimal:
    """Read ``"12.5"``: 0 to 100 with at most two decimals. Raises ``Invalid`` naming ``field``."""
    if not isinstance(text, str):
        raise TypeError(f"a percentage is written as a string, not {text!r}")
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", text) or Decimal(text) > 100:
        raise Invalid(errors=[(field, 'must be a percentage from "0" to "100" with at most two decimals')])
    return Decimal(text)
