"""Invoices over HTTP: each as a document, and the list of those issued."""

from datetime import datetime

from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.errors import NotInvoiced
from storecore.lists import Page
from storecore.notices import Attachment
from storecore.orders.model import Invoice
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount
from webapp.periods import Period
from webapp.sessions import Who

routes = Routes("invoices", "Invoices, numbered without a gap.")


class InvoiceView(TypedDict):
    """An issued invoice."""

    id: str
    number: str
    order_id: str
    issued_at: datetime
    buyer: str
    total: Amount
    currency: str


def show_invoice(invoice: Invoice) -> InvoiceView:
    """An invoice as it is listed."""
    return {
        "id": invoice.id,
        "number": invoice.number,
        "order_id": invoice.order_id,
        "issued_at": invoice.issued_at,
        "buyer": invoice.buyer.name,
        "total": str(invoice.total),
        "currency": invoice.total.currency,
    }


class InvoiceList(Period):
    """Which invoices: ``from`` and ``to`` are days on which they were issued."""


@routes.endpoint("GET", "/invoices", show=show_invoice, may=Permission.INVOICES_READ_ALL)
def list_invoices(ask: Ask[None, InvoiceList]) -> Page[Invoice]:
    """Issued invoices, newest first."""
    issued_from, issued_to = ask.query.bounds(ask.store.shop)
    return ask.store.orders.invoices(by=ask.by, issued_from=issued_from, issued_to=issued_to, page=ask.page)


@routes.endpoint(
    "GET", "/orders/{order_id}/invoice.pdf", who=Who.HOLDER, produces="application/pdf", refuses=(NotInvoiced,)
)
def invoice(ask: Ask, order_id: str) -> Attachment:
    """The invoice of an order: my own, or anybody's for `invoices:read_all`.

    The same bytes each time.
    """
    return ask.store.orders.invoice(by=ask.by, order_id=order_id)
