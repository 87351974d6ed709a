from typing import Any

import httpx

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from tests.e2e.conftest import LiveShop, MovableClock, problem
from tests.e2e.goods import category, order_of, stock


def new_hat(live: LiveShop, **changes: Any) -> dict[str, Any]:
    shelf = changes.pop("category_ids", None) or [category(live)]
    return {
        "sku": "HAT-1",
        "name": "Wool hat",
        "description": "Warm.\nSoft.",
        "price": "19.99",
        "stock": 5,
        "category_ids": shelf,
        **changes,
    }


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


def test_staff_put_a_product_on_the_shelf_and_everybody_sees_it(live: LiveShop, visitor: httpx.Client) -> None:
    manager = live.staff(Role.PRODUCT_MANAGER)
    shelf = manager.post("/categories", json={"name": "Hats"})
    assert (shelf.status_code, shelf.json()["parent_id"]) == (201, None)
    body = new_hat(live, category_ids=[shelf.json()["id"]], attributes={"size": "M"}, images=["/hat.jpg"], group="hats")
    made = manager.post("/products", json=body)
    assert made.status_code == 201, made.text
    shown = visitor.get(f"{live.address}{made.headers['Location']}").json()
    assert shown["slug"] == "wool-hat"
    assert visitor.get("/products/wool-hat").json() == shown
    assert {name: shown[name] for name in body if name != "category_ids"} == {
        name: value for name, value in body.items() if name != "category_ids"
    }
    assert shown["categories"] == [{"id": shelf.json()["id"], "name": "Hats"}]
    assert (shown["final_price"], shown["prior_price"], shown["discount_percent"]) == ("19.99", None, "0")
    assert (shown["currency"], shown["in_stock"], shown["is_active"]) == ("USD", True, True)
    assert shown["rating"] == {"average": None, "count": 0}
    assert (shown["created_at"], shown["siblings"]) == ("2026-01-15T12:00:00.123456Z", [])
    assert names(visitor.get("/products")) == ["Wool hat"]
    assert stock(live, shown["id"]) == 5


def test_only_those_who_set_prices_or_read_reports_see_the_cost(live: LiveShop) -> None:
    hat = live.hat(price="19.99")
    for role, sees in [
        (Role.CUSTOMER, False),
        (Role.VENDOR, False),
        (Role.PRODUCT_MANAGER, False),
        (Role.SUPPORT_AGENT, False),
        (Role.SALES_MANAGER, True),
        (Role.ADMIN, True),
    ]:
        client = live.staff(role)
        assert client.get(f"/products/{hat}").json().get("cost") == ("10.00" if sees else None)
        assert client.get("/products").json()["items"][0].get("cost") == ("10.00" if sees else None)


def test_strangers_and_customers_change_nothing_in_the_catalog(live: LiveShop, visitor: httpx.Client) -> None:
    hat, shelf, customer = live.hat(price="10.00"), category(live), live.customer()
    for method, path in [
        ("POST", "/products"),
        ("PATCH", f"/products/{hat}"),
        ("DELETE", f"/products/{hat}"),
        ("POST", f"/products/{hat}/stock"),
        ("PATCH", "/products/discount"),
        ("PATCH", "/products/discount/clear"),
        ("POST", "/categories"),
        ("PATCH", f"/categories/{shelf}"),
        ("DELETE", f"/categories/{shelf}"),
        ("POST", "/coupons"),
        ("GET", "/coupons"),
        ("GET", f"/products/{hat}/stock"),
        ("GET", f"/products/{hat}/prices"),
    ]:
        body: dict[str, str] | None = None if method in ("GET", "DELETE") else {}
        problem(visitor.request(method, path, json=body), 401, "not-authenticated")
        problem(customer.request(method, path, json=body), 403, "forbidden")


def test_prices_are_changed_by_those_who_set_them_and_the_rest_by_those_who_keep_the_catalog(live: LiveShop) -> None:
    hat = live.hat(price="10.00")
    keeper, pricer = live.staff(Role.PRODUCT_MANAGER), live.staff(Role.SALES_MANAGER)
    assert keeper.patch(f"/products/{hat}", json={"name": "Felt hat"}).json()["name"] == "Felt hat"
    assert pricer.patch(f"/products/{hat}", json={"price": "12.50"}).json()["final_price"] == "12.50"
    problem(keeper.patch(f"/products/{hat}", json={"price": "1.00"}), 403, "forbidden")
    problem(pricer.patch(f"/products/{hat}", json={"name": "Cap"}), 403, "forbidden")
    history = pricer.get(f"/products/{hat}/prices").json()["items"]
    assert [change["price"] for change in history] == ["12.50", "10.00"]


