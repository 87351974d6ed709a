"""Everything around a simulated shop: time, chance, processes that die and begin again, and the history of it all."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import TypeVar

from storecore.errors import Conflict, NotFound, ProviderDown, StoreError
from storecore.lists import PageRequest
from storecore.money import Money
from storecore.notices import Notice, NoticeState
from storecore.ports import ProductQuery, Unit
from storecore.pricing import ShippingPolicy, TaxPolicy
from storecore.shop import Shop
from storecore.store import Store
from storecore.testing.builders import NOW
from storecore.testing.machine.bank import NAME, Bank
from storecore.testing.simulate.backend import Backend
from storecore.testing.simulate.clockwork import SimulatedClock, SimulatedIds, chance
from storecore.testing.simulate.fate import Fate
from storecore.testing.simulate.outside import (
    FreePasswords,
    Line,
    MailServer,
    NoRateLimits,
    PlainDocuments,
    QuietHub,
    SimulatedFiles,
    SimulatedSigner,
)
from storecore.testing.wires import ProcessDied, Wires
from storecore.transactions import Once, Replayed

T = TypeVar("T")

MOMENTS_BETWEEN_CRASHES = 2000
PEOPLE = 3
"""They are in more danger than the worker, who mostly looks and finds nothing."""
LOST = 0.05
"""How many answers never arrive."""
REFUSALS = (Conflict, ProviderDown)
"""What may be answered to people who can't know better. Anything else is a failure of the shop."""
TIRELESS = 500
"""Rounds after which a worker that still finds work is running in a circle."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Units that staff put on a shelf, or took off, under an idempotency key."""

    product_id: str
    change: int
    note: str


@dataclass
class Ledger:
    """What people outside were told, to be held against the books. Keys are theirs; the order's note repeats its key.

    ``answered`` are the orders by key, ``unanswered`` the keys of those who gave up after a crash.
    """

    answered: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    adjustments: list[Adjustment] = field(default_factory=list)
    opening: dict[str, int] = field(default_factory=dict)
    staff: set[str] = field(default_factory=set)
    guest_carts: list[str] = field(default_factory=list)


