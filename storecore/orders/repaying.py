"""How much of an order is given back for some of its units: exactly what was really paid for them, tax included.

With ``k`` units of a line approved so far and ``n`` more, that is ``C(k + n) - C(k)``, where ``C(x)`` is the line's
total times ``x`` over its quantity, rounded. The differences of any sequence of refunds add up to the line's total.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from storecore.errors import NotReturnable
from storecore.money import Money, total
from storecore.orders.model import Order, OrderLine
from storecore.orders.refund import APPROVED, OPEN, Refund, RefundItem, RefundStatus


def paid_for(line: OrderLine, units: int) -> tuple[Money, Money]:
    """What was paid for the first so many units of a line, and the tax inside it."""
    amount = line.total.share(units, line.quantity)
    tax = line.tax.share(amount.minor, line.total.minor) if line.total else Money.zero(line.total.currency)
    return amount, tax


def items(order: Order, quantities: Mapping[str, int], *, before: Mapping[str, int]) -> tuple[RefundItem, ...]:
    """So many units of each of these lines, by line id, after ``before`` units of them were approved."""
    lines = {line.id: line for line in order.lines}
    return tuple(_item(lines[line_id], units, before.get(line_id, 0)) for line_id, units in sorted(quantities.items()))


def _item(line: OrderLine, units: int, before: int) -> RefundItem:
    (amount, tax), (paid, taxed) = paid_for(line, before + units), paid_for(line, before)
    return RefundItem(
        line_id=line.id, product_id=line.product_id, quantity=units, amount=amount - paid, tax=tax - taxed
    )


def whole(order: Order) -> tuple[RefundItem, ...]:
    """Every unit of an order of which nothing was given back."""
    return items(order, {line.id: line.quantity for line in order.lines}, before={})


def shipping_paid(order: Order) -> tuple[Money, Money]:
    """What was paid for shipping, and the tax inside it."""
    return order.shipping if order.tax_included else order.shipping + order.shipping_tax, order.shipping_tax


def units_of(refunds: Iterable[Refund], statuses: Collection[RefundStatus]) -> Mapping[str, int]:
    """Units by line in all refunds that stand so."""
    units: Counter[str] = Counter()
    for refund in refunds:
        if refund.status in statuses:
            units.update(refund.quantities)
    return units


def approved_units(refunds: Iterable[Refund]) -> Mapping[str, int]:
    """Units by line that somebody has agreed to take back."""
    return units_of(refunds, APPROVED)


def refuse_too_many(order: Order, wanted: Mapping[str, int], refunds: Iterable[Refund]) -> None:
    """Raises ``NotReturnable`` saying how many units are left of each line that has too few."""
    taken = units_of(refunds, OPEN)
    short = [
        (line, line.quantity - taken.get(line.id, 0))
        for line in order.lines
        if wanted.get(line.id, 0) > line.quantity - taken.get(line.id, 0)
    ]
    if short:
        raise NotReturnable(
            " ".join(
                f"Of {line.name} ({line.sku}), {left} of {line.quantity} can be returned." for line, left in short
            ),
            lines=[{"line_id": line.id, "requested": wanted[line.id], "left": left} for line, left in short],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """What a credit note lists: units of lines, and perhaps shipping with the tax inside it."""

    items: tuple[tuple[OrderLine, RefundItem], ...]
    shipping: Money
    shipping_tax: Money
    shipping_tax_rate: Decimal

    @property
    def tax_by_rate(self) -> list[tuple[Decimal, Money, Money]]:
        """(rate, net without tax, tax) for each rate, lowest first."""
        parts = [(line.tax_rate, item.amount, item.tax) for line, item in self.items]
        if self.shipping:
            parts.append((self.shipping_tax_rate, self.shipping, self.shipping_tax))
        rows = []
        for rate in sorted({rate for rate, _, _ in parts}):
            amount = total((amount for r, amount, _ in parts if r == rate), self.shipping.currency)
            tax = total((tax for r, _, tax in parts if r == rate), self.shipping.currency)
            rows.append((rate, amount - tax, tax))
        return rows


def credited(order: Order, refund: Refund | None) -> Credited:
    """What a refund takes off an order, or (None) everything, in the order of the order's lines."""
    given_back = {item.line_id: item for item in (refund.items if refund else whole(order))}
    shipping, shipping_tax = (refund.shipping, refund.shipping_tax) if refund else shipping_paid(order)
    return Credited(
        items=tuple((line, given_back[line.id]) for line in order.lines if line.id in given_back),
        shipping=shipping,
        shipping_tax=shipping_tax,
        shipping_tax_rate=order.shipping_tax_rate,
    )
