from decimal import Decimal
from typing import Any

import httpx

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.money import Money
from tests.e2e.conftest import LiveShop, MovableClock, problem
from tests.e2e.goods import ADDRESS, order_of, stock

NOBODYS = "01a1fa49-df8f-7669-85af-651cd9754d97"


def place(client: httpx.Client, *items: tuple[str, int], **more: Any) -> dict[str, Any]:
    """Place an order; the order."""
    answer = client.post("/orders", json=order_of(*items, **more))
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    return order


def advance(client: httpx.Client, order: dict[str, Any], status: str, **more: Any) -> httpx.Response:
    return client.patch(f"/orders/{order['id']}/status", json={"status": status, **more})


def numbers(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [order["number"] for order in answer.json()["items"]]


def test_a_customer_is_told_the_price_orders_and_follows_the_order_to_the_door(
    live: LiveShop, clock: MovableClock
) -> None:
    hat, cap = live.hat(price="19.99"), live.hat(price="5.00")
    customer, vendor = live.customer(full_name="Ayşe Yılmaz"), live.staff(Role.VENDOR)
    body = order_of((hat, 2), (cap, 1))
    quote = customer.post("/orders/quote", json=body).json()
    assert (quote["subtotal"], quote["shipping"], quote["tax"], quote["total"]) == ("44.98", "10.00", "3.60", "58.58")
    assert stock(live, hat) == 10
    order = place(customer, (hat, 2), (cap, 1), expected_total=quote["total"], note="Ring twice")
    assert {name: order[name] for name in ("subtotal", "discount", "shipping", "tax", "total", "currency")} == {
        name: quote[name] for name in ("subtotal", "discount", "shipping", "tax", "total", "currency")
    }
    assert [(line["product_id"], line["quantity"], line["unit_price"], line["total"]) for line in order["lines"]] == [
        (hat, 2, "19.99", "43.18"),
        (cap, 1, "5.00", "5.40"),
    ]
    assert (order["status"], order["payment_status"], order["version"]) == ("pending", "unpaid", 1)
    assert (order["customer_name"], order["delivery_address"]["city"]) == ("Ayşe Yılmaz", "İstanbul")
    assert (order["created_at"], order["eta"]) == ("2026-01-15T12:00:00.123456Z", "2026-01-15T12:30:00.123456Z")
    assert (stock(live, hat), stock(live, cap)) == (8, 9)
    assert numbers(customer.get("/orders")) == [order["number"]]
    for status, more in [
        ("confirmed", {"note": "Thank you"}),
        ("processing", {}),
        ("shipped", {"carrier": "DHL", "tracking_number": "42"}),
        ("delivered", {}),
    ]:
        clock.forward(minutes=1)
        moved = advance(vendor, order, status, **more)
        assert (moved.status_code, moved.json()["status"]) == (200, status), moved.text
    arrived = customer.get(f"/orders/{order['id']}").json()
    assert (arrived["payment_status"], arrived["carrier"], arrived["tracking_number"]) == ("paid", "DHL", "42")
    assert [(entry["status"], entry["at"][11:16], entry["note"]) for entry in arrived["history"]] == [
        ("pending", "12:00", None),
        ("confirmed", "12:01", "Thank you"),
        ("processing", "12:02", None),
        ("shipped", "12:03", None),
        ("delivered", "12:04", None),
    ]
    assert arrived["version"] == 5
    product = customer.get(f"/products/{hat}").json()
    assert (product["stock"], product["units_sold"]) == (8, 2)


def test_an_order_explains_every_cent(live: LiveShop) -> None:
    hat, cap = live.hat(price="19.99"), live.hat(price="5.00")
    live.store.catalog.discount(by=SYSTEM, product_ids=[hat], percent=Decimal("12.5"))
    pricer, customer = live.staff(Role.SALES_MANAGER), live.customer()
    assert pricer.post("/coupons", json={"code": "THREE", "amount": "3.00"}).status_code == 201
    order = place(customer, (hat, 3), (cap, 1), coupon="three")
    assert order["coupon"] == "THREE"
    assert "explanation" not in order
    explained = customer.get(f"/orders/{order['id']}?explain=true").json()
    steps = explained.pop("explanation")
    assert explained == order
    assert sum(Decimal(step["amount"]) for step in steps) == Decimal(order["total"])
    assert {step["rule"] for step in steps} == {"subtotal", "product-discount", "coupon THREE", "tax", "shipping"}
    lines = {line["id"]: line for line in order["lines"]}
    for line_id, line in lines.items():
        assert sum(Decimal(step["amount"]) for step in steps if step["line_id"] == line_id) == Decimal(line["total"])
    assert pricer.get("/coupons").json()["items"][0]["uses"] == 1


def test_a_coupon_is_used_so_often_and_comes_back_when_its_order_is_cancelled(live: LiveShop) -> None:
    hat, customer, pricer = live.hat(), live.customer(), live.staff(Role.SALES_MANAGER)
    pricer.post("/coupons", json={"code": "ONCE", "percent": "50", "max_uses_per_user": 1})
    order = place(customer, (hat, 1), coupon="ONCE")
    again = customer.post("/orders", json=order_of((hat, 1), coupon="ONCE"))
    assert "already used" in problem(again, 409, "coupon-not-applicable")["detail"]
    assert customer.post(f"/orders/{order['id']}/cancel").status_code == 200
    place(customer, (hat, 1), coupon="ONCE")


def test_a_guest_needs_the_token_of_the_very_order(live: LiveShop) -> None:
    hat, visitor = live.hat(), live.visitor()
    order = place(visitor, (hat, 1), email="guest@example.com")
    other = place(visitor, (hat, 1), email="guest@example.com")
    path, token = f"/orders/{order['id']}", order["access_token"]
    assert visitor.get(path, headers={"X-Order-Token": token}).json()["number"] == order["number"]
    assert visitor.get(path, params={"token": token}).json()["number"] == order["number"]
    for wrong, status, code in [
        (other["access_token"], 404, "not-found"),
        (token[:-1], 401, "not-authenticated"),
        (token[1:], 401, "not-authenticated"),
        ("x", 401, "not-authenticated"),
        ("", 401, "not-authenticated"),
    ]:
        for answer in (
            visitor.get(path, headers={"X-Order-Token": wrong}),
            visitor.get(path, params={"token": wrong}),
            visitor.patch(path, json={"note": "mine"}, headers={"X-Order-Token": wrong}),
            visitor.post(f"{path}/cancel", headers={"X-Order-Token": wrong}),
            visitor.get(f"{path}/invoice.pdf", params={"token": wrong}),
        ):
            problem(answer, status, code)
    cancelled = visitor.post(f"{path}/cancel", headers={"X-Order-Token": token})
    assert cancelled.json()["status"] == "cancelled"
    assert visitor.get(path, headers={"X-Order-Token": token}).json()["customer_id"] is None


def test_a_guest_gives_an_email_and_a_customer_does_not(live: LiveShop) -> None:
    hat = live.hat()
    for client, more in [
        (live.visitor(), {}),
        (live.visitor(), {"email": "no address"}),
        (live.customer(), {"email": "else@example.com"}),
    ]:
        refused = problem(client.post("/orders", json=order_of((hat, 1), **more)), 422, "invalid")
        assert refused["errors"][0]["field"] == "email"


def test_somebody_elses_order_is_as_good_as_none(live: LiveShop) -> None:
    hat, customer, stranger = live.hat(), live.customer(), live.customer("eve@example.com")
    order = place(customer, (hat, 1))
    for order_id in (order["id"], NOBODYS, "nothing", order["number"], "0" * 300, "%00", order["id"].upper()):
        for method, path in [("GET", ""), ("PATCH", ""), ("POST", "/cancel"), ("GET", "/invoice.pdf")]:
            problem(stranger.request(method, f"/orders/{order_id}{path}"), 404, "not-found")
    assert numbers(stranger.get("/orders")) == []
    assert customer.get(f"/orders/{order['id']}").json() == order


def test_staff_see_every_order_and_customers_their_own(live: LiveShop, visitor: httpx.Client) -> None:
    hat, customer = live.hat(), live.customer()
    order = place(customer, (hat, 1))
    for path in ("/orders/all", "/orders/deliveries", "/invoices"):
        problem(visitor.get(path), 401, "not-authenticated")
        problem(customer.get(path), 403, "forbidden")
    problem(visitor.get("/orders"), 401, "not-authenticated")
    problem(visitor.get(f"/orders/{order['id']}"), 401, "not-authenticated")
    problem(advance(customer, order, "confirmed"), 403, "forbidden")
    problem(customer.post(f"/orders/{order['id']}/payment", json={"provider": "offline"}), 403, "forbidden")
    agent = live.staff(Role.SUPPORT_AGENT)
    assert agent.get(f"/orders/{order['id']}").json()["number"] == order["number"]
    assert numbers(agent.get("/orders/all")) == [order["number"]]
    problem(advance(agent, order, "confirmed"), 403, "forbidden")


def test_items_that_make_no_sense_are_refused_by_name(live: LiveShop) -> None:
    hat, customer = live.hat(stock=5000), live.customer()
    for quantity in (-1, 0, 1.5, 1.0, "2", True, None, 1000, 10**38, -(10**38)):
        body = {"items": [{"product_id": hat, "quantity": quantity}], "delivery_address": ADDRESS}
        for path in ("/orders", "/orders/quote"):
            refused = problem(customer.post(path, json=body), 422, "invalid")
            assert [error["field"] for error in refused["errors"]] == ["items.0.quantity"], quantity
    for path in ("/orders", "/orders/quote"):
        problem(customer.post(path, json=order_of()), 422, "invalid")
        problem(customer.post(path, json=order_of(*[(hat, 1)] * 101)), 422, "invalid")
        problem(customer.post(path, json=order_of((hat, 500), (hat, 500))), 422, "invalid")
        unknown = problem(customer.post(path, json=order_of((hat, 1), (NOBODYS, 1))), 404, "not-found")
        assert "items.1.product_id" in unknown["detail"]
    assert stock(live, hat) == 5000


def test_prices_owners_and_states_are_not_the_clients_to_say(live: LiveShop) -> None:
    hat, customer = live.hat(), live.customer()
    for field, value in [
        ("price", "0.01"),
        ("total", "0.01"),
        ("status", "delivered"),
        ("user_id", NOBODYS),
        ("customer_id", NOBODYS),
        ("role", "admin"),
        ("payment_status", "paid"),
        ("discount", "19.99"),
        ("id", NOBODYS),
    ]:
        refused = problem(customer.post("/orders", json=order_of((hat, 1), **{field: value})), 422, "invalid")
        assert [error["field"] for error in refused["errors"]] == [field]
        body = order_of((hat, 1))
        body["items"][0][field] = value
        refused = problem(customer.post("/orders", json=body), 422, "invalid")
        assert [error["field"] for error in refused["errors"]] == [f"items.0.{field}"]
    assert numbers(customer.get("/orders")) == []


def test_an_order_with_a_field_that_is_wrong_is_refused_by_its_name(live: LiveShop) -> None:
    hat, customer = live.hat(), live.customer()
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("expected_total", {"expected_total": 31.6}),
        ("expected_total", {"expected_total": "31.600"}),
        ("payment.provider", {"payment": {"provider": "stripe"}}),
        ("payment", {"payment": "offline"}),
        ("note", {"note": "x" * 2001}),
        ("note", {"note": "\u0007"}),
        ("coupon", {"coupon": ""}),
        ("delivery_address", {"delivery_address": None}),
        ("delivery_address.country", {"delivery_address": ADDRESS | {"country": "Turkey"}}),
        ("delivery_address.city", {"delivery_address": ADDRESS | {"city": " "}}),
        ("delivery_address.planet", {"delivery_address": ADDRESS | {"planet": "Mars"}}),
        ("delivery_address", {"address_id": NOBODYS}),
    ]
    for field, change in wrong:
        refused = problem(customer.post("/orders", json=order_of((hat, 1), **change)), 422, "invalid")
        assert [error["field"] for error in refused["errors"]] == [field], refused
    problem(
        customer.post("/orders", content='{"items":', headers={"Content-Type": "application/json"}),
        400,
        "malformed-json",
    )


