import hashlib
import io
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from adapters import fonts
from adapters.pdf import PdfDocuments
from storecore.catalog.model import Discount
from storecore.money import Money
from storecore.orders.model import Invoice, Order, Party
from storecore.testing.builders import NOW, ids, make_invoice, make_order, make_product

HALF = Discount(percent=Decimal("12.5"), starts_at=NOW - timedelta(days=1))


def an_order(*names: str, currency: str = "USD", price: int = 1999) -> Order:
    new_id = ids()
    shelf = new_id()
    products = [
        make_product(
            new_id,
            category_ids=[shelf],
            name=name,
            price=Money(price + place, currency),
            cost=Money(1, currency),
            discount=HALF if place % 2 else None,
        )
        for place, name in enumerate(names)
    ]
    quantities = {product.id: place % 3 + 1 for place, product in enumerate(products)}
    return make_order(new_id, products, quantities=quantities)


def an_invoice(order: Order, **changes: object) -> Invoice:
    return make_invoice(ids(10_000), order, 42, **changes)


def pages(invoice: Invoice, order: Order, documents: PdfDocuments | None = None) -> list[str]:
    content = (documents or PdfDocuments()).invoice(invoice, order).content
    return [page.extract_text() for page in PdfReader(io.BytesIO(content), strict=True).pages]


def text_of(order: Order, **changes: object) -> str:
    return "\n".join(pages(an_invoice(order, **changes), order))


def test_the_attachment_is_named_after_the_invoice() -> None:
    order = an_order("Hat")
    attachment = PdfDocuments().invoice(an_invoice(order), order)
    assert (attachment.name, attachment.media_type) == ("INV-000042.pdf", "application/pdf")
    assert attachment.content.startswith(b"%PDF-")


def test_the_invoice_says_who_sold_what_to_whom_and_when() -> None:
    order = an_order("Wool hat", "Silk scarf")
    text = text_of(
        order,
        seller=Party(name="Hats & Co", address=("1 Main Street", "Springfield"), tax_id="US-1"),
        buyer=Party(name="Ada Lovelace", address=("12 Square", "London"), tax_id="GB-2", email="ada@example.com"),
    )
    for expected in (
        "INV-000042",
        order.number,
        "January 15, 2026",
        "Hats & Co",
        "1 Main Street",
        "Springfield",
        "Tax ID: US-1",
        "Ada Lovelace",
        "12 Square",
        "London",
        "Tax ID: GB-2",
        "ada@example.com",
        "Wool hat",
        "Silk scarf",
        *(line.sku for line in order.lines),
        "All amounts are in USD.",
        "Page 1 of 1",
    ):
        assert expected in text


@pytest.mark.parametrize(
    "name",
    [
        "İpek Eşarp Ğğıİşçöü",
        "Шёлковый платок Ґґїєў",
        "Μεταξωτό μαντήλι άΏϊ",
        "Đặng Thị Ngọc",
        "Zażółć gęślą",
        "Łódź € ₺ ₹ ₽",
    ],
)
def test_names_in_many_alphabets_can_be_copied_out_of_the_file(name: str) -> None:
    order = an_order(name)
    text = text_of(order, buyer=Party(name=name, address=(f"{name} 12",)), seller=Party(name=name))
    assert text.count(name) >= 4


def test_amounts_equal_the_order_to_the_cent() -> None:
    order = an_order("Hat", "Scarf", "Coat", price=123_456)
    rows = text_of(order).splitlines()
    for line in order.lines:
        discount = [f"-{_grouped(line.discount)}"] if line.discount else []
        assert (
            " ".join(
                [
                    line.sku,
                    line.name,
                    str(line.quantity),
                    _grouped(line.unit_price),
                    *discount,
                    "8%",
                    _grouped(line.total),
                ]
            )
            in rows
        )
    ((_, net, tax),) = [row for row in order.tax_by_rate if row[0]]
    assert f"Subtotal ${_grouped(order.subtotal)}" in rows
    assert f"Discount -${_grouped(order.discount)}" in rows
    assert f"Shipping ${_grouped(order.shipping)}" in rows
    assert f"8% tax on ${_grouped(net)} ${_grouped(tax)}" in rows
    assert f"Total ${_grouped(order.total)}" in rows
    assert tax == order.tax


def _grouped(amount: Money) -> str:
    return f"{Decimal(str(amount)):,}"


@pytest.mark.parametrize(("currency", "price", "expected"), [("JPY", 1999, "¥1,999"), ("KWD", 1005, "KWD\u00a01.005")])
def test_amounts_have_the_digits_of_their_currency(currency: str, price: int, expected: str) -> None:
    rows = text_of(an_order("Hat", currency=currency, price=price)).splitlines()
    assert f"Subtotal {expected}".replace("\u00a0", " ") in [row.replace("\u00a0", " ") for row in rows]


