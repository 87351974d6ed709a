"""Other people's things, asked for by their ids and with tokens that are none."""

import base64
import json
from typing import Any

import httpx
import pytest

from storecore.accounts.permissions import Role
from tests.e2e.abuse.tables import unchanged
from tests.e2e.conftest import PASSWORD, LiveShop, problem
from tests.e2e.goods import ADDRESS, order_of
from tests.e2e.test_attachments import sent
from tests.e2e.test_refunds import delivered
from tests.e2e.test_support import NOBODYS, opened, path

EVE = "eve@example.com"


def owned(live: LiveShop, ada: httpx.Client) -> list[tuple[str, str, dict[str, Any] | None]]:
    """Something of everything that a customer has, each asked for by an address with its id."""
    hat = live.hat(stock=50)
    order = delivered(live, ada, hat)
    refund = ada.post(
        f"/orders/{order['id']}/refunds",
        json={"items": [{"line_id": order["lines"][0]["id"], "quantity": 1}], "reason": "Too small"},
    ).json()
    home = ada.post("/users/me/addresses", json=ADDRESS).json()
    asked = opened(ada)
    file = sent(ada, asked)["attachment"]
    review = ada.post(f"/products/{hat}/reviews", json={"rating": 5}).json()
    return [
        ("GET", f"/orders/{order['id']}", None),
        ("PATCH", f"/orders/{order['id']}", {"note": "Mine"}),
        ("POST", f"/orders/{order['id']}/cancel", None),
        ("POST", f"/orders/{order['id']}/payment", {"provider": "demo"}),
        ("GET", f"/orders/{order['id']}/invoice.pdf", None),
        ("POST", f"/orders/{order['id']}/refunds", {"items": [{"line_id": "x", "quantity": 1}], "reason": "Mine"}),
        ("GET", f"/refunds/{refund['id']}", None),
        ("POST", f"/refunds/{refund['id']}/withdraw", None),
        ("GET", f"/refunds/{refund['id']}/credit-note.pdf", None),
        ("GET", f"/users/me/addresses/{home['id']}", None),
        ("PATCH", f"/users/me/addresses/{home['id']}", {"city": "Mine"}),
        ("DELETE", f"/users/me/addresses/{home['id']}", None),
        ("POST", "/orders", {"items": [{"product_id": hat, "quantity": 1}], "address_id": home["id"]}),
        ("GET", path(asked), None),
        ("GET", path(asked, "messages"), None),
        ("POST", path(asked, "messages"), {"body": "Mine"}),
        ("POST", path(asked, "close"), None),
        ("GET", f"/support/attachments/{file['id']}", None),
        ("PATCH", f"/reviews/{review['id']}", {"rating": 1}),
        ("DELETE", f"/reviews/{review['id']}", None),
        ("DELETE", f"/auth/sessions/{ada.get('/auth/sessions').json()['items'][0]['id']}", None),
    ]


def test_what_belongs_to_another_is_answered_like_the_id_of_nothing(live: LiveShop) -> None:
    ada, eve = live.customer(), live.customer(EVE)
    asked = owned(live, ada)
    with unchanged(live):
        for method, address, body in asked:
            theirs = problem(eve.request(method, address, json=body), 404, "not-found")
            held = next((part for part in address.split("/") if len(part) == len(NOBODYS)), None)
            nothing = json.loads(json.dumps(body)) if body else body
            if held is None:
                assert body is not None
                nothing = {**body, "address_id": NOBODYS}
            missing = problem(
                eve.request(method, address.replace(held or "no id", NOBODYS), json=nothing), 404, "not-found"
            )
            assert theirs | {"request_id": ""} == missing | {"request_id": ""}, (method, address)


def test_a_cart_is_nobody_elses(live: LiveShop) -> None:
    hat, guest = live.hat(), live.visitor()
    guest.post("/cart/items", json={"product_id": hat, "quantity": 1})
    token = guest.cookies["cart_token"]
    with unchanged(live):
        for forged in ("", token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), NOBODYS, "a.b.c"):
            assert live.visitor(Cookie=f"cart_token={forged}").get("/cart").json()["items"] == []


