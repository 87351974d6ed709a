"""An order's states, its money and its number."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from storecore.accounts.model import GUEST, SYSTEM, Guest
from storecore.errors import AlreadyPaid, IllegalTransition, Invalid, PreconditionFailed
from storecore.money import Money, total
from storecore.orders.model import (
    NEXT,
    NUMBER_ALPHABET,
    Delivery,
    HistoryEntry,
    Order,
    OrderLine,
    PaymentStatus,
    Status,
    order_number,
)
from storecore.pricing import ShippingPolicy, TaxPolicy, TaxRate, price
from storecore.testing.builders import NOW, ids, make_address, make_invoice, make_order, make_product, make_user, usd

LATER = NOW + timedelta(minutes=5)
STAFF = make_user(ids(900))

MOVES: dict[Status, Callable[[Order], Order]] = {
    Status.CONFIRMED: lambda order: order.confirm(by=STAFF, at=LATER),
    Status.PROCESSING: lambda order: order.process(by=STAFF, at=LATER),
    Status.SHIPPED: lambda order: order.ship(by=STAFF, at=LATER),
    Status.DELIVERED: lambda order: order.deliver(by=STAFF, at=LATER),
    Status.CANCELLED: lambda order: order.cancel(by=STAFF, at=LATER),
}

ALLOWED = {
    ("pending", "confirmed"),
    ("confirmed", "processing"),
    ("processing", "shipped"),
    ("shipped", "delivered"),
    ("pending", "cancelled"),
    ("confirmed", "cancelled"),
    ("processing", "cancelled"),
}


def order(**changes: Any) -> Order:
    new_id = ids()
    return make_order(new_id, [make_product(new_id, category_ids=["c1"])], **changes)


@pytest.mark.parametrize("start", Status)
@pytest.mark.parametrize("end", MOVES)
def test_an_order_goes_where_the_table_says_and_nowhere_else(start: Status, end: Status) -> None:
    before = order(status=start)
    if (start.value, end.value) in ALLOWED:
        after = MOVES[end](before)
        assert (after.status, after.version) == (end, before.version + 1)
        assert after.history == (*before.history, HistoryEntry(status=end, at=LATER, actor_id=STAFF.id))
    else:
        with pytest.raises(IllegalTransition, match=f"The order is {start}; it can't become {end}"):
            MOVES[end](before)
    assert before == order(status=start)


def test_the_printed_table_is_the_specified_one() -> None:
    assert {(start.value, end.value) for start, ends in NEXT.items() for end in ends} == ALLOWED
    assert set(NEXT) == set(Status)
    assert not any(Status.PENDING in ends for ends in NEXT.values())


def test_a_move_is_remembered_with_its_note_and_who_made_it() -> None:
    moved = order().confirm(by=SYSTEM, at=LATER, note=" paid\r\nby card ")
    assert moved.history[-1] == HistoryEntry(status=Status.CONFIRMED, at=LATER, actor_id=None, note="paid\nby card")
    with pytest.raises(Invalid, match="note"):
        order().confirm(by=STAFF, at=LATER, note="x" * 2001)


def test_shipping_may_name_the_carrier() -> None:
    shipped = order(status=Status.PROCESSING).ship(by=STAFF, at=LATER, carrier=" DHL ", tracking_number="42")
    assert (shipped.carrier, shipped.tracking_number) == ("DHL", "42")
    with pytest.raises(Invalid, match="tracking_number"):
        order(status=Status.PROCESSING).ship(by=STAFF, at=LATER, tracking_number="4" * 101)


def test_an_offline_order_is_paid_when_it_is_delivered() -> None:
    delivered = order(status=Status.SHIPPED).deliver(by=STAFF, at=LATER)
    assert (delivered.payment_status, delivered.version) == (PaymentStatus.PAID, 2)


@pytest.mark.parametrize(
    "state",
    [
        {"payment_provider": "demo"},
        {"payment_provider": "demo", "payment_status": PaymentStatus.PAID},
        {"payment_status": PaymentStatus.PAID},
    ],
)
def test_delivery_changes_no_other_payment(state: dict[str, Any]) -> None:
    before = order(status=Status.SHIPPED, **state)
    assert before.deliver(by=STAFF, at=LATER).payment_status is before.payment_status


def test_a_payment_is_recorded_once() -> None:
    paid = order().record_payment()
    assert (paid.payment_status, paid.status, paid.version) == (PaymentStatus.PAID, Status.PENDING, 2)
    with pytest.raises(AlreadyPaid):
        paid.record_payment()


@pytest.mark.parametrize("payment", [PaymentStatus.UNPAID, PaymentStatus.REFUNDED])
def test_a_cancelled_order_takes_no_payment(payment: PaymentStatus) -> None:
    with pytest.raises(IllegalTransition, match=r"^A cancelled order can't be paid\.$"):
        order(status=Status.CANCELLED, payment_status=payment).record_payment()


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.CANCELLED])
def test_every_other_order_does(status: Status) -> None:
    assert order(status=status).record_payment().payment_status is PaymentStatus.PAID


def test_a_cancelled_order_owes_what_was_paid() -> None:
    paid = order().record_payment()
    assert paid.owed.minor == 0
    cancelled = paid.cancel(by=STAFF, at=LATER)
    assert (cancelled.payment_status, cancelled.owed) == (PaymentStatus.PAID, paid.total)
    assert cancelled.refund(paid.total).owed.minor == 0
    unpaid = order().cancel(by=STAFF, at=LATER)
    assert (unpaid.payment_status, unpaid.owed.minor) == (PaymentStatus.UNPAID, 0)


def test_an_order_is_cancelled_once() -> None:
    cancelled = order().cancel(by=STAFF, at=LATER)
    with pytest.raises(IllegalTransition):
        cancelled.cancel(by=STAFF, at=LATER)


def test_a_pending_order_may_get_another_address_and_note() -> None:
    elsewhere = make_address(city="Ankara")
    amended = order().amend(delivery_address=elsewhere, note=" ring twice ")
    assert (amended.delivery_address, amended.note, amended.version) == (elsewhere, "ring twice", 2)
    for status in set(Status) - {Status.PENDING}:
        with pytest.raises(IllegalTransition, match=f"this one is {status}"):
            order(status=status).amend(note="too late")


def test_what_was_bought_is_never_amended() -> None:
    with pytest.raises(TypeError, match="an order's total, tax can't be amended"):
        order().amend(total=usd(0), tax=usd(0))


def test_an_order_of_another_version_is_not_touched() -> None:
    order().expect(1)
    order().expect(None)
    with pytest.raises(PreconditionFailed):
        order().expect(2)


def test_an_order_belongs_to_its_customer() -> None:
    new_id = ids()
    ada, eve = make_user(new_id), make_user(new_id)
    mine = order(customer=ada)
    assert mine.belongs_to(ada)
    assert not any(mine.belongs_to(other) for other in (eve, GUEST, SYSTEM))
    assert mine.belongs_to(Guest(order_id=mine.id))


def test_a_guest_s_order_belongs_to_whoever_holds_its_token() -> None:
    guests = order()
    assert guests.customer_id is None
    assert guests.belongs_to(Guest(order_id=guests.id))
    others = (GUEST, SYSTEM, Guest(order_id="another"), Guest(cart_id=guests.id), make_user(ids()))
    assert not any(guests.belongs_to(other) for other in others)


def test_an_order_knows_its_quantities_and_currency() -> None:
    new_id = ids()
    hat, cap = (make_product(new_id, category_ids=["c1"]) for _ in range(2))
    bought = make_order(new_id, [hat, cap], quantities={cap.id: 3})
    assert (bought.quantities, bought.currency) == ({hat.id: 1, cap.id: 3}, "USD")


def test_an_order_s_people_are_not_in_its_repr() -> None:
    shown = repr(order(customer_name="Ada Lovelace", email="ada@example.com", note="ring twice"))
    assert not any(secret in shown for secret in ("Ada", "ring", "Bağdat"))


def _priced(*, included: bool, taxed_shipping: bool = True) -> Order:
    """An order of 12.00 at 20 %, 7.77 at 20 %, 5.25 at 5 % and shipping for 10.00."""
    new_id = ids()
    goods = [
        make_product(new_id, category_ids=["c1"], price=usd(minor), cost=usd(0), tax_class=tax_class)
        for minor, tax_class in ((12_00, "standard"), (7_77, "standard"), (5_25, "books"))
    ]
    quote = price(
        [each.basket(1, NOW) for each in goods],
        currency="USD",
        shipping=ShippingPolicy(fee=usd(10_00), tax_class="standard" if taxed_shipping else None),
        tax=TaxPolicy(
            default_rate=Decimal(20), rates=(TaxRate(rate=Decimal(5), tax_class="books"),), included=included
        ),
    )
    lines = tuple(
        OrderLine(
            id=new_id(),
            product_id=each.id,
            sku=each.sku,
            name=each.name,
            quantity=line.quantity,
            unit_price=line.unit_price,
            product_discount=line.product_discount,
            order_discount=line.order_discount,
            tax_class=line.tax_class,
            tax_rate=line.tax_rate,
            tax=line.tax,
            total=line.total,
            cost=each.cost,
        )
        for each, line in zip(goods, quote.lines, strict=True)
    )
    amounts = ("subtotal", "discount", "shipping", "shipping_tax", "shipping_tax_rate", "tax", "total", "tax_included")
    return make_order(new_id, goods, lines=lines, **{name: getattr(quote, name) for name in amounts})


def _rows(order: Order) -> list[tuple[int, int, int]]:
    return [(int(rate), net.minor, tax.minor) for rate, net, tax in order.tax_by_rate]


def test_added_tax_is_listed_by_rate() -> None:
    # 5 % of 5.25 is 0.2625; 20 % of 29.77 is 5.954.
    assert _rows(_priced(included=False)) == [(5, 5_25, 26), (20, 29_77, 5_95)]


def test_included_tax_is_listed_by_rate_on_the_net() -> None:
    # 5.25 * 5 / 105 = 0.25; 29.77 * 20 / 120 = 4.9617.
    assert _rows(_priced(included=True)) == [(5, 5_00, 25), (20, 24_81, 4_96)]


def test_untaxed_shipping_is_listed_at_no_tax() -> None:
    assert _rows(_priced(included=False, taxed_shipping=False)) == [(0, 10_00, 0), (5, 5_25, 26), (20, 19_77, 3_95)]


@pytest.mark.parametrize("included", [False, True])
@pytest.mark.parametrize("taxed_shipping", [False, True])
def test_the_taxes_and_nets_by_rate_make_the_total(included: bool, taxed_shipping: bool) -> None:
    bought = _priced(included=included, taxed_shipping=taxed_shipping)
    assert total((tax for _, _, tax in bought.tax_by_rate), "USD") == bought.tax
    assert total((net + tax for _, net, tax in bought.tax_by_rate), "USD") == bought.total


def test_the_goods_of_a_line_are_what_remains_after_discounts() -> None:
    line = _priced(included=False).lines[0]
    assert (line.goods, line.discount) == (usd(12_00), usd(0))


def test_both_discounts_are_taken_off_a_line() -> None:
    line = replace(_priced(included=False).lines[0], quantity=2, product_discount=usd(3_00), order_discount=usd(1_00))
    assert (line.discount, line.goods) == (usd(4_00), usd(20_00))


def test_a_number_has_no_look_alikes() -> None:
    assert len(NUMBER_ALPHABET) == len(set(NUMBER_ALPHABET)) == 30
    assert not set("01OILU") & set(NUMBER_ALPHABET)
    assert not any(letter.islower() for letter in NUMBER_ALPHABET)


@pytest.mark.parametrize(
    ("random", "number"),
    [
        (bytes(16), "S-2222-2222"),
        ((1).to_bytes(16, "big"), "S-3222-2222"),
        ((29).to_bytes(16, "big"), "S-Z222-2222"),
        ((30).to_bytes(16, "big"), "S-2322-2222"),
        ((30**8 - 1).to_bytes(16, "big"), "S-ZZZZ-ZZZZ"),
        ((30**8).to_bytes(16, "big"), "S-2222-2222"),
    ],
)
def test_a_number_is_made_of_random_bytes_alone(random: bytes, number: str) -> None:
    assert order_number(random) == number


def test_a_delivery_is_done_when_the_order_is_delivered() -> None:
    def delivery(status: Status) -> Delivery:
        return Delivery(
            line_id="1",
            order_id="2",
            order_number="S-2222-2222",
            customer_id=None,
            customer_name="Ada",
            product_id="3",
            product_name="Hat",
            quantity=1,
            total=Money(1, "USD"),
            delivery_address=make_address(),
            status=status,
        )

    assert [status for status in Status if delivery(status).done] == [Status.DELIVERED]


def test_an_invoice_s_number_is_padded() -> None:
    new_id = ids()
    bought = order()
    assert make_invoice(new_id, bought, 42).number == "INV-000042"
    assert make_invoice(new_id, bought, 1_234_567).number == "INV-1234567"


def _refused(change: Callable[[], object]) -> str:
    """The only field that is refused."""
    with pytest.raises(Invalid) as refused:
        change()
    ((field, _),) = refused.value.errors
    return field


def test_texts_of_an_order_are_bounded() -> None:
    shipping = order(status=Status.PROCESSING)
    longest = order(note="x\n" + "x" * 1998).amend(note="y\n" + "x" * 1998)
    assert longest.note is not None
    assert len(longest.note) == 2000
    assert order().confirm(by=STAFF, at=LATER, note="x" * 2000).history[-1].note == "x" * 2000
    shipped = shipping.ship(by=STAFF, at=LATER, note="Fragile", carrier="x" * 100, tracking_number="4" * 100)
    assert (shipped.carrier, shipped.tracking_number) == ("x" * 100, "4" * 100)
    assert shipped.history[-1].note == "Fragile"
    assert _refused(lambda: order(note="x" * 2001)) == "note"
    assert _refused(lambda: order().confirm(by=STAFF, at=LATER, note="x" * 2001)) == "note"
    assert _refused(lambda: shipping.ship(by=STAFF, at=LATER, carrier="x" * 101)) == "carrier"
    assert _refused(lambda: shipping.ship(by=STAFF, at=LATER, tracking_number="4" * 101)) == "tracking_number"


def test_each_move_may_have_a_note() -> None:
    moved = order().confirm(by=STAFF, at=LATER, note="1").process(by=STAFF, at=LATER, note="2")
    moved = moved.ship(by=STAFF, at=LATER, note="3").deliver(by=STAFF, at=LATER, note="4")
    assert [entry.note for entry in moved.history[1:]] == ["1", "2", "3", "4"]
    assert moved.delivered_at == LATER
    assert order().delivered_at is None
    assert order().cancel(by=STAFF, at=LATER, note="5").history[-1].note == "5"


def test_a_payment_with_a_provider_begins_waits_fails_and_arrives() -> None:
    waiting = order().await_payment("demo", pay_by=LATER)
    assert (waiting.payment_provider, waiting.payment_status) == ("demo", PaymentStatus.PENDING)
    assert (waiting.pay_by, waiting.version) == (LATER, 2)
    with pytest.raises(IllegalTransition, match=r"^The order waits for its payment, which confirms it\.$"):
        waiting.confirm(by=STAFF, at=LATER)
    with pytest.raises(IllegalTransition, match=r"^A payment of this order is under way\.$"):
        waiting.record_payment()
    longer = waiting.wait_for_payment(pay_by=LATER + timedelta(minutes=1))
    assert (longer.pay_by, longer.payment_status, longer.version) == (
        LATER + timedelta(minutes=1),
        PaymentStatus.PENDING,
        3,
    )
    failed = longer.fail_payment()
    assert (failed.payment_status, failed.pay_by, failed.version) == (PaymentStatus.FAILED, longer.pay_by, 4)
    in_hand = failed.record_payment()
    assert (in_hand.payment_provider, in_hand.payment_status) == ("offline", PaymentStatus.PAID)
    assert (in_hand.pay_by, in_hand.version) == (None, 5)
    assert in_hand.confirm(by=STAFF, at=LATER).status is Status.CONFIRMED
    captured = longer.capture(by=SYSTEM, at=LATER)
    assert (captured.payment_status, captured.pay_by, captured.version) == (PaymentStatus.PAID, None, 4)
    assert captured.history[-1] == HistoryEntry(status=Status.CONFIRMED, at=LATER, actor_id=None)
    with pytest.raises(AlreadyPaid):
        captured.await_payment("demo", pay_by=LATER)
    with pytest.raises(IllegalTransition, match="paid online while it is pending; this one is confirmed"):
        order(status=Status.CONFIRMED).await_payment("demo", pay_by=None)


def test_money_that_comes_for_a_cancelled_order_is_owed_and_moves_nothing() -> None:
    cancelled = order().await_payment("demo", pay_by=LATER).cancel(by=STAFF, at=LATER)
    assert cancelled.pay_by is None
    late = cancelled.capture(by=SYSTEM, at=LATER)
    assert (late.status, late.payment_status, late.version) == (Status.CANCELLED, PaymentStatus.PAID, 4)
    assert (late.owed, late.history) == (late.total, cancelled.history)


def test_an_order_is_open_until_it_is_delivered_or_cancelled_and_counts_unless_it_came_to_nothing() -> None:
    assert {status for status in Status if not order(status=status).is_open} == {Status.DELIVERED, Status.CANCELLED}
    assert {status for status in Status if not order(status=status).counts} == {Status.CANCELLED}
    assert not order(payment_status=PaymentStatus.REFUNDED).counts
    assert order(payment_status=PaymentStatus.PARTLY_REFUNDED).counts


def test_an_erased_order_keeps_what_was_sold_and_where_it_was_taxed() -> None:
    noted = order(note="Ring twice").confirm(by=STAFF, at=LATER, note="Called her").process(by=STAFF, at=LATER)
    before = noted.ship(by=STAFF, at=LATER, carrier="DHL", tracking_number="42")
    after = before.erased()
    assert (after.customer_name, after.email, after.note) == ("Erased", "nobody@erased.invalid", None)
    assert (after.carrier, after.tracking_number) == (None, None)
    assert {entry.note for entry in after.history} == {None}
    assert [entry.status for entry in after.history] == [entry.status for entry in before.history]
    assert after.delivery_address == before.delivery_address.erased()
    assert (after.lines, after.total, after.version) == (before.lines, before.total, before.version + 1)


def test_times_of_moves_are_kept_as_given() -> None:
    at = datetime.fromisoformat("2026-01-15T14:00:00+02:00")
    assert order().confirm(by=STAFF, at=at).history[-1].at == NOW
