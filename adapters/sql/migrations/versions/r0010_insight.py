"""Sums of invoices and credit notes, for reports."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "takings",
        sa.Column("day", TEXT, nullable=False),
        sa.Column("tax_rate", TEXT, nullable=False),
        sa.Column("tax_included", FLAG, nullable=False),
        sa.Column("orders", WHOLE, nullable=False),
        sa.Column("units", WHOLE, nullable=False),
        sa.Column("listed", WHOLE, nullable=False),
        sa.Column("reduced", WHOLE, nullable=False),
        sa.Column("goods_tax", WHOLE, nullable=False),
        sa.Column("tax", WHOLE, nullable=False),
        sa.Column("shipping", WHOLE, nullable=False),
        sa.Column("cost", WHOLE, nullable=False),
        sa.Column("invoiced", WHOLE, nullable=False),
        sa.Column("units_returned", WHOLE, nullable=False),
        sa.Column("refunds", WHOLE, nullable=False),
        sa.Column("refunded_tax", WHOLE, nullable=False),
        sa.Column("refunded_shipping", WHOLE, nullable=False),
        sa.Column("credited", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("day", "tax_rate", "tax_included", name="pk_takings"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "product_takings",
        sa.Column("period", TEXT, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("units", WHOLE, nullable=False),
        sa.Column("units_returned", WHOLE, nullable=False),
        sa.Column("net", WHOLE, nullable=False),
        sa.Column("net_down", WHOLE, sa.Computed("-net", persisted=True), nullable=False),
        sa.Column("refunds", WHOLE, nullable=False),
        sa.Column("cost", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_product_takings_product_id"),
        sa.PrimaryKeyConstraint("period", "product_id", name="pk_product_takings"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_product_takings_period_net", "product_takings", ["period", "net_down", "product_id"])
    op.create_table(
        "buyer_takings",
        sa.Column("period", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("orders", WHOLE, nullable=False),
        sa.Column("spent", WHOLE, nullable=False),
        sa.Column("spent_down", WHOLE, sa.Computed("-spent", persisted=True), nullable=False),
        sa.PrimaryKeyConstraint("period", "customer_id", name="pk_buyer_takings"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_buyer_takings_period_spent", "buyer_takings", ["period", "spent_down", "customer_id"])
    op.create_table(
        "rolled_up",
        sa.Column("id", SMALL, autoincrement=False, nullable=False),
        sa.Column("timezone", TEXT, nullable=False),
        sa.Column("invoices", WHOLE, nullable=False),
        sa.Column("credit_notes", WHOLE, nullable=False),
        sa.CheckConstraint("id = 1", name="ck_rolled_up_only_one"),
        sa.CheckConstraint("invoices >= 0", name="ck_rolled_up_invoices"),
        sa.CheckConstraint("credit_notes >= 0", name="ck_rolled_up_credit_notes"),
        sa.PrimaryKeyConstraint("id", name="pk_rolled_up"),
        sqlite_strict=True,
    )
