"""Tables whose rows nobody changes or removes, not even by hand: triggers of the database refuse it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Table, event

APPEND_ONLY = "append_only"
"""Marks such a table, in its ``info``."""

_SQLITE: Mapping[str, str] = MappingProxyType(
    {
        "keeps_rows": "BEFORE UPDATE ON {table}",
        "loses_no_row": "BEFORE DELETE ON {table}",
        # INSERT OR REPLACE removes the row in its way, and fires no trigger for that.
        "replaces_no_row": "BEFORE INSERT ON {table}\nWHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)",
    }
)
_POSTGRESQL: Mapping[str, str] = MappingProxyType(
    {"is_append_only": "BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}\nFOR EACH STATEMENT"}
)
_FUNCTION = """CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"""


def append_only(table: Table) -> Table:
    """The table, which gets its triggers when it is made; its key is ``id``, and it has no other row number."""
    table.info[APPEND_ONLY] = True
    event.listen(table, "after_create", _add_triggers)
    return table


def guards(table: Table, kind: str) -> set[str]:
    """The names of such a table's triggers on ``sqlite`` or ``postgresql``."""
    return {f"{table.name}_{name}" for name in (_SQLITE if kind == "sqlite" else _POSTGRESQL)}


def _add_triggers(table: Table, connection: Connection, **_: Any) -> None:
    def run(statement: str) -> None:
        connection.exec_driver_sql(statement.format(table=table.name))

    if connection.dialect.name == "sqlite":
        for name, when in _SQLITE.items():
            run(f"CREATE TRIGGER {{table}}_{name} {when}\nBEGIN SELECT RAISE(ABORT, '{{table}} is append-only'); END")
        return
    run(_FUNCTION)
    for name, when in _POSTGRESQL.items():
        run(f"CREATE TRIGGER {{table}}_{name} {when} EXECUTE FUNCTION {{table}}_is_append_only()")
