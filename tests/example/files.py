"""The ``Files`` port in a SQLite file, and what SQLite's errors are in the shop's words."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from storecore.errors import Busy, NotFound, Unavailable
from storecore.ports import Clock


@contextmanager
def in_our_words() -> Iterator[None]:
    """An adapter's own errors end at its edge."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise (Busy() if error.sqlite_errorcode == sqlite3.SQLITE_BUSY else Unavailable()) from error


class SqliteFiles:
    """Files as rows: there once they are whole, and gone as one."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._run("CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, kept_at REAL, content BLOB) STRICT")

    def keep(self, name: str, content: Iterable[bytes]) -> None:
        try:
            self._run("INSERT INTO files VALUES (?, ?, ?)", name, self._clock().timestamp(), b"".join(content))
        except sqlite3.IntegrityError:
            raise FileExistsError(name) from None

    def open(self, name: str) -> BinaryIO:
        if found := self._run("SELECT content FROM files WHERE name = ?", name):
            return BytesIO(found[0][0])
        raise NotFound("There is no such file.")

    def size(self, name: str) -> int | None:
        return next((size for (size,) in self._run("SELECT length(content) FROM files WHERE name = ?", name)), None)

    def kept_before(self, at: datetime) -> Sequence[str]:
        return [name for (name,) in self._run("SELECT name FROM files WHERE kept_at < ?", at.timestamp())]

    def remove(self, name: str) -> None:
        self._run("DELETE FROM files WHERE name = ?", name)

    def _run(self, statement: str, *values: Any) -> list[Any]:
        with in_our_words(), closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()
