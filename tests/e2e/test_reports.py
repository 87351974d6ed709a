"""The dashboard and reports over HTTP, and as files."""

import csv
from decimal import Decimal
from io import StringIO
from typing import Any

import httpx

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from tests.e2e.conftest import LiveShop, MovableClock, problem
from tests.e2e.goods import order_of

TODAY = {"from": "2026-01-15", "to": "2026-01-15"}
REPORTS = ("sales", "top-products", "categories", "customers", "low-stock")


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8"), answer.text
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(StringIO(answer.text, newline="")))


def traded(live: LiveShop) -> tuple[httpx.Client, dict[str, Any]]:
    """A sales manager, and the product of which a customer bought three and a guest one."""
    hat = live.hat(price="20.00", name="=HAT()")
    live.customer(full_name="Ada King Lovelace").post("/orders", json=order_of((hat, 3)))
    live.visitor().post("/orders", json=order_of((hat, 1), email="guest@example.com"))
    sales = live.staff(Role.SALES_MANAGER)
    return sales, sales.get(f"/products/{hat}").json()


def test_a_sale_is_on_the_dashboard_at_once_and_the_books_agree_once_it_is_invoiced(live: LiveShop) -> None:
    sales, hat = traded(live)
    for worked in (False, True):
        if worked:
            live.store.work()
        shown = sales.get("/admin/dashboard").json()
        assert shown["currency"] == "USD"
        assert shown["today"]["from"] == shown["today"]["to"] == "2026-01-15"
        assert (shown["period"]["from"], shown["period"]["to"]) == ("2026-01-01", "2026-01-31")
        assert shown["today"]["revenue"] == shown["period"]["revenue"] == "80.00"
        assert shown["today"]["profit"] == "40.00"
        assert shown["today"]["orders_by_status"]["pending"] == 2
        assert [(row["sku"], row["units"], row["net"]) for row in shown["top_products"]] == [(hat["sku"], 4, "80.00")]
    invoices = sales.get("/invoices", params=TODAY).json()["items"]
    figures = sales.get("/admin/dashboard").json()["today"]["sales"]
    assert sum(Decimal(each["total"]) for each in invoices) == Decimal(figures["invoiced"])


def test_a_cancelled_order_is_taken_back_on_the_day_it_is_cancelled(live: LiveShop, clock: MovableClock) -> None:
    hat, customer = live.hat(price="20.00"), live.customer()
    order = customer.post("/orders", json=order_of((hat, 2))).json()
    live.store.work()
    clock.forward(days=1)
    live.store.orders.cancel(by=SYSTEM, order_id=order["id"])
    report = live.staff(Role.SALES_MANAGER).get("/admin/reports/sales", params={"from": "2026-01-14"}).json()
    assert [(row["from"], row["net"], row["orders"]) for row in report["items"]] == [
        ("2026-01-14", "0.00", 0),
        ("2026-01-15", "40.00", 1),
        ("2026-01-16", "-40.00", -1),
    ]
    assert (report["total"]["net"], report["total"]["units"], report["total"]["refunds"]) == ("0.00", 0, "0.00")
    assert report["total"]["invoiced"] == report["total"]["credited"] == order["total"]


def test_sales_by_week_and_month_add_up_to_the_days(live: LiveShop) -> None:
    sales, _ = traded(live)
    long = {"from": "2025-12-30", "to": "2026-02-02"}
    for by, parts in (("day", 35), ("week", 6), ("month", 3)):
        report = sales.get("/admin/reports/sales", params={**long, "by": by}).json()
        assert len(report["items"]) == parts
        assert report["total"]["gross"] == "80.00"
        assert [row["net"] for row in report["items"] if row["orders"]] == ["80.00"]
        assert (report["items"][0]["from"], report["items"][-1]["to"]) == ("2025-12-30", "2026-02-02")
    weeks = sales.get("/admin/reports/sales", params={**long, "by": "week"}).json()["items"]
    assert [row["from"] for row in weeks[1:3]] == ["2026-01-05", "2026-01-12"], "weeks begin on Monday"


