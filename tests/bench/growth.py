"""``nox -s growth``: how the hot paths of a shop slow down as it grows from a thousand orders to a hundred thousand.

``--full`` goes on to a million, which takes some ten minutes to invent; ``--folder`` keeps the databases for the next
run. On SQLite processor time is measured, which other programs disturb little; with ``--postgresql`` time, since the
server works elsewhere. Sums over a period are measured twice: over the same number of orders everywhere, which shows
how finding them grows, and over the same time, in which a larger shop has sold more.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import psycopg
from sqlalchemy import ColumnElement, Integer, Row, Select, extract, func, select, type_coerce
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.local_hub import LocalHub
from adapters.local_rate_limits import Unlimited
from adapters.memory import MemoryFiles, MemoryMailer, MemorySigner, TextDocuments
from adapters.passwords import Argon2Passwords
from adapters.sql import SqlStorage, migrate, tables
from adapters.sql.databases import Database, open_database
from adapters.sql.generating import generate
from adapters.sql.inventing import Invention
from adapters.system import random_bytes, utc_now, uuid7
from storecore.accounts.model import SYSTEM
from storecore.catalog.recommending import Context
from storecore.insight.days import By
from storecore.lists import PageRequest
from storecore.orders.model import Status
from storecore.ports import OrderQuery, ProductQuery
from storecore.shop import Shop
from storecore.store import Store
from tests.postgresql import Server, conninfo

SIZES = (1_000, 10_000, 100_000)
MILLION = 1_000_000
FEWEST = 1_000
"""Products of the smallest shop, so that its pages are full."""
CIPHER = FernetCipher(["k" * 32])
SAMPLE, ROUNDS = 50, 7
AIM = 1.5
DAY, MONTH = 100, 900
"""Orders of the day and of the 30 days that are summed up everywhere."""

Where = Path | URL
Look = Callable[[int], object]
Clock = Callable[[], float]
_orders, _shelf = tables.orders.c, tables.shelf.c


@dataclass(frozen=True, kw_only=True)
class Grown:
    """A shop to measure in."""

    store: Store
    database: Database
    orders: int

    def rows(self, statement: Select[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
        """The rows of a query that no use case asks."""
        with self.database.reading() as connection:
            return connection.execute(statement).all()


def looks(grown: Grown) -> Mapping[str, Look]:
    """What is measured; each number asks for something else."""
    store, random = grown.store, Random(1)
    on_sale = grown.rows(select(_shelf.product_id).order_by(_shelf.product_id))
    products = [str(row[0]) for row in random.sample(on_sale, SAMPLE)]
    for product in products:
        store.catalog.adjust_stock(by=SYSTEM, product_id=product, change=ROUNDS * SAMPLE, reason="bench")
    by_customers = grown.rows(select(_orders.id).where(_orders.customer_id.is_not(None)).order_by(_orders.id))
    with store.storage.reading(utc_now(), uuid7) as unit:
        orders = [unit.orders.get(row[0]) for row in random.sample(by_customers, SAMPLE)]
        customers = [unit.users.get(str(order.customer_id)) for order in orders]
    for customer in customers:
        for n in range(3):
            store.carts.add_item(by=customer, product_id=products[n], quantity=1)
    categories = store.catalog.categories(page=PageRequest(limit=SAMPLE)).items
    later = PageRequest(after=store.catalog.products(page=PageRequest(limit=100)).next)

    def listed(**query: Any) -> object:
        return store.catalog.products(query=ProductQuery(**query))

    def staff(**query: Any) -> object:
        return store.orders.everyones(by=SYSTEM, query=OrderQuery(**query))

    def until(at: datetime) -> object:
        return staff(placed_from=at - timedelta(days=90), placed_to=at)

    return {
        "products, newest": lambda i: listed(),
        "products, cheapest": lambda i: listed(sort="price"),
        "products, a category": lambda i: listed(category_id=categories[i % len(categories)].id),
        "products, a price range": lambda i: listed(min_price=50_00, max_price=80_00, sort="price"),
        "products, a later page": lambda i: store.catalog.products(page=later),
        "product detail": lambda i: store.catalog.product(product=products[i]),
        "recommended at home": lambda i: store.catalog.recommendations(by=customers[i]),
        "recommended beside it": lambda i: store.catalog.recommendations(
            by=customers[i], context=Context.PRODUCT, product_id=products[i]
        ),
        "recommended in the cart": lambda i: store.catalog.recommendations(by=customers[i], context=Context.CART),
        "customer's orders": lambda i: store.orders.mine(by=customers[i]),
        "order detail": lambda i: store.orders.get(by=SYSTEM, order_id=orders[i].id),
        "place an order": lambda i: store.orders.place(
            by=customers[i], items=[(products[i], 1)], deliver_to=orders[i].delivery_address
        ),
        "issue its invoice": lambda i: store.orders.issue_due(limit=1),
        "staff: newest orders": lambda i: staff(),
        "staff: delivered orders": lambda i: staff(status=Status.DELIVERED),
        "staff: pending orders": lambda i: staff(status=Status.PENDING),
        "staff: orders of 90 days": lambda i: until(orders[i].created_at),
        "staff: a number": lambda i: staff(number=orders[i].number),
        "staff: a customer": lambda i: staff(customer_id=customers[i].id),
        "staff: to deliver": lambda i: store.orders.deliveries(by=SYSTEM, done=False),
        "staff: invoices": lambda i: store.orders.invoices(by=SYSTEM),
        "dashboard": lambda i: store.insight.dashboard(by=SYSTEM),
        "staff: low stock": lambda i: store.catalog.low_stock(by=SYSTEM, at_most=50),
        f"sum of {DAY} orders": _summing(grown, _begin_of(grown, DAY)),
        f"{MONTH} orders by day": _summing(grown, _begin_of(grown, MONTH), by_day=True),
    }


def sums(grown: Grown) -> Mapping[str, Look]:
    """The same sums over the same time."""
    last, insight = _begin_of(grown, 1), grown.store.insight
    year: dict[str, Any] = {"by": SYSTEM, "first": last.date() - timedelta(days=364), "last": last.date()}
    return {
        "report: sales of a year": lambda i: insight.sales(**year),
        "report: sales by month": lambda i: insight.sales(**year, cut=By.MONTH),
        "report: products, a month": lambda i: insight.top_products(by=SYSTEM),
        "report: products, a year": lambda i: insight.top_products(**year),
        "report: categories, a year": lambda i: insight.categories(**year),
        "report: customers, a month": lambda i: insight.customers(by=SYSTEM),
        "report: customers, a year": lambda i: insight.customers(**year),
        "sum of a day": _summing(grown, last - timedelta(days=1)),
        "30 days by day": _summing(grown, last - timedelta(days=30), by_day=True),
    }


def _begin_of(grown: Grown, many: int) -> datetime:
    """When the last so many orders began to come in."""
    newest = select(_orders.created_at).order_by(_orders.created_at.desc())
    began: datetime = grown.rows(newest.offset(many - 1).limit(1))[0][0]
    return began


def _summing(grown: Grown, since: datetime, *, by_day: bool = False) -> Look:
    sold = select(func.count(), func.sum(_orders.total), func.sum(_orders.tax)).where(
        _orders.created_at >= since, _orders.status != str(Status.CANCELLED)
    )
    if by_day:
        day = _day(grown)
        sold = select(day, *sold.selected_columns).where(*sold._where_criteria).group_by(day)
    return lambda i: grown.rows(sold)


def _day(grown: Grown) -> ColumnElement[Any]:
    if grown.database.engines[0].dialect.name == "sqlite":
        return type_coerce(_orders.created_at, Integer) // (86_400 * 1_000_000)
    return func.floor(extract("epoch", _orders.created_at) / 86_400)


def measure(shops: Sequence[Mapping[str, Look]], clock: Clock) -> None:
    """Print milliseconds of each path in each shop, and the ratio of the largest to the smallest.

    Each look counts with the quickest of its rounds, which something else has disturbed least.
    """
    for name in shops[0]:
        best = [[float("inf")] * SAMPLE for _ in shops]
        for _ in range(ROUNDS):
            for looks_, quickest in zip(shops, best, strict=True):
                for i in range(SAMPLE):
                    quickest[i] = min(quickest[i], _seconds(looks_[name], i, clock))
        typical = [median(quickest) for quickest in best]
        ratio = typical[-1] / typical[0]
        figures = "".join(f"{1000 * each:>10.2f}" for each in typical)
        print(f"{name:<28}{figures}{ratio:>9.2f}{'  above the aim' if ratio > AIM else ''}", flush=True)


def _seconds(look: Look, i: int, clock: Clock) -> float:
    started = clock()
    look(i)
    return clock() - started


def _invent(where: Where, orders: int) -> None:
    migrate(where)
    products = max(FEWEST, orders // 10)
    invention = Invention(
        seed=1, shop=Shop(), products=products, orders=orders, until=utc_now(), password_hash="nobody signs in"
    )
    started = time.perf_counter()

    def say(what: str, done: int, whole: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done:,} of {whole:,} {what}   ", end="", file=sys.stderr, flush=True)

    generate(where, invention, cipher=CIPHER, progress=say)
    print(f"\rinvented {orders:,} orders in {time.perf_counter() - started:.0f} s")


def invented(folder: Path, orders: int) -> Path:
    path = folder / f"{orders}.db"
    if not path.exists():
        half_done = folder / f"{orders}.part"
        half_done.unlink(missing_ok=True)
        _invent(half_done, orders)
        half_done.rename(path)
    migrate(path)
    return path


def _on_server(server: Server, orders: int) -> URL:
    url = server.url.set(database=f"growth_{orders}")
    with psycopg.connect(conninfo(server.url), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE growth_{orders} TEMPLATE template0")
    _invent(url, orders)
    return url


@contextmanager
def opened(where: Where, orders: int) -> Iterator[Grown]:
    """A store over a database, and a way around it."""
    store = Store(
        storage=SqlStorage(where, cipher=CIPHER, pool_size=2),
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
    database = open_database(where, pool_size=1, patience=5)
    with store:
        try:
            yield Grown(store=store, database=database, orders=orders)
        finally:
            database.close()


def main() -> None:
    """Build the shops that are missing, and measure."""
    asked = argparse.ArgumentParser(description="How the hot paths of a shop grow.")
    asked.add_argument("--full", action="store_true", help="up to a million orders")
    asked.add_argument("--postgresql", action="store_true", help="on a PostgreSQL server of its own")
    asked.add_argument("--folder", type=Path, help="keep the SQLite databases here, and use those that are here")
    options = asked.parse_args()
    sizes = (*SIZES, MILLION) if options.full else SIZES
    with ExitStack() as open_:
        if options.postgresql:
            server = Server(durable=True)
            open_.callback(server.remove)
            places: list[Where] = [_on_server(server, size) for size in sizes]
        else:
            folder = options.folder or Path(open_.enter_context(tempfile.TemporaryDirectory()))
            folder.mkdir(parents=True, exist_ok=True)
            places = [invented(folder, size) for size in sizes]
        clock = time.perf_counter if options.postgresql else time.thread_time
        shops = [open_.enter_context(opened(where, size)) for where, size in zip(places, sizes, strict=True)]
        print(f"\n{'ms, by orders':<28}{''.join(f'{size:>10,}' for size in sizes)}{'growth':>9}")
        measure([looks(each) for each in shops], clock)
        print("\nThe same sums over the same time, in which a larger shop has more to sum up:")
        measure([sums(each) for each in shops], clock)


if __name__ == "__main__":
    main()
