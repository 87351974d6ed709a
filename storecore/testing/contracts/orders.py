"""Orders with their lines and history, and what is to be delivered."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from storecore.accounts.model import SYSTEM, User
from storecore.catalog.model import Product
from storecore.errors import Contention, NotFound
from storecore.lists import PageRequest
from storecore.money import Money
from storecore.orders.model import Delivery, HistoryEntry, Order, PaymentStatus, Status
from storecore.ports import NewId, OrderQuery, Storage, Unit
from storecore.testing.builders import NOW, ids, make_address, make_order, make_user
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import (
    COUNT_STATEMENTS,
    Contract,
    check_pages,
    needs,
    overlap,
    seen,
    written,
)

HOUR = timedelta(hours=1)
PATH = (Order.confirm, Order.process, Order.ship, Order.deliver)


def customer_and_products(storage: Storage, new_id: NewId, number: int = 2) -> tuple[User, list[Product]]:
    """Somebody who buys and things to be bought, written."""
    user = make_user(new_id)
    with written(storage) as unit:
        unit.users.add(user)
    return user, shelve(storage, new_id, *({} for _ in range(number)))


def place(storage: Storage, *orders: Order) -> None:
    """Write orders."""
    with written(storage) as unit:
        for order in orders:
            unit.orders.add(order)


def moved(order: Order, to: Status, *, hours: int = 1) -> Order:
    """The order, taken along the usual path to a status."""
    if to is Status.CANCELLED:
        return order.cancel(by=SYSTEM, at=NOW + hours * HOUR)
    for step in PATH:
        if order.status is to:
            break
        order = step(order, by=SYSTEM, at=NOW + hours * HOUR)
    return order


def listed(order: Order) -> Order:
    """The order as lists show it."""
    return replace(order, explanation=())


class OrdersContract(Contract):
    """Frozen amounts, moving state."""

    def test_every_field_of_an_order_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        user, products = customer_and_products(storage, new_id, 3)
        here = timezone(timedelta(hours=2))
        order = make_order(
            new_id,
            reversed(products),
            customer=user,
            quantities={products[0].id: 999},
            delivery_address=make_address(line2="Kat 3", region="Kadıköy"),
            note="Ring twice.\nThen wait.",
            coupon_code="SPRING",
            shipping_tax_rate=Decimal("18.25"),
            eta=(NOW + HOUR).astimezone(here),
        )
        place(storage, order)
        with seen(storage) as unit:
            found = unit.orders.get(order.id)
        assert found == order
        assert found.eta.tzinfo is UTC
        assert found.lines == order.lines
        assert found.explanation == order.explanation

    @pytest.mark.parametrize("currency", ["JPY", "KWD", "USD"])
    def test_amounts_of_any_currency_come_back_exactly(self, storage: Storage, currency: str) -> None:
        new_id = ids()
        (product,) = shelve(
            storage, new_id, {"price": Money(10**12 - 1 - 10**11, currency), "cost": Money(1, currency)}
        )
        order = make_order(new_id, [product])
        place(storage, order)
        with seen(storage) as unit:
            assert unit.orders.get(order.id) == order
            assert unit.products.get(product.id) == product

    def test_a_guests_order_has_no_customer(self, storage: Storage) -> None:
        new_id = ids()
        _, products = customer_and_products(storage, new_id)
        order = make_order(new_id, products, email="gast@example.com", customer_name="Jürgen Groß")
        place(storage, order)
        with seen(storage) as unit:
            found = unit.orders.get(order.id)
        assert (found.customer_id, found.email, found.customer_name) == (None, "gast@example.com", "Jürgen Groß")

    def test_an_unknown_order_is_not_found(self, storage: Storage) -> None:
        with seen(storage) as unit, pytest.raises(NotFound):
            unit.orders.get("no such id")
        with written(storage) as unit, pytest.raises(NotFound):
            unit.orders.locked("no such id")

    def test_a_number_that_is_taken_is_contention_so_that_the_rerun_draws_another(self, storage: Storage) -> None:
        new_id = ids()
        _, products = customer_and_products(storage, new_id)
        order = make_order(new_id, products)
        place(storage, order)
        with pytest.raises(Contention), written(storage) as unit:
            unit.orders.add(make_order(new_id, products, number=order.number))

    def test_saving_writes_the_state_and_appends_history(self, storage: Storage) -> None:
        new_id = ids()
        user, products = customer_and_products(storage, new_id)
        order = make_order(new_id, products, customer=user)
        place(storage, order)
        amended = order.amend(note="Leave it outside.", delivery_address=make_address(city="İzmir"))
        shipped = (
            amended.confirm(by=user, at=NOW, note="by phone")
            .process(by=SYSTEM, at=NOW)
            .ship(by=SYSTEM, at=NOW + HOUR, carrier="DHL", tracking_number="123")
        )
        for state in (amended, *history_of(amended, shipped), shipped.deliver(by=user, at=NOW + 2 * HOUR)):
            with written(storage) as unit:
                assert listed(unit.orders.locked(order.id)).version == state.version - 1
                unit.orders.save(state)
            with seen(storage) as unit:
                assert unit.orders.get(order.id) == state

    def test_saving_what_a_list_showed_keeps_the_explanation(self, storage: Storage) -> None:
        new_id = ids()
        _, products = customer_and_products(storage, new_id)
        order = make_order(new_id, products)
        place(storage, order)
        with written(storage) as unit:
            (found,) = unit.orders.page(OrderQuery(), PageRequest()).items
            unit.orders.save(found.confirm(by=SYSTEM, at=NOW))
        with seen(storage) as unit:
            assert unit.orders.get(order.id) == order.confirm(by=SYSTEM, at=NOW)

    def test_saving_an_order_writes_all_that_may_change(self, storage: Storage) -> None:
        new_id = ids()
        _, products = customer_and_products(storage, new_id)
        order = make_order(new_id, products)
        place(storage, order)
        changed = replace(
            order,
            status=Status.CONFIRMED,
            payment_status=PaymentStatus.PARTLY_REFUNDED,
            payment_provider="demo",
            pay_by=NOW + HOUR,
            refunded=order.lines[0].total,
            delivery_address=make_address(city="İzmir"),
            note="Ring",
            eta=NOW + 2 * HOUR,
            carrier="Owl",
            tracking_number="OWL-1",
            history=(*order.history, HistoryEntry(status=Status.CONFIRMED, at=NOW, actor_id=None, note="rang")),
            version=2,
        )
        for state in (changed, replace(changed, pay_by=None, carrier=None, tracking_number=None, note=None, version=3)):
            with written(storage) as unit:
                unit.orders.save(state)
            with seen(storage) as unit:
                assert unit.orders.get(order.id) == state

    def test_saving_rewrites_neither_what_was_bought_at_which_price_nor_what_happened(self, storage: Storage) -> None:
        new_id = ids()
        _, products = customer_and_products(storage, new_id)
        order = make_order(new_id, products, note="Ring")
        place(storage, order)
        rewritten = replace(
            order.confirm(by=SYSTEM, at=NOW),
            number="S-OTHER",
            lines=order.lines[:1],
            total=order.total * 2,
            coupon_code="FREE",
            created_at=NOW - HOUR,
        )
        history = (replace(rewritten.history[0], note="It was not so."), *rewritten.history[1:])
        with written(storage) as unit:
            unit.orders.save(replace(rewritten, history=history))
        with seen(storage) as unit:
            assert unit.orders.get(order.id) == order.confirm(by=SYSTEM, at=NOW)

    def test_saving_a_stale_order_is_contention(self, storage: Storage) -> None:
        new_id = ids()
        _, products = customer_and_products(storage, new_id)
        order = make_order(new_id, products)
        place(storage, order)
        with written(storage) as unit:
            unit.orders.save(order.confirm(by=SYSTEM, at=NOW))
        for stale in (order.cancel(by=SYSTEM, at=NOW), order):
            with pytest.raises(Contention), written(storage) as unit:
                unit.orders.save(stale)
        with seen(storage) as unit:
            assert unit.orders.get(order.id) == order.confirm(by=SYSTEM, at=NOW)

    def test_two_staff_who_race_on_an_order_have_one_winner(self, storage: Storage) -> None:
        new_id = ids()
        _, products = customer_and_products(storage, new_id)
        order = make_order(new_id, products)
        place(storage, order)

        def cancel(unit: Unit) -> None:
            unit.orders.save(unit.orders.locked(order.id).cancel(by=SYSTEM, at=NOW))

        outcomes = overlap(storage, cancel, cancel)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["IllegalTransition", "NoneType"]
        with seen(storage) as unit:
            assert len(unit.orders.get(order.id).history) == 2

    def test_orders_are_listed_newest_first_with_lines_and_history(self, storage: Storage) -> None:
        new_id = ids()
        user, products = customer_and_products(storage, new_id)
        orders = [make_order(new_id, products, customer=user, at=NOW + n // 2 * HOUR) for n in range(6)]
        place(storage, *orders)
        with seen(storage) as unit:
            check_pages(partial(unit.orders.page, OrderQuery()), [listed(order) for order in orders[::-1]])

    def test_orders_are_listed_by_when_they_were_placed_whatever_their_ids(self, storage: Storage) -> None:
        new_id = ids()
        _, products = customer_and_products(storage, new_id)
        orders = [make_order(new_id, products, at=NOW - n * HOUR) for n in range(3)]
        place(storage, *orders)
        with seen(storage) as unit:
            check_pages(partial(unit.orders.page, OrderQuery()), [listed(order) for order in orders])

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, [4, 3, 2, 1, 0]),
            ({"customer_id": "the customer"}, [4, 2, 0]),
            ({"customer_id": "nobody"}, []),
            ({"status": Status.PENDING}, [3, 1, 0]),
            ({"status": Status.SHIPPED}, [2]),
            ({"status": Status.PROCESSING}, []),
            ({"placed_from": NOW + HOUR}, [4, 3, 2, 1]),
            ({"placed_to": NOW + HOUR}, [0]),
            ({"placed_from": NOW + HOUR, "placed_to": NOW + 3 * HOUR}, [2, 1]),
            ({"placed_from": (NOW + 4 * HOUR).astimezone(timezone(timedelta(hours=2)))}, [4]),
            ({"number": "S-FIND-ME22"}, [3]),
            ({"number": "S-FIND"}, []),
            ({"customer_id": "the customer", "status": Status.PENDING}, [0]),
        ],
    )
    def test_filters_of_orders_show_what_matches_all_of_them(
        self, storage: Storage, query: dict[str, Any], expected: list[int]
    ) -> None:
        new_id = ids()
        user, products = customer_and_products(storage, new_id)
        orders = [
            make_order(
                new_id,
                products,
                customer=None if n % 2 else user,
                at=NOW + n * HOUR,
                number="S-FIND-ME22" if n == 3 else f"S-{n}",
            )
            for n in range(5)
        ]
        place(storage, *orders)
        orders[2] = moved(orders[2], Status.SHIPPED)
        orders[4] = moved(orders[4], Status.CANCELLED)
        self.save_each_step(storage, orders[2], orders[4])
        if query.get("customer_id") == "the customer":
            query = query | {"customer_id": user.id}
        with seen(storage) as unit:
            check_pages(partial(unit.orders.page, OrderQuery(**query)), [listed(orders[n]) for n in expected])

    def test_deliveries_are_lines_of_confirmed_orders_oldest_first(self, storage: Storage) -> None:
        new_id = ids()
        user, products = customer_and_products(storage, new_id)
        orders = [make_order(new_id, products, customer=user, at=NOW + n * HOUR) for n in range(6)]
        place(storage, *orders)
        statuses = (Status.DELIVERED, Status.CONFIRMED, Status.PENDING, Status.CANCELLED, Status.SHIPPED)
        moved_orders = [moved(order, status) for order, status in zip(orders, statuses, strict=False)]
        self.save_each_step(storage, *moved_orders)
        expected = [
            Delivery(
                line_id=line.id,
                order_id=order.id,
                order_number=order.number,
                customer_id=user.id,
                customer_name=user.full_name,
                product_id=line.product_id,
                product_name=line.name,
                quantity=line.quantity,
                total=line.total,
                delivery_address=order.delivery_address,
                status=order.status,
            )
            for order in (moved_orders[0], moved_orders[1], moved_orders[4])
            for line in order.lines
        ]
        with seen(storage) as unit:
            check_pages(unit.orders.deliveries, expected)
            check_pages(partial(unit.orders.deliveries, done=True), expected[:2])
            check_pages(partial(unit.orders.deliveries, done=False), expected[2:])

    @needs(COUNT_STATEMENTS)
    @pytest.mark.parametrize("total", [False, True])
    def test_a_page_of_twenty_orders_takes_at_most_four_statements(self, storage: Storage, total: bool) -> None:
        new_id = ids()
        user, products = customer_and_products(storage, new_id)
        place(storage, *[make_order(new_id, products, customer=user) for _ in range(25)])
        with seen(storage) as unit, self.count_statements(storage) as counted:
            page = unit.orders.page(OrderQuery(customer_id=user.id), PageRequest(limit=20, total=total))
        assert len(page.items) == 20
        assert counted.count <= 4

    @needs(COUNT_STATEMENTS)
    def test_adding_an_order_costs_the_same_however_many_lines_it_has(self, storage: Storage) -> None:
        new_id = ids()
        _, products = customer_and_products(storage, new_id, 10)
        counts = []
        for number in (1, 10):
            with written(storage) as unit, self.count_statements(storage) as counted:
                unit.orders.add(make_order(new_id, products[:number]))
            counts.append(counted.count)
        assert counts[0] == counts[1] <= 4

    @staticmethod
    def save_each_step(storage: Storage, *orders: Order) -> None:
        """Save orders that moved several steps since they were added, step by step."""
        for order in orders:
            with written(storage) as unit:
                for state in history_of(unit.orders.get(order.id), order):
                    unit.orders.save(state)


def history_of(before: Order, after: Order) -> list[Order]:
    """Every state between two, the last one included, as history has it."""
    states = []
    for number in range(len(before.history) + 1, len(after.history) + 1):
        history: tuple[HistoryEntry, ...] = after.history[:number]
        last = number == len(after.history)
        states.append(
            after
            if last
            else replace(
                before,
                status=history[-1].status,
                payment_status=PaymentStatus.UNPAID,
                history=history,
                version=before.version + number - len(before.history),
            )
        )
    return states
