"""Wishlists over HTTP, and the mail that wishers get."""

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from tests.e2e.conftest import LiveShop, problem, text_of
from tests.e2e.goods import order_of


def test_products_are_wished_listed_taken_off_and_cleared(live: LiveShop) -> None:
    hat, cap, customer = live.hat(price="20.00"), live.hat(price="30.00", stock=0), live.customer()
    made = customer.post(f"/wishlist/{hat}")
    assert (made.status_code, made.headers["Location"]) == (201, f"/api/v1/wishlist/{hat}")
    product = customer.get(f"/products/{hat}").json()
    del product["siblings"]
    assert made.json() == {**product, "wished_at": "2026-01-15T12:00:00.123456Z"}
    live.clock.forward(minutes=1)
    assert customer.post(f"/wishlist/{cap}").status_code == 201
    problem(customer.post(f"/wishlist/{hat}"), 409, "already-wished")
    first = customer.get("/wishlist", params={"limit": 1, "include_total": True}).json()
    assert ([item["id"] for item in first["items"]], first["total"]) == ([cap], 2)
    rest = customer.get("/wishlist", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([hat], None)
    live.store.catalog.archive_product(by=SYSTEM, product_id=hat)
    assert [item["is_active"] for item in customer.get("/wishlist").json()["items"]] == [True, False]
    assert customer.delete(f"/wishlist/{hat}").status_code == 204
    problem(customer.delete(f"/wishlist/{hat}"), 404, "not-found")
    problem(customer.post(f"/wishlist/{hat}"), 409, "product-unavailable")
    assert customer.delete("/wishlist").status_code == 204
    assert customer.get("/wishlist").json() == {"items": [], "next_cursor": None}


def test_a_wishlist_is_its_owners_alone_and_guests_have_none(live: LiveShop) -> None:
    hat, ada, visitor = live.hat(), live.customer(), live.visitor()
    bob = live.customer("bob@example.com")
    ada.post(f"/wishlist/{hat}")
    assert bob.get("/wishlist").json()["items"] == []
    problem(bob.delete(f"/wishlist/{hat}"), 404, "not-found")
    for answer in (
        visitor.get("/wishlist"),
        visitor.delete("/wishlist"),
        visitor.post(f"/wishlist/{hat}"),
        visitor.delete(f"/wishlist/{hat}"),
    ):
        problem(answer, 401, "not-authenticated")
    for unknown in ("nothing", "x" * 300, "%00", "%F0%9F%8E%A9", hat.upper()):
        problem(ada.post(f"/wishlist/{unknown}"), 404, "not-found")
        problem(ada.delete(f"/wishlist/{unknown}"), 404, "not-found")
    problem(ada.post(f"/wishlist/{hat}", json={"note": "please"}), 422, "invalid")


def test_a_wish_is_sent_again_without_a_second_effect(live: LiveShop) -> None:
    hat, customer = live.hat(), live.customer()
    answers = [customer.post(f"/wishlist/{hat}", headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["Idempotent-Replayed"] == "true"


def test_staff_see_costs_on_their_wishlists_and_customers_do_not(live: LiveShop) -> None:
    hat, sales, customer = live.hat(), live.staff(Role.SALES_MANAGER), live.customer()
    assert "cost" in sales.post(f"/wishlist/{hat}").json()
    assert "cost" not in customer.post(f"/wishlist/{hat}").json()


def test_mail_tells_of_a_discount_and_of_what_is_back(live: LiveShop) -> None:
    hat, customer, keeper = live.hat(stock=1, price="20.00"), live.customer(), live.staff(Role.PRODUCT_MANAGER)
    pricer = live.staff(Role.SALES_MANAGER)
    customer.post(f"/wishlist/{hat}")
    live.clock.forward(minutes=1)
    discount = {"product_ids": [hat], "percent": "12.5", "ends_at": "2026-01-20T09:30:00Z"}
    for _ in range(2):
        assert pricer.patch("/products/discount", json=discount).status_code == 200
    buyer = live.customer("buyer@example.com")
    bought = buyer.post("/orders", json=order_of((hat, 1))).json()
    live.clock.forward(minutes=1)
    assert buyer.post(f"/orders/{bought['id']}/cancel").status_code == 200
    assert keeper.post(f"/products/{hat}/stock", json={"change": 5, "reason": "found"}).status_code == 200
    letters = [letter for letter in live.mail("ada@example.com") if "Confirm" not in letter["Subject"]]
    assert sorted(letter["Subject"] for letter in letters) == ["Back in stock: Straw hat", "Now 12.5 % off: Straw hat"]
    cheaper = next(text_of(letter) for letter in letters if "off" in letter["Subject"])
    assert "$17.50 instead of $20.00" in cheaper
    assert "Until January 20, 2026, 9:30" in cheaper


def test_mail_tells_when_a_planned_discount_begins(live: LiveShop) -> None:
    hat, customer, pricer = live.hat(), live.customer(), live.staff(Role.SALES_MANAGER)
    customer.post(f"/wishlist/{hat}")
    planned = {"product_ids": [hat], "percent": "50", "starts_at": "2026-01-16T12:00:00Z"}
    assert pricer.patch("/products/discount", json=planned).status_code == 200
    assert len(live.mail("ada@example.com")) == 1
    live.clock.forward(days=1)
    assert live.mail("ada@example.com")[-1]["Subject"] == "Now 50 % off: Straw hat"
