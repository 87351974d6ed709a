"""Buyers say what they think of what they bought, and everybody reads it."""

from dataclasses import dataclass
from typing import TypedDict, Unpack

from storecore.accounts.model import Actor, require, require_user
from storecore.accounts.permissions import Permission
from storecore.accounts.staying import check_still_here
from storecore.errors import NotABuyer, NotFound
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.ports import Unit
from storecore.recording import record
from storecore.reviews.model import Review, first_status
from storecore.transactions import Activity, Once, reading, writing


class ReviewChanges(TypedDict, total=False):
    """What the author may change; what is left out stays as it is, a comment of None is removed."""

    rating: int
    comment: str | None


@dataclass(frozen=True, kw_only=True)
class Reviewing(Activity):
    """Writing reviews and reading them."""

    @writing
    def write(
        self,
        unit: Unit,
        *,
        by: Actor,
        product_id: str,
        rating: int,
        comment: str | None = None,
        once: Once | None = None,
    ) -> Review:
        """Review a product that was delivered to the caller; a comment is read by a moderator first.

        A refund later on takes nothing away from having had it. Raises ``Invalid``, ``NotFound``, ``NotABuyer``,
        ``DuplicateReview``.
        """
        require(by, Permission.ORDERS_PLACE)
        author = require_user(by)
        product = unit.products.get(product_id)
        if not unit.orders.delivered(author.id, product.id):
            raise NotABuyer()
        review = Review(
            id=unit.new_id(),
            product_id=product.id,
            author_id=author.id,
            author=author.display_name,
            rating=rating,
            comment=comment,
            status=first_status(comment),
            created_at=unit.now,
            updated_at=unit.now,
        )
        unit.reviews.add(review)
        check_still_here(unit, by)
        return review

    @writing
    def edit(
        self,
        unit: Unit,
        *,
        by: Actor,
        review_id: str,
        if_version: int | None = None,
        **changes: Unpack[ReviewChanges],
    ) -> Review:
        """The author changes a review, which is then read by a moderator again if it has a comment.

        Until then nobody reads the old text either. Raises ``Invalid``, ``NotFound``, ``PreconditionFailed``.
        """
        author = require_user(by)
        review = unit.reviews.locked(review_id)
        if review.author_id != author.id:
            raise NotFound("There is no such review.")
        check_still_here(unit, by)
        review.expect(if_version)
        edited = review.edited(unit.now, **changes)
        if edited is not review:
            unit.reviews.save(edited)
        return edited

    @writing
    def delete(self, unit: Unit, *, by: Actor, review_id: str) -> None:
        """The author or a moderator takes a review away for good. Raises ``NotFound``."""
        review = unit.reviews.locked(review_id)
        if by.id != review.author_id and not by.may(Permission.REVIEWS_MODERATE):
            raise NotFound("There is no such review.")
        unit.reviews.remove(review)
        if by.id != review.author_id:
            record(unit, by, "review.delete", before=review)

    @reading
    def mine(self, unit: Unit, *, by: Actor, page: PageRequest = FIRST_PAGE) -> Page[Review]:
        """One's own reviews, newest first, whatever was decided about them."""
        return unit.reviews.of_author(require_user(by).id, page)

    @reading
    def of_product(self, unit: Unit, *, product_id: str, page: PageRequest = FIRST_PAGE) -> Page[Review]:
        """What everybody may read about a product (its id or slug), newest first. Raises ``NotFound``."""
        product = unit.products.get(product_id)
        if not product.is_active:
            raise NotFound("There is no such product.")
        return unit.reviews.of_product(product.id, page)
