"""Two server processes on one database with demo data, and many customers at once."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import httpx

from tests.e2e.servers import serving
from tests.postgresql import empty_database


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


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Shop]:
    """Two server processes on one database of a kind."""
    settings = {}
    with ExitStack() as stack:
        if kind == "postgresql":
            url = stack.enter_context(empty_database())
            settings["DATABASE_URL"] = url.render_as_string(hide_password=False)
        yield Shop([stack.enter_context(serving(folder, **settings))[1] for _ in range(2)])


def product(shop: Shop, stock: int) -> str:
    """The id of a new product."""
    with shop.visitor(0, shop.token("manager")) as manager:
        category = manager.get("/categories").json()["items"][0]["id"]
        body = {"sku": f"RACE-{os.urandom(4).hex()}", "name": "Rare Thing", "description": "", "price": "10.00"}
        answer = manager.post("/products", json={**body, "stock": stock, "category_ids": [category]})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


def on_shelf(shop: Shop, product_id: str) -> int:
    """Units on the shelf, after checking that the ledger says the same."""
    with shop.visitor(0, shop.token("manager")) as manager:
        ledger = manager.get(f"/products/{product_id}/stock", params={"limit": 100}).json()["items"]
        stock = int(manager.get(f"/products/{product_id}").json()["stock"])
    assert stock == sum(move["change"] for move in ledger)
    return stock


def all_at_once(count: int, act: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """``act`` by so many threads that all start together."""
    gate = Barrier(count)

    def run(number: int) -> httpx.Response:
        gate.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
