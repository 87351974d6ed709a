"""What the books add up to: sums that are kept of papers of the past, and the papers since, added in one snapshot."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, bindparam, func, select, text

from adapters.sql import journal, tables
from adapters.sql.columns import Instant
from adapters.sql.dialect import First
from adapters.sql.insight_tables import buyer_takings, product_takings, takings
from adapters.sql.journal import OF_BUYERS, OF_PRODUCTS, Papers, named
from adapters.sql.rolling_up import RollingUp, kept
from adapters.sql.transaction import Row, Transaction
from storecore.accounts.model import shortened
from storecore.accounts.permissions import Role
from storecore.insight.days import Days, month_of
from storecore.insight.model import AMOUNTS, BuyerTakings, GoodsTakings, Takings, Waiting
from storecore.orders.model import Status
from storecore.orders.refund import RefundStatus
from storecore.support.model import ConversationStatus

_MANY = 500
"""Keys that are looked up one by one; of more, everything is read."""

_products, _categories, _users = tables.products.c, tables.categories.c, tables.users.c
_orders, _refunds = tables.orders.c, tables.refunds.c

_takings = select(takings).where(takings.c.day >= bindparam("first"), takings.c.day <= bindparam("last"))
_by_category = (
    select(First(_products.category_ids), *(func.sum(product_takings.c[name]) for name in OF_PRODUCTS))
    .join_from(product_takings, tables.products)
    .where(product_takings.c.period.in_(bindparam("periods", expanding=True)))
    .group_by(First(_products.category_ids))
)
_product_names = select(_products.id, _products.name, _products.sku).where(
    _products.id.in_(bindparam("ids", expanding=True))
)
_category_names = select(_categories.id, _categories.name).where(_categories.id.in_(bindparam("ids", expanding=True)))
_user_names = select(_users.id, _users.full_name).where(_users.id.in_(bindparam("ids", expanding=True)))

_placed = (
    select(_orders.status, func.count())
    .where(
        _orders.status.in_([str(status) for status in Status]),
        _orders.created_at >= bindparam("begins", type_=Instant),
        _orders.created_at < bindparam("ends", type_=Instant),
    )
    .group_by(_orders.status)
)
# Named by every role there is, since users are indexed by role and time.
_new_users = select(func.count()).where(
    _users.role.in_([str(role) for role in Role]),
    _users.created_at >= bindparam("begins", type_=Instant),
    _users.created_at < bindparam("ends", type_=Instant),
)


def _number(*conditions: ColumnElement[bool]) -> Any:
    return select(func.count()).where(*conditions).scalar_subquery()


_waiting = select(
    select(func.count()).select_from(tables.reviews).where(text(tables.TO_MODERATE)).scalar_subquery(),
    _number(_refunds.status == str(RefundStatus.REQUESTED)),
    _number(_refunds.status == str(RefundStatus.APPROVED), _refunds.expect_return),
    _number(_refunds.payout_at.is_not(None)),
    _number(tables.conversations.c.status == str(ConversationStatus.WAITING)),
)


class _Ranking:
    """The sums of one table by its key, those with the most of one amount first."""

    def __init__(self, table: Table, key: str, names: Sequence[str], by: str) -> None:
        column: Column[str] = table.c[key]
        amounts = [table.c[name] for name in names]
        one, some = table.c.period == bindparam("period"), table.c.period.in_(bindparam("periods", expanding=True))
        first = table.c[f"{by}_down"]
        summed = select(column, *map(func.sum, amounts)).where(some).group_by(column)
        self._names, self._by = names, by
        self._in_one = select(column, *amounts).where(one).order_by(first, column).limit(bindparam("most"))
        self._in_some = summed.order_by(func.sum(first), column).limit(bindparam("most"))
        self._all = summed
        self._of = summed.where(column.in_(bindparam("keys", expanding=True)))

    def best(
        self,
        transaction: Transaction,
        periods: Sequence[str],
        most: int,
        more: Mapping[str, Counter[str]],
        also: str = "",
    ) -> dict[str, Counter[str]]:
        """Sums by key with ``more`` added: at least the ``most`` best, and ``also`` this one."""
        rows: list[Row] = []
        if len(more) > _MANY:
            rows += transaction.rows(self._all, {"periods": periods})
        elif periods:
            values = {"most": most + len(more) + 1, "periods": periods, "period": periods[0]}
            rows += transaction.rows(self._in_one if len(periods) == 1 else self._in_some, values)
            rows += transaction.rows(self._of, {"periods": periods, "keys": [*more, also]})
        sums = {key: Counter(named(self._names, amounts)) for key, *amounts in rows}
        for key, amounts in more.items():
            sums.setdefault(key, Counter()).update(amounts)
        return sums

    def first(self, sums: Mapping[str, Counter[str]], most: int) -> Sequence[str]:
        """The keys of the greatest."""
        return sorted(sums, key=lambda key: (-sums[key][self._by], key))[:most]


_best_products = _Ranking(product_takings, "product_id", OF_PRODUCTS, "net")
_best_buyers = _Ranking(buyer_takings, "customer_id", OF_BUYERS, "spent")


class SqlInsight:
    """The ``Insight`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def takings(self, days: Days) -> Sequence[Takings]:
        """Four statements."""
        rolled, papers = self._since(days)
        found: list[Takings] = []
        if rolled:
            rows = self._transaction.rows(_takings, {"first": str(days.first), "last": str(days.last)})
            found += [
                _taken(date.fromisoformat(day), rate, included, *amounts) for day, rate, included, *amounts in rows
            ]
        for day, (rate, included), sums in journal.takings_of(self._transaction.rows, papers, days.timezone):
            found.append(Takings(day=day, tax_rate=Decimal(rate), tax_included=included, **sums))
        return found

    def products(self, days: Days, most: int) -> Sequence[GoodsTakings]:
        """Five statements."""
        periods, more = self._kept_and_more(days, journal.goods_of)
        sums = _best_products.best(self._transaction, periods, most, more)
        best = _best_products.first(sums, most)
        rows = self._transaction.rows(_product_names, {"ids": list(best)})
        names = {product_id: (name, sku) for product_id, name, sku in rows}
        return [GoodsTakings.of(each, names[each][0], sums[each], sku=names[each][1]) for each in best]

    def categories(self, days: Days) -> Sequence[GoodsTakings]:
        """Four statements."""
        periods, sums = self._kept_and_more(days, journal.categories_of)
        if periods:
            for category_id, *kept_sums in self._transaction.rows(_by_category, {"periods": periods}):
                sums.setdefault(category_id, Counter()).update(named(OF_PRODUCTS, kept_sums))
        names = dict(map(tuple, self._transaction.rows(_category_names, {"ids": list(sums)})))
        found: dict[str | None, Counter[str]] = {}
        for category_id, amounts in sums.items():
            found.setdefault(category_id if category_id in names else None, Counter()).update(amounts)
        ranked = sorted(found, key=lambda each: (-found[each]["net"], each or ""))
        return [GoodsTakings.of(each, names.get(each), found[each]) for each in ranked]

    def customers(self, days: Days, most: int) -> tuple[Sequence[BuyerTakings], BuyerTakings]:
        """Five statements."""
        periods, more = self._kept_and_more(days, journal.buyers_of)
        sums = _best_buyers.best(self._transaction, periods, most, more)
        guests = sums.pop("", Counter())
        best = _best_buyers.first(sums, most)
        names = dict(map(tuple, self._transaction.rows(_user_names, {"ids": list(best)})))
        return (
            [BuyerTakings.of(each, shortened(names[each]), sums[each]) for each in best],
            BuyerTakings.of(None, None, guests),
        )

    def placed(self, days: Days) -> Mapping[Status, int]:
        """By the index of orders by status and time: it looks at these days' orders in it."""
        counted = dict(map(tuple, self._transaction.rows(_placed, _bounds(days))))
        return {status: counted.get(str(status), 0) for status in Status}

    def new_users(self, days: Days) -> int:
        """By the index of users by role and time."""
        return self._transaction.number(_new_users, _bounds(days))

    def waiting(self) -> Waiting:
        """One statement, that counts by an index each."""
        reviews, to_decide, to_receive, to_pay_out, conversations = self._transaction.rows(_waiting)[0]
        return Waiting(
            reviews=reviews,
            refunds_to_decide=to_decide,
            returns_to_receive=to_receive,
            refunds_to_pay_out=to_pay_out,
            conversations=conversations,
        )

    def to_roll_up(self, timezone: str) -> int:
        """Two statements."""
        return RollingUp(self._transaction, timezone).waiting()

    def roll_up(self, timezone: str, most: int) -> int:
        """A handful of statements, whatever the number of papers."""
        return RollingUp(self._transaction, timezone).add(most)

    def _since(self, days: Days) -> tuple[bool, Papers]:
        """Whether what is kept is of use for these days, and the papers that are not in it."""
        timezone, invoices, notes = kept(self._transaction)
        if timezone != days.timezone:
            return False, Papers().of(days).with_waiting(self._transaction.now)
        return True, Papers(invoices_after=invoices, notes_after=notes).of(days).with_waiting(self._transaction.now)

    def _kept_and_more(self, days: Days, look: Any) -> tuple[Sequence[str], dict[Any, Counter[str]]]:
        """The periods that are kept, and the sums of the papers since, by key."""
        rolled, papers = self._since(days)
        more: dict[Any, Counter[str]] = {}
        for _, key, sums in look(self._transaction.rows, papers, days.timezone):
            more.setdefault(key, Counter()).update(sums)
        return periods_of(days) if rolled else (), more


def periods_of(days: Days) -> Sequence[str]:
    """The fewest days and months that these days are made of."""
    found, day = [], days.first
    while day <= days.last:
        month = month_of(day, days.timezone)
        whole = month.first == day and month.last <= days.last
        found.append(str(day)[:7] if whole else str(day))
        day = (month.last if whole else day) + timedelta(days=1)
    return found


def _taken(day: date, rate: str, included: Any, *amounts: int) -> Takings:
    return Takings(day=day, tax_rate=Decimal(rate), tax_included=bool(included), **named(AMOUNTS, amounts))


def _bounds(days: Days) -> dict[str, Any]:
    return {"begins": days.begins, "ends": days.ends}
