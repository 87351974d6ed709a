"""Hypothesis strategies for everything that pricing takes: use them to prove your own policies, or an adapter.

They draw small, awkward values more often than large ones: zeros, ties, one minor unit, 100 %.
"""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from storecore.accounts.model import Address
from storecore.money import EXPONENTS, LIMIT, Money
from storecore.pricing import STANDARD, Basket, Destination, OrderDiscount, ShippingPolicy, TaxPolicy, TaxRate

TAX_CLASSES = (STANDARD, "books", "food")
"""The tax classes that drawn baskets and tax tables speak of."""

PLACES = (("", ""), ("US", ""), ("US", "CA"), ("US", "NY"), ("TR", ""), ("DE", "Bayern"))
"""The (country, region) pairs that drawn tax tables and destinations speak of."""


def currencies() -> SearchStrategy[str]:
    """A currency code, of any number of digits."""
    return st.sampled_from(("USD", "JPY", "KWD")) | st.sampled_from(sorted(EXPONENTS))


def minor_units(*, most: int = 10**7) -> SearchStrategy[int]:
    """An amount from nothing to ``most`` minor units."""
    return st.integers(0, min(20, most)) | st.integers(0, most)


@st.composite
def money(draw: DrawFn, *, currency: str | None = None, least: int = 1 - LIMIT, most: int = LIMIT - 1) -> Money:
    """Any amount that can be written down, negative ones too."""
    return Money(draw(st.integers(least, most)), currency or draw(currencies()))


def percents(*, least: int = 0, most: int = 100) -> SearchStrategy[Decimal]:
    """A percentage of at most two decimals, within bounds."""
    hundredths = st.integers(least * 100, most * 100).map(lambda n: Decimal(n).scaleb(-2))
    return st.sampled_from([Decimal(n) for n in (0, 5, 8, 10, 20, 50, 100) if least <= n <= most]) | hundredths


def rates() -> SearchStrategy[Decimal]:
    """A tax rate from 0 to 100 %; some have three decimals, as New York's 8.875 %."""
    return percents() | st.sampled_from((Decimal("8.875"), Decimal("0.001"), Decimal("99.999")))


@st.composite
def baskets(draw: DrawFn, *, currency: str = "USD", least: int = 0, most: int = 6) -> list[Basket]:
    """The lines of an order, between ``least`` and ``most`` of them; their keys are ``line-0``, ``line-1``, ..."""
    lines = []
    for position in range(draw(st.integers(least, most))):
        list_price = draw(minor_units())
        final_price = draw(st.just(list_price) | st.integers(0, list_price))
        lines.append(
            Basket(
                key=f"line-{position}",
                quantity=draw(st.integers(1, 3) | st.integers(1, 999)),
                list_price=Money(list_price, currency),
                final_price=Money(final_price, currency),
                tax_class=draw(st.sampled_from(TAX_CLASSES)),
            )
        )
    return lines


@st.composite
def order_discounts(draw: DrawFn, *, currency: str = "USD") -> OrderDiscount:
    """A percentage or a fixed amount off the whole order, one without effect included."""
    if draw(st.booleans()):
        return OrderDiscount(source="coupon TEST", percent=draw(percents()))
    return OrderDiscount(source="coupon TEST", amount=Money(draw(minor_units()), currency))


@st.composite
def shipping_policies(draw: DrawFn, *, currency: str = "USD") -> ShippingPolicy:
    """A fee, perhaps nothing, perhaps free from a threshold, perhaps taxed."""
    return ShippingPolicy(
        fee=Money(draw(minor_units(most=10_000)), currency),
        free_from=draw(st.none() | minor_units().map(lambda minor: Money(minor, currency))),
        tax_class=draw(st.none() | st.sampled_from(TAX_CLASSES)),
    )


@st.composite
def tax_policies(draw: DrawFn, *, included: bool | None = None) -> TaxPolicy:
    """A default rate and a table of others; in both modes unless ``included`` says which."""
    rows = st.tuples(st.sampled_from(TAX_CLASSES), st.sampled_from(PLACES))
    table = tuple(
        TaxRate(rate=draw(rates()), tax_class=tax_class, country=country, region=region)
        for tax_class, (country, region) in draw(st.lists(rows, unique=True, max_size=6))
    )
    return TaxPolicy(
        default_rate=draw(rates()),
        rates=table,
        included=draw(st.booleans()) if included is None else included,
    )


def destinations() -> SearchStrategy[Destination]:
    """Somewhere that the drawn tax tables know, or may not."""
    return st.sampled_from(PLACES).map(lambda place: Destination(country=place[0], region=place[1]))


def names(*, most: int = 60) -> SearchStrategy[str]:
    """What people are called, in any script, neither empty nor with space around it."""
    letters = st.text(st.characters(categories=["L", "Nd", "Zs", "Pd"]), min_size=1, max_size=most)
    real = st.sampled_from(("Ayşe Yılmaz", "İpek Işık", "Юлия Щукина", "Zoë O'Brien-Smith", "山田 太郎"))
    return real | letters.map(str.strip).filter(lambda name: name.isprintable() and bool(name))


@st.composite
def addresses(draw: DrawFn) -> Address:
    """Where goods can go."""
    country, region = draw(st.sampled_from([place for place in PLACES if place[0]]))
    return Address(
        recipient=draw(names()),
        line1=draw(names()),
        line2=draw(st.none() | names()),
        city=draw(names()),
        region=region or draw(st.none() | names(most=20)),
        postal_code=draw(st.from_regex(r"[0-9]{5}", fullmatch=True)),
        country=country,
    )
