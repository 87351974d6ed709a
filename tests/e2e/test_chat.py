import json
import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from threading import Thread
from typing import Any

import httpx
import pytest
import websocket

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from tests.e2e.conftest import LiveShop
from tests.e2e.sockets import Phone, address_of, calling, headers_of
from tests.e2e.test_support import GUEST, HEADER, NOBODYS, opened, path, shown
from webapp.chat import connection
from webapp.http.parts import ChatLimits

FOREIGN = "https://evil.example"


def texts(phone: Phone) -> list[str]:
    return [frame["body"] for frame in phone.frames if frame["type"] == "message"]


def refusal(client: httpx.Client, conversation_id: str | None, **options: Any) -> tuple[int, str, str]:
    """How an attempt to open a socket is refused: status, type and code of the answer."""
    with pytest.raises(websocket.WebSocketBadStatusException) as refused, calling(client, conversation_id, **options):
        pass
    answer = refused.value
    assert answer.resp_headers is not None
    body = json.loads(answer.resp_body or b"{}")
    return answer.status_code, answer.resp_headers["content-type"], body["code"]


@pytest.fixture
def customer(live: LiveShop) -> httpx.Client:
    return live.customer(full_name="Ayşe Yılmaz")


@pytest.fixture
def agent(live: LiveShop) -> httpx.Client:
    return live.staff(Role.SUPPORT_AGENT)


@pytest.fixture
def asked(customer: httpx.Client) -> dict[str, Any]:
    return opened(customer)


@pytest.fixture
def here(customer: httpx.Client, asked: dict[str, Any]) -> Iterator[Phone]:
    """The customer's socket, past its history."""
    with calling(customer, asked["id"]) as phone:
        yield phone


def test_a_socket_begins_with_the_history(live: LiveShop, customer: httpx.Client, asked: dict[str, Any]) -> None:
    for number in range(55):
        customer.post(path(asked, "messages"), json={"body": f"line {number}"})
    with calling(customer, asked["id"], greeted=False) as phone:
        history = phone.read()
    assert history["type"] == "history"
    assert history["conversation"] == shown(customer.get(path(asked)))
    listed = shown(customer.get(path(asked, "messages"), params={"limit": 100}))["items"]
    assert history["messages"] == listed[-50:]


def test_both_sides_talk_and_see_each_other_read_and_type(
    customer: httpx.Client, agent: httpx.Client, asked: dict[str, Any], here: Phone
) -> None:
    with calling(agent, asked["id"]) as there:
        agent.post(path(asked, "claim"))
        for phone in (here, there):
            assert phone.until("conversation_claimed")["conversation"]["agent"]["name"] == "Grace H."
        there.do("read", seq=1)
        assert here.until("read") == {"type": "read", "side": "agent", "seq": 1}
        there.do("typing")
        assert here.read() == {"type": "typing", "side": "agent"}
        said = there.say("On its way.", "a1")
        assert here.read() == said
        assert set(said) == {"type", "id", "seq", "client_id", "author", "body", "created_at"}
        assert said["author"]["side"] == "agent"
        here.do("read", seq=2)
        assert there.until("read", side="customer") == {"type": "read", "side": "customer", "seq": 2}
        here.say("Thanks!")
        there.until("message", body="Thanks!")
        listed = shown(customer.get(path(asked, "messages")))["items"]
        assert listed[1] == {name: value for name, value in said.items() if name != "type"}
        agent.post(path(asked, "close"), json={"notes": "for us"})
        for phone, sees_notes in ((here, False), (there, True)):
            closed = phone.until("conversation_closed")["conversation"]
            assert (closed["status"], closed["closed_by"], "notes" in closed) == ("closed", "agent", sees_notes)
        here.do("send_message", body="Hello?", client_id="late")
        refused = here.until("error")
        assert (refused["code"], refused["status"], refused["client_id"]) == ("conversation-closed", 409, "late")


def test_a_conversation_that_is_released_or_handed_over_says_so(
    live: LiveShop, agent: httpx.Client, asked: dict[str, Any], here: Phone
) -> None:
    other = live.staff(Role.SUPPORT_AGENT, "second@example.com")
    agent.post(path(asked, "claim"))
    here.until("conversation_claimed")
    other_id = other.get("/auth/me").json()["id"]
    agent.post(path(asked, "transfer"), json={"agent_id": other_id})
    assert here.until("conversation_claimed")["conversation"]["agent"]["id"] == other_id
    other.post(path(asked, "release"))
    released = here.until("conversation_released")["conversation"]
    assert (released["status"], released["agent"]) == ("waiting", None)


