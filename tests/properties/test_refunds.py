"""Refunds in any sequence add up to exactly what was paid, and are never more."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from storecore.money import Money, half_up, total
from storecore.orders import repaying
from storecore.orders.model import Order, OrderLine
from storecore.orders.refund import RefundItem
from storecore.pricing import Quote, price
from storecore.testing.builders import ids, make_order, make_product
from storecore.testing.strategies import baskets, currencies, order_discounts, shipping_policies, tax_policies


def _placed(quote: Quote) -> Order:
    """An order with the amounts of a quote."""
    new_id = ids()
    lines = tuple(
        OrderLine(
            id=f"id-{line.key}",
            product_id=line.key,
            sku=line.key,
            name=line.key,
            quantity=line.quantity,
            unit_price=line.unit_price,
            product_discount=line.product_discount,
            order_discount=line.order_discount,
            tax_class=line.tax_class,
            tax_rate=line.tax_rate,
            tax=line.tax,
            total=line.total,
            cost=Money.zero(quote.total.currency),
        )
        for line in quote.lines
    )
    amounts = ("subtotal", "discount", "shipping", "shipping_tax", "shipping_tax_rate", "tax", "total", "tax_included")
    fields = {name: getattr(quote, name) for name in amounts}
    product = make_product(new_id, category_ids=["c1"])
    return make_order(new_id, [product], lines=lines, refunded=Money.zero(quote.total.currency), **fields)


@st.composite
def orders(draw: DrawFn) -> Order:
    """Any order, in any currency, with or without tax in its prices."""
    currency = draw(currencies())
    quote = price(
        draw(baskets(currency=currency, least=1)),
        currency=currency,
        shipping=draw(shipping_policies(currency=currency)),
        tax=draw(tax_policies()),
        discounts=draw(st.lists(order_discounts(currency=currency), max_size=2)),
    )
    return _placed(quote)


@st.composite
def sequences(draw: DrawFn, order: Order) -> list[dict[str, int]]:
    """Refunds of some units each, that together take back every unit."""
    left = {line.id: line.quantity for line in order.lines}
    steps = []
    for _ in range(draw(st.integers(0, 5))):
        step = {line_id: draw(st.integers(0, units)) for line_id, units in left.items()}
        steps.append({line_id: units for line_id, units in step.items() if units})
        left = {line_id: units - step[line_id] for line_id, units in left.items()}
    return [step for step in (*steps, {line_id: units for line_id, units in left.items() if units}) if step]


def _carry_out(order: Order, steps: list[dict[str, int]]) -> list[tuple[RefundItem, ...]]:
    before: Counter[str] = Counter()
    refunds = []
    for step in steps:
        refunds.append(repaying.items(order, step, before=before))
        before.update(step)
    return refunds


@given(st.data(), orders())
def test_whatever_the_sequence_refunds_add_up_to_exactly_what_was_paid(data: st.DataObject, order: Order) -> None:
    refunds = _carry_out(order, data.draw(sequences(order)))
    items = [item for refund in refunds for item in refund]
    shipping, shipping_tax = repaying.shipping_paid(order)
    assert total((item.amount for item in items), order.currency) + shipping == order.total
    assert total((item.tax for item in items), order.currency) + shipping_tax == order.tax
    for line in order.lines:
        of_line = [item for item in items if item.line_id == line.id]
        assert sum(item.quantity for item in of_line) == line.quantity
        assert total((item.amount for item in of_line), order.currency) == line.total
        assert total((item.tax for item in of_line), order.currency) == line.tax


@given(st.data(), orders())
def test_no_refund_is_negative_and_no_tax_is_more_than_its_amount(data: st.DataObject, order: Order) -> None:
    for refund in _carry_out(order, data.draw(sequences(order))):
        for item in refund:
            assert 0 <= item.tax.minor <= item.amount.minor


@given(st.data(), orders())
def test_a_part_is_within_one_unit_of_its_exact_share(data: st.DataObject, order: Order) -> None:
    lines = {line.id: line for line in order.lines}
    for refund in _carry_out(order, data.draw(sequences(order))):
        for item in refund:
            line = lines[item.line_id]
            assert abs(item.amount.minor * line.quantity - line.total.minor * item.quantity) <= line.quantity


@given(orders())
def test_what_was_paid_for_units_is_the_documented_formula_and_grows(order: Order) -> None:
    for line in order.lines:
        paid = [repaying.paid_for(line, units) for units in range(line.quantity + 1)]
        assert paid == sorted(paid)
        assert paid[0] == (Money.zero(order.currency), Money.zero(order.currency))
        assert paid[-1] == (line.total, line.tax)
        for units, (amount, tax) in enumerate(paid):
            assert amount.minor == half_up(line.total.minor * units, line.quantity)
            assert tax.minor == (half_up(line.tax.minor * amount.minor, line.total.minor) if line.total else 0)


@given(orders())
def test_a_credit_note_of_everything_adds_up_to_the_order(order: Order) -> None:
    parts = repaying.credited(order, None)
    rows = parts.tax_by_rate
    assert total((net + tax for _, net, tax in rows), order.currency) == order.total
    assert total((tax for _, _, tax in rows), order.currency) == order.tax
    assert [rate for rate, _, _ in rows] == sorted({rate for rate, _, _ in rows})
