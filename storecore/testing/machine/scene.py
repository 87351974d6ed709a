"""The shop that a machine plays in, who is there, and the model of what should be by now."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Protocol, TypeVar, Unpack
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, multiple

from storecore.accounts.model import SYSTEM, Actor, Guest, User
from storecore.accounts.permissions import Role
from storecore.catalog.coupon import Coupon
from storecore.catalog.couponing import CouponTerms
from storecore.errors import CouponNotApplicable, StoreError
from storecore.housekeeping import KEEP_SENT_NOTICES
from storecore.lists import Page, PageRequest
from storecore.money import Money, half_up
from storecore.notices import Notice
from storecore.orders.model import HistoryEntry, Order, Status
from storecore.ports import Clock, PaymentProvider, Unit
from storecore.store import Store
from storecore.testing.builders import NOW
from storecore.testing.machine.bank import NAME, Bank

T = TypeVar("T")

SHELVES = 3
"""Products in the shop."""
OPENING_STOCK = 4
PASSWORD = "correct horse battery"  # noqa: S105 - of people who exist for a moment

wares = st.integers(0, SHELVES - 1)
"""Which product."""
LONGEST_WAIT = timedelta(hours=7)
"""By then every open payment and payout was tried again."""
waits = st.sampled_from((timedelta(minutes=1), timedelta(minutes=31), LONGEST_WAIT))
quantities = st.integers(1, 3)
"""How many of it."""
people: "Bundle[Shopper]" = Bundle("people")
sales: "Bundle[Sale]" = Bundle("sales")
coupons: "Bundle[Offered]" = Bundle("coupons")


def every(fetch: Callable[[PageRequest], Page[T]]) -> Iterator[T]:
    """Every row of a list, page by page."""
    page = fetch(PageRequest(limit=100))
    yield from page.items
    while page.next is not None:
        page = fetch(PageRequest(limit=100, after=page.next))
        yield from page.items


class MovingClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@dataclass(eq=False)
class Ware:
    """A product as it should be: on the shelf, sold, and at what price. ``minor`` is the list price."""

    id: str
    minor: int
    stock: int = OPENING_STOCK
    sold: int = 0
    active: bool = True
    percent: Decimal = Decimal(0)
    window: tuple[datetime, datetime | None] = (NOW, None)

    def price(self, at: datetime) -> int:
        """What one costs at a time, in minor units."""
        start, end = self.window
        off = self.percent if start <= at and (end is None or at < end) else Decimal(0)
        numerator, denominator = (100 - off).as_integer_ratio()
        return half_up(self.minor * numerator, 100 * denominator)


@dataclass(eq=False)
class Shopper:
    """A customer, or a guest (without ``account``), and what should be in their cart."""

    email: str
    account: User | None = None
    cart_id: str | None = None
    cart: dict[str, int] = field(default_factory=dict)
    coupon: str | None = None

    @property
    def by(self) -> Actor:
        """Who asks, when it is about the cart or a new order."""
        return self.account or Guest(cart_id=self.cart_id)

    def owning(self, order: Order) -> Actor:
        """Who asks, when it is about an order that was placed."""
        return self.account or Guest(order_id=order.id)

    @property
    def name(self) -> str:
        """Whose uses of a coupon count together."""
        return self.account.id if self.account else self.email


@dataclass(eq=False)
class Offered:
    """A coupon that staff made."""

    coupon: Coupon
    active: bool = True


@dataclass(eq=False)
class Sale:
    """An order as it was placed, and where it should be by now. ``history`` is what was seen of it so far.

    ``online``: a bank was asked for its money. ``repaid`` are the refunds that the bank has paid, ``returned`` the
    units by line whose refund was approved, ``reserved`` those that are asked for as well.
    """

    buyer: Shopper
    placed: Order
    status: Status = Status.PENDING
    paid: bool = False
    online: bool = False
    pay_by: datetime | None = None
    refunded: int = 0
    repaid: set[str] = field(default_factory=set)
    returned: Counter[str] = field(default_factory=Counter)
    reserved: Counter[str] = field(default_factory=Counter)
    shipping_returned: bool = False
    note: str | None = None
    coupon: Offered | None = None
    history: tuple[HistoryEntry, ...] = ()

    @property
    def quantities(self) -> Mapping[str, int]:
        """Units by product."""
        return self.placed.quantities

    @property
    def waits_for_bank(self) -> bool:
        """Whether only the bank's money can confirm it, or money in hand."""
        return self.online and not self.paid and self.status is Status.PENDING


class Stage(Protocol):
    """Where a machine plays: :class:`~storecore.testing.machine.ShopMachine` is one."""

    def open_store(self, clock: Clock, providers: Mapping[str, PaymentProvider]) -> AbstractContextManager[Store]:
        """A new, empty store by this clock, with these payment providers; it is left when the run ends."""

    def prove(self, store: Store) -> None:
        """Raise if anything else is wrong; called after each step."""


