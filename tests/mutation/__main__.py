"""``nox -s mutation``: break money, pricing, orders, stock and permissions in thousands of ways; do tests notice?

mutmut runs, for each mutant, the tests that reach it, the quickest first, until one fails. At least 95 % of the
mutants of each module are to be killed so, and ``survivors.txt`` names the others exactly, each with the reason why
no test can tell it from the program. A survivor that is not on the list is a test to write; one on the list that is
killed, or is no more, comes off it.

What is mutated, and which tests are asked, stands in pyproject.toml. Arguments are names of mutants, with wildcards:
``nox -s mutation -- 'storecore.money.*'`` runs only these, and keeps what is known of the others.
"""

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from hypothesis import Phase, settings
from mutmut.__main__ import cli
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.utils.file_utils import walk_mutatable_files

from tests.mutation import reach

ENOUGH = 0.95
SURVIVORS = Path(__file__).with_name("survivors.txt")
PASSED = {0: "survived", 5: "is reached by no test", 33: "is reached by no test", None: "was not tried"}


class Mutant(NamedTuple):
    """A function, and its lines that differ: ``-`` as they are, ``+`` as they became. Line numbers don't matter."""

    function: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((self.function, *self.lines))


def listed() -> set[Mutant]:
    """What ``survivors.txt`` says: paragraphs of a function, the lines of its mutants, and the reason.

    A ``-`` after a ``+`` begins another mutant of the same function, for the same reason.
    """
    found = set()
    for paragraph in SURVIVORS.read_text(encoding="utf-8").split("\n\n"):
        rows = [row for row in paragraph.splitlines() if not row.startswith("#")]
        if not rows:
            continue
        lines = [row for row in rows if row[0] in "-+"]
        if not lines or len(lines) == len(rows) - 1:
            raise ValueError(f"no lines, or no reason: {paragraph}")
        starts = [i for i, line in enumerate(lines) if line[0] == "-" and (i == 0 or lines[i - 1][0] == "+")]
        ends = [*starts[1:], len(lines)]
        found |= {Mutant(rows[0], tuple(lines[a:b])) for a, b in zip(starts, ends, strict=True)}
    return found


def _mutant(name: str, path: Path) -> Mutant:
    lines = get_diff_for_mutant(name, path=path).splitlines()[2:]
    differing = (f"{line[0]} {line[1:].strip()}" for line in lines if line[0] in "-+" and line[1:].strip())
    return Mutant(_function(name), tuple(differing))


def _function(name: str) -> str:
    """``storecore.money.Money.parse`` for ``storecore.money.xǁMoneyǁparse__mutmut_48``."""
    module, _, function = name.partition("__mutmut_")[0].rpartition(".")
    return f"{module}.{re.sub('^x_', '', function.removeprefix('xǁ').replace('ǁ', '.'))}"


def _verdicts(names: Sequence[str]) -> Iterator[tuple[str, dict[str, int | None]]]:
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        tried = {
            name: code
            for name, code in data.exit_code_by_key.items()
            if not names or any(fnmatch(name, pattern) for pattern in names)
        }
        if tried:
            yield str(path), tried


def judge(names: Sequence[str]) -> bool:
    """Tell how many mutants each module's tests killed, and which survivors the list lacks or has in excess."""
    fine, known, survived, functions = True, listed(), set(), set()
    for path, verdicts in _verdicts(names):
        alive = {name: code for name, code in verdicts.items() if code in PASSED}
        share = 1 - len(alive) / len(verdicts)
        print(f"{path:40}{len(verdicts) - len(alive):5} of {len(verdicts):4} killed, {share:6.1%}")
        fine = fine and share >= ENOUGH
        functions |= {_function(name) for name in verdicts}
        for name, code in alive.items():
            mutant = _mutant(name, Path(path))
            survived.add(mutant)
            if mutant not in known:
                fine = False
                print(f"\n{mutant}\n{PASSED[code]}: {name}\n")
    for mutant in sorted(known - survived):
        if not names or mutant.function in functions:
            fine = False
            print(f"\n{mutant}\nis on the list, but was killed, or is no more\n")
    return fine


def main(names: Sequence[str]) -> None:
    """Try the mutants of these names, or all of them anew."""
    if not names:
        shutil.rmtree("mutants", ignore_errors=True)
    reach.extend()
    settings.register_profile(  # the first example that fails will do, and each run is like the last
        "mutation", phases=[Phase.explicit, Phase.generate], derandomize=True, database=None, deadline=None
    )
    settings.load_profile("mutation")
    cli(["run", *names], standalone_mode=False)
    sys.exit(0 if judge(names) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
