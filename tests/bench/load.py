"""A small load generator: so many keep-alive connections, each sending its next request when the last is answered.

It runs in one process on raw sockets, so that it costs little beside the server it measures. It speaks to this
machine only, sends a fixed number of requests and stops.
"""

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was measured: requests per second, latencies in seconds, and answers by status."""

    rate: float
    p50: float
    p99: float
    statuses: Counter[int]


def get(path: str, **headers: str) -> bytes:
    """A GET request as bytes."""
    return _request("GET", path, b"", headers)


def post(path: str, body: bytes, **headers: str) -> bytes:
    """A POST request of JSON as bytes."""
    return _request("POST", path, body, {"Content-Type": "application/json", **headers})


def _request(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status of a complete answer, None while some of it is missing."""
        self.received += self.socket.recv(1 << 16)
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(
            next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")).split(b":")[1]
        )
        if len(body) < length:
            return None
        self.received = b""
        return int(head[9:12])


def run(port: int, requests: Iterator[bytes], *, count: int, connections: int = 16) -> Result:
    """Send ``count`` requests over so many connections and measure."""
    todo = islice(requests, count)
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    with selectors.DefaultSelector() as ready:
        started = time.perf_counter()
        for request in islice(todo, connections):
            connection = _Connection(port)
            ready.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(request)
        while ready.get_map():
            for key, _ in ready.select(timeout=30):
                connection = key.data
                status = connection.receive()
                if status is None:
                    continue
                latencies.append(time.perf_counter() - connection.sent_at)
                statuses[status] += 1
                following = next(todo, None)
                if following is None:
                    ready.unregister(connection.socket)
                    connection.socket.close()
                else:
                    connection.send(following)
        took = time.perf_counter() - started
    latencies.sort()
    return Result(
        rate=len(latencies) / took,
        p50=latencies[len(latencies) // 2],
        p99=latencies[int(len(latencies) * 0.99)],
        statuses=statuses,
    )
