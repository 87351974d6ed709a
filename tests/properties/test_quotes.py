"""What holds for every quote, whatever the basket, the coupons and the policies."""

from decimal import Decimal
from fractions import Fraction
from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from storecore.money import LIMIT, Money, half_up, total
from storecore.pricing import (
    NOWHERE,
    Basket,
    Destination,
    OrderDiscount,
    Quote,
    ShippingPolicy,
    TaxPolicy,
    TaxRate,
    price,
)
from storecore.testing.strategies import (
    baskets,
    destinations,
    order_discounts,
    percents,
    shipping_policies,
    tax_policies,
)

FREE = ShippingPolicy(fee=Money(0, "USD"))
UNTAXED = TaxPolicy(default_rate=Decimal(0))


@st.composite
def quotes(draw: st.DrawFn, *, most_discounts: int = 3) -> Quote:
    return price(
        draw(baskets()),
        currency="USD",
        shipping=draw(shipping_policies()),
        tax=draw(tax_policies()),
        discounts=draw(st.lists(order_discounts(), max_size=most_discounts)),
        where=draw(destinations()),
    )


def _sum(amounts: list[Money]) -> Money:
    return total(amounts, "USD")


@given(quotes())
def test_totals_are_sums_of_parts_and_nothing_else(quote: Quote) -> None:
    lines = quote.lines
    assert quote.subtotal == _sum([line.subtotal for line in lines])
    assert quote.discount == _sum([line.discount for line in lines])
    assert quote.tax == _sum([line.tax for line in lines]) + quote.shipping_tax
    added = Money(0, "USD") if quote.tax_included else quote.tax
    assert quote.total == quote.subtotal - quote.discount + quote.shipping + added
    fee_tax = Money(0, "USD") if quote.tax_included else quote.shipping_tax
    assert quote.total == _sum([line.total for line in lines]) + quote.shipping + fee_tax
    assert quote.goods == _sum([line.goods for line in lines])


@given(quotes())
def test_each_line_is_the_sum_of_its_parts(quote: Quote) -> None:
    for position, line in enumerate(quote.lines):
        assert line.subtotal == line.unit_price * line.quantity
        assert line.order_discount == _sum([applied.parts[position] for applied in quote.discounts])
        added = Money(0, "USD") if quote.tax_included else line.tax
        assert line.total == line.subtotal - line.product_discount - line.order_discount + added


@given(quotes())
def test_nothing_is_ever_negative_or_taken_twice(quote: Quote) -> None:
    for line in quote.lines:
        for amount in (line.subtotal, line.product_discount, line.order_discount, line.goods, line.tax, line.total):
            assert amount.minor >= 0
        assert line.tax <= line.goods
    for amount in (quote.subtotal, quote.discount, quote.goods, quote.shipping, quote.shipping_tax, quote.tax):
        assert amount.minor >= 0
    assert 0 <= quote.total.minor < LIMIT


@given(quotes())
def test_the_explanation_accounts_for_every_minor_unit(quote: Quote) -> None:
    steps = quote.explain()
    assert _sum([step.amount for step in steps if step.rule != "tax-included"]) == quote.total
    assert _sum([step.amount for step in steps if step.rule in ("tax", "tax-included")]) == quote.tax
    for line in quote.lines:
        mine = [step for step in steps if step.line == line.key and step.rule != "tax-included"]
        assert _sum([step.amount for step in mine]) == line.total
    assert any(step.rule == "tax-included" for step in steps) <= quote.tax_included


@given(quotes())
def test_tax_is_exactly_rounded_once_for_each_rate(quote: Quote) -> None:
    parts = [(line.tax_rate, line.goods.minor, line.tax.minor) for line in quote.lines]
    parts.append((quote.shipping_tax_rate, quote.shipping.minor, quote.shipping_tax.minor))
    for rate in {rate for rate, _, _ in parts}:
        base = sum(net for r, net, _ in parts if r == rate)
        tax = sum(amount for r, _, amount in parts if r == rate)
        exact = Fraction(rate) * base / (100 + Fraction(rate) if quote.tax_included else 100)
        assert tax == half_up(exact.numerator, exact.denominator)
        for _, net, amount in [part for part in parts if part[0] == rate and base]:
            assert abs(amount - Fraction(tax * net, base)) < 1


@given(quotes())
def test_each_coupon_takes_exactly_what_it_says_off_what_is_left(quote: Quote) -> None:
    left = [line.subtotal - line.product_discount for line in quote.lines]
    for applied in quote.discounts:
        assert _sum(list(applied.parts)) == applied.discount.of(_sum(left))
        assert all(Money(0, "USD") <= part <= net for part, net in zip(applied.parts, left, strict=True))
        left = [net - part for net, part in zip(left, applied.parts, strict=True)]
    assert left == [line.goods for line in quote.lines]


@given(baskets(least=1), tax_policies(), destinations())
def test_a_coupon_of_100_percent_makes_the_goods_free(items: list[Basket], tax: TaxPolicy, where: Destination) -> None:
    everything = OrderDiscount(source="coupon ALL", percent=Decimal(100))
    quote = _price(items, tax=tax, discounts=[everything], where=where)
    assert (quote.goods, quote.tax, quote.total) == (Money(0, "USD"),) * 3


