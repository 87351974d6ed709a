"""Events within one process: from the thread that publishes straight into each listener's own queue."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock

from storecore.errors import Unavailable
from storecore.ports import Event


class LocalListener:
    """A queue of at most ``room`` events on some topics; on any, if there are none."""

    def __init__(self, topics: frozenset[str], room: int) -> None:
        self.topics = topics
        self.missed = self.ended = False
        self._events = deque[Event](maxlen=room)
        self._lost = False
        self._changed = Condition()

    def next(self, timeout: float) -> Event | None:
        """The oldest event that waits, or None."""
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._lost or self.ended, timeout)
            self.missed, self._lost = self._lost, False
            return self._events.popleft() if self._events else None

    def add(self, event: Event) -> None:
        """Make it wait here; the oldest makes room for it."""
        with self._changed:
            self._lost = self._lost or len(self._events) == self._events.maxlen
            self._events.append(event)
            self._changed.notify()

    def lose(self) -> None:
        """Events were lost on their way here."""
        with self._changed:
            self._lost = True
            self._changed.notify()

    def end(self) -> None:
        """Nothing more will come, and nothing of what waits is wanted."""
        with self._changed:
            self.ended = True
            self._events.clear()
            self._changed.notify()


class LocalHub:
    """The ``Hub`` port within one process, without a thread of its own. A listener has ``room`` for so many events."""

    def __init__(self, *, room: int = 1_000) -> None:
        self._room = room
        self._listeners: set[LocalListener] = set()
        self._closed = False
        self._lock = Lock()

    def publish(self, topic: str, message: str) -> None:
        """Put it into the queue of everybody who listens."""
        event = Event(topic, message)
        with self._lock:
            self._check_open()
            for listener in self._listeners:
                if topic in listener.topics or not listener.topics:
                    listener.add(event)

    @contextmanager
    def listen(self, *topics: str) -> Iterator[LocalListener]:
        """A queue of one's own."""
        listener = LocalListener(frozenset(topics), self._room)
        with self._lock:
            self._check_open()
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)
            listener.end()

    def lose(self) -> None:
        """Tell every listener that events were lost: for a hub that brings them here from elsewhere."""
        with self._lock:
            for listener in self._listeners:
                listener.lose()

    def close(self) -> None:
        """End every listener."""
        with self._lock:
            self._closed = True
            for listener in self._listeners:
                listener.end()

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("The shop is closing.")
