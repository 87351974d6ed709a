"""What the contracts share: capabilities, units that commit, walks over pages, and threads that can't hang a run."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from threading import Barrier, Thread
from typing import Any, ClassVar, Protocol, TypeVar

import pytest

from storecore.errors import Busy, Contention
from storecore.lists import Keyset, Page, PageRequest
from storecore.ports import Storage, Unit
from storecore.testing.builders import NOW, ids

T = TypeVar("T")
Test = TypeVar("Test", bound=Callable[..., None])

COUNT_STATEMENTS = "count_statements"
"""The adapter can tell how many statements it sent: what the budgets of the ports are checked with."""

BREAK_COMMITS = "break_commits"
"""The adapter can let its commits fail: what becomes of a unit then is checked with that."""

ALL_CAPABILITIES = frozenset({COUNT_STATEMENTS, BREAK_COMMITS})
"""What an adapter may be able to do beside its ports. Each is the name of a method of :class:`Contract`."""

PATIENCE = 30.0
"""Seconds after which a thread that has not ended counts as hanging."""
MOST_PAGES = 1000
"""Pages after which a list counts as endless."""
MOMENT = 0.1
"""Seconds that a second writer gets while the first holds what both want; it may end or wait, either is fine."""


class Counted(Protocol):
    """How many statements were sent so far."""

    @property
    def count(self) -> int: ...


def needs(*capabilities: str) -> Callable[[Test], Test]:
    """Mark a test that only an adapter with these capabilities can pass."""

    def mark(test: Test) -> Test:
        test.__dict__["needs"] = frozenset(capabilities)
        return test

    return mark


class Contract:
    """A group of tests that an adapter has to pass. Subclass it and give a ``storage`` fixture: fresh, empty.

    ``capabilities`` are what the adapter can do beside the ports: it overrides the method of that name. ``missing`` is
    what it is known not to; together they name every capability there is, or the run fails. A test that needs a
    missing one is skipped and says which it is and what goes unchecked: ``pytest -rs`` lists them. Raises
    ``TypeError`` for a name that is no capability, for one that is declared without its method, and for one that is
    declared missing though its method is there.
    """

    capabilities: ClassVar[frozenset[str]] = frozenset()
    missing: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._check_capabilities()
        first: dict[str, type] = {}
        for owner in cls.__mro__:
            for name, test in list(vars(owner).items()):
                if not name.startswith("test_") or not callable(test):
                    continue
                if not issubclass(first.setdefault(name, owner), owner):
                    raise TypeError(f"{cls.__name__} inherits two tests named {name}: one would never run")
                needed: frozenset[str] = getattr(test, "needs", frozenset())
                if first[name] is owner and needed & (cls.capabilities | cls.missing):
                    test = getattr(test, "unchecked", test)  # noqa: PLW2901 - what a class above left unchecked
                    lacking = needed - cls.capabilities
                    setattr(cls, name, _unchecked(test, lacking) if lacking else test)

    @classmethod
    def _check_capabilities(cls) -> None:
        if unknown := (cls.capabilities | cls.missing) - ALL_CAPABILITIES:
            raise TypeError(f"{cls.__name__} names what is no capability: {', '.join(sorted(unknown))}")
        given = {name for name in ALL_CAPABILITIES if getattr(cls, name) is not getattr(Contract, name)}
        if promised := cls.capabilities - given:
            raise TypeError(f"{cls.__name__} declares {', '.join(sorted(promised))}: override the method of that name")
        if denied := cls.missing & given:
            raise TypeError(f"{cls.__name__} overrides {', '.join(sorted(denied))}, which it declares to be missing")

    def count_statements(self, storage: Storage) -> AbstractContextManager[Counted]:
        """Count the statements that this storage sends while the context is open."""
        raise NotImplementedError(
            f"{type(self).__name__} names {COUNT_STATEMENTS!r} neither as missing nor overrides it"
        )

    def break_commits(self, storage: Storage, *, lasting: bool) -> AbstractContextManager[None]:
        """While the context is open, every commit of this storage fails, as one does whose disk or connection broke.

        ``lasting``: the database has made it lasting, and only the answer is lost; otherwise nothing was.
        """
        raise NotImplementedError(f"{type(self).__name__} names {BREAK_COMMITS!r} neither as missing nor overrides it")

    def test_every_capability_is_declared_or_named_as_missing(self) -> None:
        assert self.capabilities | self.missing == ALL_CAPABILITIES


def _unchecked(test: Callable[..., None], lacking: frozenset[str]) -> Callable[..., None]:
    """What stands where a test can't run, and tells."""
    sentence = test.__name__.removeprefix("test_").replace("_", " ")

    def unchecked(_: Contract) -> None:
        pytest.skip(f"without {', '.join(sorted(lacking))} it is not checked that {sentence}")

    unchecked.__name__ = test.__name__
    unchecked.__dict__.update({"needs": test.__dict__["needs"], "unchecked": test})
    return unchecked


