"""Coupons and who used them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from adapters.sql import tables
from adapters.sql.columns import Whole, from_ticks, to_ticks
from adapters.sql.dialect import Refusals
from adapters.sql.pages import after, asked, fetched, page_of
from adapters.sql.transaction import Row, Transaction
from storecore.catalog.coupon import Coupon
from storecore.errors import CouponExists, CouponNotApplicable, NotFound
from storecore.lists import Page, PageRequest
from storecore.money import Money

_coupons, _counts, _uses = tables.coupons.c, tables.coupon_counts.c, tables.coupon_uses.c
_COUPON = (
    _coupons.id,
    _coupons.code,
    _coupons.percent,
    _coupons.amount,
    _coupons.min_spend,
    _coupons.currency,
    _coupons.starts_at,
    _coupons.ends_at,
    _coupons.max_uses,
    _coupons.max_uses_per_user,
    _coupons.is_active,
    _coupons.created_at,
    _coupons.version,
    _counts.uses,
)
USER = "coupon_uses.user"
"""The purpose of the blind index of whoever used a coupon."""
_REFUSES: Refusals = {"uq_coupons_code": CouponExists}

_coupon = select(*_COUPON).join_from(tables.coupons, tables.coupon_counts)
_get = _coupon.where(_coupons.id == bindparam("id"))
_by_code = _coupon.where(_coupons.code == bindparam("code"))
_first = fetched(_coupon.order_by(_coupons.created_at.desc(), _coupons.id.desc()))
_after = _first.where(after(_coupons.created_at, _coupons.id, newest_first=True))
_count = select(func.count()).select_from(tables.coupons)
_add = insert(tables.coupons)
_add_count = insert(tables.coupon_counts)
_save = (
    update(tables.coupons)
    .where(_coupons.id == bindparam("this"), _coupons.version == bindparam("version_before"))
    .values(
        {column.name: bindparam(column.name) for column in tables.coupons.c if column.name not in ("id", "created_at")}
    )
)
_used_by = select(func.count()).where(
    and_(_uses.coupon_id == bindparam("coupon_id"), _uses.user_index.in_(bindparam("user_indexes", expanding=True)))
)
_count_one = (
    update(tables.coupon_counts)
    .where(
        _counts.coupon_id == bindparam("this"),
        _counts.uses < func.coalesce(bindparam("max_uses", type_=Whole), _counts.uses + 1),
    )
    .values(uses=_counts.uses + 1)
)
_use = insert(tables.coupon_uses)
_forget = delete(tables.coupon_uses).where(_uses.order_id == bindparam("order")).returning(_uses.coupon_id)
_count_back = update(tables.coupon_counts).where(_counts.coupon_id == bindparam("this")).values(uses=_counts.uses - 1)


class SqlCoupons:
    """The ``Coupons`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, coupon: Coupon) -> None:
        """Raises ``CouponExists``."""
        self._transaction.write(_add, _values(coupon), refuses=_REFUSES)
        self._transaction.write(_add_count, {"coupon_id": coupon.id, "uses": 0})

    def get(self, coupon_id: str) -> Coupon:
        """Raises ``NotFound``."""
        row = self._transaction.row(_get, {"id": coupon_id})
        if row is None:
            raise NotFound("There is no such coupon.")
        return _coupon_from(row)

    def by_code(self, code: str) -> Coupon | None:
        """The code is normalised."""
        row = self._transaction.row(_by_code, {"code": code})
        return _coupon_from(row) if row else None

    def page(self, page: PageRequest) -> Page[Coupon]:
        """Newest first."""
        rows = self._transaction.rows(_after if page.after else _first, asked(page, first=from_ticks))
        total = self._transaction.number(_count) if page.total else None
        return page_of(rows, page, _coupons_from, lambda row: (to_ticks(row[11]), row[0]), total)

    def save(self, coupon: Coupon) -> None:
        """Raises ``CouponExists``, ``Contention``."""
        values = _values(coupon) | {"this": coupon.id, "version_before": coupon.version - 1}
        del values["id"], values["created_at"]
        self._transaction.save(_save, values, refuses=_REFUSES)

    def used_by(self, coupon_id: str, user: str) -> int:
        """Users are compared without being readable."""
        indexes = self._transaction.blind_indexes(USER, user)
        return self._transaction.number(_used_by, {"coupon_id": coupon_id, "user_indexes": indexes})

    def use(self, coupon: Coupon, *, order_id: str, user: str) -> None:
        """Locks the coupon's count. Raises ``CouponNotApplicable``."""
        if not self._transaction.write(_count_one, {"this": coupon.id, "max_uses": coupon.max_uses}):
            raise CouponNotApplicable(f"The coupon {coupon.code} has been used up.")
        if coupon.max_uses_per_user is not None and self.used_by(coupon.id, user) >= coupon.max_uses_per_user:
            self._transaction.spoil()
            raise CouponNotApplicable(f"You have already used the coupon {coupon.code}.")
        index = self._transaction.blind_index(USER, user)
        self._transaction.write(_use, {"order_id": order_id, "coupon_id": coupon.id, "user_index": index})

    def give_back(self, order_id: str) -> None:
        """Once."""
        forgotten = self._transaction.returned(_forget, {"order": order_id})
        self._transaction.write(_count_back, [{"this": coupon_id} for (coupon_id,) in forgotten])


def _values(coupon: Coupon) -> dict[str, Any]:
    amount = coupon.amount or coupon.min_spend
    return {
        "id": coupon.id,
        "code": coupon.code,
        "percent": None if coupon.percent is None else int(coupon.percent * 100),
        "amount": coupon.amount.minor if coupon.amount else None,
        "min_spend": coupon.min_spend.minor if coupon.min_spend else None,
        "currency": amount.currency if amount else None,
        "starts_at": coupon.starts_at,
        "ends_at": coupon.ends_at,
        "max_uses": coupon.max_uses,
        "max_uses_per_user": coupon.max_uses_per_user,
        "is_active": coupon.is_active,
        "created_at": coupon.created_at,
        "version": coupon.version,
    }


def _coupons_from(rows: Sequence[Row]) -> Sequence[Coupon]:
    return [_coupon_from(row) for row in rows]


def _coupon_from(row: Row) -> Coupon:
    (
        id_,
        code,
        percent,
        amount,
        min_spend,
        currency,
        starts_at,
        ends_at,
        max_uses,
        max_uses_per_user,
        is_active,
        created_at,
        version,
        uses,
    ) = row
    return Coupon(
        id=id_,
        code=code,
        percent=None if percent is None else Decimal(percent) / 100,
        amount=None if amount is None else Money(amount, currency),
        min_spend=None if min_spend is None else Money(min_spend, currency),
        starts_at=starts_at,
        ends_at=ends_at,
        max_uses=max_uses,
        max_uses_per_user=max_uses_per_user,
        is_active=bool(is_active),
        created_at=created_at,
        version=version,
        uses=uses,
    )
