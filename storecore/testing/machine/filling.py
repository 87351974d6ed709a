"""What people do with carts: fill them, change their minds, sign in, try a coupon."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from storecore.carts.pricing import PricedCart
from storecore.errors import (
    CartEmpty,
    NotFound,
    OutOfStock,
    ProductUnavailable,
    StoreError,
)
from storecore.testing.machine.scene import Offered, Scene, Shopper, Ware, coupons, people, quantities, wares


class Filling(Scene):
    """Carts, whose lines and coupon are what their owner did, whatever happened to the products meanwhile."""

    @rule(who=people, which=wares, quantity=quantities)
    def add_to_cart(self, who: Shopper, which: int, quantity: int) -> None:
        self.add(who, which, quantity)

    def add(self, who: Shopper, which: int, quantity: int) -> None:
        """Put more of a product into somebody's cart."""
        ware = self.wares[which]
        wanted = who.cart.get(ware.id, 0) + quantity
        added = self.attempt(
            self._unfit(ware, wanted),
            lambda: self.store.carts.add_item(by=who.by, product_id=ware.id, quantity=quantity),
        )
        if added:
            who.cart[ware.id], who.cart_id = wanted, added.cart.id

    @rule(who=people, which=wares, quantity=st.just(0) | quantities)
    def change_quantity(self, who: Shopper, which: int, quantity: int) -> None:
        """To 0: out with it."""
        ware, carts = self.wares[which], self.store.carts
        if ware.id not in who.cart:
            self.attempt(NotFound, lambda: carts.set_quantity(by=who.by, product_id=ware.id, quantity=1))
            self.attempt(NotFound, lambda: carts.remove_item(by=who.by, product_id=ware.id))
        elif quantity == 0:
            carts.remove_item(by=who.by, product_id=ware.id)
            del who.cart[ware.id]
        elif self.attempt(
            self._unfit(ware, quantity),
            lambda: carts.set_quantity(by=who.by, product_id=ware.id, quantity=quantity),
        ):
            who.cart[ware.id] = quantity

    @rule(who=people)
    def clear_cart(self, who: Shopper) -> None:
        """Out with everything, once it was looked at."""
        self._look_at_cart(who)
        self.store.carts.clear(by=who.by)
        who.cart, who.coupon = {}, None

    @rule(who=people, offered=coupons, which=wares)
    def use_coupon(self, who: Shopper, offered: Offered, which: int) -> None:
        """On what is in the cart, or else on one thing that is put in."""
        code = offered.coupon.code
        if not who.cart:
            self.attempt(CartEmpty, lambda: self.store.carts.apply_coupon(by=who.by, code=code))
            self.add(who, which, 1)
        if who.cart:
            on_sale = {each: quantity for each, quantity in who.cart.items() if self.ware(each).active}
            refusal = self.not_applicable(offered, on_sale, who.name if who.account else None)
            if self.attempt(refusal, lambda: self.store.carts.apply_coupon(by=who.by, code=code)):
                who.coupon = code

    @rule(account=st.integers(0, 3), guest=st.integers(0, 3), which=wares, too_late=st.booleans())
    def sign_in(self, account: int, guest: int, which: int, too_late: bool) -> None:
        """A guest turns out to be a customer: two carts become one, and no line is lost."""
        accounts = [each for each in self.shoppers if each.account]
        guests = [each for each in self.shoppers if not each.account]
        visitor = guests[guest % len(guests)]
        if not visitor.cart:
            self.add(visitor, which, 2)
        ware = self.wares[which]
        if too_late and ware.stock:
            self.store.catalog.adjust_stock(by=self.staff, product_id=ware.id, change=-ware.stock, reason="broken")
            ware.stock = 0
        self._merge(visitor, accounts[account % len(accounts)])

    def _merge(self, guest: Shopper, who: Shopper) -> None:
        merged = self.store.carts.merge(by=who.by, cart_id=guest.cart_id)
        capped = {each.product_id: each.kept for each in merged.capped}
        for product_id, quantity in guest.cart.items():
            ware, wanted = self.ware(product_id), who.cart.get(product_id, 0) + quantity
            kept = min(wanted, max(ware.stock, 1)) if ware.active else wanted
            assert capped.get(product_id, wanted) == kept
            who.cart[product_id] = kept
        who.coupon = who.coupon or guest.coupon
        self._look_at_cart(who)
        guest.cart, guest.coupon, guest.cart_id = {}, None, None

    def _look_at_cart(self, who: Shopper) -> None:
        priced: PricedCart = self.store.carts.cart(by=who.by)
        assert [item.product_id for item in priced.items] == list(who.cart)
        for item in priced.items:
            ware = self.ware(item.product_id)
            if ware.active:
                assert item.final_price == self.money(ware.price(self.clock()))
                assert item.available == ware.stock

    @staticmethod
    def _unfit(ware: Ware, wanted: int) -> type[StoreError] | None:
        if not ware.active:
            return ProductUnavailable
        return OutOfStock if wanted > ware.stock else None
