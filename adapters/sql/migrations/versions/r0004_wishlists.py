"""Wishlists, and news that wishers are still to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "wishes",
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_wishes_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_wishes_product_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "product_id", name="pk_wishes"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_wishes_user_id_created_at", "wishes", ["user_id", "created_at", "product_id"])
    op.create_index("ix_wishes_product_id", "wishes", ["product_id", "user_id", "created_at"])
    op.create_table(
        "wish_alerts",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("news", TEXT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("price", WHOLE, nullable=False),
        sa.Column("final_price", WHOLE, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("percent", WHOLE, nullable=True),
        sa.Column("ends_at", INSTANT, nullable=True),
        sa.Column("told", TEXT, nullable=False),
        sa.CheckConstraint("news IN ('discount', 'restock')", name="ck_wish_alerts_news"),
        sa.CheckConstraint("(news = 'discount') = (percent IS NOT NULL)", name="ck_wish_alerts_percent"),
        sa.CheckConstraint("price >= 0", name="ck_wish_alerts_price"),
        sa.CheckConstraint("final_price >= 0", name="ck_wish_alerts_final_price"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_wish_alerts_product_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_wish_alerts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_wish_alerts_at", "wish_alerts", ["at", "id"])
