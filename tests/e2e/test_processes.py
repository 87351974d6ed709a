"""Two server processes on one database, and many customers at once."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.databases import DATABASES
from tests.postgresql import empty_database

ADDRESS = {"recipient": "Ada", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"}


@dataclass
class Shop:
    """Addresses of server processes that share an instance folder and a database with demo data."""

    addresses: list[str]

    def token(self, who: str) -> str:
        with self.visitor(0) as client:
            answer = client.post("/auth/token", json={"email": f"{who}@example.com", "password": "12345678"})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def visitor(self, number: int, token: str = "") -> httpx.Client:
        """A client of one of the processes; close it."""
        return httpx.Client(
            base_url=self.addresses[number % len(self.addresses)],
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=60,
            trust_env=False,
            verify=False,  # there is no TLS here, and loading certificates for it takes longer than a request
        )

    @contextmanager
    def crowd(self, size: int, token: str) -> Iterator[list[httpx.Client]]:
        """So many clients, one after another of each process."""
        with ExitStack() as stack:
            yield [stack.enter_context(self.visitor(number, token)) for number in range(size)]


def _serve(settings: dict[str, str]) -> tuple[subprocess.Popen[str], str]:
    env = {**os.environ, **settings, "PORT": "0", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp", "serve"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        for word in line.split():
            if word.startswith("http://127.0.0.1:") and not urlsplit(word).path.strip("/"):
                return process, f"{word.rstrip('/')}/api/v1"
    raise AssertionError("".join(said))


@pytest.fixture(scope="module", params=DATABASES)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    settings = {"INSTANCE_DIR": str(tmp_path_factory.mktemp("instance"))}
    with ExitStack() as stack:
        if request.param == "postgresql":
            url = stack.enter_context(empty_database())
            settings["DATABASE_URL"] = url.render_as_string(hide_password=False)
        addresses = []
        for _ in range(2):
            process, address = _serve(settings)
            stack.callback(process.communicate, timeout=30)
            stack.callback(process.send_signal, signal.SIGTERM)
            addresses.append(address)
        yield Shop(addresses)


def _product(shop: Shop, stock: int) -> str:
    with shop.visitor(0, shop.token("manager")) as manager:
        category = manager.get("/categories").json()["items"][0]["id"]
        body = {"sku": f"RACE-{os.urandom(4).hex()}", "name": "Rare Thing", "description": "", "price": "10.00"}
        answer = manager.post("/products", json={**body, "stock": stock, "category_ids": [category]})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


def _stock(shop: Shop, product_id: str) -> int:
    with shop.visitor(0, shop.token("manager")) as manager:
        ledger = manager.get(f"/products/{product_id}/stock", params={"limit": 100}).json()["items"]
        stock = int(manager.get(f"/products/{product_id}").json()["stock"])
    assert stock == sum(move["change"] for move in ledger)
    return stock


def _all_at_once(count: int, act: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """``act`` by so many threads that all start together."""
    gate = Barrier(count)

    def run(number: int) -> httpx.Response:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def _order(*lines: tuple[str, int]) -> dict[str, Any]:
    return {
        "items": [{"product_id": each, "quantity": quantity} for each, quantity in lines],
        "delivery_address": ADDRESS,
    }


def test_fifty_buyers_of_ten_units_buy_exactly_ten(shop: Shop) -> None:
    product, token = _product(shop, stock=10), shop.token("customer")
    with shop.crowd(50, token) as clients:
        answers = _all_at_once(50, lambda number: clients[number].post("/orders", json=_order((product, 1))))
    assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 40}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"out-of-stock"}
    assert _stock(shop, product) == 0


def test_orders_for_two_products_in_opposite_order_never_fail_for_each_other(shop: Shop) -> None:
    one, two, token = _product(shop, stock=100), _product(shop, stock=100), shop.token("customer")
    orders = [_order((one, 1), (two, 2)), _order((two, 2), (one, 1))]
    with shop.crowd(40, token) as clients:
        answers = _all_at_once(40, lambda number: clients[number].post("/orders", json=orders[number // 2 % 2]))
    assert Counter(answer.status_code for answer in answers) == {201: 40}
    assert (_stock(shop, one), _stock(shop, two)) == (60, 20)


def test_twenty_parallel_duplicates_make_one_order(shop: Shop) -> None:
    product, token = _product(shop, stock=100), shop.token("customer")
    headers = {"Idempotency-Key": f"key-{os.urandom(8).hex()}"}
    with shop.crowd(20, token) as clients:
        answers = _all_at_once(20, lambda i: clients[i].post("/orders", json=_order((product, 1)), headers=headers))
    assert Counter(answer.status_code for answer in answers) == {201: 20}
    assert len({answer.content for answer in answers}) == 1
    assert sum(answer.headers.get("Idempotent-Replayed") == "true" for answer in answers) == 19
    assert _stock(shop, product) == 99


def test_an_order_that_is_paid_through_both_processes_at_once_is_paid_once(shop: Shop) -> None:
    product, token = _product(shop, stock=100), shop.token("customer")
    payment = {"provider": "demo", "token": "4242424242424242"}
    with shop.crowd(10, token) as clients:
        order = clients[0].post("/orders", json=_order((product, 1)) | {"payment": {"provider": "demo"}}).json()
        path = f"/orders/{order['id']}/payment"
        answers = _all_at_once(10, lambda number: clients[number].post(path, json=payment))
        paid = clients[0].get(f"/orders/{order['id']}").json()
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 9}
    refused = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert refused <= {"payment-in-progress", "already-paid"}
    assert [entry["status"] for entry in paid["history"]] == ["pending", "confirmed"]
    assert paid["payment_status"] == "paid"
