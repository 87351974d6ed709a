"""One writer at a time, first come first served, among the threads of a process and between processes.

SQLite itself lets writers retry at random until one is lucky: under load the same ones wait for seconds.
"""

import os
import sys
import time
from collections import deque
from pathlib import Path
from threading import Lock

if sys.platform != "win32":
    import fcntl

_FIRST_NAP, _LONGEST_NAP = 0.0002, 0.002


class Turnstile:
    """Lets one holder through at a time. ``path`` names the lock files that processes share."""

    def __init__(self, path: Path) -> None:
        self._line = _Line()
        self._doors = (_Door(path.with_name(f"{path.name}.next")), _Door(path.with_name(f"{path.name}.turn")))

    def enter(self, deadline: float) -> bool:
        """Wait for one's turn until ``deadline`` (``time.monotonic()``); False when it did not come."""
        if not self._line.enter(deadline - time.monotonic()):
            return False
        waiting, inside = self._doors
        # Whoever holds the first door is next, so that a busy process can't pass the turn to itself for ever.
        if waiting.enter(deadline):
            entered = inside.enter(deadline)
            waiting.leave()
            if entered:
                return True
        self._line.leave()
        return False

    def leave(self) -> None:
        """Let the next one in."""
        self._doors[1].leave()
        self._line.leave()

    def close(self) -> None:
        """Give back the lock files."""
        for door in self._doors:
            door.close()


class _Line:
    """A lock for threads that is handed over in the order they came."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._taken = False
        self._waiting: deque[Lock] = deque()

    def enter(self, patience: float) -> bool:
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=max(patience, 0)):
            return True
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True  # it was handed over at the last moment

    def leave(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


class _Door:
    """A lock between processes, on a file that only its owner can read; the system opens it when its holder dies.

    On Windows it is always open: there SQLite's own retrying arbitrates between processes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._process = 0

    def enter(self, deadline: float) -> bool:
        if sys.platform == "win32":
            return True
        file, nap = self._open(), _FIRST_NAP
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(nap)
                nap = min(nap * 1.5, _LONGEST_NAP)
            else:
                return True

    def leave(self) -> None:
        if sys.platform != "win32" and self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _open(self) -> int:
        if self._file is None or self._process != os.getpid():  # a lock is shared with forked children: open anew
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._process = os.getpid()
        return self._file

    def close(self) -> None:
        if self._file is not None and self._process == os.getpid():
            os.close(self._file)
        self._file = None
