"""Quoting and placing: the moment a basket becomes an order, or nothing changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storecore import checks, quoting
from storecore.accounts.model import Actor, Address, User, require, require_user
from storecore.accounts.permissions import Permission
from storecore.accounts.staying import check_still_here
from storecore.carts.finding import cart_of
from storecore.carts.model import Cart
from storecore.catalog.coupon import Coupon
from storecore.catalog.model import Product, StockReason
from storecore.errors import CartEmpty, PriceChanged
from storecore.money import Money
from storecore.orders import letters
from storecore.orders.model import OFFLINE, HistoryEntry, Order, OrderLine, Status, order_number
from storecore.orders.moves import stock_moves
from storecore.ports import PaymentProvider, Random, Signer, Unit
from storecore.pricing import NOWHERE, RULES, Quote
from storecore.quoting import Item, Selection
from storecore.shop import Shop
from storecore.transactions import Activity, Once, reading, writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """What a customer decides when buying, beside what is bought. ``deliver_to`` is an address or a saved one's id.

    Guests give an ``email``. ``payment`` is the provider they will pay with, who is not called yet. ``expected_total``
    is the total they agreed to; another one raises ``PriceChanged``.
    """

    deliver_to: Address | str
    email: str | None = None
    note: str | None = None
    payment: str = OFFLINE
    expected_total: Money | None = None


@dataclass(frozen=True, kw_only=True)
class Placing(Activity):
    """Turning baskets into orders. No price, owner or status is taken from the caller."""

    random: Random
    signer: Signer
    shop: Shop
    providers: Mapping[str, PaymentProvider]

    @reading
    def quote(
        self,
        unit: Unit,
        *,
        by: Actor,
        items: Sequence[Item],
        deliver_to: Address | None = None,
        coupon: str | None = None,
    ) -> Quote:
        """What these items would cost, line keys being product ids. Raises as :meth:`place`, but for stock."""
        baskets = quoting.select(unit, items).baskets(unit.now)
        used = quoting.coupon(unit, coupon, baskets, user=by.id, shop=self.shop) if coupon else None
        where = deliver_to.destination if deliver_to else NOWHERE
        return quoting.quote(baskets, shop=self.shop, coupon=used, where=where)

    def place(
        self,
        *,
        by: Actor,
        items: Sequence[Item],
        deliver_to: Address | str,
        coupon: str | None = None,
        email: str | None = None,
        note: str | None = None,
        payment: str = OFFLINE,
        expected_total: Money | None = None,
        once: Once | None = None,
    ) -> Order:
        """Buy these items, all of them or none. No payment provider is called: see ``pay``.

        Raises ``OutOfStock`` listing every short line, ``PriceChanged`` with the new quote, ``CouponNotApplicable``,
        ``ProductUnavailable``, ``NotFound`` and ``Invalid`` naming the field. Whatever it raises, nothing changed.
        """
        checkout = self._checked(
            by,
            Checkout(deliver_to=deliver_to, email=email, note=note, payment=payment, expected_total=expected_total),
        )
        if self.storage.one_writer:
            self._look(by=by, items=items, once=once)
        return self._place_items(by=by, items=items, coupon=coupon, checkout=checkout, once=once)

    def checkout(
        self,
        *,
        by: Actor,
        deliver_to: Address | str,
        email: str | None = None,
        note: str | None = None,
        payment: str = OFFLINE,
        expected_total: Money | None = None,
        once: Once | None = None,
    ) -> Order:
        """Buy what is in one's cart and empty it. Raises ``CartEmpty``, and as :meth:`place`."""
        checkout = self._checked(
            by,
            Checkout(deliver_to=deliver_to, email=email, note=note, payment=payment, expected_total=expected_total),
        )
        if self.storage.one_writer:
            self._look(by=by, items=None, once=once)
        return self._place_cart(by=by, checkout=checkout, once=once)

    def _checked(self, by: Actor, checkout: Checkout) -> Checkout:
        require(by, Permission.ORDERS_PLACE)
        if checkout.payment != OFFLINE and checkout.payment not in self.providers:
            raise checks.refuse("payment.provider", "is not known here")
        if isinstance(by, User):
            if checkout.email is not None:
                raise checks.refuse("email", "is for guests; a customer's mail goes to the account's address")
            return checkout
        if checkout.email is None:
            raise checks.refuse("email", "is needed to order without an account")
        return Checkout(
            deliver_to=checkout.deliver_to,
            email=checks.email(checkout.email),
            note=checkout.note,
            payment=checkout.payment,
            expected_total=checkout.expected_total,
        )

    @reading
    def _look(self, unit: Unit, *, by: Actor, items: Sequence[Item] | None, once: Once | None) -> None:
        """Refuse what is plainly short from a snapshot, so that the losers of a race do not queue to write nothing."""
        if items is None:
            items = _items(_filled(cart_of(unit, by)))
        _select(unit, items)

    @writing
    def _place_items(
        self,
        unit: Unit,
        *,
        by: Actor,
        items: Sequence[Item],
        coupon: str | None,
        checkout: Checkout,
        once: Once | None,
    ) -> Order:
        return self._place(unit, by, _select(unit, items), coupon, checkout)

    @writing
    def _place_cart(self, unit: Unit, *, by: Actor, checkout: Checkout, once: Once | None) -> Order:
        cart = _filled(cart_of(unit, by))
        cart = _filled(unit.carts.locked(cart.id))
        selection = _select(unit, _items(cart))
        unit.carts.save(cart.emptied(at=unit.now))
        return self._place(unit, by, selection, cart.coupon, checkout)

    def _place(self, unit: Unit, by: Actor, selection: Selection, code: str | None, checkout: Checkout) -> Order:
        address = _address(unit, by, checkout.deliver_to)
        line_ids = {product.id: unit.new_id() for product in selection.products}
        baskets = selection.baskets(unit.now, line_ids)
        user = quoting.coupon_user(by, checkout.email)
        # How often this user has used it is for `use` to check, which nobody can overtake.
        coupon = quoting.coupon(unit, code, baskets, user=None, shop=self.shop) if code else None
        quote = quoting.quote(baskets, shop=self.shop, coupon=coupon, where=address.destination)
        if checkout.expected_total is not None and checkout.expected_total != quote.total:
            by_product = quoting.quote(
                selection.baskets(unit.now), shop=self.shop, coupon=coupon, where=address.destination
            )
            raise PriceChanged(quote=by_product)
        order = self._order(unit, by, selection.products, quote, address, coupon, checkout)
        unit.orders.add(order)
        check_still_here(unit, by)
        if coupon and user:
            unit.coupons.use(coupon, order_id=order.id, user=user)
        unit.outbox.add([letters.order_placed(unit, self.shop, self.signer, order)])
        left = unit.stock.move(stock_moves(unit, order, by, StockReason.SALE), sold=True)
        self._warn(unit, order, selection, left)
        return order

    def _order(  # noqa: PLR0917 - the parts of one order, each named at the only call
        self,
        unit: Unit,
        by: Actor,
        products: Sequence[Product],
        quote: Quote,
        address: Address,
        coupon: Coupon | None,
        checkout: Checkout,
    ) -> Order:
        return Order(
            id=unit.new_id(),
            number=order_number(self.random(16)),
            customer_id=by.id,
            customer_name=by.full_name if isinstance(by, User) else address.recipient,
            email=by.email if isinstance(by, User) else checkout.email or "",
            payment_provider=checkout.payment,
            pay_by=None if checkout.payment == OFFLINE else unit.now + self.shop.payment_timeout,
            lines=tuple(
                OrderLine(
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
                for product, line in zip(products, quote.lines, strict=True)
            ),
            subtotal=quote.subtotal,
            discount=quote.discount,
            shipping=quote.shipping,
            shipping_tax=quote.shipping_tax,
            shipping_tax_rate=quote.shipping_tax_rate,
            tax=quote.tax,
            total=quote.total,
            refunded=Money.zero(quote.total.currency),
            tax_included=quote.tax_included,
            coupon_id=coupon.id if coupon else None,
            coupon_code=coupon.code if coupon else None,
            explanation=quote.explain(),
            rules=RULES,
            delivery_address=address,
            note=checkout.note,
            eta=unit.now + self.shop.delivery_time,
            history=(HistoryEntry(status=Status.PENDING, at=unit.now, actor_id=by.id),),
            created_at=unit.now,
        )

    def _warn(self, unit: Unit, order: Order, selection: Selection, left: Mapping[str, int]) -> None:
        """Tell staff about each shelf that this order, and no other, brought down to the mark."""
        mark = self.shop.low_stock_at
        low = [
            (product, left[product.id])
            for product in selection.products
            if left[product.id] <= mark < left[product.id] + selection.quantities[product.id]
        ]
        if low:
            unit.outbox.add(letters.low_stock(unit, self.shop, order, low))


def _select(unit: Unit, items: Sequence[Item]) -> Selection:
    """The products, none of which is plainly short: that is refused before anything is written."""
    selection = quoting.select(unit, items)
    quoting.refuse_short(selection)
    return selection


def _address(unit: Unit, by: Actor, deliver_to: Address | str) -> Address:
    if isinstance(deliver_to, Address):
        return deliver_to
    return unit.users.address(require_user(by).id, deliver_to).address


def _filled(cart: Cart | None) -> Cart:
    if cart is None or not cart.items:
        raise CartEmpty()
    return cart


def _items(cart: Cart) -> Sequence[Item]:
    return [(item.product_id, item.quantity) for item in cart.items]
