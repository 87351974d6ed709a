"""What is written into a sheet comes out of it again, whatever it is."""

import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st

from storecore.errors import Invalid, MalformedSheet
from storecore.sheet import Sheet, neutralised, restored, written

NASTY = st.text(st.sampled_from("ab ,;\t\r\n\"'=+-@\ufeff\u2028é🎈|\\"), max_size=12)
CELLS = NASTY | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
TABLES = st.integers(1, 6).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6))


@given(CELLS)
@example("'")
@example("''=1")
def test_a_cell_that_was_neutralised_is_restored(cell: str) -> None:
    assert restored(neutralised(cell)) == cell


@given(CELLS)
def test_no_neutralised_cell_is_a_formula(cell: str) -> None:
    assert not neutralised(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(TABLES)
def test_a_table_that_was_written_is_read(table: list[list[str]]) -> None:
    header = [f"column {i}" for i in range(len(table[0]) if table else 1)]
    sheet = Sheet(io.BytesIO("".join(written([header, *table])).encode()))
    kept = [row for row in table if any(cell.strip() or neutralised(cell).strip() for cell in row)]
    assert list(sheet.columns) == header
    assert [list(row.cells) for row in sheet] == kept


@given(TABLES, st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(["utf-8", "utf-8-sig"]))
def test_spreadsheets_may_write_it_in_their_own_way(
    table: list[list[str]], delimiter: str, end: str, encoding: str
) -> None:
    header = [f"column {i}" for i in range(len(table[0]) if table else 1)]
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([header, *table])
    sheet = Sheet(io.BytesIO(file.getvalue().encode(encoding)))
    kept = [[restored(cell) for cell in row] for row in table if any(cell.strip() for cell in row)]
    assert list(sheet.columns) == header
    assert [list(row.cells) for row in sheet] == kept


@given(st.binary(max_size=200) | st.text(st.sampled_from('a",;\r\n\0é'), max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_with_a_line(content: bytes) -> None:
    last = content.count(b"\n") + content.count(b"\r") + 1
    refused_at = 1
    try:
        for row in Sheet(io.BytesIO(content)):
            assert 1 < row.line <= last
    except MalformedSheet as error:
        refused_at = error.extra["line"]
    except Invalid:
        pass
    assert 1 <= refused_at <= last
