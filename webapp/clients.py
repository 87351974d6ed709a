"""Slow clients: none keeps a thread of the server for long, and however many there are, others are served.

A client that is waited for has a grace of ``GRACE_SECONDS``, and then has to move ``BYTES_A_SECOND`` on average; at
most ``WAITED_FOR`` are waited for at a time, and for another one the slowest is cut off. Who is quick notices nothing.
"""

import errno
import select
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BufferedReader, BytesIO, RawIOBase
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

if TYPE_CHECKING:
    from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

    from _typeshed import ReadableBuffer

Moved = TypeVar("Moved")

GRACE_SECONDS = 8.0
BYTES_A_SECOND = 8 * 1024

WAITED_FOR = 64
"""How many clients threads wait for at the same time; so many threads are there for nothing else."""

LINGER_SECONDS = 1.0
"""How long a client may take to hang up once it has its last answer."""

SMALL = 1024 * 1024
"""Bytes of a body that is read before the request takes its turn."""

UPLOADS = 8
"""Larger bodies that arrive at the same time; they take no turns from other requests."""


class Waiting:
    """The clients that threads wait for."""

    def __init__(self, most: int = WAITED_FOR) -> None:
        self._most = most
        self._lock = Lock()
        self._clients: set[Client] = set()

    def begin(self, client: "Client") -> None:
        """Wait for one more; the slowest has to go if there are too many."""
        with self._lock:
            self._clients.add(client)
            if len(self._clients) > self._most:
                slowest = max(self._clients - {client}, key=lambda each: each.waited_for)
                self._clients.discard(slowest)
                slowest.cut()

    def end(self, client: "Client") -> None:
        """It moved, or is given up."""
        with self._lock:
            self._clients.discard(client)

    def cut(self) -> None:
        """Wait for nobody any more."""
        with self._lock:
            for client in self._clients:
                client.cut()


class Client(socket.socket):
    """A client's connection, which raises ``ConnectionResetError`` where a blocking one would wait for too long.

    It takes the place of ``sock``. Where it does not block (in a poller, as a WebSocket) it is like any other.
    """

    def __init__(self, sock: socket.socket, waiting: Waiting, *, grace: float = GRACE_SECONDS) -> None:
        super().__init__(sock.family, sock.type, sock.proto, fileno=sock.detach())
        self._waiting = waiting
        self._grace = grace
        self._moved = 0
        self._waited = 0.0
        self._since: float | None = None

    @property
    def waited_for(self) -> float:
        """Seconds, since :meth:`begin`."""
        since = self._since
        return self._waited + (monotonic() - since if since is not None else 0.0)

    def begin(self) -> None:
        """What comes now is another matter: a request, a body, an answer."""
        self._moved, self._waited = 0, 0.0

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """What has arrived, after waiting for it."""
        receive = super().recv
        return self._patiently(lambda: receive(bufsize, flags), len, select.POLLIN)

    def sendall(self, data: "ReadableBuffer", flags: int = 0, /) -> None:
        """Send everything, as quickly as it is read."""
        send, left = super().send, memoryview(data).cast("B")
        self.begin()
        while left:
            sent = self._patiently(lambda: send(left, flags), int, select.POLLOUT)  # noqa: B023 - called at once
            left = left[sent:]

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a file's bytes from where it is, or from an offset."""
        if offset:
            file.seek(offset)
        sent = 0
        while piece := file.read(min(65536, 65536 if count is None else count - sent)):
            self.sendall(piece)
            sent += len(piece)
        return sent

    def part(self) -> None:
        """Hang up once the client has read its answer: closed at once, what it still sends would cut that short."""
        with suppress(OSError):
            self.shutdown(socket.SHUT_WR)
            self._grace = LINGER_SECONDS
            self.begin()
            until = monotonic() + LINGER_SECONDS
            while monotonic() < until and self.recv(65536):
                pass
            self.shutdown(socket.SHUT_RD)

    def cut(self) -> None:
        """Break it off; who waits for it is told."""
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def _patiently(self, move: Callable[[], Moved], size: Callable[[Moved], int], event: int) -> Moved:
        given = self.gettimeout()
        if given == 0.0:
            return move()
        self.setblocking(False)
        try:
            while True:
                with suppress(BlockingIOError):
                    moved = move()
                    self._moved += size(moved)
                    return moved
                self._wait(event, given)
        finally:
            self.settimeout(given)

    def _wait(self, event: int, given: float | None) -> None:
        left = self._grace + self._moved / BYTES_A_SECOND - self._waited
        seconds = left if given is None else min(left, given)
        poll = select.poll()
        poll.register(self, event)
        self._since = monotonic()
        self._waiting.begin(self)
        try:
            ready = seconds > 0 and poll.poll(seconds * 1000)
        finally:
            self._waiting.end(self)
            self._waited, self._since = self.waited_for, None
        if not ready:
            if seconds < left:
                raise TimeoutError(errno.ETIMEDOUT, "nothing came in time")
            raise ConnectionResetError(errno.ECONNRESET, "the client is too slow")


def unhurried(app: "WSGIApplication", in_turn: "WSGIApplication", *, uploads: int = UPLOADS) -> "WSGIApplication":
    """``in_turn``, an app that is asked in turns, for requests whose body is there: a slow one keeps no turn.

    What is left of a body larger than ``SMALL`` is for ``app`` to read; so many ``uploads`` run at a time, and who
    comes too many gets 503.
    """
    uploading = BoundedSemaphore(uploads)

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        length = SMALL + 1 if chunked else int(environ.get("CONTENT_LENGTH") or 0)
        body = b""
        if chunked or 0 < length <= SMALL:
            body = environ["wsgi.input"].read(length)
            if len(body) < length and not chunked:
                raise ConnectionResetError(errno.ECONNRESET, "the client hung up")
        if len(body) <= SMALL and (chunked or length <= SMALL):
            environ["wsgi.input"] = BytesIO(body)
            return in_turn(environ, start_response)
        if not uploading.acquire(blocking=False):
            return _busy(environ, start_response)
        environ["wsgi.input"] = BufferedReader(_Both(body, environ["wsgi.input"]))
        try:
            return app(environ, start_response)
        finally:
            uploading.release()

    return answer


class _Both(RawIOBase):
    """What was read of a body already, and the rest of it."""

    def __init__(self, begun: bytes, rest: "InputStream") -> None:
        self._begun = begun
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        piece = self._begun[: len(into)] or self._rest.read(len(into))
        self._begun = self._begun[len(piece) :]
        into[: len(piece)] = piece
        return len(piece)


def _busy(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
    from storecore.errors import Unavailable
    from webapp.http.problems import problem

    why = Unavailable("Too many files are on their way; send it again shortly.")
    return problem(why, request_id=uuid4().hex)(environ, start_response)
