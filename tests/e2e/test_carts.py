from typing import Any

import httpx

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.money import Money
from tests.e2e.conftest import PASSWORD, LiveShop, problem
from tests.e2e.goods import ADDRESS, order_of, stock


def put(client: httpx.Client, product_id: str, quantity: int = 1, *, key: str | None = None) -> dict[str, Any]:
    """Put something into a cart; the cart."""
    headers = {"Idempotency-Key": key} if key else None
    answer = client.post("/cart/items", json={"product_id": product_id, "quantity": quantity}, headers=headers)
    assert answer.status_code == 200, answer.text
    cart: dict[str, Any] = answer.json()
    return cart


def quantities(client: httpx.Client) -> list[int]:
    return [item["quantity"] for item in client.get("/cart").json()["items"]]


def reprice(live: LiveShop, product_id: str, cents: int) -> None:
    live.store.catalog.update_product(by=SYSTEM, product_id=product_id, price=Money(cents, "USD"))


def test_a_guests_cart_lives_behind_a_cookie_that_comes_with_the_first_product(live: LiveShop) -> None:
    hat, visitor, stranger = live.hat(price="19.99"), live.visitor(), live.visitor()
    empty = visitor.get("/cart")
    assert (empty.status_code, empty.json()["items"], empty.json()["total"]) == (200, [], "0.00")
    assert "Set-Cookie" not in empty.headers
    answer = visitor.post("/cart/items", json={"product_id": hat, "quantity": 2})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("cart_token=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert answer.json()["items"] == [
        {
            "product_id": hat,
            "sku": "HAT-0",
            "name": "Straw hat",
            "quantity": 2,
            "unit_price": "19.99",
            "final_price": "19.99",
            "line_total": "39.98",
            "currency": "USD",
            "available": 10,
            "problem": None,
        }
    ]
    assert visitor.get("/cart").json() == answer.json()
    assert quantities(stranger) == []


def test_the_first_answer_may_be_lost_without_losing_the_cart(live: LiveShop) -> None:
    hat, visitor = live.hat(), live.visitor()
    put(live.visitor(), hat, key="first")
    put(visitor, hat, key="first")
    assert quantities(visitor) == [1]


def test_a_forged_cookie_holds_no_cart(live: LiveShop) -> None:
    hat, visitor = live.hat(), live.visitor()
    put(visitor, hat)
    token = visitor.cookies["cart_token"]
    for forged in (token[:-1], token + "x", "x." + token.partition(".")[2], ""):
        assert quantities(live.visitor(Cookie=f"cart_token={forged}")) == []
    assert quantities(live.visitor(Cookie=f"cart_token={token}")) == [1]


def test_quantities_add_up_are_set_and_taken_out(live: LiveShop) -> None:
    hat, cap, customer = live.hat(price="20.00"), live.hat(price="30.00"), live.customer()
    put(customer, hat, 2)
    put(customer, cap)
    cart = put(customer, hat, 3)
    assert [(item["product_id"], item["quantity"]) for item in cart["items"]] == [(hat, 5), (cap, 1)]
    assert (cart["subtotal"], cart["shipping"], cart["tax"], cart["total"]) == ("130.00", "0.00", "10.40", "140.40")
    changed = customer.patch(f"/cart/items/{hat}", json={"quantity": 1})
    assert (changed.status_code, changed.json()["subtotal"], changed.json()["shipping"]) == (200, "50.00", "10.00")
    assert customer.delete(f"/cart/items/{hat}").status_code == 204
    problem(customer.delete(f"/cart/items/{hat}"), 404, "not-found")
    problem(customer.patch(f"/cart/items/{hat}", json={"quantity": 1}), 404, "not-found")
    assert quantities(customer) == [1]
    assert customer.delete("/cart").status_code == 204
    assert quantities(customer) == []


def test_emptying_what_nobody_has_is_fine(live: LiveShop) -> None:
    visitor = live.visitor()
    assert visitor.delete("/cart").status_code == 204
    assert visitor.delete("/cart/coupon").status_code == 204
    assert "cart_token" not in visitor.cookies


def test_more_than_there_is_does_not_go_in(live: LiveShop) -> None:
    hat, visitor = live.hat(stock=3), live.visitor()
    put(visitor, hat, 2)
    short = problem(visitor.post("/cart/items", json={"product_id": hat, "quantity": 2}), 409, "out-of-stock")
    assert (short["available"], short["lines"]) == (3, [{"product_id": hat, "requested": 4, "available": 3}])
    problem(visitor.patch(f"/cart/items/{hat}", json={"quantity": 4}), 409, "out-of-stock")
    assert quantities(visitor) == [2]


