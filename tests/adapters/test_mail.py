import logging
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.mail.eml import EmlMailer
from adapters.mail.rendering import SUBJECTS, Renderer
from adapters.mail.smtp import SmtpMailer
from storecore.errors import Invalid, MailerDown
from storecore.notices import Attachment, Notice, Template
from storecore.testing.builders import NOW, ids, make_notice

DATA: dict[Template, dict[str, Any]] = {
    Template.VERIFY_EMAIL: {"name": "Ayşe", "link": "https://shop.example/verify?token=a.b-c"},
    Template.RESET_PASSWORD: {"name": "Ayşe", "link": "https://shop.example/reset?token=a", "minutes": 60},
    Template.EMAIL_CHANGED: {"name": "Ayşe", "new_email": "new@example.com"},
    Template.PASSWORD_CHANGED: {"name": "Ayşe"},
    Template.ACCOUNT_ERASED: {},
    Template.ORDER_PLACED: {
        "name": "Ayşe",
        "number": "S-7F3K-2Q9D",
        "lines": [{"name": "İpek eşarp", "sku": "HAT-1", "quantity": 2, "total": "1234.50"}],
        "subtotal": "1250.00",
        "discount": "15.50",
        "shipping": "0.00",
        "tax": "98.76",
        "total": "1333.26",
        "currency": "USD",
        "tax_included": False,
        "eta": "2026-01-15T12:30:00+00:00",
        "address": ["Ayşe Yılmaz", "Bağdat Caddesi 12"],
        "link": "https://shop.example/order?token=a",
    },
    Template.ORDER_STATUS: {
        "name": "Ayşe",
        "number": "S-7F3K-2Q9D",
        "status": "shipped",
        "note": "Ring\ntwice",
        "carrier": "DHL",
        "tracking_number": "JD01",
        "link": "",
    },
    Template.WISHLIST_DISCOUNT: {
        "name": "Ayşe",
        "product": "İpek eşarp",
        "sku": "HAT-1",
        "price": "1234.50",
        "final_price": "1111.05",
        "currency": "USD",
        "percent": "10",
        "ends_at": "2026-01-15T12:30:00+00:00",
    },
    Template.WISHLIST_RESTOCK: {
        "name": "Ayşe",
        "product": "İpek eşarp",
        "sku": "HAT-1",
        "price": "1234.50",
        "final_price": "1234.50",
        "currency": "USD",
        "percent": "",
        "ends_at": "",
    },
    Template.REFUND_STATUS: {
        "name": "Ayşe",
        "number": "S-7F3K-2Q9D",
        "status": "refunded",
        "items": [{"name": "İpek eşarp", "sku": "HAT-1", "quantity": 2, "amount": "1234.50"}],
        "shipping": "10.00",
        "amount": "1244.50",
        "currency": "USD",
        "expect_return": True,
        "note": "Thank\nyou",
        "link": "https://shop.example/order?token=a",
    },
    Template.LOW_STOCK: {"products": [{"name": "İpek eşarp", "sku": "HAT-1", "stock": 2}]},
    Template.REVIEW_DECIDED: {"name": "Ayşe", "product": "İpek eşarp", "published": True, "note": "Thank\nyou"},
}
SHOWN = ("name", "link", "new_email", "product", "number", "carrier", "tracking_number")
INVOICE = Attachment(name="INV-000001.pdf", media_type="application/pdf", content=b"%PDF-1.7 \x00\xff")
SENDER = "shop@example.com"
new_id = ids()


def notice(template: Template = Template.PASSWORD_CHANGED, /, *, data: Any = None, **changes: Any) -> Notice:
    return make_notice(new_id, template=template, data=DATA[template] | (data or {}), **changes)


def write(
    notice: Notice, *attachments: Attachment, sender: str = SENDER, shop: str = "Hats & Co", **settings: str
) -> EmailMessage:
    """The mail as it is after a journey: as bytes and back."""
    mail = Renderer(sender=sender, shop=shop, **settings).message(notice, attachments)
    return message_from_bytes(mail.as_bytes(), policy=default)


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    text = body.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n")


# What a mail says.


