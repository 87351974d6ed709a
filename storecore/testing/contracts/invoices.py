"""Invoices: numbered without a gap."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from storecore.accounts.model import SYSTEM
from storecore.errors import Contention
from storecore.lists import PageRequest
from storecore.orders.model import Order, PaymentStatus
from storecore.ports import NewId, Storage, Unit
from storecore.testing.builders import NOW, ids, make_invoice, make_order
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import (
    Contract,
    Together,
    check_pages,
    overlap,
    seen,
    until_nothing,
    written,
)

HOUR = timedelta(hours=1)


def placed(storage: Storage, new_id: NewId, number: int, **fields: Any) -> list[Order]:
    """Orders of the same thing, an hour apart, written."""
    (product,) = shelve(storage, new_id, {})
    orders = [make_order(new_id, [product], at=NOW + n * HOUR, **fields) for n in range(number)]
    with written(storage) as unit:
        for order in orders:
            unit.orders.add(order)
    return orders


class InvoicesContract(Contract):
    """Append-only, one an order, 1, 2, 3, …"""

    def test_every_field_of_an_invoice_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = placed(storage, new_id, 1)
        at = NOW.astimezone(timezone(timedelta(hours=2)))
        with written(storage) as unit:
            invoice = make_invoice(new_id, order, unit.invoices.next_sequence(), issued_at=at)
            assert unit.invoices.of_order(order.id) is None
            unit.invoices.add(invoice)
        with seen(storage) as unit:
            found = unit.invoices.of_order(order.id)
            assert unit.invoices.of_order("no such order") is None
        assert found == invoice
        assert found is not None
        assert found.issued_at.tzinfo is UTC
        assert found.number == "INV-000001"

    def test_a_rolled_back_number_is_used_again(self, storage: Storage) -> None:
        new_id = ids()
        one, two = placed(storage, new_id, 2)
        with written(storage) as unit:
            unit.invoices.add(make_invoice(new_id, one, unit.invoices.next_sequence()))
        with storage.writing(NOW, new_id) as unit:
            assert unit.invoices.next_sequence() == 2
        with storage.writing(NOW, new_id) as unit:
            unit.invoices.add(make_invoice(new_id, two, unit.invoices.next_sequence()))
        with written(storage) as unit:
            assert unit.invoices.next_sequence() == 2
            unit.invoices.add(make_invoice(new_id, two, 2))
        assert sequences(storage) == [2, 1]

    def test_one_unit_can_issue_several(self, storage: Storage) -> None:
        new_id = ids()
        orders = placed(storage, new_id, 3)
        with written(storage) as unit:
            for order in orders:
                unit.invoices.add(make_invoice(new_id, order, unit.invoices.next_sequence()))
        assert sequences(storage) == [3, 2, 1]

    def test_an_order_has_one_invoice(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = placed(storage, new_id, 1)
        with written(storage) as unit:
            unit.invoices.add(make_invoice(new_id, order, unit.invoices.next_sequence()))
        with pytest.raises(Contention), written(storage) as unit:
            unit.invoices.add(make_invoice(new_id, order, unit.invoices.next_sequence()))
        assert sequences(storage) == [1]

    def test_two_units_that_draw_a_number_at_once_draw_two(self, storage: Storage) -> None:
        new_id = ids()
        orders = iter(placed(storage, new_id, 3))

        def draw(unit: Unit) -> int:
            sequence = unit.invoices.next_sequence()
            unit.invoices.add(make_invoice(new_id, next(orders), sequence))
            return sequence

        assert set(overlap(storage, draw, draw)) == {1, 2}

    def test_issuers_that_race_leave_no_gap_and_no_order_twice(self, storage: Storage) -> None:
        new_id = ids()
        orders = placed(storage, new_id, 12)

        def issue(start: int) -> None:
            made = ids(start)

            def body(unit: Unit) -> bool:
                due = unit.invoices.due(1)
                if due and unit.invoices.of_order(due[0]) is None:
                    order, sequence = unit.orders.get(due[0]), unit.invoices.next_sequence()
                    unit.invoices.add(make_invoice(made, order, sequence, issued_at=NOW + sequence * HOUR))
                return bool(due)

            list(until_nothing(storage, body))

        Together(*[partial(issue, start) for start in (5000, 6000, 7000, 8000)]).succeed()
        assert sequences(storage) == list(range(12, 0, -1))
        with seen(storage) as unit:
            found = [unit.invoices.of_order(order.id) for order in orders]
        assert sorted(invoice.sequence for invoice in found if invoice) == list(range(1, 13))

    def test_invoices_of_a_period_are_listed_newest_first(self, storage: Storage) -> None:
        new_id = ids()
        orders = placed(storage, new_id, 5)
        invoices = []
        for n, order in enumerate(orders):
            with written(storage) as unit:
                invoice = make_invoice(new_id, order, unit.invoices.next_sequence(), issued_at=NOW + n * HOUR)
                unit.invoices.add(invoice)
            invoices.append(invoice)
        for issued_from, issued_to, expected in (
            (None, None, [4, 3, 2, 1, 0]),
            (NOW + HOUR, None, [4, 3, 2, 1]),
            (None, NOW + HOUR, [0]),
            (NOW + HOUR, NOW + 3 * HOUR, [2, 1]),
            ((NOW + 4 * HOUR).astimezone(timezone(timedelta(hours=2))), None, [4]),
        ):
            with seen(storage) as unit:
                fetch = partial(unit.invoices.page, issued_from=issued_from, issued_to=issued_to)
                check_pages(fetch, [invoices[n] for n in expected])

    def test_invoices_are_listed_by_when_they_were_issued_whatever_their_ids(self, storage: Storage) -> None:
        new_id = ids()
        invoices = []
        for n, order in enumerate(placed(storage, new_id, 3)):
            with written(storage) as unit:
                sequence = unit.invoices.next_sequence()
                invoices.append(make_invoice(new_id, order, sequence, issued_at=NOW - n * HOUR))
                unit.invoices.add(invoices[-1])
        with seen(storage) as unit:
            check_pages(partial(unit.invoices.page, issued_from=None, issued_to=None), invoices)

    def test_an_invoice_is_due_for_an_offline_order_that_stands_or_a_paid_one(self, storage: Storage) -> None:
        new_id = ids()
        offline, cancelled, invoiced, delivered = placed(storage, new_id, 4)
        unpaid, paid, refunded = placed(storage, new_id, 3, payment_provider="demo")
        with written(storage) as unit:
            unit.orders.save(cancelled.cancel(by=SYSTEM, at=NOW))
            unit.orders.save(delivered.confirm(by=SYSTEM, at=NOW))
            unit.orders.save(replace(paid.record_payment()))
            unit.orders.save(replace(refunded, payment_status=PaymentStatus.REFUNDED, version=refunded.version + 1))
            unit.invoices.add(make_invoice(new_id, invoiced, unit.invoices.next_sequence()))
        with seen(storage) as unit:
            assert list(unit.invoices.due(10)) == [offline.id, paid.id, refunded.id, delivered.id]
            assert list(unit.invoices.due(2)) == [offline.id, paid.id]
            assert unpaid.id not in unit.invoices.due(10)


def sequences(storage: Storage) -> list[int]:
    """The number of every invoice, newest first."""
    with seen(storage) as unit:
        page = unit.invoices.page(PageRequest(limit=100), issued_from=None, issued_to=None)
    return sorted((invoice.sequence for invoice in page.items), reverse=True)
