"""An fsck for the shop: proves on a live database that nothing was oversold, lost, done twice or altered.

It looks at one snapshot while the shop goes on selling, changes nothing, and needs no more memory for a million orders
than for a thousand. What a database's constraints guarantee is proven as well: they may have been switched off.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Table, func, select

from adapters.sql import tables
from adapters.sql.columns import metadata
from adapters.sql.insight_tables import rolled_up
from adapters.sql.migrations import HEAD
from adapters.sql.personal import Kept, columns
from adapters.sql.storage import SqlStorage
from adapters.sql.verify.attachments import attachments
from adapters.sql.verify.ciphertexts import ciphertexts
from adapters.sql.verify.constraints import constraints
from adapters.sql.verify.documents import documents
from adapters.sql.verify.guards import guarded
from adapters.sql.verify.orders import orders
from adapters.sql.verify.outbox import outbox
from adapters.sql.verify.products import products
from adapters.sql.verify.purchases import copurchases, demand
from adapters.sql.verify.refunds import given_back, refunds
from adapters.sql.verify.repaid import REPAID
from adapters.sql.verify.snapshot import Finding, Snapshot, Walk, snapshot_of
from adapters.sql.verify.sums import SUMS
from adapters.sql.verify.takings import TAKINGS, rolled
from adapters.sql.verify.users import users
from storecore.errors import Unavailable
from storecore.ports import Files

__all__ = ["Finding", "Progress", "verify"]

Progress = Callable[[str, int, int | None], None]
"""Told which table is checked, how many of its rows are done, and of how many (None: that is not known)."""

MOST = 1000
"""Findings that one rule reports of one table; a lost key would otherwise report every row."""
_STEP = 500

_WALKS: Mapping[Table, Walk] = {column.table: ciphertexts(column) for column in columns(Kept.SEALED)} | {
    tables.audit: guarded(tables.audit),
    tables.copurchases: copurchases,
    tables.demand: demand,
    tables.order_lines: given_back,
    tables.orders: orders,
    tables.outbox: outbox,
    tables.products: products,
    tables.refunds: refunds,
    rolled_up: rolled,
    tables.users: users,
}
"""What only a look at each row can tell."""


def _in_silence(_what: str, _done: int, _total: int | None) -> None: ...


def verify(
    storage: SqlStorage, at: datetime, progress: Progress = _in_silence, files: Files | None = None
) -> Sequence[Finding]:
    """Everything that is wrong in a database, nothing if all is well; ``at`` is the present.

    Given the shop's ``files``, those that came with messages have to be there.

    Raises ``Unavailable`` for a database that can't be read, or that is not at this version.
    """
    with snapshot_of(storage, at) as snapshot:
        _check_revision(snapshot)
        progress("file", 0, None)
        if damaged := _first(snapshot.damage()):
            return damaged  # what is read from such a file proves nothing
        progress("file", 1, 1)
        walks = {**_WALKS, tables.attachments: attachments(files), tables.search_documents: documents(storage.language)}
        return _first(
            finding
            for table in metadata.sorted_tables
            for finding in _wrong_in(snapshot, table, walks.get(table), progress)
        )


def _wrong_in(snapshot: Snapshot, table: Table, walk: Walk | None, progress: Progress) -> Iterator[Finding]:
    total = snapshot.number(select(func.count()).select_from(table))
    progress(table.name, 0, total)
    for rule in (*constraints(table), *SUMS, *REPAID, *TAKINGS):
        if rule.table is table:
            yield from snapshot.breaking(rule)
    if walk is not None:
        for done, found in enumerate(walk(snapshot), start=1):
            yield from found
            if done % _STEP == 0:
                progress(table.name, done, total)
    progress(table.name, total, total)


def _first(findings: Iterator[Finding]) -> list[Finding]:
    """Up to :data:`MOST` findings of each kind, and how many more there are."""
    counted: Counter[tuple[str, str]] = Counter()
    shown = []
    for finding in findings:
        counted[finding.rule, finding.table] += 1
        if counted[finding.rule, finding.table] <= MOST:
            shown.append(finding)
    more = {kind: count - MOST for kind, count in counted.items() if count > MOST}
    return shown + [Finding(rule, table, "…", f"and {count} more") for (rule, table), count in more.items()]


def _check_revision(snapshot: Snapshot) -> None:
    found = snapshot.revision()
    if found != HEAD:
        raise Unavailable(
            f"The database is at revision {found or 'none'}, and this version of the program checks {HEAD}; migrate it."
        )
