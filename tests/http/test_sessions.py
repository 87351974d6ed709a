"""Who asks, in which order a request is checked, and what another site's page can't do."""

from datetime import timedelta
from typing import Any

import pytest

from storecore.accounts.permissions import Role
from tests.http.toys import Client, Toy
from webapp.http.parts import Cookies

ME = "/api/v1/me"
CAME = "/api/v1/came"
HELD = "/api/v1/held/t1"
HEARD = "/api/v1/heard/t1"
NOBODY = {"user_id": None, "cart_id": None, "order_id": None, "conversation_id": None}


def test_a_bearer_token_names_a_user(client: Client, toy: Toy) -> None:
    assert client.get(ME, headers=toy.bearer()).json == {**NOBODY, "user_id": "u1"}
    assert toy.store.looked_up == ["s-u1"]


def test_a_cookie_names_a_user(client: Client, toy: Toy) -> None:
    client.set_cookie("access_token", toy.access_token())
    assert client.get(ME).json["user_id"] == "u1"


def test_without_either_one_is_a_guest(client: Client) -> None:
    assert client.get(CAME).json == NOBODY
    assert client.get(ME).json["code"] == "not-authenticated"


@pytest.mark.parametrize("header", ["Bearer x", "Bearer ", "bearer a.b.c", "BEARER"])
def test_a_bad_bearer_token_is_refused_everywhere(client: Client, header: str) -> None:
    for path in (ME, CAME):
        assert client.get(path, headers={"Authorization": header}).status_code == 401


def test_a_scheme_that_is_not_ours_says_nothing_about_who_asks(client: Client) -> None:
    assert client.get(CAME, headers={"Authorization": "Basic eDp5"}).json == NOBODY


def test_an_expired_token_is_refused_as_bearer_and_ignored_as_cookie(client: Client, toy: Toy) -> None:
    token = toy.access_token()
    toy.store.at += timedelta(minutes=30)
    assert client.get(CAME, headers={"Authorization": f"Bearer {token}"}).status_code == 401
    client.set_cookie("access_token", token)
    assert client.get(CAME).json == NOBODY
    assert client.get(ME).json["code"] == "session-ended"


def test_an_ended_session_is_over_at_once(client: Client, toy: Toy) -> None:
    headers = toy.bearer()
    toy.store.users.clear()
    assert client.get(ME, headers=headers).json["code"] == "session-ended"


def test_a_session_of_somebody_else_is_none(client: Client, toy: Toy) -> None:
    toy.store.sign_in(user_id="u2")
    token = toy.tokens.issue(user_id="u1", session_id="s-u2", at=toy.store.at, lifetime=timedelta(minutes=1))
    assert client.get(ME, headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_refresh_token_opens_nothing(client: Client, toy: Toy) -> None:
    toy.store.sign_in()
    client.set_cookie("access_token", "refresh-u1")
    assert client.get(ME).status_code == 401


def test_permissions_are_read_anew_on_each_request(client: Client, toy: Toy) -> None:
    headers = toy.bearer(Role.PRODUCT_MANAGER)
    assert client.patch("/api/v1/things/t1", json={}, headers=headers).status_code == 404
    toy.store.sign_in(Role.CUSTOMER)
    assert client.patch("/api/v1/things/t1", json={}, headers=headers).status_code == 403


def test_a_guest_holds_a_cart_by_a_signed_cookie(client: Client, toy: Toy) -> None:
    client.post("/api/v1/cart")
    assert client.get(CAME).json == {**NOBODY, "cart_id": "c1"}
    client.set_cookie("cart_token", toy.values.dumps("cursor", "c1"))
    assert client.get(CAME).json == NOBODY


@pytest.mark.parametrize(
    ("address", "kind", "header", "other"),
    [
        (HELD, "order", "X-Order-Token", "X-Conversation-Token"),
        (HEARD, "conversation", "X-Conversation-Token", "X-Order-Token"),
    ],
)
def test_a_token_names_its_holder_where_that_counts(
    client: Client, toy: Toy, address: str, kind: str, header: str, other: str
) -> None:
    token = f"{kind}-7"
    for answer in (client.get(address, headers={header: token}), client.get(f"{address}?token={token}")):
        assert answer.json == {**NOBODY, f"{kind}_id": "7"}
        assert header in answer.headers["Vary"]
    assert client.get(address, headers=toy.bearer()).json["user_id"] == "u1"
    assert client.get(address, headers=toy.bearer() | {header: token}).json["user_id"] is None
    for refused in ({}, {header: "forged"}, {other: token}):
        assert client.get(address, headers=refused).json["code"] == "not-authenticated"
    assert client.get(f"{address}?token=forged").json["code"] == "not-authenticated"
    assert client.get(f"{CAME}?token={token}").status_code == 422
    assert client.get(CAME, headers={header: token}).json == NOBODY


def test_the_checks_run_in_their_order(client: Client, toy: Toy) -> None:
    customer, staff = toy.bearer(), toy.bearer(Role.PRODUCT_MANAGER, "u2")
    path, stale = "/api/v1/things/t404", {"If-Match": '"9.x"'}
    bad_fields: dict[str, Any] = {"json": {"name": 1}}

    def status(method: str = "PATCH", path: str = path, **request: Any) -> Any:
        return client.open(path, method=method, **request).status_code

    assert status("PUT", "/api/v1/nothing/t404", data="{") == 404
    assert status("PUT", data="{") == 405
    assert status(data=b"x" * 2_000_000) == 413
    assert status(data="{") == 415
    assert status(data="{", content_type="application/json") == 400
    assert status(**bad_fields) == 401
    assert status(**bad_fields, headers=customer) == 403
    assert status(**bad_fields, headers={**staff, **stale}) == 422
    assert status(json={}, headers={**staff, **stale}) == 404
    made = client.post("/api/v1/things", json={"name": "Hat"}).headers["Location"]
    assert status(path=made, json={}, headers={**staff, **stale}) == 412


def cookies_of(answer: Any) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}


