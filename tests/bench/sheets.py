"""``nox -s bench``, the third part: what importing and exporting 100,000 products costs, on SQLite.

Each import runs in a process of its own, beside ten times fewer rows: seconds, the most memory it ever took, and how
long an order that is placed meanwhile waits.
"""

import resource
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import BinaryIO

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage, migrate
from storecore.accounts.model import SYSTEM
from storecore.errors import Busy
from storecore.shop import Shop
from tests.usecases.floor import HOME, Clock, Floor, person, product

ROWS = (10_000, 100_000)
HEADER = b"sku,name,description,categories,price,stock,attr.size,attr.colour\n"


def _write(file: BinaryIO, rows: int) -> None:
    file.write(HEADER)
    for number in range(rows):
        words = f'Hat {number},"Warm, and ""woollen"": {number}",Hats|Shelf {number % 50}'
        file.write(f"S{number},{words},{number % 90}.99,9,M,red\n".encode())


def _sell(buy: Callable[[], object], done: Event, waits: list[float]) -> None:
    while not done.wait(0.05):
        started = perf_counter()
        try:
            buy()
        except Busy:
            print("    an order was turned away: the shop was too busy")
        waits.append(perf_counter() - started)


def _measure(rows: int, *, skip_bad: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "products.csv").open("w+b") as file:
        path = Path(folder) / "shop.db"
        migrate(path)
        _write(file, rows)
        with Floor(SqlStorage(path, cipher=FernetCipher(["k" * 32])), Clock(), Shop()) as store:
            item = product(store, stock=10**6)
            buy = partial(store.orders.place, by=person(store), items=[(item.id, 1)], deliver_to=HOME)
            buy()
            for what in ("created", "unchanged"):
                done, waits = Event(), list[float]()
                with ThreadPoolExecutor(1) as seller:
                    seller.submit(_sell, buy, done, waits)
                    started = perf_counter()
                    report = store.catalog.import_products(by=SYSTEM, file=file, skip_bad=skip_bad)
                    took = perf_counter() - started
                    done.set()
                assert getattr(report, what) == rows
                print(
                    f"{rows:>7,} rows {what}, {'skipping bad ones' if skip_bad else 'all or nothing'}: {took:.1f} s, "
                    f"{_peak():.0f} MiB at most, an order waits {max(waits, default=0):.2f} s at most"
                )
            started = perf_counter()
            size = sum(map(len, store.catalog.export_products(by=SYSTEM)))
            print(f"{rows:>7,} rows exported: {perf_counter() - started:.1f} s, {size / 2**20:.1f} MiB of file")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print every figure."""
    print("\n# Products from CSV files\n", flush=True)
    for skip_bad in (True, False):
        for rows in ROWS:
            process = get_context("spawn").Process(target=_measure, args=(rows,), kwargs={"skip_bad": skip_bad})
            process.start()
            process.join()


if __name__ == "__main__":
    main()
