"""Amounts of money, percentages, moments: what everything else is made of.

They are made once: making a strategy takes longer than drawing from it.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from storecore.money import EXPONENTS, LIMIT, Money
from storecore.ports import NewId
from storecore.testing.builders import NOW, ids


@cache
def new_ids() -> SearchStrategy[NewId]:
    """The maker of ids of everything that is drawn in one example: no two of them have the same."""
    return st.shared(st.builds(ids), key="storecore: ids of one example")


@cache
def moments(*, most: timedelta = timedelta(days=60)) -> SearchStrategy[datetime]:
    """A moment at most so long before or after :data:`~storecore.testing.builders.NOW`, often now itself."""
    return st.just(NOW) | st.timedeltas(-most, most).map(lambda later: NOW + later)


@cache
def currencies() -> SearchStrategy[str]:
    """A currency code, of any number of digits."""
    return st.sampled_from(("USD", "JPY", "KWD")) | st.sampled_from(sorted(EXPONENTS))


@cache
def minor_units(*, most: int = 10**7) -> SearchStrategy[int]:
    """An amount from nothing to ``most`` minor units."""
    return st.integers(0, min(20, most)) | st.integers(0, most)


@st.composite
def money(draw: DrawFn, *, currency: str | None = None, least: int = 1 - LIMIT, most: int = LIMIT - 1) -> Money:
    """Any amount that can be written down, negative ones too."""
    return Money(draw(st.integers(least, most)), currency or draw(currencies()))


@cache
def percents(*, least: int = 0, most: int = 100) -> SearchStrategy[Decimal]:
    """A percentage of at most two decimals, within bounds."""
    hundredths = st.integers(least * 100, most * 100).map(lambda n: Decimal(n).scaleb(-2))
    return st.sampled_from([Decimal(n) for n in (0, 5, 8, 10, 20, 50, 100) if least <= n <= most]) | hundredths


@cache
def rates() -> SearchStrategy[Decimal]:
    """A tax rate from 0 to 100 %; some have three decimals, as New York's 8.875 %."""
    return percents() | st.sampled_from((Decimal("8.875"), Decimal("0.001"), Decimal("99.999")))
