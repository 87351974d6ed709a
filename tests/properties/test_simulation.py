"""A month of a whole shop, decided by a seed: twenty of them here, a thousand in ``nox -s simulate``."""

import os
import random
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import pytest

from adapters.memory.simulated import MemoryBackend
from adapters.memory.storage import MemoryStorage
from adapters.memory.tables import Table, Tables
from storecore.money import Money
from storecore.ports import Passwords, Storage
from storecore.testing.builders import NOW
from storecore.testing.simulate import SimulationFailed, backend_named, simulate
from storecore.testing.simulate.__main__ import main
from storecore.testing.simulate.clockwork import SimulatedClock, SimulatedIds, chance
from storecore.testing.simulate.fate import Fate
from storecore.testing.simulate.state import plain
from storecore.testing.wires import Call, Moment, ProcessDied

PROJECT = Path(__file__).parents[2]
HERE = "tests.properties.test_simulation"


class Forgetful(MemoryBackend):
    """A store that is broken on purpose: some tables are empty again after each commit."""

    tables: ClassVar[tuple[str, ...]] = ("answers",)

    def open(self) -> Storage:
        self._storage = _ForgetfulStorage(self._storage.tables, self.tables)
        return self._storage


class _ForgetfulStorage(MemoryStorage):
    def __init__(self, tables: Tables, forgets: tuple[str, ...]) -> None:
        super().__init__()
        self.tables, self._forgets = tables, forgets

    def swap_in(self, tables: Tables) -> None:
        super().swap_in(replace(tables, **{name: Table() for name in self._forgets}))


class Complaining(MemoryBackend):
    """All is well but for what the back end itself says."""

    def prove(self, storage: Storage, at: datetime) -> None:
        raise AssertionError(f"nobody likes a {type(storage).__name__}")


class Proving(MemoryBackend):
    """Notes what it is asked."""

    asked: ClassVar[list[tuple[str, datetime | None]]] = []

    def open(self) -> Storage:
        self.asked.append(("open", None))
        return super().open()

    def prove(self, storage: Storage, at: datetime) -> None:
        assert storage is self._storage
        self.asked.append(("prove", at))


@pytest.mark.parametrize("seed", range(1, 21))
def test_a_month_of_a_shop_in_which_everything_goes_wrong_keeps_its_books(seed: int) -> None:
    figures = simulate(seed, make_backend=MemoryBackend)
    assert figures.orders > 50
    assert figures.mails > 200
    assert figures.crashes > 20
    assert figures.outages > 5
    assert figures.jumps > 10


def test_the_same_seed_is_the_same_state_byte_for_byte_whatever_the_process() -> None:
    def line(hash_seed: str) -> bytes:
        command = [sys.executable, "-m", "storecore.testing.simulate", "--seed", "3", "--days", "4", "--history"]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(PROJECT)}
        return subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, check=True).stdout

    assert line("1") == line("2")


def test_another_seed_is_another_month() -> None:
    assert simulate(1, make_backend=MemoryBackend, days=1) != simulate(2, make_backend=MemoryBackend, days=1)


def test_two_back_ends_end_in_the_same_state() -> None:
    assert simulate(7, make_backend=backend_named("sqlite"), days=3) == simulate(
        7, make_backend=backend_named("memory"), days=3
    )


def test_a_back_end_is_opened_again_after_each_crash_and_proven_after_each_day() -> None:
    Proving.asked.clear()
    figures = simulate(3, make_backend=Proving, days=4)
    asked = [what for what, _ in Proving.asked]
    assert asked.count("prove") == 4 + 1
    assert asked.count("open") == 1 + figures.crashes > 2


def test_a_failing_seed_prints_its_history_the_error_and_the_command_that_repeats_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--seeds", "1-2", "--days", "9", "--store", f"{HERE}:Forgetful"]
    assert main(arguments) == 1
    said = capsys.readouterr().out
    assert re.search(r"(?m)^day  1 \d\d:\d\d:\d\d  key-\d+@example.com: ", said)
    assert "THE PROCESS DIED" in said
    assert "AssertionError" in said
    assert f"python -m storecore.testing.simulate --seed 1 --days 9 --store {HERE}:Forgetful\n" in said
    assert said.endswith("2 of 2 seeds failed\n")


