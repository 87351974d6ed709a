"""Sending goods back over HTTP: asked for, decided, received, paid, and credited on paper."""

import io
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.orders.model import Status
from tests.e2e.conftest import LiveShop, problem, text_of
from tests.e2e.goods import order_of, stock

WAY = (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED)


@pytest.fixture
def ada(live: LiveShop) -> httpx.Client:
    return live.customer()


@pytest.fixture
def sales(live: LiveShop) -> httpx.Client:
    return live.staff(Role.SALES_MANAGER)


@pytest.fixture
def keeper(live: LiveShop) -> httpx.Client:
    return live.staff(Role.PRODUCT_MANAGER)


def delivered(live: LiveShop, client: httpx.Client, hat: str, quantity: int = 3, **more: Any) -> dict[str, Any]:
    """An order at the customer's."""
    answer = client.post("/orders", json=order_of((hat, quantity), **more))
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    for status in WAY:
        live.store.orders.advance(by=SYSTEM, order_id=order["id"], to=status)
    return order


def asked(client: httpx.Client, order: dict[str, Any], quantity: int = 1, **headers: str) -> dict[str, Any]:
    """A refund of some of the first line."""
    body = {"items": [{"line_id": order["lines"][0]["id"], "quantity": quantity}], "reason": "Too small"}
    answer = client.post(f"/orders/{order['id']}/refunds", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    refund: dict[str, Any] = answer.json()
    return refund


def test_goods_go_back_and_the_money_returns(
    live: LiveShop, ada: httpx.Client, sales: httpx.Client, keeper: httpx.Client
) -> None:
    hat = live.hat(stock=5, price="3.33")  # 9.99 for three, 0.80 tax, 10.00 shipping
    order = delivered(live, ada, hat)
    body = {"items": [{"line_id": order["lines"][0]["id"], "quantity": 2}], "reason": "Too small\nby far"}
    answer = ada.post(f"/orders/{order['id']}/refunds", json=body, headers={"Idempotency-Key": "one"})
    again = ada.post(f"/orders/{order['id']}/refunds", json=body, headers={"Idempotency-Key": "one"})
    assert (answer.status_code, again.status_code) == (201, 201)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (answer.json(), "true")
    refund = answer.json()
    assert answer.headers["Location"] == f"/api/v1/refunds/{refund['id']}"
    assert {name: refund[name] for name in ("order_id", "status", "amount", "tax", "currency", "reason")} == {
        "order_id": order["id"],
        "status": "requested",
        "amount": "7.19",
        "tax": "0.53",
        "currency": "USD",
        "reason": "Too small\nby far",
    }
    assert (refund["decision_note"], refund["decided_at"], refund["items"][0]["quantity"]) == (None, None, 2)
    path = f"/refunds/{refund['id']}"
    problem(sales.post(f"{path}/approve", json={"note": "x" * 2001}), 422, "invalid")
    approved = sales.post(f"{path}/approve", json={"note": "Send it in", "include_shipping": True})
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert (approved.json()["amount"], approved.json()["decision_note"]) == ("17.19", "Send it in")
    problem(sales.post(f"{path}/approve"), 409, "already-decided")
    problem(sales.post(f"{path}/reject", json={}), 409, "already-decided")
    problem(ada.get(f"{path}/credit-note.pdf"), 409, "not-credited")
    left = stock(live, hat)
    received = keeper.post(f"{path}/receive", json={"disposition": "restock"}, headers={"Idempotency-Key": "r"})
    assert (received.status_code, received.json()["status"]) == (200, "refunded"), received.text
    replayed = keeper.post(f"{path}/receive", json={"disposition": "restock"}, headers={"Idempotency-Key": "r"})
    assert replayed.headers["Idempotent-Replayed"] == "true"
    problem(keeper.post(f"{path}/receive", json={"disposition": "restock"}), 409, "already-decided")
    assert stock(live, hat) == left + 2
    shown = ada.get(f"/orders/{order['id']}").json()
    assert (shown["refunded"], shown["payment_status"], shown["status"]) == ("17.19", "partly_refunded", "delivered")

    rest = asked(ada, order)
    assert sales.post(f"/refunds/{rest['id']}/approve", json={"expect_return": False}).json()["amount"] == "3.60"
    shown = ada.get(f"/orders/{order['id']}").json()
    assert (shown["refunded"], shown["payment_status"]) == (shown["total"], "refunded")
    problem(ada.post(f"/orders/{order['id']}/refunds", json=body), 409, "not-returnable")


def test_the_credit_note_is_downloaded_and_mailed(live: LiveShop, ada: httpx.Client, sales: httpx.Client) -> None:
    order = delivered(live, ada, live.hat(price="20.00"))
    refund = asked(ada, order, 2)
    sales.post(f"/refunds/{refund['id']}/approve", json={"expect_return": False, "note": "Keep them"})
    path = f"/refunds/{refund['id']}/credit-note.pdf"
    paper = ada.get(path)
    assert (paper.status_code, paper.headers["Content-Type"]) == (200, "application/pdf")
    assert "CN-000001.pdf" in paper.headers["Content-Disposition"]
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.content)).pages)
    for said in ("CREDIT NOTE", "CN-000001", "INV-000001", order["number"], "$43.20", "$3.20"):
        assert said in text
    for reader in (sales, ada):
        assert reader.get(path).content == paper.content
    for stranger in (live.customer("eve@example.com"), live.staff(Role.SUPPORT_AGENT)):
        problem(stranger.get(path), 404, "not-found")
    letters = [letter for letter in live.mail("ada@example.com") if "refund" in letter["Subject"]]
    assert [letter["Subject"] for letter in letters] == [f"Your refund for order {order['number']} was paid"]
    (attached,) = letters[0].iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("CN-000001.pdf", paper.content)
    assert "$43.20" in text_of(letters[0])
    assert "Keep them" in text_of(letters[0])