def test_an_edit_of_what_has_changed_meanwhile_is_refused_but_a_sale_makes_no_edit_stale(live: LiveShop) -> None:
    hat, keeper, customer = live.hat(price="10.00"), live.staff(Role.PRODUCT_MANAGER), live.customer()
    tag = keeper.get(f"/products/{hat}").headers["ETag"]
    assert customer.post("/orders", json=order_of((hat, 1))).status_code == 201
    fresh = keeper.get(f"/products/{hat}", headers={"If-None-Match": tag})
    assert (fresh.status_code, fresh.json()["stock"]) == (200, 9)
    assert keeper.get(f"/products/{hat}", headers={"If-None-Match": fresh.headers["ETag"]}).status_code == 304
    edited = keeper.patch(f"/products/{hat}", json={"name": "Felt hat"}, headers={"If-Match": tag})
    assert (edited.status_code, edited.json()["version"]) == (200, 2)
    stale = keeper.patch(f"/products/{hat}", json={"name": "Cap"}, headers={"If-Match": tag})
    problem(stale, 412, "precondition-failed")
    problem(keeper.delete(f"/products/{hat}", headers={"If-Match": tag}), 412, "precondition-failed")
    assert keeper.get(f"/products/{hat}").json()["name"] == "Felt hat"


def test_an_archived_product_leaves_the_shop_and_can_come_back(live: LiveShop, visitor: httpx.Client) -> None:
    hat, keeper = live.hat(price="10.00"), live.staff(Role.PRODUCT_MANAGER)
    assert keeper.delete(f"/products/{hat}").status_code == 204
    assert names(visitor.get("/products")) == []
    problem(visitor.get(f"/products/{hat}"), 404, "not-found")
    assert keeper.get(f"/products/{hat}").json()["is_active"] is False
    assert keeper.patch(f"/products/{hat}", json={"is_active": True}).status_code == 200
    assert visitor.get(f"/products/{hat}").status_code == 200


def test_what_is_no_product_is_not_found(visitor: httpx.Client) -> None:
    for name in ["nothing", "0" * 300, "%00", "..%2f", "'", "01a1fa49-df8f-7669-85af-651cd9754d97"]:
        problem(visitor.get(f"/products/{name}"), 404, "not-found")


def test_a_list_is_filtered_and_sorted(live: LiveShop, visitor: httpx.Client) -> None:
    hats, coats = category(live, "Hats"), category(live, "Coats")
    red = {"colour": "red", "size": "M"}
    live.hat(
        price="10.00", sku="A", name="Wool hat", description="warm", category_ids=[hats], group="g", attributes=red
    )
    live.hat(price="30.00", sku="B", name="Şapka", description="of felt", stock=0, category_ids=[hats], group="g")
    live.hat(price="20.00", sku="C", name="Coat", description="wool & felt", category_ids=[coats], attributes=red)
    for query, expected in [
        ("", ["Coat", "Şapka", "Wool hat"]),
        ("sort=newest", ["Coat", "Şapka", "Wool hat"]),
        ("sort=price", ["Wool hat", "Coat", "Şapka"]),
        ("sort=-price", ["Şapka", "Coat", "Wool hat"]),
        ("sort=name", ["Coat", "Şapka", "Wool hat"]),
        ("q=sap", ["Şapka"]),
        ("q=WOOL&sort=name", ["Coat", "Wool hat"]),
        ("q=wool+%26+felt", ["Coat"]),
        ("q=hat+warm", ["Wool hat"]),
        ("q=ool", []),
        ("q=%25", []),
        ("q=_", []),
        ("q=%22wool&sort=name", ["Coat", "Wool hat"]),
        ("q=x'+OR+'1'='1", []),
        ("q=", ["Coat", "Şapka", "Wool hat"]),
        (f"category={hats}&sort=name", ["Şapka", "Wool hat"]),
        ("category=nothing", []),
        ("min_price=20", ["Coat", "Şapka"]),
        ("max_price=20.00&min_price=10.01", ["Coat"]),
        ("in_stock=true&sort=price", ["Wool hat", "Coat"]),
        ("in_stock=false", ["Şapka"]),
        ("min_rating=1", []),
        ("group=g&sort=price", ["Wool hat", "Şapka"]),
        ("attr.colour=red&attr.size=M&sort=price", ["Wool hat", "Coat"]),
        ("attr.colour=blue", []),
    ]:
        assert names(visitor.get(f"/products?{query}")) == expected, query
    by_relevance = names(visitor.get("/products?sort=relevance"))
    assert sorted(by_relevance) == ["Coat", "Wool hat", "Şapka"]


