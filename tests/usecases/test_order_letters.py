"""What is in the letters about an order, to the last word; how they are written out is a matter of the mailer."""

from decimal import Decimal
from functools import partial

import pytest

from storecore.accounts.model import GUEST, SYSTEM, Guest
from storecore.accounts.permissions import Role
from storecore.errors import LinkInvalid
from storecore.notices import Notice, Template
from storecore.orders.model import Order, Status
from storecore.orders.refund import Disposition
from tests.usecases.floor import HOME, Floor, person, product


def _told(store: Floor, template: Template) -> list[Notice]:
    return [notice for notice in store.mail() if notice.template is template]


def _way_back(store: Floor, notice: Notice) -> str | None:
    """The order that a letter's link leads to."""
    link = str(notice.data["link"])
    where, _, token = link.partition("?token=")
    assert where == "http://127.0.0.1:8000/links/order"
    return store.orders.holder(token=token).order_id


def _guests(store: Floor, **changes: object) -> Order:
    hat, cap = product(store, price=1999, name="Hat", sku="HAT"), product(store, price=333, name="Cap", sku="CAP")
    store.catalog.discount(by=SYSTEM, product_ids=[cap.id], percent=Decimal(50))
    items = [(hat.id, 2), (cap.id, 1)]
    return store.orders.place(by=GUEST, items=items, deliver_to=HOME, email="eve@example.com", **changes)  # type: ignore[arg-type]  # a note or a payment


def test_the_confirmation_tells_everything_of_the_order(store: Floor) -> None:
    order = _guests(store)
    (notice,) = _told(store, Template.ORDER_PLACED)
    assert (notice.event, notice.recipient, notice.user_id) == (f"order:{order.id}:placed", "eve@example.com", None)
    assert (notice.created_at, notice.due_at, notice.invoice_of) == (store.time.at, store.time.at, order.id)
    assert _way_back(store, notice) == order.id
    assert {**notice.data, "link": ""} == {
        "name": "Ada Lovelace",
        "number": order.number,
        "lines": [
            {"name": "Hat", "sku": "HAT", "quantity": 2, "total": "43.18"},  # 39.98 and 8 %
            {
                "name": "Cap",
                "sku": "CAP",
                "quantity": 1,
                "total": "1.80",
            },  # 1.67 and 8 % rounded down, since the hat lost more
        ],
        "subtotal": "43.31",
        "discount": "1.66",
        "shipping": "10.00",
        "tax": "3.33",
        "total": "54.98",
        "currency": "USD",
        "tax_included": False,
        "eta": "2026-03-01T09:30:00+00:00",
        "address": ["Ada Lovelace", "1 Main St", "12345 Springfield", "US"],
        "link": "",
    }


def test_customers_sign_in_instead_of_following_a_link_and_online_orders_are_invoiced_later(store: Floor) -> None:
    user, hat = person(store), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, payment="demo")
    (notice,) = _told(store, Template.ORDER_PLACED)
    assert (notice.recipient, notice.user_id, notice.data["link"]) == (user.email, user.id, "")
    assert (notice.data["name"], notice.invoice_of) == (user.full_name, None)
    paid = store.orders.pay(by=user, order_id=order.id, provider="demo", token="4242424242424242").order
    assert paid.status is Status.CONFIRMED
    (notice,) = _told(store, Template.ORDER_STATUS)
    assert notice.invoice_of == order.id


def test_each_step_of_an_order_is_told_with_its_note_and_its_parcel(store: Floor) -> None:
    order = _guests(store)
    move = partial(store.orders.advance, by=SYSTEM, order_id=order.id)
    move(to=Status.CONFIRMED, note="Soon")
    move(to=Status.PROCESSING)
    move(to=Status.SHIPPED, carrier="DHL", tracking_number="JD01")
    confirmed, processing, shipped = _told(store, Template.ORDER_STATUS)
    for notice, told in ((confirmed, "confirmed"), (processing, "processing"), (shipped, "shipped")):
        assert (notice.event, notice.recipient) == (f"order:{order.id}:{told}", "eve@example.com")
        assert (notice.user_id, notice.invoice_of, notice.credit_note_id) == (None, None, None)
        assert _way_back(store, notice) == order.id
    assert {**confirmed.data, "link": ""} == {
        "name": "Ada Lovelace",
        "number": order.number,
        "status": "confirmed",
        "note": "Soon",
        "carrier": "",
        "tracking_number": "",
        "link": "",
    }
    assert (processing.data["note"], shipped.data["carrier"], shipped.data["tracking_number"]) == ("", "DHL", "JD01")


