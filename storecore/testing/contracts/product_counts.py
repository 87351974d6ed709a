"""What product lists could be narrowed to: each count is what the list with that choice would hold."""

from dataclasses import replace
from typing import Any

import pytest

from storecore.catalog.documents import Wanted
from storecore.catalog.facets import cut
from storecore.lists import PageRequest
from storecore.ports import MOST_FACETS, ProductQuery, Storage, Unit
from storecore.testing.builders import ids, make_category, usd
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import COUNT_STATEMENTS, Contract, needs, seen, written

COLOURS, SIZES = ("red", "blue", "Blue"), ("S", "M")


def _fill(storage: Storage) -> dict[str, str]:
    """Products on a tree of shelves, no two alike; the shelves' ids by name."""
    new_id = ids()
    clothes = make_category(new_id, name="Clothes")
    hats = make_category(new_id, name="Hats", parent_id=clothes.id)
    sale = make_category(new_id, name="Sale")
    shelves = {each.name: each.id for each in (clothes, hats, sale)}
    with written(storage) as unit:
        for each in (clothes, hats, sale, make_category(new_id, name="Nothing here")):
            unit.categories.add(each)
    places = (["Hats"], ["Clothes"], ["Hats", "Clothes"], ["Sale"], ["Hats", "Sale"])
    shelve(
        storage,
        new_id,
        *(
            {
                "name": "Wool hat" if n % 2 else "Felt cap",
                "price": usd(137 * n * n),
                "stock": n % 3,
                "group": "even" if n % 2 == 0 else None,
                "category_ids": [shelves[name] for name in places[n % 5]],
                "attributes": {"colour": COLOURS[n % 3]} | ({"size": SIZES[n % 2]} if n % 4 else {}),
                "is_active": n != 7,
            }
            for n in range(24)
        ),
    )
    return shelves


def _number(unit: Unit, query: ProductQuery, **choice: Any) -> int | None:
    return unit.products.page(replace(query, **choice), PageRequest(limit=1, total=True)).total


class ProductCountsContract(Contract):
    """Facets of product lists."""

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"shelf": "Clothes"},
            {"shelf": "Hats", "in_stock": True},
            {"min_price": 5_000, "max_price": 40_000},
            {"attributes": (("colour", "red"),)},
            {"attributes": (("colour", "blue"), ("size", "M")), "shelf": "Clothes", "min_price": 1},
            {"attributes": (("colour", "red"), ("colour", "blue"))},
            {"attributes": (("colour", "no such colour"),), "group": "even"},
            {"group": "no such group"},
            {"match": (Wanted(("wool",)),), "attributes": (("colour", "red"),), "in_stock": True},
            {"match": ()},
        ],
    )
    def test_each_count_is_what_the_list_with_that_choice_holds(self, storage: Storage, query: dict[str, Any]) -> None:
        shelves = _fill(storage)
        asked = {name: value for name, value in query.items() if name != "shelf"}
        wanted = ProductQuery(**asked, category_id=shelves.get(query.get("shelf", "")))
        with seen(storage) as unit:
            counts = unit.products.counts(wanted)
            by_shelf = {each: _number(unit, wanted, category_id=each) for each in shelves.values()}
            assert counts.categories == {each: number for each, number in by_shelf.items() if number}
            found: dict[str, dict[str, int]] = {}
            for name, values in (("colour", COLOURS), ("size", SIZES)):
                others = tuple(pair for pair in wanted.attributes if pair[0] != name)
                for value in values:
                    if number := _number(unit, wanted, attributes=(*others, (name, value))):
                        found.setdefault(name, {})[value] = number
            assert counts.attributes == found
            any_price = replace(wanted, min_price=None, max_price=None)
            assert sum(counts.prices.values()) == _number(unit, any_price)
            for price, count in counts.prices.items():
                assert price == cut(price)
                next_price = next(each for each in range(price + 1, 2 * price + 2) if cut(each) != price)
                assert count == _number(unit, any_price, min_price=price, max_price=next_price - 1)

    def test_only_the_most_frequent_attributes_and_values_are_counted(self, storage: Storage) -> None:
        many = [f"a{n:02}" for n in range(MOST_FACETS + 2)]
        shelve(
            storage,
            ids(),
            *({"attributes": {"serial": name, **dict.fromkeys(many[n:], "yes")}} for n, name in enumerate(many)),
            {"attributes": {"serial": "a15", "z": "1", "Z": "2"}},
        )
        with seen(storage) as unit:
            found = unit.products.counts(ProductQuery()).attributes
        assert set(found) == {"serial", *many[3:]}, "the rarest names are left out"
        assert found["serial"] == {"a15": 2, **dict.fromkeys([each for each in many if each != "a15"][:19], 1)}

    @needs(COUNT_STATEMENTS)
    def test_counts_take_three_statements_however_many_filters_there_are(self, storage: Storage) -> None:
        shelves = _fill(storage)
        for query in (
            ProductQuery(),
            ProductQuery(attributes=(("colour", "red"), ("size", "M")), category_id=shelves["Clothes"], min_price=1),
        ):
            with seen(storage) as unit, self.count_statements(storage) as counted:
                unit.products.counts(query)
            assert counted.count == 3
