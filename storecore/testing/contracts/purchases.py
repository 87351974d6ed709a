"""What is bought together: counts that follow the orders, and looks at the greatest of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from storecore.accounts.model import SYSTEM, User
from storecore.catalog.affinity import HALF_LIFE, Demand, Neighbour, weight
from storecore.catalog.model import Product
from storecore.orders.model import Order, PaymentStatus, Status
from storecore.ports import Storage, Unit
from storecore.testing.builders import NOW, ids, make_category, make_move, make_order, make_user
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import (
    COUNT_STATEMENTS,
    Contract,
    Together,
    needs,
    overlap,
    rerun,
    seen,
    until_nothing,
    written,
)

Counts = Mapping[tuple[str, str], int]


def sell(storage: Storage, *baskets: Sequence[Product], customer: User | None = None, begin: int = 1000) -> list[Order]:
    """An order for each basket, one hour after another."""
    new_id = ids(begin)
    orders = [
        make_order(new_id, basket, customer=customer, at=NOW + timedelta(hours=n)) for n, basket in enumerate(baskets)
    ]
    with written(storage) as unit:
        for order in orders:
            unit.orders.add(order)
    return orders


def counted(storage: Storage) -> int:
    """Count everything that waits; how many orders that were."""
    return sum(until_nothing(storage, lambda unit: unit.purchases.count(50)))


def pairs(storage: Storage, products: Sequence[Product]) -> Counts:
    """In how many orders each two products are."""
    with seen(storage) as unit:
        found = [row for product in products for row in unit.purchases.together([product.id], 100)]
    return {(row.seed_id, row.other.product_id): row.together for row in found}


def demands(storage: Storage) -> Mapping[str, tuple[int, float]]:
    """Orders and heat of each product."""
    with seen(storage) as unit:
        return {each.product_id: (each.orders, each.heat) for each in unit.purchases.wanted(100)}


def change(storage: Storage, order: Order) -> None:
    """Save an order that has changed."""
    with written(storage) as unit:
        unit.orders.save(order)


class PurchasesContract(Contract):
    """Every order counts once, whoever counts it and whatever becomes of it."""

    def test_an_order_counts_each_two_of_its_products_both_ways(self, storage: Storage) -> None:
        a, b, c = shelve(storage, ids(), {"stock": 9}, {"stock": 9}, {"stock": 9})
        sell(storage, [a, b, c], [b, a], [c])
        with seen(storage) as unit:
            assert unit.purchases.waiting()
        assert (counted(storage), counted(storage)) == (3, 0)
        with seen(storage) as unit:
            assert not unit.purchases.waiting()
        one_way = {(a.id, b.id): 2, (a.id, c.id): 1, (b.id, c.id): 1}
        assert pairs(storage, [a, b, c]) == one_way | {(two, one): n for (one, two), n in one_way.items()}
        w = weight(NOW)
        assert demands(storage) == {a.id: (2, 2 * w), b.id: (2, 2 * w), c.id: (2, 2 * w)}

    def test_neighbours_come_with_what_their_affinity_is_made_of(self, storage: Storage) -> None:
        a, b = shelve(storage, ids(), {"stock": 9}, {"stock": 9})
        sell(storage, [a, b], [a], [a])
        counted(storage)
        with seen(storage) as unit:
            (found,) = unit.purchases.together([a.id], 5)
        other = Demand(product_id=b.id, orders=1, heat=weight(NOW))
        assert found == Neighbour(seed_id=a.id, seed_orders=3, together=1, other=other)

    def test_a_cancelled_order_counts_out_and_leaves_no_trace(self, storage: Storage) -> None:
        a, b = shelve(storage, ids(), {"stock": 9}, {"stock": 9})
        kept, regretted = sell(storage, [a, b], [a, b])
        counted(storage)
        change(storage, regretted.cancel(by=SYSTEM, at=NOW))
        with seen(storage) as unit:
            assert unit.purchases.waiting()
        assert counted(storage) == 1
        assert demands(storage)[a.id] == (1, weight(NOW))
        change(storage, kept.cancel(by=SYSTEM, at=NOW))
        counted(storage)
        assert (pairs(storage, [a, b]), demands(storage)) == ({}, {})

    def test_an_order_whose_money_was_all_given_back_counts_out_and_a_part_does_not(self, storage: Storage) -> None:
        a, b = shelve(storage, ids(), {"stock": 9}, {"stock": 9})
        (order,) = sell(storage, [a, b])
        counted(storage)
        paid = order.record_payment()
        change(storage, paid)
        part = paid.refund(order.lines[0].total)
        change(storage, part)
        assert part.payment_status is PaymentStatus.PARTLY_REFUNDED
        assert (counted(storage), len(demands(storage))) == (0, 2)
        change(storage, part.refund(part.total - part.refunded))
        assert (counted(storage), demands(storage), pairs(storage, [a, b])) == (1, {}, {})

    def test_an_order_that_was_cancelled_before_it_was_counted_never_counts(self, storage: Storage) -> None:
        a, b = shelve(storage, ids(), {"stock": 9}, {"stock": 9})
        (order,) = sell(storage, [a, b])
        change(storage, order.cancel(by=SYSTEM, at=NOW))
        with seen(storage) as unit:
            assert not unit.purchases.waiting()
        assert (counted(storage), demands(storage)) == (0, {})

    def test_the_newest_orders_are_counted_first_and_so_many_at_once(self, storage: Storage) -> None:
        things = shelve(storage, ids(), *({"stock": 9} for _ in range(4)))
        sell(storage, *([thing] for thing in things))
        with written(storage) as unit:
            assert unit.purchases.count(3) == 3
        assert set(demands(storage)) == {thing.id for thing in things[1:]}
        assert counted(storage) == 1

    def test_an_order_may_be_counted_while_somebody_is_about_to_save_it(self, storage: Storage) -> None:
        a, b = shelve(storage, ids(), {"stock": 9}, {"stock": 9})
        (order,) = sell(storage, [a, b])
        with seen(storage) as unit:
            read = unit.orders.get(order.id)
        counted(storage)
        change(storage, read.confirm(by=SYSTEM, at=NOW))
        with seen(storage) as unit:
            assert unit.orders.get(order.id).status is Status.CONFIRMED
        assert (counted(storage), pairs(storage, [a])) == (0, {(a.id, b.id): 1})

    def test_orders_that_a_unit_counted_before_it_was_left_still_wait(self, storage: Storage) -> None:
        a, b = shelve(storage, ids(), {"stock": 9}, {"stock": 9})
        sell(storage, [a, b])
        with storage.writing(NOW, ids(10**6)) as unit:
            assert unit.purchases.count(5) == 1
        assert demands(storage) == {}
        assert counted(storage) == 1

    def test_two_workers_count_every_order_once(self, storage: Storage) -> None:
        things = shelve(storage, ids(), *({"stock": 9} for _ in range(3)))
        sell(storage, things, things)
        overlap(storage, lambda unit: unit.purchases.count(1), lambda unit: unit.purchases.count(5))
        counted(storage)
        assert set(pairs(storage, things).values()) == {2}

    def test_a_crowd_of_workers_counts_every_order_once(self, storage: Storage) -> None:
        things = shelve(storage, ids(), *({"stock": 9} for _ in range(4)))
        orders = sell(storage, *(things[n % 3 :] for n in range(24)))
        with written(storage) as unit:
            for order in orders[::4]:
                unit.orders.save(order.cancel(by=SYSTEM, at=NOW))
        Together(*[partial(rerun, storage, lambda unit: unit.purchases.count(5)) for _ in range(8)]).succeed()
        counted(storage)
        kept = [set(order.quantities) for n, order in enumerate(orders) if n % 4]
        expected = {
            (one.id, two.id): sum({one.id, two.id} <= products for products in kept)
            for one in things
            for two in things
            if one.id != two.id
        }
        assert pairs(storage, things) == expected

    def test_a_long_order_is_counted_alone_and_whole(self, storage: Storage) -> None:
        things = shelve(storage, ids(), *({"stock": 9} for _ in range(100)))
        sell(storage, things, things[:2], things)
        assert counted(storage) == 3
        with seen(storage) as unit:
            found = unit.purchases.together([things[0].id], 200)
        assert sorted(row.together for row in found) == [*[2] * 98, 3]

    def test_each_product_has_its_own_limit_and_the_most_often_bought_come_first(self, storage: Storage) -> None:
        a, b, c, d, e = shelve(storage, ids(), *({"stock": 9} for _ in range(5)))
        sell(storage, [a, b, c], [a, b], [a, d], [b, e], [b, e], [b, e])
        counted(storage)
        with seen(storage) as unit:
            found = unit.purchases.together([a.id, b.id, "nothing"], 2)
            assert not unit.purchases.together([], 2)
        chosen = {(row.seed_id, row.other.product_id) for row in found}
        assert chosen == {(a.id, b.id), (a.id, d.id), (b.id, e.id), (b.id, a.id)}, "of equals, the newer product"

    def test_twelve_products_can_be_asked_for_at_once(self, storage: Storage) -> None:
        things = shelve(storage, ids(), *({"stock": 9} for _ in range(13)))
        sell(storage, things)
        counted(storage)
        with seen(storage) as unit:
            found = unit.purchases.together([each.id for each in things[:12]], 50)
        assert len(found) == 12 * 12

    def test_what_is_not_on_sale_is_not_found(self, storage: Storage) -> None:
        a, gone, empty, c = shelve(storage, ids(), {"stock": 9}, {"stock": 9, "is_active": False}, {}, {"stock": 1})
        sell(storage, [a, gone, empty, c])
        counted(storage)
        with seen(storage) as unit:
            assert [row.other.product_id for row in unit.purchases.together([a.id], 9)] == [c.id]
            assert len(unit.purchases.together([gone.id, empty.id], 9)) == 4, "but what goes with it is"
            assert [each.product_id for each in unit.purchases.wanted(9)] == [c.id, a.id]
            assert [each.product_id for each in unit.purchases.wanted_in(a.category_ids, 9)] == [c.id, a.id]
            assert unit.purchases.wanted(2) == unit.purchases.wanted(9)[:1], "the limit counts those that are not"

    def test_an_order_weighs_twice_as_much_as_one_of_four_weeks_before(self, storage: Storage) -> None:
        old, new = shelve(storage, ids(), {"stock": 9}, {"stock": 9})
        new_id = ids(1000)
        past = [make_order(new_id, [old], at=NOW - 3 * HALF_LIFE) for _ in range(7)]
        with written(storage) as unit:
            for order in [*past, make_order(new_id, [new], at=NOW)]:
                unit.orders.add(order)
        counted(storage)
        with seen(storage) as unit:
            first, second = unit.purchases.wanted(9)
        assert (first.product_id, second.product_id) == (new.id, old.id)
        assert first.heat / second.heat == 8 / 7

    def test_heat_is_exact_over_years(self, storage: Storage) -> None:
        (a,) = shelve(storage, ids(), {"stock": 9})
        new_id = ids(1000)
        orders = [make_order(new_id, [a], at=NOW - n * HALF_LIFE) for n in range(40)]
        with written(storage) as unit:
            for order in orders:
                unit.orders.add(order)
        counted(storage)
        assert demands(storage)[a.id] == (40, sum(weight(order.created_at) for order in orders))
        with written(storage) as unit:
            for order in orders[:-1]:
                unit.orders.save(order.cancel(by=SYSTEM, at=NOW))
        counted(storage)
        assert demands(storage)[a.id] == (1, weight(orders[-1].created_at))

    def test_what_is_wanted_on_some_shelves(self, storage: Storage) -> None:
        new_id = ids()
        shelves = [make_category(new_id) for _ in range(3)]
        with written(storage) as unit:
            for shelf in shelves:
                unit.categories.add(shelf)
        hats, caps, tea = ([shelf.id] for shelf in shelves)
        wanted = [hats, caps, [*hats, *caps], tea, hats]
        old, cap, both, pot, unsold = shelve(storage, new_id, *({"stock": 9, "category_ids": each} for each in wanted))
        sell(storage, [old], [cap, both], [both], [pot], [pot], [pot])
        counted(storage)
        with seen(storage) as unit:
            look = unit.purchases.wanted_in
            assert [each.product_id for each in look([*hats, *caps], 9)] == [both.id, cap.id, old.id]
            assert [each.product_id for each in look(hats, 2)] == [both.id], "among the newest two"
            assert look([shelf.id for shelf in shelves], 9)[0].product_id == pot.id
            assert not look([], 9)
            assert not look(["nothing"], 9)
        assert unsold.id not in demands(storage)

    def test_what_a_customer_bought_lately_and_ever(self, storage: Storage) -> None:
        things = shelve(storage, ids(), *({"stock": 9} for _ in range(13)))
        user, other = make_user(ids(500)), make_user(ids(501))
        with written(storage) as unit:
            unit.users.add(user)
            unit.users.add(other)
        orders = sell(storage, *([each, things[0]] for each in things[1:12]), customer=user)
        sell(storage, [things[12]], customer=other, begin=2000)
        sell(storage, [things[12]], begin=3000)
        change(storage, orders[-1].cancel(by=SYSTEM, at=NOW))
        newest_first = [each.id for each in things[10:0:-1]]
        everything = [each.id for each in things]
        with seen(storage) as unit:
            purchases = unit.purchases
            lately = [newest_first[0], things[0].id, *newest_first[1:]]
            assert list(purchases.lately(user.id, 99)) == lately
            assert list(purchases.lately(user.id, 3)) == lately[:3]
            assert purchases.bought(user.id, everything) == set(everything[:11])
            assert purchases.bought(user.id, [things[1].id, things[12].id, "nothing"]) == {things[1].id}
            assert (purchases.bought(user.id, []), purchases.bought("nobody", everything)) == (set(), set())
            assert list(purchases.lately("nobody", 9)) == []

    def test_only_the_last_ten_orders_are_lately(self, storage: Storage) -> None:
        things = shelve(storage, ids(), *({"stock": 9} for _ in range(12)))
        user = make_user(ids(500))
        with written(storage) as unit:
            unit.users.add(user)
        sell(storage, *([each] for each in things), customer=user)
        with seen(storage) as unit:
            assert list(unit.purchases.lately(user.id, 99)) == [each.id for each in things[:1:-1]]

    def test_a_reading_unit_counts_nothing(self, storage: Storage) -> None:
        with seen(storage) as unit, pytest.raises(RuntimeError):
            unit.purchases.count(1)

    def test_stock_that_runs_out_hides_a_product_at_once(self, storage: Storage) -> None:
        a, b = shelve(storage, ids(), {"stock": 9}, {"stock": 1})
        sell(storage, [a, b])
        counted(storage)
        with written(storage) as unit:
            unit.stock.move([make_move(ids(7000), b.id, -1)])
        assert pairs(storage, [a, b]) == {(b.id, a.id): 1}
        with written(storage) as unit:
            unit.products.save(replace(unit.products.get(a.id), is_active=False, version=a.version + 1), NOW)
        assert demands(storage) == {}

    @needs(COUNT_STATEMENTS)
    def test_counting_takes_as_many_statements_for_one_order_as_for_many(self, storage: Storage) -> None:
        things = shelve(storage, ids(), *({"stock": 9} for _ in range(5)))

        def statements(orders: int, begin: int) -> int:
            sell(storage, *([*things] for _ in range(orders)), begin=begin)
            with self.count_statements(storage) as counted_, written(storage) as unit:
                assert unit.purchases.count(50) == orders
            return counted_.count

        assert statements(1, 1000) == statements(20, 5000) <= 5

    @needs(COUNT_STATEMENTS)
    def test_every_look_is_one_statement(self, storage: Storage) -> None:
        things = shelve(storage, ids(), *({"stock": 9} for _ in range(5)))
        sell(storage, things)
        counted(storage)
        everything = [each.id for each in things]

        def look(unit: Unit) -> None:
            unit.purchases.waiting()
            unit.purchases.together(everything, 5)
            unit.purchases.wanted(5)
            unit.purchases.wanted_in(things[0].category_ids, 5)
            unit.purchases.lately("nobody", 5)
            unit.purchases.bought("nobody", everything)

        with self.count_statements(storage) as statements, seen(storage) as unit:
            look(unit)
        assert statements.count == 6
