"""What a client claims about prices, totals, people and states, and quantities that are none."""

from typing import Any

import httpx
import pytest

from tests.e2e.abuse.tables import unchanged
from tests.e2e.conftest import LiveShop, problem
from tests.e2e.goods import ADDRESS, order_of
from tests.e2e.test_refunds import delivered
from tests.e2e.test_support import NOBODYS, opened, path

CLAIMS = {
    "price": "0.01",
    "unit_price": "0.01",
    "final_price": "0.01",
    "total": "0.01",
    "user_id": NOBODYS,
    "customer_id": NOBODYS,
    "role": "admin",
    "permissions": ["users:write"],
    "is_active": True,
    "status": "refunded",
    "payment_status": "paid",
    "amount": "999.00",
    "currency": "JPY",
}

NO_QUANTITIES = [0, -1, -(2**63), 1.5, 1e308, True, False, "2", None, [1], {"$gt": 0}, 1000, 2**31, 2**63, 10**30]


def requests(live: LiveShop, customer: httpx.Client) -> list[tuple[str, str, dict[str, Any]]]:
    """What a customer may change, each with a body that is right."""
    hat = live.hat(stock=50)
    order = delivered(live, customer, hat)
    conversation = opened(customer)
    customer.post("/cart/items", json={"product_id": hat, "quantity": 1})
    return [
        ("PATCH", "/users/me", {"full_name": "Ada"}),
        ("POST", "/users/me/addresses", ADDRESS),
        ("POST", "/cart/items", {"product_id": hat, "quantity": 1}),
        ("PATCH", f"/cart/items/{hat}", {"quantity": 2}),
        ("POST", "/cart/checkout", {"delivery_address": ADDRESS}),
        ("POST", "/orders/quote", {"items": [{"product_id": hat, "quantity": 1}]}),
        ("POST", "/orders", order_of((hat, 1))),
        ("PATCH", f"/orders/{order['id']}", {"note": "Ring"}),
        ("POST", f"/orders/{order['id']}/cancel", {}),
        (
            "POST",
            f"/orders/{order['id']}/refunds",
            {"items": [{"line_id": order["lines"][0]["id"], "quantity": 1}], "reason": "Too small"},
        ),
        ("POST", f"/products/{hat}/reviews", {"rating": 5}),
        ("POST", path(conversation, "messages"), {"body": "Hello"}),
    ]


def test_nothing_that_the_shop_decides_is_taken_from_a_client(live: LiveShop) -> None:
    customer = live.customer()
    asked = requests(live, customer)
    with unchanged(live):
        for method, address, body in asked:
            for name, claim in CLAIMS.items():
                answer = customer.request(method, address, json={**body, name: claim})
                told = problem(answer, 422, "invalid")
                assert [error["field"] for error in told["errors"]] == [name], (method, address)


@pytest.mark.parametrize("quantity", NO_QUANTITIES, ids=repr)
def test_what_is_no_quantity_buys_and_returns_nothing(live: LiveShop, quantity: Any) -> None:
    customer = live.customer()
    counted = [(m, a, b) for m, a, b in requests(live, customer) if "quantity" in b or "items" in b]
    assert len(counted) == 5
    with unchanged(live):
        for method, address, body in counted:
            if "items" in body:
                body["items"][0]["quantity"] = quantity
            else:
                body["quantity"] = quantity
            problem(customer.request(method, address, json=body), 422, "invalid")


def test_more_is_not_returned_than_was_bought_on_however_many_lines(live: LiveShop) -> None:
    customer = live.customer()
    order = delivered(live, customer, live.hat())
    line = {"line_id": order["lines"][0]["id"], "quantity": 2}
    with unchanged(live):
        body = {"items": [line, line], "reason": "Too small"}
        answer = customer.post(f"/orders/{order['id']}/refunds", json=body)
        problem(answer, 409, "not-returnable")