def test_what_is_posted_reaches_sockets(customer: httpx.Client, asked: dict[str, Any], here: Phone) -> None:
    posted = shown(customer.post(path(asked, "messages"), json={"body": "Hello?", "client_id": "p1"}), 201)
    assert here.until("message") == {"type": "message", **posted}


def test_a_repeated_message_is_answered_to_its_sender_alone(
    customer: httpx.Client, asked: dict[str, Any], here: Phone
) -> None:
    with calling(customer, asked["id"]) as other:
        first = here.say("once", "c1")
        assert other.until("message") == first
        for _ in range(3):
            assert here.say("once", "c1") == first
        here.say("twice")
        other.until("message", body="twice")
        assert texts(other) == ["once", "twice"]
    assert shown(customer.get(path(asked)))["last_seq"] == 3


def test_typing_is_passed_on_now_and_then_and_not_to_oneself(
    customer: httpx.Client, agent: httpx.Client, asked: dict[str, Any], here: Phone
) -> None:
    with calling(agent, asked["id"]) as there:
        there.do("typing")
        assert there.until("error")["code"] == "not-claimed"
        for _ in range(20):
            here.do("typing")
        here.say("done")
        there.until("message")
        assert [frame["type"] for frame in there.frames].count("typing") == 1
        assert "typing" not in [frame["type"] for frame in here.frames]


def test_resume_delivers_everything_after_a_message_once_and_in_order(
    customer: httpx.Client, asked: dict[str, Any], here: Phone
) -> None:
    for number in range(2, 252):
        customer.post(path(asked, "messages"), json={"body": str(number)})
    with calling(customer, asked["id"]) as back:
        back.do("resume", after=1)
        for number in range(2, 252):
            assert back.read()["seq"] == number
        back.do("resume", after=249)
        assert [back.read()["seq"], back.read()["seq"]] == [250, 251]
        back.do("resume", after=10**12)
        assert back.say("the end")["seq"] == 252
    assert [here.read()["seq"] for _ in range(251)] == list(range(2, 253))


def test_agents_see_the_queue_whenever_it_changes(live: LiveShop, customer: httpx.Client, agent: httpx.Client) -> None:
    with calling(agent, greeted=False) as watch:
        assert watch.read() == {"type": "queue", "conversations": []}
        asked = opened(customer)
        (waiting,) = watch.until("queue")["conversations"]
        assert (waiting["id"], waiting["unread"]) == (asked["id"], 1)
        customer.post(path(asked, "messages"), json={"body": "Hello?"})
        assert watch.until("queue")["conversations"][0]["unread"] == 2
        agent.post(path(asked, "claim"))
        assert watch.until("queue")["conversations"] == []
        watch.do("send_message", body="Hello", client_id="1")
        assert watch.until("error")["code"] == "invalid"


def test_a_guest_talks_by_the_conversations_token(live: LiveShop) -> None:
    guest = live.visitor()
    asked = opened(guest, **GUEST)
    with calling(guest, asked["id"], header=[f"{HEADER}: {asked['token']}"]) as phone:
        assert phone.say("Hello?")["author"] == {"side": "customer", "id": None, "name": "Zoë Çelik"}
    with calling(guest, f"{asked['id']}&token={asked['token']}") as phone:
        assert phone.frames[0]["messages"][-1]["body"] == "Hello?"
    assert refusal(guest, f"{asked['id']}&token=x{asked['token']}")[0] == 401


def test_strangers_are_refused_before_the_upgrade(
    live: LiveShop, customer: httpx.Client, asked: dict[str, Any]
) -> None:
    problem = "application/problem+json"
    this, stranger = asked["id"], live.customer("bob@example.com")
    assert refusal(customer, this, origin=FOREIGN) == (403, problem, "cross-site")
    assert refusal(live.visitor(), this, origin=FOREIGN) == (403, problem, "cross-site")
    sent = {"header": ["Sec-Fetch-Site: cross-site"]}
    assert refusal(customer, this, **sent) == (403, problem, "cross-site")
    assert refusal(live.visitor(), this) == (401, problem, "not-authenticated")
    assert refusal(live.visitor(), None) == (401, problem, "not-authenticated")
    assert refusal(live.visitor(Authorization="Bearer no"), this) == (401, problem, "not-authenticated")
    assert refusal(stranger, this) == (404, problem, "not-found")
    for nobodys in (NOBODYS, "", "x" * 500, "%00"):
        assert refusal(customer, nobodys) == (404, problem, "not-found")
    assert refusal(customer, None) == (403, problem, "forbidden")
    held = {"header": [f"{HEADER}: {opened(live.visitor(), **GUEST)['token']}"]}
    assert refusal(live.visitor(), this, **held) == (404, problem, "not-found")
    with calling(live.bearer("ada@example.com"), this, origin=FOREIGN) as phone:
        assert phone.say("a program may come from anywhere")


