"""A month of a whole shop on simulated time, decided by a seed: the same seed is the same month, byte for byte.

::

    python -m storecore.testing.simulate --seed 7 --days 30
    python -m storecore.testing.simulate --seeds 1-100 --processes 4
    python -m storecore.testing.simulate --seed 7 --store sqlite
    python -m storecore.testing.simulate --seed 7 --store myshop.simulated:MyBackend

Customers and guests look around, fill carts, order, pay (by cards that are good, declined, or ask for a second step),
change their minds, send things back, review, wish and talk. Staff fill shelves, move orders, set prices, decide refunds
and answer. The mail server and the bank have outages, their answers get lost, the bank's news come late, twice and out
of order, and the clock jumps. Between any two calls of a port the process may die; whoever waited for it asks again,
under the same idempotency key (or gives up), and the worker goes on where the books say.

Each day the books are audited: against themselves, against the bank's, and against what people were told. At the end
the weather clears up, everything that is open is settled, and nothing may be owed any more: no mail, no money, no
invoice. What is printed of a seed ends with a hash of the final state; it is the same in every process, and on every
back end. A seed that fails prints its history, the error, and the command that repeats it; the exit status is 1.

Everything but the storage is simulated: clock, ids, randomness, passwords, links, mail, papers, files, the bank. For
your own storage, say how it is opened and what else must hold of it: a callable that takes an empty folder and gives a
:class:`Backend`::

    class MyBackend:
        def __init__(self, folder: Path) -> None:
            self._path = folder / "shop.db"

        def open(self) -> Storage:
            return MyStorage(self._path)

        def prove(self, storage: Storage, at: datetime) -> None:
            assert not wrong_in(storage)

The model is deterministic simulation testing, as FoundationDB and TigerBeetle do it.
"""

from storecore.testing.simulate.backend import Backend, MakeBackend, backend_named
from storecore.testing.simulate.running import Figures, SimulationFailed, simulate

__all__ = ["Backend", "Figures", "MakeBackend", "SimulationFailed", "backend_named", "simulate"]
