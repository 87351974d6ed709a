"""Search and suggestions in a shop of 100,000 products, beside plain queries of the same index in the same run.

``--folder`` keeps the SQLite database for the next run; ``--postgresql`` measures on a server of its own instead. On
SQLite processor time is measured, which other programs disturb little; on PostgreSQL time, since the server works
elsewhere. Each question counts with the quickest of its rounds.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from statistics import quantiles

import psycopg
from sqlalchemy import select, text
from sqlalchemy.engine import URL

from adapters.sql import migrate
from adapters.sql.generating import generate
from adapters.sql.inventing import Invention
from adapters.sql.matching import hits
from adapters.system import utc_now
from storecore.accounts.model import SYSTEM
from storecore.catalog.matching import matched
from storecore.shop import Shop
from tests.bench.growth import CIPHER, Grown, Where, opened
from tests.postgresql import Server, conninfo

PRODUCTS, ORDERS = 100_000, 420_000
"""So many orders have a million lines."""
QUESTIONS, ROUNDS = 200, 3
AIM = 1.5
"""How many times a plain query of the index a search may cost."""

Look = Callable[[str], object]
Clock = Callable[[], float]


def questions(grown: Grown, many: int) -> Sequence[str]:
    """What shoppers would type to find products of this shop: one to three words of a name, the last perhaps cut."""
    random, asked = Random(1), []
    with grown.store.storage.reading(utc_now(), str) as unit:
        ids = unit.search.products("", PRODUCTS)
        names = [each.name for each in unit.products.some(random.sample(ids, min(many, len(ids)))).values()]
    for name in sorted(names):
        words = random.sample(name.split(), random.choice((1, 2, 2, 3)))
        words[-1] = words[-1][: random.randint(3, 12)]
        asked.append(" ".join(words))
    return asked


def plain(grown: Grown, asked: Sequence[str]) -> Look:
    """The index asked for the twenty best matches of the same, and for nothing about them."""
    found = hits()
    best = select(found.c.id, found.c.score).order_by(found.c.score.desc()).limit(20)
    with grown.store.storage.reading(utc_now(), str) as unit:
        values = {each: {"match": matched(unit, each)} for each in asked}

    def look(question: str) -> object:
        with grown.database.reading() as connection:
            return connection.execute(best, values[question]).all()

    return look


def looks(grown: Grown, asked: Sequence[str]) -> Mapping[str, Look]:
    """What is measured; the first is what the others are compared with."""
    catalog = grown.store.catalog
    return {
        "plain query of the index": plain(grown, asked),
        "search": lambda question: catalog.search(text=question),
        "suggestions, words typed": lambda question: catalog.suggest(text=question),
        "suggestions, 2 letters typed": lambda question: catalog.suggest(text=question[:2]),
        "suggestions, mistyped": lambda question: catalog.suggest(text=f"{question[:2]}q{question[2:]}"),
    }


def measure(grown: Grown, clock: Clock) -> None:
    """Print milliseconds, and how they compare with the plain query's."""
    asked = questions(grown, QUESTIONS)
    plain_figures: tuple[float, float] | None = None
    print(f"{'ms':<32}{'p50':>9}{'p99':>9}{'beside the plain query':>26}")
    for name, look in looks(grown, asked).items():
        quickest = [min(_seconds(look, question, clock) for _ in range(ROUNDS)) for question in asked]
        cut = quantiles(quickest, n=100)
        p50, p99 = 1000 * cut[49], 1000 * cut[98]
        plain_figures = plain_figures or (p50, p99)
        ratios = f"{p50 / plain_figures[0]:.2f} and {p99 / plain_figures[1]:.2f}"
        above = "  above the aim" if name == "search" and p99 > AIM * plain_figures[1] else ""
        print(f"{name:<32}{p50:>9.2f}{p99:>9.2f}{ratios:>26}{above}", flush=True)


def _seconds(look: Look, question: str, clock: Clock) -> float:
    started = clock()
    look(question)
    return clock() - started


def learn(grown: Grown) -> None:
    """Print what a process needs to know the shop's words."""
    before, started = _memory(), time.process_time()
    grown.store.catalog.warm()
    print(f"learning the shop's words: {time.process_time() - started:.1f} s, {_memory() - before:.0f} MiB at most")


def _memory() -> float:
    """The most that this process has had, in MiB."""
    kept: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kept / (2**20 if sys.platform == "darwin" else 2**10)


def build(grown: Grown) -> None:
    """Print how long the index takes to make from nothing, while the shop could go on."""
    with grown.database.writing() as connection:
        connection.execute(text("DELETE FROM search_documents"))
        connection.commit()
    started = time.perf_counter()
    made = grown.store.catalog.reindex(by=SYSTEM, outdated=True)
    print(f"index of {made:,} products: {time.perf_counter() - started:.0f} s")


def _fill(where: Where, products: int, orders: int) -> None:
    migrate(where)
    invention = Invention(
        seed=1, shop=Shop(), products=products, orders=orders, until=utc_now(), password_hash="nobody signs in"
    )
    generate(where, invention, cipher=CIPHER, progress=lambda what, done, whole: None)


@contextmanager
def _place(options: argparse.Namespace) -> Iterator[Where]:
    with ExitStack() as open_:
        if options.postgresql:
            server = Server(durable=True)
            open_.callback(server.remove)
            url: URL = server.url.set(database="searching")
            with psycopg.connect(conninfo(server.url), autocommit=True) as connection:
                connection.execute("CREATE DATABASE searching TEMPLATE template0")
            _fill(url, options.products, options.orders)
            yield url
            return
        folder = options.folder or Path(open_.enter_context(tempfile.TemporaryDirectory()))
        path = folder / f"searching-{options.products}-{options.orders}.db"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            half_done = path.with_suffix(".part")
            half_done.unlink(missing_ok=True)
            _fill(half_done, options.products, options.orders)
            half_done.rename(path)
        migrate(path)
        yield path


def main() -> None:
    """Make the shop, and measure."""
    asked = argparse.ArgumentParser(description="Search in a large shop.")
    asked.add_argument("--products", type=int, default=PRODUCTS)
    asked.add_argument("--orders", type=int, default=ORDERS)
    asked.add_argument("--postgresql", action="store_true", help="on a PostgreSQL server of its own")
    asked.add_argument("--folder", type=Path, help="keep the SQLite database here, and use the one that is here")
    options = asked.parse_args()
    with _place(options) as where, opened(where, options.orders) as grown:
        print(f"# {'PostgreSQL' if options.postgresql else 'SQLite'}, {options.products:,} products\n")
        learn(grown)
        measure(grown, time.perf_counter if options.postgresql else time.thread_time)
        build(grown)


if __name__ == "__main__":
    main()