def test_what_is_no_proper_upgrade_is_refused(live: LiveShop, customer: httpx.Client, asked: dict[str, Any]) -> None:
    where = f"/support/ws?conversation_id={asked['id']}"
    assert customer.get(where).status_code == 400
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    for more in ({}, {"Sec-WebSocket-Version": "13"}, {"Sec-WebSocket-Version": "8", "Sec-WebSocket-Key": "x"}):
        answer = customer.get(where, headers=upgrade | more)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


NONSENSE = [
    ("", "malformed-json"),
    ("{", "malformed-json"),
    ("[" * 100_00, "malformed-json"),
    ("[]", "invalid"),
    ("null", "invalid"),
    ('"typing"', "invalid"),
    ("{}", "invalid"),
    ('{"action": "dance"}', "invalid"),
    ('{"action": ["typing"]}', "invalid"),
    ('{"action": "typing", "action": "typing"}', "invalid"),
    ('{"action": "typing", "loud": true}', "invalid"),
    ('{"action": "send_message"}', "invalid"),
    ('{"action": "send_message", "body": 1, "client_id": "x"}', "invalid"),
    ('{"action": "send_message", "body": " ", "client_id": "x"}', "invalid"),
    ('{"action": "send_message", "body": "\\ud800", "client_id": "x"}', "invalid"),
    ('{"action": "send_message", "body": "hi", "client_id": 7}', "invalid"),
    ('{"action": "read", "seq": "1"}', "invalid"),
    ('{"action": "read", "seq": true}', "invalid"),
    ('{"action": "read", "seq": -1}', "invalid"),
    ('{"action": "resume", "after": 1.5}', "invalid"),
    ('{"action": "resume", "after": 1e400}', "invalid"),
    ('{"action": "resume", "after": ' + "9" * 5000 + "}", "invalid"),
]


def test_frames_that_make_no_sense_are_refused_and_the_socket_lives(here: Phone) -> None:
    for sent, code in NONSENSE:
        here.socket.send(sent)
        refused = here.until("error")
        assert (refused["code"], refused["status"]) == (code, 400 if code == "malformed-json" else 422), sent
    assert here.say("still here")["seq"] == 2


def test_too_long_a_message_closes_the_socket(customer: httpx.Client, asked: dict[str, Any], here: Phone) -> None:
    assert here.say("Ş" * 4000)["seq"] == 2
    here.socket.send(json.dumps({"action": "send_message", "body": "x" * 2_000_000, "client_id": "1"}))
    assert here.goodbye() == 1009
    with calling(customer, asked["id"]) as parts:
        parts.socket.send_frame(websocket.ABNF.create_frame("x" * 40_000, websocket.ABNF.OPCODE_TEXT, 0))
        parts.socket.send_frame(websocket.ABNF.create_frame("x" * 40_000, websocket.ABNF.OPCODE_CONT, 1))
        assert parts.goodbye() == 1009
    assert shown(customer.get(path(asked)))["last_seq"] == 2


def _compressed(text: bytes) -> websocket.ABNF:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    payload = (squeeze.compress(text) + squeeze.flush(zlib.Z_SYNC_FLUSH))[:-4]
    return websocket.ABNF(1, 1, 0, 0, websocket.ABNF.OPCODE_TEXT, 1, payload)


def test_a_compression_bomb_closes_the_socket(customer: httpx.Client, asked: dict[str, Any]) -> None:
    offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
    with calling(customer, asked["id"], header=[offer]) as phone:
        assert "permessage-deflate" in str(phone.socket.headers)
        for number in range(2, 4):
            said = {"action": "send_message", "body": "squeezed " * 400, "client_id": str(number)}
            phone.socket.send_frame(_compressed(json.dumps(said).encode()))
            assert phone.until("message")["seq"] == number
        phone.socket.send_frame(_compressed(b" " * 50_000_000))
        assert phone.goodbye() == 1009


