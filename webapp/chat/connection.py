"""One client at a socket: what it says becomes use cases, and what has happened since is sent to it.

It remembers what it has sent (the number of the last message, the state, the marks), looks at its room when that has
changed, and sends the difference: so nothing is lost or doubled, and a slow client costs no memory.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any

import structlog

from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.errors import Invalid, StoreError, Unavailable
from storecore.store import Support
from storecore.support.model import Conversation, ConversationStatus, Side
from storecore.support.talking import News
from storecore.support.telling import side_of
from webapp.chat import frames
from webapp.chat.rooms import Queue, Room
from webapp.chat.wire import Wire
from webapp.support import SendMessage

HOLD_SECONDS = 0.5
"""For so long after its history a client may say from where it resumes, before what is new is sent by itself."""
TYPING_SECONDS = 1.0
"""The other side hears of somebody's writing so often at most."""
RETRY_SECONDS = 1.0
"""When to look again after the database did not answer."""
IDLE_SECONDS = 60.0

NOT_ALLOWED = 4403
"""Closes the socket of somebody who may not see this any more."""

log = structlog.get_logger("storecore.chat")


class SentAway(Exception):  # noqa: N818 - no error
    """The socket is to be closed with a ``code``, after an error frame that says why."""

    def __init__(self, code: int, why: StoreError) -> None:
        self.code, self.why = code, why
        super().__init__(why.message)


class Connection:
    """Somebody at a socket, who came with a session or with a conversation's token."""

    def __init__(self, wire: Wire, *, by: Actor, session_id: str | None, request_id: str) -> None:
        self.by, self.session_id = by, session_id
        self.side = Side.AGENT
        self._wire, self._request_id = wire, request_id
        self._order: SentAway | None = None

    def wake(self) -> None:
        """Something has changed: look. For any thread."""
        self._wire.wake()

    def told_of_typing(self) -> None:
        """Somebody on the other side is writing. For any thread."""

    def send_away(self, code: int, why: StoreError) -> None:
        """Close it soon; the first reason counts. For any thread."""
        self._order = self._order or SentAway(code, why)
        self._wire.wake()

    def serve(self) -> None:
        """Talk until it ends. Raises ``Left``, ``Broken``, ``SentAway``."""
        self.greet()
        while True:
            if self._order is not None:
                raise self._order
            self.check()
            self.pump()
            message = self._wire.receive(self.patience())
            if message is not None:
                self._heed(message)

    def greet(self) -> None:
        """Send how things are."""

    def check(self) -> None:
        """Raises ``SentAway`` for somebody who may not be here any more."""

    def pump(self) -> None:
        """Send what is new, as long as the client keeps up."""

    def patience(self) -> float:
        """Seconds after which to look again, whatever happens."""
        return IDLE_SECONDS

    def do(self, said: frames.Said) -> None:
        """Carry out what a client asks for. Raises ``StoreError``."""

    def _heed(self, message: bytes) -> None:
        about: dict[str, Any] = {}
        try:
            said = frames.parsed(message)
            if isinstance(said, SendMessage) and said.client_id is not None:
                about["client_id"] = said.client_id
            self.do(said)
        except StoreError as refused:
            if "retry_after" in refused.extra:
                about["retry_after"] = refused.extra["retry_after"]
            self._wire.send(frames.error(refused, self._request_id, **about))