@contextmanager
def written(storage: Storage, now: datetime = NOW) -> Iterator[Unit]:
    """A writing unit that is committed at the end, unless something is raised."""
    with storage.writing(now, ids(10**6)) as unit:
        yield unit
        unit.commit()


@contextmanager
def seen(storage: Storage, now: datetime = NOW) -> Iterator[Unit]:
    """A reading unit."""
    with storage.reading(now, ids(10**6)) as unit:
        yield unit


def rerun(storage: Storage, body: Callable[[Unit], T], *, attempts: int = 200) -> T:
    """Run a use case as the shop does: again when it lost to another transaction or got no turn."""
    for attempt in range(1, attempts + 1):
        try:
            with storage.writing(NOW, ids(10**6)) as unit:
                result = body(unit)
                unit.commit()
                return result
        except (Contention, Busy):
            if attempt == attempts:
                raise
            storage.pause(min(attempt, 4))
    raise AssertionError("unreachable: the last attempt returns or raises")


def until_nothing(storage: Storage, body: Callable[[Unit], T]) -> Iterator[T]:
    """What a use case gives each time, again and again, until it gives nothing; an error if it never ends."""
    for _ in range(MOST_PAGES):
        if not (given := rerun(storage, body)):
            return
        yield given
    raise AssertionError("there is always more")


def walk(fetch: Callable[[PageRequest], Page[T]], *, limit: int) -> list[T]:
    """Every row of a list, page by page, and each page as full as it can be."""
    rows: list[T] = []
    after: Keyset | None = None
    for _ in range(MOST_PAGES):
        page = fetch(PageRequest(limit=limit, after=after))
        assert page.items or after is None, "the last page has rows: nobody is sent on to an empty one"
        rows.extend(page.items)
        assert len(page.items) <= limit
        assert page.total is None, "a total that nobody asked for"
        if page.next is None:
            return rows
        assert len(page.items) == limit, "a page that is not the last one is full"
        after = page.next
    raise AssertionError("the list never ends")


def check_pages(fetch: Callable[[PageRequest], Page[T]], expected: Sequence[T]) -> None:
    """The list shows exactly these rows in this order, whatever the page size, and counts them when asked."""
    for limit in range(1, len(expected) + 2):
        assert walk(fetch, limit=limit) == list(expected), f"in pages of {limit}"
    assert fetch(PageRequest(limit=1, total=True)).total == len(expected)
    if len(expected) > 1:
        second = fetch(PageRequest(limit=1, after=fetch(PageRequest(limit=1)).next, total=True))
        assert second.total == len(expected), "the total counts every row, not those that are left"


class Together:
    """Bodies that run in threads of their own, all starting at once."""

    def __init__(self, *bodies: Callable[[], object]) -> None:
        self.results: list[object] = [None] * len(bodies)
        self.errors: list[BaseException | None] = [None] * len(bodies)
        self._start = Barrier(len(bodies))
        self._threads = [
            Thread(target=self._run, args=(position, body), daemon=True) for position, body in enumerate(bodies)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, position: int, body: Callable[[], object]) -> None:
        self._start.wait(PATIENCE)
        try:
            self.results[position] = body()
        except BaseException as error:  # noqa: BLE001 - kept for the thread that joins
            self.errors[position] = error

    def linger(self) -> None:
        """Let them get as far as they can: a moment, not until they end."""
        for thread in self._threads:
            thread.join(MOMENT)

    def join(self) -> "Together":
        """Wait until all have ended; an error if one hangs."""
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads), "a writer hangs"
        return self

    def succeed(self) -> list[object]:
        """Wait, and give what each returned; the first error is raised."""
        for error in self.join().errors:
            if error is not None:
                raise error
        return self.results

    @property
    def outcomes(self) -> list[object]:
        """Wait; what each returned, or the error that it raised."""
        self.join()
        return [result if error is None else error for result, error in zip(self.results, self.errors, strict=True)]


def overlap(storage: Storage, first: Callable[[Unit], object], second: Callable[[Unit], object]) -> list[object]:
    """Run two use cases so that the second begins when the first has written and not yet committed.

    That it waited, and that one of the two was rerun, are both fine. The result or the error of each.
    """
    other: Together | None = None
    try:
        with storage.writing(NOW, ids(10**6)) as unit:
            result = first(unit)
            other = Together(partial(rerun, storage, second))
            other.linger()
            unit.commit()
    except (Contention, Busy):
        assert other is not None, "nobody was in the way of the first"
        (result,) = Together(partial(rerun, storage, first)).outcomes
    return [result, *other.outcomes]
