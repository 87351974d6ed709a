"""Events between processes that share a SQLite file, through another file beside it."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Lock, Thread

from adapters.local_hub import LocalHub
from storecore.errors import Unavailable
from storecore.ports import Event, Listener

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.03
"""How late an event of another process may be heard; those of this one are looked for at once."""
KEPT = 10_000
"""Events in the file. Whoever has heard fewer of the newest has lost some."""
_TIDY_EVERY = 1_000
_TABLE = "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT, message TEXT) STRICT"
_ADD = "INSERT INTO events (topic, message) VALUES (?, ?)"


class SqliteHub:
    """The ``Hub`` port for a shop in a SQLite file: a hub of this process hands out here what any has published.

    Events have a file of their own, so that nobody who sells waits for them; it survives no power cut, and need not.
    Nothing runs until somebody listens; then one thread asks the file, by a look that costs microseconds, whether
    anything was added. Open it after forking.
    """

    def __init__(self, shop: Path, *, patience: float = 5.0) -> None:
        self._path = Path(f"{shop}.events")
        self._local = LocalHub()
        self._patience = patience
        self._mouth: sqlite3.Connection | None = None
        self._speaking, self._lock = Lock(), Lock()
        self._ear: Thread | None = None
        self._hearing, self._closed, self._bell = Flag(), Flag(), Flag()

    def publish(self, topic: str, message: str) -> None:
        """Tell every process; it is in the file when this returns."""
        event = Event(topic, message)
        if not self._speaking.acquire(timeout=self._patience):
            raise Unavailable()
        try:
            if self._closed.is_set():
                raise Unavailable("The shop is closing.")
            if self._mouth is None:
                self._mouth = self._connect()
            added = self._mouth.execute(_ADD, (event.topic, event.message))
            number = added.lastrowid or 0
            if number % _TIDY_EVERY == 0:
                self._mouth.execute("DELETE FROM events WHERE id <= ?", (number - KEPT,))
        except sqlite3.Error as error:
            raise Unavailable() from error
        finally:
            self._speaking.release()
        self._bell.set()

    @contextmanager
    def listen(self, *topics: str) -> Iterator[Listener]:
        """Hear what is said here, once somebody looks into the file."""
        with self._lock:
            if self._ear is None and not self._closed.is_set():
                self._ear = Thread(target=self._hear, name="hub", daemon=True)
                self._ear.start()
        if not self._hearing.wait(self._patience):
            raise Unavailable()
        with self._local.listen(*topics) as listener:
            yield listener

    def close(self) -> None:
        """End every listener, then the thread and the connections."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
        self._local.close()
        self._hearing.set()
        self._bell.set()
        if self._ear is not None:
            self._ear.join(self._patience)
        with self._speaking:
            if self._mouth is not None:
                self._mouth.close()

    def _connect(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(self._path, timeout=self._patience, isolation_level=None, check_same_thread=False)
        for setting in ("journal_mode = WAL", "synchronous = OFF"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute(_TABLE)
        return connection

    def _hear(self) -> None:
        while not self._closed.is_set():
            try:
                connection = self._connect()
                try:
                    self._hand_on(connection)
                finally:
                    connection.close()
            except sqlite3.Error as error:
                log.warning("no events from %s, trying again: %s", self._path.name, error)
                self._local.lose()
                self._closed.wait(self._patience)
        self._hearing.set()

    def _hand_on(self, connection: sqlite3.Connection) -> None:
        (heard,) = connection.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()
        self._hearing.set()
        seen = None
        while not self._closed.is_set():
            self._bell.wait(LOOK_EVERY_SECONDS)
            self._bell.clear()
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if version == seen:
                continue
            seen = version
            rows = connection.execute("SELECT id, topic, message FROM events WHERE id > ? ORDER BY id", (heard,))
            for number, topic, message in rows.fetchall():
                if number > heard + 1:
                    self._local.lose()
                heard = number
                try:
                    self._local.publish(topic, message)
                except (ValueError, Unavailable):
                    log.debug("not ours, or too late: %r", message)
