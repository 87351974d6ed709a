"""The client's end of a live conversation."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx
import websocket

WAIT = 10
"""Seconds after which a frame is not coming any more."""

_names = count(1)


class Phone:
    """A socket that reads frames one after another."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    def read(self) -> dict[str, Any]:
        """The next frame. Fails when the socket is closed."""
        opcode, data = self.socket.recv_data()
        assert opcode == websocket.ABNF.OPCODE_TEXT, (opcode, data)
        frame: dict[str, Any] = json.loads(data)
        self.frames.append(frame)
        return frame

    def until(self, kind: str, **members: Any) -> dict[str, Any]:
        """Read to the first frame of a kind with these members."""
        while True:
            frame = self.read()
            if frame["type"] == kind and members.items() <= frame.items():
                return frame

    def do(self, action: str, **members: Any) -> None:
        """Send a frame."""
        self.socket.send(json.dumps({"action": action, **members}))

    def say(self, body: str, client_id: str | None = None) -> dict[str, Any]:
        """Say something; the frame that acknowledges it."""
        name = client_id or f"{id(self)}-{next(_names)}"
        self.do("send_message", body=body, client_id=name)
        return self.until("message", client_id=name)

    @property
    def number(self) -> int:
        """Of its file, to wait for."""
        return int(self.socket.fileno())  # type: ignore[no-untyped-call] # the library ships no types for it

    def hang_up(self) -> None:
        """Cut the connection without a word."""
        self.socket.shutdown()  # type: ignore[no-untyped-call] # the library ships no types for it

    def goodbye(self) -> int:
        """Read until the server hangs up; the code it gives."""
        while True:
            frame = self.socket.recv_frame()  # type: ignore[no-untyped-call] # the library ships no types for it
            if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(frame.data[:2], "big")
            if frame.opcode == websocket.ABNF.OPCODE_TEXT:
                self.frames.append(json.loads(frame.data))


def address_of(api: str) -> str:
    """Where the socket of a server is, whose API is at an address."""
    return f"{api.replace('http://', 'ws://').rstrip('/')}/support/ws"


def headers_of(client: httpx.Client) -> list[str]:
    """What a client sends to be recognised."""
    headers = [f"{name}: {client.headers[name]}" for name in ("Authorization",) if name in client.headers]
    if client.cookies:
        headers.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in client.cookies.items()))
    return headers


@contextmanager
def calling(
    client: httpx.Client, conversation_id: str | None = None, *, greeted: bool = True, **options: Any
) -> Iterator[Phone]:
    """A socket of a client, in a conversation or at the queue; with ``greeted``, after its first frame."""
    query = f"?conversation_id={conversation_id}" if conversation_id is not None else ""
    options.setdefault("header", [])
    options["header"] = [*headers_of(client), *options["header"]]
    socket = websocket.create_connection(address_of(str(client.base_url)) + query, timeout=WAIT, **options)
    phone = Phone(socket)
    try:
        if greeted:
            phone.read()
        yield phone
    finally:
        socket.close(timeout=1)
        phone.hang_up()
