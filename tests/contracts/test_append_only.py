"""Nobody changes what is in the audit log, not even in the database itself."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage, migrate
from storecore.testing.builders import NOW, ids
from storecore.testing.contracts.audit import make_audit_entry
from storecore.testing.contracts.proving import written
from tests.postgresql import conninfo

ENTRY = "'{}', 1, 'ada', 'admin', 'nothing', 'product', 'hat', '{{}}', '{{}}', NULL"
"""Values of another entry, by its id."""
BOTH = (
    "UPDATE audit SET actor_id = 'nobody'",
    "UPDATE audit SET after = '{}' WHERE id = (SELECT max(id) FROM audit)",
    "DELETE FROM audit",
    "DELETE FROM audit WHERE object_id = 'something'",
)
FIRST = ids()()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with two entries."""
    migrate(tmp_path / "shop.db")
    _fill(tmp_path / "shop.db")
    return tmp_path / "shop.db"


@pytest.fixture
def server(url: URL) -> URL:
    """The same on a server."""
    _fill(url)
    return url


def _fill(where: Path | URL) -> None:
    storage = SqlStorage(where, cipher=FernetCipher(["k" * 32]))
    with written(storage) as unit:
        unit.audit.add([make_audit_entry(ids(), id=FIRST), make_audit_entry(ids(9), at=NOW)])
    storage.close()


@pytest.mark.parametrize(
    "statement",
    [
        *BOTH,
        f"INSERT OR REPLACE INTO audit VALUES ({ENTRY.format(FIRST)})",
        f"INSERT INTO audit VALUES ({ENTRY.format(FIRST)}) ON CONFLICT (id) DO UPDATE SET action = 'nothing'",
        f"UPDATE OR REPLACE audit SET id = '{FIRST}'",
    ],
)
def test_a_file_refuses_to_forget(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        before = database.execute("SELECT * FROM audit").fetchall()
        assert len(before) == 2
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(statement)
        assert database.execute("SELECT * FROM audit").fetchall() == before
        with pytest.raises(sqlite3.OperationalError, match="rowid"):
            database.execute("SELECT rowid FROM audit")  # another number by which a row could be replaced


@pytest.mark.parametrize("statement", [*BOTH, "TRUNCATE audit", "TRUNCATE users, audit CASCADE"])
def test_a_server_refuses_to_forget(server: URL, statement: str) -> None:
    with psycopg.connect(conninfo(server), autocommit=True) as database:
        before = database.execute("SELECT * FROM audit").fetchall()
        assert len(before) == 2
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            database.execute(statement)
        assert database.execute("SELECT * FROM audit").fetchall() == before
