"""Every table of the shop, once for SQLite and PostgreSQL.

Money is a whole number of minor units beside the row's ``currency``; percentages are whole hundredths; tax rates are
decimal text, which no database rounds; ids, and JSON, are text. Columns named ``private`` hold encrypted JSON. What
every sale touches (``shelf``, ``coupon_counts``) is kept in narrow rows, apart from what staff edit.
"""

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint, false, text

from adapters.sql.append_only import append_only
from adapters.sql.columns import (
    Characters,
    Flag,
    Real,
    Small,
    Whole,
    check,
    down,
    id_,
    not_negative,
    number,
    one_of,
    table,
    to,
    when,
    where,
    words,
)
from storecore.catalog.model import StockReason
from storecore.catalog.wish import News
from storecore.notices import NoticeState
from storecore.orders.model import PaymentStatus, Status
from storecore.orders.payment import PaymentState
from storecore.orders.refund import Disposition, RefundCause, RefundStatus
from storecore.reviews.model import ReviewStatus
from storecore.support.model import ConversationStatus, Side

# Accounts.

users = table(
    "users",
    id_(),
    words("email"),
    words("full_name"),
    words("password_hash"),
    words("role"),
    words("grants"),
    Column("private", LargeBinary),
    words("preferences"),
    Column("is_active", Flag, nullable=False),
    Column("email_verified", Flag, nullable=False),
    when("created_at"),
    number("version"),
    words("name_folded", server_default=text("''")),
    words("name_turned", server_default=text("''")),
    UniqueConstraint("email"),
    Index("ix_users_created_at", "created_at", "id"),
    Index("ix_users_role_created_at", "role", "created_at", "id"),
    Index("ix_users_is_active_created_at", "is_active", "created_at", "id"),
    Index("ix_users_name_folded", "name_folded", "id"),
    Index("ix_users_name_turned", "name_turned", "id"),
)

addresses = table(
    "addresses",
    id_(),
    to("user_id", "users.id", on_delete="CASCADE"),
    Column("private", LargeBinary, nullable=False),
    when("created_at"),
    Index("ix_addresses_user_id_created_at", "user_id", "created_at", "id"),
)

sessions = table(
    "sessions",
    id_(),
    to("user_id", "users.id", on_delete="CASCADE"),
    when("created_at"),
    when("seen_at"),
    when("expires_at"),
    words("device"),
    when("ended_at", null=True),
    Index("ix_sessions_user_id_created_at", "user_id", "created_at", "id"),
    Index("ix_sessions_expires_at", "expires_at"),
    Index("ix_sessions_ended_at", "ended_at"),
    narrow=True,
)

refresh_tokens = table(
    "refresh_tokens",
    Column("hash", LargeBinary, primary_key=True),
    to("session_id", "sessions.id", on_delete="CASCADE"),
    when("created_at"),
    when("replaced_at", null=True),
    Index("ix_refresh_tokens_session_id", "session_id"),
    narrow=True,
)

# Catalog.

categories = table(
    "categories",
    id_(),
    words("name"),
    words("name_folded"),
    to("parent_id", "categories.id", null=True),
    when("created_at"),
    number("version"),
    UniqueConstraint("name_folded"),
    Index("ix_categories_parent_id", "parent_id"),
)

products = table(
    "products",
    id_(),
    words("sku"),
    words("slug"),
    words("name"),
    words("description"),
    words("category_ids"),
    number("price"),
    number("cost"),
    words("currency"),
    number("discount_percent", null=True),
    when("discount_starts_at", null=True),
    when("discount_ends_at", null=True),
    words("attributes"),
    words("images"),
    words("group", null=True),
    words("tax_class"),
    Column("is_active", Flag, nullable=False),
    when("created_at"),
    when("updated_at"),
    number("version"),
    words("name_folded"),
    number("final_price"),
    down("final_price"),
    when("next_price_change", null=True),
    UniqueConstraint("sku"),
    UniqueConstraint("slug"),
    *not_negative("price", "cost", "final_price"),
    check("discount_percent BETWEEN 1 AND 10000", "discount_percent"),
)
_ON_SALE = where("is_active = 1", postgresql="is_active")
Index("ix_products_archived", products.c.id, **where("is_active = 0", postgresql="NOT is_active"))
Index("ix_products_name", products.c.name_folded, products.c.id, **_ON_SALE)
Index("ix_products_price", products.c.final_price, products.c.id, **_ON_SALE)
Index("ix_products_price_down", products.c.final_price_down, products.c.id, **_ON_SALE)
Index("ix_products_group", products.c.group, products.c.sku, **_ON_SALE)
Index("ix_products_next_price_change", products.c.next_price_change, **where("next_price_change IS NOT NULL"))

