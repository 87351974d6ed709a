"""Paying over HTTP: cards, the bank's page, webhooks, and what the worker makes of silence."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from adapters.payments.demo import DECLINED, LOST_ANSWER, NEVER_ARRIVED, SECOND_STEP, SUCCEEDS
from adapters.payments.stripe import StripePayments
from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from tests.e2e.conftest import LiveShop, MovableClock, problem, text_of
from tests.e2e.goods import order_of, stock
from tests.stripe_server import SECRET_KEY, THREE_D_SECURE, VISA, WEBHOOK_SECRET, StripeServer, running, signed

NOBODYS = "01a1fa49-df8f-7669-85af-651cd9754d97"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def placed(live: LiveShop, client: httpx.Client, *, provider: str = "demo", **more: Any) -> dict[str, Any]:
    """An order of one hat, to be paid by a provider."""
    hat = more.pop("hat", None) or live.hat()
    answer = client.post("/orders", json=order_of((hat, 1), payment={"provider": provider}, **more))
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    return order


def pay(client: httpx.Client, order: dict[str, Any], token: str | None = SUCCEEDS, **headers: str) -> httpx.Response:
    body = {"provider": order["payment_provider"]} | ({"token": token} if token else {})
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(f"/orders/{order['id']}/payment", json=body, headers=names)


def paid(client: httpx.Client, order: dict[str, Any], token: str | None = SUCCEEDS) -> dict[str, Any]:
    answer = pay(client, order, token)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def now(client: httpx.Client, order: dict[str, Any]) -> tuple[str, str]:
    """The status of an order, and of its payment."""
    found = client.get(f"/orders/{order['id']}").json()
    return found["status"], found["payment_status"]


def test_a_card_pays_the_order_and_the_invoice_follows(live: LiveShop) -> None:
    customer = live.customer()
    order = placed(live, customer)
    assert (order["payment_provider"], order["payment_status"]) == ("demo", "unpaid")
    problem(customer.get(f"/orders/{order['id']}/invoice.pdf"), 409, "not-invoiced")
    answer = pay(customer, order)
    shown = answer.json()
    assert (shown["status"], shown["payment_status"]) == ("confirmed", "paid")
    assert shown["payment"] == {
        "id": shown["payment"]["id"],
        "provider": "demo",
        "status": "succeeded",
        "failure": None,
        "action": None,
    }
    assert answer.headers["ETag"].startswith(f'"{shown["version"]}.')
    shown.pop("payment")
    assert shown == customer.get(f"/orders/{order['id']}").json()
    assert customer.get(f"/orders/{order['id']}/invoice.pdf").content.startswith(b"%PDF")
    attached = [[part.get_filename() for part in mail.iter_attachments()] for mail in live.mail("ada@example.com")]
    assert attached == [[], [], ["INV-000001.pdf"]], "verification, placed, confirmed"
    problem(pay(customer, order), 409, "already-paid")


def test_a_declined_card_says_why_and_another_one_pays(live: LiveShop) -> None:
    customer = live.customer()
    order = placed(live, customer)
    declined = paid(customer, order, DECLINED)
    assert (declined["payment"]["status"], declined["payment"]["failure"]) == ("failed", "The card was declined.")
    assert (declined["status"], declined["payment_status"]) == ("pending", "failed")
    assert paid(customer, order)["payment_status"] == "paid"


def test_a_second_step_is_taken_on_the_banks_page(live: LiveShop) -> None:
    customer, browser = live.customer(), live.visitor()
    order = placed(live, customer)
    payment = paid(customer, order, SECOND_STEP)["payment"]
    assert (payment["status"], payment["action"]["type"]) == ("action_needed", "redirect")
    page = browser.get(payment["action"]["url"])
    assert page.status_code == 200
    assert f"{order['number']}: <strong>{order['total']} USD" in page.text
    assert "script" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert browser.get(f"{live.address}/demo-bank/style.css").headers["Content-Type"].startswith("text/css")
    approved = browser.post(payment["action"]["url"], content="answer=approve", headers=FORM)
    assert (approved.status_code, approved.headers["Location"]) == (
        303,
        f"/demo-bank/{page.url.path.rpartition('/')[2]}",
    )
    assert "It is paid" in browser.get(payment["action"]["url"]).text
    assert now(customer, order) == ("confirmed", "paid")


def test_a_second_step_can_be_rejected_there(live: LiveShop) -> None:
    customer, browser = live.customer(), live.visitor()
    order = placed(live, customer)
    url = paid(customer, order, SECOND_STEP)["payment"]["action"]["url"]
    browser.post(url, content="answer=decline", headers=FORM)
    assert "rejected" in browser.get(url).text
    assert now(customer, order) == ("pending", "failed")
    browser.post(url, content="answer=approve", headers=FORM)
    assert now(customer, order) == ("pending", "failed")
    assert paid(customer, order)["payment_status"] == "paid"


def test_a_card_can_be_given_on_the_banks_page(live: LiveShop) -> None:
    customer, browser = live.customer(), live.visitor()
    order = placed(live, customer)
    url = paid(customer, order, None)["payment"]["action"]["url"]
    assert SUCCEEDS in browser.get(url).text
    assert browser.post(url, content=f"number={DECLINED}&x=%3Cb%3E", headers=FORM).status_code == 303
    assert "The card was declined." in browser.get(url).text
    url = paid(customer, order, None)["payment"]["action"]["url"]
    browser.post(url, content=f"number={SUCCEEDS}", headers=FORM)
    assert now(customer, order) == ("confirmed", "paid")
    for unknown in ("demo_x", "..%2f", "%00", "x" * 3000):
        assert browser.get(f"{live.address}/demo-bank/{unknown}").status_code == 404
        assert browser.post(f"{live.address}/demo-bank/{unknown}", content="", headers=FORM).status_code == 404


def test_what_the_bank_does_not_answer_the_worker_finds_out(live: LiveShop, clock: MovableClock) -> None:
    customer = live.customer()
    lost, never = placed(live, customer), placed(live, customer)
    for order, token in ((lost, LOST_ANSWER), (never, NEVER_ARRIVED)):
        pending = paid(customer, order, token)
        assert (pending["payment_status"], pending["payment"]["status"]) == ("pending", "submitted")
        problem(pay(customer, order), 409, "payment-in-progress")
    clock.forward(seconds=30)
    live.store.work()
    assert now(customer, lost) == ("confirmed", "paid")
    assert now(customer, never) == ("pending", "failed")
    assert paid(customer, never)["payment_status"] == "paid"


def test_an_order_that_is_not_paid_in_time_is_cancelled(live: LiveShop, clock: MovableClock) -> None:
    hat, customer, sales = live.hat(stock=3), live.customer(), live.staff(Role.SALES_MANAGER)
    sales.post("/coupons", json={"code": "ONCE", "percent": "10", "max_uses": 1})
    order = placed(live, customer, hat=hat, coupon="ONCE")
    waiting = placed(live, customer, hat=hat)
    url = paid(customer, waiting, SECOND_STEP)["payment"]["action"]["url"]
    assert stock(live, hat) == 1
    clock.forward(minutes=30)
    live.store.work()
    customer, sales = live.signed_in("ada@example.com"), live.signed_in("sales_manager@example.com")
    assert now(customer, order) == ("cancelled", "unpaid")
    assert now(customer, waiting) == ("cancelled", "failed")
    assert customer.get(f"/orders/{order['id']}").json()["history"][-1]["note"] == "It was not paid in time."
    assert stock(live, hat) == 3
    assert sales.get("/coupons").json()["items"][0]["uses"] == 0
    assert "It was not paid in time." in text_of(live.mail("ada@example.com")[-1])
    live.visitor().post(url, content="answer=approve", headers=FORM)
    assert now(customer, waiting) == ("cancelled", "failed"), "the bank was told in time"
    problem(pay(customer, order), 409, "illegal-transition")


def test_the_same_request_is_answered_the_same(live: LiveShop) -> None:
    customer = live.customer()
    order = placed(live, customer)
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: pay(customer, order, Idempotency_Key="k"), range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["payment"]["status"] for answer in answers} == {"succeeded"}
    again = pay(customer, order, Idempotency_Key="k")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["payment"]["id"] == answers[0].json()["payment"]["id"]
    problem(pay(customer, order, DECLINED, Idempotency_Key="k"), 422, "idempotency-key-reused")


def test_two_clients_that_pay_at_once_pay_once(live: LiveShop) -> None:
    clients = [live.customer(), live.signed_in("ada@example.com"), live.bearer("ada@example.com")]
    order = placed(live, clients[0])
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda client: pay(client, order), clients))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert now(clients[0], order) == ("confirmed", "paid")


def test_who_pays_what(live: LiveShop) -> None:
    customer, stranger, visitor = live.customer(), live.customer("eve@example.com"), live.visitor()
    order = placed(live, customer)
    for path in (order["id"], NOBODYS, "nothing", "0" * 300):
        problem(pay(stranger, {**order, "id": path}), 404, "not-found")
    problem(pay(live.staff(Role.ADMIN), order), 404, "not-found")
    problem(pay(visitor, order), 401, "not-authenticated")
    guests = placed(live, visitor, email="guest@example.com")
    problem(pay(visitor, order, X_Order_Token=guests["access_token"]), 404, "not-found")
    assert pay(visitor, guests, X_Order_Token=guests["access_token"]).json()["payment_status"] == "paid"
    problem(customer.post(f"/orders/{order['id']}/payment", json={"provider": "offline"}), 403, "forbidden")


def test_a_payment_is_asked_for_properly(live: LiveShop) -> None:
    hat, customer = live.hat(), live.customer()
    order = placed(live, customer)
    for body, field in (
        ({}, "provider"),
        ({"provider": "stripe"}, "provider"),
        ({"provider": 1}, "provider"),
        ({"provider": "demo", "token": "x" * 501}, "token"),
        ({"provider": "demo", "token": "a\x00b"}, "token"),
        ({"provider": "demo", "amount": "1.00"}, "amount"),
    ):
        refused = problem(customer.post(f"/orders/{order['id']}/payment", json=body), 422, "invalid")
        assert refused["errors"][0]["field"] == field
    for choice, field in (
        ({"provider": "stripe"}, "payment.provider"),
        ({"provider": "demo", "token": SUCCEEDS}, "payment.token"),
    ):
        refused = problem(customer.post("/orders", json=order_of((hat, 1), payment=choice)), 422, "invalid")
        assert refused["errors"][0]["field"] == field
    stale = pay(customer, order, If_Match='"9.x"')
    problem(stale, 412, "precondition-failed")
    assert now(customer, order) == ("pending", "unpaid")


def test_a_cart_can_be_paid_online_too(live: LiveShop) -> None:
    hat, customer = live.hat(), live.customer()
    customer.post("/cart/items", json={"product_id": hat, "quantity": 1})
    address = order_of((hat, 1))["delivery_address"]
    order = customer.post("/cart/checkout", json={"delivery_address": address, "payment": {"provider": "demo"}}).json()
    assert paid(customer, order)["status"] == "confirmed"


def test_the_page_behind_a_guests_link_offers_an_invoice_once_there_is_one(live: LiveShop) -> None:
    visitor = live.visitor()
    order = placed(live, visitor, email="guest@example.com")
    link = live.link("guest@example.com", "order")
    assert "invoice.pdf" not in visitor.get(link).text
    pay(visitor, order, X_Order_Token=order["access_token"])
    assert "invoice.pdf" in visitor.get(link).text


# Events.


def tell(live: LiveShop, provider: str, headers: Any, body: bytes) -> httpx.Response:
    return live.visitor().post(f"/payments/{provider}/events", content=body, headers=dict(headers))


def test_only_the_bank_itself_is_believed(live: LiveShop, clock: MovableClock) -> None:
    customer = live.customer()
    order = placed(live, customer)
    reference = paid(customer, order, SECOND_STEP)["payment"]["action"]["url"].rpartition("/")[2]
    live.bank.approve(reference, approved=True)
    headers, body = live.bank.tell(reference, clock())
    json = {"Content-Type": "application/json"}
    for wrong_headers, wrong_body in (
        (json, body),
        (json, b""),
        (json, b"{"),
        ({**headers, "Demo-Signature": "x"}, body),
        (headers, body.replace(b'"amount": ', b'"amount": 1')),
        (headers, b"\xff"),
    ):
        problem(tell(live, "demo", wrong_headers, wrong_body), 400, "event-forged")
    problem(tell(live, "demo", {**headers, "Content-Type": "text/plain"}, body), 415, "unsupported-type")
    problem(tell(live, "demo", headers, b" " * (1024 * 1024 + 1)), 413, "too-large")
    problem(tell(live, "offline", headers, body), 404, "not-found")
    problem(tell(live, "stripe", headers, body), 404, "not-found")
    clock.forward(minutes=5, seconds=1)
    problem(tell(live, "demo", headers, body), 400, "event-forged")
    assert now(customer, order) == ("pending", "pending")
    for _ in range(3):
        answer = tell(live, "demo", *live.bank.tell(reference, clock()))
        assert (answer.status_code, answer.content) == (204, b"")
    assert now(customer, order) == ("confirmed", "paid")


@pytest.fixture
def stripe(live: LiveShop) -> Iterator[StripeServer]:
    """The shop takes payments by Stripe, too."""
    with running() as server:
        provider = StripePayments(SECRET_KEY, webhook_secret=WEBHOOK_SECRET, api_base=server.address)
        live.store.orders.providers["stripe"] = provider  # type: ignore[index] # the fixture's own dict
        yield server


def test_stripe_charges_a_card(live: LiveShop, stripe: StripeServer) -> None:
    customer = live.customer()
    order = placed(live, customer, provider="stripe")
    declined = paid(customer, order, stripe.declined)["payment"]
    assert (declined["status"], declined["failure"]) == ("failed", "Your card was declined.")
    assert paid(customer, order, VISA)["payment_status"] == "paid"
    assert [amount for _, amount in stripe.charges] == [int(Decimal(order["total"]) * 100)]


def test_stripes_own_form_is_opened_by_the_client_secret(live: LiveShop, stripe: StripeServer) -> None:
    customer = live.customer()
    order = placed(live, customer, provider="stripe")
    action = paid(customer, order, None)["payment"]["action"]
    assert action == {"type": "stripe", "client_secret": "pi_1_secret_x"}


def test_stripes_webhooks_settle_a_second_step(live: LiveShop, stripe: StripeServer, clock: MovableClock) -> None:
    customer = live.customer()
    order = placed(live, customer, provider="stripe")
    action = paid(customer, order, THREE_D_SECURE)["payment"]["action"]
    assert action == {"type": "redirect", "url": f"{stripe.address}/3ds/pi_1"}
    stripe.approve("pi_1", approved=True)
    headers, body = stripe.event("pi_1", clock())
    forged = {**headers, "Stripe-Signature": headers["Stripe-Signature"].replace("v1=", "v1=0")}
    problem(tell(live, "stripe", forged, body), 400, "event-forged")
    problem(tell(live, "stripe", headers, body + b"\n"), 400, "event-forged")
    wrong_amount = stripe.event("pi_1", clock(), amount_received=1)
    unknown = stripe.event("pi_1", clock(), id="pi_of_another_shop")
    other = signed(b'{"type": "charge.updated", "data": {"object": {"id": "ch_1"}}}', clock())
    for headers_and_body in (unknown, other):
        assert tell(live, "stripe", *headers_and_body).status_code == 204
    assert now(customer, order) == ("pending", "pending")
    for _ in range(2):
        assert tell(live, "stripe", headers, body).status_code == 204
    assert tell(live, "stripe", *wrong_amount).status_code == 204
    assert now(customer, order) == ("confirmed", "paid")


def test_stripes_news_of_a_failure_ends_the_payment_for_good(
    live: LiveShop, stripe: StripeServer, clock: MovableClock
) -> None:
    customer = live.customer()
    order = placed(live, customer, provider="stripe")
    paid(customer, order, THREE_D_SECURE)
    stripe.approve("pi_1", approved=False)
    assert tell(live, "stripe", *stripe.event("pi_1", clock())).status_code == 204
    assert now(customer, order) == ("pending", "failed")
    assert stripe.intents["pi_1"]["status"] == "canceled"


def test_every_payment_is_one_charge_at_most(live: LiveShop, stripe: StripeServer, clock: MovableClock) -> None:
    customer = live.customer()
    for fault in ("dropped before", "dropped after", "500", "429"):
        for step in ("payment_intents", "confirm"):
            order = placed(live, customer, provider="stripe")
            stripe.charges.clear()
            stripe.fail_next(step, fault)
            paid(customer, order, VISA)
            for _ in range(3):
                clock.forward(minutes=5)
                live.store.work()
            customer = live.signed_in("ada@example.com")
            status = now(customer, order)
            assert status in {("confirmed", "paid"), ("pending", "failed")}
            assert len(stripe.charges) == (status[1] == "paid"), (fault, step)
            if status[1] == "failed":
                assert paid(customer, order, VISA)["payment_status"] == "paid"
                assert len(stripe.charges) == 1


def test_staff_confirm_what_was_paid_in_another_way(live: LiveShop) -> None:
    order = placed(live, live.customer())
    vendor = live.staff(Role.VENDOR)
    moved = vendor.patch(f"/orders/{order['id']}/status", json={"status": "confirmed"})
    assert "waits for its payment" in problem(moved, 409, "illegal-transition")["detail"]
    recorded = vendor.post(f"/orders/{order['id']}/payment", json={"provider": "offline"}).json()
    assert (recorded["payment_status"], recorded["payment_provider"], recorded["payment"]) == ("paid", "offline", None)
    assert live.store.orders.get(by=SYSTEM, order_id=order["id"]).pay_by is None