def test_a_wisher_reads_what_it_costs_now_and_until_when() -> None:
    mail = write(notice(Template.WISHLIST_DISCOUNT))
    assert mail["Subject"] == "Now 10 % off: İpek eşarp"
    for text in (part(mail, "plain"), part(mail, "html")):
        for words in ("İpek eşarp", "HAT-1", "10 % off", "$1,111.05", "$1,234.50", "Until January 15, 2026, 12:30"):
            assert words in text
    forever = write(notice(Template.WISHLIST_DISCOUNT, data={"ends_at": ""}))
    assert "Until" not in part(forever, "plain") + part(forever, "html")
    back = write(notice(Template.WISHLIST_RESTOCK))
    assert back["Subject"] == "Back in stock: İpek eşarp"
    assert "$1,234.50" in part(back, "plain")
    assert "$1,234.50" in part(back, "html")


@pytest.mark.parametrize("template", Template)
def test_every_occasion_has_a_subject_a_text_and_a_page(template: Template) -> None:
    mail = write(notice(template))
    assert mail["Subject"]
    assert mail.get_content_type() == "multipart/alternative"
    for text in (part(mail, "plain"), part(mail, "html")):
        assert "{" not in text.replace("{}", "")
        assert "None" not in text
    assert "Hats & Co" in part(mail, "plain")
    assert "Hats &amp; Co" in part(mail, "html")


@pytest.mark.parametrize("template", Template)
def test_every_value_is_in_both_the_text_and_the_page(template: Template) -> None:
    mail = write(notice(template))
    for name, value in DATA[template].items():
        if isinstance(value, str) and name in SHOWN:
            assert value in part(mail, "plain")
            assert value in part(mail, "html")


@pytest.mark.parametrize(
    ("status", "expect_return", "says"),
    [
        ("approved", True, "Please send the goods back"),
        ("approved", False, "Your money is on its way"),
        ("rejected", True, "was declined"),
        ("refunded", True, "given you back $1,244.50"),
    ],
)
def test_a_mail_about_a_refund_says_what_comes_next(status: str, expect_return: bool, says: str) -> None:
    mail = write(notice(Template.REFUND_STATUS, data={"status": status, "expect_return": expect_return}))
    assert says in part(mail, "plain")
    for text in (part(mail, "plain"), part(mail, "html")):
        assert "İpek eşarp" in text
        assert ("$1,234.50" in text) == (status != "rejected")
        assert ("$10.00" in text) == (status != "rejected")


def test_a_mail_has_the_headers_that_mail_programs_look_at() -> None:
    given = notice()
    mail = write(given)
    assert mail["Message-ID"] == given.message_id
    assert mail["Date"].datetime == NOW
    assert mail["From"].addresses[0].display_name == "Hats & Co"
    assert mail["From"].addresses[0].addr_spec == SENDER
    assert mail["To"].addresses[0].addr_spec == given.recipient
    assert mail["Auto-Submitted"] == "auto-generated"


def test_the_sender_may_have_a_name_of_its_own() -> None:
    assert (
        write(notice(), sender="Customer Care <care@example.com>")["From"].addresses[0].display_name == "Customer Care"
    )
    for bad in ("", "nobody", "@example.com", "care@"):
        with pytest.raises(ValueError, match="no email address"):
            Renderer(sender=bad, shop="Hats")


def test_amounts_are_exact_and_as_people_write_them() -> None:
    mail = write(notice(Template.ORDER_PLACED))
    for text in (part(mail, "plain"), part(mail, "html")):
        for amount in ("$1,234.50", "$1,250.00", "-$15.50", "$0.00", "$98.76", "$1,333.26"):
            assert amount in text
    yen = notice(Template.ORDER_PLACED, data={"currency": "JPY", "total": "1999"})
    assert "¥1,999\n" in part(write(yen), "plain")
    dinars = notice(Template.ORDER_PLACED, data={"currency": "KWD", "total": "1.005"})
    assert "Total: KWD\u00a01.005\n" in part(write(dinars), "plain")
    huge = notice(Template.ORDER_PLACED, data={"total": "9999999999.99"})
    assert "$9,999,999,999.99" in part(write(huge), "plain")


def test_amounts_follow_the_locale() -> None:
    assert "1.333,26" in part(write(notice(Template.ORDER_PLACED), locale="de_DE"), "plain")