product_categories = table(
    "product_categories",
    to("category_id", "categories.id", key=True, on_delete="CASCADE"),
    to("product_id", "products.id", key=True, on_delete="CASCADE"),
    Index("ix_product_categories_product_id", "product_id"),
    narrow=True,
)

product_attributes = table(
    "product_attributes",
    to("product_id", "products.id", key=True, on_delete="CASCADE"),
    Column("name", Characters, primary_key=True),
    words("value"),
    Index("ix_product_attributes_name_value", "name", "value", "product_id"),
    narrow=True,
)

search_documents = table(
    "search_documents",
    Column("id", Whole, primary_key=True, autoincrement=True),
    to("product_id", "products.id", on_delete="CASCADE"),
    words("name"),
    words("labels"),
    words("details"),
    words("language"),
    number("changed"),
    UniqueConstraint("product_id"),
    Index("ix_search_documents_changed", "changed"),
)

shelf_changes = table(
    "shelf_changes",
    Column("id", Whole, primary_key=True, autoincrement=False),
    words("shop"),
    number("changed"),
)

price_changes = table(
    "price_changes",
    Column("id", Whole, primary_key=True, autoincrement=True),
    to("product_id", "products.id", on_delete="CASCADE"),
    when("at"),
    number("price"),
    number("final_price"),
    words("currency"),
    words("actor_id", null=True),
    Index("ix_price_changes_product_id_at", "product_id", "at", "id"),
    *not_negative("price", "final_price"),
)

shelf = table(
    "shelf",
    to("product_id", "products.id", key=True, on_delete="CASCADE"),
    number("on_hand"),
    number("units_sold"),
    down("units_sold"),
    *not_negative("on_hand"),
    Index("ix_shelf_popularity", "units_sold_down", "product_id"),
    Index("ix_shelf_on_hand", "on_hand", "product_id"),
    narrow=True,
)

ratings = table(
    "ratings",
    to("product_id", "products.id", key=True, on_delete="CASCADE"),
    number("total"),
    number("count"),
    number("average"),
    down("average"),
    *not_negative("total", "count"),
    check("average BETWEEN 0 AND 500", "average"),
    Index("ix_ratings_average", "average_down", "product_id"),
    narrow=True,
)

stock_moves = table(
    "stock_moves",
    id_(),
    to("product_id", "products.id"),
    number("change"),
    words("reason"),
    words("note"),
    to("order_id", "orders.id", null=True),
    words("actor_id", null=True),
    when("at"),
    one_of("reason", StockReason),
    Index("ix_stock_moves_product_id_at", "product_id", "at", "id"),
    narrow=True,
)

# Wishlists.

wishes = table(
    "wishes",
    to("user_id", "users.id", key=True, on_delete="CASCADE"),
    to("product_id", "products.id", key=True, on_delete="CASCADE"),
    when("created_at"),
    Index("ix_wishes_user_id_created_at", "user_id", "created_at", "product_id"),
    Index("ix_wishes_product_id", "product_id", "user_id", "created_at"),
    narrow=True,
)

wish_alerts = table(
    "wish_alerts",
    id_(),
    to("product_id", "products.id", on_delete="CASCADE"),
    words("news"),
    when("at"),
    number("price"),
    number("final_price"),
    words("currency"),
    number("percent", null=True),
    when("ends_at", null=True),
    words("told"),
    one_of("news", News),
    check("(news = 'discount') = (percent IS NOT NULL)", "percent"),
    *not_negative("price", "final_price"),
    Index("ix_wish_alerts_at", "at", "id"),
    narrow=True,
)

