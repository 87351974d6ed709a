"""``python -m storecore.testing.faults your_tests:stage``: try every use case, and tell how much was tried."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pkgutil import resolve_name

from storecore.testing.faults.calls import use_cases
from storecore.testing.faults.contract import chosen
from storecore.testing.faults.trials import Trials


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each use case, its faults that do not end well, and the sum; 1 if there are such."""
    parser = argparse.ArgumentParser(prog="python -m storecore.testing.faults", description=__doc__)
    parser.add_argument("stage", help="a function that gives a context manager of a Stage: your_tests:stage")
    parser.add_argument("use_cases", nargs="*", metavar="use-case", help="such as orders.place; all of them by default")
    parser.add_argument("--share", type=int, default=1, help="try one of so many faults (default: all)")
    asked = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # of the ports that are down on purpose
    tried = wrong = 0
    try:
        with resolve_name(asked.stage)() as stage:
            trials = Trials(stage)
            names = asked.use_cases or use_cases()
            for name in names:
                found = trials.undisturbed(name)
                faults = list(chosen(trials, name, asked.share))
                print(f"{name:32}{len(found.calls):5} calls {len(found.states) - 1:3} steps {len(faults):5} faults")
                for fault in faults:
                    try:
                        trials.check(name, fault)
                    except AssertionError as failure:
                        wrong += 1
                        print(f"  {failure}", file=sys.stderr)
                tried += len(faults)
    finally:
        logging.disable(logging.NOTSET)
    print(f"{len(names)} use cases, {tried} faults, {wrong} of which did not end well")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
