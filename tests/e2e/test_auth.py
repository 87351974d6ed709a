"""Accounts over HTTP: signing up, in and out, tokens, passwords, addresses of mail."""

from typing import Any

import httpx
import pytest

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Permission
from tests.e2e.conftest import PASSWORD, LiveShop, MovableClock, problem, text_of

ADA = "ada@example.com"
NEW_PASSWORD = "a much better one"


def tokens_of(live: LiveShop, email: str = ADA) -> dict[str, Any]:
    answer = live.visitor().post("/auth/token", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def renew(live: LiveShop, refresh_token: str) -> httpx.Response:
    return live.visitor().post("/auth/refresh", json={"refresh_token": refresh_token})


def who_is(live: LiveShop, access_token: str) -> httpx.Response:
    return live.visitor(Authorization=f"Bearer {access_token}").get("/auth/me")


# Registering.


def test_registering_answers_the_user_and_opens_no_session(visitor: httpx.Client) -> None:
    body = {
        "email": " Ada@Example.COM ",
        "password": PASSWORD,
        "full_name": "Ada Lovelace",
        "home_address": "12 St James's Square, London",
        "phone": "+44 20 7946 0000",
        "tax_id": "GB123",
    }
    answer = visitor.post("/auth/register", json=body)
    user = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/users/{user['id']}"
    assert user == {
        "id": user["id"],
        "email": "ada@example.com",
        "full_name": "Ada Lovelace",
        "role": "customer",
        "permissions": ["orders:place"],
        "is_active": True,
        "email_verified": False,
        "phone": "+44 20 7946 0000",
        "tax_id": "GB123",
        "home_address": "12 St James's Square, London",
        "preferences": {},
        "created_at": "2026-01-15T12:00:00.123456Z",
        "version": 1,
    }
    assert "Set-Cookie" not in answer.headers
    problem(visitor.get("/auth/me"), 401, "not-authenticated")


@pytest.mark.parametrize(
    "named", [{"role": "admin"}, {"permissions": ["users:write"]}, {"is_active": True}, {"id": "mine"}]
)
def test_a_registration_can_name_nothing_that_the_shop_decides(visitor: httpx.Client, named: dict[str, Any]) -> None:
    body = {"email": ADA, "password": PASSWORD, "full_name": "Ada", **named}
    refused = problem(visitor.post("/auth/register", json=body), 422, "invalid")
    assert [error["field"] for error in refused["errors"]] == list(named)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "ada"),
        ("email", "ada@example"),
        ("email", f"{'a' * 250}@example.com"),
        ("email", None),
        ("password", "1234567"),
        ("password", "x" * 129),
        ("password", 12345678),
        ("full_name", " "),
        ("full_name", "Ada\nLovelace"),
        ("full_name", "x" * 201),
        ("phone", "1" * 41),
        ("home_address", 5),
    ],
)
def test_a_registration_with_a_bad_field_is_refused_by_its_name(visitor: httpx.Client, field: str, value: Any) -> None:
    body = {"email": ADA, "password": PASSWORD, "full_name": "Ada", field: value}
    refused = problem(visitor.post("/auth/register", json=body), 422, "invalid")
    assert [error["field"] for error in refused["errors"]] == [field]


def test_half_of_a_surrogate_pair_is_no_password(visitor: httpx.Client) -> None:
    body = b'{"email": "ada@example.com", "full_name": "Ada", "password": "12345678\\ud800"}'
    problem(visitor.post("/auth/register", content=body, headers={"Content-Type": "application/json"}), 422, "invalid")


def test_an_email_can_be_registered_once_whatever_its_case(live: LiveShop, visitor: httpx.Client) -> None:
    live.register(ADA)
    body = {"email": ADA.upper(), "password": PASSWORD, "full_name": "Eve"}
    problem(visitor.post("/auth/register", json=body), 409, "email-taken")