# Coupons.

coupons = table(
    "coupons",
    id_(),
    words("code"),
    number("percent", null=True),
    number("amount", null=True),
    number("min_spend", null=True),
    words("currency", null=True),
    when("starts_at", null=True),
    when("ends_at", null=True),
    number("max_uses", null=True),
    number("max_uses_per_user", null=True),
    Column("is_active", Flag, nullable=False),
    when("created_at"),
    number("version"),
    UniqueConstraint("code"),
    check("(percent IS NULL) <> (amount IS NULL)", "percent_or_amount"),
    check("percent BETWEEN 1 AND 10000", "percent"),
    check("amount > 0", "amount"),
    check("min_spend > 0", "min_spend"),
    Index("ix_coupons_created_at", "created_at", "id"),
)

coupon_counts = table(
    "coupon_counts",
    to("coupon_id", "coupons.id", key=True, on_delete="CASCADE"),
    number("uses"),
    *not_negative("uses"),
    narrow=True,
)

coupon_uses = table(
    "coupon_uses",
    to("order_id", "orders.id", key=True, on_delete="CASCADE"),
    to("coupon_id", "coupons.id", key=True, on_delete="CASCADE"),
    Column("user_index", LargeBinary, nullable=False),
    Index("ix_coupon_uses_coupon_id_user_index", "coupon_id", "user_index"),
    narrow=True,
)

# Carts.

carts = table(
    "carts",
    id_(),
    to("user_id", "users.id", null=True, on_delete="CASCADE"),
    words("items"),
    words("coupon", null=True),
    when("updated_at"),
    UniqueConstraint("user_id"),
)
Index("ix_carts_guests_updated_at", carts.c.updated_at, **where("user_id IS NULL"))

# Orders and invoices.

# Said by what they are not: SQLite would look a list of states up in an index on the state, then sort what it finds.
TO_DELIVER = "status NOT IN ('pending', 'cancelled', 'delivered')"
"""Orders that somebody still has to bring; an index keeps just these."""
CONFIRMED = "status NOT IN ('pending', 'cancelled')"
"""Those and the delivered ones; an index keeps just these."""
TO_SEND = "state NOT IN ('sent', 'dead')"
"""Mail that is owed; an index keeps just this."""
TO_INVOICE = (
    "NOT invoiced AND status <> 'cancelled' AND "
    "(payment_provider = 'offline' OR payment_status IN ('paid', 'partly_refunded', 'refunded'))"
)
"""Orders that want an invoice and have none; an index keeps just these."""
TO_COUNT = "counted = (status = 'cancelled' OR payment_status = 'refunded')"
"""Orders that are counted among the purchases and should not be, or the other way round; an index keeps just these."""
NAMING = "forgotten_at IS NULL"
"""Papers that still name their buyer; an index keeps just these."""

orders = table(
    "orders",
    id_(),
    words("number"),
    to("customer_id", "users.id", null=True),
    words("status"),
    words("payment_status"),
    words("payment_provider"),
    words("currency"),
    number("subtotal"),
    number("discount"),
    number("shipping"),
    number("shipping_tax"),
    words("shipping_tax_rate"),
    number("tax"),
    number("total"),
    Column("tax_included", Flag, nullable=False),
    to("coupon_id", "coupons.id", null=True),
    words("coupon_code", null=True),
    words("rules"),
    Column("private", LargeBinary, nullable=False),
    when("eta"),
    words("carrier", null=True),
    words("tracking_number", null=True),
    Column("invoiced", Flag, nullable=False),
    when("created_at"),
    number("version"),
    words("explanation"),
    when("pay_by", null=True),
    number("refunded", check("refunded >= 0 AND refunded <= total", "refunded"), server_default=text("0")),
    Column("counted", Flag, nullable=False, server_default=false()),
    UniqueConstraint("number"),
    one_of("status", Status),
    one_of("payment_status", PaymentStatus),
    *not_negative("subtotal", "discount", "shipping", "shipping_tax", "tax", "total"),
    Index("ix_orders_created_at", "created_at", "id"),
    Index("ix_orders_customer_id_created_at", "customer_id", "created_at", "id"),
    Index("ix_orders_status_created_at", "status", "created_at", "id"),
)
for _name, _which in (
    ("to_deliver", TO_DELIVER),
    ("confirmed", CONFIRMED),
    ("to_invoice", TO_INVOICE),
    ("to_count", TO_COUNT),
):
    Index(f"ix_orders_{_name}", orders.c.created_at, orders.c.id, **where(_which))