def test_included_tax_is_named_below_the_total_and_no_discount_is_not_named() -> None:
    text = part(write(notice(Template.ORDER_PLACED, data={"tax_included": True, "discount": "0.00"})), "plain")
    assert text.index("Total:") < text.index("Includes tax: $98.76")
    assert "\nTax:" not in text
    assert "Discount" not in text


def test_times_are_those_of_the_shop() -> None:
    mail = write(notice(Template.ORDER_PLACED), timezone="Europe/Istanbul")
    assert "January 15, 2026, 3:30" in part(mail, "plain")
    assert "by soon." in part(write(notice(Template.ORDER_PLACED, data={"eta": "soon"})), "plain")


def test_a_link_that_is_not_there_leaves_no_button() -> None:
    for template in (Template.ORDER_PLACED, Template.ORDER_STATUS):
        mail = write(notice(template, data={"link": ""}))
        assert "See your order" not in part(mail, "plain") + part(mail, "html")


def test_values_are_escaped_in_the_page() -> None:
    evil = '<script>alert("x")</script>'
    for template, data in DATA.items():
        shown = {
            name: evil if isinstance(value, str) and name in ("name", "note", "link") else value
            for name, value in data.items()
        }
        assert "<script" not in part(write(notice(template, data=shown)), "html")
    line = {"name": evil, "sku": evil, "quantity": 1, "total": "1.00"}
    page = part(write(notice(Template.ORDER_PLACED, data={"lines": [line], "address": [evil]}), shop=evil), "html")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4


def test_the_page_asks_nobody_elses_server_for_anything() -> None:
    for template in Template:
        page = part(write(notice(template)), "html")
        assert "src=" not in page
        assert "url(" not in page


def test_an_attachment_arrives_byte_for_byte() -> None:
    (attached,) = write(notice(Template.ORDER_PLACED), INVOICE).iter_attachments()
    assert attached.get_filename() == "INV-000001.pdf"
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_content() == INVOICE.content


@pytest.mark.parametrize(
    "breaks", ["\r\nBcc: thief@example.com", "\nBcc: thief@example.com", "\r", "\x0b", "\x85", "\u2028", "\0"]
)
def test_nothing_can_be_slipped_into_the_headers(breaks: str) -> None:
    mail = write(
        notice(Template.ORDER_STATUS, data={"number": f"S-1{breaks}", "name": f"Ayşe{breaks}"}),
        Attachment(name=f"a{breaks}.pdf", media_type="application/pdf", content=b""),
        shop=f"Hats{breaks}",
    )
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Your order S-1")
    assert set(mail.keys()) == {
        "Message-ID",
        "Date",
        "From",
        "To",
        "Subject",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    }
    assert [str(mail["To"])] == ["ayse@example.com"]


@pytest.mark.parametrize(
    "recipient",
    ["a@example.com\r\nBcc: thief@example.com", "a@example.com\n", "a\0@example.com", "nobody", "@x.example", "a@", ""],
)
def test_a_recipient_that_is_no_address_is_refused_for_good(recipient: str) -> None:
    with pytest.raises(Invalid):
        write(notice(recipient=recipient))


def test_a_notice_that_lacks_something_is_refused_for_good_and_says_what() -> None:
    with pytest.raises(Invalid, match="verify_email notice can't be written: 'link' is undefined"):
        write(make_notice(new_id, template=Template.VERIFY_EMAIL, data={"name": "Ayşe"}))
    with pytest.raises(Invalid, match="order_placed"):
        write(notice(Template.ORDER_PLACED, data={"total": "much"}))


def test_a_long_list_of_products_does_not_make_an_endless_subject() -> None:
    products = [{"name": f"Hat {i}", "sku": f"HAT-{i}", "stock": 1} for i in range(100)]
    mail = write(notice(Template.LOW_STOCK, data={"products": products}))
    assert len(mail["Subject"]) == 150
    assert "HAT-99" in part(mail, "plain")


def test_there_is_a_subject_for_every_occasion() -> None:
    assert set(SUBJECTS) == set(Template)


# Mail as files.


