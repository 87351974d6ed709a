"""Customers on plain connections, who notice when one breaks."""

import json
import socket
import struct
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage
from random import Random
from threading import Barrier
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.crash.shop import CUSTOMER, PASSWORD, PATIENCE

R = TypeVar("R")

ADDRESS = {"recipient": "Ada", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"}
RESET = struct.pack("ii", 1, 0)
"""The socket option that makes closing throw away what was not sent yet, and say so."""


class Cut(Exception):  # noqa: N818 - not an error here: it is what the trials are about
    """The connection broke before the whole answer was there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, and how many seconds it took."""

    status: int
    headers: HTTPMessage
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def later(self) -> bool:
        """Whether it says, as it should, that the shop can't do this just now and when to try again."""
        return self.status == 503 and self.headers.get("Retry-After", "").isdigit() and "code" in self.json


class Customer:
    """One connection to a server; ``token`` says who, else it is a guest."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, body: object = None, *, key: str | None = None) -> Answer:
        """Send a request and wait for the answer. Raises ``Cut``."""
        started = time.monotonic()
        try:
            self.send(method, path, body, key=key)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise Cut() from error
        return Answer(response.status, response.headers, content, time.monotonic() - started)

    def send(self, method: str, path: str, body: object = None, *, key: str | None = None) -> None:
        """Only send it."""
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key is not None:
            headers["Idempotency-Key"] = key
        self._connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)

    def hang_up(self, *, rudely: bool = False) -> None:
        """Close the connection; ``rudely``: so that even what was sent may be lost on the way."""
        if rudely and self._connection.sock is not None:
            self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.hang_up()


def token(port: int) -> str:
    """The customer signs in; what shows it."""
    with Customer(port) as customer:
        answer = customer.ask("POST", "/auth/token", {"email": CUSTOMER, "password": PASSWORD})
    assert answer.status == 200, answer.body
    return str(answer.json["access_token"])


def order(*lines: tuple[str, int], email: str | None = None) -> dict[str, Any]:
    """What is sent to buy so many of these products; guests give an ``email``."""
    items = [{"product_id": product, "quantity": quantity} for product, quantity in lines]
    return {"items": items, "delivery_address": ADDRESS} | ({"email": email} if email else {})


def basket(products: Sequence[str], random: Random) -> list[tuple[str, int]]:
    """A few of one to three products, in any order."""
    return [(product, random.randint(1, 3)) for product in random.sample(products, random.randint(1, 3))]


def at_once(count: int, act: Callable[[int], R]) -> list[R]:
    """``act`` by so many threads that all start together."""
    gate = Barrier(count)

    def run(number: int) -> R:
        gate.wait(PATIENCE)
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
