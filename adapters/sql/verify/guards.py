"""The triggers that keep a table append-only are there, and switched on."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Table, text

from adapters.sql.append_only import guards
from adapters.sql.verify.snapshot import Finding, Snapshot, Walk

_ON = {
    "sqlite": text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"),
    "postgresql": text(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = CAST(:table AS regclass) AND tgenabled IN ('O', 'A')"
    ),
}


def guarded(table: Table) -> Walk:
    """Looks at the triggers of a table, not at its rows."""

    def walk(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
        on = {name for (name,) in snapshot.rows(_ON[snapshot.kind].bindparams(table=table.name))}
        missing = sorted(guards(table, snapshot.kind) - on)
        yield [
            Finding("append-only", table.name, name, "this trigger is gone or off: rows can be changed")
            for name in missing
        ]

    return walk
