"""Reviews over HTTP: everybody reads what is published, buyers write, moderators decide."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.errors import AlreadyDecided, DuplicateReview, NotABuyer
from storecore.lists import Page
from storecore.reviews.model import MAX_COMMENT, Review, ReviewStatus
from storecore.reviews.moderating import MAX_NOTE
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Text
from webapp.http.validation import Body, absent
from webapp.sessions import Who

routes = Routes("reviews", "What buyers say about products, and who decides whether others read it.")

Stars = Annotated[int, Field(ge=1, le=5)]
Comment = Annotated[str, Text(MAX_COMMENT, lines=True)]


class ReviewView(TypedDict):
    """A review. ``author`` is a first name and an initial; ``updated_at`` is when the author last wrote it."""

    id: str
    product_id: str
    rating: int
    comment: str | None
    status: ReviewStatus
    author: str
    created_at: datetime
    updated_at: datetime
    version: int


def show_review(review: Review) -> ReviewView:
    """A review for whoever may read it."""
    return {
        "id": review.id,
        "product_id": review.product_id,
        "rating": review.rating,
        "comment": review.comment,
        "status": review.status,
        "author": review.author,
        "created_at": review.created_at,
        "updated_at": review.updated_at,
        "version": review.version,
    }


class NewReview(Body):
    """What a buyer thinks: 1 to 5 stars, and a few words if they like."""

    rating: Stars
    comment: Comment | None = None


class ReviewPatch(Body):
    """What to change; what is left out stays, null removes the comment."""

    rating: Stars = absent()
    comment: Comment | None = None


class ReviewDecision(Body):
    """A few words to the author, for the mail about the decision."""

    note: Annotated[str, Text(MAX_NOTE, least=0, lines=True)] | None = None


def never_by_itself(_: Page[Review]) -> None:
    """The clock changes nothing in a list of reviews."""


@routes.endpoint("GET", "/products/{product_id}/reviews", show=show_review, public=True, remember=never_by_itself)
def list_reviews(ask: Ask, product_id: str) -> Page[Review]:
    """What buyers say about a product, newest first."""
    return ask.store.reviews.of_product(product_id=product_id, page=ask.page)


@routes.endpoint(
    "POST",
    "/products/{product_id}/reviews",
    show=show_review,
    location="/reviews/{id}",
    who=Who.SIGNED_IN,
    may=Permission.ORDERS_PLACE,
    once=True,
    etag=True,
    refuses=(NotABuyer, DuplicateReview),
)
def write_review(ask: Ask[NewReview], product_id: str) -> Review:
    """Review a product that was delivered to me, once.

    Stars alone are published at once; a comment is read by a moderator first.
    """
    body = ask.body
    return ask.store.reviews.write(
        by=ask.by, product_id=product_id, rating=body.rating, comment=body.comment, once=ask.once
    )


@routes.endpoint("GET", "/reviews/mine", show=show_review, who=Who.SIGNED_IN)
def list_my_reviews(ask: Ask) -> Page[Review]:
    """My reviews, newest first, whatever was decided about them."""
    return ask.store.reviews.mine(by=ask.by, page=ask.page)


@routes.endpoint("GET", "/reviews/pending", show=show_review, may=Permission.REVIEWS_MODERATE)
def list_pending_reviews(ask: Ask) -> Page[Review]:
    """Reviews that wait for a decision, the longest waiting first."""
    return ask.store.reviews.pending(by=ask.by, page=ask.page)


@routes.endpoint("PATCH", "/reviews/{review_id}", show=show_review, who=Who.SIGNED_IN, etag=True)
def edit_review(ask: Ask[ReviewPatch], review_id: str) -> Review:
    """Change my review.

    With a comment it waits for a moderator again, and until then nobody reads the old one either.
    """
    return ask.store.reviews.edit(by=ask.by, review_id=review_id, if_version=ask.if_version, **ask.body.given())


@routes.endpoint("DELETE", "/reviews/{review_id}", who=Who.SIGNED_IN)
def delete_review(ask: Ask, review_id: str) -> None:
    """Take my review away, or as a moderator anybody's."""
    ask.store.reviews.delete(by=ask.by, review_id=review_id)


@routes.endpoint(
    "POST",
    "/reviews/{review_id}/approve",
    show=show_review,
    may=Permission.REVIEWS_MODERATE,
    etag=True,
    refuses=(AlreadyDecided,),
)
def approve_review(ask: Ask[ReviewDecision], review_id: str) -> Review:
    """Publish a pending review.

    Send `If-Match: "<version>"` to publish no other text than the one you have read.
    """
    return ask.store.reviews.approve(by=ask.by, review_id=review_id, note=ask.body.note, if_version=ask.if_version)


@routes.endpoint(
    "POST",
    "/reviews/{review_id}/reject",
    show=show_review,
    may=Permission.REVIEWS_MODERATE,
    etag=True,
    refuses=(AlreadyDecided,),
)
def reject_review(ask: Ask[ReviewDecision], review_id: str) -> Review:
    """Keep a pending review from being read by others."""
    return ask.store.reviews.reject(by=ask.by, review_id=review_id, note=ask.body.note, if_version=ask.if_version)