def test_a_query_that_makes_no_sense_is_refused_by_name(visitor: httpx.Client) -> None:
    for query, field in [
        ("min_price=abc", "min_price"),
        ("min_price=1.234", "min_price"),
        ("min_price=-1", "min_price"),
        ("max_price=10000000000.00", "max_price"),
        ("sort=best", "sort"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1.5", "limit"),
        ("cursor=forged", "cursor"),
        ("include_total=1", "include_total"),
        ("in_stock=maybe", "in_stock"),
        ("min_rating=many", "min_rating"),
        ("attr=red", "attr"),
        ("colour=red", "colour"),
        ("q=a&q=b", "q"),
        ("q=%00", "q"),
    ]:
        refused = problem(visitor.get(f"/products?{query}"), 422, "invalid")
        assert [error["field"] for error in refused["errors"]] == [field], refused


def test_pages_show_every_product_once_in_any_order(live: LiveShop, visitor: httpx.Client) -> None:
    shelf = category(live)
    for i in range(9):
        live.hat(price=f"10.0{i % 3}", sku=f"P{i}", category_ids=[shelf])
    for sort in ["newest", "price", "-price", "popularity", "relevance", "rating", "name"]:
        query: dict[str, str] = {"sort": sort, "category": shelf}
        whole = [item["sku"] for item in visitor.get("/products", params=query).json()["items"]]
        page = visitor.get("/products", params=query | {"limit": "4", "include_total": "true"}).json()
        assert page["total"] == 9
        first = page["next_cursor"]
        walked = [item["sku"] for item in page["items"]]
        while page["next_cursor"] is not None and len(walked) < 9:
            page = visitor.get("/products", params=query | {"limit": "4", "cursor": page["next_cursor"]}).json()
            walked += [item["sku"] for item in page["items"]]
        assert (walked, page["next_cursor"]) == (whole, None)
        assert sorted(walked) == [f"P{i}" for i in range(9)]
        for elsewhere in ({"sort": sort}, query | {"in_stock": "true"}):
            refused = problem(visitor.get("/products", params=elsewhere | {"cursor": first}), 422, "invalid")
            assert refused["errors"][0]["field"] == "cursor"


def test_a_product_with_a_field_that_is_wrong_is_refused_by_its_name(live: LiveShop) -> None:
    admin, hat = live.staff(Role.ADMIN), new_hat(live)
    for field, value in [
        ("price", 10),
        ("price", 10.5),
        ("price", "10.001"),
        ("price", "-1"),
        ("price", "1e3"),
        ("price", ""),
        ("price", None),
        ("price", "10000000000.00"),
        ("cost", "x"),
        ("stock", -1),
        ("stock", 1.5),
        ("stock", "2"),
        ("stock", True),
        ("stock", 10**38),
        ("discount_percent", 10),
        ("discount_percent", "100.01"),
        ("discount_percent", "1.234"),
        ("sku", "white space"),
        ("sku", ""),
        ("name", ""),
        ("name", "a\u0000b"),
        ("name", "two\nlines"),
        ("name", "x" * 201),
        ("description", "x" * 20_001),
        ("category_ids", []),
        ("category_ids.0", ["nothing"]),
        ("category_ids", "Hats"),
        ("attributes.size", {"size": 1}),
        ("images.0", ["javascript:alert(1)"]),
        ("final_price", "1.00"),
        ("rating", {"average": 5, "count": 100}),
        ("units_sold", 1000),
        ("slug", "mine"),
        ("id", "mine"),
        ("version", 7),
    ]:
        body = hat | {field.partition(".")[0]: value}
        refused = problem(admin.post("/products", json=body), 422, "invalid")
        assert [error["field"] for error in refused["errors"]] == [field], refused
    assert names(admin.get("/products")) == []


def test_a_product_needs_each_of_these(live: LiveShop) -> None:
    admin, hat = live.staff(Role.ADMIN), new_hat(live)
    for field in ["sku", "name", "description", "price", "stock", "category_ids"]:
        body = {name: value for name, value in hat.items() if name != field}
        refused = problem(admin.post("/products", json=body), 422, "invalid")
        assert refused["errors"] == [{"field": field, "message": "is required"}]


def test_a_sku_is_taken_once_and_a_slug_makes_room(live: LiveShop) -> None:
    admin = live.staff(Role.ADMIN)
    body = new_hat(live)
    assert admin.post("/products", json=body).status_code == 201
    problem(admin.post("/products", json=body), 409, "sku-taken")
    other = admin.post("/products", json=body | {"sku": "HAT-2"}).json()
    assert other["slug"] != "wool-hat"
    problem(admin.patch(f"/products/{other['id']}", json={"sku": "HAT-1"}), 409, "sku-taken")


def test_a_product_that_is_sent_twice_with_one_key_is_made_once(live: LiveShop) -> None:
    admin = live.staff(Role.ADMIN)
    body, key = new_hat(live), {"Idempotency-Key": "once"}
    first, second = (admin.post("/products", json=body, headers=key) for _ in range(2))
    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["Location"] == first.headers["Location"]
    assert (first.headers.get("Idempotent-Replayed"), second.headers["Idempotent-Replayed"]) == (None, "true")


def test_variants_show_each_other(live: LiveShop, visitor: httpx.Client) -> None:
    small, large = live.hat(price="10.00", sku="S", group="hat"), live.hat(price="10.00", sku="L", group="hat")
    live.hat(price="10.00", sku="X", group="other")
    siblings = visitor.get(f"/products/{small}").json()["siblings"]
    assert [each["id"] for each in siblings] == [large]
    assert "cost" not in siblings[0]
    assert "siblings" not in siblings[0]


def test_a_discount_runs_within_its_window_and_shows_the_price_before(live: LiveShop, clock: MovableClock) -> None:
    hat, pricer, visitor = live.hat(price="19.99"), live.staff(Role.SALES_MANAGER), live.visitor()
    window = {"starts_at": "2026-01-17T14:00:00+02:00", "ends_at": "2026-01-18T12:00:00Z"}
    planned = pricer.patch("/products/discount", json={"product_ids": [hat], "percent": "12.5", **window})
    assert planned.status_code == 200, planned.text
    (shown,) = planned.json()["items"]
    assert (shown["final_price"], shown["discount_percent"]) == ("19.99", "12.5")
    assert (shown["discount_starts_at"], shown["discount_ends_at"]) == ("2026-01-17T12:00:00Z", "2026-01-18T12:00:00Z")
    for forward, final, prior in [(48, "17.49", "19.99"), (23, "17.49", "19.99"), (1, "19.99", None)]:
        clock.forward(hours=forward)
        live.store.work()
        for shown in (visitor.get(f"/products/{hat}").json(), visitor.get("/products").json()["items"][0]):
            assert (shown["final_price"], shown["prior_price"]) == (final, prior)


def test_discounts_are_set_and_cleared_on_many_products_or_none(live: LiveShop) -> None:
    pricer, hat, cap = (
        live.staff(Role.SALES_MANAGER),
        live.hat(price="10.00", sku="A"),
        live.hat(price="10.00", sku="B"),
    )
    problem(
        pricer.patch("/products/discount", json={"product_ids": [hat, "nothing"], "percent": "50"}), 404, "not-found"
    )
    assert pricer.get(f"/products/{hat}").json()["final_price"] == "10.00"
    free = pricer.patch("/products/discount", json={"product_ids": [hat, cap], "percent": "100"}).json()["items"]
    assert {each["final_price"] for each in free} == {"0.00"}
    cleared = pricer.patch("/products/discount/clear", json={"product_ids": [hat, cap]}).json()["items"]
    assert {(each["final_price"], each["discount_percent"]) for each in cleared} == {("10.00", "0")}


def test_a_discount_that_makes_no_sense_is_refused_by_name(live: LiveShop) -> None:
    hat, pricer = live.hat(), live.staff(Role.SALES_MANAGER)
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("percent", {"percent": "0"}),
        ("percent", {"percent": 10}),
        ("percent", {"percent": "101"}),
        ("product_ids", {"product_ids": []}),
        ("ends_at", {"starts_at": "2026-02-02T00:00:00Z", "ends_at": "2026-02-01T00:00:00Z"}),
        ("starts_at", {"starts_at": "2026-02-02T00:00:00"}),
    ]
    for field, change in wrong:
        body = {"product_ids": [hat], "percent": "10"} | change
        refused = problem(pricer.patch("/products/discount", json=body), 422, "invalid")
        assert [error["field"] for error in refused["errors"]] == [field], refused


