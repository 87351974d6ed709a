"""The ``Storage`` port on the ``sqlite3`` of Python's standard library.

The repositories are the memory adapter's. All they ask for is tables that get, put, drop and list rows by key, and here
those are tables of SQLite, whose transactions do the rest. Lists look at every row: it is for a small shop.
"""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TypeVar, get_args, get_type_hints

from adapters.memory.search import Vocabulary
from adapters.memory.storage import MemoryUnit
from adapters.memory.tables import Table, Tables, Workspace
from storecore.catalog.english import ENGLISH
from storecore.errors import Busy
from storecore.ports import NewId, Unit
from tests.example.files import in_our_words
from tests.example.rows import coder

K = TypeVar("K")
V = TypeVar("V")

KINDS = {name: [coder(part) for part in get_args(hint)] for name, hint in get_type_hints(Tables).items()}
"""The coders of each table's keys and rows."""
LIMITS = {"shelves": "CHECK (json_extract(row, '$.on_hand') >= 0)"}
"""What the database itself refuses, whoever writes."""


class SqliteTable(Table[K, V]):
    """The table of this name as a transaction sees it."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        super().__init__()
        self._connection, self._name = connection, name
        self._key, self._row = KINDS[name]

    def get(self, key: K) -> V | None:
        found = self._run("SELECT row FROM {} WHERE key = ?", self._key.dump(key)).fetchone()
        return None if found is None else self._row.load(found[0])

    def put(self, key: K, row: V) -> None:
        self._run("REPLACE INTO {} VALUES (?, ?)", self._key.dump(key), self._row.dump(row))

    def drop(self, key: K) -> None:
        self._run("DELETE FROM {} WHERE key = ?", self._key.dump(key))

    def items(self) -> Iterator[tuple[K, V]]:
        found = self._run("SELECT key, row FROM {}").fetchall()
        return ((self._key.load(key), self._row.load(row)) for key, row in found)

    def sealed(self) -> "SqliteTable[K, V]":
        return self

    def _run(self, statement: str, *values: str) -> sqlite3.Cursor:
        return self._connection.execute(statement.format(self._name), values)


@dataclass(frozen=True)
class Transaction:
    """What a unit of the memory adapter's needs of its storage."""

    connection: sqlite3.Connection
    vocabulary: Vocabulary

    def swap_in(self, tables: Tables) -> None:
        """Every change was written as it came."""
        self.connection.execute("COMMIT")


class SqliteStorage:
    """A shop in a file, for any number of threads and processes. It encrypts nothing.

    Writers take turns: threads by a lock, processes as SQLite does it. After ``patience`` seconds it is ``Busy``.
    """

    one_writer = True

    def __init__(self, path: Path, *, patience: float = 5.0) -> None:
        self._path, self._patience = path, patience
        self._vocabulary = Vocabulary(ENGLISH)
        self._turn, self._look = Lock(), Lock()
        with in_our_words():
            self._observer = self._connect(patience)
            self._observer.execute("PRAGMA journal_mode = WAL")
        with self._begun("BEGIN IMMEDIATE") as connection:
            for name in KINDS:
                columns = f"key TEXT PRIMARY KEY, row TEXT NOT NULL {LIMITS.get(name, '')}"
                connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns}) STRICT, WITHOUT ROWID")
            connection.execute("COMMIT")

    @contextmanager
    def reading(self, now: datetime, new_id: NewId) -> Iterator[Unit]:
        with self._begun("BEGIN") as connection:
            yield self._unit(connection, now, new_id, writable=False)

    @contextmanager
    def writing(self, now: datetime, new_id: NewId) -> Iterator[Unit]:
        if not self._turn.acquire(timeout=self._patience):
            raise Busy()
        try:
            with self._begun("BEGIN IMMEDIATE") as connection:
                yield self._unit(connection, now, new_id, writable=True)
        finally:
            self._turn.release()

    def version(self) -> int:
        """Another number after anybody's commit: the observer has none of its own."""
        with self._look:
            return int(self._observer.execute("PRAGMA data_version").fetchone()[0])

    def scrub(self) -> None:
        """Empty the write-ahead log, unless somebody still reads from it; the file itself keeps nothing."""
        with in_our_words(), closing(self._connect(0)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def pause(self, attempt: int) -> None:
        time.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 6)))

    def close(self) -> None:
        self._observer.close()

    def _connect(self, patience: float) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=patience, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA secure_delete = ON")
        return connection

    @contextmanager
    def _begun(self, begin: str) -> Iterator[sqlite3.Connection]:
        """A transaction; closing its connection takes back what was not committed."""
        with in_our_words(), closing(self._connect(self._patience)) as connection:
            connection.execute(begin)
            yield connection

    def _unit(self, connection: sqlite3.Connection, now: datetime, new_id: NewId, *, writable: bool) -> Unit:
        tables = Tables(**{name: SqliteTable(connection, name) for name in KINDS})
        return MemoryUnit(Transaction(connection, self._vocabulary), Workspace(tables, now, writable=writable), new_id)
