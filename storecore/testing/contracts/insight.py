"""What the books add up to: the same before and after it is kept."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

from storecore.accounts.model import SYSTEM
from storecore.insight.days import Days
from storecore.insight.model import Sales
from storecore.money import Money
from storecore.orders.model import Order, Status
from storecore.orders.refund import Disposition, Refund, RefundCause
from storecore.ports import Storage, Unit
from storecore.testing.builders import NOW, ids, make_credit_note, make_invoice, make_order, make_refund, make_user, usd
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import COUNT_STATEMENTS, Contract, Together, needs, rerun, seen, written

DAY = timedelta(days=1)
UTC_DAYS = partial(Days, timezone="UTC")
TODAY = UTC_DAYS(first=NOW.date(), last=NOW.date())
MONTH = UTC_DAYS(first=date(2026, 1, 1), last=date(2026, 1, 31))


def sales(unit: Unit, days: Days) -> Sales:
    """The figures of some days."""
    return Sales.of(unit.insight.takings(days), "USD")


def everything(unit: Unit, days: Days) -> tuple[object, ...]:
    """All that a unit says of some days."""
    insight = unit.insight
    goods = tuple(insight.products(days, 100)), tuple(insight.categories(days))
    return sales(unit, days), *goods, insight.customers(days, 100), insight.placed(days), insight.new_users(days)


def _roll_up(unit: Unit, most: int = 100, timezone: str = "UTC") -> int:
    return unit.insight.roll_up(timezone, most)


class InsightContract(Contract):
    """Sums of papers: exact, in any time zone, whatever is kept of them."""

    def test_a_sale_counts_once_now_while_it_waits_and_then_when_it_is_invoiced(self, storage: Storage) -> None:
        order = self._sold(storage)
        with seen(storage) as unit:
            waiting = everything(unit, TODAY)
            assert sales(unit, TODAY).invoiced == order.total
        with seen(storage, NOW + DAY) as unit:
            assert sales(unit, TODAY).orders == 0
        self._invoice(storage, order, at=NOW)
        for later in (NOW, NOW + DAY):
            with seen(storage, later) as unit:
                assert everything(unit, TODAY) == waiting

    def test_what_is_kept_says_the_same(self, storage: Storage) -> None:
        orders = self._trade(storage)
        ranges = [TODAY, MONTH, UTC_DAYS(first=TODAY.first, last=TODAY.last + 3 * DAY)]
        with seen(storage, NOW + DAY) as unit:
            before = [everything(unit, days) for days in ranges]
        assert before[0] != before[1]
        for most in (1, 2, 100):
            rerun(storage, partial(_roll_up, most=most))
            with seen(storage, NOW + DAY) as unit:
                assert [everything(unit, days) for days in ranges] == before
        with seen(storage, NOW + DAY) as unit:
            assert unit.insight.to_roll_up("UTC") == 0
        assert rerun(storage, _roll_up) == 0
        assert len(orders) == 4

    def test_days_are_those_of_the_time_zone_that_is_asked_for(self, storage: Storage) -> None:
        order = self._sold(storage)
        at = datetime.combine(date(2026, 1, 15), datetime.min.time(), NOW.tzinfo) + timedelta(minutes=15)
        self._invoice(storage, order, at=at)  # 00:15 in UTC, 19:15 of the day before in New York

        def orders_on(day: int, timezone: str) -> int:
            with seen(storage) as unit:
                return sales(unit, Days(first=date(2026, 1, day), last=date(2026, 1, day), timezone=timezone)).orders

        for kept in ("", "UTC", "America/New_York", "Asia/Kathmandu"):
            if kept:
                rerun(storage, partial(_roll_up, timezone=kept))
            for timezone, day in (("UTC", 15), ("Asia/Kathmandu", 15), ("America/New_York", 14)):
                assert [orders_on(each, timezone) for each in (14, 15)] == [int(day == 14), int(day == 15)]

    def test_a_cancelled_order_leaves_nothing_and_a_return_is_a_refund(self, storage: Storage) -> None:
        _, cancelled, returned, _ = self._trade(storage)
        with seen(storage, NOW + DAY) as unit:
            (first, second, *_), guests = unit.insight.customers(MONTH, 10)
            whole = sales(unit, MONTH)
            assert unit.insight.placed(MONTH)[Status.CANCELLED] == 1
        assert (whole.orders, whole.units_returned) == (3, 2)
        assert whole.refunds == sum((item.amount - item.tax for item in _half(returned).items), usd(0))
        assert whole.credited == cancelled.total + _half(returned).amount
        assert whole.cost == _cost(returned) + _cost(returned) + _cost(returned) - returned.lines[0].cost * 2
        assert first.spent >= second.spent
        assert guests.orders == 1

    def test_two_units_that_roll_up_at_once_count_each_paper_once(self, storage: Storage) -> None:
        self._trade(storage)
        with seen(storage, NOW + DAY) as unit:
            before = everything(unit, MONTH)

        def all_of_it() -> None:
            while rerun(storage, partial(_roll_up, most=1)):
                pass

        Together(*[all_of_it] * 3).succeed()
        with seen(storage, NOW + DAY) as unit:
            assert everything(unit, MONTH) == before

    def test_rankings_stop_at_so_many_and_equals_go_by_id(self, storage: Storage) -> None:
        new_id = ids()
        products = shelve(storage, new_id, {}, {}, {})
        with written(storage) as unit:
            unit.orders.add(make_order(new_id, products))
        for _ in range(2):
            with seen(storage) as unit:
                ranked = [row.id for row in unit.insight.products(TODAY, 2)]
                assert ranked == sorted(product.id for product in products)[:2]
            self._invoice_all(storage)
            rerun(storage, _roll_up)

    @needs(COUNT_STATEMENTS)
    def test_the_number_of_statements_is_fixed(self, storage: Storage) -> None:
        counts: set[int] = set()
        for _ in range(2):
            self._trade(storage, start=len(counts) * 5000 + 1)
            rerun(storage, _roll_up)
            self._sold(storage, start=len(counts) * 5000 + 3000)
            with self.count_statements(storage) as counted, seen(storage) as unit:
                everything(unit, MONTH)
                unit.insight.waiting()
            counts.add(counted.count)
        (count,) = counts
        assert count <= 21

    def _sold(self, storage: Storage, start: int = 1) -> Order:
        new_id = ids(start)
        (product,) = shelve(storage, new_id, {})
        order = make_order(new_id, [product], quantities={product.id: 4})
        with written(storage) as unit:
            unit.orders.add(order)
        return order

    def _invoice(self, storage: Storage, order: Order, at: datetime) -> None:
        with written(storage) as unit:
            sequence = unit.invoices.next_sequence()
            unit.invoices.add(make_invoice(ids(10_000 + sequence), order, sequence, issued_at=at))

    def _invoice_all(self, storage: Storage) -> None:
        with seen(storage) as unit:
            due = [unit.orders.get(order_id) for order_id in unit.invoices.due(100)]
        for order in due:
            self._invoice(storage, order, at=NOW)

    def _trade(self, storage: Storage, start: int = 1) -> tuple[Order, Order, Order, Order]:
        """Four orders: one stands, one was cancelled the next day, half of one came back, and one is a guest's."""
        new_id = ids(start)
        (product,) = shelve(storage, new_id, {})
        users = [make_user(new_id), make_user(new_id)]
        make: Callable[..., Order] = partial(make_order, new_id, [product], quantities={product.id: 4})
        orders = make(customer=users[0]), make(customer=users[0]), make(customer=users[1]), make()
        with written(storage) as unit:
            for user in users:
                unit.users.add(user)
            for order in orders:
                unit.orders.add(order)
                sequence = unit.invoices.next_sequence()
                unit.invoices.add(make_invoice(new_id, order, sequence, issued_at=NOW - sequence * DAY))
            cancelled, returned = orders[1], orders[2]
            unit.orders.save(cancelled.cancel(by=SYSTEM, at=NOW + DAY))
            for order, refund in ((cancelled, None), (returned, _half(returned, start))):
                if refund:
                    unit.refunds.add(refund)
                invoice = unit.invoices.of_order(order.id)
                assert invoice is not None
                sequence = unit.credit_notes.next_sequence()
                note = make_credit_note(new_id, invoice, order, refund, sequence, issued_at=NOW + DAY)
                unit.credit_notes.add(note)
        return orders


def _half(order: Order, start: int = 1) -> Refund:
    """Two of its four units came back, and are on the shelf again."""
    units = {order.lines[0].id: 2}
    back = {"cause": RefundCause.RETURN, "disposition": Disposition.RESTOCK}
    return make_refund(ids(start + 4000), order, units, **back)


def _cost(order: Order) -> Money:
    return sum((line.cost * line.quantity for line in order.lines), usd(0))
