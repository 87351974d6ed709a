"""Refunds in any sequence add up to exactly what was paid, and are never more."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from storecore.money import Money, half_up, total
from storecore.orders import repaying
from storecore.orders.model import Order
from storecore.orders.refund import RefundItem
from storecore.testing.strategies import placed_trades, whole_returns

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def placed() -> SearchStrategy[Order]:
    """Any order, in any currency, with or without tax in its prices."""
    return placed_trades().map(lambda trade: trade.order)


def _carry_out(order: Order, steps: list[dict[str, int]]) -> list[tuple[RefundItem, ...]]:
    before: Counter[str] = Counter()
    refunds = []
    for step in steps:
        refunds.append(repaying.items(order, step, before=before))
        before.update(step)
    return refunds


@patient
@given(st.data(), placed())
def test_whatever_the_sequence_refunds_add_up_to_exactly_what_was_paid(data: st.DataObject, order: Order) -> None:
    refunds = _carry_out(order, data.draw(whole_returns(order)))
    items = [item for refund in refunds for item in refund]
    shipping, shipping_tax = repaying.shipping_paid(order)
    assert total((item.amount for item in items), order.currency) + shipping == order.total
    assert total((item.tax for item in items), order.currency) + shipping_tax == order.tax
    for line in order.lines:
        of_line = [item for item in items if item.line_id == line.id]
        assert sum(item.quantity for item in of_line) == line.quantity
        assert total((item.amount for item in of_line), order.currency) == line.total
        assert total((item.tax for item in of_line), order.currency) == line.tax


@patient
@given(st.data(), placed())
def test_no_refund_is_negative_and_no_tax_is_more_than_its_amount(data: st.DataObject, order: Order) -> None:
    for refund in _carry_out(order, data.draw(whole_returns(order))):
        for item in refund:
            assert 0 <= item.tax.minor <= item.amount.minor


@patient
@given(st.data(), placed())
def test_a_part_is_within_one_unit_of_its_exact_share(data: st.DataObject, order: Order) -> None:
    lines = {line.id: line for line in order.lines}
    for refund in _carry_out(order, data.draw(whole_returns(order))):
        for item in refund:
            line = lines[item.line_id]
            assert abs(item.amount.minor * line.quantity - line.total.minor * item.quantity) <= line.quantity


@patient
@given(placed())
def test_what_was_paid_for_units_is_the_documented_formula_and_grows(order: Order) -> None:
    for line in order.lines:
        paid = [repaying.paid_for(line, units) for units in range(line.quantity + 1)]
        assert paid == sorted(paid)
        assert paid[0] == (Money.zero(order.currency), Money.zero(order.currency))
        assert paid[-1] == (line.total, line.tax)
        for units, (amount, tax) in enumerate(paid):
            assert amount.minor == half_up(line.total.minor * units, line.quantity)
            assert tax.minor == (half_up(line.tax.minor * amount.minor, line.total.minor) if line.total else 0)


@patient
@given(placed())
def test_a_credit_note_of_everything_adds_up_to_the_order(order: Order) -> None:
    parts = repaying.credited(order, None)
    rows = parts.tax_by_rate
    assert total((net + tax for _, net, tax in rows), order.currency) == order.total
    assert total((tax for _, _, tax in rows), order.currency) == order.tax
    assert [rate for rate, _, _ in rows] == sorted({rate for rate, _, _ in rows})
