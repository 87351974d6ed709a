"""``python -m storecore.testing.simulate --seed N --days 30``: see the package for what it does and what it prints."""

import logging
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from traceback import format_exception

from storecore.testing.simulate.backend import STORES, backend_named
from storecore.testing.simulate.running import SimulationFailed, simulate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run seeds and print a line for each; a failing one prints its history, the error, and how to repeat it.

    The exit status is 0 if all is well, 1 if a seed failed, 2 for arguments that can't be understood.
    """
    asked = _parsed(arguments)
    failed = 0
    for line, well in _lines(asked):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        failed += not well
    if failed:
        sys.stdout.write(f"{failed} of {len(asked.seeds)} seeds failed\n")
    return 1 if failed else 0


def _parsed(arguments: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m storecore.testing.simulate", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seed", type=_one, dest="seeds", metavar="N", help="run one seed")
    which.add_argument("--seeds", type=_seeds, metavar="A-B", help="run the seeds from A to B, or that many from 1")
    parser.add_argument("--days", type=int, default=30, help="how many days each lasts (30)")
    parser.add_argument("--store", default="memory", help=f"{', '.join(STORES)}, or package.module:name (memory)")
    parser.add_argument("--processes", type=int, default=1, help="how many seeds run at once (1)")
    parser.add_argument("--history", action="store_true", help="print the history of seeds that did not fail, too")
    asked = parser.parse_args(arguments)
    try:
        backend_named(asked.store)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        parser.error(f"--store {asked.store}: {error}")
    if asked.days < 1 or asked.processes < 1:
        parser.error("--days and --processes are at least 1")
    return asked


def _one(text: str) -> range:
    return range(int(text), int(text) + 1)


def _seeds(text: str) -> range:
    first, _, last = text.rpartition("-")
    found = range(int(first or 1), int(last) + 1)
    if not found:
        raise ArgumentTypeError(f"there are no seeds from {found.start} to {found.stop - 1}")
    return found


def _lines(asked: Namespace) -> Iterator[tuple[str, bool]]:
    """What to print of each seed, in order, and whether it went well."""
    run = partial(_line, days=asked.days, store=asked.store, history=asked.history)
    if asked.processes == 1 or len(asked.seeds) == 1:
        yield from map(run, asked.seeds)
        return
    with ProcessPoolExecutor(asked.processes) as pool:
        yield from pool.map(run, asked.seeds)


def _line(seed: int, *, days: int, store: str, history: bool) -> tuple[str, bool]:
    logging.disable()  # the shop complains of the weather
    try:
        figures = simulate(seed, days=days, make_backend=backend_named(store))
    except SimulationFailed as failure:
        return _report(failure, days=days, store=store), False
    finally:
        logging.disable(logging.NOTSET)
    return "\n".join([*(figures.history if history else ()), str(figures)]), True


def _report(failure: SimulationFailed, *, days: int, store: str) -> str:
    error = failure.__cause__ or failure
    return "\n".join(
        [
            *failure.history,
            "".join(format_exception(error)).rstrip(),
            f"seed {failure.seed} failed. To see it again:",
            f"python -m storecore.testing.simulate --seed {failure.seed} --days {days} --store {store}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
