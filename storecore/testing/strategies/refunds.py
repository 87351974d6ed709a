"""What people may ask of a delivered order's money: requests and decisions, each of them legal or not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from storecore.accounts.model import SYSTEM
from storecore.errors import NotReturnable
from storecore.money import Money
from storecore.orders import repaying
from storecore.orders.model import Order
from storecore.orders.refund import APPROVED, Disposition, Refund, RefundStatus
from storecore.ports import NewId
from storecore.testing.builders import make_refund

_NOTHING: Mapping[str, int] = MappingProxyType({})
_HOUR = timedelta(hours=1)


class Ask(StrEnum):
    """What somebody may want of a refund."""

    REQUEST = "request"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    RECEIVE = "receive"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundStep:
    """One thing that is asked for. ``which`` counts requests that were legal, from 0; a new one has the next number.

    ``units`` by line are what a request is about; an approval says whether ``shipping`` is given back too, and whether
    goods have to come back first. ``legal``: after the steps before it, it succeeds.
    """

    ask: Ask
    which: int
    units: Mapping[str, int] = field(default_factory=lambda: _NOTHING, hash=False)
    shipping: bool = False
    expect_return: bool = True
    disposition: Disposition = Disposition.RESTOCK
    legal: bool = True


@dataclass(slots=True)
class _Desk:
    """Where the requests are by now, as the rules say."""

    order: Order
    requests: list[RefundStep] = field(default_factory=list)
    states: list[RefundStatus] = field(default_factory=list)
    reserved: Counter[str] = field(default_factory=Counter)
    returns_goods: set[int] = field(default_factory=set)
    shipping_is_back: bool = False

    @property
    def left(self) -> Mapping[str, int]:
        """Units by line that nobody has asked for."""
        return {line.id: line.quantity - self.reserved[line.id] for line in self.order.lines}

    def allows(self, step: RefundStep) -> bool:
        """Whether it is to succeed."""
        if step.ask is Ask.REQUEST:
            return all(units <= self.left[line_id] for line_id, units in step.units.items())
        again = step.ask is Ask.APPROVE and step.shipping and self.shipping_is_back
        return self.may_allow(step.ask, step.which) and not again

    def may_allow(self, ask: Ask, which: int) -> bool:
        """Whether it depends on the details."""
        if ask is Ask.REQUEST:
            return any(self.left.values())
        if ask is Ask.RECEIVE:
            return self.states[which] is RefundStatus.APPROVED and which in self.returns_goods
        return self.states[which] is RefundStatus.REQUESTED

    def note(self, step: RefundStep) -> None:
        """It was done."""
        if step.ask is Ask.REQUEST:
            self.requests.append(step)
            self.states.append(RefundStatus.REQUESTED)
            self.reserved.update(step.units)
            return
        if step.ask is Ask.APPROVE:
            self.shipping_is_back |= step.shipping and bool(repaying.shipping_paid(self.order)[0])
            if step.expect_return:
                self.returns_goods.add(step.which)
        elif step.ask is not Ask.RECEIVE:
            self.reserved.subtract(self.requests[step.which].units)
        self.states[step.which] = _AFTER[step.ask]


_AFTER: Mapping[Ask, RefundStatus] = MappingProxyType(
    {
        Ask.APPROVE: RefundStatus.APPROVED,
        Ask.REJECT: RefundStatus.REJECTED,
        Ask.WITHDRAW: RefundStatus.WITHDRAWN,
        Ask.RECEIVE: RefundStatus.RECEIVED,
    }
)


@st.composite
def refund_sequences(draw: DrawFn, order: Order, *, legal: bool = False, most: int = 8) -> list[RefundStep]:
    """Up to ``most`` things that are asked of an order; only legal ones if ``legal``. The first is a request.

    Steps that are not legal are to be refused, and change nothing: the next ones are judged as if they were not there.
    """
    desk = _Desk(order)
    steps: list[RefundStep] = []
    for _ in range(draw(st.integers(0, most))):
        known = range(len(desk.states))
        choices = [(Ask.REQUEST, len(known)), *((ask, which) for which in known for ask in _AFTER)]
        choices = [each for each in choices if not legal or desk.may_allow(*each)]
        if not choices:
            break
        ask, which = draw(st.sampled_from(choices))
        beyond = 0 if legal else 1
        step = draw(_requests(desk.left, which, beyond) if ask is Ask.REQUEST else _decisions(ask, which))
        allowed = desk.allows(step)
        if allowed:
            desk.note(step)
        if allowed or not legal:
            steps.append(replace(step, legal=allowed))
    return steps


def _requests(left: Mapping[str, int], which: int, beyond: int) -> SearchStrategy[RefundStep]:
    """Some units of some lines, perhaps so many ``beyond`` those that are left."""
    lines = [line_id for line_id, units in left.items() if units + beyond > 0]
    picked = st.sampled_from(lines).flatmap(lambda each: st.tuples(st.just(each), st.integers(1, left[each] + beyond)))
    units = st.lists(picked, min_size=1, max_size=3, unique_by=lambda pair: pair[0]).map(dict)
    return st.builds(RefundStep, ask=st.just(Ask.REQUEST), which=st.just(which), units=units)


def _decisions(ask: Ask, which: int) -> SearchStrategy[RefundStep]:
    return st.builds(
        RefundStep,
        ask=st.just(ask),
        which=st.just(which),
        units=st.just(_NOTHING),
        shipping=st.booleans() if ask is Ask.APPROVE else st.just(False),
        expect_return=st.booleans() if ask is Ask.APPROVE else st.just(True),
        disposition=st.sampled_from(Disposition) if ask is Ask.RECEIVE else st.just(Disposition.RESTOCK),
    )


@st.composite
def whole_returns(draw: DrawFn, order: Order) -> list[dict[str, int]]:
    """Refunds of some units each, by line, that together take back every unit."""
    left = {line.id: line.quantity for line in order.lines}
    steps = []
    for _ in range(draw(st.integers(0, 5))):
        step = {line_id: draw(st.integers(0, units)) for line_id, units in left.items()}
        steps.append({line_id: units for line_id, units in step.items() if units})
        left = {line_id: units - step[line_id] for line_id, units in left.items()}
    return [step for step in (*steps, {line_id: units for line_id, units in left.items() if units}) if step]


class Returns:
    """Carries refund steps out on an order that was delivered and paid by hand, an hour after one another.

    ``order`` and ``refunds`` are what came of them. Raises what the rules raise for a step that is not legal.
    """

    def __init__(self, order: Order, new_id: NewId) -> None:
        self.order = order
        self.refunds: list[Refund] = []
        self._new_id = new_id
        self._at: datetime = order.history[-1].at

    def carry_out(self, steps: Sequence[RefundStep]) -> None:
        """One after the other."""
        for step in steps:
            self._at += _HOUR
            if step.ask is Ask.REQUEST:
                self._request(step)
            else:
                self.refunds[step.which] = self._decided(self.refunds[step.which], step)

    def _request(self, step: RefundStep) -> None:
        repaying.refuse_too_many(self.order, step.units, self.refunds)
        before = repaying.approved_units(self.refunds)
        items = repaying.items(self.order, step.units, before=before)
        self.refunds.append(make_refund(self._new_id, self.order, items=items, created_at=self._at))

    def _decided(self, refund: Refund, step: RefundStep) -> Refund:
        if step.ask is Ask.REJECT:
            return refund.reject(by=SYSTEM, at=self._at)
        if step.ask is Ask.WITHDRAW:
            return refund.withdraw(at=self._at)
        if step.ask is Ask.RECEIVE:
            return self._paid_out(refund.receive(at=self._at, disposition=step.disposition))
        approved = self._approved(refund, step)
        return approved if step.expect_return else self._paid_out(approved)

    def _approved(self, refund: Refund, step: RefundStep) -> Refund:
        before = repaying.approved_units(self.refunds)
        shipping, shipping_tax = repaying.shipping_paid(self.order)
        nothing = Money.zero(self.order.currency)
        approved = refund.approve(
            by=SYSTEM,
            at=self._at,
            items=repaying.items(self.order, refund.quantities, before=before),
            shipping=shipping if step.shipping else nothing,
            shipping_tax=shipping_tax if step.shipping else nothing,
            expect_return=step.expect_return,
        )
        if step.shipping and any(each.shipping for each in self.refunds if each.status in APPROVED):
            raise NotReturnable("The shipping was given back before.")
        return approved

    def _paid_out(self, refund: Refund) -> Refund:
        self.order = self.order.refund(refund.amount)
        return refund.paid_out(at=self._at)
