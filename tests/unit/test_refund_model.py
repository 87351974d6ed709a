"""A refund goes where its table says, by the right people, and keeps its dates."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from storecore.accounts.model import SYSTEM, Guest
from storecore.accounts.permissions import Role
from storecore.errors import AlreadyDecided, Forbidden, IllegalTransition, Invalid, PreconditionFailed
from storecore.money import Money
from storecore.orders.model import Order, PaymentStatus
from storecore.orders.refund import NEXT, Disposition, Refund, RefundStatus
from storecore.testing.builders import NOW, ids, make_order, make_product, make_refund, make_user

LATER = NOW + timedelta(days=1)
new_id = ids()
ADA = make_user(new_id)
ORDER = make_order(new_id, [make_product(new_id, category_ids=["c1"])], customer=ADA)


def refund(**changes: Any) -> Refund:
    return make_refund(new_id, ORDER, **changes)


def _approved(asked: Refund, **more: Any) -> Refund:
    fields: dict[str, Any] = {
        "by": SYSTEM,
        "at": LATER,
        "items": asked.items,
        "shipping": asked.shipping,
        "shipping_tax": asked.shipping_tax,
    }
    return asked.approve(**(fields | more))


MOVES: dict[RefundStatus, Callable[[Refund], Refund]] = {
    RefundStatus.APPROVED: _approved,
    RefundStatus.REJECTED: lambda refund: refund.reject(by=SYSTEM, at=LATER),
    RefundStatus.WITHDRAWN: lambda refund: refund.withdraw(at=LATER),
    RefundStatus.RECEIVED: lambda refund: refund.receive(at=LATER, disposition=Disposition.SCRAP),
    RefundStatus.REFUNDED: lambda refund: refund.paid_out(at=LATER),
}


@pytest.mark.parametrize("start", RefundStatus)
@pytest.mark.parametrize("end", MOVES)
def test_a_refund_goes_where_the_table_says_and_nowhere_else(start: RefundStatus, end: RefundStatus) -> None:
    before = refund(status=start)
    if end in NEXT[start]:
        after = MOVES[end](before)
        assert (after.status, after.version) == (end, before.version + 1)
    else:
        with pytest.raises((AlreadyDecided, IllegalTransition)):
            MOVES[end](before)


def test_every_step_keeps_its_time() -> None:
    approved = _approved(refund(), note=" Fine\r\nthen ")
    assert (approved.decided_at, approved.decision_note, approved.owed_since) == (LATER, "Fine\nthen", None)
    received = approved.receive(at=LATER + timedelta(days=1), disposition=Disposition.RESTOCK)
    assert received.owed_since == received.received_at == LATER + timedelta(days=1)
    owed = received.owe(payment_id="p", at=LATER).not_paid_out("No funds.", again_at=LATER)
    assert (owed.payout_at, owed.payout_problem, owed.payment_id) == (LATER, "No funds.", "p")
    paid = owed.paid_out(at=LATER)
    assert (paid.refunded_at, paid.payout_at, paid.payout_problem, paid.owed_since) == (LATER, None, None, None)
    assert _approved(refund(), expect_return=False).owed_since == LATER


def test_every_decision_keeps_who_made_it_when_and_why() -> None:
    rejected = refund().reject(by=SYSTEM, at=LATER, note="Worn")
    assert (rejected.decided_at, rejected.decided_by, rejected.decision_note) == (LATER, None, "Worn")
    withdrawn = refund().withdraw(at=LATER)
    assert (withdrawn.status, withdrawn.decided_at) == (RefundStatus.WITHDRAWN, LATER)
    asked = refund()
    shipping, shipping_tax = Money(1000, "USD"), Money(80, "USD")
    staff = make_user(new_id)
    approved = _approved(asked, by=staff, shipping=shipping, shipping_tax=shipping_tax, items=(), expect_return=False)
    assert (approved.items, approved.shipping, approved.shipping_tax) == ((), shipping, shipping_tax)
    assert (approved.decided_by, approved.expect_return) == (staff.id, False)
    received = _approved(asked).receive(at=LATER, disposition=Disposition.SCRAP)
    assert (received.received_at, received.disposition) == (LATER, Disposition.SCRAP)


def test_its_money_is_owed_from_its_approval_or_from_when_the_goods_are_back() -> None:
    for status in set(RefundStatus) - {RefundStatus.APPROVED, RefundStatus.RECEIVED}:
        assert refund(status=status, expect_return=False, decided_at=NOW, received_at=NOW).owed_since is None
    approved = {"status": RefundStatus.APPROVED, "decided_at": LATER}
    assert refund(**approved, expect_return=True).owed_since is None
    assert refund(**approved, expect_return=False).owed_since == LATER


def test_what_keeps_a_provider_from_paying_out_is_noted_in_short() -> None:
    put_off = refund().not_paid_out("x" * 501, again_at=LATER)
    assert (put_off.payout_problem, put_off.payout_at, put_off.version) == ("x" * 500, LATER, 2)


def test_no_money_goes_back_before_somebody_agreed() -> None:
    with pytest.raises(IllegalTransition, match=r"^The refund is requested; it can't become refunded\.$"):
        refund().paid_out(at=LATER)


def test_what_was_decided_or_withdrawn_stays_so() -> None:
    for over in (refund().withdraw(at=LATER), refund().reject(by=SYSTEM, at=LATER), _approved(refund())):
        for decide in (_approved, MOVES[RefundStatus.REJECTED], MOVES[RefundStatus.WITHDRAWN]):
            with pytest.raises(AlreadyDecided, match=f"The refund is {over.status} already"):
                decide(over)


def test_what_is_owed_through_a_payment_is_due_at_once() -> None:
    owed = _approved(refund(), expect_return=False).owe(payment_id="p", at=LATER)
    assert (owed.payment_id, owed.payout_at) == ("p", LATER)


def test_a_refund_is_open_while_something_is_to_happen() -> None:
    over = {RefundStatus.REJECTED, RefundStatus.WITHDRAWN, RefundStatus.REFUNDED}
    assert {status for status in RefundStatus if not refund(status=status).is_open} == over


def test_an_erased_refund_says_nothing_of_what_was_said() -> None:
    erased = refund(decision_note="Worn").erased()
    assert (erased.reason, erased.decision_note, erased.version) == ("", None, 2)


def test_nobody_decides_their_own() -> None:
    admin = make_user(new_id, id=ADA.id, role=Role.ADMIN)
    for status in (RefundStatus.REQUESTED, RefundStatus.REJECTED):
        with pytest.raises(Forbidden, match=r"^Nobody decides a refund of their own order\.$"):
            _approved(refund(status=status), by=admin)
        with pytest.raises(Forbidden):
            refund(status=status).reject(by=admin, at=LATER)
    assert _approved(refund(customer_id=None), by=admin).decided_by == admin.id


def test_goods_are_received_once_and_only_when_expected() -> None:
    received = MOVES[RefundStatus.RECEIVED](_approved(refund()))
    for again in (received, received.paid_out(at=LATER)):
        with pytest.raises(AlreadyDecided, match=r"^These goods were received before\.$"):
            again.receive(at=LATER, disposition=Disposition.SCRAP)
    with pytest.raises(IllegalTransition, match="The refund is approved; no goods are expected back for it"):
        _approved(refund(), expect_return=False).receive(at=LATER, disposition=Disposition.SCRAP)


def test_a_refund_belongs_to_its_customer_or_to_who_holds_its_order() -> None:
    assert refund().belongs_to(ADA)
    assert refund().belongs_to(Guest(order_id=ORDER.id))
    for stranger in (make_user(new_id), Guest(), Guest(order_id="other"), SYSTEM):
        assert not refund().belongs_to(stranger)
    assert not refund(customer_id=None).belongs_to(SYSTEM)


def test_texts_are_bounded_and_a_version_can_be_expected() -> None:
    for changes in ({"reason": "x" * 2001}, {"decision_note": "x" * 2001}, {"reason": "a\x00b"}):
        with pytest.raises(Invalid):
            refund(**changes)
    longest = refund(reason="x\n" + "y" * 1998, decision_note="x\n" + "y" * 1998)
    assert (len(longest.reason), len(longest.decision_note or "")) == (2000, 2000)
    for changes, field in (({"reason": "x" * 2001}, "reason"), ({"decision_note": "x" * 2001}, "note")):
        with pytest.raises(Invalid) as refused:
            refund(**changes)
        assert [name for name, _ in refused.value.errors] == [field]
    refund().expect(None)
    refund().expect(1)
    with pytest.raises(PreconditionFailed):
        refund().expect(2)


def test_amounts_are_sums_of_parts() -> None:
    asked = refund(shipping=Money(1000, "USD"), shipping_tax=Money(80, "USD"))
    assert asked.amount == asked.items[0].amount + Money(1000, "USD")
    assert asked.tax == asked.items[0].tax + Money(80, "USD")


def _paid() -> Order:
    return ORDER.record_payment()


def test_an_order_is_refunded_part_by_part_and_never_beyond_what_was_paid() -> None:
    part = _paid().refund(Money(1, "USD"))
    assert (part.payment_status, part.version) == (PaymentStatus.PARTLY_REFUNDED, _paid().version + 1)
    whole = part.refund(ORDER.total - Money(1, "USD"))
    assert (whole.payment_status, whole.refunded) == (PaymentStatus.REFUNDED, ORDER.total)
    assert _paid().refund(Money(0, "USD")).payment_status is PaymentStatus.PAID
    for order, amount in ((whole, 1), (_paid(), -1), (ORDER, 1), (part, ORDER.total.minor)):
        with pytest.raises(ValueError, match="can't be given back"):
            order.refund(Money(amount, "USD"))
