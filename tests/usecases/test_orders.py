"""Quoting, placing, fulfilling and cancelling; who may see what."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from storecore.accounts.model import GUEST, SYSTEM, Guest
from storecore.accounts.permissions import Role
from storecore.errors import (
    AlreadyPaid,
    CartEmpty,
    CouponNotApplicable,
    Forbidden,
    IdempotencyKeyReused,
    IllegalTransition,
    Invalid,
    LinkInvalid,
    NotAuthenticated,
    NotFound,
    NotInvoiced,
    OutOfStock,
    PreconditionFailed,
    PriceChanged,
    ProductUnavailable,
)
from storecore.lists import PageRequest
from storecore.money import Money
from storecore.notices import Template
from storecore.orders.model import Order, PaymentStatus, Status
from storecore.ports import AuditQuery, OrderQuery
from storecore.pricing import ShippingPolicy, TaxPolicy, TaxRate
from storecore.shop import Shop
from storecore.testing.contracts.proving import Together
from storecore.transactions import Once, Replayed
from tests.usecases.floor import HOME, PASSWORD, Floor, on_hand, open_floor, person, product

WAY = (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def _once(key: str = "key", fingerprint: bytes = b"fingerprint") -> Once:
    return Once("scope", key, fingerprint, lambda order: order.number.encode())


def test_an_order_is_exact_to_the_cent_and_stock_falls_by_just_that_much(store: Floor) -> None:
    user, hat, cap = person(store), product(store, price=1999, stock=5), product(store, price=333, stock=9)
    order = store.orders.place(by=user, items=[(hat.id, 2), (cap.id, 3)], deliver_to=HOME, note="Ring twice")
    # 2 × 19.99 + 3 × 3.33 = 49.97; shipping 10.00; 8 % of 49.97 = 3.9976
    assert (order.subtotal, order.discount, order.shipping, order.tax) == (usd(4997), usd(0), usd(1000), usd(400))
    assert order.total == usd(6397)
    assert [line.total for line in order.lines] == [usd(3998 + 320), usd(999 + 80)]
    assert (on_hand(store, hat), on_hand(store, cap)) == (3, 6)
    assert (order.status, order.payment_status, order.customer_id) == (Status.PENDING, PaymentStatus.UNPAID, user.id)
    assert order.eta == store.time.at + timedelta(minutes=30)
    assert store.orders.get(by=user, order_id=order.id) == order


def test_what_is_ordered_is_frozen(store: Floor) -> None:
    user, hat = person(store), product(store, price=1999, name="Hat")
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, price=usd(1), name="Cap", sku="OTHER")
    store.catalog.archive_product(by=SYSTEM, product_id=hat.id)
    assert store.orders.get(by=user, order_id=order.id) == order


def test_the_explanation_adds_up_to_the_total(store: Floor) -> None:
    user, hat = person(store), product(store, price=1999)
    store.catalog.create_coupon(by=SYSTEM, code="SPRING", percent=Decimal(10))
    store.catalog.discount(by=SYSTEM, product_ids=[hat.id], percent=Decimal(25))
    order = store.orders.place(by=user, items=[(hat.id, 3)], deliver_to=HOME, coupon="spring")
    assert sum(step.amount.minor for step in order.explanation) == order.total.minor
    assert order.coupon_code == "SPRING"


def test_a_short_line_changes_nothing_at_all_and_every_short_line_is_named(store: Floor) -> None:
    user = person(store)
    plenty, few, none = product(store, stock=9), product(store, stock=1), product(store, stock=0)
    store.mail()
    with pytest.raises(OutOfStock) as short:
        store.orders.place(by=user, items=[(plenty.id, 2), (few.id, 2), (none.id, 1)], deliver_to=HOME)
    assert short.value.extra["lines"] == [
        {"product_id": few.id, "requested": 2, "available": 1},
        {"product_id": none.id, "requested": 1, "available": 0},
    ]
    assert [on_hand(store, each) for each in (plenty, few, none)] == [9, 1, 0]
    assert not store.orders.mine(by=user).items
    assert store.catalog.product(product=plenty.id).product.units_sold == 0
    assert len(store.mail()) == 1


def test_a_product_named_twice_counts_together(store: Floor) -> None:
    user, hat = person(store), product(store, stock=3)
    order = store.orders.place(by=user, items=[(hat.id, 1), (hat.id, 2)], deliver_to=HOME)
    assert [line.quantity for line in order.lines] == [3]
    with pytest.raises(Invalid):
        store.orders.place(by=user, items=[(hat.id, 500), (hat.id, 500)], deliver_to=HOME)


def test_items_must_exist_be_sold_and_be_some(store: Floor) -> None:
    user, hat = person(store), product(store)
    with pytest.raises(Invalid):
        store.orders.place(by=user, items=[], deliver_to=HOME)
    with pytest.raises(NotFound) as unknown:
        store.orders.place(by=user, items=[(hat.id, 1), ("nothing", 1)], deliver_to=HOME)
    assert unknown.value.errors[0][0] == "items.1.product_id"
    store.catalog.archive_product(by=SYSTEM, product_id=hat.id)
    with pytest.raises(ProductUnavailable):
        store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)


def test_another_total_than_expected_is_refused_with_the_new_quote(store: Floor) -> None:
    user, hat = person(store), product(store, price=1000)
    seen = store.orders.quote(by=user, items=[(hat.id, 1)], deliver_to=HOME).total
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, price=usd(1100))
    with pytest.raises(PriceChanged) as changed:
        store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, expected_total=seen)
    quote = changed.value.extra["quote"]
    assert quote.total == usd(1100 + 88 + 1000)
    assert store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, expected_total=quote.total).lines


def test_guests_order_with_an_email_and_hold_a_token(store: Floor) -> None:
    hat = product(store)
    with pytest.raises(Invalid) as missing:
        store.orders.place(by=GUEST, items=[(hat.id, 1)], deliver_to=HOME)
    assert missing.value.errors[0][0] == "email"
    order = store.orders.place(by=GUEST, items=[(hat.id, 1)], deliver_to=HOME, email="Guest@Example.com")
    assert (order.customer_id, order.email) == (None, "guest@example.com")
    holder = store.orders.holder(store.orders.token(order))
    assert store.orders.get(by=holder, order_id=order.id) == order
    for stranger in (GUEST, Guest(order_id="other"), person(store)):
        with pytest.raises(NotFound):
            store.orders.get(by=stranger, order_id=order.id)
    with pytest.raises(LinkInvalid):
        store.orders.holder("forged")
    assert store.orders.cancel(by=holder, order_id=order.id).status is Status.CANCELLED


def test_a_saved_address_is_used_by_its_owner_only(store: Floor) -> None:
    user, thief, hat = person(store), person(store), product(store)
    saved = store.accounts.add_address(by=user, address=HOME)
    assert store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=saved.id).delivery_address == HOME
    with pytest.raises(NotFound):
        store.orders.place(by=thief, items=[(hat.id, 1)], deliver_to=saved.id)
    with pytest.raises(NotAuthenticated):
        store.orders.place(by=GUEST, items=[(hat.id, 1)], deliver_to=saved.id, email="g@example.com")


def test_who_has_left_orders_nothing(store: Floor) -> None:
    user, hat = person(store), product(store)
    store.carts.add_item(by=user, product_id=hat.id, quantity=1)
    store.accounts.erase(by=user, password=PASSWORD)
    with pytest.raises(Forbidden):
        store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
    assert on_hand(store, hat) == 10


def test_checkout_empties_the_cart_or_changes_nothing(store: Floor) -> None:
    user, hat = person(store), product(store, stock=2)
    with pytest.raises(CartEmpty):
        store.orders.checkout(by=user, deliver_to=HOME)
    store.carts.add_item(by=user, product_id=hat.id, quantity=2)
    store.catalog.adjust_stock(by=SYSTEM, product_id=hat.id, change=-1, reason="lost")
    with pytest.raises(OutOfStock):
        store.orders.checkout(by=user, deliver_to=HOME)
    assert store.carts.cart(by=user).cart.quantities == {hat.id: 2}
    store.carts.set_quantity(by=user, product_id=hat.id, quantity=1)
    order = store.orders.checkout(by=user, deliver_to=HOME)
    assert order.quantities == {hat.id: 1}
    assert store.carts.cart(by=user).items == ()


def test_one_key_makes_one_order_and_replays_its_answer(store: Floor) -> None:
    user, hat = person(store), product(store, stock=1)
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, once=_once())
    with pytest.raises(Replayed) as replayed:
        store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, once=_once())
    assert replayed.value.answer == order.number.encode()
    with pytest.raises(IdempotencyKeyReused):
        store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, once=_once(fingerprint=b"other"))
    assert len(store.orders.mine(by=user).items) == 1


def test_a_refused_request_leaves_its_key_free(store: Floor) -> None:
    user, hat = person(store), product(store, stock=0)
    with pytest.raises(OutOfStock):
        store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, once=_once())
    store.catalog.adjust_stock(by=SYSTEM, product_id=hat.id, change=1, reason="delivery")
    assert store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME, once=_once()).quantities == {hat.id: 1}


def test_staff_take_an_order_to_delivered_and_it_is_paid_there(store: Floor) -> None:
    user, vendor, hat = person(store), person(store, Role.VENDOR), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
    for status in WAY:
        carrier, number = ("Swift", "T1") if status is Status.SHIPPED else (None, None)
        order = store.orders.advance(
            by=vendor, order_id=order.id, to=status, note=f"now {status}", carrier=carrier, tracking_number=number
        )
    assert (order.status, order.payment_status) == (Status.DELIVERED, PaymentStatus.PAID)
    assert (order.carrier, order.tracking_number) == ("Swift", "T1")
    assert [entry.status for entry in order.history] == [Status.PENDING, *WAY]
    assert [entry.actor_id for entry in order.history] == [user.id, *[vendor.id] * 4]
    assert [entry.note for entry in order.history] == [None, *(f"now {status}" for status in WAY)]
    assert {entry.at for entry in order.history} == {store.time.at}
    assert store.orders.get(by=user, order_id=order.id) == order
    mailed = [notice.template for notice in store.mail() if notice.recipient == user.email]
    assert mailed.count(Template.ORDER_STATUS) == 4


def test_customers_can_not_move_orders(store: Floor) -> None:
    user, hat = person(store), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
    with pytest.raises(Forbidden):
        store.orders.advance(by=user, order_id=order.id, to=Status.CONFIRMED)
    with pytest.raises(Forbidden):
        store.orders.record_payment(by=user, order_id=order.id)


def test_steps_can_not_be_left_out(store: Floor) -> None:
    vendor, hat = person(store, Role.VENDOR), product(store)
    order = store.orders.place(by=vendor, items=[(hat.id, 1)], deliver_to=HOME)
    with pytest.raises(IllegalTransition):
        store.orders.advance(by=vendor, order_id=order.id, to=Status.SHIPPED)
    with pytest.raises(Invalid):
        store.orders.advance(by=vendor, order_id=order.id, to=Status.CONFIRMED, carrier="Swift")
    confirmed = store.orders.advance(by=vendor, order_id=order.id, to=Status.CONFIRMED)
    with pytest.raises(PreconditionFailed):
        store.orders.advance(by=vendor, order_id=order.id, to=Status.PROCESSING, if_version=confirmed.version - 1)


@pytest.mark.parametrize("steps", range(4))
def test_cancelling_restocks_exactly_once_until_the_order_has_left(store: Floor, steps: int) -> None:
    user, vendor, hat = person(store), person(store, Role.VENDOR), product(store, stock=5)
    order = store.orders.place(by=user, items=[(hat.id, 2)], deliver_to=HOME)
    for status in WAY[:steps]:
        store.orders.advance(by=vendor, order_id=order.id, to=status)
    if steps == 3:
        with pytest.raises(IllegalTransition):
            store.orders.cancel(by=user, order_id=order.id)
        assert on_hand(store, hat) == 3
        return
    store.orders.cancel(by=user, order_id=order.id, note="Changed my mind")
    with pytest.raises(IllegalTransition):
        store.orders.advance(by=vendor, order_id=order.id, to=Status.CANCELLED)
    assert on_hand(store, hat) == 5
    assert store.catalog.product(product=hat.id).product.units_sold == 0


def test_only_the_owner_and_fulfilment_staff_cancel(store: Floor) -> None:
    user, hat = person(store), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
    for other in (person(store), person(store, Role.SALES_MANAGER), GUEST):
        with pytest.raises(NotFound):
            store.orders.cancel(by=other, order_id=order.id)
    assert store.orders.cancel(by=person(store, Role.VENDOR), order_id=order.id).status is Status.CANCELLED


def test_address_and_note_change_while_pending_only(store: Floor) -> None:
    user, vendor, hat = person(store), person(store, Role.VENDOR), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
    moved = replace(HOME, line1="2 Side St")
    amended = store.orders.amend(by=user, order_id=order.id, delivery_address=moved, note="New door")
    assert (amended.delivery_address, amended.note, amended.total) == (moved, "New door", order.total)
    assert store.orders.get(by=user, order_id=order.id) == amended
    with pytest.raises(NotFound, match=r"^There is no such order\.$"):
        store.orders.amend(by=vendor, order_id=order.id, note="mine")
    store.orders.advance(by=vendor, order_id=order.id, to=Status.CONFIRMED)
    with pytest.raises(IllegalTransition):
        store.orders.amend(by=user, order_id=order.id, note="Too late")


def test_an_offline_payment_is_recorded_once_by_staff(store: Floor) -> None:
    vendor, hat = person(store, Role.VENDOR), product(store)
    order = store.orders.place(by=vendor, items=[(hat.id, 1)], deliver_to=HOME)
    assert store.orders.record_payment(by=vendor, order_id=order.id).payment_status is PaymentStatus.PAID
    (entry,) = store.audit.page(by=SYSTEM, query=AuditQuery(action="order.record_payment")).items
    assert entry.before == {"payment_status": "unpaid"}
    assert entry.after == {"payment_status": "paid"}
    with pytest.raises(AlreadyPaid):
        store.orders.record_payment(by=vendor, order_id=order.id)


def test_a_stale_version_changes_no_order(store: Floor) -> None:
    user, hat = person(store), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
    stale = order.version + 1
    with pytest.raises(PreconditionFailed):
        store.orders.amend(by=user, order_id=order.id, note="Stale", if_version=stale)
    with pytest.raises(PreconditionFailed):
        store.orders.record_payment(by=SYSTEM, order_id=order.id, if_version=stale)
    with pytest.raises(PreconditionFailed):
        store.orders.cancel(by=user, order_id=order.id, if_version=stale)
    with pytest.raises(PreconditionFailed):
        store.orders.advance(by=SYSTEM, order_id=order.id, to=Status.CONFIRMED, if_version=stale)
    assert store.orders.get(by=user, order_id=order.id) == order
    amended = store.orders.amend(by=user, order_id=order.id, note="Fresh", if_version=order.version)
    paid = store.orders.record_payment(by=SYSTEM, order_id=order.id, if_version=amended.version)
    store.orders.cancel(by=user, order_id=order.id, if_version=paid.version)


TAXED = TaxPolicy(
    default_rate=Decimal(8),
    rates=(
        TaxRate(rate=Decimal(5), country="US"),
        TaxRate(rate=Decimal(10), country="US", region="NY"),
        TaxRate(rate=Decimal(3), country="US", tax_class="post"),
        TaxRate(rate=Decimal(4), country="US", region="OH", tax_class="post"),
        TaxRate(rate=Decimal(5), country="US", region="OH"),
    ),
)


@pytest.mark.parametrize(("post", "regions"), [(None, {"NY"}), ("post", {"NY", "OH"})])
def test_an_order_moves_only_to_where_it_is_taxed_alike(post: str | None, regions: set[str], tmp_path: Path) -> None:
    shop = Shop(tax=TAXED, shipping=ShippingPolicy(fee=usd(1000), tax_class=post))
    with open_floor("memory", tmp_path, shop) as store:
        user, hat = person(store), product(store)
        order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
        for region in ("NY", "OH", "CA"):
            there = replace(HOME, region=region)
            if region not in regions:
                assert store.orders.amend(by=user, order_id=order.id, delivery_address=there).delivery_address == there
                continue
            with pytest.raises(Invalid) as refused:
                store.orders.amend(by=user, order_id=order.id, delivery_address=there)
            message = "is taxed differently; cancel the order and place it again"
            assert refused.value.errors == (("delivery_address", message),)


def test_a_quote_says_what_placing_then_costs(tmp_path: Path) -> None:
    with open_floor("memory", tmp_path, Shop(tax=TAXED)) as store:
        user, hat = person(store), product(store, price=1999)
        store.catalog.create_coupon(by=SYSTEM, code="SPRING", percent=Decimal(10))
        tomorrow = store.time.at + timedelta(days=1)
        store.catalog.discount(by=SYSTEM, product_ids=[hat.id], percent=Decimal(25), starts_at=tomorrow)
        there = replace(HOME, region="NY")
        for day, off in ((0, 0), (1, 1500)):
            store.time.forward(days=day)
            quote = store.orders.quote(by=user, items=[(hat.id, 3)], deliver_to=there, coupon="spring")
            place = partial(store.orders.place, by=user, items=[(hat.id, 3)], deliver_to=there, coupon="spring")
            with pytest.raises(PriceChanged) as changed:
                place(expected_total=usd(1))
            assert changed.value.extra["quote"] == quote
            order = place()
            assert (quote.lines[0].key, quote.lines[0].tax_rate) == (hat.id, Decimal(10))
            assert (quote.total, quote.discount, quote.tax) == (order.total, order.discount, order.tax)
            assert quote.lines[0].product_discount == usd(off)
        assert store.orders.quote(by=user, items=[(hat.id, 1)]).lines[0].tax_rate == 8


def test_checkout_takes_everything_that_the_customer_decided(store: Floor) -> None:
    hat = product(store)
    guest = Guest(cart_id=store.carts.add_item(by=GUEST, product_id=hat.id, quantity=2).cart.id)
    with pytest.raises(PriceChanged):
        store.orders.checkout(by=guest, deliver_to=HOME, email="eve@example.com", expected_total=usd(1))
    with pytest.raises(Invalid, match="provider"):
        store.orders.checkout(by=guest, deliver_to=HOME, email="eve@example.com", payment="nobody")
    store.time.forward(minutes=5)
    once = _once()
    order = store.orders.checkout(
        by=guest, deliver_to=HOME, email="eve@example.com", note="Ring twice", payment="demo", once=once
    )
    assert (order.email, order.note, order.payment_provider) == ("eve@example.com", "Ring twice", "demo")
    assert order.quantities == {hat.id: 2}
    cart = store.carts.cart(by=guest).cart
    assert (cart.items, cart.updated_at) == ((), store.time.at)
    with pytest.raises(Replayed) as replayed:
        store.orders.checkout(
            by=guest, deliver_to=HOME, email="eve@example.com", note="Ring twice", payment="demo", once=once
        )
    assert replayed.value.answer == order.number.encode()
    with pytest.raises(CartEmpty):
        store.orders.checkout(by=guest, deliver_to=HOME, email="eve@example.com")
    with pytest.raises(CartEmpty):
        store.orders.checkout(by=person(store), deliver_to=HOME)


def test_a_guests_cart_that_is_checked_out_while_its_guest_signs_in_is_bought_or_kept(store: Floor) -> None:
    hat = product(store, stock=99)
    for _ in range(5):
        user = person(store)
        guest = Guest(cart_id=store.carts.add_item(by=GUEST, product_id=hat.id, quantity=1).cart.id)
        together = Together(
            partial(store.carts.merge, by=user, cart_id=guest.cart_id),
            partial(store.orders.checkout, by=guest, deliver_to=HOME, email="eve@example.com"),
        )
        merged, bought = together.outcomes
        assert not isinstance(merged, Exception)
        kept = store.carts.cart(by=user).cart.quantities
        assert kept == ({hat.id: 1} if isinstance(bought, CartEmpty) else {})
        assert store.carts.cart(by=guest).cart.items == ()


def test_customers_list_their_own_orders_and_staff_everybodys(store: Floor) -> None:
    ada, bob, vendor, hat = person(store), person(store), person(store, Role.VENDOR), product(store, stock=99)
    placed: list[Order] = []
    for buyer in (ada, bob, ada):
        placed.append(store.orders.place(by=buyer, items=[(hat.id, 1)], deliver_to=HOME))
        store.time.forward(minutes=1)
    first, second, third = placed
    assert [each.id for each in store.orders.mine(by=ada).items] == [third.id, first.id]
    assert [each.id for each in store.orders.everyones(by=vendor).items] == [third.id, second.id, first.id]
    with pytest.raises(Forbidden):
        store.orders.everyones(by=ada)
    query = OrderQuery(placed_from=second.created_at, placed_to=third.created_at)
    assert [each.id for each in store.orders.everyones(by=vendor, query=query).items] == [second.id]
    for query, expected in [
        (OrderQuery(number=first.number), [first.id]),
        (OrderQuery(customer_id=bob.id), [second.id]),
        (OrderQuery(status=Status.SHIPPED), []),
    ]:
        assert [each.id for each in store.orders.everyones(by=vendor, query=query).items] == expected


def test_an_order_is_seen_by_its_owner_and_by_those_who_read_all(store: Floor) -> None:
    ada, vendor = person(store), person(store, Role.VENDOR)
    order = store.orders.place(by=ada, items=[(product(store).id, 1)], deliver_to=HOME)
    assert store.orders.get(by=ada, order_id=order.id) == store.orders.get(by=vendor, order_id=order.id) == order
    for stranger in (person(store), GUEST):
        with pytest.raises(NotFound, match=r"^There is no such order\.$"):
            store.orders.get(by=stranger, order_id=order.id)


def test_the_delivery_list_names_each_line_until_it_is_done(store: Floor) -> None:
    vendor, hat, cap = person(store, Role.VENDOR), product(store), product(store)
    order = store.orders.place(by=vendor, items=[(hat.id, 1), (cap.id, 2)], deliver_to=HOME)
    assert store.orders.deliveries(by=vendor).items == ()
    for status in WAY:
        store.orders.advance(by=vendor, order_id=order.id, to=status)
        rows = store.orders.deliveries(by=vendor, page=PageRequest(limit=10)).items
        assert [(row.product_id, row.quantity, row.done) for row in rows] == [
            (hat.id, 1, status is Status.DELIVERED),
            (cap.id, 2, status is Status.DELIVERED),
        ]
    assert store.orders.deliveries(by=vendor, done=False).items == ()
    with pytest.raises(Forbidden):
        store.orders.deliveries(by=person(store))


def test_a_coupon_is_used_up_and_comes_back_when_an_unpaid_order_is_cancelled(store: Floor) -> None:
    ada, bob, hat = person(store), person(store), product(store)
    store.catalog.create_coupon(by=SYSTEM, code="ONCE", amount=usd(500), max_uses=1)
    order = store.orders.place(by=ada, items=[(hat.id, 1)], deliver_to=HOME, coupon="ONCE")
    assert order.discount == usd(500)
    with pytest.raises(CouponNotApplicable, match="used up"):
        store.orders.place(by=bob, items=[(hat.id, 1)], deliver_to=HOME, coupon="ONCE")
    store.orders.cancel(by=ada, order_id=order.id)
    assert store.orders.place(by=bob, items=[(hat.id, 1)], deliver_to=HOME, coupon="ONCE").quantities == {hat.id: 1}


def test_a_coupon_counts_per_user_and_per_guests_email(store: Floor) -> None:
    ada, hat = person(store), product(store)
    store.catalog.create_coupon(by=SYSTEM, code="MINE", percent=Decimal(5), max_uses_per_user=1)
    store.orders.place(by=ada, items=[(hat.id, 1)], deliver_to=HOME, coupon="MINE")
    with pytest.raises(CouponNotApplicable, match="already used"):
        store.orders.place(by=ada, items=[(hat.id, 1)], deliver_to=HOME, coupon="MINE")
    store.orders.place(by=GUEST, email="g@example.com", items=[(hat.id, 1)], deliver_to=HOME, coupon="MINE")
    with pytest.raises(CouponNotApplicable):
        store.orders.place(by=GUEST, email="G@example.com", items=[(hat.id, 1)], deliver_to=HOME, coupon="MINE")


def test_an_invoice_is_issued_right_after_placing_and_numbered_without_gaps(store: Floor) -> None:
    user, sales, hat = person(store), person(store, Role.SALES_MANAGER), product(store)
    orders = [store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME) for _ in range(3)]
    text = store.orders.invoice(by=user, order_id=orders[1].id)
    assert str(orders[1].total) in text.content.decode()
    store.mail()
    assert store.orders.invoice(by=user, order_id=orders[1].id) == text
    issued = store.orders.invoices(by=sales).items
    assert sorted(each.number for each in issued) == ["INV-000001", "INV-000002", "INV-000003"]
    assert {each.order_id for each in issued} == {order.id for order in orders}
    with pytest.raises(NotFound):
        store.orders.invoice(by=person(store), order_id=orders[0].id)
    with pytest.raises(Forbidden):
        store.orders.invoices(by=user)


def test_an_order_cancelled_before_its_invoice_gets_none(store: Floor) -> None:
    user, hat = person(store), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
    store.orders.cancel(by=user, order_id=order.id)
    store.mail()
    with pytest.raises(NotInvoiced):
        store.orders.invoice(by=user, order_id=order.id)


def test_the_confirmation_brings_the_invoice(store: Floor) -> None:
    user, hat = person(store), product(store)
    order = store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
    store.mail()
    sent = {notice.template: files for notice, files in store.mailer.sent if notice.recipient == user.email}
    assert sent[Template.ORDER_PLACED] == (store.orders.invoice(by=user, order_id=order.id),)


def test_staff_hear_once_when_a_shelf_runs_low(store: Floor) -> None:
    manager, user, hat = person(store, Role.PRODUCT_MANAGER), person(store), product(store, stock=7)
    for _ in range(3):
        store.orders.place(by=user, items=[(hat.id, 1)], deliver_to=HOME)
    low = [notice for notice in store.mail() if notice.template is Template.LOW_STOCK]
    assert [(notice.recipient, notice.data["products"]) for notice in low] == [
        (manager.email, [{"name": hat.name, "sku": hat.sku, "stock": 5}])
    ]
