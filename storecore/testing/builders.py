"""Builders of valid entities for tests: every field has a plain value, and any of them can be given.

Nothing is hidden: ids come from the ``new_id`` that is passed in, and what has to be unique (emails, SKUs, numbers)
is made from the id. Builders write nothing; entities that refer to others take them as arguments.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from storecore.accounts.model import Address, RefreshToken, SavedAddress, Session, User
from storecore.catalog.coupon import Coupon
from storecore.catalog.model import Category, PriceChange, Product, StockMove, StockReason, slugify
from storecore.catalog.wish import News, Wish, WishAlert
from storecore.money import Money
from storecore.notices import Notice, Template
from storecore.orders import repaying
from storecore.orders.model import HistoryEntry, Invoice, Order, OrderLine, Party, Status
from storecore.orders.payment import Payment
from storecore.orders.refund import CreditNote, Refund
from storecore.ports import Clock, NewId
from storecore.pricing import NOWHERE, RULES, Quote, ShippingPolicy, TaxPolicy, price
from storecore.reviews.model import Review, first_status
from storecore.support.model import Attached, Conversation, Message, Side

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""A moment for tests to happen at."""

_NONE: Mapping[str, int] = {}


def ids(start: int = 1) -> NewId:
    """UUIDv7 texts that count up from ``start``: the same ones each run, sorting in the order they were made."""
    numbers = count(start)

    def new_id() -> str:
        number = next(numbers)
        millisecond = f"{0x019BC0000000 + number:012x}"
        return f"{millisecond[:8]}-{millisecond[8:]}-7000-8000-{number:012x}"

    return new_id


def fixed_clock(at: datetime = NOW) -> Clock:
    """A clock that stands still."""
    return lambda: at


def _tail(made: str) -> str:
    return made.rpartition("-")[2].lstrip("0").rjust(4, "0")


def usd(minor: int) -> Money:
    """US cents."""
    return Money(minor, "USD")


def make_address(**changes: Any) -> Address:
    """An address in Istanbul."""
    fields: dict[str, Any] = {
        "recipient": "Ayşe Yılmaz",
        "line1": "Bağdat Caddesi 12",
        "city": "İstanbul",
        "postal_code": "34710",
        "country": "TR",
    }
    return Address(**(fields | changes))


def make_user(new_id: NewId, **changes: Any) -> User:
    """An active customer whose email nobody else has."""
    made = changes.get("id") or new_id()
    fields: dict[str, Any] = {
        "id": made,
        "email": f"user{_tail(made)}@example.com",
        "full_name": "Ayşe Yılmaz",
        "password_hash": "no password has this hash",
        "created_at": NOW,
    }
    return User(**(fields | changes))


def make_saved_address(new_id: NewId, user: User, **changes: Any) -> SavedAddress:
    """An entry in a user's address book."""
    fields: dict[str, Any] = {
        "id": changes.get("id") or new_id(),
        "user_id": user.id,
        "address": make_address(),
        "label": "Home",
        "created_at": NOW,
    }
    return SavedAddress(**(fields | changes))


def make_session(new_id: NewId, user: User, **changes: Any) -> Session:
    """A sign-in of 30 days that began now."""
    fields: dict[str, Any] = {
        "id": changes.get("id") or new_id(),
        "user_id": user.id,
        "created_at": NOW,
        "seen_at": NOW,
        "expires_at": NOW + timedelta(days=30),
        "device": "Firefox on Linux",
    }
    return Session(**(fields | changes))


def make_token(session: Session, **changes: Any) -> RefreshToken:
    """The first refresh token of a session."""
    fields: dict[str, Any] = {
        "hash": session.id.encode()[-32:],
        "session_id": session.id,
        "created_at": session.created_at,
    }
    return RefreshToken(**(fields | changes))


def make_category(new_id: NewId, **changes: Any) -> Category:
    """A category whose name nobody else has."""
    made = changes.get("id") or new_id()
    fields: dict[str, Any] = {"id": made, "name": f"Shelf {_tail(made)}", "created_at": NOW}
    return Category(**(fields | changes))