def test_a_notice_becomes_one_file_that_a_mail_program_opens(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    given = notice(Template.ORDER_PLACED)
    mailer = EmlMailer(tmp_path / "mail", sender=SENDER, shop="Hats")
    mailer.send(given, [INVOICE])
    mailer.send(given, [INVOICE])
    (file,) = (tmp_path / "mail").iterdir()
    assert file.name == f"20260115T120000Z-{given.id}.eml"
    assert file.stat().st_mode & 0o077 == 0
    mail = message_from_bytes(file.read_bytes(), policy=default)
    assert mail["Message-ID"] == given.message_id
    assert [attached.get_content() for attached in mail.iter_attachments()] == [INVOICE.content]
    assert len(caplog.messages) == 2
    assert str(file) in caplog.text
    assert "Ayşe" not in caplog.text
    assert given.recipient not in caplog.text


def test_a_folder_that_can_not_be_written_is_a_mailer_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file, not a folder")
    with pytest.raises(MailerDown, match="can't be written to"):
        EmlMailer(tmp_path / "mail", sender=SENDER, shop="Hats").send(notice(), [])


def test_files_of_mail_that_is_forgotten_or_old_are_removed_and_no_others(tmp_path: Path) -> None:
    mailer = EmlMailer(tmp_path / "mail", sender=SENDER, shop="Hats")
    mailer.forget(["before there is a folder"])
    kept, gone, old = (notice(id=f"019bc000-{n}") for n in range(3))
    old = replace(old, created_at=NOW - timedelta(days=40))
    for each in (kept, gone, old):
        mailer.send(each, [])
    (tmp_path / "mail" / "letter.eml").write_text("not ours")
    mailer.forget([gone.id, "unknown"])
    mailer.sweep(NOW - timedelta(days=30))
    left = sorted(path.name for path in (tmp_path / "mail").iterdir())
    assert left == [f"{NOW:%Y%m%dT%H%M%SZ}-{kept.id}.eml", "letter.eml"]


def test_the_file_of_the_last_mail_to_somebody_does_not_say_to_whom(tmp_path: Path) -> None:
    mailer = EmlMailer(tmp_path, sender=SENDER, shop="Hats")
    mailer.send(notice(Template.ACCOUNT_ERASED, recipient="ada@example.com"), [])
    (file,) = tmp_path.iterdir()
    assert b"ada@example.com" not in file.read_bytes()
    assert b"To: nobody@erased.invalid" in file.read_bytes()


def test_the_file_of_a_mail_to_an_international_address_can_be_read(tmp_path: Path) -> None:
    EmlMailer(tmp_path, sender=SENDER, shop="Hats").send(notice(recipient="jürgen@münchen.example"), [])
    (file,) = tmp_path.iterdir()
    assert "jürgen@xn--mnchen-3ya.example" in file.read_text()


# Mail by SMTP, with a real server.


class Inbox:
    """A mail server's mind: keeps what it is given, and answers as it was told to."""

    def __init__(self, **answers: str) -> None:
        self.received: list[Envelope] = []
        self._answers = answers

    async def handle_MAIL(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._answers.get("mail", "250 OK")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        envelope.rcpt_tos.append(address)
        return self._answers.get("rcpt", "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        answer = self._answers.get("data", "250 OK")
        if answer.startswith("250"):
            self.received.append(envelope)
        return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port


@contextmanager
def server(inbox: Inbox, port: int | None = None, **settings: Any) -> Iterator[int]:
    port = port or free_port()
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **settings)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def mailer(port: int, **changes: Any) -> SmtpMailer:
    settings: dict[str, Any] = {"starttls": False, "sender": SENDER, "shop": "Hats", "timeout": 10}
    return SmtpMailer("127.0.0.1", port, **(settings | changes))


def test_a_mail_is_received_once_and_whole() -> None:
    inbox, given = Inbox(), notice(Template.ORDER_PLACED)
    with server(inbox) as port:
        mailer(port).send(given, [INVOICE])
    (envelope,) = inbox.received
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, [given.recipient])
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content, policy=default)
    assert mail["Message-ID"] == given.message_id
    assert "$1,333.26" in part(mail, "plain")
    assert [attached.get_content() for attached in mail.iter_attachments()] == [INVOICE.content]


def test_a_server_that_is_down_is_tried_later_and_then_gets_it() -> None:
    port, inbox, given = free_port(), Inbox(), notice()
    with pytest.raises(MailerDown, match="ConnectionRefusedError"):
        mailer(port).send(given, [])
    with server(inbox, port):
        mailer(port).send(given, [])
    assert len(inbox.received) == 1


