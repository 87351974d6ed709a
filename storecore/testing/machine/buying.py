"""The moment a basket becomes an order, or nothing changes."""

from collections.abc import Mapping
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, initialize, multiple, rule

from storecore.errors import CartEmpty, OutOfStock, ProductUnavailable, StoreError
from storecore.money import half_up
from storecore.orders.model import Order
from storecore.testing.builders import make_address
from storecore.testing.machine.filling import Filling
from storecore.testing.machine.scene import Offered, Sale, Shopper, coupons, people, quantities, sales, wares
from storecore.transactions import Once, Replayed


class Buying(Filling):
    """Placing and checking out: refused for the right reason, or with exactly the right effect."""

    @rule(
        target=sales,
        who=people,
        lines=st.lists(st.tuples(wares, quantities), min_size=1, max_size=4),
        offered=st.none() | coupons,
        twice=st.booleans(),
    )
    def place(
        self, who: Shopper, lines: list[tuple[int, int]], offered: Offered | None, twice: bool
    ) -> MultipleResults[Sale]:
        """Order things, perhaps sending the same request twice."""
        sale = self.buy(who, lines, offered, twice=twice)
        return multiple(sale) if sale else multiple()

    def buy(
        self, who: Shopper, lines: list[tuple[int, int]], offered: Offered | None, *, twice: bool = False
    ) -> Sale | None:
        """Place an order, or be refused for the right reason."""
        items = [(self.wares[which].id, quantity) for which, quantity in lines]
        wanted: dict[str, int] = {}
        for product_id, quantity in items:
            wanted[product_id] = wanted.get(product_id, 0) + quantity
        once = Once(scope="machine", key=str(uuid4()), fingerprint=b"order", render=lambda order: order.id.encode())

        def order() -> Order:
            return self.store.orders.place(
                by=who.by,
                items=items,
                deliver_to=make_address(),
                coupon=offered.coupon.code if offered else None,
                email=None if who.account else who.email,
                once=once,
            )

        placed = self.attempt(self._refusal(who, wanted, offered), order)
        if placed is None:
            return None
        if twice:
            with pytest.raises(Replayed) as replayed:
                order()
            assert replayed.value.answer == placed.id.encode()
        return self._note(who, placed, wanted, offered)

    @initialize(target=sales, which=wares, quantity=quantities, saving=st.booleans())
    def first_sale(self, which: int, quantity: int, saving: bool) -> MultipleResults[Sale]:
        """Somebody was here before."""
        sale = self.buy(self.shoppers[0], [(which, quantity)], self.offered[0] if saving else None)
        return multiple(sale) if sale else multiple()

    @rule(target=sales, who=people, which=wares, quantity=quantities)
    def check_out(self, who: Shopper, which: int, quantity: int) -> MultipleResults[Sale]:
        """Put one more thing into the cart and order what is in there."""
        self.add(who, which, quantity)
        offered = next((each for each in self.offered if each.coupon.code == who.coupon), None)
        placed = self.attempt(
            self._refusal(who, who.cart, offered) if who.cart else CartEmpty,
            lambda: self.store.orders.checkout(
                by=who.by, deliver_to=make_address(), email=None if who.account else who.email
            ),
        )
        if placed is None:
            return multiple()
        sale = self._note(who, placed, who.cart, offered)
        who.cart, who.coupon = {}, None
        return multiple(sale)

    def _refusal(self, who: Shopper, wanted: Mapping[str, int], offered: Offered | None) -> type[StoreError] | None:
        if not all(self.ware(each).active for each in wanted):
            return ProductUnavailable
        if any(self.ware(each).stock < quantity for each, quantity in wanted.items()):
            return OutOfStock
        return self.not_applicable(offered, wanted, who.name) if offered else None

    def _note(self, who: Shopper, placed: Order, wanted: Mapping[str, int], offered: Offered | None) -> Sale:
        assert placed.quantities == wanted
        self._check_prices(placed)
        self._check_coupon(placed, offered)
        sale = Sale(who, placed, coupon=offered, note=placed.note, history=placed.history)
        self.sales[placed.id] = sale
        self.move(wanted, -1)
        return sale

    def _check_prices(self, placed: Order) -> None:
        for line in placed.lines:
            ware = self.ware(line.product_id)
            assert line.unit_price.minor == ware.minor
            assert line.product_discount.minor == (ware.minor - ware.price(self.clock())) * line.quantity

    def _check_coupon(self, placed: Order, offered: Offered | None) -> None:
        """It takes what it says off the goods, each line its share to less than one minor unit."""
        goods = [line.goods.minor + line.order_discount.minor for line in placed.lines]
        off, whole = 0, sum(goods)
        if offered and offered.coupon.percent is not None:
            numerator, denominator = offered.coupon.percent.as_integer_ratio()
            off = half_up(whole * numerator, 100 * denominator)
        elif offered and offered.coupon.amount is not None:
            off = min(offered.coupon.amount.minor, whole)
        parts = [line.order_discount.minor for line in placed.lines]
        assert sum(parts) == off
        assert all(abs(part * whole - off * net) < max(whole, 1) for part, net in zip(parts, goods, strict=True))
