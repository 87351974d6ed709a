"""What was in a database before an upgrade is found after it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage, check_keys, migrate, migrations
from adapters.sql.rotating import left, rotate
from storecore.lists import PageRequest
from storecore.ports import UserQuery
from storecore.testing.builders import NOW, ids
from tests.postgresql import conninfo, empty_database

OLD_USER = (
    "INSERT INTO users (id, email, full_name, password_hash, role, grants, preferences, is_active, email_verified, "
    "created_at, version, private) "
    "VALUES ('1', 'a@example.com', 'Ayşe Şahin', '', 'customer', '{}', '{}', %s, %s, %s, 1, %s)"
)
OLD_PRIVATE = (
    b"gAAAAABrARYs7uQiBx_lw5YLvQ-SqOmljmXw60UJBwNDA1H1668TErc6AooKsa1pAdVt5QHtMP83XwFNbeoLWcehf5dBki69lshiz-wWurTnGxMo"
    b"Q9NyG8e1IDH64i_HnTCK0x0yZA-JGNBb6IVQln2VUVDNJbWo4Q=="
)
"""A phone number, encrypted for its column but for no row."""
KEY = "k" * 32


def before(connection: Connection, revision: str) -> None:
    """Make the tables that there were before a revision."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    script = ScriptDirectory.from_config(config).get_revision(revision)
    assert script is not None
    command.upgrade(config, str(script.down_revision))
    connection.commit()


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | URL]:
    """A database from before users were listed, with a user."""
    if request.param == "sqlite":
        path = tmp_path / "shop.db"
        engine = create_engine(f"sqlite:///{path}")
        with engine.connect() as connection:
            before(connection, "0009")
        engine.dispose()
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(OLD_USER.replace("%s", "?"), (1, 0, 0, OLD_PRIVATE))
        yield path
        return
    with empty_database() as url:
        engine = create_engine(url)
        with engine.connect() as connection:
            before(connection, "0009")
        engine.dispose()
        with psycopg.connect(conninfo(url)) as server:
            server.execute(OLD_USER, (True, False, NOW, OLD_PRIVATE))
        yield url


def test_users_of_old_are_found_by_their_names(where: Path | URL) -> None:
    migrate(where)
    storage = SqlStorage(where, cipher=FernetCipher([KEY]))
    with storage.reading(NOW, ids()) as unit:
        for begins in ("ayse", "sahin", "a@"):
            assert [user.id for user in unit.users.page(UserQuery(text=begins), PageRequest()).items] == ["1"]
    storage.close()


def test_what_was_encrypted_for_no_row_is_read_before_and_after_keys_were_rotated(where: Path | URL) -> None:
    migrate(where)
    storage = SqlStorage(where, cipher=FernetCipher([KEY]))
    check_keys(storage, NOW)
    for renewed in (1, 0):
        with storage.reading(NOW, ids()) as unit:
            assert unit.users.get("1").phone == "+905551234567"
        assert left(storage) == renewed
        assert rotate(storage, lambda: NOW).renewed == renewed
    storage.close()
