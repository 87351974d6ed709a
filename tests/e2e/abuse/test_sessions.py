"""Registrations that ask for more, tokens that are over, swapped or used up, known addresses: nothing is written."""

import httpx

from storecore.accounts.model import SYSTEM
from tests.e2e.abuse.tables import rows, unchanged
from tests.e2e.conftest import PASSWORD, LiveShop, MovableClock, problem
from tests.e2e.goods import order_of
from tests.e2e.test_auth import ADA, NEW_PASSWORD, renew, tokens_of
from tests.e2e.test_support import NOBODYS

EVE = "eve@example.com"


def refused_everywhere(live: LiveShop, token: str, code: str, hat: str) -> None:
    """An access token neither reads, changes nor buys anything."""
    bearer = live.visitor(Authorization=f"Bearer {token}")
    for answer in (
        bearer.get("/auth/me"),
        bearer.patch("/users/me", json={"full_name": "Eve"}),
        bearer.post("/orders", json=order_of((hat, 1))),
        bearer.get("/products"),
    ):
        problem(answer, 401, code)


def test_a_registration_that_asks_for_more_leaves_no_account(live: LiveShop, visitor: httpx.Client) -> None:
    body = {"email": ADA, "password": PASSWORD, "full_name": "Ada"}
    with unchanged(live):
        for name, value in {
            "role": "admin",
            "permissions": ["users:write"],
            "grants": {"users:write": True},
            "id": NOBODYS,
            "is_active": True,
            "email_verified": True,
        }.items():
            told = problem(visitor.post("/auth/register", json={**body, name: value}), 422, "invalid")
            assert [error["field"] for error in told["errors"]] == [name]


def test_tokens_that_are_over_or_of_another_kind_change_nothing(live: LiveShop, clock: MovableClock) -> None:
    hat = live.hat()
    live.register(ADA)
    tokens = tokens_of(live)
    clock.forward(minutes=31)
    with unchanged(live):
        refused_everywhere(live, tokens["access_token"], "not-authenticated", hat)
        refused_everywhere(live, tokens["refresh_token"], "not-authenticated", hat)
        problem(renew(live, tokens["access_token"]), 401, "session-ended")


def test_nothing_is_changed_after_a_logout_a_new_password_or_a_ban(live: LiveShop) -> None:
    hat, over = live.hat(), []
    for number, end in enumerate(("logout", "password", "ban")):
        email = f"{number}@example.com"
        user = live.register(email)
        tokens = tokens_of(live, email)
        bearer = live.visitor(Authorization=f"Bearer {tokens['access_token']}")
        if end == "logout":
            assert bearer.post("/auth/logout").status_code == 204
        elif end == "password":
            body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
            assert bearer.post("/auth/password", json=body).status_code == 200
        else:
            live.store.accounts.ban(by=SYSTEM, user_id=user["id"])
        over.append(tokens)
    with unchanged(live):
        for tokens in over:
            refused_everywhere(live, tokens["access_token"], "session-ended", hat)
            problem(renew(live, tokens["refresh_token"]), 401, "session-ended")


def test_a_token_that_is_replayed_ends_its_family_and_changes_nothing_else(live: LiveShop, clock: MovableClock) -> None:
    hat = live.hat()
    live.register(ADA)
    first = tokens_of(live)["refresh_token"]
    second = renew(live, first).json()
    clock.forward(seconds=11)
    before = rows(live)
    problem(renew(live, first), 401, "token-reused")
    assert {name for name, kept in rows(live).items() if kept != before[name]} == {"sessions"}
    with unchanged(live):
        problem(renew(live, second["refresh_token"]), 401, "session-ended")
        refused_everywhere(live, second["access_token"], "session-ended", hat)


def test_a_reset_link_that_was_used_or_outlived_changes_nothing(live: LiveShop, visitor: httpx.Client) -> None:
    links = []
    for email in (ADA, EVE):
        live.register(email)
        visitor.post("/auth/password/forgot", json={"email": email})
        links.append(live.token(email, "reset-password"))
    assert visitor.post("/auth/password/reset", json={"token": links[0], "password": NEW_PASSWORD}).status_code == 200
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert live.bearer(EVE).post("/auth/password", json=body).status_code == 200
    with unchanged(live):
        for token in links:
            answer = visitor.post("/auth/password/reset", json={"token": token, "password": "yet another one"})
            problem(answer, 422, "link-invalid")


def test_a_known_address_can_not_be_taken_and_an_unknown_one_is_sent_nothing(
    live: LiveShop, visitor: httpx.Client
) -> None:
    live.register(ADA)
    eve = live.customer(EVE)
    with unchanged(live):
        body = {"email": ADA.upper(), "password": PASSWORD, "full_name": "Eve"}
        problem(visitor.post("/auth/register", json=body), 409, "email-taken")
        assert visitor.post("/auth/password/forgot", json={"email": "nobody@example.com"}).status_code == 202
        assert eve.post("/auth/email", json={"email": ADA, "password": PASSWORD}).status_code == 202


def test_a_product_on_two_lines_is_not_sold_beyond_the_shelf(live: LiveShop) -> None:
    hat, customer = live.hat(stock=3), live.customer()
    with unchanged(live):
        told = problem(customer.post("/orders", json=order_of((hat, 2), (hat, 2))), 409, "out-of-stock")
    assert told["lines"] == [{"product_id": hat, "requested": 4, "available": 3}]
