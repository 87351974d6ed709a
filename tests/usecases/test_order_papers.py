"""What the books keep of an order, field by field: the order itself, its invoice, its credit note, the ledger."""

from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from storecore.accounts.model import GUEST, SYSTEM
from storecore.accounts.permissions import Role
from storecore.catalog.model import StockMove, StockReason
from storecore.errors import IllegalTransition, Invalid, NotFound, NotInvoiced
from storecore.lists import PageRequest
from storecore.money import Money
from storecore.orders.model import Order, PaymentStatus, Status
from storecore.orders.refund import Disposition, RefundCause, RefundStatus
from storecore.ports import AuditQuery, RefundQuery
from storecore.pricing import RULES, ShippingPolicy, TaxPolicy, TaxRate
from storecore.shop import Shop
from tests.usecases.floor import HOME, Floor, open_floor, person, product

WAY = (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def _ledger(store: Floor, order: Order) -> list[StockMove]:
    """The newest row of each product of an order."""
    return [store.catalog.ledger(by=SYSTEM, product_id=each.product_id).items[0] for each in order.lines]


def _refused(call: Any, **arguments: Any) -> tuple[str, str]:
    """The only field that is refused, and why."""
    with pytest.raises(Invalid) as refused:
        call(**arguments)
    (error,) = refused.value.errors
    return error


def test_an_order_keeps_what_its_quote_said(tmp_path: Path) -> None:
    shop = Shop(
        shipping=ShippingPolicy(fee=usd(1000), tax_class="post"),
        tax=TaxPolicy(default_rate=Decimal(8), rates=(TaxRate(rate=Decimal(5), tax_class="books"),)),
    )
    with open_floor("memory", tmp_path, shop) as store:
        user = person(store)
        hat = product(store, price=1999, cost=usd(700), name="Hat", sku="HAT")
        book = product(store, price=850, cost=usd(300), name="Book", sku="BOOK", tax_class="books")
        store.catalog.discount(by=SYSTEM, product_ids=[hat.id], percent=Decimal(25))
        coupon = store.catalog.create_coupon(by=SYSTEM, code="SPRING", percent=Decimal(10))
        items = [(hat.id, 2), (book.id, 1)]
        quote = store.orders.quote(by=user, items=items, deliver_to=HOME, coupon="SPRING")
        order = store.orders.place(by=user, items=items, deliver_to=HOME, coupon="SPRING", note="Ring", payment="demo")
        kept = store.orders.get(by=user, order_id=order.id)
    assert kept == order
    for line, of_quote, item in zip(order.lines, quote.lines, (hat, book), strict=True):
        assert (line.product_id, line.sku, line.name, line.cost) == (item.id, item.sku, item.name, item.cost)
        names = (
            "quantity",
            "unit_price",
            "product_discount",
            "order_discount",
            "tax_class",
            "tax_rate",
            "tax",
            "total",
        )
        assert all(getattr(line, name) == getattr(of_quote, name) for name in names)
    names = ("subtotal", "discount", "shipping", "shipping_tax", "shipping_tax_rate", "tax", "total", "tax_included")
    assert all(getattr(order, name) == getattr(quote, name) for name in names)
    assert (order.coupon_id, order.coupon_code, order.rules, order.refunded) == (coupon.id, "SPRING", RULES, usd(0))
    assert (order.customer_name, order.email, order.note) == (user.full_name, user.email, "Ring")
    assert (order.payment_provider, order.pay_by) == ("demo", order.created_at + timedelta(minutes=30))
    assert (order.eta, order.delivery_address) == (order.created_at + timedelta(minutes=30), HOME)
    assert [(entry.status, entry.at, entry.actor_id, entry.note) for entry in order.history] == [
        (Status.PENDING, order.created_at, user.id, None)
    ]
    by_line = {line.id: line.product_id for line in order.lines}
    assert not by_line.keys() & by_line.values(), "lines have ids of their own"
    steps = [(by_line.get(step.line or "", step.line), step.rule, step.base, step.amount) for step in order.explanation]
    assert steps == [(step.line, step.rule, step.base, step.amount) for step in quote.explain()]


def test_who_orders_and_how_it_is_paid_is_checked_by_name(store: Floor) -> None:
    user, hat = person(store), product(store)
    for place in (store.orders.place, store.orders.checkout):
        more: dict[str, Any] = {"deliver_to": HOME}
        if place == store.orders.place:
            more["items"] = [(hat.id, 1)]
        needed = ("email", "is needed to order without an account")
        assert _refused(place, by=GUEST, **more) == needed
        superfluous = ("email", "is for guests; a customer's mail goes to the account's address")
        assert _refused(place, by=user, email="a@example.com", **more) == superfluous
        assert _refused(place, by=user, payment="nobody", **more) == ("payment.provider", "is not known here")
        assert _refused(place, by=GUEST, email="eve", **more)[0] == "email"


def test_the_parcel_is_named_when_it_is_shipped_and_nothing_becomes_pending_again(store: Floor) -> None:
    order = store.orders.place(by=person(store), items=[(product(store).id, 1)], deliver_to=HOME)
    move = store.orders.advance
    more: dict[str, Any] = {"by": SYSTEM, "order_id": order.id, "to": Status.CONFIRMED}
    assert _refused(move, carrier="DHL", **more) == ("carrier", "goes with the status shipped only")
    assert _refused(move, tracking_number="1", **more) == ("tracking_number", "goes with the status shipped only")
    with pytest.raises(IllegalTransition, match=r"^An order never becomes pending again\.$"):
        move(by=SYSTEM, order_id=order.id, to=Status.PENDING)
    with pytest.raises(NotFound, match=r"^There is no such order\.$"):
        store.orders.cancel(by=person(store), order_id=order.id)


def test_each_step_of_staff_is_in_the_audit_log(store: Floor) -> None:
    vendor = person(store, Role.VENDOR)
    order = store.orders.place(by=person(store), items=[(product(store).id, 1)], deliver_to=HOME)
    store.orders.advance(by=vendor, order_id=order.id, to=Status.CONFIRMED, note="Soon")
    cancelled = store.orders.cancel(by=vendor, order_id=order.id, note="Broken")
    assert [entry.note for entry in cancelled.history] == [None, "Soon", "Broken"]
    entries = store.audit.page(by=SYSTEM, query=AuditQuery(object_id=order.id)).items
    assert [(each.action, each.actor_id, each.before["status"], each.after["status"]) for each in entries] == [
        ("order.cancel", vendor.id, "confirmed", "cancelled"),
        ("order.advance", vendor.id, "pending", "confirmed"),
    ]


def test_the_ledger_says_which_order_moved_what_when_and_why(store: Floor) -> None:
    user, vendor, hat, cap = person(store), person(store, Role.VENDOR), product(store), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 2), (cap.id, 1)], deliver_to=HOME)
    sold_at, rows = store.time.at, _ledger(store, order)
    assert [(row.product_id, row.change) for row in rows] == [(hat.id, -2), (cap.id, -1)]
    for row in rows:
        assert (row.reason, row.note, row.order_id) == (StockReason.SALE, order.number, order.id)
        assert (row.actor_id, row.at) == (user.id, sold_at)
    back_at = store.time.forward(hours=1)
    store.orders.cancel(by=vendor, order_id=order.id)
    rows = _ledger(store, order)
    assert [(row.product_id, row.change) for row in rows] == [(hat.id, 2), (cap.id, 1)]
    for row in rows:
        assert (row.reason, row.note, row.order_id) == (StockReason.CANCELLATION, order.number, order.id)
        assert (row.actor_id, row.at) == (vendor.id, back_at)
    assert store.catalog.product(product=hat.id).product.units_sold == 0


