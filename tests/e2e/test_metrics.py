"""What several processes count is one sum, also after one of them ended."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from tests.e2e.goods import order_of
from tests.e2e.processes import Shop, product
from tests.e2e.servers import serving

PROBES = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Shop]]:
    """A server of two processes; the id of the one that forked them."""
    with serving(tmp_path, WORKERS="2") as (process, address):
        yield process.pid, Shop([address])


def read(shop: Shop) -> dict[str, float]:
    """Every value, by its name and labels."""
    return asked(shop.addresses[0].replace("/api/v1", "/metrics"))


def asked(address: str) -> dict[str, float]:
    """The same, of whatever is at an address."""
    answer = httpx.get(address, trust_env=False)
    assert answer.status_code == 200
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    assert len({name for name, _, _ in lines}) == len(lines), "each is there once"
    return {name: float(value) for name, _, value in lines}


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def look_around(shop: Shop) -> None:
    """Many requests, each over a connection of its own, so that both processes answer some."""
    for _ in range(PROBES):
        assert httpx.get(f"{shop.addresses[0]}/products?limit=1", trust_env=False).status_code == 200


LOOKED = 'storecore_requests_total{method="GET",route="/api/v1/products",status="200"}'
TIMED = 'storecore_request_seconds_count{method="GET",route="/api/v1/products"}'


def test_two_processes_count_together_also_after_one_died(server: tuple[int, Shop]) -> None:
    pid, shop = server
    look_around(shop)
    assert (found := read(shop))[LOOKED] == PROBES
    assert found[TIMED] == PROBES
    folder = next(Path("/dev/shm").glob("storecore-metrics-*/counter_*.db")).parent
    before = children(pid)
    assert len(before) == 2
    os.kill(victim := min(before), signal.SIGKILL)
    deadline = monotonic() + 30
    while len(children(pid) - {victim}) < 2:
        assert monotonic() < deadline, "another takes its place"
        sleep(0.05)
    look_around(shop)
    after = read(shop)
    assert after[LOOKED] == 2 * PROBES
    assert after[TIMED] == 2 * PROBES
    assert after["storecore_sockets"] == 0
    assert not list(folder.glob(f"gauge_live*_{victim}.db")), "what it had at hand is gone"


def test_what_happens_in_the_shop_is_counted(server: tuple[int, Shop]) -> None:
    _, shop = server
    thing = product(shop, stock=3)
    with shop.visitor(0, shop.token("customer")) as customer:
        headers = {"Idempotency-Key": "once"}
        for _ in range(2):
            assert customer.post("/orders", json=order_of((thing, 2)), headers=headers).status_code == 201
        assert customer.post("/orders", json=order_of((thing, 2))).status_code == 409
        customer.post("/cart/items", json={"product_id": thing, "quantity": 1})
    deadline = monotonic() + 30
    while "storecore_worker_last_round_timestamp_seconds" not in (found := read(shop)):
        assert monotonic() < deadline, "a worker goes round"
        sleep(0.1)
    assert found["storecore_orders_placed_total"] == 1
    assert found["storecore_stock_outs_total"] == 1
    assert found["storecore_passwords_waiting"] == 0
    assert found["storecore_worker_failures_total"] == 0
    assert found["storecore_worker_last_round_timestamp_seconds"] > 1_700_000_000
    assert {"storecore_outbox_depth", "storecore_outbox_oldest_due_seconds"} <= found.keys()
    assert not [name for name in found if re.search(r"@|Ada|customer", name)]


@contextmanager
def delivering(folder: Path) -> Iterator[str]:
    """``deliver`` over an instance folder; where its metrics are."""
    command = [sys.executable, "-m", "webapp", "deliver", "--metrics-port", "0"]
    env = {**os.environ, "INSTANCE_DIR": str(folder), "PYTHONUNBUFFERED": "1", "LOG_LEVEL": "ERROR"}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as worker:
        try:
            assert worker.stdout is not None
            yield worker.stdout.readline().removeprefix("Metrics are at ").strip()
        finally:
            worker.terminate()
            assert worker.wait(timeout=30) == 0


def test_servers_tell_what_a_worker_of_its_own_owes_and_the_worker_how_it_does(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-worker", WORKERS="2") as (_, address):
        shop = Shop([address])
        owed = read(shop)["storecore_outbox_depth"]
        assert owed > 0
        with delivering(tmp_path) as metrics:
            deadline = monotonic() + 30
            while "storecore_worker_last_round_timestamp_seconds" not in (told := asked(metrics)):
                assert monotonic() < deadline, "the worker goes round"
                sleep(0.1)
        assert told["storecore_worker_last_round_timestamp_seconds"] > 1_700_000_000
        assert told["storecore_worker_failures_total"] == 0
        assert "storecore_outbox_depth" not in told, "it is told once"
        found = read(shop)
        assert found["storecore_outbox_depth"] < owed
        assert "storecore_worker_last_round_timestamp_seconds" not in found, "no server works here"


def test_the_folder_of_counts_goes_with_the_server(tmp_path: Path) -> None:
    def folders() -> set[Path]:
        return set(Path("/dev/shm").glob("storecore-metrics-*"))

    others = folders()
    with serving(tmp_path, WORKERS="2") as (_, address):
        read(Shop([address]))
        (mine,) = folders() - others
        assert mine.stat().st_mode & 0o777 == 0o700
    assert not mine.exists()
