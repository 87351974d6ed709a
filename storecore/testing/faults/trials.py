"""Trying a use case: once undisturbed, to know what should be, and then with each call of a port going wrong."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from storecore.errors import StoreError
from storecore.store import Store
from storecore.testing.builders import NOW, ids
from storecore.testing.faults.calls import Arguments, bound, calls, fresh, takes_once
from storecore.testing.faults.looking import Rows, State, Teller, differences, rows_of
from storecore.testing.faults.plans import Broken, Fault, Kind, faults, lasting
from storecore.testing.faults.props import Post, SameHash
from storecore.testing.faults.scene import prepare
from storecore.testing.machine.bank import NAME, Account, Bank
from storecore.testing.machine.scene import MovingClock
from storecore.testing.wires import Call, Moment, ProcessDied, Wires
from storecore.transactions import Replayed

WAITS = (timedelta(0), timedelta(minutes=1), timedelta(minutes=31), timedelta(hours=7))
"""After these, with the worker at work, everything that was left open has come to its end."""
MOST_ROUNDS = 500
"""A worker that still finds something to do then goes round in circles."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A store to try use cases in, fresh and empty.

    ``keep()`` remembers all that its storage holds, and gives what brings it back to that. ``clock`` is the one that
    adapters were given which need one, such as files. ``rows`` reads everything in the storage, by default whatever
    its ports show: there may be more behind them.
    """

    store: Store
    keep: Callable[[], Callable[[], None]]
    clock: MovingClock = field(default_factory=MovingClock)
    rows: Callable[[], Rows] | None = None


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a use case does when nothing goes wrong: each call of a port, and the states it leads through.

    After call ``k`` (and before call ``k + 1``) everything is as in ``states[after[k]]``. ``end`` is how it is when
    the worker has done the rest, in words.
    """

    arguments: Arguments
    calls: Sequence[Call]
    states: Sequence[State]
    after: Sequence[int]
    answer: str
    end: Counter[str]

    def at(self, fault: Fault) -> State:
        """How everything is at the moment of a fault."""
        before = self.after[fault.at - 1] if fault.at else 0
        return self.states[before if fault.moment is Moment.BEFORE else self.after[fault.at]]

    def faults(self) -> Iterator[Fault]:
        """Everything that can go wrong."""
        for call in self.calls:
            yield from faults(call)


