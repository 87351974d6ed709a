"""Paying through a provider: whatever fails on the way, money is taken once, and ends with goods or back home."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.payments.demo import DECLINED, LOST_ANSWER, NEVER_ARRIVED, SECOND_STEP, SUCCEEDS, DemoPayments
from storecore.accounts.model import GUEST, SYSTEM, Guest, User
from storecore.accounts.permissions import Role
from storecore.errors import (
    AlreadyPaid,
    CouponNotApplicable,
    IdempotencyKeyReused,
    IllegalTransition,
    Invalid,
    NotFound,
    NotInvoiced,
    PaymentInProgress,
    PreconditionFailed,
    ProviderDown,
    Unreadable,
)
from storecore.money import Money
from storecore.notices import Template
from storecore.orders.model import NOT_PAID_IN_TIME, Order, PaymentStatus, Status
from storecore.orders.paying import Attempt
from storecore.orders.payment import Outcome, Payment, PaymentState, ProviderEvent
from storecore.orders.refund import Refund, RefundCause
from storecore.orders.settling import UNFINISHED
from storecore.pricing import ShippingPolicy
from storecore.shop import Shop
from storecore.testing.contracts.proving import Together
from storecore.transactions import Once, Replayed
from tests.usecases.floor import BACK_ENDS, HOME, Floor, on_hand, open_floor, person, product

Hook = Callable[[], object]


class Bank(DemoPayments):
    """The demo bank, where tests can get in between, and that can be down."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.down = False
        self.before_take: Hook | None = None
        self.after_take: Hook | None = None
        self.wrong_amount: Money | None = None
        self.asked: list[str] = []

    def prepare(self, payment: Payment, order: Order) -> str:
        self._ask("prepare")
        return super().prepare(payment, order)

    def take(self, payment: Payment, token: str | None) -> Outcome:
        self._ask("take")
        if self.before_take:
            self.before_take()
        outcome = super().take(payment, token)
        if self.after_take:
            self.after_take()
        return self._wrong(outcome)

    def look_up(self, payment: Payment) -> Outcome:
        self._ask("look up")
        return self._wrong(super().look_up(payment))

    def abandon(self, payment: Payment) -> Outcome:
        self._ask("abandon")
        return self._wrong(super().abandon(payment))

    def charges(self) -> int:
        """How often money was taken."""
        with self._books() as books:
            return int(books.execute("SELECT coalesce(sum(charges), 0) FROM payments").fetchone()[0])

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.down:
            raise ProviderDown()

    def _wrong(self, outcome: Outcome) -> Outcome:
        if self.wrong_amount is None or outcome.amount is None:
            return outcome
        return Outcome(state=outcome.state, amount=self.wrong_amount)


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path / "bank.db")


@pytest.fixture(params=BACK_ENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, bank: Bank) -> Iterator[Floor]:
    nothing = ShippingPolicy(fee=Money.zero("USD"))
    with open_floor(request.param, tmp_path, Shop(shipping=nothing), {"demo": bank}) as floor:
        yield floor


@pytest.fixture
def ada(store: Floor) -> User:
    return person(store)


def placed(store: Floor, by: User, *, payment: str = "demo", **more: Any) -> Order:
    """An order of one thing."""
    item = more.pop("item", None) or product(store)
    return store.orders.place(by=by, items=[(item.id, 1)], deliver_to=HOME, payment=payment, **more)


def pay(store: Floor, by: User | Guest, order: Order, token: str | None = SUCCEEDS, **more: Any) -> Attempt:
    return store.orders.pay(by=by, order_id=order.id, provider="demo", token=token, **more)


def now(store: Floor, order: Order) -> Order:
    """The order as it is."""
    return store.orders.get(by=SYSTEM, order_id=order.id)


def refunds(store: Floor, order: Order) -> list[Refund]:
    with store.storage.reading(store.clock(), str) as unit:
        return list(unit.refunds.of_order(order.id))


def payments(store: Floor, order: Order) -> list[Payment]:
    with store.storage.reading(store.clock(), str) as unit:
        return list(unit.payments.of_order(order.id))


def once(key: str = "1", body: bytes = b"") -> Once:
    return Once(scope="ada", key=key, fingerprint=body, render=lambda attempt: str(attempt.order.status).encode())


# Placing.


