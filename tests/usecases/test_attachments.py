"""Files in conversations: who may send and fetch them, what is refused, and what is left when something fails."""

import errno
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from adapters.files import DiskFiles
from adapters.local_hub import LocalHub
from storecore.accounts.model import GUEST, SYSTEM, Actor, Guest
from storecore.accounts.permissions import Role
from storecore.errors import (
    ConversationClosed,
    Forbidden,
    Invalid,
    NotClaimed,
    NotFound,
    StoreError,
    TooLarge,
    Unavailable,
    UnsupportedType,
)
from storecore.ports import Unit
from storecore.support.attaching import Attaching
from storecore.support.model import Attached, Conversation, Message
from storecore.support.saying import Said
from storecore.support.telling import topic
from storecore.testing.contracts.proving import Together
from storecore.transactions import Once, Replayed
from tests.usecases.floor import Floor, person

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 1000
NOBODYS = "01a1fa49-df8f-7669-85af-651cd9754d97"


def ask(store: Floor, by: Actor) -> Conversation:
    guest: dict[str, Any] = {"guest_name": "Zoë", "guest_email": "zoe@example.com"} if isinstance(by, Guest) else {}
    return store.support.open(by=by, message="Where is my parcel?", **guest)


def attach(store: Floor, by: Actor, to: Conversation, content: Sequence[bytes] = (PNG,), **more: Any) -> Message:
    """Send a file called ``photo.png``; the message."""
    return store.support.attach(by=by, conversation_id=to.id, content=content, **({"name": "photo.png"} | more)).message


def file_of(message: Message) -> Attached:
    assert message.attached is not None
    return message.attached


def fetched(store: Floor, by: Actor, message: Message) -> bytes:
    found = store.support.attachment(by=by, attachment_id=file_of(message).id)
    assert found.attached == message.attached
    with closing(found.content) as content:
        return content.read()


def kept(store: Floor) -> Sequence[str]:
    """Every file there is, whole or not."""
    store.time.forward(seconds=1)
    return store.support.files.kept_before(store.time.at)


def said(store: Floor, conversation: Conversation) -> Sequence[Message]:
    return store.support.messages(by=SYSTEM, conversation_id=conversation.id).items


def test_a_file_is_a_message_that_both_sides_see_and_fetch(store: Floor) -> None:
    ada, robin = person(store), person(store, Role.SUPPORT_AGENT, name="Robin Support")
    opened = ask(store, ada)
    store.support.claim(by=robin, conversation_id=opened.id)
    chunks = [PNG[:5], b"", PNG[5:100], PNG[100:]]
    mine = attach(store, ada, opened, chunks, name="../Şapka\r\n.png", body=" Look\r\nhere ", client_id="c1")
    assert (mine.seq, mine.body, mine.client_id, mine.author_name) == (2, "Look\nhere", "c1", "Ada L.")
    file = file_of(mine)
    assert file == Attached(
        id=file.id,
        name="Şapka.png",
        media_type="image/png",
        size=len(PNG),
        sha256=sha256(PNG).hexdigest(),
        stored_as=file.stored_as,
    )
    theirs = attach(store, robin, opened, [b"An ", b"answer"], name="answer")
    assert (theirs.body, theirs.author_id, file_of(theirs).name) == ("", robin.id, "answer.txt")
    assert said(store, opened)[1:] == (mine, theirs)
    for by in (ada, robin, SYSTEM):
        assert fetched(store, by, mine) == PNG
        assert fetched(store, by, theirs) == b"An answer"
    case = store.support.get(by=ada, conversation_id=opened.id)
    assert (case.last_seq, case.customer_read, case.agent_read) == (3, 2, 3)


def test_a_guest_sends_and_fetches_with_the_conversations_token(store: Floor) -> None:
    opened = ask(store, GUEST)
    zoe = store.support.holder(store.support.token(opened))
    message = attach(store, zoe, opened)
    assert (message.author_id, message.author_name) == (None, "Zoë")
    assert fetched(store, zoe, message) == PNG


def test_strangers_neither_send_nor_fetch_and_leave_no_file(store: Floor) -> None:
    ada, eve = person(store), person(store)
    opened, hers = ask(store, ada), ask(store, GUEST)
    message = attach(store, ada, opened)
    there = kept(store)
    strangers: list[Actor] = [
        eve,
        GUEST,
        store.support.holder(store.support.token(hers)),
        Guest(order_id=opened.id),
        Guest(conversation_id=opened.id),
        person(store, Role.SALES_MANAGER),
    ]
    for by in strangers:
        with pytest.raises(NotFound):
            attach(store, by, opened, unread())
        with pytest.raises(NotFound):
            fetched(store, by, message)
    for nobodys in (NOBODYS, "no such id", "\0", file_of(message).stored_as, message.id):
        with pytest.raises(NotFound):
            store.support.attachment(by=SYSTEM, attachment_id=nobodys)
        with pytest.raises(NotFound):
            store.support.attach(by=ada, conversation_id=nobodys, name="x", content=unread())
    assert kept(store) == there


