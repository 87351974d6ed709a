"""A catalog that is exported imports back to the same catalog, whatever it is written with."""

import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.memory import open_store
from storecore.accounts.model import SYSTEM
from storecore.catalog.product_sheet import joined, parted
from storecore.errors import Invalid
from storecore.money import Money
from storecore.store import Store
from storecore.testing.builders import NOW, fixed_clock

NASTY = "ab ,;|\\\n\t\"'=+-@#%{}:\ufeff\u200d\u00a0éİß🎈"


def texts(most: int, *, lines: bool = False) -> st.SearchStrategy[str]:
    """Texts that spreadsheets trip over, as the catalog keeps them."""
    alphabet = NASTY if lines else NASTY.replace("\n", "").replace("\t", "")
    return st.text(st.sampled_from(alphabet) | st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=most)


MOMENTS = st.timedeltas(timedelta(0), timedelta(days=9)).map(lambda later: NOW + later)
PERCENTS = st.integers(1, 10_000).map(lambda hundredths: Decimal(hundredths) / 100)
AMOUNTS = st.integers(0, 10**9).map(lambda minor: Money(minor, "USD"))
PRODUCTS = st.fixed_dictionaries(
    {
        "name": texts(12),
        "price": AMOUNTS,
        "description": texts(20, lines=True) | st.just(""),
        "cost": AMOUNTS,
        "stock": st.integers(0, 99),
        "attributes": st.dictionaries(texts(5), texts(8), max_size=3),
        "images": st.lists(texts(6).map(lambda text: "/" + text.replace(" ", "")), max_size=3),
        "group": st.none() | texts(5),
        "tax_class": texts(5),
    }
)
DISCOUNTS = st.none() | st.tuples(PERCENTS, MOMENTS, st.none() | st.timedeltas(timedelta(microseconds=1), timedelta(9)))


def exported(store: Store) -> bytes:
    return b"".join(store.catalog.export_products(by=SYSTEM))


@given(st.lists(texts(8).map(str.strip).filter(bool), max_size=5))
def test_texts_in_one_cell_come_apart_again(parts: list[str]) -> None:
    assert parted(joined(parts)) == tuple(parts)


@given(
    products=st.lists(
        st.tuples(PRODUCTS, DISCOUNTS, st.booleans(), st.sets(st.integers(0, 3), min_size=1)), max_size=4
    ),
    names=st.lists(texts(6), min_size=4, max_size=4),
)
def test_an_export_makes_the_same_catalog_in_an_empty_shop(
    products: list[tuple[dict[str, Any], Any, bool, set[int]]], names: list[str]
) -> None:
    with open_store(clock=fixed_clock()) as one, open_store(clock=fixed_clock()) as two:
        try:
            shelves = [one.catalog.create_category(by=SYSTEM, name=f"{name} {i}").id for i, name in enumerate(names)]
            for i, (fields, discount, active, on) in enumerate(products):
                made = one.catalog.create_product(
                    by=SYSTEM, sku=f"S{i}", category_ids=[shelves[i] for i in on], **fields
                )
                if discount:
                    percent, starts_at, lasts = discount
                    ends_at = starts_at + lasts if lasts is not None else None
                    one.catalog.discount(
                        by=SYSTEM, product_ids=[made.product.id], percent=percent, starts_at=starts_at, ends_at=ends_at
                    )
                if not active:
                    one.catalog.archive_product(by=SYSTEM, product_id=made.product.id)
        except Invalid:
            return  # nothing that a catalog holds
        file = exported(one)
        unchanged = one.catalog.import_products(by=SYSTEM, file=io.BytesIO(file))
        assert (unchanged.unchanged, len(unchanged.rows)) == (len(products), len(products))
        tried = two.catalog.import_products(by=SYSTEM, file=io.BytesIO(file), dry_run=True)
        assert (tried.created, tried.refused) == (len(products), 0), (tried, file)
        two.catalog.import_products(by=SYSTEM, file=io.BytesIO(file))
        assert exported(two) == file
        with one.storage.reading(NOW, str) as here, two.storage.reading(NOW, str) as there:
            skus = [f"S{i}" for i in range(len(products))]
            old, new = here.products.with_skus(skus), there.products.with_skus(skus)
        for sku in skus:
            for field in ("name", "slug", "description", "price", "cost", "discount", "attributes", "images", "group"):
                assert getattr(old[sku], field) == getattr(new[sku], field), field
            for field in ("tax_class", "is_active", "stock"):
                assert getattr(old[sku], field) == getattr(new[sku], field), field
