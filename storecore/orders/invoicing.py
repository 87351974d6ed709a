"""Invoices: issued soon after placing, in transactions of their own, so that checkouts never wait for a number."""

from dataclasses import dataclass
from datetime import datetime

from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.errors import NotFound, NotInvoiced, Unreadable
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.notices import Attachment
from storecore.orders.invoices import invoice_of, issue
from storecore.orders.model import Invoice, Order
from storecore.ports import Documents, Unit
from storecore.shop import Shop
from storecore.transactions import Activity, reading, writing


@dataclass(frozen=True, kw_only=True)
class Invoicing(Activity):
    """The books' view of an order."""

    documents: Documents
    shop: Shop

    def invoice(self, *, by: Actor, order_id: str) -> Attachment:
        """The order's invoice as a document, issued now if it still waited.

        For its owner and ``invoices:read_all``. Raises ``NotFound``, ``NotInvoiced``.
        """
        invoice, order = self._invoice(by=by, order_id=order_id)
        if invoice is None:
            invoice, order = self._issue(order_id=order_id)
        return self.documents.invoice(invoice, order)

    @reading
    def _invoice(self, unit: Unit, *, by: Actor, order_id: str) -> tuple[Invoice | None, Order]:
        order = unit.orders.get(order_id)
        if not order.belongs_to(by) and not by.may(Permission.INVOICES_READ_ALL):
            raise NotFound("There is no such order.")
        return invoice_of(unit, order), order

    @writing
    def _issue(self, unit: Unit, *, order_id: str) -> tuple[Invoice, Order]:
        return issue(unit, self.shop, order_id)

    @reading
    def invoices(
        self,
        unit: Unit,
        *,
        by: Actor,
        issued_from: datetime | None = None,
        issued_to: datetime | None = None,
        page: PageRequest = FIRST_PAGE,
    ) -> Page[Invoice]:
        """Invoices issued in ``[issued_from, issued_to)``, newest first."""
        require(by, Permission.INVOICES_READ_ALL)
        return unit.invoices.page(page, issued_from=issued_from, issued_to=issued_to)

    def issue_due(self, *, limit: int = 50) -> int:
        """The worker's: issue invoices that wait, each in its own transaction. How many."""
        issued = 0
        for order_id in self._due(limit=limit):
            try:
                self._issue(order_id=order_id)
            except (NotInvoiced, Unreadable):
                continue  # cancelled since it was looked up, or for somebody to look at
            issued += 1
        return issued

    @reading
    def _due(self, unit: Unit, *, limit: int) -> list[str]:
        return list(unit.invoices.due(limit))
