"""What products are found by: documents, and the database's own full-text index of them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

SQLITE = (
    "CREATE VIRTUAL TABLE search_index USING fts5(name, labels, details, content='search_documents', "
    "content_rowid='id', prefix='1 2 3', tokenize=\"ascii tokenchars '#-'\")",
    "CREATE TRIGGER search_documents_come AFTER INSERT ON search_documents BEGIN "
    "INSERT INTO search_index(rowid, name, labels, details) VALUES (new.id, new.name, new.labels, new.details); END",
    "CREATE TRIGGER search_documents_go AFTER DELETE ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, name, labels, details) "
    "VALUES ('delete', old.id, old.name, old.labels, old.details); END",
    "CREATE TRIGGER search_documents_change AFTER UPDATE OF name, labels, details ON search_documents BEGIN "
    "INSERT INTO search_index(search_index, rowid, name, labels, details) "
    "VALUES ('delete', old.id, old.name, old.labels, old.details); "
    "INSERT INTO search_index(rowid, name, labels, details) VALUES (new.id, new.name, new.labels, new.details); END",
)
POSTGRESQL = (
    "ALTER TABLE search_documents ADD COLUMN terms tsvector NOT NULL GENERATED ALWAYS AS (("
    "regexp_replace(name, '[^ ]+', '''\\&'':1A', 'g') || ' ' || "
    "regexp_replace(labels, '[^ ]+', '''\\&'':2B', 'g') || ' ' || "
    "regexp_replace(details, '[^ ]+', '''\\&'':3D', 'g'))::tsvector) STORED",
    "CREATE INDEX ix_search_documents_terms ON search_documents USING gin (terms) WITH (fastupdate = off)",
)


def upgrade() -> None:
    """The documents themselves are written by the program, when it next starts."""
    op.create_table(
        "search_documents",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("labels", TEXT, nullable=False),
        sa.Column("details", TEXT, nullable=False),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("changed", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name="fk_search_documents_product_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_search_documents"),
        sa.UniqueConstraint("product_id", name="uq_search_documents_product_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_search_documents_changed", "search_documents", ["changed"])
    op.create_table(
        "shelf_changes",
        sa.Column("id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("shop", TEXT, nullable=False),
        sa.Column("changed", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shelf_changes"),
        sqlite_strict=True,
    )
    connection = op.get_bind()
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(
        "INSERT INTO shelf_changes (id, shop, changed) SELECT 1, min(id), 0 FROM categories HAVING count(*) > 0"
    )
    connection.exec_driver_sql("ALTER TABLE products DROP COLUMN search_text")
    op.create_index(
        "ix_products_archived",
        "products",
        ["id"],
        sqlite_where=sa.text("is_active = 0"),
        postgresql_where=sa.text("NOT is_active"),
    )
