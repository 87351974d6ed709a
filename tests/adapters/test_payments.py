"""The payment providers under the contract, and what only Stripe has to prove."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from adapters.payments import demo
from adapters.payments.demo import DemoPayments
from adapters.payments.stripe import StripePayments, from_stripes_units, in_stripes_units
from storecore.errors import EventForged, Invalid, NotFound, PayoutRefused, ProviderDown
from storecore.money import EXPONENTS, Money
from storecore.orders.model import Order
from storecore.orders.payment import Payment, PaymentState
from storecore.ports import PaymentProvider
from storecore.testing.builders import NOW
from storecore.testing.contracts.providers import Bank, PaymentProviderContract, refund_of
from tests.stripe_server import (
    AFTER,
    BEFORE,
    BUSY,
    FAULT,
    SECRET_KEY,
    SLOW,
    VISA,
    WEBHOOK_SECRET,
    StripeServer,
    running,
    signed,
)

Begin = Callable[[], tuple[Payment, Order]]


class DemoBank:
    """The demo bank behind the scenes."""

    good, declined, second_step = demo.SUCCEEDS, demo.DECLINED, demo.SECOND_STEP

    def __init__(self, provider: DemoPayments) -> None:
        self.provider = provider

    def approve(self, reference: str, *, approved: bool) -> None:
        self.provider.approve(reference, approved=approved)

    def taken(self, reference: str) -> int:
        with self.provider._books() as books:
            found = books.execute("SELECT amount * charges FROM payments WHERE reference = ?", (reference,)).fetchone()
        return int(found[0])

    def given_back(self, reference: str) -> int:
        with self.provider._books() as books:
            found = books.execute(
                "SELECT coalesce(sum(amount), 0) FROM refunds WHERE reference = ?", (reference,)
            ).fetchone()
        return int(found[0])

    def event(self, reference: str, at: datetime) -> tuple[Mapping[str, str], bytes]:
        return self.provider.tell(reference, at)


class TestDemo(PaymentProviderContract):
    @pytest.fixture
    def provider(self, tmp_path: Path) -> DemoPayments:
        return DemoPayments(tmp_path / "bank.db")

    @pytest.fixture
    def bank(self, provider: DemoPayments) -> Bank:
        return DemoBank(provider)

    def test_another_process_sees_the_same_books(self, provider: DemoPayments, payment: Payment) -> None:
        other = DemoPayments(provider._path)
        assert other.take(payment, demo.SUCCEEDS).state is PaymentState.SUCCEEDED
        assert provider.look_up(payment).state is PaymentState.SUCCEEDED
        at = NOW.replace(microsecond=123_456)  # as real clocks tell it
        assert other.read_event(*provider.tell(payment.reference or "", at), at) is not None

    def test_a_number_may_be_written_in_groups(self, provider: DemoPayments, payment: Payment) -> None:
        assert provider.take(payment, "4242 4242-4242 4242").state is PaymentState.SUCCEEDED

    def test_an_answer_that_is_lost_was_a_charge_and_one_that_never_came_was_none(
        self, provider: DemoPayments, begin: Begin
    ) -> None:
        for number, state in (
            (demo.LOST_ANSWER, PaymentState.SUCCEEDED),
            (demo.NEVER_ARRIVED, PaymentState.ACTION_NEEDED),
        ):
            payment, _ = begin()
            with pytest.raises(ProviderDown):
                provider.take(payment, number)
            assert provider.look_up(payment).state is state

    def test_no_number_is_kept(self, provider: DemoPayments, payment: Payment) -> None:
        provider.take(payment, demo.SECOND_STEP)
        kept = provider._path.read_bytes()
        assert demo.SECOND_STEP.encode() not in kept

    def test_a_payment_that_is_not_in_the_books_has_no_page(self, provider: DemoPayments) -> None:
        with pytest.raises(NotFound):
            provider.due("demo_x")


@pytest.fixture
def server() -> Iterator[StripeServer]:
    with running() as account:
        yield account


@pytest.fixture
def stripe(server: StripeServer) -> StripePayments:
    return StripePayments(SECRET_KEY, webhook_secret=WEBHOOK_SECRET, api_base=server.address, timeout=2)


class TestStripe(PaymentProviderContract):
    @pytest.fixture
    def provider(self, stripe: StripePayments) -> PaymentProvider:
        return stripe

    @pytest.fixture
    def bank(self, server: StripeServer) -> Bank:
        return server

    @pytest.mark.parametrize("kind", [BEFORE, AFTER, FAULT, BUSY, SLOW])
    @pytest.mark.parametrize("step", ["payment_intents", "confirm", "cancel"])
    def test_no_fault_at_any_step_charges_twice(
        self, stripe: StripePayments, server: StripeServer, begin: Begin, step: str, kind: str
    ) -> None:
        payment, order = begin()
        payment = Payment(id="another", order_id=order.id, provider="stripe", amount=order.total, created_at=NOW)
        # Stripe repeats its own fault for the same key, so one is as good as many.
        server.fail_next(step, *[kind] * (1 if kind == FAULT else 2))
        stripe = StripePayments(SECRET_KEY, api_base=server.address, timeout=0.3 if kind == SLOW else 2)
        for _ in range(4):
            try:
                payment = payment if payment.reference else payment.prepared(stripe.prepare(payment, order))
                outcome = stripe.take(payment, VISA)
                break
            except ProviderDown:
                continue
        else:
            outcome = stripe.look_up(payment)
        if outcome.state is not PaymentState.SUCCEEDED:  # Stripe repeats its own fault: nothing was confirmed
            assert (step, kind) == ("confirm", FAULT)
            assert stripe.abandon(payment).state is PaymentState.FAILED
            assert server.charges == []
        else:
            assert server.charges == [(payment.reference, order.total.minor)]

    @pytest.mark.parametrize("kind", [BEFORE, AFTER, BUSY])
    def test_a_decline_whose_cancelling_is_lost_is_still_one(
        self, stripe: StripePayments, server: StripeServer, payment: Payment, kind: str
    ) -> None:
        server.fail_next("cancel", kind)
        with pytest.raises(ProviderDown):
            stripe.take(payment, server.declined)
        outcome = stripe.take(payment, server.declined)
        assert (outcome.state, outcome.failure) == (PaymentState.FAILED, "Your card was declined.")
        assert server.intents[payment.reference or ""]["status"] == "canceled"

    @pytest.mark.parametrize("kind", [BEFORE, AFTER, BUSY])
    def test_a_refund_whose_answer_is_lost_is_given_back_once(
        self, stripe: StripePayments, server: StripeServer, payment: Payment, kind: str
    ) -> None:
        stripe.take(payment, VISA)
        refund = refund_of(payment, Money(100, "USD"), "1")
        server.fail_next("refunds", "", kind)  # looking for it works
        with pytest.raises(ProviderDown):
            stripe.give_back(refund, payment)
        stripe.give_back(refund, payment)
        assert refund.id in server._answers, "two workers at once ask with the same key"
        server._answers.clear()  # a day later
        stripe.give_back(refund, payment)
        assert server.given_back(payment.reference or "") == 100

    def test_a_refund_that_failed_at_the_bank_is_refused(
        self, stripe: StripePayments, server: StripeServer, payment: Payment
    ) -> None:
        stripe.take(payment, VISA)
        refund = refund_of(payment, Money(100, "USD"), "1")
        stripe.give_back(refund, payment)
        next(iter(server.refunds.values()))["status"] = "failed"
        with pytest.raises(PayoutRefused, match="failed"):
            stripe.give_back(refund, payment)

    def test_a_payment_that_a_bank_is_still_at_can_not_be_abandoned(
        self, stripe: StripePayments, server: StripeServer, payment: Payment
    ) -> None:
        server.intents[payment.reference or ""]["status"] = "processing"
        assert stripe.look_up(payment).state is PaymentState.SUBMITTED
        with pytest.raises(ProviderDown):
            stripe.abandon(payment)

    def test_the_same_key_with_other_parameters_is_no_charge(
        self, stripe: StripePayments, server: StripeServer, payment: Payment
    ) -> None:
        stripe.take(payment, VISA)
        with pytest.raises(ProviderDown):
            stripe.take(payment, server.second_step)
        assert len(server.charges) == 1

    def test_a_wrong_secret_key_is_an_outage_that_is_logged(
        self, server: StripeServer, payment: Payment, caplog: pytest.LogCaptureFixture
    ) -> None:
        wrong = StripePayments("sk_test_wrong", api_base=server.address)
        with pytest.raises(ProviderDown):
            wrong.look_up(payment)
        assert "STRIPE_SECRET_KEY" in caplog.text
        assert "sk_test_wrong" not in caplog.text

    def test_an_amount_that_stripe_refuses_says_why(self, stripe: StripePayments, begin: Begin) -> None:
        payment, order = begin()
        small = Payment(id="small", order_id=order.id, provider="stripe", amount=Money(1, "USD"), created_at=NOW)
        with pytest.raises(Invalid, match=r"at least \$0.50"):
            stripe.prepare(small, order)
        assert payment.reference

    def test_stripe_is_told_which_order_it_is_for(self, server: StripeServer, begin: Begin) -> None:
        payment, order = begin()
        told = server.intents[payment.reference or ""]["metadata"]
        assert told == {"order": order.id, "order_number": order.number, "payment": payment.id}

    def test_events_of_no_concern_are_passed_over(self, stripe: StripePayments) -> None:
        other = signed(b'{"type": "customer.created", "data": {"object": {"id": "cus_1"}}}', NOW)
        assert stripe.read_event(*other, NOW) is None

    @pytest.mark.parametrize("body", [b"[]", b"{}", b"no json", b'{"type": "payment_intent.succeeded"}'])
    def test_what_is_signed_but_no_event_is_refused(self, stripe: StripePayments, body: bytes) -> None:
        with pytest.raises(EventForged):
            stripe.read_event(*signed(body, NOW), NOW)

    def test_without_a_webhook_secret_every_event_is_refused(self, server: StripeServer, payment: Payment) -> None:
        deaf = StripePayments(SECRET_KEY, api_base=server.address)
        with pytest.raises(EventForged):
            deaf.read_event(*server.event(payment.reference or "", NOW), NOW)


@pytest.mark.parametrize(
    ("amount", "units"),
    [
        (Money(1999, "USD"), 1999),
        (Money(500, "JPY"), 500),
        (Money(5, "ISK"), 500),
        (Money(5, "UGX"), 500),
        (Money(1230, "KWD"), 1230),
        (Money(1200, "MGA"), 12),
    ],
)
def test_amounts_are_counted_as_stripe_counts_them(amount: Money, units: int) -> None:
    assert in_stripes_units(amount) == units
    assert from_stripes_units(units, amount.currency.lower()) == amount


@pytest.mark.parametrize("amount", [Money(1234, "KWD"), Money(1250, "MGA")])
def test_an_amount_that_stripe_can_not_count_is_refused(amount: Money) -> None:
    with pytest.raises(Invalid, match="exactly"):
        in_stripes_units(amount)


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_a_round_amount_of_any_currency_comes_back(currency: str) -> None:
    amount = Money(123 * 10 ** EXPONENTS[currency], currency)
    assert from_stripes_units(in_stripes_units(amount), currency) == amount


def test_an_amount_of_an_unknown_currency_is_none() -> None:
    assert from_stripes_units(100, "xxx") is None
    assert from_stripes_units(101, "isk") is None
