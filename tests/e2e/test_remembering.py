"""Answers that are kept for guests are never out of date, whoever changes what."""

import httpx

from adapters.sql import SqlStorage
from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.money import Money
from tests.e2e.conftest import LiveShop, MovableClock
from tests.e2e.goods import order_of


def _seen(visitor: httpx.Client, product_id: str) -> tuple[int, str]:
    """Stock and final price, which the list and the page agree on."""
    (listed,) = visitor.get("/products").json()["items"]
    page = visitor.get(f"/products/{product_id}").json()
    assert (listed["stock"], listed["final_price"]) == (page["stock"], page["final_price"])
    return page["stock"], page["final_price"]


def test_a_sale_and_an_edit_are_seen_at_once(live: LiveShop, visitor: httpx.Client) -> None:
    hat = live.hat(stock=5, price="10.00")
    assert [_seen(visitor, hat) for _ in range(2)] == [(5, "10.00")] * 2
    live.customer().post("/orders", json=order_of((hat, 2)))
    assert [_seen(visitor, hat) for _ in range(2)] == [(3, "10.00")] * 2
    live.store.catalog.update_product(by=SYSTEM, product_id=hat, price=Money(1100, "USD"))
    assert _seen(visitor, hat) == (3, "11.00")


def test_what_another_program_commits_is_seen_at_once(live: LiveShop, visitor: httpx.Client) -> None:
    hat = live.hat(stock=5, price="10.00")
    before = _seen(visitor, hat)
    assert isinstance(live.store.storage, SqlStorage)
    other = SqlStorage(live.where, cipher=live.store.storage._cipher)
    with other.writing(live.clock(), lambda: "id") as unit:
        unit.products.save(unit.products.get(hat).changed(live.clock(), price=Money(900, "USD")), live.clock())
        unit.commit()
    other.close()
    assert (before, _seen(visitor, hat)) == ((5, "10.00"), (5, "9.00"))


def test_a_discount_begins_and_ends_on_time_with_nobody_committing(
    live: LiveShop, visitor: httpx.Client, clock: MovableClock
) -> None:
    hat = live.hat(stock=5, price="10.00")
    sales = live.staff(Role.SALES_MANAGER)
    window = {"starts_at": "2026-01-15T13:00:00Z", "ends_at": "2026-01-15T14:00:00Z"}
    answer = sales.patch("/products/discount", json={"product_ids": [hat], "percent": "50", **window})
    assert answer.status_code == 200, answer.text
    prices = []
    for seconds in (0, 3599, 1, 3599, 1):
        clock.forward(seconds=seconds)
        prices += [_seen(visitor, hat)[1] for _ in range(2)]
    assert prices == ["10.00"] * 4 + ["5.00"] * 4 + ["10.00"] * 2


def test_what_staff_see_is_never_shown_to_guests(live: LiveShop, visitor: httpx.Client) -> None:
    hat = live.hat()
    sales = live.staff(Role.SALES_MANAGER)
    for client in (sales, visitor, sales, visitor):
        assert ("cost" in client.get(f"/products/{hat}").json()) is (client is sales)


def test_a_kept_answer_is_not_sent_again_to_who_has_it(live: LiveShop, visitor: httpx.Client) -> None:
    hat = live.hat()
    tag = visitor.get(f"/products/{hat}").headers["ETag"]
    assert visitor.get(f"/products/{hat}", headers={"If-None-Match": tag}).status_code == 304
    assert visitor.get(f"/products/{hat}").headers["ETag"] == tag
