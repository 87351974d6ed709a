"""Events between processes over LISTEN and NOTIFY: no other server is needed."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from selectors import EVENT_READ, DefaultSelector
from threading import Event as Flag
from threading import Lock, Thread
from typing import Any

import psycopg
from sqlalchemy import make_url
from sqlalchemy.engine import URL

from adapters.local_hub import LocalHub
from adapters.sql.postgresql import connector
from storecore.errors import Unavailable
from storecore.ports import Event, Listener

log = logging.getLogger(__name__)

CHANNEL = "storecore"
"""One for all topics: a process hears everything and hands on what somebody there listens to."""

SHORTEST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 5.0
"""Between attempts to connect again; each pause is twice the one before."""


class PostgresqlHub:
    """The ``Hub`` port on PostgreSQL: a hub of this process hands out here what any has published.

    It publishes through one connection and hears through another, each opened when it is first needed. Nothing runs
    until somebody listens; then one thread does, whatever the number of listeners, and connects again by itself.
    Whoever waits longer than ``patience`` seconds for a connection gets ``Unavailable``. Open it after forking.
    """

    def __init__(self, url: str | URL, *, patience: float = 5.0) -> None:
        self._local = LocalHub()
        self._patience = patience
        self._connect = connector(make_url(url), patience, statement_timeout=f"{patience:g}s")
        self._mouth: psycopg.Connection[Any] | None = None
        self._speaking = Lock()
        self._ear: Thread | None = None
        self._hearing, self._closed = Flag(), Flag()
        self._lock = Lock()
        self._bell, self._bell_button = socket.socketpair()

    def publish(self, topic: str, message: str) -> None:
        """Tell every process; it has been told to the server when this returns."""
        event = Event(topic, message)
        if not self._speaking.acquire(timeout=self._patience):
            raise Unavailable()
        try:
            try:
                self._say(event)
            except psycopg.OperationalError:
                if self._mouth is None:  # a new connection could not be opened
                    raise
                self._fall_silent()  # the server may have been restarted since it was last told something
                self._say(event)
        except psycopg.OperationalError as error:
            self._fall_silent()
            raise Unavailable() from error
        finally:
            self._speaking.release()

    def _say(self, event: Event) -> None:
        if self._closed.is_set():
            raise Unavailable("The shop is closing.")
        if self._mouth is None:
            self._mouth = self._connect()
        self._mouth.execute("SELECT pg_notify(%s, %s)", (CHANNEL, f"{event.topic}\n{event.message}"))

    def _fall_silent(self) -> None:
        if self._mouth is not None:
            self._mouth.close()
            self._mouth = None

    @contextmanager
    def listen(self, *topics: str) -> Iterator[Listener]:
        """Hear what is said here, once the connection stands."""
        with self._lock:
            if self._ear is None and not self._closed.is_set():
                self._ear = Thread(target=self._hear, name="hub", daemon=True)
                self._ear.start()
        if not self._hearing.wait(self._patience):
            raise Unavailable()
        with self._local.listen(*topics) as listener:
            yield listener

    def _hear(self) -> None:
        pause = 0.0
        while not self._closed.wait(pause):
            try:
                with self._connect() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._local.lose()  # whatever was published while no connection stood
                    self._hearing.set()
                    pause = 0.0
                    if not self._closed.is_set():
                        self._hand_on(connection)
            except psycopg.Error as error:
                self._hearing.clear()
                pause = min(max(2 * pause, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
                log.warning("no events from the database, trying again: %s", error)
        self._hearing.set()

    def _hand_on(self, connection: psycopg.Connection[Any]) -> None:
        with DefaultSelector() as waiting:
            waiting.register(connection, EVENT_READ)
            waiting.register(self._bell, EVENT_READ)
            while not self._closed.is_set():
                for notification in connection.notifies(timeout=0):
                    topic, _, message = notification.payload.partition("\n")
                    try:
                        self._local.publish(topic, message)
                    except (ValueError, Unavailable):
                        log.debug("not ours, or too late: %r", notification.payload)
                waiting.select()

    def close(self) -> None:
        """End every listener, then the thread and the connections."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
        self._local.close()
        self._hearing.set()
        self._bell_button.send(b"!")
        if self._ear is not None:
            self._ear.join(self._patience)
        with self._speaking:
            self._fall_silent()
        self._bell.close()
        self._bell_button.close()
