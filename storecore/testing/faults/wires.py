"""Wires between the use cases and every port: they count the calls, and one of them can go wrong.

What there is to wire is read off the Protocols in :mod:`storecore.ports`, so that a new port, repository or method is
wired without being named here. ``Clock``, ``NewId`` and ``Random`` are not: there is no technology behind them that
could be down, and a process that ends in one of them ends before its next call.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from inspect import isfunction
from types import MappingProxyType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints, is_typeddict

from storecore.errors import Contention, MailerDown, ProviderDown, Unavailable
from storecore.ports import Files, Hub, Mailer, Passwords, PaymentProvider, RateLimits, Storage, Unit
from storecore.store import Store

T = TypeVar("T")

DOCUMENTED: Mapping[type, type[Unavailable]] = MappingProxyType(
    {
        Storage: Unavailable,
        Unit: Unavailable,
        Passwords: Unavailable,
        Mailer: MailerDown,
        PaymentProvider: ProviderDown,
        Files: Unavailable,
        Hub: Unavailable,
        RateLimits: Unavailable,
    }
)
"""What a port may raise about its technology. What is reached through a port raises what that one does."""


class Kind(StrEnum):
    """How a call goes wrong."""

    KILLED = "killed"
    """The process ends: nothing catches it, and nothing that it would do on its way out reaches a port any more."""
    DOWN = "down"
    """The port raises what its docstring says of its technology."""
    BROKEN = "broken"
    """The port raises what nobody expects: a bug of an adapter, or a library's own error."""
    OVERTAKEN = "overtaken"
    """Another transaction was faster: ``Contention``, once."""


class Moment(StrEnum):
    """Whether what was called did what it was asked."""

    BEFORE = "before"
    AFTER = "after"


class Killed(BaseException):
    """The process ends here. Not an ``Exception``, as ``SystemExit`` is none: no use case may catch it."""


class Broken(Exception):  # noqa: N818 - it is what is raised, whatever its name
    """What no port says that it raises."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a port: ``Orders.locked``. ``inside`` a unit, and one that ``writes`` and can be rolled back yet."""

    port: str
    method: str
    failure: type[Unavailable] | None
    inside: bool
    writes: bool

    def __str__(self) -> str:
        return f"{self.port}.{self.method}"

    @property
    def lasting(self) -> bool:
        """Whether something may be there after it that was not there before, whatever becomes of the rest."""
        return self.method == "commit" or not self.inside

    def kinds(self, moment: Moment) -> Iterator[Kind]:
        """How it can go wrong."""
        yield Kind.KILLED
        yield Kind.BROKEN
        if self.failure is not None:
            yield Kind.DOWN
        if self.writes and moment is Moment.BEFORE:
            yield Kind.OVERTAKEN


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong: call number ``at``, counted from 0."""

    at: int
    moment: Moment
    kind: Kind

    def raised(self, step: Step) -> BaseException:
        """What the caller gets to see."""
        match self.kind:
            case Kind.KILLED:
                return Killed(f"{self.moment} {step}")
            case Kind.OVERTAKEN:
                return Contention()
            case Kind.DOWN if step.failure is not None:
                return step.failure(f"Out of order {self.moment} {step}.")
            case _:
                return Broken(f"{self.moment} {step}")


class Wires:
    """All calls of one run, in order, and the one that goes wrong. ``watch`` is told of each that was done."""

    def __init__(self, fault: Fault | None = None, watch: Callable[[Step], None] | None = None) -> None:
        self.steps: list[Step] = []
        self.fault = fault
        self.watch = watch
        self._inside = self._writes = self._dead = False

    def wire(self, store: Store) -> Store:
        """The same store over these wires."""
        hints = _parameters()
        return Store(**{name: self._wired(port, hints[name], None) for name, port in store.ports.items()})

    def mend(self) -> None:
        """Nothing goes wrong any more, and nothing is watched: the process was started again."""
        self.fault = self.watch = None
        self._dead = False

    def call(self, step: Step, do: Callable[[], T]) -> T:
        """Do what is asked, unless this is the call that goes wrong."""
        number = len(self.steps)
        self.steps.append(step)
        self._strike(number, Moment.BEFORE)
        done = do()
        if step.method == "commit":
            self._writes = False
        if self.watch is not None:
            self.watch(step)
        self._strike(number, Moment.AFTER)
        return done

    def step(self, port: type, method: str, failure: type[Unavailable] | None) -> Step:
        """A call that is about to be made."""
        return Step(port.__name__, method, failure, self._inside, self._writes)

    @contextmanager
    def entered(self, step: Step, opened: AbstractContextManager[Any], hint: Any) -> Iterator[Any]:
        """What a port gives for the length of a ``with``: to enter it is the call. It is left whatever happens."""
        with ExitStack() as stack:
            inside = self.call(step, lambda: stack.enter_context(opened))
            if hint is not Unit:
                yield self._wired(inside, hint, step.failure)
                return
            self._inside, self._writes = True, step.method == "writing"
            try:
                yield self._wired(inside, hint, step.failure)
            finally:
                self._inside = self._writes = False

    def _strike(self, number: int, moment: Moment) -> None:
        if self._dead:
            raise Killed
        if self.fault is not None and (self.fault.at, self.fault.moment) == (number, moment):
            self._dead = self.fault.kind is Kind.KILLED
            raise self.fault.raised(self.steps[number])

    def _wired(self, value: Any, hint: Any, failure: type[Unavailable] | None) -> Any:
        if is_port(hint):
            return _Wired(self, value, hint, DOCUMENTED.get(hint, failure))
        if get_origin(hint) is Mapping and is_port(get_args(hint)[-1]):
            return {name: self._wired(each, get_args(hint)[-1], failure) for name, each in value.items()}
        return value


class _Wired:
    """A port at the other end of a wire: it has what its Protocol has, and nothing else."""

    def __init__(self, wires: Wires, port: Any, protocol: type, failure: type[Unavailable] | None) -> None:
        self._wires, self._port, self._protocol, self._failure = wires, port, protocol, failure

    def __getattr__(self, name: str) -> Any:
        hint, called = _members(self._protocol)[name]
        if not called:
            value = self._wires._wired(getattr(self._port, name), hint, self._failure)
        elif get_origin(hint) is AbstractContextManager:
            value = partial(self._enter, name, get_args(hint)[0])
        else:
            value = partial(self._call, name)
        return value

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        step = self._wires.step(self._protocol, name, self._failure)
        return self._wires.call(step, lambda: getattr(self._port, name)(*args, **kwargs))

    def _enter(self, name: str, hint: Any, *args: Any, **kwargs: Any) -> AbstractContextManager[Any]:
        step = self._wires.step(self._protocol, name, self._failure)
        return self._wires.entered(step, getattr(self._port, name)(*args, **kwargs), hint)


def is_port(hint: Any) -> bool:
    """Whether something is a Protocol, as every port is that is more than one function."""
    return getattr(hint, "_is_protocol", False) and not is_typeddict(hint)


@cache
def _parameters() -> Mapping[str, Any]:
    """What a store is assembled from."""
    return get_type_hints(Store.__init__)


@cache
def _members(protocol: type) -> Mapping[str, tuple[Any, bool]]:
    """What a Protocol has: of which type, and whether that is what a call gives."""
    found: dict[str, tuple[Any, bool]] = {name: (hint, False) for name, hint in get_type_hints(protocol).items()}
    for name, member in vars(protocol).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            found[name] = get_type_hints(member.fget)["return"], False
        elif isfunction(member):
            found[name] = get_type_hints(member)["return"], True
    return found