def test_a_short_line_stops_the_whole_order(live: LiveShop) -> None:
    plenty, few, none = live.hat(stock=10), live.hat(stock=2), live.hat(stock=0)
    customer = live.customer()
    short = problem(customer.post("/orders", json=order_of((plenty, 3), (few, 3), (none, 1))), 409, "out-of-stock")
    assert short["lines"] == [
        {"product_id": few, "requested": 3, "available": 2},
        {"product_id": none, "requested": 1, "available": 0},
    ]
    assert [stock(live, each) for each in (plenty, few, none)] == [10, 2, 0]
    assert live.store.catalog.ledger(by=SYSTEM, product_id=plenty).items[0].change == 10
    assert numbers(customer.get("/orders")) == []
    place(customer, (plenty, 3), (few, 2))


def test_a_product_that_is_named_twice_counts_together(live: LiveShop) -> None:
    hat, cap, customer = live.hat(stock=3), live.hat(), live.customer()
    short = problem(customer.post("/orders", json=order_of((hat, 2), (cap, 1), (hat, 2))), 409, "out-of-stock")
    assert short["lines"] == [{"product_id": hat, "requested": 4, "available": 3}]
    order = place(customer, (hat, 2), (cap, 1), (hat, 1))
    assert [(line["product_id"], line["quantity"]) for line in order["lines"]] == [(hat, 3), (cap, 1)]


