"""Payments, refunds and credit notes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.pages import in_utc, page_of, ticks
from adapters.memory.tables import Repository
from storecore.errors import Contention, NotFound, PaymentInProgress
from storecore.lists import Page, PageRequest
from storecore.orders.model import FORGOTTEN
from storecore.orders.payment import Payment, PaymentState
from storecore.orders.refund import CreditNote, Refund
from storecore.ports import RefundQuery

_CREDIT_NOTES = "credit notes"


class MemoryPayments(Repository):
    """Attempts to pay."""

    def add(self, payment: Payment) -> None:
        """Raises ``PaymentInProgress``."""
        if payment.state is not PaymentState.FAILED:
            self._refuse_another(payment)
        draft = self._draft
        draft.payments.put(payment.id, in_utc(payment))
        draft.payments_of.put(payment.order_id, (*(draft.payments_of.get(payment.order_id) or ()), payment.id))
        self._index(payment)

    def get(self, payment_id: str) -> Payment:
        """Raises ``NotFound``."""
        if (payment := self._tables.payments.get(payment_id)) is None:
            raise NotFound("There is no such payment.")
        return payment

    def by_reference(self, provider: str, reference: str) -> Payment | None:
        """The payment that the provider calls so."""
        payment_id = self._tables.payments_by_reference.get((provider, reference))
        return self.get(payment_id) if payment_id else None

    def of_order(self, order_id: str) -> Sequence[Payment]:
        """Oldest first."""
        found = [self.get(payment_id) for payment_id in self._tables.payments_of.get(order_id) or ()]
        return sorted(found, key=lambda each: (each.created_at, each.id))

    def save(self, payment: Payment) -> None:
        """Raises ``Contention``, ``PaymentInProgress``."""
        draft, stored = self._draft, self.get(payment.id)
        if payment.state is not PaymentState.FAILED and stored.state is PaymentState.FAILED:
            self._refuse_another(payment)
        if payment.version != stored.version + 1:
            raise Contention()
        changed = replace(
            stored,
            reference=payment.reference,
            state=payment.state,
            failure=payment.failure,
            check_at=payment.check_at,
            version=payment.version,
        )
        draft.payments.put(payment.id, in_utc(changed))
        self._index(payment)

    def lease(self, at: datetime, until: datetime, limit: int) -> Sequence[Payment]:
        """The longest due first."""
        draft = self._draft
        due = [each for each in draft.payments.rows() if each.check_at is not None and each.check_at <= at]
        due.sort(key=lambda each: (each.check_at, each.id))
        leased = [in_utc(replace(each, check_at=until)) for each in due[:limit]]
        for payment in leased:
            draft.payments.put(payment.id, payment)
        return leased

    def _refuse_another(self, payment: Payment) -> None:
        if any(other.state is not PaymentState.FAILED for other in self.of_order(payment.order_id)):
            raise PaymentInProgress()

    def _index(self, payment: Payment) -> None:
        if payment.reference is None:
            return
        key = (payment.provider, payment.reference)
        if self._draft.payments_by_reference.get(key) not in {None, payment.id}:
            raise Contention()
        self._draft.payments_by_reference.put(key, payment.id)


class MemoryRefunds(Repository):
    """Refunds."""

    def add(self, refund: Refund) -> None:
        """Kept with its items."""
        draft = self._draft
        draft.refunds.put(refund.id, in_utc(refund))
        draft.refunds_of.put(refund.order_id, (*(draft.refunds_of.get(refund.order_id) or ()), refund.id))

    def get(self, refund_id: str) -> Refund:
        """Raises ``NotFound``."""
        if (refund := self._tables.refunds.get(refund_id)) is None:
            raise NotFound("There is no such refund.")
        return refund

    def of_order(self, order_id: str) -> Sequence[Refund]:
        """Oldest first."""
        found = [self.get(refund_id) for refund_id in self._tables.refunds_of.get(order_id) or ()]
        return sorted(found, key=lambda each: (each.created_at, each.id))

    def save(self, refund: Refund) -> None:
        """Raises ``Contention``."""
        draft, stored = self._draft, self.get(refund.id)
        if refund.version != stored.version + 1:
            raise Contention()
        draft.refunds.put(refund.id, in_utc(refund))

    def page(self, query: RefundQuery, page: PageRequest) -> Page[Refund]:
        """Newest first."""
        rows = (
            refund
            for refund in self._tables.refunds.rows()
            if query.customer_id in (None, refund.customer_id)
            and query.order_id in (None, refund.order_id)
            and query.status in (None, refund.status)
        )
        return page_of(rows, page, lambda each: (ticks(each.created_at), each.id), descending=True)

    def lease(self, at: datetime, until: datetime, limit: int) -> Sequence[Refund]:
        """The longest due first."""
        draft = self._draft
        due = [each for each in draft.refunds.rows() if each.payout_at is not None and each.payout_at <= at]
        due.sort(key=lambda each: (each.payout_at, each.id))
        leased = [in_utc(replace(each, payout_at=until)) for each in due[:limit]]
        for refund in leased:
            draft.refunds.put(refund.id, refund)
        return leased


class MemoryCreditNotes(Repository):
    """Credit notes, one a refund."""

    def get(self, note_id: str) -> CreditNote:
        """Raises ``NotFound``."""
        if (note := self._tables.credit_notes.get(note_id)) is None:
            raise NotFound("There is no such credit note.")
        return note

    def of_refund(self, refund_id: str) -> CreditNote | None:
        """The refund's, if it was issued."""
        note_id = self._tables.credit_notes_by_refund.get(refund_id)
        return self.get(note_id) if note_id else None

    def of_order(self, order_id: str) -> Sequence[CreditNote]:
        """Oldest first."""
        found = [self.get(note_id) for note_id in self._tables.credit_notes_of.get(order_id) or ()]
        return sorted(found, key=lambda each: each.sequence)

    def next_sequence(self) -> int:
        """One more than the last."""
        draft = self._draft
        sequence = (draft.last_numbers.get(_CREDIT_NOTES) or 0) + 1
        draft.last_numbers.put(_CREDIT_NOTES, sequence)
        return sequence

    def add(self, note: CreditNote) -> None:
        """Raises ``Contention`` for a refund that has one, or a whole order."""
        draft = self._draft
        if note.refund_id is not None:
            if note.refund_id in draft.credit_notes_by_refund:
                raise Contention()
            draft.credit_notes_by_refund.put(note.refund_id, note.id)
        elif any(other.refund_id is None for other in self.of_order(note.order_id)):
            raise Contention()
        draft.credit_notes.put(note.id, in_utc(note))
        draft.credit_notes_of.put(note.order_id, (*(draft.credit_notes_of.get(note.order_id) or ()), note.id))

    def forget_buyers(self, before: datetime, limit: int) -> int:
        """The oldest first."""
        draft = self._draft
        named = [each for each in draft.credit_notes.rows() if each.issued_at < before and each.buyer != FORGOTTEN]
        old = sorted(named, key=lambda each: (each.issued_at, each.id))[:limit]
        for note in old:
            draft.credit_notes.put(note.id, replace(note, buyer=FORGOTTEN))
        return len(old)