Index("ix_orders_pay_by", orders.c.pay_by, orders.c.id, **where("pay_by IS NOT NULL"))

order_lines = table(
    "order_lines",
    to("order_id", "orders.id", key=True, on_delete="CASCADE"),
    Column("position", Small, primary_key=True),
    words("id"),
    to("product_id", "products.id"),
    words("sku"),
    words("name"),
    number("quantity"),
    number("unit_price"),
    number("product_discount"),
    number("order_discount"),
    words("tax_class"),
    words("tax_rate"),
    number("tax"),
    number("total"),
    number("cost"),
    check("quantity > 0", "quantity"),
    *not_negative("unit_price", "product_discount", "order_discount", "tax", "total", "cost"),
    narrow=True,
)

order_history = table(
    "order_history",
    to("order_id", "orders.id", key=True, on_delete="CASCADE"),
    Column("position", Small, primary_key=True),
    words("status"),
    when("at"),
    words("actor_id", null=True),
    words("note", null=True),
    one_of("status", Status),
    narrow=True,
)

invoices = table(
    "invoices",
    id_(),
    number("sequence"),
    to("order_id", "orders.id"),
    when("issued_at"),
    words("seller"),
    Column("private", LargeBinary, nullable=False),
    number("total"),
    words("currency"),
    when("forgotten_at", null=True),
    UniqueConstraint("sequence"),
    UniqueConstraint("order_id"),
    check("sequence > 0", "sequence"),
    *not_negative("total"),
    Index("ix_invoices_issued_at", "issued_at", "id"),
)
Index("ix_invoices_naming", invoices.c.issued_at, invoices.c.id, **where(NAMING))

# What is bought together, counted from orders a moment after they were placed.

copurchases = table(
    "copurchases",
    to("product_id", "products.id", key=True, on_delete="CASCADE"),
    to("other_id", "products.id", key=True, on_delete="CASCADE"),
    number("orders"),
    Index("ix_copurchases_orders", "product_id", "orders", "other_id"),
    narrow=True,
)

demand = table(
    "demand",
    to("product_id", "products.id", key=True, on_delete="CASCADE"),
    number("orders"),
    Column("heat", Real, nullable=False),
    Index("ix_demand_heat", "heat", "product_id"),
    narrow=True,
)

# Payments, refunds and credit notes.

payments = table(
    "payments",
    id_(),
    to("order_id", "orders.id"),
    words("provider"),
    words("reference", null=True),
    number("amount"),
    words("currency"),
    words("state"),
    Column("attempt_key", LargeBinary),
    words("failure", null=True),
    when("check_at", null=True),
    when("created_at"),
    number("version"),
    UniqueConstraint("provider", "reference"),
    one_of("state", PaymentState),
    *not_negative("amount"),
    Index("ix_payments_order_id_created_at", "order_id", "created_at", "id"),
)
Index("uq_payments_order_id", payments.c.order_id, unique=True, **where("state <> 'failed'"))
Index("ix_payments_check_at", payments.c.check_at, payments.c.id, **where("check_at IS NOT NULL"))

