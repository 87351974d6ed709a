"""Reports worked out slowly, order by order and paper by paper: what the fast ones must equal."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from storecore.accounts.model import User
from storecore.insight.days import Days
from storecore.insight.model import BuyerTakings, GoodsTakings, Sales
from storecore.lists import PageRequest
from storecore.money import Money
from storecore.orders.model import OFFLINE, Invoice, Order, OrderLine, Status
from storecore.orders.refund import CreditNote, Refund
from storecore.ports import OrderQuery, Unit
from storecore.store import Store

ALL = OrderQuery()


@dataclass(frozen=True, kw_only=True)
class Folder:
    """An order and every paper about it."""

    order: Order
    invoice: Invoice | None
    credits: Sequence[tuple[CreditNote, Refund | None]]

    def sold_at(self, now: datetime) -> datetime | None:
        """When it became a sale, if it did; one that waits for its invoice becomes one now."""
        if self.invoice:
            return self.invoice.issued_at
        firm = self.order.payment_provider == OFFLINE or self.order.is_paid
        return now if firm and self.order.status is not Status.CANCELLED else None


class Books:
    """Everything that was ever put on paper, as of now."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, store.clock()
        self.currency, self.zone = store.shop.currency, ZoneInfo(store.shop.timezone)
        with store.storage.reading(self.now, str) as unit:
            self.folders = [_folder(unit, order) for order in _orders(unit)]

    def days(self, first: date, last: date) -> Days:
        return Days(first=first, last=last, timezone=self.store.shop.timezone)

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def moves(self, days: Days) -> Iterator[tuple[date, int, Folder]]:
        """Sales (+1) and what took them back (-1)."""
        for folder in self.folders:
            sold_at = folder.sold_at(self.now)
            if sold_at and self.day(sold_at) in days:
                yield self.day(sold_at), 1, folder
            for note, _ in folder.credits:
                if folder.order.status is Status.CANCELLED and self.day(note.issued_at) in days:
                    yield self.day(note.issued_at), -1, folder

    def returns(self, days: Days) -> Iterator[tuple[Folder, CreditNote, Refund]]:
        """What came back of orders that stand."""
        for folder in self.folders:
            for note, refund in folder.credits:
                if folder.order.status is not Status.CANCELLED and self.day(note.issued_at) in days:
                    assert refund is not None
                    yield folder, note, refund

    def sales(self, days: Days) -> Sales:
        """Amount by amount."""
        sums: dict[str, int] = defaultdict(int)
        reduced: dict[tuple[date, Fraction], int] = defaultdict(int)
        for day, sign, folder in self.moves(days):
            order = folder.order
            shipping = order.shipping - order.shipping_tax if order.tax_included else order.shipping
            sums["orders"] += sign
            sums["tax"] += sign * order.tax.minor
            sums["shipping"] += sign * shipping.minor
            sums["invoiced" if sign > 0 else "credited"] += order.total.minor
            for line in order.lines:
                sums["units"] += sign * line.quantity
                sums["net"] += sign * _net(order, line)
                sums["cost"] += sign * line.cost.minor * line.quantity
                rate = Fraction(line.tax_rate) if order.tax_included else Fraction(0)
                reduced[day, rate] += sign * line.discount.minor
        for folder, note, refund in self.returns(days):
            sums["credited"] += note.total.minor
            sums["refunded_tax"] += note.tax.minor
            sums["refunded_shipping"] += (refund.shipping - refund.shipping_tax).minor
            for item in refund.items:
                sums["units_returned"] += item.quantity
                sums["refunds"] += (item.amount - item.tax).minor
                sums["cost"] -= _back_on_the_shelf(folder.order, refund, item.line_id) * item.quantity
        discounts = sum(_rounded(amount * 100 / (100 + rate), amount) for (_, rate), amount in reduced.items())
        money = {
            name: Money(sums[name], self.currency)
            for name in (
                "net",
                "tax",
                "shipping",
                "refunds",
                "refunded_tax",
                "refunded_shipping",
                "cost",
                "invoiced",
                "credited",
            )
        }
        return Sales(
            orders=sums["orders"],
            units=sums["units"],
            units_returned=sums["units_returned"],
            gross=Money(sums["net"] + discounts, self.currency),
            discounts=Money(discounts, self.currency),
            profit=Money(sums["net"] - sums["refunds"] - sums["cost"], self.currency),
            **money,
        )

    def products(self, days: Days) -> list[GoodsTakings]:
        """By net revenue."""
        found = self._goods(days, {each.product_id: each.product_id for each in self._lines()})
        with self.store.storage.reading(self.now, str) as unit:
            products = unit.products.some(each for each in found if each)
        rows = [_goods(each, products[each].name, found[each], sku=products[each].sku) for each in found if each]
        return sorted(rows, key=lambda row: (-row.net, row.id or ""))

    def categories(self, days: Days) -> list[GoodsTakings]:
        """Each product is in the first of its categories, if that is still there."""
        with self.store.storage.reading(self.now, str) as unit:
            products = unit.products.some({line.product_id for line in self._lines()})
            categories = unit.categories.some({product.category_ids[0] for product in products.values()})
        firsts = {
            each: product.category_ids[0] if product.category_ids[0] in categories else None
            for each, product in products.items()
        }
        found = self._goods(days, firsts)
        rows = [_goods(each, categories[each].name if each else None, found[each]) for each in found]
        return sorted(rows, key=lambda row: (-row.net, row.id or ""))

    def customers(self, days: Days) -> tuple[list[BuyerTakings], BuyerTakings]:
        """By what they spent; and guests."""
        orders: dict[str | None, int] = defaultdict(int)
        spent: dict[str | None, int] = defaultdict(int)
        for _, sign, folder in self.moves(days):
            orders[folder.order.customer_id] += sign
            spent[folder.order.customer_id] += sign * folder.order.total.minor
        for folder, note, _ in self.returns(days):
            spent[folder.order.customer_id] -= note.total.minor
        guests = BuyerTakings(id=None, name=None, orders=orders.pop(None, 0), spent=spent.pop(None, 0))
        with self.store.storage.reading(self.now, str) as unit:
            users: dict[str, User] = {each: unit.users.get(each) for each in spent if each}
        rows = [
            BuyerTakings(id=each, name=users[each].display_name, orders=orders[each], spent=spent[each])
            for each in users
        ]
        return sorted(rows, key=lambda row: (-row.spent, row.id or "")), guests

    def _lines(self) -> Iterator[OrderLine]:
        return (line for folder in self.folders for line in folder.order.lines)

    def _goods(self, days: Days, key: dict[str, str] | dict[str, str | None]) -> dict[str | None, dict[str, int]]:
        found: dict[str | None, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for _, sign, folder in self.moves(days):
            for line in folder.order.lines:
                sums = found[key[line.product_id]]
                sums["units"] += sign * line.quantity
                sums["net"] += sign * _net(folder.order, line)
                sums["cost"] += sign * line.cost.minor * line.quantity
        for folder, _, refund in self.returns(days):
            for item in refund.items:
                sums = found[key[item.product_id]]
                sums["units_returned"] += item.quantity
                sums["refunds"] += (item.amount - item.tax).minor
                sums["cost"] -= _back_on_the_shelf(folder.order, refund, item.line_id) * item.quantity
        return found


def check_reports(store: Store, *ranges: tuple[date, date]) -> Books:
    """Every report of these days is what the slow one says, down to the smallest unit."""
    books = Books(store)
    with store.storage.reading(store.clock(), str) as unit:
        for first, last in ranges:
            days = books.days(first, last)
            assert Sales.of(unit.insight.takings(days), books.currency) == books.sales(days)
            products = books.products(days)
            for most in (1000, 3):
                assert list(unit.insight.products(days, most)) == products[:most]
            assert list(unit.insight.categories(days)) == books.categories(days)
            customers, guests = books.customers(days)
            for most in (1000, 2):
                assert unit.insight.customers(days, most) == (customers[:most], guests)
            placed = [folder.order for folder in books.folders if books.day(folder.order.created_at) in days]
            counted = {status: sum(order.status is status for order in placed) for status in Status}
            assert unit.insight.placed(days) == counted
    return books


def _orders(unit: Unit) -> Iterator[Order]:
    page = unit.orders.page(ALL, PageRequest(limit=100))
    yield from page.items
    while page.next:
        page = unit.orders.page(ALL, PageRequest(limit=100, after=page.next))
        yield from page.items


def _folder(unit: Unit, order: Order) -> Folder:
    refunds = {refund.id: refund for refund in unit.refunds.of_order(order.id)}
    credited = [(note, refunds.get(note.refund_id or "")) for note in unit.credit_notes.of_order(order.id)]
    return Folder(order=order, invoice=unit.invoices.of_order(order.id), credits=credited)


def _net(order: Order, line: OrderLine) -> int:
    return (line.goods - line.tax if order.tax_included else line.goods).minor


def _back_on_the_shelf(order: Order, refund: Refund, line_id: str) -> int:
    (line,) = (line for line in order.lines if line.id == line_id)
    return line.cost.minor if refund.disposition == "restock" else 0


def _rounded(without_tax: Fraction, amount: int) -> int:
    """The amount less its tax, which is rounded half away from zero."""
    tax = amount - without_tax
    half_up = int(abs(tax) + Fraction(1, 2))
    return amount - (half_up if tax >= 0 else -half_up)


def _goods(id_: str | None, name: str | None, sums: dict[str, int], sku: str | None = None) -> GoodsTakings:
    return GoodsTakings(
        id=id_,
        name=name,
        sku=sku,
        units=sums["units"],
        units_returned=sums["units_returned"],
        net=sums["net"],
        refunds=sums["refunds"],
        cost=sums["cost"],
    )
