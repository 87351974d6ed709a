"""How much is given back for some units of an order, by examples; the properties are in tests/properties."""

from dataclasses import replace
from decimal import Decimal

import pytest

from storecore.errors import NotReturnable
from storecore.orders import repaying
from storecore.orders.model import Order
from storecore.orders.refund import RefundStatus
from storecore.testing.builders import ids, make_order, make_product, make_refund, usd

new_id = ids()
HAT, CAP, TIE = (
    make_product(new_id, category_ids=["c1"], name=name, sku=name.upper()) for name in ("Hat", "Cap", "Tie")
)
ORDER = make_order(new_id, [HAT, CAP, TIE], quantities={HAT.id: 3, CAP.id: 2})
LINES = {line.sku: line for line in ORDER.lines}


def taxed(**rates: int) -> Order:
    """The order with other tax rates for some of its lines."""
    lines = tuple(
        replace(line, tax_rate=Decimal(rates[line.sku]), tax=usd(rates[line.sku])) if line.sku in rates else line
        for line in ORDER.lines
    )
    return make_order(new_id, [HAT, CAP, TIE], lines=lines, shipping_tax=usd(50), shipping_tax_rate=Decimal(5))


def test_units_that_are_asked_for_twice_are_refused_with_what_is_left() -> None:
    taken = [
        make_refund(new_id, ORDER, {LINES["HAT"].id: 1}),
        make_refund(new_id, ORDER, {LINES["HAT"].id: 1, LINES["CAP"].id: 1}, status=RefundStatus.APPROVED),
        make_refund(new_id, ORDER, {LINES["HAT"].id: 3}, status=RefundStatus.REJECTED),
        make_refund(new_id, ORDER, {LINES["HAT"].id: 3}, status=RefundStatus.WITHDRAWN),
    ]
    repaying.refuse_too_many(ORDER, {LINES["HAT"].id: 1, LINES["CAP"].id: 1, LINES["TIE"].id: 1}, taken)
    taken.append(make_refund(new_id, ORDER, {LINES["CAP"].id: 1}, status=RefundStatus.REQUESTED))
    repaying.refuse_too_many(ORDER, {LINES["HAT"].id: 1}, taken)
    with pytest.raises(NotReturnable, match=r"^Of Tie \(TIE\), 1 of 1 can be returned\.$"):
        repaying.refuse_too_many(ORDER, {LINES["TIE"].id: 2}, taken)
    taken.pop()
    with pytest.raises(NotReturnable) as refused:
        repaying.refuse_too_many(ORDER, {LINES["HAT"].id: 2, LINES["CAP"].id: 2, LINES["TIE"].id: 1}, taken)
    assert refused.value.message == ("Of Hat (HAT), 1 of 3 can be returned. Of Cap (CAP), 1 of 2 can be returned.")
    assert refused.value.extra["lines"] == [
        {"line_id": LINES["HAT"].id, "requested": 2, "left": 1},
        {"line_id": LINES["CAP"].id, "requested": 2, "left": 1},
    ]
    assert repaying.approved_units(taken) == {LINES["HAT"].id: 1, LINES["CAP"].id: 1}


def test_a_credit_note_lists_lines_in_their_order_and_taxes_by_rate() -> None:
    order = taxed(HAT=20, TIE=5)
    whole = repaying.credited(order, None)
    assert [(line.sku, item.quantity) for line, item in whole.items] == [("HAT", 3), ("CAP", 2), ("TIE", 1)]
    hat, cap, tie = (line.total.minor for line in order.lines)
    assert (whole.shipping, whole.shipping_tax, whole.shipping_tax_rate) == (usd(10_50), usd(50), Decimal(5))
    assert whole.tax_by_rate == [
        (Decimal(5), usd(tie + 10_50 - 55), usd(55)),
        (Decimal(8), usd(cap) - order.lines[1].tax, order.lines[1].tax),
        (Decimal(20), usd(hat - 20), usd(20)),
    ]
    some = make_refund(new_id, order, {order.lines[2].id: 1, order.lines[0].id: 2})
    part = repaying.credited(order, some)
    assert [(line.sku, item.quantity) for line, item in part.items] == [("HAT", 2), ("TIE", 1)]
    assert (part.shipping, part.shipping_tax, part.shipping_tax_rate) == (usd(0), usd(0), Decimal(5))
    assert [(int(rate), tax.minor) for rate, _, tax in part.tax_by_rate] == [(5, 5), (20, 13)]


def test_units_are_paid_back_as_what_they_add_to_those_before() -> None:
    hat = LINES["HAT"]  # 3 for 60.00, and 8 % of it: 64.80
    assert repaying.paid_for(hat, 2) == (usd(43_20), usd(3_20))
    (item,) = repaying.items(ORDER, {hat.id: 2}, before={hat.id: 1})
    assert (item.line_id, item.product_id, item.quantity) == (hat.id, HAT.id, 2)
    assert (item.amount, item.tax) == (usd(43_20), usd(3_20))
    assert [item.quantity for item in repaying.whole(ORDER)] == [3, 2, 1]


def test_shipping_that_was_paid_has_its_tax_inside() -> None:
    order = taxed()
    assert repaying.shipping_paid(order) == (usd(10_50), usd(50))
    included = make_order(new_id, [HAT], shipping_tax=usd(50), tax_included=True)
    assert repaying.shipping_paid(included) == (usd(10_00), usd(50))
