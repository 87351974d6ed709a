"""Rules about money that came in and went back: payments, refunds and credit notes agree with their orders."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, ColumnElement, and_, cast, exists, func, not_, or_, select

from adapters.sql import tables
from adapters.sql.verify.snapshot import Rule
from storecore.orders.model import PaymentStatus, Status
from storecore.orders.payment import PaymentState
from storecore.orders.refund import APPROVED, OPEN, RefundCause, RefundStatus

_orders, _lines, _invoices = tables.orders.c, tables.order_lines.c, tables.invoices.c
_payments, _refunds, _items = tables.payments.c, tables.refunds.c, tables.refund_items.c
_notes, _outbox = tables.credit_notes.c, tables.outbox.c

_PAID = [str(each) for each in (PaymentStatus.PAID, PaymentStatus.PARTLY_REFUNDED, PaymentStatus.REFUNDED)]
_cancelled = _orders.status == str(Status.CANCELLED)
_is_paid = _orders.payment_status.in_(_PAID)
_is_refunded = _refunds.status == str(RefundStatus.REFUNDED)
_is_open = _refunds.status.in_(sorted(map(str, OPEN)))
_is_approved = _refunds.status.in_(sorted(map(str, APPROVED)))
_is_return = _refunds.cause == str(RefundCause.RETURN)

_succeeded = _payments.state == str(PaymentState.SUCCEEDED)
_payment_amount = Rule(
    name="payment-amount",
    table=tables.payments,
    breakers=select(_payments.id, _payments.amount, _orders.total.label("due"))
    .join_from(tables.payments, tables.orders)
    .where(_succeeded, or_(_payments.amount != _orders.total, _payments.currency != _orders.currency)),
    message="took {amount} minor units for an order of {due}, or in another currency",
)
_payment_status = Rule(
    name="payment-status",
    table=tables.payments,
    breakers=select(_payments.id, _orders.payment_status)
    .join_from(tables.payments, tables.orders)
    .where(_succeeded, ~_is_paid),
    message="has succeeded, but its order is {payment_status}",
)

_given_back = (
    select(_refunds.order_id, cast(func.sum(_refunds.amount), BigInteger).label("amount"))
    .where(_is_refunded)
    .group_by(_refunds.order_id)
    .subquery("given_back")
)
_amount = func.coalesce(_given_back.c.amount, 0)
_refunded_sum = Rule(
    name="refunded",
    table=tables.orders,
    breakers=select(_orders.id, _orders.refunded, _amount.label("amount"))
    .outerjoin_from(tables.orders, _given_back, _given_back.c.order_id == _orders.id)
    .where(_orders.refunded != _amount),
    message="says that {refunded} minor units were given back, its refunds say {amount}",
)
_refunded_status = Rule(
    name="refunded",
    table=tables.orders,
    breakers=select(_orders.id, _orders.refunded, _orders.total, _orders.payment_status).where(
        or_(
            and_(_orders.payment_status == "refunded", _orders.refunded != _orders.total),
            and_(
                _orders.payment_status == "partly_refunded",
                or_(_orders.refunded == 0, _orders.refunded == _orders.total),
            ),
            and_(_orders.payment_status.not_in(["refunded", "partly_refunded"]), _orders.refunded != 0),
        )
    ),
    message="is {payment_status}, but {refunded} of {total} minor units were given back",
)
_owed = Rule(
    name="refunded",
    table=tables.orders,
    breakers=select(_orders.id, _orders.payment_status).where(
        _cancelled,
        _is_paid,
        _orders.total > 0,
        ~exists().where(_refunds.order_id == _orders.id, ~_is_return, _is_approved),
    ),
    message="was cancelled and is {payment_status}, but has no refund",
)

_parts = (
    select(
        _items.refund_id,
        cast(func.sum(_items.amount), BigInteger).label("amount"),
        cast(func.sum(_items.tax), BigInteger).label("tax"),
    )
    .group_by(_items.refund_id)
    .subquery("parts")
)
_refund_amount = Rule(
    name="refund-amount",
    table=tables.refunds,
    breakers=select(_refunds.id, _refunds.amount, _refunds.tax)
    .outerjoin_from(tables.refunds, _parts, _parts.c.refund_id == _refunds.id)
    .where(
        or_(
            _parts.c.refund_id.is_(None),
            _refunds.amount != _parts.c.amount + _refunds.shipping,
            _refunds.tax != _parts.c.tax + _refunds.shipping_tax,
        )
    ),
    message="its amount {amount} or tax {tax} is not that of its items and shipping",
)


def _differ(one: ColumnElement[bool], other: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(and_(one, not_(other)), and_(not_(one), other))


_decided = _refunds.status != str(RefundStatus.REQUESTED)
_back = or_(_refunds.status == str(RefundStatus.RECEIVED), and_(_is_refunded, _refunds.expect_return))
_due = or_(
    _refunds.status == str(RefundStatus.RECEIVED),
    and_(_refunds.status == str(RefundStatus.APPROVED), not_(_refunds.expect_return)),
)
_refund_dates = Rule(
    name="refund-dates",
    table=tables.refunds,
    breakers=select(_refunds.id, _refunds.status).where(
        or_(
            _differ(_decided, _refunds.decided_at.is_not(None)),
            _differ(_back, _refunds.received_at.is_not(None)),
            _differ(_back, _refunds.disposition.is_not(None)),
            _differ(_is_refunded, _refunds.refunded_at.is_not(None)),
            _differ(_due, _refunds.payout_at.is_not(None)),
            and_(_due, _refunds.payment_id.is_(None)),
        )
    ),
    message="is {status}, which its dates do not agree with",
)
_foreign_line = Rule(
    name="refund-line",
    table=tables.refund_items,
    breakers=select(_items.refund_id, _items.line_id)
    .join_from(tables.refund_items, tables.refunds)
    .where(
        ~exists().where(
            _lines.id == _items.line_id, _lines.order_id == _refunds.order_id, _lines.product_id == _items.product_id
        )
    ),
    message="{line_id} is no such line of its order",
    keys=2,
)

_before = tables.credit_notes.alias("before").c
_note_number = Rule(
    name="credit-note-number",
    table=tables.credit_notes,
    breakers=select(_notes.id, _notes.sequence, (_notes.sequence - 1).label("missing")).where(
        _notes.sequence != 1, ~exists().where(_before.sequence == _notes.sequence - 1)
    ),
    message="is number {sequence}, but there is no number {missing}",
)
_note_of_refund = Rule(
    name="credit-note",
    table=tables.credit_notes,
    breakers=select(_notes.id, _notes.total, _refunds.amount)
    .join_from(tables.credit_notes, tables.refunds, _notes.refund_id == _refunds.id)
    .where(
        or_(
            ~_is_refunded,
            _notes.order_id != _refunds.order_id,
            _notes.total != _refunds.amount,
            _notes.tax != _refunds.tax,
            _notes.currency != _refunds.currency,
        )
    ),
    message="is about {total} minor units, and not what its refund gave back ({amount})",
)
_note_of_order = Rule(
    name="credit-note",
    table=tables.credit_notes,
    breakers=select(_notes.id, _notes.total, _orders.total.label("due"))
    .join_from(tables.credit_notes, tables.orders, _notes.order_id == _orders.id)
    .where(
        _notes.refund_id.is_(None),
        or_(
            ~_cancelled,
            _notes.total != _orders.total,
            _notes.tax != _orders.tax,
            _notes.currency != _orders.currency,
        ),
    ),
    message="is about {total} minor units of an order of {due} that is not cancelled, or not all of it",
)
_not_invoiced = Rule(
    name="credit-note",
    table=tables.credit_notes,
    breakers=select(_notes.id, _notes.order_id).where(~exists().where(_invoices.order_id == _notes.order_id)),
    message="is about the order {order_id}, which has no invoice",
)
_of_whole_order = and_(_notes.order_id == _refunds.order_id, _notes.refund_id.is_(None))
_uncredited = Rule(
    name="credit-note",
    table=tables.refunds,
    breakers=select(_refunds.id).where(
        _is_refunded,
        exists().where(_invoices.order_id == _refunds.order_id),
        ~exists().where(or_(_notes.refund_id == _refunds.id, _of_whole_order)),
    ),
    message="was given back for an invoice, and has no credit note",
)
_uncancelled = Rule(
    name="credit-note",
    table=tables.orders,
    breakers=select(_orders.id).where(
        _cancelled, ~_is_paid, _orders.invoiced, ~exists().where(_notes.order_id == _orders.id)
    ),
    message="was cancelled after it was invoiced, and has no credit note",
)
_attached = Rule(
    name="orphan",
    table=tables.outbox,
    breakers=select(_outbox.id, _outbox.credit_note_id).where(
        _outbox.credit_note_id.is_not(None), ~exists().where(_notes.id == _outbox.credit_note_id)
    ),
    message="credit_note_id {credit_note_id} is not among the credit_notes",
)

REPAID: Sequence[Rule] = (
    _payment_amount,
    _payment_status,
    _refunded_sum,
    _refunded_status,
    _owed,
    _refund_amount,
    _refund_dates,
    _foreign_line,
    _note_number,
    _note_of_refund,
    _note_of_order,
    _not_invoiced,
    _uncredited,
    _uncancelled,
    _attached,
)
