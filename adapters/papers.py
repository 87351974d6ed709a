"""A numbered paper on the shop's letterhead: what invoices and credit notes have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date

from adapters import fonts
from adapters.amounts import plain, with_currency
from adapters.sheets import INK, MARGIN, MUTED, SHADE, WIDTH, Sheet
from storecore.money import Money
from storecore.orders.model import Party

BOTTOM = 272  # millimetres on A4
PADDING = 1.5
PAGE_COUNT = "\ue000"
"""Stands for one digit of the number of pages until it is known; cleaned texts can't contain it."""

Columns = Sequence[tuple[str, int, str]]
"""Title, width and alignment of each column of a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a paper is written, whatever it says."""

    locale: str
    timezone: ZoneInfo
    page_digits: int
    system_fonts: bool


class Paper(Sheet):
    """One paper: ``kind`` is what it is, such as ``Invoice``."""

    kind: str
    columns: Columns

    def __init__(self, look: Look, *, number: str, issued_at: datetime, seller: Party, buyer: Party) -> None:
        super().__init__(system_fonts=look.system_fonts)
        self._number, self._seller, self._buyer = number, seller, buyer
        self._locale, self._timezone = look.locale, look.timezone
        self._in_table = False
        self.alias_nb_pages(PAGE_COUNT * look.page_digits)
        self.set_creation_date(issued_at.astimezone(UTC))
        self.set_lang(look.locale.replace("_", "-"))
        self.set_title(f"{self.kind} {number}")
        self.set_author(fonts.clean(seller.name))

    def header(self) -> None:
        """On every page but the first: what it belongs to, and the table's head while inside the table."""
        if self.page == 1:
            return
        self.ink(8.5, color=MUTED)
        self.line_at(MARGIN, 12, WIDTH, f"{self.kind} {self._number}, continued")
        self.set_y(20)
        if self._in_table:
            self._table_head(20)

    def footer(self) -> None:
        """Seller, number and page number."""
        self.rule(280)
        self.ink(7.5, color=MUTED)
        seller = self.wrap(self._seller.name, 110)[0]
        self.line_at(MARGIN, 281.5, 120, f"{seller}  ·  {self._number}")
        self.line_at(MARGIN + 120, 281.5, WIDTH - 120, f"Page {self.page} of {self.str_alias_nb_pages}", align="R")

    def letterhead(self, facts: Sequence[tuple[str, str]], *, to: str) -> float:
        """Seller, what it is, facts about it, and the buyer below the label ``to``; where it ends."""
        right = MARGIN + 110
        self.ink(15, bold=True)
        left_end = self.block(MARGIN, 18, 100, [self._seller.name], height=6.6)
        self.ink(8.5, color=MUTED)
        left_end = self.block(MARGIN, left_end + 1, 100, _party_lines(self._seller))

        self.ink(20, bold=True)
        self.line_at(right, 17, WIDTH - 110, self.kind.upper(), align="R", height=8.6)
        y = 28.0
        for label, value in facts:
            self.ink(8.5, color=MUTED)
            self.line_at(right, y, 26, label)
            self.ink(8.5)
            self.line_at(right + 26, y, WIDTH - 136, self.drawable(value), align="R")
            y += 4.8

        y = max(left_end, y) + 5
        self.rule(y, color=INK, width=0.5)
        y += 5
        self.ink(7.5, bold=True, color=MUTED)
        self.line_at(MARGIN, y, 100, to)
        self.ink(10, bold=True)
        y = self.block(MARGIN, y + 5, 120, [self._buyer.name], height=5)
        self.ink(9)
        return self.block(MARGIN, y, 120, _party_lines(self._buyer))

    def list_rows(self, y: float, rows: Sequence[Sequence[str]]) -> None:
        """A table of ``columns``, on as many pages as it takes."""
        self._table_head(y)
        self._in_table = True
        for row in rows:
            self._row(row)
        self._in_table = False

    def _table_head(self, y: float) -> None:
        self.set_fill_color(*SHADE)
        self.rect(MARGIN, y, WIDTH, 7.4, style="F")
        self.ink(7.5, bold=True, color=MUTED)
        x: float = MARGIN
        for title, width, align in self.columns:
            self.line_at(x + PADDING, y + 1.6, width - 2 * PADDING, title, align=align)
            x += width
        self.set_y(y + 7.4)

    def _row(self, values: Sequence[str]) -> None:
        self.ink(8.5)
        cells = [
            self.wrap(value, width - 2 * PADDING) if align == "L" else [value]
            for value, (_, width, align) in zip(values, self.columns, strict=True)
        ]
        height = 4.2 * max(map(len, cells)) + 3
        self.make_room(height)
        self.ink(8.5)
        y = self.get_y()
        x: float = MARGIN
        for lines, (_, width, align) in zip(cells, self.columns, strict=True):
            for place, text in enumerate(lines):
                self.line_at(x + PADDING, y + 1.5 + 4.2 * place, width - 2 * PADDING, text, align=align)
            x += width
        self.rule(y + height)
        self.set_y(y + height)

    def sum(self, label: str, amount: Money, *, color: tuple[int, int, int] = INK) -> None:
        """One row below the table."""
        self.make_room(5.4)
        y, left = self.get_y(), MARGIN + 84
        self.ink(9, color=MUTED)
        self.line_at(left, y, 58, self.drawable(label), height=5.4)
        self.ink(9, color=color)
        self.line_at(left + 58, y, WIDTH - 142 - PADDING, self.drawable(self.money(amount)), align="R", height=5.4)
        self.set_y(y + 5.4)

    def grand_total(self, label: str, amount: Money) -> None:
        """The sum of all sums."""
        self.make_room(12)
        y, left = self.get_y() + 1.5, MARGIN + 84
        self.rule(y, left=left, color=INK, width=0.5)
        self.ink(12, bold=True)
        self.line_at(left, y + 2, 30, label, height=6)
        self.line_at(left + 30, y + 2, WIDTH - 114 - PADDING, self.drawable(self.money(amount)), align="R", height=6)
        self.set_y(y + 11)

    def small_print(self, text: str) -> None:
        """A line at the end."""
        self.ink(8, color=MUTED)
        self.make_room(8)
        self.line_at(MARGIN, self.get_y() + 4, WIDTH, text)

    def make_room(self, height: float) -> None:
        """Go on to another page unless so much fits on this one."""
        if self.get_y() + height > BOTTOM:
            self.add_page()

    def date(self, moment: datetime) -> str:
        """A day, in the shop's timezone."""
        return format_date(moment.astimezone(self._timezone).date(), "long", locale=self._locale)

    def plain(self, amount: Money) -> str:
        """An amount without its currency."""
        return plain(str(amount), self._locale)

    def money(self, amount: Money) -> str:
        """An amount with its currency."""
        return with_currency(str(amount), amount.currency, self._locale)


def _party_lines(party: Party) -> Sequence[str]:
    tax_id = [f"Tax ID: {party.tax_id}"] if party.tax_id else []
    address = party.address[1:] if party.address[:1] == (party.name,) else party.address
    return [*address, *tax_id, *([party.email] if party.email else [])]


def percent(rate: Decimal) -> str:
    """A tax rate."""
    return f"{rate.normalize():f}%"
