"""Coupons over HTTP, for those who set prices."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.catalog.coupon import Coupon
from storecore.errors import CouponExists
from storecore.lists import Page
from webapp.catalog import amounts
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount, AmountText, Instant, Percent, PercentText, Text
from webapp.http.validation import Body, absent

routes = Routes("coupons", "Reductions of a whole order for whoever knows the code.")

Code = Annotated[str, Text(40)]
Uses = Annotated[int, Field(ge=1, le=10**9)]


class CouponView(TypedDict):
    """A coupon: ``percent`` or ``amount`` off, from ``starts_at`` to ``ends_at`` (excluded), within its limits."""

    id: str
    code: str
    percent: PercentText | None
    amount: Amount | None
    min_spend: Amount | None
    currency: str
    starts_at: datetime | None
    ends_at: datetime | None
    max_uses: int | None
    max_uses_per_user: int | None
    uses: int
    is_active: bool
    created_at: datetime
    version: int


def show_coupon(coupon: Coupon, ask: Ask[object]) -> CouponView:
    """A coupon as staff see it."""
    return {
        "id": coupon.id,
        "code": coupon.code,
        "percent": None if coupon.percent is None else f"{coupon.percent:f}",
        "amount": None if coupon.amount is None else str(coupon.amount),
        "min_spend": None if coupon.min_spend is None else str(coupon.min_spend),
        "currency": ask.store.shop.currency,
        "starts_at": coupon.starts_at,
        "ends_at": coupon.ends_at,
        "max_uses": coupon.max_uses,
        "max_uses_per_user": coupon.max_uses_per_user,
        "uses": coupon.uses,
        "is_active": coupon.is_active,
        "created_at": coupon.created_at,
        "version": coupon.version,
    }


class NewCoupon(Body):
    """A coupon's code and terms: either ``percent`` or ``amount``; a limit that is left out is none."""

    code: Code
    percent: Percent | None = None
    amount: AmountText | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    min_spend: AmountText | None = None
    max_uses: Uses | None = None
    max_uses_per_user: Uses | None = None


class CouponPatch(Body):
    """What to change about a coupon, for later orders; null lifts a limit."""

    code: Code = absent()
    percent: Percent | None = None
    amount: AmountText | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    min_spend: AmountText | None = None
    max_uses: Uses | None = None
    max_uses_per_user: Uses | None = None
    is_active: bool = absent()


@routes.endpoint("GET", "/coupons", show=show_coupon, may=Permission.PRICES_WRITE)
def list_coupons(ask: Ask) -> Page[Coupon]:
    """Every coupon, newest first."""
    return ask.store.catalog.coupons(by=ask.by, page=ask.page)


@routes.endpoint(
    "POST",
    "/coupons",
    show=show_coupon,
    location="/coupons/{id}",
    may=Permission.PRICES_WRITE,
    once=True,
    etag=True,
    refuses=(CouponExists,),
)
def create_coupon(ask: Ask[NewCoupon]) -> Coupon:
    """Make a coupon."""
    terms = amounts(ask.body.given(), ask.store.shop.currency, "amount", "min_spend")
    return ask.store.catalog.create_coupon(by=ask.by, once=ask.once, **terms)


@routes.endpoint(
    "PATCH",
    "/coupons/{coupon_id}",
    show=show_coupon,
    may=Permission.PRICES_WRITE,
    etag=True,
    refuses=(CouponExists,),
)
def update_coupon(ask: Ask[CouponPatch], coupon_id: str) -> Coupon:
    """Change a coupon's terms. Orders that used it keep what they got."""
    terms = amounts(ask.body.given(), ask.store.shop.currency, "amount", "min_spend")
    return ask.store.catalog.update_coupon(by=ask.by, coupon_id=coupon_id, if_version=ask.if_version, **terms)


@routes.endpoint("DELETE", "/coupons/{coupon_id}", may=Permission.PRICES_WRITE)
def withdraw_coupon(ask: Ask, coupon_id: str) -> None:
    """Withdraw a coupon; orders that used it keep it."""
    ask.store.catalog.withdraw_coupon(by=ask.by, coupon_id=coupon_id)
