"""The dashboard and reports over HTTP, as JSON or as CSV files, for those who may read reports."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.catalog.model import MAX_STOCK, Product
from storecore.insight.days import By, Days
from storecore.insight.model import (
    BuyerTakings,
    Buyers,
    Dashboard,
    Goods,
    GoodsTakings,
    Overview,
    Sales,
    SalesReport,
)
from storecore.insight.reporting import MOST
from storecore.lists import MAX_LIMIT, Page, PageRequest
from storecore.money import Money, half_up
from storecore.notices import Attachment
from storecore.orders.model import Status
from storecore.sheet import written
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount, Choice
from webapp.http.validation import Query
from webapp.periods import Period

routes = Routes("reports", "What the shop earned, what sells, who buys, and what waits to be done.")


class Format(StrEnum):
    """How a report is answered."""

    JSON = "json"
    CSV = "csv"


class Sheet(Query):
    """What every report can be."""

    format: Choice[Format] = Field(
        Format.JSON, description="`csv` answers a file: amounts as here, and no cell that a spreadsheet would run."
    )


class ReportQuery(Period, Sheet):
    """Days in the shop's time zone, both included; from the beginning of the month until today unless they are given."""


class SalesQuery(ReportQuery):
    """How finely."""

    by: Choice[By] = Field(By.DAY, description="Weeks begin on Monday. At most 400 rows.")


class RankingQuery(ReportQuery):
    """How many."""

    limit: int = Field(100, ge=1, le=MOST, description="The best so many.")


class LowStockQuery(Sheet):
    """Which products."""

    at_most: Annotated[int, Field(ge=0, le=MAX_STOCK)] | None = Field(
        None, description="Units left; the shop's own mark unless it is given."
    )


_Range = TypedDict("_Range", {"from": date, "to": date})


class SalesView(TypedDict):
    """Amounts without tax, but for the taxes and for what was `invoiced` and `credited`.

    `net = gross - discounts`, `profit = net - refunds - cost`, and
    `invoiced - credited = net + tax + shipping - refunds - refunded_tax - refunded_shipping`. A sale counts on the day
    of its invoice, what takes it back or part of it on the day of the credit note.
    """

    orders: int
    units: int
    units_returned: int
    gross: Amount
    discounts: Amount
    net: Amount
    tax: Amount
    shipping: Amount
    refunds: Amount
    refunded_tax: Amount
    refunded_shipping: Amount
    cost: Amount
    profit: Amount
    invoiced: Amount
    credited: Amount


class PartView(_Range, SalesView):
    """A day, week or month, as far as it is in the range."""


class SalesReportView(_Range):
    """The figures of each part, and of all of them."""

    currency: str
    items: list[PartView]
    total: SalesView


_GOODS = ("units", "units_returned", "net", "refunds", "cost", "profit")


def _range(days: Days) -> _Range:
    return {"from": days.first, "to": days.last}


def show_sales(sales: Sales) -> SalesView:
    """The figures."""
    return {
        "orders": sales.orders,
        "units": sales.units,
        "units_returned": sales.units_returned,
        "gross": str(sales.gross),
        "discounts": str(sales.discounts),
        "net": str(sales.net),
        "tax": str(sales.tax),
        "shipping": str(sales.shipping),
        "refunds": str(sales.refunds),
        "refunded_tax": str(sales.refunded_tax),
        "refunded_shipping": str(sales.refunded_shipping),
        "cost": str(sales.cost),
        "profit": str(sales.profit),
        "invoiced": str(sales.invoiced),
        "credited": str(sales.credited),
    }


def show_sales_report(report: SalesReport, ask: Ask[Any, Any]) -> SalesReportView:
    """The sales of a range."""
    return {
        **_range(report.days),
        "currency": ask.store.shop.currency,
        "items": [{**_range(days), **show_sales(sales)} for days, sales in report.parts],
        "total": show_sales(report.total),
    }


