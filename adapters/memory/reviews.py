"""Reviews, and the ratings that they add up to."""

from collections.abc import Callable
from dataclasses import replace

from adapters.memory.pages import in_utc, page_of, ticks
from adapters.memory.tables import Repository
from storecore.catalog.model import UNRATED, Rating
from storecore.errors import Contention, DuplicateReview, NotFound
from storecore.lists import Page, PageRequest
from storecore.reviews.model import Review, ReviewStatus


class MemoryReviews(Repository):
    """Reviews, one a user and product."""

    def add(self, review: Review) -> None:
        """Raises ``DuplicateReview``."""
        draft, written = self._draft, (review.author_id, review.product_id)
        if written in draft.reviews_by_author:
            raise DuplicateReview()
        draft.reviews.put(review.id, in_utc(replace(review, author="")))  # it is read with the name of that moment
        draft.reviews_by_author.put(written, review.id)
        self._count(review.product_id, UNRATED, review.counted)

    def locked(self, review_id: str) -> Review:
        """Raises ``NotFound``. The writer's turn is the lock."""
        if (review := self._draft.reviews.get(review_id)) is None:
            raise NotFound("There is no such review.")
        return self._signed(review)

    def save(self, review: Review) -> None:
        """Raises ``Contention``. Whose it is and of what stays as it was."""
        stored = self._stored(review.id, review.version - 1)
        changed = replace(
            stored,
            rating=review.rating,
            comment=review.comment,
            status=review.status,
            updated_at=review.updated_at,
            version=review.version,
        )
        self._draft.reviews.put(review.id, in_utc(changed))
        self._count(stored.product_id, stored.counted, changed.counted)

    def remove(self, review: Review) -> None:
        """Raises ``Contention``."""
        stored = self._stored(review.id, review.version)
        self._draft.reviews.drop(stored.id)
        self._draft.reviews_by_author.drop((stored.author_id, stored.product_id))
        self._count(stored.product_id, stored.counted, UNRATED)

    def of_product(self, product_id: str, page: PageRequest) -> Page[Review]:
        """Published ones, newest first."""
        return self._newest(page, lambda each: each.product_id == product_id and _is_published(each))

    def of_author(self, author_id: str, page: PageRequest) -> Page[Review]:
        """Newest first."""
        return self._newest(page, lambda each: each.author_id == author_id)

    def pending(self, page: PageRequest) -> Page[Review]:
        """The longest waiting first."""
        rows = (each for each in self._tables.reviews.rows() if each.status is ReviewStatus.PENDING)
        return page_of(rows, page, lambda each: (ticks(each.updated_at), each.id)).map(self._signed)

    def published_by(self, author_id: str) -> int:
        """Looks through every review."""
        return sum(each.author_id == author_id and _is_published(each) for each in self._tables.reviews.rows())

    def _newest(self, page: PageRequest, shows: Callable[[Review], bool]) -> Page[Review]:
        rows = (each for each in self._tables.reviews.rows() if shows(each))
        found = page_of(rows, page, lambda each: (ticks(each.created_at), each.id), descending=True)
        return found.map(self._signed)

    def _stored(self, review_id: str, version: int) -> Review:
        stored = self._draft.reviews.get(review_id)
        if stored is None or stored.version != version:
            raise Contention()
        return stored

    def _signed(self, review: Review) -> Review:
        """With the name that its author has now."""
        author = self._tables.users.get(review.author_id)
        return replace(review, author="" if author is None else author.display_name)

    def _count(self, product_id: str, before: Rating, after: Rating) -> None:
        ratings = self._draft.ratings
        rating = ratings.get(product_id) or UNRATED
        total, count = rating.total + after.total - before.total, rating.count + after.count - before.count
        ratings.put(product_id, Rating(total=total, count=count))


def _is_published(review: Review) -> bool:
    return review.status is ReviewStatus.PUBLISHED
