"""Coupons: a reduction of the whole order for whoever knows the code."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from storecore import checks
from storecore.errors import CouponNotApplicable
from storecore.money import LIMIT, Money
from storecore.pricing import OrderDiscount
from storecore.versioned import Versioned

_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,39}", re.ASCII)


def normalise_code(code: str) -> str:
    """A code as it is stored and compared: capitals, no space around it. Raises ``Invalid``."""
    code = checks.text(code, "code", most=40).upper()
    if not _CODE.fullmatch(code):
        raise checks.refuse("code", "must have 1 to 40 letters, digits, - or _")
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon(Versioned):
    """``percent`` or ``amount`` off, from ``starts_at`` (included) to ``ends_at`` (excluded), within limits.

    ``uses`` is a fact as it was read: it moves only with orders.
    """

    id: str
    code: str
    percent: Decimal | None = None
    amount: Money | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    min_spend: Money | None = None
    max_uses: int | None = None
    max_uses_per_user: int | None = None
    is_active: bool = True
    created_at: datetime
    version: int = 1
    uses: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", normalise_code(self.code))
        if (self.percent is None) == (self.amount is None):
            raise checks.refuse("percent", "give either a percent or an amount")
        if self.percent is not None:
            object.__setattr__(self, "percent", checks.percent(self.percent, "percent"))
        for name in ("amount", "min_spend"):
            amount: Money | None = getattr(self, name)
            if amount is not None and not 0 < amount.minor < LIMIT:
                raise checks.refuse(name, f"must be above 0 and stay below {Money(LIMIT, amount.currency)}")
        for name in ("max_uses", "max_uses_per_user"):
            if (limit := getattr(self, name)) is not None:
                checks.whole(limit, name, least=1, most=10**9)
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise checks.refuse("ends_at", "must be after starts_at")

    @property
    def discount(self) -> OrderDiscount:
        """The coupon as pricing knows it."""
        return OrderDiscount(source=f"coupon {self.code}", percent=self.percent, amount=self.amount)

    def check(self, *, goods: Money, at: datetime, used_by_caller: int, uses: int | None = None) -> None:
        """Let it pass, or raise ``CouponNotApplicable`` saying why.

        ``goods`` is what the goods cost after product discounts; ``used_by_caller`` counts the caller's earlier orders.
        """
        if not self.is_active:
            raise CouponNotApplicable(f"The coupon {self.code} was withdrawn.")
        if self.ends_at is not None and at >= self.ends_at:
            raise CouponNotApplicable(f"The coupon {self.code} has expired.")
        if self.starts_at is not None and at < self.starts_at:
            raise CouponNotApplicable(f"The coupon {self.code} is not valid yet.")
        if self.min_spend is not None and goods < self.min_spend:
            raise CouponNotApplicable(
                f"The coupon {self.code} needs goods worth {self.min_spend} {self.min_spend.currency}."
            )
        if self.max_uses is not None and (self.uses if uses is None else uses) >= self.max_uses:
            raise CouponNotApplicable(f"The coupon {self.code} has been used up.")
        if self.max_uses_per_user is not None and used_by_caller >= self.max_uses_per_user:
            raise CouponNotApplicable(f"You have already used the coupon {self.code}.")

    def changed(self, **changes: Any) -> Self:
        """The coupon with other field values, one version on."""
        return replace(self, version=self.version + 1, **changes)
