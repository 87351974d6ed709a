"""Issued credit notes."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, text, update

from adapters.sql import tables
from adapters.sql.dialect import Refusals
from adapters.sql.invoices import party
from adapters.sql.transaction import Row, Transaction, Values, dumps, loads
from storecore.errors import Contention, NotFound
from storecore.money import Money
from storecore.orders.model import FORGOTTEN
from storecore.orders.refund import CreditNote

_notes = tables.credit_notes.c
_NOTE = (
    _notes.id,
    _notes.sequence,
    _notes.order_id,
    _notes.refund_id,
    _notes.issued_at,
    _notes.seller,
    _notes.private,
    _notes.total,
    _notes.tax,
    _notes.currency,
)
_REFUSES: Refusals = {
    "uq_credit_notes_refund_id": Contention,
    "uq_credit_notes_order_id": Contention,
    "uq_credit_notes_sequence": Contention,
}

_get = select(*_NOTE).where(_notes.id == bindparam("id"))
_of_refund = select(*_NOTE).where(_notes.refund_id == bindparam("refund_id"))
_of_order = select(*_NOTE).where(_notes.order_id == bindparam("order_id")).order_by(_notes.sequence)
_next = select(func.coalesce(func.max(_notes.sequence), 0) + 1)
_add = insert(tables.credit_notes)
_naming = (
    select(_notes.id)
    .where(text(tables.NAMING), _notes.issued_at < bindparam("before"))
    .order_by(_notes.issued_at, _notes.id)
    .limit(bindparam("most"))
)
_forget = (
    update(tables.credit_notes)
    .where(_notes.id == bindparam("this"))
    .values(private=bindparam("private"), forgotten_at=bindparam("at"))
)


class SqlCreditNotes:
    """The ``CreditNotes`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def get(self, note_id: str) -> CreditNote:
        """Raises ``NotFound``."""
        row = self._transaction.row(_get, {"id": note_id})
        if row is None:
            raise NotFound("There is no such credit note.")
        return self._note(row)

    def of_refund(self, refund_id: str) -> CreditNote | None:
        """None if there is none."""
        row = self._transaction.row(_of_refund, {"refund_id": refund_id})
        return self._note(row) if row else None

    def of_order(self, order_id: str) -> Sequence[CreditNote]:
        """Oldest first."""
        return [self._note(row) for row in self._transaction.rows(_of_order, {"order_id": order_id})]

    def next_sequence(self) -> int:
        """One transaction after another: the next one sees what this one has committed."""
        self._transaction.queue_for("credit notes")
        return self._transaction.number(_next)

    def add(self, note: CreditNote) -> None:
        """Raises ``Contention`` for a second one of a refund, or of a whole order."""
        values = {
            "id": note.id,
            "sequence": note.sequence,
            "order_id": note.order_id,
            "refund_id": note.refund_id,
            "issued_at": note.issued_at,
            "seller": dumps(asdict(note.seller)),
            "private": self._transaction.seal("credit_notes.private", note.id, asdict(note.buyer)),
            "total": note.total.minor,
            "tax": note.tax.minor,
            "currency": note.total.currency,
        }
        self._transaction.write(_add, values, refuses=_REFUSES)

    def forget_buyers(self, before: datetime, limit: int) -> int:
        """The oldest first, by an index that keeps just those that name somebody."""
        found = self._transaction.rows(_naming, {"before": before, "most": limit})
        self._transaction.write(_forget, [self._forgotten(row[0]) for row in found])
        return len(found)

    def _forgotten(self, note_id: str) -> Values:
        private = self._transaction.seal("credit_notes.private", note_id, asdict(FORGOTTEN))
        return {"this": note_id, "private": private, "at": self._transaction.now}

    def _note(self, row: Row) -> CreditNote:
        id_, sequence, order_id, refund_id, issued_at, seller, private, total, tax, currency = row
        return CreditNote(
            id=id_,
            sequence=sequence,
            order_id=order_id,
            refund_id=refund_id,
            issued_at=issued_at,
            seller=party(loads(seller)),
            buyer=party(self._transaction.unseal("credit_notes.private", id_, private)),
            total=Money(total, currency),
            tax=Money(tax, currency),
        )
