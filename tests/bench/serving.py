"""The shop over real HTTP, with 16 connections, beside a bare Flask route on the same kind of server."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle, repeat
from pathlib import Path
from urllib.request import Request, urlopen

from tests.bench import load

THREADS = 32
COUNT = int(os.environ.get("BENCH_REQUESTS", "2000"))
TURNS = 5
LOGIN = {"email": "customer@example.com", "password": "12345678"}
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


@contextmanager
def _serving(folder: Path, settings: Mapping[str, str]) -> Iterator[tuple[int, subprocess.Popen[bytes], float]]:
    """``storecore serve`` on an instance folder: its port, its process, and the seconds it took to start."""
    port = _free_port()
    given = {
        "INSTANCE_DIR": str(folder),
        "PORT": str(port),
        "THREADS": str(THREADS),
        "LOG_LEVEL": "WARNING",
        "RATE_LIMITS": "off",
    }
    with _running(["-m", "webapp", "serve"], port, "/health", **given, **settings) as (server, took):
        yield port, server, took


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


def bare_route() -> load.Result:
    """What a route costs that does nothing."""
    port = _free_port()
    with _running(["-m", "tests.bench.bare", str(port), str(THREADS)], port, "/bare"):
        load.run(port, repeat(load.get("/bare")), count=COUNT // 4)
        return load.run(port, repeat(load.get("/bare")), count=COUNT)


def measure(folder: Path, bare: load.Result, **settings: str) -> None:
    """Make the demo shop; list, detail, login and placing there, and orders of one product beside spread products."""
    with _serving(folder, settings) as (_, _, took):
        print(f"first start, demo data included: {took:.2f} s")
    with _serving(folder, settings) as (port, server, took):
        print(f"start on an existing database:   {took:.2f} s (aim: 1.5 s)\n")
        _wait_for_the_mail(folder / "mail")
        products = _stocked(port)
        details = cycle([load.get(f"/api/v1/products/{product}") for product in products])
        orders = _orders(port, products)
        print(f"{'':<28}{'rate':>11}{'p50':>12}{'p99':>12}{'of bare':>8}")
        _show("bare Flask route", bare, bare)
        listing = repeat(load.get("/api/v1/products?limit=20"))
        load.run(port, listing, count=COUNT // 8)
        _show("product list (20)", load.run(port, listing, count=COUNT), bare)
        _show("product detail", load.run(port, details, count=COUNT), bare)
        login = repeat(load.post("/api/v1/auth/token", json.dumps(LOGIN).encode()))
        _show("login", load.run(port, login, count=COUNT // 20), bare)
        _show("place an order", load.run(port, cycle(orders), count=COUNT // 2), bare)
        print(f"\none hot product beside spread products: {_hot_beside_spread(port, orders):.0%} (aim: 60 %)")
        print(f"memory of the server after all that: {_memory(server.pid)} MiB")


def _stocked(port: int) -> list[str]:
    """The products, of which there is enough."""
    manager = str(_ask(port, "POST", "/auth/token", LOGIN | {"email": "manager@example.com"})["access_token"])
    products = _ask(port, "GET", "/products?limit=100")["items"]
    assert isinstance(products, list)
    for product in products:
        _ask(port, "POST", f"/products/{product['id']}/stock", {"change": 100_000, "reason": "bench"}, manager)
    return [str(product["id"]) for product in products]


def _orders(port: int, products: list[str]) -> list[bytes]:
    """Requests that each buy one product."""
    token = _ask(port, "POST", "/auth/token", LOGIN)["access_token"]
    wishes = [{"items": [{"product_id": each, "quantity": 1}], "delivery_address": ADDRESS} for each in products]
    return [load.post("/api/v1/orders", json.dumps(wish).encode(), Authorization=f"Bearer {token}") for wish in wishes]


def _hot_beside_spread(port: int, orders: list[bytes]) -> float:
    """Orders a second of one product, beside those of any; by turns, since the machine may have other things to do."""
    hot = spread = 0.0
    for _ in range(TURNS):
        hot += 1 / load.run(port, repeat(orders[0]), count=COUNT // 20).rate
        spread += 1 / load.run(port, cycle(orders), count=COUNT // 20).rate
    return spread / hot
