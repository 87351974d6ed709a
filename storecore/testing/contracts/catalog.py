"""Categories, products, their prices and their lists."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from storecore.catalog.model import Discount, Product
from storecore.errors import CategoryExists, CategoryInUse, Contention, NotFound, SkuTaken
from storecore.lists import FIRST_PAGE
from storecore.ports import NewId, Storage, Unit
from storecore.testing.builders import (
    NOW,
    ids,
    make_category,
    make_move,
    make_product,
    usd,
)
from storecore.testing.contracts.proving import (
    Contract,
    check_pages,
    overlap,
    seen,
    written,
)

HOUR = timedelta(hours=1)


def shelve(storage: Storage, new_id: NewId, *wanted: dict[str, Any]) -> list[Product]:
    """Products in a category of their own, written; ``stock`` and ``sold`` go through the ledger."""
    category = make_category(new_id)
    with written(storage) as unit:
        unit.categories.add(category)
        for fields in wanted:
            product = make_product(
                new_id,
                category_ids=fields.get("category_ids", [category.id]),
                **{name: value for name, value in fields.items() if name not in ("stock", "sold", "category_ids")},
            )
            unit.products.add(product)
            if stock := fields.get("stock", 0) + fields.get("sold", 0):
                unit.stock.move([make_move(new_id, product.id, stock)])
            if sold := fields.get("sold", 0):
                unit.stock.move([make_move(new_id, product.id, -sold)], sold=True)
            fields["id"] = product.id
    with seen(storage) as unit:
        found = unit.products.some([fields["id"] for fields in wanted])
    assert len(found) == len(wanted), "products that were added and committed are not all there for the next unit"
    return [found[fields["id"]] for fields in wanted]


class CategoriesContract(Contract):
    """Shelves with names that are unique."""

    def test_every_field_of_a_category_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        parent = make_category(new_id)
        child = make_category(new_id, name="  Şapkalar & Hüte ", parent_id=parent.id)
        with written(storage) as unit:
            unit.categories.add(parent)
            unit.categories.add(child)
        with seen(storage) as unit:
            assert unit.categories.get(parent.id) == parent
            assert unit.categories.get(child.id) == child

    def test_an_unknown_category_is_not_found(self, storage: Storage) -> None:
        with seen(storage) as unit, pytest.raises(NotFound):
            unit.categories.get("no such id")
        with pytest.raises(NotFound), written(storage) as unit:
            unit.categories.remove("no such id")

    @pytest.mark.parametrize("name", ["Hats", "hats", " HATS ", "ｈats"])
    def test_a_name_that_differs_only_in_case_or_space_is_taken(self, storage: Storage, name: str) -> None:
        new_id = ids()
        other = make_category(new_id)
        with written(storage) as unit:
            unit.categories.add(make_category(new_id, name="Hats"))
            unit.categories.add(other)
        with pytest.raises(CategoryExists), written(storage) as unit:
            unit.categories.add(make_category(new_id, name=name))
        with pytest.raises(CategoryExists), written(storage) as unit:
            unit.categories.save(other.changed(name=name))

    def test_a_category_can_change_the_case_of_its_own_name(self, storage: Storage) -> None:
        category = make_category(ids(), name="Hats")
        with written(storage) as unit:
            unit.categories.add(category)
            unit.categories.save(category.changed(name="HATS"))
        with seen(storage) as unit:
            assert unit.categories.get(category.id).name == "HATS"

    def test_a_name_that_was_given_up_is_free_again(self, storage: Storage) -> None:
        new_id = ids()
        category = make_category(new_id, name="Hats")
        removed = make_category(new_id, name="Gloves")
        with written(storage) as unit:
            unit.categories.add(category)
            unit.categories.add(removed)
            unit.categories.save(category.changed(name="Caps"))
            unit.categories.remove(removed.id)
            unit.categories.add(make_category(new_id, name="hats"))
            unit.categories.add(make_category(new_id, name="gloves"))
        with seen(storage) as unit:
            assert [found.name for found in unit.categories.page(FIRST_PAGE).items] == ["Caps", "gloves", "hats"]

    def test_saving_a_stale_category_is_contention(self, storage: Storage) -> None:
        category = make_category(ids())
        with written(storage) as unit:
            unit.categories.add(category)
            unit.categories.save(category.changed(name="First"))
        for stale in (category.changed(name="Second"), category):
            with pytest.raises(Contention), written(storage) as unit:
                unit.categories.save(stale)
        with seen(storage) as unit:
            assert unit.categories.get(category.id).name == "First"

    def test_categories_are_listed_by_name_whatever_its_case(self, storage: Storage) -> None:
        new_id = ids()
        names = ["apples", "Bananas", "cherries", "Dates", "Zebras", "çarşaf"]
        categories = [make_category(new_id, name=name) for name in names]
        with written(storage) as unit:
            for category in reversed(categories):
                unit.categories.add(category)
        with seen(storage) as unit:
            check_pages(unit.categories.page, categories)

    def test_some_categories_are_those_that_exist(self, storage: Storage) -> None:
        new_id = ids()
        one, two = make_category(new_id), make_category(new_id)
        with written(storage) as unit:
            unit.categories.add(one)
            unit.categories.add(two)
        with seen(storage) as unit:
            assert unit.categories.some([one.id, "unknown", one.id]) == {one.id: one}
            assert unit.categories.some([two.id, one.id]) == {one.id: one, two.id: two}
            assert unit.categories.some([]) == {}

    def test_categories_are_found_by_name_whatever_its_case_and_the_space_around_it(self, storage: Storage) -> None:
        new_id = ids()
        hats, caps = make_category(new_id, name="Şapkalar & Hüte"), make_category(new_id, name="Caps")
        with written(storage) as unit:
            unit.categories.add(hats)
            unit.categories.add(caps)
        with seen(storage) as unit:
            assert unit.categories.named([" ŞAPKALAR & HÜTE", "Gloves"]) == {"şapkalar & hüte": hats}
            assert unit.categories.named(["caps", "Caps", hats.name]) == {"caps": caps, "şapkalar & hüte": hats}
            assert unit.categories.named([]) == {}

    def test_a_category_in_use_is_not_removed(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {})
        parent = make_category(new_id)
        with written(storage) as unit:
            unit.categories.add(parent)
            unit.categories.add(make_category(new_id, parent_id=parent.id))
        for in_use in (product.category_ids[0], parent.id):
            with pytest.raises(CategoryInUse), written(storage) as unit:
                unit.categories.remove(in_use)
            with seen(storage) as unit:
                assert unit.categories.get(in_use).id == in_use

    def test_a_category_of_archived_products_can_go_and_they_can_still_be_read(self, storage: Storage) -> None:
        (product,) = shelve(storage, ids(), {})
        with written(storage) as unit:
            unit.products.save(product.changed(NOW, is_active=False), NOW)
            unit.categories.remove(product.category_ids[0])
        with seen(storage) as unit:
            assert unit.categories.page(FIRST_PAGE).items == ()
            assert unit.products.get(product.id).sku == product.sku


class ProductsContract(Contract):
    """The catalog, one product at a time."""

    def test_every_field_of_a_product_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        shelves = [make_category(new_id) for _ in range(3)]
        product = make_product(
            new_id,
            name='Şahin "Wool" Hat',
            description="Warm.\nVery warm: 100 %\t_really_ 🧢",
            category_ids=[shelves[2].id, shelves[0].id],
            price=usd(10**12 - 1),
            cost=usd(0),
            discount=Discount(percent=Decimal("12.34"), starts_at=NOW, ends_at=NOW + HOUR),
            attributes={"size": "M", "colour": "kırmızı"},
            images=("https://cdn.example/1.png", "/2.png"),
            group="hat-1",
            tax_class="reduced",
        )
        with written(storage) as unit:
            for shelf in shelves:
                unit.categories.add(shelf)
            unit.products.add(product)
        with seen(storage) as unit:
            assert unit.products.get(product.id) == product
            assert unit.products.get(product.slug) == product
            assert unit.products.some([product.id, "unknown"]) == {product.id: product}
            assert unit.products.some([]) == {}

    def test_products_are_found_by_sku_archived_ones_too(self, storage: Storage) -> None:
        hat, cap = shelve(storage, ids(), {"sku": "HAT-1", "stock": 3}, {"sku": "CAP", "is_active": False})
        with seen(storage) as unit:
            assert unit.products.with_skus(["HAT-1", "CAP", "hat-1", "", "HAT-1"]) == {"HAT-1": hat, "CAP": cap}
            assert unit.products.with_skus(["CAP"]) == {"CAP": cap}
            assert unit.products.with_skus(["hat-1", "cap "]) == {}
            assert unit.products.with_skus([]) == {}

    def test_an_unknown_product_is_not_found(self, storage: Storage) -> None:
        for missing in ("no such id", "", ids()()):
            with seen(storage) as unit, pytest.raises(NotFound):
                unit.products.get(missing)

    def test_a_new_product_has_no_stock_whatever_it_says(self, storage: Storage) -> None:
        new_id = ids()
        category = make_category(new_id)
        product = make_product(new_id, category_ids=[category.id], stock=50, units_sold=7)
        with written(storage) as unit:
            unit.categories.add(category)
            unit.products.add(product)
        with seen(storage) as unit:
            found = unit.products.get(product.id)
        assert (found.stock, found.units_sold) == (0, 0)

    def test_a_sku_is_taken_even_by_an_archived_product(self, storage: Storage) -> None:
        new_id = ids()
        archived, other = shelve(storage, new_id, {"is_active": False}, {})
        with pytest.raises(SkuTaken), written(storage) as unit:
            unit.products.add(make_product(new_id, category_ids=other.category_ids, sku=archived.sku))
        with pytest.raises(SkuTaken), written(storage) as unit:
            unit.products.save(other.changed(NOW, sku=archived.sku), NOW)

    def test_a_sku_that_was_given_up_is_free_again(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {"sku": "OLD"})
        another = make_product(new_id, category_ids=product.category_ids, sku="OLD")
        with written(storage) as unit:
            unit.products.save(product.changed(NOW, sku="NEW"), NOW)
            unit.products.add(another)
        with seen(storage) as unit:
            found = unit.products.with_skus(["OLD", "NEW"])
        assert {sku: each.id for sku, each in found.items()} == {"NEW": product.id, "OLD": another.id}

    def test_a_slug_that_was_given_up_is_free_again(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {"name": "Red Hat"})
        another = make_product(new_id, category_ids=product.category_ids, name="Red Hat")
        with written(storage) as unit:
            unit.products.save(product.changed(NOW, slug="blue-hat"), NOW)
            unit.products.add(another)
        with seen(storage) as unit:
            assert [unit.products.get(slug).id for slug in ("red-hat", "blue-hat")] == [another.id, product.id]

    def test_a_slug_that_is_taken_gets_a_suffix(self, storage: Storage) -> None:
        products = shelve(storage, ids(), *({"name": "Red Hat"} for _ in range(4)))
        slugs = [product.slug for product in products]
        assert slugs[0] == "red-hat"
        assert len(set(slugs)) == 4
        assert all(slug.startswith("red-hat-") for slug in slugs[1:])
        with seen(storage) as unit:
            assert [unit.products.get(slug).id for slug in slugs] == [product.id for product in products]

    def test_saving_writes_what_staff_edit_and_leaves_the_facts_alone(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {"stock": 5, "sold": 2, "attributes": {"size": "M"}})
        shelf = make_category(new_id)
        changed = product.changed(
            NOW + HOUR,
            sku="OTHER",
            name="Other",
            description="",
            category_ids=(shelf.id,),
            price=usd(500),
            cost=usd(100),
            discount=Discount(percent=Decimal(50), starts_at=NOW),
            attributes={"colour": "red"},
            images=("/x.png",),
            group="g",
            tax_class="none",
            is_active=False,
        )
        with written(storage) as unit:
            unit.categories.add(shelf)
            assert unit.products.locked([product.id, "unknown"]) == {product.id: product}
            unit.products.save(replace(changed, stock=99, units_sold=99), NOW + HOUR)
        with seen(storage) as unit:
            assert unit.products.get(product.id) == changed

    def test_a_sale_does_not_make_an_edit_stale(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {"stock": 5})
        with written(storage) as unit:
            unit.stock.move([make_move(new_id, product.id, -1)], sold=True)
        with written(storage) as unit:
            unit.products.save(product.changed(NOW, name="Edited"), NOW)
        with seen(storage) as unit:
            found = unit.products.get(product.id)
        assert (found.name, found.stock, found.units_sold) == ("Edited", 4, 1)

    def test_saving_a_stale_product_is_contention(self, storage: Storage) -> None:
        (product,) = shelve(storage, ids(), {})
        with written(storage) as unit:
            unit.products.save(product.changed(NOW, name="First"), NOW)
        for stale in (product.changed(NOW, name="Second"), product):
            with pytest.raises(Contention), written(storage) as unit:
                unit.products.save(stale, NOW)
        with seen(storage) as unit:
            assert unit.products.get(product.id).name == "First"

    def test_two_edits_at_once_are_both_kept(self, storage: Storage) -> None:
        (product,) = shelve(storage, ids(), {})

        def edit(unit: Unit, **changes: str) -> None:
            found = unit.products.locked([product.id])[product.id]
            unit.products.save(found.changed(NOW, **changes), NOW)

        assert overlap(storage, partial(edit, name="Other"), partial(edit, description="New")) == [None, None]
        with seen(storage) as unit:
            found = unit.products.get(product.id)
        assert (found.name, found.description, found.version) == ("Other", "New", 3)

    def test_times_of_a_product_and_its_discount_come_back_in_utc(self, storage: Storage) -> None:
        here = timezone(timedelta(hours=2))
        starts = datetime(2026, 2, 1, 1, 0, tzinfo=here)
        (product,) = shelve(
            storage,
            ids(),
            {
                "created_at": starts,
                "updated_at": starts,
                "discount": Discount(percent=Decimal(5), starts_at=starts, ends_at=starts + HOUR),
            },
        )
        assert product.discount is not None
        assert product.discount.ends_at is not None
        for moment in (product.created_at, product.updated_at, product.discount.starts_at):
            assert moment == starts
            assert moment.tzinfo is UTC
        assert product.discount.ends_at.isoformat() == "2026-02-01T00:00:00+00:00"

    def test_a_group_shows_its_active_variants_by_sku(self, storage: Storage) -> None:
        products = shelve(
            storage,
            ids(),
            {"sku": "C", "group": "g"},
            {"sku": "A", "group": "g"},
            {"sku": "B", "group": "g", "is_active": False},
            {"sku": "D", "group": "other"},
        )
        with seen(storage) as unit:
            assert list(unit.products.group("g")) == [products[1], products[0]]
            assert list(unit.products.group("nobody")) == []
