"""What SQLite and PostgreSQL do differently: the names of broken constraints, refusals, upserts, JSON, and queueing.

Row locks need no word here: ``with_for_update()`` is left out by SQLAlchemy on SQLite, where whoever writes is alone.
They are taken with ``key_share=True``, which leaves room for rows that refer to the locked one: without it, a member of
staff who edits a product and a customer who buys it would wait for each other.
"""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Connection, Table, TableValuedAlias, Text, column, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from storecore.errors import Busy, Contention, NotFound, StoreError, Unavailable

Refusals = Mapping[str, type[StoreError]]
"""The error that breaking a constraint stands for, by the constraint's name."""

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_BROKEN = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM,
)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CONSTRAINTS = {"UNIQUE": "uq", "PRIMARY KEY": "pk"}
_LOST = ("40001", "40P01")
_WAITED = ("55P03", "57014")
_DOWN = ("08", "25006", "25P03", "53", "57P", "58")
"""Broken connections, a server that has become a copy of another, silence, no room, a restart, the disk."""
_UNIQUE, _FOREIGN = "23505", "23503"


def refusal(error: Exception, refuses: Refusals) -> Exception:
    """What a driver's error means to the shop; the error itself when it is a bug of ours."""
    if isinstance(error, PoolTimeout):
        return Busy()
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _sqlite(cause, refuses) or error
    if state := getattr(cause, "sqlstate", None):
        return _postgresql(state, cause, refuses) or error
    if isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        return Unavailable()
    return error


def is_unwritable(error: Exception) -> bool:
    """Whether PostgreSQL's driver was given a text with a NUL, which no row of its can hold."""
    return isinstance(error, DataError) and getattr(error.orig, "sqlstate", None) is None


def _sqlite(error: sqlite3.Error, refuses: Refusals) -> Exception | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte; the rest says more than is needed
    if code in _BUSY:
        return Busy()
    if code in _BROKEN:
        return Unavailable("The database can't be written or read just now; its disk may be full.")
    if code in _DAMAGED:
        return Unavailable("The file is damaged, or is no database.")
    if match := re.fullmatch(r"(UNIQUE|PRIMARY KEY) constraint failed: (.+)", str(error)):
        return _broken(_name(_CONSTRAINTS[match[1]], match[2]), refuses)
    if str(error).startswith("FOREIGN KEY"):
        return _dangling()
    return None


def _postgresql(state: str, error: Any, refuses: Refusals) -> Exception | None:
    if state in _LOST:
        return Contention()
    if state in _WAITED:
        return Busy()
    if state.startswith(_DOWN):
        return Unavailable()
    if state == _UNIQUE:
        return _broken(error.diag.constraint_name, refuses)
    return _dangling() if state == _FOREIGN else None


def _name(kind: str, columns: str) -> str:
    """A constraint's name from SQLite's ``users.email`` or ``outbox.event, outbox.template``, as tables name it."""
    table, _, _ = columns.partition(".")
    return "_".join([kind, table, *(column.partition(".")[2] for column in columns.split(", "))])


def _broken(constraint: str, refuses: Refusals) -> Exception | None:
    error = refuses.get(constraint)
    return error() if error else None


def _dangling() -> Exception:
    return NotFound("Something that this refers to is not there.")


def add_missing(table: Table) -> postgresql.Insert:
    """``INSERT … ON CONFLICT DO NOTHING``; SQLite took these words over from PostgreSQL, and so does its compiler."""
    return postgresql.insert(table).on_conflict_do_nothing()


def add_up(table: Table, *amounts: str) -> postgresql.Insert:
    """``INSERT … ON CONFLICT (key) DO UPDATE`` that adds these columns to what is there."""
    insert = postgresql.insert(table)
    sums = {name: table.c[name] + insert.excluded[name] for name in amounts}
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums)


def add_or_replace(table: Table, *changing: str, key: Sequence[str] = ()) -> postgresql.Insert:
    """``INSERT … ON CONFLICT (key) DO UPDATE`` of these columns, on both databases too."""
    insert = postgresql.insert(table)
    return insert.on_conflict_do_update(
        index_elements=key or list(table.primary_key), set_={name: insert.excluded[name] for name in changing}
    )


_QUEUE = text("SELECT pg_advisory_xact_lock(hashtextextended('storecore ' || :what, 0))")


def queue_for(connection: Connection, what: str) -> None:
    """Wait until no other transaction has queued for the same; whoever writes on SQLite has done so already."""
    if connection.dialect.name == "postgresql":
        connection.execute(_QUEUE, {"what": what})


class Quarter(FunctionElement[int]):
    """The quarter of an hour that a moment is in, counted from 1970."""

    type = BigInteger()
    inherit_cache = True


@compiles(Quarter)
def _from_ticks(quarter: Quarter, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(quarter.clauses, **options)} / 900000000)"


@compiles(Quarter, "postgresql")
def _from_epoch(quarter: Quarter, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(floor(extract(epoch FROM {compiler.process(quarter.clauses, **options)}) / 900) AS BIGINT)"


class First(FunctionElement[str]):
    """The first member of a list of texts that is kept as JSON."""

    type = Text()
    inherit_cache = True


@compiles(First)
def _json_extract(first: First, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_extract({compiler.process(first.clauses, **options)}, '$[0]')"


@compiles(First, "postgresql")
def _json_arrow(first: First, compiler: SQLCompiler, **options: Any) -> str:
    return f"(CAST({compiler.process(first.clauses, **options)} AS JSON) ->> 0)"


class Members(FunctionElement[Any]):
    """The members of a JSON object, given as text, as rows of ``key`` and ``value``."""

    inherit_cache = True


@compiles(Members)
def _json_each(members: Members, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(members.clauses, **options)})"


@compiles(Members, "postgresql")
def _jsonb_each(members: Members, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_each_text(CAST({compiler.process(members.clauses, **options)} AS JSONB))"


def members(given: BindParameter[str]) -> TableValuedAlias:
    """:class:`Members` as a table."""
    return Members(given).table_valued(column("key", Text), column("value", Text), name="given")
