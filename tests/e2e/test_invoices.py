from io import BytesIO

import httpx
from pypdf import PdfReader

from storecore.accounts.permissions import Role
from tests.e2e.conftest import LiveShop, MovableClock, problem
from tests.e2e.goods import ADDRESS, order_of


def text_of(answer: httpx.Response) -> str:
    """What is written on a PDF."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf"), answer.text
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages)


def test_an_invoice_opens_and_agrees_with_its_order(live: LiveShop) -> None:
    hat, cap = live.hat(price="19.99", name="Şapka"), live.hat(price="5.00", name="Кепка")
    customer = live.customer(full_name="Ayşe Yılmaz", tax_id="TR-42")
    there = ADDRESS | {"recipient": "Юлия Щербакова"}
    order = customer.post("/orders", json=order_of((hat, 2), (cap, 1), delivery_address=there)).json()
    path = f"/orders/{order['id']}/invoice.pdf"
    answer = customer.get(path)
    text = text_of(answer)
    for expected in ("INV-000001", order["number"], "Ayşe Yılmaz", "Юлия Щербакова", "İstanbul", "TR-42"):
        assert expected in text
    for expected in ("Şapka", "Кепка", order["total"], order["tax"], order["subtotal"], order["shipping"]):
        assert expected in text
    assert "attachment" in answer.headers["Content-Disposition"]
    assert customer.get(path).content == answer.content


def test_an_invoice_is_for_its_owner_and_for_those_who_read_all(live: LiveShop) -> None:
    hat, visitor = live.hat(), live.visitor()
    order = visitor.post("/orders", json=order_of((hat, 1), email="guest@example.com")).json()
    path = f"/orders/{order['id']}/invoice.pdf"
    assert order["number"] in text_of(visitor.get(path, params={"token": order["access_token"]}))
    assert order["number"] in text_of(live.staff(Role.SALES_MANAGER).get(path))
    problem(live.staff(Role.VENDOR).get(path), 404, "not-found")
    problem(live.customer().get(path), 404, "not-found")
    problem(visitor.get(path), 401, "not-authenticated")


def test_an_order_that_was_cancelled_before_its_invoice_gets_none(live: LiveShop) -> None:
    hat, customer = live.hat(), live.customer()
    order = customer.post("/orders", json=order_of((hat, 1))).json()
    assert customer.post(f"/orders/{order['id']}/cancel").status_code == 200
    problem(customer.get(f"/orders/{order['id']}/invoice.pdf"), 409, "not-invoiced")


def test_invoices_are_listed_by_the_days_of_the_shop_without_a_gap(live: LiveShop, clock: MovableClock) -> None:
    hat, customer = live.hat(), live.customer()
    orders = []
    for _ in range(3):
        orders.append(customer.post("/orders", json=order_of((hat, 1))).json())
        live.store.work()
        clock.forward(minutes=9)
    clock.forward(days=1)
    late = live.customer("eve@example.com").post("/orders", json=order_of((hat, 1))).json()
    live.store.work()
    manager = live.staff(Role.SALES_MANAGER)
    listed = manager.get("/invoices").json()["items"]
    assert [invoice["number"] for invoice in listed] == ["INV-000004", "INV-000003", "INV-000002", "INV-000001"]
    assert [invoice["order_id"] for invoice in listed] == [late["id"], *(order["id"] for order in reversed(orders))]
    assert (listed[0]["total"], listed[0]["currency"], listed[0]["buyer"]) == (late["total"], "USD", "Ada Lovelace")
    for query, expected in [
        ({"from": "2026-01-16"}, 1),
        ({"to": "2026-01-15"}, 3),
        ({"from": "2026-01-15", "to": "2026-01-16"}, 4),
        ({"from": "2026-01-17"}, 0),
        ({"from": "2026-01-16", "to": "2026-01-15"}, 0),
    ]:
        assert len(manager.get("/invoices", params=query).json()["items"]) == expected, query
    page = manager.get("/invoices?limit=3").json()
    rest = manager.get("/invoices", params={"limit": "3", "cursor": page["next_cursor"]}).json()
    assert [invoice["number"] for invoice in rest["items"]] == ["INV-000001"]