refunds = table(
    "refunds",
    id_(),
    to("order_id", "orders.id"),
    to("customer_id", "users.id", null=True),
    words("cause"),
    words("status"),
    number("amount"),
    number("tax"),
    number("shipping"),
    number("shipping_tax"),
    words("currency"),
    Column("private", LargeBinary, nullable=False),
    Column("expect_return", Flag, nullable=False),
    words("disposition", null=True),
    words("decided_by", null=True),
    when("created_at"),
    when("decided_at", null=True),
    when("received_at", null=True),
    when("refunded_at", null=True),
    to("payment_id", "payments.id", null=True),
    when("payout_at", null=True),
    words("payout_problem", null=True),
    number("version"),
    one_of("cause", RefundCause),
    one_of("status", RefundStatus),
    one_of("disposition", Disposition),
    check("tax >= 0 AND tax <= amount", "tax"),
    check("shipping >= 0 AND shipping <= amount", "shipping"),
    check("shipping_tax >= 0 AND shipping_tax <= shipping", "shipping_tax"),
    Index("ix_refunds_order_id_created_at", "order_id", "created_at", "id"),
    Index("ix_refunds_created_at", "created_at", "id"),
    Index("ix_refunds_customer_id_created_at", "customer_id", "created_at", "id"),
    Index("ix_refunds_status_created_at", "status", "created_at", "id"),
)
Index("ix_refunds_payout_at", refunds.c.payout_at, refunds.c.id, **where("payout_at IS NOT NULL"))

refund_items = table(
    "refund_items",
    to("refund_id", "refunds.id", key=True, on_delete="CASCADE"),
    Column("line_id", Characters, primary_key=True),
    to("product_id", "products.id"),
    number("quantity"),
    number("amount"),
    number("tax"),
    check("quantity > 0", "quantity"),
    check("tax >= 0 AND tax <= amount", "tax"),
    narrow=True,
)

credit_notes = table(
    "credit_notes",
    id_(),
    number("sequence"),
    to("order_id", "orders.id"),
    to("refund_id", "refunds.id", null=True),
    when("issued_at"),
    words("seller"),
    Column("private", LargeBinary, nullable=False),
    number("total"),
    number("tax"),
    words("currency"),
    when("forgotten_at", null=True),
    UniqueConstraint("sequence"),
    UniqueConstraint("refund_id"),
    check("sequence > 0", "sequence"),
    check("tax >= 0 AND tax <= total", "tax"),
    Index("ix_credit_notes_order_id", "order_id", "sequence"),
    Index("ix_credit_notes_issued_at", "issued_at", "id"),
)
Index("ix_credit_notes_naming", credit_notes.c.issued_at, credit_notes.c.id, **where(NAMING))
Index("uq_credit_notes_order_id", credit_notes.c.order_id, unique=True, **where("refund_id IS NULL"))

# Reviews.

PUBLISHED = "status = 'published'"
"""What everybody may read; an index keeps just this."""
TO_MODERATE = "status = 'pending'"
"""What waits for a moderator; an index keeps just this."""

reviews = table(
    "reviews",
    id_(),
    to("product_id", "products.id"),
    to("author_id", "users.id"),
    number("rating"),
    Column("private", LargeBinary),
    words("status"),
    when("created_at"),
    when("updated_at"),
    number("version"),
    UniqueConstraint("author_id", "product_id"),
    check("rating BETWEEN 1 AND 5", "rating"),
    one_of("status", ReviewStatus),
    check("private IS NOT NULL OR status = 'published'", "comment"),
    Index("ix_reviews_author_id_created_at", "author_id", "created_at", "id"),
)
Index("ix_reviews_published", reviews.c.product_id, reviews.c.created_at, reviews.c.id, **where(PUBLISHED))
Index("ix_reviews_to_moderate", reviews.c.updated_at, reviews.c.id, **where(TO_MODERATE))

# Support.

BY_AGENTS = "side = 'agent'"
"""What the shop's people said; an index keeps just this."""

conversations = table(
    "conversations",
    id_(),
    to("customer_id", "users.id", null=True),
    Column("private", LargeBinary, nullable=False),
    words("status"),
    to("agent_id", "users.id", null=True),
    number("last_seq"),
    number("customer_read"),
    number("agent_read"),
    when("created_at"),
    when("waiting_since"),
    when("closed_at", null=True),
    words("closed_by", null=True),
    number("version"),
    one_of("status", ConversationStatus),
    one_of("closed_by", Side),
    check("status <> 'claimed' OR agent_id IS NOT NULL", "claimed"),
    check("status <> 'waiting' OR agent_id IS NULL", "waiting"),
    check("(status = 'closed') = (closed_at IS NOT NULL)", "closed_at"),
    check("(status = 'closed') = (closed_by IS NOT NULL)", "closed_by_somebody"),
    check("customer_read BETWEEN 0 AND last_seq", "customer_read"),
    check("agent_read BETWEEN 0 AND last_seq", "agent_read"),
    Index("ix_conversations_customer_id_created_at", "customer_id", "created_at", "id"),
    Index("ix_conversations_agent_id_created_at", "agent_id", "created_at", "id"),
    Index("ix_conversations_agent_id_status_created_at", "agent_id", "status", "created_at", "id"),
    Index("ix_conversations_status_waiting_since", "status", "waiting_since", "id"),
)

