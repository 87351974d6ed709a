"""Mail that stays in memory, and invoices as plain text."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from storecore.money import Money
from storecore.notices import Attachment, Notice
from storecore.orders.model import Invoice, Order, Party


class MemoryMailer:
    """The ``Mailer`` port for programs that look at ``sent`` themselves, and for tests."""

    def __init__(self) -> None:
        self.sent: list[tuple[Notice, tuple[Attachment, ...]]] = []

    def send(self, notice: Notice, attachments: Sequence[Attachment]) -> None:
        """Keep it."""
        self.sent.append((notice, tuple(attachments)))


class TextDocuments:
    """The ``Documents`` port: an invoice that can be read in any editor, in UTF-8."""

    def invoice(self, invoice: Invoice, order: Order) -> Attachment:
        """The invoice as ``text/plain``."""
        text = "\n".join([*_heading(invoice, order), "", *_lines(order), "", *_totals(order), ""])
        return Attachment(
            name=f"{invoice.number}.txt",
            media_type="text/plain; charset=utf-8",
            content=text.encode("utf-8", "replace"),
        )


def _heading(invoice: Invoice, order: Order) -> Iterator[str]:
    yield f"Invoice {invoice.number}"
    yield f"Issued {invoice.issued_at:%Y-%m-%d} for order {order.number}"
    for title, party in (("From", invoice.seller), ("To", invoice.buyer)):
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


def _row(title: str, amount: Money) -> str:
    return f"  {title:<40}{amount!s:>20}"


def _percent(rate: Decimal) -> str:
    return f"{rate.normalize():f} %"
