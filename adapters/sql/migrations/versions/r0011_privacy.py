"""Whose mail it is, what agents said, and papers that name nobody any more: for the erasure of a person.

Mail that was written before does not say whose it is; it is forgotten 30 days after it was sent, as ever.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for papers in ("invoices", "credit_notes"):
        op.add_column(papers, sa.Column("forgotten_at", INSTANT, nullable=True))
        _partial(f"ix_{papers}_naming", papers, ["issued_at", "id"], "forgotten_at IS NULL")
    op.add_column("outbox", sa.Column("user_id", TEXT, nullable=True))
    _partial("ix_outbox_user_id", "outbox", ["user_id", "created_at", "id"], "user_id IS NOT NULL")
    _partial("ix_messages_of_agents", "messages", ["author_id", "conversation_id", "seq"], "side = 'agent'")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
