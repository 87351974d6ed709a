"""What the books add up to, by looking at every paper: nothing is kept."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from adapters.memory.orders import is_due
from adapters.memory.tables import Repository
from storecore.accounts.model import shortened
from storecore.insight.days import Days, day_of
from storecore.insight.model import BuyerTakings, GoodsTakings, Takings, Waiting
from storecore.orders.model import Order, OrderLine, Status
from storecore.orders.refund import CreditNote, Disposition, Refund, RefundCause, RefundStatus
from storecore.reviews.model import ReviewStatus
from storecore.support.model import ConversationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What one line of a paper, or a paper as a whole, adds to the takings of its day."""

    at: datetime
    order: Order
    rate: Decimal
    product_id: str | None = None
    amounts: Mapping[str, int]


class MemoryInsight(Repository):
    """Everything is added up each time."""

    def takings(self, days: Days) -> Sequence[Takings]:
        """One for each entry."""
        return [
            Takings(day=day, tax_rate=entry.rate, tax_included=entry.order.tax_included, **entry.amounts)
            for day, entry in self._entries(days)
        ]

    def products(self, days: Days, most: int) -> Sequence[GoodsTakings]:
        """By net revenue."""
        sums: dict[str, Counter[str]] = {}
        for product_id, amounts in self._goods(days):
            sums.setdefault(product_id, Counter()).update(amounts)
        found = []
        for product_id in sorted(sums, key=lambda each: (-sums[each]["net"], each))[:most]:
            product = self._tables.products.get(product_id)
            assert product is not None  # noqa: S101 - products are archived, never removed; this tells mypy
            found.append(GoodsTakings.of(product_id, product.name, sums[product_id], sku=product.sku))
        return found

    def categories(self, days: Days) -> Sequence[GoodsTakings]:
        """Each product in the first of its categories."""
        sums: dict[str | None, Counter[str]] = {}
        for product_id, amounts in self._goods(days):
            product = self._tables.products.get(product_id)
            first = product.category_ids[0] if product else ""
            sums.setdefault(first if first in self._tables.categories else None, Counter()).update(amounts)
        found = []
        for category_id in sorted(sums, key=lambda each: (-sums[each]["net"], each or "")):
            category = self._tables.categories.get(category_id) if category_id else None
            found.append(GoodsTakings.of(category_id, category.name if category else None, sums[category_id]))
        return found

    def customers(self, days: Days, most: int) -> tuple[Sequence[BuyerTakings], BuyerTakings]:
        """By what they spent."""
        sums: dict[str, Counter[str]] = {"": Counter()}
        for _, entry in self._entries(days):
            if entry.product_id is None:
                amounts = entry.amounts
                spent = amounts.get("invoiced", 0) - amounts.get("credited", 0)
                one = {"orders": amounts.get("orders", 0), "spent": spent}
                sums.setdefault(entry.order.customer_id or "", Counter()).update(one)
        guests = sums.pop("")
        found = []
        for user_id in sorted(sums, key=lambda each: (-sums[each]["spent"], each))[:most]:
            user = self._tables.users.get(user_id)
            assert user is not None  # noqa: S101 - orders keep their customers; this tells mypy
            found.append(BuyerTakings.of(user_id, shortened(user.full_name), sums[user_id]))
        return found, BuyerTakings.of(None, None, guests)

    def placed(self, days: Days) -> Mapping[Status, int]:
        """By status."""
        placed = Counter(
            order.status for order in self._tables.orders.rows() if days.begins <= order.created_at < days.ends
        )
        return {status: placed[status] for status in Status}

    def new_users(self, days: Days) -> int:
        """Whatever their role."""
        return sum(days.begins <= user.created_at < days.ends for user in self._tables.users.rows())

    def waiting(self) -> Waiting:
        """What waits."""
        refunds = list(self._tables.refunds.rows())
        statuses = Counter(refund.status for refund in refunds)
        return Waiting(
            reviews=sum(review.status is ReviewStatus.PENDING for review in self._tables.reviews.rows()),
            refunds_to_decide=statuses[RefundStatus.REQUESTED],
            returns_to_receive=sum(each.status is RefundStatus.APPROVED and each.expect_return for each in refunds),
            refunds_to_pay_out=sum(each.payout_at is not None for each in refunds),
            conversations=sum(each.status is ConversationStatus.WAITING for each in self._tables.conversations.rows()),
        )

    def to_roll_up(self, timezone: str) -> int:  # noqa: ARG002 - the port's
        """Nothing is kept."""
        return 0

    def roll_up(self, timezone: str, most: int) -> int:  # noqa: ARG002 - the port's
        """Nothing is kept."""
        _ = self._draft
        return 0

    def _goods(self, days: Days) -> Iterator[tuple[str, Mapping[str, int]]]:
        """What each line adds to its product."""
        for _, entry in self._entries(days):
            if entry.product_id is not None:
                amounts = Counter(entry.amounts)
                inside = amounts["goods_tax"] if entry.order.tax_included else 0
                net = amounts["listed"] - amounts["reduced"] - inside
                yield entry.product_id, {**amounts, "net": net}

    def _entries(self, days: Days) -> Iterator[tuple[date, _Entry]]:
        for entry in self._papers():
            if (day := day_of(entry.at, days.timezone)) in days:
                yield day, entry

    def _papers(self) -> Iterator[_Entry]:
        tables = self._tables
        for order in tables.orders.rows():
            invoice = tables.invoices.get(order.id)
            if invoice is not None:
                yield from _sold(order, invoice.issued_at)
            elif is_due(order):
                yield from _sold(order, self._space.now)
        for note in tables.credit_notes.rows():
            credited = tables.orders.get(note.order_id)
            refund = tables.refunds.get(note.refund_id) if note.refund_id else None
            assert credited is not None  # noqa: S101 - orders are never removed; this tells mypy
            if refund is not None and refund.cause is RefundCause.RETURN:
                yield from _returned(credited, refund, note)
            else:
                yield from _taken_back(credited, note)