def test_others_refunds_are_not_there(live: LiveShop, ada: httpx.Client, sales: httpx.Client) -> None:
    order = delivered(live, ada, live.hat())
    refund = asked(ada, order)
    eve, agent = live.customer("eve@example.com"), live.staff(Role.SUPPORT_AGENT)
    path = f"/refunds/{refund['id']}"
    for answer in (
        eve.get(path),
        eve.post(f"{path}/withdraw"),
        eve.post(f"/orders/{order['id']}/refunds", json={"items": [{"line_id": "x", "quantity": 1}], "reason": "x"}),
        sales.post("/refunds/nothing/approve"),
        ada.get("/refunds/nothing"),
    ):
        problem(answer, 404, "not-found")
    for client in (eve, agent, live.staff(Role.VENDOR)):
        problem(client.post(f"{path}/approve", json={}), 403, "forbidden")
        problem(client.post(f"{path}/reject", json={}), 403, "forbidden")
        problem(client.post(f"{path}/receive", json={"disposition": "scrap"}), 403, "forbidden")
    visitor = live.visitor()
    for answer in (visitor.get("/refunds"), visitor.get(path), visitor.post(f"{path}/approve", json={})):
        problem(answer, 401, "not-authenticated")
    assert eve.get("/refunds").json()["items"] == []
    assert agent.get(path).json()["id"] == refund["id"]
    for client in (ada, agent, sales):
        assert [each["id"] for each in client.get("/refunds?status=requested").json()["items"]] == [refund["id"]]
        assert client.get("/refunds?status=approved").json()["items"] == []
    problem(ada.get("/refunds?status=lost"), 422, "invalid")


