"""An order as rows: the visible mapping of an order, its lines, its history and its explanation."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from adapters.sql import tables
from adapters.sql.restoring import restored
from adapters.sql.transaction import Row, Transaction, dumps, loads
from storecore.accounts.model import Address
from storecore.money import Money
from storecore.orders.model import HistoryEntry, Order, OrderLine, PaymentStatus, Status
from storecore.pricing import Step

_orders, _lines, _history = tables.orders.c, tables.order_lines.c, tables.order_history.c

ORDER = (
    _orders.id,
    _orders.number,
    _orders.customer_id,
    _orders.status,
    _orders.payment_status,
    _orders.payment_provider,
    _orders.pay_by,
    _orders.currency,
    _orders.subtotal,
    _orders.discount,
    _orders.shipping,
    _orders.shipping_tax,
    _orders.shipping_tax_rate,
    _orders.tax,
    _orders.total,
    _orders.refunded,
    _orders.tax_included,
    _orders.coupon_id,
    _orders.coupon_code,
    _orders.rules,
    _orders.private,
    _orders.eta,
    _orders.carrier,
    _orders.tracking_number,
    _orders.created_at,
    _orders.version,
)
"""Every column that a list shows; a look-up adds ``explanation``."""

LINE = (
    _lines.order_id,
    _lines.id,
    _lines.product_id,
    _lines.sku,
    _lines.name,
    _lines.quantity,
    _lines.unit_price,
    _lines.product_discount,
    _lines.order_discount,
    _lines.tax_class,
    _lines.tax_rate,
    _lines.tax,
    _lines.total,
    _lines.cost,
)
HISTORY = (_history.order_id, _history.status, _history.at, _history.actor_id, _history.note)


def order_values(transaction: Transaction, order: Order) -> dict[str, Any]:
    """The row of a new order."""
    return {
        "id": order.id,
        "number": order.number,
        "customer_id": order.customer_id,
        "currency": order.currency,
        "subtotal": order.subtotal.minor,
        "discount": order.discount.minor,
        "shipping": order.shipping.minor,
        "shipping_tax": order.shipping_tax.minor,
        "shipping_tax_rate": str(order.shipping_tax_rate),
        "tax": order.tax.minor,
        "total": order.total.minor,
        "tax_included": order.tax_included,
        "coupon_id": order.coupon_id,
        "coupon_code": order.coupon_code,
        "rules": order.rules,
        "created_at": order.created_at,
        "explanation": dumps([_step_values(step) for step in order.explanation]),
        "invoiced": False,
        **changing_values(transaction, order),
    }


def changing_values(transaction: Transaction, order: Order) -> dict[str, Any]:
    """What may change about an order after it was placed."""
    private = {
        "customer_name": order.customer_name,
        "email": order.email,
        "note": order.note,
        "delivery_address": asdict(order.delivery_address),
    }
    return {
        "status": str(order.status),
        "payment_status": str(order.payment_status),
        "payment_provider": order.payment_provider,
        "pay_by": order.pay_by,
        "refunded": order.refunded.minor,
        "private": transaction.seal("orders.private", order.id, private),
        "eta": order.eta,
        "carrier": order.carrier,
        "tracking_number": order.tracking_number,
        "version": order.version,
    }


def line_values(order: Order) -> list[dict[str, Any]]:
    """The rows of an order's lines."""
    return [
        {
            "order_id": order.id,
            "position": position,
            "id": line.id,
            "product_id": line.product_id,
            "sku": line.sku,
            "name": line.name,
            "quantity": line.quantity,
            "unit_price": line.unit_price.minor,
            "product_discount": line.product_discount.minor,
            "order_discount": line.order_discount.minor,
            "tax_class": line.tax_class,
            "tax_rate": str(line.tax_rate),
            "tax": line.tax.minor,
            "total": line.total.minor,
            "cost": line.cost.minor,
        }
        for position, line in enumerate(order.lines)
    ]


