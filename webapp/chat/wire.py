"""One WebSocket over the socket of a request, worked by the one thread that serves it.

Nothing piles up: a message is taken off the socket when the one before is dealt with, and nothing is read while a
client leaves its answers unread. wsproto speaks the protocol; the bytes are moved here.
"""

import selectors
import socket
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

from h11 import ProtocolError
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from webapp.http.problems import BadRequest

MOST = 64 * 1024
"""Characters of a message; the longest that anybody may send takes fewer, however it is escaped."""
BURST, PER_SECOND = 300, 30
"""Frames that may come at once, and go on coming. More is a flood."""
PING_AFTER_SECONDS = 25.0
SILENCE_SECONDS = 60.0
"""A client that has not even answered a ping for so long is gone."""
UNREAD = 64 * 1024
"""Bytes that the kernel keeps for a client that does not read."""
GOODBYE_SECONDS = 1.0
"""How long a client may take to read why it is sent away."""
_CHUNK = 4096  # inflated, it can grow to a thousand times as much before it is measured
_Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.DefaultSelector)  # takes no file


class Left(Exception):  # noqa: N818 - no error: everybody leaves
    """The client has gone, or is not there any more as far as anybody can tell."""


class Broken(Exception):  # noqa: N818 - named after what the client did
    """The client breaks the rules of the protocol, and is to be sent away with a ``code``."""

    def __init__(self, code: int, why: str) -> None:
        self.code = code
        super().__init__(why)


class _Inflating(PerMessageDeflate):
    """Takes compressed messages and sends plain ones, so that nothing is kept, or done 200 times, for each client."""

    def __init__(self) -> None:
        super().__init__(client_no_context_takeover=True, server_no_context_takeover=True)

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,  # noqa: ARG002 - wsproto's signature
        opcode: Opcode,  # noqa: ARG002 - the same
        rsv: RsvBits,
        data: bytes,
        fin: bool,  # noqa: ARG002 - the same
    ) -> tuple[RsvBits, bytes]:
        return rsv, data


