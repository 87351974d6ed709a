"""The first tables: accounts, catalog, stock, coupons, carts, orders, invoices, mail and answers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.Integer(), "sqlite")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.Boolean().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:  # noqa: PLR0915 - one statement for each table and index
    op.create_table(
        "answers",
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name="pk_answers"),
        sqlite_strict=True,
    )
    op.create_index("ix_answers_at", "answers", ["at"])
    op.create_table(
        "categories",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("name_folded", TEXT, nullable=False),
        sa.Column("parent_id", TEXT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["categories.id"], name="fk_categories_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_categories"),
        sa.UniqueConstraint("name_folded", name="uq_categories_name_folded"),
        sqlite_strict=True,
    )
    op.create_index("ix_categories_parent_id", "categories", ["parent_id"])
    op.create_table(
        "coupons",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("percent", WHOLE, nullable=True),
        sa.Column("amount", WHOLE, nullable=True),
        sa.Column("min_spend", WHOLE, nullable=True),
        sa.Column("currency", TEXT, nullable=True),
        sa.Column("starts_at", INSTANT, nullable=True),
        sa.Column("ends_at", INSTANT, nullable=True),
        sa.Column("max_uses", WHOLE, nullable=True),
        sa.Column("max_uses_per_user", WHOLE, nullable=True),
        sa.Column("is_active", FLAG, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.CheckConstraint("(percent IS NULL) <> (amount IS NULL)", name="ck_coupons_percent_or_amount"),
        sa.CheckConstraint("amount > 0", name="ck_coupons_amount"),
        sa.CheckConstraint("min_spend > 0", name="ck_coupons_min_spend"),
        sa.CheckConstraint("percent BETWEEN 1 AND 10000", name="ck_coupons_percent"),
        sa.PrimaryKeyConstraint("id", name="pk_coupons"),
        sa.UniqueConstraint("code", name="uq_coupons_code"),
        sqlite_strict=True,
    )
    op.create_index("ix_coupons_created_at", "coupons", ["created_at", "id"])
    op.create_table(
        "outbox",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("template", TEXT, nullable=False),
        sa.Column("recipient_index", sa.LargeBinary(), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("invoice_of", TEXT, nullable=True),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("leased_until", INSTANT, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('pending', 'sent', 'dead')", name="ck_outbox_state"),
        sa.CheckConstraint("attempts >= 0", name="ck_outbox_attempts"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("event", "recipient_index", "template", name="uq_outbox_event_recipient_index_template"),
        sqlite_strict=True,
    )
    op.create_index("ix_outbox_created_at", "outbox", ["created_at", "id"])
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_at", "id"],
        sqlite_where=sa.text("state NOT IN ('sent', 'dead')"),
        postgresql_where=sa.text("state NOT IN ('sent', 'dead')"),
    )
    op.create_index("ix_outbox_sent_at", "outbox", ["sent_at"])
    op.create_index("ix_outbox_state_created_at", "outbox", ["state", "created_at", "id"])
    op.create_table(
        "products",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("sku", TEXT, nullable=False),
        sa.Column("slug", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("category_ids", TEXT, nullable=False),
        sa.Column("price", WHOLE, nullable=False),
        sa.Column("cost", WHOLE, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("discount_percent", WHOLE, nullable=True),
        sa.Column("discount_starts_at", INSTANT, nullable=True),
        sa.Column("discount_ends_at", INSTANT, nullable=True),
        sa.Column("attributes", TEXT, nullable=False),
        sa.Column("images", TEXT, nullable=False),
        sa.Column("group", TEXT, nullable=True),
        sa.Column("tax_class", TEXT, nullable=False),
        sa.Column("is_active", FLAG, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("name_folded", TEXT, nullable=False),
        sa.Column("final_price", WHOLE, nullable=False),
        sa.Column("final_price_down", WHOLE, sa.Computed("-final_price", persisted=True), nullable=False),
        sa.Column("next_price_change", INSTANT, nullable=True),
        sa.Column("search_text", TEXT, nullable=False),
        sa.CheckConstraint("cost >= 0", name="ck_products_cost"),
        sa.CheckConstraint("discount_percent BETWEEN 1 AND 10000", name="ck_products_discount_percent"),
        sa.CheckConstraint("final_price >= 0", name="ck_products_final_price"),
        sa.CheckConstraint("price >= 0", name="ck_products_price"),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
        sa.UniqueConstraint("sku", name="uq_products_sku"),
        sa.UniqueConstraint("slug", name="uq_products_slug"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_products_group",
        "products",
        ["group", "sku"],
        sqlite_where=sa.text("is_active = 1"),
        postgresql_where=sa.text("is_active"),
    )
    op.create_index(
        "ix_products_name",
        "products",
        ["name_folded", "id"],
        sqlite_where=sa.text("is_active = 1"),
        postgresql_where=sa.text("is_active"),
    )
    op.create_index(
        "ix_products_next_price_change",
        "products",
        ["next_price_change"],
        sqlite_where=sa.text("next_price_change IS NOT NULL"),
        postgresql_where=sa.text("next_price_change IS NOT NULL"),
    )
    op.create_index(
        "ix_products_price",
        "products",
        ["final_price", "id"],
        sqlite_where=sa.text("is_active = 1"),
        postgresql_where=sa.text("is_active"),
    )
    op.create_index(
        "ix_products_price_down",
        "products",
        ["final_price_down", "id"],
        sqlite_where=sa.text("is_active = 1"),
        postgresql_where=sa.text("is_active"),
    )
    op.create_table(
        "users",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("full_name", TEXT, nullable=False),
        sa.Column("password_hash", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("grants", TEXT, nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=True),
        sa.Column("preferences", TEXT, nullable=False),
        sa.Column("is_active", FLAG, nullable=False),
        sa.Column("email_verified", FLAG, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sqlite_strict=True,
    )
    op.create_index("ix_users_role_created_at", "users", ["role", "created_at", "id"])
    op.create_table(
        "addresses",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_addresses_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_addresses"),
        sqlite_strict=True,
    )
    op.create_index("ix_addresses_user_id_created_at", "addresses", ["user_id", "created_at", "id"])
    op.create_table(
        "carts",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=True),
        sa.Column("items", TEXT, nullable=False),
        sa.Column("coupon", TEXT, nullable=True),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_carts_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_carts"),
        sa.UniqueConstraint("user_id", name="uq_carts_user_id"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_carts_guests_updated_at",
        "carts",
        ["updated_at"],
        sqlite_where=sa.text("user_id IS NULL"),
        postgresql_where=sa.text("user_id IS NULL"),
    )
    op.create_table(
        "coupon_counts",
        sa.Column("coupon_id", TEXT, nullable=False),
        sa.Column("uses", WHOLE, nullable=False),
        sa.CheckConstraint("uses >= 0", name="ck_coupon_counts_uses"),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name="fk_coupon_counts_coupon_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("coupon_id", name="pk_coupon_counts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "orders",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("number", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=True),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("payment_status", TEXT, nullable=False),
        sa.Column("payment_provider", TEXT, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("subtotal", WHOLE, nullable=False),
        sa.Column("discount", WHOLE, nullable=False),
        sa.Column("shipping", WHOLE, nullable=False),
        sa.Column("shipping_tax", WHOLE, nullable=False),
        sa.Column("shipping_tax_rate", TEXT, nullable=False),
        sa.Column("tax", WHOLE, nullable=False),
        sa.Column("total", WHOLE, nullable=False),
        sa.Column("tax_included", FLAG, nullable=False),
        sa.Column("coupon_id", TEXT, nullable=True),
        sa.Column("coupon_code", TEXT, nullable=True),
        sa.Column("rules", TEXT, nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("eta", INSTANT, nullable=False),
        sa.Column("carrier", TEXT, nullable=True),
        sa.Column("tracking_number", TEXT, nullable=True),
        sa.Column("invoiced", FLAG, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("explanation", TEXT, nullable=False),
        sa.CheckConstraint(
            "payment_status IN ('unpaid', 'pending', 'paid', 'failed', 'partly_refunded', 'refunded')",
            name="ck_orders_payment_status",
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'confirmed', 'processing', 'shipped', 'delivered', 'cancelled')",
            name="ck_orders_status",
        ),
        sa.CheckConstraint("discount >= 0", name="ck_orders_discount"),
        sa.CheckConstraint("shipping >= 0", name="ck_orders_shipping"),
        sa.CheckConstraint("shipping_tax >= 0", name="ck_orders_shipping_tax"),
        sa.CheckConstraint("subtotal >= 0", name="ck_orders_subtotal"),
        sa.CheckConstraint("tax >= 0", name="ck_orders_tax"),
        sa.CheckConstraint("total >= 0", name="ck_orders_total"),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name="fk_orders_coupon_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["users.id"], name="fk_orders_customer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("number", name="uq_orders_number"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_orders_confirmed",
        "orders",
        ["created_at", "id"],
        sqlite_where=sa.text("status NOT IN ('pending', 'cancelled')"),
        postgresql_where=sa.text("status NOT IN ('pending', 'cancelled')"),
    )
    op.create_index("ix_orders_created_at", "orders", ["created_at", "id"])
    op.create_index("ix_orders_customer_id_created_at", "orders", ["customer_id", "created_at", "id"])
    op.create_index("ix_orders_status_created_at", "orders", ["status", "created_at", "id"])
    op.create_index(
        "ix_orders_to_deliver",
        "orders",
        ["created_at", "id"],
        sqlite_where=sa.text("status NOT IN ('pending', 'cancelled', 'delivered')"),
        postgresql_where=sa.text("status NOT IN ('pending', 'cancelled', 'delivered')"),
    )
    op.create_index(
        "ix_orders_to_invoice",
        "orders",
        ["created_at", "id"],
        sqlite_where=sa.text(
            "NOT invoiced AND (payment_status = 'paid' OR payment_provider = 'offline' AND status <> 'cancelled')"
        ),
        postgresql_where=sa.text(
            "NOT invoiced AND (payment_status = 'paid' OR payment_provider = 'offline' AND status <> 'cancelled')"
        ),
    )
    op.create_table(
        "price_changes",
        sa.Column("id", WHOLE, autoincrement=True, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("price", WHOLE, nullable=False),
        sa.Column("final_price", WHOLE, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=True),
        sa.CheckConstraint("final_price >= 0", name="ck_price_changes_final_price"),
        sa.CheckConstraint("price >= 0", name="ck_price_changes_price"),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name="fk_price_changes_product_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_price_changes"),
        sqlite_strict=True,
    )
    op.create_index("ix_price_changes_product_id_at", "price_changes", ["product_id", "at", "id"])
    op.create_table(
        "product_attributes",
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name="fk_product_attributes_product_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", "name", name="pk_product_attributes"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_product_attributes_name_value", "product_attributes", ["name", "value", "product_id"])
    op.create_table(
        "product_categories",
        sa.Column("category_id", TEXT, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name="fk_product_categories_category_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name="fk_product_categories_product_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("category_id", "product_id", name="pk_product_categories"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_product_categories_product_id", "product_categories", ["product_id"])
    op.create_table(
        "ratings",
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("total", WHOLE, nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("average", WHOLE, nullable=False),
        sa.Column("average_down", WHOLE, sa.Computed("-average", persisted=True), nullable=False),
        sa.CheckConstraint("average BETWEEN 0 AND 500", name="ck_ratings_average"),
        sa.CheckConstraint("count >= 0", name="ck_ratings_count"),
        sa.CheckConstraint("total >= 0", name="ck_ratings_total"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_ratings_product_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("product_id", name="pk_ratings"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ratings_average", "ratings", ["average_down", "product_id"])
    op.create_table(
        "sessions",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("user_id", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("device", TEXT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_sessions_ended_at", "sessions", ["ended_at"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_index("ix_sessions_user_id_created_at", "sessions", ["user_id", "created_at", "id"])
    op.create_table(
        "shelf",
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("on_hand", WHOLE, nullable=False),
        sa.Column("units_sold", WHOLE, nullable=False),
        sa.Column("units_sold_down", WHOLE, sa.Computed("-units_sold", persisted=True), nullable=False),
        sa.CheckConstraint("on_hand >= 0", name="ck_shelf_on_hand"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_shelf_product_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("product_id", name="pk_shelf"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_shelf_on_hand", "shelf", ["on_hand", "product_id"])
    op.create_index("ix_shelf_popularity", "shelf", ["units_sold_down", "product_id"])
    op.create_table(
        "coupon_uses",
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("coupon_id", TEXT, nullable=False),
        sa.Column("user_index", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name="fk_coupon_uses_coupon_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_coupon_uses_order_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("order_id", "coupon_id", name="pk_coupon_uses"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_coupon_uses_coupon_id_user_index", "coupon_uses", ["coupon_id", "user_index"])
    op.create_table(
        "invoices",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("sequence", WHOLE, nullable=False),
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("seller", TEXT, nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("total", WHOLE, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.CheckConstraint("sequence > 0", name="ck_invoices_sequence"),
        sa.CheckConstraint("total >= 0", name="ck_invoices_total"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_invoices_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_invoices"),
        sa.UniqueConstraint("order_id", name="uq_invoices_order_id"),
        sa.UniqueConstraint("sequence", name="uq_invoices_sequence"),
        sqlite_strict=True,
    )
    op.create_index("ix_invoices_issued_at", "invoices", ["issued_at", "id"])
    op.create_table(
        "order_history",
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("position", SMALL, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=True),
        sa.Column("note", TEXT, nullable=True),
        sa.CheckConstraint(
            "status IN ('pending', 'confirmed', 'processing', 'shipped', 'delivered', 'cancelled')",
            name="ck_order_history_status",
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_history_order_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("order_id", "position", name="pk_order_history"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "order_lines",
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("position", SMALL, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("sku", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("unit_price", WHOLE, nullable=False),
        sa.Column("product_discount", WHOLE, nullable=False),
        sa.Column("order_discount", WHOLE, nullable=False),
        sa.Column("tax_class", TEXT, nullable=False),
        sa.Column("tax_rate", TEXT, nullable=False),
        sa.Column("tax", WHOLE, nullable=False),
        sa.Column("total", WHOLE, nullable=False),
        sa.Column("cost", WHOLE, nullable=False),
        sa.CheckConstraint("cost >= 0", name="ck_order_lines_cost"),
        sa.CheckConstraint("order_discount >= 0", name="ck_order_lines_order_discount"),
        sa.CheckConstraint("product_discount >= 0", name="ck_order_lines_product_discount"),
        sa.CheckConstraint("quantity > 0", name="ck_order_lines_quantity"),
        sa.CheckConstraint("tax >= 0", name="ck_order_lines_tax"),
        sa.CheckConstraint("total >= 0", name="ck_order_lines_total"),
        sa.CheckConstraint("unit_price >= 0", name="ck_order_lines_unit_price"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_lines_order_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_order_lines_product_id"),
        sa.PrimaryKeyConstraint("order_id", "position", name="pk_order_lines"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", TEXT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("replaced_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name="fk_refresh_tokens_session_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name="pk_refresh_tokens"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])
    op.create_table(
        "stock_moves",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("product_id", TEXT, nullable=False),
        sa.Column("change", WHOLE, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("order_id", TEXT, nullable=True),
        sa.Column("actor_id", TEXT, nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint("reason IN ('opening', 'adjustment', 'sale', 'cancellation')", name="ck_stock_moves_reason"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_stock_moves_order_id"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_stock_moves_product_id"),
        sa.PrimaryKeyConstraint("id", name="pk_stock_moves"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_stock_moves_product_id_at", "stock_moves", ["product_id", "at", "id"])
    # ### end Alembic commands ###
