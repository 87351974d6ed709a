"""Reviews."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("author_id", TEXT, nullable=False),
        sa.Column("rating", WHOLE, nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=True),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="ck_reviews_rating"),
        sa.CheckConstraint("status IN ('pending', 'published', 'rejected')", name="ck_reviews_status"),
        sa.CheckConstraint("private IS NOT NULL OR status = 'published'", name="ck_reviews_comment"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_reviews_product_id"),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_reviews_author_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
        sa.UniqueConstraint("author_id", "product_id", name="uq_reviews_author_id_product_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_reviews_author_id_created_at", "reviews", ["author_id", "created_at", "id"])
    _partial("ix_reviews_published", ["product_id", "created_at", "id"], "status = 'published'")
    _partial("ix_reviews_to_moderate", ["updated_at", "id"], "status = 'pending'")


def _partial(name: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "reviews", columns, sqlite_where=where, postgresql_where=where)