def test_what_comes_back_is_in_the_ledger_with_its_order(store: Floor) -> None:
    user, keeper, hat = person(store), person(store, Role.PRODUCT_MANAGER), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 2)], deliver_to=HOME)
    for status in WAY:
        store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    ask = {"order_id": order.id, "items": [(order.lines[0].id, 1)], "reason": "Too small"}
    refund = store.refunds.request(by=user, **ask)  # type: ignore[arg-type]  # values of several types
    store.refunds.approve(by=SYSTEM, refund_id=refund.id)
    back_at = store.time.forward(days=1)
    received = store.refunds.receive(by=keeper, refund_id=refund.id, disposition=Disposition.RESTOCK)
    (row,) = _ledger(store, order)
    assert (row.change, row.reason, row.note) == (1, StockReason.RETURN, order.number)
    assert (row.order_id, row.actor_id, row.at) == (order.id, keeper.id, back_at)
    assert (received.received_at, received.disposition) == (back_at, Disposition.RESTOCK)
    (entry,) = store.audit.page(by=SYSTEM, query=AuditQuery(action="refund.receive")).items
    assert (entry.before["status"], entry.after["status"]) == ("approved", "refunded")
    assert (entry.object_id, entry.actor_id) == (refund.id, keeper.id)


SELLER = Shop(name="Hats & Co", address=("2 Side St", "Springfield"), tax_id="EU123")