def test_an_order_at_another_total_than_agreed_answers_the_new_quote(live: LiveShop) -> None:
    hat, customer = live.hat(price="20.00"), live.customer()
    body = order_of((hat, 2), expected_total="53.20")
    live.store.catalog.update_product(by=SYSTEM, product_id=hat, price=Money(3000, "USD"))
    quote = problem(customer.post("/orders", json=body), 409, "price-changed")["quote"]
    assert quote == customer.post("/orders/quote", json=order_of((hat, 2))).json()
    assert (quote["total"], quote["lines"][0]["product_id"]) == ("74.80", hat)
    assert stock(live, hat) == 10
    assert customer.post("/orders", json=body | {"expected_total": quote["total"]}).status_code == 201


def test_an_order_is_never_priced_again(live: LiveShop) -> None:
    hat, customer, keeper = live.hat(price="20.00"), live.customer(), live.staff(Role.ADMIN)
    order = place(customer, (hat, 1))
    keeper.patch(f"/products/{hat}", json={"price": "99.00", "name": "Other", "sku": "OTHER"})
    keeper.delete(f"/products/{hat}")
    assert customer.get(f"/orders/{order['id']}").json() == order


def test_the_owner_changes_address_and_note_while_the_order_is_pending(live: LiveShop) -> None:
    hat, customer, vendor = live.hat(), live.customer(), live.staff(Role.VENDOR)
    order = place(customer, (hat, 1), note="Ring")
    path, elsewhere = f"/orders/{order['id']}", ADDRESS | {"city": "Ankara"}
    tag = customer.get(path).headers["ETag"]
    amended = customer.patch(path, json={"delivery_address": elsewhere}, headers={"If-Match": tag})
    assert (amended.status_code, amended.json()["delivery_address"]["city"]) == (200, "Ankara")
    assert (amended.json()["note"], amended.json()["total"]) == ("Ring", order["total"])
    problem(customer.patch(path, json={"note": "Knock"}, headers={"If-Match": tag}), 412, "precondition-failed")
    assert customer.patch(path, json={"note": None}).json()["note"] is None
    wrong: list[dict[str, Any]] = [
        {"delivery_address": None},
        {"items": []},
        {"status": "confirmed"},
        {"total": "0.00"},
    ]
    for body in wrong:
        problem(customer.patch(path, json=body), 422, "invalid")
    problem(vendor.patch(path, json={"note": "mine"}), 404, "not-found")
    assert advance(vendor, order, "confirmed").status_code == 200
    problem(customer.patch(path, json={"note": "too late"}), 409, "illegal-transition")


