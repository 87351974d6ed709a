"""Placing on PostgreSQL: beside a loop of plain psycopg, and one hot product beside many.

The loop is the one of :mod:`tests.bench.raw`: it writes copies of the rows of one order under new ids, a transaction
each, on one connection, as durably as the store.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.local_hub import LocalHub
from adapters.local_rate_limits import Unlimited
from adapters.memory import MemoryFiles, MemoryMailer, MemorySigner, TextDocuments
from adapters.passwords import Argon2Passwords
from adapters.sql import SqlStorage, migrate
from adapters.sql.columns import metadata
from adapters.system import random_bytes, utc_now, uuid7
from storecore.accounts.model import SYSTEM, Address, User
from storecore.money import Money
from storecore.shop import Shop
from storecore.store import Store
from tests.bench import raw
from tests.postgresql import conninfo

ADDRESS = Address(recipient="Ada Lovelace", line1="1 Main St", city="Springfield", postal_code="12345", country="US")
THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Orders per second of the store and of what it is compared with."""

    ours: float
    reference: float

    @property
    def ratio(self) -> float:
        """1 is as fast as the reference."""
        return self.ours / self.reference


def beside_raw(url: URL, *, count: int, lines: int = 3) -> Beside:
    """``store.orders.place`` beside a loop of plain psycopg, one order after another on an empty database."""
    with _stocked(url, products=lines) as (store, user, products):

        def place() -> object:
            return store.orders.place(by=user, items=[(each, 1) for each in products], deliver_to=ADDRESS)

        for _ in range(50):
            place()
        reference = _raw_rate(url, place, count=count)
        ours = _rate(place, count)
        again = _raw_rate(url, place, count=count)
    return Beside(ours=ours, reference=(reference + again) / 2)


def hot_beside_spread(url: URL, *, count: int) -> Beside:
    """``THREADS`` buyers of one product, and (the reference) each of another, on an empty database."""
    with _stocked(url, products=THREADS) as (store, user, products):

        def buy(product: str, number: int) -> None:
            for _ in range(number):
                store.orders.place(by=user, items=[(product, 1)], deliver_to=ADDRESS)

        def together(wanted: Sequence[str]) -> float:
            with ThreadPoolExecutor(THREADS) as buyers:
                started = time.perf_counter()
                for done in [buyers.submit(buy, product, count // THREADS) for product in wanted]:
                    done.result()
                return count // THREADS * THREADS / (time.perf_counter() - started)

        for product in products:
            buy(product, 10)
        spread, hot = together(products), together(products[:1] * THREADS)
        again = together(products)
    return Beside(ours=hot, reference=(spread + again) / 2)


@contextmanager
def _stocked(url: URL, *, products: int) -> Iterator[tuple[Store, User, list[str]]]:
    """A store with a customer and so many products that never run out."""
    migrate(url)
    store = Store(
        storage=SqlStorage(url, cipher=FernetCipher(["k" * 32]), pool_size=16),
        clock=utc_now,
        new_id=uuid7,
        random=random_bytes,
        passwords=Argon2Passwords(time_cost=1, memory_cost=8),
        signer=MemorySigner(b"s" * 32),
        mailer=MemoryMailer(),
        documents=TextDocuments(),
        files=MemoryFiles(),
        hub=LocalHub(),
        rate_limits=Unlimited(),
        shop=Shop(),
    )
    with store:
        user = store.accounts.register(email=f"{uuid.uuid4()}@example.com", password="12345678", full_name="Ada L")
        shelf = store.catalog.create_category(by=SYSTEM, name=f"Things {uuid.uuid4()}")
        made = [
            store.catalog.create_product(
                by=SYSTEM,
                sku=str(uuid.uuid4()),
                name="Thing",
                price=Money(1999, "USD"),
                stock=10**6,
                category_ids=[shelf.id],
            )
            for _ in range(products)
        ]
        yield store, user, [each.product.id for each in made]


def _rate(place: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        place()
    return count / (time.perf_counter() - started)


def _raw_rate(url: URL, place: Callable[[], object], *, count: int) -> float:
    """Orders per second of the bare loop."""
    with psycopg.connect(conninfo(url), autocommit=True) as db:
        before = _rows(db)
        place()
        after = _rows(db)
        added = {name: after[name] - rows for name, rows in before.items() if len(after[name]) > len(rows)}
        fresh = raw.fresh_texts(added, before)
        taken = [(row[0],) for row in after["shelf"] - before["shelf"]]
        order = [table.name for table in metadata.sorted_tables if table.name in added]
        inserts = {name: _insert(name) for name in order}
        db.autocommit = False
        cursor = db.cursor()

        def write() -> None:
            made = {old: str(uuid.uuid4()) for old in fresh}
            for name in order:
                cursor.executemany(inserts[name], [raw.copied(row, made) for row in added[name]])
            cursor.executemany(
                "UPDATE shelf SET on_hand = on_hand - 1, units_sold = units_sold + 1 "
                "WHERE product_id = %s AND on_hand >= 1",
                taken,
            )
            db.commit()

        for _ in range(10):
            write()
        return _rate(write, count)


def _columns(name: str) -> list[str]:
    return [column.name for column in metadata.tables[name].columns if column.computed is None]


def _insert(name: str) -> sql.Composed:
    columns = _columns(name)
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(name),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(sql.Placeholder() * len(columns)),
    )


def _rows(db: psycopg.Connection[Any]) -> dict[str, set[raw.Row]]:
    select = sql.SQL("SELECT {} FROM {}")
    return {
        name: set(
            db.execute(select.format(sql.SQL(", ").join(map(sql.Identifier, _columns(name))), sql.Identifier(name)))
        )
        for name in metadata.tables
    }


def report(url: URL, *, count: int) -> None:
    """Print both; on an empty database."""
    placed = beside_raw(url, count=count)
    print(
        f"place, 3 lines, PostgreSQL: {placed.ours:.0f}/s; raw psycopg loop: {placed.reference:.0f}/s; "
        f"ratio {placed.ratio:.0%} (aim: 50 %)"
    )
    hot = hot_beside_spread(url, count=count)
    print(
        f"{THREADS} threads, one hot product: {hot.ours:.0f}/s; spread products: {hot.reference:.0f}/s; "
        f"ratio {hot.ratio:.0%} (aim: 60 %)"
    )
