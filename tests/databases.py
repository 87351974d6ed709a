"""An empty, migrated database of each kind that the shop runs on, for one test."""

import atexit
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.engine import URL

from adapters.sql import migrate
from tests import postgresql

DATABASES = ("sqlite", "postgresql")


@contextmanager
def database(kind: str, folder: Path) -> Iterator[Path | URL]:
    """One of the ``DATABASES``; ``sqlite`` is a file in ``folder``. Close what was opened on it before it is left."""
    if kind == "postgresql":
        with postgresql.database() as url:
            yield url
    else:
        yield Path(shutil.copy(_empty_file(), folder / "store.db"))


def empty(where: Path | URL) -> None:
    """Delete every row, for the next test; a transaction that a test has left open makes this fail."""
    if isinstance(where, URL):
        postgresql.empty(where)
    else:
        with closing(sqlite3.connect(where, isolation_level=None)) as connection:
            triggers = [
                (name, sql)
                for name, table, sql in connection.execute(
                    "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
                )
                if table in postgresql.APPEND_ONLY
            ]
            off = ";".join(f'DROP TRIGGER "{name}"' for name, _ in triggers)
            on = ";".join(sql for _, sql in triggers)
            connection.executescript(f"BEGIN IMMEDIATE; {off}; {postgresql.EMPTYING}; {on}; COMMIT")


@cache
def _empty_file() -> Path:
    """A migrated database to copy: migrating one for each test would take longer than the tests."""
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "store.db"
    migrate(path)
    assert not path.with_name("store.db-wal").exists(), "everything is in the one file"
    return path
