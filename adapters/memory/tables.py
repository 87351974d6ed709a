"""Rows in memory: immutable tables, drafts that write over them, and what one unit works on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

from storecore.accounts.model import RefreshToken, SavedAddress, Session, User
from storecore.audit import AuditEntry
from storecore.carts.model import Cart
from storecore.catalog.affinity import Demand
from storecore.catalog.coupon import Coupon
from storecore.catalog.documents import Document
from storecore.catalog.model import Category, PriceChange, Product, Rating, StockMove
from storecore.catalog.wish import Wish, WishAlert
from storecore.notices import Notice
from storecore.orders.model import Invoice, Order
from storecore.orders.payment import Payment
from storecore.orders.refund import CreditNote, Refund
from storecore.reviews.model import Review
from storecore.support.model import Conversation, Message

K = TypeVar("K")
V = TypeVar("V")

_GONE: Any = object()
"""Stands in a layer for a row that was removed from the layers below."""


class Table(Generic[K, V]):
    """Rows by key as of one moment; a draft takes changes of its own and leaves the table it came from as it was.

    Rows lie in layers, newest first. Sealing a draft adds a layer and merges those that are no longer much smaller
    than the next, so that a commit costs about the size of its change, not of the shop.

    A table of another kind overrides ``get``, ``put``, ``drop``, ``items`` and ``sealed``; a unit asks for no more.
    """

    __slots__ = ("_changes", "_layers")

    def __init__(self, layers: tuple[dict[K, V], ...] = (), changes: dict[K, V] | None = None) -> None:
        self._layers = layers
        self._changes = changes

    def draft(self) -> "Table[K, V]":
        """The same rows, to be changed."""
        return Table(self._layers, {})

    def sealed(self) -> "Table[K, V]":
        """The rows of this draft, never to be changed again."""
        if not self._changes:
            return Table(self._layers)
        layers = [self._changes, *self._layers]
        while len(layers) > 1 and 2 * len(layers[0]) >= len(layers[1]):
            layers[:2] = [layers[1] | layers[0]]
        if len(layers) == 1:
            layers = [{key: row for key, row in layers[0].items() if row is not _GONE}]
        return Table(tuple(layers))

    def get(self, key: K) -> V | None:
        """The row with a key, None if there is none."""
        if self._changes and key in self._changes:
            row = self._changes[key]
            return None if row is _GONE else row
        for layer in self._layers:
            if key in layer:
                row = layer[key]
                return None if row is _GONE else row
        return None

    def __contains__(self, key: K) -> bool:
        return self.get(key) is not None

    def put(self, key: K, row: V) -> None:
        """Add or replace a row."""
        self._draft()[key] = row

    def drop(self, key: K) -> None:
        """Remove a row; nothing happens if there is none."""
        if key in self:
            self._draft()[key] = _GONE

    def items(self) -> Iterator[tuple[K, V]]:
        """Every key with its row, in no particular order."""
        merged: dict[K, V] = {}
        for layer in reversed(self._layers):
            merged |= layer
        merged |= self._changes or {}
        return ((key, row) for key, row in merged.items() if row is not _GONE)

    def rows(self) -> Iterator[V]:
        """Every row, in no particular order."""
        return (row for _, row in self.items())

    def _draft(self) -> dict[K, V]:
        if self._changes is None:
            raise RuntimeError("a sealed table does not change")
        return self._changes


def _table() -> Any:
    return field(default_factory=Table)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What sales move: units left and units sold of one product."""

    on_hand: int = 0
    sold: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """A document: what each of its terms counts, how many it has, and a number that grows with each change of any."""

    document: Document
    weights: Mapping[str, float]
    length: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A claimed key; ``said`` is None until the answer is kept."""

    fingerprint: bytes
    at: datetime
    said: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The whole shop as of one moment. Tables named ``…_by_…`` are indexes from something unique to an id."""

    users: Table[str, User] = _table()
    users_by_email: Table[str, str] = _table()
    addresses: Table[str, tuple[SavedAddress, ...]] = _table()  # by user
    sessions: Table[str, Session] = _table()
    sessions_of: Table[str, tuple[str, ...]] = _table()  # by user
    tokens: Table[bytes, RefreshToken] = _table()
    tokens_of: Table[str, tuple[bytes, ...]] = _table()  # by session

    categories: Table[str, Category] = _table()
    categories_by_name: Table[str, str] = _table()
    products: Table[str, Product] = _table()
    products_by_sku: Table[str, str] = _table()
    products_by_slug: Table[str, str] = _table()
    kept_prices: Table[str, int] = _table()  # final prices as lists know them
    planned_prices: Table[str, datetime] = _table()  # when they next change
    ratings: Table[str, Rating] = _table()
    shelves: Table[str, Shelf] = _table()
    moves: Table[str, tuple[StockMove, ...]] = _table()  # by product
    price_changes: Table[str, tuple[PriceChange, ...]] = _table()  # by product, in order of time
    documents: Table[str, Indexed] = _table()  # by product

    wishes: Table[tuple[str, str], Wish] = _table()  # by (user, product)
    wish_alerts: Table[str, WishAlert] = _table()

    coupons: Table[str, Coupon] = _table()
    coupons_by_code: Table[str, str] = _table()
    coupon_uses: Table[str, tuple[str, str]] = _table()  # (coupon, user) by order
    coupon_counts: Table[tuple[str, str | None], int] = _table()  # by (coupon, user); user None counts everybody

    carts: Table[str, Cart] = _table()
    carts_by_user: Table[str, str] = _table()

    orders: Table[str, Order] = _table()
    orders_by_number: Table[str, str] = _table()
    counted: Table[str, bool] = _table()  # orders that are among the purchases
    to_count: Table[str, bool] = _table()  # orders that are not and should be, or the other way round
    copurchases: Table[str, Mapping[str, int]] = _table()  # orders by product, by product
    demand: Table[str, Demand] = _table()  # by product
    invoices: Table[str, Invoice] = _table()  # by order
    to_invoice: Table[str, bool] = _table()  # orders without an invoice
    last_numbers: Table[str, int] = _table()  # of invoices, of credit notes and of changed documents
    payments: Table[str, Payment] = _table()
    payments_of: Table[str, tuple[str, ...]] = _table()  # by order
    payments_by_reference: Table[tuple[str, str], str] = _table()  # by (provider, reference)
    refunds: Table[str, Refund] = _table()
    refunds_of: Table[str, tuple[str, ...]] = _table()  # by order
    credit_notes: Table[str, CreditNote] = _table()
    credit_notes_of: Table[str, tuple[str, ...]] = _table()  # by order
    credit_notes_by_refund: Table[str, str] = _table()

    reviews: Table[str, Review] = _table()
    reviews_by_author: Table[tuple[str, str], str] = _table()  # by (author, product)
    conversations: Table[str, Conversation] = _table()
    messages: Table[str, tuple[Message, ...]] = _table()  # by conversation, in order

    audit: Table[str, AuditEntry] = _table()

    notices: Table[str, Notice] = _table()
    notices_by_cause: Table[tuple[str, str, str], str] = _table()  # by (event, recipient, template)
    pending: Table[str, bool] = _table()  # notices that wait to be sent
    leases: Table[str, datetime] = _table()
    answers: Table[tuple[str, str], Answer] = _table()  # by (scope, key)

    def draft(self) -> "Tables":
        """The same shop, to be changed."""
        return Tables(**{each.name: getattr(self, each.name).draft() for each in fields(self)})

    def sealed(self) -> "Tables":
        """The shop as this draft has it, never to be changed again."""
        return Tables(**{each.name: getattr(self, each.name).sealed() for each in fields(self)})


class Workspace:
    """What one unit works on: the tables it sees, its time, and whether it may write."""

    def __init__(self, tables: Tables, now: datetime, *, writable: bool) -> None:
        self.tables = tables
        self.now = now
        self.writable = writable

    @property
    def draft(self) -> Tables:
        """The tables, to be changed. Raises ``RuntimeError`` in a reading unit, and in one that has ended."""
        if not self.writable:
            raise RuntimeError("this unit does not write: it only reads, or it has ended")
        return self.tables


class Repository:
    """A repository of one unit."""

    def __init__(self, space: Workspace) -> None:
        self._space = space

    @property
    def _tables(self) -> Tables:
        return self._space.tables

    @property
    def _draft(self) -> Tables:
        return self._space.draft
