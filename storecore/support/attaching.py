"""Files that come with messages: taking them in, giving them out, and forgetting those that came with none."""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import BinaryIO

from storecore import checks
from storecore.accounts.model import Actor
from storecore.errors import NotFound, StoreError, TooLarge, Unavailable, UnsupportedType
from storecore.media import Recogniser, clean_name
from storecore.ports import Files, Random, Unit
from storecore.shop import Shop
from storecore.support.model import MAX_BODY, Attached, check_client_id
from storecore.support.saying import Said, check_may_speak, said_before, say
from storecore.support.telling import Telling, side_of, topic
from storecore.transactions import Once, Replayed, reading, writing

LONGEST_WAY = timedelta(hours=1)
"""How long a file may be there before its message is."""
_HANDFUL = 500
"""Files that are looked up at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file and its content, which whoever fetched it closes."""

    attached: Attached
    content: BinaryIO


@dataclass(frozen=True, kw_only=True)
class Attaching(Telling):
    """Files in conversations. A file is kept first, then its message is written: none is ever without its file."""

    files: Files
    random: Random
    shop: Shop

    def attach(
        self,
        *,
        by: Actor,
        conversation_id: str,
        name: str,
        content: Iterable[bytes],
        body: str = "",
        client_id: str | None = None,
        once: Once | None = None,
    ) -> Said:
        """Send a file, with a word or without. What it is, its content says, which is read once and never held.

        Whoever may send messages may send files, and the same ``client_id`` is the same message. ``once`` needs a
        fingerprint of everything but the file. Raises ``TooLarge``, ``UnsupportedType``, ``NotFound``,
        ``ConversationClosed``, ``NotClaimed``, ``Invalid``, and ``Unavailable`` when the disk is full.
        """
        client_id = check_client_id(client_id)
        body = checks.text(body, "body", most=MAX_BODY, least=0, lines=True)
        before = self._look(by=by, conversation_id=conversation_id, client_id=client_id, replay=once is not None)
        if before is not None:
            return before
        seen = _Inspected(content, most=self.shop.attachment_most, types=self.shop.attachment_types)
        stored_as = self.random(16).hex()
        self.files.keep(stored_as, seen)
        attached = Attached(
            id=self.new_id(),
            name=clean_name(name, seen.media_type),
            media_type=seen.media_type,
            size=seen.size,
            sha256=seen.digest.hexdigest(),
            stored_as=stored_as,
        )
        if once is not None:
            once = replace(once, fingerprint=_fingerprint(once, attached, body, client_id))
        said = self._kept(
            by=by, conversation_id=conversation_id, body=body, client_id=client_id, attached=attached, once=once
        )
        if not said.repeated:
            self.tell(topic(conversation_id), "message", seq=said.message.seq)
        return said

    @reading
    def _look(self, unit: Unit, *, by: Actor, conversation_id: str, client_id: str | None, replay: bool) -> Said | None:
        """Refuse what will be refused before anything is kept. A repeated request may have been carried out before."""
        conversation = unit.conversations.get(conversation_id)
        if replay:
            side_of(conversation, by)
            return None
        before = said_before(unit, conversation, by=by, client_id=client_id)
        if before is None:
            check_may_speak(conversation, by)
        return before

    def _kept(
        self,
        *,
        by: Actor,
        conversation_id: str,
        body: str,
        client_id: str | None,
        attached: Attached,
        once: Once | None,
    ) -> Said:
        """The message of a file that was kept; a file that turns out to belong to none is removed at once.

        After anything else than a refusal the message may have been committed all the same: the broom will look.
        """
        try:
            said = self._attach(
                by=by, conversation_id=conversation_id, body=body, client_id=client_id, attached=attached, once=once
            )
        except Unavailable:
            raise
        except (StoreError, Replayed):
            self.files.remove(attached.stored_as)
            raise
        if said.repeated:
            self.files.remove(attached.stored_as)
        return said

    @writing
    def _attach(
        self,
        unit: Unit,
        *,
        by: Actor,
        conversation_id: str,
        body: str,
        client_id: str | None,
        attached: Attached,
        once: Once | None,
    ) -> Said:
        return say(unit, by=by, conversation_id=conversation_id, body=body, client_id=client_id, attached=attached)

    def attachment(self, *, by: Actor, attachment_id: str) -> Fetched:
        """A file, for both sides of its conversation. Raises ``NotFound``, ``Unavailable``."""
        attached = self._attachment(by=by, attachment_id=attachment_id)
        return Fetched(attached=attached, content=self.files.open(attached.stored_as))

    @reading
    def _attachment(self, unit: Unit, *, by: Actor, attachment_id: str) -> Attached:
        message = unit.conversations.message_with(attachment_id)
        try:
            side_of(unit.conversations.get(message.conversation_id), by)
        except NotFound:
            raise NotFound("There is no such attachment.") from None  # nor does a stranger hear of a conversation
        assert message.attached is not None  # noqa: S101 - it was found by what is attached to it
        return message.attached

    def sweep(self) -> int:
        """Remove files that came with no message, such as those of killed processes; how many. The worker's."""
        found = self.files.kept_before(self.clock() - LONGEST_WAY)
        removed = 0
        for start in range(0, len(found), _HANDFUL):
            some = found[start : start + _HANDFUL]
            for name in sorted(set(some) - self._attached(names=some)):
                self.files.remove(name)
                removed += 1
        return removed

    @reading
    def _attached(self, unit: Unit, *, names: Sequence[str]) -> Set[str]:
        return unit.conversations.attached(names)


class _Inspected:
    """A content on its way to the disk: counted, hashed and recognised. What it was is known at its end."""

    def __init__(self, content: Iterable[bytes], *, most: int, types: Sequence[str]) -> None:
        self._content = content
        self._most = most
        self._types = types
        self.size = 0
        self.digest = sha256()
        self.media_type = ""

    def __iter__(self) -> Iterator[bytes]:
        recogniser = Recogniser()
        for chunk in self._content:
            self.size += len(chunk)
            if self.size > self._most:
                raise TooLarge(f"The file has more than {self._most} bytes.")
            self.digest.update(chunk)
            recogniser.feed(chunk)
            yield chunk
        if not self.size:
            raise checks.refuse("file", "is empty")
        self.media_type = recogniser.media_type()
        if self.media_type not in self._types:
            raise UnsupportedType(f"Files of the type {self.media_type} are not taken.")


def _fingerprint(once: Once, attached: Attached, body: str, client_id: str | None) -> bytes:
    parts = repr((attached.name, attached.sha256, body, client_id))
    return sha256(once.fingerprint + parts.encode()).digest()
