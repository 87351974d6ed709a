"""Rows of a sheet that meet the catalog: what each would change, and changing it, a batch at a time."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from storecore.accounts.model import Actor
from storecore.accounts.permissions import Permission
from storecore.catalog import alerts, shelving
from storecore.catalog.import_report import Outcome, Result
from storecore.catalog.model import Category, Discount, Product, StockMove, StockReason, fold_name
from storecore.catalog.offers import sees_costs
from storecore.catalog.product_sheet import ATTRIBUTE, FIELDS, said
from storecore.errors import CategoryExists, Contention, Invalid, OutOfStock, SkuTaken
from storecore.ports import Unit
from storecore.recording import record_all
from storecore.sheet import Row

REQUIRED = ("name", "categories", "price")
"""What a new product can't be without."""
_COLUMN_OF = {"category_ids": "categories", "starts_at": "discount_starts_at", "ends_at": "discount_ends_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What is known of a file before its rows are looked at one by one.

    ``repeated`` holds every SKU that more than one row may have, ``first_lines`` where those were first seen.
    """

    columns: tuple[str, ...]
    rows: int
    repeated: frozenset[str]
    first_lines: MutableMapping[str, int]

    def sku(self, row: Row) -> str:
        """The SKU of a row; empty if it has none."""
        position = self.columns.index("sku")
        return row.cells[position].strip() if position < len(row.cells) else ""


class Intake:
    """Some rows and one unit: :meth:`take` says what each would do, :meth:`write` does it.

    A unit that writes keeps the products locked from the first to the last.
    """

    def __init__(self, unit: Unit, header: Header, *, by: Actor, currency: str) -> None:
        self._unit, self._header = unit, header
        self._by, self._currency = by, currency
        self._known: Mapping[str, Product] = {}
        self._shelves: dict[str, Category] = {}
        self._gone: frozenset[str] = frozenset()
        self._new_shelves: list[Category] = []
        self._new: list[Product] = []
        self._changes: list[tuple[Product, Product]] = []
        self._moves: list[tuple[Product, StockMove]] = []

    def take(self, rows: Sequence[Row], *, locked: bool) -> Sequence[Outcome]:
        """What becomes of each row."""
        read = [(row, self._read(row)) for row in rows]
        self._look_up({self._header.sku(row) for row in rows}, [each for _, each in read], locked=locked)
        return [self._judged(row, wanted) for row, wanted in read]

    def write(self) -> None:
        """Change the catalog; stock last. Raises ``Contention`` when somebody was quicker with the same."""
        unit = self._unit
        try:
            for category in self._new_shelves:
                unit.categories.add(category)
            record_all(unit, self._by, "category.create", [(None, category) for category in self._new_shelves])
            shelving.save(unit, self._by, self._changes)
            shelving.add(unit, self._by, self._new)
            if self._moves:
                self._restock()
        except (CategoryExists, SkuTaken, OutOfStock):
            raise Contention() from None

    def _restock(self) -> None:
        moves = [move for _, move in self._moves]
        left = self._unit.stock.move(moves)
        alerts.restocked(self._unit, moves, left)
        counted = [
            (replace(product, stock=left[product.id] - move.change), replace(product, stock=left[product.id]))
            for product, move in self._moves
        ]
        record_all(self._unit, self._by, "product.adjust_stock", counted, reason="Import")

    def _read(self, row: Row) -> dict[str, Any] | Invalid:
        try:
            return said(row.named(self._header.columns), self._currency)
        except Invalid as error:
            return error

    def _look_up(self, skus: set[str], read: Sequence[dict[str, Any] | Invalid], *, locked: bool) -> None:
        unit = self._unit
        self._known = unit.products.with_skus(skus)
        if locked and self._known:
            kept = unit.products.locked([product.id for product in self._known.values()])
            on_hand = unit.stock.on_hand(kept)  # which may have changed while the lock was waited for
            self._known = {product.sku: replace(product, stock=on_hand[product.id]) for product in kept.values()}
            if not self._known.keys() <= skus:
                raise Contention()  # somebody gave one another SKU before it was locked
        names = {name for wanted in read if isinstance(wanted, dict) for name in wanted.get("categories", ())}
        self._shelves = dict(unit.categories.named(names))
        archived = {each for product in self._known.values() if not product.is_active for each in product.category_ids}
        self._gone = frozenset(archived - unit.categories.some(archived).keys()) if archived else frozenset()

    def _judged(self, row: Row, wanted: dict[str, Any] | Invalid) -> Outcome:
        sku = self._header.sku(row)
        try:
            self._check_sku(sku, row.line)
            if isinstance(wanted, Invalid):
                raise wanted
            if sku in self._known:
                return self._changed(row.line, self._known[sku], wanted)
            return self._created(row.line, sku, wanted)
        except Invalid as error:
            errors = tuple((_COLUMN_OF.get(name, name), why) for name, why in error.errors)
            return Outcome(line=row.line, sku=sku, result=Result.REFUSED, errors=errors)

    def _check_sku(self, sku: str, line: int) -> None:
        if not sku:
            raise Invalid(errors=[("sku", "is required")])
        if sku in self._header.repeated:
            first = self._header.first_lines.setdefault(sku, line)
            if first != line:
                raise Invalid(errors=[("sku", f"is in line {first} already")])

    def _created(self, line: int, sku: str, wanted: dict[str, Any]) -> Outcome:
        wrong = [(name, "is required for a new product") for name in REQUIRED if name not in wanted]
        if not self._by.may(Permission.CATALOG_WRITE):
            wrong = [("sku", f"is new, and adding it needs the permission {Permission.CATALOG_WRITE}")]
        if wanted.get("discount_percent") and not self._by.may(Permission.PRICES_WRITE):
            wrong.append(_needs("discount_percent", Permission.PRICES_WRITE))
        if wrong:
            raise Invalid(errors=wrong)
        shelves, new_shelves = self._filed(wanted["categories"])
        fields = {"category_ids": tuple(each.id for each in shelves), **self._fields(None, wanted)}
        active = fields.pop("is_active", True)
        product = shelving.new_product(self._unit, sku=sku, stock=wanted.get("stock", 0), is_active=active, **fields)
        self._new.append(product)
        self._put_up(new_shelves)
        names = tuple(each.name for each in new_shelves)
        return Outcome(line=line, sku=sku, result=Result.CREATED, new_categories=names)

    def _changed(self, line: int, before: Product, wanted: dict[str, Any]) -> Outcome:
        fields = self._fields(before, wanted)
        new_shelves: Sequence[Category] = ()
        if "categories" in wanted:
            shelves, new_shelves = self._filed(wanted["categories"])
            ids = tuple(each.id for each in shelves)
            if ids != tuple(each for each in before.category_ids if each not in self._gone):
                fields["category_ids"] = ids
        after = before.changed(self._unit.now, **fields)
        stock = wanted.get("stock", before.stock)
        columns = tuple(self._differing(before, after, stock))
        wrong = [_needs(name, FIELDS[name][1]) for name in columns if not self._by.may(FIELDS[name][1])]
        if "cost" in wanted and not sees_costs(self._by):  # whether it differs would tell what it is
            wrong = [each for each in wrong if each[0] != "cost"] + [_needs("cost", Permission.PRICES_WRITE)]
        if wrong:
            raise Invalid(errors=wrong)
        if columns and columns != ("stock",):
            self._changes.append((before, after))
        if stock != before.stock:
            self._moves.append((before, self._move(before, stock, line)))
        self._put_up(new_shelves)
        names = tuple(each.name for each in new_shelves)
        result = Result.CHANGED if columns else Result.UNCHANGED
        return Outcome(line=line, sku=before.sku, result=result, changed=columns, new_categories=names)

    def _fields(self, before: Product | None, wanted: dict[str, Any]) -> dict[str, Any]:
        """The fields of a product that a row speaks of, but for its categories and its stock."""
        plain = ("name", "description", "price", "cost", "group", "tax_class", "images", "is_active")
        fields = {name: wanted[name] for name in plain if name in wanted}
        single = {name: value for name, value in wanted.items() if name.startswith(ATTRIBUTE)}
        if "attributes" in wanted or single:
            held = before.attributes if before else {}
            attributes = dict(wanted.get("attributes", held))
            attributes |= {name.removeprefix(ATTRIBUTE): value for name, value in single.items()}
            fields["attributes"] = {name: value for name, value in attributes.items() if value is not None}
        if "discount_percent" in wanted:
            fields["discount"] = self._discount(before, wanted)
        return fields

    def _discount(self, before: Product | None, wanted: dict[str, Any]) -> Discount | None:
        """The discount that a row asks for, None for none; what runs already is the one that is there.

        Another one starts now at the earliest, since a start in the past would falsify the price before it; a new
        product has none.
        """
        percent, now = wanted["discount_percent"], self._unit.now
        start, end = wanted.get("discount_starts_at"), wanted.get("discount_ends_at")
        if not percent:
            return None
        if before is None:
            return Discount(percent=percent, starts_at=start or now, ends_at=end)
        held = before.discount
        if held is not None and held.percent == percent:
            begun = start is None or start == held.starts_at or max(start, held.starts_at) <= now
            lasts = held.ends_at == end if "discount_ends_at" in wanted else held.ends_at is None or held.ends_at > now
            if begun and lasts:
                return held
        return Discount(percent=percent, starts_at=max(start or now, now), ends_at=end)

    def _filed(self, names: Sequence[str]) -> tuple[Sequence[Category], Sequence[Category]]:
        """The categories of these names, and those of them that have to be made."""
        found, made = dict[str, Category](), list[Category]()
        for name in names:
            key = fold_name(name)
            category = self._shelves.get(key) or found.get(key)
            if category is None:
                category = self._new_shelf(name)
                made.append(category)
            found[key] = category
        return tuple(found.values()), made

    def _new_shelf(self, name: str) -> Category:
        if not self._by.may(Permission.CATEGORIES_WRITE):
            needed = Permission.CATEGORIES_WRITE
            raise Invalid(
                errors=[("categories", f"there is no {name[:100]}, and adding it needs the permission {needed}")]
            )
        try:
            return Category(id=self._unit.new_id(), name=name, created_at=self._unit.now)
        except Invalid as error:
            raise Invalid(errors=[("categories", why) for _, why in error.errors]) from None

    def _put_up(self, shelves: Sequence[Category]) -> None:
        self._new_shelves += shelves
        self._shelves |= {fold_name(each.name): each for each in shelves}

    @staticmethod
    def _differing(before: Product, after: Product, stock: int) -> Iterator[str]:
        for name, (field, _) in FIELDS.items():
            if stock != before.stock if name == "stock" else getattr(before, field) != getattr(after, field):
                yield name

    def _move(self, product: Product, stock: int, line: int) -> StockMove:
        return StockMove(
            id=self._unit.new_id(),
            product_id=product.id,
            change=stock - product.stock,
            reason=StockReason.ADJUSTMENT,
            note=f"Import, line {line}",
            actor_id=self._by.id,
            at=self._unit.now,
        )


def _needs(column: str, permission: Permission) -> tuple[str, str]:
    return column, f"needs the permission {permission}"
