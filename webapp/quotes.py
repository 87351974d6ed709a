"""Quotes over HTTP: what something would cost, and why."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from storecore.carts.model import MAX_LINES
from storecore.errors import CouponNotApplicable, NotFound, ProductUnavailable
from storecore.pricing import Quote, QuoteLine, Step
from webapp import limits
from webapp.addresses import DeliveryAddress
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Amount, Id, Quantity, Text
from webapp.http.problems import show_extra
from webapp.http.validation import Body

routes = Routes("quotes", "What something would cost, and why.")


class Item(Body):
    """So many of a product."""

    product_id: Id
    quantity: Quantity


Items = Annotated[list[Item], Field(min_length=1, max_length=MAX_LINES)]


def items_of(items: list[Item]) -> list[tuple[str, int]]:
    """The items for the core."""
    return [(item.product_id, item.quantity) for item in items]


class AskQuote(Body):
    """What would be bought, and where it would go; the address may matter for tax."""

    items: Items
    delivery_address: DeliveryAddress | None = None
    coupon: Annotated[str, Text(40)] | None = None


class StepView(TypedDict):
    """How ``rule`` turned ``base`` at ``rate`` into ``amount``; ``line_id`` is null for the order as a whole."""

    line_id: str | None
    rule: str
    base: Amount
    rate: str | None
    amount: Amount
    currency: str


def show_step(step: Step) -> StepView:
    """A line of an explanation as it is answered."""
    return {
        "line_id": step.line,
        "rule": step.rule,
        "base": str(step.base),
        "rate": None if step.rate is None else f"{step.rate:f}",
        "amount": str(step.amount),
        "currency": step.amount.currency,
    }


class QuoteLineView(TypedDict):
    """A priced line: ``total = unit_price * quantity - discount + tax`` (the tax is already inside if included)."""

    product_id: str
    quantity: int
    unit_price: Amount
    discount: Amount
    tax: Amount
    total: Amount
    currency: str


class QuoteView(TypedDict):
    """What it costs, and why: ``total = subtotal - discount + shipping + tax``, without ``tax`` if ``tax_included``.

    The lines of the explanation are named by their product.
    """

    lines: list[QuoteLineView]
    subtotal: Amount
    discount: Amount
    shipping: Amount
    tax: Amount
    tax_included: bool
    total: Amount
    currency: str
    explanation: list[StepView]


def _show_quote_line(line: QuoteLine) -> QuoteLineView:
    return {
        "product_id": line.key,
        "quantity": line.quantity,
        "unit_price": str(line.unit_price),
        "discount": str(line.discount),
        "tax": str(line.tax),
        "total": str(line.total),
        "currency": line.total.currency,
    }


@show_extra.register
def show_quote(quote: Quote) -> QuoteView:
    """A quote as it is answered, also in the problem ``price-changed``."""
    return {
        "lines": [_show_quote_line(line) for line in quote.lines],
        "subtotal": str(quote.subtotal),
        "discount": str(quote.discount),
        "shipping": str(quote.shipping),
        "tax": str(quote.tax),
        "tax_included": quote.tax_included,
        "total": str(quote.total),
        "currency": quote.currency,
        "explanation": [show_step(step) for step in quote.explain()],
    }


@routes.endpoint(
    "POST",
    "/orders/quote",
    show=show_quote,
    limit=limits.QUOTES,
    refuses=(NotFound, CouponNotApplicable, ProductUnavailable),
)
def quote(ask: Ask[AskQuote]) -> Quote:
    """What would this cost?

    Nothing is reserved. The explanation accounts for every minor unit.
    """
    address = ask.body.delivery_address
    return ask.store.orders.quote(
        by=ask.by,
        items=items_of(ask.body.items),
        deliver_to=address.read() if address else None,
        coupon=ask.body.coupon,
    )
