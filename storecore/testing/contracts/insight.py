"""What the books add up to: the same before and after it is kept."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from storecore.accounts.model import SYSTEM
from storecore.catalog.model import Discount
from storecore.insight.days import Days
from storecore.insight.model import Sales, Waiting
from storecore.money import Money
from storecore.orders.model import Order, Status
from storecore.orders.refund import Disposition, Refund, RefundCause, RefundStatus
from storecore.ports import Storage, Unit
from storecore.testing.builders import (
    NOW,
    ids,
    make_category,
    make_conversation,
    make_credit_note,
    make_invoice,
    make_order,
    make_payment,
    make_refund,
    make_review,
    make_user,
    usd,
)
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import (
    COUNT_STATEMENTS,
    Contract,
    Together,
    needs,
    rerun,
    seen,
    until_nothing,
    written,
)

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
            list(until_nothing(storage, partial(_roll_up, most=1)))

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

    def test_each_figure_is_the_sum_of_what_the_papers_say(self, storage: Storage) -> None:
        new_id = ids()
        hats, caps = make_category(new_id), make_category(new_id)
        ada, bob = make_user(new_id), make_user(new_id)
        with written(storage) as unit:
            for shelf in (hats, caps):
                unit.categories.add(shelf)
            for user in (ada, bob):
                unit.users.add(user)
        cut = Discount(percent=Decimal("12.5"), starts_at=NOW - DAY)
        cheap, dear = shelve(
            storage,
            new_id,
            {"price": usd(100), "cost": usd(30), "category_ids": [caps.id, hats.id]},
            {"price": usd(9999), "cost": usd(1234), "discount": cut, "category_ids": [hats.id, caps.id]},
        )
        orders = [
            make_order(new_id, [cheap], customer=ada, quantities={cheap.id: 9}),
            make_order(new_id, [cheap, dear], customer=bob, quantities={cheap.id: 2, dear.id: 1}),
            make_order(new_id, [cheap]),
        ]
        with written(storage) as unit:
            for order in orders:
                unit.orders.add(order)
        lines = [line for order in orders for line in order.lines]
        for keep in (False, True):
            if keep:
                self._invoice_all(storage)
                rerun(storage, _roll_up)
            with seen(storage) as unit:
                whole, insight = sales(unit, TODAY), unit.insight
                goods = {row.id: row for row in insight.products(TODAY, 9)}
                shelves = list(insight.categories(TODAY))
                buyers, guests = insight.customers(TODAY, 9)
                assert [row.id for row in insight.customers(TODAY, 1)[0]] == [bob.id]
            assert (whole.orders, whole.units) == (3, 13)
            assert whole.discounts == sum((line.discount for line in lines), usd(0)) == usd(1250)
            assert whole.gross == sum((line.unit_price * line.quantity for line in lines), usd(0))
            assert whole.net == whole.gross - whole.discounts
            assert whole.tax == sum((order.tax for order in orders), usd(0))
            assert whole.shipping == sum((order.shipping for order in orders), usd(0))
            assert whole.invoiced == sum((order.total for order in orders), usd(0))
            assert whole.cost == usd(30 * 12 + 1234)
            assert list(goods) == [dear.id, cheap.id], "the greatest revenue first, however few units"
            assert [(row.units, row.net, row.cost) for row in goods.values()] == [(1, 8749, 1234), (12, 1200, 360)]
            assert (goods[dear.id].name, goods[dear.id].sku) == (dear.name, dear.sku)
            assert [(row.id, row.net) for row in shelves] == [(hats.id, 8749), (caps.id, 1200)]
            assert [(row.id, row.orders, row.spent) for row in buyers] == [
                (bob.id, 1, orders[1].total.minor),
                (ada.id, 1, orders[0].total.minor),
            ]
            assert (guests.id, guests.orders, guests.spent) == (None, 1, orders[2].total.minor)

    @pytest.mark.parametrize("disposition", Disposition)
    def test_only_what_is_back_on_the_shelf_costs_nothing(self, storage: Storage, disposition: Disposition) -> None:
        order = self._sold(storage)
        self._invoice(storage, order, at=NOW)
        self._credit(storage, order, replace(_half(order), disposition=disposition))
        back = order.lines[0].cost * 2 if disposition is Disposition.RESTOCK else usd(0)
        for _ in range(2):
            with seen(storage) as unit:
                assert sales(unit, TODAY).cost == _cost(order) - back
            rerun(storage, _roll_up)

    def test_money_for_a_cancelled_order_takes_its_sale_back(self, storage: Storage) -> None:
        order = self._sold(storage)
        self._invoice(storage, order, at=NOW)
        self._credit(storage, order, replace(_half(order), cause=RefundCause.CANCELLATION, disposition=None))
        for _ in range(2):
            with seen(storage) as unit:
                whole, (_, guests) = sales(unit, TODAY), unit.insight.customers(TODAY, 9)
                assert (whole.orders, whole.units, whole.units_returned, whole.net, whole.cost) == (
                    0, 0, 0, usd(0), usd(0)
                )  # fmt: skip
                assert guests.spent == (whole.invoiced - whole.credited).minor
            rerun(storage, _roll_up)

    def test_orders_and_accounts_are_of_the_day_they_began_in(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {})
        tick = timedelta(microseconds=1)
        times = (TODAY.begins - tick, TODAY.begins, TODAY.ends - tick, TODAY.ends)
        with written(storage) as unit:
            for at in times:
                unit.orders.add(make_order(new_id, [product], at=at))
                unit.users.add(make_user(new_id, created_at=at))
        with seen(storage) as unit:
            assert unit.insight.placed(TODAY) == dict.fromkeys(Status, 0) | {Status.PENDING: 2}
            assert unit.insight.new_users(TODAY) == 2

    def test_what_waits_for_the_staff_is_counted(self, storage: Storage) -> None:
        new_id = ids()
        order = self._sold(storage, start=500)
        ada, bob = make_user(new_id), make_user(new_id)
        payment = make_payment(new_id, order)
        refund = partial(make_refund, new_id, order)
        decided: dict[str, Any] = {"status": RefundStatus.APPROVED, "decided_at": NOW, "payment_id": payment.id}
        talks = [make_conversation(new_id) for _ in range(3)]
        with seen(storage) as unit:
            product = unit.products.get(order.lines[0].product_id)
            assert unit.insight.waiting() == Waiting(
                reviews=0, refunds_to_decide=0, returns_to_receive=0, refunds_to_pay_out=0, conversations=0
            )
        with written(storage) as unit:
            for user in (ada, bob):
                unit.users.add(user)
            unit.reviews.add(make_review(new_id, ada, product, comment="Warm"))
            unit.reviews.add(make_review(new_id, bob, product))
            unit.payments.add(payment)
            unit.refunds.add(refund())
            unit.refunds.add(refund(status=RefundStatus.REJECTED, decided_at=NOW))
            for _ in range(2):
                unit.refunds.add(refund(**decided, expect_return=True))
            for at in (NOW, NOW, NOW, None):
                unit.refunds.add(refund(**decided, expect_return=False, payout_at=at))
            for talk in talks:
                unit.conversations.add(talk)
            unit.conversations.save(talks[0].claim(ada))
        with seen(storage) as unit:
            assert unit.insight.waiting() == Waiting(
                reviews=1, refunds_to_decide=1, returns_to_receive=2, refunds_to_pay_out=3, conversations=2
            )

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

    def _credit(self, storage: Storage, order: Order, refund: Refund) -> None:
        with written(storage) as unit:
            unit.refunds.add(refund)
            invoice = unit.invoices.of_order(order.id)
            assert invoice is not None
            sequence = unit.credit_notes.next_sequence()
            unit.credit_notes.add(make_credit_note(ids(20_000), invoice, order, refund, sequence))

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
