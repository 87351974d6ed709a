"""What buyers say, and what everybody reads of it."""

from collections import Counter
from dataclasses import dataclass
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, multiple, rule

from storecore.accounts.model import User
from storecore.errors import AlreadyDecided, DuplicateReview, NotABuyer, NotAuthenticated, NotFound, StoreError
from storecore.notices import Template
from storecore.orders.model import Status
from storecore.ports import Unit
from storecore.reviews.model import ReviewStatus
from storecore.testing.machine.fulfilment import Fulfilment
from storecore.testing.machine.scene import Sale, Shopper, Stage, Ware, people, sales


@dataclass(eq=False)
class Opinion:
    """A review as it should be; ``gone`` once it was deleted."""

    id: str
    author: User
    ware: Ware
    rating: int
    comment: str | None
    gone: bool = False
    status: ReviewStatus = ReviewStatus.PENDING

    def written(self, rating: int, comment: str | None) -> None:
        """Stars alone are published at once, words are read by a moderator."""
        self.rating, self.comment = rating, comment
        self.status = ReviewStatus.PENDING if comment else ReviewStatus.PUBLISHED


opinions: "Bundle[Opinion]" = Bundle("opinions")
stars = st.integers(1, 5)
comments = st.sampled_from((None, "It fits.", "It does not fit."))


class Reviewing(Fulfilment):
    """Reviews, one for each buyer and product; the products' ratings are those that are published."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.opinions: list[Opinion] = []
        self.decisions: Counter[str] = Counter()

    @rule(target=opinions, sale=sales, who=st.none() | people, line=st.integers(0, 3), rating=stars, comment=comments)
    def review(
        self, sale: Sale, who: Shopper | None, line: int, rating: int, comment: str | None
    ) -> MultipleResults[Opinion]:
        """The buyer, once the goods are there if they can be, or somebody else."""
        self.deliver(sale)
        who = who or sale.buyer
        ware = self.ware(sale.placed.lines[line % len(sale.placed.lines)].product_id)
        written = self.attempt(
            self._not_reviewable(who, ware),
            lambda: self.store.reviews.write(by=who.by, product_id=ware.id, rating=rating, comment=comment),
        )
        if written is None or who.account is None:
            return multiple()
        opinion = Opinion(written.id, who.account, ware, rating, comment)
        opinion.written(rating, comment)
        self.opinions.append(opinion)
        return multiple(opinion)

    def _not_reviewable(self, who: Shopper, ware: Ware) -> type[StoreError] | None:
        if who.account is None:
            return NotAuthenticated
        has = any(
            sale.buyer is who and sale.status is Status.DELIVERED and ware.id in sale.quantities
            for sale in self.sales.values()
        )
        if not has:
            return NotABuyer
        known = any(each.author is who.account and each.ware is ware and not each.gone for each in self.opinions)
        return DuplicateReview if known else None

    @rule(opinion=opinions, rating=stars, comment=comments)
    def edit_review(self, opinion: Opinion, rating: int, comment: str | None) -> None:
        """Whoever has written it; what changes begins anew."""
        edit = partial(self.store.reviews.edit, review_id=opinion.id, rating=rating, comment=comment)
        self.attempt(NotFound, lambda: edit(by=self.staff))
        if self.attempt(NotFound if opinion.gone else None, lambda: edit(by=opinion.author)) and (rating, comment) != (
            opinion.rating,
            opinion.comment,
        ):
            opinion.written(rating, comment)

    @rule(opinion=opinions, publish=st.booleans())
    def moderate(self, opinion: Opinion, publish: bool) -> None:
        """Once, as long as it waits."""
        refusal: type[StoreError] | None = None if opinion.status is ReviewStatus.PENDING else AlreadyDecided
        decide = self.store.reviews.approve if publish else self.store.reviews.reject
        decided = self.attempt(
            NotFound if opinion.gone else refusal, lambda: decide(by=self.staff, review_id=opinion.id)
        )
        if decided is not None:
            opinion.status = ReviewStatus.PUBLISHED if publish else ReviewStatus.REJECTED
            self.decisions[opinion.author.email] += 1
            self.note(self.staff, "review.approve" if publish else "review.reject", opinion.id)

    @rule(opinion=opinions, by_author=st.booleans())
    def delete_review(self, opinion: Opinion, by_author: bool) -> None:
        """For good; the product can be reviewed again."""
        by = opinion.author if by_author else self.staff
        stranger = next(each.account for each in self.shoppers if each.account not in {None, opinion.author})
        assert stranger is not None
        self.attempt(NotFound, lambda: self.store.reviews.delete(by=stranger, review_id=opinion.id))
        self.attempt(NotFound if opinion.gone else None, lambda: self.store.reviews.delete(by=by, review_id=opinion.id))
        opinion.gone = True

    def check(self, unit: Unit) -> None:
        """Each product is rated by its published reviews, and each decision was told once."""
        super().check(unit)
        products = unit.products.some([ware.id for ware in self.wares])
        for ware in self.wares:
            published = [
                each.rating
                for each in self.opinions
                if each.ware is ware and not each.gone and each.status is ReviewStatus.PUBLISHED
            ]
            rating = products[ware.id].rating
            assert (rating.total, rating.count) == (sum(published), len(published))
        told = Counter(each.recipient for each in self.notices(unit) if each.template is Template.REVIEW_DECIDED)
        assert told == self.decisions
