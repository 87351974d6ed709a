"""Categories over HTTP: the shelves that products are on."""

from datetime import datetime
from typing import Annotated

from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.catalog.model import Category
from storecore.errors import CategoryExists, CategoryInUse
from storecore.lists import Page
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Id, Text
from webapp.http.validation import Body, absent

routes = Routes("categories", "The shelves that products are on.")


class CategoryView(TypedDict):
    """A shelf."""

    id: str
    name: str
    parent_id: str | None
    created_at: datetime
    version: int


def show_category(category: Category) -> CategoryView:
    """A category as it is answered."""
    return {
        "id": category.id,
        "name": category.name,
        "parent_id": category.parent_id,
        "created_at": category.created_at,
        "version": category.version,
    }


class NewCategory(Body):
    """A shelf to be made."""

    name: Annotated[str, Text(100)]
    parent_id: Id | None = None


class CategoryPatch(Body):
    """What to change about a shelf; ``parent_id`` null moves it to the top."""

    name: Annotated[str, Text(100)] = absent()
    parent_id: Id | None = None


@routes.endpoint("GET", "/categories", show=show_category, public=True)
def list_categories(ask: Ask) -> Page[Category]:
    """Categories by name."""
    return ask.store.catalog.categories(page=ask.page)


@routes.endpoint(
    "POST",
    "/categories",
    show=show_category,
    location="/categories/{id}",
    may=Permission.CATEGORIES_WRITE,
    once=True,
    etag=True,
    refuses=(CategoryExists,),
)
def create_category(ask: Ask[NewCategory]) -> Category:
    """Make a category."""
    return ask.store.catalog.create_category(by=ask.by, name=ask.body.name, parent_id=ask.body.parent_id, once=ask.once)


@routes.endpoint("GET", "/categories/{category_id}", show=show_category, public=True, etag=True)
def get_category(ask: Ask, category_id: str) -> Category:
    """One category."""
    return ask.store.catalog.category(category_id=category_id)


@routes.endpoint(
    "PATCH",
    "/categories/{category_id}",
    show=show_category,
    may=Permission.CATEGORIES_WRITE,
    etag=True,
    refuses=(CategoryExists,),
)
def update_category(ask: Ask[CategoryPatch], category_id: str) -> Category:
    """Rename or move a category."""
    return ask.store.catalog.update_category(
        by=ask.by, category_id=category_id, if_version=ask.if_version, **ask.body.given()
    )


@routes.endpoint("DELETE", "/categories/{category_id}", may=Permission.CATEGORIES_WRITE, refuses=(CategoryInUse,))
def remove_category(ask: Ask, category_id: str) -> None:
    """Remove a category that nothing is filed under."""
    ask.store.catalog.remove_category(by=ask.by, category_id=category_id)
