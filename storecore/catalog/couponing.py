"""Coupons in the hands of staff."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypedDict, Unpack

from storecore import checks
from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.catalog.coupon import Coupon
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.money import Money
from storecore.ports import Unit
from storecore.recording import record
from storecore.shop import Shop
from storecore.transactions import Activity, Once, reading, writing


class CouponTerms(TypedDict, total=False):
    """A coupon's terms: ``percent`` or ``amount``, and its limits; what is left out has no limit, or stays as it is."""

    code: str
    percent: Decimal | None
    amount: Money | None
    starts_at: datetime | None
    ends_at: datetime | None
    min_spend: Money | None
    max_uses: int | None
    max_uses_per_user: int | None
    is_active: bool


@dataclass(frozen=True, kw_only=True)
class Couponing(Activity):
    """Making, changing and withdrawing coupons."""

    shop: Shop

    @writing
    def create_coupon(self, unit: Unit, *, by: Actor, once: Once | None = None, **terms: Unpack[CouponTerms]) -> Coupon:
        """Add a coupon. Raises ``Invalid``, ``CouponExists``."""
        require(by, Permission.PRICES_WRITE)
        coupon = Coupon(id=unit.new_id(), created_at=unit.now, **self._checked(terms))
        unit.coupons.add(coupon)
        record(unit, by, "coupon.create", after=coupon)
        return coupon

    @writing
    def update_coupon(
        self,
        unit: Unit,
        *,
        by: Actor,
        coupon_id: str,
        if_version: int | None = None,
        **terms: Unpack[CouponTerms],
    ) -> Coupon:
        """Change a coupon's terms for later orders. Raises ``Invalid``, ``CouponExists``, ``PreconditionFailed``."""
        require(by, Permission.PRICES_WRITE)
        coupon = unit.coupons.get(coupon_id)
        coupon.expect(if_version)
        changed = coupon.changed(**self._checked(terms))
        unit.coupons.save(changed)
        record(unit, by, "coupon.update", before=coupon, after=changed)
        return changed

    @writing
    def withdraw_coupon(self, unit: Unit, *, by: Actor, coupon_id: str) -> None:
        """End a coupon for good; orders that used it keep it. Withdrawing twice is fine."""
        require(by, Permission.PRICES_WRITE)
        coupon = unit.coupons.get(coupon_id)
        if coupon.is_active:
            withdrawn = coupon.changed(is_active=False)
            unit.coupons.save(withdrawn)
            record(unit, by, "coupon.withdraw", before=coupon, after=withdrawn)

    @reading
    def coupons(self, unit: Unit, *, by: Actor, page: PageRequest = FIRST_PAGE) -> Page[Coupon]:
        """Every coupon, newest first."""
        require(by, Permission.PRICES_WRITE)
        return unit.coupons.page(page)

    def _checked(self, terms: CouponTerms) -> CouponTerms:
        for name, amount in (("amount", terms.get("amount")), ("min_spend", terms.get("min_spend"))):
            if amount is not None and amount.currency != self.shop.currency:
                raise checks.refuse(name, f"must be in {self.shop.currency}")
        return terms