def test_stock_is_corrected_with_a_reason_and_never_below_nothing(live: LiveShop) -> None:
    hat, keeper = live.hat(price="10.00", stock=2), live.staff(Role.PRODUCT_MANAGER)
    moved = keeper.post(f"/products/{hat}/stock", json={"change": 3, "reason": "found"})
    assert (moved.status_code, moved.json()["stock"]) == (200, 5)
    short = keeper.post(f"/products/{hat}/stock", json={"change": -6, "reason": "lost"})
    assert problem(short, 409, "out-of-stock")["lines"] == [{"product_id": hat, "requested": 6, "available": 5}]
    for bad in (0, 1.5, "2", True, 10**38):
        problem(keeper.post(f"/products/{hat}/stock", json={"change": bad, "reason": "why"}), 422, "invalid")
    problem(keeper.post(f"/products/{hat}/stock", json={"change": 1, "reason": ""}), 422, "invalid")
    problem(keeper.post("/products/nothing/stock", json={"change": 1, "reason": "why"}), 404, "not-found")
    ledger = keeper.get(f"/products/{hat}/stock").json()["items"]
    assert [(row["change"], row["kind"], row["reason"]) for row in ledger] == [
        (3, "adjustment", "found"),
        (2, "opening", ""),
    ]
    assert stock(live, hat) == 5


