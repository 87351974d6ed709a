"""What a use case may cost in statements, however much it shows."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.sql import SqlStorage
from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.lists import PageRequest
from storecore.orders.model import Status
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


def test_what_everybody_reads_about_a_product_or_a_user_takes_3_statements_at_most(store: Floor) -> None:
    hat = product(store, stock=99)
    buyers = [person(store) for _ in range(5)]
    for user in buyers:
        order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
        for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
            store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
        store.reviews.write(by=user, product_id=hat.id, rating=4)
    with _storage(store).count_statements() as statements:
        assert store.reviews.of_product(product_id=hat.id, page=PageRequest(limit=5, total=True)).total == 5
    assert statements.count <= 3
    with _storage(store).count_statements() as statements:
        assert store.accounts.profile(by=buyers[0], user_id=buyers[1].id).published_reviews == 1
    assert statements.count <= 2


def test_a_page_of_20_wishes_takes_5_statements(store: Floor) -> None:
    user, products = person(store), [product(store) for _ in range(21)]
    for each in products:
        store.wishlist.add(by=user, product_id=each.id)
    store.catalog.discount(by=SYSTEM, product_ids=[each.id for each in products[::2]], percent=Decimal(10))
    with _storage(store).count_statements() as statements:
        assert len(store.wishlist.wishes(by=user, page=PageRequest(limit=20, total=True)).items) == 20
    assert statements.count <= 5


def test_what_staff_do_to_a_wished_product_costs_the_same_however_many_wish_it(store: Floor) -> None:
    def statements_with(wishers: int) -> list[int]:
        hat = product(store, stock=0)
        buyer = person(store)
        for _ in range(wishers):
            store.wishlist.add(by=person(store), product_id=hat.id)
        counts = []
        with _storage(store).count_statements() as statements:
            store.catalog.adjust_stock(by=SYSTEM, product_id=hat.id, change=1, reason="found")
            counts.append(statements.count)
            store.catalog.discount(by=SYSTEM, product_ids=[hat.id], percent=Decimal(10))
            counts.append(statements.count)
            order = store.orders.place(by=buyer, items=[(hat.id, 1)], deliver_to=HOME)
            store.orders.cancel(by=buyer, order_id=order.id)
            counts.append(statements.count)
        return counts

    assert statements_with(0) == statements_with(1) == statements_with(30)


def test_telling_20_wishers_takes_5_statements(store: Floor) -> None:
    hat = product(store, stock=0)
    for _ in range(20):
        store.wishlist.add(by=person(store), product_id=hat.id)
    store.time.forward(minutes=1)
    store.catalog.adjust_stock(by=SYSTEM, product_id=hat.id, change=1, reason="found")
    with _storage(store).count_statements() as statements:
        assert store.wishlist.tell_wishers(limit=20) == 20
    assert statements.count <= 5


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
        (11, lambda: support.case(by=agent, conversation_id=this)),
        (4, lambda: support.send(by=customer, conversation_id=this, body="Hello", client_id="c1")),
        (2, lambda: support.send(by=customer, conversation_id=this, body="Hello", client_id="c1")),
        (3, lambda: support.messages(by=customer, conversation_id=this, page=page)),
        (2, lambda: support.mark_read(by=agent, conversation_id=this, seq=2)),
    ):
        with _storage(store).count_statements() as statements:
            look()
        assert statements.count <= most


def test_a_search_takes_4_statements_and_suggestions_2_however_much_is_found(store: Floor) -> None:
    for many in (1, 20):
        made = [product(store, name=f"Amber {many} {n}") for n in range(many)]
        store.catalog.discount(by=SYSTEM, product_ids=[each.id for each in made], percent=Decimal(10))
        store.catalog.suggest(text="amb")
        for most, look in (
            (4, lambda: store.catalog.search(text="amber")),
            (5, lambda: store.catalog.search(text="amber", page=PageRequest(total=True))),
            (7, lambda: store.catalog.search(text="ambre")),
            (5, lambda: store.catalog.products(text="amber")),
            (2, lambda: store.catalog.suggest(text="amb")),
        ):
            with _storage(store).count_statements() as statements:
                look()
            assert statements.count <= most
