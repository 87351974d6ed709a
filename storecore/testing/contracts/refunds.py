"""Refunds, and credit notes that are numbered without a gap."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from storecore.accounts.model import SYSTEM
from storecore.errors import Contention, NotFound
from storecore.lists import PageRequest
from storecore.money import Money
from storecore.orders.model import Order
from storecore.orders.refund import Disposition, Refund, RefundCause, RefundStatus
from storecore.ports import NewId, RefundQuery, Storage, Unit
from storecore.testing.builders import (
    NOW,
    ids,
    make_credit_note,
    make_invoice,
    make_order,
    make_payment,
    make_refund,
    make_user,
)
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import (
    COUNT_STATEMENTS,
    Contract,
    Together,
    check_pages,
    needs,
    overlap,
    rerun,
    seen,
    until_nothing,
    written,
)

HOUR = timedelta(hours=1)


def ordered(storage: Storage, new_id: NewId, number: int = 1, *, guest: bool = False) -> list[Order]:
    """Orders of two things by a customer (or by guests), written."""
    products = shelve(storage, new_id, {}, {})
    customer = None if guest else make_user(new_id)
    units = {product.id: 3 for product in products}
    orders = [make_order(new_id, products, customer=customer, quantities=units) for _ in range(number)]
    with written(storage) as unit:
        if customer:
            unit.users.add(customer)
        for order in orders:
            unit.orders.add(order)
    return orders


def refund_of(new_id: NewId, order: Order, **changes: Any) -> Refund:
    """A refund of one unit of each line."""
    return make_refund(new_id, order, {line.id: 1 for line in order.lines}, **changes)


def add(storage: Storage, *refunds: Refund) -> None:
    """Write refunds."""
    with written(storage) as unit:
        for refund in refunds:
            unit.refunds.add(refund)


class RefundsContract(Contract):
    """Refunds with their items."""

    def test_every_field_of_a_refund_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = ordered(storage, new_id)
        payment = make_payment(new_id, order)
        later = (NOW + HOUR).astimezone(timezone(timedelta(hours=2)))
        full = refund_of(
            new_id,
            order,
            cause=RefundCause.LATE_PAYMENT,
            status=RefundStatus.RECEIVED,
            shipping=Money(1000, "USD"),
            shipping_tax=Money(74, "USD"),
            reason="Zu klein.\nИ не того цвета.",
            expect_return=False,
            disposition=Disposition.SCRAP,
            decision_note="Gut",
            decided_by=order.customer_id,
            decided_at=later,
            received_at=later + HOUR,
            refunded_at=later + 2 * HOUR,
            payment_id=payment.id,
            payout_at=later + 3 * HOUR,
            payout_problem="No funds.",
            version=7,
        )
        plain = refund_of(new_id, order)
        with written(storage) as unit:
            unit.payments.add(payment)
        add(storage, full, plain)
        with seen(storage) as unit:
            assert unit.refunds.get(full.id) == full
            assert unit.refunds.get(plain.id) == plain
            assert unit.refunds.get(full.id).decided_at.tzinfo is UTC  # type: ignore[union-attr] # it has one

    def test_a_guests_refund_has_no_customer(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = ordered(storage, new_id, guest=True)
        refund = refund_of(new_id, order)
        add(storage, refund)
        with seen(storage) as unit:
            assert unit.refunds.get(refund.id).customer_id is None

    def test_an_unknown_refund_is_not_found(self, storage: Storage) -> None:
        with seen(storage) as unit:
            with pytest.raises(NotFound):
                unit.refunds.get("no such refund")
            assert list(unit.refunds.of_order("no such order")) == []

    def test_items_come_in_the_order_of_their_lines_ids(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = ordered(storage, new_id)
        refund = refund_of(new_id, order)
        add(storage, refund)
        with seen(storage) as unit:
            lines = [item.line_id for item in unit.refunds.get(refund.id).items]
        assert lines == sorted(line.id for line in order.lines)

    def test_refunds_of_an_order_come_oldest_first(self, storage: Storage) -> None:
        new_id = ids()
        order, other = ordered(storage, new_id, 2)
        refunds = [refund_of(new_id, order, created_at=NOW - n * HOUR) for n in range(3)]
        add(storage, *refunds, refund_of(new_id, other))
        with seen(storage) as unit:
            assert list(unit.refunds.of_order(order.id)) == refunds[::-1]

    def test_saving_writes_what_may_change(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = ordered(storage, new_id)
        payment = make_payment(new_id, order)
        refund = refund_of(new_id, order)
        with written(storage) as unit:
            unit.payments.add(payment)
        add(storage, refund)
        less = tuple(replace(item, amount=item.amount - Money(1, "USD")) for item in refund.items)
        approved = refund.approve(
            by=SYSTEM,
            at=NOW + HOUR,
            items=less,
            shipping=Money(1000, "USD"),
            shipping_tax=Money(9, "USD"),
            note="Fine",
        )
        received = approved.receive(at=NOW + 2 * HOUR, disposition=Disposition.RESTOCK)
        owed = received.owe(payment_id=payment.id, at=NOW + 2 * HOUR)
        refused = owed.not_paid_out("No funds.", again_at=NOW + 3 * HOUR)
        for state in (approved, owed, refused, refused.paid_out(at=NOW + 4 * HOUR)):
            with written(storage) as unit:
                unit.refunds.save(state)
                assert unit.refunds.get(refund.id) == state
            with seen(storage) as unit:
                assert unit.refunds.get(refund.id) == state

    def test_saving_a_stale_refund_is_contention(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = ordered(storage, new_id)
        refund = refund_of(new_id, order)
        add(storage, refund)
        with written(storage) as unit:
            unit.refunds.save(refund.withdraw(at=NOW))
        for stale in (refund.reject(by=SYSTEM, at=NOW), refund):
            with pytest.raises(Contention), written(storage) as unit:
                unit.refunds.save(stale)
        with seen(storage) as unit:
            assert unit.refunds.get(refund.id).status is RefundStatus.WITHDRAWN

    def test_two_who_decide_at_once_have_one_winner(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = ordered(storage, new_id)
        refund = refund_of(new_id, order)
        add(storage, refund)

        def reject(unit: Unit) -> None:
            unit.orders.locked(order.id)
            unit.refunds.save(unit.refunds.get(refund.id).reject(by=SYSTEM, at=NOW))

        outcomes = overlap(storage, reject, reject)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyDecided", "NoneType"]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, [5, 4, 3, 2, 1, 0]),
            ({"customer_id": "the customer"}, [2, 1, 0]),
            ({"customer_id": "nobody"}, []),
            ({"order_id": "the order"}, [2, 0]),
            ({"status": RefundStatus.REJECTED}, [4, 1]),
            ({"status": RefundStatus.APPROVED}, []),
            ({"customer_id": "the customer", "status": RefundStatus.REJECTED}, [1]),
            ({"order_id": "the order", "status": RefundStatus.REQUESTED}, [2, 0]),
        ],
    )
    def test_refunds_are_listed_newest_first_by_what_is_asked_for(
        self, storage: Storage, query: dict[str, Any], expected: list[int]
    ) -> None:
        new_id = ids()
        order, other = ordered(storage, new_id, 2)
        (guests,) = ordered(storage, new_id, guest=True)
        of = [order, other, order, guests, guests, guests]
        refunds = [refund_of(new_id, each, created_at=NOW + n // 2 * HOUR) for n, each in enumerate(of)]
        for n in (1, 4):
            refunds[n] = replace(refunds[n], status=RefundStatus.REJECTED, decided_at=NOW)
        add(storage, *refunds)
        names = {"the customer": order.customer_id, "the order": order.id}
        asked = RefundQuery(**{name: names.get(value, value) for name, value in query.items()})
        with seen(storage) as unit:
            check_pages(partial(unit.refunds.page, asked), [refunds[n] for n in expected])

    @needs(COUNT_STATEMENTS)
    @pytest.mark.parametrize("total", [False, True])
    def test_a_page_of_refunds_takes_at_most_three_statements(self, storage: Storage, total: bool) -> None:
        new_id = ids()
        orders = ordered(storage, new_id, 22)
        add(storage, *[refund_of(new_id, order) for order in orders])
        with seen(storage) as unit, self.count_statements(storage) as counted:
            page = unit.refunds.page(RefundQuery(), PageRequest(limit=20, total=total))
        assert len(page.items) == 20
        assert counted.count <= 3

    @needs(COUNT_STATEMENTS)
    def test_refunds_of_an_order_take_two_statements_and_saving_one_too(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = ordered(storage, new_id)
        refunds = [refund_of(new_id, order) for _ in range(5)]
        add(storage, *refunds)
        with written(storage) as unit, self.count_statements(storage) as counted:
            assert len(unit.refunds.of_order(order.id)) == 5
            assert counted.count == 2
            unit.refunds.save(refunds[0].withdraw(at=NOW))
        assert counted.count <= 5

    def test_what_is_due_is_leased_the_longest_due_first(self, storage: Storage) -> None:
        new_id = ids()
        orders = ordered(storage, new_id, 4)
        payments = [make_payment(new_id, order) for order in orders]
        due = (NOW, NOW - HOUR, NOW + HOUR, None)
        refunds = [
            refund_of(new_id, order, status=RefundStatus.APPROVED, payment_id=payment.id, payout_at=at)
            for order, payment, at in zip(orders, payments, due, strict=True)
        ]
        with written(storage) as unit:
            for payment in payments:
                unit.payments.add(payment)
        add(storage, *refunds)
        with written(storage) as unit:
            leased = unit.refunds.lease(NOW, (NOW + HOUR / 2).astimezone(timezone(2 * HOUR)), 1)
            assert leased == [replace(refunds[1], payout_at=NOW + HOUR / 2)]
            assert [refund.payout_at and refund.payout_at.tzinfo for refund in leased] == [UTC]
        with written(storage) as unit:
            assert [refund.id for refund in unit.refunds.lease(NOW, NOW + HOUR / 2, 9)] == [refunds[0].id]
            assert list(unit.refunds.lease(NOW, NOW + HOUR / 2, 9)) == []
        with written(storage) as unit:
            again = unit.refunds.lease(NOW + HOUR, NOW + 2 * HOUR, 9)
            assert {refund.id for refund in again} == {refund.id for refund in refunds[:3]}
            unit.refunds.save(again[0].paid_out(at=NOW))

    def test_two_workers_lease_different_refunds(self, storage: Storage) -> None:
        new_id = ids()
        orders = ordered(storage, new_id, 12)
        payments = [make_payment(new_id, order) for order in orders]
        with written(storage) as unit:
            for order, payment in zip(orders, payments, strict=True):
                unit.payments.add(payment)
                owed = refund_of(new_id, order, status=RefundStatus.APPROVED)
                unit.refunds.add(owed.owe(payment_id=payment.id, at=NOW))
        taken: list[str] = []

        def work() -> None:
            for leased in until_nothing(storage, lambda unit: list(unit.refunds.lease(NOW, NOW + HOUR, 2))):
                taken.extend(refund.id for refund in leased)

        Together(work, work, work).succeed()
        assert len(taken) == len(set(taken)) == 12


class CreditNotesContract(Contract):
    """Append-only, one a refund, 1, 2, 3, …"""

    def test_every_field_of_a_credit_note_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = ordered(storage, new_id)
        invoice, refund = make_invoice(new_id, order, 1), refund_of(new_id, order)
        at = NOW.astimezone(timezone(timedelta(hours=2)))
        with written(storage) as unit:
            unit.invoices.add(invoice)
            unit.refunds.add(refund)
            note = make_credit_note(new_id, invoice, order, refund, unit.credit_notes.next_sequence(), issued_at=at)
            assert unit.credit_notes.of_refund(refund.id) is None
            unit.credit_notes.add(note)
        with written(storage) as unit:
            whole = make_credit_note(new_id, invoice, order, None, unit.credit_notes.next_sequence())
            unit.credit_notes.add(whole)
        with seen(storage) as unit:
            assert unit.credit_notes.get(note.id) == note == unit.credit_notes.of_refund(refund.id)
            assert list(unit.credit_notes.of_order(order.id)) == [note, whole]
            assert unit.credit_notes.get(note.id).issued_at.tzinfo is UTC
            assert unit.credit_notes.get(note.id).number == "CN-000001"
            assert unit.credit_notes.of_refund("no such refund") is None
            assert list(unit.credit_notes.of_order("no such order")) == []
            with pytest.raises(NotFound):
                unit.credit_notes.get("no such note")

    def test_a_refund_and_a_whole_order_are_credited_once(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = ordered(storage, new_id)
        invoice, refund = make_invoice(new_id, order, 1), refund_of(new_id, order)
        with written(storage) as unit:
            unit.refunds.add(refund)
            for credited in (refund, None):
                sequence = unit.credit_notes.next_sequence()
                unit.credit_notes.add(make_credit_note(new_id, invoice, order, credited, sequence))
        for twice in (refund, None):
            with pytest.raises(Contention), written(storage) as unit:
                unit.credit_notes.add(make_credit_note(new_id, invoice, order, twice, 3))
        with written(storage) as unit:
            assert unit.credit_notes.next_sequence() == 3

    def test_a_rolled_back_credit_notes_number_is_used_again(self, storage: Storage) -> None:
        new_id = ids()
        one, two = ordered(storage, new_id, 2)
        with written(storage) as unit:
            first = make_credit_note(new_id, make_invoice(new_id, one, 1), one, None, unit.credit_notes.next_sequence())
            unit.credit_notes.add(first)
        with storage.writing(NOW, new_id) as unit:
            assert unit.credit_notes.next_sequence() == 2
        with written(storage) as unit:
            assert unit.credit_notes.next_sequence() == 2
            unit.credit_notes.add(make_credit_note(new_id, make_invoice(new_id, two, 2), two, None, 2))
            assert unit.invoices.next_sequence() == 1

    def test_issuers_of_credit_notes_that_race_leave_no_gap(self, storage: Storage) -> None:
        new_id = ids()
        orders = ordered(storage, new_id, 12)

        def issue(mine: list[Order], made: NewId) -> None:
            for order in mine:

                def body(unit: Unit, order: Order = order) -> None:
                    sequence = unit.credit_notes.next_sequence()
                    note = make_credit_note(made, make_invoice(made, order, 1), order, None, sequence)
                    unit.credit_notes.add(note)

                rerun(storage, body)

        Together(*[partial(issue, orders[n::4], ids(5000 + 1000 * n)) for n in range(4)]).succeed()
        with seen(storage) as unit:
            sequences = [note.sequence for order in orders for note in unit.credit_notes.of_order(order.id)]
        assert sorted(sequences) == list(range(1, 13))
