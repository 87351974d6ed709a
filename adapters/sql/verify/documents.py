"""What products are found by is what it should be, and the database's index has it."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, column, func, select, table

from adapters.sql import tables
from adapters.sql.product_rows import PRODUCT, PRODUCTS, product_from
from adapters.sql.verify.snapshot import Finding, Snapshot, Walk
from storecore.catalog.documents import Document, document
from storecore.catalog.words import Language
from storecore.errors import StoreError

_products, _documents = tables.products.c, tables.search_documents.c

_rows = (
    select(*PRODUCT, _documents.id, _documents.name, _documents.labels, _documents.details, _documents.language)
    .select_from(PRODUCTS.outerjoin(tables.search_documents, _documents.product_id == _products.id))
    .order_by(_products.id)
)
_categories = select(func.count()).select_from(tables.categories)
_noted = select(func.count()).select_from(tables.shelf_changes)
_indexed: Select[Any] = select(column("id")).select_from(table("search_index_docsize", column("id")))


def documents(language: Language) -> Walk:
    """Every product's document, as the language makes it."""

    def walk(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
        indexed = {row[0] for row in snapshot.rows(_indexed)} if snapshot.dialect == "sqlite" else None
        for row in snapshot.rows(_rows):
            product_id, number, kept = row.id, row[len(PRODUCT)], row[len(PRODUCT) + 1 :]
            try:
                wanted = document(product_from(row[: len(PRODUCT)]), language)
            except (ValueError, TypeError, ArithmeticError, StoreError):
                continue  # the product itself can't be read, which is found elsewhere
            if number is None:
                yield [_finding(product_id, "a product without a document is not found; reindex")]
            elif kept[-1] != language.name:
                yield [_finding(product_id, f"made for {kept[-1]}, not for {language.name}; reindex")]
            elif Document(name=kept[0], labels=kept[1], details=kept[2], language=kept[3]) != wanted:
                yield [_finding(product_id, "not what the product says; reindex")]
            elif indexed is not None and number not in indexed:
                yield [_finding(product_id, "missing in the index")]
            else:
                yield []
        if snapshot.number(_categories) and not snapshot.number(_noted):
            yield [Finding("found-by", "shelf_changes", "1", "is missing, and without it nothing is suggested")]
        there = {row[0] for row in snapshot.rows(select(_documents.id))} if indexed else set()
        astray = sorted((indexed or set()) - there)
        yield [Finding("found-by", "search_index", str(number), "is of no document") for number in astray]

    return walk


def _finding(product_id: str, message: str) -> Finding:
    return Finding("found-by", "search_documents", product_id, message)
