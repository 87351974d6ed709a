"""The shelf and its ledger."""

from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest

from storecore.catalog.model import StockReason
from storecore.errors import NotFound, OutOfStock
from storecore.lists import PageRequest
from storecore.ports import Storage, Unit
from storecore.testing.builders import NOW, ids, make_move, make_order, make_user
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import (
    COUNT_STATEMENTS,
    Contract,
    Together,
    check_pages,
    needs,
    overlap,
    rerun,
    seen,
    walk,
    written,
)


class StockContract(Contract):
    """On hand never falls below zero and always equals the ledger's sum."""

    def test_moves_change_the_shelf_and_tell_what_is_left(self, storage: Storage) -> None:
        new_id = ids()
        one, two = shelve(storage, new_id, {"stock": 5}, {})
        with written(storage) as unit:
            left = unit.stock.move([make_move(new_id, one.id, -2), make_move(new_id, two.id, 7)])
        assert left == {one.id: 3, two.id: 7}
        with seen(storage) as unit:
            assert unit.stock.on_hand([one.id, two.id, "unknown"]) == {one.id: 3, two.id: 7}
            assert unit.stock.on_hand([]) == {}
            assert unit.products.get(one.id).stock == 3
        check_ledger(storage, one.id, two.id)

    def test_several_moves_of_one_product_count_together(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {"stock": 5})
        with written(storage) as unit:
            left = unit.stock.move([make_move(new_id, product.id, change) for change in (-3, 4, -4)])
        assert left == {product.id: 2}
        with pytest.raises(OutOfStock) as refusal, written(storage) as unit:
            unit.stock.move([make_move(new_id, product.id, -2), make_move(new_id, product.id, -1)])
        assert lines(refusal.value) == [(product.id, 3, 2)]
        check_ledger(storage, product.id)

    def test_the_last_unit_can_be_taken_and_not_one_more(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {"stock": 5})
        with written(storage) as unit:
            assert unit.stock.move([make_move(new_id, product.id, -5)]) == {product.id: 0}
        with pytest.raises(OutOfStock) as refusal, written(storage) as unit:
            unit.stock.move([make_move(new_id, product.id, -1)])
        assert lines(refusal.value) == [(product.id, 1, 0)]

    def test_one_short_line_stops_all_and_every_short_line_is_named(self, storage: Storage) -> None:
        new_id = ids()
        plenty, short, none = shelve(storage, new_id, {"stock": 9}, {"stock": 2}, {})
        with pytest.raises(OutOfStock) as refusal, written(storage) as unit:
            unit.stock.move([make_move(new_id, product.id, -3) for product in (none, plenty, short)], sold=True)
        assert sorted(lines(refusal.value)) == sorted([(short.id, 3, 2), (none.id, 3, 0)])
        with seen(storage) as unit:
            assert unit.stock.on_hand([plenty.id, short.id, none.id]) == {plenty.id: 9, short.id: 2, none.id: 0}
            assert unit.products.get(plenty.id).units_sold == 0
        check_ledger(storage, plenty.id, short.id, none.id)

    def test_what_is_not_in_the_catalog_has_no_stock(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {"stock": 5})
        with pytest.raises(NotFound), written(storage) as unit:
            unit.stock.move([make_move(new_id, product.id, -1), make_move(new_id, new_id(), 1)])
        with seen(storage) as unit:
            assert unit.stock.on_hand([product.id]) == {product.id: 5}
        check_ledger(storage, product.id)

    def test_no_moves_move_nothing(self, storage: Storage) -> None:
        with written(storage) as unit:
            assert unit.stock.move([]) == {}

    def test_sales_are_counted_and_taken_back(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {"stock": 9})
        for change, sold, expected in ((-4, True, 4), (-1, False, 4), (3, True, 1), (5, False, 1)):
            with written(storage) as unit:
                unit.stock.move([make_move(new_id, product.id, change)], sold=sold)
            with seen(storage) as unit:
                assert unit.products.get(product.id).units_sold == expected

    def test_the_ledger_is_listed_newest_first_with_every_field(self, storage: Storage) -> None:
        new_id = ids()
        user = make_user(new_id)
        product, other = shelve(storage, new_id, {}, {"stock": 1})
        order = make_order(new_id, [product])
        moves = [
            make_move(new_id, product.id, 9, reason=StockReason.OPENING, note="", at=NOW),
            make_move(new_id, product.id, -2, reason=StockReason.SALE, order_id=order.id, at=NOW),
            make_move(new_id, product.id, 1, note="found\none", actor_id=user.id, at=NOW + timedelta(hours=1)),
        ]
        with written(storage) as unit:
            unit.users.add(user)
            unit.orders.add(order)
        for move in moves:
            with written(storage) as unit:
                unit.stock.move([move])
        with seen(storage) as unit:
            check_pages(partial(unit.stock.ledger, product.id), moves[::-1])
            assert [move.product_id for move in unit.stock.ledger(other.id, PageRequest()).items] == [other.id]
            assert unit.stock.ledger("unknown", PageRequest()).items == ()

    def test_the_ledger_is_in_order_of_time_whatever_the_ids(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {})
        moves = [make_move(new_id, product.id, n, at=NOW - timedelta(hours=n)) for n in (1, 2, 3)]
        with written(storage) as unit:
            unit.stock.move(moves)
        with seen(storage) as unit:
            check_pages(partial(unit.stock.ledger, product.id), moves)

    def test_times_in_the_ledger_come_back_in_utc(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {})
        at = datetime(2026, 2, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
        with written(storage) as unit:
            unit.stock.move([make_move(new_id, product.id, 1, at=at)])
        with seen(storage) as unit:
            (move,) = unit.stock.ledger(product.id, PageRequest()).items
        assert move.at == at
        assert move.at.tzinfo is UTC

    def test_what_runs_low_is_listed_fewest_first(self, storage: Storage) -> None:
        products = shelve(
            storage,
            ids(),
            {"stock": 5},
            {"stock": 2},
            {},
            {"stock": 6},
            {"stock": 2},
            {"stock": 1, "is_active": False},
        )
        five, two, none, _, other_two, _ = products
        with seen(storage) as unit:
            check_pages(partial(unit.stock.low, 5), [none, two, other_two, five])
            check_pages(partial(unit.stock.low, 0), [none])

    def test_sixty_four_buyers_of_the_last_unit_make_one_sale(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {"stock": 1})

        def buy(number: int) -> None:
            move = make_move(ids(1000 + number), product.id, -1, reason=StockReason.SALE)
            rerun(storage, lambda unit: unit.stock.move([move], sold=True))

        errors = Together(*[partial(buy, number) for number in range(64)]).join().errors
        assert errors.count(None) == 1, "so many of 64 buyers got the one unit"
        assert all(isinstance(error, OutOfStock) for error in errors if error is not None), errors
        with seen(storage) as unit:
            found = unit.products.get(product.id)
        assert (found.stock, found.units_sold) == (0, 1)
        check_ledger(storage, product.id)

    def test_two_units_that_both_saw_the_last_one_sell_it_once(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {"stock": 1})

        def buy(unit: Unit) -> None:
            unit.stock.on_hand([product.id])
            unit.stock.move([make_move(new_id, product.id, -1)])

        outcomes = overlap(storage, buy, buy)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "OutOfStock"]
        check_ledger(storage, product.id)

    @needs(COUNT_STATEMENTS)
    def test_moving_ten_products_takes_at_most_four_statements(self, storage: Storage) -> None:
        new_id = ids()
        products = shelve(storage, new_id, *({"stock": 3} for _ in range(10)))
        with written(storage) as unit, self.count_statements(storage) as counted:
            unit.stock.move([make_move(new_id, product.id, -1) for product in products], sold=True)
        assert counted.count <= 4


def lines(error: OutOfStock) -> list[tuple[str, int, int]]:
    """(product id, requested, available) of every line the error names."""
    return [(line["product_id"], line["requested"], line["available"]) for line in error.extra["lines"]]


def check_ledger(storage: Storage, *product_ids: str) -> None:
    """The shelf equals the sum of the ledger."""
    with seen(storage) as unit:
        on_hand = unit.stock.on_hand(product_ids)
        for product_id in product_ids:
            moves = walk(partial(unit.stock.ledger, product_id), limit=100)
            listed = sum(move.change for move in moves)
            assert on_hand[product_id] == listed >= 0, (
                f"{on_hand[product_id]} on hand, and the ledger adds up to {listed}"
            )
