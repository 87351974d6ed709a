'''Fault injection over ports: every use case of a store, with each call of a port failing before and after it is done.

Give the contract a stage, which is your store, fresh and empty, and a way to bring back what its storage held::

    class TestMyShop(FaultsContract):
        @pytest.fixture(scope="class")
        @classmethod
        def stage(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
            path, clock = tmp_path_factory.mktemp("shop") / "shop.db", MovingClock()
            with open_store(path, clock=clock, passwords=…) as store:
                yield Stage(store=store, clock=clock, keep=partial(keep, path))

    def keep(path: Path) -> Callable[[], None]:
        """Remember all that is in there; what is returned brings it back."""
        copy(path, kept := path.with_suffix(".kept"))
        return partial(copy, kept, path)

    def copy(source: Path, target: Path) -> None:
        with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(target)) as here:
            there.backup(here)

Cheap password hashes keep it quick. A scene is set up (people in every role, orders and refunds in every state, work
for the worker), and each use case is found with arguments that fit. It is called once while nothing goes wrong, which
tells the calls it makes and the states it leads through. Then it is called in the same scene again, once for

- each of its calls of a port,
- *before* the port does what it is asked, and *after* it has,
- the process being *killed*, the port being *down* as its docstring says, *broken* by an error that nobody expects, and
  *overtaken*: another transaction was faster.

After a kill everything is exactly as it was at that call when nothing went wrong: what was committed is there, nothing
else is. After the others it is the old state or the new one, but for use cases of several steps (``STEPWISE``). What
lost to another transaction is run again and ends as if it had not. An answer that is given in spite of all is right.
Then the request is sent again, with the same idempotency key if it takes one, and once more, which is a replay; the
worker works, time passes, and in the end everything is as if nothing had happened: one order, one capture at the
bank, each mail sent, at most one of them twice.

Nothing is listed: ports, calls, use cases and arguments are read off the Protocols and the store, so that a new use
case is tried as soon as it is there. One that the scene has no arguments for fails, and says what is missing.

``python -m storecore.testing.faults your_tests:stage`` does the same, and tells how much it tried; ``stage`` is a
function that gives a context manager of a ``Stage``.
'''

from storecore.testing.faults.contract import STEPWISE, FaultsContract
from storecore.testing.faults.plans import Fault, Kind
from storecore.testing.faults.trials import Stage, Trials
from storecore.testing.machine.scene import MovingClock
from storecore.testing.wires import Moment

__all__ = ["STEPWISE", "Fault", "FaultsContract", "Kind", "Moment", "MovingClock", "Stage", "Trials"]
