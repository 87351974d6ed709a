"""Papers as PDF, whose libraries take a moment to load, for a server that has to start quickly."""

from functools import cached_property

from storecore.notices import Attachment
from storecore.orders.model import Invoice, Order
from storecore.orders.refund import CreditNote, Refund
from storecore.ports import Documents


class PdfWhenNeeded:
    """``PdfDocuments``, whose libraries load slowly, loaded for the first paper."""

    def __init__(self, *, timezone: str) -> None:
        self._timezone = timezone

    @cached_property
    def _documents(self) -> Documents:
        from adapters.pdf import PdfDocuments

        return PdfDocuments(timezone=self._timezone)

    def invoice(self, invoice: Invoice, order: Order) -> Attachment:
        """The invoice as a PDF."""
        return self._documents.invoice(invoice, order)

    def credit_note(self, note: CreditNote, invoice: Invoice, order: Order, refund: Refund | None) -> Attachment:
        """The credit note as a PDF."""
        return self._documents.credit_note(note, invoice, order, refund)
