"""Reports over HTTP, as JSON or as CSV files, and the first of them: sales."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import Field
from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.insight.days import By, Days
from storecore.insight.model import (
    Sales,
    SalesReport,
)
from storecore.notices import Attachment
from storecore.sheet import written
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount, Choice
from webapp.http.validation import Query
from webapp.periods import Period

routes = Routes("reports", "Sales by day, week or month.")


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
    """Days in the shop's time zone, both included; unless they are given, from the first of the month until today."""


class SalesQuery(ReportQuery):
    """How finely."""

    by: Choice[By] = Field(By.DAY, description="Weeks begin on Monday. At most 400 rows.")


Range = TypedDict("Range", {"from": date, "to": date})
"""The first and the last day."""


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


class PartView(Range, SalesView):
    """A day, week or month, as far as it is in the range."""


class SalesReportView(Range):
    """The figures of each part, and of all of them."""

    currency: str
    items: list[PartView]
    total: SalesView


def range_of(days: Days) -> Range:
    """The days of a report."""
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
        **range_of(report.days),
        "currency": ask.store.shop.currency,
        "items": [{**range_of(days), **show_sales(sales)} for days, sales in report.parts],
        "total": show_sales(report.total),
    }


def sheet_of(ask: Ask[Any, Any], name: str, rows: Iterable[Sequence[object]]) -> Attachment | None:
    """The rows as a CSV file, if one was asked for; None is an empty cell."""
    if ask.query.format is not Format.CSV:
        return None
    lines = written([["" if cell is None else str(cell) for cell in row] for row in rows])
    return Attachment(name=f"{name}.csv", media_type="text/csv; charset=utf-8", content="".join(lines).encode())


def named(name: str, days: Days) -> str:
    """What a file about these days is called."""
    return f"{name}-{days.first}-{days.last}"


def _sales_sheet(report: SalesReport, ask: Ask[Any, Any]) -> Attachment | None:
    return sheet_of(ask, named("sales", report.days), _sales_rows(report, ask.store.shop.currency))


def _sales_rows(report: SalesReport, currency: str) -> Iterator[Sequence[object]]:
    yield ("from", "to", *SalesView.__annotations__, "currency")
    for days, sales in report.parts:
        yield (days.first, days.last, *show_sales(sales).values(), currency)


@routes.endpoint("GET", "/admin/reports/sales", show=show_sales_report, sheet=_sales_sheet, may=Permission.REPORTS_READ)
def sales(ask: Ask[None, SalesQuery]) -> SalesReport:
    """Sales by day, week or month.

    Days without any trade are there too.
    """
    query = ask.query
    return ask.store.insight.sales(by=ask.by, first=query.from_, last=query.to, cut=query.by)
