"""Categories."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, update

from adapters.sql import tables
from adapters.sql.dialect import Refusals
from adapters.sql.pages import after, asked, fetched, page_of
from adapters.sql.transaction import Row, Transaction
from adapters.sql.vocabulary import note_shelves
from storecore.catalog.model import Category, fold_name
from storecore.errors import CategoryExists, CategoryInUse, Contention, NotFound
from storecore.lists import Page, PageRequest

_categories = tables.categories.c
_filed = tables.product_categories.c

_CATEGORY = (
    _categories.id,
    _categories.name,
    _categories.parent_id,
    _categories.created_at,
    _categories.version,
    _categories.name_folded,
)
_CATEGORY_REFUSES: Refusals = {"uq_categories_name_folded": CategoryExists}

_category = select(*_CATEGORY).where(_categories.id == bindparam("id"))
_some_categories = select(*_CATEGORY).where(_categories.id.in_(bindparam("ids", expanding=True)))
_named = select(*_CATEGORY).where(_categories.name_folded.in_(bindparam("names", expanding=True)))
_categories_first = fetched(select(*_CATEGORY).order_by(_categories.name_folded, _categories.id))
_categories_after = _categories_first.where(after(_categories.name_folded, _categories.id))
_count_categories = select(func.count()).select_from(tables.categories)
_add_category = insert(tables.categories)
_save_category = (
    update(tables.categories)
    .where(_categories.id == bindparam("this"), _categories.version == bindparam("version_before"))
    .values({name: bindparam(name) for name in ("name", "name_folded", "parent_id", "version")})
)
_category_in_use = select(
    or_(
        exists().where(_categories.parent_id == bindparam("id")),
        select(_filed.product_id)
        .join_from(tables.product_categories, tables.products)
        .where(_filed.category_id == bindparam("id"), tables.products.c.is_active)
        .exists(),
    )
)
_to_remove = select(_categories.id).where(_categories.id == bindparam("id")).with_for_update()
_remove_category = delete(tables.categories).where(_categories.id == bindparam("this"))
_above = select(_categories.parent_id).where(_categories.id == bindparam("this")).cte("above", recursive=True)
_above = _above.union(select(_categories.parent_id).where(_categories.id == _above.c.parent_id))
_in_a_circle = select(exists().where(_above.c.parent_id == bindparam("this")))


class SqlCategories:
    """The ``Categories`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, category: Category) -> None:
        """Raises ``CategoryExists``."""
        values = asdict(category) | {"name_folded": fold_name(category.name)}
        self._transaction.write(_add_category, values, refuses=_CATEGORY_REFUSES)
        note_shelves(self._transaction, category.id)

    def get(self, category_id: str) -> Category:
        """Raises ``NotFound``."""
        row = self._transaction.row(_category, {"id": category_id})
        if row is None:
            raise _no_category()
        return _category_from(row)

    def some(self, category_ids: Iterable[str]) -> Mapping[str, Category]:
        """One look-up."""
        wanted = list(set(category_ids))
        rows = self._transaction.rows(_some_categories, {"ids": wanted}) if wanted else ()
        return {row[0]: _category_from(row) for row in rows}

    def named(self, names: Iterable[str]) -> Mapping[str, Category]:
        """One look-up."""
        wanted = list({fold_name(name) for name in names})
        rows = self._transaction.rows(_named, {"names": wanted}) if wanted else ()
        return {row[5]: _category_from(row) for row in rows}

    def page(self, page: PageRequest) -> Page[Category]:
        """By folded name."""
        rows = self._transaction.rows(_categories_after if page.after else _categories_first, asked(page))
        total = self._transaction.number(_count_categories) if page.total else None
        return page_of(
            rows, page, lambda shown: [_category_from(row) for row in shown], lambda row: (row[5], row[0]), total
        )

    def save(self, category: Category) -> None:
        """Raises ``CategoryExists``, and ``Contention`` also when two that are moved at once would make a circle."""
        values = {
            "this": category.id,
            "version_before": category.version - 1,
            "name": category.name,
            "name_folded": fold_name(category.name),
            "parent_id": category.parent_id,
            "version": category.version,
        }
        if category.parent_id is not None:
            self._transaction.queue_for("categories")
        self._transaction.save(_save_category, values, refuses=_CATEGORY_REFUSES)
        if category.parent_id is not None and self._transaction.number(_in_a_circle, {"this": category.id}):
            self._transaction.spoil()
            raise Contention()
        note_shelves(self._transaction, category.id)

    def remove(self, category_id: str) -> None:
        """Raises ``CategoryInUse``, ``NotFound``."""
        self._transaction.check_writable()
        if self._transaction.row(_to_remove, {"id": category_id}) is None:
            raise _no_category()
        # Only now: whoever was filing something under it is done, and nobody else can begin.
        if self._transaction.number(_category_in_use, {"id": category_id}):
            raise CategoryInUse()
        self._transaction.write(_remove_category, {"this": category_id})
        note_shelves(self._transaction, category_id)


def _category_from(row: Row) -> Category:
    id_, name, parent_id, created_at, version, _ = row
    return Category(id=id_, name=name, parent_id=parent_id, created_at=created_at, version=version)


def _no_category() -> NotFound:
    return NotFound("There is no such category.")
