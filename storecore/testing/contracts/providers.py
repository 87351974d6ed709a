"""Payment providers: asked twice they act once, what has failed stays failed, and forged events are refused."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import pytest

from storecore.errors import EventForged, PayoutRefused
from storecore.money import Money
from storecore.orders.model import Order
from storecore.orders.payment import Payment, PaymentState
from storecore.orders.refund import Refund, RefundItem, RefundStatus
from storecore.ports import PaymentProvider
from storecore.testing.builders import NOW, ids, make_category, make_order, make_payment, make_product
from storecore.testing.contracts.proving import Together


class Bank(Protocol):
    """The world behind a provider, for the tests: its cards, its customers, and what it writes to the shop."""

    good: str
    declined: str
    second_step: str
    """Tokens of cards: one that is charged, one that is declined, one whose owner has to approve."""

    def approve(self, reference: str, *, approved: bool) -> None:
        """The owner of the card says yes or no."""

    def taken(self, reference: str) -> int:
        """Minor units that were charged, by all charges of this payment."""

    def given_back(self, reference: str) -> int:
        """Minor units that were given back."""

    def event(self, reference: str, at: datetime) -> tuple[Mapping[str, str], bytes]:
        """What the provider writes about how a payment stands: headers and body."""


class PaymentProviderContract:
    """Subclass it with the fixtures ``provider`` and ``bank``, both fresh."""

    @pytest.fixture
    def begin(self, provider: PaymentProvider) -> Callable[[], tuple[Payment, Order]]:
        """Begins a payment of a new order."""
        new_id = ids()

        def begin() -> tuple[Payment, Order]:
            product = make_product(new_id, category_ids=[make_category(new_id).id])
            order = make_order(new_id, [product])
            payment = make_payment(new_id, order)
            return payment.prepared(provider.prepare(payment, order)), order

        return begin

    @pytest.fixture
    def payment(self, begin: Callable[[], tuple[Payment, Order]]) -> Payment:
        """A payment that the provider knows."""
        return begin()[0]

    def test_a_payment_has_one_reference_of_its_own(
        self, provider: PaymentProvider, begin: Callable[[], tuple[Payment, Order]], bank: Bank
    ) -> None:
        (first, order), (second, _) = begin(), begin()
        assert provider.prepare(first, order) == first.reference
        assert first.reference != second.reference
        assert bank.taken(first.reference or "") == 0

    def test_a_good_card_is_charged_once_however_often_it_is_asked(
        self, provider: PaymentProvider, payment: Payment, bank: Bank
    ) -> None:
        first = provider.take(payment, bank.good)
        assert (first.state, first.amount) == (PaymentState.SUCCEEDED, payment.amount)
        for _ in range(2):
            assert provider.take(payment, bank.good) == first
        assert provider.look_up(payment) == first
        assert bank.taken(payment.reference or "") == payment.amount.minor

    def test_requests_at_the_same_time_charge_once(
        self, provider: PaymentProvider, payment: Payment, bank: Bank
    ) -> None:
        Together(*[lambda: provider.take(payment, bank.good)] * 4).join()
        assert provider.look_up(payment).state is PaymentState.SUCCEEDED
        assert bank.taken(payment.reference or "") == payment.amount.minor

    def test_a_declined_card_ends_the_payment_and_says_why(
        self, provider: PaymentProvider, payment: Payment, bank: Bank
    ) -> None:
        outcome = provider.take(payment, bank.declined)
        assert outcome.state is PaymentState.FAILED
        assert outcome.failure
        assert outcome.amount is None
        again = provider.take(payment, bank.declined)
        assert (again.state, again.failure) == (outcome.state, outcome.failure)
        assert provider.look_up(payment).state is PaymentState.FAILED
        assert bank.taken(payment.reference or "") == 0

    def test_nonsense_is_declined(self, provider: PaymentProvider, payment: Payment, bank: Bank) -> None:
        outcome = provider.take(payment, "no such card\nat all é")
        assert outcome.state is PaymentState.FAILED
        assert outcome.failure
        assert bank.taken(payment.reference or "") == 0

    def test_without_a_card_the_customer_is_sent_to_give_one(
        self, provider: PaymentProvider, payment: Payment, bank: Bank
    ) -> None:
        outcome = provider.take(payment, None)
        assert outcome.state is PaymentState.ACTION_NEEDED
        assert outcome.action["type"]
        assert provider.look_up(payment) == outcome
        assert bank.taken(payment.reference or "") == 0

    @pytest.mark.parametrize("approved", [True, False])
    def test_a_second_step_is_the_customers(
        self, provider: PaymentProvider, payment: Payment, bank: Bank, *, approved: bool
    ) -> None:
        outcome = provider.take(payment, bank.second_step)
        assert outcome.state is PaymentState.ACTION_NEEDED
        assert outcome.action["url"].startswith("http")
        assert bank.taken(payment.reference or "") == 0
        bank.approve(payment.reference or "", approved=approved)
        settled = provider.look_up(payment)
        if approved:
            assert (settled.state, settled.amount) == (PaymentState.SUCCEEDED, payment.amount)
        else:
            assert settled.failure
            assert provider.abandon(payment).state is PaymentState.FAILED

    def test_an_abandoned_payment_is_never_taken(self, provider: PaymentProvider, payment: Payment, bank: Bank) -> None:
        for _ in range(2):
            assert provider.abandon(payment).state is PaymentState.FAILED
        assert provider.take(payment, bank.good).state is PaymentState.FAILED
        assert bank.taken(payment.reference or "") == 0

    def test_an_abandoned_second_step_can_not_be_approved(
        self, provider: PaymentProvider, payment: Payment, bank: Bank
    ) -> None:
        provider.take(payment, bank.second_step)
        assert provider.abandon(payment).state is PaymentState.FAILED
        bank.approve(payment.reference or "", approved=True)
        assert provider.look_up(payment).state is PaymentState.FAILED
        assert bank.taken(payment.reference or "") == 0

    def test_it_is_too_late_to_abandon_what_was_taken(
        self, provider: PaymentProvider, payment: Payment, bank: Bank
    ) -> None:
        provider.take(payment, bank.good)
        outcome = provider.abandon(payment)
        assert (outcome.state, outcome.amount) == (PaymentState.SUCCEEDED, payment.amount)

    def test_each_refund_is_given_back_once_and_never_more_than_was_taken(
        self, provider: PaymentProvider, payment: Payment, bank: Bank
    ) -> None:
        provider.take(payment, bank.good)
        half = Money(payment.amount.minor // 2, payment.amount.currency)
        first, second = refund_of(payment, half, "1"), refund_of(payment, payment.amount - half, "2")
        for refund in (first, first, second, second, first):
            provider.give_back(refund, payment)
        assert bank.given_back(payment.reference or "") == payment.amount.minor
        with pytest.raises(PayoutRefused):
            provider.give_back(refund_of(payment, Money(1, half.currency), "3"), payment)
        assert bank.given_back(payment.reference or "") == payment.amount.minor

    def test_what_was_not_taken_is_not_given_back(
        self, provider: PaymentProvider, payment: Payment, bank: Bank
    ) -> None:
        with pytest.raises(PayoutRefused):
            provider.give_back(refund_of(payment, payment.amount, "1"), payment)
        assert bank.given_back(payment.reference or "") == 0

    def test_an_event_tells_how_a_payment_stands(self, provider: PaymentProvider, payment: Payment, bank: Bank) -> None:
        provider.take(payment, bank.good)
        headers, body = bank.event(payment.reference or "", NOW)
        for spelled in (headers, {name.upper(): value for name, value in headers.items()}):
            event = provider.read_event(spelled, body, NOW)
            assert event is not None
            assert event.reference == payment.reference
            assert event.outcome == provider.look_up(payment)

    def test_a_forged_event_is_refused(self, provider: PaymentProvider, payment: Payment, bank: Bank) -> None:
        provider.take(payment, bank.good)
        headers, body = bank.event(payment.reference or "", NOW)
        forged = [
            ({}, body),
            (headers, body + b" "),
            (headers, body.replace(b"succeeded", b"suceeeded")),
            (headers, b""),
            (headers, b"\xff\xfe"),
            *(({**headers, name: ""}, body) for name in headers if "ignature" in name),
            *(({**headers, name: "t=1,v1=0"}, body) for name in headers if "ignature" in name),
            *(({**headers, name: value[:-1] + "!"}, body) for name, value in headers.items() if "ignature" in name),
        ]
        for forgery in forged:
            with pytest.raises(EventForged):
                provider.read_event(*forgery, NOW)

    def test_an_old_event_is_refused(self, provider: PaymentProvider, payment: Payment, bank: Bank) -> None:
        headers, body = bank.event(payment.reference or "", NOW)
        provider.read_event(headers, body, NOW + timedelta(minutes=5))
        with pytest.raises(EventForged):
            provider.read_event(headers, body, NOW + timedelta(minutes=5, seconds=1))


def refund_of(payment: Payment, amount: Money, name: str) -> Refund:
    """An approved refund of a part of a payment."""
    nothing = Money.zero(amount.currency)
    item = RefundItem(line_id="line", product_id="product", quantity=1, amount=amount, tax=nothing)
    return Refund(
        id=f"{payment.id}-{name}",
        order_id=payment.order_id,
        customer_id=None,
        status=RefundStatus.APPROVED,
        items=(item,),
        shipping=nothing,
        shipping_tax=nothing,
        reason="",
        created_at=NOW,
        payment_id=payment.id,
    )
