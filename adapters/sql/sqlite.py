"""SQLite: connections that are safe to lose power on, snapshots for readers, and one writer at a time."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from adapters.sql.dialect import refusal
from adapters.sql.turnstile import Turnstile
from storecore.errors import Busy

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA secure_delete = ON",
)

_SCRUBBING_WAITS_MS = 250
"""How long the next writer waits, at most, for readers of what is scrubbed away."""


class SqliteDatabase:
    """A database in a file that only its owner can read, which is made if it is not there.

    Readers share ``pool_size`` connections and wait for nobody else; the writer has one of its own. Whoever waits
    longer than ``patience`` seconds gets ``Busy``.
    """

    one_writer = True

    def __init__(self, path: Path, *, pool_size: int, patience: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self.path = path
        self._patience = patience
        self._readers = _engine(path, "BEGIN", pool_size, patience)
        self._writers = _engine(path, "BEGIN IMMEDIATE", 1, patience)
        self._turnstile = Turnstile(path)
        self._observer: sqlite3.Connection | None = None
        self._observing = Lock()

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Every engine that statements go through."""
        return self._readers, self._writers

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot."""
        with _opened(self._readers) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The only transaction that may write."""
        with self._turn() as left, _opened(self._writers, left) as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """The same while foreign keys are not enforced, since rebuilding a table breaks them for a moment."""
        with self._turn() as left, _opened(self._writers, left, "PRAGMA foreign_keys = OFF") as connection:
            try:
                yield connection
            finally:
                connection.rollback()
                _driver(connection).execute("PRAGMA foreign_keys = ON")

    def version(self) -> int:
        """``PRAGMA data_version`` as a connection that never writes sees it: another number after any commit."""
        with self._observing:
            if self._observer is None:
                self._observer = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            found: tuple[int] = self._observer.execute("PRAGMA data_version").fetchone()
        return found[0]

    def scrub(self) -> None:
        """Empty the write-ahead log, which has rows as they were, into the database, which has zeros for what is gone.

        While somebody reads an older snapshot it stays as it is; the next time will do.
        """
        try:
            with self._turn(), self._writers.connect() as connection:
                driver = _driver(connection)
                driver.execute(f"PRAGMA busy_timeout = {_SCRUBBING_WAITS_MS}")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise refusal(error, {}) from error

    @contextmanager
    def _turn(self) -> Iterator[str]:
        """One's turn among the shop's own writers; gives the statement that lets other programs' take what is left."""
        deadline = time.monotonic() + self._patience
        if not self._turnstile.enter(deadline):
            raise Busy()
        try:
            left = max(0.0, deadline - time.monotonic())
            yield f"PRAGMA busy_timeout = {left * 1000:.0f}"
        finally:
            self._turnstile.leave()

    def close(self) -> None:
        """Give back files and connections."""
        for engine in self.engines:
            engine.dispose()
        with self._observing:
            if self._observer is not None:
                self._observer.close()
                self._observer = None
        self._turnstile.close()


@contextmanager
def _opened(engine: Engine, *before: str) -> Iterator[Connection]:
    """A connection on which these statements were run and then a transaction begun."""
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(engine.connect())
            for statement in before:
                _driver(connection).execute(statement)
            connection.begin()
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise refusal(error, {}) from error
        try:
            yield connection
        finally:
            _driver(connection).rollback()  # SQLAlchemy takes a commit that failed for the end of its transaction


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _engine(path: Path, begin: str, pool_size: int, patience: float) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # an error that is logged must not quote a customer
        pool_timeout=patience,
        connect_args={"timeout": patience, "check_same_thread": False, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        _driver(connection).execute(begin)

    return engine
