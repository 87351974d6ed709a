"""How long clients are waited for, and how many."""

import errno
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from webapp.clients import SMALL, Client, Waiting, unhurried

BRIEF = 0.05


@contextmanager
def connected(waiting: Waiting | None = None, grace: float = 30.0) -> Iterator[tuple[Client, socket.socket]]:
    """The server's end of a connection, and its client's."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(30)
    with Client(ours, waiting or Waiting(), grace=grace) as client, theirs:
        yield client, theirs


def test_what_comes_is_received_and_what_is_sent_arrives() -> None:
    with connected() as (client, theirs), ThreadPoolExecutor(1) as pool:
        theirs.sendall(b"hello")
        assert client.recv(3) == b"hel"
        assert client.recv(30) == b"lo"
        got = pool.submit(lambda: b"".join(iter(lambda: theirs.recv(65536), b"")))
        client.sendall(b"x" * 3_000_000)
        client.shutdown(socket.SHUT_WR)
        assert got.result() == b"x" * 3_000_000


@pytest.mark.parametrize("hurried", [0.0, BRIEF])
def test_a_client_that_says_nothing_is_given_up(hurried: float) -> None:
    with connected(grace=hurried) as (client, _), pytest.raises(ConnectionResetError, match="too slow"):
        client.recv(10)


def test_a_client_that_trickles_is_given_up_as_well() -> None:
    with connected(grace=BRIEF) as (client, theirs), ThreadPoolExecutor(1) as pool:
        heard = pool.submit(lambda: [client.recv(1) for _ in range(100_000)])
        while not heard.done():
            theirs.sendall(b"x")
            Event().wait(BRIEF / 10)
        with pytest.raises(ConnectionResetError, match="too slow"):
            heard.result()


def test_what_moves_buys_time_and_another_matter_begins_anew() -> None:
    with connected(grace=0.0) as (client, theirs):
        theirs.sendall(b"x" * 65536)
        assert len(client.recv(65536)) == 65536
        with ThreadPoolExecutor(1) as pool:
            more = pool.submit(client.recv, 10)  # it may wait for as long as a slow line takes for what came
            theirs.sendall(b"more")
            assert more.result() == b"more"
        client.begin()
        with pytest.raises(ConnectionResetError):
            client.recv(10)


def test_a_client_that_does_not_read_is_given_up() -> None:
    with connected(grace=BRIEF) as (client, _), pytest.raises(ConnectionResetError):
        client.sendall(b"x" * 50_000_000)


def test_a_file_is_sent_from_where_it_is_and_no_more_than_asked(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 20_000)
    with connected() as (client, theirs), path.open("rb") as file, ThreadPoolExecutor(1) as pool:
        got = pool.submit(lambda: b"".join(iter(lambda: theirs.recv(65536), b"")))
        file.seek(5)
        assert client.sendfile(file, count=100_000) == 100_000
        assert client.sendfile(file, 199_990) == 10
        client.shutdown(socket.SHUT_WR)
        assert got.result() == (b"5678901234" * 10_000) + b"0123456789"


def test_a_poller_is_not_kept_waiting() -> None:
    with connected() as (client, _):
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(10)
        client.settimeout(BRIEF)
        with pytest.raises(TimeoutError):
            client.recv(10)
        assert client.gettimeout() == BRIEF


def test_for_one_too_many_the_slowest_has_to_go() -> None:
    waiting = Waiting(most=2)
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(3))
        pairs = [stack.enter_context(connected(waiting)) for _ in range(3)]
        heard = []
        for client, _ in pairs:
            heard.append(pool.submit(client.recv, 10))
            while client.waited_for == 0.0 and not heard[-1].done():
                pass
        assert heard[0].result(30) == b""
        for (_, theirs), each in list(zip(pairs, heard, strict=True))[1:]:
            assert not each.done()
            theirs.sendall(b"here")
            assert each.result(30) == b"here"


def test_at_the_end_nobody_is_waited_for() -> None:
    waiting = Waiting()
    with connected(waiting) as (client, _), ThreadPoolExecutor(1) as pool:
        heard = pool.submit(client.recv, 10)
        while client.waited_for == 0.0:
            pass
        waiting.cut()
        assert heard.result(30) == b""


def test_parting_lets_the_client_read_its_answer_first() -> None:
    with connected() as (client, theirs), ThreadPoolExecutor(1) as pool:
        theirs.sendall(b"never read" * 100)
        client.sendall(b"answer")
        parted = pool.submit(client.part)
        assert theirs.recv(100) == b"answer"
        assert theirs.recv(100) == b""
        theirs.close()
        parted.result(30)


class Asked:
    """An app that reads its body, and remembers it."""

    def __init__(self, go_on: Event | None = None) -> None:
        self.bodies: list[bytes] = []
        self.begun, self.go_on = Event(), go_on

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.begun.set()
        if self.go_on is not None:
            self.go_on.wait(30)
        self.bodies.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return []


def posted(body: bytes, length: int | None) -> dict[str, Any]:
    """A request with a body of a known length, or in chunks."""
    sized = {"HTTP_TRANSFER_ENCODING": "chunked"} if length is None else {"CONTENT_LENGTH": str(length)}
    return {"wsgi.input": BytesIO(body), "REQUEST_METHOD": "POST", **sized}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, SMALL + 1, 3 * SMALL])
def test_small_bodies_arrive_before_the_turn_and_large_ones_take_none(size: int, known: bool) -> None:
    whole, in_turn = Asked(), Asked()
    body = bytes(size)
    unhurried(whole, in_turn)(posted(body, size if known else None), lambda *_: lambda _: None)
    assert (in_turn.bodies, whole.bodies) == (([body], []) if size <= SMALL else ([], [body]))


def test_a_body_that_ends_early_is_no_request() -> None:
    asked = Asked()
    with pytest.raises(ConnectionResetError) as caught:
        unhurried(asked, asked)(posted(b"half", 8), lambda *_: lambda _: None)
    assert caught.value.errno == errno.ECONNRESET
    assert asked.bodies == []


def test_uploads_beyond_the_bound_are_told_to_come_again() -> None:
    go_on, statuses = Event(), list[str]()
    app = Asked(go_on)
    served = unhurried(app, app, uploads=1)
    large = bytes(SMALL + 1)

    def answered(status: str, *_: Any) -> Any:
        statuses.append(status)

    def ask() -> None:
        served(posted(large, len(large)), answered)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask)
        assert app.begun.wait(30)
        ask()
        assert statuses == ["503 SERVICE UNAVAILABLE"]
        go_on.set()
        first.result()
    ask()
    assert statuses[1:] == ["200 OK", "200 OK"]
