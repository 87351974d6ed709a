"""Whatever goes wrong at whatever call of a port, no use case leaves anything half done; and the proof finds those
that do.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import wraps
from typing import Any

import pytest

from adapters.memory import MemoryStorage
from storecore.catalog.wishing import Wishing
from storecore.delivering import Delivering
from storecore.errors import Busy, MailerDown, ProviderDown, Unavailable
from storecore.ports import Documents, Listener, Mailer, NewId, Orders, PaymentProvider, Signer, Unit
from storecore.testing.faults import Fault, FaultsContract, Kind, Moment, Stage, Trials
from storecore.testing.faults.__main__ import main
from storecore.testing.faults.calls import Missing, calls, use_cases
from storecore.testing.faults.plans import faults, lasting
from storecore.testing.wires import Call, ProcessDied
from tests.contracts.stages import in_memory, on_sqlite


class TestStoreInMemory(FaultsContract):
    @pytest.fixture(scope="class")
    @classmethod
    def stage(cls) -> Iterator[Stage]:
        with in_memory() as stage:
            yield stage


class TestStoreOnSqlite(FaultsContract):
    """Some of it; all of it is tried by ``nox -s faults``."""

    use_cases = (
        "accounts.erase",
        "accounts.register",
        "catalog.import_products",
        "orders.cancel",
        "orders.pay",
        "orders.place",
        "refunds.pay_out",
        "support.attach",
    )
    share = 12

    @pytest.fixture(scope="class")
    @classmethod
    def stage(cls) -> Iterator[Stage]:
        with on_sqlite() as stage:
            yield stage


class LeakyStorage(MemoryStorage):
    """It keeps what was written before something went wrong."""

    @contextmanager
    def writing(self, now: datetime, new_id: NewId) -> Iterator[Unit]:
        with super().writing(now, new_id) as unit:
            try:
                yield unit
            except BaseException:
                unit.commit()
                raise


class StuckStorage(MemoryStorage):
    """Nobody's turn to write comes any more once a writer was killed."""

    stuck = False

    @contextmanager
    def writing(self, now: datetime, new_id: NewId) -> Iterator[Unit]:
        if self.stuck:
            raise Busy()
        with super().writing(now, new_id) as unit:
            try:
                yield unit
            except ProcessDied:
                self.stuck = True
                raise


def tried(storage: MemoryStorage, use_case: str, fault: Fault) -> None:
    with in_memory(storage) as stage:
        Trials(stage).check(use_case, fault)


def last(use_case: str, method: str) -> int:
    """The number of the last call of a method."""
    with in_memory() as stage:
        made = Trials(stage).undisturbed(use_case).calls
    return max(call.number for call in made if call.method == method)


@pytest.mark.parametrize("kind", [Kind.KILLED, Kind.DOWN, Kind.BROKEN])
def test_what_stays_of_a_transaction_that_failed_is_found(kind: Kind) -> None:
    fault = Fault(last("orders.place", "move"), Moment.AFTER, kind)
    tried(MemoryStorage(), "orders.place", fault)
    with pytest.raises(AssertionError, match=r"orders\.place is \w+ after call \d+, Stock\.move"):
        tried(LeakyStorage(), "orders.place", fault)


def test_a_lock_that_a_killed_process_leaves_is_found() -> None:
    fault = Fault(last("orders.place", "move"), Moment.BEFORE, Kind.KILLED)
    with pytest.raises(AssertionError, match=r"sent again it ends with Busy"):
        tried(StuckStorage(), "orders.place", fault)


def test_money_that_is_taken_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Fault(last("orders.pay", "take"), Moment.AFTER, Kind.KILLED)
    tried(MemoryStorage(), "orders.pay", fault)
    monkeypatch.setattr("storecore.orders.paying._ours", lambda *_: False)  # it forgets what the request began
    with pytest.raises(AssertionError, match=r"sent a third time it is not replayed but PaymentInProgress"):
        tried(MemoryStorage(), "orders.pay", fault)


