"""Many customers and one coupon, at two server processes on one database."""

import os
from collections import Counter
from contextlib import ExitStack
from typing import Any

import httpx

from tests.e2e.goods import order_of
from tests.e2e.processes import Shop, all_at_once, on_shelf, product

CROWD = 20


def _coupon(shop: Shop, **terms: Any) -> str:
    """The code of a new coupon."""
    code = f"RACE-{os.urandom(4).hex().upper()}"
    with shop.visitor(0, shop.token("sales")) as sales:
        answer = sales.post("/coupons", json={"code": code, "percent": "10", **terms})
        assert answer.status_code == 201, answer.text
    return code


def _uses(shop: Shop, code: str) -> int:
    with shop.visitor(1, shop.token("sales")) as sales:
        return next(int(each["uses"]) for each in sales.get("/coupons").json()["items"] if each["code"] == code)


def _guests(shop: Shop, stack: ExitStack) -> list[httpx.Client]:
    """Guests, one after another of each process."""
    return [stack.enter_context(shop.visitor(number)) for number in range(CROWD)]


def _won(answers: list[httpx.Response], reason: str) -> list[httpx.Response]:
    """The orders, after checking that everybody else was told why not."""
    losers = [answer for answer in answers if answer.status_code != 201]
    for answer in losers:
        assert answer.headers["Content-Type"] == "application/problem+json"
        body = answer.json()
        assert (answer.status_code, body["code"], body["detail"]) == (409, "coupon-not-applicable", reason), body
    return [answer for answer in answers if answer.status_code == 201]


def test_a_coupon_for_one_order_gives_one_of_twenty_buyers_anorder_of(shop: Shop) -> None:
    thing, code = product(shop, stock=100), _coupon(shop, max_uses=1)
    with ExitStack() as stack:
        guests = _guests(shop, stack)
        orders = [order_of((thing, 1)) | {"coupon": code, "email": f"g{n}@example.com"} for n in range(CROWD)]
        answers = all_at_once(CROWD, lambda number: guests[number].post("/orders", json=orders[number]))
    assert len(_won(answers, f"The coupon {code} has been used up.")) == 1
    assert (on_shelf(shop, thing), _uses(shop, code)) == (99, 1)


def test_a_user_who_orders_twenty_times_at_once_uses_a_coupon_once(shop: Shop) -> None:
    thing, code, token = product(shop, stock=100), _coupon(shop, max_uses_per_user=1), shop.token("customer")
    order = order_of((thing, 2)) | {"coupon": code}
    with shop.crowd(CROWD, token) as clients:
        answers = all_at_once(CROWD, lambda number: clients[number].post("/orders", json=order))
    assert len(_won(answers, f"You have already used the coupon {code}.")) == 1
    assert (on_shelf(shop, thing), _uses(shop, code)) == (98, 1)


def test_an_order_that_is_cancelled_twenty_times_at_once_gives_its_coupon_back_once(shop: Shop) -> None:
    thing, code, token = product(shop, stock=100), _coupon(shop, max_uses=2), shop.token("customer")
    order = order_of((thing, 1)) | {"coupon": code}
    with shop.crowd(CROWD, token) as clients:
        first, _ = (clients[number].post("/orders", json=order).json()["id"] for number in range(2))
        assert _uses(shop, code) == 2
        answers = all_at_once(CROWD, lambda number: clients[number].post(f"/orders/{first}/cancel"))
        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: CROWD - 1}
        assert (on_shelf(shop, thing), _uses(shop, code)) == (99, 1)
        again = all_at_once(CROWD, lambda number: clients[number].post("/orders", json=order))
    assert len(_won(again, f"The coupon {code} has been used up.")) == 1
    assert (on_shelf(shop, thing), _uses(shop, code)) == (98, 2)
