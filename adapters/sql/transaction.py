"""One open transaction, as the repositories see it: reading, writing, and what is sealed."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import DataError, SQLAlchemyError

from adapters.sql.dialect import Refusals, is_unwritable, queue_for, refusal
from storecore.errors import Contention, Unreadable
from storecore.ports import Cipher

T = TypeVar("T")

log = logging.getLogger(__name__)

Values = Mapping[str, Any]
Row = Sequence[Any]
"""The values of a row, in the order of the statement's columns."""
_NONE: Refusals = {}


class Transaction:
    """Runs statements and says their errors in the shop's words.

    Writing in one that was opened for reading raises ``RuntimeError``. Text that no database can hold (half of a
    surrogate pair) is in no row.
    """

    def __init__(self, connection: Connection, *, cipher: Cipher, now: datetime, writable: bool) -> None:
        self._connection = connection
        self._cipher = cipher
        self._writable = writable
        self._spoilt = False
        self.now = now

    def rows(self, statement: Executable, values: Values | None = None) -> Sequence[Row]:
        """Every row of a query."""
        try:
            return cast(Sequence[Row], self._connection.execute(statement, values).all())
        except UnicodeEncodeError:
            return ()
        except SQLAlchemyError as error:
            if is_unwritable(error):
                return ()
            raise refusal(error, _NONE) from error

    def row(self, statement: Executable, values: Values | None = None) -> Row | None:
        """The first row of a query."""
        rows = self.rows(statement, values)
        return rows[0] if rows else None

    def number(self, statement: Executable, values: Values | None = None) -> int:
        """The only number of a query, such as a count."""
        row = self.row(statement, values)
        return int(row[0]) if row else 0

    def write(self, statement: Executable, values: Values | Sequence[Values], *, refuses: Refusals = _NONE) -> int:
        """Change rows, once for each of several values; how many. ``refuses`` says what a broken constraint means."""
        if isinstance(values, list) and len(values) < 2:
            if not values:
                self.check_writable()
                return 0
            values = values[0]  # one row is quicker written as one than as the first of many
        try:
            return self._write(statement, values, refuses).rowcount
        except (UnicodeEncodeError, DataError) as error:
            if statement.is_delete and (isinstance(error, UnicodeEncodeError) or is_unwritable(error)):
                return 0
            raise

    def returned(self, statement: Executable, values: Values) -> Sequence[Row]:
        """Change rows and get them back, by a statement that has ``RETURNING``."""
        result = self._write(statement, values, _NONE)
        with self._said_in_our_words(_NONE):
            return cast(Sequence[Row], result.all())

    def save(self, statement: Executable, values: Values, *, refuses: Refusals = _NONE) -> None:
        """Change exactly one row, whose version was expected. Raises ``Contention`` when it was another."""
        if self.write(statement, values, refuses=refuses) != 1:
            raise Contention()

    def check_writable(self) -> None:
        """Raises ``RuntimeError`` in a transaction that was opened for reading."""
        if not self._writable:
            raise RuntimeError("this unit was opened for reading; a use case that writes is marked @writing")

    def check_reading(self) -> None:
        """Raises ``RuntimeError`` in a transaction that may write."""
        if self._writable:
            raise RuntimeError("this unit was opened for writing, and others would see what it may yet take back")

    def queue_for(self, what: str) -> None:
        """Wait until no other transaction has queued for the same; nobody else gets it before this one ends."""
        self.check_writable()
        with self._said_in_our_words(_NONE):
            queue_for(self._connection, what)

    def spoil(self) -> None:
        """Some of a change was written that must be whole: nothing of this transaction may last."""
        self._spoilt = True

    def commit(self) -> None:
        """Make every write lasting. Raises ``RuntimeError`` in a transaction that was spoilt, or opened for reading."""
        self.check_writable()
        if self._spoilt:
            raise RuntimeError("this unit was refused half-way; it can only be left")
        with self._said_in_our_words(_NONE):
            self._connection.commit()

    def seal(self, purpose: str, row: str, value: Any) -> bytes:
        """Plain JSON, encrypted for a row: its key, or what :func:`row_of` makes of several."""
        return self._cipher.encrypt(purpose, row, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    def unseal(self, purpose: str, row: str, secret: bytes) -> Any:
        """What was sealed. Raises ``Unreadable`` when no key opens it in this row."""
        return json.loads(self.decrypt(purpose, row, secret))

    def encrypt(self, purpose: str, row: str, plain: bytes) -> bytes:
        """Bytes, encrypted for a row."""
        return self._cipher.encrypt(purpose, row, plain)

    def decrypt(self, purpose: str, row: str, secret: bytes) -> bytes:
        """Bytes, decrypted. Raises ``Unreadable`` when no key opens them in this row."""
        try:
            return self._cipher.decrypt(purpose, row, secret)
        except ValueError as error:
            log.error("%s", error)  # noqa: TRY400 - the line says all there is to say
            raise Unreadable() from None

    def blind_index(self, purpose: str, plain: str) -> bytes:
        """Equal for equal texts and says nothing else about them."""
        return self._cipher.blind_index(purpose, plain)

    def blind_indexes(self, purpose: str, plain: str) -> Sequence[bytes]:
        """The same by every key, newest first, for looking up what was kept."""
        return self._cipher.blind_indexes(purpose, plain)

    def _write(self, statement: Executable, values: Values | Sequence[Values], refuses: Refusals) -> CursorResult[Any]:
        self.check_writable()
        with self._said_in_our_words(refuses):
            return self._connection.execute(statement, values)

    @contextmanager
    def _said_in_our_words(self, refuses: Refusals) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise refusal(error, refuses) from error


def row_of(*key: str | int) -> str:
    """What a row is to the cipher, from its primary key; no text of a key has a NUL."""
    return "\0".join(map(str, key))


def readable(whole: Callable[[Row], T], rows: Iterable[Row]) -> list[T]:
    """What is made of rows, without those that no key opens, so that they keep nobody else waiting."""
    made = []
    for row in rows:
        with suppress(Unreadable):
            made.append(whole(row))
    return made


def dumps(value: Any) -> str:
    """Plain JSON as it is kept in a column."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


loads = json.loads
