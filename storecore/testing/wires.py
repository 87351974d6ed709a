"""Wires between a process and its ports: each call is told before it is done and after it, and may go wrong there.

What is told is a hook of yours; whatever it raises, the port seems to have raised::

    def strike(moment: Moment, call: Call) -> None:
        if call.method == "commit" and moment is Moment.AFTER:
            raise ProcessDied(f"{moment} {call}")

    dying = Wires(strike).wire(store)

What there is to wire is read off the Protocols in :mod:`storecore.ports`, so that a new port, repository or method is
wired without being named here. ``Clock``, ``NewId`` and ``Random`` are not: there is no technology behind them that
could be down, and a process that ends in one of them ends before its next call.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from functools import cache, partial
from inspect import isfunction
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints, is_typeddict

from storecore.ports import Unit
from storecore.store import Store


class ProcessDied(BaseException):
    """The process is no more. It is no ``Exception``: what handles errors can do nothing about it."""


class Moment(StrEnum):
    """Whether what is called has done what it was asked."""

    BEFORE = "before"
    AFTER = "after"
    LEFT = "after the end of"
    """The unit that the call opened was left without an error."""


class Call(NamedTuple):
    """One call of a port, the ``number``-th of its process, from 0: ``Orders.locked``.

    It is made ``inside`` a unit or not, and ``writes`` in one that writes and can be rolled back yet.
    """

    number: int
    port: type
    method: str
    inside: bool
    writes: bool

    def __str__(self) -> str:
        return f"{self.port.__name__}.{self.method}"


Hook = Callable[[Moment, Call], None]


class Wires:
    """The wires of one process, all of whose calls the ``hook`` is told of.

    Once the hook raises :class:`ProcessDied` nothing that the process would do on its way out reaches a port.
    """

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self._calls = 0
        self._inside = self._writes = self._dead = False

    def wire(self, store: Store) -> Store:
        """The same store over these wires."""
        hints = _parameters()
        return Store(**{name: self._wired(port, hints[name]) for name, port in store.ports.items()})

    def _wired(self, value: Any, hint: Any) -> Any:
        """A port, or several by name, at the other end of a wire; anything else as it is."""
        if _is_port(hint):
            return _Wired(self, value, hint)
        if get_origin(hint) is Mapping and _is_port(get_args(hint)[-1]):
            return {name: _Wired(self, each, get_args(hint)[-1]) for name, each in value.items()}
        return value

    def _called(self, port: type, name: str, method: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        call = self._begun(port, name)
        done = method(*args, **kwargs)
        if name == "commit":
            self._writes = False
        self._tell(Moment.AFTER, call)
        return done

    @contextmanager
    def _entered(
        self, opened: Any, port: type, name: str, method: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Iterator[Any]:
        """What a port gives for the length of a ``with``: to enter it is the call. It is left whatever happens."""
        call = self._begun(port, name)
        with method(*args, **kwargs) as there:
            self._tell(Moment.AFTER, call)
            if opened is Unit:
                self._inside, self._writes = True, name == "writing"
            try:
                yield self._wired(there, opened)
            finally:
                self._inside, self._writes = call.inside, call.writes
        if opened is Unit:
            self._tell(Moment.LEFT, call)

    def _begun(self, port: type, method: str) -> Call:
        call = Call(self._calls, port, method, self._inside, self._writes)
        self._calls += 1
        self._tell(Moment.BEFORE, call)
        return call

    def _tell(self, moment: Moment, call: Call) -> None:
        if self._dead:
            raise ProcessDied(f"{moment} {call}")
        try:
            self._hook(moment, call)
        except ProcessDied:
            self._dead = True
            raise


class _Wired:
    """A port at the other end of a wire: it has what its Protocol has, and nothing else."""

    def __init__(self, wires: Wires, port: Any, protocol: type) -> None:
        self._wires, self._port, self._protocol = wires, port, protocol

    def __getattr__(self, name: str) -> Any:
        member, found = _members(self._protocol)[name], getattr(self._port, name)
        if member.called:
            passed_on = partial(self._wires._entered, member.hint) if member.entered else self._wires._called
            value: Any = partial(passed_on, self._protocol, name, found)
        elif member.port:
            value = _Wired(self._wires, found, member.hint)
        else:
            return found
        self.__dict__[name] = value  # where it is found the next time
        return value


class _Member(NamedTuple):
    """What a Protocol has: of which type it is, or what a call gives, or what is entered."""

    hint: Any
    called: bool = False
    entered: bool = False
    port: bool = False


def _is_port(hint: Any) -> bool:
    """Whether something is a Protocol, as every port is that is more than one function."""
    return getattr(hint, "_is_protocol", False) and not is_typeddict(hint)


@cache
def _parameters() -> Mapping[str, Any]:
    """What a store is assembled from."""
    return get_type_hints(Store.__init__)


@cache
def _members(protocol: type) -> Mapping[str, _Member]:
    found = {name: _Member(hint) for name, hint in get_type_hints(protocol).items()}
    for name, member in vars(protocol).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            hint = get_type_hints(member.fget)["return"]
            found[name] = _Member(hint, port=_is_port(hint))
        elif isfunction(member):
            hint = get_type_hints(member)["return"]
            entered = get_origin(hint) is AbstractContextManager
            found[name] = _Member(get_args(hint)[0] if entered else hint, called=True, entered=entered)
    return found
