"""Returns and refunds: asked for by customers, decided by staff, received by the warehouse."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from storecore import checks
from storecore.accounts.model import Actor, Guest, require, require_user
from storecore.accounts.permissions import Permission
from storecore.accounts.staying import check_still_here
from storecore.catalog.alerts import restocked
from storecore.catalog.model import MAX_QUANTITY, StockMove, StockReason
from storecore.errors import NotAuthenticated, NotCredited, NotFound, NotPaid, NotReturnable
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.notices import Attachment
from storecore.orders import letters, repaying
from storecore.orders.giving_back import payment_of, settle, whole_credit
from storecore.orders.model import Invoice, Order, Status
from storecore.orders.refund import APPROVED, CreditNote, Disposition, Refund
from storecore.ports import Documents, RefundQuery, Signer, Unit
from storecore.recording import record
from storecore.shop import Shop
from storecore.transactions import Activity, Once, reading, writing

Item = tuple[str, int]
"""An order line's id and how many of its units."""

EVERY_REFUND = RefundQuery()
MAX_ITEMS = 100

_STAFF = (Permission.REFUNDS_DECIDE, Permission.RETURNS_RECEIVE, Permission.ORDERS_READ_ALL)
"""Who may look at everybody's refunds."""


@dataclass(frozen=True, kw_only=True)
class Refunding(Activity):
    """From a customer's request to the money that is due. Whoever changes a refund has locked its order."""

    signer: Signer
    documents: Documents
    shop: Shop

    @writing
    def request(
        self,
        unit: Unit,
        *,
        by: Actor,
        order_id: str,
        items: Iterable[Item],
        reason: str,
        once: Once | None = None,
    ) -> Refund:
        """The owner of a delivered order wants to send some of it back; a line that is named twice counts together.

        Its amounts are what an approval would give now. Raises ``NotReturnable`` for an order that is not delivered, or
        was too long ago, and for units that are asked for already; ``NotPaid``, ``Invalid``.
        """
        require(by, Permission.ORDERS_PLACE)
        items = tuple(items)
        reason = checks.text(reason, "reason", most=2000, lines=True)
        checks.amount_of(items, "items", least=1, most=MAX_ITEMS)
        order = unit.orders.locked(order_id)
        if not order.belongs_to(by):
            raise NotFound("There is no such order.")
        check_still_here(unit, by)
        wanted = _quantities(order, items)
        self._check_returnable(unit, order)
        refunds = unit.refunds.of_order(order.id)
        repaying.refuse_too_many(order, wanted, refunds)
        nothing = replace(order.total, minor=0)
        refund = Refund(
            id=unit.new_id(),
            order_id=order.id,
            customer_id=order.customer_id,
            items=repaying.items(order, wanted, before=repaying.approved_units(refunds)),
            shipping=nothing,
            shipping_tax=nothing,
            reason=reason,
            created_at=unit.now,
        )
        unit.refunds.add(refund)
        return refund

    @writing
    def approve(
        self,
        unit: Unit,
        *,
        by: Actor,
        refund_id: str,
        note: str | None = None,
        include_shipping: bool = False,
        expect_return: bool = True,
        if_version: int | None = None,
        once: Once | None = None,
    ) -> Refund:
        """Agree to a refund, once the goods are back or (without ``expect_return``) at once.

        Raises ``AlreadyDecided``, ``Forbidden`` for one's own order, ``NotReturnable`` for shipping the second time.
        """
        require(by, Permission.REFUNDS_DECIDE)
        order, refund = _locked(unit, refund_id)
        refund.expect(if_version)
        before = [other for other in unit.refunds.of_order(order.id) if other.status in APPROVED]
        shipping = repaying.shipping_paid(order) if include_shipping else (refund.shipping, refund.shipping_tax)
        approved = refund.approve(
            by=by,
            at=unit.now,
            items=repaying.items(order, refund.quantities, before=repaying.approved_units(before)),
            shipping=shipping[0],
            shipping_tax=shipping[1],
            note=note,
            expect_return=expect_return,
        )
        if include_shipping and any(other.shipping for other in before):
            raise NotReturnable("The shipping of this order was given back before.")
        if expect_return:
            unit.refunds.save(approved)
            unit.outbox.add([letters.refund_status(unit, self.shop, self.signer, order, refund=approved)])
        else:
            approved = self._give_back(unit, order, approved)
        record(unit, by, "refund.approve", before=refund, after=approved)
        return approved

    @writing
    def reject(
        self,
        unit: Unit,
        *,
        by: Actor,
        refund_id: str,
        note: str | None = None,
        if_version: int | None = None,
        once: Once | None = None,
    ) -> Refund:
        """Refuse a refund. Raises ``AlreadyDecided``, ``Forbidden`` for one's own order."""
        require(by, Permission.REFUNDS_DECIDE)
        order, refund = _locked(unit, refund_id)
        refund.expect(if_version)
        rejected = refund.reject(by=by, at=unit.now, note=note)
        unit.refunds.save(rejected)
        record(unit, by, "refund.reject", before=refund, after=rejected)
        unit.outbox.add([letters.refund_status(unit, self.shop, self.signer, order, refund=rejected)])
        return rejected

    @writing
    def withdraw(
        self, unit: Unit, *, by: Actor, refund_id: str, if_version: int | None = None, once: Once | None = None
    ) -> Refund:
        """The owner keeps the goods after all. Raises ``AlreadyDecided``."""
        _, refund = _locked(unit, refund_id)
        if not refund.belongs_to(by):
            raise NotFound("There is no such refund.")
        refund.expect(if_version)
        withdrawn = refund.withdraw(at=unit.now)
        unit.refunds.save(withdrawn)
        return withdrawn

    @writing
    def receive(
        self,
        unit: Unit,
        *,
        by: Actor,
        refund_id: str,
        disposition: Disposition,
        if_version: int | None = None,
        once: Once | None = None,
    ) -> Refund:
        """The goods are back: put them on the shelf, even of an archived product, or scrap them. The money is due.

        Raises ``AlreadyDecided`` the second time, ``IllegalTransition`` for a refund that waits for no goods.
        """
        require(by, Permission.RETURNS_RECEIVE)
        order, refund = _locked(unit, refund_id)
        refund.expect(if_version)
        received = self._give_back(unit, order, refund.receive(at=unit.now, disposition=disposition))
        record(unit, by, "refund.receive", before=refund, after=received)
        if disposition is Disposition.RESTOCK:
            moves = _back_on_the_shelf(unit, order, refund, by)
            restocked(unit, moves, unit.stock.move(moves))
        return received

    @reading
    def get(self, unit: Unit, *, by: Actor, refund_id: str) -> Refund:
        """One refund: its owner's, or any for staff. Raises ``NotFound``, also for somebody else's."""
        return _seen(unit, by, refund_id, *_STAFF)

    @reading
    def find(
        self, unit: Unit, *, by: Actor, query: RefundQuery = EVERY_REFUND, page: PageRequest = FIRST_PAGE
    ) -> Page[Refund]:
        """One's own refunds, an order's for the holder of its token, everybody's for staff; newest first."""
        if isinstance(by, Guest):
            if by.order_id is None:
                raise NotAuthenticated()
            query = replace(query, customer_id=None, order_id=by.order_id)
        elif not any(by.may(permission) for permission in _STAFF):
            query = replace(query, customer_id=require_user(by).id)
        return unit.refunds.page(query, page)

    def credit_note(self, *, by: Actor, refund_id: str) -> Attachment:
        """The credit note of a refund as a document, for its owner and ``invoices:read_all``.

        Raises ``NotFound``, ``NotCredited`` as long as there is none.
        """
        return self.documents.credit_note(*self._credit_note(by=by, refund_id=refund_id))

    @reading
    def _credit_note(
        self, unit: Unit, *, by: Actor, refund_id: str
    ) -> tuple[CreditNote, Invoice, Order, Refund | None]:
        refund = _seen(unit, by, refund_id, Permission.INVOICES_READ_ALL)
        note = unit.credit_notes.of_refund(refund.id) or whole_credit(unit, refund.order_id)
        invoice = unit.invoices.of_order(refund.order_id)
        if note is None or invoice is None:
            raise NotCredited()
        return note, invoice, unit.orders.get(refund.order_id), refund if note.refund_id else None

    def _check_returnable(self, unit: Unit, order: Order) -> None:
        at = order.delivered_at
        if at is None or order.status is not Status.DELIVERED:
            raise NotReturnable(f"The order is {order.status}; goods are sent back once they are delivered.")
        if unit.now > at + self.shop.return_window:
            raise NotReturnable(f"The order was delivered more than {self.shop.return_window.days} days ago.")
        if not order.is_paid:
            raise NotPaid()

    def _give_back(self, unit: Unit, order: Order, refund: Refund) -> Refund:
        """The money of a refund is due: the worker tells the provider, or people hand it back now."""
        payment = payment_of(unit, order)
        if payment and refund.amount:
            refund = refund.owe(payment_id=payment.id, at=unit.now)
            unit.refunds.save(refund)
            if not refund.expect_return:
                unit.outbox.add([letters.refund_status(unit, self.shop, self.signer, order, refund=refund)])
            return refund
        unit.refunds.save(refund)
        order, refund, note = settle(unit, self.shop, order, refund)
        unit.outbox.add([letters.refund_status(unit, self.shop, self.signer, order, refund=refund, credit_note=note)])
        return refund


