"""Limits as clients meet them, on each database."""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from time import monotonic
from typing import Any

import httpx
import pytest
import websocket

from storecore.accounts.permissions import Role
from storecore.ports import RateLimit
from tests.e2e.conftest import PASSWORD, LiveShop, problem, text_of
from tests.e2e.goods import order_of
from tests.e2e.sockets import WAIT, calling
from webapp import limits
from webapp.http.limiting import Limit
from webapp.http.parts import ChatLimits

HERE = "127.0.0.1"


def spend(live: LiveShop, rate: RateLimit | None, key: str, *, but: int = 0) -> None:
    """Use up what a key is allowed, but for a few."""
    assert rate is not None
    for _ in range(rate.most - but):
        live.store.rate_limits.take(rate, key, live.clock())


def me(client: httpx.Client) -> str:
    return str(client.get("/auth/me").json()["id"])


def wait(answer: httpx.Response) -> int:
    problem(answer, 429, "too-many-requests")
    return int(answer.headers["Retry-After"])


@pytest.mark.parametrize(
    ("limit", "method", "path"),
    [
        (limits.SIGN_IN, "POST", "/auth/login"),
        (limits.SIGN_IN, "POST", "/auth/token"),
        (limits.REGISTER, "POST", "/auth/register"),
        (limits.RESET, "POST", "/auth/password/forgot"),
        (limits.RESET, "POST", "/auth/password/reset"),
        (limits.REFRESH, "POST", "/auth/refresh"),
        (limits.GUEST_ORDERS, "POST", "/orders"),
        (limits.GUEST_ORDERS, "POST", "/cart/checkout"),
        (limits.QUOTES, "POST", "/orders/quote"),
        (limits.CART, "DELETE", "/cart"),
        (limits.CONVERSATIONS, "POST", "/support/conversations"),
        (limits.MESSAGES, "POST", "/support/conversations/x/messages"),
        (limits.ATTACHMENTS, "POST", "/support/conversations/x/attachments"),
    ],
)
def test_an_address_may_do_each_thing_so_often(limited: LiveShop, limit: Limit, method: str, path: str) -> None:
    visitor = limited.visitor()
    spend(limited, limit.by_address, HERE, but=1)
    last = visitor.request(method, path)
    assert last.status_code != 429
    seconds = int(limit.window.total_seconds())
    assert last.headers["RateLimit-Policy"] == f'"{limit.name}-address";q={limit.address};w={seconds}'
    assert last.headers["RateLimit"] == f'"{limit.name}-address";r=0;t={seconds}'
    assert wait(visitor.request(method, path)) == seconds
    assert visitor.get("/products").status_code == 200
    limited.clock.forward(seconds=seconds)
    assert visitor.request(method, path).status_code != 429


@pytest.mark.parametrize(
    ("limit", "ask"),
    [
        (limits.PASSWORD, lambda c, _: c.post("/auth/password", json={"current_password": "x", "new_password": "y"})),
        (limits.PASSWORD, lambda c, _: c.post("/auth/email", json={"email": "x@example.com", "password": "y"})),
        (limits.RESET, lambda c, _: c.post("/auth/email/resend")),
        (limits.QUOTES, lambda c, hat: c.post("/orders/quote", json={"items": [{"product_id": hat, "quantity": 1}]})),
        (limits.CART, lambda c, hat: c.post("/cart/items", json={"product_id": hat, "quantity": 1})),
        (limits.CART, lambda c, hat: c.patch(f"/cart/items/{hat}", json={"quantity": 1})),
        (limits.CONVERSATIONS, lambda c, _: c.post("/support/conversations", json={"message": "Hello"})),
        (limits.MESSAGES, lambda c, _: c.post("/support/conversations/x/messages", json={"body": "Hello"})),
        (limits.ATTACHMENTS, lambda c, _: c.post("/support/conversations/x/attachments", files={"file": b"x" * 99})),
    ],
)
def test_an_account_may_do_each_thing_so_often_and_holds_nobody_else_up(
    limited: LiveShop, limit: Limit, ask: Callable[[httpx.Client, str], httpx.Response]
) -> None:
    hat = limited.hat()
    ada, grace = limited.customer(), limited.customer("grace@example.com")
    spend(limited, limit.by_account, me(ada), but=1)
    assert ask(ada, hat).status_code != 429
    assert wait(ask(ada, hat)) == int(limit.window.total_seconds())
    assert ask(grace, hat).status_code != 429


