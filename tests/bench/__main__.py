"""``nox -s bench``: what the store costs beside a bare Flask route, plain ``sqlite3`` and plain psycopg, in one run.

Figures of different runs or machines don't compare; the ratios do.
"""

import tempfile
import time
from pathlib import Path

import psycopg

from tests.bench import load, postgresql, raw, serving
from tests.bench.serving import ADDRESS, COUNT
from tests.postgresql import Server, conninfo


def in_process(folder: Path) -> None:
    """``store.orders.place`` on SQLite beside a loop of plain ``sqlite3``."""
    from adapters.sql import open_store
    from storecore.accounts.model import SYSTEM, Address
    from storecore.money import Money

    path = folder / "place.db"
    with open_store(path) as store:
        user = store.accounts.register(email="a@example.com", password="12345678", full_name="Ada Lovelace")
        shelf = store.catalog.create_category(by=SYSTEM, name="Things")
        items = [
            store.catalog.create_product(
                by=SYSTEM,
                sku=f"S{i}",
                name=f"Thing {i}",
                price=Money(1999, "USD"),
                stock=10**6,
                category_ids=[shelf.id],
            ).product.id
            for i in range(3)
        ]

        def place() -> object:
            return store.orders.place(by=user, items=[(each, 1) for each in items], deliver_to=Address(**ADDRESS))

        for _ in range(20):
            place()
        count = COUNT // 4
        reference = raw.rate(path, place, count=count)
        started = time.perf_counter()
        for _ in range(count):
            place()
        ours = count / (time.perf_counter() - started)
        again = raw.rate(path, place, count=count)
    reference = (reference + again) / 2
    print(f"place, 3 lines, SQLite: {ours:.0f}/s; raw sqlite3 loop: {reference:.0f}/s; ratio {ours / reference:.0%}")


def on_postgresql(folder: Path, bare: load.Result) -> None:
    """The same on a server that makes every commit durable, with one and with two server processes."""
    server = Server(durable=True)
    try:
        for processes in (1, 2):
            name = f"shop_{processes}"
            with psycopg.connect(conninfo(server.url), autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{name}"')
            url = server.url.set(database=name).render_as_string(hide_password=False)
            print(f"\n# PostgreSQL, server processes: {processes}\n")
            serving.measure(folder / name, bare, DATABASE_URL=url, WORKERS=str(processes))
        print("\n# In this process\n")
        postgresql.report(server.url, count=COUNT // 2)
    finally:
        server.remove()


def main(folder: Path) -> None:
    """Print every figure."""
    bare = serving.bare_route()
    print("# SQLite, one server process\n")
    serving.measure(folder / "sqlite", bare)
    on_postgresql(folder, bare)
    in_process(folder)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(Path(temporary))
