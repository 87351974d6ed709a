"""A whole store in memory, opened by one call."""

from adapters.memory import MemoryMailer, open_store
from storecore.accounts.model import SYSTEM
from storecore.money import Money
from storecore.notices import Template
from storecore.testing.builders import make_address


def test_a_store_in_memory_sells_and_mails_the_invoice() -> None:
    mailer = MemoryMailer()
    with open_store(mailer=mailer) as store:
        shelf = store.catalog.create_category(by=SYSTEM, name="Hats")
        hat = store.catalog.create_product(
            by=SYSTEM, sku="HAT-1", name="Hat", price=Money(2000, "USD"), category_ids=[shelf.id], stock=5
        ).product
        customer = store.accounts.register(email="ayse@example.com", password="12345678", full_name="Ayşe Yılmaz")
        order = store.orders.place(by=customer, items=[(hat.id, 2)], deliver_to=make_address())
        while store.work():
            pass
        assert store.catalog.product(product=hat.slug).product.stock == 3
        assert str(order.total) == "53.20"
        (placed,) = [files for notice, files in mailer.sent if notice.template is Template.ORDER_PLACED]
        (invoice,) = placed
        assert invoice.name == "INV-000001.txt"
        assert "53.20" in invoice.content.decode()
