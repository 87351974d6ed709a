"""Search, suggestions, and the index, as a Python program uses them."""

from pathlib import Path

import pytest

from adapters.memory import MemoryStorage
from adapters.sql import SqlStorage
from adapters.stemming import language
from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.catalog.lexicon import Kind
from storecore.errors import Forbidden, Invalid
from storecore.lists import PageRequest
from storecore.ports import MOST_RELEVANT, ProductQuery, Storage
from storecore.shop import Shop
from storecore.store import Store
from storecore.testing.builders import ids, make_category, make_product
from storecore.testing.contracts.proving import written
from tests.databases import database
from tests.usecases.floor import HOME, Clock, Floor, person, product


def names(store: Store, text: str) -> list[str]:
    return [found.offer.product.name for found in store.catalog.search(text=text).items]


def suggestions(store: Store, text: str, limit: int = 10) -> list[tuple[str, str]]:
    return [(each.kind.value, each.text) for each in store.catalog.suggest(text=text, limit=limit)]


def test_what_is_found_is_offered_with_a_score(store: Floor) -> None:
    hat = product(store, name="Wool hat")
    (found,) = store.catalog.search(text="wool").items
    assert found.offer == store.catalog.product(product=hat.id)
    assert found.score > 0


def test_a_search_keeps_to_the_filters(store: Floor) -> None:
    cheap, dear = product(store, name="Wool hat", price=100), product(store, name="Wool coat", price=900)
    for query, expected in (
        (ProductQuery(max_price=500), [cheap.id]),
        (ProductQuery(min_price=500), [dear.id]),
        (ProductQuery(category_id=dear.category_ids[0]), [dear.id]),
        (ProductQuery(in_stock=False), []),
        (ProductQuery(sort="price"), [cheap.id, dear.id]),
    ):
        page = store.catalog.search(text="wool", query=query, page=PageRequest(total=True))
        assert sorted(found.offer.product.id for found in page.items) == sorted(expected)
        assert page.total == len(expected)


def test_a_word_that_some_product_has_is_not_taken_for_mistyped_because_of_a_filter(store: Floor) -> None:
    boot, boat = product(store, name="Boot", price=100), product(store, name="Boat", price=900)
    dear = ProductQuery(min_price=500)
    assert store.catalog.search(text="boot ", query=dear, page=PageRequest(total=True)).total == 0
    assert names(store, "boot ") == [boot.name]
    assert [found.offer.product.id for found in store.catalog.search(text="baot ", query=dear).items] == [boat.id]


def test_pages_end_after_a_thousand_results(store: Floor) -> None:
    new_id = ids()
    shelf = make_category(new_id)
    with written(store.storage) as unit:
        unit.categories.add(shelf)
        for n in range(MOST_RELEVANT + 5):
            unit.products.add(make_product(new_id, sku=f"A{n}", name="Amber", slug=f"a{n}", category_ids=[shelf.id]))
    seen: set[str] = set()
    page = store.catalog.search(text="amber", page=PageRequest(limit=100, total=True))
    assert page.total == MOST_RELEVANT + 5
    pages = 1
    while page.next is not None:
        seen |= {found.offer.product.id for found in page.items}
        page = store.catalog.search(text="amber", page=PageRequest(limit=100, after=page.next))
        pages += 1
    seen |= {found.offer.product.id for found in page.items}
    assert (pages, len(seen)) == (10, MOST_RELEVANT)


def test_suggestions_are_names_of_shelves_and_of_what_sells_best(store: Floor) -> None:
    shelf = store.catalog.create_category(by=SYSTEM, name="Hats")
    made = [product(store, name=name, category_ids=[shelf.id]) for name in ("Hat one", "Hat two", "Hat two", "Cap")]
    store.orders.place(by=person(store), items=[(made[1].id, 2)], deliver_to=HOME)
    assert suggestions(store, "ha") == [("category", "Hats"), ("product", "Hat two"), ("product", "Hat one")]
    assert store.catalog.suggest(text="hat t")[0].id == made[1].id
    store.orders.place(by=person(store), items=[(made[0].id, 3)], deliver_to=HOME)
    assert suggestions(store, "ha", 2) == [("category", "Hats"), ("product", "Hat one")]
    assert suggestions(store, "ha", 1) == [("product", "Hat one")]


def test_suggestions_go_on_like_the_last_word_and_have_the_others(store: Floor) -> None:
    product(store, name="Desk lamp")
    product(store, name="Lamp desk oak")
    assert suggestions(store, "lamp d") == [("product", "Desk lamp"), ("product", "Lamp desk oak")]
    assert suggestions(store, "oak la") == [("product", "Lamp desk oak")]
    assert suggestions(store, "lampo d") == [("product", "Desk lamp"), ("product", "Lamp desk oak")]
    for nothing in ("", " ", "%", "xyzzy", "amp"):
        assert suggestions(store, nothing) == []


def test_many_shelves_leave_room_for_products(store: Floor) -> None:
    for n in range(12):
        store.catalog.create_category(by=SYSTEM, name=f"Lamp shelf {n}")
    assert [kind for kind, _ in suggestions(store, "lamp")] == [Kind.CATEGORY] * 10
    for n in range(8):
        product(store, name=f"Lamp {n}")
    assert [kind for kind, _ in suggestions(store, "lamp")] == [Kind.CATEGORY] * 3 + [Kind.PRODUCT] * 7


@pytest.mark.parametrize("limit", [0, 11, -1])
def test_there_are_up_to_ten_suggestions(store: Floor, limit: int) -> None:
    with pytest.raises(Invalid):
        store.catalog.suggest(text="a", limit=limit)


def test_best_sellers_are_looked_up_again_after_a_while(store: Floor) -> None:
    made = [product(store, name=f"Hat {n}", stock=9) for n in range(3)]
    assert suggestions(store, "hat")[0] == ("product", "Hat 0")
    store.orders.place(by=person(store), items=[(made[2].id, 3)], deliver_to=HOME)
    store.time.forward(hours=1)
    assert suggestions(store, "hat")[0] == ("product", "Hat 2")


def test_reindexing_is_for_staff_who_keep_the_catalog(store: Floor) -> None:
    product(store)
    with pytest.raises(Forbidden):
        store.catalog.reindex(by=person(store))
    told: list[tuple[int, int]] = []
    assert store.catalog.reindex(by=person(store, Role.PRODUCT_MANAGER), progress=lambda *n: told.append(n)) == 0
    assert told == [(1, 1)]
    store.catalog.warm()


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
def test_another_language_makes_another_index(kind: str, tmp_path: Path) -> None:
    german = language("german")
    if kind == "memory":
        with Floor(MemoryStorage(language=german), Clock(), Shop()) as store:
            product(store, name="Häuser")
            assert names(store, "haus ") == ["Häuser"]
        return
    with database(kind, tmp_path) as where:

        def opened(**more: object) -> Storage:
            from tests.contracts.test_verify import CIPHER

            return SqlStorage(where, cipher=CIPHER, **more)  # type: ignore[arg-type]  # only a language

        with Floor(opened(), Clock(), Shop()) as store:
            product(store, name="Häuser")
            assert names(store, "haus ") == []
        with Floor(opened(language=german), Clock(), Shop()) as store:
            assert store.catalog.reindex(by=SYSTEM, outdated=True) == 1
            assert store.catalog.reindex(by=SYSTEM, outdated=True) == 0
            assert names(store, "haus ") == ["Häuser"]