@given(baskets(least=1), percents(), st.integers(0, 10**6))
def test_a_percentage_and_a_fixed_amount_work_together(items: list[Basket], percent: Decimal, minor: int) -> None:
    share = OrderDiscount(source="coupon SHARE", percent=percent)
    fixed = OrderDiscount(source="coupon FIXED", amount=Money(minor, "USD"))
    goods = sum(item.final_price.minor * item.quantity for item in items)
    quote = _price(items, discounts=[share, fixed])
    after_share = goods - half_up(goods * int(percent * 100), 10_000)
    assert quote.total.minor == max(0, after_share - minor)


@given(baskets(least=1), shipping_policies())
def test_shipping_is_the_fee_or_free_and_the_threshold_decides(items: list[Basket], shipping: ShippingPolicy) -> None:
    quote = _price(items, shipping=shipping)
    free = shipping.free_from is not None and quote.goods >= shipping.free_from
    assert quote.shipping == (Money(0, "USD") if free else shipping.fee)


@given(baskets(least=1), tax_policies(included=True), destinations())
def test_included_tax_changes_what_is_told_and_never_what_is_paid(
    items: list[Basket], tax: TaxPolicy, where: Destination
) -> None:
    assert _price(items, tax=tax, where=where).total == _price(items).total


@given(baskets(least=1), order_discounts(), shipping_policies(), tax_policies(), destinations())
@example(
    [Basket(key="k", quantity=1, list_price=Money(1, "USD"), final_price=Money(1, "USD"))],
    OrderDiscount(source="x", percent=Decimal(50)),
    FREE,
    UNTAXED,
    NOWHERE,
)
def test_the_same_basket_costs_the_same_again(
    items: list[Basket], discount: OrderDiscount, shipping: ShippingPolicy, tax: TaxPolicy, where: Destination
) -> None:
    first, again = (_price(items, discounts=[discount], shipping=shipping, tax=tax, where=where) for _ in range(2))
    assert (first, hash(first)) == (again, hash(again))


@given(st.data(), baskets(least=2), order_discounts(), shipping_policies(), tax_policies())
def test_the_order_of_the_lines_never_changes_the_total(
    data: st.DataObject, items: list[Basket], discount: OrderDiscount, shipping: ShippingPolicy, tax: TaxPolicy
) -> None:
    """One tax class, since a tie between classes may move a unit from one rate to the other."""
    plain = [
        Basket(key=item.key, quantity=item.quantity, list_price=item.list_price, final_price=item.final_price)
        for item in items
    ]
    shuffled = data.draw(st.permutations(plain))
    first = _price(plain, discounts=[discount], shipping=shipping, tax=tax)
    assert _price(shuffled, discounts=[discount], shipping=shipping, tax=tax).total == first.total


RATES = [Decimal(rate) for rate in ("0", "5", "8", "8.875", "20", "100")]


def _tax_alone(included: bool, first: Decimal, second: Decimal) -> TaxPolicy:
    return TaxPolicy(default_rate=first, rates=(TaxRate(rate=second, tax_class="other"),), included=included)


def _exact(net: int, rate: Decimal, included: bool) -> Fraction:
    return Fraction(rate) * net / (100 + Fraction(rate) if included else 100)


def _rounded(exact: Fraction) -> int:
    floor = exact.__floor__()
    return floor + (exact - floor >= Fraction(1, 2))


def _small(minor: int, tax_class: str) -> Basket:
    amount = Money(minor, "USD")
    return Basket(key=tax_class, quantity=1, list_price=amount, final_price=amount, tax_class=tax_class)


def test_every_small_amount_is_taxed_exactly() -> None:
    for included, rate, minor in product((False, True), RATES, range(61)):
        policy = _tax_alone(included, rate, rate)
        quote = price([_small(minor, "standard")], currency="USD", shipping=FREE, tax=policy)
        assert quote.tax.minor == _rounded(_exact(minor, rate, included)), (included, rate, minor)
        assert quote.total.minor == minor + (0 if included else quote.tax.minor)


def test_every_small_pair_of_lines_is_taxed_exactly() -> None:
    """Together when their rates are equal, apart when not."""
    for included, first, second in product((False, True), RATES, RATES):
        policy = _tax_alone(included, first, second)
        amounts = range(61) if first == second else range(0, 61, 6)  # what is apart was tested alone
        for a, b in product(amounts, amounts):
            quote = price([_small(a, "standard"), _small(b, "other")], currency="USD", shipping=FREE, tax=policy)
            taxes = [line.tax.minor for line in quote.lines]
            shares = [_exact(a, first, included), _exact(b, second, included)]
            if first == second:
                whole = _rounded(shares[0] + shares[1])
                assert sum(taxes) == whole, (included, first, a, b)
                assert not a + b or abs(taxes[0] - Fraction(whole * a, a + b)) <= Fraction(1, 2)
            else:
                assert taxes == [_rounded(share) for share in shares], (included, first, second, a, b)
            assert quote.tax.minor == sum(taxes)


def _price(
    items: list[Basket],
    *,
    tax: TaxPolicy = UNTAXED,
    shipping: ShippingPolicy = FREE,
    discounts: list[OrderDiscount] | None = None,
    where: Destination = NOWHERE,
) -> Quote:
    return price(items, currency="USD", shipping=shipping, tax=tax, discounts=discounts or [], where=where)
