"""Issued invoices."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, text, update

from adapters.sql import tables
from adapters.sql.dialect import Refusals
from adapters.sql.pages import NewestFirst
from adapters.sql.transaction import Row, Transaction, Values, dumps, loads
from storecore.errors import Contention
from storecore.lists import Page, PageRequest
from storecore.money import Money
from storecore.orders.model import FORGOTTEN, Invoice, Party

_invoices, _orders = tables.invoices.c, tables.orders.c
_INVOICE = (
    _invoices.id,
    _invoices.sequence,
    _invoices.order_id,
    _invoices.issued_at,
    _invoices.seller,
    _invoices.private,
    _invoices.total,
    _invoices.currency,
)
_REFUSES: Refusals = {"uq_invoices_order_id": Contention, "uq_invoices_sequence": Contention}

_of_order = select(*_INVOICE).where(_invoices.order_id == bindparam("order_id"))
_next = select(func.coalesce(func.max(_invoices.sequence), 0) + 1)
_add = insert(tables.invoices)
_note_on_order = update(tables.orders).where(_orders.id == bindparam("this")).values(invoiced=True)
_due = (
    select(_orders.id).where(text(tables.TO_INVOICE)).order_by(_orders.created_at, _orders.id).limit(bindparam("most"))
)
_naming = (
    select(_invoices.id, _invoices.order_id)
    .where(text(tables.NAMING), _invoices.issued_at < bindparam("before"))
    .order_by(_invoices.issued_at, _invoices.id)
    .limit(bindparam("most"))
)
_forget = (
    update(tables.invoices)
    .where(_invoices.id == bindparam("this"))
    .values(private=bindparam("private"), forgotten_at=bindparam("at"))
)
_list = NewestFirst(
    _INVOICE,
    at=_invoices.issued_at,
    id_=_invoices.id,
    conditions={
        "issued_from": _invoices.issued_at >= bindparam("issued_from"),
        "issued_to": _invoices.issued_at < bindparam("issued_to"),
    },
)


class SqlInvoices:
    """The ``Invoices`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def of_order(self, order_id: str) -> Invoice | None:
        """None if there is none."""
        row = self._transaction.row(_of_order, {"order_id": order_id})
        return self._invoice(row) if row else None

    def next_sequence(self) -> int:
        """One transaction after another: the next one sees what this one has committed."""
        self._transaction.queue_for("invoices")
        return self._transaction.number(_next)

    def add(self, invoice: Invoice) -> None:
        """Raises ``Contention`` for a second invoice of an order."""
        values = {
            "id": invoice.id,
            "sequence": invoice.sequence,
            "order_id": invoice.order_id,
            "issued_at": invoice.issued_at,
            "seller": dumps(asdict(invoice.seller)),
            "private": self._transaction.seal("invoices.private", invoice.id, asdict(invoice.buyer)),
            "total": invoice.total.minor,
            "currency": invoice.total.currency,
        }
        self._transaction.write(_add, values, refuses=_REFUSES)
        self._transaction.write(_note_on_order, {"this": invoice.order_id})

    def page(self, page: PageRequest, *, issued_from: datetime | None, issued_to: datetime | None) -> Page[Invoice]:
        """Newest first."""
        return _list.page(self._transaction, page, self._invoices, issued_from=issued_from, issued_to=issued_to)

    def due(self, limit: int) -> Sequence[str]:
        """Oldest first, by an index that keeps just these."""
        return [order_id for (order_id,) in self._transaction.rows(_due, {"most": limit})]

    def forget_buyers(self, before: datetime, limit: int) -> Sequence[str]:
        """The oldest first, by an index that keeps just those that name somebody."""
        found = self._transaction.rows(_naming, {"before": before, "most": limit})
        self._transaction.write(_forget, [self._forgotten(invoice_id) for invoice_id, _ in found])
        return [order_id for _, order_id in found]

    def _forgotten(self, invoice_id: str) -> Values:
        private = self._transaction.seal("invoices.private", invoice_id, asdict(FORGOTTEN))
        return {"this": invoice_id, "private": private, "at": self._transaction.now}

    def _invoices(self, rows: Sequence[Row]) -> Sequence[Invoice]:
        return [self._invoice(row) for row in rows]

    def _invoice(self, row: Row) -> Invoice:
        id_, sequence, order_id, issued_at, seller, private, total, currency = row
        return Invoice(
            id=id_,
            sequence=sequence,
            order_id=order_id,
            issued_at=issued_at,
            seller=party(loads(seller)),
            buyer=party(self._transaction.unseal("invoices.private", id_, private)),
            total=Money(total, currency),
        )


def party(values: Mapping[str, Any]) -> Party:
    """A seller or a buyer as it was kept."""
    return Party(**{**values, "address": tuple(values["address"])})
