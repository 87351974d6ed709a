"""Rate limits of one process, and what stands in their place where nothing is limited."""

from collections import OrderedDict
from datetime import datetime
from threading import Lock

from storecore.ports import Allowance, RateLimit


class LocalRateLimits:
    """The ``RateLimits`` port within one process, in a dict.

    There is ``room`` for so many windows, some 300 bytes each: when more are open, the one that began first is
    forgotten, so that whoever hits it under ever new names costs no more memory.
    """

    def __init__(self, *, room: int = 50_000) -> None:
        self._room = room
        self._windows = OrderedDict[tuple[str, str], tuple[int, datetime]]()
        self._lock = Lock()

    def take(self, limit: RateLimit, key: str, at: datetime) -> Allowance:
        """One more hit."""
        name = limit.name, key
        with self._lock:
            used, ends_at = self._window(limit, key, at)
            if not used:
                self._windows.pop(name, None)  # the new window is put behind all that began before
            self._windows[name] = used + 1, ends_at
            if len(self._windows) > self._room:
                self._windows.popitem(last=False)
        return Allowance(limit=limit, used=used + 1, resets_in=ends_at - at)

    def look(self, limit: RateLimit, key: str, at: datetime) -> Allowance:
        """How it stands."""
        with self._lock:
            used, ends_at = self._window(limit, key, at)
        return Allowance(limit=limit, used=used, resets_in=ends_at - at)

    def _window(self, limit: RateLimit, key: str, at: datetime) -> tuple[int, datetime]:
        """The hits in the window that is open, and when it ends."""
        used, ends_at = self._windows.get((limit.name, key), (0, at))
        longest = at + limit.window
        return (used, min(ends_at, longest)) if ends_at > at else (0, longest)

    def clear(self, limit: RateLimit, key: str) -> None:
        """Forget a window."""
        with self._lock:
            self._windows.pop((limit.name, key), None)

    def sweep(self, at: datetime) -> int:
        """Forget windows that are over."""
        with self._lock:
            over = [name for name, (_, ends_at) in self._windows.items() if ends_at <= at]
            for name in over:
                del self._windows[name]
        return len(over)

    def close(self) -> None:
        """Nothing is held."""


class Unlimited:
    """Stands where rate limits are off: every hit is the first."""

    def take(self, limit: RateLimit, key: str, at: datetime) -> Allowance:  # noqa: ARG002 - the port's
        """One hit."""
        return Allowance(limit=limit, used=1, resets_in=limit.window)

    def look(self, limit: RateLimit, key: str, at: datetime) -> Allowance:  # noqa: ARG002 - the port's
        """No hit."""
        return Allowance(limit=limit, used=0, resets_in=limit.window)

    def clear(self, limit: RateLimit, key: str) -> None:
        """Nothing is kept."""

    def sweep(self, at: datetime) -> int:  # noqa: ARG002 - the port's
        """Nothing is kept."""
        return 0

    def close(self) -> None:
        """Nothing is held."""
