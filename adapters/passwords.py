"""Password hashing with Argon2id (RFC 9106, with the parameters OWASP advises)."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from threading import BoundedSemaphore
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from storecore.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")


class Argon2Passwords:
    """The ``Passwords`` port. A hash takes ``memory_cost`` KiB, so only ``concurrency`` (the cores) run at once.

    They run in threads of their own: the C library keeps freed memory for each thread that ever asked for it, and a
    login storm over all of a server's threads would leave it with hundreds of MiB.

    At most ``room`` callers are at it or wait, and for ``patience`` seconds; the others get ``Unavailable``.
    """

    def __init__(
        self,
        *,
        time_cost: int = 2,
        memory_cost: int = 19_456,
        parallelism: int = 1,
        concurrency: int | None = None,
        room: int = 64,
        patience: float = 5.0,
    ) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=parallelism)
        self._hashing = ThreadPoolExecutor(concurrency or os.cpu_count() or 1, thread_name_prefix="argon2")
        self._room = BoundedSemaphore(room)
        self._patience = patience

    @cached_property
    def _nobodys_hash(self) -> str:
        """What is compared when there is no account, with the parameters of a real one."""
        return self._hasher.hash(os.urandom(16))

    def hash(self, password: str) -> str:
        """A salted hash that carries its own parameters."""
        return self._queued(self._hasher.hash, _bytes(password))

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether they match. ``hashed`` None, or what is no hash, costs the same time and is never a match."""
        return self._queued(self._matches, password, hashed)

    def _queued(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if not self._room.acquire(blocking=False):
            raise Unavailable("Too many passwords are being checked at once; try again shortly.")
        try:
            waiting = self._hashing.submit(work, *args, **kwargs)
            try:
                return waiting.result(self._patience)
            except TimeoutError:
                waiting.cancel()
                raise Unavailable("Signing in takes too long at the moment; try again shortly.") from None
        finally:
            self._room.release()

    def _matches(self, password: str, hashed: str | None) -> bool:
        try:
            extract_parameters(hashed or "")
        except InvalidHashError:
            hashed = None
        try:
            self._hasher.verify(hashed or self._nobodys_hash, _bytes(password))
        except VerificationError:
            return False
        return hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether it was made with weaker parameters than :meth:`hash` uses now."""
        try:
            made = extract_parameters(hashed)
        except InvalidHashError:
            return True
        now = self._hasher
        return (
            made.type is not now.type
            or made.time_cost < now.time_cost
            or made.memory_cost < now.memory_cost
            or made.hash_len < now.hash_len
        )


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")  # half of a surrogate pair is a wrong password, not a crash
