"""Conversations: who may do what, states, numbering, telling, and many at once."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from adapters.local_hub import LocalHub
from storecore.accounts.model import GUEST, SYSTEM, Actor, Guest, User
from storecore.accounts.permissions import Permission, Role
from storecore.errors import (
    AlreadyClaimed,
    ConversationClosed,
    Forbidden,
    Invalid,
    LinkInvalid,
    NotAuthenticated,
    NotClaimed,
    NotFound,
)
from storecore.lists import PageRequest
from storecore.ports import Event
from storecore.store import Support
from storecore.support.model import Conversation, ConversationStatus, Message, Side
from storecore.support.saying import Said
from storecore.support.telling import QUEUE, topic, typing_in
from storecore.testing.contracts.proving import Together, walk
from storecore.transactions import Once, Replayed
from tests.usecases.floor import HOME, Floor, person, product

WAITING, CLAIMED, CLOSED = ConversationStatus
NOBODYS = "01a1fa49-df8f-7669-85af-651cd9754d97"


def agent(store: Floor, name: str = "Robin Support") -> User:
    return person(store, Role.SUPPORT_AGENT, name=name)


def ask(store: Floor, by: Actor, message: str = "Where is my parcel?", **more: Any) -> Conversation:
    """Open a conversation; guests are called Zoë."""
    if isinstance(by, Guest):
        more = {"guest_name": "Zoë", "guest_email": "zoe@example.com"} | more
    return store.support.open(by=by, message=message, **more)


def claimed(store: Floor, by: User, customer: Actor | None = None) -> Conversation:
    """A conversation that an agent has claimed."""
    return store.support.claim(by=by, conversation_id=ask(store, customer or person(store)).id)


def said(store: Floor, conversation: Conversation) -> Sequence[Message]:
    """Everything that was said, which is numbered without a gap."""
    read = partial(store.support.messages, by=SYSTEM, conversation_id=conversation.id)
    messages = walk(lambda page: read(page=page), limit=7)
    assert [each.seq for each in messages] == list(range(1, len(messages) + 1))
    assert store.support.get(by=SYSTEM, conversation_id=conversation.id).last_seq == len(messages)
    return messages


def test_a_customer_asks_an_agent_answers_and_it_is_closed_with_notes(store: Floor) -> None:
    ada, robin = person(store), agent(store)
    opened = ask(store, ada, "Where is\r\nmy parcel?", subject="Parcel")
    assert (opened.status, opened.subject, opened.customer_name) == (WAITING, "Parcel", "Ada Lovelace")
    assert (opened.last_seq, opened.unread(Side.CUSTOMER), opened.unread(Side.AGENT)) == (1, 0, 1)
    assert store.support.queue(by=robin).items == (opened,)
    with_robin = store.support.claim(by=robin, conversation_id=opened.id)
    assert (with_robin.status, with_robin.agent_id, with_robin.agent_name) == (CLAIMED, robin.id, "Robin S.")
    assert store.support.queue(by=robin).items == ()
    store.support.send(by=robin, conversation_id=opened.id, body="On its way.")
    store.support.send(by=ada, conversation_id=opened.id, body="Thanks!", client_id="c1")
    store.time.forward(minutes=5)
    closed = store.support.close(by=robin, conversation_id=opened.id, notes="Late carrier.")
    assert (closed.status, closed.closed_at, closed.closed_by) == (CLOSED, store.time.at, Side.AGENT)
    assert (closed.notes, closed.agent_id) == ("Late carrier.", robin.id)
    assert store.support.get(by=ada, conversation_id=opened.id) == closed
    assert [(each.seq, each.side, each.author_id, each.author_name, each.body) for each in said(store, opened)] == [
        (1, Side.CUSTOMER, ada.id, "Ada L.", "Where is\nmy parcel?"),
        (2, Side.AGENT, robin.id, "Robin S.", "On its way."),
        (3, Side.CUSTOMER, ada.id, "Ada L.", "Thanks!"),
    ]


def test_a_guest_comes_back_with_the_conversations_token(store: Floor) -> None:
    robin, opened = agent(store), ask(store, GUEST)
    assert (opened.customer_id, opened.customer_name, opened.guest_email) == (None, "Zoë", "zoe@example.com")
    zoe = store.support.holder(store.support.token(opened))
    store.support.claim(by=robin, conversation_id=opened.id)
    message = store.support.send(by=zoe, conversation_id=opened.id, body="Hello?").message
    assert (message.author_id, message.author_name, message.side) == (None, "Zoë", Side.CUSTOMER)
    assert store.support.messages(by=zoe, conversation_id=opened.id).items[1] == message
    assert store.support.close(by=zoe, conversation_id=opened.id).closed_by is Side.CUSTOMER
    store.time.forward(days=89)
    assert store.support.holder(store.support.token(opened)) == zoe
    token = store.support.token(opened)
    store.time.forward(days=1)
    for bad in (token, "forged", token[:-1], store.support.signer.sign("order", {"order": opened.id}, store.time.at)):
        with pytest.raises(LinkInvalid):
            store.support.holder(bad)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"guest_name": None}, "guest_name"),
        ({"guest_email": None}, "guest_email"),
        ({"guest_name": " "}, "guest_name"),
        ({"guest_name": "x" * 201}, "guest_name"),
        ({"guest_email": "nobody"}, "guest_email"),
        ({"message": " \n"}, "message"),
        ({"message": "x" * 4001}, "message"),
        ({"message": "bell\a"}, "message"),
        ({"subject": "x" * 201}, "subject"),
        ({"subject": "two\nlines"}, "subject"),
    ],
)
def test_what_is_asked_is_checked_and_nothing_is_opened(store: Floor, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        ask(store, GUEST, **fields)
    assert [name for name, _ in caught.value.errors] == [field]
    assert store.support.queue(by=SYSTEM).items == ()


def test_a_user_gives_no_other_name_or_email(store: Floor) -> None:
    ada = person(store)
    for name in ("guest_name", "guest_email"):
        with pytest.raises(Invalid, match=name):
            ask(store, ada, **{name: "eve@example.com"})


def test_a_strangers_conversation_is_not_there(store: Floor) -> None:
    eve, opened, hers = person(store), ask(store, person(store)), ask(store, GUEST)
    zoe = store.support.holder(store.support.token(hers))
    strangers: list[tuple[Actor, str]] = [
        (eve, opened.id),
        (eve, hers.id),
        (eve, NOBODYS),
        (zoe, opened.id),
        (zoe, ask(store, GUEST).id),
        (GUEST, hers.id),
        (Guest(order_id=hers.id), hers.id),
        (Guest(conversation_id=opened.id), opened.id),
        (person(store, Role.SALES_MANAGER), opened.id),
        (SYSTEM, NOBODYS),
    ]
    support = store.support
    for by, conversation_id in strangers:
        tries: list[Callable[[], object]] = [
            partial(support.get, by=by, conversation_id=conversation_id),
            partial(support.case, by=by, conversation_id=conversation_id),
            partial(support.messages, by=by, conversation_id=conversation_id),
            partial(support.history, by=by, conversation_id=conversation_id),
            partial(support.news, by=by, conversation_id=conversation_id, after=0),
            partial(support.typing, by=by, conversation_id=conversation_id),
            partial(support.send, by=by, conversation_id=conversation_id, body="Hello"),
            partial(support.mark_read, by=by, conversation_id=conversation_id, seq=1),
            partial(support.close, by=by, conversation_id=conversation_id),
        ]
        for attempt in tries:
            with pytest.raises(NotFound):
                attempt()
    assert len(said(store, opened)) == 1


def test_what_agents_do_is_for_agents(store: Floor) -> None:
    opened, other = ask(store, person(store)), agent(store)
    not_agents = (
        (person(store), Forbidden),
        (person(store, Role.VENDOR), Forbidden),
        (GUEST, NotAuthenticated),
        (Guest(conversation_id=opened.id), NotAuthenticated),
    )
    support = store.support
    for by, refused in not_agents:
        tries: list[Callable[[], object]] = [
            partial(support.queue, by=by),
            partial(support.claim, by=by, conversation_id=opened.id),
            partial(support.release, by=by, conversation_id=opened.id),
            partial(support.transfer, by=by, conversation_id=opened.id, agent_id=other.id),
        ]
        for attempt in tries:
            with pytest.raises(refused):
                attempt()
    with pytest.raises(NotAuthenticated):
        support.claim(by=SYSTEM, conversation_id=opened.id)
    with pytest.raises(NotClaimed):
        support.send(by=SYSTEM, conversation_id=opened.id, body="I am the shop")
    assert store.support.claim(by=person(store, Role.ADMIN), conversation_id=opened.id).status is CLAIMED


def test_the_permission_counts_not_the_role(store: Floor) -> None:
    vendor, robin, opened = person(store, Role.VENDOR), agent(store), ask(store, person(store))
    permit = partial(store.accounts.set_permission, by=SYSTEM, permission=Permission.SUPPORT_AGENT)
    vendor = permit(user_id=vendor.id, allowed=True)
    assert store.support.claim(by=vendor, conversation_id=opened.id).agent_id == vendor.id
    assert store.support.case(by=vendor, conversation_id=opened.id).context is not None
    stale, robin = robin, permit(user_id=robin.id, allowed=False)
    waiting = ask(store, person(store))
    for by in (stale, robin):
        with pytest.raises(Forbidden):
            store.support.claim(by=by, conversation_id=waiting.id)


def test_the_banned_neither_ask_nor_answer(store: Floor) -> None:
    ada, robin = person(store), agent(store)
    opened = claimed(store, robin, ada)
    for user in (ada, robin):
        banned = store.accounts.ban(by=SYSTEM, user_id=user.id)
        with pytest.raises(Forbidden):
            store.support.open(by=banned, message="Hello")
        with pytest.raises(Forbidden):
            store.support.send(by=banned, conversation_id=opened.id, body="Hello")
        with pytest.raises(Forbidden):
            store.support.get(by=banned, conversation_id=opened.id)
        with pytest.raises(Forbidden):
            store.support.close(by=banned, conversation_id=opened.id)
        with pytest.raises(Forbidden):
            store.support.mine(by=banned)


@pytest.mark.parametrize("leave", ["ban", "demote", "deny"])
def test_an_agent_who_leaves_gives_conversations_back_to_the_queue(store: Floor, leave: str) -> None:
    robin, other = agent(store), agent(store)
    held = [claimed(store, robin) for _ in range(3)]
    kept, closed = claimed(store, other), claimed(store, robin)
    closed = store.support.close(by=robin, conversation_id=closed.id)
    accounts = store.accounts
    if leave == "ban":
        accounts.ban(by=SYSTEM, user_id=robin.id)
    elif leave == "demote":
        accounts.set_role(by=SYSTEM, user_id=robin.id, role=Role.VENDOR)
    else:
        accounts.set_permission(by=SYSTEM, user_id=robin.id, permission=Permission.SUPPORT_AGENT, allowed=False)
    assert [each.id for each in store.support.queue(by=other).items] == [each.id for each in held]
    for untouched in (kept, closed):
        assert store.support.get(by=SYSTEM, conversation_id=untouched.id) == untouched
    assert store.support.claim(by=other, conversation_id=held[0].id).agent_id == other.id


def test_an_agent_who_becomes_admin_keeps_conversations(store: Floor) -> None:
    robin = agent(store)
    opened = claimed(store, robin)
    robin = store.accounts.set_role(by=SYSTEM, user_id=robin.id, role=Role.ADMIN)
    assert store.support.get(by=robin, conversation_id=opened.id) == opened


def test_an_agent_speaks_where_they_have_claimed_and_nowhere_else(store: Floor) -> None:
    robin, other, opened = agent(store), agent(store), ask(store, person(store))
    for _ in range(2):
        with pytest.raises(NotClaimed):
            store.support.send(by=other, conversation_id=opened.id, body="Hello")
        for attempt in (store.support.release, partial(store.support.transfer, agent_id=other.id)):
            with pytest.raises(NotClaimed):
                attempt(by=other, conversation_id=opened.id)
        assert len(store.support.messages(by=other, conversation_id=opened.id).items) == 1
        if opened.status is WAITING:
            opened = store.support.claim(by=robin, conversation_id=opened.id)
    with pytest.raises(AlreadyClaimed):
        store.support.claim(by=other, conversation_id=opened.id)
    with pytest.raises(AlreadyClaimed):
        store.support.claim(by=robin, conversation_id=opened.id)
    with pytest.raises(NotClaimed):
        store.support.close(by=other, conversation_id=opened.id)
    waiting = ask(store, person(store))
    assert store.support.close(by=other, conversation_id=waiting.id, notes="Spam").closed_by is Side.AGENT


def test_nobody_handles_their_own_conversation(store: Floor) -> None:
    robin, other = agent(store), agent(store)
    opened = ask(store, robin)
    with pytest.raises(Forbidden):
        store.support.claim(by=robin, conversation_id=opened.id)
    assert store.support.case(by=robin, conversation_id=opened.id).context is None
    store.support.claim(by=other, conversation_id=opened.id)
    assert store.support.send(by=robin, conversation_id=opened.id, body="Hello?").message.side is Side.CUSTOMER
    with pytest.raises(Invalid, match="agent_id"):
        store.support.transfer(by=other, conversation_id=opened.id, agent_id=robin.id)
    assert store.support.close(by=robin, conversation_id=opened.id).closed_by is Side.CUSTOMER


def test_a_released_conversation_keeps_its_place_in_the_queue(store: Floor) -> None:
    robin, opened = agent(store), []
    for _ in range(3):
        opened.append(ask(store, person(store)))
        store.time.forward(minutes=1)
    first = store.support.claim(by=robin, conversation_id=opened[0].id)
    store.support.send(by=robin, conversation_id=first.id, body="One moment.")
    released = store.support.release(by=robin, conversation_id=first.id)
    assert (released.status, released.agent_id, released.agent_name) == (WAITING, None, None)
    assert [each.id for each in store.support.queue(by=robin).items] == [each.id for each in opened]
    page = store.support.queue(by=robin, page=PageRequest(limit=2, total=True))
    assert ([each.id for each in page.items], page.total) == ([each.id for each in opened[:2]], 3)


def test_a_conversation_is_transferred_to_another_agent_and_nobody_else(store: Floor) -> None:
    ada, robin, other, banned = person(store), agent(store), agent(store, "Kim Other"), agent(store)
    store.accounts.ban(by=SYSTEM, user_id=banned.id)
    opened = claimed(store, robin, ada)
    for user_id in (ada.id, person(store, Role.VENDOR).id, banned.id, robin.id, NOBODYS, ""):
        with pytest.raises(Invalid) as caught:
            store.support.transfer(by=robin, conversation_id=opened.id, agent_id=user_id)
        assert [name for name, _ in caught.value.errors] == ["agent_id"]
    moved = store.support.transfer(by=robin, conversation_id=opened.id, agent_id=other.id)
    assert (moved.status, moved.agent_id, moved.agent_name) == (CLAIMED, other.id, "Kim O.")
    assert store.support.queue(by=robin).items == ()
    with pytest.raises(NotClaimed):
        store.support.send(by=robin, conversation_id=opened.id, body="One more thing")
    store.support.send(by=other, conversation_id=opened.id, body="Hello, Kim here.")


def test_a_closed_conversation_takes_nothing_and_never_opens_again(store: Floor) -> None:
    ada, robin, other = person(store), agent(store), agent(store)
    opened = claimed(store, robin, ada)
    first = store.support.send(by=ada, conversation_id=opened.id, body="Bye", client_id="c1")
    closed = store.support.close(by=ada, conversation_id=opened.id, notes="Solved it myself")
    support = store.support
    tries: list[Callable[[], object]] = [
        partial(support.send, by=ada, conversation_id=opened.id, body="Hello"),
        partial(support.send, by=robin, conversation_id=opened.id, body="Hello"),
        partial(support.send, by=other, conversation_id=opened.id, body="Hello"),
        partial(support.claim, by=other, conversation_id=opened.id),
        partial(support.release, by=robin, conversation_id=opened.id),
        partial(support.transfer, by=robin, conversation_id=opened.id, agent_id=other.id),
        partial(support.close, by=robin, conversation_id=opened.id, notes="Other notes"),
        partial(support.close, by=other, conversation_id=opened.id),
        partial(support.close, by=ada, conversation_id=opened.id),
    ]
    for attempt in tries:
        with pytest.raises(ConversationClosed):
            attempt()
    again = support.send(by=ada, conversation_id=opened.id, body="Bye", client_id="c1")
    assert again == Said(message=first.message, repeated=True)
    assert support.get(by=ada, conversation_id=opened.id) == closed
    assert support.mark_read(by=robin, conversation_id=opened.id, seq=2).unread(Side.AGENT) == 0


def test_a_client_id_is_one_message_of_its_sender(store: Floor) -> None:
    ada, robin = person(store), agent(store)
    opened = claimed(store, robin, ada)
    first = store.support.send(by=ada, conversation_id=opened.id, body="Hello", client_id="c1")
    assert not first.repeated
    for client_id, body in (("c1", "Hello"), (" c1 ", "Hello"), ("c1", "Another body")):
        again = store.support.send(by=ada, conversation_id=opened.id, body=body, client_id=client_id)
        assert again == Said(message=first.message, repeated=True)
    assert not store.support.send(by=robin, conversation_id=opened.id, body="Hi", client_id="c1").repeated
    for nameless in (None, "", " "):
        assert not store.support.send(by=ada, conversation_id=opened.id, body="Hi", client_id=nameless).repeated
    other = ask(store, ada)
    assert not store.support.send(by=ada, conversation_id=other.id, body="Hello", client_id="c1").repeated
    for bad in ("x" * 65, "two\nlines"):
        with pytest.raises(Invalid, match="client_id"):
            store.support.send(by=ada, conversation_id=opened.id, body="Hello", client_id=bad)
    assert len(said(store, opened)) == 6


def test_each_side_has_its_own_unread_count_and_a_mark_never_goes_back(store: Floor) -> None:
    ada, robin, other = person(store), agent(store), agent(store)
    opened = claimed(store, robin, ada)
    for body in ("One", "Two", "Three"):
        store.support.send(by=ada, conversation_id=opened.id, body=body)

    def unread() -> tuple[int, int]:
        conversation = store.support.get(by=SYSTEM, conversation_id=opened.id)
        return conversation.unread(Side.CUSTOMER), conversation.unread(Side.AGENT)

    assert unread() == (0, 4)
    for by, seq, expected in (
        (robin, 2, (0, 2)),
        (robin, 1, (0, 2)),
        (robin, 0, (0, 2)),
        (other, 4, (0, 2)),
        (SYSTEM, 4, (0, 2)),
        (robin, 999, (0, 0)),
    ):
        store.support.mark_read(by=by, conversation_id=opened.id, seq=seq)
        assert unread() == expected
    store.support.send(by=robin, conversation_id=opened.id, body="Answer")
    assert unread() == (1, 0)
    store.support.send(by=ada, conversation_id=opened.id, body="Reply")
    assert unread() == (0, 1)
    with pytest.raises(Invalid, match="seq"):
        store.support.mark_read(by=ada, conversation_id=opened.id, seq=-1)
    for bad in (True, "1", 1.0):
        with pytest.raises(TypeError):
            store.support.mark_read(by=ada, conversation_id=opened.id, seq=bad)  # type: ignore[arg-type] # that is the point


def test_one_lists_ones_own_and_an_agent_what_they_have_claimed(store: Floor) -> None:
    ada, robin = person(store), agent(store)
    first = claimed(store, robin, ada)
    store.time.forward(minutes=1)
    second = claimed(store, robin, person(store))
    store.time.forward(minutes=1)
    waiting = ask(store, ada)
    first = store.support.close(by=robin, conversation_id=first.id)
    assert store.support.mine(by=ada).items == (waiting, first)
    assert store.support.mine(by=ada, status=CLOSED).items == (first,)
    assert store.support.mine(by=robin).items == (second, first)
    assert store.support.mine(by=robin, status=CLAIMED).items == (second,)
    assert store.support.mine(by=robin, status=WAITING).items == ()
    for by in (GUEST, Guest(conversation_id=first.id), SYSTEM):
        with pytest.raises(NotAuthenticated):
            store.support.mine(by=by)


def test_the_latest_messages_come_in_order(store: Floor) -> None:
    ada = person(store)
    opened = ask(store, ada, "1")
    for number in range(2, 8):
        store.support.send(by=ada, conversation_id=opened.id, body=str(number))
    history = store.support.history(by=ada, conversation_id=opened.id, limit=3)
    assert [each.body for each in history.messages] == ["5", "6", "7"]
    news = store.support.news(by=agent(store), conversation_id=opened.id, after=4)
    assert news == history
    assert news.conversation.last_seq == 7
    resumed = store.support.messages(by=ada, conversation_id=opened.id, page=PageRequest(after=(5,)))
    assert [each.body for each in resumed.items] == ["6", "7"]
    for number in range(8, 111):
        store.support.send(by=ada, conversation_id=opened.id, body=str(number))
    assert [each.seq for each in store.support.news(by=ada, conversation_id=opened.id, after=7).messages] == [
        *range(8, 108)
    ]


def test_an_agent_sees_what_the_customer_ordered_is_about_to_buy_and_wishes_for(store: Floor) -> None:
    ada, robin, hat = person(store), agent(store), product(store, stock=99)
    orders = []
    for _ in range(6):
        orders.append(store.orders.place(by=ada, items=[(hat.id, 1)], deliver_to=HOME))
        store.time.forward(minutes=1)
    store.carts.add_item(by=ada, product_id=hat.id, quantity=3)
    wished = [product(store) for _ in range(6)]
    for each in wished:
        store.wishlist.add(by=ada, product_id=each.id)
        store.time.forward(minutes=1)
    opened = ask(store, ada)
    case = store.support.case(by=robin, conversation_id=opened.id)
    assert (case.conversation, case.side) == (opened, Side.AGENT)
    assert case.context is not None
    assert [order.id for order in case.context.orders] == [order.id for order in orders[:0:-1]]
    assert case.context.cart == store.carts.cart(by=ada)
    assert [each.id for each in case.context.wishes] == [each.id for each in wished[:0:-1]]
    mine = store.support.case(by=ada, conversation_id=opened.id)
    assert (mine.side, mine.context) == (Side.CUSTOMER, None)
    for by in (GUEST, person(store)):
        nothing = store.support.case(by=robin, conversation_id=ask(store, by).id).context
        assert nothing is not None
        assert (nothing.orders, nothing.cart, nothing.wishes) == ((), None, ())


def test_a_request_that_is_sent_twice_is_carried_out_once(store: Floor) -> None:
    ada = person(store)
    once = Once("open", "key", b"fingerprint", lambda opened: opened.id.encode())
    opened = ask(store, ada, once=once)
    with pytest.raises(Replayed) as replayed:
        ask(store, ada, once=once)
    assert replayed.value.answer == opened.id.encode()
    assert store.support.mine(by=ada).items == (opened,)
    once = Once("send", "key", b"fingerprint", lambda sent: sent.message.id.encode())
    sent = store.support.send(by=ada, conversation_id=opened.id, body="Hello", once=once)
    with pytest.raises(Replayed) as replayed:
        store.support.send(by=ada, conversation_id=opened.id, body="Hello", once=once)
    assert replayed.value.answer == sent.message.id.encode()
    assert len(said(store, opened)) == 2


def test_ten_agents_claim_at_once_and_one_has_it(store: Floor) -> None:
    agents, opened = [agent(store) for _ in range(10)], ask(store, person(store))
    claims = [partial(store.support.claim, by=each, conversation_id=opened.id) for each in agents]
    outcomes = Together(*claims).outcomes
    (winner,) = (each for each in outcomes if isinstance(each, Conversation))
    assert sum(isinstance(each, AlreadyClaimed) for each in outcomes) == 9
    assert outcomes[[each.id for each in agents].index(winner.agent_id or "")] == winner
    assert store.support.get(by=SYSTEM, conversation_id=opened.id) == winner


def test_twenty_copies_of_a_message_sent_at_once_are_one(store: Floor) -> None:
    ada = person(store)
    opened = ask(store, ada)
    send = partial(store.support.send, by=ada, conversation_id=opened.id, body="Hello", client_id="c1")
    answers = [each for each in Together(*[send] * 20).succeed() if isinstance(each, Said)]
    (message,) = said(store, opened)[1:]
    assert [each.message for each in answers] == [message] * 20
    assert sum(not each.repeated for each in answers) == 1


def test_both_sides_write_at_once_without_a_gap_or_a_loss(store: Floor) -> None:
    ada, robin = person(store), agent(store)
    opened = claimed(store, robin, ada)

    def talk(by: User, start: int) -> None:
        for number in range(start, start + 5):
            store.support.send(by=by, conversation_id=opened.id, body=str(number), client_id=f"c{number}")

    Together(*(partial(talk, by, start) for by, start in ((ada, 0), (robin, 100), (ada, 200), (robin, 300)))).succeed()
    messages = said(store, opened)[1:]
    assert len(messages) == 20
    for start in (0, 100, 200, 300):
        mine = [int(each.body) for each in messages if start <= int(each.body) < start + 100]
        assert mine == list(range(start, start + 5))


def test_closing_and_writing_at_once_leave_nothing_after_the_end(store: Floor) -> None:
    ada, robin = person(store), agent(store)
    opened = claimed(store, robin, ada)
    send = [
        partial(store.support.send, by=by, conversation_id=opened.id, body="Hello")
        for by in (ada, robin)
        for _ in "123"
    ]
    outcomes = Together(*send, partial(store.support.close, by=ada, conversation_id=opened.id)).outcomes
    sent = [each for each in outcomes if isinstance(each, Said)]
    refused = [each for each in outcomes if isinstance(each, ConversationClosed)]
    assert len(sent) + len(refused) == 6
    assert len(said(store, opened)) == 1 + len(sent)
    assert store.support.get(by=ada, conversation_id=opened.id).status is CLOSED


def test_an_agent_who_is_banned_while_claiming_keeps_nothing(store: Floor) -> None:
    robin, opened = agent(store), [ask(store, person(store)) for _ in range(4)]
    claims = [partial(store.support.claim, by=robin, conversation_id=each.id) for each in opened]
    Together(*claims, partial(store.accounts.ban, by=SYSTEM, user_id=robin.id)).join()
    assert store.support.queue(by=SYSTEM, page=PageRequest(total=True)).total == 4


class Watching(LocalHub):
    """Hears everything, and looks in the shop what is there at that moment."""

    def __init__(self, look: Callable[[], object]) -> None:
        super().__init__()
        self.heard: list[tuple[str, dict[str, Any], object]] = []
        self._look = look

    def publish(self, topic_: str, message: str) -> None:
        super().publish(topic_, message)
        self.heard.append((topic_, json.loads(message), self._look()))


def test_whoever_watches_is_told_of_everything_after_it_was_committed(store: Floor) -> None:
    ada, robin, other = person(store), agent(store), agent(store)
    opened = ask(store, ada)
    here = topic(opened.id)

    def version() -> int:
        return store.support.get(by=SYSTEM, conversation_id=opened.id).version

    hub = Watching(version)
    support: Support = replace(store.support, hub=hub)
    support.claim(by=robin, conversation_id=opened.id)
    support.send(by=ada, conversation_id=opened.id, body="A secret", client_id="c1")
    support.send(by=ada, conversation_id=opened.id, body="A secret", client_id="c1")
    support.mark_read(by=robin, conversation_id=opened.id, seq=99)
    support.mark_read(by=robin, conversation_id=opened.id, seq=1)
    support.transfer(by=robin, conversation_id=opened.id, agent_id=other.id)
    support.release(by=other, conversation_id=opened.id)
    support.close(by=other, conversation_id=opened.id)
    with pytest.raises(ConversationClosed):
        support.send(by=ada, conversation_id=opened.id, body="Too late")
    assert hub.heard == [
        (here, {"what": "claimed"}, 2),
        (QUEUE, {"what": "claimed", "id": opened.id}, 2),
        (here, {"what": "message", "seq": 2}, 3),
        (here, {"what": "read", "side": "agent", "seq": 2}, 4),
        (here, {"what": "claimed"}, 5),
        (QUEUE, {"what": "claimed", "id": opened.id}, 5),
        (here, {"what": "released"}, 6),
        (QUEUE, {"what": "released", "id": opened.id}, 6),
        (here, {"what": "closed"}, 7),
        (QUEUE, {"what": "closed", "id": opened.id}, 7),
    ]
    hub.heard.clear()
    another = support.open(by=ada, message="Another secret")
    assert hub.heard == [(QUEUE, {"what": "waiting", "id": another.id}, 7)]


def test_the_other_side_is_told_of_typing_and_nothing_is_kept(store: Floor) -> None:
    ada, robin, other = person(store), agent(store), agent(store)
    opened = claimed(store, robin, ada)
    hub = Watching(lambda: None)
    support: Support = replace(store.support, hub=hub)
    for by in (ada, robin):
        support.typing(by=by, conversation_id=opened.id)
    with pytest.raises(NotClaimed):
        support.typing(by=other, conversation_id=opened.id)
    assert [told for _, told, _ in hub.heard] == [{"what": "typing", "side": side} for side in ("customer", "agent")]
    events = [Event(where, json.dumps(told)) for where, told, _ in hub.heard]
    assert [typing_in(event) for event in events] == [Side.CUSTOMER, Side.AGENT]
    for message in ('{"what": "claimed"}', '{"what": "read", "side": "agent"}', "?", "[]", '{"what": "typing"}'):
        assert typing_in(Event(topic(opened.id), message)) is None
    assert support.versions(conversation_ids=[opened.id, NOBODYS]) == {opened.id: opened.version}
    support.close(by=ada, conversation_id=opened.id)
    with pytest.raises(ConversationClosed):
        support.typing(by=ada, conversation_id=opened.id)


def test_a_hub_that_is_down_stops_nobody(store: Floor) -> None:
    ada, robin, other = person(store), agent(store), agent(store)
    store.support.hub.close()
    opened = ask(store, ada)
    store.support.claim(by=robin, conversation_id=opened.id)
    store.support.send(by=ada, conversation_id=opened.id, body="Hello")
    store.support.mark_read(by=robin, conversation_id=opened.id, seq=2)
    store.support.transfer(by=robin, conversation_id=opened.id, agent_id=other.id)
    store.support.release(by=other, conversation_id=opened.id)
    assert store.support.close(by=ada, conversation_id=opened.id).status is CLOSED
    assert len(said(store, opened)) == 2
