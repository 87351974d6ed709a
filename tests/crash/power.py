"""The power fails while a SQLite database is written: what was not on the disk yet is gone, or is noise."""

import shutil
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGSTOP

from sqlalchemy import text

from tests.crash.books import check, statement
from tests.crash.kills import LONGEST_LOAD, Crowd
from tests.crash.shop import PATIENCE, OpenShop, Server, folder, settings
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
    """A copy of a shop that was made while every process of it stood still."""

    folder: Path
    log: bytes
    safe: int
    """How much of the log a power cut can't take: it was on the disk before it was copied into the database."""
    written: int
    """How much of it belongs to whole transactions."""
    orders: Sequence[str]
    """Every order in it, in the order in which they were committed."""


def cut_power(open_shop: OpenShop, *, cuts: int, seed: int = 0) -> str:
    """So often, open what a power cut could have left: whole transactions, from the first to some last one."""
    random = Random(seed)
    taken = lost = done = 0
    while done < cuts:
        with open_shop() as shop, folder() as copies, shop.server() as server:
            crowd = Crowd(shop, random.randrange(10**6))
            for number in range(MOMENTS_A_SHOP):
                here = min(CUTS_A_MOMENT, cuts - done)
                if not here:
                    break
                moment = _freeze(server, crowd, copies / str(number), random)
                losses = [_cut(moment, random) for _ in range(here)]
                taken, lost, done = taken + sum(map(bool, losses)), lost + sum(losses), done + here
    return (
        f"{cuts} power cuts: {taken} took the last orders away ({lost} in all), "
        f"none took half of one or one before another; verified {cuts} times"
    )


def _freeze(server: Server, crowd: Crowd, place: Path, random: Random) -> Moment:
    with crowd.shopping(server.port) as served:
        assert served.wait(PATIENCE), "nobody was served"
        time.sleep(random.uniform(0, LONGEST_LOAD))
        server.signal(SIGSTOP)
        try:
            _stand_still(server.pids)
            known = crowd.acknowledged
            shutil.copytree(crowd.shop.folder, place, ignore=shutil.ignore_patterns("mail", "*.log"))
        finally:
            server.signal(SIGCONT)
    log = (place / "store.db-wal").read_bytes()
    index = (place / "store.db-shm").read_bytes()
    (place / "store.db-shm").unlink()
    whole = (place / "store.db").read_bytes()
    (frames,) = struct.unpack_from("=I", index, 16)
    (copied,) = struct.unpack_from("=I", index, 128)
    begun = log[16:24] == index[32:40]  # else the log is about to be begun anew, and all of it is in the database
    orders = _orders(place)
    assert known.keys() <= set(orders), "acknowledged orders are missing without any cut"
    (place / "store.db").write_bytes(whole)
    return Moment(
        folder=place,
        log=log,
        safe=_HEADER + copied * _FRAME if begun and copied else 0 if begun else len(log),
        written=_HEADER + frames * _FRAME if begun else len(log),
        orders=orders,
    )


def _stand_still(pids: Sequence[int]) -> None:
    """Wait until each of their threads has stopped."""
    deadline = time.monotonic() + PATIENCE
    stats = [path for pid in pids for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    while any(path.read_text().rpartition(") ")[2][0] not in "Tt" for path in stats):
        assert time.monotonic() < deadline, "the server does not stop"
        time.sleep(0.001)


def _cut(moment: Moment, random: Random) -> int:
    """Open what is left of the moment after a power cut; how many orders it lost."""
    most = min(len(moment.log), moment.written + MOST_BEYOND)
    end = random.randint(min(moment.safe, most), most)
    noise = random.randbytes(random.randint(1, 3 * _FRAME)) if random.random() < NOISE else b""
    with folder() as place:
        shutil.copytree(moment.folder, place, dirs_exist_ok=True)
        (place / "store.db-wal").write_bytes(moment.log[:end] + noise)
        orders = _orders(place)
    assert orders == moment.orders[: len(orders)], f"cut at {end}: later orders are there, earlier ones are not"
    return len(moment.orders) - len(orders)


def _orders(place: Path) -> list[str]:
    """Every order of a copy, in the order in which they were committed, when its books are in order."""
    with wiring.opened(settings(place)) as store:
        check(store)
        return [row[0] for row in statement(store, text("SELECT id FROM orders ORDER BY rowid"))]
