"""What products are found by: their documents, and the shop's words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import bindparam, func, or_, select

from adapters.sql import ranking, tables
from adapters.sql.dialect import add_or_replace
from adapters.sql.matching import MATCH, Mark, hits
from adapters.sql.transaction import Transaction
from adapters.sql.vocabulary import Vocabulary
from storecore.catalog.documents import Document, Match, document
from storecore.catalog.lexicon import Lexicon
from storecore.catalog.model import Product
from storecore.catalog.words import Language
from storecore.lists import Page, PageRequest
from storecore.ports import Hit, ProductQuery

_products, _shelf, _documents = tables.products.c, tables.shelf.c, tables.search_documents.c

_any = select(hits().c.id).limit(1)
_sold = (
    select(_shelf.product_id, _shelf.units_sold)
    .join(tables.products, _products.id == _shelf.product_id)
    .where(_shelf.product_id.in_(bindparam("ids", expanding=True)), _products.is_active)
)
_next = select(_products.id).where(_products.id > bindparam("after")).order_by(_products.id).limit(bindparam("most"))
_outdated = _next.select_from(
    tables.products.outerjoin(tables.search_documents, _documents.product_id == _products.id)
).where(or_(_documents.id.is_(None), _documents.language != bindparam("language")))
_count = select(func.count()).select_from(tables.products)
_kept = select(
    _documents.product_id, _documents.name, _documents.labels, _documents.details, _documents.language
).where(_documents.product_id.in_(bindparam("ids", expanding=True)))
_write = add_or_replace(
    tables.search_documents, "name", "labels", "details", "language", "changed", key=("product_id",)
).values(**{name: bindparam(name) for name in ("product_id", "name", "labels", "details", "language")}, changed=Mark())


class SqlSearch:
    """The ``Search`` port."""

    def __init__(self, transaction: Transaction, vocabulary: Vocabulary) -> None:
        self._transaction = transaction
        self._vocabulary = vocabulary

    @contextmanager
    def lexicon(self) -> Iterator[Lexicon]:
        """The process's, brought up to date with this unit's snapshot by one statement unless something changed."""
        with self._vocabulary.read(self._transaction) as lexicon:
            yield lexicon

    def any(self, match: Match) -> bool:
        """One look-up."""
        return self._transaction.row(_any, {MATCH.key: match}) is not None

    def page(self, query: ProductQuery, page: PageRequest) -> Page[Hit]:
        """One statement, and one that counts."""
        return ranking.page(self._transaction, query, page)

    def sold(self, product_ids: Iterable[str]) -> Mapping[str, int]:
        """One look-up."""
        wanted = list(set(product_ids))
        rows = self._transaction.rows(_sold, {"ids": wanted}) if wanted else ()
        return {row[0]: row[1] for row in rows}

    def outdated(self, after: str, limit: int) -> Sequence[str]:
        """In order of ids."""
        values = {"after": after, "most": limit, "language": self._vocabulary.language.name}
        return [row[0] for row in self._transaction.rows(_outdated, values)]

    def products(self, after: str, limit: int) -> Sequence[str]:
        """In order of ids."""
        return [row[0] for row in self._transaction.rows(_next, {"after": after, "most": limit})]

    def count(self) -> int:
        """All of them."""
        return self._transaction.number(_count)

    def write(self, products: Iterable[Product]) -> int:
        """Those whose documents are not what they should be."""
        self._transaction.check_writable()
        wanted = {each.id: document(each, self._vocabulary.language) for each in products}
        rows = self._transaction.rows(_kept, {"ids": list(wanted)})
        kept = {row[0]: Document(name=row[1], labels=row[2], details=row[3], language=row[4]) for row in rows}
        wrong = {product_id: each for product_id, each in wanted.items() if kept.get(product_id) != each}
        write_documents(self._transaction, wrong)
        return len(wrong)


def write_documents(transaction: Transaction, documents: Mapping[str, Document]) -> None:
    """Add or replace the documents of products; which readers will notice."""
    transaction.write(
        _write,
        [
            {
                "product_id": product_id,
                "name": each.name,
                "labels": each.labels,
                "details": each.details,
                "language": each.language,
            }
            for product_id, each in sorted(documents.items())
        ],
    )


def index(transaction: Transaction, product: Product, language: Language) -> None:
    """Write the document of a product."""
    write_documents(transaction, {product.id: document(product, language)})