def test_a_guests_order_opens_with_its_own_whole_token_alone(live: LiveShop) -> None:
    hat, visitor = live.hat(), live.visitor()
    mine, other = (visitor.post("/orders", json=order_of((hat, 1), email=f"{who}@example.com")).json() for who in "ab")
    token = mine["access_token"]
    refused = {
        "": 401,
        token[:-1]: 401,
        token[1:]: 401,
        token + "A": 401,
        token.swapcase(): 401,
        other["access_token"]: 404,
    }
    codes = {401: "not-authenticated", 404: "not-found"}
    with unchanged(live):
        for wrong, status in refused.items():
            for answer in (
                visitor.get(f"/orders/{mine['id']}", headers={"X-Order-Token": wrong}),
                visitor.get(f"/orders/{mine['id']}", params={"token": wrong}),
                visitor.post(f"/orders/{mine['id']}/cancel", headers={"X-Order-Token": wrong}),
            ):
                problem(answer, status, codes[status])
    assert visitor.get(f"/orders/{mine['id']}", headers={"X-Order-Token": token}).status_code == 200


def _part(values: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "RS256"},
        {"alg": "ES256"},
        {"alg": "HS256", "jku": "https://evil.example/keys"},
        {"alg": "HS256", "x5u": "https://evil.example/keys"},
        {"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}},
        {"alg": "HS256", "kid": "../../dev/null"},
    ],
    ids=str,
)
def test_a_token_that_says_how_to_check_itself_opens_nothing(live: LiveShop, header: dict[str, Any]) -> None:
    live.register("ada@example.com")
    body = {"email": "ada@example.com", "password": PASSWORD}
    head, claims, signature = live.visitor().post("/auth/token", json=body).json()["access_token"].split(".")
    known = json.loads(base64.urlsafe_b64decode(head + "=="))
    with unchanged(live):
        for forged in (header, {**known, **header}):
            for signed in ("", signature, "AAAA"):
                bearer = live.visitor(Authorization=f"Bearer {_part(forged)}.{claims}.{signed}")
                problem(bearer.get("/auth/me"), 401, "not-authenticated")
                problem(bearer.get("/products"), 401, "not-authenticated")


def test_claims_that_were_changed_open_nothing(live: LiveShop) -> None:
    ada, admin = live.customer(), live.staff(Role.ADMIN)
    body = {"email": "ada@example.com", "password": PASSWORD}
    head, claims, signature = live.visitor().post("/auth/token", json=body).json()["access_token"].split(".")
    known = json.loads(base64.urlsafe_b64decode(claims + "=="))
    somebody = admin.get("/auth/me").json()["id"]
    with unchanged(live):
        for more in ({"sub": somebody}, {"exp": 2**40}, {"aud": "other"}, {"iss": "other"}, {"role": "admin"}):
            token = f"{head}.{_part({**known, **more})}.{signature}"
            problem(live.visitor(Authorization=f"Bearer {token}").get("/auth/me"), 401, "not-authenticated")
    assert ada.get("/auth/me").status_code == 200


def test_a_reset_link_sets_the_password_of_nobody_else(live: LiveShop) -> None:
    live.register("ada@example.com")
    live.register(EVE)
    visitor = live.visitor()
    visitor.post("/auth/password/forgot", json={"email": EVE})
    token = live.token(EVE, "reset-password")
    with unchanged(live):
        for whose in ({"email": "ada@example.com"}, {"user_id": NOBODYS}):
            refused = visitor.post("/auth/password/reset", json={"token": token, "password": "a new one", **whose})
            problem(refused, 422, "invalid")
    assert visitor.post("/auth/password/reset", json={"token": token, "password": "a new one"}).status_code == 200
    live.signed_in("ada@example.com")
    live.signed_in(EVE, "a new one")
