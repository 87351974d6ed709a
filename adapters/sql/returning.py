"""Which orders of an invented shop came partly back, and the refunds of those."""

from datetime import datetime, timedelta
from random import Random

from adapters.sql.inventing import new_id
from storecore.accounts.model import SYSTEM
from storecore.money import Money
from storecore.orders import repaying
from storecore.orders.model import Invoice, Order
from storecore.orders.refund import CreditNote, Disposition, Refund

_RETURNED = 0.03
_REASONS = ("Not what I expected.", "Broken on arrival.", "I ordered too many.", "The colour is different.")
_WITHIN = timedelta(days=20)


def returned(order: Order, until: datetime) -> Refund | None:
    """The refund of some units of a delivered order, received, scrapped and paid within three weeks; mostly None."""
    random = Random(f"returned {order.id}")  # noqa: S311 - an invention is no secret
    if order.delivered_at is None or random.random() >= _RETURNED or order.delivered_at + _WITHIN > until:
        return None
    line = random.choice(order.lines)
    nothing = Money.zero(order.currency)
    asked_at = order.delivered_at + timedelta(days=random.uniform(0.1, 9))
    refund = Refund(
        id=new_id(asked_at, random),
        order_id=order.id,
        customer_id=order.customer_id,
        items=repaying.items(order, {line.id: random.randint(1, line.quantity)}, before={}),
        shipping=nothing,
        shipping_tax=nothing,
        reason=random.choice(_REASONS),
        created_at=asked_at,
    )
    decided_at = asked_at + timedelta(days=random.uniform(0.1, 2))
    approved = refund.approve(by=SYSTEM, at=decided_at, items=refund.items, shipping=nothing, shipping_tax=nothing)
    here_at = decided_at + timedelta(days=random.uniform(1, 8))
    return approved.receive(at=here_at, disposition=Disposition.SCRAP).paid_out(at=here_at)


def credit_note(refund: Refund, invoice: Invoice, sequence: int) -> CreditNote:
    """As it was issued when the money was handed back."""
    at = refund.refunded_at or refund.created_at
    return CreditNote(
        id=new_id(at, Random(refund.id)),  # noqa: S311 - an invention is no secret
        sequence=sequence,
        order_id=refund.order_id,
        refund_id=refund.id,
        issued_at=at,
        seller=invoice.seller,
        buyer=invoice.buyer,
        total=refund.amount,
        tax=refund.tax,
    )