def test_a_registration_sent_twice_with_one_key_opens_one_account(visitor: httpx.Client) -> None:
    body = {"email": ADA, "password": PASSWORD, "full_name": "Ada"}
    first, second = (visitor.post("/auth/register", json=body, headers={"Idempotency-Key": "once"}) for _ in "12")
    assert (second.status_code, second.content) == (201, first.content)
    assert (second.headers["Idempotent-Replayed"], "Idempotent-Replayed" in first.headers) == ("true", False)


def test_a_password_is_the_same_however_a_keyboard_composes_it(live: LiveShop, visitor: httpx.Client) -> None:
    composed, decomposed = "caf\u00e9 cr\u00e8me", "cafe\u0301 cre\u0300me"
    visitor.post("/auth/register", json={"email": ADA, "password": decomposed, "full_name": "Ada"})
    for typed in (composed, decomposed):
        live.signed_in(ADA, typed)
    change = {"email": "new@example.com", "password": decomposed}
    assert live.signed_in(ADA, composed).post("/auth/email", json=change).status_code == 202
    change = {"current_password": decomposed, "new_password": NEW_PASSWORD}
    assert live.signed_in(ADA, composed).post("/auth/password", json=change).status_code == 200


# Signing in.


def test_login_answers_user_and_cart_and_keeps_the_tokens_in_cookies(live: LiveShop, visitor: httpx.Client) -> None:
    user = live.register(ADA)
    answer = visitor.post("/auth/login", json={"email": "ADA@example.com", "password": PASSWORD})
    body = answer.json()
    assert body.keys() == {"user", "cart", "capped"}
    assert (body["user"], body["cart"]["items"], body["capped"]) == (user, [], [])
    cookies = {line.partition("=")[0]: line for line in answer.headers.get_list("Set-Cookie")}
    for name, seconds in (("access_token", 30 * 60), ("refresh_token", 30 * 24 * 3600)):
        attributes = {part.strip() for part in cookies[name].split(";")[1:] if "Expires=" not in part}
        assert attributes == {"HttpOnly", "Path=/", "SameSite=Lax", f"Max-Age={seconds}"}
    assert all(value not in answer.text for value in visitor.cookies.values())
    assert visitor.get("/auth/me").json() == user


def test_a_wrong_password_and_an_unknown_email_get_the_same_answer(live: LiveShop, visitor: httpx.Client) -> None:
    live.register(ADA)
    for route in ("/auth/login", "/auth/token"):
        wrong = visitor.post(route, json={"email": ADA, "password": "not the password"})
        unknown = visitor.post(route, json={"email": "eve@example.com", "password": "not the password"})
        senseless = visitor.post(route, json={"email": "no address", "password": ""})
        answers = [problem(answer, 401, "invalid-credentials") for answer in (wrong, unknown, senseless)]
        for answer in answers:
            del answer["request_id"]
        assert answers[0] == answers[1] == answers[2]
    assert not visitor.cookies


@pytest.mark.parametrize("body", [{}, {"email": ADA}, {"email": ADA, "password": 1}, {"email": ADA, "password": None}])
def test_login_needs_an_email_and_a_password(visitor: httpx.Client, body: dict[str, Any]) -> None:
    problem(visitor.post("/auth/login", json=body), 422, "invalid")


def test_login_pours_the_guests_cart_into_the_users(live: LiveShop) -> None:
    hat = live.hat(stock=5)
    ada = live.customer()
    assert ada.post("/cart/items", json={"product_id": hat, "quantity": 3}).status_code == 200
    guest = live.visitor()
    assert guest.post("/cart/items", json={"product_id": hat, "quantity": 4}).status_code == 200
    assert "cart_token" in guest.cookies
    answer = guest.post("/auth/login", json={"email": ADA, "password": PASSWORD}).json()
    assert [(item["product_id"], item["quantity"]) for item in answer["cart"]["items"]] == [(hat, 5)]
    assert answer["capped"] == [{"product_id": hat, "wanted": 7, "kept": 5}]
    assert guest.cookies.keys() == {"access_token", "refresh_token"}
    again = live.visitor().post("/auth/login", json={"email": ADA, "password": PASSWORD}).json()
    assert (again["cart"]["items"], again["capped"]) == (answer["cart"]["items"], [])


