"""A cart: products, quantities and a coupon code, no prices of its own but the one last seen."""

from dataclasses import dataclass, replace
from datetime import datetime

from storecore import checks
from storecore.catalog.model import MAX_QUANTITY
from storecore.errors import NotFound
from storecore.money import Money

MAX_LINES = 100
"""Different products in one cart or order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartItem:
    """So many of a product; ``seen_price`` is its final price when the customer last put it in or changed it."""

    product_id: str
    quantity: int
    seen_price: Money

    def __post_init__(self) -> None:
        checks.whole(self.quantity, "quantity", least=1, most=MAX_QUANTITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """A user's cart, or a guest's (``user_id`` None). Items keep the order in which they were first added."""

    id: str
    user_id: str | None = None
    items: tuple[CartItem, ...] = ()
    coupon: str | None = None
    updated_at: datetime

    def __post_init__(self) -> None:
        checks.amount_of(self.items, "items", most=MAX_LINES)

    @property
    def quantities(self) -> dict[str, int]:
        """Units by product."""
        return {item.product_id: item.quantity for item in self.items}

    def quantity(self, product_id: str) -> int:
        """Units of a product in here, 0 if none."""
        return self.quantities.get(product_id, 0)

    def put(self, product_id: str, quantity: int, *, seen_price: Money, at: datetime) -> "Cart":
        """The cart with exactly so many of a product."""
        item = CartItem(product_id=product_id, quantity=quantity, seen_price=seen_price)
        if product_id in self.quantities:
            items = tuple(item if old.product_id == product_id else old for old in self.items)
        else:
            items = (*self.items, item)
        return replace(self, items=items, updated_at=at)

    def without(self, product_id: str, *, at: datetime) -> "Cart":
        """The cart without a product. Raises ``NotFound`` if it was not in there."""
        if product_id not in self.quantities:
            raise NotFound("This product is not in the cart.")
        return replace(self, items=tuple(item for item in self.items if item.product_id != product_id), updated_at=at)

    def emptied(self, *, at: datetime) -> "Cart":
        """Nothing in it, and no coupon."""
        return replace(self, items=(), coupon=None, updated_at=at)

    def with_coupon(self, code: str | None, *, at: datetime) -> "Cart":
        """The cart with another coupon code, or none."""
        return replace(self, coupon=code, updated_at=at)