def test_categories_have_names_of_their_own_and_form_a_tree(live: LiveShop, visitor: httpx.Client) -> None:
    keeper = live.staff(Role.PRODUCT_MANAGER)
    wear = keeper.post("/categories", json={"name": "Wear"}).json()
    hats = keeper.post("/categories", json={"name": "Hats", "parent_id": wear["id"]}).json()
    assert hats["parent_id"] == wear["id"]
    problem(keeper.post("/categories", json={"name": " hATS "}), 409, "category-exists")
    problem(keeper.post("/categories", json={"name": "Caps", "parent_id": "nothing"}), 422, "invalid")
    problem(keeper.patch(f"/categories/{wear['id']}", json={"parent_id": hats["id"]}), 422, "invalid")
    problem(keeper.patch(f"/categories/{wear['id']}", json={"name": None}), 422, "invalid")
    problem(keeper.delete(f"/categories/{wear['id']}"), 409, "category-in-use")
    assert names(visitor.get("/categories")) == ["Hats", "Wear"]
    tag = visitor.get(f"/categories/{hats['id']}").headers["ETag"]
    moved = keeper.patch(f"/categories/{hats['id']}", json={"parent_id": None}, headers={"If-Match": tag})
    assert (moved.json()["parent_id"], moved.json()["version"]) == (None, 2)
    again = keeper.patch(f"/categories/{hats['id']}", json={"name": "Caps"}, headers={"If-Match": tag})
    problem(again, 412, "precondition-failed")
    live.hat(price="10.00", category_ids=[hats["id"]])
    problem(keeper.delete(f"/categories/{hats['id']}"), 409, "category-in-use")
    assert keeper.delete(f"/categories/{wear['id']}").status_code == 204
    problem(visitor.get(f"/categories/{wear['id']}"), 404, "not-found")