def test_each_tax_rate_has_its_own_row() -> None:
    order = an_order("Bread", "Wine")
    bread, wine = order.lines
    order = replace(order, lines=(replace(bread, tax_rate=Decimal("8.5")), replace(wine, tax_rate=Decimal("20.00"))))
    text = text_of(order)
    assert f"8.5% tax on ${bread.goods} ${bread.tax}" in text
    assert f"20% tax on ${wine.goods} ${wine.tax}" in text


def test_included_tax_is_named_below_the_total() -> None:
    order = replace(an_order("Hat"), tax_included=True)
    text = text_of(order)
    assert text.index("\nTotal $") < text.index("Includes 8% tax on $")
    assert "Prices include tax" in text


def test_the_bytes_are_the_same_in_every_process_and_time_zone() -> None:
    script = """
import hashlib, sys
from adapters.pdf import PdfDocuments
from storecore.testing.builders import ids, make_invoice, make_order, make_product
new_id = ids()
names = ["İpek Eşarp", "Слон", "你好", *map(str, range(60))]
order = make_order(new_id, [make_product(new_id, category_ids=["c"], name=name, slug="s") for name in names])
sys.stdout.write(hashlib.sha256(PdfDocuments().invoice(make_invoice(new_id, order, 42), order).content).hexdigest())
"""
    made = {
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(made) == 1
    assert len(made.pop()) == 64


def test_the_bytes_do_not_depend_on_what_may_change_about_the_order() -> None:
    order = an_order("Hat")
    moved = replace(order, note="Ring twice", carrier="DHL", email="new@example.com", customer_name="Erased", version=9)
    invoice = an_invoice(order)
    elsewhere = replace(invoice, issued_at=invoice.issued_at.astimezone(timezone(timedelta(hours=9))))
    documents = PdfDocuments()
    assert documents.invoice(invoice, order) == documents.invoice(elsewhere, moved)


def test_another_invoice_has_other_bytes() -> None:
    order = an_order("Hat")
    one, other = an_invoice(order), an_invoice(order, issued_at=NOW + timedelta(seconds=1))
    documents = PdfDocuments()
    assert documents.invoice(one, order).content != documents.invoice(other, order).content


def test_dates_are_those_of_the_shop() -> None:
    order = an_order("Hat")
    invoice = an_invoice(order, issued_at=datetime(2026, 1, 31, 22, 30, tzinfo=UTC))
    (text,) = pages(invoice, order, PdfDocuments(timezone="Europe/Istanbul"))
    assert "Issued February 1, 2026" in text


def test_a_long_order_goes_over_pages_that_repeat_the_head_of_the_table() -> None:
    order = an_order(*(f"Thing number {number:03d}" for number in range(300)))
    found = pages(an_invoice(order), order)
    assert 8 <= len(found) <= 12
    for number, page in enumerate(found, start=1):
        assert page.count("SKU Item Qty Unit price Discount Tax rate Total") == 1
        assert f"Page {number} of {len(found)}" in page
        assert "INV-000042" in page
    whole = "\n".join(found)
    for number in range(300):
        assert whole.count(f"Thing number {number:03d}") == 1
    assert f"Total ${_grouped(order.total)}" in found[-1]


def test_totals_are_kept_together_whatever_the_length() -> None:
    for lines in range(18, 27):
        last = pages(an_invoice(order := an_order(*map(str, range(lines)))), order)[-1]
        assert "Subtotal" in last
        assert f"Total ${_grouped(order.total)}" in last


def test_long_names_are_wrapped_and_lose_nothing() -> None:
    name, sku = "Waistcoat " * 19 + "end", "Z" * 64
    order = an_order(name.strip())
    order = replace(order, lines=(replace(order.lines[0], sku=sku),))
    text = text_of(order, buyer=Party(name="W" * 200, address=("n" * 500,)))
    assert text.count("Waistcoat") == 19
    assert text.count("Z") == 64
    assert text.count("W") >= 200 + 19
    assert text.replace("\n", "").count("n" * 500) == 1


def test_the_largest_amounts_are_written_smaller_to_stay_in_their_columns() -> None:
    order = an_order("Yacht", price=999_999_999_99)
    sizes: dict[str, float] = {}

    def note(text: str, _: object, matrix: object, font: object, size: float) -> None:
        sizes[text.strip()] = size

    content = PdfDocuments().invoice(an_invoice(order), order).content
    PdfReader(io.BytesIO(content)).pages[0].extract_text(visitor_text=note)
    assert sizes["Yacht"] == 8.5
    assert 6 < sizes[_grouped(order.lines[0].total)] < 8.5


ODD = [
    "你好世界 日本語 한국어",
    "مرحبا بالعالم",
    "שלום (עולם)",
    "हिन्दी ไทย",
    "😀👩‍👩‍👧 ❤️ 🇹🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "\ud800 \udfff",
    "\x00\x07\t\r\n\x1b[31m\x7f\x85\u2028",
    "\u202eevil\u202c\u200d\ufeff",
    "\ue000 \U0010ffff \uffff \U000e0001",
    "a" + "\u0301" * 200,
    "{nb} **bold** __under__ --strike-- [link](https://x.example)",
    "<b>&amp;</b> \\( ) ( \\",
    "\ufdfa \u2f00 \ufb01",
    " ",
    "",
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd)[:30])
def test_no_character_makes_it_fail(odd: str, caplog: pytest.LogCaptureFixture) -> None:
    order = an_order("Hat")
    order = replace(order, lines=(replace(order.lines[0], name=odd, sku=odd),))
    party = Party(name=odd, address=(odd, ""), tax_id=odd, email=odd)
    text = text_of(order, seller=party, buyer=party)
    assert f"Total ${order.total}" in text
    assert "Page 1 of 1" in text
    assert "could not be used" not in caplog.text


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_no_text_at_all_makes_it_fail(text: str) -> None:
    order = an_order("Hat")
    order = replace(order, lines=(replace(order.lines[0], name=text),))
    assert f"Total ${order.total}" in text_of(order, buyer=Party(name=text, address=(text,)))


