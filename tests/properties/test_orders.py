"""Orders under any sequence of moves, and lines of invoices that always add up."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storecore.accounts.model import SYSTEM
from storecore.errors import AlreadyPaid, IllegalTransition
from storecore.money import Money, total
from storecore.orders.model import NEXT, NUMBER_ALPHABET, Order, PaymentStatus, Status, order_number
from storecore.testing.builders import ids, make_order, make_product
from storecore.testing.strategies import Trade, placed_trades

MOVES: dict[str, Callable[[Order], Order]] = {
    "confirm": lambda order: order.confirm(by=SYSTEM, at=_next(order)),
    "process": lambda order: order.process(by=SYSTEM, at=_next(order)),
    "ship": lambda order: order.ship(by=SYSTEM, at=_next(order)),
    "deliver": lambda order: order.deliver(by=SYSTEM, at=_next(order)),
    "cancel": lambda order: order.cancel(by=SYSTEM, at=_next(order)),
    "record_payment": Order.record_payment,
    "amend": lambda order: order.amend(note="ring twice"),
}


def _next(order: Order) -> datetime:
    return order.history[-1].at + timedelta(minutes=1)


def _order(**changes: Any) -> Order:
    new_id = ids()
    return make_order(new_id, [make_product(new_id, category_ids=["c1"])], **changes)


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=12))
def test_whatever_is_tried_the_history_is_a_path_through_the_table(names: Sequence[str]) -> None:
    first = order = _order()
    for name in names:
        try:
            moved = MOVES[name](order)
        except (IllegalTransition, AlreadyPaid):
            continue
        assert moved.version == order.version + 1
        order = moved
    path = [entry.status for entry in order.history]
    assert path[0] is Status.PENDING
    assert path[-1] is order.status
    assert all(after in NEXT[before] for before, after in pairwise(path))
    assert [entry.at for entry in order.history] == sorted({entry.at for entry in order.history})
    frozen = ("id", "number", "lines", "subtotal", "discount", "shipping", "tax", "total", "rules", "created_at")
    assert all(getattr(order, name) == getattr(first, name) for name in frozen)
    if order.status is Status.DELIVERED:
        assert order.payment_status is PaymentStatus.PAID
    if order.status is Status.CANCELLED:
        assert order.owed == (order.total if order.payment_status is PaymentStatus.PAID else Money(0, "USD"))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(placed_trades())
def test_the_rows_of_an_invoice_add_up_to_the_order(trade: Trade) -> None:
    order, nothing = trade.order, Money.zero(trade.order.currency)
    rows = order.tax_by_rate
    assert [rate for rate, _, _ in rows] == sorted({rate for rate, _, _ in rows})
    assert total((row_tax for _, _, row_tax in rows), order.currency) == order.tax
    assert total((net + row_tax for _, net, row_tax in rows), order.currency) == order.total
    assert all(net >= nothing <= row_tax for _, net, row_tax in rows)


@given(st.binary(min_size=16, max_size=16))
def test_a_number_is_two_groups_of_four_letters(random: bytes) -> None:
    prefix, first, second = order_number(random).split("-")
    assert (prefix, len(first), len(second)) == ("S", 4, 4)
    assert set(first + second) <= set(NUMBER_ALPHABET)
    assert order_number(random) == order_number(random)


@given(st.integers(0, 30**8 - 2))
def test_different_small_randoms_make_different_numbers(value: int) -> None:
    assert order_number(value.to_bytes(16, "big")) != order_number((value + 1).to_bytes(16, "big"))
