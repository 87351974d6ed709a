"""Attempts to pay: one at most that counts for an order, and looked up by one worker at a time."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from functools import partial

import pytest

from storecore.errors import Contention, NotFound, PaymentInProgress
from storecore.orders.payment import Outcome, Payment, PaymentState
from storecore.ports import Storage, Unit
from storecore.testing.builders import NOW, ids, make_payment
from storecore.testing.contracts.invoices import placed
from storecore.testing.contracts.proving import Contract, Together, overlap, seen, until_nothing, written

MINUTE = timedelta(minutes=1)
FAILED = Outcome(state=PaymentState.FAILED, failure="declined")


def begun(storage: Storage, number: int = 1, *, start: int = 500) -> list[Payment]:
    """Payments of so many orders, due a minute after one another, written."""
    new_id = ids(start)
    orders = placed(storage, new_id, number)
    payments = [
        make_payment(new_id, order, check_at=NOW + n * MINUTE, reference=f"ref {n}") for n, order in enumerate(orders)
    ]
    with written(storage) as unit:
        for payment in payments:
            unit.payments.add(payment)
    return payments


class PaymentsContract(Contract):
    """One at most that is not failed, a reference that names one, and leases."""

    def test_every_field_of_a_payment_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        one, two = placed(storage, new_id, 2)
        here = timezone(timedelta(hours=2))
        full = make_payment(
            new_id,
            one,
            reference="pi_1",
            attempt_key=b"\x00\xff",
            state=PaymentState.FAILED,
            failure="Reddedildi: bakiye yetersiz",
            check_at=NOW.astimezone(here),
            version=3,
        )
        bare = make_payment(new_id, two, check_at=None)
        with written(storage) as unit:
            unit.payments.add(full)
            unit.payments.add(bare)
        with seen(storage) as unit:
            found = unit.payments.get(full.id)
            assert found == full
            assert found.attempt_key == full.attempt_key
            assert found.check_at is not None
            assert found.check_at.tzinfo is UTC
            assert unit.payments.get(bare.id) == bare
            assert list(unit.payments.of_order(one.id)) == [full]
            assert unit.payments.by_reference("demo", "pi_1") == full

    def test_an_unknown_payment_is_not_found(self, storage: Storage) -> None:
        with seen(storage) as unit:
            assert list(unit.payments.of_order("no such order")) == []
            assert unit.payments.by_reference("demo", "no such reference") is None
            with pytest.raises(NotFound):
                unit.payments.get("no such id")

    def test_a_reference_is_one_providers_own(self, storage: Storage) -> None:
        (payment,) = begun(storage)
        with seen(storage) as unit:
            assert unit.payments.by_reference("demo", "ref 0") == payment
            assert unit.payments.by_reference("stripe", "ref 0") is None

    def test_a_reference_names_one_payment(self, storage: Storage) -> None:
        first, second = begun(storage, 2)
        with pytest.raises(Contention), written(storage) as unit:
            unit.payments.save(second.prepared(first.reference or ""))
        with seen(storage) as unit:
            assert unit.payments.by_reference("demo", "ref 0") == first

    def test_what_may_change_is_saved_and_nothing_else(self, storage: Storage) -> None:
        (payment,) = begun(storage)
        changed = payment.prepared("another").settled(FAILED, check_at=None)
        with written(storage) as unit:
            unit.payments.save(replace(changed, version=2, created_at=NOW + MINUTE, attempt_key=b"other"))
        with seen(storage) as unit:
            found = unit.payments.get(payment.id)
        assert (found.reference, found.state, found.failure, found.check_at, found.version) == (
            "another",
            PaymentState.FAILED,
            "declined",
            None,
            2,
        )
        assert (found.created_at, found.attempt_key) == (NOW, None)

    @pytest.mark.parametrize("version", [1, 3])
    def test_a_payments_version_that_was_not_expected_is_contention(self, storage: Storage, version: int) -> None:
        (payment,) = begun(storage)
        with pytest.raises(Contention), written(storage) as unit:
            unit.payments.save(replace(payment, version=version))

    def test_an_order_has_one_payment_that_is_not_failed(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = placed(storage, new_id, 1)
        first, second = (make_payment(new_id, order, created_at=NOW + n * MINUTE) for n in range(2))
        with written(storage) as unit:
            unit.payments.add(first)
        for state in (PaymentState.ACTION_NEEDED, PaymentState.SUCCEEDED):
            with pytest.raises(PaymentInProgress), written(storage) as unit:
                unit.payments.add(second)
            with written(storage) as unit:
                first = unit.payments.get(first.id)
                unit.payments.save(replace(first, state=state, version=first.version + 1))
        with written(storage) as unit:
            first = unit.payments.get(first.id)
            unit.payments.save(replace(first, state=PaymentState.FAILED, version=first.version + 1))
            unit.payments.add(second)
        with seen(storage) as unit:
            first = unit.payments.get(first.id)
            assert list(unit.payments.of_order(order.id)) == [first, second]
        with pytest.raises(PaymentInProgress), written(storage) as unit:
            unit.payments.save(replace(first, state=PaymentState.SUCCEEDED, version=first.version + 1))

    def test_of_two_payments_that_begin_at_once_one_does(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = placed(storage, new_id, 1)
        first, second = (make_payment(new_id, order) for _ in range(2))

        def begin(unit: Unit, payment: Payment) -> str:
            unit.payments.add(payment)
            return payment.id

        outcomes = overlap(storage, partial(begin, payment=first), partial(begin, payment=second))
        with seen(storage) as unit:
            (kept,) = unit.payments.of_order(order.id)
        assert sorted(isinstance(outcome, PaymentInProgress) for outcome in outcomes) == [False, True]
        assert kept.id in outcomes

    def test_due_payments_are_leased_the_longest_due_first_and_to_one_worker(self, storage: Storage) -> None:
        payments = begun(storage, 4)
        at, until = NOW + 2 * MINUTE, NOW + 10 * MINUTE
        for limit, expected in ((2, payments[:2]), (2, payments[2:3]), (2, [])):
            with written(storage, at) as unit:
                leased = list(unit.payments.lease(at, until, limit))
            assert leased == [replace(payment, check_at=until) for payment in expected]
        with written(storage, until) as unit:
            again = unit.payments.lease(until, until + MINUTE, 10)
        assert {payment.id for payment in again} == {payment.id for payment in payments}

    def test_payments_are_leased_by_when_they_are_due_whatever_their_ids(self, storage: Storage) -> None:
        new_id = ids(500)
        late, early = (
            make_payment(new_id, order, check_at=NOW - n * MINUTE) for n, order in enumerate(placed(storage, new_id, 2))
        )
        until = (NOW + MINUTE).astimezone(timezone(timedelta(hours=2)))
        with written(storage) as unit:
            for payment in (late, early):
                unit.payments.add(payment)
            leased = unit.payments.lease(NOW, until, 5)
        assert [payment.id for payment in leased] == [early.id, late.id]
        assert [payment.check_at and payment.check_at.tzinfo for payment in leased] == [UTC, UTC]

    def test_attempts_are_listed_oldest_first_whatever_their_ids(self, storage: Storage) -> None:
        new_id = ids()
        (order,) = placed(storage, new_id, 1)
        failed = {"state": PaymentState.FAILED, "failure": "declined", "check_at": None}
        attempts = [make_payment(new_id, order, created_at=NOW - n * MINUTE, **failed) for n in range(3)]
        with written(storage) as unit:
            for payment in attempts:
                unit.payments.add(payment)
        with seen(storage) as unit:
            assert list(unit.payments.of_order(order.id)) == attempts[::-1]

    def test_a_payments_lease_that_is_rolled_back_was_never_taken(self, storage: Storage) -> None:
        (payment,) = begun(storage)
        for _ in range(2):
            with storage.writing(NOW, ids(900)) as unit:
                assert [leased.id for leased in unit.payments.lease(NOW, NOW + MINUTE, 5)] == [payment.id]

    def test_a_payment_that_is_over_is_never_leased(self, storage: Storage) -> None:
        (payment,) = begun(storage)
        with written(storage) as unit:
            unit.payments.save(payment.settled(FAILED, check_at=NOW))
            assert list(unit.payments.lease(NOW + MINUTE, NOW + 2 * MINUTE, 5)) == []

    def test_workers_that_lease_at_once_share_the_payments(self, storage: Storage) -> None:
        payments = begun(storage, 8)
        at = NOW + 60 * MINUTE

        def lease() -> list[str]:
            mine: list[str] = []
            for taken in until_nothing(storage, lambda unit: unit.payments.lease(at, at + MINUTE, 1)):
                mine += [payment.id for payment in taken]
            return mine

        shares = Together(lease, lease, lease).succeed()
        found = [payment_id for share in shares if isinstance(share, list) for payment_id in share]
        assert sorted(found) == sorted(payment.id for payment in payments)


class OverdueContract(Contract):
    """Orders whose time to pay is up."""

    def test_orders_whose_time_is_up_are_found_the_longest_overdue_first(self, storage: Storage) -> None:
        new_id = ids()
        late, later, cancelled, early = placed(storage, new_id, 4, payment_provider="demo")
        with written(storage) as unit:
            for order, minutes in ((late, 2), (later, 1), (cancelled, 0), (early, 9)):
                unit.orders.save(order.wait_for_payment(pay_by=NOW + minutes * MINUTE))
        with written(storage) as unit:
            order = unit.orders.get(cancelled.id)
            unit.orders.save(replace(order, pay_by=None, version=order.version + 1))
        with seen(storage) as unit:
            assert unit.orders.get(late.id).pay_by == NOW + 2 * MINUTE
            assert list(unit.orders.overdue(NOW + 2 * MINUTE, 10)) == [later.id, late.id]
            assert list(unit.orders.overdue(NOW + 2 * MINUTE, 1)) == [later.id]
            assert list(unit.orders.overdue(NOW, 10)) == []
