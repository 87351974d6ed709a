"""Payments over HTTP: paying an order, and what providers tell by themselves."""

from collections.abc import Mapping
from typing import Annotated, Any

from typing_extensions import TypedDict

from storecore.errors import (
    AlreadyPaid,
    EventForged,
    IllegalTransition,
    NotFound,
    PaymentInProgress,
    ProviderDown,
)
from storecore.orders.model import OFFLINE, Order
from storecore.orders.paying import LONGEST_TOKEN, Attempt
from storecore.orders.payment import Payment, PaymentState
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Text
from webapp.http.validation import Body
from webapp.orders import OrderView, show_order
from webapp.sessions import Who

routes = Routes("payments", "Paying orders, and what payment providers tell by themselves.")


class Pay(Body):
    """How to pay. ``token`` is what the provider's own form made of a card; card data never comes here.

    Without a ``token`` the answer's ``action`` says where the customer gives their card to the provider.
    """

    provider: Annotated[str, Text(40)]
    token: Annotated[str, Text(LONGEST_TOKEN)] | None = None


class PaymentView(TypedDict):
    """An attempt to pay. ``failure`` says why it failed; ``action`` what the customer has to do now.

    While it is ``submitted`` the provider has not answered yet: the order's ``payment_status`` will tell.
    """

    id: str
    provider: str
    status: PaymentState
    failure: str | None
    action: dict[str, str] | None


class PaidOrderView(OrderView):
    """The order, and the attempt to pay it; null where no provider was needed."""

    payment: PaymentView | None


def show_attempt(result: Attempt | Order) -> PaidOrderView:
    """The order, and what became of the attempt to pay it."""
    attempt = Attempt(order=result) if isinstance(result, Order) else result
    payment = _show_payment(attempt.payment, attempt.action) if attempt.payment else None
    return {**show_order(attempt.order), "payment": payment}


def _show_payment(payment: Payment, action: Mapping[str, str]) -> PaymentView:
    return {
        "id": payment.id,
        "provider": payment.provider,
        "status": payment.state,
        "failure": payment.failure,
        "action": dict(action) or None,
    }


@routes.endpoint(
    "POST",
    "/orders/{order_id}/payment",
    show=show_attempt,
    who=Who.HOLDER,
    once=True,
    etag=True,
    refuses=(AlreadyPaid, PaymentInProgress, IllegalTransition, ProviderDown),
)
def pay_order(ask: Ask[Pay], order_id: str) -> Attempt | Order:
    """Pay my order.

    A declined card is no error: the payment's `status` is `failed`, its `failure` says why, and another card may be
    tried. `action_needed` sends the customer on: to the `url` of an `action` of type `redirect`, or into the provider's
    own form. When the provider does not answer the payment stays `submitted`, and the shop finds out by itself; the
    same request with the same `Idempotency-Key` asks again, and never charges twice.

    With the provider `offline` staff record that an order was paid before its delivery, which needs the permission
    `orders:fulfil`.
    """
    body, orders = ask.body, ask.store.orders
    asked: dict[str, Any] = {"by": ask.by, "order_id": order_id, "if_version": ask.if_version, "once": ask.once}
    if body.provider == OFFLINE:
        return orders.record_payment(**asked)
    return orders.pay(provider=body.provider, token=body.token, **asked)


@routes.endpoint("POST", "/payments/{provider}/events", who=Who.NEWCOMER, refuses=(EventForged, ProviderDown, NotFound))
def hear_event(ask: Ask[bytes], provider: str) -> None:
    """What a payment provider tells by itself (a webhook), signed by it.

    Events that are told twice, too late, out of order, or of payments that are not known here change nothing.
    """
    ask.store.orders.hear(provider=provider, headers=dict(ask.request.headers), body=ask.body)
