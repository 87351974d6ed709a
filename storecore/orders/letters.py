"""What orders write to customers, and to staff when a shelf runs low."""

from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlencode

from storecore.accounts.permissions import Role
from storecore.catalog.model import Product
from storecore.notices import Notice, Template, compose
from storecore.orders.model import NOT_PAID_IN_TIME, OFFLINE, Order, Status
from storecore.orders.refund import CreditNote, Refund
from storecore.ports import Signer, Unit
from storecore.shop import Shop

ORDER_LINK = "order"
LINK_LASTS = timedelta(days=180)


def order_token(signer: Signer, order: Order) -> str:
    """What lets its holder act as the owner of a guest's order until it expires."""
    return signer.sign(ORDER_LINK, {"order": order.id}, order.created_at + LINK_LASTS)


def _link(shop: Shop, signer: Signer, order: Order) -> str:
    """A guest's way back to the order; customers sign in instead."""
    if order.customer_id is not None:
        return ""
    return f"{shop.public_url}/links/{ORDER_LINK}?{urlencode({'token': order_token(signer, order)})}"


def order_placed(unit: Unit, shop: Shop, signer: Signer, order: Order) -> Notice:
    """The confirmation, with the invoice attached where one is issued at once."""
    return compose(
        id=unit.new_id(),
        at=unit.now,
        shop=shop,
        event=f"order:{order.id}:placed",
        template=Template.ORDER_PLACED,
        recipient=order.email,
        user_id=order.customer_id,
        data={
            "name": order.customer_name,
            "number": order.number,
            "lines": [
                {"name": line.name, "sku": line.sku, "quantity": line.quantity, "total": str(line.total)}
                for line in order.lines
            ],
            "subtotal": str(order.subtotal),
            "discount": str(order.discount),
            "shipping": str(order.shipping),
            "tax": str(order.tax),
            "total": str(order.total),
            "currency": order.currency,
            "tax_included": order.tax_included,
            "eta": order.eta.isoformat(),
            "address": list(order.delivery_address.lines),
            "link": _link(shop, signer, order),
        },
        invoice_of=order.id if order.payment_provider == OFFLINE else None,
    )


def order_status(unit: Unit, shop: Shop, signer: Signer, order: Order, credit_note: CreditNote | None = None) -> Notice:
    """The order went on, or was cancelled, perhaps with a credit note.

    Of one paid online this is where the invoice comes: it is issued when the money has arrived. A note on a cancelled
    order is for staff, unless it is the shop's own.
    """
    note = order.history[-1].note or ""
    captured = order.status is Status.CONFIRMED and order.payment_provider != OFFLINE
    return compose(
        id=unit.new_id(),
        at=unit.now,
        shop=shop,
        event=f"order:{order.id}:{order.status}",
        template=Template.ORDER_STATUS,
        recipient=order.email,
        user_id=order.customer_id,
        data={
            "name": order.customer_name,
            "number": order.number,
            "status": str(order.status),
            "note": note if order.status is not Status.CANCELLED or note == NOT_PAID_IN_TIME else "",
            "carrier": order.carrier or "",
            "tracking_number": order.tracking_number or "",
            "link": _link(shop, signer, order),
        },
        invoice_of=order.id if captured else None,
        credit_note_id=credit_note.id if credit_note else None,
    )


def refund_status(
    unit: Unit, shop: Shop, signer: Signer, order: Order, *, refund: Refund, credit_note: CreditNote | None = None
) -> Notice:
    """A refund was approved, rejected, or paid with its credit note attached."""
    lines = {line.id: line for line in order.lines}
    return compose(
        id=unit.new_id(),
        at=unit.now,
        shop=shop,
        event=f"refund:{refund.id}:{refund.status}",
        template=Template.REFUND_STATUS,
        recipient=order.email,
        user_id=order.customer_id,
        data={
            "name": order.customer_name,
            "number": order.number,
            "status": str(refund.status),
            "items": [
                {
                    "name": lines[item.line_id].name,
                    "sku": lines[item.line_id].sku,
                    "quantity": item.quantity,
                    "amount": str(item.amount),
                }
                for item in refund.items
            ],
            "shipping": str(refund.shipping),
            "amount": str(refund.amount),
            "currency": order.currency,
            "expect_return": refund.expect_return,
            "note": refund.decision_note or "",
            "link": _link(shop, signer, order),
        },
        credit_note_id=credit_note.id if credit_note else None,
    )


def low_stock(unit: Unit, shop: Shop, order: Order, low: Iterable[tuple[Product, int]]) -> Iterable[Notice]:
    """Tells those who keep the catalog that this order left few of these products."""
    staff = unit.users.active_with_role(Role.PRODUCT_MANAGER) or unit.users.active_with_role(Role.ADMIN)
    products = [{"name": product.name, "sku": product.sku, "stock": left} for product, left in low]
    for person in staff:
        yield compose(
            id=unit.new_id(),
            at=unit.now,
            shop=shop,
            event=f"low-stock:{order.id}",
            template=Template.LOW_STOCK,
            recipient=person.email,
            user_id=person.id,
            data={"products": products},
        )
