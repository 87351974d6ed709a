"""The audit log, and lists of users.

A name is kept as it is looked for: folded, and the same with its last word first.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

SQLITE = (
    """CREATE TRIGGER audit_keeps_rows BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END""",
    """CREATE TRIGGER audit_loses_no_row BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END""",
    """CREATE TRIGGER audit_replaces_no_row BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit is append-only'; END $$""",
    """CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
)


LETTERS = str.maketrans({"ı": "i", "ß": "ss", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th"})


def upgrade() -> None:
    _users()
    _audit()


def _users() -> None:
    for name in ("name_folded", "name_turned"):
        op.add_column("users", sa.Column(name, TEXT, server_default=sa.text("''"), nullable=False))
    connection = op.get_bind()
    written = [
        {"this": id_, "folded": " ".join(words), "turned": " ".join(words[-1:] + words[:-1])}
        for id_, full_name in connection.execute(sa.text("SELECT id, full_name FROM users"))
        if (words := _fold(full_name).split())
    ]
    if written:
        change = "UPDATE users SET name_folded = :folded, name_turned = :turned WHERE id = :this"
        connection.execute(sa.text(change), written)
    op.create_index("ix_users_created_at", "users", ["created_at", "id"])
    op.create_index("ix_users_is_active_created_at", "users", ["is_active", "created_at", "id"])
    for name in ("name_folded", "name_turned"):
        op.create_index(f"ix_users_{name}", "users", [name, "id"])


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return bare.casefold().translate(LETTERS)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=True),
        sa.Column("actor_role", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("object_type", TEXT, nullable=False),
        sa.Column("object_id", TEXT, nullable=False),
        sa.Column("before", TEXT, nullable=False),
        sa.Column("after", TEXT, nullable=False),
        sa.Column("request_id", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_audit_at", "audit", ["at", "id"])
    for what in ("actor_id", "action", "object_type", "object_id", "request_id"):
        op.create_index(f"ix_audit_{what}_at", "audit", [what, "at", "id"])
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
