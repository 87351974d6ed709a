"""Filling a cart."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from storecore import checks, quoting
from storecore.accounts.model import Actor, require, require_user
from storecore.accounts.permissions import Permission
from storecore.carts.finding import cart_of
from storecore.carts.model import MAX_LINES, Cart
from storecore.carts.pricing import PricedCart, priced
from storecore.catalog.coupon import normalise_code
from storecore.catalog.model import MAX_QUANTITY, Product
from storecore.errors import CartEmpty, NotFound, OutOfStock, ProductUnavailable
from storecore.ports import Unit
from storecore.shop import Shop
from storecore.transactions import Activity, Once, reading, writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Capped:
    """Of a product, fewer were kept than wanted when two carts became one."""

    product_id: str
    wanted: int
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A user's cart after a guest's was poured into it, and what did not fit."""

    cart: PricedCart
    capped: tuple[Capped, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Shopping(Activity):
    """One cart for each user, and one for each guest who holds its token (``Guest(cart_id=…)``).

    A guest without a cart gets one when they first put something in; its id is in the answer.
    """

    shop: Shop

    @reading
    def cart(self, unit: Unit, *, by: Actor) -> PricedCart:
        """The cart as it stands, priced now; an empty one for somebody who has none."""
        return self._priced(unit, by, _find(unit, by) or _new(unit, by))

    @writing
    def add_item(
        self, unit: Unit, *, by: Actor, product_id: str, quantity: int, once: Once | None = None
    ) -> PricedCart:
        """Put more of a product in. Raises ``NotFound``, ``ProductUnavailable``, ``OutOfStock``, ``Invalid``."""
        checks.whole(quantity, "quantity", least=1, most=MAX_QUANTITY)

        def change(cart: Cart) -> Cart:
            wanted = cart.quantity(product_id) + quantity
            if product_id not in cart.quantities:
                checks.amount_of(cart.items, "items", most=MAX_LINES - 1)
            return _put(unit, cart, product_id, wanted)

        return self._change(unit, by, change)

    @writing
    def set_quantity(self, unit: Unit, *, by: Actor, product_id: str, quantity: int) -> PricedCart:
        """Have exactly so many of a product that is in the cart. Raises as :meth:`add_item`."""
        checks.whole(quantity, "quantity", least=1, most=MAX_QUANTITY)

        def change(cart: Cart) -> Cart:
            if product_id not in cart.quantities:
                raise NotFound("This product is not in the cart.")
            return _put(unit, cart, product_id, quantity)

        return self._change(unit, by, change)

    @writing
    def remove_item(self, unit: Unit, *, by: Actor, product_id: str) -> PricedCart:
        """Take a product out. Raises ``NotFound`` if it is not in there."""
        return self._change(unit, by, lambda cart: cart.without(product_id, at=unit.now))

    @writing
    def clear(self, unit: Unit, *, by: Actor) -> PricedCart:
        """Take everything out, the coupon too."""
        return self._change(unit, by, lambda cart: cart.emptied(at=unit.now))

    @writing
    def apply_coupon(self, unit: Unit, *, by: Actor, code: str) -> PricedCart:
        """Use a coupon on this cart. Raises ``CouponNotApplicable`` saying why not, ``CartEmpty``."""

        def change(cart: Cart) -> Cart:
            if not cart.items:
                raise CartEmpty()
            products = unit.products.some(cart.quantities)
            on_sale = tuple(product for product in products.values() if product.is_active)
            baskets = quoting.Selection(products=on_sale, quantities=cart.quantities).baskets(unit.now)
            quoting.coupon(unit, code, baskets, user=by.id, shop=self.shop)
            return cart.with_coupon(normalise_code(code), at=unit.now)

        return self._change(unit, by, change)

    @writing
    def remove_coupon(self, unit: Unit, *, by: Actor) -> PricedCart:
        """Use no coupon; nothing happens if there was none."""
        return self._change(unit, by, lambda cart: cart.with_coupon(None, at=unit.now))

    @writing
    def merge(self, unit: Unit, *, by: Actor, cart_id: str | None) -> Merged:
        """Pour a guest's cart into the user's, who has just signed in; it is then gone.

        Quantities add up, capped at what is available, but no line is lost: of a product that has run out one unit
        stays to be seen. What was capped is told.
        """
        user = require_user(by)
        cart = _find(unit, user, lock=True)
        guest = unit.carts.locked(cart_id) if cart_id else None
        if guest is None or guest.user_id is not None:
            return Merged(cart=self._priced(unit, by, cart or _new(unit, user)))
        merged, capped = _pour(unit, guest, cart or _new(unit, user))
        unit.carts.remove(guest.id)
        unit.carts.save(merged)
        return Merged(cart=self._priced(unit, by, merged), capped=tuple(capped))

    def _change(self, unit: Unit, by: Actor, change: Callable[[Cart], Cart]) -> PricedCart:
        require(by, Permission.ORDERS_PLACE)
        found = _find(unit, by, lock=True)
        cart = change(found or _new(unit, by))
        if found or cart.items:  # nobody holds a guest's cart that was made to be emptied
            unit.carts.save(cart)
        return self._priced(unit, by, cart)

    def _priced(self, unit: Unit, by: Actor, cart: Cart) -> PricedCart:
        return priced(unit, cart, by=by, shop=self.shop)


def _find(unit: Unit, by: Actor, *, lock: bool = False) -> Cart | None:
    cart = cart_of(unit, by)
    return unit.carts.locked(cart.id) if cart is not None and lock else cart


def _new(unit: Unit, by: Actor) -> Cart:
    return Cart(id=unit.new_id(), user_id=by.id, updated_at=unit.now)


def _put(unit: Unit, cart: Cart, product_id: str, quantity: int) -> Cart:
    checks.whole(quantity, "quantity", least=1, most=MAX_QUANTITY)
    product = unit.products.some([product_id]).get(product_id)
    if product is None:
        raise NotFound(errors=[("product_id", "there is no such product")])
    if not product.is_active:
        raise ProductUnavailable(f"No longer sold: {product.name}.", product_ids=[product.id])
    if product.stock < quantity:
        line = {"product_id": product.id, "requested": quantity, "available": product.stock}
        raise OutOfStock(f"Of {product.name}, {product.stock} are left.", lines=[line], available=product.stock)
    return cart.put(product.id, quantity, seen_price=product.final_price(unit.now), at=unit.now)


def _pour(unit: Unit, guest: Cart, cart: Cart) -> tuple[Cart, list[Capped]]:
    products = unit.products.some(guest.quantities)
    capped: list[Capped] = []
    for item in guest.items:
        own = cart.quantity(item.product_id)
        wanted = own + item.quantity
        kept = min(wanted, MAX_QUANTITY, _most(products.get(item.product_id), wanted))
        if not own and len(cart.items) >= MAX_LINES:
            kept = 0
        if kept < wanted:
            capped.append(Capped(product_id=item.product_id, wanted=wanted, kept=kept))
        if kept:
            cart = cart.put(item.product_id, kept, seen_price=item.seen_price, at=unit.now)
    return replace(cart, coupon=cart.coupon or guest.coupon, updated_at=unit.now), capped


def _most(product: Product | None, wanted: int) -> int:
    """As many as are left; of what is gone or not sold any more, the line stays as it is to be seen."""
    if product is None or not product.is_active:
        return wanted
    return max(product.stock, 1)
