"""Tables for spreadsheets: CSV files (RFC 4180) written and read in a stream, a row at a time.

A cell that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV injection"), which reading
takes off again: what :func:`written` wrote, :class:`Sheet` gives back.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from storecore.errors import Invalid, MalformedSheet

DELIMITERS = ",;\t"
LONGEST_ROW = 1024 * 1024
"""Bytes of one row, however many lines it has."""
_FORMULA = ("=", "+", "-", "@", "'", "\t", "\r")
_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"?')
_CELL = {each: re.compile(rf'(?:"[^"]*(?:""[^"]*)*"|(?!")[^{each}]*){each}') for each in DELIMITERS}
"""A cell that ends with a delimiter, by what that is."""
_CHUNK = 64 * 1024


def neutralised(cell: str) -> str:
    """The cell as it is no formula in any spreadsheet: ``=1+1`` becomes ``'=1+1``."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def restored(cell: str) -> str:
    """The cell without the apostrophe that made it harmless, and without just one."""
    return cell.removeprefix("'")


class _Echo:
    """A file that gives back what is written to it."""

    @staticmethod
    def write(text: str) -> str:
        return text


def written(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a file with these rows, the header first: commas, CRLF, each cell neutralised."""
    line = csv.writer(_Echo()).writerow
    for row in rows:
        yield str(line([neutralised(cell) for cell in row]))


@dataclass(frozen=True, slots=True)
class Row:
    """A row below the header, its cells restored. ``line`` is where it begins, as an editor counts lines."""

    line: int
    cells: tuple[str, ...]

    def named(self, columns: Sequence[str]) -> Mapping[str, str]:
        """The cells by column. Raises ``Invalid`` when there are more or fewer of them."""
        if len(self.cells) != len(columns):
            why = f"has {len(self.cells)} cells, but the header has {len(columns)} columns"
            raise Invalid(errors=[("row", why)])
        return dict(zip(columns, self.cells, strict=True))


class Sheet:
    """A CSV file on its way through: ``columns`` are read at once, the rows as one goes through them, once.

    UTF-8 with or without a byte order mark; commas, semicolons or tabs, whichever the header has first; any line ends,
    in quoted cells too. Rows of nothing but empty cells are passed over. Raises ``MalformedSheet`` where the file can't
    be read any further, ``Invalid`` for a header that leaves a column without a name or gives two the same.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._lines = _Lines(file)
        self.columns: tuple[str, ...] = ()
        self._delimiter = ","
        try:
            self._delimiter = self._lines.delimiter()
        except _UnreadableError as error:
            raise self._wrong(self._lines.number, str(error)) from None
        self._reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        header = self._next()
        if header is None:
            raise MalformedSheet("The file is empty.", line=1, column=None)
        self.columns = tuple(cell.strip() for cell in header.cells)
        wrong = [(f"column {i}", "has no name in the header") for i, name in enumerate(self.columns, 1) if not name]
        times = Counter(self.columns)
        wrong += [(name, "is in the header twice") for name, number in times.items() if name and number > 1]
        if wrong:
            raise Invalid(errors=wrong)

    def __iter__(self) -> Iterator[Row]:
        while (row := self._next()) is not None:
            yield row

    def _next(self) -> Row | None:
        while True:
            line = self._lines.begin_row()
            try:
                cells = next(self._reader, None)
            except _UnreadableError as error:
                raise self._wrong(self._lines.number, str(error)) from None
            except csv.Error as error:
                too_long = str(error).startswith("field larger")
                why = "is too long, or lacks its closing quotation mark" if too_long else "has a stray quotation mark"
                raise self._wrong(line, why) from None
            if cells is None:
                return None
            if any(map(str.strip, cells)):
                return Row(line, tuple(map(restored, cells)))

    def _wrong(self, line: int, why: str) -> MalformedSheet:
        """The error for the first cell of this row that does not end as it should."""
        text, cell = "".join(self._lines.row), _CELL[self._delimiter]
        begins, position = 0, 0
        while (whole := cell.match(text, begins)) and whole.end() - begins <= csv.field_size_limit():
            begins, position = whole.end(), position + 1
        column = self.columns[position] if position < len(self.columns) else str(position + 1)
        return MalformedSheet(f"Line {line}, column {column}: it {why}.", line=line, column=column)


class _UnreadableError(Exception):
    """Why a line can't be read, as it is said of the cell."""


class _Lines:
    """The lines of a file as text. ``number`` counts them, ``row`` holds those of the row that is being read."""

    def __init__(self, file: BinaryIO) -> None:
        self._lines = _split(file)
        self._again: str | None = None
        self._size = 0
        self.number = 0
        self.row: list[str] = []

    def delimiter(self) -> str:
        """The first one of the first line that says anything, which comes once more."""
        for line in self:
            if line.strip():
                self._again = line
                self.number -= 1
                return next((character for character in _QUOTED.sub("", line) if character in DELIMITERS), ",")
            self.begin_row()
        return ","

    def begin_row(self) -> int:
        """Forget the row before; the number of the line that comes next."""
        self.row.clear()
        self._size = 0
        return self.number + 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line, self._again = self._again, None
        self.number += 1
        if line is None:
            line = self._decoded(next(self._lines))
        self.row.append(line)
        return line

    def _decoded(self, line: bytes) -> str:
        self._size += len(line)
        readable, why = line.find(b"\0"), "contains the control character U+0000"
        if self._size > LONGEST_ROW:
            readable, why = LONGEST_ROW, "is too long, or lacks its closing quotation mark"
        try:
            text = line.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            readable, why = error.start, "is not UTF-8"
        else:
            if readable < 0:
                return text
        self.row.append(line[:readable].decode(errors="replace"))
        raise _UnreadableError(why)


def _split(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, each with its end, in pieces when they are endless."""
    rest = b""
    while chunk := file.read(_CHUNK):
        *whole, rest = (rest + chunk).splitlines(keepends=True)
        yield from whole
        if len(rest) > LONGEST_ROW:
            yield rest
            rest = b""
    if rest:
        yield rest
