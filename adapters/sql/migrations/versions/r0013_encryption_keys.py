"""Which keys something may be encrypted with, so that a missing one is noticed before anything is read."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "encryption_keys",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_encryption_keys"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
