"""A real server under bytes that are hardly HTTP: it answers or hangs up at once, forgets them, and goes on.

``FUZZ_INPUTS`` says how many (`nox -s fuzz`: 100,000); a failure names its seed, and ``FUZZ_SEED`` begins with it.
"""

import os
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.e2e.servers import serving
from tests.fuzz import inputs

FIRST = int(os.environ.get("FUZZ_SEED", "0"))
INPUTS = inputs.count(1000)
PATIENCE = 1.0
"""Seconds within which there is an answer to what is whole, or an end."""

MOST_GROWTH = 150 * 1024 * 1024
STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ", re.MULTILINE)


@dataclass
class Server:
    """A server process over a database file."""

    port: int
    pids: list[int]
    database: Path

    def connect(self) -> socket.socket:
        """A new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def rows(self) -> dict[str, int]:
        """How many rows there are, by table."""
        with closing(sqlite3.connect(self.database)) as database:
            names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}

    def memory(self) -> int:
        """Bytes that its processes hold."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) for pid in self.pids)
        return sum(pages) * os.sysconf("SC_PAGESIZE")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("instance")
    with serving(folder, LOG_LEVEL="ERROR") as (process, address):
        port = urlsplit(address).port
        assert port
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
        server = Server(port, [process.pid, *map(int, children.split())], folder / "store.db")
        _wait_for_the_worker(server)
        yield server
        assert process.poll() is None, "the server is gone"


def _wait_for_the_worker(server: Server) -> None:
    """Until it has made the invoices and counted the orders of the demo data."""
    until = time.monotonic() + 60
    before: dict[str, int] = {}
    while (rows := server.rows()) != before:
        assert time.monotonic() < until, "the worker does not come to rest"
        before = rows
        time.sleep(3)


def told(connection: socket.socket, sent: bytes) -> bytes:
    """What comes back before the server hangs up or waits for more."""
    answer = b""
    try:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65536):
            answer += part
    except (ConnectionError, BrokenPipeError):
        pass
    return answer


def healthy(server: Server) -> None:
    answer = httpx.get(f"http://127.0.0.1:{server.port}/health", trust_env=False, timeout=5)
    assert answer.status_code == 200


def test_bytes_that_are_hardly_http_harm_nothing(server: Server) -> None:
    for seed in range(100):
        with server.connect() as connection:
            told(connection, inputs.http(seed))
    rows, memory = server.rows(), server.memory()
    for seed in range(FIRST, FIRST + INPUTS):
        sent = inputs.http(seed)
        started = time.monotonic()
        with server.connect() as connection:
            try:
                answer = told(connection, sent)
            except TimeoutError:
                pytest.fail(f"FUZZ_SEED={seed}: no end within a second to {sent!r}")
        statuses = [int(status) for status in STATUS.findall(answer)]
        assert all(status < 500 or status in (501, 505) for status in statuses), (
            f"FUZZ_SEED={seed}: {sent!r}\n{answer!r}"
        )
        assert time.monotonic() - started < PATIENCE + 1, f"FUZZ_SEED={seed}: slow for {sent!r}"
    healthy(server)
    assert server.rows() == rows
    assert server.memory() - memory < MOST_GROWTH


def test_frames_that_are_none_harm_nothing(server: Server) -> None:
    body = {"message": "Hello", "guest_name": "Ada", "guest_email": "ada@example.com"}
    api = f"http://127.0.0.1:{server.port}/api/v1"
    opened = httpx.post(f"{api}/support/conversations", json=body, trust_env=False).json()
    upgrade = inputs.UPGRADE % (opened["id"].encode(), opened["token"].encode())
    rows, memory = server.rows(), server.memory()
    for seed in range(FIRST, FIRST + max(INPUTS // 5, 1)):
        sent = inputs.frames(seed)
        with server.connect() as connection:
            connection.sendall(upgrade)
            assert connection.recv(12) == b"HTTP/1.1 101", f"FUZZ_SEED={seed}: not let in"
            try:
                told(connection, sent)
            except TimeoutError:
                pytest.fail(f"FUZZ_SEED={seed}: no end within a second to {sent!r}")
    healthy(server)
    assert server.rows() == rows
    assert server.memory() - memory < MOST_GROWTH


@pytest.mark.parametrize("size", [b"zz", b"-1", b"", b"ffffffffffffffffff", b"5 5"])
def test_what_follows_broken_chunks_is_no_request(server: Server, size: bytes) -> None:
    head = b"POST /api/v1/orders/quote HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    sent = head + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    with server.connect() as connection:
        answer = told(connection, sent)
    assert STATUS.findall(answer)[:1] in ([b"400"], []), answer  # or it hangs up
    assert b'"status":"ok"' not in answer
