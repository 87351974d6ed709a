"""Refunds and returns over HTTP: asked for by customers, decided and received by staff."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.errors import AlreadyDecided, IllegalTransition, NotCredited, NotPaid, NotReturnable
from storecore.lists import Page
from storecore.notices import Attachment
from storecore.orders.refund import Disposition, Refund, RefundCause, RefundItem, RefundStatus
from storecore.orders.refunding import MAX_ITEMS
from storecore.ports import RefundQuery
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount, Choice, Id, Quantity, Text
from webapp.http.validation import Body, Query
from webapp.orders import Note
from webapp.sessions import Who

routes = Routes("refunds", "Sending goods back, and the money for them.")

Reason = Annotated[str, Text(2000, lines=True)]


class RefundItemView(TypedDict):
    """Units of a line of the order, and what was paid for them, ``tax`` included."""

    line_id: str
    product_id: str
    quantity: int
    amount: Amount
    tax: Amount
    currency: str


def _show_item(item: RefundItem) -> RefundItemView:
    return {
        "line_id": item.line_id,
        "product_id": item.product_id,
        "quantity": item.quantity,
        "amount": str(item.amount),
        "tax": str(item.tax),
        "currency": item.amount.currency,
    }


class RefundView(TypedDict):
    """A refund: ``amount`` is everything that is given back, with ``shipping`` and ``tax`` inside it.

    While ``requested``, the amounts are what an approval would give now.
    """

    id: str
    order_id: str
    customer_id: str | None
    cause: RefundCause
    status: RefundStatus
    amount: Amount
    tax: Amount
    shipping: Amount
    currency: str
    items: list[RefundItemView]
    reason: str
    expect_return: bool
    disposition: Disposition | None
    decision_note: str | None
    payout_problem: str | None
    created_at: datetime
    decided_at: datetime | None
    received_at: datetime | None
    refunded_at: datetime | None
    version: int


def show_refund(refund: Refund, ask: Ask[object]) -> RefundView:
    """A refund as it is answered; why a provider does not pay is for staff."""
    return {
        "id": refund.id,
        "order_id": refund.order_id,
        "customer_id": refund.customer_id,
        "cause": refund.cause,
        "status": refund.status,
        "amount": str(refund.amount),
        "tax": str(refund.tax),
        "shipping": str(refund.shipping),
        "currency": refund.amount.currency,
        "items": [_show_item(item) for item in refund.items],
        "reason": refund.reason,
        "expect_return": refund.expect_return,
        "disposition": refund.disposition,
        "decision_note": refund.decision_note,
        "payout_problem": refund.payout_problem if ask.by.may(Permission.REFUNDS_DECIDE) else None,
        "created_at": refund.created_at,
        "decided_at": refund.decided_at,
        "received_at": refund.received_at,
        "refunded_at": refund.refunded_at,
        "version": refund.version,
    }


class RefundItemRequest(Body):
    """So many units of a line of the order."""

    line_id: Id
    quantity: Quantity


class RefundRequest(Body):
    """What goes back, and why."""

    items: Annotated[list[RefundItemRequest], Field(min_length=1, max_length=MAX_ITEMS)]
    reason: Reason


@routes.endpoint(
    "POST",
    "/orders/{order_id}/refunds",
    show=show_refund,
    location="/refunds/{id}",
    who=Who.HOLDER,
    may=Permission.ORDERS_PLACE,
    once=True,
    etag=True,
    refuses=(NotReturnable, NotPaid),
)
def request_refund(ask: Ask[RefundRequest], order_id: str) -> Refund:
    """Ask for a refund of my delivered order, for some or all of its units.

    Units that are asked for are kept for this refund until it is rejected or withdrawn.
    """
    return ask.store.refunds.request(
        by=ask.by,
        order_id=order_id,
        items=[(item.line_id, item.quantity) for item in ask.body.items],
        reason=ask.body.reason,
        once=ask.once,
    )


class RefundList(Query):
    """Which refunds."""

    status: Choice[RefundStatus] | None = None
    order_id: Id | None = None


@routes.endpoint("GET", "/refunds", show=show_refund, who=Who.HOLDER)
def list_refunds(ask: Ask[None, RefundList]) -> Page[Refund]:
    """My refunds, newest first; everybody's for staff.

    Whoever shows an order's token sees the refunds of that order.
    """
    query = RefundQuery(status=ask.query.status, order_id=ask.query.order_id)
    return ask.store.refunds.find(by=ask.by, query=query, page=ask.page)


@routes.endpoint("GET", "/refunds/{refund_id}", show=show_refund, who=Who.HOLDER, etag=True)
def get_refund(ask: Ask, refund_id: str) -> Refund:
    """One refund: my own, or anybody's for staff."""
    return ask.store.refunds.get(by=ask.by, refund_id=refund_id)


