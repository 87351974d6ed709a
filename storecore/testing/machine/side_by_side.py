"""Several stores as one: whatever is done to it is done to each of them, and all have to answer alike.

The use cases run once, in the first store; every call of a port that keeps something is made on each one's own. So
clock, ids and randomness are the same without anybody's help, and a difference is told where it begins.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import count
from types import MappingProxyType
from typing import Any, cast

from storecore.lists import Keyset, Page, PageRequest
from storecore.ports import NewId, RateLimits, Storage, Unit
from storecore.store import Store
from storecore.testing.machine.alike import gap, merged, shown

REPOSITORIES = tuple(name for name, member in vars(Unit).items() if isinstance(member, property))

OWN_BUSINESS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "insight.roll_up": lambda _: None,
        "insight.takings": merged,
        "insight.to_roll_up": lambda _: None,
        "rate_limits.sweep": lambda _: None,
        "search.page": lambda page: [hit.product for hit in page.items],
    }
)
"""Calls whose contracts leave something to the adapter, and what of their answers has to be alike."""


class Difference(AssertionError):  # noqa: N818 - it is what was looked for, not a programming error
    """Two stores were told the same, and answered differently. The message says which call, and both answers."""


class SideBySide(Store):
    """The first store, whose storage and rate limits are those of all. Closing it closes each."""

    def __init__(self, *stores: Store) -> None:
        if len(stores) < 2:
            raise TypeError("it takes two stores to compare")
        self._stores = stores
        kept = {
            "storage": Storages([store.storage for store in stores]),
            "rate_limits": cast("RateLimits", Abreast("rate_limits", [store.rate_limits for store in stores], {})),
        }
        super().__init__(**{**stores[0].ports, **kept})

    def close(self) -> None:
        """Close each of them."""
        with ExitStack() as closing:
            for store in self._stores:
                closing.callback(store.close)


class Storages:
    """The ``Storage`` port over several storages."""

    def __init__(self, storages: Sequence[Storage]) -> None:
        self._storages = storages
        self._keysets: Keysets = {}

    @property
    def one_writer(self) -> bool:
        """Whoever waits in one of them waits."""
        return any(storage.one_writer for storage in self._storages)

    def reading(self, now: datetime, new_id: NewId) -> AbstractContextManager[Unit]:
        """A snapshot of each."""
        return self._units([storage.reading for storage in self._storages], now, new_id)

    def writing(self, now: datetime, new_id: NewId) -> AbstractContextManager[Unit]:
        """A transaction in each."""
        return self._units([storage.writing for storage in self._storages], now, new_id)

    def version(self) -> tuple[Any, ...]:
        """What is committed in each."""
        return tuple(storage.version() for storage in self._storages)

    def scrub(self) -> None:
        """Each."""
        for storage in self._storages:
            storage.scrub()

    def pause(self, attempt: int) -> None:
        """As long as the first does."""
        self._storages[0].pause(attempt)

    def close(self) -> None:
        """Each."""
        with ExitStack() as closing:
            for storage in self._storages:
                closing.callback(storage.close)

    @contextmanager
    def _units(
        self, ways: Sequence[Callable[[datetime, NewId], AbstractContextManager[Unit]]], now: datetime, new_id: NewId
    ) -> Iterator[Unit]:
        made: list[str] = []
        with ExitStack() as stack:
            units = [stack.enter_context(way(now, _repeating(new_id, made))) for way in ways]
            both = Abreast("unit", units, self._keysets)
            for name in REPOSITORIES:
                setattr(both, name, Abreast(name, [getattr(unit, name) for unit in units], self._keysets))
            yield cast("Unit", both)


Keysets = dict[Keyset, Sequence[Keyset]]
"""By the first one's keyset, that of each: they are nobody else's business, and may differ."""


class Abreast:
    """Several things of one kind, called as if they were one: the same arguments for each, one answer from all."""

    def __init__(self, name: str, each: Sequence[Any], keysets: Keysets) -> None:
        self._name = name
        self._each = each
        self._keysets = keysets

    def __getattr__(self, name: str) -> Any:
        calls = [getattr(each, name) for each in self._each]
        if not callable(calls[0]):
            return calls[0]

        def call(*args: Any, **kwargs: Any) -> Any:
            given = tuple(map(_lasting, args)), {key: _lasting(value) for key, value in kwargs.items()}
            return self._agreed(f"{self._name}.{name}", calls, *given)

        return call

    def _agreed(
        self, name: str, calls: Sequence[Callable[..., Any]], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        answers = [
            _asked(call, [self._own(i, arg) for arg in args], {key: self._own(i, arg) for key, arg in kwargs.items()})
            for i, call in enumerate(calls)
        ]
        first = answers[0]
        if all(isinstance(answer, AbstractContextManager) for answer in answers):
            return self._entered(name, answers)
        said = [_said(name, answer) for answer in answers]
        for number, other in enumerate(said[1:], start=2):
            if found := gap(said[0], other):
                raise Difference(
                    f"{_called(name, args, kwargs)}\n"
                    f"  answer{found.at} of store 1: {shown(found.one)}\n"
                    f"  answer{found.at} of store {number}: {shown(found.other)}"
                )
        if isinstance(first, Exception):
            raise first
        if isinstance(first, Page) and first.next is not None:
            self._keysets[first.next] = [answer.next for answer in answers]
        return max(answers) if name == "insight.to_roll_up" else first

    @contextmanager
    def _entered(self, name: str, answers: Sequence[AbstractContextManager[Any]]) -> Iterator[Any]:
        with ExitStack() as stack:
            yield Abreast(name, [stack.enter_context(answer) for answer in answers], self._keysets)

    def _own(self, number: int, arg: Any) -> Any:
        """An argument for one of them: a page goes on after its own keyset."""
        if isinstance(arg, PageRequest) and arg.after in self._keysets:
            return replace(arg, after=self._keysets[arg.after][number])
        return arg


def _asked(call: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    try:
        return call(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - an answer like any other, and raised again
        return error


def _said(name: str, answer: Any) -> Any:
    """As much of an answer as has to be alike."""
    return OWN_BUSINESS[name](answer) if name in OWN_BUSINESS and not isinstance(answer, Exception) else answer


def _lasting(arg: Any) -> Any:
    """An argument that can be read several times."""
    return tuple(arg) if isinstance(arg, Iterator) else arg


def _called(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    given = [*map(shown, args), *(f"{key}={shown(value)}" for key, value in kwargs.items())]
    return f"{name}({', '.join(given)})"


def _repeating(new_id: NewId, made: list[str]) -> NewId:
    """The ids that were made, from the first one on, and then new ones."""
    position = count()

    def next_id() -> str:
        if (at := next(position)) == len(made):
            made.append(new_id())
        return made[at]

    return next_id