def history_values(order: Order, *, beyond: int = 0) -> list[dict[str, Any]]:
    """The rows of an order's history but for the first ``beyond``."""
    return [
        {
            "order_id": order.id,
            "position": position,
            "status": str(entry.status),
            "at": entry.at,
            "actor_id": entry.actor_id,
            "note": entry.note,
        }
        for position, entry in enumerate(order.history)
        if position >= beyond
    ]


def order_from(
    private: Mapping[str, Any],
    row: Sequence[Any],
    lines: Sequence[Row],
    history: Sequence[Row],
    explanation: str = "[]",
) -> Order:
    """An order from the columns of :data:`ORDER`, :data:`LINE` and :data:`HISTORY`, and what its row had sealed."""
    (
        id_,
        number,
        customer_id,
        status,
        payment_status,
        payment_provider,
        pay_by,
        currency,
        subtotal,
        discount,
        shipping,
        shipping_tax,
        shipping_tax_rate,
        tax,
        total,
        refunded,
        tax_included,
        coupon_id,
        coupon_code,
        rules,
        _,
        eta,
        carrier,
        tracking_number,
        created_at,
        version,
    ) = row
    return restored(
        Order,
        id=id_,
        number=number,
        customer_id=customer_id,
        customer_name=private["customer_name"],
        email=private["email"],
        status=Status(status),
        payment_status=PaymentStatus(payment_status),
        payment_provider=payment_provider,
        pay_by=pay_by,
        lines=tuple(_line(line, currency) for line in lines),
        subtotal=Money(subtotal, currency),
        discount=Money(discount, currency),
        shipping=Money(shipping, currency),
        shipping_tax=Money(shipping_tax, currency),
        shipping_tax_rate=Decimal(shipping_tax_rate),
        tax=Money(tax, currency),
        total=Money(total, currency),
        tax_included=bool(tax_included),
        refunded=Money(refunded, currency),
        coupon_id=coupon_id,
        coupon_code=coupon_code,
        explanation=tuple(_step(step, currency) for step in loads(explanation)),
        rules=rules,
        delivery_address=address_from(private),
        note=private["note"],
        eta=eta,
        carrier=carrier,
        tracking_number=tracking_number,
        history=tuple(_entry(entry) for entry in history),
        created_at=created_at,
        version=version,
    )


def address_from(private: Mapping[str, Any]) -> Address:
    """Where an order goes, from what its row had sealed."""
    return restored(Address, **private["delivery_address"])


def _line(row: Row, currency: str) -> OrderLine:
    (
        _,
        id_,
        product_id,
        sku,
        name,
        quantity,
        unit_price,
        product_discount,
        order_discount,
        tax_class,
        tax_rate,
        tax,
        total,
        cost,
    ) = row
    return OrderLine(
        id=id_,
        product_id=product_id,
        sku=sku,
        name=name,
        quantity=quantity,
        unit_price=Money(unit_price, currency),
        product_discount=Money(product_discount, currency),
        order_discount=Money(order_discount, currency),
        tax_class=tax_class,
        tax_rate=Decimal(tax_rate),
        tax=Money(tax, currency),
        total=Money(total, currency),
        cost=Money(cost, currency),
    )


def _entry(row: Row) -> HistoryEntry:
    _, status, at, actor_id, note = row
    return HistoryEntry(status=Status(status), at=at, actor_id=actor_id, note=note)


def _step_values(step: Step) -> list[Any]:
    rate = None if step.rate is None else str(step.rate)
    return [step.line, step.rule, step.base.minor, rate, step.amount.minor]


def _step(values: Sequence[Any], currency: str) -> Step:
    line, rule, base, rate, amount = values
    return Step(
        line=line,
        rule=rule,
        base=Money(base, currency),
        rate=None if rate is None else Decimal(rate),
        amount=Money(amount, currency),
    )
