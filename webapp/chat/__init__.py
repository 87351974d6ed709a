"""Live conversations: the WebSocket ``/api/v1/support/ws``.

A request is judged before it is upgraded, and refused with a problem like any other. Each socket then has the thread of
its request to itself, so there is a limit to their number (``Parts.chat``). One more thread wakes them
(:mod:`webapp.chat.watch`); each sends what its client has not seen yet (:mod:`webapp.chat.connection`), read once for
all who watch the same (:mod:`webapp.chat.rooms`), at the pace at which that client reads (:mod:`webapp.chat.wire`).
"""

import errno
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Condition, Event
from typing import Any

import structlog
from flask import Flask, Request, Response, request

from storecore.accounts.model import Actor, Guest
from storecore.accounts.permissions import Permission
from storecore.errors import TooManyRequests, Unavailable
from storecore.support.telling import topic
from webapp import limits
from webapp.chat import frames
from webapp.chat.connection import Connection, Conversing, Queueing, SentAway
from webapp.chat.rooms import Queue, Room
from webapp.chat.watch import Watch
from webapp.chat.wire import Broken, Left, Wire
from webapp.http import limiting
from webapp.http.parts import Parts
from webapp.sessions import Caller, Sessions, Who, admit

PATH = "/api/v1/support/ws"

SEAT_SECONDS = 10
"""When to try again for a socket, at the soonest: one that is lost is noticed after a minute at the latest."""

GOING_AWAY, INTERNAL, TRY_AGAIN = 1001, 1011, 1013

log = structlog.get_logger("storecore.chat")


class Chat:
    """Everybody at a socket of this process. Nothing runs until the first comes."""

    def __init__(self, parts: Parts, sessions: Sessions) -> None:
        self._store, self.limits, self._sessions = parts.store, parts.chat, sessions
        self._metrics = parts.metrics
        self.queue = Queue(parts.store.support, parts.chat.queue)
        self._rooms: dict[str, Room] = {}
        self._connections: set[Connection] = set()
        self._seats = Counter[str | None]()
        self._changed = Condition()
        self._finishing = Event()
        self._watch: Watch | None = None

    def rooms(self) -> Iterable[Room]:
        """Every conversation that somebody watches here."""
        with self._changed:
            return tuple(self._rooms.values())

    def room(self, name: str) -> Room | None:
        """The room of a topic."""
        return self._rooms.get(name)

    def connections(self) -> Collection[Connection]:
        """Everybody at a socket."""
        with self._changed:
            return tuple(self._connections)

    def turn_out(self) -> None:
        """Close every socket if the server ends."""
        if self._finishing.is_set():
            for each in self.connections():
                each.send_away(GOING_AWAY, Unavailable("The shop's server is going away; connect again."))

    def finish(self) -> None:
        """The server is about to end: sockets are closed, and no more are opened."""
        self._finishing.set()

    def close(self, wait: float) -> None:
        """End what runs, after waiting at most so many seconds for sockets to close."""
        self.finish()
        with self._changed:
            self._changed.wait_for(lambda: not self._connections, wait)
        if self._watch is not None:
            self._watch.stop()

    def answer(self) -> Response:
        """Judge a request; talk until its socket closes."""
        self._sessions.refuse_foreign(request)
        caller = self._sessions.caller(request, Who.PARTY)
        request.environ["storecore.user_id"] = caller.by.id
        conversation_id = request.args.get("conversation_id")
        if conversation_id is None:
            admit(caller.by, Who.PARTY, (Permission.SUPPORT_AGENT,))
        else:
            admit(caller.by, Who.PARTY, ())
            self._store.support.get(by=caller.by, conversation_id=conversation_id)
        if self._finishing.is_set():
            raise Unavailable("The shop's server is going away.")
        with self._seat(caller.by):
            return self._serve(caller, conversation_id)

    @contextmanager
    def _seat(self, by: Actor) -> Iterator[None]:
        """One of the sockets that somebody may have here. Raises ``TooManyRequests``."""
        who = by.conversation_id if isinstance(by, Guest) else by.id
        with self._changed:
            each = self.limits.each
            if each is not None and self._seats[who] >= each:
                raise TooManyRequests(f"You have {each} live conversations open; close one.", retry_after=SEAT_SECONDS)
            self._seats[who] += 1
        try:
            yield
        finally:
            with self._changed:
                self._seats[who] -= 1
                if not self._seats[who]:
                    del self._seats[who]

    def _serve(self, caller: Caller, conversation_id: str | None) -> Response:
        wire = Wire(request.environ, patience=self.limits.patience)
        code, why = None, ""
        try:
            wire.open()
            with self._connected(wire, caller, conversation_id) as connection:
                connection.serve()
        except Left as left:
            log.debug("socket closed", why=str(left))
        except Broken as broken:
            code, why = broken.code, str(broken)
        except SentAway as sent:
            code, why = sent.code, sent.why.message
            with suppress(Left):
                wire.send(frames.error(sent.why, request.environ["storecore.request_id"]))
        except Exception:
            log.exception("socket failed")
            code, why = INTERNAL, "Something went wrong on our side."
        finally:
            wire.close(code, why)
        return _Ended(status=101)

    @contextmanager
    def _connected(self, wire: Wire, caller: Caller, conversation_id: str | None) -> Iterator[Connection]:
        asked: Request = request._get_current_object()  # type: ignore[attr-defined] # the proxy's own way to its object
        who: dict[str, Any] = {
            "by": caller.by,
            "session_id": caller.session_id,
            "request_id": request.environ["storecore.request_id"],
        }
        with self._changed:
            if len(self._connections) >= self.limits.sockets:
                raise SentAway(TRY_AGAIN, Unavailable("Too many people are connected; try again in a moment."))
            self._start()
            connection: Connection
            here: Room | Queue = self.queue
            if conversation_id is None:
                connection = Queueing(wire, self.queue, **who)
            else:
                name = topic(conversation_id)
                here = self._rooms.setdefault(name, Room(conversation_id, self._store.support))
                spend = partial(limiting.said, self._store, asked, limits.MESSAGES)
                history = self.limits.history
                connection = Conversing(wire, here, self._store.support, history=history, spend=spend, **who)
            self._connections.add(connection)
            here.watchers.add(connection)
            self._metrics.sockets(len(self._connections))
        try:
            yield connection
        finally:
            with self._changed:
                self._connections.discard(connection)
                here.watchers.discard(connection)
                self._metrics.sockets(len(self._connections))
                if isinstance(here, Room) and not here.watchers:
                    self._rooms.pop(topic(here.conversation_id), None)
                self._changed.notify_all()

    def _start(self) -> None:
        if self._watch is None:
            self._watch = Watch(self._store, self)
            self._watch.start()


class _Ended(Response):
    """The answer that was given already: the server is to write nothing, and forget the connection."""

    def __call__(self, *_: Any) -> Any:
        raise BrokenPipeError(errno.EPIPE, "the WebSocket has been closed")


def install(app: Flask, parts: Parts, sessions: Sessions) -> Chat:
    """Answer the socket's address in an app."""
    chat = Chat(parts, sessions)
    app.add_url_rule(PATH, "support.ws", chat.answer, methods=["GET"], websocket=True)
    app.extensions["storecore.chat"] = chat
    return chat
