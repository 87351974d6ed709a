"""A plausible shop out of nothing but numbers: what the nth product, customer or order of it would be.

Each answer depends on its own number alone, so that a shop of any size is never in memory as a whole, and the same
seed invents the same shop. Orders are quoted and moved on by the shop's own rules.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import product as pairs
from random import Random
from types import MappingProxyType

from adapters.sql.columns import to_ticks
from storecore import quoting
from storecore.accounts.model import GUEST, Address, User
from storecore.accounts.permissions import Role
from storecore.catalog.model import Category, Discount, Product, fold, slugify
from storecore.money import Money
from storecore.orders.model import HistoryEntry, Order, OrderLine, Status, order_number
from storecore.pricing import RULES, QuoteLine
from storecore.quoting import Selection
from storecore.shop import Shop

TRADING = timedelta(days=730)
"""How long the shop has been taking orders."""
CUSTOMERS_BELOW = 20
"""There is about one customer for so many orders."""

_DEPARTMENTS = MappingProxyType(
    {
        "Kitchen": ("Pan", "Kettle", "Knife", "Mixing Bowl"),
        "Living": ("Lamp", "Cushion", "Rug", "Side Table"),
        "Garden": ("Planter", "Watering Can", "Bench", "Lantern"),
        "Outdoors": ("Tent", "Backpack", "Flask", "Head Torch"),
        "Study": ("Notebook", "Desk Lamp", "Pen", "Bookend"),
        "Play": ("Puzzle", "Kite", "Building Set", "Board Game"),
    }
)
_SHELVES = tuple((department, thing) for department, things in _DEPARTMENTS.items() for thing in things)
_VARIANTS = tuple(pairs(("Charcoal", "Sand", "Moss"), ("Small", "Large")))
_MATERIALS = ("oak", "steel", "linen", "stoneware", "recycled glass", "cork", "wool", "bamboo")
_BRANDS = ("Alder & Finch", "Nordhavn", "Casa Verde", "Kōbō", "Østerlund", "Mühlbach", "Bahçe", "Little Harbour")
_SYLLABLES = tuple(first + vowel for first in "bdfgklmnprstvz" for vowel in "aeiou")
_VOCABULARY = 30_000
"""How many names of patterns there are; the nth is used 1/n as often as the first (Zipf's law)."""
_FIRST = ("Ada", "Ayşe", "Björn", "Chidi", "Dmitri", "Elena", "Fatima", "Grace", "Hiro", "Inês", "Jan", "Katarína")
_LAST = ("Andersson", "Brown", "Costa", "Demir", "Evans", "Fischer", "García", "Horák", "İnan", "Jansen", "Kowalski")
_STREETS = ("Main Street", "Station Road", "Mill Lane", "High Street", "Park Avenue", "Harbour Walk", "Church Row")
_TOWNS = (
    ("Springfield", "US"),
    ("Bristol", "GB"),
    ("İstanbul", "TR"),
    ("Lisboa", "PT"),
    ("Köln", "DE"),
    ("Malmö", "SE"),
    ("Kraków", "PL"),
    ("Lyon", "FR"),
)
_LINES = (1, 1, 1, 2, 2, 2, 3, 3, 4, 5)
_QUANTITIES = (1, 1, 1, 1, 2, 2, 3, 4)
_CANCELLED = 0.05
_GUESTS = 0.1
_REDUCED = 0.15
_NUMBERS, _STRIDE = 30**8, 399_165_290_221
"""How many order numbers there are, and a step prime to it, which visits each of them once."""
_KEPT = 2**15


def new_id(at: datetime, random: Random) -> str:
    """A UUIDv7 of a moment."""
    bits = random.getrandbits(74)
    digits = f"{to_ticks(at) // 1000:012x}7{bits >> 62:03x}{1 << 63 | bits & (1 << 62) - 1:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _ship(order: Order, *, by: User, at: datetime) -> Order:
    return order.ship(by=by, at=at, carrier="Swift Post", tracking_number=f"SP-{order.number}")


_WAY: tuple[tuple[Callable[..., Order], float, float], ...] = (
    (Order.confirm, 0.1, 2),
    (Order.process, 2, 20),
    (_ship, 20, 48),
    (Order.deliver, 48, 150),
)
"""What happens to an order, after how many hours at the earliest and at the latest."""


@dataclass(frozen=True, kw_only=True)
class Invention:
    """A shop that has sold ``orders`` orders of ``products`` products until a moment, by the rules of ``shop``.

    ``password_hash`` is everybody's.
    """

    seed: int
    shop: Shop
    products: int
    orders: int
    until: datetime
    password_hash: str

    def __post_init__(self) -> None:
        if self.products < (1 if self.orders else 0):
            raise ValueError("orders need products")
        object.__setattr__(self, "product", lru_cache(_KEPT)(self.product))
        object.__setattr__(self, "customer", lru_cache(_KEPT)(self.customer))

    @property
    def opened(self) -> datetime:
        """When the first customer could come in; everything on sale was on the shelves by then."""
        return self.until - TRADING

    @cached_property
    def categories(self) -> tuple[Category, ...]:
        """Departments, then the shelves below them."""
        at = self.opened - timedelta(days=60)
        made = {name: Category(id=self._id(at, name), name=name, created_at=at) for name in _DEPARTMENTS}
        below = (
            Category(id=self._id(at, thing), name=f"{thing}s", parent_id=made[name].id, created_at=at)
            for name, thing in _SHELVES
        )
        return *made.values(), *below

    @cached_property
    def _shelves(self) -> Mapping[str, str]:
        return {category.name: category.id for category in self.categories}

    @cached_property
    def packer(self) -> User:
        """Who moves orders on."""
        at = self.opened - timedelta(days=60)
        return self._user("packer", at, "Packing Department", "packing@example.com", Role.VENDOR)

    def customers(self, orders: int) -> int:
        """How many have an account by the time of the first so many orders."""
        return -(-orders // CUSTOMERS_BELOW)

    def customer(self, number: int) -> tuple[User, Address]:
        """A customer, from 0, and where they live."""
        random = self._random("customer", number)
        name = f"{random.choice(_FIRST)} {random.choice(_LAST)}"
        city, country = random.choice(_TOWNS)
        email = f"{fold(name).replace(' ', '.')}.{number}@example.com"
        address = Address(
            recipient=name,
            line1=f"{random.randint(1, 200)} {random.choice(_STREETS)}",
            city=city,
            postal_code=str(random.randint(10_000, 99_999)),
            country=country,
        )
        at = self._placed(number * CUSTOMERS_BELOW) - timedelta(minutes=5)
        return self._user(f"customer {number}", at, name, email, Role.CUSTOMER), address

    def product(self, number: int) -> Product:
        """A product, from 0. Six that follow one another are variants of one design."""
        design, variant = divmod(number, len(_VARIANTS))
        style = self._random("design", design)
        department, thing = _SHELVES[design % len(_SHELVES)]
        material, brand = style.choice(_MATERIALS), style.choice(_BRANDS)
        price = Money(style.randint(4, 180) * 100 + style.choice((0, 50, 90, 99)), self.shop.currency)
        discount = self._discount(style)
        colour, size = _VARIANTS[variant]
        line, *patterns = self._patterns(design, 16)
        name = f"{brand} {line} {material.title()} {thing} {design + 1} {colour} {size}"
        made = self.opened - timedelta(days=30) + timedelta(days=30) * number / max(self.products, 1)
        return Product(
            id=self._id(made, f"product {number}"),
            sku=f"{slugify(thing).upper()[:12]}-{design + 1}-{colour[0]}{size[0]}",
            name=name,
            slug=slugify(name),
            description=f"A {thing.lower()} of {material}, made to be used every day and mended when it is worn. "
            f"Designed by {brand} for the {department.lower()}, in the patterns {', '.join(patterns)}.",
            category_ids=(self._shelves[f"{thing}s"], self._shelves[department]),
            price=price,
            cost=price.share(style.randint(35, 60), 100),
            discount=discount,
            attributes={"brand": brand, "colour": colour, "material": material, "size": size},
            group=f"design-{design + 1}",
            created_at=made,
            updated_at=min(discount.starts_at, self.until) if discount else made,
            version=2 if discount else 1,
        )

    def order(self, number: int) -> Order:
        """An order, from 0, as far as it has come: each was placed after the one before."""
        random = self._random("order", number)
        at = self._placed(number + random.random())
        user, address = self.customer(int(random.random() ** 2 * self.customers(number + 1)))
        guest = random.random() < _GUESTS
        picks = {int(random.random() ** 5 * self.products): None for _ in range(random.choice(_LINES))}
        bought = tuple(self.product(pick) for pick in picks)
        selection = Selection(products=bought, quantities={each.id: random.choice(_QUANTITIES) for each in bought})
        keys = {each.id: new_id(at, random) for each in bought}
        quote = quoting.quote(selection.baskets(at, keys), shop=self.shop, where=address.destination)
        placed = Order(
            id=new_id(at, random),
            number=order_number(((self.seed * 7_919 + number) * _STRIDE % _NUMBERS).to_bytes(16, "big")),
            customer_id=None if guest else user.id,
            customer_name=user.full_name,
            email=user.email,
            lines=tuple(_line(product, line) for product, line in zip(bought, quote.lines, strict=True)),
            subtotal=quote.subtotal,
            discount=quote.discount,
            shipping=quote.shipping,
            shipping_tax=quote.shipping_tax,
            shipping_tax_rate=quote.shipping_tax_rate,
            tax=quote.tax,
            total=quote.total,
            refunded=Money.zero(quote.total.currency),
            tax_included=quote.tax_included,
            explanation=quote.explain(),
            rules=RULES,
            delivery_address=address,
            eta=at + self.shop.delivery_time,
            history=(HistoryEntry(status=Status.PENDING, at=at, actor_id=None if guest else user.id),),
            created_at=at,
        )
        if random.random() < _CANCELLED:
            later = at + timedelta(minutes=random.uniform(1, 40))
            return placed.cancel(by=GUEST if guest else user, at=later) if later <= self.until else placed
        return self._moved_on(placed, random)

    def _moved_on(self, order: Order, random: Random) -> Order:
        for step, earliest, latest in _WAY:
            at = order.created_at + timedelta(hours=random.uniform(earliest, latest))
            if at > self.until:
                break
            order = step(order, by=self.packer, at=at)
        return order

    def _placed(self, number: float) -> datetime:
        """Trade grows: half of the orders came in the last third of the time."""
        return self.opened + TRADING * math.pow(min(number / max(self.orders, 1), 1), 2 / 3)

    def _patterns(self, design: int, many: int) -> list[str]:
        """Names that are used as words of a language are: few of them often, most of them rarely."""
        random = self._random("patterns", design)
        return [_pattern(int(_VOCABULARY ** random.random())).title() for _ in range(many)]

    def _discount(self, random: Random) -> Discount | None:
        """Some designs were reduced lately, are, or soon will be."""
        if random.random() >= _REDUCED:
            return None
        starts = self.until + timedelta(days=random.uniform(-60, 5))
        percent = Decimal(random.choice((10, 15, 20, 30, 50)))
        return Discount(percent=percent, starts_at=starts, ends_at=starts + timedelta(days=30))

    def _user(self, which: str, at: datetime, name: str, email: str, role: Role) -> User:
        return User(
            id=self._id(at, which),
            email=email,
            full_name=name,
            password_hash=self.password_hash,
            role=role,
            email_verified=True,
            created_at=at,
        )

    def _id(self, at: datetime, what: str) -> str:
        return new_id(at, self._random(what, 0))

    def _random(self, what: str, number: int) -> Random:
        return Random(f"{self.seed} {what} {number}")  # noqa: S311 - an invention is no secret


def _pattern(number: int) -> str:
    """The nth name, from 1; the frequent ones are short."""
    higher, syllable = divmod(number, len(_SYLLABLES))
    return _SYLLABLES[syllable] + (_pattern(higher) if higher else "n")


def _line(product: Product, line: QuoteLine) -> OrderLine:
    return OrderLine(
        id=line.key,
        product_id=product.id,
        sku=product.sku,
        name=product.name,
        quantity=line.quantity,
        unit_price=line.unit_price,
        product_discount=line.product_discount,
        order_discount=line.order_discount,
        tax_class=line.tax_class,
        tax_rate=line.tax_rate,
        tax=line.tax,
        total=line.total,
        cost=product.cost,
    )
