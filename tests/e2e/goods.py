"""What tests of a running shop order, and what is left of it."""

from typing import Any

from storecore.accounts.model import SYSTEM
from storecore.lists import PageRequest
from tests.e2e.conftest import LiveShop

ADDRESS = {
    "recipient": "Ayşe Yılmaz",
    "line1": "Bağdat Caddesi 12",
    "city": "İstanbul",
    "postal_code": "34710",
    "country": "TR",
}


def category(live: LiveShop, name: str = "Hats") -> str:
    """The id of a new category."""
    return live.store.catalog.create_category(by=SYSTEM, name=name).id


def stock(live: LiveShop, product_id: str) -> int:
    """Units on the shelf, after checking that the ledger says the same."""
    on_hand = live.store.catalog.product(product=product_id).product.stock
    ledger = live.store.catalog.ledger(by=SYSTEM, product_id=product_id, page=PageRequest(limit=100))
    assert ledger.next is None
    assert on_hand == sum(move.change for move in ledger.items)
    return on_hand


def order_of(*items: tuple[str, int], **more: Any) -> dict[str, Any]:
    """The body of an order to ``ADDRESS``."""
    lines = [{"product_id": product_id, "quantity": quantity} for product_id, quantity in items]
    return {"items": lines, "delivery_address": ADDRESS, **more}