class Scene(RuleBasedStateMachine):
    """A new store with a few products, two customers, a guest and an admin; its subclasses say what they do."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.clock = MovingClock()
        self.bank = Bank()
        self.stack = ExitStack()
        self.store: Store = self.stack.enter_context(stage.open_store(self.clock, {NAME: self.bank}))
        self.numbers = count(1)
        self.wares: list[Ware] = []
        self.shoppers: list[Shopper] = []
        self.offered: list[Offered] = []
        self.sales: dict[str, Sale] = {}
        self.staff_did: Counter[tuple[str, str | None, str]] = Counter()
        self._stock_up()
        user = self.register("staff@example.com")
        self.staff = self.store.accounts.set_role(by=SYSTEM, user_id=user.id, role=Role.ADMIN)
        self.enter("customer@example.com")
        self.enter("another@example.com")
        self.enter()
        self.offer(percent=Decimal("12.5"), max_uses=3, max_uses_per_user=2)

    def check(self, unit: Unit) -> None:
        """Raise if an area's books are wrong; called in one snapshot after each step. Areas add to it."""

    def teardown(self) -> None:
        self.stack.close()

    @initialize(target=people)
    def people_come(self) -> MultipleResults[Shopper]:
        """Two customers and a guest."""
        return multiple(*self.shoppers)

    @initialize(target=coupons)
    def coupons_are_out(self) -> MultipleResults[Offered]:
        """One that runs out soon."""
        return multiple(*self.offered)

    def _stock_up(self) -> None:
        shelf = self.store.catalog.create_category(by=SYSTEM, name="Things")
        for number, (minor, off) in enumerate(((999, "0"), (40_00, "33.33"), (1, "0")), start=1):
            made = self.store.catalog.create_product(
                by=SYSTEM,
                sku=f"SKU-{number}",
                name=f"Thing {number}",
                price=self.money(minor),
                category_ids=[shelf.id],
                stock=OPENING_STOCK,
                discount_percent=Decimal(off),
            )
            self.wares.append(Ware(made.product.id, minor, percent=Decimal(off)))

    def enter(self, email: str = "") -> Shopper:
        """Somebody comes; with an email they have an account."""
        account = self.register(email) if email else None
        shopper = Shopper(email or f"guest{len(self.shoppers)}@example.com", account)
        self.shoppers.append(shopper)
        return shopper

    def offer(self, **terms: Unpack[CouponTerms]) -> Offered:
        """Make a coupon, and note it."""
        terms["code"] = f"CODE-{next(self.numbers)}"
        offered = Offered(self.store.catalog.create_coupon(by=SYSTEM, **terms))
        self.offered.append(offered)
        return offered

    def register(self, email: str) -> User:
        """A new account."""
        return self.store.accounts.register(email=email, password=PASSWORD, full_name="Ada Lovelace")

    def money(self, minor: int) -> Money:
        """An amount in the shop's currency."""
        return Money(minor, self.store.shop.currency)

    def note(self, by: User, action: str, object_id: str) -> None:
        """Note what the audit log should say that somebody of the staff did."""
        self.staff_did[action, by.id, object_id] += 1

    def ware(self, product_id: str) -> Ware:
        """The model of a product."""
        return next(ware for ware in self.wares if ware.id == product_id)

    def uses(self, offered: Offered, name: str | None = None) -> int:
        """How many orders should count as uses of a coupon, or of somebody's."""
        return sum(sale.coupon is offered and name in {None, sale.buyer.name} for sale in self.sales.values())

    def not_applicable(
        self, offered: Offered, bought: Mapping[str, int], name: str | None
    ) -> type[CouponNotApplicable] | None:
        """Whether a coupon should be refused for these units, and for somebody's orders so far."""
        coupon, at = offered.coupon, self.clock()
        goods = sum(self.ware(each).price(at) * quantity for each, quantity in bought.items())
        applies = (
            offered.active
            and (coupon.ends_at is None or at < coupon.ends_at)
            and (coupon.min_spend is None or goods >= coupon.min_spend.minor)
            and (coupon.max_uses is None or self.uses(offered) < coupon.max_uses)
            and (
                name is None or coupon.max_uses_per_user is None or self.uses(offered, name) < coupon.max_uses_per_user
            )
        )
        return None if applies else CouponNotApplicable

    def reading(self) -> AbstractContextManager[Unit]:
        """One snapshot of everything, through the ports."""
        return self.store.storage.reading(self.clock(), lambda: str(uuid4()))

    def move(self, quantities: Mapping[str, int], sign: int) -> None:
        """Note that units were sold (-1), or that they came back (1)."""
        for product_id, quantity in quantities.items():
            ware = self.ware(product_id)
            ware.stock += sign * quantity
            ware.sold -= sign * quantity

    @staticmethod
    def attempt(should_be: type[StoreError] | None, do: Callable[[], T]) -> T | None:
        """Do something that should succeed (None), or be refused in this way: what came of it, None if refused."""
        try:
            result = do()
        except StoreError as refusal:
            if should_be is None or not isinstance(refusal, should_be):
                raise AssertionError(f"{should_be} was expected") from refusal
            return None
        assert should_be is None, f"{should_be} was expected"
        return result

    def notices(self, unit: Unit) -> Sequence[Notice]:
        """Every letter that was written."""
        return list(every(unit.outbox.page))

    def nothing_is_forgotten_within(self, wait: timedelta) -> bool:
        """The broom takes guests' carts and sent mail in time; the model counts on them."""
        return self.clock() + wait - NOW < min(KEEP_SENT_NOTICES, self.store.shop.session_lifetime)

    def later(self, by: timedelta) -> None:
        """Let time pass."""
        self.clock.at += by
