"""The repository keeps its own rules."""

import re
import subprocess
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2]
CORE = PROJECT / "storecore"
TOP_LEVEL = {
    ".ci",
    ".env.example",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "adapters",
    "noxfile.py",
    "pyproject.toml",
    "storecore",
    "tests",
    "webapp",
}
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "services", "impl", "misc"}
ONE_PAGE = {"storecore/errors.py", "storecore/ports.py", "adapters/sql/tables.py"}
"""Declarations that are easiest to read together, however long."""

SILENT = re.compile(
    r"""
    \#\s*type:\s*ignore (?! \[[\w, -]+\] \s+ (\#|-) \s* \w )
    | \#\s*noqa (?! :\s*[A-Z]+\d+ (,\s*[A-Z]+\d+)* \s+ - \s \w )
    """,
    re.VERBOSE,
)
"""An exception from types or style that names no rule, or gives no reason after it."""


def _files() -> list[Path]:
    """What git keeps or would keep; in an unpacked archive, without git, everything but what tools leave."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return [PROJECT / name for name in listed.stdout.split("\0") if name and (PROJECT / name).is_file()]
    return [path for top in TOP_LEVEL for path in (PROJECT / top, *(PROJECT / top).rglob("*")) if path.is_file()]


def _contracts() -> list[dict[str, object]]:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts: list[dict[str, object]] = settings["tool"]["importlinter"]["contracts"]
    return contracts


def test_there_are_no_other_folders_or_files_at_the_top() -> None:
    assert {path.relative_to(PROJECT).parts[0] for path in _files()} == TOP_LEVEL


def test_modules_are_named_after_what_they_are_about() -> None:
    named = {path.stem for path in _files() if path.suffix == ".py"} | {path.parent.name for path in _files()}
    assert not named & VAGUE


def test_no_module_is_long() -> None:
    lengths = {
        path.relative_to(PROJECT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in _files()
        if path.suffix == ".py"
        and path.relative_to(PROJECT).parts[0] in {"storecore", "adapters", "webapp"}
        and "versions" not in path.parts  # a migration is a record of its day
    }
    assert [name for name, length in lengths.items() if length > 400 and name not in ONE_PAGE] == []


def test_every_module_of_the_core_has_its_place_in_the_layers() -> None:
    (layers,) = [contract["layers"] for contract in _contracts() if contract.get("containers") == ["storecore"]]
    assert isinstance(layers, list)
    placed = {name.strip() for layer in layers for name in re.split(r"[|:]", layer)}
    modules = {
        ".".join(path.relative_to(CORE).with_suffix("").parts)
        for path in CORE.rglob("*.py")
        if path.stem != "__init__" and "testing" not in path.parts
    }
    assert placed == modules | {"testing"}


def test_every_exception_from_the_rules_says_why() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{number}: {line.strip()}"
        for path in _files()
        if path.suffix == ".py" and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if SILENT.search(line)
    ]
    assert found == []


def test_the_continuous_check_runs_the_command_of_the_readme() -> None:
    command = "python3 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox -s tests"
    assert command in (PROJECT / "README.md").read_text(encoding="utf-8")
    assert f"\n{command}\n" in (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
