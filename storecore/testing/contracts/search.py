"""What is found: the same products on every storage, at once, whatever is typed."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from storecore.catalog.documents import Match, Wanted
from storecore.catalog.matching import matched
from storecore.catalog.model import Category, Product
from storecore.lists import FIRST_PAGE, PageRequest
from storecore.ports import Hit, ProductQuery, Storage, Unit
from storecore.testing.builders import NOW, ids, make_category, make_move, usd
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import (
    COUNT_STATEMENTS,
    Contract,
    Together,
    check_pages,
    needs,
    seen,
    walk,
    written,
)

SIGNS = "\"'*:^()%_\\+-~|&!<>@#$,.;?/[]{}=`§€\t\n"


def found(storage: Storage, text: str, **query: Any) -> str:
    """The SKUs of what is found, in order of the alphabet."""
    with seen(storage) as unit:
        asked = ProductQuery(match=matched(unit, text), sort="relevance", **query)
        hits = unit.search.page(asked, PageRequest(limit=100, total=True))
        assert hits.total == len(hits.items)
        assert all(hit.score > 0 for hit in hits.items)
        assert [hit.score for hit in hits.items] == sorted((hit.score for hit in hits.items), reverse=True)
        listed = unit.products.page(replace(asked, sort="newest"), PageRequest(limit=100, total=True))
        assert {each.id for each in listed.items} == {hit.product.id for hit in hits.items}, "filtered alike"
        assert listed.total == hits.total
    return "".join(sorted(hit.product.sku for hit in hits.items))


def changed(storage: Storage, product: Product, **changes: Any) -> Product:
    """The product after an edit."""
    with written(storage) as unit:
        (product,) = unit.products.locked([product.id]).values()
        unit.products.save(product.changed(NOW, **changes), NOW)
        return unit.products.get(product.id)


def wardrobe(storage: Storage) -> list[Product]:
    """Some clothes."""
    return shelve(
        storage,
        ids(),
        {"sku": "A", "name": "Wool hats", "description": "warm, for running", "attributes": {"brand": "Şahin"}},
        {"sku": "B", "name": "Crème dress", "description": "a dress of wool"},
        {"sku": "C", "name": "Iğdır T-Shirt", "description": "Cotton & linen", "attributes": {"model": "X15"}},
        {"sku": "D", "name": "東京 帽子", "description": "x" * 100 + " ends here"},
        {"sku": "Z", "name": "Wool archived", "description": "running", "is_active": False},
    )


class SearchContract(Contract):
    """Matching, ranking, upkeep, and the words of the shop."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("wool", "AB"),
            ("WOOL", "AB"),
            ("wo", "AB"),
            ("wo ", ""),
            ("ool", ""),
            ("hat", "A"),
            ("hats ", "A"),
            ("runs ", "A"),
            ("dresses", "B"),
            ("wool hat", "A"),
            ("hat wool", "A"),
            ("wool wool", "AB"),
            ("the wool of", "AB"),
            ("sahin", "A"),
            ("ŞAHİN", "A"),
            ("creme", "B"),
            ("crème", "B"),
            ("igdir", "C"),
            ("IĞDIR", "C"),
            ("tshirt", "C"),
            ("t-shirts", "C"),
            ("x15", "C"),
            ("x1", "C"),
            ("15", ""),
            ("東", "D"),
            ("子 京", "D"),
            ("x" * 64 + " ", "D"),
            ("x" * 70 + " ", "D"),
            ("x" * 63 + " ", ""),
            ("archived", ""),
            ("", ""),
            (" ", ""),
            ("nonsense", ""),
        ],
    )
    def test_words_are_met_by_stem_and_the_last_by_how_it_begins(
        self, storage: Storage, text: str, expected: str
    ) -> None:
        wardrobe(storage)
        assert found(storage, text) == expected

    @pytest.mark.parametrize("sign", [*SIGNS, "\0", "\ud800", "\u00a0", "\u3000"])
    def test_no_sign_means_anything(self, storage: Storage, sign: str) -> None:
        wardrobe(storage)
        assert found(storage, sign) == ""
        for text in (f"wool{sign}dress ", f"{sign}wool dress{sign}", f"{sign} wool {sign} dress {sign}"):
            assert found(storage, text) == "B", text

    @pytest.mark.parametrize("operator", ["NOT", "NEAR", "OR", "AND"])
    def test_no_operator_means_anything(self, storage: Storage, operator: str) -> None:
        """They are words like any others; ``or`` and ``and`` are among those that tell nothing."""
        wardrobe(storage)
        assert found(storage, f"wool {operator} dress ") == ("B" if operator in {"OR", "AND"} else "")
        assert found(storage, f"{operator} ") == ""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("wolo ", "AB"),
            ("woool hast", "A"),
            ("derss", "B"),
            ("sahni ", "A"),
            ("sahi ", "A"),
            ("hhat", "A"),
            ("zzzz", ""),
        ],
    )
    def test_what_nothing_has_is_taken_for_mistyped(self, storage: Storage, text: str, expected: str) -> None:
        wardrobe(storage)
        assert found(storage, text) == expected

    def test_words_are_not_taken_for_mistyped_because_of_other_filters(self, storage: Storage) -> None:
        shelve(storage, ids(), {"sku": "A", "name": "Boot", "price": usd(100)}, {"sku": "B", "name": "Boat"})
        assert found(storage, "boot ") == "A"
        assert found(storage, "boot ", min_price=101) == ""

    def test_a_category_stands_for_what_is_filed_below_it_whatever_becomes_of_it(self, storage: Storage) -> None:
        new_id = ids()
        clothes, hats = make_category(new_id, name="Clothes"), make_category(new_id, name="Head gear")
        with written(storage) as unit:
            unit.categories.add(clothes)
            unit.categories.add(replace(hats, parent_id=clothes.id))
        shelve(storage, new_id, {"sku": "A", "name": "Fez", "category_ids": [hats.id]}, {"sku": "B", "name": "Pan"})
        for text, expected in (
            ("clothing ", "A"),
            ("gears", "A"),
            ("head fez", "A"),
            ("claothes", "A"),
            ("gear pan", ""),
        ):
            assert found(storage, text) == expected, text
        self._change(storage, hats.id, name="Caps", parent_id=None)
        for text, expected in (("clothing ", ""), ("gear", ""), ("cap", "A"), ("caps fez", "A")):
            assert found(storage, text) == expected, text

    def _change(self, storage: Storage, category_id: str, **changes: Any) -> Category:
        with written(storage) as unit:
            category = unit.categories.get(category_id).changed(**changes)
            unit.categories.save(category)
        return category

    def test_a_product_is_found_by_what_it_is_at_this_moment(self, storage: Storage) -> None:
        (hat,) = shelve(storage, ids(), {"sku": "A", "name": "Hat"})
        with written(storage) as unit:
            unit.products.save(hat.changed(NOW, name="Never"), NOW)
            assert unit.search.any((Wanted(("never",)),)), "its own unit sees it"
        for name, value, text in (
            ("name", "Cap", "cap"),
            ("description", "of felt", "felt"),
            ("attributes", {"colour": "red"}, "red"),
            ("sku", "Q7", "q7"),
        ):
            hat = changed(storage, hat, **{name: value})
            assert found(storage, text) == hat.sku, name
        assert found(storage, "hat never") == ""
        hat = changed(storage, hat, is_active=False)
        assert [found(storage, text) for text in ("cap", "felt", "red", "q7")] == [""] * 4
        changed(storage, hat, is_active=True)
        assert found(storage, "red felt cap") == "Q7"

    def test_what_was_rolled_back_is_not_found(self, storage: Storage) -> None:
        (hat,) = shelve(storage, ids(), {"sku": "A", "name": "Hat"})
        with storage.writing(NOW, ids()) as unit:
            unit.products.save(hat.changed(NOW, name="Cap"), NOW)
        assert (found(storage, "cap"), found(storage, "hat")) == ("", "A")
        assert suggested(storage, "ca") == []

    def test_names_count_more_than_labels_and_labels_more_than_descriptions(self, storage: Storage) -> None:
        fillers = [{"sku": f"F{n}", "name": f"Thing {n}"} for n in range(9)]
        shelve(
            storage,
            ids(),
            {"sku": "A", "name": "Jar", "description": "amber"},
            {"sku": "B", "name": "Jar", "attributes": {"colour": "amber"}},
            {"sku": "C", "name": "Amber"},
            *fillers,
        )
        assert [hit.product.sku for hit in ranked(storage, "amber ")] == ["C", "B", "A"]

    def test_equals_come_by_units_sold_then_by_id_and_pages_lose_none(self, storage: Storage) -> None:
        rows = [{"sku": f"S{n}", "name": "Amber jar", "stock": 5, "sold": n % 3} for n in range(7)]
        products = shelve(storage, ids(), *rows)
        expected = sorted(products, key=lambda each: (-each.units_sold, each.id))
        with seen(storage) as unit:
            query = ProductQuery(match=matched(unit, "amber"), sort="relevance")
            check_pages(partial(unit.products.page, query), expected)
            hits = walk(partial(unit.search.page, query), limit=2)
        assert [hit.product for hit in hits] == expected
        assert len({hit.score for hit in hits}) == 1

    def test_a_stock_change_leaves_the_document_alone(self, storage: Storage) -> None:
        (hat,) = shelve(storage, ids(), {"name": "Hat", "stock": 3})
        with written(storage) as unit:
            unit.stock.move([make_move(ids(5_000), hat.id, 1)])
            unit.products.save(hat.changed(NOW, price=usd(1)), NOW)
            assert unit.search.write(unit.products.locked([hat.id]).values()) == 0
            assert unit.search.outdated("", 10) == []
            assert unit.search.products("", 10) == [hat.id]
            assert unit.search.count() == 1

    def test_products_are_gone_through_by_id_so_many_at_a_time(self, storage: Storage) -> None:
        products = shelve(storage, ids(), {}, {"is_active": False}, {}, {})
        expected = [product.id for product in products]
        with seen(storage) as unit:
            assert unit.search.count() == 4
            pages = [list(unit.search.products(after, 3)) for after in ("", expected[1], expected[2], expected[3])]
        assert pages == [expected[:3], expected[2:], expected[3:], []]

    def test_units_sold_are_told_of_what_is_on_sale(self, storage: Storage) -> None:
        hat, _ = shelve(storage, ids(), {"stock": 5, "sold": 2}, {"stock": 5, "sold": 3, "is_active": False})
        with seen(storage) as unit:
            assert unit.search.sold([*unit.search.products("", 10), "nothing"]) == {hat.id: 2}

    def test_a_unit_that_writes_has_no_lexicon_and_one_that_reads_writes_nothing(self, storage: Storage) -> None:
        (hat,) = shelve(storage, ids(), {"name": "Hat"})
        with written(storage) as unit, pytest.raises(RuntimeError), unit.search.lexicon():
            pass
        with seen(storage) as unit, pytest.raises(RuntimeError):
            unit.search.write([hat])

    @pytest.mark.parametrize("match", [(), (Wanted(()),), (Wanted(("hat",)), Wanted(()))])
    def test_a_question_without_words_finds_nothing(self, storage: Storage, match: Match) -> None:
        shelve(storage, ids(), {"name": "Hat"})
        query = ProductQuery(match=match, sort="relevance")
        with seen(storage) as unit:
            assert not unit.search.any(match)
            assert unit.search.page(query, FIRST_PAGE).items == ()
            assert unit.products.page(ProductQuery(match=match), FIRST_PAGE).items == ()

    def test_suggestions_know_what_is_on_sale_at_this_moment(self, storage: Storage) -> None:
        hat, cap = shelve(storage, ids(), {"name": "Red hat"}, {"name": "Red cap"})
        assert suggested(storage, "red") == ["Red cap", "Red hat"]
        changed(storage, hat, name="Blue hat")
        assert suggested(storage, "red") == ["Red cap"]
        assert suggested(storage, "blue h") == ["Blue hat"]
        changed(storage, cap, is_active=False)
        assert suggested(storage, "red") == []
        changed(storage, cap, is_active=True)
        assert suggested(storage, "rde ") == [], "too short to be mistyped"
        assert suggested(storage, "bleu ") == ["Blue hat"]
        new = make_category(ids(9_000), name="Bluebells")
        with written(storage) as unit:
            unit.categories.add(new)
        assert suggested(storage, "blu") == ["Blue hat", "Bluebells"]
        with written(storage) as unit:
            unit.categories.remove(new.id)
        assert suggested(storage, "blu") == ["Blue hat"]

    def test_a_reader_of_an_older_state_leaves_later_ones_the_truth(self, storage: Storage) -> None:
        (hat,) = shelve(storage, ids(), {"name": "Red hat"})
        with seen(storage) as old:
            assert old.products.get(hat.id).name == "Red hat"
            changed(storage, hat, name="Blue hat")
            assert suggested(storage, "blue") == ["Blue hat"]
            with old.search.lexicon() as lexicon:
                lexicon.suggest("red")
            assert (suggested(storage, "blue"), suggested(storage, "red")) == (["Blue hat"], [])
        assert (suggested(storage, "blue"), suggested(storage, "red")) == (["Blue hat"], [])

    def test_threads_that_edit_and_search_at_once_all_see_the_truth(self, storage: Storage) -> None:
        products = shelve(storage, ids(), *({"sku": f"S{n}", "name": "Old"} for n in range(4)))

        def edit(product: Product) -> None:
            for n in range(5):
                product = changed(storage, product, name=f"New{n}")
                assert f"New{n}" in suggested(storage, f"new{n} ")
                assert product.sku in found(storage, f"new{n} ")

        Together(*(partial(edit, product) for product in products)).succeed()
        assert suggested(storage, "old") == []
        assert found(storage, "new4") == "S0S1S2S3"

    @needs(COUNT_STATEMENTS)
    def test_a_search_takes_as_many_statements_however_much_is_found(self, storage: Storage) -> None:
        counts = []
        for number in (1, 20):
            shelve(storage, ids(number * 10_000), *({"name": "Amber", "sku": f"{number}-{n}"} for n in range(number)))
            found(storage, "amber")
            with seen(storage) as unit, self.count_statements(storage) as counted:
                query = ProductQuery(match=matched(unit, "amber"), sort="relevance")
                unit.search.page(query, PageRequest(limit=20, total=True))
            counts.append(counted.count)
        assert counts[0] == counts[1] <= 4

    @needs(COUNT_STATEMENTS)
    def test_only_what_a_product_is_found_by_writes_its_document(self, storage: Storage) -> None:
        (hat,) = shelve(storage, ids(), {"name": "Hat"})
        counts = []
        for changes in ({"price": usd(5)}, {"description": "of felt"}):
            with written(storage) as unit, self.count_statements(storage) as counted:
                (hat,) = unit.products.locked([hat.id]).values()
                unit.products.save(hat.changed(NOW, **changes), NOW)
            counts.append(counted.count)
        assert counts[1] == counts[0] + 1


def ranked(storage: Storage, text: str) -> Sequence[Hit]:
    """What is found, the best first."""
    with seen(storage) as unit:
        query = ProductQuery(match=matched(unit, text), sort="relevance")
        return unit.search.page(query, PageRequest(limit=100)).items


def suggested(storage: Storage, text: str) -> list[str]:
    """The names that are suggested, in order of the alphabet."""

    def names(unit: Unit) -> list[str]:
        with unit.search.lexicon() as lexicon:
            categories, products = lexicon.suggest(text)
        return sorted(each.text for each in (*categories, *products))

    with seen(storage) as unit:
        return names(unit)
