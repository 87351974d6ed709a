"""A database on a server ends up with the tables that the program works with, or is left alone."""

import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError

from adapters.sql import DatabaseTooNew, migrate
from adapters.sql.columns import metadata
from storecore.errors import Busy, Unavailable
from tests.postgresql import conninfo, empty_database

MIGRATE = "import sys; from adapters.sql import migrate; migrate(sys.argv[1])"


@pytest.fixture
def bare() -> Iterator[URL]:
    """A database without tables."""
    with empty_database() as url:
        yield url


def structure(url: URL) -> list[tuple[object, ...]]:
    """Every column, constraint and index."""
    with psycopg.connect(conninfo(url)) as connection:
        return [
            *connection.execute(
                "SELECT table_name, column_name, data_type, collation_name, is_nullable, generation_expression "
                "FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version' "
                "ORDER BY table_name, column_name"
            ),
            *connection.execute(
                "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
                "WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' "
                "ORDER BY conname"
            ),
            *connection.execute(
                "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version' "
                "ORDER BY indexname"
            ),
            *connection.execute(
                "SELECT pg_get_triggerdef(oid), pg_get_functiondef(tgfoid) FROM pg_trigger WHERE NOT tgisinternal "
                "ORDER BY tgname"
            ),
        ]


def test_migrations_and_tables_agree_to_the_letter(url: URL, bare: URL) -> None:
    engine = create_engine(bare)
    metadata.create_all(engine)
    engine.dispose()
    assert structure(url) == structure(bare)


def test_alembic_finds_nothing_left_to_do(url: URL) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_processes_that_start_at_once_all_find_it_done(bare: URL, url: URL) -> None:
    command = [sys.executable, "-c", MIGRATE, bare.render_as_string(hide_password=False)]
    starting = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(5)]
    assert [process.communicate(timeout=60)[1] for process in starting] == [""] * 5
    assert {process.returncode for process in starting} == {0}
    assert structure(bare) == structure(url)


def test_a_database_that_is_up_to_date_is_not_waited_for(url: URL) -> None:
    with psycopg.connect(conninfo(url)) as connection:
        connection.execute("LOCK TABLE users")
        migrate(url)


def test_a_newer_database_is_refused_and_left_alone(bare: URL) -> None:
    migrate(bare)
    before = structure(bare)
    with psycopg.connect(conninfo(bare), autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(DatabaseTooNew, match="9999"):
            migrate(bare)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    assert structure(bare) == before


def test_a_migration_that_fails_leaves_the_database_as_it_was(bare: URL) -> None:
    with psycopg.connect(conninfo(bare), autocommit=True) as connection:
        connection.execute("CREATE TABLE users (somebody_elses text)")
    before = structure(bare)
    with pytest.raises(ProgrammingError, match="already exists"):
        migrate(bare)
    assert structure(bare) == before


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable) as refusal:
        migrate("postgresql+psycopg://shop:secret@127.0.0.1:1/shop")
    assert type(refusal.value) is not Busy
    assert "secret" not in f"{refusal.value} {refusal.value.__cause__}"


@pytest.mark.parametrize("where", ["postgresql+asyncpg://127.0.0.1/shop", "mysql://127.0.0.1/shop"])
def test_a_server_of_another_kind_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match="not supported"):
        migrate(where)
