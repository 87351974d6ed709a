"""Putting products into the catalog, changing them, taking them off the shelf."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from storecore import checks
from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.catalog import shelving
from storecore.catalog.model import MAX_STOCK, Discount
from storecore.catalog.offers import Offer, offer
from storecore.errors import Invalid
from storecore.money import Money
from storecore.ports import Unit
from storecore.pricing import STANDARD
from storecore.shop import Shop
from storecore.transactions import Activity, Once, writing

PRICE_FIELDS = frozenset({"price", "cost", "discount_percent"})


class ProductChanges(TypedDict, total=False):
    """What may be changed about a product; what is left out stays as it is. ``discount_percent`` 0 ends a discount."""

    sku: str
    name: str
    description: str
    category_ids: Sequence[str]
    price: Money
    cost: Money
    discount_percent: Decimal
    attributes: Mapping[str, str]
    images: Sequence[str]
    group: str | None
    tax_class: str
    is_active: bool


@dataclass(frozen=True, kw_only=True)
class Editing(Activity):
    """The catalog in the hands of staff."""

    shop: Shop

    @writing
    def create_product(
        self,
        unit: Unit,
        *,
        by: Actor,
        sku: str,
        name: str,
        price: Money,
        category_ids: Sequence[str],
        description: str = "",
        cost: Money | None = None,
        stock: int = 0,
        attributes: Mapping[str, str] | None = None,
        images: Sequence[str] = (),
        group: str | None = None,
        tax_class: str = STANDARD,
        discount_percent: Decimal = Decimal(0),
        once: Once | None = None,
    ) -> Offer:
        """Add a product with its opening stock; its cost is half the price unless told.

        A discount needs ``prices:write`` beside ``catalog:write``. Raises ``Invalid``, ``SkuTaken``.
        """
        require(by, Permission.CATALOG_WRITE)
        if discount_percent:
            require(by, Permission.PRICES_WRITE)
        checks.whole(stock, "stock", least=0, most=MAX_STOCK)
        self._check_references(unit, category_ids, {"price": price, "cost": cost})
        product = shelving.new_product(
            unit,
            sku=sku,
            name=name,
            description=description,
            category_ids=tuple(category_ids),
            price=price,
            cost=cost,
            stock=stock,
            discount=Discount(percent=discount_percent, starts_at=unit.now) if discount_percent else None,
            attributes=attributes or {},
            images=tuple(images),
            group=group,
            tax_class=tax_class,
        )
        shelving.add(unit, by, [product])
        return offer(unit, unit.products.get(product.id))

    @writing
    def update_product(
        self,
        unit: Unit,
        *,
        by: Actor,
        product_id: str,
        if_version: int | None = None,
        **changes: Unpack[ProductChanges],
    ) -> Offer:
        """Change a product: prices need ``prices:write``, everything else ``catalog:write``.

        Raises ``Invalid``, ``NotFound``, ``PreconditionFailed``, ``SkuTaken``.
        """
        given = set(changes)
        if given & PRICE_FIELDS:
            require(by, Permission.PRICES_WRITE)
        if given - PRICE_FIELDS or not given:
            require(by, Permission.CATALOG_WRITE)
        product = unit.products.get(product_id)
        product = unit.products.locked([product.id])[product.id]
        product.expect(if_version)
        fields: dict[str, Any] = {**changes}
        self._check_references(unit, fields.get("category_ids"), fields)
        if "discount_percent" in fields:
            percent = fields.pop("discount_percent")
            fields["discount"] = Discount(percent=percent, starts_at=unit.now) if percent else None
        changed = product.changed(unit.now, **fields)
        shelving.save(unit, by, [(product, changed)])
        return offer(unit, changed)

    @writing
    def archive_product(self, unit: Unit, *, by: Actor, product_id: str, if_version: int | None = None) -> None:
        """Take a product off the shelf: lists lose it, orders keep what they bought. Archiving twice is fine."""
        require(by, Permission.CATALOG_WRITE)
        product = unit.products.get(product_id)
        product = unit.products.locked([product.id])[product.id]
        product.expect(if_version)
        if product.is_active:
            archived = product.changed(unit.now, is_active=False)
            shelving.save(unit, by, [(product, archived)], action="product.archive")

    def _check_references(self, unit: Unit, category_ids: Sequence[str] | None, amounts: Mapping[str, Any]) -> None:
        for name in ("price", "cost"):
            amount = amounts.get(name)
            if amount is not None and amount.currency != self.shop.currency:
                raise checks.refuse(name, f"must be in {self.shop.currency}")
        if category_ids is not None:
            known = unit.categories.some(category_ids)
            unknown = [
                (f"category_ids.{i}", "there is no such category")
                for i, each in enumerate(category_ids)
                if each not in known
            ]
            if unknown:
                raise Invalid(errors=unknown)
