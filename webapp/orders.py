"""Orders over HTTP: placing and following them."""

from datetime import datetime
from typing import Annotated, Any, NotRequired

from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.errors import (
    CouponNotApplicable,
    IllegalTransition,
    Invalid,
    NotFound,
    OutOfStock,
    PriceChanged,
    ProductUnavailable,
)
from storecore.lists import Page
from storecore.money import Money
from storecore.orders.model import OFFLINE, HistoryEntry, Order, OrderLine, PaymentStatus, Status
from storecore.ports import OrderQuery
from storecore.shop import Shop
from webapp import limits
from webapp.addresses import AddressView, DeliveryAddress, show_address
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount, AmountText, Choice, Id, Text
from webapp.http.validation import Body, Query, absent
from webapp.periods import Period
from webapp.quotes import Items, StepView, items_of, show_step
from webapp.sessions import Who

routes = Routes("orders", "Placing orders and following them.")

Note = Annotated[str, Text(2000, least=0, lines=True)]


class OrderLineView(TypedDict):
    """What was bought, as it was when it was bought."""

    id: str
    product_id: str
    sku: str
    name: str
    quantity: int
    unit_price: Amount
    discount: Amount
    tax: Amount
    tax_rate: str
    total: Amount
    currency: str


def _show_line(line: OrderLine) -> OrderLineView:
    return {
        "id": line.id,
        "product_id": line.product_id,
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": str(line.unit_price),
        "discount": str(line.discount),
        "tax": str(line.tax),
        "tax_rate": f"{line.tax_rate:f}",
        "total": str(line.total),
        "currency": line.total.currency,
    }


class HistoryView(TypedDict):
    """The order reached a status; ``actor_id`` is null for a guest and for the shop itself."""

    status: Status
    at: datetime
    actor_id: str | None
    note: str | None


def _show_entry(entry: HistoryEntry) -> HistoryView:
    return {"status": entry.status, "at": entry.at, "actor_id": entry.actor_id, "note": entry.note}


class OrderView(TypedDict):
    """An order: ``total = subtotal - discount + shipping + tax``, without ``tax`` if ``tax_included``.

    ``refunded`` is how much of it was given back.
    """

    id: str
    number: str
    status: Status
    payment_status: PaymentStatus
    payment_provider: str
    customer_id: str | None
    customer_name: str
    email: str
    lines: list[OrderLineView]
    coupon: str | None
    subtotal: Amount
    discount: Amount
    shipping: Amount
    tax: Amount
    tax_included: bool
    total: Amount
    refunded: Amount
    currency: str
    delivery_address: AddressView
    note: str | None
    eta: datetime
    carrier: str | None
    tracking_number: str | None
    history: list[HistoryView]
    created_at: datetime
    version: int
    explanation: NotRequired[list[StepView]]
    access_token: NotRequired[str]


def show_order(order: Order) -> OrderView:
    """An order as it is answered to its owner and to staff."""
    return {
        "id": order.id,
        "number": order.number,
        "status": order.status,
        "payment_status": order.payment_status,
        "payment_provider": order.payment_provider,
        "customer_id": order.customer_id,
        "customer_name": order.customer_name,
        "email": order.email,
        "lines": [_show_line(line) for line in order.lines],
        "coupon": order.coupon_code,
        "subtotal": str(order.subtotal),
        "discount": str(order.discount),
        "shipping": str(order.shipping),
        "tax": str(order.tax),
        "tax_included": order.tax_included,
        "total": str(order.total),
        "refunded": str(order.refunded),
        "currency": order.currency,
        "delivery_address": show_address(order.delivery_address),
        "note": order.note,
        "eta": order.eta,
        "carrier": order.carrier,
        "tracking_number": order.tracking_number,
        "history": [_show_entry(entry) for entry in order.history],
        "created_at": order.created_at,
        "version": order.version,
    }


def show_placed(order: Order, ask: Ask[Any, Any]) -> OrderView:
    """An order to whoever has just placed it; guests get what they will show to come back."""
    view = show_order(order)
    if order.customer_id is None:
        view["access_token"] = ask.store.orders.token(order)
    return view


class PaymentChoice(Body):
    """How it will be paid: ``offline``, on delivery or by invoice; or with a provider of the shop, such as ``stripe``.

    With a provider it is paid by `POST /orders/{order_id}/payment`, before its time is up.
    """

    provider: Annotated[str, Text(40)]


