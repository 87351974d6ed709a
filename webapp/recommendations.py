"""Recommendations over HTTP; nobody needs to sign in for them."""

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from storecore.catalog.recommending import Context, Recommendation
from storecore.errors import NotFound
from storecore.lists import Page
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Choice, Id
from webapp.http.validation import Query
from webapp.products import ProductView, show_product

routes = Routes("recommendations", "What somebody may like as well.")


class RecommendationView(TypedDict):
    """A product that is recommended, how much, and why: `bought together with Straw hat`."""

    product: ProductView
    score: Annotated[float, Field(ge=0, le=1)]
    reason: str


class RecommendationList(Query):
    """Where they are shown. ``product_id`` is the product that they are shown beside."""

    context: Choice[Context] = Context.HOME
    product_id: Id | None = None


def show_recommendation(found: Recommendation, ask: Ask[Any, Any]) -> RecommendationView:
    """A recommendation as it is answered to whoever asks."""
    return {"product": show_product(found.offer, ask), "score": found.score, "reason": found.reason}


@routes.endpoint("GET", "/recommendations", show=show_recommendation, refuses=(NotFound,))
def list_recommendations(ask: Ask[None, RecommendationList]) -> Page[Recommendation]:
    """What I may like as well, the best first: in stock, and nothing that I ever bought.

    `context=home` begins with what I bought lately, `cart` with what is in my cart, `product` with the product
    `product_id`. There is one page.
    """
    query = ask.query
    found = ask.store.catalog.recommendations(
        by=ask.by, context=query.context, product_id=query.product_id, limit=ask.page.limit
    )
    return Page(items=tuple(found), next=None, total=len(found) if ask.page.total else None)
