"""A shop in memory that outlives simulated processes: ``python -m storecore.testing.simulate --store memory``."""

from datetime import datetime
from pathlib import Path

from adapters.memory.storage import MemoryStorage
from storecore.ports import Storage


class MemoryBackend:
    """The tables as they were committed last; each process begins with a storage of its own over them."""

    def __init__(self, folder: Path) -> None:  # noqa: ARG002 - the simulation's: memory needs none
        self._storage = MemoryStorage()

    def open(self) -> Storage:
        """What a process that died held (a lock, an index of words) is not there any more."""
        died, self._storage = self._storage, MemoryStorage()
        self._storage.swap_in(died.tables)
        return self._storage

    def prove(self, storage: Storage, at: datetime) -> None:
        """The simulation checks all there is."""
