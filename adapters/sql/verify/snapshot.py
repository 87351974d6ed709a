"""One consistent look at a whole database, row by row."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Executable, Select, Table, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from adapters.sql.dialect import refusal
from adapters.sql.storage import SqlStorage
from storecore.ports import Cipher

Row: TypeAlias = Any
"""A row whose columns are taken by name or in order."""
_CHUNK = 500
"""Rows that are fetched at a time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: which rule the row of a table breaks, and how, in words for people."""

    rule: str
    table: str
    id: str
    message: str

    def __str__(self) -> str:
        return f"{self.table} {self.id}: {self.message} ({self.rule})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule whose breakers a query finds: its first ``keys`` columns name a row, and ``message`` names any of them."""

    name: str
    table: Table
    breakers: Select[Any]
    message: str
    keys: int = 1


class Beside:
    """Rows that belong to others and come in the order of their first column, which says to whom."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = iter(rows)
        self._next = next(self._rows, None)

    def of(self, owner: str) -> Sequence[Row]:
        """The rows of an owner; owners are asked for in the same order."""
        while self._next is not None and self._next[0] < owner:
            self._next = next(self._rows, None)
        found = []
        while self._next is not None and self._next[0] == owner:
            found.append(self._next)
            self._next = next(self._rows, None)
        return found


class Snapshot:
    """A transaction that only reads. What is open is closed with ``opened``."""

    def __init__(self, connection: Connection, cipher: Cipher, at: datetime, opened: ExitStack) -> None:
        self._connection = connection
        self._opened = opened
        self.cipher = cipher
        self.at = at

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._connection.dialect.name

    def rows(self, statement: Executable) -> Iterator[Row]:
        """The rows of a query, of which only a few are in memory. Raises ``Unavailable``."""
        try:
            result = self._connection.execute(statement, execution_options={"yield_per": _CHUNK})
            yield from self._opened.enter_context(result)
        except SQLAlchemyError as error:
            raise refusal(error, {}) from error

    def number(self, statement: Executable) -> int:
        """The only number of a query."""
        ((number,),) = self.rows(statement)
        return int(number)

    def beside(self, statement: Executable) -> Beside:
        """The rows of a query that is sorted by its first column, to be taken along with their owners."""
        return Beside(self.rows(statement))

    def breaking(self, rule: Rule) -> Iterator[Finding]:
        """A finding for each row that breaks a rule."""
        for row in self.rows(rule.breakers):
            name = "/".join(part.hex() if isinstance(part, bytes) else str(part) for part in row[: rule.keys])
            yield Finding(rule.name, rule.table.name, name, rule.message.format_map(row._mapping))

    def damage(self) -> Iterator[Finding]:
        """What SQLite finds wrong with its file: lost pages, indexes that disagree with their tables."""
        if self._connection.dialect.name == "sqlite":
            for (line,) in self.rows(text("PRAGMA integrity_check")):
                if line != "ok":
                    yield Finding("file", "file", "-", line)

    def revision(self) -> str | None:
        """Which tables the database has; None for one without any."""
        try:
            if not inspect(self._connection).has_table("alembic_version"):
                return None
            found: str | None = self._connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except SQLAlchemyError as error:
            raise refusal(error, {}) from error
        return found


Walk = Callable[[Snapshot], Iterator[Sequence[Finding]]]
"""Goes through every row of a table and says, for each, what is wrong with it."""


@contextmanager
def snapshot_of(storage: SqlStorage, at: datetime) -> Iterator[Snapshot]:
    """A snapshot of a shop's database; others go on writing."""
    with storage.snapshot() as (connection, cipher), _with_room(connection), ExitStack() as opened:
        yield Snapshot(connection, cipher, at, opened)


@contextmanager
def _with_room(connection: Connection) -> Iterator[None]:
    """Let SQLite sort on the disk instead of in memory, and leave CHECK constraints to us, who can name the row."""
    if connection.dialect.name != "sqlite":
        yield
        return
    try:
        _set_between_transactions(connection, "temp_store = FILE", "ignore_check_constraints = ON")
        connection.begin()
        yield
    finally:
        _set_between_transactions(connection, "temp_store = MEMORY", "ignore_check_constraints = OFF")


def _set_between_transactions(connection: Connection, *pragmas: str) -> None:
    connection.rollback()
    driver: Any = connection.connection.driver_connection
    for pragma in pragmas:
        driver.execute(f"PRAGMA {pragma}")
