"""Conversations: their queue, their lists, and messages that are numbered once each."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from storecore.accounts.model import User
from storecore.errors import Contention, NotFound
from storecore.lists import PageRequest
from storecore.ports import ConversationQuery, NewId, Storage, Unit
from storecore.support.model import Conversation, ConversationStatus, Message, Side
from storecore.testing.builders import NOW, ids, make_attached, make_conversation, make_message, make_user
from storecore.testing.contracts.proving import (
    COUNT_STATEMENTS,
    Contract,
    Together,
    check_pages,
    needs,
    overlap,
    rerun,
    seen,
    walk,
    written,
)

HOUR = timedelta(hours=1)


def people(storage: Storage, new_id: NewId, number: int = 2) -> list[User]:
    """Users, written."""
    users = [make_user(new_id) for _ in range(number)]
    with written(storage) as unit:
        for user in users:
            unit.users.add(user)
    return users


def opened(storage: Storage, *conversations: Conversation) -> None:
    """Write them."""
    with written(storage) as unit:
        for conversation in conversations:
            unit.conversations.add(conversation)


def saved(storage: Storage, conversation: Conversation) -> Conversation:
    """Write what changed; the conversation."""
    with written(storage) as unit:
        unit.conversations.save(conversation)
    return conversation


def say(unit: Unit, new_id: NewId, conversation_id: str, **fields: Any) -> Message:
    """One message more."""
    conversation = unit.conversations.locked(conversation_id).said(Side.CUSTOMER)
    message = make_message(new_id, conversation, conversation.last_seq, **fields)
    unit.conversations.save(conversation)
    unit.conversations.add_message(message)
    return message


class ConversationsContract(Contract):
    """Who waits, who is talked to, and everything said, in order."""

    def test_every_field_of_a_conversation_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        customer, agent = people(storage, new_id)
        there = NOW.astimezone(timezone(timedelta(hours=2)))
        asked = make_conversation(new_id, customer=customer, created_at=there, waiting_since=there + HOUR)
        anonymous = make_conversation(new_id, customer_name="Zoë 🧢", subject=None)
        opened(storage, asked, anonymous)
        with seen(storage) as unit:
            assert unit.conversations.get(asked.id) == asked
            assert unit.conversations.get(anonymous.id) == anonymous
            assert unit.conversations.get(asked.id).created_at.tzinfo is UTC
        talked = replace(asked, last_seq=7, customer_read=7, agent_read=3, version=2)
        saved(storage, talked)
        claimed = saved(storage, talked.claim(agent))
        closed = saved(storage, claimed.close(Side.AGENT, at=there + 2 * HOUR, notes="Two\nlines"))
        with written(storage) as unit:
            assert unit.conversations.locked(asked.id) == closed
        assert (closed.agent_id, closed.agent_name, closed.closed_by) == (agent.id, agent.display_name, Side.AGENT)

    def test_an_unknown_conversation_is_not_found(self, storage: Storage) -> None:
        with seen(storage) as unit, pytest.raises(NotFound):
            unit.conversations.get("no such id")
        with written(storage) as unit, pytest.raises(NotFound):
            unit.conversations.locked("no such id")
        with seen(storage) as unit:
            assert unit.conversations.messages("no such id", PageRequest()).items == ()
            assert list(unit.conversations.latest("no such id", 5)) == []
            assert unit.conversations.message("no such id", Side.CUSTOMER, None, "c") is None

    def test_who_opened_it_and_when_it_began_to_wait_never_change(self, storage: Storage) -> None:
        new_id = ids()
        customer, other = people(storage, new_id)
        conversation = make_conversation(new_id, customer=customer)
        opened(storage, conversation)
        later = replace(conversation, customer_id=other.id, created_at=NOW + HOUR, waiting_since=NOW + HOUR, version=2)
        saved(storage, later)
        with seen(storage) as unit:
            assert unit.conversations.get(conversation.id) == replace(conversation, version=2)

    def test_saving_a_stale_conversation_is_contention(self, storage: Storage) -> None:
        new_id = ids()
        (agent,) = people(storage, new_id, 1)
        conversation = make_conversation(new_id)
        opened(storage, conversation)
        claimed = saved(storage, conversation.claim(agent))
        for stale in (conversation, conversation.close(Side.CUSTOMER, at=NOW)):
            with pytest.raises(Contention), written(storage) as unit:
                unit.conversations.save(stale)
        with seen(storage) as unit:
            assert unit.conversations.get(conversation.id) == claimed

    def test_two_agents_who_claim_at_once_have_one_winner(self, storage: Storage) -> None:
        new_id = ids()
        agents = people(storage, new_id)
        conversation = make_conversation(new_id)
        opened(storage, conversation)

        def claim(unit: Unit, agent: User) -> None:
            unit.conversations.save(unit.conversations.locked(conversation.id).claim(agent))

        outcomes = overlap(storage, *(partial(claim, agent=agent) for agent in agents))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyClaimed", "NoneType"]

    def test_those_who_wait_are_listed_longest_waiting_first(self, storage: Storage) -> None:
        new_id = ids()
        (agent,) = people(storage, new_id, 1)
        waits = [make_conversation(new_id, created_at=NOW - HOUR * (n // 2)) for n in range(6)]
        taken = [make_conversation(new_id, created_at=NOW - 9 * HOUR) for _ in range(2)]
        opened(storage, *waits, *taken)
        claimed = saved(storage, taken[0].claim(agent))
        saved(storage, taken[1].close(Side.CUSTOMER, at=NOW))
        expected = [waits[n] for n in (4, 5, 2, 3, 0, 1)]
        with seen(storage) as unit:
            check_pages(unit.conversations.queue, expected)
        released = saved(storage, claimed.release())
        with seen(storage) as unit:
            check_pages(unit.conversations.queue, [released, *expected])

    def test_conversations_are_listed_newest_first_by_who_and_status(self, storage: Storage) -> None:
        new_id = ids()
        customer, agent = people(storage, new_id)
        made = [
            make_conversation(new_id, customer=None if n % 3 == 1 else customer, created_at=NOW + n // 2 * HOUR)
            for n in range(6)
        ]
        opened(storage, *made)
        for n in (1, 2, 3):
            made[n] = saved(storage, made[n].claim(agent))
        made[3] = saved(storage, made[3].close(Side.AGENT, at=NOW))
        made[5] = saved(storage, made[5].close(Side.CUSTOMER, at=NOW))
        claimed, closed = ConversationStatus.CLAIMED, ConversationStatus.CLOSED
        for query, expected in (
            (ConversationQuery(), [5, 4, 3, 2, 1, 0]),
            (ConversationQuery(customer_id=customer.id), [5, 3, 2, 0]),
            (ConversationQuery(customer_id=customer.id, status=closed), [5, 3]),
            (ConversationQuery(agent_id=agent.id), [3, 2, 1]),
            (ConversationQuery(agent_id=agent.id, status=claimed), [2, 1]),
            (ConversationQuery(agent_id=agent.id, customer_id=customer.id, status=claimed), [2]),
            (ConversationQuery(status=ConversationStatus.WAITING), [4, 0]),
            (ConversationQuery(agent_id=customer.id), []),
        ):
            with seen(storage) as unit:
                check_pages(partial(unit.conversations.page, query), [made[n] for n in expected])

    def test_every_field_of_a_message_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        customer, agent = people(storage, new_id)
        conversation = make_conversation(new_id, customer=customer)
        opened(storage, conversation)
        at = NOW.astimezone(timezone(timedelta(hours=2)))
        said = [
            make_message(new_id, conversation, 1, body="<b>Şapka</b>\n\t🧢", created_at=at),
            make_message(new_id, conversation, 2, side=Side.AGENT, author_id=agent.id, author_name="Robin S."),
            make_message(new_id, conversation, 3, author_id=None, client_id=None),
        ]
        with written(storage) as unit:
            for message in said:
                unit.conversations.add_message(message)
        with seen(storage) as unit:
            assert unit.conversations.messages(conversation.id, PageRequest()).items == tuple(said)
            for each in said[:2]:
                assert each.client_id is not None
                found = unit.conversations.message(conversation.id, each.side, each.author_id, each.client_id)
                assert found == each

    def test_every_field_of_a_file_comes_back_with_its_message(self, storage: Storage) -> None:
        new_id = ids()
        conversation, other = make_conversation(new_id), make_conversation(new_id)
        opened(storage, conversation, other)
        files = [make_attached(new_id, name="Şapka 🧢.png"), make_attached(new_id, size=2**40, media_type="video/mp4")]
        said = [
            make_message(new_id, conversation, 1),
            make_message(new_id, conversation, 2, attached=files[0], body=""),
            make_message(new_id, other, 1, attached=files[1]),
        ]
        with written(storage) as unit:
            for message in said:
                unit.conversations.add_message(message)
        with seen(storage) as unit:
            assert unit.conversations.messages(conversation.id, PageRequest()).items == tuple(said[:2])
            assert list(unit.conversations.latest(conversation.id, 1)) == said[1:2]
            for message, file in zip(said[1:], files, strict=True):
                assert message.client_id is not None
                found = unit.conversations.message(message.conversation_id, message.side, None, message.client_id)
                assert found == message == unit.conversations.message_with(file.id)
            stored_as = [file.stored_as for file in files]
            assert unit.conversations.attached([*stored_as, "f" * 32, stored_as[0]]) == set(stored_as)
            assert unit.conversations.attached([]) == set()
            for bad in (said[0].id, "no such id", "\0", "\ud800"):
                with pytest.raises(NotFound):
                    unit.conversations.message_with(bad)

    def test_messages_come_in_order_from_wherever_one_left_off(self, storage: Storage) -> None:
        new_id = ids()
        conversation, other = make_conversation(new_id), make_conversation(new_id)
        opened(storage, conversation, other)
        said = {seq: make_message(new_id, conversation, seq) for seq in (11, 2, 10, 1, 9, 3)}
        with written(storage) as unit:
            for message in said.values():
                unit.conversations.add_message(message)
            unit.conversations.add_message(make_message(new_id, other, 1))
        expected = [said[seq] for seq in sorted(said)]
        with seen(storage) as unit:
            check_pages(partial(unit.conversations.messages, conversation.id), expected)
            after = unit.conversations.messages(conversation.id, PageRequest(after=(3,)))
            assert after.items == tuple(expected[3:])
            assert unit.conversations.messages(conversation.id, PageRequest(after=(11,))).items == ()
            assert list(unit.conversations.latest(conversation.id, 2)) == expected[-2:]
            assert list(unit.conversations.latest(conversation.id, 99)) == expected

    def test_a_number_is_given_once(self, storage: Storage) -> None:
        new_id = ids()
        conversation = make_conversation(new_id)
        opened(storage, conversation)
        first = make_message(new_id, conversation, 1)
        with written(storage) as unit:
            unit.conversations.add_message(first)
        with pytest.raises(Contention), written(storage) as unit:
            unit.conversations.add_message(make_message(new_id, conversation, 1))
        with seen(storage) as unit:
            assert unit.conversations.messages(conversation.id, PageRequest()).items == (first,)

    def test_an_author_names_a_message_once_in_a_conversation(self, storage: Storage) -> None:
        new_id = ids()
        one, two = people(storage, new_id)
        conversation, other = make_conversation(new_id), make_conversation(new_id)
        opened(storage, conversation, other)
        guests: dict[str, Any] = {"author_id": None}
        agents = {"side": Side.AGENT, "author_id": one.id}
        for author in (guests, agents):
            first = make_message(new_id, conversation, 1 if author is guests else 2, client_id="mine", **author)
            with written(storage) as unit:
                unit.conversations.add_message(first)
            with pytest.raises(Contention), written(storage) as unit:
                unit.conversations.add_message(make_message(new_id, conversation, 9, client_id="mine", **author))
            with seen(storage) as unit:
                assert unit.conversations.message(conversation.id, first.side, first.author_id, "mine") == first
                assert unit.conversations.message(conversation.id, first.side, first.author_id, "Mine") is None
                assert unit.conversations.message(other.id, first.side, first.author_id, "mine") is None
        with written(storage) as unit:
            for message in (
                make_message(new_id, conversation, 3, client_id="mine", side=Side.AGENT, author_id=two.id),
                make_message(new_id, conversation, 4, client_id="mine", author_id=one.id),
                make_message(new_id, conversation, 5, client_id=None),
                make_message(new_id, conversation, 6, client_id=None),
                make_message(new_id, other, 1, client_id="mine"),
            ):
                unit.conversations.add_message(message)

    def test_the_versions_of_several_are_read_at_once(self, storage: Storage) -> None:
        new_id = ids()
        one, two, other = (make_conversation(new_id) for _ in range(3))
        opened(storage, one, two, other)
        with written(storage) as unit:
            unit.conversations.save(two.close(Side.CUSTOMER, at=NOW))
        with seen(storage) as unit:
            assert unit.conversations.versions([one.id, two.id, "none", one.id]) == {one.id: 1, two.id: 2}
            assert unit.conversations.versions([]) == {}

    def test_two_who_speak_at_once_get_two_numbers(self, storage: Storage) -> None:
        new_id = ids()
        conversation = make_conversation(new_id)
        opened(storage, conversation)
        speak = [partial(say, new_id=ids(start), conversation_id=conversation.id) for start in (5000, 6000)]
        overlap(storage, *speak)
        with seen(storage) as unit:
            assert [each.seq for each in unit.conversations.messages(conversation.id, PageRequest()).items] == [1, 2]

    def test_many_who_speak_at_once_leave_no_gap(self, storage: Storage) -> None:
        new_id = ids()
        conversation = make_conversation(new_id)
        opened(storage, conversation)

        def talk(start: int) -> None:
            made = ids(start)
            for _ in range(5):
                rerun(storage, partial(say, new_id=made, conversation_id=conversation.id))

        Together(*(partial(talk, start) for start in (5000, 6000, 7000, 8000))).succeed()
        with seen(storage) as unit:
            messages = walk(partial(unit.conversations.messages, conversation.id), limit=7)
            assert unit.conversations.get(conversation.id).last_seq == 20
        assert [message.seq for message in messages] == list(range(1, 21))

    def test_a_unit_that_was_left_has_said_nothing(self, storage: Storage) -> None:
        new_id = ids()
        conversation = make_conversation(new_id)
        opened(storage, conversation)
        with storage.writing(NOW, new_id) as unit:
            say(unit, new_id, conversation.id)
        with seen(storage) as unit:
            assert unit.conversations.get(conversation.id) == conversation
            assert unit.conversations.messages(conversation.id, PageRequest()).items == ()

    def test_a_reading_unit_neither_locks_nor_writes(self, storage: Storage) -> None:
        new_id = ids()
        conversation = make_conversation(new_id)
        opened(storage, conversation)
        writes: list[Callable[[Unit], object]] = [
            lambda unit: unit.conversations.locked(conversation.id),
            lambda unit: unit.conversations.add(make_conversation(new_id)),
            lambda unit: unit.conversations.save(conversation.close(Side.CUSTOMER, at=NOW)),
            lambda unit: unit.conversations.add_message(make_message(new_id, conversation, 1)),
        ]
        for write in writes:
            with seen(storage) as unit, pytest.raises(RuntimeError):
                write(unit)

    @needs(COUNT_STATEMENTS)
    @pytest.mark.parametrize("total", [False, True])
    def test_a_list_takes_one_statement_and_its_count_another(self, storage: Storage, total: bool) -> None:
        new_id = ids()
        conversations = [make_conversation(new_id) for _ in range(25)]
        opened(storage, *conversations)
        with written(storage) as unit:
            for seq in range(1, 26):
                file = make_attached(new_id) if seq % 2 else None
                unit.conversations.add_message(make_message(new_id, conversations[0], seq, attached=file))
        page = PageRequest(limit=20, total=total)
        with seen(storage) as unit:
            for look in (
                partial(unit.conversations.page, ConversationQuery()),
                unit.conversations.queue,
                partial(unit.conversations.messages, conversations[0].id),
            ):
                with self.count_statements(storage) as counted:
                    assert len(look(page).items) == 20
                assert counted.count <= 1 + total

    @needs(COUNT_STATEMENTS)
    def test_saying_something_takes_three_statements(self, storage: Storage) -> None:
        new_id = ids()
        conversation = make_conversation(new_id)
        opened(storage, conversation)
        with written(storage) as unit, self.count_statements(storage) as counted:
            say(unit, new_id, conversation.id)
        assert counted.count <= 3
