"""Answers to strangers, kept for as long as nothing was committed and no clock has changed them.

Most of a shop's requests are strangers looking at the same pages. A kept answer is proven fresh by asking the storage
for its version, which any commit in any process changes; it is never a second old.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from webapp.http.answers import Answer

MOST_ANSWERS = 512
MOST_BYTES = 64 * 1024
"""Larger answers are not kept, so that all together take at most 32 MiB."""


@dataclass(frozen=True, slots=True)
class _Kept:
    version: Hashable
    until: datetime | None
    answer: Answer


class Memory:
    """The answers of one endpoint."""

    def __init__(self, version: Callable[[], Hashable], clock: Callable[[], datetime]) -> None:
        self._version = version
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._guard = Lock()

    def version(self) -> Hashable:
        """To be asked before an answer is worked out, and given to :meth:`keep`."""
        return self._version()

    def find(self, address: str, version: Hashable) -> Answer | None:
        """The answer for a path and query, if it still holds."""
        with self._guard:
            kept = self._kept.get(address)
            if kept is None:
                return None
            if kept.version == version and (kept.until is None or self._clock() < kept.until):
                self._kept.move_to_end(address)
                return kept.answer
            del self._kept[address]
            return None

    def keep(self, address: str, version: Hashable, until: datetime | None, answer: Answer) -> None:
        """Keep an answer that was worked out after the storage had this version; ``until`` None has no end."""
        if len(answer.body) > MOST_BYTES:
            return
        with self._guard:
            self._kept[address] = _Kept(version, until, answer)
            if len(self._kept) > MOST_ANSWERS:
                self._kept.popitem(last=False)
