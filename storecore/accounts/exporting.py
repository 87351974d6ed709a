"""Everything held about a user, for the user to take away."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from storecore.accounts.model import Actor, require_user
from storecore.audit import AuditEntry
from storecore.lists import every
from storecore.notices import Notice
from storecore.orders.model import Order
from storecore.ports import AuditQuery, ConversationQuery, OrderQuery, RefundQuery, Unit
from storecore.privacy import shown
from storecore.support.model import Conversation
from storecore.transactions import Activity, reading

IN_MEMORY = 1024 * 1024
"""Bytes of an export that are held in memory; the rest of a longer one is in a file that has no name."""


@dataclass(frozen=True, kw_only=True)
class Exporting(Activity):
    """A person's right to a copy (GDPR, articles 15 and 20)."""

    @reading
    def export(self, unit: Unit, *, by: Actor) -> BinaryIO:
        """All that is held about whoever asks as one JSON object in UTF-8, open at its beginning: close it.

        Files that came with messages are described, with their ids and SHA-256, and can be downloaded one by one.
        Secrets are not in it, nor links that were mailed, nor what other people did with what is theirs. However much
        there is, little of it is in memory at a time.
        """
        user = unit.users.get(require_user(by).id)
        file = cast(BinaryIO, SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115 - whoever asked closes it
        try:
            for part in _object(_sections(unit, user.id)):
                file.write(part.encode())
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file


def _sections(unit: Unit, user_id: str) -> Iterator[tuple[str, Iterable[Any]]]:
    """The lists of an export by name; one's profile is the only entry of its own."""
    cart = unit.carts.of_user(user_id)
    orders, refunds = OrderQuery(customer_id=user_id), RefundQuery(customer_id=user_id)
    conversations = ConversationQuery(customer_id=user_id)
    yield "profile", [unit.users.get(user_id)]
    yield "addresses", unit.users.addresses(user_id)
    yield "sessions", unit.sessions.of_user(user_id)
    yield "cart", [cart] if cart else []
    yield "wishlist", every(lambda page: unit.wishes.page(user_id, page))
    yield "orders", (_order(unit, each) for each in every(lambda page: unit.orders.page(orders, page)))
    yield "refunds", every(lambda page: unit.refunds.page(refunds, page))
    yield "reviews", every(lambda page: unit.reviews.of_author(user_id, page))
    yield (
        "conversations",
        (_conversation(unit, each) for each in every(lambda page: unit.conversations.page(conversations, page))),
    )
    yield (
        "account_changes",
        (_change(each) for each in _entries(unit, AuditQuery(object_type="user", object_id=user_id))),
    )
    yield "work", (_act(each) for each in _entries(unit, AuditQuery(actor_id=user_id)))
    yield "mail", (_letter(each) for each in every(lambda page: unit.outbox.of_user(user_id, page)))


def _order(unit: Unit, order: Order) -> Mapping[str, Any]:
    """An order with its papers and payments."""
    return {
        **shown(order),
        "invoice": shown(unit.invoices.of_order(order.id)),
        "credit_notes": shown(tuple(unit.credit_notes.of_order(order.id))),
        "payments": shown(tuple(unit.payments.of_order(order.id))),
    }


def _conversation(unit: Unit, conversation: Conversation) -> Mapping[str, Any]:
    """A conversation with everything that was said in it, whoever said it."""
    messages = every(lambda page: unit.conversations.messages(conversation.id, page))
    return {**shown(conversation), "messages": [shown(each) for each in messages]}


def _entries(unit: Unit, query: AuditQuery) -> Iterator[AuditEntry]:
    """Entries of the audit log, the newest first."""
    return every(lambda page: unit.audit.page(query, page))


def _change(entry: AuditEntry) -> Mapping[str, Any]:
    """What staff did to the account, without who it was."""
    return {"at": entry.at, "action": entry.action, "before": entry.before, "after": entry.after}


def _act(entry: AuditEntry) -> Mapping[str, Any]:
    """That somebody did something as staff; what it changed is the shop's own business."""
    return {
        "at": entry.at,
        "action": entry.action,
        "object_type": entry.object_type,
        "object_id": entry.object_id,
    }


def _letter(notice: Notice) -> Mapping[str, Any]:
    """A mail without its link: whoever reads the mail proves to have the address, which an open session does not."""
    return {**shown(notice), "data": {name: shown(value) for name, value in notice.data.items() if name != "link"}}


def _object(sections: Iterable[tuple[str, Iterable[Any]]]) -> Iterator[str]:
    """A JSON object of lists, in parts, none of them longer than a row."""
    before = "{"
    for name, rows in sections:
        yield f"{before}\n{json.dumps(name)}: ["
        separator = "\n"
        for row in rows:
            yield f"{separator}{json.dumps(shown(row), ensure_ascii=False)}"
            separator = ",\n"
        yield "]"
        before = ","
    yield "}\n"
