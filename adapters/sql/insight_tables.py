"""Sums of papers of the past, by the days of the shop's time zone; and how far the papers have been added up.

A ``period`` is a day (``2026-01-31``) or a month (``2026-01``): each paper is in one of both.
"""

from sqlalchemy import Column, Index

from adapters.sql.columns import Characters, Flag, Small, check, down, not_negative, number, table, to, words
from storecore.insight.model import AMOUNTS

takings = table(
    "takings",
    Column("day", Characters, primary_key=True),
    Column("tax_rate", Characters, primary_key=True),
    Column("tax_included", Flag, primary_key=True),
    *(number(name) for name in AMOUNTS),
    narrow=True,
)

product_takings = table(
    "product_takings",
    Column("period", Characters, primary_key=True),
    to("product_id", "products.id", key=True),
    number("units"),
    number("units_returned"),
    number("net"),
    down("net"),
    number("refunds"),
    number("cost"),
    Index("ix_product_takings_period_net", "period", "net_down", "product_id"),
    narrow=True,
)

buyer_takings = table(
    "buyer_takings",
    Column("period", Characters, primary_key=True),
    Column("customer_id", Characters, primary_key=True),  # empty for guests
    number("orders"),
    number("spent"),
    down("spent"),
    Index("ix_buyer_takings_period_spent", "period", "spent_down", "customer_id"),
    narrow=True,
)

rolled_up = table(
    "rolled_up",
    Column("id", Small, primary_key=True, autoincrement=False),
    words("timezone"),
    number("invoices"),
    number("credit_notes"),
    check("id = 1", "only_one"),
    *not_negative("invoices", "credit_notes"),
)
