"""Mail and documents. Give a fixture named after the port."""

from dataclasses import replace
from datetime import timedelta

from storecore.notices import Attachment, Template
from storecore.orders.model import Order, Party
from storecore.ports import Documents, Mailer
from storecore.testing.builders import (
    ids,
    make_address,
    make_credit_note,
    make_invoice,
    make_notice,
    make_order,
    make_product,
    make_refund,
)

NAMES = ("Ayşe İğdır", "Мария Иванова", "Ελένη", "Nguyễn Ánh", "山田太郎", "مريم", "🧢 Hat", "\u200e\ufffd")


class MailerContract:
    """A mail is accepted when ``send`` returns. Give a ``mailer`` that works."""

    def test_every_template_can_be_sent(self, mailer: Mailer) -> None:
        new_id = ids()
        for template in Template:
            mailer.send(make_notice(new_id, template=template, data=DATA[template]), ())

    def test_a_mail_can_carry_files(self, mailer: Mailer) -> None:
        new_id = ids()
        files = [Attachment(name=f"{n}.pdf", media_type="application/pdf", content=b"%PDF\x00\xff") for n in range(2)]
        mailer.send(make_notice(new_id, data=DATA[Template.PASSWORD_CHANGED]), files)

    def test_values_with_markup_line_breaks_or_any_letters_are_sent(self, mailer: Mailer) -> None:
        new_id = ids()
        for name in (*NAMES, "<script>alert(1)</script>", "Eve\r\nBcc: all@example.com", "{{ 7 * 7 }}"):
            mailer.send(make_notice(new_id, data={"name": name}), ())

    def test_what_was_forgotten_and_what_is_old_is_no_mailers_any_more(self, mailer: Mailer) -> None:
        new_id = ids()
        notices = [make_notice(new_id, data=DATA[Template.PASSWORD_CHANGED]) for _ in range(3)]
        for notice in notices:
            mailer.send(notice, ())
        mailer.forget([notices[0].id, "no such notice"])
        mailer.forget([])
        mailer.sweep(notices[0].created_at)
        mailer.sweep(notices[0].created_at + timedelta(days=1))
        mailer.send(notices[0], ())


DATA: dict[Template, dict[str, object]] = {
    Template.VERIFY_EMAIL: {"name": "Ada", "link": "https://shop.example/verify?token=a.b"},
    Template.RESET_PASSWORD: {"name": "Ada", "link": "https://shop.example/reset?token=a.b", "minutes": 60},
    Template.EMAIL_CHANGED: {"name": "Ada", "new_email": "new@example.com"},
    Template.PASSWORD_CHANGED: {"name": "Ada"},
    Template.ACCOUNT_ERASED: {},
    Template.ORDER_PLACED: {
        "name": "Ada",
        "number": "S-7F3K-2Q9D",
        "lines": [{"name": "Hat", "sku": "H-1", "quantity": 2, "total": "43.20"}],
        "subtotal": "40.00",
        "discount": "0.00",
        "shipping": "10.00",
        "tax": "3.20",
        "total": "53.20",
        "currency": "USD",
        "tax_included": False,
        "eta": "2026-01-15T12:30:00Z",
        "address": ["Ada Lovelace", "1 Main Street", "US"],
        "link": "",
    },
    Template.ORDER_STATUS: {
        "name": "Ada",
        "number": "S-7F3K-2Q9D",
        "status": "shipped",
        "note": "",
        "carrier": "DHL",
        "tracking_number": "123",
        "link": "",
    },
    Template.WISHLIST_DISCOUNT: {
        "name": "Ada",
        "product": "Hat",
        "sku": "H-1",
        "price": "20.00",
        "final_price": "17.50",
        "currency": "USD",
        "percent": "12.5",
        "ends_at": "2026-01-15T12:30:00+00:00",
    },
    Template.WISHLIST_RESTOCK: {
        "name": "Ada",
        "product": "Hat",
        "sku": "H-1",
        "price": "20.00",
        "final_price": "20.00",
        "currency": "USD",
        "percent": "",
        "ends_at": "",
    },
    Template.REFUND_STATUS: {
        "name": "Ada",
        "number": "S-7F3K-2Q9D",
        "status": "refunded",
        "items": [{"name": "Hat", "sku": "H-1", "quantity": 2, "amount": "43.20"}],
        "shipping": "0.00",
        "amount": "43.20",
        "currency": "USD",
        "expect_return": True,
        "note": "",
        "link": "",
    },
    Template.LOW_STOCK: {"products": [{"name": "Hat", "sku": "H-1", "stock": 2}]},
    Template.REVIEW_DECIDED: {"name": "Ada", "product": "Hat", "published": True, "note": ""},
}
"""What each template is given."""