def test_a_flood_closes_the_socket(customer: httpx.Client, asked: dict[str, Any]) -> None:
    for frame in ('{"action": "typing"}', "x"):
        with calling(customer, asked["id"]) as phone:
            for _ in range(1_000):
                try:
                    phone.socket.send(frame)
                except OSError:
                    break
            assert phone.goodbye() == 1008
    with calling(customer, asked["id"]) as phone:
        assert phone.say("calm again")


@pytest.mark.parametrize(
    ("opcode", "payload"),
    [
        (websocket.ABNF.OPCODE_PING, "anybody there?"),
        (websocket.ABNF.OPCODE_PONG, "I am"),
        (websocket.ABNF.OPCODE_CONT, "x"),
        (websocket.ABNF.OPCODE_CONT, ""),
    ],
)
def test_a_flood_of_frames_that_say_nothing_closes_the_socket(
    customer: httpx.Client, asked: dict[str, Any], opcode: int, payload: str
) -> None:
    with calling(customer, asked["id"]) as phone:
        phone.socket.send_frame(websocket.ABNF.create_frame("a message without end", websocket.ABNF.OPCODE_TEXT, 0))
        fin = 0 if opcode == websocket.ABNF.OPCODE_CONT else 1
        with suppress(OSError):
            for _ in range(1_000):
                phone.socket.send_frame(websocket.ABNF.create_frame(payload, opcode, fin))
        assert phone.goodbye() == 1008


def test_empty_parts_of_a_message_are_not_kept(
    live: LiveShop, customer: httpx.Client, asked: dict[str, Any], here: Phone
) -> None:
    message = json.dumps({"action": "send_message", "body": "at last", "client_id": "1"})
    here.socket.send_frame(websocket.ABNF.create_frame(message, websocket.ABNF.OPCODE_TEXT, 0))
    for _ in range(100):
        here.socket.send_frame(websocket.ABNF.create_frame("", websocket.ABNF.OPCODE_CONT, 0))
    here.socket.ping("are they read?")
    assert here.socket.recv_data(control_frame=True)[0] == websocket.ABNF.OPCODE_PONG
    (served,) = live.chat.connections()
    assert len(served._wire._parts) == 1
    here.socket.send_frame(websocket.ABNF.create_frame("", websocket.ABNF.OPCODE_CONT, 1))
    assert here.until("message")["body"] == "at last"


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"\x81\xff" + b"\x7f" + b"\xff" * 7, 1009),
        (b"\x81\xff" + b"\xff" * 8, 1002),
        (b"\x89\xfe\xff\xff", 1002),
        (b"\x09\x80", 1002),
        (b"\x80\x80", 1002),
        (b"\x83\x80", 1002),
        (b"\xc1\x80", 1002),
        (b"\x81\x05hello", 1002),
    ],
    ids=[
        "2^63 bytes",
        "2^64 bytes",
        "a long ping",
        "a ping in parts",
        "a part of nothing",
        "opcode 3",
        "RSV",
        "unmasked",
    ],
)
def test_a_frame_against_the_rules_closes_the_socket(
    customer: httpx.Client, asked: dict[str, Any], head: bytes, code: int
) -> None:
    with calling(customer, asked["id"]) as phone:
        assert phone.socket.sock is not None
        phone.socket.sock.sendall(head + b"mask")
        with suppress(OSError):
            phone.socket.sock.sendall(b"x" * 100_000)
        opcode, data = phone.socket.recv_data()  # which answers, and fails where nobody listens any more
        assert (opcode, int.from_bytes(data[:2], "big")) == (websocket.ABNF.OPCODE_CLOSE, code)


