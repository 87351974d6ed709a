"""The figures of reports, each defined once.

The books are the invoices and the credit notes. A sale counts on the day when its invoice was issued; an order that
waits for the worker to issue it counts now. What is not to be invoiced yet (an order whose payment has not come) is no
sale, and neither is an order that was cancelled before. So the figures of a day that is over never change, and they
agree with the invoices and credit notes of any range of days to the smallest unit. A credit note counts on the day when
it was issued: that of a cancelled order takes the sale back, that of a return is a refund.

==================  ====================================================================================================
``gross``           goods at list prices, without tax
``discounts``       of products and of coupons, without tax
``net``             ``gross - discounts``: revenue, without tax and shipping
``tax``             on goods and shipping
``shipping``        without tax
``refunds``         what was given back for returned goods, without tax; ``refunded_tax`` and ``refunded_shipping``
                    (without tax) were given back too
``cost``            of the goods sold, as it was frozen on the order's lines, less that of returned goods which were put
                    back on the shelf; what was scrapped or not sent back is lost
``profit``          ``net - refunds - cost``; tax and shipping are never profit
``invoiced``        the totals of invoices; ``credited`` those of credit notes, and ``invoiced - credited`` is
                    ``net + tax + shipping - refunds - refunded_tax - refunded_shipping``
==================  ====================================================================================================

Where prices include tax, net revenue is exact (prices less discounts less the tax inside); the tax inside discounts was
never on any paper, so it is computed per day and tax rate, rounded once. Any longer range is the sum of its days.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Self

from storecore.catalog.model import Product
from storecore.insight.days import Days
from storecore.money import Money, half_up
from storecore.orders.model import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Takings:
    """What the books say of one day and tax rate, in minor units, as storage adds it up.

    ``listed`` and ``reduced`` are list prices and discounts as customers saw them, with tax inside if
    ``tax_included``; ``goods_tax`` is the tax on goods alone. What belongs to an order as a whole is with the rate of
    its shipping. Everything of a cancelled order is taken off again, but its ``credited`` total, which counts up.
    """

    day: date
    tax_rate: Decimal
    tax_included: bool
    orders: int = 0
    units: int = 0
    listed: int = 0
    reduced: int = 0
    goods_tax: int = 0
    tax: int = 0
    shipping: int = 0
    cost: int = 0
    invoiced: int = 0
    units_returned: int = 0
    refunds: int = 0
    refunded_tax: int = 0
    refunded_shipping: int = 0
    credited: int = 0


AMOUNTS = tuple(each.name for each in fields(Takings))[3:]
"""What takings count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sales:
    """The figures of some days; the module says what each means."""

    orders: int
    units: int
    units_returned: int
    gross: Money
    discounts: Money
    net: Money
    tax: Money
    shipping: Money
    refunds: Money
    refunded_tax: Money
    refunded_shipping: Money
    cost: Money
    profit: Money
    invoiced: Money
    credited: Money

    @classmethod
    def of(cls, takings: Iterable[Takings], currency: str) -> Self:
        """Add takings up, in a currency."""
        by_rate: dict[tuple[date, Decimal, bool], Counter[str]] = {}
        for each in takings:
            sums = by_rate.setdefault((each.day, each.tax_rate, each.tax_included), Counter())
            sums.update({name: getattr(each, name) for name in AMOUNTS})
        total = Counter[str]()
        for (_, rate, included), sums in by_rate.items():
            total.update(sums)
            total.update(_without_tax(sums, rate if included else Decimal(0), included=included))

        def money(name: str) -> Money:
            return Money(total[name], currency)

        return cls(
            orders=total["orders"],
            units=total["units"],
            units_returned=total["units_returned"],
            gross=money("net") + money("discounts"),
            discounts=money("discounts"),
            net=money("net"),
            tax=money("tax"),
            shipping=money("shipping"),
            refunds=money("refunds"),
            refunded_tax=money("refunded_tax"),
            refunded_shipping=money("refunded_shipping"),
            cost=money("cost"),
            profit=money("net") - money("refunds") - money("cost"),
            invoiced=money("invoiced"),
            credited=money("credited"),
        )


def _without_tax(sums: Mapping[str, int], rate: Decimal, *, included: bool) -> dict[str, int]:
    """The net revenue of one day and rate, and the discounts without the tax inside them."""
    numerator, denominator = rate.as_integer_ratio()
    tax_inside = half_up(sums["reduced"] * numerator, 100 * denominator + numerator)
    return {
        "net": sums["listed"] - sums["reduced"] - (sums["goods_tax"] if included else 0),
        "discounts": sums["reduced"] - tax_inside,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesReport:
    """The figures of each part of a range of days, and of all of it."""

    days: Days
    parts: tuple[tuple[Days, Sales], ...]
    total: Sales


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsTakings:
    """What the books say of one product, or of one category (None: it was deleted), in minor units.

    ``name`` is what it is called now; a category has no ``sku``.
    """

    id: str | None
    name: str | None
    sku: str | None = None
    units: int
    units_returned: int
    net: int
    refunds: int
    cost: int

    @classmethod
    def of(cls, id_: str | None, name: str | None, sums: Mapping[str, int], *, sku: str | None = None) -> Self:
        """From sums by name; what is missing is zero."""
        amounts = {each: sums.get(each, 0) for each in ("units", "units_returned", "net", "refunds", "cost")}
        return cls(id=id_, name=name, sku=sku, **amounts)

    @property
    def profit(self) -> int:
        """As in the sales."""
        return self.net - self.refunds - self.cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What sold in a range of days: products, the greatest net revenue first, or categories likewise.

    A product belongs to the first of its categories, so that categories add up to the net revenue of all sales.
    """

    days: Days
    rows: tuple[GoodsTakings, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerTakings:
    """What one customer was invoiced, less what was credited, tax and shipping included, in minor units.

    ``id`` is None for all guests together. ``name`` is as strangers see it.
    """

    id: str | None
    name: str | None
    orders: int
    spent: int

    @classmethod
    def of(cls, id_: str | None, name: str | None, sums: Mapping[str, int]) -> Self:
        """From sums by name; what is missing is zero."""
        return cls(id=id_, name=name, orders=sums.get("orders", 0), spent=sums.get("spent", 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much waits for the staff."""

    reviews: int
    refunds_to_decide: int
    returns_to_receive: int
    refunds_to_pay_out: int
    conversations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyers:
    """Who bought in a range of days: the best customers first, guests as one, and how many accounts were opened."""

    days: Days
    best: tuple[BuyerTakings, ...]
    guests: BuyerTakings
    new_users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The sales of some days, the orders placed in them by where they are now, and the accounts opened in them."""

    days: Days
    sales: Sales
    orders_by_status: Mapping[Status, int]
    new_users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Everything at a glance. ``top_products`` are those of the period; ``low_stock`` are the fewest left."""

    today: Overview
    period: Overview
    top_products: tuple[GoodsTakings, ...]
    low_stock: tuple[Product, ...]
    waiting: Waiting
