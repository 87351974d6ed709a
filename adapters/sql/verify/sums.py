"""Rules about rows that have to agree with other rows: a ledger, a count, a sequence."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, FromClause, Table, and_, exists, func, or_, select

from adapters.sql import tables
from adapters.sql.verify.snapshot import Rule
from storecore.orders.model import PaymentStatus, Status
from storecore.reviews.model import ReviewStatus
from storecore.support.model import Side

_shelf, _moves = tables.shelf.c, tables.stock_moves.c
_orders, _lines, _invoices = tables.orders.c, tables.order_lines.c, tables.invoices.c
_coupons, _counts, _uses = tables.coupons.c, tables.coupon_counts.c, tables.coupon_uses.c
_ratings, _reviews = tables.ratings.c, tables.reviews.c
_conversations, _messages = tables.conversations.c, tables.messages.c
_files = tables.attachments.c
_outbox, _answers = tables.outbox.c, tables.answers.c

_cancelled = _orders.status == str(Status.CANCELLED)

_in_ledger = func.coalesce(func.sum(_moves.change), 0)
_stock = Rule(
    name="stock-ledger",
    table=tables.shelf,
    breakers=select(_shelf.product_id, _shelf.on_hand, _in_ledger.label("ledger"))
    .outerjoin_from(tables.shelf, tables.stock_moves, _moves.product_id == _shelf.product_id)
    .group_by(_shelf.product_id, _shelf.on_hand)
    .having(_shelf.on_hand != _in_ledger),
    message="{on_hand} are on the shelf, {ledger} by the ledger",
)

_sold = (
    select(_lines.product_id, func.sum(_lines.quantity).label("units"))
    .join_from(tables.order_lines, tables.orders)
    .where(~_cancelled)
    .group_by(_lines.product_id)
    .subquery("sold")
)
_units = func.coalesce(_sold.c.units, 0)
_units_sold = Rule(
    name="units-sold",
    table=tables.shelf,
    breakers=select(_shelf.product_id, _shelf.units_sold, _units.label("units"))
    .outerjoin_from(tables.shelf, _sold, _sold.c.product_id == _shelf.product_id)
    .where(_shelf.units_sold != _units),
    message="counts {units_sold} units as sold, orders say {units}",
)

_used = select(_uses.coupon_id, func.count().label("rows")).group_by(_uses.coupon_id).subquery("used")
_rows = func.coalesce(_used.c.rows, 0)
_coupon_count = Rule(
    name="coupon-count",
    table=tables.coupon_counts,
    breakers=select(_counts.coupon_id, _counts.uses, _rows.label("rows"))
    .outerjoin_from(tables.coupon_counts, _used, _used.c.coupon_id == _counts.coupon_id)
    .where(_counts.uses != _rows),
    message="counts {uses} uses, of which {rows} are known",
)

# Staff may lower a limit below what was used by then, so that only terms that were never changed prove anything.
_unchanged = _coupons.version == 1
_coupon_limit = Rule(
    name="coupon-limit",
    table=tables.coupons,
    breakers=select(_coupons.id, _counts.uses, _coupons.max_uses)
    .join_from(tables.coupons, tables.coupon_counts)
    .where(_unchanged, _counts.uses > _coupons.max_uses),
    message="was used {uses} times, {max_uses} are allowed",
)
_times = func.count()
_coupon_limit_per_user = Rule(
    name="coupon-limit",
    table=tables.coupons,
    breakers=select(_coupons.id, _coupons.max_uses_per_user, _times.label("times"))
    .join_from(tables.coupons, tables.coupon_uses)
    .where(_unchanged, _coupons.max_uses_per_user.is_not(None))
    .group_by(_coupons.id, _coupons.max_uses_per_user, _uses.user_index)
    .having(_times > _coupons.max_uses_per_user),
    message="was used {times} times by one customer, {max_uses_per_user} are allowed",
)

_use = and_(_uses.order_id == _orders.id, _uses.coupon_id == _orders.coupon_id)
_given_back = and_(_cancelled, _orders.payment_status == str(PaymentStatus.UNPAID))
_coupon_use = Rule(
    name="coupon-use",
    table=tables.orders,
    breakers=select(_orders.id, _orders.status)
    .outerjoin_from(tables.orders, tables.coupon_uses, _use)
    .where(
        _orders.coupon_id.is_not(None),
        or_(and_(~_cancelled, _uses.order_id.is_(None)), and_(_given_back, _uses.order_id.is_not(None))),
    ),
    message="is {status}, which its use of a coupon does not agree with",
)
_foreign_use = Rule(
    name="coupon-use",
    table=tables.coupon_uses,
    breakers=select(_uses.order_id, _uses.coupon_id)
    .join_from(tables.coupon_uses, tables.orders)
    .where(or_(_orders.coupon_id.is_(None), _orders.coupon_id != _uses.coupon_id)),
    message="the order was placed without this coupon",
    keys=2,
)

_before = tables.invoices.alias("before").c
_invoice_number = Rule(
    name="invoice-number",
    table=tables.invoices,
    breakers=select(_invoices.id, _invoices.sequence, (_invoices.sequence - 1).label("missing")).where(
        _invoices.sequence != 1, ~exists().where(_before.sequence == _invoices.sequence - 1)
    ),
    message="is number {sequence}, but there is no number {missing}",
)
_invoice_total = Rule(
    name="invoice-total",
    table=tables.invoices,
    breakers=select(_invoices.id, _invoices.total, _orders.total.label("due"))
    .join_from(tables.invoices, tables.orders)
    .where(or_(_invoices.total != _orders.total, _invoices.currency != _orders.currency)),
    message="is about {total} minor units, its order about {due} or in another currency",
)
_invoice = exists().where(_invoices.order_id == _orders.id)
_not_invoiced = Rule(
    name="invoiced",
    table=tables.orders,
    breakers=select(_orders.id).where(_orders.invoiced, ~_invoice),
    message="is marked as invoiced, but has no invoice",
)
_unmarked = Rule(
    name="invoiced",
    table=tables.orders,
    breakers=select(_orders.id).where(~_orders.invoiced, _invoice),
    message="has an invoice, but is not marked as invoiced",
)

_published = (
    select(_reviews.product_id, func.sum(_reviews.rating).label("stars"), func.count().label("reviews"))
    .where(_reviews.status == str(ReviewStatus.PUBLISHED))
    .group_by(_reviews.product_id)
    .subquery("published")
)
_stars, _number = func.coalesce(_published.c.stars, 0), func.coalesce(_published.c.reviews, 0)
_rating = Rule(
    name="rating",
    table=tables.ratings,
    breakers=select(
        _ratings.product_id,
        _ratings.total,
        _ratings["count"].label("many"),
        _stars.label("stars"),
        _number.label("reviews"),
    )
    .outerjoin_from(tables.ratings, _published, _published.c.product_id == _ratings.product_id)
    .where(or_(_ratings.total != _stars, _ratings["count"] != _number)),
    message="counts {total} stars of {many} reviews, of which {stars} of {reviews} are published",
)

_said = (
    select(_messages.conversation_id, func.count().label("rows"), func.max(_messages.seq).label("last"))
    .group_by(_messages.conversation_id)
    .subquery("said")
)
_rows_said, _last_said = func.coalesce(_said.c.rows, 0), func.coalesce(_said.c.last, 0)
_message_count = Rule(
    name="messages",
    table=tables.conversations,
    breakers=select(_conversations.id, _conversations.last_seq, _rows_said.label("rows"), _last_said.label("last"))
    .outerjoin_from(tables.conversations, _said, _said.c.conversation_id == _conversations.id)
    .where(or_(_rows_said == 0, _conversations.last_seq != _rows_said, _conversations.last_seq != _last_said)),
    message="counts {last_seq} messages; there are {rows}, the last is number {last}",
)
_one_asker = Rule(
    name="messages",
    table=tables.messages,
    breakers=select(_messages.conversation_id, _messages.seq, _messages.author_id)
    .join_from(tables.messages, tables.conversations)
    .where(_messages.side == str(Side.CUSTOMER), _messages.author_id.is_distinct_from(_conversations.customer_id)),
    message="is said to be by whoever opened the conversation, and is by {author_id}",
    keys=2,
)
_own_conversation = Rule(
    name="own-conversation",
    table=tables.conversations,
    breakers=select(_conversations.id, _conversations.agent_id).where(
        _conversations.agent_id == _conversations.customer_id
    ),
    message="{agent_id} handles their own",
)
_authors_key = Rule(
    name="messages",
    table=tables.messages,
    breakers=select(_messages.conversation_id, _messages.seq, _messages.author_key).where(
        _messages.author_key != func.coalesce(_messages.author_id, "")
    ),
    message="is kept under the author {author_key!r}, who has not written it",
    keys=2,
)

_alone = Rule(
    name="orphan",
    table=tables.attachments,
    breakers=select(_files.id, _files.seq)
    .join_from(tables.attachments, tables.conversations)
    .where(~exists().where(_messages.conversation_id == _files.conversation_id, _messages.seq == _files.seq)),
    message="came with message {seq} of its conversation, which is not there",
)

_attached = Rule(
    name="orphan",
    table=tables.outbox,
    breakers=select(_outbox.id, _outbox.invoice_of).where(
        _outbox.invoice_of.is_not(None), ~exists().where(_orders.id == _outbox.invoice_of)
    ),
    message="invoice_of {invoice_of} is not among the orders",
)

_idempotency = Rule(
    name="idempotency",
    table=tables.answers,
    breakers=select(_answers.scope, _answers.key).where(
        or_(_answers.answer.is_(None), func.length(_answers.fingerprint) == 0)
    ),
    message="the request was claimed and has no answer, or no fingerprint",
    keys=2,
)


def _missing(table: Table, beside: FromClause, refers: ColumnElement[str]) -> Rule:
    """Rows that come in pairs."""
    (key,) = table.primary_key
    return Rule(
        name="incomplete",
        table=table,
        breakers=select(key).where(~exists().where(refers == key)),
        message=f"has no row in {beside}",
    )


SUMS: Sequence[Rule] = (
    _stock,
    _units_sold,
    _coupon_count,
    _coupon_limit,
    _coupon_limit_per_user,
    _coupon_use,
    _foreign_use,
    _invoice_number,
    _invoice_total,
    _not_invoiced,
    _unmarked,
    _rating,
    _message_count,
    _one_asker,
    _authors_key,
    _own_conversation,
    _alone,
    _attached,
    _idempotency,
    _missing(tables.products, tables.shelf, _shelf.product_id),
    _missing(tables.products, tables.ratings, tables.ratings.c.product_id),
    _missing(tables.coupons, tables.coupon_counts, _counts.coupon_id),
)
