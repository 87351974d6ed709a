"""Recommendations over HTTP, and how soon an order counts."""

import time
from typing import Any

import httpx

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from tests.e2e.conftest import LiveShop, problem
from tests.e2e.goods import order_of
from tests.e2e.processes import Shop, all_at_once, product

PATIENCE = 30.0
"""Seconds to wait for a worker, which looks around each second, on a machine that may be busy with other tests."""


def recommended(client: httpx.Client, **asked: Any) -> dict[str, str]:
    """Reasons by product, in order."""
    answer = client.get("/recommendations", params=asked)
    assert answer.status_code == 200, answer.text
    return {item["product"]["id"]: item["reason"] for item in answer.json()["items"]}


def bought(client: httpx.Client, *products: str) -> dict[str, Any]:
    """An order of one each."""
    answer = client.post("/orders", json=order_of(*((each, 1) for each in products)))
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    return order


def test_a_recommendation_is_a_product_a_score_and_a_reason(live: LiveShop) -> None:
    hat, cap = live.hat(), live.hat(price="30.00")
    bought(live.customer("bob@example.com"), hat, cap)
    live.store.catalog.count_purchases()
    visitor = live.visitor()
    answer = visitor.get("/recommendations", params={"context": "product", "product_id": hat, "include_total": True})
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in answer.headers["Vary"]
    shown = visitor.get(f"/products/{cap}").json()
    del shown["siblings"]
    (item,) = answer.json()["items"]
    assert item == {"product": shown, "score": item["score"], "reason": "bought together with Straw hat"}
    assert 0 < item["score"] < 1
    assert (answer.json()["next_cursor"], answer.json()["total"]) == (None, 1)
    assert "bob" not in answer.text.lower()


def test_each_context_begins_with_something_else(live: LiveShop) -> None:
    hat, cap, tent, stove = (live.hat() for _ in range(4))
    for mail, products in (("a@example.com", (hat, cap)), ("b@example.com", (tent, stove))):
        bought(live.customer(mail), *products)
    ada, guest = live.customer(), live.visitor()
    bought(ada, hat)
    live.store.catalog.count_purchases()
    for client in (ada, guest):
        assert client.post("/cart/items", json={"product_id": tent, "quantity": 1}).status_code == 200
        cart = recommended(client, context="cart")
        assert (next(iter(cart)), tent in cart) == (stove, False)
    assert next(iter(recommended(ada))) == cap
    assert hat not in recommended(ada)
    assert recommended(ada) == recommended(ada, context="home")
    assert set(recommended(guest)) == {hat, cap, tent, stove}
    assert next(iter(recommended(guest, context="product", product_id=cap))) == hat
    assert len(recommended(guest, limit=2)) == 2


def test_what_can_not_be_understood_or_found(live: LiveShop) -> None:
    hat, visitor = live.hat(), live.visitor()
    problem(visitor.get("/recommendations", params={"context": "product"}), 422, "invalid")
    for asked in ({"context": "shelf"}, {"limit": 101}, {"cursor": "x"}, {"user_id": "x"}, {"context": "home,cart"}):
        problem(visitor.get("/recommendations", params=asked), 422, "invalid")
    for unknown in ("nothing", "x" * 99, "🎩", "' OR 1=1 --", hat.upper()):
        asked = {"context": "product", "product_id": unknown}
        problem(visitor.get("/recommendations", params=asked), 404, "not-found")
    live.store.catalog.archive_product(by=SYSTEM, product_id=hat)
    asked = {"context": "product", "product_id": hat}
    problem(visitor.get("/recommendations", params=asked), 404, "not-found")
    assert recommended(live.staff(Role.PRODUCT_MANAGER), **asked) == {}


def soon(client: httpx.Client, asked: dict[str, str], other: str, reason: str | None) -> bool:
    """Whether before long a product is recommended for a reason, or for another one (None)."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if (recommended(client, **asked).get(other) == "bought together with Rare Thing") == (reason is not None):
            return True
        time.sleep(0.1)
    return False


def test_the_server_counts_an_order_by_itself_and_no_longer_once_it_is_cancelled(shop: Shop) -> None:
    one, two, token = product(shop, stock=100), product(shop, stock=100), shop.token("customer")
    asked = {"context": "product", "product_id": one}
    with shop.visitor(0, token) as customer, shop.visitor(1) as visitor:
        order = bought(customer, one, two)
        assert soon(visitor, asked, two, "bought together")
        assert customer.post(f"/orders/{order['id']}/cancel").status_code == 200
        assert soon(visitor, asked, two, None)


def test_orders_of_many_at_once_count_once_whichever_process_counts_them(shop: Shop) -> None:
    one, two, token = product(shop, stock=100), product(shop, stock=100), shop.token("customer")
    with shop.crowd(30, token) as clients:
        placed = all_at_once(30, lambda number: clients[number].post("/orders", json=order_of((one, 1), (two, 1))))
        assert {answer.status_code for answer in placed} == {201}
        gone = [answer.json()["id"] for answer in placed]
        asked = {"context": "product", "product_id": one}
        with shop.visitor(1) as visitor:
            assert soon(visitor, asked, two, "bought together")
            cancelled = all_at_once(30, lambda number: clients[number].post(f"/orders/{gone[number]}/cancel"))
            assert {answer.status_code for answer in cancelled} == {200}
            assert soon(visitor, asked, two, None), "thirty were counted out as they were counted in"
