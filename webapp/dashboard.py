"""The dashboard over HTTP: everything at a glance."""

from collections.abc import Iterator, Sequence
from typing import Any

from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.insight.model import Dashboard, Overview
from storecore.notices import Attachment
from storecore.orders.model import Status
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount
from webapp.rankings import LowStockRow, ProductRow, show_low_stock, show_product
from webapp.reports import Range, ReportQuery, SalesView, named, range_of, sheet_of, show_sales

routes = Routes("dashboard", "What the shop earned, and what waits to be done.")


class OverviewView(Range):
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
        **range_of(overview.days),
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
        "top_products": [show_product(row, currency) for row in dashboard.top_products],
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
    return sheet_of(ask, named("dashboard", dashboard.period.days), _dashboard_rows(show_dashboard(dashboard, ask)))


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


@routes.endpoint("GET", "/admin/dashboard", show=show_dashboard, sheet=_dashboard_sheet, may=Permission.REPORTS_READ)
def dashboard(ask: Ask[None, ReportQuery]) -> Dashboard:
    """Today and a period, which is this month unless days are given; and what waits.

    A file has the figures of today and of the period, one in a row.
    """
    return ask.store.insight.dashboard(by=ask.by, first=ask.query.from_, last=ask.query.to)
