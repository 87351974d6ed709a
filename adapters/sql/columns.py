"""What tables are made of: types that mean the same on SQLite and PostgreSQL, and columns with few words."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.types import TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def to_ticks(at: datetime) -> int:
    """Microseconds since 1970. Raises ``TypeError`` for a time without an offset."""
    return (at - EPOCH) // _TICK


def from_ticks(ticks: int) -> datetime:
    """The moment, in UTC."""
    return EPOCH + timedelta(microseconds=ticks)


class Instant(TypeDecorator[datetime]):
    """A moment: any offset goes in, UTC comes out. Whole microseconds on SQLite, ``timestamptz`` elsewhere."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's type in a database."""
        return Integer() if dialect.name == "sqlite" else DateTime(timezone=True)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """From a moment to what the driver takes."""
        convert: Callable[[datetime], object] = to_ticks if dialect.name == "sqlite" else _in_utc
        return lambda at: None if at is None else convert(at)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:  # noqa: ARG002 - the port's
        """From what the driver gives to a moment."""
        convert: Callable[[Any], datetime] = from_ticks if dialect.name == "sqlite" else _in_utc
        return lambda kept: None if kept is None else convert(kept)


def _in_utc(at: datetime) -> datetime:
    return (at - EPOCH) + EPOCH  # unlike astimezone, refuses a time without an offset


Whole = BigInteger().with_variant(Integer(), "sqlite")
"""A count or an amount, 64 bits wide; STRICT tables know only INTEGER."""
Small = SmallInteger().with_variant(Integer(), "sqlite")
Characters = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its characters' numbers, whatever the database's language."""
Flag = Boolean().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def table(name: str, *parts: Any, narrow: bool = False) -> Table:
    """A STRICT table; a ``narrow`` one is kept in the order of its key, without a second tree for it."""
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=not narrow)


def id_() -> Column[str]:
    """The key of most tables."""
    return Column("id", Characters, primary_key=True)


def to(name: str, target: str, *, key: bool = False, null: bool = False, on_delete: str | None = None) -> Column[str]:
    """A reference to a row of another table, perhaps part of the key."""
    return Column(name, Characters, ForeignKey(target, ondelete=on_delete), primary_key=key, nullable=null)


def when(name: str, *, null: bool = False) -> Column[datetime]:
    """A moment."""
    return Column(name, Instant, nullable=null)


def words(name: str, *, null: bool = False, **options: Any) -> Column[str]:
    """Text."""
    return Column(name, Characters, nullable=null, **options)


def number(name: str, *more: CheckConstraint, null: bool = False, **options: Any) -> Column[int]:
    """A count or an amount."""
    return Column(name, Whole, *more, nullable=null, **options)


def down(name: str) -> Column[int]:
    """A number counted downwards: an index on it and the id lists the greatest first, and equals by id."""
    return Column(f"{name}_down", Whole, Computed(f"-{name}", persisted=True), nullable=False)


def check(condition: str, name: str) -> CheckConstraint:
    """A condition on each row; ``name`` becomes ``ck_<table>_<name>``."""
    return CheckConstraint(condition, name=name)


def not_negative(*columns: str) -> list[CheckConstraint]:
    """A check for each of these columns."""
    return [check(f"{column} >= 0", column) for column in columns]


def where(condition: str, *, postgresql: str | None = None) -> dict[str, Any]:
    """For an index that keeps only some rows; a query uses it when it says the same condition."""
    return {"sqlite_where": text(condition), "postgresql_where": text(postgresql or condition)}


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """A check that a column holds one of these values."""
    return check(f"{column} IN ({', '.join(repr(str(value)) for value in values)})", column)