def test_a_server_that_never_answers_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MailerDown, match="can't be used"):
        mailer(silent.getsockname()[1], timeout=0.2).send(notice(), [])


@pytest.mark.parametrize(
    ("answers", "error", "says"),
    [
        ({"rcpt": "550 5.1.1 no such user ayse@example.com"}, Invalid, r"the recipient \(550 5\.1\.1\)"),
        ({"rcpt": "450 4.2.1 mailbox busy"}, MailerDown, r"the recipient now \(450 4\.2\.1\)"),
        ({"rcpt": "421 going away"}, MailerDown, r"\(421\)"),
        ({"data": "554 5.7.1 looks like spam to ayse@example.com"}, Invalid, r"the message \(554 5\.7\.1\)"),
        ({"data": "451 try again"}, MailerDown, r"the message now \(451\)"),
        ({"mail": "550 5.7.1 we do not know shop@example.com"}, MailerDown, r"refused the shop \(550 5\.7\.1\)"),
        ({"mail": "451 4.3.0 slow down"}, MailerDown, r"refused the shop \(451 4\.3\.0\)"),
    ],
)
def test_a_refusal_is_for_good_only_when_it_is_about_this_mail(
    answers: dict[str, str], error: type[Exception], says: str
) -> None:
    inbox = Inbox(**answers)
    with server(inbox) as port, pytest.raises(error, match=says) as caught:
        mailer(port).send(notice(), [])
    assert type(caught.value) is error
    assert "@" not in str(caught.value)
    assert not inbox.received


def accept(password: str) -> Callable[..., AuthResult]:
    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == password.encode(), handled=False)

    return authenticate


def test_the_mailer_logs_in_and_a_wrong_password_is_for_the_shop_to_mend() -> None:
    inbox = Inbox()
    with server(inbox, authenticator=accept("right"), auth_require_tls=False) as port:
        mailer(port, username="shop", password="right").send(notice(), [])
        assert len(inbox.received) == 1
        with pytest.raises(MailerDown, match=r"refused the shop \(535"):
            mailer(port, username="shop", password="wrong").send(notice(), [])
    assert len(inbox.received) == 1


def test_nothing_is_sent_in_the_open_when_tls_is_wanted() -> None:
    inbox = Inbox()
    with server(inbox) as port, pytest.raises(MailerDown, match="SMTPNotSupportedError"):
        mailer(port, starttls=True).send(notice(), [])
    assert not inbox.received


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that signed itself, with its key, in one file."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


def test_mail_goes_through_tls_to_a_server_whose_certificate_is_trusted_and_to_no_other(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, tls = Inbox(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    with server(inbox, tls_context=tls, require_starttls=True) as port:
        with pytest.raises(MailerDown, match="SSLCertVerificationError"):
            mailer(port, starttls=True).send(notice(), [])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        mailer(port, starttls=True).send(notice(), [])
    assert len(inbox.received) == 1


def test_an_international_address_is_delivered_where_the_server_can() -> None:
    inbox = Inbox()
    with server(inbox, enable_SMTPUTF8=True) as port:
        mailer(port).send(notice(recipient="jürgen@münchen.example"), [])
    (envelope,) = inbox.received
    assert envelope.rcpt_tos == ["jürgen@xn--mnchen-3ya.example"]
    assert "SMTPUTF8" in envelope.mail_options


def test_an_international_address_is_refused_for_good_where_the_server_can_not() -> None:
    inbox = Inbox()
    with server(inbox, enable_SMTPUTF8=False) as port:
        with pytest.raises(Invalid, match="international"):
            mailer(port).send(notice(recipient="jürgen@example.com"), [])
        mailer(port).send(notice(recipient="jurgen@münchen.example"), [])
    assert [envelope.rcpt_tos for envelope in inbox.received] == [["jurgen@xn--mnchen-3ya.example"]]


def test_an_accepted_mail_stays_accepted_when_the_goodbye_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang_up(self: smtplib.SMTP) -> tuple[int, bytes]:
        raise TimeoutError

    monkeypatch.setattr(smtplib.SMTP, "quit", hang_up)
    inbox = Inbox()
    with server(inbox) as port:
        mailer(port).send(notice(), [])
    assert len(inbox.received) == 1