@pytest.mark.parametrize(
    ("tables", "complaint"),
    [
        (("answers",), "the same request was answered|on hand, not|was placed twice"),
        (("coupon_counts",), "has 0 uses, not 1"),
        (("moves",), "0 in the ledger"),
        (("audit",), "the audit log differs"),
        (("invoices", "to_invoice"), "reports say"),
        (("notices", "notices_by_cause"), "letters that should"),
        (("pending",), " is pending"),
        (("counted", "copurchases"), "purchases were counted as"),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_the_auditors_notice_what_a_store_forgets(
    tables: tuple[str, ...], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Forgetful, "tables", tables)
    with pytest.raises(SimulationFailed) as failed:
        simulate(1, make_backend=Forgetful, days=9)
    assert re.search(complaint, str(failed.value.__cause__))
    assert failed.value.history


def test_what_a_back_end_says_of_itself_counts() -> None:
    with pytest.raises(SimulationFailed) as failed:
        simulate(1, make_backend=Complaining, days=1)
    assert "nobody likes a MemoryStorage" in str(failed.value.__cause__)


def test_a_line_of_figures_for_each_seed_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "3", "--days", "1", "--processes", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["seed 1", "seed 2", "seed 3"]
    assert lines[1] == str(simulate(2, make_backend=MemoryBackend, days=1))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--seed", "one"],
        ["--seeds", "3-1"],
        ["--seed", "1", "--seeds", "2"],
        ["--seed", "1", "--days", "0"],
        ["--seed", "1", "--store", "no.such:thing"],
        ["--seed", "1", "--store", "storecore.money:NOTHING"],
        ["--seed", "1", "--store", "storecore.testing.simulate.customers:MOST_ACCOUNTS"],
    ],
)
def test_what_cant_be_understood_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_fate_strikes_so_often_on_average_sooner_at_a_higher_pace_and_never_while_resting() -> None:
    def deaths(fate: Fate, port: type = Passwords, method: str = "hash") -> int:
        call = Call(0, port, method, inside=False, writes=False)
        for _ in range(30_000):
            with suppress(ProcessDied):
                fate.strike(Moment.BEFORE, call)
        return fate.deaths

    usual, hasty, resting = (Fate(random.Random(1), every=100) for _ in range(3))
    hasty.pace, resting.resting = 3, True
    assert 270 < deaths(usual) < 330
    assert 810 < deaths(hasty) < 990
    assert deaths(resting) == 0
    assert deaths(Fate(random.Random(1), every=100), Storage, "scrub") == 0


def test_ids_of_one_process_grow_even_if_the_clock_jumps_back() -> None:
    clock = SimulatedClock(NOW)
    new_id = SimulatedIds(clock, chance("ids", 1))
    made = [new_id()]
    clock.jump(timedelta(minutes=-5))
    made += [new_id() for _ in range(50)]
    assert made == sorted(set(made))
    assert SimulatedIds(clock, chance("ids", 1))() < made[0]
    assert clock() == NOW - timedelta(minutes=5)


def test_what_is_equal_has_the_same_plain_text_and_what_differs_has_not() -> None:
    eastern = NOW.astimezone().replace()
    assert plain({"a": 1, "b": [NOW]}) == plain(MappingProxyType({"b": (eastern,), "a": 1}))
    assert plain(Money(1, "USD")) != plain(Money(2, "USD"))
    texts = [plain(each) for each in ("1", 1, b"1", 1.5, None, True, ("1",), ("1", "1"), {"1": "1"}, _Colour.RED)]
    assert len(set(texts)) == len(texts)
    with pytest.raises(TypeError, match="has no plain text"):
        plain(object())


class _Colour(Enum):
    RED = "red"