class unread(list[bytes]):  # noqa: N801 - it reads like a value
    """A content that nobody should begin to read."""

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("it was plain that this would be refused")


def test_files_follow_the_rules_of_messages(store: Floor) -> None:
    ada, robin, other = person(store), person(store, Role.SUPPORT_AGENT), person(store, Role.SUPPORT_AGENT)
    opened = ask(store, ada)
    with pytest.raises(NotClaimed):
        attach(store, robin, opened, unread())
    store.support.claim(by=robin, conversation_id=opened.id)
    with pytest.raises(NotClaimed):
        attach(store, other, opened, unread())
    message = attach(store, robin, opened, client_id="c1")
    store.support.close(by=ada, conversation_id=opened.id)
    for by in (ada, robin, other):
        with pytest.raises(ConversationClosed):
            attach(store, by, opened, unread())
    assert attach(store, robin, opened, unread(), client_id="c1") == message
    for by in (ada, robin):
        assert fetched(store, by, message) == PNG, "what was sent can still be read"
    banned = store.accounts.ban(by=SYSTEM, user_id=ada.id)
    for attempt in (partial(attach, store, banned, opened), partial(fetched, store, banned, message)):
        with pytest.raises(Forbidden):
            attempt()
    assert kept(store) == [file_of(message).stored_as]


@pytest.mark.parametrize(
    ("content", "refused"),
    [
        ([b"MZ\x90\0\3\0\0\0\4\0\0\0"], UnsupportedType),
        ([b"<svg/>"], UnsupportedType),
        ([b"plain ", b"text until \0"], UnsupportedType),
        ([b"text that ends in half a letter \xc3"], UnsupportedType),
        ([], Invalid),
        ([b"", b""], Invalid),
    ],
)
def test_what_is_no_file_of_ours_is_refused_and_nothing_is_left(
    store: Floor, content: list[bytes], refused: type[StoreError]
) -> None:
    ada = person(store)
    opened = ask(store, ada)
    with pytest.raises(refused):
        attach(store, ada, opened, content)
    for fields in ({"body": "x" * 4001}, {"body": "bell\a"}, {"client_id": "x" * 65}):
        with pytest.raises(Invalid):
            attach(store, ada, opened, unread(), **fields)
    assert (kept(store), len(said(store, opened))) == ([], 1)


def test_a_shop_takes_fewer_types_and_smaller_files_if_it_likes(store: Floor) -> None:
    ada = person(store)
    opened = ask(store, ada)
    strict: Attaching = replace(
        store.support, shop=replace(store.shop, attachment_types=("text/plain",), attachment_most=10)
    )
    send = partial(strict.attach, by=ada, conversation_id=opened.id, name="x")
    assert send(content=[b"12345", b"67890"]).message.seq == 2
    read = []

    def long() -> Iterator[bytes]:
        for chunk in (b"12345", b"67890", b"1", b"never"):
            read.append(chunk)
            yield chunk

    with pytest.raises(TooLarge, match="10 bytes"):
        send(content=long())
    assert read[-1] == b"1", "the rest is not even read"
    with pytest.raises(UnsupportedType, match="image/png"):
        send(content=[PNG[:10]])
    assert len(kept(store)) == 1
    for types in (("image/svg+xml",), ()):
        with pytest.raises(ValueError, match="attachments can be"):
            replace(store.shop, attachment_types=types)


def test_the_same_name_twice_is_two_files(store: Floor) -> None:
    ada = person(store)
    opened = ask(store, ada)
    messages = [attach(store, ada, opened, [text]) for text in (b"one", b"two", b"one")]
    assert [fetched(store, ada, each) for each in messages] == [b"one", b"two", b"one"]
    assert len({file_of(each).stored_as for each in messages}) == len(kept(store)) == 3


def test_a_client_id_is_one_message_and_one_file(store: Floor) -> None:
    ada = person(store)
    opened = ask(store, ada)
    message = attach(store, ada, opened, client_id="c1")
    again = store.support.attach(by=ada, conversation_id=opened.id, name="x", content=unread(), client_id="c1")
    assert again == Said(message=message, repeated=True)
    assert store.support.send(by=ada, conversation_id=opened.id, body="Hello", client_id="c1") == again
    send = partial(attach, store, ada, opened, client_id="c2")
    copies = Together(*[send] * 10).succeed()
    assert len(said(store, opened)) == 3
    assert all(each == copies[0] for each in copies)
    assert len(kept(store)) == 2


