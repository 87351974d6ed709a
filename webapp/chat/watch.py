"""The thread that wakes the sockets of this process: by events, and by looking, since events may be lost."""

from collections.abc import Iterable
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Protocol

import structlog

from storecore.errors import SessionEnded, StoreError, Unavailable
from storecore.ports import Event, Listener
from storecore.store import Store
from storecore.support.telling import QUEUE, typing_in
from webapp.chat.connection import Connection
from webapp.chat.rooms import Queue, Room

LOOK_EVERY_SECONDS = 0.5
"""How late a lost event is made good for, and how long somebody who was banned may stay, at most."""

SIGNED_OUT = 4401
"""Closes the sockets of a session that has ended."""

log = structlog.get_logger("storecore.chat")


class House(Protocol):
    """What is watched."""

    queue: Queue

    def rooms(self) -> Iterable[Room]:
        """Every conversation that somebody watches here."""

    def room(self, name: str) -> Room | None:
        """The room of a topic."""

    def connections(self) -> Iterable[Connection]:
        """Everybody at a socket."""

    def turn_out(self) -> None:
        """The server ends if it was told to: so do the sockets."""


class Watch:
    """One for all sockets of a process, however many: a listener, and three statements every half a second."""

    def __init__(self, store: Store, house: House) -> None:
        self._store, self._house = store, house
        self._stopping = Flag()
        self._thread = Thread(target=self._run, name="chat", daemon=True)

    def start(self) -> None:
        """Begin. After the fork: the first socket does."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._store.support.hub.listen() as listener:
                    self._everything_changed()
                    self._hear(listener)
            except StoreError as down:
                log.warning("no events: looking for news instead", error=down.message)
            except Exception:
                log.exception("the watch over the sockets failed")
            self._look()
            self._stopping.wait(LOOK_EVERY_SECONDS)

    def _hear(self, listener: Listener) -> None:
        due = 0.0
        while not (self._stopping.is_set() or listener.ended):
            event = listener.next(max(0.0, due - monotonic()))
            if listener.missed:
                self._everything_changed()
            if event is not None:
                self._pass_on(event)
            if monotonic() >= due:
                self._look()
                due = monotonic() + LOOK_EVERY_SECONDS

    def _pass_on(self, event: Event) -> None:
        if event.topic == QUEUE:
            self._look_at_queue()
        elif (room := self._house.room(event.topic)) is not None:
            if (side := typing_in(event)) is not None:
                room.typing(side)
            else:
                room.changed()

    def _everything_changed(self) -> None:
        for room in self._house.rooms():
            room.changed()

    def _look(self) -> None:
        self._house.turn_out()
        try:
            self._look_at_rooms()
            self._look_at_people()
            self._look_at_queue()
        except Unavailable as down:
            log.warning("sockets are not looked after", error=down.message)

    def _look_at_rooms(self) -> None:
        rooms = {room.conversation_id: room for room in self._house.rooms()}
        if not rooms:
            return
        versions = self._store.support.versions(conversation_ids=rooms.keys())
        for conversation_id, room in rooms.items():
            if room.version != versions.get(conversation_id):  # one that was erased has none
                room.changed()

    def _look_at_people(self) -> None:
        sockets = [(each.session_id, each) for each in self._house.connections() if each.session_id is not None]
        if not sockets:
            return
        people = self._store.accounts.signed_in(session_ids={session_id for session_id, _ in sockets})
        for session_id, each in sockets:
            user = people.get(session_id)
            if user is None:
                each.send_away(SIGNED_OUT, SessionEnded())
            elif user != each.by:
                each.by = user
                each.wake()

    def _look_at_queue(self) -> None:
        by = next((each.by for each in tuple(self._house.queue.watchers)), None)
        if by is not None:
            try:
                self._house.queue.look(by)
            except Unavailable:
                raise
            except StoreError as refused:  # an agent no longer: their own socket finds out, and leaves
                log.info("the queue is not shown", error=refused.message)
