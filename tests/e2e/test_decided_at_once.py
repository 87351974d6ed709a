"""Refunds, reviews and conversations at two server processes: whatever is decided at once is decided once."""

from collections import Counter
from typing import Any

import pytest

from tests.e2e.goods import order_of
from tests.e2e.processes import Shop, all_at_once, on_shelf, product

TEN = 10


@pytest.fixture
def delivered(shop: Shop) -> dict[str, Any]:
    """An order of three units that the demo customer has."""
    thing, token = product(shop, stock=10), shop.token("customer")
    with shop.visitor(0, token) as customer, shop.visitor(1, shop.token("vendor")) as vendor:
        answer = customer.post("/orders", json=order_of((thing, 3)))
        assert answer.status_code == 201, answer.text
        for status in ("confirmed", "processing", "shipped", "delivered"):
            answer = vendor.patch(f"/orders/{answer.json()['id']}/status", json={"status": status})
            assert answer.status_code == 200, answer.text
    order: dict[str, Any] = answer.json()
    return order


def _asked(shop: Shop, order: dict[str, Any], units: int) -> str:
    """The address of a refund that the customer has asked for."""
    request = {"items": [{"line_id": order["lines"][0]["id"], "quantity": units}], "reason": "Too small"}
    with shop.visitor(0, shop.token("customer")) as customer:
        answer = customer.post(f"/orders/{order['id']}/refunds", json=request)
    assert answer.status_code == 201, answer.text
    return f"/refunds/{answer.json()['id']}"


def test_ten_approvals_of_a_refund_at_once_have_one_effect(shop: Shop, delivered: dict[str, Any]) -> None:
    refund = _asked(shop, delivered, 2)
    with shop.crowd(TEN, shop.token("sales")) as sales:
        answers = all_at_once(TEN, lambda i: sales[i].post(f"{refund}/approve", json={"expect_return": False}))
        order = sales[0].get(f"/orders/{delivered['id']}").json()
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: TEN - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already-decided"}
    (approved,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert (order["refunded"], order["payment_status"]) == (approved["amount"], "partly_refunded")


def test_goods_that_are_received_ten_times_at_once_are_put_back_once(shop: Shop, delivered: dict[str, Any]) -> None:
    refund, thing = _asked(shop, delivered, 3), delivered["lines"][0]["product_id"]
    with shop.visitor(0, shop.token("sales")) as sales:
        assert sales.post(f"{refund}/approve").status_code == 200
    with shop.crowd(TEN, shop.token("manager")) as keepers:
        answers = all_at_once(TEN, lambda i: keepers[i].post(f"{refund}/receive", json={"disposition": "restock"}))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: TEN - 1}
    assert on_shelf(shop, thing) == 10


def test_requests_at_once_never_ask_for_more_units_than_there_are(shop: Shop, delivered: dict[str, Any]) -> None:
    request = {"items": [{"line_id": delivered["lines"][0]["id"], "quantity": 2}], "reason": "Too small"}
    with shop.crowd(TEN, shop.token("customer")) as clients:
        path = f"/orders/{delivered['id']}/refunds"
        answers = all_at_once(TEN, lambda i: clients[i].post(path, json=request))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: TEN - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"not-returnable"}


def test_a_review_that_is_written_ten_times_at_once_is_one(shop: Shop, delivered: dict[str, Any]) -> None:
    thing = delivered["lines"][0]["product_id"]
    with shop.crowd(TEN, shop.token("customer")) as clients:
        answers = all_at_once(TEN, lambda i: clients[i].post(f"/products/{thing}/reviews", json={"rating": 4}))
        rating = clients[0].get(f"/products/{thing}").json()["rating"]
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: TEN - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"duplicate-review"}
    assert rating == {"average": 4.0, "count": 1}


def test_a_conversation_that_is_claimed_ten_times_at_once_has_one_agent(shop: Shop) -> None:
    with shop.visitor(0, shop.token("customer")) as customer:
        asked = customer.post("/support/conversations", json={"message": "Hello?"}).json()["id"]
    with shop.crowd(TEN // 2, shop.token("support")) as robin, shop.crowd(TEN // 2, shop.token("admin")) as alex:
        agents = [*robin, *alex]
        answers = all_at_once(TEN, lambda i: agents[i].post(f"/support/conversations/{asked}/claim"))
        (claimed,) = (answer.json() for answer in answers if answer.status_code == 200)
        assert robin[0].get(f"/support/conversations/{asked}").json()["agent"] == claimed["agent"]
    assert {answer.json()["code"] for answer in answers if answer.status_code != 200} == {"already-claimed"}
