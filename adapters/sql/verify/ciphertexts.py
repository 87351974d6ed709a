"""What is encrypted can be decrypted where it is, by the keys of the running shop."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, select

from adapters.sql.transaction import row_of
from adapters.sql.verify.snapshot import Finding, Snapshot, Walk


def ciphertexts(column: Column[Any]) -> Walk:
    """Goes through a column; what is in it was encrypted for the purpose ``table.column``."""
    table = column.table

    def walk(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
        keys = list(table.primary_key)
        for *key, secret in snapshot.rows(select(*keys, column).where(column.is_not(None))):
            plain = opened(snapshot, column, row_of(*key), secret)
            yield [] if plain is not None else [unreadable(column, "/".join(map(str, key)))]

    return walk


def opened(snapshot: Snapshot, column: Column[Any], row: str, secret: bytes) -> bytes | None:
    """What was encrypted; None if no key of the shop opens it in this row."""
    try:
        return snapshot.cipher.decrypt(str(column), row, secret)
    except ValueError:
        return None


def unreadable(column: Column[Any], row: str) -> Finding:
    """That no key opens it."""
    return Finding(
        "secret", column.table.name, row, f"{column.name} can't be decrypted in this row by any of the shop's keys"
    )
