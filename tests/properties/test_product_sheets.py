"""A catalog that is exported imports back to the same catalog, whatever it is written with."""

import io
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.memory import open_store
from storecore.accounts.model import SYSTEM
from storecore.catalog.model import Product
from storecore.catalog.product_sheet import joined, parted
from storecore.store import Store
from storecore.testing.builders import NOW, fixed_clock
from storecore.testing.strategies import products, texts

FIELDS = ("name", "description", "price", "cost", "attributes", "images", "group", "tax_class")
KEPT = (*FIELDS, "slug", "discount", "is_active", "stock")


def exported(store: Store) -> bytes:
    return b"".join(store.catalog.export_products(by=SYSTEM))


@given(st.lists(texts(most=8), max_size=5))
def test_texts_in_one_cell_come_apart_again(parts: list[str]) -> None:
    assert parted(joined(parts)) == tuple(parts)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    catalog=st.lists(st.tuples(products(), st.integers(0, 99), st.sets(st.integers(0, 3), min_size=1)), max_size=4),
    names=st.lists(texts(most=6), min_size=4, max_size=4),
)
def test_an_export_makes_the_same_catalog_in_an_empty_shop(
    catalog: list[tuple[Product, int, set[int]]], names: list[str]
) -> None:
    with open_store(clock=fixed_clock()) as one, open_store(clock=fixed_clock()) as two:
        shelves = [one.catalog.create_category(by=SYSTEM, name=f"{name} {i}").id for i, name in enumerate(names)]
        for product, stock, on in catalog:
            _offer(one, product, stock, [shelves[i] for i in on])
        file = exported(one)
        unchanged = one.catalog.import_products(by=SYSTEM, file=io.BytesIO(file))
        assert (unchanged.unchanged, len(unchanged.rows)) == (len(catalog), len(catalog))
        tried = two.catalog.import_products(by=SYSTEM, file=io.BytesIO(file), dry_run=True)
        assert (tried.created, tried.refused) == (len(catalog), 0), (tried, file)
        two.catalog.import_products(by=SYSTEM, file=io.BytesIO(file))
        assert exported(two) == file
        with one.storage.reading(NOW, str) as here, two.storage.reading(NOW, str) as there:
            skus = [product.sku for product, _, _ in catalog]
            old, new = here.products.with_skus(skus), there.products.with_skus(skus)
        for sku in skus:
            for field in KEPT:
                assert getattr(old[sku], field) == getattr(new[sku], field), field


def _offer(store: Store, product: Product, stock: int, category_ids: list[str]) -> None:
    """Put a product like this one into a catalog."""
    fields: dict[str, Any] = {name: getattr(product, name) for name in FIELDS}
    made = store.catalog.create_product(by=SYSTEM, sku=product.sku, category_ids=category_ids, stock=stock, **fields)
    if (discount := product.discount) and not (discount.ends_at and discount.ends_at <= NOW):
        store.catalog.discount(
            by=SYSTEM,
            product_ids=[made.product.id],
            percent=discount.percent,
            starts_at=discount.starts_at,
            ends_at=discount.ends_at,
        )
    if not product.is_active:
        store.catalog.archive_product(by=SYSTEM, product_id=made.product.id)
