from typing import Any

import httpx
import pytest

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Permission, Role
from tests.e2e.conftest import LiveShop, MovableClock, problem
from tests.e2e.goods import order_of

NOBODYS = "01a1fa49-df8f-7669-85af-651cd9754d97"
GUEST = {"guest_name": "Zoë Çelik", "guest_email": "zoe@example.com"}
MARKUP = '<script>alert(1)</script> & "Şapka"\n{{ 7 * 7 }}'
HEADER = "X-Conversation-Token"


def opened(client: httpx.Client, message: str = "Where is my parcel?", **more: Any) -> dict[str, Any]:
    """Open a conversation; the conversation."""
    answer = client.post("/support/conversations", json={"message": message, **more})
    assert answer.status_code == 201, answer.text
    conversation: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/api/v1/support/conversations/{conversation['id']}"
    return conversation


def path(conversation: dict[str, Any], *more: str) -> str:
    return "/".join(["/support/conversations", conversation["id"], *more])


def shown(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


def bodies(answer: httpx.Response) -> list[str]:
    return [message["body"] for message in shown(answer)["items"]]


def names(answer: httpx.Response) -> list[str]:
    return [conversation["id"] for conversation in shown(answer)["items"]]


def test_a_customer_asks_an_agent_answers_and_closes(live: LiveShop, clock: MovableClock) -> None:
    customer, agent = live.customer(full_name="Ayşe Yılmaz"), live.staff(Role.SUPPORT_AGENT)
    asked = opened(customer, subject="Parcel")
    me, them = customer.get("/auth/me").json()["id"], agent.get("/auth/me").json()["id"]
    assert asked == {
        "id": asked["id"],
        "status": "waiting",
        "subject": "Parcel",
        "customer": {"id": me, "name": "Ayşe Yılmaz"},
        "guest": None,
        "agent": None,
        "last_seq": 1,
        "unread": 0,
        "created_at": "2026-01-15T12:00:00.123456Z",
        "waiting_since": "2026-01-15T12:00:00.123456Z",
        "closed_at": None,
        "closed_by": None,
        "version": 1,
    }
    (waiting,) = shown(agent.get("/support/queue"))["items"]
    assert waiting == asked | {"unread": 1, "notes": None}
    claimed = shown(agent.post(path(asked, "claim")))
    assert (claimed["status"], claimed["agent"]) == ("claimed", {"id": them, "name": "Grace H."})
    assert shown(agent.get("/support/queue"))["items"] == []
    answer = agent.post(path(asked, "messages"), json={"body": "On its way.", "client_id": "a1"})
    message = shown(answer, 201)
    assert answer.headers["Location"] == f"/api/v1{path(asked, 'messages')}"
    assert message == {
        "id": message["id"],
        "seq": 2,
        "client_id": "a1",
        "author": {"side": "agent", "id": them, "name": "Grace H."},
        "body": "On its way.",
        "created_at": "2026-01-15T12:00:00.123456Z",
    }
    seen = shown(customer.get(path(asked)))
    assert (seen["unread"], seen["last_seq"], seen["agent"]["name"]) == (1, 2, "Grace H.")
    assert not {"notes", "context", "token"} & seen.keys()
    assert bodies(customer.get(path(asked, "messages"))) == ["Where is my parcel?", "On its way."]
    clock.forward(minutes=5)
    closed = shown(agent.post(path(asked, "close"), json={"notes": "Late\ncarrier"}))
    assert (closed["status"], closed["closed_by"], closed["notes"]) == ("closed", "agent", "Late\ncarrier")
    assert closed["closed_at"] == "2026-01-15T12:05:00.123456Z"
    assert "notes" not in shown(customer.get(path(asked)))
    for client in (customer, agent):
        problem(client.post(path(asked, "messages"), json={"body": "Hello?"}), 409, "conversation-closed")
    for action in ("claim", "release", "close"):
        problem(agent.post(path(asked, action)), 409, "conversation-closed")
    problem(customer.post(path(asked, "close")), 409, "conversation-closed")


def test_a_guest_comes_back_with_the_token_and_nobody_else_does(live: LiveShop) -> None:
    guest, agent = live.visitor(), live.staff(Role.SUPPORT_AGENT)
    asked = opened(guest, **GUEST)
    assert (asked["customer"], asked["guest"]) == (None, {"name": "Zoë Çelik"})
    token, other = asked["token"], opened(live.visitor(), **GUEST)
    held = {HEADER: token}
    assert shown(guest.get(path(asked), headers=held))["guest"] == {"name": "Zoë Çelik"}
    assert shown(guest.get(path(asked), params={"token": token}))["id"] == asked["id"]
    sent = shown(guest.post(path(asked, "messages"), headers=held, json={"body": "Hello?"}), 201)
    assert sent["author"] == {"side": "customer", "id": None, "name": "Zoë Çelik"}
    assert bodies(guest.get(path(asked, "messages"), params={"token": token, "after": 1})) == ["Hello?"]
    seen = shown(agent.get(path(asked)))
    assert seen["guest"] == {"name": "Zoë Çelik", "email": "zoe@example.com"}
    assert seen["context"] == {"orders": [], "cart": None, "wishlist": []}
    ways: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("GET", "/messages", {}),
        ("POST", "/messages", {"json": {"body": "Hello"}}),
        ("POST", "/close", {}),
    ]
    order = live.visitor().post("/orders", json=order_of((live.hat(), 1), email="guest@example.com")).json()
    for method, more, fields in ways:
        for bad in (token[:-2], "x" + token, "forged", order["access_token"]):
            shows: tuple[dict[str, Any], ...] = ({"headers": {HEADER: bad}}, {"params": {"token": bad}})
            for how in shows:
                problem(guest.request(method, path(asked) + more, **fields, **how), 401, "not-authenticated")
        problem(guest.request(method, path(asked) + more, **fields), 401, "not-authenticated")
        foreign = guest.request(method, path(asked) + more, **fields, headers={HEADER: other["token"]})
        problem(foreign, 404, "not-found")
        problem(guest.request(method, path({"id": NOBODYS}) + more, **fields, headers=held), 404, "not-found")
    problem(guest.get(f"/orders/{order['id']}", headers={"X-Order-Token": token}), 401, "not-authenticated")
    problem(guest.get("/support/conversations", headers=held), 401, "not-authenticated")
    closed = shown(guest.post(path(asked, "close"), headers=held))
    assert (closed["closed_by"], "notes" in closed, "token" in closed) == ("customer", False, False)