def test_an_invoice_names_seller_and_buyer_and_is_listed_by_its_day(tmp_path: Path) -> None:
    with open_floor("memory", tmp_path, SELLER) as store:
        user, hat = person(store), product(store)
        user = store.accounts.update_profile(by=user, tax_id="DE456")
        first = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
        store.mail()
        between = store.time.forward(days=1)
        store.orders.place(by=GUEST, items=[(hat.id, 1)], deliver_to=HOME, email="eve@example.com")
        store.mail()
        second, invoice = store.orders.invoices(by=SYSTEM).items
        assert store.orders.invoices(by=SYSTEM, issued_from=between).items == (second,)
        assert store.orders.invoices(by=SYSTEM, issued_to=between).items == (invoice,)
    assert (invoice.number, second.number, invoice.order_id) == ("INV-000001", "INV-000002", first.id)
    assert (invoice.issued_at, second.issued_at, invoice.total) == (first.created_at, between, first.total)
    seller = invoice.seller
    assert (seller.name, seller.address, seller.tax_id) == ("Hats & Co", ("2 Side St", "Springfield"), "EU123")
    buyer = invoice.buyer
    assert (buyer.name, buyer.address, buyer.email) == (user.full_name, HOME.lines, user.email)
    assert (buyer.tax_id, second.buyer.tax_id, second.buyer.email) == ("DE456", None, "eve@example.com")


def test_an_invoice_is_for_its_owner_and_for_those_who_read_invoices(store: Floor) -> None:
    user, hat = person(store), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
    paper = store.orders.invoice(by=user, order_id=order.id)
    assert store.orders.invoice(by=person(store, Role.SALES_MANAGER), order_id=order.id) == paper
    for stranger in (person(store), person(store, Role.SUPPORT_AGENT)):
        with pytest.raises(NotFound, match=r"^There is no such order\.$"):
            store.orders.invoice(by=stranger, order_id=order.id)
    online = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, payment="demo")
    with pytest.raises(NotInvoiced):
        store.orders.invoice(by=user, order_id=online.id)
    assert len(store.orders.invoices(by=SYSTEM).items) == 1


def test_invoices_that_wait_are_issued_fifty_at_a_time(tmp_path: Path) -> None:
    with open_floor("memory", tmp_path) as store:
        user, hat = person(store), product(store, stock=51)
        for _ in range(51):
            store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
        assert [store.orders.issue_due() for _ in range(3)] == [50, 1, 0]
        assert store.orders.invoices(by=SYSTEM, page=PageRequest(limit=100)).items[0].number == "INV-000051"