def test_an_order_goes_where_its_state_leads_and_nowhere_else(live: LiveShop) -> None:
    hat, customer, vendor = live.hat(), live.customer(), live.staff(Role.VENDOR)
    order = place(customer, (hat, 1))
    for wrong in ("pending", "processing", "shipped", "delivered"):
        problem(advance(vendor, order, wrong), 409, "illegal-transition")
    for unknown in ("lost", "", None, 1):
        problem(vendor.patch(f"/orders/{order['id']}/status", json={"status": unknown}), 422, "invalid")
    refused = problem(advance(vendor, order, "confirmed", carrier="DHL"), 422, "invalid")
    assert refused["errors"][0]["field"] == "carrier"
    for right in ("confirmed", "processing", "shipped"):
        assert advance(vendor, order, right).status_code == 200
        problem(advance(vendor, order, right), 409, "illegal-transition")
    problem(customer.post(f"/orders/{order['id']}/cancel"), 409, "illegal-transition")
    problem(advance(vendor, order, "cancelled"), 409, "illegal-transition")
    problem(vendor.patch(f"/orders/{NOBODYS}/status", json={"status": "confirmed"}), 404, "not-found")


def test_cancelling_puts_the_goods_back_once(live: LiveShop) -> None:
    hat, customer, vendor = live.hat(stock=5), live.customer(), live.staff(Role.VENDOR)
    mine, theirs = place(customer, (hat, 2)), place(customer, (hat, 1))
    assert stock(live, hat) == 2
    cancelled = customer.post(f"/orders/{mine['id']}/cancel", json={"note": "Changed my mind"})
    assert (cancelled.json()["status"], cancelled.json()["history"][-1]["note"]) == ("cancelled", "Changed my mind")
    problem(customer.post(f"/orders/{mine['id']}/cancel"), 409, "illegal-transition")
    key = {"Idempotency-Key": "stop"}
    first, again = (vendor.post(f"/orders/{theirs['id']}/cancel", headers=key) for _ in range(2))
    assert (again.status_code, again.content, first.json()["status"]) == (200, first.content, "cancelled")
    assert stock(live, hat) == 5
    assert customer.get(f"/products/{hat}").json()["units_sold"] == 0