class Trials:
    """The scene on a stage, and every use case tried in it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._bank, self._made, self._drawn = Bank(), 0, 0
        self._post = Post(stage.store.ports["mailer"])
        self._store = Store(
            **{
                **stage.store.ports,
                "clock": stage.clock,
                "new_id": self._new_id,
                "random": self._random,
                "passwords": SameHash(stage.store.ports["passwords"]),
                "mailer": self._post,
                "providers": {NAME: self._bank},
            }
        )
        self._offered = prepare(self._store, stage.clock, self._bank)
        self._bring_back = stage.keep()
        self._accounts, self._told = deepcopy(self._bank.accounts), list(self._bank.told)
        self._sources = self._made, self._drawn
        self._version = stage.store.storage.version()
        self._post.sent.clear()
        self._begin = State(self._rows(), (), self._files(), self._bank_now())
        self._teller = Teller(ids(self._made)(), self._begin.rows)
        self._undisturbed: dict[str, Undisturbed] = {}
        self._ended: dict[str, list[State]] = {}

    def undisturbed(self, use_case: str) -> Undisturbed:
        """What it does when nothing goes wrong. Raises ``AssertionError`` when it does not succeed."""
        if use_case not in self._undisturbed:
            self._undisturbed[use_case] = self._watched(use_case, self._arguments(use_case))
        return self._undisturbed[use_case]

    def check(self, use_case: str, fault: Fault) -> None:
        """Let something go wrong, and try again. Raises ``AssertionError`` when it does not end well."""
        known = self.undisturbed(use_case)
        self._restore()
        store = Wires(fault.strike).wire(self._store)
        answer, raised = self._run(store, use_case, known.arguments)
        state = self._look()
        where = f"{use_case} is {fault.kind} {fault.moment} call {fault.at}, {known.calls[fault.at]}"
        if fault.kind is Kind.KILLED:
            assert isinstance(raised, ProcessDied), f"{where}: it ends with {raised!r}"
            self._same(known.at(fault), state, f"{where}: something is there that was not committed, or the reverse")
        elif fault.kind is Kind.OVERTAKEN and known.calls[fault.at].writes:
            assert raised is None, f"{where}: it is not run again, but ends with {raised!r}"
            self._alike(known.states[-1], state, f"{where}: the second run does something else")
        elif len(known.states) <= 2:
            possible = known.states if raised else known.states[-1:]
            assert state in possible, f"{where}: it is {'between' if raised else 'not done'}\n" + self._difference(
                known.states[-1], state
            )
        assert raised is None or isinstance(raised, (ProcessDied, Broken, StoreError)), (
            f"{where}: it ends with {raised!r}"
        )
        if raised is None and (fault.kind is Kind.OVERTAKEN or state == known.states[-1]):
            assert answer == known.answer, f"{where}: the answer is wrong\n- {known.answer}\n+ {answer}"
        if fault.kind is Kind.KILLED:
            store = self._started_again()
        if state not in (ended := self._ended.setdefault(use_case, [])):
            self._check_end(store, use_case, known, state, where)
            ended.append(state)

    def _check_end(self, store: Store, use_case: str, known: Undisturbed, state: State, where: str) -> None:
        """Sent again, the request has exactly one effect, and the worker does the rest."""
        once = takes_once(bound(store, use_case))
        if once or state != known.states[-1]:
            _, raised = self._run(store, use_case, known.arguments)
            if state == known.states[0] and state != known.states[-1]:
                assert raised is None, f"{where}: it was not done, and sent again it ends with {raised!r}"
            assert raised is None or isinstance(raised, (Replayed, StoreError)), f"{where}: then {raised!r}"
        if once:
            before = self._look()
            _, raised = self._run(store, use_case, known.arguments)
            assert isinstance(raised, Replayed), f"{where}: sent a third time it is not replayed but {raised!r}"
            self._same(before, self._look(), f"{where}: a replay has an effect")
        if len(known.states) == 1 and self._look() == self._begin:
            return  # nothing was to change, and nothing has
        self._settle(store)
        end = self._look()
        found = self._teller.all_of(end)
        assert found == known.end, f"{where}: in the end it is not as if nothing had happened\n" + differences(
            known.end, found
        )
        assert len(end.sent) <= len(set(end.sent)) + 1, f"{where}: more than one mail was sent twice"

    def _arguments(self, use_case: str) -> Arguments:
        """With what it succeeds in this scene, and changes something, if anything does."""
        fallback: Arguments | None = None
        refusals: dict[str, None] = {}
        for arguments in calls(use_case, bound(self._store, use_case), self._offered):
            self._restore()
            _, raised = self._run(self._store, use_case, arguments)
            if raised is None and self._look() != self._begin:
                return arguments
            if raised is None:
                fallback = fallback or arguments
            else:
                refusals[repr(raised)] = None
        if fallback is None:
            why = "\n".join(refusals)
            raise AssertionError(f"{use_case} succeeds with nothing in storecore.testing.faults.scene; add it:\n{why}")
        return fallback

    def _watched(self, use_case: str, arguments: Arguments) -> Undisturbed:
        self._restore()
        states, after, made = [self._look()], list[int](), list[Call]()

        def watch(moment: Moment, call: Call) -> None:
            if moment is Moment.BEFORE:
                made.append(call)
            elif moment is Moment.AFTER:
                if lasting(call) and (state := self._look()) != states[-1]:
                    states.append(state)
                after.append(len(states) - 1)

        answer, raised = self._run(Wires(watch).wire(self._store), use_case, arguments)
        assert raised is None, f"{use_case} ends with {raised!r}"
        if len(states) == 1:
            return Undisturbed(arguments, made, states, after, answer, self._untouched)
        self._settle(self._started_again())
        return Undisturbed(arguments, made, states, after, answer, self._teller.all_of(self._look()))

    @cached_property
    def _untouched(self) -> Counter[str]:
        """How it ends when nobody does anything but the worker."""
        self._restore()
        self._settle(self._started_again())
        return self._teller.all_of(self._look())

    def _started_again(self) -> Store:
        """Another process, which knows nothing of the one before."""
        return Store(**self._store.ports)

    def _run(self, store: Store, use_case: str, arguments: Arguments) -> tuple[str, BaseException | None]:
        """The answer in words, read to its end, or what was raised."""
        try:
            return self._teller.told(bound(store, use_case)(**fresh(arguments))), None
        except (Exception, ProcessDied) as raised:  # noqa: BLE001 - what may be raised is what is asked
            return "", raised

    def _settle(self, store: Store) -> None:
        """Time passes, and the worker does all that is due."""
        for wait in WAITS:
            self._stage.clock.at += wait
            assert any(not store.work() for _ in range(MOST_ROUNDS)), "the worker goes round in circles"

    def _look(self) -> State:
        unchanged = self._stage.store.storage.version() == self._version
        rows = self._begin.rows if unchanged else self._rows()
        return State(rows, tuple(self._post.sent), self._files(), self._bank_now())

    def _rows(self) -> Rows:
        if self._stage.rows is not None:
            return self._stage.rows()
        with self._stage.store.storage.reading(self._stage.clock(), self._new_id) as unit:
            return rows_of(unit)

    def _files(self) -> Mapping[str, bytes]:
        files, found = self._stage.store.ports["files"], {}
        for name in files.kept_before(self._stage.clock() + timedelta(days=1)):
            with files.open(name) as file:
                found[name] = file.read()
        return found

    def _bank_now(self) -> Mapping[str, object]:
        return {name: _seen(account) for name, account in self._bank.accounts.items()}

    def _restore(self) -> None:
        self._bring_back()
        self._version = self._stage.store.storage.version()
        if self._bank_now() != self._begin.bank or self._bank.told != self._told:
            self._bank.accounts, self._bank.told = deepcopy(self._accounts), list(self._told)
        self._post.sent.clear()
        self._made, self._drawn = self._sources
        files, there = self._stage.store.ports["files"], self._files()
        self._stage.clock.at = NOW - timedelta(hours=2)
        for name in there.keys() - self._begin.files.keys():
            files.remove(name)
        for name in self._begin.files.keys() - there.keys():
            files.keep(name, [self._begin.files[name]])
        self._stage.clock.at = NOW

    def _new_id(self) -> str:
        self._made += 1
        return ids(self._made)()

    def _random(self, length: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(length, "big")

    def _same(self, expected: State, found: State, why: str) -> None:
        assert expected == found, f"{why}\n{self._difference(expected, found)}"

    def _alike(self, expected: State, found: State, why: str) -> None:
        assert expected == found or not (difference := self._difference(expected, found)), f"{why}\n{difference}"

    def _difference(self, expected: State, found: State) -> str:
        return differences(self._teller.all_of(expected), self._teller.all_of(found))


def _seen(account: Account) -> object:
    return account.order_id, account.state, account.taken, account.challenged, dict(account.given_back)