def test_a_forged_cart_cookie_is_no_cart(live: LiveShop) -> None:
    live.register(ADA)
    guest = live.visitor(Cookie="cart_token=IjEi.AAAA")
    answer = guest.post("/auth/login", json={"email": ADA, "password": PASSWORD})
    assert (answer.status_code, answer.json()["cart"]["items"]) == (200, [])


def test_tokens_come_in_the_body_and_set_no_cookies(live: LiveShop, visitor: httpx.Client) -> None:
    user = live.register(ADA)
    answer = visitor.post("/auth/token", json={"email": ADA, "password": PASSWORD})
    tokens = answer.json()
    assert tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["user"]) == ("Bearer", 1800, user)
    assert "Set-Cookie" not in answer.headers
    assert who_is(live, tokens["access_token"]).json() == user


def test_a_common_password_is_refused_by_name_wherever_one_is_chosen(live: LiveShop) -> None:
    ada, common, why = live.customer(), "1q2w3e4r5t", "is one of the most common passwords; choose another"
    new = live.visitor().post("/auth/register", json={"email": "b@example.com", "password": common, "full_name": "B"})
    assert problem(new, 422, "invalid")["errors"] == [{"field": "password", "message": why}]
    changed = ada.post("/auth/password", json={"current_password": PASSWORD, "new_password": common})
    assert problem(changed, 422, "invalid")["errors"] == [{"field": "new_password", "message": why}]


PERSONAL = ["/users/me", "/users/me/addresses", "/users/me/export", "/auth/sessions", "/orders", "/refunds"]
PERSONAL += ["/wishlist", "/reviews/mine", "/support/conversations", "/cart", "/products", "/recommendations"]


def test_answers_about_a_person_are_kept_by_nobody(live: LiveShop) -> None:
    ada = live.customer()
    for address in PERSONAL:
        answer = ada.get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-store"), address
        if tag := answer.headers.get("ETag"):
            again = ada.get(address, headers={"If-None-Match": tag})
            assert (again.status_code, again.headers["Cache-Control"]) == (304, "private, no-store"), address


def test_browsers_may_keep_what_a_shop_window_shows_if_they_ask_whether_it_is_current(live: LiveShop) -> None:
    hat = live.hat()
    answer = live.visitor().get(f"/products/{hat}")
    assert (answer.headers["Cache-Control"], "ETag" in answer.headers) == ("private, no-cache", True)


def test_answers_about_a_person_are_never_shared_by_caches(live: LiveShop) -> None:
    ada = live.customer()
    answer = ada.get("/auth/me")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert {"Cookie", "Authorization"} <= set(answer.headers["Vary"].split(", "))


def test_an_access_token_expires_after_half_an_hour(live: LiveShop, clock: MovableClock) -> None:
    live.register(ADA)
    token = tokens_of(live)["access_token"]
    clock.forward(minutes=29, seconds=59)
    assert who_is(live, token).status_code == 200
    clock.forward(seconds=1)
    problem(who_is(live, token), 401, "not-authenticated")


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "bearer a.b.c", f"Bearer {'x' * 5000}"])
def test_a_senseless_bearer_token_is_refused_even_where_guests_are_welcome(visitor: httpx.Client, header: str) -> None:
    problem(visitor.get("/cart", headers={"Authorization": header}), 401, "not-authenticated")


def test_a_refresh_token_is_no_access_token_nor_the_reverse(live: LiveShop) -> None:
    live.register(ADA)
    tokens = tokens_of(live)
    problem(who_is(live, tokens["refresh_token"]), 401, "not-authenticated")
    problem(renew(live, tokens["access_token"]), 401, "session-ended")
    swapped = live.visitor(Cookie=f"access_token={tokens['refresh_token']}; refresh_token={tokens['access_token']}")
    problem(swapped.get("/auth/me"), 401, "session-ended")
    problem(swapped.post("/auth/refresh"), 401, "session-ended")