def _sold(order: Order, at: datetime) -> Iterator[_Entry]:
    for line in order.lines:
        yield _Entry(at=at, order=order, rate=line.tax_rate, product_id=line.product_id, amounts=_of_line(line, 1))
    whole = _of_order(order, 1) | {"invoiced": order.total.minor}
    yield _Entry(at=at, order=order, rate=order.shipping_tax_rate, amounts=whole)


def _taken_back(order: Order, note: CreditNote) -> Iterator[_Entry]:
    for line in order.lines:
        amounts = _of_line(line, -1)
        yield _Entry(at=note.issued_at, order=order, rate=line.tax_rate, product_id=line.product_id, amounts=amounts)
    whole = _of_order(order, -1) | {"credited": note.total.minor}
    yield _Entry(at=note.issued_at, order=order, rate=order.shipping_tax_rate, amounts=whole)


def _returned(order: Order, refund: Refund, note: CreditNote) -> Iterator[_Entry]:
    lines = {line.id: line for line in order.lines}
    for item in refund.items:
        line = lines[item.line_id]
        back = line.cost.minor * item.quantity if refund.disposition is Disposition.RESTOCK else 0
        refunded = (item.amount - item.tax).minor
        amounts = {"units_returned": item.quantity, "refunds": refunded, "cost": -back}
        yield _Entry(at=note.issued_at, order=order, rate=line.tax_rate, product_id=item.product_id, amounts=amounts)
    whole = {
        "refunded_tax": note.tax.minor,
        "refunded_shipping": (refund.shipping - refund.shipping_tax).minor,
        "credited": note.total.minor,
    }
    yield _Entry(at=note.issued_at, order=order, rate=order.shipping_tax_rate, amounts=whole)


def _of_line(line: OrderLine, sign: int) -> dict[str, int]:
    return {
        "units": sign * line.quantity,
        "listed": sign * line.unit_price.minor * line.quantity,
        "reduced": sign * line.discount.minor,
        "goods_tax": sign * line.tax.minor,
        "cost": sign * line.cost.minor * line.quantity,
    }


def _of_order(order: Order, sign: int) -> dict[str, int]:
    shipping = order.shipping - order.shipping_tax if order.tax_included else order.shipping
    return {"orders": sign, "tax": sign * order.tax.minor, "shipping": sign * shipping.minor}