def make_product(new_id: NewId, *, category_ids: Iterable[str], **changes: Any) -> Product:
    """An active product at 20.00 without discount, filed under categories that exist."""
    made = changes.get("id") or new_id()
    name = changes.get("name", f"Hat {_tail(made)}")
    fields: dict[str, Any] = {
        "id": made,
        "sku": f"SKU-{_tail(made)}",
        "name": name,
        "slug": slugify(name),
        "description": "Keeps a head warm.",
        "category_ids": tuple(category_ids),
        "price": usd(20_00),
        "cost": usd(10_00),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Product(**(fields | changes))


def make_price_change(product: Product, **changes: Any) -> PriceChange:
    """The product's list price from now on."""
    fields: dict[str, Any] = {"product_id": product.id, "at": NOW, "price": product.price, "final_price": product.price}
    return PriceChange(**(fields | changes))


def make_move(new_id: NewId, product_id: str, change: int, **changes: Any) -> StockMove:
    """A row of the stock ledger: an adjustment by nobody in particular."""
    fields: dict[str, Any] = {
        "id": changes.get("id") or new_id(),
        "product_id": product_id,
        "change": change,
        "reason": StockReason.ADJUSTMENT,
        "note": "counted again",
        "at": NOW,
    }
    return StockMove(**(fields | changes))


def make_wish(user: User, product: Product, **changes: Any) -> Wish:
    """A user's wish for a product."""
    fields: dict[str, Any] = {"user_id": user.id, "product_id": product.id, "created_at": NOW}
    return Wish(**(fields | changes))


def make_wish_alert(new_id: NewId, product: Product, **changes: Any) -> WishAlert:
    """News that a product is back in stock."""
    fields: dict[str, Any] = {
        "id": changes.get("id") or new_id(),
        "product_id": product.id,
        "news": News.RESTOCK,
        "at": NOW,
        "price": product.price,
        "final_price": product.price,
    }
    return WishAlert(**(fields | changes))


def make_coupon(new_id: NewId, **changes: Any) -> Coupon:
    """Ten per cent off for everybody, as often as they like."""
    made = changes.get("id") or new_id()
    fields: dict[str, Any] = {"id": made, "code": f"SAVE-{_tail(made)}", "created_at": NOW}
    if "amount" not in changes:
        fields["percent"] = Decimal(10)
    return Coupon(**(fields | changes))


def make_order(
    new_id: NewId,
    products: Iterable[Product],
    *,
    customer: User | None = None,
    quantities: Mapping[str, int] = _NONE,
    at: datetime = NOW,
    quote: Quote | None = None,
    **changes: Any,
) -> Order:
    """A pending order; one unit of each product, priced with the default policies, unless ``quantities`` say more units
    of some, or a ``quote`` (of a line for each product) says everything.
    """
    made = changes.get("id") or new_id()
    bought = list(products)
    currency = bought[0].price.currency
    quote = quote or price(
        [product.basket(quantities.get(product.id, 1), at) for product in bought],
        currency=currency,
        shipping=ShippingPolicy(fee=Money(1000, currency)),
        tax=TaxPolicy(default_rate=Decimal(8)),
        where=NOWHERE,
    )
    lines = tuple(
        OrderLine(
            id=new_id(),
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
        for product, line in zip(bought, quote.lines, strict=True)
    )
    fields: dict[str, Any] = {
        "id": made,
        "number": f"S-{_tail(made)}-TEST",
        "customer_id": customer.id if customer else None,
        "customer_name": customer.full_name if customer else "Guest Müller",
        "email": customer.email if customer else "guest@example.com",
        "lines": lines,
        "subtotal": quote.subtotal,
        "discount": quote.discount,
        "shipping": quote.shipping,
        "shipping_tax": quote.shipping_tax,
        "shipping_tax_rate": quote.shipping_tax_rate,
        "tax": quote.tax,
        "total": quote.total,
        "refunded": Money.zero(quote.total.currency),
        "tax_included": quote.tax_included,
        "explanation": quote.explain(),
        "rules": RULES,
        "delivery_address": make_address(),
        "eta": at + timedelta(minutes=30),
        "history": (HistoryEntry(status=Status.PENDING, at=at, actor_id=customer.id if customer else None),),
        "created_at": at,
    }
    return Order(**(fields | changes))


def make_invoice(new_id: NewId, order: Order, sequence: int, **changes: Any) -> Invoice:
    """The invoice of an order, issued now."""
    fields: dict[str, Any] = {
        "id": changes.get("id") or new_id(),
        "sequence": sequence,
        "order_id": order.id,
        "issued_at": NOW,
        "seller": Party(name="Storecore", address=("1 Main Street", "Springfield"), tax_id="TAX-1"),
        "buyer": Party(name=order.customer_name, address=order.delivery_address.lines, email=order.email),
        "total": order.total,
    }
    return Invoice(**(fields | changes))


def make_review(new_id: NewId, author: User, product: Product, **changes: Any) -> Review:
    """Four stars for a product, published at once; one with a comment is pending."""
    fields: dict[str, Any] = {
        "id": changes.get("id") or new_id(),
        "product_id": product.id,
        "author_id": author.id,
        "author": author.display_name,
        "rating": 4,
        "status": first_status(changes.get("comment")),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Review(**(fields | changes))


def make_payment(new_id: NewId, order: Order, **changes: Any) -> Payment:
    """An attempt to pay an order by the provider ``demo``, which began now and is due to be looked up."""
    fields: dict[str, Any] = {
        "id": changes.get("id") or new_id(),
        "order_id": order.id,
        "provider": "demo",
        "amount": order.total,
        "check_at": NOW,
        "created_at": NOW,
    }
    return Payment(**(fields | changes))


def make_refund(new_id: NewId, order: Order, units: Mapping[str, int] | None = None, **changes: Any) -> Refund:
    """A refund of so many units by line id (or of one unit of the first line), requested now."""
    nothing = Money.zero(order.currency)
    fields: dict[str, Any] = {
        "id": changes.get("id") or new_id(),
        "order_id": order.id,
        "customer_id": order.customer_id,
        "items": repaying.items(order, units or {order.lines[0].id: 1}, before={}),
        "shipping": nothing,
        "shipping_tax": nothing,
        "reason": "Too small.",
        "created_at": NOW,
    }
    return Refund(**(fields | changes))


def make_credit_note(
    new_id: NewId, invoice: Invoice, order: Order, refund: Refund | None, sequence: int, **changes: Any
) -> CreditNote:
    """The credit note of a refund, or of a whole order (None), issued now."""
    fields: dict[str, Any] = {
        "id": changes.get("id") or new_id(),
        "sequence": sequence,
        "order_id": order.id,
        "refund_id": refund.id if refund else None,
        "issued_at": NOW,
        "seller": invoice.seller,
        "buyer": invoice.buyer,
        "total": refund.amount if refund else order.total,
        "tax": refund.tax if refund else order.tax,
    }
    return CreditNote(**(fields | changes))


def make_notice(new_id: NewId, **changes: Any) -> Notice:
    """A mail that is due now, about an event that no other notice is about."""
    made = changes.get("id") or new_id()
    fields: dict[str, Any] = {
        "id": made,
        "event": f"event {made}",
        "template": Template.PASSWORD_CHANGED,
        "recipient": "ayse@example.com",
        "data": {"name": "Ayşe Yılmaz"},
        "message_id": f"<{made}@shop.example>",
        "created_at": NOW,
        "due_at": NOW,
    }
    return Notice(**(fields | changes))


def make_conversation(new_id: NewId, *, customer: User | None = None, **changes: Any) -> Conversation:
    """A conversation that waits, of a customer or of a guest, with nothing said yet."""
    at = changes.get("created_at", NOW)
    fields: dict[str, Any] = {
        "id": changes.get("id") or new_id(),
        "customer_id": customer.id if customer else None,
        "customer_name": customer.full_name if customer else "Guest Müller",
        "guest_email": None if customer else "guest@example.com",
        "subject": "Where is my parcel?",
        "created_at": at,
        "waiting_since": at,
    }
    return Conversation(**(fields | changes))


def make_message(new_id: NewId, conversation: Conversation, seq: int, **changes: Any) -> Message:
    """What whoever opened a conversation says in it."""
    made = changes.get("id") or new_id()
    fields: dict[str, Any] = {
        "id": made,
        "conversation_id": conversation.id,
        "seq": seq,
        "client_id": f"client-{_tail(made)}",
        "side": Side.CUSTOMER,
        "author_id": conversation.customer_id,
        "author_name": conversation.customer_name,
        "body": f"Message {seq}",
        "created_at": NOW,
    }
    return Message(**(fields | changes))


def make_attached(new_id: NewId, **changes: Any) -> Attached:
    """A file that came with a message; no other is stored under its name."""
    made = changes.get("id") or new_id()
    fields: dict[str, Any] = {
        "id": made,
        "name": "parcel.png",
        "media_type": "image/png",
        "size": 1234,
        "sha256": "ab" * 32,
        "stored_as": made.replace("-", ""),
    }
    return Attached(**(fields | changes))
