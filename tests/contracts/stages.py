"""Stages to try use cases on: a store in memory, of which every row is looked at, and one on SQLite."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters import memory, sql
from adapters.memory import MemoryMailer, MemoryStorage, ScryptPasswords, TextDocuments
from storecore.store import Store
from storecore.testing.faults import MovingClock, Stage
from storecore.testing.faults.looking import Rows


@contextmanager
def in_memory(storage: MemoryStorage | None = None) -> Iterator[Stage]:
    """Every table is compared, whether a port shows it or not."""
    clock, storage = MovingClock(), storage or MemoryStorage()
    with memory.open_store(clock=clock, passwords=ScryptPasswords(n=4)) as opened:
        store = Store(**{**opened.ports, "storage": storage})
        yield Stage(store=store, clock=clock, keep=partial(_keep_tables, storage), rows=partial(_rows, storage))


@contextmanager
def on_sqlite() -> Iterator[Stage]:
    """What is compared is what the ports show."""
    clock = MovingClock()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shop.db"
        passwords, papers = ScryptPasswords(n=4), TextDocuments()
        with sql.open_store(path, clock=clock, passwords=passwords, mailer=MemoryMailer(), documents=papers) as store:
            yield Stage(store=store, clock=clock, keep=partial(_keep_file, path))


def _keep_tables(storage: MemoryStorage) -> Callable[[], None]:
    return partial(setattr, storage, "tables", storage.tables)


def _rows(storage: MemoryStorage) -> Rows:
    return {table.name: dict(getattr(storage.tables, table.name).items()) for table in fields(storage.tables)}


def _keep_file(path: Path) -> Callable[[], None]:
    kept = path.with_suffix(".kept")
    _copy(path, kept)
    return partial(_copy, kept, path)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(target)) as here:
        here.execute("PRAGMA synchronous = OFF")
        there.backup(here)