def test_a_guests_token_runs_out(live: LiveShop, clock: MovableClock) -> None:
    guest = live.visitor()
    asked = opened(guest, **GUEST)
    held = {HEADER: asked["token"]}
    clock.forward(days=89)
    assert guest.get(path(asked), headers=held).status_code == 200
    clock.forward(days=1)
    problem(guest.get(path(asked), headers=held), 401, "not-authenticated")


def test_anothers_conversation_is_not_there(live: LiveShop) -> None:
    asked, eve = opened(live.customer()), live.customer("eve@example.com")
    vendor = live.staff(Role.VENDOR)
    for stranger in (eve, vendor):
        for conversation in (asked, {"id": NOBODYS}, {"id": "x"}):
            problem(stranger.get(path(conversation)), 404, "not-found")
            problem(stranger.get(path(conversation, "messages")), 404, "not-found")
            problem(stranger.post(path(conversation, "messages"), json={"body": "Hello"}), 404, "not-found")
            problem(stranger.post(path(conversation, "close")), 404, "not-found")
        assert names(stranger.get("/support/conversations")) == []


def test_what_agents_do_needs_the_permission(live: LiveShop) -> None:
    customer, agent, visitor = live.customer(), live.staff(Role.SUPPORT_AGENT), live.visitor()
    asked, other = opened(customer), {"agent_id": NOBODYS}
    routes: list[tuple[str, str, Any]] = [
        ("GET", "/support/queue", None),
        ("POST", path(asked, "claim"), None),
        ("POST", path(asked, "release"), None),
        ("POST", path(asked, "transfer"), other),
    ]
    for method, where, body in routes:
        problem(visitor.request(method, where, json=body), 401, "not-authenticated")
        problem(customer.request(method, where, json=body), 403, "forbidden")
    problem(visitor.get("/support/conversations"), 401, "not-authenticated")
    me = customer.get("/auth/me").json()["id"]
    permit = live.store.accounts.set_permission
    permit(by=SYSTEM, user_id=me, permission=Permission.SUPPORT_AGENT, allowed=True)
    assert names(customer.get("/support/queue")) == [asked["id"]]
    problem(customer.post(path(asked, "claim")), 403, "forbidden")
    assert agent.post(path(asked, "claim")).status_code == 200
    permit(by=SYSTEM, user_id=agent.get("/auth/me").json()["id"], permission=Permission.SUPPORT_AGENT, allowed=False)
    problem(agent.post(path(asked, "release")), 403, "forbidden")
    assert shown(customer.get(path(asked)))["status"] == "waiting"


