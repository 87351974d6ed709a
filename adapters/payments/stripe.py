"""Stripe: a PaymentIntent for each payment, captured when it is confirmed; signed webhooks; refunds.

Nothing is retried here: the core asks again, with the same idempotency keys. A declined card cancels its intent, so
that what has failed can never be charged later (https://docs.stripe.com/payments/paymentintents/lifecycle).
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from storecore.errors import EventForged, Invalid, PayoutRefused, ProviderDown
from storecore.money import EXPONENTS, Money
from storecore.orders.model import Order
from storecore.orders.payment import Outcome, Payment, PaymentState, ProviderEvent
from storecore.orders.refund import Refund

if TYPE_CHECKING:
    from stripe import StripeClient

log = logging.getLogger(__name__)

API_BASE = "https://api.stripe.com"
TIMEOUT_SECONDS = 10
TOLERANCE_SECONDS = 300

_WHOLE = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_EVENTS = frozenset({"payment_intent.succeeded", "payment_intent.canceled", "payment_intent.payment_failed"})
_DECLINED = "The card could not be charged."
_REFUND = "storecore_refund"


class StripePayments:
    """The ``PaymentProvider`` port over the official package, which is loaded for the first payment.

    Customers who left for their bank's page come back to ``return_url``.
    """

    def __init__(
        self,
        secret_key: str,
        *,
        webhook_secret: str | None = None,
        api_base: str = API_BASE,
        return_url: str = "http://127.0.0.1:8000",
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._secret_key = secret_key
        self._webhook_secret = webhook_secret
        self._api_base = api_base
        self._return_url = return_url
        self._timeout = timeout

    @cached_property
    def _stripe(self) -> "StripeClient":
        from stripe import RequestsClient, StripeClient

        return StripeClient(
            self._secret_key,
            base_addresses={"api": self._api_base},
            http_client=RequestsClient(timeout=self._timeout),
            max_network_retries=0,
        )

    def prepare(self, payment: Payment, order: Order) -> str:
        """An unconfirmed PaymentIntent.

        Stripe repeats a fault of its own for the same key, so it is then asked without: of several intents that may
        come of it one is confirmed, and the others are never heard of again.
        """
        try:
            return self._create(payment, order, key=payment.id)
        except _Fault:
            return self._create(payment, order, key=None)

    def _create(self, payment: Payment, order: Order, *, key: str | None) -> str:
        with _answers():
            try:
                made = self._stripe.v1.payment_intents.create(
                    {
                        "amount": in_stripes_units(payment.amount),
                        "currency": payment.amount.currency.lower(),
                        "capture_method": "automatic",
                        "automatic_payment_methods": {"enabled": True},
                        "description": order.number,
                        "metadata": {"order": order.id, "order_number": order.number, "payment": payment.id},
                    },
                    {"idempotency_key": key} if key else {},
                )
            except _invalid() as refused:
                log.warning("Stripe refuses payment %s: %s", payment.id, refused.user_message)
                raise Invalid(refused.user_message or _DECLINED) from None
        return str(made.id)

    def take(self, payment: Payment, token: str | None) -> Outcome:
        """Confirm the intent with a PaymentMethod's id; without one Stripe's own form does it, by the client secret."""
        if token is None:
            return self.look_up(payment)
        with _answers():
            try:
                confirmed = self._stripe.v1.payment_intents.confirm(
                    _reference(payment),
                    {"payment_method": token, "return_url": self._return_url},
                    {"idempotency_key": f"{payment.id}-take"},
                )
            except _declined() as declined:
                failure = declined.user_message
            except _invalid() as refused:
                log.warning("Stripe refuses to take payment %s: %s", payment.id, refused.user_message)
                failure = None
            else:
                return _outcome(_plain(confirmed))
        given_up = self.abandon(payment)
        if given_up.state is not PaymentState.FAILED:
            return given_up
        return Outcome(state=PaymentState.FAILED, failure=failure or given_up.failure or _DECLINED)

    def look_up(self, payment: Payment) -> Outcome:
        """The intent as it is."""
        with _answers():
            return _outcome(_plain(self._stripe.v1.payment_intents.retrieve(_reference(payment))))

    def abandon(self, payment: Payment) -> Outcome:
        """Cancel the intent. Raises ``ProviderDown`` while a bank is still at it, which nobody can stop."""
        with _answers():
            try:
                outcome = _outcome(_plain(self._stripe.v1.payment_intents.cancel(_reference(payment))))
            except _invalid():
                outcome = self.look_up(payment)
        if not outcome.state.final:
            raise ProviderDown(f"Stripe can't cancel {payment.reference} yet.")
        return outcome

    def give_back(self, refund: Refund, payment: Payment) -> None:
        """Looks for the refund first: Stripe forgets an idempotency key after a day. Raises ``PayoutRefused``."""
        with _answers():
            try:
                made = self._refund(refund, payment) or _plain(
                    self._stripe.v1.refunds.create(
                        {
                            "payment_intent": _reference(payment),
                            "amount": in_stripes_units(refund.amount),
                            "metadata": {_REFUND: refund.id},
                        },
                        {"idempotency_key": refund.id},
                    )
                )
            except _invalid() as refused:
                raise PayoutRefused(refused.user_message or "") from None
        if made["status"] in {"failed", "canceled"}:
            raise PayoutRefused(f"Stripe's refund {made['id']} has {made['status']}.")

    def _refund(self, refund: Refund, payment: Payment) -> Mapping[str, Any] | None:
        known = self._stripe.v1.refunds.list({"payment_intent": _reference(payment), "limit": 100})
        found = (each for each in _plain(known)["data"] if (each["metadata"] or {}).get(_REFUND) == refund.id)
        return next(found, None)

    def read_event(self, headers: Mapping[str, str], body: bytes, at: datetime) -> ProviderEvent | None:
        """A webhook, its signature checked over the bytes that came. Raises ``EventForged``."""
        from stripe import SignatureVerificationError, WebhookSignature

        signature = {name.lower(): value for name, value in headers.items()}.get("stripe-signature", "")
        if not self._webhook_secret or not signature:
            raise EventForged()
        try:
            payload = body.decode()
            WebhookSignature.verify_header(payload, signature, self._webhook_secret)
            told = json.loads(payload)
            kind, intent = told["type"], told["data"]["object"]
        except (SignatureVerificationError, ValueError, KeyError, TypeError):
            raise EventForged() from None
        if at.timestamp() - _signed_at(signature) > TOLERANCE_SECONDS:
            raise EventForged("This event is too old.")
        if kind not in _EVENTS:
            return None
        return ProviderEvent(reference=intent["id"], outcome=_outcome(intent))


class _Fault(ProviderDown):
    """Stripe itself failed."""


def in_stripes_units(amount: Money) -> int:
    """An amount as Stripe counts it. Raises ``Invalid`` for one that it can't take exactly.

    https://docs.stripe.com/currencies: it has no hundredths of an ariary, and two for krónur and Ugandan shillings,
    which are always 00; of three digits the last is always 0.
    """
    minor, digits = amount.minor * 10 ** _stripes_digits(amount.currency), EXPONENTS[amount.currency]
    units, rest = divmod(minor, 10**digits)
    if rest or (digits == 3 and units % 10):
        raise Invalid(f"Stripe can't take exactly {amount} {amount.currency}.")
    return int(units)


def from_stripes_units(units: int, currency: str) -> Money | None:
    """The amount that Stripe counts so; None for one that is none here."""
    currency = currency.upper()
    if currency not in EXPONENTS:
        return None
    minor, rest = divmod(units * 10 ** EXPONENTS[currency], 10 ** _stripes_digits(currency))
    return None if rest else Money(int(minor), currency)


def _stripes_digits(currency: str) -> int:
    if currency in _WHOLE:
        return 0
    return 3 if EXPONENTS[currency] == 3 else 2


def _outcome(intent: Mapping[str, Any]) -> Outcome:
    """How an intent stands. One that waits for a card again says why the last one was declined."""
    failure = (intent.get("last_payment_error") or {}).get("message")
    match intent["status"]:
        case "succeeded":
            taken = from_stripes_units(intent["amount_received"], intent["currency"])
            return Outcome(state=PaymentState.SUCCEEDED, amount=taken)
        case "canceled":
            return Outcome(state=PaymentState.FAILED, failure=failure)
        case "requires_action":
            page = ((intent.get("next_action") or {}).get("redirect_to_url") or {}).get("url")
            if page:
                action = MappingProxyType({"type": "redirect", "url": page})
                return Outcome(state=PaymentState.ACTION_NEEDED, action=action)
            return Outcome(state=PaymentState.ACTION_NEEDED, action=_form(intent))
        case "requires_payment_method" | "requires_confirmation":
            return Outcome(state=PaymentState.ACTION_NEEDED, failure=failure, action=_form(intent))
        case _:
            return Outcome(state=PaymentState.SUBMITTED)


def _form(intent: Mapping[str, Any]) -> Mapping[str, str]:
    return MappingProxyType({"type": "stripe", "client_secret": str(intent.get("client_secret"))})


def _reference(payment: Payment) -> str:
    if payment.reference is None:
        raise ValueError(f"payment {payment.id} was not prepared")
    return payment.reference


def _plain(answer: object) -> Mapping[str, Any]:
    """An answer as plain JSON: in one version of the package it is a ``dict``, in another it is none."""
    plain: Mapping[str, Any] = json.loads(str(answer))
    return plain


def _signed_at(signature: str) -> int:
    """When the event was signed; the signature covers it, and was found to be well-formed."""
    return int(next(part[2:] for part in signature.split(",") if part.startswith("t=")))


@contextmanager
def _answers() -> Iterator[None]:
    """Any error that leaves it open whether something was done becomes ``ProviderDown``."""
    import stripe

    try:
        yield
    except stripe.APIConnectionError as error:
        raise ProviderDown("Stripe does not answer.") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.error(  # noqa: TRY400 - a traceback says nothing about a key
            "Stripe does not accept STRIPE_SECRET_KEY: %s", error.user_message
        )
        raise ProviderDown("Stripe does not know this shop.") from error
    except stripe.APIError as error:
        fault = (error.http_status or 500) >= 500
        raise (_Fault if fault else ProviderDown)(f"Stripe answers {error.http_status}.") from error
    except stripe.StripeError as error:
        log.warning("Stripe: %s", error.user_message)
        raise ProviderDown(f"Stripe answers {error.http_status}.") from error


def _declined() -> type[Any]:
    from stripe import CardError

    return CardError


def _invalid() -> type[Any]:
    from stripe import InvalidRequestError

    return InvalidRequestError
