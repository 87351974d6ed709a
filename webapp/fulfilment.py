"""Orders over HTTP in the hands of staff: every order, its way to the customer, and what is to be delivered."""

from typing import Annotated

from typing_extensions import TypedDict

from storecore.accounts.permissions import Permission
from storecore.errors import IllegalTransition
from storecore.lists import Page
from storecore.orders.model import Delivery, Order, Status
from webapp.addresses import AddressView, show_address
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount, Choice, Id, Text
from webapp.http.validation import Body, Query
from webapp.orders import Note, OrderList, show_order

routes = Routes("fulfilment", "Orders and deliveries in the hands of staff.")


class EveryOrderList(OrderList):
    """Which orders; ``customer`` is a user's id."""

    customer: Id | None = None


@routes.endpoint("GET", "/orders/all", show=show_order, may=Permission.ORDERS_READ_ALL)
def list_every_order(ask: Ask[None, EveryOrderList]) -> Page[Order]:
    """Everybody's orders, newest first."""
    query = ask.query.asked(ask.store.shop, ask.query.customer)
    return ask.store.orders.everyones(by=ask.by, query=query, page=ask.page)


class StatusChange(Body):
    """Where the order is now. ``carrier`` and ``tracking_number`` go with ``shipped``."""

    status: Choice[Status]
    note: Note | None = None
    carrier: Annotated[str, Text(100, least=0)] | None = None
    tracking_number: Annotated[str, Text(100, least=0)] | None = None


@routes.endpoint(
    "PATCH",
    "/orders/{order_id}/status",
    show=show_order,
    may=Permission.ORDERS_FULFIL,
    etag=True,
    refuses=(IllegalTransition,),
)
def advance_order(ask: Ask[StatusChange], order_id: str) -> Order:
    """Move an order on.

    From `pending` to `confirmed`, `processing`, `shipped` and `delivered`, one after another; until it is shipped it
    can be `cancelled`.
    """
    body = ask.body
    return ask.store.orders.advance(
        by=ask.by,
        order_id=order_id,
        to=body.status,
        note=body.note,
        carrier=body.carrier,
        tracking_number=body.tracking_number,
        if_version=ask.if_version,
    )


class DeliveryView(TypedDict):
    """A line of an order on the fulfilment list."""

    line_id: str
    order_id: str
    order_number: str
    status: Status
    done: bool
    customer_id: str | None
    customer_name: str
    product_id: str
    product_name: str
    quantity: int
    total: Amount
    currency: str
    delivery_address: AddressView


def show_delivery(delivery: Delivery) -> DeliveryView:
    """A line of the fulfilment list as it is answered."""
    return {
        "line_id": delivery.line_id,
        "order_id": delivery.order_id,
        "order_number": delivery.order_number,
        "status": delivery.status,
        "done": delivery.done,
        "customer_id": delivery.customer_id,
        "customer_name": delivery.customer_name,
        "product_id": delivery.product_id,
        "product_name": delivery.product_name,
        "quantity": delivery.quantity,
        "total": str(delivery.total),
        "currency": delivery.total.currency,
        "delivery_address": show_address(delivery.delivery_address),
    }


class DeliveryList(Query):
    """Which deliveries: ``done`` true for those that arrived, false for those that did not."""

    done: bool | None = None


@routes.endpoint("GET", "/orders/deliveries", show=show_delivery, may=Permission.ORDERS_FULFIL)
def list_deliveries(ask: Ask[None, DeliveryList]) -> Page[Delivery]:
    """What is to be delivered, line by line, oldest first."""
    return ask.store.orders.deliveries(by=ask.by, done=ask.query.done, page=ask.page)