def test_a_mailbox_gets_so_many_mails_about_passwords_known_or_not(limited: LiveShop) -> None:
    limited.register("ada@example.com")
    for email in ("ada@example.com", "nobody@example.com"):
        answers = [limited.visitor().post("/auth/password/forgot", json={"email": email}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [202] * 5 + [429]
        assert wait(limited.visitor().post("/auth/password/forgot", json={"email": email.upper()})) == 3600
    letters = [letter for letter in limited.mail("ada@example.com") if "reset-password" in text_of(letter)]
    assert len(letters) == 5


def test_guests_orders_are_limited_by_email_and_users_orders_are_not(limited: LiveShop) -> None:
    hat = limited.hat(stock=100)
    order = order_of((hat, 1), email="guest@example.com")
    spend(limited, limits.GUEST_ORDERS.by_email, "guest@example.com", but=1)
    placed = [limited.visitor().post("/orders", json=order) for _ in range(2)]
    assert placed[0].status_code == 201
    assert wait(placed[1]) == 3600
    assert limited.visitor().post("/orders", json=order | {"email": "other@example.com"}).status_code == 201
    spend(limited, limits.GUEST_ORDERS.by_address, HERE)
    assert wait(limited.visitor().post("/orders", json=order | {"email": "third@example.com"})) == 3600
    ada = limited.customer()
    assert [ada.post("/orders", json=order_of((hat, 1))).status_code for _ in range(3)] == [201] * 3
    assert limited.store.catalog.product(product=hat).product.stock == 95, "nothing moved for who was refused"


def test_a_request_that_is_repeated_by_its_key_counts_too(limited: LiveShop) -> None:
    hat, ada = limited.hat(), limited.customer()
    spend(limited, limits.CART.by_account, me(ada), but=2)
    item, key = {"product_id": hat, "quantity": 1}, {"Idempotency-Key": "k"}
    answers = [ada.post("/cart/items", json=item, headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert '"cart-account";r=0;t=60' in answers[1].headers["RateLimit"]
    assert ada.get("/cart").json()["items"][0]["quantity"] == 1


def test_pages_behind_links_are_limited_as_their_routes_are(limited: LiveShop) -> None:
    spend(limited, limits.RESET.by_address, HERE)
    for page in ("reset-password", "verify-email"):
        refused = limited.visitor().post(f"{limited.address}/links/{page}", data={"token": "x"})
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
        assert refused.headers["Content-Type"].startswith("text/html")


def login(live: LiveShop, password: str = PASSWORD, *, by: str = "login", email: str = "ada@example.com") -> Any:
    answer = live.visitor().post(f"/auth/{by}", json={"email": email, "password": password})
    return wait(answer) if answer.status_code == 429 else answer.status_code


def test_five_wrong_passwords_lock_login_and_token_and_a_reset_by_mail_lifts_it(limited: LiveShop) -> None:
    limited.register("ada@example.com")
    assert [login(limited, "wrong", by=by) for by in ("login", "token") * 2] == [401] * 4
    assert login(limited, "wrong") == 401
    assert [login(limited, by=by) for by in ("login", "token")] == [60, 60]
    assert [login(limited, "wrong", email="nobody@example.com") for _ in range(6)] == [401] * 5 + [60]
    limited.visitor().post("/auth/password/forgot", json={"email": "ada@example.com"})
    token = limited.token("ada@example.com", "reset-password")
    limited.visitor().post("/auth/password/reset", json={"token": token, "password": "another password"})
    assert login(limited, "another password") == 200
    assert login(limited, "wrong", email="nobody@example.com") == 60


def test_the_answer_while_locked_says_nothing_about_who_is_known(limited: LiveShop) -> None:
    limited.register("ada@example.com")
    bodies = []
    for email in ("ada@example.com", "nobody@example.com"):
        for _ in range(5):
            login(limited, "wrong", email=email)
        answer = limited.visitor().post("/auth/login", json={"email": email, "password": PASSWORD})
        headers = {name: answer.headers[name] for name in answer.headers if name not in {"x-request-id", "date"}}
        left = headers.pop("ratelimit")
        assert left.endswith(";t=60")
        bodies.append((headers, answer.json() | {"request_id": ""}))
    assert bodies[0] == bodies[1]


def test_a_session_can_not_guess_its_own_password(limited: LiveShop) -> None:
    ada = limited.customer()
    guess = {"current_password": "wrong password", "new_password": "another password"}
    assert [ada.post("/auth/password", json=guess).status_code for _ in range(5)] == [422] * 5
    assert wait(ada.post("/auth/password", json=guess | {"current_password": PASSWORD})) == 60
    assert wait(ada.post("/auth/email", json={"email": "new@example.com", "password": PASSWORD})) == 60
    limited.clock.forward(seconds=60)
    assert ada.post("/auth/password", json=guess | {"current_password": PASSWORD}).status_code == 200


def test_messages_over_a_socket_and_over_rest_are_counted_together(limited: LiveShop) -> None:
    ada = limited.customer()
    asked = ada.post("/support/conversations", json={"message": "Hello?"}).json()
    with calling(ada, asked["id"]) as phone:
        spend(limited, limits.MESSAGES.by_account, me(ada), but=2)
        phone.say("one more", "1")
        path = f"/support/conversations/{asked['id']}/messages"
        assert ada.post(path, json={"body": "and another"}).status_code == 201
        phone.do("send_message", body="too many", client_id="3")
        refused = phone.until("error")
        assert (refused["code"], refused["status"], refused["client_id"]) == ("too-many-requests", 429, "3")
        assert refused["retry_after"] == 60
        phone.do("read", seq=1)
        limited.clock.forward(seconds=60)
        phone.say("the socket lives", "4")
    said = [message["body"] for message in ada.get(path).json()["items"]]
    assert said == ["Hello?", "one more", "and another", "the socket lives"]


def test_messages_over_a_socket_count_for_its_address(limited: LiveShop) -> None:
    guest = limited.visitor()
    asked = guest.post(
        "/support/conversations", json={"message": "Hi", "guest_name": "Bo", "guest_email": "bo@example.com"}
    ).json()
    with calling(guest, f"{asked['id']}&token={asked['token']}") as phone:
        spend(limited, limits.MESSAGES.by_address, HERE)
        phone.do("send_message", body="too many", client_id="1")
        assert phone.until("error")["code"] == "too-many-requests"


@pytest.mark.parametrize("limits", [ChatLimits(each=2)], indirect=True)
def test_one_person_holds_so_many_sockets_and_the_others_get_theirs(live: LiveShop) -> None:
    ada, agent = live.customer(), live.staff(Role.SUPPORT_AGENT)
    first, second = (ada.post("/support/conversations", json={"message": text}).json()["id"] for text in "ab")
    with ExitStack() as stack:
        stack.enter_context(calling(ada, first))
        with calling(ada, second):
            with pytest.raises(websocket.WebSocketBadStatusException) as refused, calling(ada, first):
                raise AssertionError("it was let in")
            assert refused.value.status_code == 429
            assert (refused.value.resp_headers or {})["retry-after"] == "10"
            assert b"too-many-requests" in (refused.value.resp_body or b"")
            stack.enter_context(calling(live.bearer("support_agent@example.com")))
            stack.enter_context(calling(agent))
        let_in, until = False, monotonic() + WAIT
        while not let_in and monotonic() < until:  # the server notices the end of a socket when it next looks
            with suppress(websocket.WebSocketBadStatusException):
                stack.enter_context(calling(ada, second))
                let_in = True
        assert let_in, "a place that was left is free again"


@pytest.mark.parametrize("limits", [ChatLimits(each=1)], indirect=True)
def test_guests_with_tokens_of_different_conversations_are_different_people(live: LiveShop) -> None:
    about = {"message": "Hi", "guest_name": "Bo", "guest_email": "bo@example.com"}
    guest = live.visitor()
    one, other = (guest.post("/support/conversations", json=about).json() for _ in range(2))
    with (
        calling(guest, f"{one['id']}&token={one['token']}"),
        calling(guest, f"{other['id']}&token={other['token']}"),
        pytest.raises(websocket.WebSocketBadStatusException),
        calling(guest, f"{one['id']}&token={one['token']}"),
    ):
        raise AssertionError("it was let in")


def test_without_limits_nothing_is_limited(live: LiveShop) -> None:
    live.register("ada@example.com")
    assert {login(live, "wrong") for _ in range(8)} == {401}
    assert login(live) == 200
