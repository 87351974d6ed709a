"""Whatever is in the catalog and whatever is asked, every storage finds the same products."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.encryption import FernetCipher
from adapters.memory import MemoryStorage
from adapters.sql import SqlStorage
from storecore.catalog.documents import document
from storecore.catalog.english import ENGLISH
from storecore.catalog.matching import matched
from storecore.lists import PageRequest
from storecore.ports import NewId, ProductQuery, Storage
from storecore.testing.builders import NOW, ids, make_category, make_product
from storecore.testing.contracts.proving import seen, written
from tests.databases import DATABASES, database

CIPHER = FernetCipher(["k" * 32])
VOCABULARY = """
Lamp lamps Lampe LAMP-post oak Oaks wool woolen Şahin sahin crème creme Iğdır T-Shirt tshirt X15 x-15 42 4 women's
running runs run 東京 帽子 東 ﬁne ½ don't AND or NOT near the of naïve
"""
WORDS = VOCABULARY.split()
SIGNS = "\"'*:^()%_\\+-~|&!<>#@,.;?/[]{}=`\0\ud800 \t\u3000"
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
PRODUCT = st.tuples(TEXT, TEXT, st.sampled_from(WORDS), st.integers(0, 1), st.booleans())
CATALOG = st.lists(PRODUCT, min_size=1, max_size=6)
QUESTION = st.lists(
    st.one_of(
        st.sampled_from(WORDS),
        st.sampled_from(WORDS).flatmap(lambda word: st.integers(1, len(word)).map(lambda n: word[:n])),
        st.text(SIGNS, max_size=3),
        st.text(max_size=5),
    ),
    max_size=4,
).flatmap(lambda parts: st.sampled_from(["", " ", "-"]).map(lambda between: between.join(parts)))


@pytest.fixture(scope="module")
def storages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Storage]]:
    """One of each kind."""
    with ExitStack() as open_:
        folder: Path = tmp_path_factory.mktemp("searching")
        made: list[Storage] = [MemoryStorage()]
        for kind in DATABASES:
            storage = SqlStorage(open_.enter_context(database(kind, folder)), cipher=CIPHER)
            open_.callback(storage.close)
            made.append(storage)
        yield made


new_ids: NewId = ids()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(catalog=CATALOG, questions=st.lists(QUESTION, min_size=1, max_size=5))
def test_every_storage_finds_the_same(
    storages: list[Storage],
    catalog: list[tuple[str, str, str, int, bool]],
    questions: list[str],
) -> None:
    shelves = [make_category(new_ids, name=f"{name} {new_ids()}") for name in ("Lamps", "Head gear")]
    products = [
        make_product(
            new_ids,
            name=name,
            description=description,
            attributes={"brand": brand},
            category_ids=[shelves[shelf].id],
            is_active=is_active,
        )
        for name, description, brand, shelf, is_active in catalog
    ]
    for storage in storages:
        with written(storage) as unit:
            for category in shelves:
                unit.categories.add(category)
            for product in products:
                unit.products.add(product)
    try:
        for question in questions:
            _agree(storages, question)
    finally:  # the next example starts with nothing on sale
        for storage in storages:
            with written(storage) as unit:
                for each in unit.products.locked([product.id for product in products]).values():
                    unit.products.save(each.changed(NOW, is_active=False), NOW)


def _agree(storages: list[Storage], question: str) -> None:
    found: list[set[str]] = []
    for storage in storages:
        with seen(storage) as unit:
            match = matched(unit, question)
            hits = unit.search.page(ProductQuery(match=match, sort="relevance"), PageRequest(limit=100)).items
            for hit in hits:
                kept = document(hit.product, ENGLISH)
                terms = set(f"{kept.name} {kept.labels} {kept.details}".split())
                assert all(wanted.meets(terms) for wanted in match)
            found.append({hit.product.id for hit in hits})
    assert found == [found[0]] * len(found), question
