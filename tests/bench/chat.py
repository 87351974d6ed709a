"""``nox -s bench``, the second part: what live conversations cost, over one real server on SQLite.

How long a message takes from being sent to 200 sockets, what a socket costs in memory, how many messages a second are
kept and acknowledged, and how quickly plain requests are answered meanwhile.
"""

import json
import statistics
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from time import perf_counter, sleep

import httpx
import websocket

from tests.e2e.servers import serving
from tests.e2e.sockets import Phone, calling

SOCKETS, ROUNDS = 200, 50
SPEAKERS, LINES = 40, 50


def _signed_in(address: str, stack: ExitStack) -> httpx.Client:
    answer = httpx.post(f"{address}/auth/token", json={"email": "customer@example.com", "password": "12345678"})
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return stack.enter_context(httpx.Client(base_url=address, headers=headers, timeout=60))


def _opened(customer: httpx.Client) -> str:
    return str(customer.post("/support/conversations", json={"message": "Hello?"}).json()["id"])


def _resident(pid: int) -> float:
    """MiB of memory of the largest process below, which is the server's worker."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return max(
        int(line.split()[1]) / 1024
        for child in children
        for line in Path(f"/proc/{child}/status").read_text(encoding="ascii").splitlines()
        if line.startswith("VmRSS")
    )


def _percent(values: list[float], share: int) -> str:
    return f"p{share} {statistics.quantiles(values, n=100)[share - 1] * 1000:.1f} ms"


def _fan_out(phones: list[Phone]) -> list[float]:
    """Seconds from sending to the arrival at each socket."""
    took: list[float] = []
    with DefaultSelector() as waiting:
        for phone in phones:
            waiting.register(phone.number, EVENT_READ, phone)
        for number in range(ROUNDS):
            sent = perf_counter()
            phones[0].do("send_message", body=f"round {number}", client_id=f"r{number}")
            missing = set(phones)
            while missing:
                for key, _ in waiting.select():
                    if key.data.read()["type"] == "message":
                        took.append(perf_counter() - sent)
                        missing.discard(key.data)
            sleep(0.05)
    return took


@contextmanager
def _requests(customer: httpx.Client) -> Iterator[list[float]]:
    """Plain requests, one after another, as long as this is open; how long each took."""
    took: list[float] = []
    going = True

    def ask() -> None:
        while going:
            began = perf_counter()
            customer.get("/auth/me").raise_for_status()
            took.append(perf_counter() - began)
            sleep(0.01)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield took
        finally:
            going = False
            asking.result()


def _flood(customer: httpx.Client, conversation: str) -> None:
    with calling(customer, conversation) as phone:
        try:
            for _ in range(20_000):
                phone.socket.send(json.dumps({"action": "typing"}))
        except (OSError, websocket.WebSocketException):
            return


def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        process, address = stack.enter_context(serving(Path(folder)))
        customer, other = _signed_in(address, stack), _signed_in(address, stack)
        conversation = _opened(customer)
        with calling(customer, conversation):
            before = _resident(process.pid)
        with _requests(other) as quiet:
            sleep(2)
        with ExitStack() as open_:
            phones = [open_.enter_context(calling(customer, conversation)) for _ in range(SOCKETS)]
            print(f"memory of a socket: {(_resident(process.pid) - before) / SOCKETS * 1024:.0f} KiB")
            sleep(1)
            with _requests(other) as idle:
                sleep(2)
            with _requests(other) as busy:
                took = _fan_out(phones)
            print(f"one message to {SOCKETS} sockets: {_percent(took, 50)}, {_percent(took, 99)}")
        print(f"plain requests, no sockets: {_percent(quiet, 50)}, {_percent(quiet, 99)}")
        print(f"  beside {SOCKETS} idle ones: {_percent(idle, 50)}, {_percent(idle, 99)}")
        print(f"  while they are spoken to: {_percent(busy, 50)}, {_percent(busy, 99)}")
        sleep(1)
        before = _resident(process.pid)
        with _requests(other) as flooded, ThreadPoolExecutor(1) as pool:
            pool.submit(_flood, customer, conversation).result()
        grown = _resident(process.pid) - before
        print(f"  beside a flood: {_percent(flooded, 99)}; memory grew by {grown:.1f} MiB")
        with ExitStack() as open_:
            rooms = [open_.enter_context(calling(customer, _opened(customer))) for _ in range(SPEAKERS)]

            def talk(phone: Phone) -> None:
                for number in range(LINES):
                    phone.say(f"line {number}")

            began = perf_counter()
            with ThreadPoolExecutor(SPEAKERS) as pool:
                list(pool.map(talk, rooms))
            print(f"messages kept and acknowledged: {SPEAKERS * LINES / (perf_counter() - began):.0f} a second")


if __name__ == "__main__":
    main()