def test_a_conversation_goes_from_hand_to_hand(live: LiveShop, clock: MovableClock) -> None:
    customer = live.customer()
    one, two = live.staff(Role.SUPPORT_AGENT), live.staff(Role.SUPPORT_AGENT, "two@example.com")
    ids = [client.get("/auth/me").json()["id"] for client in (one, two)]
    first = opened(customer)
    clock.forward(minutes=1)
    second = opened(customer)
    for action in ("release", "transfer"):
        body = {"agent_id": ids[1]} if action == "transfer" else {}
        problem(one.post(path(first, action), json=body), 409, "not-claimed")
    problem(one.post(path(first, "messages"), json={"body": "Hello"}), 409, "not-claimed")
    assert one.post(path(first, "claim")).status_code == 200
    problem(two.post(path(first, "claim")), 409, "already-claimed")
    problem(two.post(path(first, "close")), 409, "not-claimed")
    for nobody in (ids[0], NOBODYS, customer.get("/auth/me").json()["id"]):
        refused = problem(one.post(path(first, "transfer"), json={"agent_id": nobody}), 422, "invalid")
        assert [error["field"] for error in refused["errors"]] == ["agent_id"]
    problem(one.post(path(first, "transfer")), 422, "invalid")
    moved = shown(one.post(path(first, "transfer"), json={"agent_id": ids[1]}))
    assert moved["agent"]["id"] == ids[1]
    assert names(two.get("/support/conversations?status=claimed")) == [first["id"]]
    assert names(one.get("/support/conversations")) == []
    released = shown(two.post(path(first, "release")))
    assert (released["status"], released["agent"], released["waiting_since"]) == ("waiting", None, first["created_at"])
    assert names(one.get("/support/queue")) == [first["id"], second["id"]]


def test_lists_come_in_pages(live: LiveShop, clock: MovableClock) -> None:
    customer, agent = live.customer(), live.staff(Role.SUPPORT_AGENT)
    asked = []
    for _ in range(5):
        asked.append(opened(customer)["id"])
        clock.forward(minutes=1)
    for client, where, expected in (
        (customer, "/support/conversations", asked[::-1]),
        (agent, "/support/queue", asked),
    ):
        first = shown(client.get(where, params={"limit": 3, "include_total": "true"}))
        rest = shown(client.get(where, params={"limit": 3, "cursor": first["next_cursor"]}))
        assert [each["id"] for each in first["items"] + rest["items"]] == expected
        assert (first["total"], rest["next_cursor"]) == (5, None)
    assert customer.post(path({"id": asked[0]}, "close")).status_code == 200
    assert names(customer.get("/support/conversations?status=closed")) == asked[:1]
    problem(customer.get("/support/conversations?status=gone"), 422, "invalid")