def test_a_request_that_is_sent_twice_is_carried_out_once(store: Floor) -> None:
    ada = person(store)
    opened = ask(store, ada)
    once = Once("attach", "key", b"fingerprint", lambda sent: sent.message.id.encode())
    message = attach(store, ada, opened, once=once)
    store.support.close(by=ada, conversation_id=opened.id)
    with pytest.raises(Replayed) as replayed:
        attach(store, ada, opened, [PNG[:10], PNG[10:]], once=once)
    assert replayed.value.answer == message.id.encode()
    for change in ({"content": [PNG, b"!"]}, {"name": "another.png"}, {"body": "Hi"}, {"client_id": "c"}):
        with pytest.raises(Invalid) as reused:
            attach(store, ada, opened, once=once, **change)
        assert reused.value.code == "idempotency-key-reused"
    with pytest.raises(NotFound):
        attach(store, person(store), opened, unread(), once=once)
    assert kept(store) == [file_of(message).stored_as]


def test_ten_files_sent_at_once_are_ten_messages(store: Floor) -> None:
    ada = person(store)
    opened = ask(store, ada)
    Together(*(partial(attach, store, ada, opened, [b"file ", b"%d" % n]) for n in range(10))).succeed()
    messages = said(store, opened)[1:]
    assert [each.seq for each in messages] == list(range(2, 12))
    assert {fetched(store, ada, each) for each in messages} == {b"file %d" % n for n in range(10)}


def test_a_conversation_that_is_closed_meanwhile_takes_no_file(store: Floor) -> None:
    ada = person(store)
    opened = ask(store, ada)

    def slow() -> Iterator[bytes]:
        yield PNG
        store.support.close(by=ada, conversation_id=opened.id)

    with pytest.raises(ConversationClosed):
        attach(store, ada, opened, slow())  # type: ignore[arg-type] # any iterable will do
    assert (kept(store), len(said(store, opened))) == ([], 1)


class Killed(BaseException):
    """The process is no more."""


def test_what_is_killed_between_file_and_row_leaves_no_row_and_the_broom_takes_the_file(
    store: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = person(store)
    opened = ask(store, ada)
    whole = attach(store, ada, opened)

    def die(self: Attaching, **_: object) -> Said:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Attaching, "_kept", die)
        with pytest.raises(Killed):
            attach(store, ada, opened)
    assert len(said(store, opened)) == 2
    assert len(kept(store)) == 2
    assert store.support.sweep() == 0, "it may be on its way"
    store.time.forward(minutes=61)
    while store.work():
        pass
    assert kept(store) == [file_of(whole).stored_as]
    assert fetched(store, ada, whole) == PNG


@pytest.mark.parametrize("failure", [Unavailable(), RuntimeError("of a driver"), Killed()])
def test_a_database_that_fails_leaves_the_file_to_the_broom_since_its_row_may_be_there(
    store: Floor, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    ada = person(store)
    opened = ask(store, ada)

    def fail(unit: Unit, *_: object, **__: object) -> Said:
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr("storecore.support.attaching.say", fail)
        with pytest.raises(type(failure)):
            attach(store, ada, opened)
    assert (len(kept(store)), len(said(store, opened))) == (1, 1)
    store.time.forward(minutes=61)
    assert store.support.sweep() == 1
    assert kept(store) == []


def test_the_broom_goes_through_any_number_of_files(store: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storecore.support.attaching._HANDFUL", 3)
    ada = person(store)
    opened = ask(store, ada)
    needed = {file_of(attach(store, ada, opened)).stored_as for _ in range(4)}
    for number in range(7):
        store.support.files.keep(f"{number:032x}", [b"nobody's"])
    store.time.forward(minutes=61)
    assert store.support.sweep() == 7
    assert set(kept(store)) == needed
    assert store.support.sweep() == 0


def test_a_full_disk_is_told_and_leaves_nothing(store: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = person(store)
    opened, folder = ask(store, ada), tmp_path / "disk"
    support = replace(store.support, files=DiskFiles(folder))
    send = partial(support.attach, by=ada, conversation_id=opened.id, name="photo.png", content=[PNG])

    def full(_file: int, _data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(Unavailable, match="disk may be full"):
            send()
    assert (list(folder.iterdir()), len(said(store, opened))) == ([], 1)
    assert send().message.seq == 2


def test_whoever_watches_is_told_of_a_file_as_of_any_message(store: Floor) -> None:
    ada, heard = person(store), list[tuple[str, Any]]()
    opened = ask(store, ada)

    class Watching(LocalHub):
        def publish(self, topic_: str, message: str) -> None:
            heard.append((topic_, json.loads(message)))

    support = replace(store.support, hub=Watching())
    for _ in "12":
        support.attach(by=ada, conversation_id=opened.id, name="secret.png", content=[PNG], client_id="c1")
    assert heard == [(topic(opened.id), {"what": "message", "seq": 2})]