def _file(ask: Ask[Any, Any], name: str, rows: Iterable[Sequence[object]]) -> Attachment | None:
    """The rows as a CSV file, if one was asked for; None is an empty cell."""
    if ask.query.format is not Format.CSV:
        return None
    lines = written([["" if cell is None else str(cell) for cell in row] for row in rows])
    return Attachment(name=f"{name}.csv", media_type="text/csv; charset=utf-8", content="".join(lines).encode())


def _named(name: str, days: Days) -> str:
    return f"{name}-{days.first}-{days.last}"


def _sales_sheet(report: SalesReport, ask: Ask[Any, Any]) -> Attachment | None:
    return _file(ask, _named("sales", report.days), _sales_rows(report, ask.store.shop.currency))


def _sales_rows(report: SalesReport, currency: str) -> Iterator[Sequence[object]]:
    yield ("from", "to", *SalesView.__annotations__, "currency")
    for days, sales in report.parts:
        yield (days.first, days.last, *show_sales(sales).values(), currency)


@routes.endpoint(
    "GET", "/admin/reports/sales", show=show_sales_report, sheet=_sales_sheet, may=Permission.REPORTS_READ
)
def sales(ask: Ask[None, SalesQuery]) -> SalesReport:
    """Sales by day, week or month.

    Days without any trade are there too.
    """
    query = ask.query
    return ask.store.insight.sales(by=ask.by, first=query.from_, last=query.to, cut=query.by)


# Products and categories.


class GoodsView(TypedDict):
    """What sold; amounts without tax."""

    units: int
    units_returned: int
    net: Amount
    refunds: Amount
    cost: Amount
    profit: Amount


class ProductRow(GoodsView):
    """A product's part in the sales, under the name that it has now."""

    product_id: str
    sku: str
    name: str


class ProductsReport(_Range):
    """Products by net revenue."""

    currency: str
    items: list[ProductRow]


class CategoryRow(GoodsView):
    """A category's part in the sales; null for categories that are gone. `share` is its percentage of net revenue."""

    category_id: str | None
    name: str | None
    share: Amount | None


class CategoriesReport(_Range):
    """Categories by net revenue, which add up to the sales: a product counts in the first of its categories."""

    currency: str
    items: list[CategoryRow]


def _show_goods(row: GoodsTakings, currency: str) -> GoodsView:
    return {
        "units": row.units,
        "units_returned": row.units_returned,
        "net": str(Money(row.net, currency)),
        "refunds": str(Money(row.refunds, currency)),
        "cost": str(Money(row.cost, currency)),
        "profit": str(Money(row.profit, currency)),
    }


def _show_product(row: GoodsTakings, currency: str) -> ProductRow:
    return {
        "product_id": row.id or "",
        "sku": row.sku or "",
        "name": row.name or "",
        **_show_goods(row, currency),
    }


def show_products(goods: Goods, ask: Ask[Any, Any]) -> ProductsReport:
    """The best products."""
    currency = ask.store.shop.currency
    return {
        **_range(goods.days),
        "currency": currency,
        "items": [_show_product(row, currency) for row in goods.rows],
    }


def show_categories(goods: Goods, ask: Ask[Any, Any]) -> CategoriesReport:
    """Every category."""
    currency, net = ask.store.shop.currency, sum(row.net for row in goods.rows)
    return {
        **_range(goods.days),
        "currency": currency,
        "items": [
            {
                "category_id": row.id,
                "name": row.name,
                "share": str(Money(half_up(row.net * 100_00, net), "USD")) if net > 0 else None,
                **_show_goods(row, currency),
            }
            for row in goods.rows
        ],
    }


def _report_sheet(name: str, report: Any, ask: Ask[Any, Any], *columns: str) -> Attachment | None:
    """These columns of its items, and the currency in the last one."""
    rows = ([*(item[column] for column in columns), report["currency"]] for item in report["items"])
    return _file(ask, name, [(*columns, "currency"), *rows])


