"""Sheets of A4 on which any character can be written: what the PDF documents are drawn with."""

import logging
import unicodedata
from collections.abc import Iterable

from fpdf import FPDF
from fpdf.fonts import TTFFont

from adapters import fonts

logging.getLogger("fontTools.subset").setLevel(logging.ERROR)  # it tells of every table that a PDF has no use for

INK, MUTED, RULE, SHADE = (31, 41, 55), (107, 114, 128), (209, 213, 219), (243, 244, 246)
MARGIN, WIDTH = 18, 174
"""Millimetres, as every length here."""


class Sheet(FPDF):
    """Pages in Roboto; with ``system_fonts``, other letters come from whatever font of the machine has them."""

    def __init__(self, *, system_fonts: bool) -> None:
        super().__init__()
        self.add_font("Roboto", "", fonts.REGULAR)
        self.add_font("Roboto", "B", fonts.BOLD)
        self._drawable = set(fonts.characters(fonts.REGULAR))
        self._system_fonts = system_fonts
        self._fallbacks: list[str] = []
        self.set_margin(MARGIN)
        self.set_auto_page_break(False)
        self.c_margin = 0

    def close_fonts(self) -> None:
        """Give back the font files; without them nothing more can be written."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.close()

    def ink(self, size: float, *, bold: bool = False, color: tuple[int, int, int] = INK) -> None:
        """What follows is written so; ``size`` in points."""
        self.set_font("Roboto", "B" if bold else "", size)
        self.set_text_color(*color)

    def drawable(self, text: str) -> str:
        """The text with a visible replacement for each character that no font has."""
        return "".join(
            character if self._find(character) else self._instead(character)
            for character in fonts.shape(fonts.clean(text))
        )

    def _find(self, character: str) -> bool:
        if ord(character) in self._drawable:
            return True
        path = fonts.system_font(character) if self._system_fonts else None
        if path is None:
            return False
        family = f"System{len(self._fallbacks)}"
        self.add_font(family, "", path)
        self._fallbacks.append(family)
        self.set_fallback_fonts(self._fallbacks, exact_match=False)
        self._drawable |= fonts.characters(path)
        return True

    def _instead(self, character: str) -> str:
        simpler = unicodedata.normalize("NFKC", character)
        if simpler != character and all(self._find(each) for each in simpler):
            return simpler
        return "" if unicodedata.category(character) == "Mn" else fonts.REPLACEMENT

    def wrap(self, text: str, width: float) -> list[str]:
        """The text as lines that fit in a width, at the current font; at least one."""
        lines, line = [], ""
        for word in self.drawable(text).split():
            longer = f"{line} {word}" if line else word
            if self.get_string_width(longer) <= width:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word
            while self.get_string_width(line) > width and len(line) > 1:
                fits = next(
                    n for n in range(len(line) - 1, 0, -1) if n == 1 or self.get_string_width(line[:n]) <= width
                )
                lines.append(line[:fits])
                line = line[fits:]
        return [*lines, line]

    def line_at(self, x: float, y: float, width: float, text: str, *, align: str = "L", height: float = 4.2) -> None:
        """One line of text that :meth:`wrap` or :meth:`drawable` gave, smaller if it is too wide."""
        text = fonts.reorder(text)
        with self.local_context():  # a font that stood in for some letters must not stay
            needed = self.get_string_width(text)
            if needed > width:
                self.set_font_size(self.font_size_pt * width / needed)
            self.set_xy(x, y)
            self.cell(width, height, text, align=align)

    def block(self, x: float, y: float, width: float, paragraphs: Iterable[str], *, height: float = 4.4) -> float:
        """Lines below one another; where they end."""
        for paragraph in paragraphs:
            for line in self.wrap(paragraph, width):
                self.line_at(x, y, width, line, height=height)
                y += height
        return y

    def rule(self, y: float, *, left: float = MARGIN, color: tuple[int, int, int] = RULE, width: float = 0.2) -> None:
        """A thin line to the right margin."""
        self.set_draw_color(*color)
        self.set_line_width(width)
        self.line(left, y, MARGIN + WIDTH, y)
