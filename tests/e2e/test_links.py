"""The pages behind the links in mail, as a browser without JavaScript uses them."""

import re
from html import unescape
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from storecore.accounts.model import SYSTEM
from storecore.orders.model import Status
from tests.e2e.conftest import PASSWORD, LiveShop, MovableClock, problem

ADA = "ada@example.com"
GUEST = "guest@example.com"
NEW_PASSWORD = "a much better one"
HOSTILE = '<script>alert("1")</script>'


class Page(HTMLParser):
    """What a browser sees of an answer: its form, links and text."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8", answer.text
        self.url, self.status = answer.url, answer.status_code
        self.tags: list[str] = []
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.links: list[httpx.URL] = []
        self._words: list[str] = []
        self.feed(answer.text)
        self.text = " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "form":
            assert given["method"] == "post"
            self.action = given["action"]
        elif tag == "input":
            self.fields[given["name"]] = given.get("value", "")
        elif tag in {"a", "link"}:
            self.links.append(self.url.join(given["href"]))
        assert not any(name.startswith("on") or name == "style" for name in given), "nothing is inline"

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def submit(self, client: httpx.Client, **typed: str) -> "Page":
        """Press the button."""
        assert self.action is not None
        return Page(client.post(self.url.join(self.action), data=self.fields | typed))


def follow(client: httpx.Client, link: str) -> Page:
    return Page(client.get(link))


def order_as_guest(live: LiveShop, *, name: str = "Straw hat", **more: Any) -> dict[str, Any]:
    body = {
        "items": [{"product_id": live.hat(name=name), "quantity": 3}],
        "delivery_address": {
            "recipient": "Özgür Çelik",
            "line1": "1 <b>Main</b> & Co",
            "city": "Ankara",
            "postal_code": "06100",
            "country": "TR",
        },
        "email": GUEST,
        **more,
    }
    answer = live.visitor().post("/orders", json=body)
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    return order


# Confirming an address.


def test_opening_the_link_confirms_nothing_and_its_button_does_once(live: LiveShop, visitor: httpx.Client) -> None:
    live.register(ADA)
    link = live.link(ADA, "verify-email")
    page = follow(visitor, link)
    assert page.status == 200
    assert live.signed_in(ADA).get("/auth/me").json()["email_verified"] is False
    done = page.submit(visitor)
    assert (done.status, ADA in done.text) == (200, True)
    assert live.signed_in(ADA).get("/auth/me").json()["email_verified"] is True
    again = follow(visitor, link).submit(visitor)
    assert (again.status, "does not work any more" in again.text) == (422, True)


def test_a_new_address_is_confirmed_by_its_page(live: LiveShop, visitor: httpx.Client) -> None:
    ada = live.customer()
    ada.post("/auth/email", json={"email": "countess@example.com", "password": PASSWORD})
    follow(visitor, live.link("countess@example.com", "verify-email")).submit(visitor)
    assert ada.get("/auth/me").json()["email"] == "countess@example.com"


# A new password.


def test_a_new_password_is_set_on_the_page(live: LiveShop, visitor: httpx.Client) -> None:
    ada = live.customer()
    visitor.post("/auth/password/forgot", json={"email": ADA})
    link = live.link(ADA, "reset-password")
    done = follow(visitor, link).submit(visitor, password=NEW_PASSWORD, again=NEW_PASSWORD)
    assert (done.status, "is set" in done.text) == (200, True)
    problem(ada.get("/auth/me"), 401, "session-ended")
    live.signed_in(ADA, NEW_PASSWORD)
    again = follow(visitor, link).submit(visitor, password="yet another one", again="yet another one")
    assert (again.status, "does not work any more" in again.text) == (422, True)


@pytest.mark.parametrize(
    ("password", "again", "told"),
    [
        ("short", "short", "8 to 128 characters"),
        ("", "", "8 to 128 characters"),
        ("long enough", "long enougg", "differ"),
        ("x" * 129, "x" * 129, "8 to 128 characters"),
        ("Password1", "Password1", "is one of the most common passwords; choose another"),
    ],
)
def test_a_password_that_will_not_do_can_be_corrected_on_the_spot(
    live: LiveShop, visitor: httpx.Client, password: str, again: str, told: str
) -> None:
    live.register(ADA)
    visitor.post("/auth/password/forgot", json={"email": ADA})
    refused = follow(visitor, live.link(ADA, "reset-password")).submit(visitor, password=password, again=again)
    assert refused.status == 422
    assert told in refused.text
    assert refused.fields["password"] == refused.fields["again"] == ""
    assert refused.submit(visitor, password=NEW_PASSWORD, again=NEW_PASSWORD).status == 200
    live.signed_in(ADA, NEW_PASSWORD)


def test_a_password_of_any_script_comes_through_the_form(live: LiveShop, visitor: httpx.Client) -> None:
    live.register(ADA)
    visitor.post("/auth/password/forgot", json={"email": ADA})
    password = "пароль + ığüşöç & 100% 🎩"
    follow(visitor, live.link(ADA, "reset-password")).submit(visitor, password=password, again=password)
    live.signed_in(ADA, password)


# A guest's order.


def test_a_guest_sees_the_order_behind_the_link_of_the_mail(live: LiveShop, visitor: httpx.Client) -> None:
    order = order_as_guest(live)
    page = follow(visitor, live.link(GUEST, "order"))
    assert page.status == 200
    for told in (order["number"], "pending", "Straw hat", "3", order["subtotal"], order["shipping"], order["tax"]):
        assert told in page.text
    assert f"{order['total']} {order['currency']}" in page.text
    assert "Özgür Çelik" in page.text
    assert "15 January 2026, 12:00 UTC" in page.text


def test_the_order_page_tells_what_happened(live: LiveShop, visitor: httpx.Client, clock: MovableClock) -> None:
    order = order_as_guest(live)
    link = live.link(GUEST, "order")
    steps: list[tuple[Status, dict[str, Any]]] = [
        (Status.CONFIRMED, {"note": HOSTILE}),
        (Status.PROCESSING, {}),
        (Status.SHIPPED, {"carrier": "PTT", "tracking_number": "RR123TR"}),
    ]
    for status, more in steps:
        clock.forward(hours=1)
        live.store.orders.advance(by=SYSTEM, order_id=order["id"], to=status, **more)
    text = follow(visitor, link).text
    for told in ("shipped", HOSTILE, "PTT RR123TR", "15 January 2026, 15:00 UTC"):
        assert told in text


def test_the_invoice_is_downloaded_from_the_order_page(live: LiveShop, visitor: httpx.Client) -> None:
    order = order_as_guest(live)
    page = follow(visitor, live.link(GUEST, "order"))
    (link,) = [link for link in page.links if link.path.endswith(".pdf")]
    pdf = visitor.get(link)
    assert pdf.headers["Content-Type"] == "application/pdf"
    text = PdfReader(BytesIO(pdf.content)).pages[0].extract_text()
    assert order["number"] in text
    assert order["total"] in text


def test_a_cancelled_order_that_was_never_invoiced_offers_no_invoice(live: LiveShop, visitor: httpx.Client) -> None:
    order = order_as_guest(live)
    token = order["access_token"]
    visitor.post(f"/orders/{order['id']}/cancel", headers={"X-Order-Token": token})
    page = follow(visitor, f"{live.address}/links/order?token={token}")
    assert "cancelled" in page.text
    assert not [link for link in page.links if link.path.endswith(".pdf")]


def test_an_orders_link_works_until_it_expires(live: LiveShop, visitor: httpx.Client, clock: MovableClock) -> None:
    order_as_guest(live)
    link = live.link(GUEST, "order")
    clock.forward(days=179)
    assert follow(visitor, link).status == follow(visitor, link).status == 200
    clock.forward(days=1)
    assert follow(visitor, link).status == 422


# Every page.


def test_what_people_type_is_text_on_a_page_and_never_markup(live: LiveShop, visitor: httpx.Client) -> None:
    order_as_guest(live, name=HOSTILE)
    answer = visitor.get(live.link(GUEST, "order"))
    assert "script" not in Page(answer).tags
    assert HOSTILE in Page(answer).text
    assert "1 <b>Main</b> & Co" in Page(answer).text
    token = f'">{HOSTILE}'
    answer = visitor.get(f"{live.address}/links/verify-email", params={"token": token})
    assert Page(answer).fields == {"token": token}
    assert "script" not in Page(answer).tags


@pytest.mark.parametrize("page", ["verify-email", "reset-password", "order"])
def test_a_page_tells_nobody_its_address_and_loads_nothing_from_elsewhere(
    live: LiveShop, visitor: httpx.Client, page: str
) -> None:
    token = order_as_guest(live)["access_token"]
    answer = visitor.get(f"{live.address}/links/{page}", params={"token": token})
    assert answer.status_code == 200
    assert answer.headers.get_list("Referrer-Policy") == ["no-referrer"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in answer.headers
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert not {"script", "style", "img", "iframe"} & set(Page(answer).tags)
    assert {link.host for link in Page(answer).links} == {"127.0.0.1"}
    (style,) = [link for link in Page(answer).links if link.path.endswith(".css")]
    sheet = visitor.get(style)
    assert (sheet.status_code, sheet.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert not re.search(r"url\(|@import", sheet.text)


@pytest.mark.parametrize("page", ["verify-email", "reset-password", "order"])
@pytest.mark.parametrize("query", ["", "?token=", "?other=1"])
def test_a_link_that_lost_its_token_is_refused_on_a_page(
    live: LiveShop, visitor: httpx.Client, page: str, query: str
) -> None:
    refused = follow(visitor, f"{live.address}/links/{page}{query}")
    assert (refused.status, "does not work any more" in refused.text) == (422, True)


@pytest.mark.parametrize("token", ["x", "a.b", "\u0000", "ü", "x" * 5000, "{0}x", "x{0}"])
def test_a_link_that_was_changed_is_refused_on_a_page(live: LiveShop, visitor: httpx.Client, token: str) -> None:
    live.register(ADA)
    token = token.replace("{0}", live.token(ADA, "verify-email"))
    assert Page(visitor.get(f"{live.address}/links/order", params={"token": token})).status == 422
    assert Page(visitor.post(f"{live.address}/links/verify-email", data={"token": token})).status == 422
    typed = {"token": token, "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert Page(visitor.post(f"{live.address}/links/reset-password", data=typed)).status == 422


def test_a_link_for_one_purpose_opens_no_page_of_another(live: LiveShop, visitor: httpx.Client) -> None:
    live.register(ADA)
    order = order_as_guest(live)["access_token"]
    verify = live.token(ADA, "verify-email")
    assert Page(visitor.get(f"{live.address}/links/order?token={verify}")).status == 422
    assert Page(visitor.post(f"{live.address}/links/verify-email", data={"token": order})).status == 422


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (415, {"Content-Type": "application/json"}, b'{"token": "x"}'),
        (415, {"Content-Type": "text/plain"}, b"token=x"),
        (413, FORM, b"token=" + b"x" * 20_000),
        (400, FORM, b"token=%ff"),
        (400, FORM, b"\xff"),
        (400, FORM, b"&".join([b"a=1"] * 11)),
        (422, FORM, b""),
    ],
)
@pytest.mark.parametrize("page", ["verify-email", "reset-password"])
def test_a_form_that_no_page_of_ours_has_sent_is_refused_on_a_page(
    live: LiveShop, visitor: httpx.Client, page: str, status: int, headers: dict[str, str], body: bytes
) -> None:
    answer = visitor.post(f"{live.address}/links/{page}", content=body, headers=headers)
    assert Page(answer).status == status


def test_a_page_needs_no_cookies_and_minds_no_other_site(live: LiveShop) -> None:
    ada = live.customer()
    page = follow(ada, live.link(ADA, "verify-email"))
    answer = ada.post(page.url.join(page.action or ""), data=page.fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert Page(answer).status == 200


def test_pages_can_be_read_where_the_shop_lives_below_a_path(live: LiveShop, visitor: httpx.Client) -> None:
    order_as_guest(live)
    addresses = re.findall(r'(?:href|action)="([^"]*)"', visitor.get(live.link(GUEST, "order")).text)
    assert addresses
    assert not [address for address in addresses if unescape(address).startswith(("/", "http"))]