def test_a_mails_token_opens_no_session(live: LiveShop) -> None:
    live.register(ADA)
    token = live.token(ADA, "verify-email")
    problem(who_is(live, token), 401, "not-authenticated")
    problem(renew(live, token), 401, "session-ended")


# Refreshing.


def test_a_refresh_token_is_swapped_for_a_fresh_pair(live: LiveShop, clock: MovableClock) -> None:
    user = live.register(ADA)
    first = tokens_of(live)
    clock.forward(hours=1)
    answer = renew(live, first["refresh_token"])
    second = answer.json()
    assert second.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "user"}
    assert second["refresh_token"] != first["refresh_token"]
    assert who_is(live, second["access_token"]).json() == user
    assert "Set-Cookie" not in answer.headers


def test_parallel_tabs_may_refresh_with_the_same_token_for_ten_seconds(live: LiveShop, clock: MovableClock) -> None:
    live.register(ADA)
    first = tokens_of(live)["refresh_token"]
    second = renew(live, first).json()["refresh_token"]
    clock.forward(seconds=10)
    third = renew(live, first)
    assert third.status_code == 200
    assert len({first, second, third.json()["refresh_token"]}) == 3
    assert renew(live, second).status_code == 200
    assert renew(live, third.json()["refresh_token"]).status_code == 200


def test_a_refresh_token_that_comes_back_later_ends_its_whole_family(live: LiveShop, clock: MovableClock) -> None:
    live.register(ADA)
    other = tokens_of(live)
    first = tokens_of(live)
    second = renew(live, first["refresh_token"]).json()
    clock.forward(seconds=11)
    problem(renew(live, first["refresh_token"]), 401, "token-reused")
    problem(renew(live, second["refresh_token"]), 401, "session-ended")
    problem(who_is(live, second["access_token"]), 401, "session-ended")
    assert who_is(live, other["access_token"]).status_code == 200


def test_a_session_that_is_not_used_for_30_days_is_over(live: LiveShop, clock: MovableClock) -> None:
    live.register(ADA)
    used, unused = (tokens_of(live)["refresh_token"] for _ in "12")
    clock.forward(days=29)
    used = renew(live, used).json()["refresh_token"]
    clock.forward(days=1)
    problem(renew(live, unused), 401, "session-ended")
    assert renew(live, used).status_code == 200


def test_a_session_is_over_after_180_days_however_often_it_is_used(live: LiveShop, clock: MovableClock) -> None:
    live.register(ADA)
    token = tokens_of(live)["refresh_token"]
    for _ in range(8):
        clock.forward(days=22)
        token = renew(live, token).json()["refresh_token"]
    clock.forward(days=4)
    problem(renew(live, token), 401, "session-ended")
    assert live.visitor().post("/auth/login", json={"email": ADA, "password": PASSWORD}).status_code == 200


def test_a_browser_refreshes_by_its_cookies(live: LiveShop, clock: MovableClock) -> None:
    ada = live.customer()
    before = dict(ada.cookies)
    clock.forward(minutes=31)
    problem(ada.get("/auth/me"), 401, "session-ended")
    answer = ada.post("/auth/refresh")
    assert answer.status_code == 200
    assert answer.json().keys() == {"expires_in", "user"}
    assert all(ada.cookies[name] != before[name] for name in ("access_token", "refresh_token"))
    assert ada.get("/auth/me").json() == answer.json()["user"]


def test_a_browser_whose_session_is_over_loses_its_cookies(live: LiveShop) -> None:
    ada = live.customer()
    live.store.accounts.logout(refresh_token=ada.cookies["refresh_token"])
    problem(ada.post("/auth/refresh"), 401, "session-ended")
    assert not ada.cookies
    problem(ada.post("/auth/refresh"), 401, "not-authenticated")


@pytest.mark.parametrize("token", [1, "", "x" * 2001, True])
def test_a_refresh_token_is_text(visitor: httpx.Client, token: Any) -> None:
    problem(visitor.post("/auth/refresh", json={"refresh_token": token}), 422, "invalid")