def test_staff_record_a_payment_once(live: LiveShop) -> None:
    hat, customer, vendor = live.hat(), live.customer(), live.staff(Role.VENDOR)
    order = place(customer, (hat, 1))
    path = f"/orders/{order['id']}/payment"
    for body in ({}, {"provider": "stripe"}, {"provider": "offline", "amount": "1.00"}):
        problem(vendor.post(path, json=body), 422, "invalid")
    paid = vendor.post(path, json={"provider": "offline"}).json()
    assert (paid["payment_status"], paid["status"]) == ("paid", "pending")
    problem(vendor.post(path, json={"provider": "offline"}), 409, "already-paid")
    assert customer.post(f"/orders/{order['id']}/cancel").json()["payment_status"] == "refunded"


def test_orders_are_listed_newest_first_by_page_and_filter(live: LiveShop, clock: MovableClock) -> None:
    hat, vendor, agent = live.hat(stock=100), live.staff(Role.VENDOR), live.staff(Role.SUPPORT_AGENT)
    ada, eve = live.customer(), live.customer("eve@example.com")
    mine = []
    for client in (ada, ada, eve, ada, ada, ada):
        mine.append(place(client, (hat, 1)))
        clock.forward(seconds=10)
    assert advance(vendor, mine[0], "confirmed").status_code == 200
    own = [order["number"] for order in reversed(mine) if order is not mine[2]]
    assert numbers(ada.get("/orders")) == own
    walked: list[str] = []
    query: dict[str, Any] = {"limit": "2", "include_total": "true"}
    while len(walked) < len(own):
        page = ada.get("/orders", params=query)
        walked += numbers(page)
        assert page.json()["total"] == 5
        query["cursor"] = page.json()["next_cursor"]
    assert (walked, query["cursor"]) == (own, None)
    everyone = agent.get("/orders/all").json()["items"]
    assert [order["number"] for order in everyone] == [order["number"] for order in reversed(mine)]
    eves = mine[2]
    for asked, expected in [
        ({"status": "confirmed"}, [mine[0]["number"]]),
        ({"customer": eves["customer_id"]}, [eves["number"]]),
        ({"number": eves["number"].lower()}, [eves["number"]]),
        ({"from": "2026-01-16"}, []),
        ({"to": "2026-01-14"}, []),
        ({"from": "2026-01-15", "to": "2026-01-15", "status": "confirmed"}, [mine[0]["number"]]),
        ({"from": "0001-01-01", "to": "9999-12-31", "number": eves["number"]}, [eves["number"]]),
    ]:
        assert numbers(agent.get("/orders/all", params=asked)) == expected, asked
    for wrong in ("status=lost", "from=today", "from=2026-02-30", "from_=2026-01-01", "customer=a&customer=b"):
        problem(agent.get(f"/orders/all?{wrong}"), 422, "invalid")
    problem(ada.get("/orders", params={"customer": eves["customer_id"]}), 422, "invalid")


def test_deliveries_are_the_lines_of_orders_that_are_on_their_way(live: LiveShop) -> None:
    hat, cap, customer, vendor = live.hat(), live.hat(), live.customer(), live.staff(Role.VENDOR)
    place(customer, (hat, 1))
    sent, done = place(customer, (hat, 2), (cap, 1)), place(customer, (cap, 3))
    assert vendor.get("/orders/deliveries").json()["items"] == []
    advance(vendor, sent, "confirmed")
    for status in ("confirmed", "processing", "shipped", "delivered"):
        advance(vendor, done, status)
    rows = vendor.get("/orders/deliveries").json()["items"]
    assert [(row["order_number"], row["product_id"], row["quantity"], row["done"]) for row in rows] == [
        (sent["number"], hat, 2, False),
        (sent["number"], cap, 1, False),
        (done["number"], cap, 3, True),
    ]
    assert (rows[0]["total"], rows[0]["delivery_address"]["city"]) == (sent["lines"][0]["total"], "İstanbul")
    assert len(vendor.get("/orders/deliveries?done=false").json()["items"]) == 2
    assert len(vendor.get("/orders/deliveries?done=true").json()["items"]) == 1


def test_an_unknown_product_is_named(live: LiveShop) -> None:
    body = problem(live.customer().post("/orders", json=order_of((live.hat(), 1), ("nothing", 1))), 404, "not-found")
    assert body["errors"] == [{"field": "items.1.product_id", "message": "there is no such product"}]
