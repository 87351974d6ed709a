"""Search and suggestions over HTTP; nobody needs to sign in for them."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from storecore.catalog.facets import FacetedPage
from storecore.catalog.lexicon import Kind, Suggestion
from storecore.catalog.searching import MOST_SUGGESTIONS, Found
from webapp.facets import show_facets
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Text
from webapp.http.validation import Query
from webapp.products import ProductFilters, ProductView, changes_at, show_product

routes = Routes("search", "Finding products by what a shopper types.")


class FoundView(ProductView):
    """A product that matches, and how well: above 0, and comparable only with others of the same answer."""

    score: float


class SearchQuery(ProductFilters):
    """What is looked for, and which products count. Each word of ``q`` has to be met; prices are final prices."""

    q: Annotated[str, Text(200)]


def show_found(found: Found, ask: Ask[Any, Any]) -> FoundView:
    """A product that was found as it is answered."""
    return {**show_product(found.offer, ask), "score": found.score}


@routes.endpoint(
    "GET",
    "/search",
    show=show_found,
    beside=show_facets,
    remember=lambda found: changes_at(found.map(lambda each: each.offer)),
)
def search(ask: Ask[None, SearchQuery]) -> FacetedPage[Found]:
    """Products that match a text, the best first, up to 1,000.

    Words are met by name, categories, attributes, SKU and description, whatever their ending; the last one may be
    going on. Only if no product has them all are they taken for mistyped.
    """
    store, query = ask.store, ask.query
    return store.catalog.search(
        text=query.q, query=query.asked(store.shop.currency), page=ask.page, with_facets=query.facets
    )


class SuggestQuery(Query):
    """What has been typed so far, and how many suggestions are wanted."""

    q: Annotated[str, Text(200, least=0)] = ""
    limit: Annotated[int, Field(ge=1, le=MOST_SUGGESTIONS)] = MOST_SUGGESTIONS


class SuggestionView(TypedDict):
    """A name that goes on like what was typed, and whose it is."""

    text: str
    kind: Kind
    id: str


class SuggestionsView(TypedDict):
    """Names, the most likely first."""

    items: list[SuggestionView]


def show_suggestions(suggestions: Sequence[Suggestion]) -> SuggestionsView:
    """Suggestions as they are answered."""
    return {"items": [{"text": each.text, "kind": each.kind, "id": each.id} for each in suggestions]}


@routes.endpoint("GET", "/search/suggest", show=show_suggestions, remember=lambda _: None)
def suggest(ask: Ask[None, SuggestQuery]) -> Sequence[Suggestion]:
    """Names of categories and products for what is being typed, those that are popular first."""
    return ask.store.catalog.suggest(text=ask.query.q, limit=ask.query.limit)
