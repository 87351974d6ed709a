"""``nox -s bench``: what the store costs beside a bare Flask route and beside plain ``sqlite3``, in one run.

Figures of different runs or machines don't compare; the ratios do.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, repeat
from pathlib import Path
from urllib.request import Request, urlopen

from tests.bench import load, raw

THREADS = 32
COUNT = int(os.environ.get("BENCH_REQUESTS", "4000"))
ADDRESS = {
    "recipient": "Ada Lovelace",
    "line1": "1 Main St",
    "city": "Springfield",
    "postal_code": "12345",
    "country": "US",
}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: list[str], port: int, path: str, **env: str) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A server process and the seconds from its start to its first answer."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *command], env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"{command} stopped with {process.returncode}")
            try:
                urlopen(f"http://127.0.0.1:{port}{path}", timeout=5).read()
                break
            except OSError:
                time.sleep(0.005)
        yield process, time.perf_counter() - started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait_for_the_mail(folder: Path) -> None:
    """Until the worker has written the demo orders' mail and invoices, which would be measured too."""
    before = -1
    while before != (now := len(list(folder.glob("*.eml")))):
        before = now
        time.sleep(3)


def _memory(pid: int) -> int:
    """MiB of a process and its children, what they share counted once (PSS)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    rollups = [Path(f"/proc/{each}/smaps_rollup").read_text() for each in [str(pid), *children]]
    return (
        sum(int(line.split()[1]) for text in rollups for line in text.splitlines() if line.startswith("Pss:")) // 1024
    )


def _ask(port: int, method: str, path: str, body: object = None, token: str = "") -> dict[str, object]:
    request = Request(f"http://127.0.0.1:{port}/api/v1{path}", method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    answer: dict[str, object] = json.load(urlopen(request))
    return answer


def _show(name: str, result: load.Result, bare: load.Result) -> None:
    statuses = ", ".join(f"{count} × {status}" for status, count in sorted(result.statuses.items()))
    print(
        f"{name:<28}{result.rate:>9.0f}/s{result.p50 * 1000:>9.1f} ms{result.p99 * 1000:>9.1f} ms"
        f"{result.rate / bare.rate:>8.0%}   {statuses}"
    )


def over_http(folder: Path) -> None:
    """List, detail, login and placing over real HTTP with 16 connections, beside the bare route."""
    bare_port, port = _free_port(), _free_port()
    with _running(["-m", "tests.bench.bare", str(bare_port), str(THREADS)], bare_port, "/bare"):
        load.run(bare_port, repeat(load.get("/bare")), count=COUNT // 4)
        bare = load.run(bare_port, repeat(load.get("/bare")), count=COUNT)
    settings = {
        "INSTANCE_DIR": str(folder / "instance"),
        "PORT": str(port),
        "THREADS": str(THREADS),
        "LOG_LEVEL": "WARNING",
    }
    with _running(["-m", "webapp", "serve"], port, "/health", **settings) as (_, first):
        print(f"first start, demo data included: {first:.2f} s")
    with _running(["-m", "webapp", "serve"], port, "/health", **settings) as (server, again):
        print(f"start on an existing database:   {again:.2f} s (aim: 1.5 s)\n")
        _wait_for_the_mail(folder / "instance" / "mail")
        login = {"email": "customer@example.com", "password": "12345678"}
        token = str(_ask(port, "POST", "/auth/token", login)["access_token"])
        manager = str(_ask(port, "POST", "/auth/token", login | {"email": "manager@example.com"})["access_token"])
        products = _ask(port, "GET", "/products?limit=100")["items"]
        assert isinstance(products, list)
        for product in products:
            _ask(port, "POST", f"/products/{product['id']}/stock", {"change": 100_000, "reason": "bench"}, manager)
        bearer = {"Authorization": f"Bearer {token}"}
        details = cycle([load.get(f"/api/v1/products/{product['id']}") for product in products])
        orders = cycle(
            [
                load.post(
                    "/api/v1/orders",
                    json.dumps(
                        {"items": [{"product_id": product["id"], "quantity": 1}], "delivery_address": ADDRESS}
                    ).encode(),
                    **bearer,
                )
                for product in products
            ]
        )
        print(f"{'':<28}{'rate':>11}{'p50':>12}{'p99':>12}{'of bare':>8}")
        _show("bare Flask route", bare, bare)
        listing = repeat(load.get("/api/v1/products?limit=20"))
        load.run(port, listing, count=COUNT // 8)
        _show("product list (20)", load.run(port, listing, count=COUNT), bare)
        _show("product detail", load.run(port, details, count=COUNT), bare)
        _show(
            "login",
            load.run(port, repeat(load.post("/api/v1/auth/token", json.dumps(login).encode())), count=COUNT // 20),
            bare,
        )
        _show("place an order", load.run(port, orders, count=COUNT // 2), bare)
        print(f"\nmemory of the server after all that: {_memory(server.pid)} MiB")


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
    print(f"\nplace, 3 lines, SQLite: {ours:.0f}/s; raw sqlite3 loop: {reference:.0f}/s; ratio {ours / reference:.0%}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        over_http(Path(temporary))
        in_process(Path(temporary))