def _products_sheet(goods: Goods, ask: Ask[Any, Any]) -> Attachment | None:
    name = _named("products", goods.days)
    return _report_sheet(name, show_products(goods, ask), ask, "product_id", "sku", "name", *_GOODS)


def _categories_sheet(goods: Goods, ask: Ask[Any, Any]) -> Attachment | None:
    name = _named("categories", goods.days)
    return _report_sheet(name, show_categories(goods, ask), ask, "category_id", "name", "share", *_GOODS)


@routes.endpoint(
    "GET", "/admin/reports/top-products", show=show_products, sheet=_products_sheet, may=Permission.REPORTS_READ
)
def top_products(ask: Ask[None, RankingQuery]) -> Goods:
    """The products with the greatest net revenue."""
    query = ask.query
    return ask.store.insight.top_products(by=ask.by, first=query.from_, last=query.to, most=query.limit)


@routes.endpoint(
    "GET", "/admin/reports/categories", show=show_categories, sheet=_categories_sheet, may=Permission.REPORTS_READ
)
def categories(ask: Ask[None, ReportQuery]) -> Goods:
    """What each category contributes, by how products are filed now."""
    return ask.store.insight.categories(by=ask.by, first=ask.query.from_, last=ask.query.to)


# Customers.


class BuyerView(TypedDict):
    """`spent` is what was invoiced less what was credited, tax and shipping included."""

    orders: int
    spent: Amount


class CustomerRow(BuyerView):
    """A customer, under the name that anybody may see."""

    customer_id: str
    display_name: str


class CustomersReport(_Range):
    """Customers by what they spent, all guests together, and how many accounts were opened."""

    currency: str
    items: list[CustomerRow]
    guests: BuyerView
    new_users: int


def _show_buyer(row: BuyerTakings, currency: str) -> BuyerView:
    return {"orders": row.orders, "spent": str(Money(row.spent, currency))}


def show_customers(buyers: Buyers, ask: Ask[Any, Any]) -> CustomersReport:
    """Who bought."""
    currency = ask.store.shop.currency
    return {
        **_range(buyers.days),
        "currency": currency,
        "items": [
            {"customer_id": row.id or "", "display_name": row.name or "", **_show_buyer(row, currency)}
            for row in buyers.best
        ],
        "guests": _show_buyer(buyers.guests, currency),
        "new_users": buyers.new_users,
    }


def _customers_sheet(buyers: Buyers, ask: Ask[Any, Any]) -> Attachment | None:
    name = _named("customers", buyers.days)
    return _report_sheet(name, show_customers(buyers, ask), ask, "customer_id", "display_name", "orders", "spent")


@routes.endpoint(
    "GET", "/admin/reports/customers", show=show_customers, sheet=_customers_sheet, may=Permission.REPORTS_READ
)
def customers(ask: Ask[None, RankingQuery]) -> Buyers:
    """The customers who spent most."""
    query = ask.query
    return ask.store.insight.customers(by=ask.by, first=query.from_, last=query.to, most=query.limit)


# Stock.


class LowStockRow(TypedDict):
    """A product that runs out."""

    product_id: str
    sku: str
    name: str
    stock: int


def show_low_stock(product: Product) -> LowStockRow:
    """How many are left."""
    return {"product_id": product.id, "sku": product.sku, "name": product.name, "stock": product.stock}


def _low_stock_sheet(page: Page[Product], ask: Ask[Any, Any]) -> Attachment | None:
    return _file(ask, "low-stock", _low_stock_rows(page, ask))


def _low_stock_rows(page: Page[Product], ask: Ask[Any, Any]) -> Iterator[Sequence[object]]:
    """Of this page and all that follow."""
    yield tuple(LowStockRow.__annotations__)
    yield from (tuple(show_low_stock(product).values()) for product in page.items)
    while page.next is not None:
        following = PageRequest(limit=MAX_LIMIT, after=page.next)
        page = ask.store.insight.low_stock(by=ask.by, at_most=ask.query.at_most, page=following)
        yield from (tuple(show_low_stock(product).values()) for product in page.items)