class World:
    """A shop in a world that a seed decides about."""

    def __init__(self, seed: int, backend: Backend) -> None:
        self.random = chance("people", seed)
        self.backend = backend
        self.clock = SimulatedClock(NOW)
        self.fate = Fate(chance("fate", seed), every=MOMENTS_BETWEEN_CRASHES)
        self.bank = Bank()
        self.line = Line(self.bank, self.clock, chance("line", seed))
        self.mail = MailServer(self.clock, chance("mail", seed), self._check_committed)
        self.files = SimulatedFiles(self.clock)
        self.told = Ledger()
        self.history: list[str] = []
        self._signer = SimulatedSigner(self.random.randbytes(32))
        self._chance = chance("ids", seed)
        self._turns: list[tuple[datetime, int, Callable[[], None]]] = []
        self._number = count(1)
        self.shop = self._drawn_shop()
        self.storage = backend.open()
        self.store = self._begin()

    def _drawn_shop(self) -> Shop:
        rate, included = self.random.choice(("0", "7.25", "8", "20")), self.random.random() < 0.5
        return Shop(
            timezone=self.random.choice(("UTC", "America/New_York", "Asia/Tokyo")),
            tax=TaxPolicy(default_rate=Decimal(rate), included=included),
            shipping=ShippingPolicy(fee=Money(10_00, "USD"), free_from=Money(100_00, "USD")),
        )

    def _begin(self) -> Store:
        """A process of the shop, in which any call of a port may be the last."""
        process = Store(
            storage=self.storage,
            clock=self.clock,
            new_id=SimulatedIds(self.clock, self._chance),
            random=self._chance.randbytes,
            passwords=FreePasswords(),
            signer=self._signer,
            mailer=self.mail,
            documents=PlainDocuments(),
            files=self.files,
            hub=QuietHub(),
            rate_limits=NoRateLimits(),
            shop=self.shop,
            providers={NAME: self.line.provider},
        )
        return Wires(self.fate.strike).wire(process)

    def note(self, who: str, what: str) -> None:
        """One more line of the history."""
        skew = f" {self.clock.skew.total_seconds():+.0f} s" if self.clock.skew else ""
        self.history.append(f"day {self.clock.day:2} {self.clock.true:%H:%M:%S}{skew}  {who}: {what}")

    def key(self) -> str:
        """A name that nothing else has."""
        return f"key-{next(self._number)}"

    def later(self, wait: timedelta, turn: Callable[[], None]) -> None:
        """Let somebody have a turn after a while."""
        heappush(self._turns, (self.clock.true + wait, next(self._number), turn))

    def again_and_again(self, between: timedelta, turn: Callable[[], None]) -> None:
        """Let somebody have turns, so far apart on average."""

        def take() -> None:
            turn()
            self.again_and_again(between, turn)

        self.later(timedelta(seconds=self.random.randint(1, 2 * int(between.total_seconds()))), take)

    def live(self, until: timedelta) -> None:
        """Let everybody have their turns until so long after the beginning."""
        end = self.clock.began + until
        while self._turns and self._turns[0][0] < end:
            at, _, turn = heappop(self._turns)
            self.clock.true = max(self.clock.true, at)
            turn()
        self.clock.true = max(self.clock.true, end)

    def ask(
        self,
        who: str,
        what: str,
        do: Callable[[Store], T],
        *,
        refusals: tuple[type[StoreError], ...] = REFUSALS,
        patient: bool = True,
        quiet: bool = False,
    ) -> T | None:
        """Ask the shop for something, and again when it died meanwhile; None if it was refused, or given up.

        Whoever is not ``patient`` sometimes gives up after a crash. A ``quiet`` question is noted only if it failed.
        """
        self.clock.true += timedelta(seconds=self.random.randint(1, 20))
        while True:
            try:
                answer = do(self.store)
            except ProcessDied as death:
                self.note(who, f"{what}: THE PROCESS DIED {death}")
                self._die()
                if not patient and self.random.random() < 0.15:
                    self.note(who, f"{what}: gives up")
                    return None
                self.clock.true += timedelta(seconds=self.random.randint(1, 300))
            except refusals as refusal:
                self.note(who, f"{what}: refused, {refusal.code}")
                return None
            else:
                if not quiet:
                    self.note(who, what)
                return answer

    def ask_once(
        self,
        who: str,
        what: str,
        do: Callable[[Store, Once], T],
        answer: Callable[[T], str],
        *,
        key: str | None = None,
        refusals: tuple[type[StoreError], ...] = REFUSALS,
        patient: bool = True,
    ) -> str | None:
        """The same under an idempotency key, so that however often it is sent, it happens once; what is answered.

        Now and then the answer is lost on its way, and the request is sent again.
        """
        once = Once(
            scope=who,
            key=key or self.key(),
            fingerprint=what.encode(),
            render=lambda result: answer(result).encode(),
        )

        def send(store: Store) -> str:
            try:
                return answer(do(store, once))
            except Replayed as replayed:
                return replayed.answer.decode()

        said = self.ask(who, what, send, refusals=refusals, patient=patient)
        if said is not None and self.random.random() < LOST:
            again = self.ask(who, f"{what}, again, for the answer was lost", send)
            assert again == said, f"the same request was answered {said}, then {again}"
        return said

    def _die(self) -> None:
        """What the process held is gone. The mail that it had just handed over may go out a second time."""
        if self.mail.last is not None:
            with self.reading() as unit:
                if unit.outbox.get(self.mail.letters[self.mail.last].id).state is NoticeState.PENDING:
                    self.mail.unanswered[self.mail.last] += 1
            self.mail.last = None
        self.storage.close()
        self.storage = self.backend.open()
        self.store = self._begin()

    def work(self) -> None:
        """The worker does all that is due."""
        self.fate.pace = 1
        for _ in range(TIRELESS):
            self.mail.last = None
            if not self.ask("worker", "works", Store.work, quiet=True):
                break
        else:
            raise AssertionError(f"after {TIRELESS} rounds the worker still finds something to do")
        self.fate.pace = PEOPLE

    def calm(self) -> None:
        """From now on the weather is fine, and no process dies."""
        self.note("weather", "all is well from now on")
        self.fate.resting = self.line.calm = self.mail.calm = True
        self.line.down_until = self.mail.down_until = None
        self.clock.jump(timedelta())

    def settle(self) -> None:
        """Nobody comes any more: whatever is open is brought to its end, with all that is tried again the next day."""
        for hours in (1, 1, 1, 8, 24, 1, 1):
            self.clock.true += timedelta(hours=hours)
            self.work()

    def reading(self) -> AbstractContextManager[Unit]:
        """One snapshot of everything, for the auditors: no process of theirs dies."""
        return self.storage.reading(self.clock(), partial(next, map(str, count())))

    def on_sale(self) -> list[str]:
        """What shoppers see on the shelves."""
        with self.reading() as unit:
            return [product.id for product in unit.products.page(ProductQuery(), PageRequest(limit=100)).items]

    def codes(self) -> list[str]:
        """The coupons that are going round, and one that never did."""
        with self.reading() as unit:
            return ["NO-SUCH-CODE", *(coupon.code for coupon in unit.coupons.page(PageRequest()).items)]

    def money(self, minor: int) -> Money:
        """An amount in the shop's currency."""
        return Money(minor, self.shop.currency)

    def choose(self, things: Iterable[T]) -> T | None:
        """One of some things, None if there is none."""
        found = list(things)
        return self.random.choice(found) if found else None

    def _check_committed(self, notice: Notice) -> None:
        """Nothing is sent that was not written down before."""
        with self.reading() as unit:
            try:
                kept = unit.outbox.get(notice.id)
            except NotFound:
                raise AssertionError(f"{notice.event} was sent, and never happened") from None
        assert kept.state is NoticeState.PENDING, f"{notice.event} was sent, and is {kept.state}"
        assert (kept.event, kept.recipient, kept.message_id) == (notice.event, notice.recipient, notice.message_id)
