"""Reviews, and the ratings that they add up to."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, delete, func, insert, select, text, update

from adapters.sql import tables
from adapters.sql.columns import Whole, from_ticks, to_ticks
from adapters.sql.dialect import Refusals
from adapters.sql.pages import after, asked, fetched, page_of
from adapters.sql.restoring import restored
from adapters.sql.transaction import Row, Transaction
from storecore.accounts.model import shortened
from storecore.catalog.model import UNRATED, Rating
from storecore.errors import Contention, DuplicateReview, NotFound
from storecore.lists import Page, PageRequest
from storecore.reviews.model import Review, ReviewStatus

_reviews, _ratings, _users = tables.reviews.c, tables.ratings.c, tables.users.c
_REVIEW = (
    _reviews.id,
    _reviews.product_id,
    _reviews.author_id,
    _users.full_name,
    _reviews.rating,
    _reviews.private,
    _reviews.status,
    _reviews.created_at,
    _reviews.updated_at,
    _reviews.version,
)
_CREATED, _UPDATED = _REVIEW.index(_reviews.created_at), _REVIEW.index(_reviews.updated_at)
_REFUSES: Refusals = {"uq_reviews_author_id_product_id": DuplicateReview}

_review = select(*_REVIEW).join_from(tables.reviews, tables.users)
_locked = _review.where(_reviews.id == bindparam("id")).with_for_update(of=tables.reviews, key_share=True)
_stored = and_(_reviews.id == bindparam("this"), _reviews.version == bindparam("version_before"))
_before = select(_reviews.product_id, _reviews.rating, _reviews.status).where(_stored)
_add = insert(tables.reviews)
_save = (
    update(tables.reviews)
    .where(_stored)
    .values({name: bindparam(name) for name in ("rating", "private", "status", "updated_at", "version")})
)
_remove = delete(tables.reviews).where(_stored)

_total = _ratings.total + bindparam("stars", type_=Whole)
_number = _ratings["count"] + bindparam("reviews", type_=Whole)
_count = (
    update(tables.ratings)
    .where(_ratings.product_id == bindparam("this"))
    .values(
        {
            "total": _total,
            "count": _number,
            # In hundredths, half up, as Rating.average rounds it.
            "average": case((_number == 0, 0), else_=(200 * _total + _number) // (2 * _number)),
        }
    )
)

_of_product = and_(_reviews.product_id == bindparam("product_id"), text(tables.PUBLISHED))
_of_author = _reviews.author_id == bindparam("author_id")
_published_by = select(func.count()).where(_of_author, text(tables.PUBLISHED))


def _newest(which: ColumnElement[bool]) -> tuple[Select[Any], Select[Any], Select[Any]]:
    """A list's first page, its further pages, and how long it is."""
    first = fetched(_review.where(which).order_by(_reviews.created_at.desc(), _reviews.id.desc()))
    further = first.where(after(_reviews.created_at, _reviews.id, newest_first=True))
    return first, further, select(func.count()).select_from(tables.reviews).where(which)


_product_first, _product_after, _product_count = _newest(_of_product)
_author_first, _author_after, _author_count = _newest(_of_author)
_pending_first = fetched(_review.where(text(tables.TO_MODERATE)).order_by(_reviews.updated_at, _reviews.id))
_pending_after = _pending_first.where(after(_reviews.updated_at, _reviews.id))
_pending_count = select(func.count()).select_from(tables.reviews).where(text(tables.TO_MODERATE))


class SqlReviews:
    """The ``Reviews`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, review: Review) -> None:
        """Raises ``DuplicateReview``."""
        values = self._changing(review) | {
            "id": review.id,
            "product_id": review.product_id,
            "author_id": review.author_id,
            "created_at": review.created_at,
        }
        self._transaction.write(_add, values, refuses=_REFUSES)
        self._count(review.product_id, UNRATED, review.counted)

    def locked(self, review_id: str) -> Review:
        """Locks the review's row. Raises ``NotFound``."""
        self._transaction.check_writable()
        row = self._transaction.row(_locked, {"id": review_id})
        if row is None:
            raise NotFound("There is no such review.")
        return self._review(row)

    def save(self, review: Review) -> None:
        """Raises ``Contention``."""
        which = {"this": review.id, "version_before": review.version - 1}
        product_id, before = self._counted(which)
        self._transaction.save(_save, self._changing(review) | which)
        self._count(product_id, before, review.counted)

    def remove(self, review: Review) -> None:
        """Raises ``Contention``."""
        which = {"this": review.id, "version_before": review.version}
        product_id, before = self._counted(which)
        self._transaction.save(_remove, which)
        self._count(product_id, before, UNRATED)

    def of_product(self, product_id: str, page: PageRequest) -> Page[Review]:
        """One statement, and one that counts."""
        return self._page(_product_first, _product_after, _product_count, page, {"product_id": product_id})

    def of_author(self, author_id: str, page: PageRequest) -> Page[Review]:
        """One statement, and one that counts."""
        return self._page(_author_first, _author_after, _author_count, page, {"author_id": author_id})

    def pending(self, page: PageRequest) -> Page[Review]:
        """One statement, and one that counts."""
        return self._page(_pending_first, _pending_after, _pending_count, page, {}, key=_UPDATED)

    def published_by(self, author_id: str) -> int:
        """One statement."""
        return self._transaction.number(_published_by, {"author_id": author_id})

    def _page(
        self,
        first: Select[Any],
        further: Select[Any],
        counted: Select[Any],
        page: PageRequest,
        values: dict[str, Any],
        *,
        key: int = _CREATED,
    ) -> Page[Review]:
        rows = self._transaction.rows(further if page.after else first, values | asked(page, first=from_ticks))
        total = self._transaction.number(counted, values) if page.total else None
        return page_of(rows, page, self._reviews, lambda row: (to_ticks(row[key]), row[0]), total)

    def _counted(self, which: dict[str, Any]) -> tuple[str, Rating]:
        """The stored review's product and what it adds to the rating; the write that follows checks the version too."""
        self._transaction.check_writable()
        row = self._transaction.row(_before, which)
        if row is None:
            raise Contention()
        product_id, rating, status = row
        return product_id, Rating(total=rating, count=1) if status == ReviewStatus.PUBLISHED else UNRATED

    def _count(self, product_id: str, before: Rating, after: Rating) -> None:
        """Adds to the rating, whatever it is by now: reviews of one product that are decided at once all count."""
        if before != after:
            change = {"stars": after.total - before.total, "reviews": after.count - before.count}
            self._transaction.write(_count, change | {"this": product_id})

    def _changing(self, review: Review) -> dict[str, Any]:
        private = {"comment": review.comment}
        return {
            "rating": review.rating,
            "private": None
            if review.comment is None
            else self._transaction.seal("reviews.private", review.id, private),
            "status": str(review.status),
            "updated_at": review.updated_at,
            "version": review.version,
        }

    def _reviews(self, rows: Sequence[Row]) -> Sequence[Review]:
        return [self._review(row) for row in rows]

    def _review(self, row: Row) -> Review:
        id_, product_id, author_id, full_name, rating, private, status, created_at, updated_at, version = row
        return restored(
            Review,
            id=id_,
            product_id=product_id,
            author_id=author_id,
            author=shortened(full_name),
            rating=rating,
            comment=None if private is None else self._transaction.unseal("reviews.private", id_, private)["comment"],
            status=ReviewStatus(status),
            created_at=created_at,
            updated_at=updated_at,
            version=version,
        )