def test_an_order_that_is_cancelled_as_invoices_are_issued_keeps_no_other_waiting(store: Floor) -> None:
    user, hat = person(store), product(store)
    first, second = (store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME) for _ in range(2))

    class Late(type(store.orders)):  # type: ignore[misc]  # a class of the store's own
        """A worker that looked a moment ago."""

        def _due(self, *, limit: int) -> list[str]:
            found: list[str] = super()._due(limit=limit)
            assert sorted(found) == sorted([first.id, second.id])
            store.orders.cancel(by=user, order_id=found[0])
            return found

    late = Late(**{each.name: getattr(store.orders, each.name) for each in fields(store.orders)})
    assert late.issue_due() == 1
    assert len(store.orders.invoices(by=SYSTEM).items) == 1


def test_a_cancelled_order_that_was_paid_is_given_back_and_credited_to_the_last_field(store: Floor) -> None:
    user, hat = person(store), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 2)], deliver_to=HOME)
    store.mail()
    store.orders.record_payment(by=SYSTEM, order_id=order.id)
    at = store.time.forward(hours=1)
    cancelled = store.orders.cancel(by=user, order_id=order.id)
    assert (cancelled.refunded, cancelled.payment_status) == (order.total, PaymentStatus.REFUNDED)
    assert (cancelled.history[-1].at, cancelled.history[-1].actor_id) == (at, user.id)
    assert store.orders.get(by=user, order_id=order.id) == cancelled
    (refund,) = store.refunds.find(by=SYSTEM, query=RefundQuery(order_id=order.id)).items
    assert (refund.cause, refund.status, refund.customer_id) == (
        RefundCause.CANCELLATION,
        RefundStatus.REFUNDED,
        user.id,
    )
    assert (refund.created_at, refund.decided_at, refund.refunded_at) == (at, at, at)
    assert (refund.reason, refund.expect_return, refund.payment_id, refund.payout_at) == ("", False, None, None)
    assert (refund.amount, refund.shipping, refund.tax) == (order.total, order.shipping, order.tax)
    with store.storage.reading(store.clock(), str) as unit:
        note, invoice = unit.credit_notes.of_refund(refund.id), unit.invoices.of_order(order.id)
    assert note is not None
    assert invoice is not None
    assert (note.number, note.order_id, note.refund_id, note.issued_at) == ("CN-000001", order.id, refund.id, at)
    assert (note.seller, note.buyer) == (invoice.seller, invoice.buyer)
    assert (note.total, note.tax) == (order.total, order.tax)
    (letter,) = [notice for notice in store.mail() if notice.credit_note_id]
    assert (letter.credit_note_id, letter.data["status"]) == (note.id, "cancelled")


def test_a_request_takes_a_hundred_lines_and_is_kept_as_it_was_asked(store: Floor) -> None:
    user, hat = person(store), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 2)], deliver_to=HOME)
    for status in WAY:
        store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    line = order.lines[0].id
    ask: dict[str, Any] = {"by": user, "order_id": order.id, "reason": "Too\nsmall"}
    assert _refused(store.refunds.request, items=[(line, 1)] * 101, **ask)[0] == "items"
    assert _refused(store.refunds.request, items=[("x", 1)], **ask) == ("items.0.line_id", "is no line of this order")
    assert _refused(store.refunds.request, items=[(line, 1000)], **ask)[0] == "items.0.quantity"
    assert _refused(store.refunds.request, items=[(line, 1)], **{**ask, "reason": ""})[0] == "reason"
    at = store.time.forward(hours=1)
    refund = store.refunds.request(items=[(line, 1)], **ask)
    assert (refund.customer_id, refund.order_id, refund.created_at) == (user.id, order.id, at)
    assert (refund.reason, refund.shipping, refund.shipping_tax) == ("Too\nsmall", usd(0), usd(0))
    assert store.refunds.get(by=user, refund_id=refund.id) == refund
