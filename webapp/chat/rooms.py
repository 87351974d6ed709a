"""What this process knows of a conversation, or of the queue, that is watched here: read once for all who watch."""

from collections import deque
from collections.abc import Sequence
from threading import Lock
from typing import Protocol

from storecore.accounts.model import Actor
from storecore.lists import PageRequest
from storecore.store import Support
from storecore.support.model import Conversation, Message, Side
from storecore.support.talking import News
from webapp.chat import frames

KEPT = 200
"""Messages that a room remembers; whoever is further behind reads them for themselves."""


class Watcher(Protocol):
    """Whoever is in a room."""

    by: Actor
    side: Side

    def wake(self) -> None:
        """Something has changed: look."""

    def told_of_typing(self) -> None:
        """Somebody on the other side is writing."""


class Room:
    """One conversation. ``generation`` grows when something may have changed; the first to look reads it anew."""

    def __init__(self, conversation_id: str, support: Support) -> None:
        self.conversation_id = conversation_id
        self.watchers: set[Watcher] = set()
        self.generation = 0
        self.conversation: Conversation | None = None
        self._support = support
        self._lock = Lock()
        self._read = -1
        self._last = 0
        self._recent = deque[tuple[Message, str]](maxlen=KEPT)

    @property
    def version(self) -> int:
        """Of the conversation when it was last read; 0 before that."""
        return self.conversation.version if self.conversation else 0

    def changed(self) -> None:
        """Something may have happened here."""
        self.generation += 1
        for each in tuple(self.watchers):
            each.wake()

    def typing(self, side: Side) -> None:
        """Somebody on a side is writing."""
        for each in tuple(self.watchers):
            if each.side is not side:
                each.told_of_typing()

    def news(self, by: Actor, after: int) -> tuple[Conversation, Sequence[tuple[Message, str]], bool]:
        """The conversation, what was said after a message, with its frames, and whether there is more.

        Raises like ``Support.news``.
        """
        with self._lock:
            if self.conversation is None:
                self._last = after
            if self._read != self.generation:
                generation = self.generation
                self._remember(self._support.news(by=by, conversation_id=self.conversation_id, after=self._last))
                if self._last >= self._now.last_seq:
                    self._read = generation
            first = self._last - len(self._recent)
            if first <= after:
                found = [each for each in self._recent if each[0].seq > after]
                return self._now, found, max(self._last, after) < self._now.last_seq
        news = self._support.news(by=by, conversation_id=self.conversation_id, after=after)
        found = [(message, frames.message(message)) for message in news.messages]
        return news.conversation, found, bool(found) and found[-1][0].seq < news.conversation.last_seq

    @property
    def _now(self) -> Conversation:
        assert self.conversation is not None  # noqa: S101 - it has been read
        return self.conversation

    def _remember(self, news: News) -> None:
        self.conversation = news.conversation
        for message in news.messages:
            self._recent.append((message, frames.message(message)))
            self._last = message.seq


class Queue:
    """Who waits for an agent, as a frame for every agent who watches."""

    def __init__(self, support: Support, limit: int) -> None:
        self.watchers: set[Watcher] = set()
        self.frame = ""
        self._support = support
        self._page = PageRequest(limit=limit)
        self._lock = Lock()

    def look(self, by: Actor) -> None:
        """Read it, and wake those who watch if it has changed. Raises like ``Support.queue``."""
        with self._lock:
            frame = frames.queue(self._support.queue(by=by, page=self._page).items)
            if frame == self.frame:
                return
            self.frame = frame
        for each in tuple(self.watchers):
            each.wake()