def test_a_quantity_is_a_whole_number_from_1_to_999(live: LiveShop) -> None:
    hat, visitor = live.hat(stock=5000), live.visitor()
    put(visitor, hat)
    for quantity in (-1, 0, 1.5, 1.0, "2", True, None, 1000, 10**38, [1]):
        for answer in (
            visitor.post("/cart/items", json={"product_id": hat, "quantity": quantity}),
            visitor.patch(f"/cart/items/{hat}", json={"quantity": quantity}),
        ):
            assert problem(answer, 422, "invalid")["errors"][0]["field"] == "quantity", quantity
    problem(visitor.post("/cart/items", json={"product_id": hat, "quantity": 999}), 422, "invalid")
    assert quantities(visitor) == [1]


def test_what_is_not_sold_does_not_go_in(live: LiveShop) -> None:
    hat, visitor = live.hat(), live.visitor()
    live.store.catalog.archive_product(by=SYSTEM, product_id=hat)
    problem(visitor.post("/cart/items", json={"product_id": hat, "quantity": 1}), 409, "product-unavailable")
    problem(visitor.post("/cart/items", json={"product_id": "nothing", "quantity": 1}), 404, "not-found")
    problem(visitor.post("/cart/items", json={"product_id": hat, "quantity": 1, "price": "0"}), 422, "invalid")


def test_a_cart_tells_what_has_changed_since(live: LiveShop) -> None:
    dearer, fewer, gone, customer = live.hat(), live.hat(stock=4), live.hat(), live.customer()
    for hat in (dearer, fewer, gone):
        put(customer, hat, 3)
    reprice(live, dearer, 2500)
    live.store.catalog.adjust_stock(by=SYSTEM, product_id=fewer, change=-2, reason="lost")
    live.store.catalog.archive_product(by=SYSTEM, product_id=gone)
    cart = customer.get("/cart").json()
    assert [(item["problem"], item["available"], item["line_total"]) for item in cart["items"]] == [
        ("price-changed", 10, "75.00"),
        ("out-of-stock", 2, "60.00"),
        ("unavailable", 0, "0.00"),
    ]
    assert cart["subtotal"] == "135.00"
    refused = problem(customer.post("/cart/checkout", json={"delivery_address": ADDRESS}), 409, "product-unavailable")
    assert refused["product_ids"] == [gone]
    customer.delete(f"/cart/items/{gone}")
    refused = problem(customer.post("/cart/checkout", json={"delivery_address": ADDRESS}), 409, "out-of-stock")
    assert refused["lines"] == [{"product_id": fewer, "requested": 3, "available": 2}]
    assert quantities(customer) == [3, 3]


def test_a_coupon_counts_while_its_terms_are_met(live: LiveShop) -> None:
    hat, customer, pricer = live.hat(price="60.00"), live.customer(), live.staff(Role.SALES_MANAGER)
    for body in (
        {"code": "TEN", "percent": "10", "min_spend": "100"},
        {"code": "LATER", "amount": "5", "starts_at": "2030-01-01T00:00:00Z"},
    ):
        assert pricer.post("/coupons", json=body).status_code == 201
    problem(customer.put("/cart/coupon", json={"code": "TEN"}), 409, "cart-empty")
    put(customer, hat, 1)
    for code, why in [("TEN", "goods worth 100.00 USD"), ("LATER", "not valid yet"), ("NONE", "no coupon NONE")]:
        refused = problem(customer.put("/cart/coupon", json={"code": code}), 409, "coupon-not-applicable")
        assert why in refused["detail"]
    put(customer, hat, 1)
    applied = customer.put("/cart/coupon", json={"code": "ten"}).json()
    assert (applied["coupon"], applied["discount"], applied["tax"]) == ("TEN", "12.00", "8.64")
    assert (applied["coupon_problem"], applied["total"]) == (None, "116.64")
    fewer = customer.patch(f"/cart/items/{hat}", json={"quantity": 1}).json()
    assert (fewer["coupon"], fewer["discount"]) == ("TEN", "0.00")
    assert "100.00" in fewer["coupon_problem"]
    assert customer.delete("/cart/coupon").status_code == 204
    assert customer.get("/cart").json()["coupon"] is None