class Checkout(Body):
    """What a customer decides when buying: a ``delivery_address`` or a saved one's ``address_id``, and the rest.

    Guests give an ``email``. When the total is not ``expected_total``, nothing is bought.
    """

    delivery_address: DeliveryAddress | None = None
    address_id: Id | None = None
    email: Annotated[str, Text(254)] | None = None
    note: Note | None = None
    payment: PaymentChoice | None = None
    expected_total: AmountText | None = None

    def decided(self, shop: Shop) -> dict[str, Any]:
        """The arguments of placing an order. Raises ``Invalid``."""
        if (self.delivery_address is None) == (self.address_id is None):
            raise Invalid(errors=[("delivery_address", "give either this or an address_id")])
        expected = self.expected_total
        return {
            "deliver_to": self.delivery_address.read() if self.delivery_address else self.address_id,
            "email": self.email,
            "note": self.note,
            "payment": self.payment.provider if self.payment else OFFLINE,
            "expected_total": expected and Money.parse(expected, shop.currency, field="expected_total"),
        }


class PlaceOrder(Checkout):
    """What to buy, and how."""

    items: Items
    coupon: Annotated[str, Text(40)] | None = None


PLACING_REFUSES = (NotFound, OutOfStock, PriceChanged, CouponNotApplicable, ProductUnavailable)
"""What may come between a customer and an order."""


@routes.endpoint(
    "POST",
    "/orders",
    show=show_placed,
    location="/orders/{id}",
    may=Permission.ORDERS_PLACE,
    once=True,
    etag=True,
    limit=limits.GUEST_ORDERS,
    refuses=PLACING_REFUSES,
)
def place(ask: Ask[PlaceOrder]) -> Order:
    """Buy these items, all of them or none.

    Guests give an `email`, and get an `access_token` that lets them come back to the order: send it as `X-Order-Token`,
    or as `?token=`.
    """
    return ask.store.orders.place(
        by=ask.by,
        items=items_of(ask.body.items),
        coupon=ask.body.coupon or None,
        once=ask.once,
        **ask.body.decided(ask.store.shop),
    )


class OrderList(Period):
    """Which of my orders; ``from`` and ``to`` are days on which they were placed."""

    status: Choice[Status] | None = None
    number: Annotated[str, Text(20)] | None = None

    def asked(self, shop: Shop, customer_id: str | None = None) -> OrderQuery:
        """The question for the orders."""
        placed_from, placed_to = self.bounds(shop)
        return OrderQuery(
            customer_id=customer_id,
            status=self.status,
            placed_from=placed_from,
            placed_to=placed_to,
            number=self.number and self.number.upper(),
        )


@routes.endpoint("GET", "/orders", show=show_order, who=Who.SIGNED_IN)
def list_orders(ask: Ask[None, OrderList]) -> Page[Order]:
    """My orders, newest first."""
    return ask.store.orders.mine(by=ask.by, query=ask.query.asked(ask.store.shop), page=ask.page)


class Explained(Query):
    """How much to tell."""

    explain: bool = False


def _show_one(order: Order, ask: Ask[None, Explained]) -> OrderView:
    view = show_order(order)
    if ask.query.explain:
        view["explanation"] = [show_step(step) for step in order.explanation]
    return view


@routes.endpoint("GET", "/orders/{order_id}", show=_show_one, who=Who.HOLDER, etag=True)
def get_order(ask: Ask[None, Explained], order_id: str) -> Order:
    """One order: my own, or anybody's for `orders:read_all`.

    With `?explain=true` it tells how every minor unit of the total came about.
    """
    return ask.store.orders.get(by=ask.by, order_id=order_id)


class OrderPatch(Body):
    """What to change about a pending order."""

    delivery_address: DeliveryAddress = absent()
    note: Note | None = None


@routes.endpoint(
    "PATCH", "/orders/{order_id}", show=show_order, who=Who.HOLDER, etag=True, refuses=(IllegalTransition,)
)
def amend_order(ask: Ask[OrderPatch], order_id: str) -> Order:
    """Change the address or the note of my order while it is pending.

    Items change by cancelling and ordering again.
    """
    changes = ask.body.given()
    if "delivery_address" in changes:
        changes["delivery_address"] = changes["delivery_address"].read()
    return ask.store.orders.amend(by=ask.by, order_id=order_id, if_version=ask.if_version, **changes)


class Cancellation(Body):
    """Why, perhaps."""

    note: Note | None = None


@routes.endpoint(
    "POST",
    "/orders/{order_id}/cancel",
    show=show_order,
    who=Who.HOLDER,
    once=True,
    etag=True,
    refuses=(IllegalTransition,),
)
def cancel_order(ask: Ask[Cancellation], order_id: str) -> Order:
    """Stop an order before it leaves the warehouse; its goods go back on the shelf."""
    return ask.store.orders.cancel(
        by=ask.by, order_id=order_id, note=ask.body.note, if_version=ask.if_version, once=ask.once
    )
