"""Coupons and the limits of their use."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from storecore.catalog.coupon import Coupon
from storecore.errors import Contention, CouponExists, CouponNotApplicable, NotFound
from storecore.lists import FIRST_PAGE
from storecore.orders.model import Order
from storecore.ports import NewId, Storage, Unit
from storecore.testing.builders import NOW, ids, make_coupon, make_order, usd
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import Contract, Together, check_pages, overlap, rerun, seen, written


def issue(storage: Storage, new_id: NewId, *, orders: int = 0, **fields: Any) -> tuple[Coupon, list[Order]]:
    """A coupon, and orders that may use it, written."""
    coupon = make_coupon(new_id, **fields)
    (product,) = shelve(storage, new_id, {})
    placed = [make_order(new_id, [product]) for _ in range(orders)]
    with written(storage) as unit:
        unit.coupons.add(coupon)
        for order in placed:
            unit.orders.add(order)
    return coupon, placed


def _use(unit: Unit, *, coupon: Coupon, order: Order, user: str | None = None) -> None:
    unit.coupons.use(coupon, order_id=order.id, user=user or order.id)


class CouponsContract(Contract):
    """Codes are unique, and no limit is passed."""

    def test_every_field_of_a_coupon_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        here = timezone(timedelta(hours=2))
        coupons = [
            make_coupon(
                new_id,
                code="spring-26",
                percent=Decimal("12.5"),
                starts_at=NOW.astimezone(here),
                ends_at=NOW + timedelta(days=1),
                min_spend=usd(5000),
                max_uses=10,
                max_uses_per_user=1,
                is_active=False,
            ),
            make_coupon(new_id, amount=usd(10**12 - 1)),
        ]
        with written(storage) as unit:
            for coupon in coupons:
                unit.coupons.add(coupon)
        with seen(storage) as unit:
            for coupon in coupons:
                assert unit.coupons.get(coupon.id) == coupon
                assert unit.coupons.by_code(coupon.code) == coupon
            starts_at = unit.coupons.get(coupons[0].id).starts_at
        assert starts_at is not None
        assert starts_at.tzinfo is UTC

    def test_an_unknown_coupon_is_not_found(self, storage: Storage) -> None:
        with seen(storage) as unit:
            assert unit.coupons.by_code("NOTHING") is None
        with seen(storage) as unit, pytest.raises(NotFound):
            unit.coupons.get("no such id")

    def test_a_code_is_unique(self, storage: Storage) -> None:
        new_id = ids()
        first, second = make_coupon(new_id), make_coupon(new_id)
        with written(storage) as unit:
            unit.coupons.add(first)
            unit.coupons.add(second)
        with pytest.raises(CouponExists), written(storage) as unit:
            unit.coupons.add(make_coupon(new_id, code=first.code.lower()))
        with pytest.raises(CouponExists), written(storage) as unit:
            unit.coupons.save(second.changed(code=first.code))

    def test_a_code_that_was_given_up_is_free_again(self, storage: Storage) -> None:
        new_id = ids()
        coupon = make_coupon(new_id, code="OLD")
        with written(storage) as unit:
            unit.coupons.add(coupon)
            unit.coupons.save(coupon.changed(code="NEW"))
            unit.coupons.add(make_coupon(new_id, code="OLD"))
        with seen(storage) as unit:
            assert unit.coupons.by_code("NEW") == coupon.changed(code="NEW")

    def test_saving_writes_every_field_but_the_uses(self, storage: Storage) -> None:
        new_id = ids()
        coupon, (order,) = issue(storage, new_id, orders=1)
        changed = coupon.changed(percent=None, amount=usd(500), max_uses=7, min_spend=usd(1), is_active=False)
        with written(storage) as unit:
            unit.coupons.use(coupon, order_id=order.id, user="somebody")
        with written(storage) as unit:
            unit.coupons.save(replace(changed, uses=5))
        with seen(storage) as unit:
            assert unit.coupons.get(coupon.id) == replace(changed, uses=1)

    def test_saving_a_stale_coupon_is_contention(self, storage: Storage) -> None:
        coupon, _ = issue(storage, ids())
        with written(storage) as unit:
            unit.coupons.save(coupon.changed(max_uses=1))
        for stale in (coupon.changed(max_uses=2), coupon):
            with pytest.raises(Contention), written(storage) as unit:
                unit.coupons.save(stale)

    def test_coupons_are_listed_newest_first(self, storage: Storage) -> None:
        new_id = ids()
        coupons = [make_coupon(new_id, created_at=NOW + timedelta(hours=n // 2)) for n in range(6)]
        with written(storage) as unit:
            for coupon in coupons:
                unit.coupons.add(coupon)
        with seen(storage) as unit:
            check_pages(unit.coupons.page, coupons[::-1])

    def test_uses_are_counted_for_each_user(self, storage: Storage) -> None:
        coupon, orders = issue(storage, ids(), orders=3)
        for order, user in zip(orders, ("ada", "guest@example.com", "ada"), strict=True):
            with written(storage) as unit:
                unit.coupons.use(coupon, order_id=order.id, user=user)
        with seen(storage) as unit:
            assert unit.coupons.used_by(coupon.id, "ada") == 2
            assert unit.coupons.used_by(coupon.id, "guest@example.com") == 1
            assert unit.coupons.used_by(coupon.id, "nobody") == 0
            assert unit.coupons.get(coupon.id).uses == 3
            assert [each.uses for each in unit.coupons.page(FIRST_PAGE).items] == [3]
            by_code = unit.coupons.by_code(coupon.code)
        assert by_code is not None
        assert by_code.uses == 3

    def test_a_coupon_that_is_used_up_is_refused(self, storage: Storage) -> None:
        coupon, orders = issue(storage, ids(), orders=3, max_uses=2)
        for order in orders[:2]:
            with written(storage) as unit:
                unit.coupons.use(coupon, order_id=order.id, user=order.id)
        with pytest.raises(CouponNotApplicable), written(storage) as unit:
            unit.coupons.use(coupon, order_id=orders[2].id, user="ada")
        with seen(storage) as unit:
            assert unit.coupons.get(coupon.id).uses == 2
            assert unit.coupons.used_by(coupon.id, "ada") == 0

    def test_a_user_who_had_their_share_is_refused_and_others_are_not(self, storage: Storage) -> None:
        coupon, orders = issue(storage, ids(), orders=3, max_uses_per_user=1)
        with written(storage) as unit:
            unit.coupons.use(coupon, order_id=orders[0].id, user="ada")
        with pytest.raises(CouponNotApplicable), written(storage) as unit:
            unit.coupons.use(coupon, order_id=orders[1].id, user="ada")
        with written(storage) as unit:
            unit.coupons.use(coupon, order_id=orders[2].id, user="bob")
        with seen(storage) as unit:
            assert unit.coupons.get(coupon.id).uses == 2

    def test_a_use_that_is_rolled_back_does_not_count(self, storage: Storage) -> None:
        coupon, (order,) = issue(storage, ids(), orders=1, max_uses=1)
        with storage.writing(NOW, ids()) as unit:
            unit.coupons.use(coupon, order_id=order.id, user="ada")
        with written(storage) as unit:
            assert unit.coupons.get(coupon.id).uses == 0
            unit.coupons.use(coupon, order_id=order.id, user="ada")

    def test_a_use_is_given_back_once(self, storage: Storage) -> None:
        coupon, orders = issue(storage, ids(), orders=2, max_uses=2, max_uses_per_user=2)
        for order in orders:
            with written(storage) as unit:
                unit.coupons.use(coupon, order_id=order.id, user="ada")
        for _ in range(2):
            with written(storage) as unit:
                unit.coupons.give_back(orders[0].id)
        with seen(storage) as unit:
            assert unit.coupons.get(coupon.id).uses == 1
            assert unit.coupons.used_by(coupon.id, "ada") == 1
        with written(storage) as unit:
            unit.coupons.give_back("an order without a coupon")

    def test_two_units_that_both_want_the_last_use_use_it_once(self, storage: Storage) -> None:
        coupon, orders = issue(storage, ids(), orders=2, max_uses=1)
        bodies = [partial(_use, coupon=coupon, order=order) for order in orders]
        outcomes = overlap(storage, *bodies)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CouponNotApplicable", "NoneType"]

    def test_a_user_who_orders_twice_at_once_has_one_share(self, storage: Storage) -> None:
        coupon, orders = issue(storage, ids(), orders=2, max_uses_per_user=1)
        bodies = [partial(_use, coupon=coupon, order=order, user="ada") for order in orders]
        outcomes = overlap(storage, *bodies)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CouponNotApplicable", "NoneType"]

    def test_a_race_for_the_last_use_has_one_winner(self, storage: Storage) -> None:
        coupon, orders = issue(storage, ids(), orders=8, max_uses=1)
        bodies = [partial(_use, coupon=coupon, order=order) for order in orders]
        errors = Together(*[partial(rerun, storage, body) for body in bodies]).join().errors
        assert errors.count(None) == 1
        assert all(isinstance(error, CouponNotApplicable) for error in errors if error is not None), errors
        with seen(storage) as unit:
            assert unit.coupons.get(coupon.id).uses == 1