# Signing out.


def test_logging_out_ends_the_session_at_once(live: LiveShop) -> None:
    ada = live.customer()
    kept = dict(ada.cookies)
    assert ada.post("/auth/logout").status_code == 204
    assert not ada.cookies
    problem(who_is(live, kept["access_token"]), 401, "session-ended")
    problem(renew(live, kept["refresh_token"]), 401, "session-ended")


def test_logging_out_works_after_the_access_token_expired(live: LiveShop, clock: MovableClock) -> None:
    ada = live.customer()
    kept = ada.cookies["refresh_token"]
    clock.forward(minutes=31)
    assert ada.post("/auth/logout").status_code == 204
    problem(renew(live, kept), 401, "session-ended")


def test_api_clients_log_out_by_either_token(live: LiveShop) -> None:
    live.register(ADA)
    for how in ("access_token", "refresh_token"):
        tokens = tokens_of(live)
        if how == "access_token":
            answer = live.visitor(Authorization=f"Bearer {tokens[how]}").post("/auth/logout")
        else:
            answer = live.visitor().post("/auth/logout", json={how: tokens[how]})
        assert answer.status_code == 204
        problem(who_is(live, tokens["access_token"]), 401, "session-ended")


def test_a_guest_may_log_out_too(visitor: httpx.Client) -> None:
    assert visitor.post("/auth/logout").status_code == 204


def test_a_ban_ends_sessions_and_refuses_the_next(live: LiveShop, visitor: httpx.Client) -> None:
    user = live.register(ADA)
    tokens = tokens_of(live)
    live.store.accounts.ban(by=SYSTEM, user_id=user["id"])
    problem(who_is(live, tokens["access_token"]), 401, "session-ended")
    problem(renew(live, tokens["refresh_token"]), 401, "session-ended")
    problem(visitor.post("/auth/login", json={"email": ADA, "password": PASSWORD}), 403, "forbidden")
    problem(visitor.post("/auth/login", json={"email": ADA, "password": "a guess at it"}), 401, "invalid-credentials")


def test_a_permission_that_is_granted_counts_from_the_next_request_on(live: LiveShop) -> None:
    ada = live.customer()
    user = ada.get("/auth/me").json()
    live.store.accounts.set_permission(by=SYSTEM, user_id=user["id"], permission=Permission.CATALOG_WRITE, allowed=True)
    assert ada.get("/auth/me").json()["permissions"] == ["catalog:write", "orders:place"]


# Sessions.


def test_sessions_are_listed_newest_first_and_the_current_one_is_marked(live: LiveShop, clock: MovableClock) -> None:
    live.register(ADA)
    live.register("eve@example.com")
    live.signed_in("eve@example.com")
    phone, laptop = live.visitor(User_Agent="Firefox on Android"), live.visitor(User_Agent="Safari")
    for device in (phone, laptop):
        clock.forward(minutes=1)
        device.post("/auth/login", json={"email": ADA, "password": PASSWORD})
    sessions = laptop.get("/auth/sessions").json()
    assert sessions["next_cursor"] is None
    assert [(item["device"], item["current"]) for item in sessions["items"]] == [
        ("Safari", True),
        ("Firefox on Android", False),
    ]
    assert sessions["items"][0] == {
        "id": sessions["items"][0]["id"],
        "device": "Safari",
        "created_at": "2026-01-15T12:02:00.123456Z",
        "seen_at": "2026-01-15T12:02:00.123456Z",
        "expires_at": "2026-02-14T12:02:00.123456Z",
        "current": True,
    }


def test_sessions_come_in_pages(live: LiveShop, clock: MovableClock) -> None:
    ada = live.customer()
    for _ in range(4):
        clock.forward(seconds=1)
        live.signed_in(ADA)
    whole = ada.get("/auth/sessions?include_total=true").json()
    assert whole["total"] == 5
    found, query = [], "?limit=2"
    while True:
        page = ada.get(f"/auth/sessions{query}").json()
        found += page["items"]
        if page["next_cursor"] is None:
            break
        query = f"?limit=2&cursor={page['next_cursor']}"
    assert found == whole["items"]


