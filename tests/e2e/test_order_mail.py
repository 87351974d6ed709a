"""The mail of an order, received by a real SMTP server: through an outage, once, with an invoice that is right."""

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pypdf import PdfReader

from adapters.encryption import FernetCipher
from adapters.local_hub import LocalHub
from adapters.local_rate_limits import Unlimited
from adapters.mail.smtp import SmtpMailer
from adapters.memory import MemoryFiles
from adapters.passwords import Argon2Passwords
from adapters.pdf import PdfDocuments
from adapters.secrets import new_key
from adapters.sql import SqlStorage
from adapters.system import random_bytes, uuid7
from adapters.tokens import ItsDangerousSigner
from storecore.accounts.model import SYSTEM, Address
from storecore.money import Money
from storecore.shop import Shop
from storecore.store import Store
from tests.databases import DATABASES, database
from tests.usecases.floor import Clock


class Mailbox:
    """Keeps what it receives."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - its library's name
        assert isinstance(envelope.content, bytes)
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path, port: int, clock: Clock) -> Iterator[Store]:
    with (
        database(request.param, tmp_path) as where,
        Store(
            storage=SqlStorage(where, cipher=FernetCipher([new_key()])),
            clock=clock,
            new_id=uuid7,
            random=random_bytes,
            passwords=Argon2Passwords(time_cost=1, memory_cost=8),
            signer=ItsDangerousSigner([new_key()]),
            mailer=SmtpMailer("127.0.0.1", port, starttls=False, sender="shop@example.com", shop="Shop"),
            documents=PdfDocuments(),
            files=MemoryFiles(),
            hub=LocalHub(),
            rate_limits=Unlimited(),
            shop=Shop(name="Hat & Söhne"),
        ) as opened,
    ):
        yield opened


@pytest.mark.parametrize(
    ("name", "street"),
    [("Şükrü Işık Ğöçmen", "İstiklal Caddesi"), ("Дмитрий Щербаков", "улица Пушкина")],
)
def test_an_order_is_confirmed_once_after_an_outage_with_an_invoice_that_equals_it(
    store: Store, port: int, clock: Clock, name: str, street: str
) -> None:
    shelf = store.catalog.create_category(by=SYSTEM, name="Hats")
    hat, cap = (
        store.catalog.create_product(
            by=SYSTEM, sku=sku, name=sku.title(), price=Money(price, "USD"), stock=9, category_ids=[shelf.id]
        ).product
        for sku, price in (("HAT", 123_456), ("CAP", 333))
    )
    buyer = store.accounts.register(email="buyer@example.com", password="correct horse", full_name=name)
    address = Address(recipient=name, line1=street, city="City", postal_code="1", country="TR")
    order = store.orders.place(by=buyer, items=[(hat.id, 1), (cap.id, 3)], deliver_to=address)

    while store.work():  # nobody listens: both mails are tried and kept
        pass
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        clock.forward(seconds=5)
        for _ in range(3):
            while store.work():
                pass
            clock.forward(hours=1)
    finally:
        server.stop()

    about_the_order = [letter for letter in mailbox.received if order.number in str(letter["Subject"])]
    assert len(about_the_order) == 1
    (letter,) = about_the_order
    assert letter["To"] == "buyer@example.com"
    (invoice,) = letter.iter_attachments()
    assert invoice.get_content_type() == "application/pdf"
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(invoice.get_content())).pages)
    assert name in text
    assert street in text
    for amount in (order.subtotal, order.shipping, order.tax, order.total, *(line.total for line in order.lines)):
        assert f"{amount.minor / 100:,.2f}" in text
    assert invoice.get_content() == store.orders.invoice(by=buyer, order_id=order.id).content