def test_each_report_says_who_and_what(live: LiveShop) -> None:
    sales, hat = traded(live)
    (row,) = sales.get("/admin/reports/top-products", params=TODAY).json()["items"]
    assert row == {
        "product_id": hat["id"],
        "sku": hat["sku"],
        "name": "=HAT()",
        "units": 4,
        "units_returned": 0,
        "net": "80.00",
        "refunds": "0.00",
        "cost": "40.00",
        "profit": "40.00",
    }
    (category,) = sales.get("/admin/reports/categories", params=TODAY).json()["items"]
    assert (category["category_id"], category["net"], category["share"]) == (
        hat["categories"][0]["id"],
        "80.00",
        "100.00",
    )
    customers = sales.get("/admin/reports/customers", params=TODAY).json()
    assert [(each["display_name"], each["orders"]) for each in customers["items"]] == [("Ada L.", 1)]
    assert customers["guests"]["orders"] == 1
    assert "email" not in str(customers)
    assert customers["new_users"] >= 1
    low = sales.get("/admin/reports/low-stock", params={"at_most": 1000, "include_total": "true"}).json()
    assert low["total"] == 1
    assert low["items"][0]["product_id"] == hat["id"]


def test_every_report_is_a_file_too_with_the_same_figures_and_no_formula(live: LiveShop) -> None:
    sales, hat = traded(live)
    (day,) = rows_of(sales.get("/admin/reports/sales", params={**TODAY, "format": "csv"}))
    (shown,) = sales.get("/admin/reports/sales", params=TODAY).json()["items"]
    assert day == {name: str(value) for name, value in shown.items()} | {"currency": "USD"}
    for report in REPORTS[1:]:
        params = {"format": "csv"} | ({"at_most": "1000"} if report == "low-stock" else TODAY)
        rows = rows_of(sales.get(f"/admin/reports/{report}", params=params))
        assert len(rows) == 1
        assert rows[0].get("name") in (None, "'=HAT()", hat["categories"][0]["name"])
        assert not any(value.startswith(tuple("=+-@")) for value in rows[0].values())
    figures = {row["figure"]: row["today"] for row in rows_of(sales.get("/admin/dashboard", params={"format": "csv"}))}
    assert (figures["net"], figures["orders pending"]) == ("80.00", "2")


def test_negative_amounts_in_a_file_are_neutralised_like_every_cell(live: LiveShop, clock: MovableClock) -> None:
    customer, hat = live.customer(), live.hat(price="20.00")
    order = customer.post("/orders", json=order_of((hat, 2))).json()
    live.store.work()
    clock.forward(days=1)
    live.store.orders.cancel(by=SYSTEM, order_id=order["id"])
    params = {"from": "2026-01-16", "to": "2026-01-16", "format": "csv"}
    (row,) = rows_of(live.staff(Role.SALES_MANAGER).get("/admin/reports/sales", params=params))
    assert (row["net"], row["orders"], row["credited"]) == ("'-40.00", "'-1", order["total"])


def test_low_stock_in_a_file_goes_beyond_the_page(live: LiveShop) -> None:
    for number in range(4):
        live.hat(name=f"Hat {number}")
    rows = rows_of(
        live.staff(Role.ADMIN).get("/admin/reports/low-stock", params={"at_most": 1000, "limit": 2, "format": "csv"})
    )
    assert len({row["product_id"] for row in rows}) == 4


def test_a_range_that_makes_no_sense_names_the_field(live: LiveShop) -> None:
    sales = live.staff(Role.SALES_MANAGER)
    for query, field in (
        ({"from": "2026-01-02", "to": "2026-01-01"}, "to"),
        ({"from": "2001-01-01", "to": "2026-01-01"}, "to"),
        ({"from": "0001-01-01", "to": "0001-01-01"}, "from"),
        ({"from": "9999-12-31"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"to": "0001-01-01"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2024-01-01", "to": "2026-01-01"}, "by"),
        ({"by": "year"}, "by"),
        ({"format": "pdf"}, "format"),
    ):
        answer = problem(sales.get("/admin/reports/sales", params=query), 422, "invalid")
        assert field in [error["field"] for error in answer["errors"]], query
    for limit in ("0", "1001", "many"):
        problem(sales.get("/admin/reports/customers", params={"limit": limit}), 422, "invalid")