class Conversing(Connection):
    """Somebody in a conversation."""

    def __init__(
        self,
        wire: Wire,
        room: Room,
        support: Support,
        *,
        by: Actor,
        session_id: str | None,
        request_id: str,
        history: int,
        spend: Callable[[Actor], None],
    ) -> None:
        super().__init__(wire, by=by, session_id=session_id, request_id=request_id)
        self._room, self._support, self._history, self._spend = room, support, history, spend
        self._seen = -1
        self._sent = 0
        self._marks: dict[Side, int] = {}
        self._held_until: float | None = None
        self._typing = False
        self._typed_at = 0.0
        self._shown: Conversation

    def told_of_typing(self) -> None:
        """Somebody on the other side is writing. For any thread."""
        self._typing = True
        self._wire.wake()

    def greet(self) -> None:
        """Send the history."""
        news = self._read_history()
        self._shown = news.conversation
        self.side = side_of(self._shown, self.by)
        self._marks = {side: self._shown.mark(side) for side in Side}
        self._sent = news.messages[-1].seq if news.messages else 0
        self._wire.send(frames.history(news, self.side))
        self._held_until = monotonic() + HOLD_SECONDS

    def _read_history(self) -> News:
        try:
            return self._support.history(by=self.by, conversation_id=self._room.conversation_id, limit=self._history)
        except StoreError as refused:
            raise SentAway(1013 if isinstance(refused, Unavailable) else NOT_ALLOWED, refused) from None

    def check(self) -> None:
        """Raises ``SentAway`` for somebody on neither side any more."""
        try:
            side_of(self._shown, self.by)
        except StoreError as refused:
            raise SentAway(NOT_ALLOWED, refused) from None

    def patience(self) -> float:
        """Seconds after which to look again."""
        if self._held_until is not None:
            return max(0.0, self._held_until - monotonic())
        return IDLE_SECONDS if self._seen == self._room.generation else RETRY_SECONDS

    def pump(self) -> None:
        """Send what has happened since it was last looked."""
        if self._typing and self._wire.idle():
            self._typing = False
            self._wire.send(frames.typing(Side.AGENT if self.side is Side.CUSTOMER else Side.CUSTOMER))
        if self._held_until is not None and monotonic() < self._held_until:
            return
        self._held_until = None
        while self._seen != self._room.generation and self._wire.idle():
            generation = self._room.generation
            try:
                conversation, said, more = self._room.news(self.by, self._sent)
            except Unavailable as down:
                log.warning("news have to wait", error=down.message)
                return
            except StoreError as refused:
                raise SentAway(NOT_ALLOWED, refused) from None
            if conversation.status is not ConversationStatus.CLOSED:  # a claim comes before words, the end after them
                self._show_state(conversation)
            for message, frame in said:
                if not self._wire.idle():
                    return  # the rest when it has read this
                self._wire.send(frame)
                self._sent = message.seq
                self._marks[message.side] = max(self._marks[message.side], message.seq)
            if not more:
                self._show_state(conversation)
                self._show_marks(conversation)
                self._seen = generation

    def _show_state(self, now: Conversation) -> None:
        if now.version <= self._shown.version:
            return
        before, self._shown = self._shown, now
        if (now.status, now.agent_id) != (before.status, before.agent_id):
            self._wire.send(frames.moved(now, self.side))

    def _show_marks(self, now: Conversation) -> None:
        for side in Side:
            if (seq := now.mark(side)) > self._marks[side]:
                self._marks[side] = seq
                self._wire.send(frames.read(side, seq))

    def do(self, said: frames.Said) -> None:
        """Carry out what a client asks for."""
        self._held_until = None
        match said:
            case SendMessage():
                self._send(said)
            case frames.Typing():
                if monotonic() - self._typed_at >= TYPING_SECONDS:
                    self._typed_at = monotonic()
                    self._support.typing(by=self.by, conversation_id=self._room.conversation_id)
            case frames.Read():
                self._support.mark_read(by=self.by, conversation_id=self._room.conversation_id, seq=said.seq)
                self._room.changed()
            case frames.Resume():
                self._sent = min(said.after, max(self._sent, self._shown.last_seq))
                self._seen = -1

    def _send(self, wanted: SendMessage) -> None:
        self._spend(self.by)
        said = self._support.send(
            by=self.by,
            conversation_id=self._room.conversation_id,
            body=wanted.body,
            client_id=wanted.client_id,
        )
        if not said.repeated:
            self._room.changed()
        elif said.message.seq <= self._sent:  # else it is among what will be sent anyway
            self._wire.send(frames.message(said.message))


class Queueing(Connection):
    """An agent who watches the queue."""

    def __init__(self, wire: Wire, queue: Queue, *, by: Actor, session_id: str | None, request_id: str) -> None:
        super().__init__(wire, by=by, session_id=session_id, request_id=request_id)
        self._queue = queue
        self._shown = ""

    def greet(self) -> None:
        """Read the queue, which nobody may have watched until now."""
        try:
            self._queue.look(self.by)
        except Unavailable as down:
            raise SentAway(1013, down) from None
        except StoreError as refused:
            raise SentAway(NOT_ALLOWED, refused) from None

    def check(self) -> None:
        """Raises ``SentAway`` for somebody who is no agent any more."""
        try:
            require(self.by, Permission.SUPPORT_AGENT)
        except StoreError as refused:
            raise SentAway(NOT_ALLOWED, refused) from None

    def pump(self) -> None:
        """Send the queue if it has changed."""
        if self._wire.idle() and (frame := self._queue.frame) != self._shown:
            self._shown = frame
            self._wire.send(frame)

    def do(self, said: frames.Said) -> None:  # noqa: ARG002 - none is done here
        """Raises ``Invalid``."""
        raise Invalid(errors=[("action", "needs a socket that was opened with a conversation_id")])