def test_a_guest_returns_with_the_orders_token(live: LiveShop, sales: httpx.Client) -> None:
    hat, visitor = live.hat(), live.visitor()
    order = delivered(live, visitor, hat, email="guest@example.com")
    other = delivered(live, visitor, hat, email="guest@example.com")
    token = {"X-Order-Token": order["access_token"]}
    refund = asked(visitor, order, **token)
    assert refund["customer_id"] is None
    asked(visitor, other, **{"X-Order-Token": other["access_token"]})
    assert [each["id"] for each in visitor.get("/refunds", headers=token).json()["items"]] == [refund["id"]]
    assert visitor.get(f"/refunds/{refund['id']}?token={order['access_token']}").json() == refund
    sales.post(f"/refunds/{refund['id']}/approve", json={"expect_return": False})
    paper = visitor.get(f"/refunds/{refund['id']}/credit-note.pdf", headers=token)
    assert paper.content.startswith(b"%PDF")
    second = asked(visitor, order, **token)
    assert visitor.post(f"/refunds/{second['id']}/withdraw", headers=token).json()["status"] == "withdrawn"
    problem(visitor.get(f"/refunds/{refund['id']}", headers={"X-Order-Token": other["access_token"]}), 404, "not-found")


def test_nobody_decides_their_own(live: LiveShop) -> None:
    admin = live.staff(Role.ADMIN)
    refund = asked(admin, delivered(live, admin, live.hat()))
    for decision in ("approve", "reject"):
        answer = problem(admin.post(f"/refunds/{refund['id']}/{decision}"), 403, "forbidden")
        assert "own order" in answer["detail"]


def test_a_stale_decision_is_refused(live: LiveShop, ada: httpx.Client, sales: httpx.Client) -> None:
    refund = asked(ada, delivered(live, ada, live.hat()))
    path = f"/refunds/{refund['id']}"
    read = sales.get(path)
    assert sales.get(path, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
    problem(sales.post(f"{path}/reject", headers={"If-Match": '"9.x"'}), 412, "precondition-failed")
    rejected = sales.post(f"{path}/reject", json={"note": "Worn"}, headers={"If-Match": read.headers["ETag"]})
    assert (rejected.json()["status"], rejected.json()["decision_note"]) == ("rejected", "Worn")
    problem(ada.post(f"{path}/withdraw"), 409, "already-decided")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "x"}, "items"),
        ({"items": [], "reason": "x"}, "items"),
        ({"items": [{"line_id": "x", "quantity": 1}]}, "reason"),
        ({"items": [{"line_id": "x", "quantity": 0}], "reason": "x"}, "items.0.quantity"),
        ({"items": [{"line_id": "x", "quantity": "1"}], "reason": "x"}, "items.0.quantity"),
        ({"items": [{"line_id": "x", "quantity": 1}], "reason": "x"}, "items.0.line_id"),
        ({"items": [{"line_id": "x", "quantity": 1}], "reason": "x", "amount": "9"}, "amount"),
    ],
)
def test_a_request_that_makes_no_sense_names_its_field(
    live: LiveShop, ada: httpx.Client, body: dict[str, Any], field: str
) -> None:
    order = delivered(live, ada, live.hat())
    refused = problem(ada.post(f"/orders/{order['id']}/refunds", json=body), 422, "invalid")
    assert [error["field"] for error in refused["errors"]] == [field]


def test_only_what_was_delivered_lately_goes_back(live: LiveShop, ada: httpx.Client) -> None:
    hat = live.hat()
    pending = ada.post("/orders", json=order_of((hat, 1))).json()
    order = delivered(live, ada, hat)
    line = {"line_id": pending["lines"][0]["id"], "quantity": 1}
    body = {"items": [line], "reason": "x"}
    problem(ada.post(f"/orders/{pending['id']}/refunds", json=body), 409, "not-returnable")
    live.clock.forward(days=31)
    ada = live.signed_in("ada@example.com")
    body = {"items": [{"line_id": order["lines"][0]["id"], "quantity": 1}], "reason": "x"}
    assert "30 days" in problem(ada.post(f"/orders/{order['id']}/refunds", json=body), 409, "not-returnable")["detail"]
