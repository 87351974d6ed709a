"""The whole life of an order, from the coupon to the last unit sent back, with the books proven after each step."""

from decimal import Decimal
from typing import Any

import httpx

from adapters.payments.demo import SECOND_STEP
from adapters.sql import SqlStorage
from adapters.sql.verify import verify
from storecore.accounts.permissions import Role
from tests.e2e.conftest import LiveShop, MovableClock
from tests.e2e.goods import order_of, stock

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def created(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def done(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def later(clock: MovableClock, *clients: httpx.Client, **by: float) -> None:
    """Let time pass, after which sessions are refreshed as a browser does it."""
    clock.forward(**by)
    for client in clients:
        done(client.post("/auth/refresh"))


class Books:
    """What the customer, staff and the database say of one order, which has to be the same to the cent."""

    def __init__(self, live: LiveShop, customer: httpx.Client, accountant: httpx.Client, order_id: str) -> None:
        self._live, self._customer, self._accountant, self._id = live, customer, accountant, order_id

    def balance(self, status: str, payment_status: str, *, refunded: str, invoiced: bool) -> dict[str, Any]:
        """Check everything; the order as the customer sees it."""
        assert isinstance(self._live.store.storage, SqlStorage)
        assert list(verify(self._live.store.storage, self._live.clock())) == []
        order: dict[str, Any] = done(self._customer.get(f"/orders/{self._id}"))
        assert (order["status"], order["payment_status"], order["refunded"]) == (status, payment_status, refunded)
        parts = {name: Decimal(order[name]) for name in ("subtotal", "discount", "shipping", "tax", "total")}
        assert parts["total"] == parts["subtotal"] - parts["discount"] + parts["shipping"] + parts["tax"]
        assert parts["total"] == sum(Decimal(line["total"]) for line in order["lines"]) + parts["shipping"]
        given_back = [
            Decimal(refund["amount"])
            for refund in done(self._customer.get("/refunds"))["items"]
            if refund["status"] == "refunded"
        ]
        assert sum(given_back) == Decimal(refunded) <= parts["total"]
        invoices = [each for each in done(self._accountant.get("/invoices"))["items"] if each["order_id"] == self._id]
        assert [each["total"] for each in invoices] == ([order["total"]] if invoiced else [])
        return order


def test_the_whole_life_of_an_order(live: LiveShop, clock: MovableClock) -> None:
    customer, browser = live.customer(), live.visitor()
    sales, warehouse = live.staff(Role.SALES_MANAGER), live.staff(Role.PRODUCT_MANAGER)
    hat, scarf = live.hat(stock=10, price="19.99"), live.hat(stock=5, price="7.45")
    created(sales.post("/coupons", json={"code": "HELLO15", "percent": "15", "max_uses_per_user": 1}))

    order = created(
        customer.post("/orders", json=order_of((hat, 3), (scarf, 1), coupon="HELLO15", payment={"provider": "demo"}))
    )
    path = f"/orders/{order['id']}"
    books = Books(live, customer, sales, order["id"])
    # 3 x 19.99 + 7.45 = 67.42, less 15 % = 57.31, and 8 % tax on it
    assert (order["subtotal"], order["discount"], order["shipping"], order["tax"], order["total"]) == (
        "67.42",
        "10.11",
        "10.00",
        "4.58",
        "71.89",
    )
    books.balance("pending", "unpaid", refunded="0.00", invoiced=False)
    assert (stock(live, hat), stock(live, scarf)) == (7, 4)

    payment = done(customer.post(f"{path}/payment", json={"provider": "demo", "token": SECOND_STEP}))["payment"]
    books.balance("pending", "pending", refunded="0.00", invoiced=False)
    browser.post(payment["action"]["url"], content="answer=approve", headers=FORM)
    live.mail("ada@example.com")
    books.balance("confirmed", "paid", refunded="0.00", invoiced=True)

    for status, more in (
        ("processing", {}),
        ("shipped", {"carrier": "Swift Post", "tracking_number": "SP1"}),
        ("delivered", {}),
    ):
        later(clock, customer, sales, warehouse, hours=3)
        done(warehouse.patch(f"{path}/status", json={"status": status, **more}))
        order = books.balance(status, "paid", refunded="0.00", invoiced=True)
    hats, scarves = order["lines"]

    later(clock, customer, sales, warehouse, days=2)
    request = {"items": [{"line_id": hats["id"], "quantity": 2}], "reason": "Two are too small"}
    refund = created(customer.post(f"{path}/refunds", json=request))
    assert refund["status"] == "requested"
    books.balance("delivered", "paid", refunded="0.00", invoiced=True)
    assert done(sales.post(f"/refunds/{refund['id']}/approve", json={"note": "Of course"}))["status"] == "approved"
    books.balance("delivered", "paid", refunded="0.00", invoiced=True)
    assert done(warehouse.post(f"/refunds/{refund['id']}/receive", json={"disposition": "restock"}))["status"] == (
        "received"
    )
    assert stock(live, hat) == 9
    live.mail("ada@example.com")
    first = done(customer.get(f"/refunds/{refund['id']}"))
    # two thirds of what the three hats cost after the discount, tax included
    two_hats = (2 * Decimal(hats["total"]) / 3).quantize(Decimal("0.01"))
    assert (first["status"], Decimal(first["amount"])) == ("refunded", two_hats)
    books.balance("delivered", "partly_refunded", refunded=first["amount"], invoiced=True)
    note = customer.get(f"/refunds/{refund['id']}/credit-note.pdf")
    assert (note.status_code, note.content[:4]) == (200, b"%PDF")
    assert note.content == customer.get(f"/refunds/{refund['id']}/credit-note.pdf").content

    review = created(customer.post(f"/products/{hat}/reviews", json={"rating": 4, "comment": "Warm, runs small"}))
    assert done(browser.get(f"/products/{hat}"))["rating"]["count"] == 0
    done(warehouse.post(f"/reviews/{review['id']}/approve"))
    assert done(browser.get(f"/products/{hat}"))["rating"] == {"average": 4.0, "count": 1}
    books.balance("delivered", "partly_refunded", refunded=first["amount"], invoiced=True)

    rest = [{"line_id": hats["id"], "quantity": 1}, {"line_id": scarves["id"], "quantity": 1}]
    second = created(customer.post(f"{path}/refunds", json={"items": rest, "reason": "The rest as well"}))
    answer = customer.post(f"{path}/refunds", json={"items": rest[:1], "reason": "Once more"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-returnable")
    decision = {"expect_return": False, "include_shipping": True}
    done(sales.post(f"/refunds/{second['id']}/approve", json=decision))
    letters = live.mail("ada@example.com")
    second = done(customer.get(f"/refunds/{second['id']}"))
    assert Decimal(first["amount"]) + Decimal(second["amount"]) == Decimal(order["total"])
    assert Decimal(first["tax"]) + Decimal(second["tax"]) == Decimal(order["tax"])
    books.balance("delivered", "refunded", refunded=order["total"], invoiced=True)
    attached = [part.get_filename() for letter in letters for part in letter.iter_attachments()]
    assert attached == ["INV-000001.pdf", "CN-000001.pdf", "CN-000002.pdf"]
    assert stock(live, hat) == 9, "what was not sent back is not on the shelf"
