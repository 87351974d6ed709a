"""``nox -s crash``: proves by ill-treatment that nothing is oversold, lost, half done or done twice.

One line for each trial, with what happened in it; ends with 1 if any promise was broken. It stops, counts and limits
processes as only Linux can.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import click

from tests.crash import buyers, keys, kills, mail, power, weather
from tests.crash.shop import on_postgresql, on_sqlite
from tests.crash.weather import DEADLINE, NotPossibleHere, wait_out

NAMES = ("buyers", "keys", "kills", "mail", "power", "weather")
DATABASES = ("SQLite", "PostgreSQL")

Trial = tuple[str, str, str, Callable[[], str]]
"""Its name, the database, what is special about it, and the trial."""


def _trials(share: float, seed: int) -> Iterator[Trial]:
    def some(full: int) -> int:
        return max(1, round(full * share))

    race = partial(buyers.race, seeds=range(seed, seed + some(20)))
    yield "buyers", "SQLite", "one process", partial(race, on_sqlite, processes=1)
    yield "buyers", "SQLite", "two processes", partial(race, on_sqlite, processes=2)
    yield "buyers", "PostgreSQL", "two processes", partial(race, on_postgresql, processes=2)
    yield "keys", "SQLite", "", partial(keys.resend, on_sqlite, keys=some(1000), seed=seed)
    yield "keys", "PostgreSQL", "", partial(keys.resend, on_postgresql, keys=some(1000), seed=seed)
    yield "kills", "SQLite", "", partial(kills.kill_servers, on_sqlite, kills=some(300), seed=seed)
    yield "kills", "PostgreSQL", "", partial(kills.kill_servers, on_postgresql, kills=some(100), seed=seed)
    yield "mail", "SQLite", "", partial(mail.kill_workers, on_sqlite, kills=some(300), seed=seed)
    yield "mail", "PostgreSQL", "", partial(mail.kill_workers, on_postgresql, kills=some(100), seed=seed)
    yield "power", "SQLite", "", partial(power.cut_power, on_sqlite, cuts=some(2000), seed=seed)
    times = some(5)
    yield "weather", "SQLite", "locked", partial(wait_out, on_sqlite, weather.locked, times=times)
    yield "weather", "SQLite", "no room", partial(wait_out, on_sqlite, weather.full_by_limit, times=times)
    yield "weather", "SQLite", "disk full", partial(wait_out, weather.on_small_disk, weather.full, times=times)
    # A request may wait for a connection first, then for the table.
    locked = partial(wait_out, on_postgresql, weather.table_locked, times=times, deadline=2 * DEADLINE)
    yield "weather", "PostgreSQL", "locked", locked
    yield "weather", "PostgreSQL", "restarts", partial(_restarts, times)


def _restarts(times: int) -> str:
    with weather.OwnServer() as server:
        return wait_out(server.shop, server.down, times=times, readable=False)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--on", "database", type=click.Choice(DATABASES, case_sensitive=False), help="Only on this database.")
@click.option("--share", default=1.0, show_default=True, help="How much of the full size: 0.1 is a tenth.")
@click.option("--seed", default=0, show_default=True, help="Other numbers make other trials.")
def main(names: Sequence[str], database: str | None, share: float, seed: int) -> None:
    """Ill-treat the shop: all of the trials, or those that are named."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers are stopped
    broken = 0
    for name, on, special, trial in _trials(share, seed):
        if (names and name not in names) or database not in {None, on}:
            continue
        began = time.monotonic()
        try:
            outcome = f"ok      {trial()}"
        except NotPossibleHere as reason:
            outcome = f"NOT RUN {reason}"
        except Exception as error:  # noqa: BLE001 - whatever it is, the next trial is run as well
            broken += 1
            outcome = "\n".join(["BROKEN ", f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        click.echo(f"{name:8}{on:11}{special:14}{time.monotonic() - began:5.0f} s  {outcome}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
