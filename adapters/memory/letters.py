"""Mail that stays in memory, and invoices and credit notes as plain text."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from storecore.money import Money
from storecore.notices import Attachment, Notice
from storecore.orders.model import Invoice, Order, Party
from storecore.orders.refund import CreditNote, Refund
from storecore.orders.repaying import Credited, credited


class MemoryMailer:
    """The ``Mailer`` port for programs that look at ``sent`` themselves, and for tests."""

    def __init__(self) -> None:
        self.sent: list[tuple[Notice, tuple[Attachment, ...]]] = []

    def send(self, notice: Notice, attachments: Sequence[Attachment]) -> None:
        """Keep it."""
        self.sent.append((notice, tuple(attachments)))

    def forget(self, notice_ids: Iterable[str]) -> None:
        """Drop these."""
        gone = set(notice_ids)
        self.sent[:] = [each for each in self.sent if each[0].id not in gone]

    def sweep(self, before: datetime) -> None:
        """Keep the old ones too: they are for whoever looks at ``sent``."""


class TextDocuments:
    """The ``Documents`` port: papers that can be read in any editor, in UTF-8."""

    def invoice(self, invoice: Invoice, order: Order) -> Attachment:
        """The invoice as ``text/plain``."""
        about = f"Issued {invoice.issued_at:%Y-%m-%d} for order {order.number}"
        heading = _heading(f"Invoice {invoice.number}", about, invoice.seller, invoice.buyer)
        return _file(invoice.number, [*heading, "", *_lines(order), "", *_totals(order)])

    def credit_note(self, note: CreditNote, invoice: Invoice, order: Order, refund: Refund | None) -> Attachment:
        """The credit note as ``text/plain``."""
        about = f"Issued {note.issued_at:%Y-%m-%d} for invoice {invoice.number} of order {order.number}"
        heading = _heading(f"Credit note {note.number}", about, note.seller, note.buyer)
        return _file(note.number, [*heading, "", *_credited(credited(order, refund)), "", *_credit(note)])


def _file(number: str, rows: Sequence[str]) -> Attachment:
    return Attachment(
        name=f"{number}.txt",
        media_type="text/plain; charset=utf-8",
        content="\n".join([*rows, ""]).encode("utf-8", "replace"),
    )


def _heading(name: str, about: str, seller: Party, buyer: Party) -> Iterator[str]:
    yield name
    yield about
    for title, party in (("From", seller), ("To", buyer)):
        yield ""
        yield from _party(title, party)


def _party(title: str, party: Party) -> Iterator[str]:
    yield f"{title}:"
    tax_id = f"Tax id {party.tax_id}" if party.tax_id else None
    yield from (f"  {row}" for row in dict.fromkeys((party.name, *party.address, party.email, tax_id)) if row)


def _lines(order: Order) -> Iterator[str]:
    for line in order.lines:
        yield f"{line.quantity} x {line.name} ({line.sku})"
        yield _row("at", line.unit_price)
        if line.discount:
            yield _row("discount", -line.discount)
        yield _row(f"tax {_percent(line.tax_rate)}", line.tax)
        yield _row("total", line.total)


def _totals(order: Order) -> Iterator[str]:
    yield _row("Subtotal", order.subtotal)
    if order.discount:
        yield _row("Discount", -order.discount)
    yield _row("Shipping", order.shipping)
    for rate, net, tax in order.tax_by_rate:
        yield _row(f"{'Contains' if order.tax_included else 'Tax'} {_percent(rate)} on {net}", tax)
    yield _row(f"Total {order.currency}", order.total)


def _credited(parts: Credited) -> Iterator[str]:
    for line, item in parts.items:
        yield f"{item.quantity} x {line.name} ({line.sku})"
        yield _row("credited", item.amount)
        yield _row(f"contains tax {_percent(line.tax_rate)}", item.tax)
    if parts.shipping:
        yield _row("Shipping", parts.shipping)
        yield _row(f"contains tax {_percent(parts.shipping_tax_rate)}", parts.shipping_tax)


def _credit(note: CreditNote) -> Iterator[str]:
    yield _row("Contains tax", note.tax)
    yield _row(f"Credited {note.total.currency}", note.total)


def _row(title: str, amount: Money) -> str:
    return f"  {title:<40}{amount!s:>20}"


def _percent(rate: Decimal) -> str:
    return f"{rate.normalize():f} %"
