"""Wrong adapters, each like a right one but for one mistake, and the contracts that tell the two apart.

Every eighth mutant is tried in each run, all of them when ``MUTANTS`` is ``all`` (``nox -s mutants``). One that passes
shows what a contract does not ask for yet.
"""

import os
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from storecore.testing import contracts
from tests.mutants import accounts, catalog, orders, ports, support, transactions
from tests.mutants.mutating import Mutant, mutated

TABLES = (transactions, accounts, catalog, orders, support, ports)
MUTANTS = tuple(mutant for table in TABLES for mutant in table.MUTANTS)
TRIED = MUTANTS if os.environ.get("MUTANTS") == "all" else MUTANTS[::8]

SUITE = Path(__file__).with_name("suite.py")
WITHOUT = ("terminal", "cacheprovider", "xdist", "faulthandler")
OPTIONS = ("-s", "-o", "addopts=--import-mode=importlib", *(f"-pno:{plugin}" for plugin in WITHOUT))


def run(*contract: str) -> pytest.ExitCode:
    """Hold the adapters of the moment against a contract, or all, until the first failure."""
    tests = [f"{SUITE}::Test{each}" for each in contract] or [str(SUITE)]
    with redirect_stdout(StringIO()):
        return pytest.ExitCode(pytest.main(["-x", *OPTIONS, *tests]))


def test_the_right_adapters_pass() -> None:
    assert run() is pytest.ExitCode.OK


@pytest.mark.parametrize("mutant", TRIED, ids=lambda mutant: f"{mutant.contract}: {mutant.name}")
def test_a_wrong_adapter_does_not(mutant: Mutant) -> None:
    with mutated(mutant):
        assert run(mutant.contract) is pytest.ExitCode.TESTS_FAILED, "it passed: a rule is missing"


def test_every_contract_has_wrong_adapters_to_tell() -> None:
    groups = {contracts.StorageContract.__name__, contracts.Contract.__name__}
    names = {name for name in contracts.__all__ if name.endswith("Contract")} - groups
    numbers = Counter(mutant.contract for mutant in MUTANTS)
    assert {name for name in names if numbers[name] < 2} == set()
    assert set(numbers) <= names


def test_every_mistake_can_still_be_made() -> None:
    for mutant in MUTANTS:
        assert mutant.source()
    assert len({(mutant.contract, mutant.name) for mutant in MUTANTS}) == len(MUTANTS)
