"""Accounts can be decrypted, and are found by the names that they have."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from adapters.sql import tables
from adapters.sql.verify.ciphertexts import opened, unreadable
from adapters.sql.verify.snapshot import Finding, Snapshot
from storecore.accounts.finding import names

_users = tables.users.c
_rows = select(_users.id, _users.full_name, _users.name_folded, _users.name_turned, _users.private)


def users(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
    """Every account."""
    for row in snapshot.rows(_rows):
        found = []
        if row.private is not None and opened(snapshot, _users.private, row.id, row.private) is None:
            found.append(unreadable(_users.private, row.id))
        if (row.name_folded, row.name_turned) != names(row.full_name):
            found.append(Finding("kept", "users", row.id, "name_folded, name_turned: not what the name says"))
        yield found
