"""Money through the machine's bank: customers pay, and the shop hears of it at once, twice, late or never."""

from contextlib import suppress
from datetime import timedelta
from functools import partial
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, multiple, precondition, rule

from storecore.errors import AlreadyPaid, EventForged, IllegalTransition, PaymentInProgress, ProviderDown, StoreError
from storecore.orders.model import NOT_PAID_IN_TIME, Status
from storecore.orders.paying import Attempt
from storecore.orders.payment import Payment, PaymentState
from storecore.orders.refund import Refund, RefundStatus
from storecore.testing.machine.bank import NAME, SIGNED, Card, Trouble
from storecore.testing.machine.buying import Buying
from storecore.testing.machine.fulfilment import Fulfilment
from storecore.testing.machine.scene import Sale, Shopper, people, quantities, sales, waits, wares
from storecore.transactions import Once, Replayed

cards = st.sampled_from(Card)
troubles = st.none() | st.tuples(
    st.sampled_from(("prepare", "take", "look_up", "abandon", "give_back")), st.sampled_from(Trouble)
)
"""Which of the bank's methods goes wrong, and how."""


class Paying(Buying, Fulfilment):
    """What is asked of the bank has a known answer; what the shop finds out later is held against the bank's books."""

    @rule(sale=sales, card=cards, trouble=troubles, again=st.booleans())
    def pay(self, sale: Sale, card: Card, trouble: tuple[str, Trouble] | None, again: bool) -> None:
        """Perhaps sending the same request a second time, when the bank can be reached."""
        once = Once(scope="machine", key=str(uuid4()), fingerprint=b"pay", render=lambda _: b"paid")
        pay = partial(
            self.store.orders.pay,
            by=sale.buyer.owning(sale.placed),
            order_id=sale.placed.id,
            provider=NAME,
            token=card,
            once=once,
        )
        refusal = self._refusal_to_pay(sale, trouble)
        with self.bank.troubled(trouble):
            attempt = self.attempt(refusal, pay)
        if attempt is not None:
            sale.online, sale.pay_by = True, sale.pay_by or self.clock() + self.store.shop.payment_timeout
            self._check_attempt(attempt, card, trouble)
            if again:
                self._send_again(pay)
        self.learn()

    @rule(target=sales, who=people, which=wares, quantity=quantities, card=cards, trouble=troubles)
    def order_online(
        self, who: Shopper, which: int, quantity: int, card: Card, trouble: tuple[str, Trouble] | None
    ) -> MultipleResults[Sale]:
        """Order and pay in one go, as most people do; what runs short is restocked first."""
        ware = self.wares[which]
        if ware.stock < quantity:
            self.store.catalog.adjust_stock(by=self.staff, product_id=ware.id, change=quantity, reason="delivered")
            ware.stock += quantity
        sale = self.buy(who, [(which, quantity)], None)
        if sale is None:
            return multiple()
        self.pay(sale, card, trouble, again=False)
        return multiple(sale)

    def _refusal_to_pay(self, sale: Sale, trouble: tuple[str, Trouble] | None) -> type[StoreError] | None:
        payment = next((each for each in self._payments(sale) if not each.state.final), None)
        if sale.paid:
            return AlreadyPaid
        if payment and payment.state is PaymentState.SUBMITTED:
            return PaymentInProgress
        if payment and trouble and trouble[0] == "abandon":
            return ProviderDown
        if payment and self.bank.accounts[payment.id].taken:
            return AlreadyPaid
        return None if sale.status is Status.PENDING else IllegalTransition

    def _check_attempt(self, attempt: Attempt, card: Card, trouble: tuple[str, Trouble] | None) -> None:
        if attempt.payment is None:
            assert not attempt.order.total
        elif trouble and trouble[0] in {"prepare", "take"}:
            assert attempt.payment.state is PaymentState.SUBMITTED
        else:
            assert (
                attempt.payment.state
                is {
                    Card.GOOD: PaymentState.SUCCEEDED,
                    Card.DECLINED: PaymentState.FAILED,
                    Card.SECOND_STEP: PaymentState.ACTION_NEEDED,
                }[card]
            )

    @staticmethod
    def _send_again(pay: "partial[Attempt]") -> None:
        """The request that was answered is replayed; one that was left open goes on, and takes nothing twice."""
        with suppress(Replayed):
            pay()

    @precondition(lambda self: self.bank.accounts)
    @rule(which=st.integers(0, 7), approved=st.booleans(), told=st.booleans())
    def second_step(self, which: int, approved: bool, told: bool) -> None:
        """A customer answers the bank; the shop does not know yet, or is told at once."""
        accounts = [each for each in self.bank.accounts.values() if each.challenged and not each.outcome.state.final]
        if accounts:
            self.bank.approve(accounts[which % len(accounts)], approved=approved)
            if told:
                self.hear(0, trouble=None)

    @precondition(lambda self: self.bank.told)
    @rule(back=st.integers(0, 7), trouble=troubles)
    def hear(self, back: int, trouble: tuple[str, Trouble] | None) -> None:
        """One of the latest events, or an old one again. One that nobody signed is refused."""
        body = self.bank.told[-1 - back % len(self.bank.told)]
        hear = partial(self.store.orders.hear, provider=NAME, body=body)
        self.attempt(EventForged, lambda: hear(headers={"Signature": "me"}))
        with self.bank.troubled(trouble):
            try:
                hear(headers=SIGNED)
            except ProviderDown:
                assert trouble is not None
                assert trouble[0] == "abandon"
        self.learn()

    @rule(wait=st.none() | waits, trouble=troubles)
    def work(self, wait: timedelta | None, trouble: tuple[str, Trouble] | None) -> None:
        """The worker does all that is due, perhaps after a while, as far as the bank answers."""
        if wait and self.nothing_is_forgotten_within(wait):
            self.later(wait)
        self.do_work(trouble)

    @rule()
    def work_as_usual(self) -> None:
        """Nothing is wrong, and no time has passed. (The rule without arguments is the one that is run most often.)"""
        self.do_work()

    def do_work(self, trouble: tuple[str, Trouble] | None = None) -> None:
        """What is due; then every order that wants an invoice has one."""
        with self.bank.troubled(trouble):
            while self.store.work():
                pass
        self.learn(worked=True)
        with self.reading() as unit:
            assert not unit.invoices.due(1)
        if trouble is None:
            self._check_nothing_is_left()

    def _check_nothing_is_left(self) -> None:
        """Nobody is asked, waited for or owed any more; a payout that went wrong before may wait for another try."""
        now = self.clock()
        with self.reading() as unit:
            for order_id in self.sales:
                order = unit.orders.get(order_id)
                assert order.status is not Status.PENDING or order.pay_by is None or order.pay_by > now
                assert all(each.check_at is None or each.check_at > now for each in unit.payments.of_order(order_id))
                owed = [each for each in unit.refunds.of_order(order_id) if each.payout_at is not None]
                assert all(each.payout_problem and each.payout_at and each.payout_at > now for each in owed)

    def _payments(self, sale: Sale) -> list[Payment]:
        with self.reading() as unit:
            return list(unit.payments.of_order(sale.placed.id))

    def learn(self, *, worked: bool = False) -> None:
        """Note what the shop has found out: that money came, went back, or did not come in time, if it is true."""
        with self.reading() as unit:
            seen = [
                (sale, unit.orders.get(order_id), unit.payments.of_order(order_id), unit.refunds.of_order(order_id))
                for order_id, sale in self.sales.items()
            ]
        for sale, order, payments, refunds in seen:
            if not sale.paid and (any(map(self._came, payments)) or (sale.online and not order.total)):
                sale.paid, sale.pay_by = True, None
                if sale.status is Status.PENDING:
                    sale.status = Status.CONFIRMED
            if worked and order.status is Status.CANCELLED and sale.status is Status.PENDING:
                assert sale.pay_by is not None
                assert sale.pay_by <= self.clock()
                assert order.history[-1].note == NOT_PAID_IN_TIME
                assert not any(account.taken for account in self.bank.of_order(order.id))
                self._moved(sale, Status.CANCELLED)
            for refund in refunds:
                self._went_back(sale, refund)

    def _came(self, payment: Payment) -> bool:
        """Whether the shop counts a payment as paid; only what the bank has taken is."""
        came = payment.state is PaymentState.SUCCEEDED
        assert not came or self.bank.accounts[payment.id].taken == payment.amount.minor
        return came

    def _went_back(self, sale: Sale, refund: Refund) -> None:
        """Only what the bank has given back is refunded."""
        if refund.status is RefundStatus.REFUNDED and refund.payment_id and refund.id not in sale.repaid:
            assert self.bank.accounts[refund.payment_id].given_back[refund.id] == refund.amount.minor
            sale.repaid.add(refund.id)
            sale.refunded += refund.amount.minor
