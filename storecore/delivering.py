"""The worker's side of the outbox: lease what is due, send it, write down how it went."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.errors import Invalid, MailerDown, NotFound, NotInvoiced
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.notices import LEASE, Attachment, Notice, NoticeState
from storecore.orders.invoices import issue
from storecore.orders.model import Invoice, Order
from storecore.orders.refund import CreditNote, Refund
from storecore.ports import Documents, Mailer, Unit
from storecore.recording import record
from storecore.shop import Shop
from storecore.transactions import Activity, reading, writing

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Delivering(Activity):
    """Owed mail, delivered at least once by any number of workers."""

    mailer: Mailer
    documents: Documents
    shop: Shop

    @reading
    def page(
        self, unit: Unit, *, by: Actor, state: NoticeState | None = None, page: PageRequest = FIRST_PAGE
    ) -> Page[Notice]:
        """What was sent lately, is owed, or was given up, newest first; whom mail is for needs ``users:read``."""
        require(by, Permission.USERS_READ)
        return unit.outbox.page(page, state=state)

    @reading
    def owed(self, unit: Unit, *, by: Actor) -> tuple[int, datetime | None]:
        """How much mail is owed, and since when that which waits the longest; None if nothing has been due yet."""
        require(by, Permission.USERS_READ)
        count, due_at = unit.outbox.owed()
        return count, due_at if due_at is not None and due_at <= unit.now else None

    @writing
    def retry(self, unit: Unit, *, by: Actor, notice_id: str) -> Notice:
        """Staff want mail that was given up sent after all. Raises ``NotFound``, ``Conflict`` for any other mail."""
        require(by, Permission.USERS_WRITE)
        notice = unit.outbox.locked(notice_id)
        revived = notice.revived(unit.now)
        unit.outbox.save(revived)
        record(unit, by, "notice.retry", before=notice, after=revived)
        return revived

    def deliver(self, *, limit: int = 5) -> int:
        """Try each notice that is due, up to ``limit``; how many were tried. A failure is noted, never raised.

        So few are taken at once that even a mail server that never answers leaves no lease to run out.
        """
        leased = self._lease(limit=limit)
        for notice in leased:
            try:
                self._settle(notice=self._sent(notice))
            except NotFound:  # whoever it is for was erased while it was on its way
                self.mailer.forget([notice.id])
        return len(leased)

    @writing
    def _lease(self, unit: Unit, *, limit: int) -> Sequence[Notice]:
        return unit.outbox.lease(unit.now, unit.now + LEASE, limit)

    def _sent(self, notice: Notice) -> Notice:
        try:
            self.mailer.send(notice, self._attachments(notice))
        except Invalid as refused:
            return notice.failed(self.clock(), refused.message, for_good=True)
        except MailerDown as down:
            return notice.failed(self.clock(), down.message)
        except Exception as broken:
            log.exception("notice %s could not be sent", notice.id)
            return notice.failed(self.clock(), type(broken).__name__)
        return notice.sent(self.clock())

    def _attachments(self, notice: Notice) -> Sequence[Attachment]:
        files = [*self._invoices(notice)]
        if notice.credit_note_id is not None:
            files.append(self.documents.credit_note(*self._credit_note(note_id=notice.credit_note_id)))
        return files

    def _invoices(self, notice: Notice) -> Sequence[Attachment]:
        if notice.invoice_of is None:
            return ()
        try:
            invoice, order = self._invoice(order_id=notice.invoice_of)
        except (NotInvoiced, NotFound):
            return ()  # the order was cancelled before anything was issued
        return (self.documents.invoice(invoice, order),)

    @writing
    def _invoice(self, unit: Unit, *, order_id: str) -> tuple[Invoice, Order]:
        return issue(unit, self.shop, order_id)

    @reading
    def _credit_note(self, unit: Unit, *, note_id: str) -> tuple[CreditNote, Invoice, Order, Refund | None]:
        note = unit.credit_notes.get(note_id)
        refund = unit.refunds.get(note.refund_id) if note.refund_id else None
        invoice = unit.invoices.of_order(note.order_id)
        assert invoice is not None  # noqa: S101 - a credit note is about an invoice; this tells mypy
        return note, invoice, unit.orders.get(note.order_id), refund

    @writing
    def _settle(self, unit: Unit, *, notice: Notice) -> None:
        unit.outbox.save(notice)
        if notice.is_over:
            unit.outbox.remove(notice.id)