class DocumentsContract:
    """Invoices and credit notes to read. Give ``documents``."""

    def test_an_invoice_is_a_file_named_after_its_number(self, documents: Documents) -> None:
        order = ordered("Hat")
        file = documents.invoice(make_invoice(ids(900), order, 42), order)
        assert file.name.startswith("INV-000042.")
        assert "/" in file.media_type
        assert file.content

    def test_the_same_invoice_gives_the_same_bytes(self, documents: Documents) -> None:
        order = ordered("Hat", "Scarf")
        invoice = make_invoice(ids(900), order, 1)
        assert documents.invoice(invoice, order) == documents.invoice(invoice, order)

    def test_another_invoice_gives_other_bytes(self, documents: Documents) -> None:
        order = ordered("Hat")
        one, two = (documents.invoice(make_invoice(ids(900), order, n), order) for n in (1, 2))
        assert one.content != two.content

    def test_what_an_invoice_is_about_is_in_it(self, documents: Documents) -> None:
        order = ordered("Hat", "Scarf")
        invoice = make_invoice(ids(900), order, 1)
        (hat, scarf), party = order.lines, replace(invoice.buyer, name="Somebody Else")
        told = {
            documents.invoice(invoice, order).content,
            documents.invoice(replace(invoice, buyer=party), order).content,
            documents.invoice(replace(invoice, seller=party), order).content,
            documents.invoice(invoice, replace(order, lines=(hat, replace(scarf, name="Cap")))).content,
            documents.invoice(invoice, replace(order, total=order.total * 2)).content,
        }
        assert len(told) == 5

    def test_what_was_refunded_is_in_its_credit_note(self, documents: Documents) -> None:
        new_id, order = ids(900), ordered("Hat", "Scarf")
        invoice = make_invoice(new_id, order, 7)
        hat, scarf = (make_refund(new_id, order, {line.id: 1}) for line in order.lines)
        note = make_credit_note(new_id, invoice, order, hat, 1)
        told = {documents.credit_note(note, invoice, order, refund).content for refund in (hat, scarf)}
        assert len(told) == 2

    def test_no_character_is_an_error(self, documents: Documents) -> None:
        for name in NAMES:
            order = ordered(name)
            party = Party(name=name, address=(name, name), tax_id=name, email="a@example.com")
            assert documents.invoice(make_invoice(ids(900), order, 1, seller=party, buyer=party), order).content

    def test_a_long_order_is_no_error(self, documents: Documents) -> None:
        order = ordered(*(f"Hat number {n} with quite a long name, as hats have" for n in range(100)))
        assert documents.invoice(make_invoice(ids(900), order, 1), order).content

    def test_a_credit_note_is_a_file_named_after_its_number(self, documents: Documents) -> None:
        file = credited(documents, ordered("Hat"), sequence=42)
        assert file.name.startswith("CN-000042.")
        assert "/" in file.media_type
        assert file.content

    def test_the_same_credit_note_gives_the_same_bytes_and_another_one_others(self, documents: Documents) -> None:
        order = ordered("Hat", "Scarf")
        assert credited(documents, order) == credited(documents, order)
        assert credited(documents, order).content != credited(documents, order, sequence=2).content
        assert credited(documents, order).content != credited(documents, order, whole=True).content

    def test_no_character_of_a_credit_note_is_an_error(self, documents: Documents) -> None:
        for name in NAMES:
            party = Party(name=name, address=(name, name), tax_id=name, email="a@example.com")
            assert credited(documents, ordered(name), seller=party, buyer=party).content

    def test_a_long_credit_note_is_no_error(self, documents: Documents) -> None:
        order = ordered(*(f"Hat number {n} with quite a long name, as hats have" for n in range(100)))
        assert credited(documents, order, whole=True).content


def credited(
    documents: Documents, order: Order, *, sequence: int = 1, whole: bool = False, **parties: Party
) -> Attachment:
    """The credit note of a refund of the first line, or of the whole order."""
    new_id = ids(900)
    invoice = make_invoice(new_id, order, 7, **parties)
    refund = None if whole else make_refund(new_id, order, {order.lines[0].id: 1})
    note = make_credit_note(new_id, invoice, order, refund, sequence)
    return documents.credit_note(note, invoice, order, refund)


def ordered(*names: str) -> Order:
    """An order of things with these names."""
    new_id = ids()
    products = [make_product(new_id, category_ids=["c"], name=name, slug="s") for name in names]
    return make_order(new_id, products, delivery_address=make_address(recipient=names[0]), customer_name=names[0])
