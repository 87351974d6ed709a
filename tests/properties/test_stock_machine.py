"""Whatever customers and staff do in whatever order, no unit of stock appears or disappears."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from storecore.accounts.model import SYSTEM
from storecore.errors import CartEmpty, IllegalTransition, OutOfStock
from storecore.orders.model import NEXT, Order, Status
from tests.usecases.floor import HOME, Floor, on_hand, open_floor, person, product

SHELVES = st.integers(0, 2)
QUANTITIES = st.integers(1, 4)


class StockMachine(RuleBasedStateMachine):
    """Three products, two customers; every unit is on the shelf, in an order, or accounted for by hand."""

    back_end = "memory"
    orders: Bundle[str] = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(TemporaryDirectory()))
        self.store: Floor = self.stack.enter_context(open_floor(self.back_end, folder))
        self.people = [person(self.store) for _ in range(2)]
        self.products = [product(self.store, stock=5) for _ in range(3)]
        self.brought = Counter({each.id: 5 for each in self.products})
        self.placed: dict[str, Order] = {}

    def teardown(self) -> None:
        self.stack.close()

    def _note(self, order: Order) -> str:
        self.placed[order.id] = order
        return order.id

    @rule(target=orders, who=st.integers(0, 1), lines=st.lists(st.tuples(SHELVES, QUANTITIES), min_size=1, max_size=4))
    def place(self, who: int, lines: list[tuple[int, int]]) -> str:
        items = [(self.products[shelf].id, quantity) for shelf, quantity in lines]
        wanted: Counter[str] = Counter()
        for product_id, quantity in items:
            wanted[product_id] += quantity
        try:
            return self._note(self.store.orders.place(by=self.people[who], items=items, deliver_to=HOME))
        except OutOfStock as short:
            lines_short = {line["product_id"] for line in short.extra["lines"]}
        left = {each.id: on_hand(self.store, each) for each in self.products}
        assert lines_short == {each for each, quantity in wanted.items() if left[each] < quantity}
        return ""

    @rule(who=st.integers(0, 1), shelf=SHELVES, quantity=QUANTITIES)
    def fill_cart(self, who: int, shelf: int, quantity: int) -> None:
        each, buyer = self.products[shelf], self.people[who]
        wanted = quantity + self.store.carts.cart(by=buyer).cart.quantity(each.id)
        fits = wanted <= on_hand(self.store, each)
        try:
            self.store.carts.add_item(by=buyer, product_id=each.id, quantity=quantity)
            assert fits
        except OutOfStock:
            assert not fits

    @rule(target=orders, who=st.integers(0, 1))
    def check_out(self, who: int) -> str:
        before = self.store.carts.cart(by=self.people[who]).cart
        try:
            order = self.store.orders.checkout(by=self.people[who], deliver_to=HOME)
        except (OutOfStock, CartEmpty):
            assert self.store.carts.cart(by=self.people[who]).cart.quantities == before.quantities
            return ""
        assert order.quantities == before.quantities
        return self._note(order)

    @rule(order_id=orders, to=st.sampled_from([each for each in Status if each is not Status.PENDING]))
    def advance(self, order_id: str, to: Status) -> None:
        if not order_id:
            return
        before = self.placed[order_id]
        try:
            self.placed[order_id] = self.store.orders.advance(by=SYSTEM, order_id=order_id, to=to)
            assert to in NEXT[before.status]
        except IllegalTransition:
            assert to not in NEXT[before.status]

    @rule(shelf=SHELVES, change=st.integers(-4, 4).filter(bool))
    def adjust(self, shelf: int, change: int) -> None:
        each = self.products[shelf]
        before = on_hand(self.store, each)
        try:
            self.store.catalog.adjust_stock(by=SYSTEM, product_id=each.id, change=change, reason="count")
            self.brought[each.id] += change
        except OutOfStock:
            assert before + change < 0

    @invariant()
    def every_unit_is_somewhere(self) -> None:
        taken: Counter[str] = Counter()
        for order in self.placed.values():
            if order.status is not Status.CANCELLED:
                taken.update(order.quantities)
        for each in self.products:
            left = on_hand(self.store, each)
            assert left >= 0
            assert left + taken[each.id] == self.brought[each.id]
            assert self.store.catalog.product(product=each.id).product.units_sold == taken[each.id]


class SqliteStockMachine(StockMachine):
    """The same on a database."""

    back_end = "sqlite"


TestStockInMemory = StockMachine.TestCase
TestStockInMemory.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestStockOnSqlite = SqliteStockMachine.TestCase
TestStockOnSqlite.settings = settings(max_examples=8, stateful_step_count=20, deadline=None)