def _locked(unit: Unit, refund_id: str) -> tuple[Order, Refund]:
    """A refund as it is while nobody else can change it."""
    order = unit.orders.locked(unit.refunds.get(refund_id).order_id)
    return order, unit.refunds.get(refund_id)


def _seen(unit: Unit, by: Actor, refund_id: str, *staff: Permission) -> Refund:
    refund = unit.refunds.get(refund_id)
    if not refund.belongs_to(by) and not any(by.may(permission) for permission in staff):
        raise NotFound("There is no such refund.")
    return refund


def _quantities(order: Order, items: Iterable[Item]) -> dict[str, int]:
    """Units by line. Raises ``Invalid`` naming the item that is no line of the order, or has no proper quantity."""
    lines = {line.id for line in order.lines}
    wanted: dict[str, int] = {}
    for position, (line_id, quantity) in enumerate(items):
        checks.whole(quantity, f"items.{position}.quantity", least=1, most=MAX_QUANTITY)
        if line_id not in lines:
            raise checks.refuse(f"items.{position}.line_id", "is no line of this order")
        wanted[line_id] = wanted.get(line_id, 0) + quantity
    return wanted


def _back_on_the_shelf(unit: Unit, order: Order, refund: Refund, by: Actor) -> list[StockMove]:
    return [
        StockMove(
            id=unit.new_id(),
            product_id=item.product_id,
            change=item.quantity,
            reason=StockReason.RETURN,
            note=order.number,
            order_id=order.id,
            actor_id=by.id,
            at=unit.now,
        )
        for item in refund.items
    ]
