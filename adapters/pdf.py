"""Invoices and credit notes as PDF, with fpdf2."""

import logging
from collections.abc import Callable
from zoneinfo import ZoneInfo

from adapters.papers import Look, Paper, percent
from adapters.sheets import MUTED
from storecore.notices import Attachment
from storecore.orders.model import Invoice, Order, OrderLine
from storecore.orders.refund import CreditNote, Refund
from storecore.orders.repaying import Credited, credited

log = logging.getLogger(__name__)


class PdfDocuments:
    """The ``Documents`` port: A4 pages in English. Amounts and dates are written as ``locale`` writes them.

    Dates are those of ``timezone`` (an IANA name). The bytes depend on the paper and the order's frozen amounts alone
    (and on the fonts installed, for letters beyond Latin, Cyrillic and Greek).
    """

    def __init__(self, *, locale: str = "en_US", timezone: str = "UTC") -> None:
        self._locale, self._timezone = locale, ZoneInfo(timezone)

    def invoice(self, invoice: Invoice, order: Order) -> Attachment:
        """The invoice as a file: the same bytes for the same invoice. Never raises because of a character."""
        return self._file(invoice.number, lambda look: _InvoicePaper(look, invoice, order))

    def credit_note(self, note: CreditNote, invoice: Invoice, order: Order, refund: Refund | None) -> Attachment:
        """The credit note as a file, as an invoice is: of a refund, or (None) of the whole order."""
        return self._file(note.number, lambda look: _CreditNotePaper(look, note, invoice, order, refund))

    def _file(self, number: str, paper: "Callable[[Look], _Drawn]") -> Attachment:
        try:
            content = self._draw(paper, system_fonts=True)
        except Exception:  # a broken font somewhere on the machine must not cost the paper
            log.warning("A system font could not be used for %s", number, exc_info=True)
            content = self._draw(paper, system_fonts=False)
        return Attachment(name=f"{number}.pdf", media_type="application/pdf", content=content)

    def _draw(self, paper: "Callable[[Look], _Drawn]", *, system_fonts: bool) -> bytes:
        digits = 1
        while True:
            look = Look(locale=self._locale, timezone=self._timezone, page_digits=digits, system_fonts=system_fonts)
            sheet = paper(look)
            try:
                sheet.draw()
                if len(str(sheet.pages_count)) <= digits:
                    return bytes(sheet.output())
            finally:
                sheet.close_fonts()
            digits += 1


class _Drawn(Paper):
    def draw(self) -> None:
        """The whole document."""
        raise NotImplementedError


class _InvoicePaper(_Drawn):
    """One invoice."""

    kind = "Invoice"
    columns = (
        ("SKU", 27, "L"),
        ("Item", 53, "L"),
        ("Qty", 12, "R"),
        ("Unit price", 23, "R"),
        ("Discount", 21, "R"),
        ("Tax rate", 15, "R"),
        ("Total", 23, "R"),
    )

    def __init__(self, look: Look, invoice: Invoice, order: Order) -> None:
        super().__init__(
            look, number=invoice.number, issued_at=invoice.issued_at, seller=invoice.seller, buyer=invoice.buyer
        )
        self._invoice, self._order = invoice, order

    def draw(self) -> None:
        """The whole document."""
        self.add_page()
        facts = (
            ("Invoice number", self._invoice.number),
            ("Issued", self.date(self._invoice.issued_at)),
            ("Order number", self._order.number),
            ("Ordered", self.date(self._order.created_at)),
        )
        y = self.letterhead(facts, to="BILLED TO")
        self.list_rows(y + 8, [self._cells(line) for line in self._order.lines])
        self._totals()

    def _cells(self, line: OrderLine) -> list[str]:
        return [
            line.sku,
            line.name,
            str(line.quantity),
            self.plain(line.unit_price),
            self.plain(-line.discount) if line.discount else "",
            percent(line.tax_rate),
            self.plain(line.total),
        ]

    def _totals(self) -> None:
        order = self._order
        rows = [("Subtotal", order.subtotal)]
        if order.discount:
            rows.append(("Discount", -order.discount))
        rows.append(("Shipping", order.shipping))
        taxes = [
            (f"{percent(rate)} tax on {self.money(net)}", tax) for rate, net, tax in order.tax_by_rate if tax or rate
        ]
        self.set_y(self.get_y() + 4)
        self.make_room(min(6 * (len(rows) + len(taxes)) + 26, 200))
        for label, amount in rows if order.tax_included else [*rows, *taxes]:
            self.sum(label, amount)
        self.grand_total("Total", order.total)
        if order.tax_included:
            for label, amount in taxes:
                self.sum(f"Includes {label}", amount, color=MUTED)
        self.small_print(self._note())

    def _note(self) -> str:
        included = (
            "Prices include tax; net amounts are given without it."
            if self._order.tax_included
            else "Line totals include tax; unit prices and the subtotal don't."
        )
        return f"All amounts are in {self._order.currency}. {included}"


class _CreditNotePaper(_Drawn):
    """One credit note."""

    kind = "Credit note"
    columns = (
        ("SKU", 30, "L"),
        ("Item", 69, "L"),
        ("Qty", 14, "R"),
        ("Tax rate", 17, "R"),
        ("Tax", 20, "R"),
        ("Credited", 24, "R"),
    )

    def __init__(self, look: Look, note: CreditNote, invoice: Invoice, order: Order, refund: Refund | None) -> None:
        super().__init__(look, number=note.number, issued_at=note.issued_at, seller=note.seller, buyer=note.buyer)
        self._note, self._invoice, self._order = note, invoice, order
        self._credited: Credited = credited(order, refund)

    def draw(self) -> None:
        """The whole document."""
        self.add_page()
        facts = (
            ("Number", self._note.number),
            ("Issued", self.date(self._note.issued_at)),
            ("For invoice", self._invoice.number),
            ("Invoiced", self.date(self._invoice.issued_at)),
            ("Order number", self._order.number),
        )
        y = self.letterhead(facts, to="CREDITED TO")
        self.list_rows(y + 8, self._rows())
        self._totals()

    def _rows(self) -> list[list[str]]:
        rows = [
            [
                line.sku,
                line.name,
                str(item.quantity),
                percent(line.tax_rate),
                self.plain(item.tax),
                self.plain(item.amount),
            ]
            for line, item in self._credited.items
        ]
        if self._credited.shipping:
            rate = percent(self._credited.shipping_tax_rate)
            tax, amount = self.plain(self._credited.shipping_tax), self.plain(self._credited.shipping)
            rows.append(["", "Shipping", "", rate, tax, amount])
        return rows

    def _totals(self) -> None:
        taxes = [(rate, net, tax) for rate, net, tax in self._credited.tax_by_rate if tax or rate]
        self.set_y(self.get_y() + 4)
        self.make_room(min(6 * len(taxes) + 26, 200))
        self.grand_total("Credited", self._note.total)
        for rate, net, tax in taxes:
            self.sum(f"Includes {percent(rate)} tax on {self.money(net)}", tax, color=MUTED)
        self.small_print(
            f"All amounts are in {self._order.currency} and include tax. "
            f"This note takes them off invoice {self._invoice.number}."
        )