def test_mail_that_is_noted_before_it_is_sent_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def deliver(self: Delivering, *, limit: int = 5) -> int:
        leased = self._lease(limit=limit)
        for notice in leased:
            self._settle(notice=notice.sent(self.clock()))
            self.mailer.send(notice, ())
        return len(leased)

    monkeypatch.setattr(Delivering, "deliver", deliver)
    fault = Fault(last("notices.deliver", "send"), Moment.BEFORE, Kind.KILLED)
    with pytest.raises(AssertionError, match=r"in the end it is not as if nothing had happened\n- sent: "):
        tried(MemoryStorage(), "notices.deliver", fault)


def test_a_failure_that_is_kept_from_the_caller_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def add(self: Wishing, **given: Any) -> None:
        with suppress(Unavailable):
            adding(self, **given)

    adding = Wishing.add
    monkeypatch.setattr(Wishing, "add", wraps(adding)(add))
    fault = Fault(last("wishlist.add", "commit"), Moment.BEFORE, Kind.DOWN)
    with pytest.raises(AssertionError, match=r"wishlist\.add is down before call \d+, Unit\.commit: it is not done"):
        tried(MemoryStorage(), "wishlist.add", fault)


def test_a_use_case_that_the_scene_has_nothing_for_is_no_silent_skip() -> None:
    def wrap(*, order_id: str, ribbon: str) -> None: ...

    with pytest.raises(Missing, match=r"gifts\.wrap takes a ribbon"):
        next(calls("gifts.wrap", wrap, {"order_id": ["1"]}))


def test_a_use_case_that_is_refused_whatever_it_is_given_is_no_silent_skip() -> None:
    with in_memory() as stage:
        trials = Trials(stage)
        trials._offered = {**trials._offered, "password": ["not theirs"]}
        with pytest.raises(AssertionError, match=r"accounts\.login succeeds with nothing"):
            trials.undisturbed("accounts.login")


def test_every_call_of_every_port_is_on_the_wire() -> None:
    with in_memory() as stage:
        made = Trials(stage).undisturbed("orders.pay").calls
    assert [str(call) for call in made if lasting(call)] == [
        "Storage.reading",
        "Storage.writing",
        "Unit.commit",
        "PaymentProvider.prepare",
        "Storage.writing",
        "Unit.commit",
        "PaymentProvider.take",
        "Storage.writing",
        "Unit.commit",
    ]
    assert {"Orders.locked", "Payments.add", "Outbox.add", "Answers.keep"} <= set(map(str, made))


@pytest.mark.parametrize(
    ("port", "method", "failure"),
    [
        (PaymentProvider, "take", ProviderDown),
        (Mailer, "send", MailerDown),
        (Orders, "locked", Unavailable),
        (Listener, "next", Unavailable),
    ],
)
def test_a_port_that_is_down_raises_what_it_says_that_it_does(
    port: type, method: str, failure: type[Unavailable]
) -> None:
    with pytest.raises(Unavailable) as raised:
        Fault(3, Moment.BEFORE, Kind.DOWN).strike(Moment.BEFORE, Call(3, port, method, inside=False, writes=False))
    assert raised.type is failure


@pytest.mark.parametrize("port", [Signer, Documents])
def test_what_has_no_technology_is_never_down(port: type) -> None:
    kinds = {fault.kind for fault in faults(Call(0, port, "read", inside=True, writes=True))}
    assert kinds == {Kind.KILLED, Kind.BROKEN, Kind.OVERTAKEN}


def test_every_use_case_is_named_once() -> None:
    names = use_cases()
    assert len(names) == len(set(names))
    assert {"orders.place", "housekeeping.sweep", "work"} <= set(names)


def test_the_command_tells_how_much_was_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tests.contracts.stages:in_memory", "wishlist.add", "audit.page", "--share", "5"]) == 0
    said = capsys.readouterr().out
    assert "wishlist.add" in said
    assert said.splitlines()[-1].startswith("2 use cases, ")
    assert said.endswith("0 of which did not end well\n")
