"""Coupons and who used them."""

from dataclasses import replace

from adapters.memory.pages import in_utc, page_of, ticks
from adapters.memory.tables import Repository
from storecore.catalog.coupon import Coupon
from storecore.errors import Contention, CouponExists, CouponNotApplicable, NotFound
from storecore.lists import Page, PageRequest


class MemoryCoupons(Repository):
    """Coupons, with their uses counted in a table of its own."""

    def add(self, coupon: Coupon) -> None:
        """Raises ``CouponExists``."""
        draft = self._draft
        if coupon.code in draft.coupons_by_code:
            raise CouponExists()
        draft.coupons.put(coupon.id, in_utc(coupon))
        draft.coupons_by_code.put(coupon.code, coupon.id)

    def get(self, coupon_id: str) -> Coupon:
        """Raises ``NotFound``."""
        if (coupon := self._tables.coupons.get(coupon_id)) is None:
            raise NotFound("There is no such coupon.")
        return self._counted(coupon)

    def by_code(self, code: str) -> Coupon | None:
        """``code`` is normalised."""
        coupon_id = self._tables.coupons_by_code.get(code)
        return None if coupon_id is None else self.get(coupon_id)

    def page(self, page: PageRequest) -> Page[Coupon]:
        """Newest first."""
        coupons = self._tables.coupons.rows()
        return page_of(coupons, page, lambda each: (ticks(each.created_at), each.id), descending=True).map(
            self._counted
        )

    def save(self, coupon: Coupon) -> None:
        """Raises ``CouponExists``, ``Contention``."""
        draft, stored = self._draft, self.get(coupon.id)
        if coupon.version != stored.version + 1:
            raise Contention()
        if draft.coupons_by_code.get(coupon.code) not in (None, coupon.id):
            raise CouponExists()
        draft.coupons_by_code.drop(stored.code)
        draft.coupons_by_code.put(coupon.code, coupon.id)
        draft.coupons.put(coupon.id, in_utc(coupon))

    def used_by(self, coupon_id: str, user: str) -> int:
        """Orders of a user that count."""
        return self._tables.coupon_counts.get((coupon_id, user)) or 0

    def use(self, coupon: Coupon, *, order_id: str, user: str) -> None:
        """Raises ``CouponNotApplicable``."""
        draft, stored = self._draft, self.get(coupon.id)
        if stored.max_uses is not None and stored.uses >= stored.max_uses:
            raise CouponNotApplicable(f"The coupon {stored.code} has been used up.")
        if stored.max_uses_per_user is not None and self.used_by(stored.id, user) >= stored.max_uses_per_user:
            raise CouponNotApplicable(f"You have already used the coupon {stored.code}.")
        draft.coupon_uses.put(order_id, (stored.id, user))
        self._count(stored.id, user, 1)

    def give_back(self, order_id: str) -> None:
        """Once."""
        draft = self._draft
        if (use := draft.coupon_uses.get(order_id)) is not None:
            draft.coupon_uses.drop(order_id)
            self._count(*use, -1)

    def _count(self, coupon_id: str, user: str, change: int) -> None:
        counts = self._draft.coupon_counts
        for who in (user, None):
            counts.put((coupon_id, who), (counts.get((coupon_id, who)) or 0) + change)

    def _counted(self, coupon: Coupon) -> Coupon:
        return replace(coupon, uses=self._tables.coupon_counts.get((coupon.id, None)) or 0)
