"""Chance by a seed, simulated time as a machine's clock shows it, and ids that are made from both."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RANDOM_BITS = 74


def chance(what: str, seed: int) -> Random:
    """What decides about one kind of thing, apart from all others: the same for the same seed."""
    return Random(f"{what} {seed}")  # noqa: S311 - it has to be predictable


class SimulatedClock:
    """The ``Clock`` port. Time passes when it is told to; what the clock shows may be wrong by ``skew``."""

    def __init__(self, at: datetime) -> None:
        self.began = self.true = at
        self.skew = timedelta()
        self.jumps = 0

    def __call__(self) -> datetime:
        return self.true + self.skew

    def jump(self, skew: timedelta) -> None:
        """From now on it is wrong by so much: it jumps forward, or back."""
        self.skew = skew
        self.jumps += 1

    @property
    def day(self) -> int:
        """Which day it is, from 1."""
        return (self.true - self.began).days + 1


class SimulatedIds:
    """The ``NewId`` port of one process: UUIDv7s, each greater than the one before, whatever the clock does.

    Those of the next process may be smaller, as in reality, when the clock jumped back between the two.
    """

    def __init__(self, clock: SimulatedClock, random: Random) -> None:
        self._clock, self._random = clock, random
        self._last = 0

    def __call__(self) -> str:
        milliseconds = (self._clock() - _EPOCH) // _MILLISECOND
        fresh = milliseconds << _RANDOM_BITS | self._random.getrandbits(_RANDOM_BITS)
        if fresh <= self._last:
            fresh = self._last + 1 + self._random.getrandbits(32)
        self._last = fresh
        high, low = fresh >> 62, fresh & (1 << 62) - 1
        return str(UUID(int=(high >> 12 << 16 | 7 << 12 | high & 0xFFF) << 64 | 0b10 << 62 | low))
