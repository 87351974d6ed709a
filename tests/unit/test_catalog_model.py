"""Products, discounts, prior prices, names."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from storecore.catalog.model import (
    Category,
    Discount,
    PriceChange,
    Product,
    Rating,
    StockMove,
    fold,
    fold_name,
    prior_price,
    shortages,
    slugify,
)
from storecore.errors import Invalid, PreconditionFailed
from storecore.money import LIMIT, Money
from storecore.testing.builders import NOW, ids, make_category, make_move, make_product, usd

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def product(**changes: Any) -> Product:
    return make_product(ids(), **({"category_ids": ["c1"]} | changes))


def discount(percent: str = "25", starts: datetime = NOW, ends: datetime | None = NOW + DAY) -> Discount:
    return Discount(percent=Decimal(percent), starts_at=starts, ends_at=ends)


# Prices.


@pytest.mark.parametrize(
    ("price", "percent", "final"),
    [
        (20_00, "25", 15_00),
        (19_99, "10", 17_99),  # 17.991
        (19_95, "50", 9_98),  # 9.975
        (1, "50", 1),  # half a cent rounds up
        (1, "50.01", 0),
        (3, "33.33", 2),  # 2.0001
        (10_00, "100", 0),
        (10_00, "0.01", 10_00),  # 9.999
        (0, "50", 0),
        (LIMIT - 1, "99.99", 10**8),
    ],
)
def test_a_final_price_is_rounded_half_up(price: int, percent: str, final: int) -> None:
    assert product(price=usd(price), cost=usd(0), discount=discount(percent)).final_price(NOW) == usd(final)


def test_a_product_without_discount_costs_its_list_price() -> None:
    assert product().final_price(NOW) == usd(20_00)
    assert product().next_price_change(NOW) is None


def test_a_discount_runs_from_its_start_until_before_its_end() -> None:
    sale = product(discount=discount())
    prices = [sale.final_price(at).minor for at in (NOW - TICK, NOW, NOW + DAY - TICK, NOW + DAY)]
    assert prices == [20_00, 15_00, 15_00, 20_00]


def test_a_discount_without_end_runs_for_good() -> None:
    sale = product(discount=discount(ends=None))
    assert sale.final_price(NOW + 10_000 * DAY) == usd(15_00)
    assert sale.next_price_change(NOW - DAY) == NOW
    assert sale.next_price_change(NOW) is None


def test_the_next_price_change_is_the_next_edge_of_the_window() -> None:
    sale = product(discount=discount())
    changes = [sale.next_price_change(at) for at in (NOW - DAY, NOW - TICK, NOW, NOW + DAY - TICK, NOW + DAY)]
    assert changes == [NOW, NOW, NOW + DAY, NOW + DAY, None]


def test_the_price_really_changes_at_the_next_change_and_not_before() -> None:
    sale = product(discount=discount())
    at: datetime | None = NOW - DAY
    seen = []
    while at is not None:
        seen.append(sale.final_price(at).minor)
        after = sale.next_price_change(at)
        assert after is None or sale.final_price(after - TICK) == sale.final_price(at)
        at = after
    assert seen == [20_00, 15_00, 20_00]


def test_a_window_is_the_same_moment_in_every_time_zone() -> None:
    there = timezone(timedelta(hours=2))
    sale = product(discount=discount(starts=NOW.astimezone(there)))
    assert sale.final_price(NOW) == usd(15_00)
    assert sale.final_price(NOW - TICK) == usd(20_00)


@pytest.mark.parametrize("percent", ["0", "-5", "100.01", "12.345", "NaN", "Infinity"])
def test_a_discount_is_above_0_and_at_most_100_percent(percent: str) -> None:
    with pytest.raises(Invalid, match="discount_percent: must be above 0"):
        discount(percent)


@pytest.mark.parametrize("percent", [25, 12.5, "25", True])
def test_a_discount_is_a_decimal(percent: Any) -> None:
    with pytest.raises(TypeError, match="Decimal"):
        Discount(percent=percent, starts_at=NOW)


@pytest.mark.parametrize("ends", [NOW, NOW - TICK])
def test_a_discount_ends_after_it_starts(ends: datetime) -> None:
    with pytest.raises(Invalid, match="ends_at"):
        discount(ends=ends)


def test_a_product_goes_into_a_basket_at_the_price_of_the_moment() -> None:
    sale = product(discount=discount(), tax_class="books")
    basket = sale.basket(3, NOW)
    assert (basket.key, basket.quantity, basket.list_price, basket.final_price, basket.tax_class) == (
        sale.id,
        3,
        usd(20_00),
        usd(15_00),
        "books",
    )
    assert sale.basket(1, NOW - TICK, key="line").final_price == usd(20_00)


# The price before a discount.


def history(*rows: tuple[timedelta, int]) -> list[PriceChange]:
    return [
        PriceChange(product_id="p", at=NOW + offset, price=usd(99_00), final_price=usd(minor)) for offset, minor in rows
    ]


@pytest.mark.parametrize(
    ("rows", "prior"),
    [
        ([], None),
        ([(-10 * DAY, 20_00)], 20_00),
        ([(-400 * DAY, 20_00)], 20_00),
        ([(-20 * DAY, 20_00), (-10 * DAY, 15_00), (-5 * DAY, 25_00)], 15_00),
        ([(-400 * DAY, 5_00), (-40 * DAY, 20_00)], 20_00),
        ([(-40 * DAY, 5_00), (-20 * DAY, 20_00)], 5_00),
        ([(-60 * DAY, 5_00), (-30 * DAY, 20_00)], 20_00),
        ([(-60 * DAY, 5_00), (-30 * DAY + TICK, 20_00)], 5_00),
        ([(-10 * DAY, 20_00), (0 * DAY, 15_00)], 20_00),
        ([(-10 * DAY, 20_00), (-TICK, 18_00), (0 * DAY, 15_00)], 18_00),
        ([(-10 * DAY, 20_00), (DAY, 1_00)], 20_00),
        ([(0 * DAY, 20_00)], None),
        ([(-10 * DAY, 0)], 0),
    ],
    ids=[
        "no history",
        "one price within the window",
        "one price since long before",
        "the lowest of several",
        "a price that was over before the window does not count",
        "a price that reached into the window counts",
        "a price that ended as the window opened does not count",
        "a price that ended just inside the window counts",
        "the discount itself does not count",
        "a price of the last moment before counts",
        "what came later does not count",
        "on sale only since the discount",
        "it was free",
    ],
)
def test_the_prior_price_is_the_lowest_of_30_days(rows: list[tuple[timedelta, int]], prior: int | None) -> None:
    expected = None if prior is None else usd(prior)
    assert prior_price(history(*rows), discount()) == expected


# Names.


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Şahin", "sahin"),
        ("İSTANBUL", "istanbul"),
        ("istanbul", "istanbul"),
        ("ISPARTA", "isparta"),
        ("ısparta", "isparta"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("ẞ", "ss"),
        ("Ærø Łódź Đà Þór", "aero lodz da thor"),
        ("Ǿ", "o"),
        ("ｆｕｌｌ", "full"),
        ("Acme™ ℝ", "acmetm r"),
        ("ﬁnal ſ", "final s"),
        ("Юлия", "юлия"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("", ""),
    ],
)
def test_text_is_compared_without_case_and_accents(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ('Red "Wool" Hat', "red-wool-hat"),
        ("  --  ", ""),
        ("İnce Işık Şapka", "ince-isik-sapka"),
        ("Шапка", ""),
        ("Шапка 2", "2"),
        ("a/b?c#d%e", "a-b-c-d-e"),
        ("x" * 150, "x" * 100),
        ("x" * 99 + " yz", "x" * 99),
    ],
)
def test_a_slug_is_a_name_for_addresses(name: str, slug: str) -> None:
    assert slugify(name) == slug


def test_category_names_differ_in_more_than_case_and_space() -> None:
    assert fold_name(" Hats ") == fold_name("HATS") == fold_name("ｈａｔｓ")
    assert fold_name("Straße") == fold_name("STRASSE")
    assert fold_name("Hüte") != fold_name("Hute")
    assert fold_name("Hat s") != fold_name("Hats")


# Products check themselves.


@pytest.mark.parametrize("sku", ["", "-A", ".", "A B", "A\n", "Ä1", "a" * 65, "A,B"])
def test_a_sku_has_plain_letters_and_digits(sku: str) -> None:
    with pytest.raises(Invalid, match="sku"):
        product(sku=sku)


@pytest.mark.parametrize("sku", ["A", "a1", "7", "HAT-RED/M_2.0", "a" * 64])
def test_a_sku_may_have_some_signs(sku: str) -> None:
    assert product(sku=sku).sku == sku


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "n" * 201),
        ("description", "d" * 20_001),
        ("description", "\x00"),
        ("category_ids", ()),
        ("category_ids", tuple(str(number) for number in range(21))),
        ("price", usd(-1)),
        ("price", usd(LIMIT)),
        ("cost", usd(-1)),
        ("cost", usd(LIMIT)),
        ("images", tuple(f"/{number}" for number in range(21))),
        ("group", "g" * 101),
        ("tax_class", ""),
        ("attributes", {str(number): "x" for number in range(51)}),
        ("attributes", {"": "x"}),
        ("attributes", {"n" * 61: "x"}),
    ],
)
def test_a_bad_field_of_a_product_is_refused_by_its_name(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        product(**{field: value})
    assert [name for name, _ in refused.value.errors] == [field]


@pytest.mark.parametrize("value", ["", "v" * 501, "\x00"])
def test_a_bad_attribute_is_refused_by_its_name(value: str) -> None:
    with pytest.raises(Invalid, match=r"attributes\.colour"):
        product(attributes={"colour": value})


def test_an_attribute_is_named_once() -> None:
    with pytest.raises(Invalid, match="must not name one thing twice"):
        product(attributes={"size": "M", " size ": "L"})


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x/y", "x.png", "http://x/a b", "data:,x", "", "/\x00"])
def test_an_image_is_a_web_address(url: str) -> None:
    with pytest.raises(Invalid, match=r"images\.1"):
        product(images=("/ok.png", url))


def test_price_and_cost_are_in_one_currency() -> None:
    with pytest.raises(ValueError, match="one currency"):
        product(cost=Money(1, "EUR"))


def test_a_product_is_stored_clean() -> None:
    attributes = {"size": " M ", "colour": "red"}
    hat = product(name=" Hat ", category_ids=["b", "a", "b"], attributes=attributes, group=" ", description="")
    attributes["size"] = "L"
    assert (hat.name, hat.category_ids, hat.group) == ("Hat", ("b", "a"), None)
    assert list(hat.attributes.items()) == [("colour", "red"), ("size", "M")]
    with pytest.raises(TypeError):
        hat.attributes["size"] = "L"  # type: ignore[index] # that it is read-only is what is tested


def test_products_are_values() -> None:
    one, same = product(attributes={"a": "b"}), product(attributes={"a": "b"})
    assert (one, hash(one)) == (same, hash(same))


def test_a_changed_product_is_one_version_on() -> None:
    hat = product()
    later = hat.changed(NOW + DAY, name="Cap")
    assert (later.version, later.updated_at, later.created_at, later.name) == (2, NOW + DAY, NOW, "Cap")
    later.expect(2)
    later.expect(None)
    with pytest.raises(PreconditionFailed):
        later.expect(1)


@pytest.mark.parametrize(
    ("total", "count", "average"),
    [(0, 0, None), (5, 1, "5.00"), (33, 8, "4.13"), (7, 3, "2.33"), (8, 3, "2.67"), (9, 2, "4.50")],
)
def test_an_average_has_two_decimals(total: int, count: int, average: str | None) -> None:
    assert Rating(total=total, count=count).average == (None if average is None else Decimal(average))
    assert average is None or str(Rating(total=total, count=count).average) == average


def test_a_category_is_not_its_own_parent() -> None:
    assert make_category(ids(), name=" Hats ").name == "Hats"
    with pytest.raises(Invalid, match="parent_id"):
        Category(id="1", name="Hats", parent_id="1", created_at=NOW)
    changed = make_category(ids()).changed(name="Caps")
    changed.expect(2)
    with pytest.raises(PreconditionFailed):
        changed.expect(1)


@pytest.mark.parametrize("change", [10**9 + 1, -(10**9) - 1])
def test_stock_moves_within_bounds(change: int) -> None:
    with pytest.raises(Invalid, match="change"):
        make_move(ids(), "p", change)


@pytest.mark.parametrize("change", [1.5, True, "1"])
def test_stock_moves_by_whole_units(change: Any) -> None:
    with pytest.raises(TypeError, match="whole number"):
        make_move(ids(), "p", change)


def test_a_move_s_note_is_named_as_the_reason_that_people_give() -> None:
    move: StockMove = make_move(ids(), "p", -1, note=" broken\r\nin two ")
    assert move.note == "broken\nin two"
    with pytest.raises(Invalid, match="reason"):
        make_move(ids(), "p", -1, note="x" * 501)


def test_every_short_product_is_listed() -> None:
    assert shortages({"a": 2, "b": 1, "c": 5}, {"a": 2, "b": 0}) == [
        {"product_id": "b", "requested": 1, "available": 0},
        {"product_id": "c", "requested": 5, "available": 0},
    ]
    assert shortages({"a": 1}, {"a": 1}) == []


def test_now_is_aware() -> None:
    assert NOW.tzinfo is UTC