messages = table(
    "messages",
    to("conversation_id", "conversations.id", key=True, on_delete="CASCADE"),
    Column("seq", Whole, primary_key=True),
    words("id"),
    words("side"),
    to("author_id", "users.id", null=True),
    words("author_key"),
    words("client_id", null=True),
    Column("private", LargeBinary, nullable=False),
    when("created_at"),
    UniqueConstraint("conversation_id", "side", "author_key", "client_id"),
    one_of("side", Side),
    check("seq > 0", "seq"),
)
Index("ix_messages_of_agents", messages.c.author_id, messages.c.conversation_id, messages.c.seq, **where(BY_AGENTS))

attachments = table(
    "attachments",
    id_(),
    to("conversation_id", "conversations.id", on_delete="CASCADE"),
    number("seq"),
    Column("private", LargeBinary, nullable=False),
    words("media_type"),
    number("size"),
    words("sha256"),
    words("stored_as"),
    UniqueConstraint("conversation_id", "seq"),
    UniqueConstraint("stored_as"),
    check("size > 0", "size"),
)

# The audit log.

audit = append_only(
    table(
        "audit",
        id_(),
        when("at"),
        words("actor_id", null=True),
        words("actor_role"),
        words("action"),
        words("object_type"),
        words("object_id"),
        words("before"),
        words("after"),
        words("request_id", null=True),
        Index("ix_audit_at", "at", "id"),
        Index("ix_audit_actor_id_at", "actor_id", "at", "id"),
        Index("ix_audit_action_at", "action", "at", "id"),
        Index("ix_audit_object_type_at", "object_type", "at", "id"),
        Index("ix_audit_object_id_at", "object_id", "at", "id"),
        Index("ix_audit_request_id_at", "request_id", "at", "id"),
        narrow=True,
    )
)

# Mail and requests.

outbox = table(
    "outbox",
    id_(),
    words("event"),
    words("template"),
    Column("recipient_index", LargeBinary, nullable=False),
    Column("private", LargeBinary, nullable=False),
    words("invoice_of", null=True),
    words("message_id"),
    words("state"),
    Column("attempts", Whole, nullable=False),
    when("created_at"),
    when("due_at"),
    when("leased_until", null=True),
    when("sent_at", null=True),
    words("credit_note_id", null=True),
    words("user_id", null=True),
    UniqueConstraint("event", "recipient_index", "template"),
    one_of("state", NoticeState),
    *not_negative("attempts"),
    Index("ix_outbox_created_at", "created_at", "id"),
    Index("ix_outbox_state_created_at", "state", "created_at", "id"),
    Index("ix_outbox_sent_at", "sent_at"),
)
Index("ix_outbox_user_id", outbox.c.user_id, outbox.c.created_at, outbox.c.id, **where("user_id IS NOT NULL"))
Index("ix_outbox_due", outbox.c.due_at, outbox.c.id, **where(TO_SEND))

answers = table(
    "answers",
    Column("scope", Characters, primary_key=True),
    Column("key", Characters, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
    when("at"),
    Index("ix_answers_at", "at"),
)

# Hits by hashed keys, for the rate limits of all processes on PostgreSQL, where the table is unlogged: a server that
# crashed begins anew. No index on the time, so that an update touches no index at all. Empty on SQLite.
rate_limits = table(
    "rate_limits",
    Column("key", LargeBinary, primary_key=True),
    number("used"),
    when("ends_at"),
)

# Keys of which something may be encrypted, by their names.

encryption_keys = table(
    "encryption_keys",
    Column("name", Characters, primary_key=True),
    when("since"),
    narrow=True,
)