def test_a_note_on_a_cancelled_order_is_for_staff(store: Floor) -> None:
    order = _guests(store)
    cancelled = store.orders.advance(by=SYSTEM, order_id=order.id, to=Status.CANCELLED, note="A known fraud")
    assert cancelled.history[-1].note == "A known fraud"
    (notice,) = _told(store, Template.ORDER_STATUS)
    assert (notice.data["status"], notice.data["note"]) == ("cancelled", "")


def test_the_letter_of_a_refund_names_what_comes_back_and_how_much(store: Floor) -> None:
    order = _guests(store)
    for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
        store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    cap = next(line for line in order.lines if line.sku == "CAP")
    holder = Guest(order_id=order.id)
    refund = store.refunds.request(by=holder, order_id=order.id, items=[(cap.id, 1)], reason="Too small")
    store.refunds.approve(by=SYSTEM, refund_id=refund.id, note="Send it in", include_shipping=True)
    store.refunds.receive(by=SYSTEM, refund_id=refund.id, disposition=Disposition.SCRAP)
    approved, refunded = _told(store, Template.REFUND_STATUS)
    for notice, told in ((approved, "approved"), (refunded, "refunded")):
        assert (notice.event, notice.recipient) == (f"refund:{refund.id}:{told}", "eve@example.com")
        assert (notice.user_id, notice.created_at) == (None, store.time.at)
        assert _way_back(store, notice) == order.id
        assert {**notice.data, "link": ""} == {
            "name": "Ada Lovelace",
            "number": order.number,
            "status": told,
            "items": [{"name": "Cap", "sku": "CAP", "quantity": 1, "amount": "1.80"}],
            "shipping": "10.00",
            "amount": "11.80",
            "currency": "USD",
            "expect_return": True,
            "note": "Send it in",
            "link": "",
        }
    assert approved.credit_note_id is None
    assert refunded.credit_note_id is not None


def test_a_guests_link_works_for_half_a_year(store: Floor) -> None:
    order = _guests(store)
    (notice,) = _told(store, Template.ORDER_PLACED)
    store.time.forward(days=180, seconds=-1)
    assert _way_back(store, notice) == order.id
    store.time.forward(seconds=1)
    with pytest.raises(LinkInvalid):
        _way_back(store, notice)


def test_low_shelves_are_told_to_those_who_keep_the_catalog_or_else_to_admins(store: Floor) -> None:
    admin, user = person(store, Role.ADMIN), person(store)
    hat, cap, tie = (product(store, stock=stock, name=name) for stock, name in ((6, "Hat"), (5, "Cap"), (7, "Tie")))
    items = [(hat.id, 1), (cap.id, 1), (tie.id, 1)]
    first = store.orders.place(by=user, items=items, deliver_to=HOME)
    (notice,) = _told(store, Template.LOW_STOCK)
    assert (notice.event, notice.recipient, notice.user_id) == (f"low-stock:{first.id}", admin.email, admin.id)
    assert (notice.created_at, notice.invoice_of) == (store.time.at, None)
    assert notice.data == {"products": [{"name": "Hat", "sku": hat.sku, "stock": 5}]}
    manager = person(store, Role.PRODUCT_MANAGER)
    store.time.forward(minutes=1)
    store.orders.place(by=user, items=[(tie.id, 3)], deliver_to=HOME)
    told = _told(store, Template.LOW_STOCK)[1:]
    assert [(each.recipient, each.data["products"]) for each in told] == [
        (manager.email, [{"name": "Tie", "sku": tie.sku, "stock": 3}])
    ]
