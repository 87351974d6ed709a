"""The servers: they take the port first, open the site after the fork, and finish what they began."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Semaphore

import httpx
import pytest

from webapp import chat, clients, server
from webapp.http.headers import CONTENT_SECURITY_POLICY, SECURITY
from webapp.http.parts import ChatLimits
from webapp.refusals import CantListen
from webapp.settings import Settings

PROJECT = Path(__file__).parents[2]
SERVERS = ["run_gunicorn", "run_werkzeug"]

PROGRAM = """
import os, signal, threading, time
from webapp import server
from webapp.settings import Settings

settings = Settings(port=0, workers=1, threads=4)
listener = server.listen(settings)
print(server.address_of(listener), flush=True)
started_in = os.getpid()

class Site:
    def __init__(self):
        self.opened_in = os.getpid()

    def app(self, environ, start_response):
        body = b"forked" if self.opened_in != started_in else b"same process"
        if environ["PATH_INFO"] == "/forwarded":
            body = environ["HTTP_X_FORWARDED_FOR"].encode()
        if environ["PATH_INFO"] == "/stop":
            os.kill(started_in, signal.SIGTERM)
            time.sleep(1)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    def finish(self):
        print("finishing", flush=True)

    def close(self):
        print("closed", flush=True)

server.{run}(settings, listener, Site)
"""


@pytest.fixture(params=SERVERS)
def program(request: pytest.FixtureRequest) -> str:
    return PROGRAM.replace("{run}", request.param)


def test_sigterm_lets_a_running_request_finish_and_closes_the_site(program: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            answer = httpx.get(f"{address}/stop", timeout=20)
            assert answer.status_code == 200
            assert answer.text == ("forked" if "gunicorn" in program else "same process")
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert out.split() == ["finishing", "closed"]
    assert err == ""


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[str, int]]:
    """The host and port of a running gunicorn."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("{run}", "run_gunicorn")], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            host, _, port = process.stdout.readline().strip().removeprefix("http://").partition(":")
            yield host, int(port)
        finally:
            process.terminate()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01 hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: rot13\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nX: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_with_a_problem(running: tuple[str, int], request_bytes: bytes) -> None:
    with socket.create_connection(running, timeout=10) as client:
        client.sendall(request_bytes + b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.count(b"HTTP/1.1 ") == 1, "nothing that follows is taken for a request"
    head, _, body = answer.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 400 BAD REQUEST")
    assert "Content-Type: application/problem+json" in head
    for name, value in (*SECURITY, ("Content-Security-Policy", CONTENT_SECURITY_POLICY)):
        assert f"{name}: {value}\r\n" in head
    assert "gunicorn/" not in head
    problem = json.loads(body)
    assert (problem["code"], problem["status"]) == ("bad-request", 400)
    assert problem["detail"]


def test_a_header_with_an_underscore_does_not_pass_for_one_of_a_proxy(running: tuple[str, int]) -> None:
    host, port = running
    sent = {"X-Forwarded-For": "192.0.2.1", "X_Forwarded_For": "192.0.2.2", "X-Forwarded_For": "192.0.2.3"}
    assert httpx.get(f"http://{host}:{port}/forwarded", headers=sent, timeout=10).text == "192.0.2.1"


POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
SLOW = {
    "says nothing": b"",
    "stops in the request line": b"GET /",
    "stops in the head": b"GET / HTTP/1.1\r\nHost: x\r\nX-",
    "stops before the body": POST + b"Content-Length: 100\r\n\r\n",
    "stops in the body": POST + b"Content-Length: 100\r\n\r\nhello",
    "says that the body is longer than it is": POST + b"Content-Length: 1048576\r\n\r\nhello",
    "stops in a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n64\r\nhello",
    "stops between chunks": POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "never hangs up": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "is no HTTP, and never hangs up": b"GET / HTTP/9.9\r\n\r\n",
}


@pytest.mark.parametrize("behaviour", SLOW)
def test_however_many_clients_are_slow_others_are_served(running: tuple[str, int], behaviour: str) -> None:
    host, port = running
    with ExitStack() as stack:
        for _ in range(server.SOCKETS + clients.WAITED_FOR + 100):
            client = stack.enter_context(socket.create_connection(running, timeout=10))
            client.sendall(SLOW[behaviour])
        for _ in range(5):
            assert httpx.get(f"http://{host}:{port}/", timeout=30).status_code == 200


def test_a_port_in_use_is_refused_with_a_way_out() -> None:
    with server.listen(Settings(port=0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(CantListen, match=f"127.0.0.1 port {port} is in use; .* PORT"):
            server.listen(Settings(port=port))


def test_a_host_that_is_not_ours_is_refused() -> None:
    with pytest.raises(CantListen, match=r"203\.0\.113\.1"):
        server.listen(Settings(host="203.0.113.1", port=0))
    with pytest.raises(CantListen, match=r"HOST: no\.such\.host\.invalid"):
        server.listen(Settings(host="no.such.host.invalid", port=0))


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "http://127.0.0.1"), ("0.0.0.0", "http://127.0.0.1")])
def test_the_address_is_one_that_a_browser_here_can_open(host: str, shown: str) -> None:
    with server.listen(Settings(host=host, port=0)) as listener:
        port = listener.getsockname()[1]
        assert server.address_of(listener) == f"{shown}:{port}"
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


def test_ipv6_is_written_in_brackets() -> None:
    assert socket.has_ipv6
    with server.listen(Settings(host="::1", port=0)) as listener:
        assert server.address_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"


def test_requests_take_turns_and_sockets_do_not_wait_for_them() -> None:
    working, enough = Semaphore(0), Event()

    def app(environ: dict[str, object], _start: object) -> Iterable[bytes]:
        working.release()
        if environ["PATH_INFO"] != server.SOCKETS_PATH:
            enough.wait(30)
        return []

    served = server.in_turn(app, 2)

    def ask(path: str) -> None:
        served({"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda *_: lambda _: None)

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, "/") for _ in range(3)]
        assert working.acquire(timeout=30)
        assert working.acquire(timeout=30)
        ask(server.SOCKETS_PATH)
        assert working.acquire(timeout=30)
        assert not working.acquire(blocking=False)
        enough.set()
        for each in asked:
            each.result()


def test_there_are_threads_for_every_socket() -> None:
    assert ChatLimits().sockets < server.SOCKETS
    assert chat.PATH == server.SOCKETS_PATH
