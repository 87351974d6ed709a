"""Products as rows of a sheet: the columns there are, how each is written, and how a cell is read.

An absent column says nothing; neither does an empty cell, unless the field may be empty: then it clears it.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from storecore import checks
from storecore.accounts.permissions import Permission
from storecore.catalog.model import MAX_STOCK, Category, Product
from storecore.errors import Invalid
from storecore.money import Money, parse_percent

ATTRIBUTE = "attr."
"""Begins the name of a column for one attribute: ``attr.size``. An empty cell there takes the attribute away."""
_SEPARATOR = "|"
_PARTS = re.compile(r"(?:\\.|[^|])+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SILENT = object()


def joined(parts: Iterable[str]) -> str:
    """Several texts in one cell: ``Hats|Sale``. A ``|`` of their own gets a backslash in front, and so does that."""
    return _SEPARATOR.join(part.replace("\\", "\\\\").replace(_SEPARATOR, f"\\{_SEPARATOR}") for part in parts)


def parted(cell: str) -> tuple[str, ...]:
    """The texts of a cell."""
    parts = (_ESCAPED.sub(r"\1", part).strip() for part in _PARTS.findall(cell))
    return tuple(part for part in parts if part)


def _shelf_names(cell: str) -> tuple[str, ...]:
    if not (names := parted(cell)):
        raise checks.refuse("categories", "must name a category")
    return names


def _stock(cell: str) -> int:
    if not re.fullmatch("[0-9]{1,10}", cell, re.ASCII):
        raise checks.refuse("stock", "must be a whole number, 0 or more")
    return checks.whole(int(cell), "stock", least=0, most=MAX_STOCK)


def _truth(cell: str) -> bool:
    if (said := _TRUTH.get(cell.casefold())) is None:
        raise checks.refuse("is_active", "must be true or false")
    return said


def _moment(name: str) -> Callable[[str, str], datetime]:
    def read(cell: str, _currency: str) -> datetime:
        try:
            moment = datetime.fromisoformat(cell)
            if moment.utcoffset() is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise checks.refuse(name, "must be a time with its offset, such as 2026-03-01T09:00:00Z")

    return read


def _attributes(cell: str) -> Mapping[str, str]:
    try:
        pairs = json.loads(cell, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        pairs = None
    if isinstance(pairs, tuple) and all(isinstance(value, str) for _, value in pairs):
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
    raise checks.refuse("attributes", 'must be a JSON object of texts, each named once, such as {"size": "M"}')


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _begins(product: Product, _: "Shelves") -> str:
    return _time(product.discount.starts_at if product.discount else None)


def _ends(product: Product, _: "Shelves") -> str:
    return _time(product.discount.ends_at if product.discount else None)


Shelves = Mapping[str, Category]
"""Categories by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column: ``write`` fills a cell, ``read`` takes one and the shop's currency.

    ``empty`` is what an empty cell says. ``field`` is the product's, if it is called otherwise; changing it needs a
    permission.
    """

    write: Callable[[Product, Shelves], str]
    read: Callable[[str, str], Any] = lambda cell, _currency: cell
    empty: Any = _SILENT
    field: str = ""
    needs: Permission = Permission.CATALOG_WRITE


def _categories(product: Product, shelves: Shelves) -> str:
    return joined(shelves[each].name for each in product.category_ids if each in shelves)


_COLUMNS: Mapping[str, _Column] = MappingProxyType(
    {
        "sku": _Column(write=lambda product, _: product.sku),
        "name": _Column(write=lambda product, _: product.name),
        "description": _Column(write=lambda product, _: product.description, empty=""),
        "categories": _Column(write=_categories, read=lambda cell, _: _shelf_names(cell), field="category_ids"),
        "price": _Column(
            write=lambda product, _: str(product.price),
            read=lambda cell, currency: Money.parse(cell, currency, field="price"),
            needs=Permission.PRICES_WRITE,
        ),
        "cost": _Column(
            write=lambda product, _: str(product.cost),
            read=lambda cell, currency: Money.parse(cell, currency, field="cost"),
            needs=Permission.PRICES_WRITE,
        ),
        "discount_percent": _Column(
            write=lambda product, _: f"{product.discount.percent:f}" if product.discount else "",
            read=lambda cell, _: parse_percent(cell, field="discount_percent"),
            empty=Decimal(0),
            field="discount",
            needs=Permission.PRICES_WRITE,
        ),
        "discount_starts_at": _Column(
            write=_begins,
            read=_moment("discount_starts_at"),
            empty=None,
        ),
        "discount_ends_at": _Column(
            write=_ends,
            read=_moment("discount_ends_at"),
            empty=None,
        ),
        "stock": _Column(
            write=lambda product, _: str(product.stock),
            read=lambda cell, _: _stock(cell),
            needs=Permission.STOCK_ADJUST,
        ),
        "group": _Column(write=lambda product, _: product.group or "", empty=None),
        "tax_class": _Column(write=lambda product, _: product.tax_class),
        "images": _Column(write=lambda product, _: joined(product.images), read=lambda cell, _: parted(cell), empty=()),
        "attributes": _Column(
            write=lambda product, _: (
                json.dumps(dict(product.attributes), ensure_ascii=False) if product.attributes else ""
            ),
            read=lambda cell, _: _attributes(cell),
            empty={},
        ),
        "is_active": _Column(
            write=lambda product, _: str(product.is_active).lower(), read=lambda cell, _: _truth(cell)
        ),
    }
)
COLUMNS = tuple(_COLUMNS)
"""Every column but those of single attributes, in the order in which they are written."""
FIELDS: Mapping[str, tuple[str, Permission]] = MappingProxyType(
    {
        name: (column.field or name, column.needs)
        for name, column in _COLUMNS.items()
        if name not in ("sku", "discount_starts_at", "discount_ends_at")
    }
)
"""The field of a product that a column is about, and what one needs to change it."""


def cells_of(product: Product, shelves: Shelves, columns: Sequence[str]) -> list[str]:
    """A product as a row with these columns."""
    return [_COLUMNS[name].write(product, shelves) for name in columns]


def check_columns(columns: Sequence[str]) -> None:
    """Raises ``Invalid`` for a header that lacks ``sku``, or has a column that no product has."""
    wrong: list[tuple[str, str]] = []
    for name in columns:
        if name.startswith(ATTRIBUTE):
            try:
                checks.text(name.removeprefix(ATTRIBUTE), name[:80], most=60)
            except Invalid as error:
                wrong += error.errors
        elif name not in _COLUMNS:
            wrong.append((name[:80], f"is none of the columns {', '.join(COLUMNS)} and {ATTRIBUTE}<name>"))
    if "sku" not in columns:
        wrong.append(("sku", "is missing in the header"))
    if "discount_percent" not in columns:
        lonely = [name for name in ("discount_starts_at", "discount_ends_at") if name in columns]
        wrong += [(name, "needs the column discount_percent") for name in lonely]
    if wrong:
        raise Invalid(errors=wrong)


def said(cells: Mapping[str, str], currency: str) -> dict[str, Any]:
    """What the cells of a row say, by column; single attributes are texts, None to go. Raises ``Invalid`` for all."""
    found: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    for name, cell in cells.items():
        stripped = cell.strip()
        if name.startswith(ATTRIBUTE):
            found[name] = stripped or None
            continue
        column = _COLUMNS[name]
        try:
            value = column.read(stripped, currency) if stripped else column.empty
        except Invalid as error:
            wrong += error.errors
            continue
        if value is not _SILENT:
            found[name] = value
    if wrong:
        raise Invalid(errors=wrong)
    return found