def test_messages_are_read_from_where_one_left_off(live: LiveShop) -> None:
    customer = live.customer()
    asked = opened(customer, "1")
    for number in range(2, 8):
        assert customer.post(path(asked, "messages"), json={"body": str(number)}).status_code == 201
    where = path(asked, "messages")
    first = shown(customer.get(where, params={"limit": 2, "after": 3, "include_total": "true"}))
    assert ([each["seq"] for each in first["items"]], first["total"]) == ([4, 5], 7)
    rest = customer.get(where, params={"limit": 2, "after": 3, "cursor": first["next_cursor"]})
    assert bodies(rest) == ["6", "7"]
    assert bodies(customer.get(where, params={"after": 7})) == []
    assert bodies(customer.get(where, params={"after": 0})) == list("1234567")
    for bad in ("-1", "1.5", "x", "9999999999999999999", ""):
        problem(customer.get(where, params={"after": bad}), 422, "invalid")


def test_a_message_that_is_sent_again_is_the_same(live: LiveShop) -> None:
    customer = live.customer()
    asked = opened(customer)
    where = path(asked, "messages")
    one, two = (customer.post(where, json={"body": "Hello", "client_id": "c1"}) for _ in range(2))
    assert shown(one, 201) == shown(two, 201)
    key = {"Idempotency-Key": "k1"}
    three, four = (customer.post(where, json={"body": "Again"}, headers=key) for _ in range(2))
    assert shown(three, 201) == shown(four, 201)
    assert four.headers["Idempotent-Replayed"] == "true"
    assert bodies(customer.get(where)) == ["Where is my parcel?", "Hello", "Again"]


def test_a_guests_lost_answer_can_be_asked_for_again(live: LiveShop) -> None:
    body, key = {"message": "Hello", **GUEST}, {"Idempotency-Key": "k1"}
    one, two = (live.visitor().post("/support/conversations", json=body, headers=key) for _ in range(2))
    assert shown(one, 201) == shown(two, 201)
    assert shown(live.visitor().get(path(two.json()), headers={HEADER: two.json()["token"]}))["last_seq"] == 1
    assert len(live.store.support.queue(by=SYSTEM).items) == 1
    where, held = path(two.json(), "messages"), {HEADER: two.json()["token"]} | key
    for _ in range(2):
        assert live.visitor().post(where, json={"body": "Hi"}, headers=held).status_code == 201
    assert len(bodies(live.visitor().get(where, headers=held))) == 2
    stranger = opened(live.visitor(), **GUEST)
    foreign = live.visitor().post(where, json={"body": "Hi"}, headers={HEADER: stranger["token"]} | key)
    problem(foreign, 404, "not-found")


def test_markup_stays_text(live: LiveShop) -> None:
    guest, agent = live.visitor(), live.staff(Role.SUPPORT_AGENT)
    name = "<img src=x onerror=alert(1)>"
    asked = opened(guest, MARKUP, subject="<b>Parcel</b>", guest_name=name, guest_email="zoe@example.com")
    seen = agent.get(path(asked))
    assert seen.headers["Content-Type"] == "application/json"
    assert (seen.json()["subject"], seen.json()["guest"]["name"]) == ("<b>Parcel</b>", name)
    (message,) = shown(agent.get(path(asked, "messages")))["items"]
    assert (message["body"], message["author"]["name"]) == (MARKUP, name)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message"),
        ({"message": ""}, "message"),
        ({"message": " \n "}, "message"),
        ({"message": "x" * 4001}, "message"),
        ({"message": 1}, "message"),
        ({"message": "bell\a"}, "message"),
        ({"message": "Hello", "subject": "two\nlines"}, "subject"),
        ({"message": "Hello", "status": "closed"}, "status"),
        ({"message": "Hello", "customer_id": NOBODYS}, "customer_id"),
        ({"message": "Hello", **GUEST, "guest_email": "nobody"}, "guest_email"),
        ({"message": "Hello", "guest_email": "zoe@example.com"}, "guest_name"),
        ({"message": "Hello", "guest_name": "Zoë"}, "guest_email"),
    ],
)
def test_what_is_asked_is_checked(live: LiveShop, visitor: httpx.Client, body: dict[str, Any], field: str) -> None:
    refused = problem(visitor.post("/support/conversations", json=body), 422, "invalid")
    assert field in [error["field"] for error in refused["errors"]]
    assert live.store.support.queue(by=SYSTEM).items == ()


