"""Coupons: what they take off, and when they apply."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from storecore.catalog.coupon import Coupon, normalise_code
from storecore.errors import CouponNotApplicable, Invalid, PreconditionFailed
from storecore.money import LIMIT, Money
from storecore.testing.builders import NOW, ids, make_coupon, usd

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


def coupon(**changes: Any) -> Coupon:
    return make_coupon(ids(), code="SAVE", **changes)


def check(coupon: Coupon, *, goods: int = 50_00, at: datetime = NOW, used: int = 0, uses: int | None = None) -> None:
    coupon.check(goods=usd(goods), at=at, used_by_caller=used, uses=uses)


@pytest.mark.parametrize(
    ("written", "code"), [(" save10 ", "SAVE10"), ("Save-10_x", "SAVE-10_X"), ("7", "7"), ("a" * 40, "A" * 40)]
)
def test_a_code_is_compared_in_capitals(written: str, code: str) -> None:
    assert normalise_code(written) == code
    assert normalise_code(code) == code


@pytest.mark.parametrize("code", ["", " ", "-A", "A B", "A%", "Ä", "a" * 41, "ß" * 40, "A\n", "A\u200b"])
def test_a_code_has_plain_letters_and_digits(code: str) -> None:
    with pytest.raises(Invalid, match="code"):
        normalise_code(code)


def test_a_coupon_takes_a_percentage_or_an_amount_off_the_order() -> None:
    share, fixed = coupon(percent=Decimal("12.5")).discount, coupon(amount=usd(5_00)).discount
    assert (share.source, share.percent, share.amount) == ("coupon SAVE", Decimal("12.5"), None)
    assert (fixed.source, fixed.percent, fixed.amount) == ("coupon SAVE", None, usd(5_00))
    assert (share.of(usd(10_00)), fixed.of(usd(10_00)), fixed.of(usd(3_00))) == (usd(1_25), usd(5_00), usd(3_00))


@pytest.mark.parametrize("both", [{"percent": Decimal(1), "amount": usd(1)}, {"percent": None}])
def test_a_coupon_is_one_of_the_two(both: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="either a percent or an amount"):
        coupon(**both)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("percent", Decimal(0)),
        ("percent", Decimal("100.01")),
        ("percent", Decimal("1.234")),
        ("percent", Decimal("NaN")),
        ("amount", usd(0)),
        ("amount", usd(-1)),
        ("amount", usd(LIMIT)),
        ("min_spend", usd(0)),
        ("min_spend", usd(LIMIT)),
        ("max_uses", 0),
        ("max_uses", 10**9 + 1),
        ("max_uses_per_user", 0),
    ],
)
def test_a_bad_field_of_a_coupon_is_refused_by_its_name(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        coupon(**{field: value})
    assert [name for name, _ in refused.value.errors] == [field]


@pytest.mark.parametrize(
    ("field", "value"), [("percent", 12.5), ("percent", 10), ("max_uses", True), ("max_uses", 1.0)]
)
def test_a_coupon_holds_neither_floats_nor_booleans(field: str, value: Any) -> None:
    with pytest.raises(TypeError):
        coupon(**{field: value})


def test_a_window_ends_after_it_starts() -> None:
    with pytest.raises(Invalid, match="ends_at"):
        coupon(starts_at=NOW, ends_at=NOW)


def test_a_coupon_is_valid_from_its_start_until_before_its_end() -> None:
    limited = coupon(starts_at=NOW, ends_at=NOW + DAY)
    check(limited, at=NOW)
    check(limited, at=NOW + DAY - TICK)
    with pytest.raises(CouponNotApplicable, match="SAVE is not valid yet"):
        check(limited, at=NOW - TICK)
    with pytest.raises(CouponNotApplicable, match="SAVE has expired"):
        check(limited, at=NOW + DAY)


def test_a_coupon_without_window_is_always_valid_until_it_is_switched_off() -> None:
    check(coupon(), at=NOW - 9999 * DAY)
    check(coupon(), at=NOW + 9999 * DAY)
    with pytest.raises(CouponNotApplicable):
        check(coupon(is_active=False))


def test_the_minimum_spend_is_reached_exactly() -> None:
    check(coupon(min_spend=usd(50_00)), goods=50_00)
    with pytest.raises(CouponNotApplicable, match=r"needs goods worth 50\.00 USD"):
        check(coupon(min_spend=usd(50_00)), goods=49_99)


def test_a_minimum_in_another_currency_is_never_compared() -> None:
    with pytest.raises(ValueError, match="can't mix"):
        check(coupon(min_spend=Money(1, "EUR")))


def test_all_uses_together_are_limited() -> None:
    check(coupon(max_uses=3, uses=2))
    check(coupon(max_uses=3, uses=3), uses=2)
    with pytest.raises(CouponNotApplicable, match="used up"):
        check(coupon(max_uses=3, uses=3))
    with pytest.raises(CouponNotApplicable, match="used up"):
        check(coupon(max_uses=3), uses=3)


def test_each_customer_s_uses_are_limited() -> None:
    check(coupon(max_uses_per_user=2), used=1)
    with pytest.raises(CouponNotApplicable, match="already used"):
        check(coupon(max_uses_per_user=2), used=2)


def test_a_changed_coupon_is_one_version_on() -> None:
    changed = coupon().changed(is_active=False)
    changed.expect(2)
    with pytest.raises(PreconditionFailed):
        changed.expect(1)
