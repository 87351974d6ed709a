"""A shop's state in an SQL database."""

import random
import time
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL

from adapters.spelling import near
from adapters.sql.databases import open_database
from adapters.sql.transaction import Transaction
from adapters.sql.unit import SqlUnit
from adapters.sql.vocabulary import Vocabulary
from storecore.catalog.english import ENGLISH
from storecore.catalog.words import Language
from storecore.ports import Cipher, NewId

_LONGEST_PAUSE = 0.2


class StatementCount:
    """How many statements were sent; one that is run for many rows counts once."""

    def __init__(self) -> None:
        self.count = 0

    def note(self, *_: Any) -> None:
        """One more."""
        self.count += 1


class SqlStorage:
    """The ``Storage`` port on a database that :func:`~adapters.sql.migrate` has brought up to date: a path or a URL.

    ``pool_size`` is how many readers can be at work at once; whoever waits longer than ``patience`` seconds for a
    connection or for their turn to write gets ``Busy``. What products are found by is made with ``language``.
    """

    def __init__(
        self,
        where: str | Path | URL,
        *,
        cipher: Cipher,
        pool_size: int = 8,
        patience: float = 5.0,
        language: Language = ENGLISH,
    ) -> None:
        self._database = open_database(where, pool_size=pool_size, patience=patience)
        self._cipher = cipher
        self._vocabulary = Vocabulary(language, near)

    @property
    def language(self) -> Language:
        """What the shop's texts are written in."""
        return self._vocabulary.language

    @property
    def one_writer(self) -> bool:
        """As the database says."""
        return self._database.one_writer

    @contextmanager
    def reading(self, now: datetime, new_id: NewId) -> Iterator[SqlUnit]:
        """A snapshot."""
        with self._database.reading() as connection:
            yield SqlUnit(
                Transaction(connection, cipher=self._cipher, now=now, writable=False), new_id, self._vocabulary
            )

    @contextmanager
    def writing(self, now: datetime, new_id: NewId) -> Iterator[SqlUnit]:
        """A transaction that may write. Raises ``Busy``."""
        with self._database.writing() as connection:
            yield SqlUnit(
                Transaction(connection, cipher=self._cipher, now=now, writable=True), new_id, self._vocabulary
            )

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Connection, Cipher]]:
        """A transaction that only reads, and what its ciphertexts are read with: for checks of the rows themselves."""
        with self._database.reading() as connection:
            yield connection, self._cipher

    @contextmanager
    def changing(self, now: datetime) -> Iterator[Transaction]:
        """A transaction that may write, for changes of the rows themselves. Raises ``Busy``."""
        with self._database.writing() as connection:
            yield Transaction(connection, cipher=self._cipher, now=now, writable=True)

    def version(self) -> Hashable:
        """What the database says of its last commit."""
        return self._database.version()

    def scrub(self) -> None:
        """As far as the database keeps files of its own that it can be told to clean."""
        self._database.scrub()

    def pause(self, attempt: int) -> None:
        """Wait a short random while."""
        time.sleep(random.uniform(0, min(0.005 * 2**attempt, _LONGEST_PAUSE)))  # noqa: S311 - no secret depends on it

    def close(self) -> None:
        """Give back files and connections."""
        self._database.close()

    @contextmanager
    def count_statements(self) -> Iterator[StatementCount]:
        """Count the statements of units opened meanwhile, and of open ones."""
        counted = StatementCount()
        with ExitStack() as listening:
            for engine in self._database.engines:
                event.listen(engine, "before_cursor_execute", counted.note)
                listening.callback(event.remove, engine, "before_cursor_execute", counted.note)
            yield counted
