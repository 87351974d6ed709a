"""Wishlists, and news that wishers are still to be told."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from sqlalchemy import bindparam, delete, func, insert, literal, select, update

from adapters.sql import tables
from adapters.sql.accounts import USER, user_from
from adapters.sql.columns import from_ticks, to_ticks
from adapters.sql.dialect import Refusals
from adapters.sql.pages import after, asked, fetched, page_of
from adapters.sql.transaction import Row, Transaction
from storecore.accounts.model import User
from storecore.catalog.wish import News, Wish, WishAlert
from storecore.errors import AlreadyWished, NotFound
from storecore.lists import Page, PageRequest
from storecore.money import Money

_wishes, _alerts, _users = tables.wishes.c, tables.wish_alerts.c, tables.users.c
_REFUSES: Refusals = {"pk_wishes": AlreadyWished, "uq_wishes_user_id_product_id": AlreadyWished}

_add = insert(tables.wishes)
_remove = delete(tables.wishes).where(_wishes.user_id == bindparam("owner"), _wishes.product_id == bindparam("product"))
_clear = delete(tables.wishes).where(_wishes.user_id == bindparam("owner"))
_count = select(func.count()).where(_wishes.user_id == bindparam("owner"))
_first = fetched(
    select(_wishes.user_id, _wishes.product_id, _wishes.created_at)
    .where(_wishes.user_id == bindparam("owner"))
    .order_by(_wishes.user_id.desc(), _wishes.created_at.desc(), _wishes.product_id.desc())
)
_after = _first.where(after(_wishes.created_at, _wishes.product_id, newest_first=True))

_ALERT = (
    _alerts.id,
    _alerts.product_id,
    _alerts.news,
    _alerts.at,
    _alerts.price,
    _alerts.final_price,
    _alerts.currency,
    _alerts.percent,
    _alerts.ends_at,
    _alerts.told,
)
_announce = insert(tables.wish_alerts).from_select(
    [column.name for column in _ALERT],
    select(*(bindparam(column.name, type_=column.type) for column in _ALERT)).where(
        select(literal(1)).where(_wishes.product_id == bindparam("product_id", type_=_wishes.product_id.type)).exists()
    ),
)
_next = select(*_ALERT).order_by(_alerts.at, _alerts.id).limit(1).with_for_update(key_share=True, skip_locked=True)
_wishers = (
    select(*USER)
    .join_from(tables.wishes, tables.users)
    .where(
        _wishes.product_id == bindparam("product"),
        _wishes.user_id > bindparam("told"),
        _wishes.created_at < bindparam("before"),
        _users.is_active,
    )
    .order_by(_wishes.product_id, _wishes.user_id)
    .limit(bindparam("most"))
)
_told = update(tables.wish_alerts).where(_alerts.id == bindparam("this")).values(told=bindparam("up_to"))
_forget = delete(tables.wish_alerts).where(_alerts.id == bindparam("this"))


class SqlWishes:
    """The ``Wishes`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, wish: Wish) -> None:
        """Raises ``AlreadyWished``."""
        values = {"user_id": wish.user_id, "product_id": wish.product_id, "created_at": wish.created_at}
        self._transaction.write(_add, values, refuses=_REFUSES)

    def remove(self, user_id: str, product_id: str) -> None:
        """Raises ``NotFound``."""
        if not self._transaction.write(_remove, {"owner": user_id, "product": product_id}):
            raise NotFound("This product is not on the wishlist.")

    def clear(self, user_id: str) -> None:
        """All of a user's."""
        self._transaction.write(_clear, {"owner": user_id})

    def count(self, user_id: str) -> int:
        """How many a user has."""
        return self._transaction.number(_count, {"owner": user_id})

    def page(self, user_id: str, page: PageRequest) -> Page[Wish]:
        """Newest first."""
        whose = {"owner": user_id}
        rows = self._transaction.rows(_after if page.after else _first, whose | asked(page, first=from_ticks))
        total = self._transaction.number(_count, whose) if page.total else None
        return page_of(
            rows,
            page,
            lambda shown: [Wish(user_id=row[0], product_id=row[1], created_at=row[2]) for row in shown],
            lambda row: (to_ticks(row[2]), row[1]),
            total,
        )

    def announce(self, alerts: Iterable[WishAlert]) -> None:
        """One statement, which looks whether somebody wishes the product."""
        self._transaction.write(
            _announce,
            [
                {
                    "id": alert.id,
                    "product_id": alert.product_id,
                    "news": str(alert.news),
                    "at": alert.at,
                    "price": alert.price.minor,
                    "final_price": alert.final_price.minor,
                    "currency": alert.price.currency,
                    "percent": None if alert.percent is None else int(alert.percent * 100),
                    "ends_at": alert.ends_at,
                    "told": alert.told,
                }
                for alert in alerts
            ],
        )

    def next_alert(self) -> WishAlert | None:
        """Locks the one it returns and skips those that others have locked."""
        self._transaction.check_writable()
        row = self._transaction.row(_next)
        return _alert_from(row) if row else None

    def wishers(self, alert: WishAlert, limit: int) -> Sequence[User]:
        """By id."""
        values = {"product": alert.product_id, "told": alert.told, "before": alert.at, "most": limit}
        return [user_from(self._transaction, row) for row in self._transaction.rows(_wishers, values)]

    def told(self, alert_id: str, up_to: str | None) -> None:
        """Go on there, or forget it."""
        if up_to is None:
            self._transaction.write(_forget, {"this": alert_id})
        else:
            self._transaction.write(_told, {"this": alert_id, "up_to": up_to})


def _alert_from(row: Row) -> WishAlert:
    id_, product_id, news, at, price, final_price, currency, percent, ends_at, told = row
    return WishAlert(
        id=id_,
        product_id=product_id,
        news=News(news),
        at=at,
        price=Money(price, currency),
        final_price=Money(final_price, currency),
        percent=None if percent is None else Decimal(percent) / 100,
        ends_at=ends_at,
        told=told,
    )
