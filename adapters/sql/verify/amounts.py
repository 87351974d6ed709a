"""An order's amounts, computed again from its frozen lines. All amounts are minor units."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache

from adapters.sql.verify.snapshot import Row
from storecore.money import half_up


def wrong_amounts(order: Row, lines: Sequence[Row]) -> Iterator[str]:
    """What does not add up, in words. Both are rows of the tables; a text in them that is no number is told too."""
    if not lines:
        yield "it has no lines"
        return
    try:
        yield from _wrong_lines(order, lines)
        yield from _wrong_totals(order, lines)
        yield from _wrong_taxes(order, lines)
        yield from _wrong_explanation(order, lines)
    except (ValueError, TypeError, ArithmeticError) as error:
        yield f"it can't be read: {error!r}"


def _goods(line: Row) -> int:
    return int(line.unit_price * line.quantity - line.product_discount - line.order_discount)


def _wrong_lines(order: Row, lines: Sequence[Row]) -> Iterator[str]:
    for line in lines:
        due = _goods(line) + (0 if order.tax_included else line.tax)
        if line.total != due:
            yield f"the total of line {line.position} is {line.total}, its parts give {due}"


def _wrong_totals(order: Row, lines: Sequence[Row]) -> Iterator[str]:
    subtotal = sum(line.unit_price * line.quantity for line in lines)
    discount = sum(line.product_discount + line.order_discount for line in lines)
    tax = sum(line.tax for line in lines) + order.shipping_tax
    total = subtotal - discount + order.shipping + (0 if order.tax_included else tax)
    for name, due in (("subtotal", subtotal), ("discount", discount), ("tax", tax), ("total", total)):
        if (found := getattr(order, name)) != due:
            yield f"its {name} is {found}, its parts give {due}"


def _wrong_taxes(order: Row, lines: Sequence[Row]) -> Iterator[str]:
    """Tax is computed for each rate on the sum, and rounded once."""
    nets: Counter[Decimal] = Counter()
    taxes: Counter[Decimal] = Counter()
    parts = [(line.tax_rate, _goods(line), line.tax) for line in lines]
    for rate, net, tax in (*parts, (order.shipping_tax_rate, order.shipping, order.shipping_tax)):
        nets[_rate(rate)] += net
        taxes[_rate(rate)] += tax
    for rate, net in nets.items():
        numerator, denominator = rate.as_integer_ratio()
        due = half_up(net * numerator, 100 * denominator + (numerator if order.tax_included else 0))
        if taxes[rate] != due:
            yield f"its tax at {rate} % is {taxes[rate]}, and should be {due}"


@lru_cache(maxsize=256)
def _rate(text: str) -> Decimal:
    return Decimal(text)


def _wrong_explanation(order: Row, lines: Sequence[Row]) -> Iterator[str]:
    """The explanation names each amount of each line; whatever is no other rule's is an order discount."""
    tax = "tax-included" if order.tax_included else "tax"
    due: Counter[tuple[str | None, str]] = Counter(
        {(None, "shipping"): order.shipping, (None, tax): order.shipping_tax}
    )
    for line in lines:
        due[line.id, "subtotal"] += line.unit_price * line.quantity
        due[line.id, "product-discount"] -= line.product_discount
        due[line.id, "order-discount"] -= line.order_discount
        due[line.id, tax] += line.tax
    said: Counter[tuple[str | None, str]] = Counter()
    for line_id, rule, _base, _rate, amount in json.loads(order.explanation):
        said[line_id, rule if (line_id, rule) in due else "order-discount"] += amount
    for key in due.keys() | said.keys():
        if due[key] != said[key]:
            line_id, rule = key
            yield f"its explanation says {said[key]} of {rule} for {line_id or 'the order'}, its amounts say {due[key]}"
