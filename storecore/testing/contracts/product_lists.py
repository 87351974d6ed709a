"""Lists of products, and their prices over time."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from storecore.catalog.matching import matched
from storecore.catalog.model import Discount, PriceChange, Product
from storecore.lists import FIRST_PAGE, PageRequest
from storecore.ports import ProductQuery, Storage, Unit
from storecore.testing.builders import (
    NOW,
    ids,
    make_category,
    make_price_change,
    usd,
)
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import (
    COUNT_STATEMENTS,
    Contract,
    check_pages,
    needs,
    overlap,
    seen,
    walk,
    written,
)

HOUR = timedelta(hours=1)


def asking(unit: Unit, *, text: str | None = None, **query: Any) -> ProductQuery:
    """A question, perhaps with a text."""
    return ProductQuery(match=None if text is None else matched(unit, text), **query)


class ProductListsContract(Contract):
    """Product lists: filters, sorts, pages, totals."""

    def test_every_product_is_listed_the_oldest_first_archived_ones_too(self, storage: Storage) -> None:
        products = shelve(storage, ids(), {"stock": 2}, {"is_active": False}, {"sold": 1}, {})
        with seen(storage) as unit:
            check_pages(unit.products.every, products)

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("newest", "FEDCBA"),
            ("price", "DAFBCE"),
            ("-price", "EBCAFD"),
            ("name", "CADBFE"),
            ("popularity", "EAFBCD"),
            ("rating", "ABCDEF"),
        ],
    )
    def test_each_sort_has_one_order_and_pages_lose_no_row(self, storage: Storage, sort: str, expected: str) -> None:
        """Ties are in order of id; ``newest`` is the reverse order of ids; what nobody rated comes last."""
        half = Discount(percent=Decimal(50), starts_at=NOW)
        products = shelve(
            storage,
            ids(),
            {"sku": "A", "name": "apple", "price": usd(1000), "sold": 5},
            {"sku": "B", "name": "Pear", "price": usd(2000)},
            {"sku": "C", "name": "Ananas", "price": usd(2000)},
            {"sku": "D", "name": "Âpple", "price": usd(1000), "discount": half},
            {"sku": "E", "name": "zebra", "price": usd(3000), "sold": 9},
            {"sku": "F", "name": "péar", "price": usd(1000), "sold": 1},
            {"sku": "Z", "name": "archived", "is_active": False},
        )
        by_sku = {product.sku: product for product in products}
        query = ProductQuery(sort=sort)
        with seen(storage) as unit:
            check_pages(partial(unit.products.page, query), [by_sku[sku] for sku in expected])

    @pytest.mark.parametrize("sort", ["newest", "price", "-price", "name", "popularity", "rating"])
    def test_rows_that_come_and_go_between_pages_move_no_other_row(self, storage: Storage, sort: str) -> None:
        new_id = ids()
        products = shelve(storage, new_id, *({"price": usd(100 * (n % 3)), "name": f"N{n % 2}"} for n in range(7)))
        query = ProductQuery(sort=sort)
        rows: list[str] = []
        after = None
        for _ in range(20):
            with seen(storage) as unit:
                page = unit.products.page(query, PageRequest(limit=2, after=after))
            rows.extend(product.id for product in page.items)
            after = page.next
            if after is None:
                break
            shelve(storage, new_id, {"price": usd(100), "name": "N1"})
        assert len(set(rows)) == len(rows), "a row was shown twice"
        assert {product.id for product in products} <= set(rows), "a row was lost"

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, "ABCD"),
            ({"min_price": 1000}, "ABD"),
            ({"max_price": 1000}, "AC"),
            ({"min_price": 1000, "max_price": 2000}, "AB"),
            ({"in_stock": True}, "AC"),
            ({"in_stock": False}, "BD"),
            ({"group": "g"}, "AB"),
            ({"attributes": (("size", "M"),)}, "AD"),
            ({"attributes": (("size", "M"), ("colour", "red"))}, "D"),
            ({"attributes": (("size", "m"),)}, ""),
            ({"min_rating": Decimal(1)}, ""),
            ({"text": "wool"}, "AD"),
            ({"text": "wool", "group": "g"}, "A"),
            ({"text": "wool felt"}, ""),
            ({"text": "%"}, ""),
            ({"in_stock": True, "max_price": 999, "text": "cap"}, "C"),
        ],
    )
    def test_filters_show_what_matches_all_of_them(
        self, storage: Storage, query: dict[str, Any], expected: str
    ) -> None:
        shelve(
            storage,
            ids(),
            {
                "sku": "A",
                "name": "Wool hat",
                "description": "warm",
                "price": usd(1000),
                "stock": 1,
                "group": "g",
                "attributes": {"size": "M", "colour": "blue"},
            },
            {"sku": "B", "name": "Şahin", "description": "", "price": usd(2000), "group": "g"},
            {
                "sku": "C",
                "name": "Cap",
                "description": "Felt,\nsecond line",
                "price": usd(1000),
                "stock": 2,
                "discount": Discount(percent=Decimal(50), starts_at=NOW - HOUR, ends_at=NOW + HOUR),
            },
            {
                "sku": "D",
                "name": "Coat",
                "description": "of (wool)",
                "price": usd(3000),
                "attributes": {"size": "M", "colour": "red"},
            },
            {"sku": "Z", "name": "Wool archived", "description": "felt", "is_active": False, "stock": 1, "group": "g"},
        )
        for sort in ("price", "newest", *(("relevance",) if "text" in query else ())):
            with seen(storage) as unit:
                asked = asking(unit, **query, sort=sort)
                page = unit.products.page(asked, PageRequest(limit=100, total=True))
            assert "".join(sorted(product.sku for product in page.items)) == expected
            assert page.total == len(expected)

    def test_a_list_of_one_category_shows_what_is_filed_under_it(self, storage: Storage) -> None:
        new_id = ids()
        first, second = shelve(storage, new_id, {}, {})
        other = make_category(new_id)
        with written(storage) as unit:
            unit.categories.add(other)
            unit.products.save(second.changed(NOW, category_ids=(other.id, *second.category_ids)), NOW)
        with seen(storage) as unit:
            for category_id, expected in (
                (other.id, [second.id]),
                (first.category_ids[0], [second.id, first.id]),
                ("unknown", []),
            ):
                rows = walk(partial(unit.products.page, ProductQuery(category_id=category_id)), limit=1)
                assert [product.id for product in rows] == expected

    def test_a_list_of_a_category_shows_what_is_filed_below_it_however_deep(self, storage: Storage) -> None:
        new_id = ids()
        clothes = make_category(new_id)
        hats = make_category(new_id, parent_id=clothes.id)
        caps = make_category(new_id, parent_id=hats.id)
        with written(storage) as unit:
            for category in (clothes, hats, caps):
                unit.categories.add(category)
        shelve(
            storage,
            new_id,
            {"sku": "A", "category_ids": [clothes.id]},
            {"sku": "B", "category_ids": [caps.id, hats.id]},
            {"sku": "C", "category_ids": [caps.id]},
            {"sku": "D"},
        )
        with seen(storage) as unit:
            for category, expected in ((clothes, "ABC"), (hats, "BC"), (caps, "BC")):
                page = unit.products.page(ProductQuery(category_id=category.id), PageRequest(total=True))
                assert "".join(sorted(product.sku for product in page.items)) == expected
                assert page.total == len(expected)

    def test_an_empty_shop_has_one_empty_page(self, storage: Storage) -> None:
        with seen(storage) as unit:
            page = unit.products.page(ProductQuery(), PageRequest(total=True))
        assert (page.items, page.next, page.total) == ((), None, 0)

    @needs(COUNT_STATEMENTS)
    @pytest.mark.parametrize("total", [False, True])
    def test_a_page_of_twenty_takes_at_most_two_statements(self, storage: Storage, total: bool) -> None:
        shelve(storage, ids(), *({"stock": 1, "attributes": {"size": "M"}} for _ in range(25)))
        with seen(storage) as unit, self.count_statements(storage) as counted:
            page = unit.products.page(ProductQuery(), PageRequest(limit=20, total=total))
        assert len(page.items) == 20
        assert counted.count <= 2

    @needs(COUNT_STATEMENTS)
    def test_some_products_are_one_look_up_however_many(self, storage: Storage) -> None:
        products = shelve(storage, ids(), *({} for _ in range(25)))
        counts = []
        for number in (1, 25):
            with seen(storage) as unit, self.count_statements(storage) as counted:
                found = unit.products.some([product.id for product in products[:number]])
            assert len(found) == number
            counts.append(counted.count)
        assert counts[0] == counts[1] <= 2


class PricesContract(Contract):
    """Discount windows and the price history."""

    def test_a_discount_that_begins_or_ends_is_brought_up_to_date_once(self, storage: Storage) -> None:
        window = Discount(percent=Decimal(50), starts_at=NOW + HOUR, ends_at=NOW + 3 * HOUR)
        (product,) = shelve(storage, ids(), {"price": usd(2000), "discount": window})
        assert prices(storage) == [product.id], "the discount has not begun: the price is 20.00"
        for hours, changed, cheap in ((0, 0, False), (1, 1, True), (2, 0, True), (3, 1, False), (9, 0, False)):
            at = NOW + hours * HOUR
            with written(storage, at) as unit:
                assert list(unit.products.refresh_prices(at, 10)) == [product] * changed
            assert prices(storage, max_price=1000) == ([product.id] if cheap else [])

    def test_a_window_that_was_missed_altogether_ends_at_the_right_price(self, storage: Storage) -> None:
        window = Discount(percent=Decimal(50), starts_at=NOW + HOUR, ends_at=NOW + 3 * HOUR)
        (product,) = shelve(storage, ids(), {"price": usd(2000), "discount": window})
        later = NOW + 9 * HOUR
        with written(storage, later) as unit:
            assert list(unit.products.refresh_prices(later, 10)) == [product]
            assert list(unit.products.refresh_prices(later, 10)) == []
        assert prices(storage, min_price=2000) == [product.id]

    def test_prices_are_refreshed_so_many_at_a_time(self, storage: Storage) -> None:
        window = Discount(percent=Decimal(50), starts_at=NOW + HOUR)
        products = shelve(storage, ids(), *({"discount": window} for _ in range(5)))
        at, refreshed = NOW + HOUR, []
        for expected in (2, 2, 1, 0):
            with written(storage, at) as unit:
                batch = unit.products.refresh_prices(at, 2)
            assert len(batch) == expected
            refreshed += [product.id for product in batch]
        assert sorted(refreshed) == [product.id for product in products]

    def test_two_workers_that_refresh_at_once_tell_of_each_price_once(self, storage: Storage) -> None:
        window = Discount(percent=Decimal(50), starts_at=NOW + HOUR)
        products = shelve(storage, ids(), *({"discount": window} for _ in range(4)))

        def refresh(unit: Unit) -> list[str]:
            return [product.id for product in unit.products.refresh_prices(NOW + HOUR, 3)]

        outcomes = overlap(storage, refresh, refresh)
        told = [each for outcome in outcomes if isinstance(outcome, list) for each in outcome]
        with written(storage) as unit:
            told += refresh(unit)
        assert sorted(told) == [product.id for product in products]

    def test_saving_keeps_the_final_price_of_that_moment(self, storage: Storage) -> None:
        (product,) = shelve(storage, ids(), {"price": usd(2000)})
        window = Discount(percent=Decimal(50), starts_at=NOW + HOUR)
        with written(storage) as unit:
            unit.products.save(product.changed(NOW, discount=window), NOW)
        assert prices(storage, max_price=1000) == []
        with written(storage, NOW + HOUR) as unit:
            unit.products.save(unit.products.get(product.id).changed(NOW + HOUR, name="Edited"), NOW + HOUR)
        assert prices(storage, max_price=1000) == [product.id]
        with written(storage, NOW + HOUR) as unit:
            assert list(unit.products.refresh_prices(NOW + HOUR, 10)) == []

    def test_the_price_history_is_listed_newest_first(self, storage: Storage) -> None:
        product, changes = priced(storage)
        with seen(storage) as unit:
            check_pages(partial(unit.products.prices, product.id), changes[::-1])
            assert unit.products.prices("unknown", FIRST_PAGE).items == ()

    def test_a_change_that_is_written_late_stands_where_it_belongs(self, storage: Storage) -> None:
        product, changes = priced(storage)
        late = make_price_change(product, at=NOW + HOUR / 2, final_price=usd(5))
        with written(storage) as unit:
            unit.products.add_prices([late])
        with seen(storage) as unit:
            in_order = [changes[0], late, *changes[1:]]
            check_pages(partial(unit.products.prices, product.id), in_order[::-1])
            assert list(unit.products.price_history([product.id], NOW)[product.id]) == in_order

    def test_changes_at_one_moment_keep_their_order(self, storage: Storage) -> None:
        (product,) = shelve(storage, ids(), {})
        changes = [make_price_change(product, final_price=usd(n)) for n in (3, 1, 2)]
        with written(storage) as unit:
            unit.products.add_prices(changes[:2])
            unit.products.add_prices(changes[2:])
        with seen(storage) as unit:
            check_pages(partial(unit.products.prices, product.id), changes[::-1])
            assert list(unit.products.price_history([product.id], NOW)[product.id]) == changes

    def test_the_history_since_a_time_begins_with_the_price_that_held_then(self, storage: Storage) -> None:
        product, changes = priced(storage)
        (unpriced,) = shelve(storage, ids(500), {})
        for since, expected in (
            (NOW - HOUR, changes),
            (NOW, changes),
            (NOW + timedelta(minutes=1), changes),
            (NOW + timedelta(minutes=59), changes),
            (NOW + timedelta(minutes=61), changes[1:]),
            (NOW + 9 * HOUR, changes[-1:]),
        ):
            with seen(storage) as unit:
                history = unit.products.price_history([product.id, unpriced.id], since)
            assert list(history[product.id]) == expected, since
            assert list(history.get(unpriced.id, ())) == []


def prices(storage: Storage, **bounds: Any) -> list[str]:
    """Ids of the products in a price range, cheapest first."""
    with seen(storage) as unit:
        return [product.id for product in unit.products.page(ProductQuery(sort="price", **bounds), FIRST_PAGE).items]


def priced(storage: Storage) -> tuple[Product, Sequence[PriceChange]]:
    """A product whose price changed at 0, 1 and 2 hours, and those changes."""
    (product,) = shelve(storage, ids(), {})
    changes = [make_price_change(product, at=NOW + n * HOUR, final_price=usd(1000 - n)) for n in range(3)]
    with written(storage) as unit:
        unit.products.add_prices(changes)
    return product, changes
