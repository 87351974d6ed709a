"""A process's lexicon, kept up with the database: what changed since the last look is asked for by one statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import and_, bindparam, select

from adapters.sql import tables
from adapters.sql.columns import Whole
from adapters.sql.dialect import add_or_replace
from adapters.sql.matching import Horizon, Mark, SnapshotText
from adapters.sql.transaction import Row, Transaction
from storecore.catalog.lexicon import BEST_SELLERS, Lexicon
from storecore.catalog.model import Category
from storecore.catalog.nearness import Near
from storecore.catalog.words import Language

BEST_SELLERS_FOR = timedelta(minutes=10)
"""How long the kept best sellers are believed."""

_documents, _products, _shelf = tables.search_documents.c, tables.products.c, tables.shelf.c
_changes, _categories = tables.shelf_changes.c, tables.categories.c

_since = bindparam("since", type_=Whole)
_news = (
    select(
        _changes.shop,
        _changes.changed,
        SnapshotText(),
        _documents.changed,
        _documents.product_id,
        _documents.name,
        _documents.labels,
        _products.name,
    )
    .select_from(
        tables.shelf_changes.outerjoin(
            tables.search_documents.join(tables.products, _products.id == _documents.product_id),
            and_(_documents.changed >= _since, _documents.changed < Horizon(_since)),
        )
    )
    .where(_changes.id == 1)
)
_shelves = select(
    _categories.id, _categories.name, _categories.parent_id, _categories.created_at, _categories.version
).order_by(_categories.id)
_best = select(_shelf.product_id).order_by(_shelf.units_sold_down, _shelf.product_id).limit(BEST_SELLERS)
_note = (
    add_or_replace(tables.shelf_changes, "changed")
    .values(id=1, shop=bindparam("shop"), changed=Mark(_changes.changed))
    .execution_options(
        insertmanyvalues_page_size=1
    )  # it is one row each time, which PostgreSQL writes once a statement
)

_Seen = tuple[int, int]
"""How far a snapshot of PostgreSQL sees: a later one's is never less."""


def note_shelves(transaction: Transaction, category_id: str) -> None:
    """Let readers know that a category was added, changed or removed. The first one's id names the shop for good."""
    transaction.write(_note, {"shop": category_id})


class Vocabulary:
    """One for each process; threads take turns."""

    def __init__(self, language: Language, near: Near) -> None:
        self.language = language
        self._lexicon = Lexicon(language, near)
        self._lock = Lock()
        self._shop: str | None = None
        self._forget()

    @contextmanager
    def read(self, transaction: Transaction) -> Iterator[Lexicon]:
        """The lexicon as a snapshot sees it, for one thread; only what another has seen of a later one may be newer.

        Raises ``RuntimeError`` in a transaction that may write: what it wrote and may take back is not for others.
        """
        transaction.check_reading()
        with self._lock:
            self._keep_up(transaction)
            yield self._lexicon

    def _forget(self) -> None:
        self._lexicon.clear()
        self._since = 0
        self._shelves_changed: int | None = None
        self._seen: _Seen = (0, 0)
        self._best_at: datetime | None = None

    def _keep_up(self, transaction: Transaction) -> None:
        rows = transaction.rows(_news, {"since": self._since})
        shop = rows[0][0] if rows else None
        if shop != self._shop:  # another database was put in this one's place
            self._forget()
            self._shop = shop
            rows = transaction.rows(_news, {"since": 0})
        if not rows:
            return
        _, shelves_changed, snapshot, *_ = rows[0]
        xmin, seen = _read(snapshot) if snapshot else (None, self._seen)
        if seen < self._seen:
            return  # another thread has seen more already; what it saw last is what will be asked about next
        self._seen = seen
        for row in rows:
            self._take(row)
        if xmin is not None:
            self._since = xmin  # what was at work then may still become visible
        if shelves_changed != self._shelves_changed:
            self._lexicon.put_categories(map(_category_from, transaction.rows(_shelves)))
            self._shelves_changed = shelves_changed
        if self._best_at is None or not timedelta() <= transaction.now - self._best_at < BEST_SELLERS_FOR:
            self._lexicon.put_best_sellers([row[0] for row in transaction.rows(_best)])
            self._best_at = transaction.now

    def _take(self, row: Row) -> None:
        changed, product_id, terms, labels, name = row[3:]
        if product_id is not None:
            self._lexicon.put(product_id, name=name, terms=terms, labels=labels)
            self._since = max(self._since, changed + 1)


def _read(snapshot: str) -> tuple[int, _Seen]:
    """The oldest transaction that was at work, and how far it sees: ``xmin:xmax:others at work``."""
    xmin, xmax, at_work = snapshot.split(":")
    return int(xmin), (int(xmax), -len(at_work.split(",")) if at_work else 0)


def _category_from(row: Row) -> Category:
    id_, name, parent_id, created_at, version = row
    return Category(id=id_, name=name, parent_id=parent_id, created_at=created_at, version=version)
