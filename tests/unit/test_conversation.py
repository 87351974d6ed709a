"""A conversation's states and marks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storecore.accounts.model import GUEST, SYSTEM
from storecore.accounts.permissions import Role
from storecore.errors import AlreadyClaimed, ConversationClosed, IllegalTransition, Invalid
from storecore.support.model import NEXT, Conversation, ConversationStatus, Message, Side
from storecore.testing.builders import NOW, ids, make_conversation, make_message, make_user

WAITING, CLAIMED, CLOSED = ConversationStatus
NEW_ID = ids()
ROBIN = make_user(NEW_ID, role=Role.SUPPORT_AGENT, full_name="Robin Support")
STATES: dict[ConversationStatus, Conversation] = {
    WAITING: make_conversation(NEW_ID),
    CLAIMED: make_conversation(NEW_ID).claim(ROBIN),
    CLOSED: make_conversation(NEW_ID).close(Side.CUSTOMER, at=NOW),
}
MOVES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("claim", (ROBIN,), {}),
    ("release", (), {}),
    ("transfer", (ROBIN,), {}),
    ("close", (Side.AGENT,), {"at": NOW}),
]
REFUSED = {
    (WAITING, "release"): IllegalTransition,
    (WAITING, "transfer"): IllegalTransition,
    (CLAIMED, "claim"): AlreadyClaimed,
    **{(CLOSED, name): ConversationClosed for name, _, _ in MOVES},
}


@pytest.mark.parametrize("status", ConversationStatus)
@pytest.mark.parametrize(("name", "arguments", "more"), MOVES)
def test_every_move_leads_on_or_is_refused(
    status: ConversationStatus, name: str, arguments: tuple[Any, ...], more: dict[str, Any]
) -> None:
    before = STATES[status]
    if refused := REFUSED.get((status, name)):
        with pytest.raises(refused):
            getattr(before, name)(*arguments, **more)
        return
    after: Conversation = getattr(before, name)(*arguments, **more)
    assert after.status in NEXT[status]
    assert after.version == before.version + 1
    assert (after.waiting_since, after.last_seq) == (before.waiting_since, before.last_seq)
    assert after.is_with(ROBIN) is (after.agent_id == ROBIN.id)


@given(st.lists(st.one_of(st.sampled_from(Side), st.tuples(st.sampled_from(Side), st.integers(-5, 30)))))
def test_marks_only_go_forward_and_never_beyond_what_was_said(steps: list[Any]) -> None:
    conversation = make_conversation(ids())
    for step in steps:
        before = conversation
        conversation = before.said(step) if isinstance(step, Side) else before.read(*step)
        assert conversation.last_seq == before.last_seq + isinstance(step, Side)
        for side in Side:
            assert before.mark(side) <= conversation.mark(side) <= conversation.last_seq
            assert conversation.unread(side) == conversation.last_seq - conversation.mark(side)
        if isinstance(step, Side):
            assert conversation.unread(step) == 0
        assert conversation.version - before.version == (conversation != before)


def test_a_closed_conversation_can_still_be_read() -> None:
    conversation = make_conversation(ids()).said(Side.CUSTOMER).close(Side.CUSTOMER, at=NOW)
    assert conversation.read(Side.AGENT, 1).unread(Side.AGENT) == 0


def test_nobody_is_the_agent_of_a_conversation_that_waits() -> None:
    for by in (GUEST, SYSTEM, ROBIN):
        assert not STATES[WAITING].is_with(by)


def test_what_was_said_is_not_in_a_log() -> None:
    conversation = make_conversation(ids(), customer_name="NAME", guest_email="EMAIL@example.com", subject="SUBJECT")
    message = make_message(ids(), conversation, 1, author_name="NAME", body="BODY")
    for secret in ("NAME", "email@", "SUBJECT", "BODY"):
        assert secret not in repr(conversation) + repr(message)


@pytest.mark.parametrize("fields", [{"body": ""}, {"body": "x" * 4001}, {"body": "\ud800"}, {"client_id": "x" * 65}])
def test_a_message_checks_itself(fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        make_message(ids(), STATES[WAITING], 1, **fields)
    cleaned: Message = make_message(ids(), STATES[WAITING], 1, body=" Hello\r\nthere ", client_id=" ")
    assert (cleaned.body, cleaned.client_id) == ("Hello\nthere", None)
