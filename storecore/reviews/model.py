"""A buyer's review of a product, from being written to being read by everybody."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from storecore import checks
from storecore.catalog.model import UNRATED, Rating
from storecore.errors import AlreadyDecided
from storecore.versioned import Versioned

MAX_COMMENT = 2_000


class ReviewStatus(StrEnum):
    """Who may read a review: everybody once it is published, else its author and the moderators."""

    PENDING = "pending"
    PUBLISHED = "published"
    REJECTED = "rejected"


NEXT: Mapping[ReviewStatus, frozenset[ReviewStatus]] = MappingProxyType(
    {
        ReviewStatus.PENDING: frozenset({ReviewStatus.PUBLISHED, ReviewStatus.REJECTED}),
        ReviewStatus.PUBLISHED: frozenset(),
        ReviewStatus.REJECTED: frozenset(),
    }
)
"""Where a moderator's decision can lead. What its author changes begins anew, from anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review(Versioned):
    """1 to 5 stars and perhaps a comment of 1 to 2,000 characters; only a comment needs to be moderated.

    ``author`` is how strangers see the author's name, a fact as it was read. ``updated_at`` is when the author last
    wrote it.
    """

    id: str
    product_id: str
    author_id: str
    author: str = ""
    rating: int
    comment: str | None = field(default=None, repr=False)
    status: ReviewStatus
    created_at: datetime
    updated_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        checks.whole(self.rating, "rating", least=1, most=5)
        if self.comment is not None:
            comment = checks.text(self.comment, "comment", most=MAX_COMMENT, lines=True)
            object.__setattr__(self, "comment", comment)
        elif self.status is not ReviewStatus.PUBLISHED:
            raise ValueError("a review without a comment is published")

    @property
    def counted(self) -> Rating:
        """What it adds to its product's rating."""
        return Rating(total=self.rating, count=1) if self.status is ReviewStatus.PUBLISHED else UNRATED

    def edited(self, at: datetime, **changes: Any) -> Self:
        """The author changes the rating, the comment (None removes it), or both; if anything changes, it begins anew.

        Raises ``Invalid``.
        """
        comment = changes.get("comment", self.comment)
        written = replace(self, **changes, status=first_status(comment), updated_at=at, version=self.version + 1)
        same = (written.rating, written.comment) == (self.rating, self.comment)
        return self if same else written

    def published(self) -> Self:
        """A moderator lets everybody read it. Raises ``AlreadyDecided``."""
        return self._decided(ReviewStatus.PUBLISHED)

    def rejected(self) -> Self:
        """A moderator keeps it from being read. Raises ``AlreadyDecided``."""
        return self._decided(ReviewStatus.REJECTED)

    def _decided(self, to: ReviewStatus) -> Self:
        if to not in NEXT[self.status]:
            raise AlreadyDecided(f"The review does not wait for a decision: it is {self.status}.")
        return replace(self, status=to, version=self.version + 1)


def first_status(comment: str | None) -> ReviewStatus:
    """How a review begins: stars alone are published at once."""
    return ReviewStatus.PUBLISHED if comment is None else ReviewStatus.PENDING
