"""A machine whose clock is set back or runs ahead."""

from tests.e2e.conftest import PASSWORD, LiveShop, MovableClock, problem
from tests.e2e.goods import order_of, stock


def test_an_hour_back_nobody_is_shut_out_and_books_are_kept(live: LiveShop, clock: MovableClock) -> None:
    hat, customer = live.hat(), live.customer()
    first = customer.post("/orders", json=order_of((hat, 1))).json()
    clock.forward(hours=-1)
    assert customer.get("/auth/me").status_code == 200
    second = customer.post("/orders", json=order_of((hat, 1))).json()
    assert customer.post(f"/orders/{first['id']}/cancel").status_code == 200
    live.signed_in("ada@example.com")
    while live.store.work():
        pass
    assert {order["id"] for order in customer.get("/orders").json()["items"]} == {first["id"], second["id"]}
    assert stock(live, hat) == 9


def test_a_day_ahead_sessions_are_renewed_and_what_was_made_then_stays_good(
    live: LiveShop, clock: MovableClock
) -> None:
    hat = live.hat()
    live.register("ada@example.com")
    body = {"email": "ada@example.com", "password": PASSWORD}
    tokens = live.visitor().post("/auth/token", json=body).json()
    clock.forward(days=1)
    ada = live.visitor(Authorization=f"Bearer {tokens['access_token']}")
    problem(ada.get("/auth/me"), 401, "not-authenticated")
    fresh = live.visitor().post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    ahead = live.visitor(Authorization=f"Bearer {fresh['access_token']}")
    order = ahead.post("/orders", json=order_of((hat, 1))).json()
    while live.store.work():
        pass
    clock.forward(days=-1)
    assert ahead.get(f"/orders/{order['id']}").json()["created_at"] > "2026-01-16"
    assert ahead.post(f"/orders/{order['id']}/cancel").status_code == 200
    assert stock(live, hat) == 10
