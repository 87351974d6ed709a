"""Which database a path or a URL means."""

from collections.abc import Hashable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.engine import URL

from adapters.local_rate_limits import LocalRateLimits
from adapters.sql.sqlite import SqliteDatabase
from adapters.sql.sqlite_hub import SqliteHub
from storecore.ports import Cipher, Hub, RateLimits


class Database(Protocol):
    """Opens transactions in its own way and says its errors in the shop's words."""

    @property
    def one_writer(self) -> bool:
        """Whether a writing transaction begins only when no other is open."""

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Every engine that statements go through."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A snapshot. Raises ``Busy``."""

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that may write; it is rolled back unless the connection is committed. Raises ``Busy``."""

    def migrating(self) -> AbstractContextManager[Connection]:
        """A transaction that changes tables while nobody else does."""

    def version(self) -> Hashable:
        """Another value after any commit by anybody."""

    def scrub(self) -> None:
        """Let nothing that was removed linger in files that the program itself looks after."""

    def close(self) -> None:
        """Give back files and connections."""


def open_database(where: str | Path | URL, *, pool_size: int, patience: float) -> Database:
    """The database at a path, or at a URL such as ``postgresql://shop@db.example/shop``.

    Raises ``ValueError`` for other kinds of database, ``ImportError`` if the driver is not installed.
    """
    place = located(where)
    if isinstance(place, Path):
        return SqliteDatabase(place, pool_size=pool_size, patience=patience)
    try:
        from adapters.sql.postgresql import PostgresqlDatabase  # its driver is needed for nothing else
    except ImportError as error:
        raise ImportError("PostgreSQL needs its driver: pip install 'storecore[postgres]'") from error
    return PostgresqlDatabase(place, pool_size=pool_size, patience=patience)


def open_hub(where: str | Path | URL) -> Hub:
    """A hub for every process that works on the same database. Open it after forking."""
    place = located(where)
    if isinstance(place, Path):
        return SqliteHub(place)
    from adapters.sql.postgresql_hub import PostgresqlHub  # its driver is needed for nothing else

    return PostgresqlHub(place)


def open_rate_limits(where: str | Path | URL, *, cipher: Cipher) -> RateLimits:
    """What counts hits: on PostgreSQL for every process, on SQLite for this one alone. Open it after forking."""
    place = located(where)
    if isinstance(place, Path):
        return LocalRateLimits()
    from adapters.sql.rate_limits import PostgresqlRateLimits  # its driver is needed for nothing else

    return PostgresqlRateLimits(place, cipher=cipher)


def located(where: str | Path | URL) -> Path | URL:
    """The file of a SQLite database, or the URL of one on a PostgreSQL server. Raises ``ValueError`` for any other."""
    if isinstance(where, str) and "://" in where:
        where = make_url(where)
    if isinstance(where, URL):
        if where.drivername in {"postgresql", "postgresql+psycopg"}:
            return where
        if where.get_backend_name() != "sqlite" or where.query:
            raise ValueError(f"this database is not supported: {where.render_as_string()}")
        where = where.database or ""
    if str(where) in {"", ".", ":memory:"}:
        raise ValueError("a database needs a file; adapters.memory keeps a shop in memory")
    return Path(where)
