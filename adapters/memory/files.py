"""Files in memory."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from threading import Lock
from typing import BinaryIO

from adapters.system import utc_now
from storecore.errors import NotFound
from storecore.ports import Clock


class MemoryFiles:
    """The ``Files`` port: forgotten with the process."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[datetime, bytes]] = {}
        self._lock = Lock()

    def keep(self, name: str, content: Iterable[bytes]) -> None:
        """Raises ``FileExistsError``, and what reading the content raises."""
        kept = b"".join(content)
        with self._lock:
            if name in self._kept:
                raise FileExistsError(name)
            self._kept[name] = (self._clock(), kept)

    def open(self, name: str) -> BinaryIO:
        """Raises ``NotFound``."""
        if (found := self._kept.get(name)) is None:
            raise NotFound("The file is not there.")
        return BytesIO(found[1])

    def size(self, name: str) -> int | None:
        """None if there is none."""
        found = self._kept.get(name)
        return None if found is None else len(found[1])

    def kept_before(self, at: datetime) -> Sequence[str]:
        """Nothing here is ever half finished."""
        with self._lock:
            return [name for name, (kept_at, _) in self._kept.items() if kept_at < at]

    def remove(self, name: str) -> None:
        """Nothing happens if there is none."""
        with self._lock:
            self._kept.pop(name, None)
