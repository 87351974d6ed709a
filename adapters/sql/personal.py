"""How each column keeps what :mod:`storecore.privacy` calls personal: every column of every table is in one class here.

Whoever adds a column adds its name to its table below, and a test fails until then. What is sealed is checked by
``verify``, what is personal must be in the export and gone after an erasure, whichever its class.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import Column

from adapters.sql import tables
from storecore.accounts.model import Address, RefreshToken, SavedAddress, Session, User
from storecore.notices import Notice
from storecore.orders.model import HistoryEntry, Order, Party
from storecore.orders.refund import Refund
from storecore.reviews.model import Review
from storecore.support.model import Attached, Conversation, Message


class Kept(StrEnum):
    """How a column keeps what it holds."""

    PLAIN = "plain"
    """Nothing about a person."""
    POINTS = "points"
    """A person's id, which after an erasure is that of an account without one."""
    CLEAR = "clear"
    """Personal and readable, since it is looked up, listed or shown to strangers; removed or overwritten by erasure."""
    SEALED = "sealed"
    """Personal and encrypted for the purpose ``table.column``; removed or overwritten by erasure."""
    INDEX = "index"
    """A blind index: equal for equal people, and nothing else can be told from it without the keys."""
    HASH = "hash"
    """A one-way hash of a secret."""


_POINTS, _CLEAR, _SEALED, _INDEX, _HASH, _PLAIN = (
    Kept.POINTS,
    Kept.CLEAR,
    Kept.SEALED,
    Kept.INDEX,
    Kept.HASH,
    Kept.PLAIN,
)

COLUMNS: Mapping[str, Mapping[Kept, str]] = {
    "users": {
        _POINTS: "id",
        _CLEAR: "email full_name name_folded name_turned preferences",
        _HASH: "password_hash",
        _SEALED: "private",
        _PLAIN: "role grants is_active email_verified created_at version",
    },
    "addresses": {_POINTS: "user_id", _SEALED: "private", _PLAIN: "id created_at"},
    "sessions": {_POINTS: "user_id", _CLEAR: "device", _PLAIN: "id created_at seen_at expires_at ended_at"},
    "refresh_tokens": {_HASH: "hash", _PLAIN: "session_id created_at replaced_at"},
    "categories": {_PLAIN: "id name name_folded parent_id created_at version"},
    "products": {
        _PLAIN: "id sku slug name description category_ids price cost currency discount_percent discount_starts_at "
        "discount_ends_at attributes images group tax_class is_active created_at updated_at version name_folded "
        "final_price final_price_down next_price_change",
    },
    "search_documents": {_PLAIN: "id product_id name labels details language changed"},
    "shelf_changes": {_PLAIN: "id shop changed"},
    "product_categories": {_PLAIN: "category_id product_id"},
    "product_attributes": {_PLAIN: "product_id name value"},
    "price_changes": {_POINTS: "actor_id", _PLAIN: "id product_id at price final_price currency"},
    "shelf": {_PLAIN: "product_id on_hand units_sold units_sold_down"},
    "ratings": {_PLAIN: "product_id total count average average_down"},
    "stock_moves": {_POINTS: "actor_id", _PLAIN: "id product_id change reason note order_id at"},
    "wishes": {_POINTS: "user_id", _PLAIN: "product_id created_at"},
    "wish_alerts": {_POINTS: "told", _PLAIN: "id product_id news at price final_price currency percent ends_at"},
    "coupons": {
        _PLAIN: "id code percent amount min_spend currency starts_at ends_at max_uses max_uses_per_user is_active "
        "created_at version",
    },
    "coupon_counts": {_PLAIN: "coupon_id uses"},
    "coupon_uses": {_INDEX: "user_index", _PLAIN: "order_id coupon_id"},
    "carts": {_POINTS: "user_id", _PLAIN: "id items coupon updated_at"},
    "orders": {
        _POINTS: "customer_id",
        _CLEAR: "carrier tracking_number",
        _SEALED: "private",
        _PLAIN: "id number status payment_status payment_provider currency subtotal discount shipping shipping_tax "
        "shipping_tax_rate tax total tax_included coupon_id coupon_code rules eta invoiced created_at version "
        "explanation pay_by refunded counted",
    },
    "order_lines": {
        _PLAIN: "order_id position id product_id sku name quantity unit_price product_discount order_discount "
        "tax_class tax_rate tax total cost",
    },
    "order_history": {_POINTS: "actor_id", _CLEAR: "note", _PLAIN: "order_id position status at"},
    "invoices": {
        _SEALED: "private",
        _PLAIN: "id sequence order_id issued_at seller total currency forgotten_at",
    },
    "copurchases": {_PLAIN: "product_id other_id orders"},
    "demand": {_PLAIN: "product_id orders heat"},
    "takings": {
        _PLAIN: "day tax_rate tax_included orders units listed reduced goods_tax tax shipping cost invoiced "
        "units_returned refunds refunded_tax refunded_shipping credited",
    },
    "product_takings": {_PLAIN: "period product_id units units_returned net net_down refunds cost"},
    "buyer_takings": {_POINTS: "customer_id", _PLAIN: "period orders spent spent_down"},
    "rolled_up": {_PLAIN: "id timezone invoices credit_notes"},
    "payments": {
        _HASH: "attempt_key",
        _PLAIN: "id order_id provider reference amount currency state failure check_at created_at version",
    },
    "refunds": {
        _POINTS: "customer_id decided_by",
        _SEALED: "private",
        _PLAIN: "id order_id cause status amount tax shipping shipping_tax currency expect_return disposition "
        "created_at decided_at received_at refunded_at payment_id payout_at payout_problem version",
    },
    "refund_items": {_PLAIN: "refund_id line_id product_id quantity amount tax"},
    "credit_notes": {
        _SEALED: "private",
        _PLAIN: "id sequence order_id refund_id issued_at seller total tax currency forgotten_at",
    },
    "reviews": {
        _POINTS: "author_id",
        _SEALED: "private",
        _PLAIN: "id product_id rating status created_at updated_at version",
    },
    "conversations": {
        _POINTS: "customer_id agent_id",
        _SEALED: "private",
        _PLAIN: "id status last_seq customer_read agent_read created_at waiting_since closed_at closed_by version",
    },
    "messages": {
        _POINTS: "author_id author_key",
        _CLEAR: "client_id",
        _SEALED: "private",
        _PLAIN: "conversation_id seq id side created_at",
    },
    "attachments": {
        _CLEAR: "sha256",
        _SEALED: "private",
        _PLAIN: "id conversation_id seq media_type size stored_as",
    },
    "outbox": {
        _POINTS: "user_id",
        _INDEX: "recipient_index",
        _SEALED: "private",
        _PLAIN: "id event template invoice_of message_id state attempts created_at due_at leased_until sent_at "
        "credit_note_id",
    },
    "audit": {
        _POINTS: "actor_id object_id",
        _PLAIN: "id at actor_role action object_type before after request_id",
    },
    "rate_limits": {_HASH: "key", _PLAIN: "used ends_at"},
    "answers": {_POINTS: "scope", _CLEAR: "key", _HASH: "fingerprint", _SEALED: "answer", _PLAIN: "at"},
    "encryption_keys": {_PLAIN: "name since"},
}
"""Every column of every table, by how it keeps what it holds."""

