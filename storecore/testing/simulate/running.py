"""One run: the doors open, everybody lives, the books are audited each day, and at the end all is settled."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from storecore.testing.simulate.auditors import Auditors
from storecore.testing.simulate.backend import MakeBackend
from storecore.testing.simulate.customers import Customers
from storecore.testing.simulate.staff import Staff
from storecore.testing.simulate.state import state_hash
from storecore.testing.simulate.weather import Weather
from storecore.testing.simulate.world import World
from storecore.testing.wires import ProcessDied

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came of a seed. ``state`` is the hash of the final state: the same for the same seed."""

    seed: int
    days: int
    orders: int
    mails: int
    crashes: int
    outages: int
    jumps: int
    state: str
    history: tuple[str, ...] = field(repr=False, compare=False)

    def __str__(self) -> str:
        counts = ", ".join(
            f"{getattr(self, each)} {each}" for each in ("orders", "mails", "crashes", "outages", "jumps")
        )
        return f"seed {self.seed}: {self.days} days, {counts}, {self.state}"


class SimulationFailed(AssertionError):  # noqa: N818 - it is what the run did
    """Something was wrong; the cause says what, ``history`` what happened before, line by line."""

    def __init__(self, seed: int, history: Sequence[str]) -> None:
        self.seed, self.history = seed, tuple(history)
        super().__init__(f"seed {seed} failed after {len(history)} events; the last: {history[-1] if history else ''}")


def simulate(seed: int, *, make_backend: MakeBackend, days: int = 30) -> Figures:
    """Run a shop for so many days. Raises :class:`SimulationFailed`, with the reason as its cause."""
    with TemporaryDirectory() as folder:
        world = World(seed, make_backend(Path(folder)))
        try:
            return _run(world, seed, days)
        except (Exception, ProcessDied) as error:
            raise SimulationFailed(seed, world.history) from error
        finally:
            world.storage.close()


def _run(world: World, seed: int, days: int) -> Figures:
    weather, staff, customers, auditors = Weather(world), Staff(world), Customers(world), Auditors(world)
    staff.open_shop()
    for between, turn in (
        (timedelta(hours=4), customers.visit),
        (timedelta(hours=7), staff.shift),
        (timedelta(hours=3), world.work),
        (timedelta(hours=2), weather.bank_tells),
        (timedelta(days=4), weather.mail_outage),
        (timedelta(days=2), weather.bank_outage),
        (timedelta(days=1), weather.clock_jump),
    ):
        world.again_and_again(between, turn)
    for day in range(1, days + 1):
        world.live(day * A_DAY)
        auditors.audit()
    crashes, jumps = world.fate.deaths, world.clock.jumps
    world.calm()
    staff.close_shop()
    world.settle()
    auditors.audit(settled=True)
    return Figures(
        seed=seed,
        days=days,
        orders=len(auditors.placed),
        mails=world.mail.taken.total(),
        crashes=crashes,
        outages=weather.outages,
        jumps=jumps,
        state=state_hash(world),
        history=tuple(world.history),
    )
