"""Payments, refunds, credit notes, and stock that comes back from customers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _payments()
    _refunds()
    _orders()
    _outbox()
    _stock_moves()


def _payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("reference", TEXT, nullable=True),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempt_key", sa.LargeBinary(), nullable=True),
        sa.Column("failure", TEXT, nullable=True),
        sa.Column("check_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("state IN ('submitted', 'action_needed', 'succeeded', 'failed')", name="ck_payments_state"),
        sa.CheckConstraint("amount >= 0", name="ck_payments_amount"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_payments_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
        sa.UniqueConstraint("provider", "reference", name="uq_payments_provider_reference"),
        sqlite_strict=True,
    )
    op.create_index("ix_payments_order_id_created_at", "payments", ["order_id", "created_at", "id"])
    _partial("uq_payments_order_id", "payments", ["order_id"], "state <> 'failed'", unique=True)
    _partial("ix_payments_check_at", "payments", ["check_at", "id"], "check_at IS NOT NULL")


def _refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=True),
        sa.Column("cause", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("tax", WHOLE, nullable=False),
        sa.Column("shipping", WHOLE, nullable=False),
        sa.Column("shipping_tax", WHOLE, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("expect_return", FLAG, nullable=False),
        sa.Column("disposition", TEXT, nullable=True),
        sa.Column("decided_by", TEXT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("received_at", INSTANT, nullable=True),
        sa.Column("refunded_at", INSTANT, nullable=True),
        sa.Column("payment_id", TEXT, nullable=True),
        sa.Column("payout_at", INSTANT, nullable=True),
        sa.Column("payout_problem", TEXT, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("cause IN ('return', 'cancellation', 'late_payment')", name="ck_refunds_cause"),
        sa.CheckConstraint(
            "status IN ('requested', 'approved', 'rejected', 'withdrawn', 'received', 'refunded')",
            name="ck_refunds_status",
        ),
        sa.CheckConstraint("disposition IN ('restock', 'scrap')", name="ck_refunds_disposition"),
        sa.CheckConstraint("tax >= 0 AND tax <= amount", name="ck_refunds_tax"),
        sa.CheckConstraint("shipping >= 0 AND shipping <= amount", name="ck_refunds_shipping"),
        sa.CheckConstraint("shipping_tax >= 0 AND shipping_tax <= shipping", name="ck_refunds_shipping_tax"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_refunds_order_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["users.id"], name="fk_refunds_customer_id"),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name="fk_refunds_payment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_refunds"),
        sqlite_strict=True,
    )
    for columns in (["order_id"], [], ["customer_id"], ["status"]):
        name = "_".join(["ix_refunds", *columns, "created_at"])
        op.create_index(name, "refunds", [*columns, "created_at", "id"])
    _partial("ix_refunds_payout_at", "refunds", ["payout_at", "id"], "payout_at IS NOT NULL")
    op.create_table(
        "refund_items",
        sa.Column("refund_id", TEXT, nullable=False),
        sa.Column("line_id", TEXT, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("tax", WHOLE, nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_refund_items_quantity"),
        sa.CheckConstraint("tax >= 0 AND tax <= amount", name="ck_refund_items_tax"),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name="fk_refund_items_refund_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_refund_items_product_id"),
        sa.PrimaryKeyConstraint("refund_id", "line_id", name="pk_refund_items"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "credit_notes",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("sequence", WHOLE, nullable=False),
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("refund_id", TEXT, nullable=True),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("seller", TEXT, nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("total", WHOLE, nullable=False),
        sa.Column("tax", WHOLE, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.CheckConstraint("sequence > 0", name="ck_credit_notes_sequence"),
        sa.CheckConstraint("tax >= 0 AND tax <= total", name="ck_credit_notes_tax"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_credit_notes_order_id"),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name="fk_credit_notes_refund_id"),
        sa.PrimaryKeyConstraint("id", name="pk_credit_notes"),
        sa.UniqueConstraint("sequence", name="uq_credit_notes_sequence"),
        sa.UniqueConstraint("refund_id", name="uq_credit_notes_refund_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_credit_notes_order_id", "credit_notes", ["order_id", "sequence"])
    op.create_index("ix_credit_notes_issued_at", "credit_notes", ["issued_at", "id"])
    _partial("uq_credit_notes_order_id", "credit_notes", ["order_id"], "refund_id IS NULL", unique=True)


def _orders() -> None:
    op.add_column("orders", sa.Column("pay_by", INSTANT, nullable=True))
    check = sa.CheckConstraint("refunded >= 0 AND refunded <= total", name="ck_orders_refunded")
    op.add_column("orders", sa.Column("refunded", WHOLE, check, server_default=sa.text("0"), nullable=False))
    op.execute("UPDATE orders SET refunded = total WHERE payment_status = 'refunded'")
    _partial("ix_orders_pay_by", "orders", ["pay_by", "id"], "pay_by IS NOT NULL")
    op.drop_index("ix_orders_to_invoice", "orders")
    _partial(
        "ix_orders_to_invoice",
        "orders",
        ["created_at", "id"],
        "NOT invoiced AND status <> 'cancelled' AND "
        "(payment_provider = 'offline' OR payment_status IN ('paid', 'partly_refunded', 'refunded'))",
    )


def _outbox() -> None:
    op.add_column("outbox", sa.Column("credit_note_id", TEXT, nullable=True))


def _stock_moves() -> None:
    """SQLite changes no CHECK in place: the ledger is copied."""
    reasons = "reason IN ('opening', 'adjustment', 'sale', 'cancellation', 'return')"
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint("ck_stock_moves_reason", "stock_moves")
        op.create_check_constraint("ck_stock_moves_reason", "stock_moves", reasons)
        return
    op.create_table(
        "stock_moves_with_returns",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("change", WHOLE, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("order_id", TEXT, nullable=True),
        sa.Column("actor_id", TEXT, nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint(reasons, name="ck_stock_moves_reason"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_stock_moves_order_id"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_stock_moves_product_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stock_moves"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO stock_moves_with_returns SELECT * FROM stock_moves")
    op.drop_table("stock_moves")
    op.rename_table("stock_moves_with_returns", "stock_moves")
    op.create_index("ix_stock_moves_product_id_at", "stock_moves", ["product_id", "at", "id"])


def _partial(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
