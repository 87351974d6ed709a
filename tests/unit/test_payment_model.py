from dataclasses import replace
from datetime import timedelta

import pytest

from storecore.money import Money
from storecore.orders.payment import Outcome, Payment, PaymentState
from storecore.testing.builders import NOW

LATER = NOW + timedelta(minutes=1)
PAYMENT = Payment(
    id="p", order_id="o", provider="demo", amount=Money(1000, "USD"), check_at=NOW, attempt_key=b"key", created_at=NOW
)


@pytest.mark.parametrize("state", PaymentState)
def test_an_open_payment_stands_as_the_provider_says(state: PaymentState) -> None:
    settled = PAYMENT.settled(Outcome(state=state, failure="why"), check_at=LATER)
    assert (settled.state, settled.failure, settled.version) == (state, "why", 2)
    assert settled.check_at == (None if state.final else LATER)


@pytest.mark.parametrize("state", PaymentState)
def test_what_was_taken_stays_taken(state: PaymentState) -> None:
    taken = replace(PAYMENT, state=PaymentState.SUCCEEDED, check_at=None)
    assert taken.settled(Outcome(state=state), check_at=LATER) is taken


@pytest.mark.parametrize("state", PaymentState)
def test_what_failed_stays_so_unless_money_arrives(state: PaymentState) -> None:
    failed = replace(PAYMENT, state=PaymentState.FAILED, check_at=None)
    settled = failed.settled(Outcome(state=state), check_at=LATER)
    assert (settled is failed) == (state is not PaymentState.SUCCEEDED)


@pytest.mark.parametrize(("age", "wait"), [(0, 10), (10, 10), (11, 11), (40, 40), (300, 300), (9999, 300)])
def test_the_provider_is_asked_less_and_less_often(age: int, wait: int) -> None:
    at = NOW + timedelta(seconds=age)
    assert PAYMENT.next_check(at) == at + timedelta(seconds=wait)


def test_a_payment_gets_the_providers_reference() -> None:
    prepared = PAYMENT.prepared("demo_1")
    assert (prepared.reference, prepared.version, prepared.state) == ("demo_1", 2, PaymentState.SUBMITTED)


def test_a_payment_is_over_when_it_succeeded_or_failed() -> None:
    assert {state for state in PaymentState if state.final} == {PaymentState.SUCCEEDED, PaymentState.FAILED}


def test_what_tells_the_request_is_not_shown() -> None:
    assert "key" not in repr(PAYMENT)
    assert "secret" not in repr(Outcome(state=PaymentState.ACTION_NEEDED, action={"client_secret": "secret"}))