def test_what_is_said_is_checked(live: LiveShop) -> None:
    customer = live.customer()
    asked = opened(customer)
    longest = "x" * 4000
    for body, field in (
        ({}, "body"),
        ({"body": ""}, "body"),
        ({"body": longest + "x"}, "body"),
        ({"body": "Hello", "client_id": "x" * 65}, "client_id"),
        ({"body": "Hello", "seq": 1}, "seq"),
        ({"body": "Hello", "side": "agent"}, "side"),
    ):
        refused = problem(customer.post(path(asked, "messages"), json=body), 422, "invalid")
        assert [error["field"] for error in refused["errors"]] == [field]
    assert customer.post(path(asked, "messages"), json={"body": longest}).status_code == 201
    problem(customer.post(path(asked, "close"), json={"notes": "x" * 2001}), 422, "invalid")
    refused = problem(customer.post("/support/conversations", json={"message": "Hello", **GUEST}), 422, "invalid")
    assert [error["field"] for error in refused["errors"]] == ["guest_name"]


def test_an_agent_sees_the_customers_orders_cart_and_wishlist(live: LiveShop, clock: MovableClock) -> None:
    hat, customer, agent = live.hat(name="Şapka", price="19.99"), live.customer(), live.staff(Role.SUPPORT_AGENT)
    order = customer.post("/orders", json=order_of((hat, 1))).json()
    clock.forward(minutes=1)
    cart = customer.post("/cart/items", json={"product_id": hat, "quantity": 2}).json()
    assert customer.post(f"/wishlist/{hat}").status_code == 201
    asked = opened(customer)
    context = shown(agent.get(path(asked)))["context"]
    assert [(wish["product_id"], wish["name"], wish["in_stock"]) for wish in context["wishlist"]] == [
        (hat, "Şapka", True)
    ]
    expected = ("id", "number", "status", "payment_status", "total", "currency", "created_at")
    assert context["orders"] == [{name: order[name] for name in expected}]
    assert context["cart"] == cart
    assert "context" not in shown(agent.post(path(asked, "claim")))


def test_a_conversation_that_is_unchanged_is_not_sent_again(live: LiveShop) -> None:
    customer, agent = live.customer(), live.staff(Role.SUPPORT_AGENT)
    asked = opened(customer)
    answer = customer.get(path(asked))
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert HEADER in answer.headers["Vary"]
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert customer.get(path(asked), headers=tag).status_code == 304
    agent.post(path(asked, "claim"))
    assert customer.get(path(asked), headers=tag).status_code == 200


def test_another_sites_page_may_not_speak_for_a_customer(live: LiveShop) -> None:
    customer = live.customer()
    asked = opened(customer)
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for where, body in (
        ("/support/conversations", {"message": "Hello"}),
        (path(asked, "messages"), {"body": "Hello"}),
        (path(asked, "close"), {}),
    ):
        problem(customer.post(where, json=body, headers=foreign), 403, "cross-site")
    assert shown(customer.get(path(asked)))["last_seq"] == 1


def test_a_banned_customers_conversation_is_shut_to_them(live: LiveShop) -> None:
    customer = live.customer()
    asked, me = opened(customer), customer.get("/auth/me").json()["id"]
    live.store.accounts.ban(by=SYSTEM, user_id=me)
    assert customer.post(path(asked, "messages"), json={"body": "Hello"}).status_code == 401
    assert customer.get(path(asked)).status_code == 401
