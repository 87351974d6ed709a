"""Orders as trade leaves them: placed by the real pricing, moved by the real transitions, paid, given back."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from storecore.accounts.model import SYSTEM, Actor, User
from storecore.catalog.coupon import Coupon
from storecore.catalog.model import Product
from storecore.orders import repaying
from storecore.orders.model import Order, Status
from storecore.orders.payment import FIRST_CHECK, Outcome, Payment, PaymentState
from storecore.orders.refund import Refund, RefundCause
from storecore.ports import NewId
from storecore.pricing import price
from storecore.testing.builders import NOW, make_address, make_order, make_payment, make_refund, make_user
from storecore.testing.strategies.amounts import currencies, moments, new_ids
from storecore.testing.strategies.catalog import coupons, products, quantities
from storecore.testing.strategies.pricing import PLACES, shipping_policies, tax_policies
from storecore.testing.strategies.refunds import Returns, refund_sequences

ONLINE = "demo"
"""The payment provider that drawn orders are paid with, unless by hand."""

_SOON = st.timedeltas(timedelta(minutes=1), timedelta(days=2))
_PLACES = st.sampled_from([place for place in PLACES if place[0]])
_ALONG = (Status.PENDING, Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED)
_NOTES = st.sampled_from(("Ring twice.", "Kapıyı çalın:\niki kez"))
_DECLINED = Outcome(state=PaymentState.FAILED, failure="The card was declined.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """An order, and whatever belongs to it or is referred to by it."""

    order: Order
    products: tuple[Product, ...]
    customer: User | None = None
    coupon: Coupon | None = None
    payments: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()


@st.composite
def placed_trades(draw: DrawFn, *, currency: str | None = None, most: int = 4) -> Trade:
    """An order of up to ``most`` products that was just placed, by a customer or a guest, by any policies."""
    new_id, currency = draw(new_ids()), currency or draw(currencies())
    plain: dict[str, Any] = {
        **{"name": "Thing", "description": "", "attributes": {}, "images": (), "group": None},
        **{"is_active": True, "created_at": NOW},
    }
    bought = draw(st.lists(products(currency=currency, **plain), min_size=1, max_size=most))
    unlimited: dict[str, Any] = {
        **{"starts_at": None, "ends_at": None, "min_spend": None, "is_active": True},
        **{"max_uses": None, "max_uses_per_user": None},
    }
    coupon = draw(st.none() | coupons(currency=currency, **unlimited))
    customer = make_user(new_id) if draw(st.booleans()) else None
    country, region = draw(_PLACES)
    address, at = make_address(country=country, region=region or None), draw(moments())
    quote = price(
        [each.basket(draw(quantities()), at) for each in bought],
        currency=currency,
        shipping=draw(shipping_policies(currency=currency)),
        tax=draw(tax_policies()),
        discounts=[coupon.discount] if coupon else [],
        where=address.destination,
    )
    order = make_order(
        new_id,
        bought,
        customer=customer,
        quote=quote,
        at=at,
        delivery_address=address,
        note=draw(st.none() | _NOTES),
        coupon_id=coupon.id if coupon else None,
        coupon_code=coupon.code if coupon else None,
    )
    return Trade(order=order, products=tuple(bought), customer=customer, coupon=coupon)


@st.composite
def trades(draw: DrawFn, *, status: Status | None = None, currency: str | None = None, most: int = 4) -> Trade:
    """An order in any status, or in this one, on any way that leads there: paid online or by hand, or not; given back.

    Its payments and refunds are those of that way, and agree with it.
    """
    course = _Course(draw, draw(placed_trades(currency=currency, most=most)))
    to = draw(st.sampled_from((*Status, Status.DELIVERED))) if status is None else status
    if to is Status.CANCELLED:
        course.go(draw(st.sampled_from(_ALONG[:3])))
        course.cancel()
    else:
        course.go(to)
    if to is Status.DELIVERED:
        course.give_back()
    return course.trade


def orders(*, status: Status | None = None, currency: str | None = None, most: int = 4) -> SearchStrategy[Order]:
    """The order of any of the :func:`trades`."""
    return trades(status=status, currency=currency, most=most).map(lambda trade: trade.order)


class _Course:
    """An order on its way. What happens is drawn; what comes of it is the entities' business."""

    def __init__(self, draw: DrawFn, placed: Trade) -> None:
        self._draw = draw
        self._placed = placed
        self._new_id: NewId = draw(new_ids())
        self._order = placed.order
        self._at: datetime = placed.order.created_at
        self._payments: list[Payment] = []
        self._refunds: list[Refund] = []

    @property
    def trade(self) -> Trade:
        """As it is now."""
        return replace(self._placed, order=self._order, payments=tuple(self._payments), refunds=tuple(self._refunds))

    def go(self, to: Status) -> None:
        """Forward to a status, paid for on the way, or at its end if by hand."""
        if self._draw(st.booleans()):
            self._pay_online(succeeds=to is not Status.PENDING)
        elif self._draw(st.booleans()):
            self._order = self._order.record_payment()
        for status in _ALONG[_ALONG.index(self._order.status) + 1 : _ALONG.index(to) + 1]:
            self._advance(status)

    def cancel(self) -> None:
        """Stop it; money that was taken, or comes too late, goes back."""
        by = self._draw(st.sampled_from((SYSTEM, self._placed.customer or SYSTEM)))
        self._order = self._order.cancel(by=by, at=self._later(), note=self._note())
        waiting = any(not each.state.final for each in self._payments)
        if waiting and self._draw(st.booleans()):
            self._settle(taken=self._draw(st.booleans()))
        if self._order.owed and self._draw(st.booleans()):
            self._repay(RefundCause.LATE_PAYMENT if waiting else RefundCause.CANCELLATION)

    def give_back(self) -> None:
        """Refunds of what was delivered, however they were decided."""
        steps = self._draw(refund_sequences(self._order, legal=True, most=6))
        returns = Returns(self._order, self._new_id)
        returns.carry_out(steps)
        self._order, self._refunds = returns.order, returns.refunds

    def _pay_online(self, *, succeeds: bool) -> None:
        if self._order.total:
            for _ in range(self._draw(st.integers(0, 2))):
                self._begin()
                self._settle(taken=False)
        if not self._order.total:
            self._order = self._order.await_payment(ONLINE, pay_by=self._pay_by())
        elif succeeds or self._draw(st.booleans()):
            self._begin()
        if succeeds and self._order.total:
            self._settle(taken=True)
        elif succeeds:
            self._order = self._order.capture(by=SYSTEM, at=self._later())

    def _begin(self) -> None:
        self._order = self._order.await_payment(ONLINE, pay_by=self._pay_by())
        at = self._later()
        payment = make_payment(self._new_id, self._order, provider=ONLINE, created_at=at, check_at=at + FIRST_CHECK)
        if self._draw(st.booleans()):
            payment = payment.prepared(f"{ONLINE}-{payment.id}")
        self._payments.append(payment)

    def _settle(self, *, taken: bool) -> None:
        payment = self._payments[-1]
        outcome = Outcome(state=PaymentState.SUCCEEDED, amount=payment.amount) if taken else _DECLINED
        self._payments[-1] = payment.settled(outcome, check_at=None)
        if taken:
            self._order = self._order.capture(by=SYSTEM, at=self._later())
        else:
            self._order = self._order.fail_payment()

    def _advance(self, to: Status) -> None:
        by: Actor = SYSTEM
        at, note = self._later(), self._note()
        if to is Status.CONFIRMED:
            self._order = self._order.confirm(by=by, at=at, note=note)
        elif to is Status.PROCESSING:
            self._order = self._order.process(by=by, at=at, note=note)
        elif to is Status.SHIPPED:
            carrier = self._draw(st.sampled_from((None, "Postal Service")))
            self._order = self._order.ship(by=by, at=at, note=note, carrier=carrier)
        else:
            self._order = self._order.deliver(by=by, at=at, note=note)

    def _repay(self, cause: RefundCause) -> None:
        shipping, shipping_tax = repaying.shipping_paid(self._order)
        refund = make_refund(
            self._new_id,
            self._order,
            items=repaying.whole(self._order),
            shipping=shipping,
            shipping_tax=shipping_tax,
            cause=cause,
            reason="",
            created_at=self._at,
        )
        at = self._later()
        approved = refund.approve(
            by=SYSTEM,
            at=at,
            items=refund.items,
            shipping=shipping,
            shipping_tax=shipping_tax,
            expect_return=False,
        )
        self._refunds.append(approved.paid_out(at=at))
        self._order = self._order.refund(refund.amount)

    def _later(self) -> datetime:
        self._at += self._draw(_SOON)
        return self._at

    def _pay_by(self) -> datetime:
        return self._order.pay_by or self._at + timedelta(minutes=30)

    def _note(self) -> str | None:
        return self._draw(st.none() | _NOTES)