def test_a_session_is_opened_and_closed_in_cookies(client: Client, toy: Toy) -> None:
    opened = cookies_of(client.post("/api/v1/open"))
    assert set(opened) == {"access_token", "refresh_token"}
    assert "Max-Age=1800; HttpOnly; Path=/; SameSite=Lax" in opened["access_token"]
    assert "Max-Age=2592000; HttpOnly; Path=/; SameSite=Lax" in opened["refresh_token"]
    assert client.get(ME).json["user_id"] == "u1"
    closed = cookies_of(client.post("/api/v1/close"))
    assert all("Max-Age=0" in cookie for cookie in closed.values())
    assert client.get(ME).json["code"] == "not-authenticated"


def test_cookies_are_as_the_settings_say() -> None:
    cookies = Cookies(secure=True, domain="shop.example", path="/api", samesite="strict")
    client = Toy(options={"cookies": cookies}).client()
    for answer in (client.post("/api/v1/open"), client.post("/api/v1/close"), client.post("/api/v1/cart")):
        for cookie in cookies_of(answer).values():
            assert "; Domain=shop.example;" in cookie
            assert "; Secure; HttpOnly; Path=/api; SameSite=Strict" in cookie
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_hosts_below_ours_keep_to_https_if_the_shop_says_so() -> None:
    options = {"cookies": Cookies(secure=True), "hsts_subdomains": True}
    answer = Toy(options=options).client().post("/api/v1/open")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    plain = Toy(options={"hsts_subdomains": True}).client().get("/api/v1/same")
    assert "Strict-Transport-Security" not in plain.headers


HOST = "http://localhost"


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "what"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": HOST}, False),
        ({"Origin": HOST}, True),
        ({"Origin": "http://LOCALHOST"}, True),
        ({"Origin": "http://localhost:8080"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://evil.example/localhost"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "https://partner.example"}, True),
        ({"Origin": "https://partner.example", "Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": "https://partner.example.evil.example", "Sec-Fetch-Site": "cross-site"}, False),
    ],
)
@pytest.mark.parametrize("cookie", ["access_token", "refresh_token", "cart_token"])
def test_another_sites_page_may_not_change_anything(headers: dict[str, str], passes: bool, cookie: str) -> None:
    toy = Toy(options={"cors_origins": ("https://partner.example",)})
    client = toy.client()
    token = toy.access_token()
    client.set_cookie(cookie, token)
    answer = client.post("/api/v1/actions", headers=headers)
    assert answer.status_code == (202 if passes else 403)
    assert passes or answer.json["code"] == "cross-site"
    assert client.get(CAME, headers=headers).status_code == 200
    bearer = {**headers, "Authorization": f"Bearer {token}"}
    assert client.post("/api/v1/actions", headers=bearer).status_code == 202


def test_without_our_cookies_any_page_may_ask(client: Client) -> None:
    client.set_cookie("theme", "dark")
    answer = client.post("/api/v1/actions", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 202


def test_only_listed_origins_are_answered_with_cors() -> None:
    client = Toy(options={"cors_origins": ("https://partner.example",)}).client()
    allowed = client.get(CAME, headers={"Origin": "https://partner.example"}).headers
    assert allowed["Access-Control-Allow-Origin"] == "https://partner.example"
    assert allowed["Access-Control-Allow-Credentials"] == "true"
    assert "Cookie" in allowed["Vary"]
    other = client.get(CAME, headers={"Origin": "https://evil.example"}).headers
    assert "Access-Control-Allow-Origin" not in other
    preflight = {"Origin": "https://partner.example", "Access-Control-Request-Method": "PATCH"}
    assert "PATCH" in client.options("/api/v1/things/t1", headers=preflight).headers["Access-Control-Allow-Methods"]


def test_without_listed_origins_there_is_no_cors(client: Client) -> None:
    assert "Access-Control-Allow-Origin" not in client.get(CAME, headers={"Origin": "https://a.example"}).headers


def test_a_forwarded_address_counts_only_behind_our_proxies() -> None:
    def seen(proxies: int) -> str | None:
        app = Toy(options={"trusted_proxies": proxies}).app
        found: list[str | None] = []

        @app.before_request
        def look() -> None:
            from flask import request

            found.append(request.remote_addr)

        app.test_client().get("/health", headers={"X-Forwarded-For": "6.6.6.6, 7.7.7.7"})
        return found[0]

    assert (seen(0), seen(1), seen(2)) == ("127.0.0.1", "7.7.7.7", "6.6.6.6")