def test_a_device_is_signed_out_from_another(live: LiveShop) -> None:
    ada = live.customer()
    phone = live.signed_in(ADA)
    stolen = next(item for item in ada.get("/auth/sessions").json()["items"] if not item["current"])
    assert ada.delete(f"/auth/sessions/{stolen['id']}").status_code == 204
    problem(phone.get("/auth/me"), 401, "session-ended")
    problem(phone.post("/auth/refresh"), 401, "session-ended")
    assert ada.get("/auth/me").status_code == 200
    problem(ada.delete(f"/auth/sessions/{stolen['id']}"), 404, "not-found")


def test_ending_ones_own_session_takes_its_cookies(live: LiveShop) -> None:
    ada = live.customer()
    (own,) = ada.get("/auth/sessions").json()["items"]
    assert ada.delete(f"/auth/sessions/{own['id']}").status_code == 204
    assert not ada.cookies


def test_another_users_session_is_not_found(live: LiveShop) -> None:
    ada, eve = live.customer(), live.customer("eve@example.com")
    (hers,) = ada.get("/auth/sessions").json()["items"]
    refused = problem(eve.delete(f"/auth/sessions/{hers['id']}"), 404, "not-found")
    random = problem(eve.delete("/auth/sessions/nothing-like-an-id"), 404, "not-found")
    assert refused["detail"] == random["detail"]
    assert ada.get("/auth/me").status_code == 200


# Cross-site requests.

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("route", ["/auth/logout", "/auth/refresh", "/auth/email/resend"])
def test_another_sites_page_can_do_nothing_with_our_cookies(
    live: LiveShop, route: str, headers: dict[str, str]
) -> None:
    ada = live.customer()
    problem(ada.post(route, headers=headers), 403, "cross-site")
    assert ada.get("/auth/me", headers=headers).status_code == 200


def test_our_own_pages_and_programs_pass(live: LiveShop) -> None:
    ada = live.customer()
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": live.address}, {}):
        assert ada.post("/auth/email/resend", headers=headers).status_code == 202