class Approval(Body):
    """How it is approved: ``include_shipping`` once an order; without ``expect_return`` it is paid at once."""

    note: Note | None = None
    include_shipping: bool = False
    expect_return: bool = True


@routes.endpoint(
    "POST",
    "/refunds/{refund_id}/approve",
    show=show_refund,
    may=Permission.REFUNDS_DECIDE,
    once=True,
    etag=True,
    refuses=(AlreadyDecided, NotReturnable),
)
def approve_refund(ask: Ask[Approval], refund_id: str) -> Refund:
    """Approve a refund of somebody else's order.

    Its money is due when the goods are back, or at once when none are expected.
    """
    body = ask.body
    return ask.store.refunds.approve(
        by=ask.by,
        refund_id=refund_id,
        note=body.note,
        include_shipping=body.include_shipping,
        expect_return=body.expect_return,
        if_version=ask.if_version,
        once=ask.once,
    )


class Rejection(Body):
    """Why not, perhaps."""

    note: Note | None = None


@routes.endpoint(
    "POST",
    "/refunds/{refund_id}/reject",
    show=show_refund,
    may=Permission.REFUNDS_DECIDE,
    once=True,
    etag=True,
    refuses=(AlreadyDecided,),
)
def reject_refund(ask: Ask[Rejection], refund_id: str) -> Refund:
    """Reject a refund of somebody else's order."""
    return ask.store.refunds.reject(
        by=ask.by, refund_id=refund_id, note=ask.body.note, if_version=ask.if_version, once=ask.once
    )


@routes.endpoint(
    "POST",
    "/refunds/{refund_id}/withdraw",
    show=show_refund,
    who=Who.HOLDER,
    once=True,
    etag=True,
    refuses=(AlreadyDecided,),
)
def withdraw_refund(ask: Ask, refund_id: str) -> Refund:
    """Withdraw my refund while it is not decided."""
    return ask.store.refunds.withdraw(by=ask.by, refund_id=refund_id, if_version=ask.if_version, once=ask.once)


class Receipt(Body):
    """What becomes of the goods: back on the shelf, or scrapped."""

    disposition: Choice[Disposition]


@routes.endpoint(
    "POST",
    "/refunds/{refund_id}/receive",
    show=show_refund,
    may=Permission.RETURNS_RECEIVE,
    once=True,
    etag=True,
    refuses=(AlreadyDecided, IllegalTransition),
)
def receive_return(ask: Ask[Receipt], refund_id: str) -> Refund:
    """Record that the goods of an approved refund are back; its money is now due."""
    return ask.store.refunds.receive(
        by=ask.by,
        refund_id=refund_id,
        disposition=ask.body.disposition,
        if_version=ask.if_version,
        once=ask.once,
    )


@routes.endpoint(
    "GET",
    "/refunds/{refund_id}/credit-note.pdf",
    who=Who.HOLDER,
    produces="application/pdf",
    refuses=(NotCredited,),
)
def credit_note(ask: Ask, refund_id: str) -> Attachment:
    """The credit note of a refund: my own, or anybody's for `invoices:read_all`.

    There is one once the money was given back. The same bytes each time.
    """
    return ask.store.refunds.credit_note(by=ask.by, refund_id=refund_id)
