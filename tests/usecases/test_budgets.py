"""What a use case may cost in statements, however much it shows."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.sql import SqlStorage
from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.lists import PageRequest
from storecore.transactions import Once
from tests.usecases.floor import BACK_ENDS, HOME, Floor, open_floor, person, product


@pytest.fixture(params=[each for each in BACK_ENDS if each != "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Floor]:
    """A fresh, empty store on each back end that statements are sent to."""
    with open_floor(request.param, tmp_path) as floor:
        yield floor


def _storage(store: Floor) -> SqlStorage:
    assert isinstance(store.storage, SqlStorage)
    return store.storage


def test_a_page_of_20_products_takes_3_statements(store: Floor) -> None:
    products = [product(store) for _ in range(25)]
    store.catalog.discount(by=SYSTEM, product_ids=[each.id for each in products[::2]], percent=Decimal(10))
    with _storage(store).count_statements() as statements:
        assert len(store.catalog.products(page=PageRequest(limit=20)).items) == 20
    assert statements.count <= 3


def test_placing_ten_lines_takes_15_statements(store: Floor) -> None:
    user, items = person(store), [(product(store).id, 2) for _ in range(10)]
    saved = store.accounts.add_address(by=user, address=HOME)
    store.catalog.create_coupon(by=SYSTEM, code="SPRING", percent=Decimal(10), max_uses=5)
    once = Once("scope", "key", b"fingerprint", lambda order: order.number.encode())
    with _storage(store).count_statements() as statements:
        store.orders.place(by=user, items=items, deliver_to=saved.id, coupon="SPRING", once=once)
    assert statements.count <= 15


def test_a_page_of_20_orders_takes_4_statements(store: Floor) -> None:
    user, hat, cap = person(store), product(store, stock=99), product(store, stock=99)
    for _ in range(21):
        store.orders.place(by=user, items=[(hat.id, 1), (cap.id, 2)], deliver_to=HOME)
    page = PageRequest(limit=20, total=True)
    with _storage(store).count_statements() as statements:
        assert len(store.orders.mine(by=user, page=page).items) == 20
    assert statements.count <= 4
    with _storage(store).count_statements() as statements:
        assert len(store.orders.everyones(by=SYSTEM, page=page).items) == 20
    assert statements.count <= 4


def test_talking_takes_a_few_statements_however_much_was_said(store: Floor) -> None:
    customer, agent, hat = person(store), person(store, Role.SUPPORT_AGENT), product(store, stock=99)
    opened = [store.support.open(by=customer, message="Hello") for _ in range(21)]
    this = opened[0].id
    for _ in range(6):
        store.orders.place(by=customer, items=[(hat.id, 1)], deliver_to=HOME)
    store.carts.add_item(by=customer, product_id=hat.id, quantity=1)
    page, support = PageRequest(limit=20, total=True), store.support
    for most, look in (
        (2, lambda: support.queue(by=agent, page=page)),
        (2, lambda: support.mine(by=customer, page=page)),
        (3, lambda: support.claim(by=agent, conversation_id=this)),
        (9, lambda: support.case(by=agent, conversation_id=this)),
        (4, lambda: support.send(by=customer, conversation_id=this, body="Hello", client_id="c1")),
        (2, lambda: support.send(by=customer, conversation_id=this, body="Hello", client_id="c1")),
        (3, lambda: support.messages(by=customer, conversation_id=this, page=page)),
        (2, lambda: support.mark_read(by=agent, conversation_id=this, seq=2)),
    ):
        with _storage(store).count_statements() as statements:
            look()
        assert statements.count <= most
