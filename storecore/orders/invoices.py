"""Issuing an invoice: the step that invoicing and mailing share."""

from storecore.accounts.model import User
from storecore.errors import NotInvoiced
from storecore.orders.model import OFFLINE, Invoice, Order, Party, Status
from storecore.ports import Unit
from storecore.shop import Shop


def invoice_of(unit: Unit, order: Order) -> Invoice | None:
    """The order's invoice, None while it waits to be issued. Raises ``NotInvoiced`` for one that gets none (yet)."""
    invoice = unit.invoices.of_order(order.id)
    if invoice is None and not _wants(order):
        raise NotInvoiced()
    return invoice


def issue(unit: Unit, shop: Shop, order_id: str) -> tuple[Invoice, Order]:
    """The order's invoice, issued now if it has none. Raises ``NotInvoiced``."""
    order = unit.orders.locked(order_id)
    return issued(unit, shop, order), order


def issued(unit: Unit, shop: Shop, order: Order, customer: User | None = None) -> Invoice:
    """The invoice of a locked order, issued now if it has none; ``customer`` if they are not to be looked up.

    Raises ``NotInvoiced``.
    """
    if found := invoice_of(unit, order):
        return found
    if customer is None and order.customer_id is not None:
        customer = unit.users.get(order.customer_id)
    invoice = Invoice(
        id=unit.new_id(),
        sequence=unit.invoices.next_sequence(),
        order_id=order.id,
        issued_at=unit.now,
        seller=Party(name=shop.name, address=shop.address, tax_id=shop.tax_id),
        buyer=Party(
            name=order.customer_name,
            address=order.delivery_address.lines,
            tax_id=customer.tax_id if customer else None,
            email=order.email,
        ),
        total=order.total,
    )
    unit.invoices.add(invoice)
    return invoice


def _wants(order: Order) -> bool:
    return order.status is not Status.CANCELLED and (order.payment_provider == OFFLINE or order.is_paid)
