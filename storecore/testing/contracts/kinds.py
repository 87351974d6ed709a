"""One of each kind of entity, and how it is written and read: for what the ports promise of all of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from storecore.accounts.model import User
from storecore.carts.model import Cart
from storecore.catalog.model import Discount, Product
from storecore.lists import FIRST_PAGE
from storecore.notices import NoticeState
from storecore.orders.model import Order
from storecore.ports import AuditQuery, NewId, Storage, Unit
from storecore.support.model import Conversation, ConversationStatus, Side
from storecore.testing.builders import (
    NOW,
    ids,
    make_category,
    make_conversation,
    make_coupon,
    make_credit_note,
    make_invoice,
    make_message,
    make_move,
    make_notice,
    make_order,
    make_payment,
    make_price_change,
    make_product,
    make_refund,
    make_review,
    make_saved_address,
    make_session,
    make_token,
    make_user,
    make_wish,
    make_wish_alert,
)
from storecore.testing.contracts.audit import make_audit_entry
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import written

AWAY = (NOW + timedelta(microseconds=123_456)).astimezone(timezone(timedelta(hours=5, minutes=30)))
"""A moment as a clock in India tells it."""
LATER = AWAY + timedelta(hours=1)


@dataclass(frozen=True)
class Kind:
    """One kind of entity, how it is written, and how it is read back; ``save`` if it has a version."""

    entity: Any
    add: Callable[[Unit, Any], object]
    read: Callable[[Unit], Any]
    save: Callable[[Unit, Any], object] | None = None


def kinds(storage: Storage) -> dict[str, Kind]:
    """One of each kind, with times of another offset, not written yet; what they refer to is."""
    new_id = ids()
    user, other = make_user(new_id), make_user(new_id)
    (product,) = shelve(storage, new_id, {"stock": 5})
    order, paid = make_order(new_id, [product]), make_order(new_id, [product])
    session, thread = make_session(new_id, user), make_conversation(new_id)
    with written(storage) as unit:
        for each in (user, other):
            unit.users.add(each)
        for bought in (order, paid):
            unit.orders.add(bought)
        unit.sessions.add(session, make_token(session))
        unit.conversations.add(thread)
        unit.wishes.add(make_wish(other, product))
    return dict((*_versioned(new_id, user, product, order), *_unversioned(new_id, user, product, paid, thread)))


def _versioned(new_id: NewId, user: User, product: Product, order: Order) -> Iterator[tuple[str, Kind]]:
    account = make_user(new_id, created_at=AWAY)
    yield (
        "user",
        Kind(account, lambda u, e: u.users.add(e), lambda u: u.users.get(account.id), lambda u, e: u.users.save(e)),
    )
    shelf = make_category(new_id, created_at=AWAY)
    yield (
        "category",
        Kind(
            shelf,
            lambda u, e: u.categories.add(e),
            lambda u: u.categories.get(shelf.id),
            lambda u, e: u.categories.save(e),
        ),
    )
    discount = Discount(percent=Decimal(10), starts_at=AWAY, ends_at=LATER)
    hat = make_product(new_id, category_ids=product.category_ids, created_at=AWAY, updated_at=LATER, discount=discount)
    yield (
        "product",
        Kind(
            hat, lambda u, e: u.products.add(e), lambda u: u.products.get(hat.id), lambda u, e: u.products.save(e, NOW)
        ),
    )
    coupon = make_coupon(new_id, created_at=AWAY, starts_at=AWAY, ends_at=LATER)
    yield (
        "coupon",
        Kind(coupon, lambda u, e: u.coupons.add(e), lambda u: u.coupons.get(coupon.id), lambda u, e: u.coupons.save(e)),
    )
    bought = make_order(new_id, [product], at=AWAY, pay_by=LATER)
    yield (
        "order",
        Kind(bought, lambda u, e: u.orders.add(e), lambda u: u.orders.get(bought.id), lambda u, e: u.orders.save(e)),
    )
    payment = make_payment(new_id, order, created_at=AWAY, check_at=LATER)
    yield (
        "payment",
        Kind(
            payment,
            lambda u, e: u.payments.add(e),
            lambda u: u.payments.get(payment.id),
            lambda u, e: u.payments.save(e),
        ),
    )
    refund = make_refund(new_id, order, created_at=AWAY, decided_at=LATER, received_at=LATER, refunded_at=LATER)
    yield (
        "refund",
        Kind(refund, lambda u, e: u.refunds.add(e), lambda u: u.refunds.get(refund.id), lambda u, e: u.refunds.save(e)),
    )
    review = make_review(new_id, user, product, created_at=AWAY, updated_at=LATER)
    yield (
        "review",
        Kind(
            review, lambda u, e: u.reviews.add(e), lambda u: u.reviews.locked(review.id), lambda u, e: u.reviews.save(e)
        ),
    )
    over = {"status": ConversationStatus.CLOSED, "closed_at": LATER, "closed_by": Side.AGENT}
    asked = make_conversation(new_id, customer=user, created_at=AWAY, waiting_since=LATER, **over)
    yield (
        "conversation",
        Kind(
            asked,
            lambda u, e: u.conversations.add(e),
            lambda u: u.conversations.get(asked.id),
            lambda u, e: u.conversations.save(e),
        ),
    )


def _unversioned(
    new_id: NewId, user: User, product: Product, order: Order, thread: Conversation
) -> Iterator[tuple[str, Kind]]:
    address = make_saved_address(new_id, user, created_at=AWAY)
    yield "address", Kind(address, lambda u, e: u.users.add_address(e), lambda u: u.users.address(user.id, address.id))
    session = make_session(new_id, user, created_at=AWAY, seen_at=AWAY, expires_at=LATER, ended_at=LATER)
    token = make_token(session, replaced_at=LATER)
    yield (
        "session",
        Kind(
            (token, session, user), lambda u, _: u.sessions.add(session, token), lambda u: u.sessions.token(token.hash)
        ),
    )
    cart = Cart(id=new_id(), updated_at=AWAY).put(product.id, 2, seen_price=product.price, at=AWAY)
    yield "cart", Kind(cart, lambda u, e: u.carts.save(e), lambda u: u.carts.get(cart.id))
    wish = make_wish(user, product, created_at=AWAY)
    yield "wish", Kind(wish, lambda u, e: u.wishes.add(e), lambda u: u.wishes.page(user.id, FIRST_PAGE).items[0])
    alert = make_wish_alert(new_id, product, at=AWAY, ends_at=LATER)
    yield "alert", Kind(alert, lambda u, e: u.wishes.announce([e]), lambda u: u.wishes.next_alert())
    move = make_move(new_id, product.id, 1, at=AWAY)
    yield "move", Kind(move, lambda u, e: u.stock.move([e]), lambda u: u.stock.ledger(product.id, FIRST_PAGE).items[0])
    change = make_price_change(product, at=AWAY)
    yield (
        "price change",
        Kind(
            change,
            lambda u, e: u.products.add_prices([e]),
            lambda u: u.products.prices(product.id, FIRST_PAGE).items[0],
        ),
    )
    invoice = make_invoice(new_id, order, 1, issued_at=AWAY)
    yield "invoice", Kind(invoice, lambda u, e: u.invoices.add(e), lambda u: u.invoices.of_order(order.id))
    note = make_credit_note(new_id, invoice, order, None, 1, issued_at=AWAY)
    yield "credit note", Kind(note, lambda u, e: u.credit_notes.add(e), lambda u: u.credit_notes.get(note.id))
    message = make_message(new_id, thread, 1, created_at=AWAY)
    yield (
        "message",
        Kind(message, lambda u, e: u.conversations.add_message(e), lambda u: u.conversations.latest(thread.id, 1)[0]),
    )
    entry = make_audit_entry(new_id, at=AWAY)
    yield "entry", Kind(entry, lambda u, e: u.audit.add([e]), lambda u: u.audit.page(AuditQuery(), FIRST_PAGE).items[0])
    notice = make_notice(new_id, created_at=AWAY, due_at=LATER, sent_at=LATER, state=NoticeState.SENT)
    yield "notice", Kind(notice, lambda u, e: u.outbox.add([e]), lambda u: u.outbox.get(notice.id))


def times(value: Any) -> Iterator[datetime]:
    """Every time within an entity."""
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from times(each)
    elif is_dataclass(value):
        for field in fields(value):
            yield from times(getattr(value, field.name))
