"""Shelves: making, renaming, moving and removing categories."""

from dataclasses import dataclass
from typing import TypedDict, Unpack

from storecore import checks
from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.catalog.model import Category
from storecore.ports import Unit
from storecore.recording import record
from storecore.transactions import Activity, Once, writing

MAX_DEPTH = 10


class CategoryChanges(TypedDict, total=False):
    """What may be changed about a category; what is left out stays as it is."""

    name: str
    parent_id: str | None


@dataclass(frozen=True, kw_only=True)
class Categorising(Activity):
    """The shop's shelves in the hands of staff."""

    @writing
    def create_category(
        self, unit: Unit, *, by: Actor, name: str, parent_id: str | None = None, once: Once | None = None
    ) -> Category:
        """Add a shelf, perhaps below another. Raises ``Invalid``, ``CategoryExists``."""
        require(by, Permission.CATEGORIES_WRITE)
        category = Category(id=unit.new_id(), name=name, parent_id=parent_id, created_at=unit.now)
        _check_parents(unit, category)
        unit.categories.add(category)
        record(unit, by, "category.create", after=category)
        return category

    @writing
    def update_category(
        self,
        unit: Unit,
        *,
        by: Actor,
        category_id: str,
        if_version: int | None = None,
        **changes: Unpack[CategoryChanges],
    ) -> Category:
        """Rename or move a shelf. Raises ``Invalid`` for a circle, ``CategoryExists``, ``PreconditionFailed``."""
        require(by, Permission.CATEGORIES_WRITE)
        category = unit.categories.get(category_id)
        category.expect(if_version)
        changed = category.changed(**changes)
        _check_parents(unit, changed)
        unit.categories.save(changed)
        record(unit, by, "category.update", before=category, after=changed)
        return changed

    @writing
    def remove_category(self, unit: Unit, *, by: Actor, category_id: str) -> None:
        """Take a shelf away. Raises ``CategoryInUse`` while anything is on it."""
        require(by, Permission.CATEGORIES_WRITE)
        category = unit.categories.get(category_id)
        unit.categories.remove(category.id)
        record(unit, by, "category.remove", before=category)


def _check_parents(unit: Unit, category: Category) -> None:
    """Every parent exists, none is below the category itself, and the tree stays shallow."""
    above, depth = category.parent_id, 1
    while above is not None:
        parent = unit.categories.some([above]).get(above)
        if parent is None:
            raise checks.refuse("parent_id", "there is no such category")
        if parent.id == category.id or depth >= MAX_DEPTH:
            raise checks.refuse("parent_id", f"must not be below the category itself, nor {MAX_DEPTH} levels deep")
        above, depth = parent.parent_id, depth + 1
