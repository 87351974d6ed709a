"""A database of any age ends up with the tables that the program works with, or is left alone."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from adapters.sql import DatabaseTooNew, migrate, migrations
from adapters.sql.columns import metadata
from storecore.errors import Unavailable


def structure(path: Path) -> dict[str, list[str]]:
    """The columns, constraints and indexes of every table and index, whatever their layout and order."""
    database = sqlite3.connect(path)
    rows = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    database.close()
    return {
        name: sorted(parts("".join(sql.replace('"', "").split()))) for name, sql in rows if name != "alembic_version"
    }


def parts(sql: str) -> list[str]:
    """The statement cut at the commas of its outermost brackets."""
    depth, found = 0, [""]
    for character in sql:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if (depth, character) in {(1, "("), (1, ","), (0, ")")}:
            found.append("")
        else:
            found[-1] += character
    return found


def test_migrations_and_tables_agree_to_the_letter(tmp_path: Path) -> None:
    migrate(tmp_path / "migrated.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'created.db'}")
    metadata.create_all(engine)
    engine.dispose()
    assert structure(tmp_path / "migrated.db") == structure(tmp_path / "created.db")


def test_alembic_finds_nothing_left_to_do(tmp_path: Path) -> None:
    migrate(tmp_path / "shop.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_no_index_of_its_own})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def is_no_index_of_its_own(_thing: object, name: str | None, *_: object) -> bool:
    """The full-text index is made of what SQLAlchemy has no words for; that it is as it should be is tested above."""
    return not str(name).startswith("search_index")


def test_there_is_one_line_of_migrations_and_head_is_its_end() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [migrations.HEAD]
    for script in scripts.walk_revisions():
        assert Path(script.path).name.startswith(f"r{script.revision}_"), "a file is named after its revision"


def test_every_table_is_strict(tmp_path: Path) -> None:
    migrate(tmp_path / "shop.db")
    database = sqlite3.connect(tmp_path / "shop.db")
    strict = {name: is_strict for _, name, kind, _, _, is_strict in database.execute("PRAGMA table_list")}
    database.close()
    assert all(strict[name] for name in metadata.tables)


def test_a_database_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    migrate(tmp_path / "below" / "shop.db")
    assert (tmp_path / "below" / "shop.db").stat().st_mode & 0o777 == 0o600


def test_migrating_again_changes_nothing_and_needs_no_alembic(tmp_path: Path) -> None:
    migrate(tmp_path / "shop.db")
    before = structure(tmp_path / "shop.db")
    code = "import sys; from adapters.sql import migrate; migrate(sys.argv[1]); assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "shop.db")], check=True)
    assert structure(tmp_path / "shop.db") == before


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    migrate(tmp_path / "shop.db")
    database = sqlite3.connect(tmp_path / "shop.db")
    with database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    before = database.execute("SELECT * FROM sqlite_master").fetchall()
    with pytest.raises(DatabaseTooNew, match="9999"):
        migrate(tmp_path / "shop.db")
    assert database.execute("SELECT * FROM sqlite_master").fetchall() == before
    assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    database.close()


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    database = sqlite3.connect(path)
    with database:
        database.execute("CREATE TABLE users (somebody_elses)")
    with pytest.raises(Exception, match="already exists"):
        migrate(path)
    assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("users",)]
    database.close()


def test_processes_that_start_at_once_all_find_it_done(tmp_path: Path) -> None:
    code = "import sys; from adapters.sql import migrate; migrate(sys.argv[1])"
    command = [sys.executable, "-c", code, str(tmp_path / "shop.db")]
    starting = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[1] for process in starting] == ["", "", ""]
    assert {process.returncode for process in starting} == {0}


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear shop, " * 200)
    with pytest.raises(Unavailable, match="no database"):
        migrate(tmp_path / "letter.txt")


@pytest.mark.parametrize("where", ["", ":memory:", "sqlite://", "sqlite:///:memory:", "mysql://localhost/shop"])
def test_a_place_that_can_not_hold_a_shop_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match="database"):
        migrate(where)
