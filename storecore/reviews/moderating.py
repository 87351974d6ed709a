"""Staff decide which comments everybody may read."""

from dataclasses import dataclass

from storecore import checks
from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.ports import Unit
from storecore.recording import record
from storecore.reviews import letters
from storecore.reviews.model import Review
from storecore.shop import Shop
from storecore.transactions import Activity, reading, writing

MAX_NOTE = 2_000


@dataclass(frozen=True, kw_only=True)
class Moderating(Activity):
    """The queue of reviews that wait for a decision, which is mailed to the author with the moderator's note.

    Give ``if_version`` to decide about the text that was read, not about one that its author has written since.
    """

    shop: Shop

    @reading
    def pending(self, unit: Unit, *, by: Actor, page: PageRequest = FIRST_PAGE) -> Page[Review]:
        """Reviews that wait for a decision, the longest waiting first."""
        require(by, Permission.REVIEWS_MODERATE)
        return unit.reviews.pending(page)

    @writing
    def approve(
        self, unit: Unit, *, by: Actor, review_id: str, note: str | None = None, if_version: int | None = None
    ) -> Review:
        """Publish a pending review. Raises ``NotFound``, ``PreconditionFailed``, ``AlreadyDecided``."""
        require(by, Permission.REVIEWS_MODERATE)
        review = unit.reviews.locked(review_id)
        review.expect(if_version)
        decided = self._decide(unit, review.published(), note)
        record(unit, by, "review.approve", before=review, after=decided)
        return decided

    @writing
    def reject(
        self, unit: Unit, *, by: Actor, review_id: str, note: str | None = None, if_version: int | None = None
    ) -> Review:
        """Keep a pending review from being read. Raises ``NotFound``, ``PreconditionFailed``, ``AlreadyDecided``."""
        require(by, Permission.REVIEWS_MODERATE)
        review = unit.reviews.locked(review_id)
        review.expect(if_version)
        decided = self._decide(unit, review.rejected(), note)
        record(unit, by, "review.reject", before=review, after=decided)
        return decided

    def _decide(self, unit: Unit, decided: Review, note: str | None) -> Review:
        note = checks.optional(note, "note", most=MAX_NOTE, lines=True)
        unit.reviews.save(decided)
        unit.outbox.add([letters.review_decided(unit, self.shop, decided, note)])
        return decided