def test_a_bearer_token_may_come_from_any_site(live: LiveShop) -> None:
    live.register(ADA)
    client = live.bearer(ADA)
    assert client.post("/auth/email/resend", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 202


# Passwords.


def test_changing_the_password_ends_every_session_and_tells_the_owner(live: LiveShop) -> None:
    ada = live.customer()
    tokens = tokens_of(live)
    answer = ada.post("/auth/password", json={"current_password": PASSWORD, "new_password": NEW_PASSWORD})
    assert (answer.status_code, answer.json()["email"]) == (200, ADA)
    assert not ada.cookies
    problem(who_is(live, tokens["access_token"]), 401, "session-ended")
    problem(renew(live, tokens["refresh_token"]), 401, "session-ended")
    problem(live.visitor().post("/auth/login", json={"email": ADA, "password": PASSWORD}), 401, "invalid-credentials")
    live.signed_in(ADA, NEW_PASSWORD)
    assert "password" in live.mail(ADA)[-1]["Subject"]


def test_changing_the_password_needs_the_current_one(live: LiveShop) -> None:
    ada = live.customer()
    wrong = ada.post("/auth/password", json={"current_password": "not it at all", "new_password": NEW_PASSWORD})
    assert problem(wrong, 422, "wrong-password")["errors"][0]["field"] == "current_password"
    short = ada.post("/auth/password", json={"current_password": PASSWORD, "new_password": "short"})
    assert problem(short, 422, "invalid")["errors"][0]["field"] == "new_password"
    live.signed_in(ADA)


def test_a_forgotten_password_is_set_by_a_link_that_works_once(live: LiveShop, visitor: httpx.Client) -> None:
    live.register(ADA)
    tokens = tokens_of(live)
    assert visitor.post("/auth/password/forgot", json={"email": "ADA@example.com"}).status_code == 202
    token = live.token(ADA, "reset-password")
    answer = visitor.post("/auth/password/reset", json={"token": token, "password": NEW_PASSWORD})
    assert answer.json() == {"email": ADA, "email_verified": True}
    problem(who_is(live, tokens["access_token"]), 401, "session-ended")
    live.signed_in(ADA, NEW_PASSWORD)
    again = visitor.post("/auth/password/reset", json={"token": token, "password": "yet another one"})
    problem(again, 422, "link-invalid")
    live.signed_in(ADA, NEW_PASSWORD)


def test_a_reset_link_dies_with_the_password_it_was_for(live: LiveShop, visitor: httpx.Client) -> None:
    ada = live.customer()
    visitor.post("/auth/password/forgot", json={"email": ADA})
    token = live.token(ADA, "reset-password")
    ada.post("/auth/password", json={"current_password": PASSWORD, "new_password": NEW_PASSWORD})
    problem(visitor.post("/auth/password/reset", json={"token": token, "password": "yet another"}), 422, "link-invalid")


def test_a_reset_link_lasts_an_hour(live: LiveShop, visitor: httpx.Client, clock: MovableClock) -> None:
    live.register(ADA)
    visitor.post("/auth/password/forgot", json={"email": ADA})
    token = live.token(ADA, "reset-password")
    clock.forward(hours=1)
    problem(visitor.post("/auth/password/reset", json={"token": token, "password": NEW_PASSWORD}), 422, "link-invalid")


def test_a_bad_new_password_does_not_use_the_reset_link_up(live: LiveShop, visitor: httpx.Client) -> None:
    live.register(ADA)
    visitor.post("/auth/password/forgot", json={"email": ADA})
    token = live.token(ADA, "reset-password")
    short = visitor.post("/auth/password/reset", json={"token": token, "password": "short"})
    assert problem(short, 422, "invalid")["errors"][0]["field"] == "password"
    assert visitor.post("/auth/password/reset", json={"token": token, "password": NEW_PASSWORD}).status_code == 200


def test_forgetting_tells_nobody_whether_there_is_an_account(live: LiveShop, visitor: httpx.Client) -> None:
    banned = live.register("banned@example.com")
    live.store.accounts.ban(by=SYSTEM, user_id=banned["id"])
    live.register(ADA)
    emails = (ADA, "eve@example.com", "banned@example.com")
    answers = [visitor.post("/auth/password/forgot", json={"email": email}) for email in emails]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, b"")}
    assert len(live.mail(ADA)) == 2
    assert live.mail("eve@example.com") == []
    assert len(live.mail("banned@example.com")) == 1


@pytest.mark.parametrize("route", ["/auth/password/reset", "/auth/email/verify"])
def test_a_link_for_one_purpose_is_none_for_another(live: LiveShop, visitor: httpx.Client, route: str) -> None:
    live.register(ADA)
    visitor.post("/auth/password/forgot", json={"email": ADA})
    wrong = "verify-email" if "reset" in route else "reset-password"
    body = {"token": live.token(ADA, wrong)} | ({"password": NEW_PASSWORD} if "reset" in route else {})
    problem(visitor.post(route, json=body), 422, "link-invalid")
    problem(visitor.post(route, json=body | {"token": body["token"][:-1]}), 422, "link-invalid")
    problem(visitor.post(route, json=body | {"token": "x"}), 422, "link-invalid")


# Email addresses.


def test_an_address_is_confirmed_by_a_link_that_works_once(live: LiveShop, visitor: httpx.Client) -> None:
    live.register(ADA, phone="+1 555 0100")
    (letter,) = live.mail(ADA)
    assert "Ada Lovelace" in text_of(letter)
    body = {"token": live.token(ADA, "verify-email")}
    assert visitor.post("/auth/email/verify", json=body).json() == {"email": ADA, "email_verified": True}
    assert live.signed_in(ADA).get("/auth/me").json()["email_verified"] is True
    problem(visitor.post("/auth/email/verify", json=body), 422, "link-invalid")