def test_placing_calls_no_provider_and_waits_for_the_payment(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    assert (order.payment_provider, order.payment_status) == ("demo", PaymentStatus.UNPAID)
    assert now(store, order).pay_by == store.time.at + timedelta(minutes=30)
    assert bank.asked == []
    assert placed(store, ada, payment="offline").pay_by is None


def test_an_unknown_provider_is_refused(store: Floor, ada: User) -> None:
    with pytest.raises(Invalid) as refused:
        placed(store, ada, payment="stripe")
    assert refused.value.errors[0][0] == "payment.provider"
    order = placed(store, ada)
    for unknown in ("stripe", "offline", ""):
        with pytest.raises(Invalid) as refused:
            store.orders.pay(by=ada, order_id=order.id, provider=unknown)
        assert refused.value.errors[0][0] == "provider"


# Paying.


def test_a_good_card_pays_and_confirms_the_order(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    store.mail()
    attempt = pay(store, ada, order)
    assert attempt.payment is not None
    assert (attempt.payment.state, attempt.action) == (PaymentState.SUCCEEDED, {})
    assert attempt.order == now(store, order)
    assert (attempt.order.status, attempt.order.payment_status) == (Status.CONFIRMED, PaymentStatus.PAID)
    assert attempt.order.pay_by is None
    assert (attempt.order.history[-1].actor_id, attempt.order.history[-1].at) == (None, store.time.at)
    assert bank.charges() == 1
    with pytest.raises(AlreadyPaid):
        pay(store, ada, order)
    assert bank.charges() == 1


def test_the_invoice_comes_when_the_money_has(store: Floor, ada: User) -> None:
    written = len(store.mail())
    order = placed(store, ada)
    with pytest.raises(NotInvoiced):
        store.orders.invoice(by=ada, order_id=order.id)
    assert [(mail.template, mail.invoice_of) for mail in store.mail()[written:]] == [(Template.ORDER_PLACED, None)]
    pay(store, ada, order)
    mail = store.mail()[-1]
    assert (mail.template, mail.data["status"], mail.invoice_of) == (Template.ORDER_STATUS, "confirmed", order.id)
    assert store.orders.invoice(by=ada, order_id=order.id).content


def test_staff_do_not_confirm_an_order_that_waits_for_its_payment(store: Floor, ada: User) -> None:
    order, vendor = placed(store, ada), person(store, Role.VENDOR)
    with pytest.raises(IllegalTransition, match="waits for its payment"):
        store.orders.advance(by=vendor, order_id=order.id, to=Status.CONFIRMED)
    store.orders.record_payment(by=vendor, order_id=order.id)
    assert store.orders.advance(by=vendor, order_id=order.id, to=Status.CONFIRMED).pay_by is None


def test_a_declined_card_is_no_error_and_another_may_be_tried(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    store.time.forward(minutes=10)
    failed = pay(store, ada, order, DECLINED)
    assert failed.payment is not None
    assert (failed.payment.state, failed.payment.failure) == (PaymentState.FAILED, "The card was declined.")
    assert (failed.order.status, failed.order.payment_status) == (Status.PENDING, PaymentStatus.FAILED)
    assert failed.order.pay_by == order.pay_by, "trying again wins no time"
    assert pay(store, ada, order).order.payment_status is PaymentStatus.PAID
    assert [payment.state for payment in payments(store, order)] == [PaymentState.FAILED, PaymentState.SUCCEEDED]
    assert bank.charges() == 1


def test_an_offline_order_can_be_paid_online_after_all(store: Floor, ada: User) -> None:
    order = placed(store, ada, payment="offline")
    paid = pay(store, ada, order).order
    assert (paid.status, paid.payment_provider, paid.payment_status) == (Status.CONFIRMED, "demo", PaymentStatus.PAID)


def test_what_is_paid_with_is_checked_by_name(store: Floor, ada: User) -> None:
    order = placed(store, ada)
    for changes, error in (
        ({"provider": "nobody"}, ("provider", "is not known here")),
        ({"token": "x" * 501}, ("token", "must have at most 500 characters")),
    ):
        arguments: dict[str, Any] = {"by": ada, "order_id": order.id, "provider": "demo", **changes}
        with pytest.raises(Invalid) as refused:
            store.orders.pay(**arguments)
        assert refused.value.errors == (error,)
    with pytest.raises(NotFound, match=r"^There is no such order\.$"):
        pay(store, person(store), order)


def test_an_offline_order_gets_its_time_to_pay_when_it_is_paid_online(store: Floor, ada: User) -> None:
    order = placed(store, ada, payment="offline")
    later = store.time.forward(hours=1)
    assert pay(store, ada, order, SECOND_STEP).order.pay_by == later + timedelta(minutes=30)


def test_nobody_pays_again_while_an_answer_is_waited_for(
    store: Floor, ada: User, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    order = placed(store, ada)
    waiting = pay(store, ada, order, LOST_ANSWER, once=once()).payment
    assert waiting is not None
    assert caplog.messages == [f"payment {waiting.id} is left to the worker: The demo bank's answer was lost."]
    with pytest.raises(PaymentInProgress):
        pay(store, ada, order, once=once("2"))
    assert len(payments(store, order)) == 1


def test_an_order_that_costs_nothing_is_paid_at_once(store: Floor, ada: User, bank: Bank) -> None:
    store.catalog.create_coupon(by=SYSTEM, code="GIFT", percent=Decimal(100))
    free = placed(store, ada, coupon="GIFT")
    assert not free.total
    attempt = pay(store, ada, free, None, once=once())
    with pytest.raises(Replayed):
        pay(store, ada, free, None, once=once())
    assert (attempt.payment, attempt.order.payment_status) == (None, PaymentStatus.PAID)
    assert attempt.order.status is Status.CONFIRMED
    assert bank.asked == []
    with pytest.raises(AlreadyPaid):
        pay(store, ada, free, None)


def test_only_the_owner_pays(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    for other in (person(store), person(store, Role.ADMIN), Guest(), Guest(order_id="another")):
        with pytest.raises(NotFound):
            pay(store, other, order)
    item = product(store)
    guests = store.orders.place(
        by=Guest(), items=[(item.id, 1)], deliver_to=HOME, email="guest@example.com", payment="demo"
    )
    assert pay(store, Guest(order_id=guests.id), guests).order.payment_status is PaymentStatus.PAID
    assert bank.charges() == 1


def test_a_stale_version_pays_nothing(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    with pytest.raises(PreconditionFailed):
        pay(store, ada, order, if_version=7)
    assert bank.asked == []


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.CONFIRMED])
def test_an_order_is_paid_online_while_it_is_pending(store: Floor, ada: User, bank: Bank, status: Status) -> None:
    order = placed(store, ada, payment="offline")
    store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    with pytest.raises(IllegalTransition):
        pay(store, ada, order)
    assert bank.asked == []


# The second step.


def second_step(store: Floor, ada: User) -> tuple[Order, str]:
    """An order whose customer is asked to approve, and the bank's reference."""
    order = placed(store, ada)
    attempt = pay(store, ada, order, SECOND_STEP)
    assert attempt.payment is not None
    assert attempt.payment.state is PaymentState.ACTION_NEEDED
    assert attempt.order.payment_status is PaymentStatus.PENDING
    reference = attempt.payment.reference or ""
    assert attempt.action == {"type": "redirect", "url": f"http://127.0.0.1:8000/demo-bank/{reference}"}
    return order, reference


def test_an_approved_second_step_is_heard_of_by_an_event(store: Floor, ada: User, bank: Bank) -> None:
    order, reference = second_step(store, ada)
    bank.approve(reference, approved=True)
    for _ in range(3):
        headers, body = bank.tell(reference, store.clock())
        store.orders.hear(provider="demo", headers=headers, body=body)
    paid = now(store, order)
    assert (paid.status, paid.payment_status) == (Status.CONFIRMED, PaymentStatus.PAID)
    assert len([entry for entry in paid.history if entry.status is Status.CONFIRMED]) == 1
    assert len([mail for mail in store.mail() if mail.template is Template.ORDER_STATUS]) == 1


def test_an_approved_second_step_is_found_by_the_worker_when_the_event_is_lost(
    store: Floor, ada: User, bank: Bank
) -> None:
    order, reference = second_step(store, ada)
    store.time.forward(minutes=1)
    assert store.orders.settle_due() == 1
    assert store.orders.settle_due() == 0, "it is asked again after a while only"
    assert now(store, order).payment_status is PaymentStatus.PENDING
    bank.approve(reference, approved=True)
    store.time.forward(minutes=2)
    store.work()
    assert now(store, order).payment_status is PaymentStatus.PAID


def test_a_rejected_second_step_fails_and_another_card_may_be_tried(store: Floor, ada: User, bank: Bank) -> None:
    order, reference = second_step(store, ada)
    bank.approve(reference, approved=False)
    headers, body = bank.tell(reference, store.clock())
    store.orders.hear(provider="demo", headers=headers, body=body)
    assert now(store, order).payment_status is PaymentStatus.FAILED
    assert pay(store, ada, order).order.payment_status is PaymentStatus.PAID


def test_another_card_gives_up_a_second_step_that_was_never_taken(store: Floor, ada: User, bank: Bank) -> None:
    order, reference = second_step(store, ada)
    with pytest.raises(PreconditionFailed):
        pay(store, ada, order, if_version=order.version)
    version = now(store, order).version
    assert pay(store, ada, order, if_version=version).order.payment_status is PaymentStatus.PAID
    bank.approve(reference, approved=True)
    assert bank.charges() == 1


def test_another_card_is_not_charged_when_the_second_step_was_taken_meanwhile(
    store: Floor, ada: User, bank: Bank
) -> None:
    order, reference = second_step(store, ada)
    bank.approve(reference, approved=True)
    with pytest.raises(AlreadyPaid):
        pay(store, ada, order)
    assert now(store, order).status is Status.CONFIRMED
    assert bank.charges() == 1


def test_without_a_token_the_card_is_given_on_the_banks_page(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    attempt = pay(store, ada, order, None)
    assert attempt.action["type"] == "redirect"
    assert attempt.payment is not None
    bank.charge(attempt.payment.reference or "", SUCCEEDS)
    store.time.forward(minutes=1)
    store.work()
    assert now(store, order).payment_status is PaymentStatus.PAID


# When the provider does not answer.


def test_a_lost_answer_is_settled_by_looking_it_up(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    attempt = pay(store, ada, order, LOST_ANSWER)
    assert attempt.payment is not None
    assert (attempt.payment.state, attempt.order.payment_status) == (PaymentState.SUBMITTED, PaymentStatus.PENDING)
    with pytest.raises(PaymentInProgress):
        pay(store, ada, order)
    assert store.orders.settle_due() == 0, "the request may still be at it"
    store.time.forward(seconds=30)
    store.work()
    assert now(store, order).status is Status.CONFIRMED
    assert bank.charges() == 1
    assert bank.asked.count("take") == 1


def test_a_payment_that_never_arrived_fails_and_is_never_charged_later(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    pay(store, ada, order, NEVER_ARRIVED)
    store.time.forward(seconds=30)
    store.work()
    (payment,) = payments(store, order)
    assert (payment.state, payment.failure) == (
        PaymentState.FAILED,
        "The payment was not finished; please try again.",
    )
    assert now(store, order).payment_status is PaymentStatus.FAILED
    assert bank.take(payment, SUCCEEDS).state is PaymentState.FAILED
    assert bank.charges() == 0


def test_a_provider_that_is_down_before_it_knows_the_payment_is_asked_later(
    store: Floor, ada: User, bank: Bank
) -> None:
    order = placed(store, ada)
    bank.down = True
    attempt = pay(store, ada, order)
    assert attempt.payment is not None
    assert attempt.payment.reference is None
    store.time.forward(seconds=30)
    assert store.orders.settle_due() == 1, "one that is down ends the round"
    assert store.orders.settle_due() == 0
    bank.down = False
    store.time.forward(minutes=1)
    store.work()
    assert now(store, order).payment_status is PaymentStatus.FAILED
    assert bank.charges() == 0


def test_the_worker_asks_less_and_less_often(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    bank.down = True
    pay(store, ada, order)
    began, waits = store.time.at, []
    for _ in range(7):
        (payment,) = payments(store, order)
        assert payment.check_at is not None
        waits.append(int((payment.check_at - store.time.at).total_seconds()))
        store.time.at = payment.check_at
        assert store.orders.settle_due() == 1
    assert began < store.time.at
    assert waits == [30, 30, 60, 120, 240, 300, 300]


def test_why_the_last_card_was_declined_is_kept_while_the_bank_is_down(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    declined = Outcome(state=PaymentState.ACTION_NEEDED, failure="Expired.", action={"type": "card"})
    bank.take = lambda *_: declined  # type: ignore[method-assign]  # this bank is the test's
    attempt = pay(store, ada, order)
    assert attempt.action == {"type": "card"}
    store.time.forward(minutes=1)
    bank.down = True
    assert store.orders.settle_due() == 1
    (payment,) = payments(store, order)
    assert (payment.state, payment.failure) == (PaymentState.ACTION_NEEDED, "Expired.")
    assert payment.check_at == store.time.at + timedelta(minutes=1)


def test_a_payment_that_the_bank_will_not_hear_of_fails_with_its_reason(store: Floor, ada: User, bank: Bank) -> None:
    def refuse(payment: Payment, order: Order) -> str:
        raise Invalid("The amount is too small.")

    bank.prepare = refuse  # type: ignore[method-assign]  # this bank is the test's
    attempt = pay(store, ada, placed(store, ada))
    assert attempt.payment is not None
    assert (attempt.payment.state, attempt.payment.failure) == (PaymentState.FAILED, "The amount is too small.")
    assert (attempt.payment.reference, attempt.order.payment_status) == (None, PaymentStatus.FAILED)


def test_nothing_is_left_to_do_for_a_payment_that_failed(store: Floor, ada: User, bank: Bank) -> None:
    failed = Outcome(state=PaymentState.FAILED, failure="Expired.", action={"type": "card"})
    bank.take = lambda *_: failed  # type: ignore[method-assign]  # this bank is the test's
    assert pay(store, ada, placed(store, ada)).action == {}


def test_one_payment_that_can_not_be_looked_up_does_not_keep_others_waiting(
    store: Floor, ada: User, bank: Bank
) -> None:
    stuck, other = placed(store, ada), placed(store, ada)
    for order in (stuck, other):
        pay(store, ada, order, LOST_ANSWER)
    with bank._books() as books:
        books.execute("DELETE FROM payments WHERE payment_id = ?", (payments(store, stuck)[0].id,))
    store.time.forward(minutes=1)
    store.mail()
    assert now(store, stuck).payment_status is PaymentStatus.PENDING
    assert now(store, other).payment_status is PaymentStatus.PAID


def test_a_worker_asks_about_five_payments_at_a_time(store: Floor, ada: User, bank: Bank) -> None:
    for _ in range(8):
        pay(store, ada, placed(store, ada), LOST_ANSWER)
    store.time.forward(minutes=1)
    assert [store.orders.settle_due(), store.orders.settle_due(limit=2), store.orders.settle_due()] == [5, 2, 1]


def test_a_payment_that_a_worker_asks_about_is_anothers_after_two_minutes(store: Floor, ada: User, bank: Bank) -> None:
    pay(store, ada, placed(store, ada), LOST_ANSWER)
    store.time.forward(minutes=1)
    assert len(store.orders._lease()) == 1
    store.time.forward(minutes=2, seconds=-1)
    assert store.orders.settle_due() == 0
    store.time.forward(seconds=1)
    assert store.orders.settle_due() == 1


# Sent twice.


def test_the_same_request_again_is_answered_as_before(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    pay(store, ada, order, once=once())
    with pytest.raises(Replayed) as replayed:
        pay(store, ada, order, once=once())
    assert replayed.value.answer == b"confirmed"
    with pytest.raises(IdempotencyKeyReused):
        pay(store, ada, order, once=once(body=b"another card"))
    with pytest.raises(AlreadyPaid):
        pay(store, ada, order, once=once("2"))
    assert bank.charges() == 1


def test_the_same_request_goes_on_with_a_payment_whose_answer_was_lost(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    attempt = pay(store, ada, order, LOST_ANSWER, once=once())
    assert attempt.order.payment_status is PaymentStatus.PENDING
    assert pay(store, ada, order, LOST_ANSWER, once=once()).order.payment_status is PaymentStatus.PAID
    with pytest.raises(Replayed):
        pay(store, ada, order, LOST_ANSWER, once=once())
    assert bank.charges() == 1
    assert len(payments(store, order)) == 1


def test_the_same_request_hears_of_a_second_step_when_its_answer_was_lost(store: Floor, ada: User, bank: Bank) -> None:
    def cut_off() -> None:
        raise ProviderDown()

    order, bank.after_take = placed(store, ada), cut_off
    lost = pay(store, ada, order, SECOND_STEP, once=once())
    assert lost.payment is not None
    reference = lost.payment.reference or ""
    assert (lost.payment.state, lost.action) == (PaymentState.SUBMITTED, {})
    headers, body = bank.tell(reference, store.clock())
    store.orders.hear(provider="demo", headers=headers, body=body)
    bank.after_take = None
    attempt = pay(store, ada, order, SECOND_STEP, once=once())
    assert attempt.action == {"type": "redirect", "url": f"http://127.0.0.1:8000/demo-bank/{reference}"}
    assert len(payments(store, order)) == 1


def test_a_request_cut_off_after_the_charge_finds_what_the_worker_settled(store: Floor, ada: User, bank: Bank) -> None:
    def cut_off() -> None:
        raise KeyboardInterrupt

    order = placed(store, ada)
    bank.after_take = cut_off
    with pytest.raises(KeyboardInterrupt):
        pay(store, ada, order, once=once())
    bank.after_take = None
    store.time.forward(minutes=1)
    store.work()
    asked = len(bank.asked)
    attempt = pay(store, ada, order, once=once())
    assert attempt.payment is not None
    assert (attempt.payment.state, attempt.order.status) == (PaymentState.SUCCEEDED, Status.CONFIRMED)
    assert (bank.charges(), len(bank.asked)) == (1, asked), "nobody asks about what is known"


def test_a_request_whose_answer_is_lost_is_answered_as_its_duplicate_was(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)

    def duplicate_then_down() -> None:
        bank.after_take = None
        pay(store, ada, order, once=once())
        raise ProviderDown()

    bank.after_take = duplicate_then_down
    with pytest.raises(Replayed) as replayed:
        pay(store, ada, order, once=once())
    assert replayed.value.answer == b"confirmed"
    assert bank.charges() == 1


def test_a_bank_that_gives_nothing_up_is_asked_three_times(store: Floor, ada: User, bank: Bank) -> None:
    order, _ = second_step(store, ada)
    asked = []

    def keep(payment: Payment) -> Outcome:
        asked.append(payment.id)
        return Outcome(state=PaymentState.ACTION_NEEDED)

    bank.abandon = keep  # type: ignore[method-assign]  # this bank is the test's
    with pytest.raises(PaymentInProgress):
        pay(store, ada, order)
    assert asked == [payments(store, order)[0].id] * 3


def test_two_clients_that_pay_at_once_charge_once(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    outcomes = Together(*[lambda: pay(store, ada, order)] * 4).outcomes
    paid = [outcome for outcome in outcomes if isinstance(outcome, Attempt)]
    others = {type(outcome) for outcome in outcomes} - {Attempt}
    assert len(paid) == 1
    assert others <= {PaymentInProgress, AlreadyPaid}
    assert bank.charges() == 1
    assert now(store, order).status is Status.CONFIRMED


def test_parallel_duplicates_charge_once_and_all_are_answered(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    outcomes = Together(*[lambda: pay(store, ada, order, once=once())] * 4).outcomes
    for outcome in outcomes:
        if isinstance(outcome, Replayed):
            assert outcome.answer == b"confirmed"
        else:
            assert isinstance(outcome, Attempt), outcome
            assert outcome.order.payment_status is PaymentStatus.PAID
    assert bank.charges() == 1
    assert len(payments(store, order)) == 1


# Events.


def tell(store: Floor, bank: Bank, reference: str) -> None:
    headers, body = bank.tell(reference, store.clock())
    store.orders.hear(provider="demo", headers=headers, body=body)


def test_a_failure_told_after_the_success_changes_nothing(store: Floor, ada: User, bank: Bank) -> None:
    order, reference = second_step(store, ada)
    with bank._books() as books:
        books.execute("UPDATE payments SET state = 'failed', failure = 'Declined.'")
    late_failure = bank.tell(reference, store.clock())
    with bank._books() as books:
        books.execute("UPDATE payments SET state = 'challenged', failure = NULL")
    bank.approve(reference, approved=True)
    store.orders.hear(provider="demo", headers=late_failure[0], body=late_failure[1])
    assert now(store, order).payment_status is PaymentStatus.PAID, "the bank was asked what is true"
    store.orders.hear(provider="demo", headers=late_failure[0], body=late_failure[1])
    tell(store, bank, reference)
    assert now(store, order).payment_status is PaymentStatus.PAID


def test_an_event_of_an_unknown_payment_changes_nothing(
    store: Floor, ada: User, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    order, _ = second_step(store, ada)
    stranger = Bank(bank._path)
    with bank._books() as books:
        books.execute("INSERT INTO payments VALUES ('demo_x', 'x', 'S-1', 100, 'USD', 'succeeded', NULL, 1)")
    tell(store, stranger, "demo_x")
    assert now(store, order).payment_status is PaymentStatus.PENDING
    assert "demo told of demo_x, which is not known here" in caplog.messages
    with pytest.raises(NotFound, match=r"^There is no such payment provider\.$"):
        store.orders.hear(provider="stripe", headers={}, body=b"")


@pytest.mark.parametrize(
    ("told", "failure"),
    [
        (Outcome(state=PaymentState.FAILED), UNFINISHED),
        (Outcome(state=PaymentState.FAILED, failure="Stolen."), "Stolen."),
        (Outcome(state=PaymentState.ACTION_NEEDED, failure="Expired."), "Expired."),
    ],
)
def test_a_failure_that_is_told_is_made_certain_before_it_counts(
    store: Floor, ada: User, bank: Bank, told: Outcome, failure: str
) -> None:
    order, reference = second_step(store, ada)
    bank.read_event = lambda *_: ProviderEvent(reference=reference, outcome=told)  # type: ignore[method-assign]  # this bank is the test's
    store.orders.hear(provider="demo", headers={}, body=b"")
    (payment,) = payments(store, order)
    assert (payment.state, payment.failure, bank.asked[-1]) == (PaymentState.FAILED, failure, "abandon")


def test_a_success_that_is_told_gives_nothing_up(store: Floor, ada: User, bank: Bank) -> None:
    order, reference = second_step(store, ada)
    bank.approve(reference, approved=True)
    for _ in range(2):
        tell(store, bank, reference)
    assert now(store, order).payment_status is PaymentStatus.PAID
    assert "abandon" not in bank.asked


@pytest.mark.parametrize("wrong", [Money(1, "USD"), Money(999_999, "USD"), Money(2080, "EUR")])
def test_another_amount_is_no_payment(
    store: Floor, ada: User, bank: Bank, wrong: Money, caplog: pytest.LogCaptureFixture
) -> None:
    order = placed(store, ada)
    bank.wrong_amount = wrong
    attempt = pay(store, ada, order)
    assert attempt.payment is not None
    assert attempt.payment.state is PaymentState.FAILED
    assert "Another amount" in (attempt.payment.failure or "")
    assert (attempt.order.status, attempt.order.payment_status) == (Status.PENDING, PaymentStatus.FAILED)
    paid = f"{attempt.payment.id} (demo {attempt.payment.reference})"
    assert caplog.messages == [f"payment {paid}: {wrong} was taken, not {order.total}"]


def test_money_for_a_payment_that_was_thought_failed_counts(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    failed = pay(store, ada, order, DECLINED).payment
    assert failed is not None
    with bank._books() as books:
        books.execute("UPDATE payments SET state = 'succeeded', charges = 1")
    tell(store, bank, failed.reference or "")
    assert now(store, order).payment_status is PaymentStatus.PAID


def test_money_that_comes_on_top_of_another_payment_is_logged_and_changes_nothing(
    store: Floor, ada: User, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    order = placed(store, ada)
    failed = pay(store, ada, order, DECLINED).payment
    paid = pay(store, ada, order).order
    assert failed is not None
    with bank._books() as books:
        books.execute("UPDATE payments SET state = 'succeeded' WHERE reference = ?", (failed.reference,))
    tell(store, bank, failed.reference or "")
    assert now(store, order) == paid
    assert "on top of another" in caplog.text


def test_money_that_comes_while_another_payment_is_under_way_is_logged_and_changes_nothing(
    store: Floor, ada: User, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    order = placed(store, ada)
    failed = pay(store, ada, order, DECLINED).payment
    waiting = pay(store, ada, order, SECOND_STEP).order
    assert failed is not None
    with bank._books() as books:
        books.execute("UPDATE payments SET state = 'succeeded' WHERE reference = ?", (failed.reference,))
    tell(store, bank, failed.reference or "")
    assert now(store, order) == waiting
    assert caplog.messages == [f"payment {failed.id} (demo {failed.reference}) came on top of another"]


def test_money_that_comes_on_top_of_money_in_hand_is_logged_and_changes_nothing(
    store: Floor, ada: User, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    order = placed(store, ada)
    failed = pay(store, ada, order, DECLINED).payment
    paid = store.orders.record_payment(by=SYSTEM, order_id=order.id)
    assert failed is not None
    with bank._books() as books:
        books.execute("UPDATE payments SET state = 'succeeded'")
    tell(store, bank, failed.reference or "")
    assert now(store, order) == paid
    assert "on top of another" in caplog.text


# The time-out.


def test_an_order_that_is_not_paid_in_time_is_cancelled_and_everything_goes_back(store: Floor, ada: User) -> None:
    item = product(store, stock=3)
    store.catalog.create_coupon(by=SYSTEM, code="ONCE", percent=Decimal(10), max_uses_per_user=1)
    order = placed(store, ada, item=item, coupon="ONCE")
    assert on_hand(store, item) == 2
    with pytest.raises(CouponNotApplicable):
        placed(store, ada, item=item, coupon="ONCE")
    store.time.forward(minutes=29, seconds=59)
    store.work()
    assert now(store, order).status is Status.PENDING
    store.time.forward(seconds=1)
    store.mail()
    cancelled = now(store, order)
    assert (cancelled.status, cancelled.payment_status) == (Status.CANCELLED, PaymentStatus.UNPAID)
    assert (cancelled.history[-1].actor_id, cancelled.history[-1].note) == (None, NOT_PAID_IN_TIME)
    assert on_hand(store, item) == 3
    mail = store.mail()[-1]
    assert (mail.data["status"], mail.data["note"]) == ("cancelled", NOT_PAID_IN_TIME)
    assert store.orders.cancel_overdue() == 0
    placed(store, ada, item=item, coupon="ONCE")


def test_a_worker_cancels_five_orders_at_a_time(store: Floor, ada: User) -> None:
    for _ in range(8):
        placed(store, ada)
    store.time.forward(minutes=30)
    assert [store.orders.cancel_overdue(), store.orders.cancel_overdue(limit=2)] == [5, 2]
    assert [store.orders.cancel_overdue(), store.orders.cancel_overdue()] == [1, 0]


def test_an_order_that_can_not_be_read_keeps_no_other_from_being_cancelled(store: Floor, ada: User) -> None:
    orders = [placed(store, ada) for _ in range(3)]
    store.time.forward(minutes=30)
    unread: list[str] = []

    class Blind(type(store.orders)):  # type: ignore[misc]  # a class of the store's own
        """The key to the first one is lost."""

        def _opened(self, *, order_id: str) -> Any:
            if not unread:
                unread.append(order_id)
                raise Unreadable()
            return super()._opened(order_id=order_id)

    blind = Blind(**{each.name: getattr(store.orders, each.name) for each in fields(store.orders)})
    assert blind.cancel_overdue() == 3
    waiting = [order.id for order in orders if now(store, order).status is Status.PENDING]
    assert waiting == unread


def test_offline_orders_wait_for_staff(store: Floor, ada: User) -> None:
    order = placed(store, ada, payment="offline")
    store.time.forward(days=300)
    store.work()
    assert now(store, order).status is Status.PENDING


def test_guests_are_mailed_a_link_when_their_order_is_paid_or_times_out(store: Floor, bank: Bank) -> None:
    item = product(store)
    store.catalog.create_coupon(by=SYSTEM, code="GIFT", percent=Decimal(100))
    more: dict[str, Any] = {"items": [(item.id, 1)], "deliver_to": HOME, "email": "eve@example.com", "payment": "demo"}
    paid, free, late, later, stepped, last = (
        store.orders.place(by=GUEST, coupon=coupon, **more) for coupon in (None, "GIFT", None, None, None, None)
    )
    pay(store, Guest(order_id=paid.id), paid)
    pay(store, Guest(order_id=free.id), free, None)
    pay(store, Guest(order_id=later.id), later, SECOND_STEP)
    payment = pay(store, Guest(order_id=stepped.id), stepped, SECOND_STEP).payment
    assert payment is not None
    bank.approve(payment.reference or "", approved=True)
    tell(store, bank, payment.reference or "")
    payment = pay(store, Guest(order_id=last.id), last, SECOND_STEP).payment
    assert payment is not None
    bank.approve(payment.reference or "", approved=True)
    store.time.forward(minutes=30)
    store.orders.cancel_overdue()
    told = {notice.data["number"]: notice for notice in store.mail() if notice.template is Template.ORDER_STATUS}
    confirmed, cancelled = ((paid, free, stepped, last), (late, later))
    for order, status in [(each, "confirmed") for each in confirmed] + [(each, "cancelled") for each in cancelled]:
        notice = told[order.number]
        assert notice.data["status"] == status
        assert store.orders.holder(str(notice.data["link"]).partition("token=")[2]).order_id == order.id


def test_an_order_whose_owner_begins_to_pay_again_as_its_time_is_up_waits_longer(
    store: Floor, ada: User, bank: Bank
) -> None:
    order, _ = second_step(store, ada)
    up = store.time.forward(minutes=30)

    def at_once(payment: Payment) -> Outcome:
        del bank.abandon
        pay(store, ada, order, SECOND_STEP)
        return bank.abandon(payment)

    bank.abandon = at_once  # type: ignore[method-assign]  # this bank is the test's
    store.orders.cancel_overdue()
    waiting = now(store, order)
    assert (waiting.status, waiting.pay_by) == (Status.PENDING, up + timedelta(minutes=1))
    assert [each.state for each in payments(store, order)] == [PaymentState.FAILED, PaymentState.ACTION_NEEDED]
    store.time.forward(minutes=1)
    store.orders.cancel_overdue()
    assert now(store, order).status is Status.CANCELLED


def test_an_order_that_is_paid_as_its_bank_goes_down_waits_for_nothing(store: Floor, ada: User, bank: Bank) -> None:
    order, reference = second_step(store, ada)
    store.time.forward(minutes=30)

    def paid_then_down(payment: Payment) -> Outcome:
        bank.approve(reference, approved=True)
        tell(store, bank, reference)
        raise ProviderDown()

    bank.abandon = paid_then_down  # type: ignore[method-assign]  # this bank is the test's
    store.orders.cancel_overdue()
    assert (now(store, order).status, now(store, order).pay_by) == (Status.CONFIRMED, None)


def test_an_order_whose_bank_is_down_just_as_its_time_is_up_waits_a_minute_longer(
    store: Floor, ada: User, bank: Bank
) -> None:
    order, _ = second_step(store, ada)
    up = store.time.forward(minutes=30)
    bank.down = True
    assert store.orders.cancel_overdue() == 1
    assert now(store, order).pay_by == up + timedelta(minutes=1)


def test_the_time_out_gives_an_open_payment_up_at_the_bank_first(store: Floor, ada: User, bank: Bank) -> None:
    order, reference = second_step(store, ada)
    store.time.forward(minutes=30)
    store.orders.cancel_overdue()
    assert now(store, order).status is Status.CANCELLED
    bank.approve(reference, approved=True)
    store.time.forward(minutes=5)
    store.work()
    assert bank.charges() == 0
    assert refunds(store, order) == []


def test_the_time_out_gives_up_a_payment_that_its_bank_has_not_heard_of(store: Floor, ada: User, bank: Bank) -> None:
    order, bank.down = placed(store, ada), True
    pay(store, ada, order)
    bank.down = False
    store.time.forward(minutes=30)
    assert store.orders.cancel_overdue() == 1
    assert (now(store, order).status, payments(store, order)[0].state) == (Status.CANCELLED, PaymentState.FAILED)
    assert bank.asked[-2:] == ["prepare", "abandon"]


def test_money_that_came_in_the_last_moment_keeps_the_order(store: Floor, ada: User, bank: Bank) -> None:
    order, reference = second_step(store, ada)
    bank.approve(reference, approved=True)
    store.time.forward(minutes=30)
    store.orders.cancel_overdue()
    assert (now(store, order).status, now(store, order).payment_status) == (Status.CONFIRMED, PaymentStatus.PAID)
    store.time.forward(minutes=30)
    store.work()
    assert now(store, order).status is Status.CONFIRMED


def test_an_order_waits_longer_while_its_bank_is_down_and_others_are_not_kept(
    store: Floor, ada: User, bank: Bank
) -> None:
    order, _ = second_step(store, ada)
    other = placed(store, ada)
    store.time.forward(minutes=31)
    bank.down = True
    assert store.orders.cancel_overdue() == 1
    assert now(store, order).status is Status.PENDING
    assert store.orders.cancel_overdue() == 1
    assert now(store, other).status is Status.CANCELLED
    assert store.orders.cancel_overdue() == 0
    bank.down = False
    store.time.forward(minutes=1)
    store.work()
    assert now(store, order).status is Status.CANCELLED


def test_a_capture_after_the_order_was_cancelled_is_owed_back(store: Floor, ada: User, bank: Bank) -> None:
    order = placed(store, ada)
    bank.before_take = lambda: store.orders.cancel(by=ada, order_id=order.id)
    attempt = pay(store, ada, order)
    assert (attempt.order.status, attempt.order.payment_status) == (Status.CANCELLED, PaymentStatus.PAID)
    (refund,) = refunds(store, order)
    assert (refund.cause, refund.amount) == (RefundCause.LATE_PAYMENT, order.total)
    assert refund.payment_id == payments(store, order)[0].id
    assert attempt.payment is not None
    for _ in range(2):
        tell(store, bank, attempt.payment.reference or "")
    assert len(refunds(store, order)) == 1


def test_an_open_payment_of_a_cancelled_order_is_given_up(store: Floor, ada: User, bank: Bank) -> None:
    order, reference = second_step(store, ada)
    store.orders.cancel(by=ada, order_id=order.id)
    store.time.forward(minutes=1)
    store.work()
    bank.approve(reference, approved=True)
    assert (bank.charges(), payments(store, order)[0].state) == (0, PaymentState.FAILED)


@pytest.mark.parametrize("who", ["worker", "owner"])
@pytest.mark.parametrize("moment", ["before the charge", "after the charge"])
def test_a_capture_that_meets_the_cancelling_ends_paid_or_given_back(
    store: Floor, ada: User, bank: Bank, moment: str, who: str
) -> None:
    item = product(store, stock=5)
    order = placed(store, ada, item=item)

    def interfere() -> None:
        if who == "owner":
            store.orders.cancel(by=ada, order_id=order.id)
        else:
            store.time.forward(minutes=31)
            store.orders.cancel_overdue()

    if moment == "before the charge":
        bank.before_take = interfere
    else:
        bank.after_take = interfere
    pay(store, ada, order)
    check_settled(store, bank, order, item)


def check_settled(store: Floor, bank: Bank, order: Order, item: Any) -> None:
    """Paid and on its way, or cancelled with the goods on the shelf and no money kept."""
    settled, owed = now(store, order), refunds(store, order)
    if settled.status is Status.CONFIRMED:
        assert (settled.payment_status, owed, bank.charges()) == (PaymentStatus.PAID, [], 1)
        assert on_hand(store, item) == 4
    else:
        assert settled.status is Status.CANCELLED
        assert on_hand(store, item) == 5
        assert [refund.amount for refund in owed] == [order.total] * bank.charges()


def test_captures_and_time_outs_that_race_end_paid_or_given_back(store: Floor, ada: User, bank: Bank) -> None:
    for _ in range(4):
        item = product(store, stock=5)
        order, reference = placed(store, ada, item=item), ""
        attempt = pay(store, ada, order, SECOND_STEP)
        assert attempt.payment is not None
        reference = attempt.payment.reference or ""
        before = bank.charges()
        store.time.forward(minutes=31)

        def approve(reference: str = reference) -> None:
            bank.approve(reference, approved=True)
            tell(store, bank, reference)

        def cancel(order: Order = order) -> None:
            try:
                store.orders.cancel(by=ada, order_id=order.id)
            except IllegalTransition:
                return  # the worker was first

        Together(approve, store.orders.cancel_overdue, store.orders.settle_due, cancel).succeed()
        store.time.forward(minutes=5)
        store.orders.settle_due()
        settled, owed = now(store, order), refunds(store, order)
        charged = bank.charges() - before
        if settled.status is Status.CONFIRMED:
            assert (settled.payment_status, owed, charged, on_hand(store, item)) == (PaymentStatus.PAID, [], 1, 4)
        else:
            assert (settled.status, on_hand(store, item)) == (Status.CANCELLED, 5)
            assert [refund.amount for refund in owed] == [order.total] * charged


def test_a_provider_that_was_taken_away_leaves_its_payments_alone(
    store: Floor, ada: User, bank: Bank, caplog: pytest.LogCaptureFixture
) -> None:
    order, _ = second_step(store, ada)
    (payment,) = payments(store, order)
    store.orders.providers.pop("demo")  # type: ignore[attr-defined] # the floor's own dict
    store.time.forward(minutes=31)
    store.orders.settle_due()
    store.orders.cancel_overdue()
    assert now(store, order).status is Status.PENDING
    why = "The payment provider demo is not set up."
    assert caplog.messages == [
        f"payment {payment.id} can't be looked up: {why}",
        f"order {order.number} waits longer for its payment: {why}",
    ]
