"""Transactions, said once: what opens, commits, reruns and remembers a use case.

A use case is a method whose second parameter is the unit::

    @writing
    def cancel(self, unit: Unit, *, by: Actor, order_id: str) -> Order: ...

and is called without it: ``cancelling.cancel(by=customer, order_id=…)``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from storecore.errors import Contention, IdempotencyKeyReused
from storecore.ports import Clock, NewId, Storage, Unit

ATTEMPTS = 8
"""How often a use case that loses to another transaction is run before it gives up."""

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A", bound="Activity")

_inside: ContextVar[str | None] = ContextVar("inside", default=None)


@dataclass(frozen=True, kw_only=True)
class Activity:
    """What every activity needs to run its use cases; each adds the ports of its own."""

    storage: Storage
    clock: Clock
    new_id: NewId


@dataclass(frozen=True, slots=True)
class Once:
    """Carry a request out once, however often it is sent.

    ``scope`` is the route and who asks, ``key`` the client's, ``fingerprint`` tells other requests with the same
    key. ``render`` turns the result into the answer to repeat; it is pure and runs inside the transaction.
    """

    scope: str
    key: str
    fingerprint: bytes
    render: Callable[[Any], bytes]


class Replayed(Exception):  # noqa: N818 - not an error: the request was carried out before
    """The request was carried out before; ``answer`` is what was said then."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        super().__init__("this request was carried out before")


class _Ids:
    """Ids that come out the same again when a use case is rerun."""

    def __init__(self, new_id: NewId) -> None:
        self._new_id = new_id
        self._made: list[str] = []

    def replay(self) -> NewId:
        used = iter(self._made[:])

        def next_id() -> str:
            made = next(used, None)
            if made is None:
                made = self._new_id()
                self._made.append(made)
            return made

        return next_id


@contextmanager
def _only_one(name: str) -> Iterator[None]:
    if outer := _inside.get():
        raise RuntimeError(f"{name} was called inside {outer}: a use case does not call use cases")
    token = _inside.set(name)
    try:
        yield
    finally:
        _inside.reset(token)


def reading(body: Callable[Concatenate[A, Unit, P], R]) -> Callable[Concatenate[A, P], R]:
    """A use case that looks at one snapshot and changes nothing."""

    @wraps(body)
    def run(self: A, /, *args: P.args, **kwargs: P.kwargs) -> R:
        once = kwargs.get("once")
        with _only_one(body.__qualname__), self.storage.reading(self.clock(), self.new_id) as unit:
            if isinstance(once, Once):
                _replay(unit, once)
            return body(self, unit, *args, **kwargs)

    return run


def writing(body: Callable[Concatenate[A, Unit, P], R]) -> Callable[Concatenate[A, P], R]:
    """A use case in one transaction: committed when it returns, rolled back when it raises, rerun when it loses.

    Its body has no effect outside the unit. Given ``once=Once(…)``, it raises :class:`Replayed` instead of running
    a second time, and ``IdempotencyKeyReused`` for another request with the same key.
    """

    @wraps(body)
    def run(self: A, /, *args: P.args, **kwargs: P.kwargs) -> R:
        once = kwargs.get("once")
        ids, now = _Ids(self.new_id), self.clock()
        with _only_one(body.__qualname__):
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    with self.storage.writing(now, ids.replay()) as unit:
                        if isinstance(once, Once):
                            _claim(unit, once)
                        result = body(self, unit, *args, **kwargs)
                        if isinstance(once, Once):
                            unit.answers.keep(once.scope, once.key, once.render(result))
                        unit.commit()
                        return result
                except Contention:
                    if attempt == ATTEMPTS:
                        raise
                    self.storage.pause(attempt)
        raise AssertionError("unreachable: the last attempt returns or raises")

    return run


def _claim(unit: Unit, once: Once) -> None:
    if not unit.answers.claim(once.scope, once.key, once.fingerprint, unit.now):
        _replay(unit, once)
        raise Contention()  # the answer was swept between the claim and the look: run again, as new


def _replay(unit: Unit, once: Once) -> None:
    if found := unit.answers.find(once.scope, once.key):
        fingerprint, answer = found
        if fingerprint != once.fingerprint:
            raise IdempotencyKeyReused()
        raise Replayed(answer)
