"""From pending to delivered, or to cancelled with the goods back on the shelf."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict, Unpack

from storecore import checks
from storecore.accounts.model import Actor, Address, require
from storecore.accounts.permissions import Permission
from storecore.errors import IllegalTransition, NotFound
from storecore.orders import letters
from storecore.orders.cancelling import cancel
from storecore.orders.model import Order, Status
from storecore.ports import Signer, Unit
from storecore.recording import record
from storecore.shop import Shop
from storecore.transactions import Activity, Once, writing


class OrderChanges(TypedDict, total=False):
    """What the owner may change while the order is pending; what is left out stays as it is."""

    delivery_address: Address
    note: str | None


@dataclass(frozen=True, kw_only=True)
class Fulfilling(Activity):
    """The order's way through the warehouse. Every step is in its history and mailed to the customer."""

    signer: Signer
    shop: Shop

    @writing
    def advance(
        self,
        unit: Unit,
        *,
        by: Actor,
        order_id: str,
        to: Status,
        note: str | None = None,
        carrier: str | None = None,
        tracking_number: str | None = None,
        if_version: int | None = None,
    ) -> Order:
        """Staff move an order on (or cancel it). Raises ``IllegalTransition``, ``PreconditionFailed``.

        Carrier and tracking number go with ``shipped`` only.
        """
        require(by, Permission.ORDERS_FULFIL)
        if to is not Status.SHIPPED and (carrier or tracking_number):
            raise checks.refuse("carrier" if carrier else "tracking_number", "goes with the status shipped only")
        order = unit.orders.locked(order_id)
        order.expect(if_version)
        if to is Status.CANCELLED:
            return cancel(unit, self.shop, self.signer, order, by=by, note=note)
        at = unit.now
        steps: dict[Status, Callable[[], Order]] = {
            Status.CONFIRMED: lambda: order.confirm(by=by, at=at, note=note),
            Status.PROCESSING: lambda: order.process(by=by, at=at, note=note),
            Status.SHIPPED: lambda: order.ship(
                by=by, at=at, note=note, carrier=carrier, tracking_number=tracking_number
            ),
            Status.DELIVERED: lambda: order.deliver(by=by, at=at, note=note),
        }
        if to not in steps:
            raise IllegalTransition("An order never becomes pending again.")
        advanced = steps[to]()
        unit.orders.save(advanced)
        record(unit, by, "order.advance", before=order, after=advanced)
        unit.outbox.add([letters.order_status(unit, self.shop, self.signer, advanced)])
        return advanced

    @writing
    def cancel(
        self,
        unit: Unit,
        *,
        by: Actor,
        order_id: str,
        note: str | None = None,
        if_version: int | None = None,
        once: Once | None = None,
    ) -> Order:
        """Stop an order and put its goods back on the shelf: its owner, or staff. Raises ``IllegalTransition``."""
        order = unit.orders.locked(order_id)
        if not order.belongs_to(by) and not by.may(Permission.ORDERS_FULFIL):
            raise NotFound("There is no such order.")
        order.expect(if_version)
        return cancel(unit, self.shop, self.signer, order, by=by, note=note)

    @writing
    def amend(
        self,
        unit: Unit,
        *,
        by: Actor,
        order_id: str,
        if_version: int | None = None,
        **changes: Unpack[OrderChanges],
    ) -> Order:
        """The owner changes the address or the note of a pending order. Its price stays as it was placed.

        Raises ``IllegalTransition`` once it is confirmed, ``Invalid`` for an address that is taxed differently.
        """
        order = unit.orders.locked(order_id)
        if not order.belongs_to(by):
            raise NotFound("There is no such order.")
        order.expect(if_version)
        amended = order.amend(**changes)
        self._check_tax(order, amended.delivery_address)
        unit.orders.save(amended)
        return amended

    @writing
    def record_payment(
        self, unit: Unit, *, by: Actor, order_id: str, if_version: int | None = None, once: Once | None = None
    ) -> Order:
        """Staff received an offline order's money before delivery. Raises ``AlreadyPaid``."""
        require(by, Permission.ORDERS_FULFIL)
        order = unit.orders.locked(order_id)
        order.expect(if_version)
        paid = order.record_payment()
        unit.orders.save(paid)
        record(unit, by, "order.record_payment", before=order, after=paid)
        return paid

    def _check_tax(self, order: Order, address: Address) -> None:
        old, new = order.delivery_address.destination, address.destination
        classes = {line.tax_class for line in order.lines}
        if self.shop.shipping.tax_class:
            classes.add(self.shop.shipping.tax_class)
        if any(self.shop.tax.rate(each, old) != self.shop.tax.rate(each, new) for each in classes):
            raise checks.refuse("delivery_address", "is taxed differently; cancel the order and place it again")
