"""Orders and invoices."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.pages import in_utc, page_of, ticks
from adapters.memory.tables import Repository
from storecore.errors import Contention, NotFound
from storecore.lists import Page, PageRequest
from storecore.orders.model import FORGOTTEN, OFFLINE, Delivery, Invoice, Order, OrderLine, Status
from storecore.ports import OrderQuery

_TO_BRING = frozenset({Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED})
_INVOICES = "invoices"


class MemoryOrders(Repository):
    """Orders with unique numbers."""

    def add(self, order: Order) -> None:
        """Raises ``Contention`` for a number that is taken."""
        draft = self._draft
        if order.number in draft.orders_by_number:
            raise Contention()
        draft.orders.put(order.id, in_utc(order))
        draft.orders_by_number.put(order.number, order.id)
        draft.to_invoice.put(order.id, True)
        self._note_whether_it_counts(order)

    def get(self, order_id: str) -> Order:
        """Raises ``NotFound``."""
        if (order := self._tables.orders.get(order_id)) is None:
            raise NotFound("There is no such order.")
        return order

    def locked(self, order_id: str) -> Order:
        """Raises ``NotFound``. The writer's turn is the lock."""
        _ = self._draft
        return self.get(order_id)

    def save(self, order: Order) -> None:
        """Raises ``Contention``. Amounts, lines and the history so far stay as they were."""
        draft, stored = self._draft, self.get(order.id)
        if order.version != stored.version + 1:
            raise Contention()
        changed = replace(
            stored,
            status=order.status,
            payment_status=order.payment_status,
            payment_provider=order.payment_provider,
            pay_by=order.pay_by,
            refunded=order.refunded,
            delivery_address=order.delivery_address,
            note=order.note,
            eta=order.eta,
            carrier=order.carrier,
            tracking_number=order.tracking_number,
            history=(*stored.history, *order.history[len(stored.history) :]),
            version=order.version,
        )
        draft.orders.put(order.id, in_utc(changed))
        self._note_whether_it_counts(changed)

    def erase(self, order: Order) -> None:
        """Raises ``Contention``."""
        self.save(order)
        saved = self.get(order.id)
        erased = replace(saved, customer_name=order.customer_name, email=order.email, history=order.history)
        self._draft.orders.put(order.id, in_utc(erased))

    def page(self, query: OrderQuery, page: PageRequest) -> Page[Order]:
        """Newest first."""
        rows = (order for order in self._tables.orders.rows() if _matches(order, query))
        found = page_of(rows, page, lambda order: (ticks(order.created_at), order.id), descending=True)
        return found.map(lambda order: replace(order, explanation=()))

    def deliveries(self, page: PageRequest, *, done: bool | None = None) -> Page[Delivery]:
        """Lines, oldest order first."""
        rows = (
            (order, position)
            for order in self._tables.orders.rows()
            if order.status in _TO_BRING and done in (None, order.status is Status.DELIVERED)
            for position in range(len(order.lines))
        )
        found = page_of(rows, page, lambda row: (ticks(row[0].created_at), row[0].id, row[1]))
        return found.map(lambda row: _delivery(row[0], row[0].lines[row[1]]))

    def overdue(self, at: datetime, limit: int) -> Sequence[str]:
        """The longest overdue first."""
        waiting = (order for order in self._tables.orders.rows() if order.pay_by is not None and order.pay_by <= at)
        return [order.id for order in sorted(waiting, key=lambda each: (each.pay_by, each.id))[:limit]]

    def delivered(self, customer_id: str, product_id: str) -> bool:
        """Looks through every order."""
        return any(
            order.customer_id == customer_id
            and order.status is Status.DELIVERED
            and any(line.product_id == product_id for line in order.lines)
            for order in self._tables.orders.rows()
        )

    def _note_whether_it_counts(self, order: Order) -> None:
        draft = self._draft
        if order.counts != (order.id in draft.counted):
            draft.to_count.put(order.id, True)
        else:
            draft.to_count.drop(order.id)


def _matches(order: Order, query: OrderQuery) -> bool:
    return (
        query.customer_id in (None, order.customer_id)
        and query.status in (None, order.status)
        and query.number in (None, order.number)
        and (query.placed_from is None or order.created_at >= query.placed_from)
        and (query.placed_to is None or order.created_at < query.placed_to)
    )


def _delivery(order: Order, line: OrderLine) -> Delivery:
    return Delivery(
        line_id=line.id,
        order_id=order.id,
        order_number=order.number,
        customer_id=order.customer_id,
        customer_name=order.customer_name,
        product_id=line.product_id,
        product_name=line.name,
        quantity=line.quantity,
        total=line.total,
        delivery_address=order.delivery_address,
        status=order.status,
    )


class MemoryInvoices(Repository):
    """Invoices, one an order."""

    def of_order(self, order_id: str) -> Invoice | None:
        """The order's, if it was issued."""
        return self._tables.invoices.get(order_id)

    def next_sequence(self) -> int:
        """One more than the last."""
        draft = self._draft
        sequence = (draft.last_numbers.get(_INVOICES) or 0) + 1
        draft.last_numbers.put(_INVOICES, sequence)
        return sequence

    def add(self, invoice: Invoice) -> None:
        """Raises ``Contention`` for an order that has one."""
        draft = self._draft
        if invoice.order_id in draft.invoices:
            raise Contention()
        draft.invoices.put(invoice.order_id, in_utc(invoice))
        draft.to_invoice.drop(invoice.order_id)

    def page(self, page: PageRequest, *, issued_from: datetime | None, issued_to: datetime | None) -> Page[Invoice]:
        """Newest first."""
        rows = (
            invoice
            for invoice in self._tables.invoices.rows()
            if (issued_from is None or invoice.issued_at >= issued_from)
            and (issued_to is None or invoice.issued_at < issued_to)
        )
        return page_of(rows, page, lambda each: (ticks(each.issued_at), each.id), descending=True)

    def due(self, limit: int) -> Sequence[str]:
        """Oldest first."""
        orders = (self._tables.orders.get(order_id) for order_id, _ in self._tables.to_invoice.items())
        due = sorted((order.created_at, order.id) for order in orders if order is not None and is_due(order))
        return [order_id for _, order_id in due[:limit]]

    def forget_buyers(self, before: datetime, limit: int) -> Sequence[str]:
        """The oldest first."""
        draft = self._draft
        named = [each for each in draft.invoices.rows() if each.issued_at < before and each.buyer != FORGOTTEN]
        old = sorted(named, key=lambda each: (each.issued_at, each.id))[:limit]
        for invoice in old:
            draft.invoices.put(invoice.order_id, replace(invoice, buyer=FORGOTTEN))
        return [invoice.order_id for invoice in old]


def is_due(order: Order) -> bool:
    """Whether an order without an invoice wants one."""
    return order.status is not Status.CANCELLED and (order.payment_provider == OFFLINE or order.is_paid)
