"""Everything that pricing takes: baskets, discounts, policies, tax tables, destinations."""

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from storecore.money import Money
from storecore.pricing import STANDARD, Basket, Destination, OrderDiscount, ShippingPolicy, TaxPolicy, TaxRate
from storecore.testing.strategies.amounts import minor_units, percents, rates

TAX_CLASSES = (STANDARD, "books", "food")
"""The tax classes that drawn baskets and tax tables speak of."""

PLACES = (("", ""), ("US", ""), ("US", "CA"), ("US", "NY"), ("TR", ""), ("DE", "Bayern"))
"""The (country, region) pairs that drawn tax tables and destinations speak of."""


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
def tax_tables(draw: DrawFn) -> tuple[TaxRate, ...]:
    """Up to six rates, each of a tax class in a place; no two of the same."""
    rows = st.tuples(st.sampled_from(TAX_CLASSES), st.sampled_from(PLACES))
    return tuple(
        TaxRate(rate=draw(rates()), tax_class=tax_class, country=country, region=region)
        for tax_class, (country, region) in draw(st.lists(rows, unique=True, max_size=6))
    )


def tax_policies(*, included: bool | None = None) -> SearchStrategy[TaxPolicy]:
    """A default rate and a table of others; with tax inside the prices or not, unless ``included`` says which."""
    return st.builds(
        TaxPolicy,
        default_rate=rates(),
        rates=tax_tables(),
        included=st.booleans() if included is None else st.just(included),
    )


def destinations() -> SearchStrategy[Destination]:
    """Somewhere that the drawn tax tables know, or may not."""
    return st.sampled_from(PLACES).map(lambda place: Destination(country=place[0], region=place[1]))
