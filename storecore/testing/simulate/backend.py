"""Where a simulated shop keeps its state: the part of it that is put to the test."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Protocol

from storecore.ports import Storage


class Backend(Protocol):
    """What outlives the processes of a shop: a database, a folder, or an object in memory.

    Everything else that a store needs is simulated: clock, ids, randomness, passwords, mail, papers, files, the bank.
    """

    def open(self) -> Storage:
        """A process begins: the storage has all that was committed. Called at first, and after each crash.

        The storage of the process that died was closed before, which gives back its files and connections; nothing
        else that it held may matter.
        """

    def prove(self, storage: Storage, at: datetime) -> None:
        """Raise if anything is wrong that only the back end itself knows of; called whenever the books are checked."""


MakeBackend = Callable[[Path], Backend]
"""Given an empty folder of its own, an empty back end. A class that takes a path will do."""

STORES: Mapping[str, str] = MappingProxyType(
    {"memory": "adapters.memory.simulated:MemoryBackend", "sqlite": "adapters.sql.simulated:SqliteBackend"}
)
"""Short names for ``--store``."""


def backend_named(name: str) -> MakeBackend:
    """``memory``, ``sqlite``, or your own as ``package.module:name``.

    Raises ``ImportError``, ``AttributeError``, ``ValueError`` for what is no such name, and ``TypeError``.
    """
    found: MakeBackend = resolve_name(STORES.get(name, name))
    if not callable(found):
        raise TypeError(f"{name} names no back end, but {found!r}")
    return found
