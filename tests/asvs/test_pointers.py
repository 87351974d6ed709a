"""What is claimed about the shop's security is shown somewhere, and what is shown is still there.

``requirements.txt`` has the requirements of OWASP ASVS 5.0 of levels 1 and 2, ``abuse.txt`` the ways to abuse a shop
that were tried. Both say at their heads how a line is written.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from webapp.settings import Settings

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")

REQUIREMENTS = {
    **{"V1.1": 2, "V1.2": 9, "V1.3": 11, "V1.4": 3, "V1.5": 2, "V2.1": 3, "V2.2": 3, "V2.3": 4, "V2.4": 1, "V3.2": 2},
    **{"V3.3": 4, "V3.4": 6, "V3.5": 5, "V3.7": 2, "V4.1": 3, "V4.2": 1, "V4.3": 2, "V4.4": 4, "V5.1": 1, "V5.2": 3},
    **{"V5.3": 2, "V5.4": 3, "V6.1": 3, "V6.2": 12, "V6.3": 4, "V6.4": 4, "V6.5": 5, "V6.6": 3, "V6.8": 4, "V7.1": 3},
    **{"V7.2": 4, "V7.3": 2, "V7.4": 5, "V7.5": 2, "V7.6": 2, "V8.1": 2, "V8.2": 3, "V8.3": 1, "V8.4": 1, "V9.1": 3},
    **{"V9.2": 4, "V10.1": 2, "V10.2": 2, "V10.3": 4, "V10.4": 11, "V10.5": 5, "V10.6": 2, "V10.7": 3, "V11.1": 2},
    **{"V11.2": 3, "V11.3": 3, "V11.4": 4, "V11.5": 1, "V11.6": 1, "V12.1": 3, "V12.2": 2, "V12.3": 4, "V13.1": 1},
    **{"V13.2": 5, "V13.3": 2, "V13.4": 5, "V14.1": 2, "V14.2": 4, "V14.3": 3, "V15.1": 3, "V15.2": 3, "V15.3": 7},
    **{"V16.1": 1, "V16.2": 5, "V16.3": 4, "V16.4": 3, "V16.5": 3, "V17.1": 1, "V17.2": 4, "V17.3": 2},
}
"""How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has."""


@dataclass(frozen=True)
class Line:
    """A requirement or an abuse: whether it is ``met``, ``not met`` or ``n/a``, and what shows it or why not."""

    name: str
    text: str
    state: str
    shown: str

    @property
    def pointers(self) -> list[str]:
        """What shows it."""
        return [each.strip() for each in self.shown.split(";")] if self.state == "met" else []


def read(path: Path) -> list[Line]:
    """The lines of a table."""
    rows = [row for row in path.read_text(encoding="utf-8").splitlines() if row and not row.startswith("#")]
    lines = []
    for row in rows:
        name, text, state, shown = (cell.strip() for cell in row.split("|"))
        assert state in ("met", "not met", "n/a"), row
        assert shown, row
        lines.append(Line(name, text, state, shown))
    return lines


ASVS = read(HERE / "requirements.txt")
ABUSE = read(HERE / "abuse.txt")


@cache
def _tests_of(path: Path) -> set[str]:
    return {
        node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    }


@cache
def _headings_of(path: Path) -> set[str]:
    return set(re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE))


def alive(pointer: str) -> bool:
    """Whether there is what a pointer points at."""
    if pointer.isupper():
        return pointer.lower() in Settings.model_fields
    for separator, found in (("::", _tests_of), ("#", _headings_of)):
        file, there, name = pointer.partition(separator)
        if there:
            return (ROOT / file).is_file() and name in found(ROOT / file)
    return (ROOT / pointer).is_file()


@pytest.mark.parametrize("line", [*ASVS, *ABUSE], ids=lambda line: line.name)
def test_what_shows_it_is_there(line: Line) -> None:
    assert [pointer for pointer in line.pointers if not alive(pointer)] == []


def test_no_requirement_is_left_out_or_named_twice() -> None:
    named = [line.name.split()[0] for line in ASVS]
    assert len(named) == len(set(named))
    sections = {section: sum(name.startswith(f"{section}.") for name in named) for section in REQUIREMENTS}
    assert sections == REQUIREMENTS
    assert len(named) == sum(REQUIREMENTS.values()) == 253


def test_what_is_not_met_is_admitted_where_people_look() -> None:
    for line in (*ASVS, *ABUSE):
        assert (f"{line.name.split()[0]}:" in SECURITY) == (line.state == "not met"), line.name


@pytest.mark.parametrize(
    "pointer",
    ["tests/asvs/test_pointers.py::test_gone", "tests/gone.py::test_gone", "README.md#Gone", "NO_SETTING", "gone.py"],
)
def test_a_dead_pointer_is_noticed(pointer: str) -> None:
    assert not alive(pointer)
