"""Tables whose rows nobody changes or removes, not even by hand: triggers of the database refuse it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Table, event

APPEND_ONLY = "append_only"
"""Marks such a table, in its ``info``."""

_SQLITE = (
    """CREATE TRIGGER {table}_keeps_rows BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
    """CREATE TRIGGER {table}_loses_no_row BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
    # INSERT OR REPLACE removes the row in its way, and fires no trigger for that.
    """CREATE TRIGGER {table}_replaces_no_row BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END""",
)
_POSTGRESQL = (
    """CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{table} is append-only'; END $$""",
    """CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()""",
)


_TRIGGERS: Mapping[str, Sequence[str]] = MappingProxyType({"sqlite": _SQLITE, "postgresql": _POSTGRESQL})


def append_only(table: Table) -> Table:
    """The table, which gets its triggers when it is made; its key is ``id``, and it has no other row number."""
    table.info[APPEND_ONLY] = True
    event.listen(table, "after_create", _add_triggers)
    return table


def _add_triggers(table: Table, connection: Connection, **_: Any) -> None:
    for statement in _TRIGGERS[connection.dialect.name]:
        connection.exec_driver_sql(statement.format(table=table.name))
