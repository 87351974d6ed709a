"""What is bought together. Orders of before are counted by the worker, the newest first."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TO_COUNT = "counted = (status = 'cancelled' OR payment_status = 'refunded')"


def upgrade() -> None:
    op.add_column("orders", sa.Column("counted", FLAG, nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_orders_to_count",
        "orders",
        ["created_at", "id"],
        sqlite_where=sa.text(TO_COUNT),
        postgresql_where=sa.text(TO_COUNT),
    )
    op.create_table(
        "copurchases",
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("other_id", TEXT, nullable=False),
        sa.Column("orders", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_copurchases_product_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["other_id"], ["products.id"], name="fk_copurchases_other_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("product_id", "other_id", name="pk_copurchases"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_copurchases_orders", "copurchases", ["product_id", "orders", "other_id"])
    op.create_table(
        "demand",
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("orders", WHOLE, nullable=False),
        sa.Column("heat", REAL, nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_demand_product_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("product_id", name="pk_demand"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_demand_heat", "demand", ["heat", "product_id"])