def test_markup_and_placeholders_in_a_name_are_plain_text() -> None:
    name = "{nb} **bold** __under__ <b>"
    assert name in text_of(an_order(name))


def test_what_no_font_has_is_replaced_where_it_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "system_font", lambda _: None)
    assert "a\ufffdb" in text_of(an_order("a你b"))


def a_font(path: Path, *letters: str) -> Path:
    """A font in which each of some letters is a square."""
    names = {ord(letter): f"u{ord(letter):04X}" for letter in letters}
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 700), (900, 700), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    font, square = FontBuilder(1000, isTTF=True), pen.glyph()
    font.setupGlyphOrder([".notdef", *names.values()])
    font.setupCharacterMap(names)
    font.setupGlyf(dict.fromkeys([".notdef", *names.values()], square))
    font.setupHorizontalMetrics(dict.fromkeys([".notdef", *names.values()], (1000, 100)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Squares", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)
    return path


def test_a_font_of_the_system_lends_the_letters_that_roboto_lacks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    squares = a_font(tmp_path / "squares.ttf", "你", "好")
    monkeypatch.setattr(fonts, "system_font", lambda letter: squares if letter in "你好" else None)
    text = text_of(an_order("Red 你好 hat", "你世"), buyer=Party(name="你", address=("你 好", "Plain words")))
    assert "Red 你好 hat" in text
    assert "你\ufffd" in text
    assert "你 好\nPlain words" in text


def test_fonts_are_looked_for_where_systems_keep_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "aaa.ttf").write_bytes(b"no font")
    (tmp_path / "notes.txt").write_text("no font either")
    a_font(tmp_path / "Squares-Bold.ttf", "你")
    squares = a_font(tmp_path / "deep" / "er" / "squares.ttf", "你")
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path / "missing"), str(tmp_path)))
    fonts.system_fonts.cache_clear()
    fonts.system_font.cache_clear()
    try:
        assert fonts.system_font("你") == squares
        assert fonts.system_font("好") is None
    finally:
        fonts.system_fonts.cache_clear()
        fonts.system_font.cache_clear()


def test_a_broken_font_of_the_system_costs_its_letters_and_not_the_invoice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = a_font(tmp_path / "broken.ttf", "你")
    with TTFont(broken) as whole:
        outlines = whole.reader.tables["glyf"]
    content = bytearray(broken.read_bytes())
    content[outlines.offset : outlines.offset + outlines.length] = b"\xff" * outlines.length
    broken.write_bytes(content)
    monkeypatch.setattr(fonts, "system_font", lambda _: broken)
    assert "a\ufffdb" in text_of(an_order("a你b"))
    assert "could not be used" in caplog.text


def test_a_file_that_is_no_font_has_no_characters(tmp_path: Path) -> None:
    for content in (b"", b"no font", b"\0\1\0\0\0\1", b"OTTO" + b"\xff" * 100, fonts.REGULAR.read_bytes()[:5000]):
        file = tmp_path / f"{hashlib.sha256(content).hexdigest()}.ttf"
        file.write_bytes(content)
        assert fonts.characters(file) == frozenset()


def test_arabic_letters_are_joined_and_put_from_right_to_left() -> None:
    assert fonts.shape("سلام") == "\ufeb3\ufefc\ufee1"
    assert fonts.reorder("\ufeb3\ufefc\ufee1 (1)") == "(1) \ufee1\ufefc\ufeb3"
    assert fonts.shape("ب") == "\ufe8f"
    assert fonts.shape("ببب") == "\ufe91\ufe92\ufe90"
    assert fonts.shape("بَب") == "\ufe91\u064e\ufe90"
    assert fonts.shape("Ada") == fonts.reorder("Ada") == "Ada"