def test_signing_in_pours_a_guests_cart_into_ones_own(live: LiveShop) -> None:
    hat, cap = live.hat(stock=5), live.hat()
    put(live.customer(), hat, 3)
    visitor = live.visitor()
    put(visitor, hat, 4)
    put(visitor, cap, 2)
    answer = visitor.post("/auth/login", json={"email": "ada@example.com", "password": PASSWORD}).json()
    assert answer["capped"] == [{"product_id": hat, "wanted": 7, "kept": 5}]
    assert [item["quantity"] for item in answer["cart"]["items"]] == [5, 2]
    assert quantities(visitor) == [5, 2]
    assert "cart_token" not in visitor.cookies


def test_a_checkout_buys_the_cart_and_empties_it(live: LiveShop) -> None:
    hat, customer = live.hat(price="20.00", stock=5), live.customer()
    put(customer, hat, 2)
    total = customer.get("/cart").json()["total"]
    bought = customer.post("/cart/checkout", json={"delivery_address": ADDRESS, "note": "Ring\ntwice"})
    assert bought.status_code == 201, bought.text
    order = bought.json()
    assert bought.headers["Location"] == f"/api/v1/orders/{order['id']}"
    assert (order["total"], order["note"], order["status"]) == (total, "Ring\ntwice", "pending")
    assert "access_token" not in order
    assert (quantities(customer), stock(live, hat)) == ([], 3)
    problem(customer.post("/cart/checkout", json={"delivery_address": ADDRESS}), 409, "cart-empty")


def test_a_guest_checks_out_with_an_email_and_comes_back_with_a_token(live: LiveShop) -> None:
    hat, visitor = live.hat(), live.visitor()
    put(visitor, hat)
    missing = problem(visitor.post("/cart/checkout", json={"delivery_address": ADDRESS}), 422, "invalid")
    assert missing["errors"][0]["field"] == "email"
    body = {"delivery_address": ADDRESS, "email": "Guest@Example.com"}
    order = visitor.post("/cart/checkout", json=body).json()
    assert (order["customer_id"], order["email"]) == (None, "guest@example.com")
    token = {"X-Order-Token": order["access_token"]}
    assert live.visitor(**token).get(f"/orders/{order['id']}").json()["number"] == order["number"]
    assert quantities(visitor) == []


def test_a_checkout_at_another_total_than_agreed_changes_nothing(live: LiveShop) -> None:
    hat, customer = live.hat(price="20.00"), live.customer()
    agreed = put(customer, hat, 2)["total"]
    reprice(live, hat, 3000)
    body = {"delivery_address": ADDRESS, "expected_total": agreed}
    changed = problem(customer.post("/cart/checkout", json=body), 409, "price-changed")
    assert [line["product_id"] for line in changed["quote"]["lines"]] == [hat]
    assert (quantities(customer), stock(live, hat)) == ([2], 10)
    body["expected_total"] = changed["quote"]["total"]
    assert customer.post("/cart/checkout", json=body).json()["total"] == "74.80"


def test_a_checkout_goes_to_a_saved_address_of_ones_own(live: LiveShop) -> None:
    hat, customer, other = live.hat(), live.customer(), live.customer("eve@example.com")
    saved = customer.post("/users/me/addresses", json=ADDRESS).json()["id"]
    for client in (customer, other):
        put(client, hat)
    problem(other.post("/cart/checkout", json={"address_id": saved}), 404, "not-found")
    order = customer.post("/cart/checkout", json={"address_id": saved}).json()
    assert order["delivery_address"] == ADDRESS | {"line2": None, "region": None}
    both = {"address_id": saved, "delivery_address": ADDRESS}
    for body in (both, {}):
        refused = problem(other.post("/cart/checkout", json=body), 422, "invalid")
        assert refused["errors"][0]["field"] == "delivery_address"


def test_a_checkout_that_is_sent_twice_with_one_key_buys_once(live: LiveShop) -> None:
    hat, customer = live.hat(), live.customer()
    put(customer, hat)
    key = {"Idempotency-Key": "buy"}
    first, again = (customer.post("/cart/checkout", json={"delivery_address": ADDRESS}, headers=key) for _ in range(2))
    assert (again.status_code, again.content) == (201, first.content)
    assert stock(live, hat) == 9


def test_an_order_of_its_own_leaves_the_cart_alone(live: LiveShop) -> None:
    hat, customer = live.hat(), live.customer()
    put(customer, hat, 2)
    assert customer.post("/orders", json=order_of((hat, 1))).status_code == 201
    assert quantities(customer) == [2]