@pytest.mark.parametrize("limits", [ChatLimits(patience=0.5)], indirect=True)
def test_a_client_that_never_reads_is_dropped_and_nobody_else_notices(
    live: LiveShop, customer: httpx.Client, asked: dict[str, Any], here: Phone
) -> None:
    where = f"?conversation_id={asked['id']}"
    small = (socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf = websocket.create_connection(
        address_of(str(customer.base_url)) + where, timeout=10, header=headers_of(customer), sockopt=(small,)
    )
    user = _user(live, customer)
    try:
        for number in range(120):
            live.store.support.send(by=user, conversation_id=asked["id"], body=str(number) + "x" * 3900)
            assert here.read()["seq"] == number + 2
        while len(live.chat.connections()) > 1:
            here.say("is anybody there?")
    finally:
        Phone(deaf).hang_up()
    assert here.say("goes on")


def _user(live: LiveShop, client: httpx.Client) -> Any:
    with live.store.storage.reading(live.clock(), str) as unit:
        return unit.users.get(client.get("/auth/me").json()["id"])


def test_a_ban_closes_sockets(live: LiveShop, customer: httpx.Client, here: Phone) -> None:
    live.store.accounts.ban(by=SYSTEM, user_id=customer.get("/auth/me").json()["id"])
    assert here.goodbye() == 4401
    assert here.frames[-1]["code"] == "session-ended"


def test_signing_out_closes_the_sockets_of_that_session_alone(
    live: LiveShop, customer: httpx.Client, asked: dict[str, Any], here: Phone
) -> None:
    with calling(live.bearer("ada@example.com"), asked["id"]) as other:
        customer.post("/auth/logout")
        assert here.goodbye() == 4401
        assert other.say("another device")


def test_who_is_no_agent_any_more_sees_nothing_more(
    live: LiveShop, agent: httpx.Client, asked: dict[str, Any], here: Phone
) -> None:
    with calling(agent, asked["id"]) as there, calling(agent) as watch:
        me = agent.get("/auth/me").json()["id"]
        live.store.accounts.set_role(by=SYSTEM, user_id=me, role=Role.CUSTOMER)
        assert [there.goodbye(), watch.goodbye()] == [4403, 4403]
        assert (there.frames[-1]["code"], watch.frames[-1]["code"]) == ("not-found", "forbidden")
    assert here.say("a customer stays")


@pytest.mark.parametrize("limits", [ChatLimits(sockets=3)], indirect=True)
def test_one_socket_too_many_is_told_to_try_again(
    live: LiveShop, customer: httpx.Client, asked: dict[str, Any]
) -> None:
    with ExitStack() as stack:
        first = [stack.enter_context(calling(customer, asked["id"])) for _ in range(3)]
        with calling(customer, asked["id"], greeted=False) as late:
            assert late.goodbye() == 1013
            assert (late.frames[0]["type"], late.frames[0]["code"]) == ("error", "unavailable")
            assert "try again" in late.frames[0]["detail"]
        assert customer.get("/auth/me").status_code == 200
        first[0].socket.close()
        while True:
            with calling(customer, asked["id"], greeted=False) as another:
                if another.read()["type"] == "history":
                    break


def test_events_that_are_lost_are_made_good_for(
    live: LiveShop, customer: httpx.Client, agent: httpx.Client, asked: dict[str, Any], here: Phone
) -> None:
    watch = live.chat._watch
    assert watch is not None
    watch._pass_on = lambda event: None  # type: ignore[method-assign] # as if no event ever came
    customer.post(path(asked, "messages"), json={"body": "Hello?"})
    assert here.until("message")["body"] == "Hello?"
    agent.post(path(asked, "claim"))
    here.until("conversation_claimed")
    with calling(agent) as queue:
        opened(live.customer("bob@example.com"))
        assert len(queue.until("queue")["conversations"]) == 1


@pytest.mark.parametrize("limits", [ChatLimits(each=20)], indirect=True)
def test_twenty_copies_of_a_message_at_once_are_one(customer: httpx.Client, asked: dict[str, Any]) -> None:
    with ExitStack() as stack:
        phones = [stack.enter_context(calling(customer, asked["id"])) for _ in range(20)]
        threads = [Thread(target=phone.say, args=("once", "same")) for phone in phones]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert shown(customer.get(path(asked)))["last_seq"] == 2


def test_what_comes_before_a_client_has_resumed_is_sent_once(
    monkeypatch: pytest.MonkeyPatch, customer: httpx.Client, asked: dict[str, Any]
) -> None:
    monkeypatch.setattr(connection, "HOLD_SECONDS", 60.0)
    with calling(customer, asked["id"]) as back, calling(customer, asked["id"]) as copy:
        for name in ("c1", "c2"):
            customer.post(path(asked, "messages"), json={"body": name, "client_id": name})
        back.do("resume", after=0)
        assert [back.read()["seq"] for _ in range(3)] == [1, 2, 3]
        copy.do("send_message", body="c1", client_id="c1")
        copy.say("c3")
        assert texts(copy) == ["c1", "c2", "c3"]
