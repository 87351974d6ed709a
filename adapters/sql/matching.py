"""Full-text search, which SQLite (FTS5) and PostgreSQL (tsvector) do differently, in words for both.

The index is the database's own: a virtual table that triggers keep up on SQLite, a generated column on PostgreSQL. What
matches is decided by the terms of ``search_documents`` alone; neither parses a text.
"""

from typing import Any

from sqlalchemy import (
    DDL,
    BindParameter,
    Dialect,
    Float,
    TableValuedAlias,
    Text,
    TypeDecorator,
    bindparam,
    column,
    event,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from adapters.sql import tables
from adapters.sql.columns import Whole
from storecore.catalog.documents import Match, Wanted

_SQLITE = (
    "CREATE VIRTUAL TABLE search_index USING fts5(name, labels, details, content='search_documents', "
    "content_rowid='id', prefix='1 2 3', tokenize=\"ascii tokenchars '#-'\")",
    "CREATE TRIGGER search_documents_come AFTER INSERT ON search_documents BEGIN "
    "INSERT INTO search_index(rowid, name, labels, details) VALUES (new.id, new.name, new.labels, new.details); END",
    "CREATE TRIGGER search_documents_go AFTER DELETE ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, name, labels, details) "
    "VALUES ('delete', old.id, old.name, old.labels, old.details); END",
    "CREATE TRIGGER search_documents_change AFTER UPDATE OF name, labels, details ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, name, labels, details) "
    "VALUES ('delete', old.id, old.name, old.labels, old.details); "
    "INSERT INTO search_index(rowid, name, labels, details) VALUES (new.id, new.name, new.labels, new.details); END",
)
_POSTGRESQL = (
    "ALTER TABLE search_documents ADD COLUMN terms tsvector NOT NULL GENERATED ALWAYS AS (("
    "regexp_replace(name, '[^ ]+', '''\\&'':1A', 'g') || ' ' || "
    "regexp_replace(labels, '[^ ]+', '''\\&'':2B', 'g') || ' ' || "
    "regexp_replace(details, '[^ ]+', '''\\&'':3D', 'g'))::tsvector) STORED",
    "CREATE INDEX ix_search_documents_terms ON search_documents USING gin (terms) WITH (fastupdate = off)",
)
for _dialect, _statements in (("sqlite", _SQLITE), ("postgresql", _POSTGRESQL)):
    for _statement in _statements:
        _ddl = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy left its types out
        event.listen(tables.search_documents, "after_create", _ddl.execute_if(dialect=_dialect))


_NOTHING = '""'
"""To FTS5, words that no document has; it refuses a query of nothing."""


class Asked(TypeDecorator[Match]):
    """A match as a query of the database's own language, in which nothing that was typed can mean anything."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Match | None, dialect: Dialect) -> str:
        """From a match to the query's text; empty, it finds nothing."""
        if not value or not all(each.terms or each.prefixes for each in value):
            return _NOTHING if dialect.name == "sqlite" else ""
        return _fts5(value) if dialect.name == "sqlite" else _tsquery(value)


def _fts5(match: Match) -> str:
    return " AND ".join(_either(wanted, '"{}"', '"{}" *', " OR ") for wanted in match)


def _tsquery(match: Match) -> str:
    return " & ".join(_either(wanted, "'{}'", "'{}':*", " | ") for wanted in match)


def _either(wanted: Wanted, term: str, prefix: str, or_: str) -> str:
    ways = [*map(term.format, wanted.terms), *map(prefix.format, wanted.prefixes)]
    return f"({or_.join(ways)})"


class Hits(FunctionElement[Any]):
    """The documents that match, as rows of ``id`` and ``score``: by weight of the field, rarity and length."""

    inherit_cache = True


@compiles(Hits)
def _by_fts5(hits: Hits, compiler: SQLCompiler, **options: Any) -> str:
    asked = compiler.process(hits.clauses, **options)
    return (
        "(SELECT rowid AS id, -bm25(search_index, 6.0, 4.0, 1.0) AS score "  # noqa: S608 - no value is written into it
        f"FROM search_index WHERE search_index MATCH {asked})"
    )


@compiles(Hits, "postgresql")
def _by_tsvector(hits: Hits, compiler: SQLCompiler, **options: Any) -> str:
    asked = compiler.process(hits.clauses, **options)
    any_of = f"replace({asked}, '&', '|')"
    whole = f"replace({any_of}, ':*', '')"  # what only begins with a word counts, what is the word counts twice
    ranks = (f"ts_rank('{{0.1, 0.2, 0.5, 1}}', terms, CAST({each} AS tsquery))" for each in (any_of, whole))
    return (
        f"(SELECT id, {' + '.join(ranks)} AS score "  # noqa: S608 - no value is written into it
        f"FROM search_documents WHERE terms @@ CAST({asked} AS tsquery))"
    )


MATCH: BindParameter[Match] = bindparam("match", type_=Asked)


def hits() -> TableValuedAlias:
    """:class:`Hits` of the parameter ``match``, as a table."""
    return Hits(MATCH).table_valued(column("id", Whole), column("score", Float), name="hits")


class Mark(FunctionElement[int]):
    """Tells what was written before from what was written after, in a column of them.

    On SQLite one more than the greatest there is, since writers take turns; on PostgreSQL the transaction's number.
    """

    type = Whole
    inherit_cache = True


@compiles(Mark)
def _next_mark(mark: Mark, _compiler: SQLCompiler, **_options: Any) -> str:
    (marks,) = mark.clauses
    return f"(SELECT coalesce(max({marks.name}), 0) + 1 FROM {marks.table.name})"  # noqa: S608 - names of our own


@compiles(Mark, "postgresql")
def _transaction(_mark: Mark, _compiler: SQLCompiler, **_options: Any) -> str:
    return "CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)"


class Horizon(FunctionElement[int]):
    """A mark above all those that a reader who asks from another on can see.

    A dump of another PostgreSQL server has marks from its future, which only who asks from 0 on is shown.
    """

    type = Whole
    inherit_cache = True


@compiles(Horizon)
def _never(_horizon: Horizon, _compiler: SQLCompiler, **_options: Any) -> str:
    return "9223372036854775807"


@compiles(Horizon, "postgresql")
def _xmax(horizon: Horizon, compiler: SQLCompiler, **options: Any) -> str:
    since = compiler.process(horizon.clauses, **options)
    xmax = "CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)"
    return f"CASE WHEN CAST({since} AS BIGINT) = 0 THEN 9223372036854775807 ELSE {xmax} END"


class SnapshotText(FunctionElement[str]):
    """PostgreSQL's name of what a transaction sees; nothing on SQLite."""

    type = Text()
    inherit_cache = True


@compiles(SnapshotText)
def _nothing(_snapshot: SnapshotText, _compiler: SQLCompiler, **_options: Any) -> str:
    return "NULL"


@compiles(SnapshotText, "postgresql")
def _current(_snapshot: SnapshotText, _compiler: SQLCompiler, **_options: Any) -> str:
    return "CAST(pg_current_snapshot() AS TEXT)"
