"""The project's chores: ``nox -s serve``, ``tests``, ``lint``, ``lowest``, ``bench``, ``growth``, ``year``, ``crash``,
``schema``, ``fuzz``, ``simulate``, ``faults``, ``mutants``, ``mutation``.

Each runs in an environment of its own below ``.nox``, which is reused the next time.
"""

import os
import re
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "tests"]
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "virtualenv"

PROJECT = nox.project.load_toml("pyproject.toml")
DEV = nox.project.dependency_groups(PROJECT, "dev")

PARALLEL = ("-n", "4", "--dist", "loadfile")
"""Tests of one file stay together: they share what is slow to set up."""


@nox.session
def serve(session: nox.Session) -> None:
    """Start the shop with demo data on http://127.0.0.1:8000; arguments go to `storecore serve`."""
    session.install("-q", "-e", ".[web]")
    command = [str(Path(session.bin) / "storecore"), "serve", *session.posargs]
    if sys.platform == "win32":
        session.run(*command)
    else:
        os.execv(command[0], command)  # noqa: S606 - in nox's place, so that signals reach the server itself


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test; arguments go to pytest."""
    session.install("-q", "-e", ".[all]", *DEV)
    session.run("pytest", *PARALLEL, *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run every test and tell which lines and branches none of them reached; a quarter slower than `tests`."""
    session.install("-q", "-e", ".[all]", *DEV)
    session.run("pytest", *PARALLEL, "--cov", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, style, types and the direction of imports."""
    session.install("-q", "-e", ".[all]", *DEV)
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the quick tests on the lowest versions of the dependencies that pyproject.toml allows."""
    extras = [line for extra in PROJECT["project"]["optional-dependencies"].values() for line in extra]
    pins = {re.sub(r">=([\d.]+)", r"==\1", line) for line in extras if ">=" in line}
    pins = {re.sub(r"\[.*?\]", "", pin) for pin in pins}  # pip refuses extras in constraints
    constraints = Path(session.create_tmp()) / "lowest.txt"
    constraints.write_text("\n".join(sorted(pins)) + "\n", encoding="utf-8")
    tools = [tool for tool in DEV if not tool.startswith("schemathesis")]  # it wants newer ones than the shop
    session.install("-q", "-e", ".[all]", *tools, "-c", str(constraints))
    folders = [f"tests/{name}" for name in ("unit", "contracts", "adapters", "http", "house")]
    session.run("pytest", *PARALLEL, *folders, *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed on this machine; arguments go to the benchmark."""
    session.install("-q", "-e", ".[all]", *DEV)
    session.run("python", "-m", "tests.bench", *session.posargs)
    session.run("python", "-m", "tests.bench.chat")
    session.run("python", "-m", "tests.bench.recommending")
    session.run("python", "-m", "tests.bench.sheets")
    session.run("python", "-m", "tests.bench.finding")
    session.run("python", "-m", "tests.bench.searching")
    session.run("python", "-m", "tests.bench.searching", "--postgresql")


@nox.session
def growth(session: nox.Session) -> None:
    """Measure how the store slows down as it grows; `--full` up to a million orders, `--postgresql` on a server."""
    session.install("-q", "-e", ".[all]", *DEV)
    session.run("python", "-m", "tests.bench.growth", *session.posargs)


@nox.session
def year(session: nox.Session) -> None:
    """Prove reports against every paper of a year with more than fifty thousand orders; takes some ten minutes."""
    session.install("-q", "-e", ".[all]", *DEV)
    session.run("pytest", "tests/usecases/test_year.py", *session.posargs, env={"TRADE_YEAR_ORDERS": "80000"})


@nox.session
def crash(session: nox.Session) -> None:
    """Kill, cut off, lock out and overrun the shop, and prove its books; arguments go to the trials."""
    session.install("-q", "-e", ".[all]", *DEV)
    session.run("python", "-m", "tests.crash", *session.posargs)


@nox.session
def schema(session: nox.Session) -> None:
    """Send whatever the OpenAPI document allows and forbids, as everybody; takes some eight minutes."""
    session.install("-q", "-e", ".[all]", *DEV)
    session.run("pytest", "-n", "2", "tests/schema", *session.posargs, env={"SCHEMA_EXAMPLES": "20"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """Send a hundred thousand inputs that are hardly HTTP to a server; takes some three minutes."""
    session.install("-q", "-e", ".[all]", *DEV)
    session.run("pytest", "tests/fuzz", *session.posargs, env={"FUZZ_INPUTS": "100000"})


@nox.session
def simulate(session: nox.Session) -> None:
    """Run a thousand months of a whole shop on simulated time, or the seeds and the store that are asked for."""
    session.install("-q", "-e", ".[all]", *DEV)
    asked = session.posargs or ["--seeds", "1-1000", "--processes", str(os.cpu_count() or 1)]
    session.run("python", "-m", "storecore.testing.simulate", *asked)


@nox.session
def faults(session: nox.Session) -> None:
    """Let each call of each port fail in each use case, in memory and on SQLite; takes some twenty minutes."""
    session.install("-q", "-e", ".[all]", *DEV)
    for stage in ("in_memory", "on_sqlite"):
        session.run("python", "-m", "storecore.testing.faults", f"tests.contracts.stages:{stage}", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Try every wrong adapter that the contracts have to tell from right ones; takes some three minutes."""
    session.install("-q", "-e", ".[all]", *DEV)
    session.run("pytest", "-n", "2", "tests/mutants", *session.posargs, env={"MUTANTS": "all"})


@nox.session
def mutation(session: nox.Session) -> None:
    """Break the core in thousands of ways, and see that the tests notice; arguments are names of mutants."""
    session.install("-q", "-e", ".[all]", *DEV, *nox.project.dependency_groups(PROJECT, "mutation"))
    session.run("python", "-m", "tests.mutation", *session.posargs)
