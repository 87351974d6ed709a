"""The machine's clock, ids and randomness, for the ports that are plain functions."""

import os
import threading
import time
from datetime import UTC, datetime
from uuid import UUID

_RANDOM_BITS = 74
_lock = threading.Lock()
_last = 0


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def random_bytes(count: int) -> bytes:
    """So many unpredictable bytes."""
    return os.urandom(count)


def uuid7() -> str:
    """A UUIDv7 (RFC 9562, section 5.7); within a process each is greater than the one before.

    In one millisecond, or after the clock was set back, the last one is increased by a random step (section 6.2,
    method 2).
    """
    global _last  # noqa: PLW0603 - the order of ids is a fact about the process
    fresh = time.time_ns() // 1_000_000 << _RANDOM_BITS | int.from_bytes(os.urandom(10), "big") >> 80 - _RANDOM_BITS
    with _lock:
        if fresh <= _last:
            fresh = _last + 1 + int.from_bytes(os.urandom(4), "big")
        _last = fresh
    high, low = fresh >> 62, fresh & (1 << 62) - 1
    return str(UUID(int=(high >> 12 << 16 | 7 << 12 | high & 0xFFF) << 64 | 0b10 << 62 | low))
