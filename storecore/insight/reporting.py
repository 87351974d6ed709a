"""Reports and the dashboard, for those who run the shop."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

from storecore import checks
from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.catalog.model import Product
from storecore.insight.days import By, Days, day_of, month_of
from storecore.insight.model import Buyers, Dashboard, Goods, Overview, Sales, SalesReport, Takings
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.ports import Unit
from storecore.shop import Shop
from storecore.transactions import Activity, reading, writing

MOST = 1000
"""Rows of a ranking."""
AT_A_GLANCE = 5
"""Rows of a ranking on the dashboard."""
FEW = 200
"""Papers that are as quickly added up as looked up: fewer are not worth a transaction of the worker."""
AT_ONCE = 1000
"""Papers that the worker adds up in one transaction."""


@dataclass(frozen=True, kw_only=True)
class Reporting(Activity):
    """What the books add up to; ``storecore.insight.model`` defines each figure.

    Days are those of the shop's time zone. Without a last day a range ends today, without a first one it begins with
    the month of its last.
    """

    shop: Shop

    @reading
    def dashboard(self, unit: Unit, *, by: Actor, first: date | None = None, last: date | None = None) -> Dashboard:
        """Today and a period, which is this month unless days are named."""
        require(by, Permission.REPORTS_READ)
        today = day_of(unit.now, self.shop.timezone)
        period = month_of(today, self.shop.timezone) if first is last is None else self._days(unit, first, last)
        few = PageRequest(limit=AT_A_GLANCE)
        return Dashboard(
            today=self._overview(unit, Days(first=today, last=today, timezone=self.shop.timezone)),
            period=self._overview(unit, period),
            top_products=tuple(unit.insight.products(period, AT_A_GLANCE)),
            low_stock=unit.stock.low(self.shop.low_stock_at, few).items,
            waiting=unit.insight.waiting(),
        )

    @reading
    def sales(
        self, unit: Unit, *, by: Actor, first: date | None = None, last: date | None = None, cut: By = By.DAY
    ) -> SalesReport:
        """The figures of each day, week or month, those without any trade included.

        Raises ``Invalid`` for more than 400 of them.
        """
        require(by, Permission.REPORTS_READ)
        days = self._days(unit, first, last)
        parts = days.by(cut)
        takings = unit.insight.takings(days)
        begins = [part.first for part in parts]
        found: list[list[Takings]] = [[] for _ in parts]
        for each in takings:
            found[bisect_right(begins, each.day) - 1].append(each)
        currency = self.shop.currency
        return SalesReport(
            days=days,
            parts=tuple((part, Sales.of(own, currency)) for part, own in zip(parts, found, strict=True)),
            total=Sales.of(takings, currency),
        )

    @reading
    def top_products(
        self, unit: Unit, *, by: Actor, first: date | None = None, last: date | None = None, most: int = 100
    ) -> Goods:
        """The products with the greatest net revenue, up to ``most`` (1 to 1,000) of them."""
        require(by, Permission.REPORTS_READ)
        days = self._days(unit, first, last)
        return Goods(days=days, rows=tuple(unit.insight.products(days, _most(most))))

    @reading
    def categories(self, unit: Unit, *, by: Actor, first: date | None = None, last: date | None = None) -> Goods:
        """What each category contributes, by how products are filed now."""
        require(by, Permission.REPORTS_READ)
        days = self._days(unit, first, last)
        return Goods(days=days, rows=tuple(unit.insight.categories(days)))

    @reading
    def customers(
        self, unit: Unit, *, by: Actor, first: date | None = None, last: date | None = None, most: int = 100
    ) -> Buyers:
        """The customers who spent most, up to ``most`` (1 to 1,000) of them, and guests together."""
        require(by, Permission.REPORTS_READ)
        days = self._days(unit, first, last)
        best, guests = unit.insight.customers(days, _most(most))
        return Buyers(days=days, best=tuple(best), guests=guests, new_users=unit.insight.new_users(days))

    @reading
    def low_stock(
        self, unit: Unit, *, by: Actor, at_most: int | None = None, page: PageRequest = FIRST_PAGE
    ) -> Page[Product]:
        """Active products of which ``at_most`` are left (the shop's own mark if that is None), fewest first."""
        require(by, Permission.REPORTS_READ)
        return unit.stock.low(self.shop.low_stock_at if at_most is None else at_most, page)

    def roll_up(self, *, fewest: int = FEW, most: int = AT_ONCE) -> int:
        """The worker's: add up to ``most`` new papers to what is kept, if ``fewest`` wait for it; how many it added.

        Reports say the same before and after; they only cost less.
        """
        return self._roll_up(most=most) if self._to_roll_up() >= fewest else 0

    @reading
    def _to_roll_up(self, unit: Unit) -> int:
        return unit.insight.to_roll_up(self.shop.timezone)

    @writing
    def _roll_up(self, unit: Unit, *, most: int) -> int:
        return unit.insight.roll_up(self.shop.timezone, most)

    def _overview(self, unit: Unit, days: Days) -> Overview:
        return Overview(
            days=days,
            sales=Sales.of(unit.insight.takings(days), self.shop.currency),
            orders_by_status=unit.insight.placed(days),
            new_users=unit.insight.new_users(days),
        )

    def _days(self, unit: Unit, first: date | None, last: date | None) -> Days:
        """Raises ``Invalid`` naming ``from`` or ``to``."""
        if last is None:
            today = day_of(unit.now, self.shop.timezone)
            last = today if first is None else max(first, today)
        return Days(first=last.replace(day=1) if first is None else first, last=last, timezone=self.shop.timezone)


def _most(most: int) -> int:
    return checks.whole(most, "limit", least=1, most=MOST)
