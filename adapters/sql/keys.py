"""Which keys a database's secrets are encrypted with: a missing one is noticed when the shop opens, not later.

The table ``encryption_keys`` has the name of each key that something may be encrypted with. A key is noted before
anything is encrypted with it, and forgotten once nothing is any more (:mod:`adapters.sql.rotating`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.exc import SQLAlchemyError

from adapters.sql.dialect import add_missing, refusal
from adapters.sql.personal import Kept, columns
from adapters.sql.storage import SqlStorage
from adapters.sql.tables import encryption_keys
from adapters.sql.transaction import row_of
from storecore.ports import Cipher

_name = encryption_keys.c.name
_names = select(_name).order_by(encryption_keys.c.since, _name)
_add = add_missing(encryption_keys)
_forget = delete(encryption_keys).where(_name.not_in(bindparam("kept", expanding=True)))


class KeyMissing(RuntimeError):  # noqa: N818 - it reads as a statement
    """What is encrypted in the database needs a key that the shop was not given."""


def check_keys(storage: SqlStorage, now: datetime) -> None:
    """Note that the newest key comes into use. To be called before a shop is opened; quick.

    Raises :class:`KeyMissing` when what is in the database can't be read with the shop's keys.
    """
    with storage.snapshot() as (connection, cipher):
        noted, ring = _noted(connection), cipher.names
        if ring[0] in noted and set(noted) <= set(ring):
            return
        samples = list(_samples(connection))
        missing = [name for name in noted if name not in ring]
        if samples and missing:
            raise KeyMissing(f"what is encrypted in it needs the key {', '.join(missing)} {_given(cipher)}")
        if not noted and not all(_opens(cipher, *sample) for sample in samples):
            raise KeyMissing(f"something that is encrypted in it can't be opened {_given(cipher)}")
    coming = ring[:1] if noted else ring
    with storage.changing(now) as transaction:
        if missing:
            transaction.write(_forget, {"kept": ring})
        transaction.write(_add, [{"name": name, "since": now} for name in coming])
        transaction.commit()


def keys_in_use(storage: SqlStorage) -> Sequence[str]:
    """The names of the keys that something may be encrypted with, in the order in which they came into use."""
    with storage.snapshot() as (connection, _):
        return _noted(connection)


def forget_older(storage: SqlStorage, now: datetime) -> None:
    """Nothing is encrypted any more with any but the newest key."""
    with storage.snapshot() as (_, cipher):
        newest = cipher.names[0]
    with storage.changing(now) as transaction:
        transaction.write(_add, {"name": newest, "since": now})
        transaction.write(_forget, {"kept": [newest]})
        transaction.commit()


def _given(cipher: Cipher) -> str:
    return f"(given: {', '.join(cipher.names)})"


def _noted(connection: Connection) -> Sequence[str]:
    try:
        return list(connection.scalars(_names))
    except SQLAlchemyError as error:
        raise refusal(error, {}) from error


def _samples(connection: Connection) -> Iterator[tuple[str, str, bytes]]:
    """A ciphertext of each column that has some, with its purpose and row."""
    for column in columns(Kept.SEALED):
        sample = select(*column.table.primary_key, column).where(column.is_not(None)).limit(1)
        for *key, secret in connection.execute(sample):
            yield str(column), row_of(*key), secret


def _opens(cipher: Cipher, purpose: str, row: str, secret: bytes) -> bool:
    try:
        cipher.decrypt(purpose, row, secret)
    except ValueError:
        return False
    return True
