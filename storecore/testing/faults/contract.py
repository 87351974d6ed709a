"""The contract of a whole store: whatever goes wrong at whatever moment, it is all done or nothing is."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import ClassVar

import pytest

from storecore.testing.faults.calls import WORK, use_cases
from storecore.testing.faults.plans import Fault
from storecore.testing.faults.trials import Stage, Trials

STEPWISE: Mapping[str, str] = MappingProxyType(
    {
        "accounts.erase": "the account goes with everything in it, then the files and copies of mail that were its",
        "notices.deliver": "mail is leased, sent, and noted as sent, one after another",
        "orders.cancel_overdue": "each order has a transaction of its own, after its payment was given up",
        "orders.issue_due": "each invoice has a transaction of its own, which holds the number",
        "orders.pay": "the payment is written down, prepared, taken by the provider, and written down again",
        "orders.settle_due": "each payment is leased, its provider asked, and what it says written down",
        "refunds.pay_out": "refunds are leased, each is given back by its provider, and written down",
        "support.attach": "the file is kept first, then its message is written",
        "support.sweep": "one file is removed after another",
        WORK: "it does one thing after another",
    }
)
"""Use cases of several steps, and which: between two of them everything is as after the last one, whole, and the
worker, or the same request sent again, goes on from there. All others change everything at once.
"""


class FaultsContract:
    """Every use case, with every call of every port going wrong in every way, before and after it was done.

    Give it a fixture ``stage``, a class method of the scope of the class. Where all of it takes too long, name some
    ``use_cases``, or a ``share``: of so many faults one is tried, and always the same ones. ``stepwise`` are use cases
    of several steps.
    """

    use_cases: ClassVar[Sequence[str]] = use_cases()
    share: ClassVar[int] = 1
    stepwise: ClassVar[Mapping[str, str]] = STEPWISE

    @pytest.fixture(scope="class")
    @classmethod
    def trials(cls, stage: Stage) -> Trials:
        """The scene on the stage."""
        return Trials(stage)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Each use case is a test."""
        if "use_case" in metafunc.fixturenames:
            metafunc.parametrize("use_case", self.use_cases)

    def test_whatever_port_fails_at_whatever_call_all_is_done_or_nothing(self, trials: Trials, use_case: str) -> None:
        steps = len(trials.undisturbed(use_case).states) - 1
        assert steps <= 1 or use_case in self.stepwise, (
            f"{use_case} changes things in {steps} steps: can it be one? If not, say in ``stepwise`` which they are"
        )
        for fault in chosen(trials, use_case, self.share):
            trials.check(use_case, fault)


def chosen(trials: Trials, use_case: str, share: int) -> Iterator[Fault]:
    """One of so many faults of a use case, from another one on for each."""
    return islice(trials.undisturbed(use_case).faults(), sum(use_case.encode()) % share, None, share)
