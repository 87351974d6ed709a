"""Invoices as PDF, with fpdf2."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date

from adapters import fonts
from adapters.amounts import plain, with_currency
from adapters.sheets import INK, MARGIN, MUTED, SHADE, WIDTH, Sheet
from storecore.money import Money
from storecore.notices import Attachment
from storecore.orders.model import Invoice, Order, OrderLine, Party

log = logging.getLogger(__name__)

BOTTOM = 272  # millimetres on A4
PADDING = 1.5
PAGE_COUNT = "\ue000"
"""Stands for one digit of the number of pages until it is known; cleaned texts can't contain it."""

COLUMNS = (
    ("SKU", 27, "L"),
    ("Item", 53, "L"),
    ("Qty", 12, "R"),
    ("Unit price", 23, "R"),
    ("Discount", 21, "R"),
    ("Tax rate", 15, "R"),
    ("Total", 23, "R"),
)


class PdfDocuments:
    """The ``Documents`` port: A4 pages in English. Amounts and dates are written as ``locale`` writes them.

    Dates are those of ``timezone`` (an IANA name). The bytes depend on the invoice and the order's frozen amounts alone
    (and on the fonts installed, for letters beyond Latin, Cyrillic and Greek).
    """

    def __init__(self, *, locale: str = "en_US", timezone: str = "UTC") -> None:
        self._locale, self._timezone = locale, ZoneInfo(timezone)

    def invoice(self, invoice: Invoice, order: Order) -> Attachment:
        """The invoice as a file: the same bytes for the same invoice. Never raises because of a character."""
        try:
            content = self._draw(invoice, order, system_fonts=True)
        except Exception:  # a broken font somewhere on the machine must not cost the invoice
            log.warning("A system font could not be used for invoice %s", invoice.number, exc_info=True)
            content = self._draw(invoice, order, system_fonts=False)
        return Attachment(name=f"{invoice.number}.pdf", media_type="application/pdf", content=content)

    def _draw(self, invoice: Invoice, order: Order, *, system_fonts: bool) -> bytes:
        page_digits = 1
        while True:
            sheet = _InvoiceSheet(
                invoice,
                order,
                locale=self._locale,
                timezone=self._timezone,
                page_digits=page_digits,
                system_fonts=system_fonts,
            )
            try:
                sheet.draw()
                if len(str(sheet.pages_count)) <= page_digits:
                    return bytes(sheet.output())
            finally:
                sheet.close_fonts()
            page_digits += 1


