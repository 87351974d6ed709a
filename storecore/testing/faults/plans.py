"""What can go wrong with a call of a port, and the plan for one run: which call it is, when, and how."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from storecore.errors import Contention, MailerDown, ProviderDown, Unavailable
from storecore.ports import Documents, Mailer, PaymentProvider, Signer
from storecore.testing.wires import Call, Moment, ProcessDied

DOCUMENTED: Mapping[type, type[Unavailable] | None] = MappingProxyType(
    {Mailer: MailerDown, PaymentProvider: ProviderDown, Signer: None, Documents: None}
)
"""What a port raises about its technology, None if it has none. All others, and what they open, are ``Unavailable``."""


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


class Broken(Exception):  # noqa: N818 - it is what is raised, whatever its name
    """What no port says that it raises."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong: call number ``at``, counted from 0, ``BEFORE`` or ``AFTER`` it is done."""

    at: int
    moment: Moment
    kind: Kind

    def strike(self, moment: Moment, call: Call) -> None:
        """Go wrong now, if this is the call: the hook for the wires."""
        if (call.number, moment) != (self.at, self.moment):
            return
        where = f"{moment} {call}"
        match self.kind:
            case Kind.KILLED:
                raise ProcessDied(where)
            case Kind.OVERTAKEN:
                raise Contention()
            case Kind.DOWN if failure := _failure(call):
                raise failure(f"Out of order {where}.")
            case _:
                raise Broken(where)


def faults(call: Call) -> Iterator[Fault]:
    """Every way in which a call can go wrong."""
    for moment in (Moment.BEFORE, Moment.AFTER):
        yield Fault(call.number, moment, Kind.KILLED)
        yield Fault(call.number, moment, Kind.BROKEN)
        if _failure(call) is not None:
            yield Fault(call.number, moment, Kind.DOWN)
        if call.writes and moment is Moment.BEFORE:
            yield Fault(call.number, moment, Kind.OVERTAKEN)


def lasting(call: Call) -> bool:
    """Whether something may be there after it that was not there before, whatever becomes of the rest."""
    return call.method == "commit" or not call.inside


def _failure(call: Call) -> type[Unavailable] | None:
    return DOCUMENTED.get(call.port, Unavailable)
