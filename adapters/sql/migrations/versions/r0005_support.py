"""Conversations and their messages."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=True),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("agent_id", TEXT, nullable=True),
        sa.Column("last_seq", WHOLE, nullable=False),
        sa.Column("customer_read", WHOLE, nullable=False),
        sa.Column("agent_read", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("waiting_since", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("closed_by", TEXT, nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("status IN ('waiting', 'claimed', 'closed')", name="ck_conversations_status"),
        sa.CheckConstraint("closed_by IN ('customer', 'agent')", name="ck_conversations_closed_by"),
        sa.CheckConstraint("status <> 'claimed' OR agent_id IS NOT NULL", name="ck_conversations_claimed"),
        sa.CheckConstraint("status <> 'waiting' OR agent_id IS NULL", name="ck_conversations_waiting"),
        sa.CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="ck_conversations_closed_at"),
        sa.CheckConstraint("(status = 'closed') = (closed_by IS NOT NULL)", name="ck_conversations_closed_by_somebody"),
        sa.CheckConstraint("customer_read BETWEEN 0 AND last_seq", name="ck_conversations_customer_read"),
        sa.CheckConstraint("agent_read BETWEEN 0 AND last_seq", name="ck_conversations_agent_read"),
        sa.ForeignKeyConstraint(["customer_id"], ["users.id"], name="fk_conversations_customer_id"),
        sa.ForeignKeyConstraint(["agent_id"], ["users.id"], name="fk_conversations_agent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
        sqlite_strict=True,
    )
    for who in ("customer_id", "agent_id"):
        op.create_index(f"ix_conversations_{who}_created_at", "conversations", [who, "created_at", "id"])
    op.create_index(
        "ix_conversations_agent_id_status_created_at", "conversations", ["agent_id", "status", "created_at", "id"]
    )
    op.create_index("ix_conversations_status_waiting_since", "conversations", ["status", "waiting_since", "id"])
    op.create_table(
        "messages",
        sa.Column("conversation_id", TEXT, nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("side", TEXT, nullable=False),
        sa.Column("author_id", TEXT, nullable=True),
        sa.Column("author_key", TEXT, nullable=False),
        sa.Column("client_id", TEXT, nullable=True),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("side IN ('customer', 'agent')", name="ck_messages_side"),
        sa.CheckConstraint("seq > 0", name="ck_messages_seq"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_messages_conversation_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_messages_author_id"),
        sa.PrimaryKeyConstraint("conversation_id", "seq", name="pk_messages"),
        sa.UniqueConstraint(
            "conversation_id",
            "side",
            "author_key",
            "client_id",
            name="uq_messages_conversation_id_side_author_key_client_id",
        ),
        sqlite_strict=True,
    )
