"""Two server processes on one database, and many customers at once."""

import os
from collections import Counter

from tests.e2e.goods import order_of
from tests.e2e.processes import Shop, all_at_once, on_shelf, product


def test_fifty_buyers_of_ten_units_buy_exactly_ten(shop: Shop) -> None:
    thing, token = product(shop, stock=10), shop.token("customer")
    with shop.crowd(50, token) as clients:
        answers = all_at_once(50, lambda number: clients[number].post("/orders", json=order_of((thing, 1))))
    assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 40}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"out-of-stock"}
    assert on_shelf(shop, thing) == 0


def test_orders_for_two_products_in_opposite_order_never_fail_for_each_other(shop: Shop) -> None:
    one, two, token = product(shop, stock=100), product(shop, stock=100), shop.token("customer")
    orders = [order_of((one, 1), (two, 2)), order_of((two, 2), (one, 1))]
    with shop.crowd(40, token) as clients:
        answers = all_at_once(40, lambda number: clients[number].post("/orders", json=orders[number // 2 % 2]))
    assert Counter(answer.status_code for answer in answers) == {201: 40}
    assert (on_shelf(shop, one), on_shelf(shop, two)) == (60, 20)


def test_twenty_parallel_duplicates_make_oneorder_of(shop: Shop) -> None:
    thing, token = product(shop, stock=100), shop.token("customer")
    headers = {"Idempotency-Key": f"key-{os.urandom(8).hex()}"}
    with shop.crowd(20, token) as clients:
        answers = all_at_once(20, lambda i: clients[i].post("/orders", json=order_of((thing, 1)), headers=headers))
    assert Counter(answer.status_code for answer in answers) == {201: 20}
    assert len({answer.content for answer in answers}) == 1
    assert sum(answer.headers.get("Idempotent-Replayed") == "true" for answer in answers) == 19
    assert on_shelf(shop, thing) == 99


def test_an_order_that_is_paid_through_both_processes_at_once_is_paid_once(shop: Shop) -> None:
    thing, token = product(shop, stock=100), shop.token("customer")
    payment = {"provider": "demo", "token": "4242424242424242"}
    with shop.crowd(10, token) as clients:
        order = clients[0].post("/orders", json=order_of((thing, 1)) | {"payment": {"provider": "demo"}}).json()
        path = f"/orders/{order['id']}/payment"
        answers = all_at_once(10, lambda number: clients[number].post(path, json=payment))
        paid = clients[0].get(f"/orders/{order['id']}").json()
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 9}
    refused = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert refused <= {"payment-in-progress", "already-paid"}
    assert [entry["status"] for entry in paid["history"]] == ["pending", "confirmed"]
    assert paid["payment_status"] == "paid"