@routes.endpoint(
    "GET", "/admin/reports/low-stock", show=show_low_stock, sheet=_low_stock_sheet, may=Permission.REPORTS_READ
)
def low_stock(ask: Ask[None, LowStockQuery]) -> Page[Product]:
    """Products of which few are left, fewest first.

    A file has all of them, from the page that was asked for.
    """
    return ask.store.insight.low_stock(by=ask.by, at_most=ask.query.at_most, page=ask.page)


# The dashboard.


class OverviewView(_Range):
    """Some days. `revenue` is the net revenue; orders by status are those placed in these days, where they are now."""

    revenue: Amount
    profit: Amount
    sales: SalesView
    orders_by_status: dict[Status, int]
    new_users: int


class WaitingView(TypedDict):
    """How much waits for the staff."""

    reviews: int
    refunds_to_decide: int
    returns_to_receive: int
    refunds_to_pay_out: int
    conversations: int


class DashboardView(TypedDict):
    """Everything at a glance: the best products of the period, and the products of which fewest are left."""

    currency: str
    today: OverviewView
    period: OverviewView
    top_products: list[ProductRow]
    low_stock: list[LowStockRow]
    waiting: WaitingView


def _show_overview(overview: Overview) -> OverviewView:
    return {
        **_range(overview.days),
        "revenue": str(overview.sales.net),
        "profit": str(overview.sales.profit),
        "sales": show_sales(overview.sales),
        "orders_by_status": dict(overview.orders_by_status),
        "new_users": overview.new_users,
    }


def show_dashboard(dashboard: Dashboard, ask: Ask[Any, Any]) -> DashboardView:
    """Everything."""
    currency, waiting = ask.store.shop.currency, dashboard.waiting
    return {
        "currency": currency,
        "today": _show_overview(dashboard.today),
        "period": _show_overview(dashboard.period),
        "top_products": [_show_product(row, currency) for row in dashboard.top_products],
        "low_stock": [show_low_stock(product) for product in dashboard.low_stock],
        "waiting": {
            "reviews": waiting.reviews,
            "refunds_to_decide": waiting.refunds_to_decide,
            "returns_to_receive": waiting.returns_to_receive,
            "refunds_to_pay_out": waiting.refunds_to_pay_out,
            "conversations": waiting.conversations,
        },
    }


def _dashboard_sheet(dashboard: Dashboard, ask: Ask[Any, Any]) -> Attachment | None:
    return _file(ask, _named("dashboard", dashboard.period.days), _dashboard_rows(show_dashboard(dashboard, ask)))


def _dashboard_rows(view: DashboardView) -> Iterator[Sequence[object]]:
    """A figure in each row, of today and of the period."""
    today, period = view["today"], view["period"]
    yield ("figure", "today", "period")
    yield ("from", today["from"], period["from"])
    yield ("to", today["to"], period["to"])
    for (name, of_today), of_period in zip(today["sales"].items(), period["sales"].values(), strict=True):
        yield (name, of_today, of_period)
    for status in Status:
        yield (f"orders {status}", today["orders_by_status"][status], period["orders_by_status"][status])
    yield ("new_users", today["new_users"], period["new_users"])
    yield ("currency", view["currency"], view["currency"])


@routes.endpoint(
    "GET", "/admin/dashboard", show=show_dashboard, sheet=_dashboard_sheet, may=Permission.REPORTS_READ
)
def dashboard(ask: Ask[None, ReportQuery]) -> Dashboard:
    """Today and a period, which is this month unless days are given; and what waits.

    A file has the figures of today and of the period, one in a row.
    """
    return ask.store.insight.dashboard(by=ask.by, first=ask.query.from_, last=ask.query.to)
