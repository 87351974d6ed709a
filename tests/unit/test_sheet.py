"""Reading CSV files that people made, and saying where one can't be read."""

import io

import pytest

from storecore.errors import Invalid, MalformedSheet
from storecore.sheet import LONGEST_ROW, Row, Sheet, neutralised, restored, written


def _sheet(content: str | bytes) -> Sheet:
    return Sheet(io.BytesIO(content.encode() if isinstance(content, str) else content))


def _refusal(content: str | bytes) -> MalformedSheet:
    with pytest.raises(MalformedSheet) as refused:
        list(_sheet(content))
    return refused.value


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@a", "'a", "\ta", "\ra"])
def test_what_may_be_a_formula_gets_one_apostrophe_and_loses_one(cell: str) -> None:
    assert neutralised(cell) == "'" + cell
    assert restored("'" + cell) == cell


@pytest.mark.parametrize("cell", ["", "1", "a=1", " =1", "\n=1"])
def test_any_other_cell_stays_as_it_is(cell: str) -> None:
    assert neutralised(cell) == cell == restored(cell)


def test_a_file_is_written_as_rfc_4180_says() -> None:
    lines = list(written([["sku", "name"], ["A", 'a "b", c'], ["B", "two\nlines"], ["C", "=1"]]))
    assert lines == ["sku,name\r\n", 'A,"a ""b"", c"\r\n', 'B,"two\nlines"\r\n', "C,'=1\r\n"]


def test_lines_are_counted_as_an_editor_does() -> None:
    rows = list(_sheet('\n a ,b\n1,"x\ny\r\nz"\n\n,\n2,2\r3,3'))
    assert rows == [Row(3, ("1", "x\ny\r\nz")), Row(8, ("2", "2")), Row(9, ("3", "3"))]


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("a,b;c", ("a", "b;c")),
        ("a;b,c", ("a", "b,c")),
        ("a\tb,c", ("a", "b,c")),
        ('"a,x";b', ("a,x", "b")),
        ('"a ""x"", y";b', ('a "x", y', "b")),
        ("a", ("a",)),
        ("\ufeffa,b", ("a", "b")),
        ('\ufeff"a";b', ("a", "b")),
    ],
)
def test_the_header_tells_the_delimiter(header: str, columns: tuple[str, ...]) -> None:
    assert _sheet(header).columns == columns


def test_a_chunk_may_end_anywhere() -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(1 if size else size)

    content = '\ufeffsku,näme\r\nA,"é\r\n🎈"\r\nB,b'
    assert list(Sheet(Dripping(content.encode()))) == [Row(2, ("A", "é\r\n🎈")), Row(4, ("B", "b"))]


def test_a_row_knows_its_columns_or_is_refused() -> None:
    assert Row(2, ("1", "2")).named(["a", "b"]) == {"a": "1", "b": "2"}
    for cells in (("1",), ("1", "2", "3")):
        with pytest.raises(Invalid, match=f"has {len(cells)} cells, but the header has 2 columns"):
            Row(2, cells).named(["a", "b"])


@pytest.mark.parametrize(
    ("content", "line", "column", "why"),
    [
        ("", 1, None, "The file is empty"),
        ("\n \n,,\n", 1, None, "The file is empty"),
        (b"sku,name\nA,b\nB,\xff\n", 3, "name", "it is not UTF-8"),
        (b'sku,name\nA,"b\n\xff"\n', 3, "name", "it is not UTF-8"),
        ("sku,name\n".encode("utf-16"), 1, "1", "it is not UTF-8"),
        ("sku,name\nA\0,b\n", 2, "sku", "it contains the control character U\\+0000"),
        ('sku,name,cost\nA,"b,1\nB,b,1\n', 2, "name", "it has a stray quotation mark"),
        ('sku,name,cost\nA,"b"x,1\n', 2, "name", "it has a stray quotation mark"),
        ('sku,name\nA,b,"', 2, "3", "it has a stray quotation mark"),
        ("sku,name\nA," + "b" * 200_000, 2, "name", "it is too long"),
        ('sku,name\nA,"' + "b\n" * 100_000, 2, "name", "it is too long, or lacks its closing quotation mark"),
        ("sku;name\n" + "b" * (LONGEST_ROW + 1), 2, "sku", "it is too long"),
        ("sku,name\n" + "b," * LONGEST_ROW, 2, "524289", "it is too long"),
    ],
)
def test_what_cannot_be_read_is_found(content: str | bytes, line: int, column: str | None, why: str) -> None:
    error = _refusal(content)
    assert error.extra == {"line": line, "column": column}
    with pytest.raises(MalformedSheet, match=why):
        raise error


def test_a_header_names_every_column_once() -> None:
    with pytest.raises(Invalid) as refused:
        _sheet("a,,b,a,")
    assert refused.value.errors == (
        ("column 2", "has no name in the header"),
        ("column 5", "has no name in the header"),
        ("a", "is in the header twice"),
    )
