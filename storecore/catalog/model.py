"""Products, their discounts and price history, categories, and the stock ledger."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from storecore import checks
from storecore.money import LIMIT, Money, half_up
from storecore.pricing import STANDARD, Basket
from storecore.versioned import Versioned

MAX_QUANTITY = 999
"""Units of one product in one cart or order."""
MAX_STOCK = 10**9
PRIOR_PRICE_WINDOW = timedelta(days=30)
"""How far back the price before a discount is looked up (Directive 98/6/EC, article 6a)."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}", re.ASCII)
_NOT_SLUG = re.compile(r"[^a-z0-9]+", re.ASCII)
_LETTERS = str.maketrans({"ı": "i", "ß": "ss", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th"})


def fold(text: str) -> str:
    """Text as it is compared and searched: lower case, without accents, ``Şahin`` as ``sahin``."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return bare.casefold().translate(_LETTERS)


def slugify(name: str) -> str:
    """A name as part of an address: ``Red "Wool" Hat`` becomes ``red-wool-hat``; empty if nothing is left."""
    return _NOT_SLUG.sub("-", fold(name)).strip("-")[:100].strip("-")


def fold_name(name: str) -> str:
    """What two category names must differ in: case and space around it don't count."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """A percentage off the list price, from ``starts_at`` (included) to ``ends_at`` (excluded, None: for good)."""

    percent: Decimal
    starts_at: datetime
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "percent", checks.percent(self.percent, "discount_percent"))
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise checks.refuse("ends_at", "must be after the start")

    def runs(self, at: datetime) -> bool:
        """Whether it counts at a moment."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """Published reviews in numbers: the average is ``total / count``, rounded half up to two decimals for people."""

    total: int = 0
    count: int = 0

    @property
    def average(self) -> Decimal | None:
        """Stars from 1 to 5, None without reviews."""
        return Decimal(half_up(100 * self.total, self.count)).scaleb(-2) if self.count else None


UNRATED = Rating()


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(Versioned):
    """A sellable SKU.

    ``stock``, ``units_sold`` and ``rating`` are facts as they were read: saving a product does not write them,
    they move through the stock ledger, orders and reviews. Variants of one thing share a ``group``.
    """

    id: str
    sku: str
    name: str
    slug: str
    description: str
    category_ids: tuple[str, ...]
    price: Money
    cost: Money
    discount: Discount | None = None
    attributes: Mapping[str, str] = field(default_factory=lambda: _NOTHING, hash=False)
    images: tuple[str, ...] = ()
    group: str | None = None
    tax_class: str = STANDARD
    is_active: bool = True
    created_at: datetime
    updated_at: datetime
    version: int = 1
    stock: int = 0
    units_sold: int = 0
    rating: Rating = UNRATED

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        if not _SKU.fullmatch(self.sku):
            raise checks.refuse("sku", "must have 1 to 64 letters, digits or . _ / - and begin with a letter or digit")
        set_(self, "name", checks.text(self.name, "name", most=200))
        set_(self, "description", checks.text(self.description, "description", most=20_000, least=0, lines=True))
        set_(self, "category_ids", tuple(dict.fromkeys(self.category_ids)))
        checks.amount_of(self.category_ids, "category_ids", least=1, most=20)
        for name in ("price", "cost"):
            amount: Money = getattr(self, name)
            if not 0 <= amount.minor < LIMIT:
                raise checks.refuse(name, f"must be 0 or more and stay below {Money(LIMIT, amount.currency)}")
        if self.cost.currency != self.price.currency:
            raise ValueError("price and cost are in one currency")
        set_(self, "attributes", _check_attributes(self.attributes))
        set_(self, "images", tuple(_check_image(url, i) for i, url in enumerate(self.images)))
        checks.amount_of(self.images, "images", most=20)
        set_(self, "group", checks.optional(self.group, "group", most=100))
        set_(self, "tax_class", checks.text(self.tax_class, "tax_class", most=40))

    def final_price(self, at: datetime) -> Money:
        """What one unit costs at a moment: ``half_up(price * (100 - percent) / 100)``; 100 % is free."""
        if self.discount is None or not self.discount.runs(at):
            return self.price
        return self.price.percent(100 - self.discount.percent)

    def next_price_change(self, at: datetime) -> datetime | None:
        """When the discount next begins or ends, None if nothing is planned."""
        if self.discount is None:
            return None
        moments = (self.discount.starts_at, self.discount.ends_at)
        return min((moment for moment in moments if moment is not None and moment > at), default=None)

    def basket(self, quantity: int, at: datetime, *, key: str | None = None) -> Basket:
        """So many of these, ready for pricing."""
        return Basket(
            key=key or self.id,
            quantity=quantity,
            list_price=self.price,
            final_price=self.final_price(at),
            tax_class=self.tax_class,
        )

    def changed(self, at: datetime, **changes: Any) -> Self:
        """The product with other field values, one version on."""
        return replace(self, version=self.version + 1, updated_at=at, **changes)


def _check_attributes(attributes: Mapping[str, str]) -> Mapping[str, str]:
    checks.amount_of(tuple(attributes), "attributes", most=50)
    checked = {
        checks.text(name, "attributes", most=60): checks.text(value, f"attributes.{name}", most=500)
        for name, value in attributes.items()
    }
    if len(checked) != len(attributes):
        raise checks.refuse("attributes", "must not name one thing twice")
    return MappingProxyType(dict(sorted(checked.items())))


def _check_image(url: str, position: int) -> str:
    url = checks.text(url, f"images.{position}", most=1000)
    if not url.startswith(("https://", "http://", "/")) or " " in url:
        raise checks.refuse(f"images.{position}", "must be an http(s) address or a path that begins with /")
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class Category(Versioned):
    """A shelf. Names are unique ignoring case and the space around them."""

    id: str
    name: str
    parent_id: str | None = None
    created_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", checks.text(self.name, "name", most=100))
        if self.parent_id == self.id:
            raise checks.refuse("parent_id", "must be another category")

    def changed(self, **changes: Any) -> Self:
        """The category with other field values, one version on."""
        return replace(self, version=self.version + 1, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """A row of the append-only price history: from ``at`` on, one unit cost ``final_price``."""

    product_id: str
    at: datetime
    price: Money
    final_price: Money
    actor_id: str | None = None


def prior_price(history: Iterable[PriceChange], discount: Discount) -> Money | None:
    """The lowest final price in the 30 days before a discount began (Directive 98/6/EC, article 6a).

    ``history`` is in order of time. None when the product was not on sale before.
    """
    began = discount.starts_at
    candidates: list[Money] = []
    for change in history:
        if change.at >= began:
            break
        if change.at <= began - PRIOR_PRICE_WINDOW:
            candidates.clear()  # superseded before the window opened
        candidates.append(change.final_price)
    return min(candidates, default=None)


class StockReason(StrEnum):
    """Why stock moved."""

    OPENING = "opening"
    ADJUSTMENT = "adjustment"
    SALE = "sale"
    CANCELLATION = "cancellation"
    RETURN = "return"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMove:
    """A row of the append-only stock ledger. On hand always equals the sum of ``change``."""

    id: str
    product_id: str
    change: int
    reason: StockReason
    note: str = ""
    order_id: str | None = None
    actor_id: str | None = None
    at: datetime

    def __post_init__(self) -> None:
        checks.whole(self.change, "change", least=-MAX_STOCK, most=MAX_STOCK)
        object.__setattr__(self, "note", checks.text(self.note, "reason", most=500, least=0, lines=True))


def shortages(wanted: Mapping[str, int], available: Mapping[str, int]) -> Sequence[Mapping[str, object]]:
    """The lines of an ``OutOfStock`` error, for each product of which fewer are left than wanted."""
    return [
        {"product_id": product_id, "requested": quantity, "available": available.get(product_id, 0)}
        for product_id, quantity in wanted.items()
        if available.get(product_id, 0) < quantity
    ]
