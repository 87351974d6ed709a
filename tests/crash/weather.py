"""What happens to a shop from outside: another program locks its database, its disk fills up, its server restarts."""

import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from io import RawIOBase
from typing import Self

import psycopg
from sqlalchemy import make_url

from tests import postgresql
from tests.crash.customers import Customer
from tests.crash.kills import Crowd
from tests.crash.shop import PATIENCE, OpenShop, Server, Shop, folder

DEADLINE = 5.0
"""Seconds that a request waits for its turn to write."""
SLACK = 3.0
"""Seconds that a loaded machine may add to that."""
SMALL_DISK = 12 * 1024 * 1024
FIRST_PAGES = 16 * 1024
TIMES_SERVED = 3
"""So often is each shopper served before and after."""

Trouble = Callable[[Shop, Server], AbstractContextManager[object]]
"""Makes writing impossible as long as its block lasts."""


@contextmanager
def locked(shop: Shop, _server: Server) -> Iterator[None]:
    """Another program begins to write to a SQLite file and does not end."""
    other = sqlite3.connect(shop.settings.database, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
    finally:
        other.close()


@contextmanager
def table_locked(shop: Shop, _server: Server) -> Iterator[None]:
    """Another program locks a table on PostgreSQL and does not end."""
    with psycopg.connect(postgresql.conninfo(make_url(str(shop.settings.database)))) as other:
        other.execute("LOCK TABLE shelf IN EXCLUSIVE MODE")
        yield


@contextmanager
def full_by_limit(_shop: Shop, server: Server) -> Iterator[None]:
    """The system refuses to write anything behind the first few pages of a file."""
    limits = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in server.pids}
    for pid, (_, hard) in limits.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (FIRST_PAGES, hard))
    try:
        yield
    finally:
        for pid, limit in limits.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


@contextmanager
def full(shop: Shop, _server: Server) -> Iterator[None]:
    """Another program fills the disk to its last byte."""
    ballast = shop.folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            _write_until_full(file, bytes(size))
    try:
        yield
    finally:
        ballast.unlink()


def _write_until_full(file: RawIOBase, part: bytes) -> None:
    with suppress(OSError):
        while file.write(part):
            pass


@contextmanager
def on_small_disk() -> Iterator[Shop]:
    """A shop on SQLite and a disk of its own, in memory; only root can make one."""
    with folder() as made:
        options = ["-t", "tmpfs", "-o", f"size={SMALL_DISK},mode=0700"]
        mounted = subprocess.run(["mount", *options, "storecore-crash", str(made)], capture_output=True, check=False)
        if mounted.returncode:
            raise NotPossibleHere("a small disk can be mounted only by root")
        try:
            yield Shop(made)
        finally:
            subprocess.run(["umount", str(made)], check=True)


class NotPossibleHere(Exception):  # noqa: N818 - nothing is wrong with the shop
    """This machine does not allow what the trial needs."""


class OwnServer:
    """A PostgreSQL server that goes down and comes back."""

    def __init__(self) -> None:
        self._server = postgresql.Server(durable=True)

    @contextmanager
    def shop(self) -> Iterator[Shop]:
        """A shop on it."""
        with folder() as made:
            yield Shop(made, self._server.url)

    @contextmanager
    def down(self, _shop: Shop, _server: Server) -> Iterator[None]:
        """Nobody can do anything meanwhile."""
        self._server.stop()
        try:
            yield
        finally:
            self._server.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.remove()


def wait_out(
    open_shop: OpenShop,
    trouble: Trouble,
    *,
    times: int,
    refusals: int = 2,
    readable: bool = True,
    deadline: float = DEADLINE,
) -> str:
    """So often, writing is impossible for a while: 503 in time, pages can be read if ``readable``, nothing is lost,
    and afterwards the shop works again by itself. Each time lasts until each shopper was refused so often.
    """
    with open_shop() as shop, shop.server() as server:
        crowd = Crowd(shop, 0)
        for _ in range(times):
            with crowd.shopping(server.port):
                _until_each(crowd, "served", TIMES_SERVED)
                with trouble(shop, server):
                    pages = _read(shop, server, readable=readable)
                    _until_each(crowd, "told to come back", refusals, meanwhile=pages)
                _until_each(crowd, "served", TIMES_SERVED)
            with shop.store() as store:
                crowd.prove(store, settled=True)
    slowest = max(shopper.slowest_refusal for shopper in crowd.shoppers)
    assert slowest < deadline + SLACK, f"a refusal took {slowest:.1f} s"
    return (
        f"{times} times: {crowd.counted['told to come back']} × 503 with Retry-After, within {slowest:.1f} s; "
        f"{len(crowd.acknowledged)} orders before and after, nothing lost or doubled, verified {times} times"
    )


def _until_each(crowd: Crowd, what: str, times: int, meanwhile: Iterator[None] | None = None) -> None:
    """Until that has happened so often to every shopper from now on."""
    aims = [(shopper, shopper.counted[what] + times) for shopper in crowd.shoppers]
    deadline = time.monotonic() + PATIENCE
    while any(shopper.counted[what] < aim for shopper, aim in aims):
        assert not crowd.counted["let down"], "a shopper was let down"
        assert time.monotonic() < deadline, f"not every shopper was {what}: {crowd.counted}"
        if meanwhile:
            next(meanwhile)
        time.sleep(0.01)


def _read(shop: Shop, server: Server, *, readable: bool) -> Iterator[None]:
    """Look at pages, one each time; each of them can be seen, unless not even that is possible."""
    with Customer(server.port) as visitor:
        while True:
            answer = visitor.ask("GET", f"/products/{shop.products[0]}")
            assert answer.status == 200 or (answer.later and not readable), (answer.status, answer.body)
            yield
