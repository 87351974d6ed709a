"""A process that may die between any two calls of its ports, and what it was in the middle of is lost.

The ports of a store are put behind stand-ins that pass every call on; before and after each there is a moment at
which :class:`Fate` may end the process. What was committed stays, everything else is gone::

    fate = Fate(random.Random(1), every=500)
    store = Store(storage=mortal_storage(storage, fate), mailer=mortal(mailer, "mailer", fate), …)
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from random import Random
from typing import Any, TypeVar, cast

from storecore.ports import NewId, Storage, Unit

T = TypeVar("T")


class ProcessDied(BaseException):
    """The process is no more. It is no ``Exception``: what handles errors can do nothing about it."""


class Fate:
    """Counts the moments before and after each call of a port, and ends the process at some of them.

    There are ``every`` moments between two deaths on average, none while ``resting``; at twice the ``pace`` it is half
    as many, which evens out who calls a lot and who calls seldom. What a dead process would do on
    its way out reaches no port any more, until another one is :meth:`born`.
    """

    def __init__(self, random: Random, *, every: int) -> None:
        self.resting = self._dead = False
        self.pace = 1
        self.moments = self.deaths = 0
        self._random, self._every = random, every
        self._left = self._drawn()

    def moment(self, where: str) -> None:
        """Raises :class:`ProcessDied` saying ``where``, if it is time."""
        if self._dead:
            raise ProcessDied(where)
        self.moments += 1
        if self.resting:
            return
        self._left -= self.pace
        if self._left <= 0:
            self._left = self._drawn()
            self.deaths += 1
            self._dead = True
            raise ProcessDied(where)

    def born(self) -> None:
        """The next process begins."""
        self._dead = False

    def _drawn(self) -> int:
        return self._random.randint(1, 2 * self._every)


class _Mortal:
    """A port whose every method may be the last that its process calls."""

    def __init__(self, port: object, name: str, fate: Fate) -> None:
        self._port, self._name, self._fate = port, name, fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._passed_on(found, f"{self._name}.{name}") if callable(found) else found

    def _passed_on(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        before, after, moment = f"before {name}", f"after {name}", self._fate.moment

        def call(*args: Any, **kwargs: Any) -> Any:
            moment(before)
            result = method(*args, **kwargs)
            moment(after)
            return result

        return call


class _MortalUnit(_Mortal):
    """A unit with its repositories."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if isinstance(found, datetime):
            return found
        if callable(found):
            return self._passed_on(found, f"unit.{name}")
        repository = _Mortal(found, name, self._fate)
        self.__dict__[name] = repository
        return repository


class _MortalStorage:
    """The ``Storage`` port, and every unit that it opens."""

    def __init__(self, storage: Storage, fate: Fate) -> None:
        self._storage, self._fate = storage, fate

    @property
    def one_writer(self) -> bool:
        return self._storage.one_writer

    def reading(self, now: datetime, new_id: NewId) -> AbstractContextManager[Unit]:
        return self._open("storage.reading", lambda: self._storage.reading(now, new_id))

    def writing(self, now: datetime, new_id: NewId) -> AbstractContextManager[Unit]:
        return self._open("storage.writing", lambda: self._storage.writing(now, new_id))

    @contextmanager
    def _open(self, name: str, begin: Callable[[], AbstractContextManager[Unit]]) -> Iterator[Unit]:
        self._fate.moment(f"before {name}")
        with begin() as unit:
            self._fate.moment(f"after {name}")
            yield cast(Unit, _MortalUnit(unit, "unit", self._fate))
        self._fate.moment(f"after the end of {name}")

    def version(self) -> Hashable:
        return self._storage.version()

    def scrub(self) -> None:
        self._storage.scrub()

    def pause(self, attempt: int) -> None:
        self._storage.pause(attempt)

    def close(self) -> None:
        self._storage.close()


def mortal_storage(storage: Storage, fate: Fate) -> Storage:
    """A storage, its units and their repositories, between any two calls of which the process may die."""
    return _MortalStorage(storage, fate)


def mortal(port: T, name: str, fate: Fate) -> T:
    """Any other port, whose methods are called by name."""
    return cast(T, _Mortal(port, name, fate))
