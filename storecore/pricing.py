"""What a basket costs, to the minor unit, and why.

:func:`price` is a pure function from lines, discounts, policies and an address to a :class:`Quote`. Carts, quotes
and placing all call it, so they can't disagree. The order of the rules is fixed:

1. a line's subtotal is list price times quantity;
2. the product discount is (list price - final price) times quantity;
3. order discounts (coupons) are rounded once and split over the lines by largest remainder;
4. shipping is free from a threshold of goods after discounts;
5. tax is computed per rate on the net, rounded once, and split back by largest remainder;
6. totals are sums of parts and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from storecore.errors import Invalid
from storecore.money import LIMIT, Money, half_up, total

RULES = "1"
"""Version of the rules above, frozen onto every order that they priced."""

STANDARD = "standard"
"""The tax class of a product that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """One thing to price: ``quantity`` units at ``list_price``, of which ``final_price`` remains after its discount."""

    key: str
    quantity: int
    list_price: Money
    final_price: Money
    tax_class: str = STANDARD

    def __post_init__(self) -> None:
        if type(self.quantity) is not int or self.quantity < 1:
            raise ValueError(f"a quantity is a whole number from 1, not {self.quantity!r}")
        if not 0 <= self.final_price.minor <= self.list_price.minor:
            raise ValueError(f"the final price {self.final_price} is not within 0 and {self.list_price}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDiscount:
    """A reduction of the whole order: ``percent`` of the goods, or a fixed ``amount`` capped at the goods."""

    source: str
    percent: Decimal | None = None
    amount: Money | None = None

    def __post_init__(self) -> None:
        if (self.percent is None) == (self.amount is None):
            raise ValueError("a discount is either a percent or an amount")
        if self.percent is not None:
            check_rate(self.percent)
        if self.amount is not None and self.amount.minor < 0:
            raise ValueError(f"a discount can't be {self.amount}")

    def of(self, goods: Money) -> Money:
        """What it takes off these goods."""
        if self.percent is not None:
            return goods.percent(self.percent)
        assert self.amount is not None  # noqa: S101 - __post_init__ allows nothing else; this tells mypy
        return min(self.amount, goods)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingPolicy:
    """A flat fee, free when goods after discounts reach ``free_from``; untaxed unless given a tax class."""

    fee: Money
    free_from: Money | None = None
    tax_class: str | None = None

    def __post_init__(self) -> None:
        if self.fee.minor < 0:
            raise ValueError(f"shipping can't cost {self.fee}")
        if self.free_from is not None and self.free_from.currency != self.fee.currency:
            raise ValueError(f"the fee is in {self.fee.currency}, but the threshold is in {self.free_from.currency}")

    def cost(self, goods: Money) -> Money:
        """What sending these goods costs the customer."""
        if self.free_from is not None and goods >= self.free_from:
            return Money.zero(self.fee.currency)
        return self.fee


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    """A row of the tax table; an empty ``region`` or ``country`` means everywhere else, and a region has a country."""

    rate: Decimal
    tax_class: str = STANDARD
    country: str = ""
    region: str = ""

    def __post_init__(self) -> None:
        check_rate(self.rate)
        if self.region and not self.country:
            raise ValueError(f"the tax table names the region {self.region!r}, but no country")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where goods go, as far as tax cares: ISO 3166 alpha-2 country and its region, either possibly unknown."""

    country: str = ""
    region: str = ""


NOWHERE = Destination()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxPolicy:
    """Rates by tax class and place; the most exact row wins, and ``default_rate`` applies where no row does.

    ``included`` is the VAT shop's way: prices contain the tax, which is then extracted instead of added.
    """

    default_rate: Decimal
    rates: tuple[TaxRate, ...] = ()
    included: bool = False
    _table: dict[tuple[str, str, str], Decimal] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_rate(self.default_rate)
        object.__setattr__(self, "rates", tuple(self.rates))
        table = {(row.tax_class, row.country.upper(), row.region.casefold()): row.rate for row in self.rates}
        if len(table) != len(self.rates):
            raise ValueError("two rows of the tax table are for the same class and place")
        object.__setattr__(self, "_table", table)

    def rate(self, tax_class: str, where: Destination) -> Decimal:
        """The percentage for goods of a class going somewhere."""
        country, region = where.country.upper(), where.region.casefold()
        for place in ((country, region), (country, ""), ("", "")):
            if (found := self._table.get((tax_class, *place))) is not None:
                return found
        return self.default_rate


def check_rate(rate: Decimal) -> None:
    """A rate is a percentage from 0 to 100. Raises ``TypeError`` or ``ValueError``."""
    if not isinstance(rate, Decimal):
        raise TypeError(f"a rate is a Decimal, not {rate!r}")
    if not rate.is_finite() or not 0 <= rate <= 100:
        raise ValueError(f"{rate} % is not within 0 and 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLine:
    """A priced line. ``total = unit_price * quantity - discount + tax`` (tax is already inside when included)."""

    key: str
    quantity: int
    unit_price: Money
    subtotal: Money
    product_discount: Money
    order_discount: Money
    tax_class: str
    tax_rate: Decimal
    tax: Money
    total: Money

    @property
    def discount(self) -> Money:
        """Everything taken off this line."""
        return self.product_discount + self.order_discount

    @property
    def goods(self) -> Money:
        """What remains of the subtotal after every discount."""
        return self.subtotal - self.discount


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the explanation: ``rule`` turned ``base`` at ``rate`` into ``amount``.

    ``line`` is the line's key, or None for the order as a whole. ``rate`` is a quantity for a subtotal, a
    percentage for discounts and tax, and None for fixed amounts.
    """

    line: str | None
    rule: str
    base: Money
    rate: Decimal | None
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedDiscount:
    """An order discount and what it took off each line, in line order."""

    discount: OrderDiscount
    parts: tuple[Money, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of a basket: ``total = subtotal - discount + shipping + tax`` (without tax when prices include it)."""

    lines: tuple[QuoteLine, ...]
    discounts: tuple[AppliedDiscount, ...]
    subtotal: Money
    discount: Money
    shipping: Money
    shipping_tax: Money
    shipping_tax_rate: Decimal
    tax: Money
    total: Money
    tax_included: bool

    @property
    def currency(self) -> str:
        """The currency of every amount in here."""
        return self.total.currency

    @property
    def goods(self) -> Money:
        """What the goods cost after every discount, before shipping and added tax."""
        return self.subtotal - self.discount

    def explain(self) -> tuple[Step, ...]:
        """Every minor unit of the total. The amounts add up to it, but for ``tax-included`` (already in the prices)."""
        steps: list[Step] = []
        tax_rule = "tax-included" if self.tax_included else "tax"
        for position, line in enumerate(self.lines):
            steps.append(
                Step(
                    line=line.key,
                    rule="subtotal",
                    base=line.unit_price,
                    rate=Decimal(line.quantity),
                    amount=line.subtotal,
                )
            )
            remains = line.subtotal - line.product_discount
            if line.product_discount:
                steps.append(
                    Step(
                        line=line.key,
                        rule="product-discount",
                        base=line.subtotal,
                        rate=None,
                        amount=-line.product_discount,
                    )
                )
            for applied in self.discounts:
                part = applied.parts[position]
                if part:
                    source = applied.discount
                    steps.append(
                        Step(line=line.key, rule=source.source, base=remains, rate=source.percent, amount=-part)
                    )
                remains -= part
            steps.append(Step(line=line.key, rule=tax_rule, base=line.goods, rate=line.tax_rate, amount=line.tax))
        steps.append(Step(line=None, rule="shipping", base=self.goods, rate=None, amount=self.shipping))
        if self.shipping_tax:
            steps.append(
                Step(
                    line=None, rule=tax_rule, base=self.shipping, rate=self.shipping_tax_rate, amount=self.shipping_tax
                )
            )
        return tuple(steps)


def goods_value(items: Sequence[Basket], currency: str) -> Money:
    """Goods after product discounts, before order discounts: what a coupon's minimum spend is measured on."""
    return total((item.final_price * item.quantity for item in items), currency)


def price(
    items: Sequence[Basket],
    *,
    currency: str,
    shipping: ShippingPolicy,
    tax: TaxPolicy,
    discounts: Sequence[OrderDiscount] = (),
    where: Destination = NOWHERE,
) -> Quote:
    """Price a basket. Raises ``Invalid`` when the total reaches :data:`~storecore.money.LIMIT` minor units.

    An empty basket costs nothing, shipping included.
    """
    subtotals = [item.list_price * item.quantity for item in items]
    remaining = [item.final_price * item.quantity for item in items]
    product_discounts = [gross - net for gross, net in zip(subtotals, remaining, strict=True)]

    applied = []
    for discount in discounts:
        off = discount.of(total(remaining, currency))
        parts = off.split([net.minor for net in remaining])
        remaining = [net - part for net, part in zip(remaining, parts, strict=True)]
        applied.append(AppliedDiscount(discount=discount, parts=tuple(parts)))

    goods = total(remaining, currency)
    fee = shipping.cost(goods) if items else Money.zero(currency)
    rates = [tax.rate(item.tax_class, where) for item in items]
    fee_rate = tax.rate(shipping.tax_class, where) if shipping.tax_class else Decimal(0)
    *taxes, fee_tax = _tax_by_rate([*remaining, fee], [*rates, fee_rate], included=tax.included)

    lines = []
    for position, item in enumerate(items):
        subtotal, net = subtotals[position], remaining[position]
        product_discount = product_discounts[position]
        lines.append(
            QuoteLine(
                key=item.key,
                quantity=item.quantity,
                unit_price=item.list_price,
                subtotal=subtotal,
                product_discount=product_discount,
                order_discount=subtotal - product_discount - net,
                tax_class=item.tax_class,
                tax_rate=rates[position],
                tax=taxes[position],
                total=net if tax.included else net + taxes[position],
            )
        )
    tax_total = total(taxes, currency) + fee_tax
    grand = goods + fee if tax.included else goods + fee + tax_total
    subtotal_total = total(subtotals, currency)
    if max(subtotal_total.minor, grand.minor) >= LIMIT:
        raise Invalid(errors=[("items", f"together must stay below {Money(LIMIT, currency)} {currency}")])
    return Quote(
        lines=tuple(lines),
        discounts=tuple(applied),
        subtotal=subtotal_total,
        discount=subtotal_total - goods,
        shipping=fee,
        shipping_tax=fee_tax,
        shipping_tax_rate=fee_rate,
        tax=tax_total,
        total=grand,
        tax_included=tax.included,
    )


def _tax_by_rate(amounts: Sequence[Money], rates: Sequence[Decimal], *, included: bool) -> list[Money]:
    """Tax of each amount: per distinct rate on the sum, rounded once, split back by largest remainder."""
    taxes = [Money.zero(amount.currency) for amount in amounts]
    for rate in dict.fromkeys(rates):
        members = [i for i, other in enumerate(rates) if other == rate]
        nets = [amounts[i].minor for i in members]
        numerator, denominator = rate.as_integer_ratio()
        whole = 100 * denominator + (numerator if included else 0)
        group = Money(half_up(sum(nets) * numerator, whole), amounts[members[0]].currency)
        for i, part in zip(members, group.split(nets), strict=True):
            taxes[i] = part
    return taxes
