"""Asking for refunds, deciding them, receiving goods, giving money back, and the credit notes that tell of it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from storecore.accounts.model import GUEST, SYSTEM, Guest, User
from storecore.accounts.permissions import Role
from storecore.catalog.model import StockReason
from storecore.errors import (
    AlreadyDecided,
    Forbidden,
    IllegalTransition,
    Invalid,
    NotAuthenticated,
    NotCredited,
    NotFound,
    NotPaid,
    NotReturnable,
    PayoutRefused,
    PreconditionFailed,
    ProviderDown,
)
from storecore.lists import PageRequest
from storecore.money import Money, total
from storecore.notices import Template
from storecore.orders.cancelling import give_back
from storecore.orders.model import Order, PaymentStatus, Status
from storecore.orders.payment import Outcome, Payment, PaymentState
from storecore.orders.refund import Disposition, Refund, RefundCause, RefundStatus
from storecore.ports import AuditQuery, RefundQuery
from storecore.store import Store
from storecore.testing.contracts.proving import Together
from storecore.transactions import Once, Replayed
from tests.usecases.floor import HOME, PASSWORD, Floor, on_hand, person, product
from tests.usecases.purse import Purse, pay_online, with_purse

WAY = (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED)
RESTOCK, SCRAP = Disposition.RESTOCK, Disposition.SCRAP


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def delivered(
    store: Store, buyer: User | None = None, *, units: int = 3, price: int = 1999, online: bool = False
) -> Order:
    """An order of so many units of one thing at the customer's; a guest's without a buyer."""
    thing = product(store, price=price, stock=units + 5)
    if buyer:
        order = store.orders.place(by=buyer, items=[(thing.id, units)], deliver_to=HOME)
    else:
        order = store.orders.place(by=GUEST, items=[(thing.id, units)], deliver_to=HOME, email="guest@example.com")
    if online:
        order = pay_online(store, order)
    for status in WAY[1:] if online else WAY:
        order = store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    return order


def asked(store: Store, order: Order, by: User | Guest, units: int = 1) -> Refund:
    """A refund of so many units of the first line."""
    return store.refunds.request(by=by, order_id=order.id, items=[(order.lines[0].id, units)], reason="Too small")


def attachments(store: Floor, refund: Refund) -> list[str]:
    """The names of all files mailed about a refund so far."""
    store.mail()
    return [
        file.name
        for notice, files in store.mailer.sent
        if notice.event.startswith(f"refund:{refund.id}:")
        for file in files
    ]


def read(store: Store, order: Order) -> Order:
    return store.orders.get(by=SYSTEM, order_id=order.id)


def test_parts_of_a_line_add_up_to_what_was_paid_whatever_is_rounded(store: Floor) -> None:
    buyer, sales = person(store), person(store, Role.SALES_MANAGER)
    order = delivered(store, buyer, units=3, price=333)  # 9.99 + 0.80 tax: 10.79 for three
    amounts = []
    for _ in range(3):
        refund = asked(store, order, buyer)
        refund = store.refunds.approve(by=sales, refund_id=refund.id, expect_return=False)
        amounts.append((refund.amount, refund.tax))
    assert amounts == [(usd(360), usd(27)), (usd(359), usd(26)), (usd(360), usd(27))]
    with store.storage.reading(store.time.at, str) as unit:
        assert [(note.total, note.tax) for note in unit.credit_notes.of_order(order.id)] == amounts
    assert read(store, order).refunded == order.lines[0].total
    assert read(store, order).payment_status is PaymentStatus.PARTLY_REFUNDED
    with pytest.raises(NotReturnable):
        asked(store, order, buyer)


def test_shipping_is_given_back_when_the_decision_says_so_and_once(store: Floor) -> None:
    buyer, sales = person(store), person(store, Role.SALES_MANAGER)
    order = delivered(store, buyer, units=2)
    first, second = asked(store, order, buyer), asked(store, order, buyer)
    first = store.refunds.approve(by=sales, refund_id=first.id, include_shipping=True, expect_return=False)
    assert first.shipping == order.shipping == usd(1000)
    with pytest.raises(NotReturnable, match=r"^The shipping of this order was given back before\.$"):
        store.refunds.approve(by=sales, refund_id=second.id, include_shipping=True, expect_return=False)
    store.refunds.approve(by=sales, refund_id=second.id, expect_return=False)
    whole = read(store, order)
    assert (whole.refunded, whole.payment_status) == (order.total, PaymentStatus.REFUNDED)


def test_goods_that_must_come_back_are_paid_for_when_they_are_here(store: Floor) -> None:
    buyer, sales, keeper = person(store), person(store, Role.SALES_MANAGER), person(store, Role.PRODUCT_MANAGER)
    order = delivered(store, buyer, units=3)
    thing = store.catalog.product(product=order.lines[0].product_id, by=SYSTEM).product
    left = on_hand(store, thing)
    refund = asked(store, order, buyer, 2)
    approved = store.refunds.approve(by=sales, refund_id=refund.id, note="Send it in")
    assert (approved.status, approved.decided_by, approved.decision_note) == ("approved", sales.id, "Send it in")
    assert read(store, order).refunded == usd(0)
    with pytest.raises(NotCredited):
        store.refunds.credit_note(by=buyer, refund_id=refund.id)
    store.catalog.archive_product(by=SYSTEM, product_id=thing.id)
    store.time.forward(days=3)
    paid = store.refunds.receive(by=keeper, refund_id=refund.id, disposition=RESTOCK)
    assert (paid.status, paid.disposition, paid.refunded_at) == ("refunded", RESTOCK, store.time.at)
    assert on_hand(store, thing) == left + 2
    (move, *_) = store.catalog.ledger(by=SYSTEM, product_id=thing.id).items
    assert (move.reason, move.change, move.order_id, move.actor_id) == (StockReason.RETURN, 2, order.id, keeper.id)
    assert store.catalog.product(product=thing.id, by=SYSTEM).product.units_sold == 3
    with pytest.raises(AlreadyDecided):
        store.refunds.receive(by=keeper, refund_id=refund.id, disposition=RESTOCK)
    assert store.refunds.get(by=buyer, refund_id=refund.id) == paid
    assert attachments(store, refund) == ["CN-000001.txt"]


def test_what_is_scrapped_moves_no_stock(store: Floor) -> None:
    buyer = person(store)
    order = delivered(store, buyer)
    thing = store.catalog.product(product=order.lines[0].product_id).product
    refund = asked(store, order, buyer)
    store.refunds.approve(by=SYSTEM, refund_id=refund.id)
    store.refunds.receive(by=SYSTEM, refund_id=refund.id, disposition=SCRAP)
    assert on_hand(store, thing) == thing.stock


def test_open_refunds_keep_their_units_until_they_are_rejected_or_withdrawn(store: Floor) -> None:
    buyer = person(store)
    order = delivered(store, buyer, units=3)
    first, second = asked(store, order, buyer, 2), asked(store, order, buyer, 1)
    with pytest.raises(NotReturnable, match="0 of 3") as short:
        asked(store, order, buyer)
    assert short.value.extra["lines"] == [{"line_id": order.lines[0].id, "requested": 1, "left": 0}]
    withdrawn = store.refunds.withdraw(by=buyer, refund_id=first.id)
    assert withdrawn.status is RefundStatus.WITHDRAWN
    store.refunds.reject(by=SYSTEM, refund_id=second.id, note="Worn")
    assert asked(store, order, buyer, 3).amount == order.lines[0].total
    for decide in (store.refunds.approve, store.refunds.reject):
        with pytest.raises(AlreadyDecided):
            decide(by=SYSTEM, refund_id=first.id)
    with pytest.raises(AlreadyDecided):
        store.refunds.withdraw(by=buyer, refund_id=second.id)


def test_a_line_named_twice_counts_together(store: Floor) -> None:
    buyer = person(store)
    order = delivered(store, buyer, units=3)
    line = order.lines[0].id
    ask = partial(store.refunds.request, by=buyer, order_id=order.id, reason="Both")
    with pytest.raises(NotReturnable):
        ask(items=[(line, 2), (line, 2)])
    assert ask(items=[(line, 2), (line, 1)]).quantities == {line: 3}


def test_what_is_asked_for_must_make_sense(store: Floor) -> None:
    buyer = person(store)
    order = delivered(store, buyer)
    line = order.lines[0].id
    for items, reason, field in (
        ([], "x", "items"),
        ([(line, 0)], "x", "items.0.quantity"),
        ([(line, 1), ("nothing", 1)], "x", "items.1.line_id"),
        ([(line, 1)], " ", "reason"),
        ([(line, 1)], "x" * 2001, "reason"),
    ):
        with pytest.raises(Invalid) as refused:
            store.refunds.request(by=buyer, order_id=order.id, items=items, reason=reason)
        assert refused.value.errors[0][0] == field


def test_only_a_delivered_order_is_returned_and_not_for_ever(store: Floor) -> None:
    buyer, thing = person(store), product(store)
    order = store.orders.place(by=buyer, items=[(thing.id, 1)], deliver_to=HOME)
    for status in (None, *WAY[:-1]):
        if status:
            store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
        with pytest.raises(NotReturnable, match=str(status or "pending")):
            asked(store, order, buyer)
    store.time.forward(days=3)
    store.orders.advance(by=SYSTEM, order_id=order.id, to=Status.DELIVERED)
    store.time.forward(days=30)
    store.refunds.withdraw(by=buyer, refund_id=asked(store, order, buyer).id)
    store.time.forward(seconds=1)
    with pytest.raises(NotReturnable, match="30 days"):
        asked(store, order, buyer)


def test_who_has_left_asks_for_nothing_back(store: Floor) -> None:
    buyer = person(store)
    order = delivered(store, buyer)
    store.accounts.erase(by=buyer, password=PASSWORD)
    with pytest.raises(Forbidden):
        asked(store, order, buyer)


def test_what_nobody_paid_for_is_not_given_back(store: Floor) -> None:
    buyer = person(store)
    order = delivered(store, buyer)
    with store.storage.writing(store.time.at, store.ports["new_id"]) as unit:
        unpaid = replace(unit.orders.locked(order.id), payment_status=PaymentStatus.UNPAID, version=order.version + 1)
        unit.orders.save(unpaid)
        unit.commit()
    with pytest.raises(NotPaid):
        asked(store, order, buyer)


def test_nobody_decides_a_refund_of_their_own_order(store: Floor) -> None:
    for role in (Role.ADMIN, Role.SALES_MANAGER):
        buyer = person(store, role)
        refund = asked(store, delivered(store, buyer), buyer)
        for decide in (store.refunds.approve, store.refunds.reject):
            with pytest.raises(Forbidden, match="own order"):
                decide(by=buyer, refund_id=refund.id)
        assert store.refunds.get(by=buyer, refund_id=refund.id) == refund


def test_deciding_and_receiving_need_their_permissions(store: Floor) -> None:
    buyer, keeper, sales = person(store), person(store, Role.PRODUCT_MANAGER), person(store, Role.SALES_MANAGER)
    refund = asked(store, delivered(store, buyer), buyer)
    for who in (person(store), keeper, person(store, Role.SUPPORT_AGENT), person(store, Role.VENDOR)):
        with pytest.raises(Forbidden):
            store.refunds.approve(by=who, refund_id=refund.id)
        with pytest.raises(Forbidden):
            store.refunds.reject(by=who, refund_id=refund.id)
    with pytest.raises(IllegalTransition):
        store.refunds.receive(by=keeper, refund_id=refund.id, disposition=SCRAP)
    store.refunds.approve(by=sales, refund_id=refund.id)
    for who in (buyer, sales):
        with pytest.raises(Forbidden):
            store.refunds.receive(by=who, refund_id=refund.id, disposition=SCRAP)


def test_a_refund_is_seen_by_its_owner_and_by_staff(store: Floor) -> None:
    buyer, other, agent = person(store), person(store), person(store, Role.SUPPORT_AGENT)
    mine, theirs = (asked(store, delivered(store, who), who) for who in (buyer, other))
    order = delivered(store)
    holder = Guest(order_id=order.id)
    guests = asked(store, order, holder)
    assert [each.id for each in store.refunds.find(by=buyer).items] == [mine.id]
    assert [each.id for each in store.refunds.find(by=holder).items] == [guests.id]
    assert store.refunds.find(by=holder, query=RefundQuery(customer_id=buyer.id)) == store.refunds.find(by=holder)
    assert {each.id for each in store.refunds.find(by=agent).items} == {mine.id, theirs.id, guests.id}
    query = RefundQuery(status=RefundStatus.REQUESTED, order_id=order.id)
    assert [each.id for each in store.refunds.find(by=agent, query=query).items] == [guests.id]
    assert not store.refunds.find(by=buyer, query=RefundQuery(customer_id=other.id, order_id=theirs.order_id)).items
    for stranger in (other, GUEST, holder):
        with pytest.raises(NotFound, match=r"^There is no such refund\.$"):
            store.refunds.get(by=stranger, refund_id=mine.id)
        with pytest.raises(NotFound, match=r"^There is no such refund\.$"):
            store.refunds.withdraw(by=stranger, refund_id=mine.id)
        with pytest.raises(NotFound):
            store.refunds.credit_note(by=stranger, refund_id=mine.id)
        with pytest.raises(NotFound, match=r"^There is no such order\.$"):
            store.refunds.request(by=stranger, order_id=mine.order_id, items=[("x", 1)], reason="x")
    with pytest.raises(NotAuthenticated):
        store.refunds.find(by=GUEST)
    with pytest.raises(NotFound):
        store.refunds.approve(by=SYSTEM, refund_id="nothing")
    assert store.refunds.withdraw(by=holder, refund_id=guests.id).status is RefundStatus.WITHDRAWN


def test_estimates_are_worked_out_again_when_approved(store: Floor) -> None:
    buyer = person(store)
    order = delivered(store, buyer, units=3, price=333)
    first, second = asked(store, order, buyer), asked(store, order, buyer, 2)
    assert (first.amount, second.amount) == (usd(360), usd(719))
    assert store.refunds.approve(by=SYSTEM, refund_id=second.id).amount == usd(719)
    assert store.refunds.approve(by=SYSTEM, refund_id=first.id).amount == usd(360)
    assert store.refunds.get(by=buyer, refund_id=first.id).items[0].tax == usd(27)


def test_a_stale_version_decides_nothing(store: Floor) -> None:
    buyer = person(store)
    refund = asked(store, delivered(store, buyer), buyer)
    with pytest.raises(PreconditionFailed):
        store.refunds.approve(by=SYSTEM, refund_id=refund.id, if_version=refund.version + 1)
    with pytest.raises(PreconditionFailed):
        store.refunds.reject(by=SYSTEM, refund_id=refund.id, if_version=refund.version + 1)
    with pytest.raises(PreconditionFailed):
        store.refunds.withdraw(by=buyer, refund_id=refund.id, if_version=refund.version + 1)
    assert store.refunds.get(by=buyer, refund_id=refund.id) == refund
    assert store.refunds.approve(by=SYSTEM, refund_id=refund.id, if_version=refund.version).version == 2
    with pytest.raises(PreconditionFailed):
        store.refunds.receive(by=SYSTEM, refund_id=refund.id, disposition=SCRAP, if_version=refund.version)
    assert store.refunds.receive(by=SYSTEM, refund_id=refund.id, disposition=SCRAP, if_version=2).version > 2


def test_what_became_of_a_refund_is_kept_as_it_was_answered(store: Floor) -> None:
    buyer, sales = person(store), person(store, Role.SALES_MANAGER)
    order = delivered(store, buyer, units=3)
    approved, rejected, withdrawn = (asked(store, order, buyer) for _ in range(3))
    decided_at = store.time.forward(days=1)
    answers = [
        store.refunds.approve(by=sales, refund_id=approved.id, note="Send it in"),
        store.refunds.reject(by=sales, refund_id=rejected.id, note="Worn"),
        store.refunds.withdraw(by=buyer, refund_id=withdrawn.id),
    ]
    assert [(each.status, each.decided_at, each.decided_by, each.decision_note) for each in answers] == [
        (RefundStatus.APPROVED, decided_at, sales.id, "Send it in"),
        (RefundStatus.REJECTED, decided_at, sales.id, "Worn"),
        (RefundStatus.WITHDRAWN, decided_at, None, None),
    ]
    assert [store.refunds.get(by=buyer, refund_id=each.id) for each in answers] == answers
    for action, decided in (("refund.approve", answers[0]), ("refund.reject", answers[1])):
        (entry,) = store.audit.page(by=SYSTEM, query=AuditQuery(action=action)).items
        assert (entry.object_id, entry.before["status"], entry.after["status"]) == (
            decided.id,
            "requested",
            decided.status,
        )


def test_guests_are_mailed_a_link_to_their_order_with_every_decision(store: Floor) -> None:
    order = delivered(store)
    holder = Guest(order_id=order.id)
    refunds = [asked(store, order, holder) for _ in range(3)]
    store.refunds.approve(by=SYSTEM, refund_id=refunds[0].id)
    store.refunds.reject(by=SYSTEM, refund_id=refunds[1].id)
    store.refunds.approve(by=SYSTEM, refund_id=refunds[2].id, expect_return=False)
    told = [notice for notice in store.mail() if notice.template is Template.REFUND_STATUS]
    assert len(told) == 3
    for notice in told:
        token = str(notice.data["link"]).partition("token=")[2]
        assert store.orders.holder(token=token).order_id == order.id


def test_a_credit_note_is_for_its_owner_and_for_those_who_read_invoices(store: Floor) -> None:
    buyer, agent = person(store), person(store, Role.SUPPORT_AGENT)
    order = delivered(store, buyer)
    refund = asked(store, order, buyer)
    store.mail()
    with pytest.raises(NotCredited):
        store.refunds.credit_note(by=buyer, refund_id=refund.id)
    store.refunds.approve(by=SYSTEM, refund_id=refund.id, expect_return=False)
    paper = store.refunds.credit_note(by=buyer, refund_id=refund.id)
    assert (paper.name, b"Shipping" in paper.content) == ("CN-000001.txt", False)
    assert store.refunds.credit_note(by=person(store, Role.SALES_MANAGER), refund_id=refund.id) == paper
    with pytest.raises(NotFound, match=r"^There is no such refund\.$"):
        store.refunds.credit_note(by=agent, refund_id=refund.id)


def test_one_key_asks_once(store: Floor) -> None:
    buyer = person(store)
    order = delivered(store, buyer)
    once = Once("scope", "key", b"fingerprint", lambda refund: refund.id.encode())
    items = [(order.lines[0].id, 1)]
    refund = store.refunds.request(by=buyer, order_id=order.id, items=items, reason="x", once=once)
    with pytest.raises(Replayed) as replayed:
        store.refunds.request(by=buyer, order_id=order.id, items=items, reason="x", once=once)
    assert replayed.value.answer == refund.id.encode()
    assert len(store.refunds.find(by=buyer).items) == 1


def test_every_decision_is_mailed(store: Floor) -> None:
    buyer = person(store)
    order = delivered(store, buyer, units=3)
    approved, rejected, paid = (asked(store, order, buyer) for _ in range(3))
    store.refunds.approve(by=SYSTEM, refund_id=approved.id)
    store.refunds.reject(by=SYSTEM, refund_id=rejected.id, note="Worn")
    store.refunds.approve(by=SYSTEM, refund_id=paid.id, expect_return=False)
    told = {n.event.split(":")[1]: n for n in store.mail() if n.template is Template.REFUND_STATUS}
    assert {id_: notice.data["status"] for id_, notice in told.items()} == {
        approved.id: "approved",
        rejected.id: "rejected",
        paid.id: "refunded",
    }
    assert told[rejected.id].data["note"] == "Worn"
    assert {notice.recipient for notice in told.values()} == {buyer.email}
    assert [told[each.id].credit_note_id is None for each in (approved, rejected, paid)] == [True, True, False]


@pytest.mark.parametrize("comes_back", [False, True])
def test_money_that_is_owed_through_a_provider_is_told_when_agreed_to_and_when_paid(
    store: Floor, comes_back: bool
) -> None:
    purse, order = Purse(), delivered(store, online=True)
    shop, refund = with_purse(store, purse), asked(store, order, Guest(order_id=order.id))
    store.refunds.approve(by=SYSTEM, refund_id=refund.id, expect_return=comes_back)
    if comes_back:
        store.refunds.receive(by=SYSTEM, refund_id=refund.id, disposition=SCRAP)
    shop.refunds.pay_out()
    told = [notice for notice in store.mail() if notice.template is Template.REFUND_STATUS]
    assert [(notice.data["status"], notice.data["note"]) for notice in told] == [("approved", ""), ("refunded", "")]
    for notice in told:
        assert store.orders.holder(str(notice.data["link"]).partition("token=")[2]).order_id == order.id


def test_goods_that_come_back_to_an_empty_shelf_are_told_to_those_who_wish_them(store: Floor) -> None:
    buyer, fan = person(store), person(store)
    order = delivered(store, buyer)
    thing = store.catalog.product(product=order.lines[0].product_id).product
    store.catalog.adjust_stock(by=SYSTEM, product_id=thing.id, change=-thing.stock, reason="lost")
    store.wishlist.add(by=fan, product_id=thing.id)
    store.time.forward(minutes=1)
    refund = asked(store, order, buyer)
    store.refunds.approve(by=SYSTEM, refund_id=refund.id)
    store.refunds.receive(by=SYSTEM, refund_id=refund.id, disposition=RESTOCK)
    assert Template.WISHLIST_RESTOCK in {notice.template for notice in store.mail() if notice.recipient == fan.email}


# Money that goes back through a provider.


def test_a_provider_gives_back_what_came_through_it(store: Floor) -> None:
    purse = Purse()
    shop, buyer = with_purse(store, purse), person(store)
    order = delivered(store, buyer, online=True)
    refund = asked(store, order, buyer, 2)
    refund = store.refunds.approve(by=SYSTEM, refund_id=refund.id, expect_return=False)
    assert (refund.status, read(store, order).refunded, purse.calls) == (RefundStatus.APPROVED, usd(0), 0)
    assert shop.refunds.pay_out() == 1
    assert purse.given_back == {refund.id: refund.amount}
    paid = store.refunds.get(by=buyer, refund_id=refund.id)
    assert (paid.status, paid.payout_at, read(store, order).refunded) == (RefundStatus.REFUNDED, None, refund.amount)
    assert shop.refunds.pay_out() == 0
    assert attachments(store, refund) == ["CN-000001.txt"]


def test_received_goods_are_paid_by_the_worker(store: Floor) -> None:
    purse = Purse()
    shop, buyer = with_purse(store, purse), person(store)
    refund = asked(store, delivered(store, buyer, online=True), buyer)
    store.refunds.approve(by=SYSTEM, refund_id=refund.id)
    assert shop.refunds.pay_out() == 0
    received = store.refunds.receive(by=SYSTEM, refund_id=refund.id, disposition=SCRAP)
    assert received.status is RefundStatus.RECEIVED
    shop.work()
    assert purse.given_back == {refund.id: refund.amount}
    assert store.refunds.get(by=buyer, refund_id=refund.id).status is RefundStatus.REFUNDED


def _owed(store: Floor) -> Refund:
    buyer = person(store)
    refund = asked(store, delivered(store, buyer, online=True), buyer)
    return store.refunds.approve(by=SYSTEM, refund_id=refund.id, expect_return=False)


def test_a_provider_that_is_down_is_asked_again_and_again_ever_more_slowly(store: Floor) -> None:
    purse, refund = Purse(), _owed(store)
    shop = with_purse(store, purse)
    waits = []
    for _ in range(10):
        purse.trouble = [ProviderDown()]
        assert shop.refunds.pay_out() == 1
        put_off = store.refunds.get(by=SYSTEM, refund_id=refund.id)
        assert put_off.payout_at
        assert put_off.payout_problem
        waits.append(put_off.payout_at - store.time.at)
        store.time.at = put_off.payout_at - timedelta(seconds=1)
        assert shop.refunds.pay_out() == 0
        store.time.forward(seconds=1)
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(seconds=30), timedelta(hours=1))
    assert shop.refunds.pay_out() == 1
    paid = store.refunds.get(by=SYSTEM, refund_id=refund.id)
    assert (paid.status, paid.payout_problem) == (RefundStatus.REFUNDED, None)


def test_a_lost_answer_of_the_provider_pays_nothing_twice(store: Floor) -> None:
    purse, refund = Purse(), _owed(store)
    shop = with_purse(store, purse)
    purse.forgetful = [ProviderDown()]
    shop.refunds.pay_out()
    store.time.forward(minutes=1)
    shop.refunds.pay_out()
    assert (purse.calls, purse.given_back) == (2, {refund.id: refund.amount})
    assert store.refunds.get(by=SYSTEM, refund_id=refund.id).status is RefundStatus.REFUNDED


@pytest.mark.parametrize("trouble", [PayoutRefused("No funds."), RuntimeError("broken")])
def test_a_provider_that_refuses_is_noted_for_staff_and_asked_again(
    store: Floor, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    purse, refund = Purse(), _owed(store)
    shop = with_purse(store, purse)
    purse.trouble = [trouble]
    shop.refunds.pay_out()
    noted = store.refunds.get(by=SYSTEM, refund_id=refund.id)
    assert noted.payout_problem in {"No funds.", "RuntimeError"}
    assert noted.status is RefundStatus.APPROVED
    assert noted.payout_at is not None
    assert (noted.payout_at - store.time.at > timedelta(hours=12)) == isinstance(trouble, PayoutRefused)
    broken = [f"refund {refund.id} could not be paid out"]
    assert caplog.messages == ([] if isinstance(trouble, PayoutRefused) else broken)
    store.time.forward(days=1)
    shop.refunds.pay_out()
    assert store.refunds.get(by=SYSTEM, refund_id=refund.id).status is RefundStatus.REFUNDED


def test_a_provider_that_is_not_set_up_any_more_is_noted(store: Floor) -> None:
    refund = _owed(store)
    assert store.refunds.pay_out() == 1
    noted = store.refunds.get(by=SYSTEM, refund_id=refund.id)
    assert noted.payout_problem == "The payment provider purse is not set up."
    assert store.refunds.pay_out() == 0


def test_a_worker_gives_back_five_at_a_time_or_as_many_as_it_is_told(store: Floor) -> None:
    purse = Purse()
    shop = with_purse(store, purse)
    owed = [_owed(store) for _ in range(8)]
    assert [shop.refunds.pay_out(), shop.refunds.pay_out(limit=2), shop.refunds.pay_out()] == [5, 2, 1]
    assert set(purse.given_back) == {refund.id for refund in owed}


def test_a_refund_that_a_worker_took_is_anothers_after_five_minutes(store: Floor) -> None:
    purse, refund = Purse(), _owed(store)
    shop = with_purse(store, purse)
    shop.refunds._lease(limit=1)
    store.time.forward(minutes=5, seconds=-1)
    assert shop.refunds.pay_out() == 0
    store.time.forward(seconds=1)
    assert shop.refunds.pay_out() == 1
    assert set(purse.given_back) == {refund.id}


def test_workers_that_run_at_once_pay_each_refund_once(store: Floor) -> None:
    purse = Purse()
    shop = with_purse(store, purse)
    refunds = [_owed(store) for _ in range(4)]

    def run() -> None:
        while shop.refunds.pay_out(limit=1):
            pass

    Together(*[run] * 3).succeed()
    assert purse.given_back == {refund.id: refund.amount for refund in refunds}
    assert purse.calls == 4
    assert {store.refunds.get(by=SYSTEM, refund_id=each.id).status for each in refunds} == {RefundStatus.REFUNDED}


def test_a_worker_that_lost_its_lease_settles_nothing_twice(store: Floor) -> None:
    purse, refund = Purse(), _owed(store)
    shop = with_purse(store, purse)
    ((slow, payment),) = shop.refunds._lease(limit=1)
    store.time.forward(hours=1)
    assert shop.refunds.pay_out() == 1
    shop.refunds._pay(slow, payment)
    purse.trouble = [ProviderDown()]
    shop.refunds._pay(slow, payment)
    paid = store.refunds.get(by=SYSTEM, refund_id=refund.id)
    assert (paid.status, paid.payout_problem) == (RefundStatus.REFUNDED, None)
    assert read(store, store.orders.get(by=SYSTEM, order_id=refund.order_id)).refunded == refund.amount


# Cancelling.


def test_cancelling_gives_back_what_people_took_and_credits_the_invoice(store: Floor) -> None:
    buyer, thing = person(store), product(store)
    order = store.orders.place(by=buyer, items=[(thing.id, 2)], deliver_to=HOME)
    store.mail()
    store.orders.record_payment(by=SYSTEM, order_id=order.id)
    cancelled = store.orders.cancel(by=buyer, order_id=order.id)
    assert (cancelled.payment_status, cancelled.refunded) == (PaymentStatus.REFUNDED, order.total)
    assert cancelled == read(store, order)
    (refund,) = store.refunds.find(by=buyer).items
    assert (refund.status, refund.cause) == (RefundStatus.REFUNDED, RefundCause.CANCELLATION)
    assert (refund.amount, refund.tax) == (order.total, order.tax)
    assert store.refunds.credit_note(by=buyer, refund_id=refund.id).name == "CN-000001.txt"
    store.mail()
    (_, files), *_ = [each for each in store.mailer.sent if each[0].data.get("status") == "cancelled"]
    assert [file.name for file in files] == ["CN-000001.txt"]
    assert not [n for n, _ in store.mailer.sent if n.template is Template.REFUND_STATUS]


def test_an_unpaid_order_that_was_invoiced_is_credited_as_a_whole(store: Floor) -> None:
    buyer, thing = person(store), product(store)
    order = store.orders.place(by=buyer, items=[(thing.id, 2)], deliver_to=HOME)
    store.mail()
    cancelled = store.orders.cancel(by=buyer, order_id=order.id)
    assert (cancelled.payment_status, cancelled.refunded) == (PaymentStatus.UNPAID, usd(0))
    assert not store.refunds.find(by=buyer).items
    with store.storage.reading(store.time.at, store.ports["new_id"]) as unit:
        (note,) = unit.credit_notes.of_order(order.id)
    assert (note.total, note.tax, note.refund_id) == (order.total, order.tax, None)
    store.mail()
    (text,) = [file.content.decode() for n, files in store.mailer.sent if n.credit_note_id for file in files]
    assert "CN-000001" in text
    assert "INV-000001" in text
    assert f"{order.total}" in text


def test_an_order_that_was_never_invoiced_is_not_credited(store: Floor) -> None:
    buyer, thing = person(store), product(store)
    order = store.orders.place(by=buyer, items=[(thing.id, 2)], deliver_to=HOME)
    store.orders.record_payment(by=SYSTEM, order_id=order.id)
    store.orders.cancel(by=buyer, order_id=order.id)
    (refund,) = store.refunds.find(by=buyer).items
    with pytest.raises(NotCredited):
        store.refunds.credit_note(by=buyer, refund_id=refund.id)
    store.mail()
    assert [files for n, files in store.mailer.sent if n.data.get("status") == "cancelled"] == [()]


def test_a_cancelled_online_order_is_given_back_by_the_worker(store: Floor) -> None:
    purse = Purse()
    shop, buyer, thing = with_purse(store, purse), person(store), product(store)
    order = pay_online(store, store.orders.place(by=buyer, items=[(thing.id, 2)], deliver_to=HOME))
    store.orders.invoice(by=buyer, order_id=order.id)
    cancelled = store.orders.cancel(by=buyer, order_id=order.id)
    assert (cancelled.payment_status, cancelled.owed) == (PaymentStatus.PAID, order.total)
    shop.work()
    (refund,) = store.refunds.find(by=buyer).items
    assert purse.given_back == {refund.id: order.total}
    assert read(store, order).payment_status is PaymentStatus.REFUNDED
    assert not read(store, order).owed
    assert attachments(store, refund) == ["CN-000001.txt"]


def test_money_that_comes_after_the_order_was_credited_goes_back_without_a_second_credit(store: Floor) -> None:
    purse = Purse()
    shop, buyer, thing = with_purse(store, purse), person(store), product(store)
    order = store.orders.place(by=buyer, items=[(thing.id, 2)], deliver_to=HOME)
    store.orders.invoice(by=buyer, order_id=order.id)
    store.orders.cancel(by=buyer, order_id=order.id)
    with store.storage.writing(store.time.at, store.ports["new_id"]) as unit:
        taken = Outcome(state=PaymentState.SUCCEEDED, amount=order.total)
        payment = Payment(
            id=unit.new_id(), order_id=order.id, provider="purse", amount=order.total, created_at=unit.now
        )
        unit.payments.add(payment)
        unit.payments.save(payment.settled(taken, check_at=None))
        late = unit.orders.locked(order.id).capture(by=SYSTEM, at=unit.now)
        unit.orders.save(late)
        give_back(unit, late, cause=RefundCause.LATE_PAYMENT)
        unit.commit()
    shop.work()
    (refund,) = store.refunds.find(by=buyer).items
    assert (refund.status, refund.cause, refund.amount) == ("refunded", RefundCause.LATE_PAYMENT, order.total)
    assert purse.given_back == {refund.id: order.total}
    assert read(store, order).payment_status is PaymentStatus.REFUNDED
    with store.storage.reading(store.time.at, store.ports["new_id"]) as unit:
        (note,) = unit.credit_notes.of_order(order.id)
    assert note.refund_id is None
    (told,) = [notice for notice in store.mail() if notice.template is Template.REFUND_STATUS]
    assert told.credit_note_id == note.id
    assert store.refunds.credit_note(by=buyer, refund_id=refund.id).name == "CN-000001.txt"


# What came of nothing, and races.


def test_what_cost_nothing_is_returned_without_money(store: Floor) -> None:
    purse, buyer = Purse(), person(store)
    shop, free = with_purse(store, purse), product(store, discount_percent=Decimal(100))
    order = store.orders.place(by=buyer, items=[(free.id, 2)], deliver_to=HOME)
    order = pay_online(store, order)
    for status in WAY[1:]:
        store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    refund = asked(store, order, buyer)
    paid = store.refunds.approve(by=SYSTEM, refund_id=refund.id, expect_return=False)
    assert (paid.status, paid.amount, paid.tax) == (RefundStatus.REFUNDED, usd(0), usd(0))
    assert read(store, order).payment_status is PaymentStatus.PAID
    assert (shop.refunds.pay_out(), purse.calls) == (0, 0)


def test_ten_racing_approvals_have_one_effect(store: Floor) -> None:
    buyer = person(store)
    refund = asked(store, delivered(store, buyer), buyer)
    approve = partial(store.refunds.approve, by=SYSTEM, refund_id=refund.id, expect_return=False)
    outcomes = Together(*[approve] * 10).outcomes
    won = [outcome for outcome in outcomes if isinstance(outcome, Refund)]
    assert len(won) == 1
    assert sum(isinstance(outcome, AlreadyDecided) for outcome in outcomes) == 9
    assert read(store, store.orders.get(by=SYSTEM, order_id=refund.order_id)).refunded == refund.amount
    assert attachments(store, refund) == ["CN-000001.txt"]


def test_racing_requests_and_receipts_take_no_unit_twice(store: Floor) -> None:
    buyer = person(store)
    order = delivered(store, buyer, units=3)
    outcomes = Together(*[partial(asked, store, order, buyer)] * 6).outcomes
    refunds = [outcome for outcome in outcomes if isinstance(outcome, Refund)]
    assert (len(refunds), sum(isinstance(outcome, NotReturnable) for outcome in outcomes)) == (3, 3)
    for refund in refunds:
        store.refunds.approve(by=SYSTEM, refund_id=refund.id)
    thing = store.catalog.product(product=order.lines[0].product_id).product
    receive = [
        partial(store.refunds.receive, by=SYSTEM, refund_id=refund.id, disposition=RESTOCK)
        for refund in refunds
        for _ in range(2)
    ]
    outcomes = Together(*receive).outcomes
    paid = [outcome for outcome in outcomes if isinstance(outcome, Refund)]
    assert len(paid) == 3
    assert total((refund.amount for refund in paid), "USD") == order.lines[0].total == read(store, order).refunded
    assert on_hand(store, thing) == thing.stock + 3
    page = store.refunds.find(by=buyer, page=PageRequest(limit=2, total=True))
    assert (len(page.items), page.total) == (2, 3)
