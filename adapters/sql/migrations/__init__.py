"""Brings a database to this version's tables, forwards only and without loss."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL

from adapters.sql.databases import open_database

HEAD = "0013"
"""The revision that this version's tables have; the newest file in ``versions``."""

_VERSIONS = Path(__file__).with_name("versions")
_PATIENCE = 60.0
"""Seconds to wait for another process that is at it."""


class DatabaseTooNew(RuntimeError):  # noqa: N818 - it reads as a statement
    """The database was made by a newer version of the program, which alone knows what is in it."""


def migrate(where: str | Path | URL) -> None:
    """Create or upgrade the database at a path or URL. Quick when there is nothing to do, and safe to call at once.

    Raises :class:`DatabaseTooNew`; then nothing was changed.
    """
    database = open_database(where, pool_size=1, patience=_PATIENCE)
    try:
        with database.reading() as connection:
            if _revision(connection) == HEAD:
                return
        with database.migrating() as connection:
            if _revision(connection) != HEAD:
                _upgrade(connection)
    finally:
        database.close()


def _revision(connection: Connection) -> str | None:
    """What the database is at, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision is not None and revision not in _known():
        raise DatabaseTooNew(
            f"The database is at revision {revision}, but this version of the program knows only up to {HEAD}. "
            "Use the version that upgraded it, or a newer one."
        )
    return revision


def _known() -> set[str]:
    """Every revision this version has, by the files' names: ``r0001_first_tables.py``."""
    return {path.name[1:5] for path in _VERSIONS.glob("r*.py")}


def _upgrade(connection: Connection) -> None:
    from alembic import command  # takes longer to import than a database that is up to date takes to open
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite" and (broken := connection.execute(text("PRAGMA foreign_key_check")).all()):
        raise RuntimeError(f"the upgrade would leave {len(broken)} rows that refer to nothing")
    connection.commit()