class _InvoiceSheet(Sheet):
    """One invoice."""

    def __init__(
        self, invoice: Invoice, order: Order, *, locale: str, timezone: ZoneInfo, page_digits: int, system_fonts: bool
    ) -> None:
        super().__init__(system_fonts=system_fonts)
        self._invoice, self._order = invoice, order
        self._locale, self._timezone = locale, timezone
        self._in_table = False
        self.alias_nb_pages(PAGE_COUNT * page_digits)
        self.set_creation_date(invoice.issued_at.astimezone(UTC))
        self.set_lang(locale.replace("_", "-"))
        self.set_title(f"Invoice {invoice.number}")
        self.set_author(fonts.clean(invoice.seller.name))

    def draw(self) -> None:
        """The whole document."""
        self.add_page()
        y = self._letterhead()
        self._table_head(y + 8)
        self._in_table = True
        for line in self._order.lines:
            self._row(line)
        self._in_table = False
        self._totals()

    def header(self) -> None:
        """On every page but the first: what it belongs to, and the table's head while inside the table."""
        if self.page == 1:
            return
        self.ink(8.5, color=MUTED)
        self.line_at(MARGIN, 12, WIDTH, f"Invoice {self._invoice.number}, continued")
        self.set_y(20)
        if self._in_table:
            self._table_head(20)

    def footer(self) -> None:
        """Seller, invoice number and page number."""
        self.rule(280)
        self.ink(7.5, color=MUTED)
        seller = self.wrap(self._invoice.seller.name, 110)[0]
        self.line_at(MARGIN, 281.5, 120, f"{seller}  ·  {self._invoice.number}")
        self.line_at(MARGIN + 120, 281.5, WIDTH - 120, f"Page {self.page} of {self.str_alias_nb_pages}", align="R")

    def _letterhead(self) -> float:
        seller, buyer = self._invoice.seller, self._invoice.buyer
        right = MARGIN + 110
        self.ink(15, bold=True)
        left_end = self.block(MARGIN, 18, 100, [seller.name], height=6.6)
        self.ink(8.5, color=MUTED)
        left_end = self.block(MARGIN, left_end + 1, 100, _party_lines(seller))

        self.ink(20, bold=True)
        self.line_at(right, 17, WIDTH - 110, "INVOICE", align="R", height=8.6)
        y = 28.0
        for label, value in (
            ("Invoice number", self._invoice.number),
            ("Issued", self._date(self._invoice.issued_at)),
            ("Order number", self._order.number),
            ("Ordered", self._date(self._order.created_at)),
        ):
            self.ink(8.5, color=MUTED)
            self.line_at(right, y, 26, label)
            self.ink(8.5)
            self.line_at(right + 26, y, WIDTH - 136, self.drawable(value), align="R")
            y += 4.8

        y = max(left_end, y) + 5
        self.rule(y, color=INK, width=0.5)
        y += 5
        self.ink(7.5, bold=True, color=MUTED)
        self.line_at(MARGIN, y, 100, "BILLED TO")
        self.ink(10, bold=True)
        y = self.block(MARGIN, y + 5, 120, [buyer.name], height=5)
        self.ink(9)
        return self.block(MARGIN, y, 120, _party_lines(buyer))

    def _table_head(self, y: float) -> None:
        self.set_fill_color(*SHADE)
        self.rect(MARGIN, y, WIDTH, 7.4, style="F")
        self.ink(7.5, bold=True, color=MUTED)
        x: float = MARGIN
        for title, width, align in COLUMNS:
            self.line_at(x + PADDING, y + 1.6, width - 2 * PADDING, title, align=align)
            x += width
        self.set_y(y + 7.4)

    def _row(self, line: OrderLine) -> None:
        self.ink(8.5)
        values = (
            line.sku,
            line.name,
            str(line.quantity),
            self._plain(line.unit_price),
            self._plain(-line.discount) if line.discount else "",
            _percent(line.tax_rate),
            self._plain(line.total),
        )
        cells = [
            self.wrap(value, width - 2 * PADDING) if align == "L" else [value]
            for value, (_, width, align) in zip(values, COLUMNS, strict=True)
        ]
        height = 4.2 * max(map(len, cells)) + 3
        self._make_room(height)
        self.ink(8.5)
        y = self.get_y()
        x: float = MARGIN
        for lines, (_, width, align) in zip(cells, COLUMNS, strict=True):
            for place, text in enumerate(lines):
                self.line_at(x + PADDING, y + 1.5 + 4.2 * place, width - 2 * PADDING, text, align=align)
            x += width
        self.rule(y + height)
        self.set_y(y + height)

    def _totals(self) -> None:
        order = self._order
        rows = [("Subtotal", order.subtotal)]
        if order.discount:
            rows.append(("Discount", -order.discount))
        rows.append(("Shipping", order.shipping))
        taxes = [
            (f"{_percent(rate)} tax on {self._money(net)}", tax) for rate, net, tax in order.tax_by_rate if tax or rate
        ]
        self.set_y(self.get_y() + 4)
        self._make_room(min(6 * (len(rows) + len(taxes)) + 26, 200))
        for label, amount in rows if order.tax_included else [*rows, *taxes]:
            self._total(label, amount)
        self._grand_total()
        if order.tax_included:
            for label, amount in taxes:
                self._total(f"Includes {label}", amount, color=MUTED)
        self.ink(8, color=MUTED)
        self._make_room(8)
        self.line_at(MARGIN, self.get_y() + 4, WIDTH, self._note())

    def _note(self) -> str:
        included = (
            "Prices include tax; net amounts are given without it."
            if self._order.tax_included
            else "Line totals include tax; unit prices and the subtotal don't."
        )
        return f"All amounts are in {self._order.currency}. {included}"

    def _total(self, label: str, amount: Money, *, color: tuple[int, int, int] = INK) -> None:
        self._make_room(5.4)
        y, left = self.get_y(), MARGIN + 84
        self.ink(9, color=MUTED)
        self.line_at(left, y, 58, self.drawable(label), height=5.4)
        self.ink(9, color=color)
        self.line_at(left + 58, y, WIDTH - 142 - PADDING, self.drawable(self._money(amount)), align="R", height=5.4)
        self.set_y(y + 5.4)

    def _grand_total(self) -> None:
        self._make_room(12)
        y, left = self.get_y() + 1.5, MARGIN + 84
        self.rule(y, left=left, color=INK, width=0.5)
        self.ink(12, bold=True)
        self.line_at(left, y + 2, 30, "Total", height=6)
        self.line_at(
            left + 30, y + 2, WIDTH - 114 - PADDING, self.drawable(self._money(self._order.total)), align="R", height=6
        )
        self.set_y(y + 11)

    def _make_room(self, height: float) -> None:
        if self.get_y() + height > BOTTOM:
            self.add_page()

    def _date(self, moment: datetime) -> str:
        return format_date(moment.astimezone(self._timezone).date(), "long", locale=self._locale)

    def _plain(self, amount: Money) -> str:
        return plain(str(amount), self._locale)

    def _money(self, amount: Money) -> str:
        return with_currency(str(amount), amount.currency, self._locale)


def _party_lines(party: Party) -> Sequence[str]:
    tax_id = [f"Tax ID: {party.tax_id}"] if party.tax_id else []
    address = party.address[1:] if party.address[:1] == (party.name,) else party.address
    return [*address, *tax_id, *([party.email] if party.email else [])]


def _percent(rate: Decimal) -> str:
    return f"{rate.normalize():f}%"