def test_coupons_are_made_changed_and_withdrawn(live: LiveShop) -> None:
    pricer = live.staff(Role.SALES_MANAGER)
    made = pricer.post("/coupons", json={"code": " spring-10 ", "percent": "10", "min_spend": "50", "max_uses": 3})
    assert made.status_code == 201, made.text
    coupon = made.json()
    assert (coupon["code"], coupon["percent"], coupon["amount"]) == ("SPRING-10", "10", None)
    assert (coupon["min_spend"], coupon["currency"], coupon["uses"]) == ("50.00", "USD", 0)
    problem(pricer.post("/coupons", json={"code": "Spring-10", "amount": "5"}), 409, "coupon-exists")
    path = f"/coupons/{coupon['id']}"
    changed = pricer.patch(path, json={"percent": None, "amount": "5"}, headers={"If-Match": made.headers["ETag"]})
    assert (changed.json()["percent"], changed.json()["amount"], changed.json()["max_uses"]) == (None, "5.00", 3)
    stale = pricer.patch(path, json={"max_uses": None}, headers={"If-Match": made.headers["ETag"]})
    problem(stale, 412, "precondition-failed")
    assert pricer.delete(path).status_code == 204
    (listed,) = pricer.get("/coupons").json()["items"]
    assert (listed["id"], listed["is_active"]) == (coupon["id"], False)
    problem(pricer.delete("/coupons/nothing"), 404, "not-found")


def test_a_coupon_that_makes_no_sense_is_refused(live: LiveShop) -> None:
    pricer = live.staff(Role.SALES_MANAGER)
    for body in [
        {"code": "X"},
        {"code": "X", "percent": "10", "amount": "5"},
        {"code": "X", "percent": "0"},
        {"code": "X", "percent": "101"},
        {"code": "X", "amount": "0"},
        {"code": "X", "amount": 5},
        {"code": "not a code", "percent": "10"},
        {"percent": "10"},
        {"code": "X", "percent": "10", "max_uses": 0},
        {"code": "X", "percent": "10", "max_uses": 1.5},
        {"code": "X", "percent": "10", "uses": 0},
        {"code": "X", "percent": "10", "starts_at": "2026-02-02T00:00:00Z", "ends_at": "2026-02-02T00:00:00Z"},
    ]:
        problem(pricer.post("/coupons", json=body), 422, "invalid")


def test_a_category_in_use_by_an_archived_product_alone_can_go(live: LiveShop) -> None:
    shelf = category(live)
    hat = live.hat(price="10.00", category_ids=[shelf])
    live.store.catalog.archive_product(by=SYSTEM, product_id=hat)
    assert live.staff(Role.PRODUCT_MANAGER).delete(f"/categories/{shelf}").status_code == 204


def test_whoever_may_change_nothing_of_a_product_is_told_so_before_the_fields_are_looked_at(live: LiveShop) -> None:
    hat = live.hat()
    answer = live.customer().patch(f"/products/{hat}", json={"price": 1, "nonsense": True})
    problem(answer, 403, "forbidden")


def test_facets_say_what_each_further_choice_leaves(live: LiveShop, visitor: httpx.Client) -> None:
    hats, caps = category(live, "Hats"), category(live, "Caps")
    live.hat(price="19.99", category_ids=[hats], attributes={"colour": "red"})
    live.hat(price="5.00", category_ids=[hats], attributes={"colour": "blue"})
    live.hat(price="19.50", category_ids=[caps], attributes={"colour": "red"})
    assert "facets" not in visitor.get("/products").json()
    answer = visitor.get("/products", params={"facets": True, "attr.colour": "red", "limit": 1})
    found = answer.json()["facets"]
    assert {each["id"]: each["count"] for each in found["categories"]} == {hats: 1, caps: 1}
    assert found["attributes"] == [
        {"name": "colour", "values": [{"value": "red", "count": 2}, {"value": "blue", "count": 1}]}
    ]
    assert found["prices"] == [{"min_price": "15.00", "max_price": "19.99", "count": 2, "currency": "USD"}]
    cursor = answer.json()["next_cursor"]
    further = visitor.get("/products", params={"attr.colour": "red", "limit": 1, "cursor": cursor})
    assert len(further.json()["items"]) == 1, "facets are asked for once, on the first page"
    assert "facets" not in further.json()
    refused = visitor.get("/products", params={"facets": "maybe"})
    assert problem(refused, 422, "invalid")["errors"][0]["field"] == "facets"
