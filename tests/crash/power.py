"""The power fails while a SQLite database is written: what was not on the disk yet is gone, or is noise."""

import struct
import time
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGSTOP

from sqlalchemy import text

from tests.crash.books import check, statement
from tests.crash.kills import LONGEST_LOAD, Crowd
from tests.crash.shop import PATIENCE, OpenShop, Server, Shop, folder, settings
from webapp import wiring

CUTS_A_MOMENT = 10
MOMENTS_A_SHOP = 10
NOISE = 0.25
"""How many of the cuts are followed by noise instead of the end of the file."""

MOST_BEYOND = 64 * 1024
"""How much of what was written after the last whole transaction may survive a cut."""

_FRAME = 24 + 4096
_HEADER = 32
"""Sizes in the write-ahead log; they, and the places below, are those of https://www.sqlite.org/walformat.html."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A database and its log as they were while every process that uses them stood still."""

    database: bytes
    log: bytes
    safe: int
    """How much of the log a power cut can't take: it was on the disk before it was copied into the database."""
    written: int
    """How much of it belongs to whole transactions."""
    acknowledged: Set[str]
    """Orders that customers had been told of."""


class Bench:
    """Where what is left of a shop is looked at."""

    def __init__(self, place: Path, shop: Shop) -> None:
        self._database = place / "store.db"
        wiring.migrate(settings(place))
        self._store = wiring.open_store(settings(place), shop.keys)
        self._store.close()

    def orders(self, database: bytes, log: bytes) -> list[str]:
        """Every order in these files, in the order in which they were committed, when the books are in order."""
        self._database.write_bytes(database)
        self._database.with_name("store.db-wal").write_bytes(log)
        try:
            check(self._store)
            return [row[0] for row in statement(self._store, text("SELECT id FROM orders ORDER BY rowid"))]
        finally:
            self._store.close()  # it opens what lies there the next time


def cut_power(open_shop: OpenShop, *, cuts: int, seed: int = 0) -> str:
    """So often, open what a power cut could have left: whole transactions, from the first to some last one."""
    random = Random(seed)
    taken = lost = done = 0
    while done < cuts:
        with open_shop() as shop, folder() as place, shop.server() as server:
            crowd, bench = Crowd(shop, random.randrange(10**6)), Bench(place, shop)
            for _ in range(MOMENTS_A_SHOP):
                here = min(CUTS_A_MOMENT, cuts - done)
                if not here:
                    break
                losses = _losses(bench, _freeze(server, crowd, random), here, random)
                taken, lost, done = taken + sum(map(bool, losses)), lost + sum(losses), done + here
    return (
        f"{cuts} power cuts: {taken} took the last orders away ({lost} in all), "
        f"none took half of one or one before another; verified {cuts} times"
    )


def _freeze(server: Server, crowd: Crowd, random: Random) -> Moment:
    path = crowd.shop.folder / "store.db"
    with crowd.shopping(server.port) as served:
        assert served.wait(PATIENCE), "nobody was served"
        time.sleep(random.uniform(0, LONGEST_LOAD))
        server.signal(SIGSTOP)
        try:
            _stand_still(server.pids)
            acknowledged = crowd.acknowledged.keys()
            database, log, index = (path.with_name(f"store.db{end}").read_bytes() for end in ("", "-wal", "-shm"))
        finally:
            server.signal(SIGCONT)
    (frames,) = struct.unpack_from("=I", index, 16)
    (copied,) = struct.unpack_from("=I", index, 128)
    begun = log[16:24] == index[32:40]  # else the log is about to be begun anew, and all of it is in the database
    return Moment(
        database=database,
        log=log,
        safe=(_HEADER + copied * _FRAME if copied else 0) if begun else len(log),
        written=_HEADER + frames * _FRAME if begun else len(log),
        acknowledged=acknowledged,
    )


def _stand_still(pids: Sequence[int]) -> None:
    """Wait until each of their threads has stopped."""
    deadline = time.monotonic() + PATIENCE
    stats = [path for pid in pids for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    while any(path.read_text().rpartition(") ")[2][0] not in "Tt" for path in stats):
        assert time.monotonic() < deadline, "the server does not stop"
        time.sleep(0.001)


def _losses(bench: Bench, moment: Moment, cuts: int, random: Random) -> list[int]:
    """How many orders each of so many power cuts at that moment takes away."""
    every = bench.orders(moment.database, moment.log)
    assert moment.acknowledged <= set(every), "acknowledged orders are missing without any cut"
    most = min(len(moment.log), moment.written + MOST_BEYOND)
    losses = []
    for _ in range(cuts):
        end = random.randint(min(moment.safe, most), most)
        noise = random.randbytes(random.randint(1, 3 * _FRAME)) if random.random() < NOISE else b""
        left = bench.orders(moment.database, moment.log[:end] + noise)
        assert left == every[: len(left)], f"after a cut at {end} later orders are there, and earlier ones are not"
        losses.append(len(every) - len(left))
    return losses
