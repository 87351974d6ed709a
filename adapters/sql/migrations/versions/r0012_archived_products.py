"""The archived products, few as they are, in an index."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0006"


def upgrade() -> None:
    op.create_index(
        "ix_products_archived",
        "products",
        ["id"],
        sqlite_where=sa.text("is_active = 0"),
        postgresql_where=sa.text("NOT is_active"),
    )