def test_the_mail_that_asks_to_confirm_can_be_sent_again(live: LiveShop) -> None:
    ada = live.customer()
    answer = ada.post("/auth/email/resend")
    assert (answer.status_code, answer.content) == (202, b"")
    assert len(live.mail(ADA)) == 2
    ada.post("/auth/email/verify", json={"token": live.token(ADA, "verify-email")})
    assert ada.post("/auth/email/resend").status_code == 202
    assert len(live.mail(ADA)) == 2


def test_a_new_address_counts_once_it_is_confirmed_and_the_old_one_is_told(live: LiveShop) -> None:
    ada = live.customer()
    new = "countess@example.com"
    assert ada.post("/auth/email", json={"email": new, "password": PASSWORD}).status_code == 202
    assert ada.get("/auth/me").json()["email"] == ADA
    assert ada.post("/auth/email/verify", json={"token": live.token(new, "verify-email")}).status_code == 200
    me = ada.get("/auth/me").json()
    assert (me["email"], me["email_verified"]) == (new, True)
    assert new in text_of(live.mail(ADA)[-1])
    live.signed_in(new)
    problem(live.visitor().post("/auth/login", json={"email": ADA, "password": PASSWORD}), 401, "invalid-credentials")


def test_changing_the_address_needs_the_password(live: LiveShop) -> None:
    ada = live.customer()
    wrong = ada.post("/auth/email", json={"email": "new@example.com", "password": "not it at all"})
    assert problem(wrong, 422, "wrong-password")["errors"][0]["field"] == "password"
    senseless = ada.post("/auth/email", json={"email": "nowhere", "password": PASSWORD})
    assert problem(senseless, 422, "invalid")["errors"][0]["field"] == "email"
    assert live.mail("new@example.com") == []


def test_changing_to_somebody_elses_address_tells_nothing_and_does_nothing(live: LiveShop) -> None:
    ada = live.customer()
    live.register("eve@example.com")
    assert ada.post("/auth/email", json={"email": "eve@example.com", "password": PASSWORD}).status_code == 202
    assert len(live.mail("eve@example.com")) == 1


# Every route.

SIGNED_IN_ONLY = [
    ("GET", "/auth/me"),
    ("POST", "/auth/password"),
    ("POST", "/auth/email"),
    ("POST", "/auth/email/resend"),
    ("GET", "/auth/sessions"),
    ("DELETE", "/auth/sessions/1"),
]


@pytest.mark.parametrize(("method", "path"), SIGNED_IN_ONLY)
def test_what_is_about_ones_own_account_needs_signing_in_before_anything_else(
    visitor: httpx.Client, method: str, path: str
) -> None:
    body = {"nonsense": 1} if method == "POST" else None
    problem(visitor.request(method, path, json=body), 401, "not-authenticated")


@pytest.mark.parametrize(
    "path",
    [
        "/auth/register",
        "/auth/login",
        "/auth/token",
        "/auth/refresh",
        "/auth/logout",
        "/auth/password/forgot",
        "/auth/password/reset",
        "/auth/email/verify",
    ],
)
def test_an_unknown_field_is_refused_by_its_name(visitor: httpx.Client, path: str) -> None:
    refused = problem(visitor.post(path, json={"surprise": 1}), 422, "invalid")
    assert "surprise" in [error["field"] for error in refused["errors"]]


def test_unfit_bodies_have_their_own_answers(visitor: httpx.Client) -> None:
    json = {"Content-Type": "application/json"}
    problem(visitor.post("/auth/login", content=b'{"email": ', headers=json), 400, "malformed-json")
    problem(visitor.post("/auth/login", data={"email": ADA, "password": PASSWORD}), 415, "unsupported-type")
    problem(visitor.post("/auth/login", content=b" " * (1024 * 1024 + 1), headers=json), 413, "too-large")
    problem(visitor.get("/auth/login"), 405, "method-not-allowed")
    twice = b'{"email": "a@b.example", "email": "c@d.example", "password": "12345678"}'
    problem(visitor.post("/auth/login", content=twice, headers=json), 422, "invalid")
