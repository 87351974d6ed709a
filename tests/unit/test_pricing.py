"""Pricing, by examples worked out by hand: the six rules, in both tax modes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from storecore.errors import Invalid
from storecore.money import LIMIT, Money
from storecore.pricing import (
    NOWHERE,
    STANDARD,
    Basket,
    Destination,
    OrderDiscount,
    Quote,
    ShippingPolicy,
    TaxPolicy,
    TaxRate,
    goods_value,
    price,
)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def line(
    list_price: int,
    quantity: int = 1,
    *,
    final: int | None = None,
    tax_class: str = STANDARD,
    key: str = "line",
    currency: str = "USD",
) -> Basket:
    return Basket(
        key=key,
        quantity=quantity,
        list_price=Money(list_price, currency),
        final_price=Money(list_price if final is None else final, currency),
        tax_class=tax_class,
    )


FREE = ShippingPolicy(fee=usd(0))
TEN = ShippingPolicy(fee=usd(10_00), free_from=usd(100_00))
UNTAXED = TaxPolicy(default_rate=Decimal(0))
EIGHT = TaxPolicy(default_rate=Decimal(8))
VAT_20 = TaxPolicy(default_rate=Decimal(20), included=True)


def quote(
    *items: Basket,
    currency: str = "USD",
    shipping: ShippingPolicy = FREE,
    tax: TaxPolicy = UNTAXED,
    discounts: tuple[OrderDiscount, ...] = (),
    where: Destination = NOWHERE,
) -> Quote:
    return price(items, currency=currency, shipping=shipping, tax=tax, discounts=discounts, where=where)


def percent_off(percent: str) -> OrderDiscount:
    return OrderDiscount(source="coupon TEST", percent=Decimal(percent))


def amount_off(minor: int) -> OrderDiscount:
    return OrderDiscount(source="coupon TEST", amount=usd(minor))


def minors(*amounts: Money) -> tuple[int, ...]:
    return tuple(amount.minor for amount in amounts)


# Rules 1 and 2: subtotals and product discounts.


def test_a_subtotal_is_list_price_times_quantity() -> None:
    q = quote(line(19_99, 3), line(5_01, 2))
    assert minors(*(each.subtotal for each in q.lines)) == (59_97, 10_02)
    assert q.subtotal == q.total == usd(69_99)


def test_a_product_discount_is_the_difference_to_the_final_price_times_quantity() -> None:
    q = quote(line(20_00, 3, final=15_01))
    assert minors(q.subtotal, q.lines[0].product_discount, q.discount, q.goods, q.total) == (
        60_00,
        14_97,
        14_97,
        45_03,
        45_03,
    )


def test_a_discount_of_100_percent_is_free() -> None:
    q = quote(line(20_00, 3, final=0), tax=EIGHT)
    assert minors(q.subtotal, q.discount, q.tax, q.total) == (60_00, 60_00, 0, 0)


# Rule 3: order discounts.


def test_a_percent_coupon_is_rounded_once_and_split_by_largest_remainder() -> None:
    q = quote(line(3_33), line(3_33), line(3_34), discounts=(percent_off("15"),))
    # 15 % of 10.00 is 1.50: exact shares 49.95, 49.95 and 50.10; two cents are left for the first two.
    assert minors(*(each.order_discount for each in q.lines)) == (50, 50, 50)
    assert minors(q.discount, q.total) == (1_50, 8_50)


def test_ties_of_a_split_go_to_the_earlier_line() -> None:
    q = quote(line(1_00), line(1_00), line(1_00), discounts=(amount_off(1_00),))
    assert minors(*(each.order_discount for each in q.lines)) == (34, 33, 33)


def test_a_coupon_is_measured_on_what_remains_after_product_discounts() -> None:
    q = quote(line(100_00, final=50_00), line(50_00), discounts=(percent_off("10"),))
    assert minors(*(each.order_discount for each in q.lines)) == (5_00, 5_00)
    assert minors(*(each.product_discount for each in q.lines)) == (50_00, 0)
    assert minors(q.subtotal, q.discount, q.total) == (150_00, 60_00, 90_00)


def test_a_fixed_coupon_is_capped_at_the_goods() -> None:
    q = quote(line(7_50), discounts=(amount_off(20_00),), shipping=ShippingPolicy(fee=usd(10_00)), tax=EIGHT)
    assert minors(q.discount, q.goods, q.shipping, q.tax, q.total) == (7_50, 0, 10_00, 0, 10_00)


def test_a_coupon_without_effect_is_accepted() -> None:
    for discount in (percent_off("0"), amount_off(0)):
        q = quote(line(7_50), discounts=(discount,))
        assert minors(q.discount, q.total) == (0, 7_50)
        assert q.discounts[0].parts == (usd(0),)


def test_a_coupon_on_goods_that_are_free_already_takes_nothing() -> None:
    for discount in (percent_off("50"), amount_off(5_00)):
        q = quote(line(7_50, final=0), discounts=(discount,))
        assert minors(q.lines[0].order_discount, q.total) == (0, 0)


def test_a_line_that_costs_nothing_gets_nothing_of_a_discount() -> None:
    q = quote(line(10_00, final=0), line(10_00), line(0), discounts=(amount_off(1),))
    assert minors(*(each.order_discount for each in q.lines)) == (0, 1, 0)


def test_a_percentage_of_half_a_cent_rounds_up() -> None:
    assert quote(line(50), discounts=(percent_off("1"),)).discount == usd(1)
    assert quote(line(49), discounts=(percent_off("1"),)).discount == usd(0)


def test_several_discounts_apply_one_after_the_other() -> None:
    q = quote(line(100_00), discounts=(percent_off("10"), amount_off(5_00), percent_off("50")))
    assert [minors(*applied.parts) for applied in q.discounts] == [(10_00,), (5_00,), (42_50,)]
    assert minors(q.discount, q.total) == (57_50, 42_50)


def test_a_discount_is_either_a_percent_or_an_amount_and_never_negative() -> None:
    with pytest.raises(ValueError, match=r"^a discount is either a percent or an amount$"):
        OrderDiscount(source="x")
    with pytest.raises(ValueError, match=r"^a discount is either a percent or an amount$"):
        OrderDiscount(source="x", percent=Decimal(1), amount=usd(1))
    with pytest.raises(ValueError, match=r"can't be -0\.01"):
        amount_off(-1)
    for percent in ("-0.01", "100.01", "NaN", "Infinity"):
        with pytest.raises(ValueError, match="not within 0 and 100"):
            percent_off(percent)


@pytest.mark.parametrize("percent", [12.5, 10, True, "10"])
def test_a_percentage_is_a_decimal(percent: Any) -> None:
    with pytest.raises(TypeError, match="Decimal"):
        OrderDiscount(source="x", percent=percent)


def test_a_minimum_spend_is_measured_on_goods_after_product_discounts() -> None:
    assert goods_value([line(20_00, 2, final=15_00), line(5_00)], "USD") == usd(35_00)
    assert goods_value([], "USD") == usd(0)


# Rule 4: shipping.


@pytest.mark.parametrize(("goods", "fee"), [(99_99, 10_00), (100_00, 0), (100_01, 0), (1, 10_00), (0, 10_00)])
def test_shipping_is_free_from_the_threshold(goods: int, fee: int) -> None:
    assert quote(line(goods), shipping=TEN).shipping == usd(fee)


def test_shipping_looks_at_the_goods_after_discounts() -> None:
    assert quote(line(100_00), shipping=TEN, discounts=(amount_off(1),)).shipping == usd(10_00)
    assert quote(line(200_00, final=100_00), shipping=TEN).shipping == usd(0)
    assert quote(line(200_00, final=99_99), shipping=TEN).shipping == usd(10_00)


def test_shipping_without_a_threshold_always_costs() -> None:
    assert quote(line(10**9), shipping=ShippingPolicy(fee=usd(10_00))).shipping == usd(10_00)


def test_shipping_is_untaxed_unless_given_a_tax_class() -> None:
    q = quote(line(50_00), shipping=TEN, tax=EIGHT)
    assert minors(q.shipping, q.shipping_tax, q.tax, q.total) == (10_00, 0, 4_00, 64_00)
    assert q.shipping_tax_rate == 0
    taxed = ShippingPolicy(fee=usd(10_00), free_from=usd(100_00), tax_class=STANDARD)
    q = quote(line(50_00), shipping=taxed, tax=EIGHT)
    assert minors(q.shipping, q.shipping_tax, q.tax, q.total) == (10_00, 80, 4_80, 64_80)
    assert q.shipping_tax_rate == 8


def test_shipping_shares_a_rounding_with_goods_of_its_rate() -> None:
    # 8 % of 0.06 is 0.0048 and of 0.06 again: apart both round to 0.00, together 0.0096 rounds to 0.01.
    taxed = ShippingPolicy(fee=usd(6), tax_class=STANDARD)
    q = quote(line(6), shipping=taxed, tax=EIGHT)
    assert minors(q.lines[0].tax, q.shipping_tax, q.tax, q.total) == (1, 0, 1, 13)


def test_shipping_is_never_negative_and_speaks_one_currency() -> None:
    with pytest.raises(ValueError, match="shipping can't cost"):
        ShippingPolicy(fee=usd(-1))
    with pytest.raises(ValueError, match="the threshold is in EUR"):
        ShippingPolicy(fee=usd(1), free_from=Money(1, "EUR"))


# Rule 5: tax.


def test_tax_is_added_to_the_net() -> None:
    q = quote(line(19_99, 3), shipping=TEN, tax=EIGHT)
    # 8 % of 59.97 is 4.7976.
    assert minors(q.subtotal, q.shipping, q.tax, q.total) == (59_97, 10_00, 4_80, 74_77)
    assert q.lines[0].total == usd(64_77)


def test_tax_is_computed_after_every_discount() -> None:
    q = quote(line(100_00, final=80_00), tax=EIGHT, discounts=(percent_off("25"),))
    assert minors(q.goods, q.tax, q.total) == (60_00, 4_80, 64_80)


def test_tax_is_rounded_once_for_each_rate_and_not_line_by_line() -> None:
    # Alone each 0.06 owes 0.0048; three of them owe 0.0144, a cent, which the first line bears.
    q = quote(line(6), line(6), line(6), tax=EIGHT)
    assert minors(*(each.tax for each in q.lines)) == (1, 0, 0)
    assert q.tax == usd(1)


def test_included_tax_is_extracted_and_changes_no_price() -> None:
    q = quote(line(12_00), line(5_99), shipping=TEN, tax=VAT_20)
    # 17.99 * 20 / 120 = 2.9983: shares 2.00 and 1.00 of 3.00, exactly 2.0011 and 0.9989.
    assert minors(*(each.tax for each in q.lines)) == (2_00, 1_00)
    assert minors(q.subtotal, q.shipping, q.tax, q.total) == (17_99, 10_00, 3_00, 27_99)
    assert minors(*(each.total for each in q.lines)) == (12_00, 5_99)
    assert q.tax_included


def test_included_tax_of_a_taxed_fee_is_extracted_too() -> None:
    q = quote(line(12_00), shipping=ShippingPolicy(fee=usd(6_00), tax_class=STANDARD), tax=VAT_20)
    assert minors(q.lines[0].tax, q.shipping_tax, q.tax, q.total) == (2_00, 1_00, 3_00, 18_00)


def test_each_tax_class_has_its_rate_and_its_rounding() -> None:
    tax = TaxPolicy(
        default_rate=Decimal(20),
        rates=(TaxRate(rate=Decimal(5), tax_class="books"), TaxRate(rate=Decimal(0), tax_class="food")),
    )
    q = quote(line(10_10), line(9_90, tax_class="books"), line(3_33, tax_class="food"), line(10), tax=tax)
    # Standard: 20 % of 10.20 is 2.04, of which 2.02 and 0.02. Books: 5 % of 9.90 is 0.495.
    assert minors(*(each.tax for each in q.lines)) == (2_02, 50, 0, 2)
    assert [each.tax_rate for each in q.lines] == [Decimal(20), Decimal(5), Decimal(0), Decimal(20)]
    assert minors(q.tax, q.total) == (2_54, 25_97)


def test_equal_rates_of_different_classes_are_one_group() -> None:
    tax = TaxPolicy(default_rate=Decimal(8), rates=(TaxRate(rate=Decimal("8.00"), tax_class="books"),))
    q = quote(line(6), line(6, tax_class="books"), tax=tax)
    assert minors(*(each.tax for each in q.lines)) == (1, 0)


def table() -> TaxPolicy:
    return TaxPolicy(
        default_rate=Decimal(8),
        rates=(
            TaxRate(rate=Decimal(1)),
            TaxRate(rate=Decimal(2), country="us"),
            TaxRate(rate=Decimal("8.875"), country="US", region="NY"),
            TaxRate(rate=Decimal(7), tax_class="books", country="DE"),
        ),
    )


@pytest.mark.parametrize(
    ("tax_class", "country", "region", "rate"),
    [
        (STANDARD, "US", "NY", "8.875"),
        (STANDARD, "us", "ny", "8.875"),
        (STANDARD, "US", "CA", "2"),
        (STANDARD, "US", "", "2"),
        (STANDARD, "TR", "", "1"),
        (STANDARD, "TR", "NY", "1"),
        (STANDARD, "", "", "1"),
        ("books", "DE", "Bayern", "7"),
        ("books", "US", "NY", "8"),
        ("toys", "US", "NY", "8"),
    ],
)
def test_the_most_exact_row_of_the_tax_table_wins(tax_class: str, country: str, region: str, rate: str) -> None:
    assert table().rate(tax_class, Destination(country=country, region=region)) == Decimal(rate)


def test_shipping_is_taxed_by_its_own_class_and_lines_keep_theirs() -> None:
    post = ShippingPolicy(fee=usd(10_00), tax_class="books")
    q = quote(line(100_00, tax_class="toys"), shipping=post, tax=table(), where=Destination(country="DE"))
    assert (q.shipping_tax_rate, q.shipping_tax, q.lines[0].tax_class) == (Decimal(7), usd(70), "toys")


def test_a_rate_may_be_a_hundred_percent() -> None:
    assert quote(line(5), tax=TaxPolicy(default_rate=Decimal(100))).total == usd(10)
    assert quote(line(5), discounts=(percent_off("100"),)).total == usd(0)


def test_goods_are_taxed_where_they_go() -> None:
    new_york, turkey = Destination(country="US", region="NY"), Destination(country="TR")
    assert quote(line(100_00), tax=table(), where=new_york).tax == usd(8_88)  # 8.875
    assert quote(line(100_00), tax=table(), where=turkey).tax == usd(1_00)


def test_a_tax_table_contradicts_itself_nowhere() -> None:
    with pytest.raises(ValueError, match=r"^two rows of the tax table are for the same class and place$"):
        TaxPolicy(default_rate=Decimal(8), rates=(*table().rates, TaxRate(rate=Decimal(3), country="Us")))
    with pytest.raises(ValueError, match="no country"):
        TaxRate(rate=Decimal(3), region="NY")


@pytest.mark.parametrize("rate", ["-0.1", "100.1", "NaN", "sNaN", "Infinity"])
def test_a_tax_rate_is_from_0_to_100(rate: str) -> None:
    with pytest.raises(ValueError, match="not within 0 and 100"):
        TaxPolicy(default_rate=Decimal(rate))
    with pytest.raises(ValueError, match="not within 0 and 100"):
        TaxRate(rate=Decimal(rate))


@pytest.mark.parametrize("rate", [8, 8.0, "8", True])
def test_a_tax_rate_is_a_decimal(rate: Any) -> None:
    with pytest.raises(TypeError, match="Decimal"):
        TaxPolicy(default_rate=rate)


def test_a_tax_policy_is_a_value() -> None:
    assert (table() == table(), hash(table()) == hash(table())) == (True, True)
    assert table() != TaxPolicy(default_rate=Decimal(8))


def test_changing_the_list_a_tax_table_was_made_of_changes_nothing() -> None:
    rows: Any = [TaxRate(rate=Decimal(5))]
    policy = TaxPolicy(default_rate=Decimal(8), rates=rows)
    rows.clear()
    assert policy.rates == (TaxRate(rate=Decimal(5)),)


# Rule 6: totals, and the explanation.


def test_an_empty_basket_costs_nothing_shipping_included() -> None:
    q = quote(shipping=TEN, tax=EIGHT, discounts=(amount_off(5_00),))
    assert minors(q.subtotal, q.discount, q.shipping, q.tax, q.total) == (0, 0, 0, 0, 0)
    assert q.lines == ()


def test_everything_at_once_by_hand() -> None:
    tax = TaxPolicy(default_rate=Decimal(8), rates=(TaxRate(rate=Decimal(5), tax_class="books"),))
    q = quote(
        line(19_99, 2, final=14_99, key="hat"),
        line(8_50, key="book", tax_class="books"),
        shipping=ShippingPolicy(fee=usd(10_00), free_from=usd(100_00), tax_class=STANDARD),
        discounts=(percent_off("10"),),
        tax=tax,
    )
    # 29.98 + 8.50 = 38.48; 10 % is 3.848, so 3.85: shares 2.9996 and 0.8504, 3.00 and 0.85.
    # Standard: 8 % of 26.98 + 10.00 is 2.9584, so 2.96: 2.1595 and 0.8004. Books: 5 % of 7.65 is 0.3825.
    hat, book = q.lines
    assert minors(hat.subtotal, hat.product_discount, hat.order_discount, hat.tax, hat.total) == (
        39_98,
        10_00,
        3_00,
        2_16,
        29_14,
    )
    assert minors(book.subtotal, book.product_discount, book.order_discount, book.tax, book.total) == (
        8_50,
        0,
        85,
        38,
        8_03,
    )
    assert minors(q.subtotal, q.discount, q.shipping, q.shipping_tax, q.tax, q.total) == (
        48_48,
        13_85,
        10_00,
        80,
        3_34,
        47_97,
    )
    assert [(step.line, step.rule, step.base.minor, step.rate, step.amount.minor) for step in q.explain()] == [
        ("hat", "subtotal", 19_99, 2, 39_98),
        ("hat", "product-discount", 39_98, None, -10_00),
        ("hat", "coupon TEST", 29_98, 10, -3_00),
        ("hat", "tax", 26_98, 8, 2_16),
        ("book", "subtotal", 8_50, 1, 8_50),
        ("book", "coupon TEST", 8_50, 10, -85),
        ("book", "tax", 7_65, 5, 38),
        (None, "shipping", 34_63, None, 10_00),
        (None, "tax", 10_00, 8, 80),
    ]


def test_included_tax_is_explained_as_part_of_the_prices() -> None:
    steps = quote(line(12_00), shipping=TEN, tax=VAT_20).explain()
    assert [(step.rule, step.amount.minor) for step in steps] == [
        ("subtotal", 12_00),
        ("tax-included", 2_00),
        ("shipping", 10_00),
    ]


def test_each_of_several_discounts_is_explained_by_what_the_others_left() -> None:
    q = quote(line(100_00), line(0), discounts=(percent_off("10"), amount_off(0), amount_off(5_00), percent_off("50")))
    assert [(step.base.minor, step.rate, step.amount.minor) for step in q.explain() if step.rule == "coupon TEST"] == [
        (100_00, 10, -10_00),
        (90_00, None, -5_00),
        (85_00, 50, -42_50),
    ]


def test_yen_have_no_cents() -> None:
    shipping = ShippingPolicy(fee=Money(500, "JPY"), free_from=Money(10_000, "JPY"))
    q = quote(line(1999, 3, currency="JPY"), currency="JPY", shipping=shipping, tax=EIGHT)
    # 8 % of 5,997 is 479.76.
    assert (str(q.subtotal), str(q.shipping), str(q.tax), str(q.total)) == ("5997", "500", "480", "6977")


def test_dinars_have_a_thousand_parts() -> None:
    shipping = ShippingPolicy(fee=Money(1_500, "KWD"))
    q = quote(line(19_995, 3, currency="KWD"), currency="KWD", shipping=shipping, tax=EIGHT)
    # 8 % of 59.985 is 4.7988.
    assert (str(q.subtotal), str(q.shipping), str(q.tax), str(q.total)) == ("59.985", "1.500", "4.799", "66.284")
    assert q.currency == "KWD"


def test_currencies_never_mix() -> None:
    mixtures: list[Callable[[], Quote]] = [
        lambda: quote(line(1, currency="EUR")),
        lambda: quote(line(1), shipping=ShippingPolicy(fee=Money(1, "EUR"))),
        lambda: quote(line(1), discounts=(OrderDiscount(source="x", amount=Money(1, "EUR")),)),
        lambda: quote(Basket(key="k", quantity=1, list_price=usd(2), final_price=Money(1, "EUR"))),
    ]
    for mixed in mixtures:
        with pytest.raises(ValueError, match="can't mix"):
            mixed()


def test_a_total_stays_below_the_limit() -> None:
    assert quote(line(LIMIT - 1)).total == usd(LIMIT - 1)
    for basket, tax in ((line(LIMIT // 2, 2), UNTAXED), (line(LIMIT - 1), EIGHT)):
        with pytest.raises(Invalid) as refused:
            quote(basket, tax=tax)
        assert refused.value.errors == (("items", "together must stay below 10000000000.00 USD"),)


def test_a_subtotal_stays_below_the_limit_whatever_is_taken_off_it() -> None:
    with pytest.raises(Invalid):
        quote(line(LIMIT - 1, 2, final=0))


@pytest.mark.parametrize("quantity", [0, -1, 1.0, True, "1"])
def test_a_quantity_is_a_whole_number_from_1(quantity: Any) -> None:
    with pytest.raises(ValueError, match="whole number from 1"):
        line(1, quantity)


@pytest.mark.parametrize("final", [-1, 101])
def test_a_final_price_is_within_nothing_and_the_list_price(final: int) -> None:
    with pytest.raises(ValueError, match="not within"):
        line(100, final=final)