class Wire:
    """Messages in and out. Only :meth:`wake` may be called by other threads.

    A client that reads nothing for ``patience`` seconds while something waits for it is dropped.
    """

    def __init__(self, environ: Mapping[str, Any], *, patience: float) -> None:
        self._patience = patience
        self._ws, self._answer = _handshake(environ)
        self._sock: socket.socket = environ.get("gunicorn.socket") or environ["werkzeug.socket"]
        self._out = bytearray()
        self._parts: list[str | bytes | bytearray] = []
        self._length = 0
        self._allowance = float(BURST)
        self._counted = self._heard = self._pinged = self._moved = monotonic()
        self._bell, self._button = socket.socketpair()
        self._selector = _Selector()

    def open(self) -> None:
        """Answer 101."""
        for each in (self._sock, self._bell, self._button):
            each.setblocking(False)
        with suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD)
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(self._sock, selectors.EVENT_READ)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._put(self._answer)

    def idle(self) -> bool:
        """Whether everything that was sent is on its way."""
        return not self._out

    def wake(self) -> None:
        """Make :meth:`receive` return soon."""
        with suppress(OSError):  # woken already, or closed
            self._button.send(b"!")

    def send(self, text: str) -> None:
        """Say something. Raises ``Left``."""
        self._put(self._ws.send(TextMessage(data=text)))

    def receive(self, timeout: float) -> bytes | None:
        """The next message; None when there was none for so long, or something else is to be done.

        Raises ``Left``, and ``Broken`` for what is too long, too much, or no proper frame.
        """
        if self.idle() and (message := self._next()) is not None:
            return message
        waiting = selectors.EVENT_WRITE if self._out else selectors.EVENT_READ
        self._selector.modify(self._sock, waiting)
        ready = {key.fileobj for key, _ in self._selector.select(max(0.0, min(timeout, self._due() - monotonic())))}
        if self._bell in ready:
            with suppress(OSError):
                self._bell.recv(_CHUNK)
        if self._sock in ready:
            if self._out:
                self._flush()
            else:
                self._take()
        self._look_at_the_clock()
        return self._next() if self.idle() else None

    def _due(self) -> float:
        return self._moved + self._patience if self._out else max(self._heard, self._pinged) + PING_AFTER_SECONDS

    def _look_at_the_clock(self) -> None:
        now = monotonic()
        if self._out:
            if now - self._moved >= self._patience:
                raise Left("it reads nothing")
        elif now - self._heard >= SILENCE_SECONDS:
            raise Left("it is silent")
        elif now - max(self._heard, self._pinged) >= PING_AFTER_SECONDS:
            self._pinged = now
            self._put(self._ws.send(Ping()))

    def _take(self) -> None:
        try:
            received = self._sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            raise Left(str(error)) from None
        if not received:
            raise Left("it hung up")
        self._heard = monotonic()
        try:
            self._ws.receive_data(received)
        except RemoteProtocolError as error:
            raise Broken(CloseReason.PROTOCOL_ERROR, str(error)) from None

    def _next(self) -> bytes | None:
        """A whole message out of what has been taken."""
        for event in self._ws.events():
            if (message := self._dealt_with(event)) is not None:
                return message
            if self._out:
                break
        return None

    def _dealt_with(self, event: Event) -> bytes | None:
        match event:
            case CloseConnection() if self._ws.state is ConnectionState.OPEN:  # wsproto's own words for a bad frame
                raise Broken(event.code, event.reason or "This is no proper frame.")
            case CloseConnection():
                with suppress(LocalProtocolError):
                    self._put(self._ws.send(event.response()))
                raise Left("it said good-bye")
            case Ping():
                self._count()
                self._put(self._ws.send(event.response()))
            case Pong():
                self._count()
            case TextMessage() | BytesMessage():
                return self._gathered(event)
        return None

    def _gathered(self, event: TextMessage | BytesMessage) -> bytes | None:
        if event.frame_finished:
            self._count()
        self._length += len(event.data)
        if self._length > MOST:
            raise Broken(CloseReason.MESSAGE_TOO_BIG, f"A message has at most {MOST} bytes.")
        if event.data:  # a message of empty fragments without end is nothing to be kept
            self._parts.append(event.data)
        if not event.message_finished:
            return None
        parts, self._parts, self._length = self._parts, [], 0
        return b"".join(part.encode() if isinstance(part, str) else part for part in parts)

    def _count(self) -> None:
        now = monotonic()
        self._allowance = min(BURST, self._allowance + (now - self._counted) * PER_SECOND) - 1
        self._counted = now
        if self._allowance < 0:
            raise Broken(CloseReason.POLICY_VIOLATION, "Too many frames, too fast.")

    def _put(self, data: bytes) -> None:
        if not self._out:
            self._moved = monotonic()
        self._out += data
        self._flush()

    def _flush(self) -> None:
        try:
            sent = self._sock.send(self._out)
        except BlockingIOError:
            return
        except OSError as error:
            raise Left(str(error)) from None
        if sent:
            self._moved = monotonic()
            del self._out[:sent]

    def close(self, code: int | None = None, why: str = "") -> None:
        """Hang up: with a ``code``, after having said so to a client that listens."""
        if code is not None:
            with suppress(Left, LocalProtocolError, OSError):
                self._say_goodbye(code, why)
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        for each in (self._selector, self._bell, self._button):
            each.close()

    def _say_goodbye(self, code: int, why: str) -> None:
        self._put(self._ws.send(CloseConnection(code=code, reason=why[:100])))
        self._selector.unregister(self._bell)
        until = monotonic() + GOODBYE_SECONDS
        while self._out and self._ready(selectors.EVENT_WRITE, until):
            self._flush()
        self._sock.shutdown(socket.SHUT_WR)
        while self._ready(selectors.EVENT_READ, until):  # what it sent before it heard: unread, it would cut us short
            if not self._sock.recv(UNREAD):
                return

    def _ready(self, what: int, until: float) -> bool:
        self._selector.modify(self._sock, what)
        return bool(self._selector.select(max(0.0, until - monotonic()))) and monotonic() < until


def _handshake(environ: Mapping[str, Any]) -> tuple[WSConnection, bytes]:
    """Read a request to upgrade; the protocol and the answer 101. Raises ``BadRequest``."""
    names = ("connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions")
    given = {name: environ.get(f"HTTP_{name.upper().replace('-', '_')}", "") for name in names}
    headers = [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value]
    ws = WSConnection(ConnectionType.SERVER)
    try:
        ws.initiate_upgrade_connection([(b"host", b"shop"), *headers], "/")
        if isinstance(next(ws.events(), None), Request):
            return ws, ws.send(AcceptConnection(extensions=[_Inflating()]))
    except (RemoteProtocolError, ProtocolError, ValueError) as error:
        raise BadRequest(f"This is no proper request for a WebSocket: {error}.") from None
    raise BadRequest("This is no proper request for a WebSocket.")