HELD: Mapping[str, Mapping[type, str]] = {
    "users": {User: "email full_name preferences password_hash phone tax_id home_address"},
    "addresses": {SavedAddress: "address label", Address: "recipient line1 line2 city region postal_code"},
    "sessions": {Session: "device"},
    "refresh_tokens": {RefreshToken: "hash"},
    "orders": {Order: "customer_name email delivery_address note carrier tracking_number"},
    "order_history": {HistoryEntry: "note"},
    "invoices": {Party: "name address tax_id email"},
    "credit_notes": {Party: "name address tax_id email"},
    "refunds": {Refund: "reason decision_note"},
    "reviews": {Review: "comment author"},
    "conversations": {Conversation: "customer_name guest_email subject agent_name notes"},
    "messages": {Message: "author_name body client_id"},
    "attachments": {Attached: "name sha256"},
    "outbox": {Notice: "recipient data error"},
}
"""Which table has a personal field of an entity; a review's author is its user's name, as it is now."""


class Unclassified(Exception):  # noqa: N818 - it reads as a statement
    """A column whose class nobody has said."""

    def __init__(self, column: str) -> None:
        self.column = column
        super().__init__(column)

    def __str__(self) -> str:
        table = self.column.partition(".")[0]
        return (
            f"{self.column} has no class: add it to {table!r} in COLUMNS of adapters/sql/personal.py. If it tells "
            "something about a person, also add the field to PERSONAL in storecore/privacy.py, show it in "
            "storecore/accounts/exporting.py and let go of it in storecore/accounts/erasing.py."
        )


def kept(column: Column[Any]) -> Kept:
    """How a column keeps what it holds. Raises :class:`Unclassified`."""
    for how, columns in COLUMNS.get(column.table.name, {}).items():
        if column.name in columns.split():
            return how
    raise Unclassified(str(column))


def columns(how: Kept) -> Iterator[Column[Any]]:
    """Every column of a class."""
    return (each for table in tables.users.metadata.sorted_tables for each in table.columns if kept(each) is how)
