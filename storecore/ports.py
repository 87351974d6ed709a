"""Every port of the shop on one page: what the core needs from technology, and what it may rely on.

The docstrings are the contract; ``storecore.testing.contracts`` checks it on any adapter. Unless a method says
otherwise it takes no lock, a missing row raises ``NotFound`` (to whoever saves it, perhaps ``Contention``), and a
malformed id is simply a missing row. Times go in with any offset and come out in UTC. Everything a :class:`Unit` writes
is seen by its own later reads.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import BinaryIO, Protocol

from storecore.accounts.model import RefreshToken, SavedAddress, Session, User
from storecore.accounts.permissions import Role
from storecore.audit import AuditEntry
from storecore.carts.model import Cart
from storecore.catalog.affinity import Demand, Neighbour
from storecore.catalog.coupon import Coupon
from storecore.catalog.documents import Match
from storecore.catalog.lexicon import Lexicon
from storecore.catalog.model import Category, PriceChange, Product, StockMove
from storecore.catalog.wish import Wish, WishAlert
from storecore.insight.days import Days
from storecore.insight.model import BuyerTakings, GoodsTakings, Takings, Waiting
from storecore.lists import Page, PageRequest
from storecore.notices import Attachment, Notice, NoticeState
from storecore.orders.model import Delivery, Invoice, Order, Status
from storecore.orders.payment import Outcome, Payment, ProviderEvent
from storecore.orders.refund import CreditNote, Refund, RefundStatus
from storecore.reviews.model import Review
from storecore.support.model import Conversation, ConversationStatus, Message, Side

Clock = Callable[[], datetime]
"""The time now, aware."""

NewId = Callable[[], str]
"""A UUIDv7 (RFC 9562) as text: unique, and sorting by time of making."""

Random = Callable[[int], bytes]
"""So many unpredictable bytes."""


class Passwords(Protocol):
    """Slow one-way hashing of passwords. It may raise ``Unavailable`` when too many are waiting for it."""

    def hash(self, password: str) -> str:
        """A salted hash that carries its own parameters."""

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether they match. ``hashed`` None (no such account) costs the same time and is never a match."""

    def outdated(self, hashed: str) -> bool:
        """Whether it was made with weaker parameters than :meth:`hash` uses now."""


class Signer(Protocol):
    """Short signed texts for links: nobody can make or change one, each is for one purpose."""

    def sign(self, purpose: str, data: Mapping[str, str], expires_at: datetime) -> str:
        """A token of URL-safe characters that carries ``data``, readable by anyone who has it."""

    def read(self, purpose: str, token: str, at: datetime) -> Mapping[str, str]:
        """What was signed. Raises ``LinkInvalid`` for a token that is expired, forged, cut, or for another purpose."""


class Mailer(Protocol):
    """Sends one notice."""

    def send(self, notice: Notice, attachments: Sequence[Attachment]) -> None:
        """Hand it over with ``Message-ID: notice.message_id``. It is accepted when this returns.

        The same notice may come again: whoever sent it may have died before writing that down. Raises ``MailerDown``
        when trying later may help, ``Invalid`` when it never will (a refused recipient).
        """

    def forget(self, notice_ids: Iterable[str]) -> None:
        """Remove its own copies of these, if it keeps any. A mail that others have is theirs."""

    def sweep(self, before: datetime) -> None:
        """Remove its own copies of mail sent before a time, if it keeps any."""


class PaymentProvider(Protocol):
    """Takes money and gives it back. It is called outside units; asked twice, it acts once.

    Every method raises ``ProviderDown`` when there is no telling whether it was done.
    """

    def prepare(self, payment: Payment, order: Order) -> str:
        """Its reference for a payment, the same one for the same ``payment.id``. No money moves yet."""

    def take(self, payment: Payment, token: str | None) -> Outcome:
        """Take a prepared payment's money with the token that stands for a card; a refusal is an ``Outcome`` too.

        Without a token, the customer is to do it: ``action_needed``, with an ``action`` for the provider's own form.
        One that was abandoned, or declined before, has ``failed`` and is never taken.
        """

    def look_up(self, payment: Payment) -> Outcome:
        """How a prepared payment stands: ``action_needed``, with its ``action``, while nobody has taken it."""

    def abandon(self, payment: Payment) -> Outcome:
        """Never take it any more: ``failed``, or ``succeeded`` when it was too late."""

    def give_back(self, refund: Refund, payment: Payment) -> None:
        """Give ``refund.amount`` of a payment back, once for the same ``refund.id``. Raises ``PayoutRefused``."""

    def read_event(self, headers: Mapping[str, str], body: bytes, at: datetime) -> ProviderEvent | None:
        """What the provider sent, None if it is of no concern here. A failure it tells of need not be for good yet.

        ``headers`` are looked up whatever their case. Raises ``EventForged`` for what it has not signed, or long ago.
        """


class Documents(Protocol):
    """Turns the books into something to read."""

    def invoice(self, invoice: Invoice, order: Order) -> Attachment:
        """The invoice as a file: the same bytes for the same invoice. Never raises because of a character."""

    def credit_note(self, note: CreditNote, invoice: Invoice, order: Order, refund: Refund | None) -> Attachment:
        """The credit note as a file, as an invoice is: of a refund, or (None) of the whole order."""


class Files(Protocol):
    """Files beside the database, each under a name that whoever keeps it made up: 32 hexadecimal digits.

    Every method raises ``Unavailable`` when the disk is full or can't be reached.
    """

    def keep(self, name: str, content: Iterable[bytes]) -> None:
        """Keep all of a content, lasting by the time this returns, or nothing: what reading it raises goes on.

        Raises ``FileExistsError`` for a name that is taken: no file is ever changed.
        """

    def open(self, name: str) -> BinaryIO:
        """A file for reading, to be closed by whoever asked. Raises ``NotFound``."""

    def size(self, name: str) -> int | None:
        """How many bytes a file has; None if there is none."""

    def kept_before(self, at: datetime) -> Sequence[str]:
        """The names of files kept before a time, and of what was begun before then and never finished."""

    def remove(self, name: str) -> None:
        """Forget a file, or what :meth:`kept_before` calls so. Nothing happens if there is none."""


class Cipher(Protocol):
    """Encryption at rest, for storage adapters.

    A purpose keeps the keys of different columns apart, and what was encrypted for a ``row`` opens in no other: whoever
    writes the database can't move it. What was encrypted before that was so opens in every row of its column.
    """

    @property
    def names(self) -> Sequence[str]:
        """A name for each key, newest first, which tells nothing else of it."""

    def encrypt(self, purpose: str, row: str, plain: bytes) -> bytes:
        """Authenticated encryption with the newest key, for a row; different bytes each time."""

    def decrypt(self, purpose: str, row: str, secret: bytes) -> bytes:
        """The plain bytes, by any key of the ring. Raises ``ValueError`` when none opens it in this row."""

    def renewed(self, purpose: str, row: str, secret: bytes) -> bytes | None:
        """The same, encrypted with the newest key for its row; None if it is. Raises ``ValueError`` as above."""

    def blind_index(self, purpose: str, plain: str) -> bytes:
        """By the newest key: equal for equal texts and says nothing else about them, for an encrypted column."""

    def blind_indexes(self, purpose: str, plain: str) -> Sequence[bytes]:
        """By every key, newest first: for looking up what may not be indexed by the newest yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """At most so many hits in a window, which begins with its first one. ``name`` tells the counts of limits apart."""

    name: str
    most: int
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How somebody stands with a limit: the hits that were counted in a window that is over in ``resets_in``."""

    limit: RateLimit
    used: int
    resets_in: timedelta

    @property
    def remaining(self) -> int:
        """Hits that are left."""
        return max(0, self.limit.most - self.used)

    @property
    def exceeded(self) -> bool:
        """Whether the last hit was one too many."""
        return self.used > self.limit.most

    @property
    def seconds(self) -> int:
        """Whole seconds after which the window is over."""
        return -(-self.resets_in // timedelta(seconds=1))


class RateLimits(Protocol):
    """Counts how often somebody does something, outside units: what was counted is never rolled back.

    A ``key`` says who, and may be personal (an email, an address): it is hashed before it is written down. When the
    clock jumps back, hits stay counted, and no window lasts longer than its limit says from then on. Every method
    raises ``Unavailable`` when the technology is down.
    """

    def take(self, limit: RateLimit, key: str, at: datetime) -> Allowance:
        """One more hit, counted even when it is one too many, which does not prolong the window.

        Of any number at the same time ``limit.most`` are not ``exceeded``, in whatever process.
        """

    def look(self, limit: RateLimit, key: str, at: datetime) -> Allowance:
        """How it stands, counting nothing; a window that has not begun is as long as it would be."""

    def clear(self, limit: RateLimit, key: str) -> None:
        """Forget the hits of one key; nothing happens if there are none."""

    def sweep(self, at: datetime) -> int:
        """Forget windows that are over; how many."""

    def close(self) -> None:
        """Give back connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserQuery:
    """Which accounts to list; ``None`` does not filter.

    ``text`` is what the email, the name, or the name with its last word first begins with, names being folded: ``ada``
    and ``love`` find Ada Lovelace.
    """

    text: str | None = None
    role: Role | None = None
    active: bool | None = None


class Users(Protocol):
    """Accounts. Emails are unique."""

    def add(self, user: User) -> None:
        """Raises ``EmailTaken``."""

    def get(self, user_id: str) -> User: ...

    def by_email(self, email: str) -> User | None:
        """``email`` is normalised."""

    def locked(self, user_id: str) -> User:
        """The user, whom no other unit changes until this one ends."""

    def save(self, user: User) -> None:
        """Write every field. Raises ``EmailTaken``, ``Contention`` if its version is not one above the stored one."""

    def page(self, query: UserQuery, page: PageRequest) -> Page[User]:
        """Newest first; with a text, in the order of what begins with it (the email before a name), ties by id.

        At most six statements, the count included; two without a text.
        """

    def active_with_role(self, role: Role) -> Sequence[User]:
        """Every active user with a role, oldest first."""

    def add_address(self, address: SavedAddress) -> None: ...

    def addresses(self, user_id: str) -> Sequence[SavedAddress]:
        """A user's address book, oldest first."""

    def address(self, user_id: str, address_id: str) -> SavedAddress:
        """One of the user's own; anybody else's is ``NotFound``."""

    def save_address(self, address: SavedAddress) -> None: ...

    def remove_address(self, user_id: str, address_id: str) -> None: ...


class Sessions(Protocol):
    """Sign-ins and their refresh tokens."""

    def add(self, session: Session, token: RefreshToken) -> None: ...

    def of_user(self, user_id: str) -> Sequence[Session]:
        """Every session of a user, newest first, ended ones too until they are swept."""

    def signed_in(self, session_id: str, at: datetime) -> User | None:
        """The active user of a session that is alive, in one look-up; None otherwise."""

    def all_signed_in(self, session_ids: Iterable[str], at: datetime) -> Mapping[str, User]:
        """The active users of those of the sessions that are alive, by session, in one look-up."""

    def token(self, token_hash: bytes) -> tuple[RefreshToken, Session, User] | None:
        """A refresh token with its session and user; its session is locked until the unit ends."""

    def rotate(self, old: RefreshToken, new: RefreshToken, *, seen_at: datetime, expires_at: datetime) -> None:
        """Replace a token (its ``replaced_at`` stays once set), add the new one, and prolong their session."""

    def end(self, session_id: str, at: datetime) -> None:
        """End one session; nothing happens to one that has ended."""

    def end_all(self, user_id: str, at: datetime, *, but: str | None = None) -> None:
        """End every session of a user, but perhaps the one they are using."""

    def forget(self, user_id: str) -> None:
        """Remove every session of a user, as if they had never signed in."""

    def sweep(self, before: datetime) -> int:
        """Forget sessions that expired or ended before a time; how many."""


class Categories(Protocol):
    """Shelves. Names are unique as ``fold_name`` compares them."""

    def add(self, category: Category) -> None:
        """Raises ``CategoryExists``."""

    def get(self, category_id: str) -> Category: ...

    def some(self, category_ids: Iterable[str]) -> Mapping[str, Category]:
        """Those of the ids that exist, in one look-up whatever their number."""

    def named(self, names: Iterable[str]) -> Mapping[str, Category]:
        """Those that have one of the names, by ``fold_name``, in one look-up whatever their number."""

    def page(self, page: PageRequest) -> Page[Category]:
        """By folded name."""

    def save(self, category: Category) -> None:
        """Raises ``CategoryExists``, ``Contention`` if its version is not one above the stored one."""

    def remove(self, category_id: str) -> None:
        """Raises ``CategoryInUse`` while an active product or another category is filed under it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductQuery:
    """What a product list shows. Amounts are minor units of the final price; ``None`` does not filter.

    ``match`` is what a text comes to (see ``storecore.catalog.matching``). ``category_id`` shows what is filed below
    that category too. ``sort`` is one of ``SORTS``, or ``relevance`` with a ``match``.
    """

    match: Match | None = None
    category_id: str | None = None
    min_price: int | None = None
    max_price: int | None = None
    in_stock: bool | None = None
    min_rating: Decimal | None = None
    group: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    sort: str = "newest"


MOST_FACETS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many products of a list are filed at or below each category, have each attribute, and cost how much.

    Attributes are the ``MOST_FACETS`` that most products have, each with as many of its most frequent values, ties by
    text. Prices are cut to two digits (``storecore.catalog.facets.cut``).
    """

    categories: Mapping[str, int]
    attributes: Mapping[str, Mapping[str, int]]
    prices: Mapping[int, int]


SORTS = ("newest", "price", "-price", "popularity", "rating", "name")
RELEVANCE = "relevance"
MOST_RELEVANT = 1_000
"""Results after which a list by relevance ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A product and how well it matches: above 0, and comparable only with others of the same list."""

    product: Product
    score: float


class Products(Protocol):
    """The catalog. SKUs are unique, archived ones included; slugs are unique too."""

    def add(self, product: Product) -> None:
        """Write it with no stock: that comes through the ledger. Raises ``SkuTaken``.

        A slug that is taken gets a suffix; read the product back for the one it has.
        """

    def get(self, product_id_or_slug: str) -> Product:
        """Archived ones too."""

    def some(self, product_ids: Iterable[str]) -> Mapping[str, Product]:
        """Those of the ids that exist, in one look-up whatever their number."""

    def locked(self, product_ids: Iterable[str]) -> Mapping[str, Product]:
        """The same; the products are locked in id order until the unit ends (their stock is not)."""

    def with_skus(self, skus: Iterable[str]) -> Mapping[str, Product]:
        """Those of the SKUs that exist, archived ones too, in one look-up whatever their number."""

    def group(self, group: str) -> Sequence[Product]:
        """Active variants of one another, by SKU."""

    def page(self, query: ProductQuery, page: PageRequest) -> Page[Product]:
        """Active products in ``query.sort`` order, ties by id. At most two statements, the count included, and one more
        for a category.

        By relevance it is the list of :meth:`Search.page`.
        """

    def counts(self, query: ProductQuery) -> Counts:
        """What the list could be narrowed to: each count leaves out the filter of its own kind (attributes: of its own
        name). Three statements.
        """

    def every(self, page: PageRequest) -> Page[Product]:
        """Archived ones too, oldest first."""

    def save(self, product: Product, at: datetime) -> None:
        """Write every field staff edit, with the final price at ``at``. Raises ``Contention`` if its version is not
        one above the stored one, ``SkuTaken``.
        """

    def refresh_prices(self, at: datetime, limit: int) -> Sequence[Product]:
        """Up to ``limit`` products whose discount began or ended by ``at``, their kept final price brought up to date.

        The worker's: each change is returned by one unit only.
        """

    def add_prices(self, changes: Iterable[PriceChange]) -> None:
        """Append to the price history."""

    def prices(self, product_id: str, page: PageRequest) -> Page[PriceChange]:
        """A product's price history, newest first."""

    def price_history(self, product_ids: Iterable[str], since: datetime) -> Mapping[str, Sequence[PriceChange]]:
        """For each product, in order of time, the changes since then and the last one before, in one statement."""


class Search(Protocol):
    """What products are found by. Writing a product writes its document too, if its terms have changed."""

    def lexicon(self) -> AbstractContextManager[Lexicon]:
        """The shop's words and names as this reading unit sees them. Others wait for it: leave it soon.

        Raises ``RuntimeError`` in a unit that writes.
        """

    def any(self, match: Match) -> bool:
        """Whether any product matches, in one look-up."""

    def page(self, query: ProductQuery, page: PageRequest) -> Page[Hit]:
        """Active products that match, the best first; ties by units sold, then id. It ends after ``MOST_RELEVANT``.

        The keyset is a position. At most two statements, the count included.
        """

    def sold(self, product_ids: Iterable[str]) -> Mapping[str, int]:
        """Units sold of each of the products that is on sale, in one look-up whatever their number."""

    def outdated(self, after: str, limit: int) -> Sequence[str]:
        """Ids above one, in order, of products whose document is missing or was made with another language."""

    def products(self, after: str, limit: int) -> Sequence[str]:
        """Ids above one, in order, of any products."""

    def count(self) -> int:
        """How many products there are, archived ones too."""

    def write(self, products: Iterable[Product]) -> int:
        """Bring the documents of locked products up to date; how many were not."""


class Stock(Protocol):
    """How many are on the shelf. On hand never falls below zero and always equals the ledger's sum."""

    def on_hand(self, product_ids: Iterable[str]) -> Mapping[str, int]:
        """Units left of each product that exists."""

    def move(self, moves: Sequence[StockMove], *, sold: bool = False) -> Mapping[str, int]:
        """Write ledger rows and change the shelf, all or nothing; what is then left of each product.

        ``sold`` counts the units into (or, put back, out of) ``units_sold``. Takes one row after another in product
        order, each by a conditional update, and keeps it locked until the unit ends: call it last. Raises
        ``OutOfStock`` listing every short product, after which the unit is good for nothing but its end.
        """

    def ledger(self, product_id: str, page: PageRequest) -> Page[StockMove]:
        """A product's moves, newest first."""

    def low(self, at_most: int, page: PageRequest) -> Page[Product]:
        """Active products with so few left, fewest first."""


class Wishes(Protocol):
    """Wishlists, and news about their products of which wishers have not all been told."""

    def add(self, wish: Wish) -> None:
        """Raises ``AlreadyWished``."""

    def remove(self, user_id: str, product_id: str) -> None: ...

    def clear(self, user_id: str) -> None:
        """Empty a user's list; nothing happens if it is."""

    def count(self, user_id: str) -> int:
        """How many products are on a user's list."""

    def page(self, user_id: str, page: PageRequest) -> Page[Wish]:
        """A user's list, newest first."""

    def announce(self, alerts: Iterable[WishAlert]) -> None:
        """Keep those whose product somebody wishes, until every wisher is told. Locks nothing that a sale needs."""

    def next_alert(self) -> WishAlert | None:
        """The oldest one, which no other unit gets until this one ends (they get the next)."""

    def wishers(self, alert: WishAlert, limit: int) -> Sequence[User]:
        """Active users beyond ``alert.told`` who wished its product before ``alert.at``, by id."""

    def told(self, alert_id: str, up_to: str | None) -> None:
        """Wishers up to this user's id have been told; None: all were, and the alert is forgotten."""


class Coupons(Protocol):
    """Coupons and who used them. Codes are unique."""

    def add(self, coupon: Coupon) -> None:
        """Raises ``CouponExists``."""

    def get(self, coupon_id: str) -> Coupon: ...

    def by_code(self, code: str) -> Coupon | None: ...

    def page(self, page: PageRequest) -> Page[Coupon]:
        """Newest first."""

    def save(self, coupon: Coupon) -> None:
        """Write every field but ``uses``. Raises ``CouponExists``, ``Contention`` for an unexpected version."""

    def used_by(self, coupon_id: str, user: str) -> int:
        """How many orders of ``user`` (an id, or a guest's email) count as uses."""

    def use(self, coupon: Coupon, *, order_id: str, user: str) -> None:
        """Count one use, locked until the unit ends. Raises ``CouponNotApplicable`` when a limit is reached."""

    def give_back(self, order_id: str) -> None:
        """The order was cancelled before it was paid: its use no longer counts. Once, however often it is called."""


class Carts(Protocol):
    """Carts, a user's and guests'."""

    def get(self, cart_id: str) -> Cart | None: ...

    def of_user(self, user_id: str) -> Cart | None: ...

    def locked(self, cart_id: str) -> Cart | None:
        """The cart, which no other unit changes until this one ends."""

    def save(self, cart: Cart) -> None:
        """Add or replace. A user has one cart: a second one raises ``Contention``."""

    def remove(self, cart_id: str) -> None:
        """Nothing happens if there is none."""

    def sweep(self, before: datetime) -> int:
        """Forget guests' carts untouched since a time; how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """Which orders to list; ``None`` does not filter. Times are ``[placed_from, placed_to)``."""

    customer_id: str | None = None
    status: Status | None = None
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    number: str | None = None


class Orders(Protocol):
    """Orders with their lines and history. Numbers are unique."""

    def add(self, order: Order) -> None:
        """Raises ``Contention`` when its number is taken (the rerun draws another)."""

    def get(self, order_id: str) -> Order: ...

    def locked(self, order_id: str) -> Order:
        """The order, which no other unit changes until this one ends."""

    def save(self, order: Order) -> None:
        """Write what may change, and append new history. Raises ``Contention`` if its version is not one above."""

    def erase(self, order: Order) -> None:
        """Write an order that was ``erased``, its name, address and history's notes too. Raises ``Contention``."""

    def page(self, query: OrderQuery, page: PageRequest) -> Page[Order]:
        """Newest first, with lines and history but without ``explanation``. At most four statements."""

    def deliveries(self, page: PageRequest, *, done: bool | None = None) -> Page[Delivery]:
        """Lines of orders that were confirmed and not cancelled, oldest first."""

    def overdue(self, at: datetime, limit: int) -> Sequence[str]:
        """Ids of orders whose ``pay_by`` has come, the longest overdue first."""

    def delivered(self, customer_id: str, product_id: str) -> bool:
        """Whether an order of a product has been delivered to a customer, in one look-up."""


class Purchases(Protocol):
    """What is bought, and together with what: counts of orders that :attr:`~storecore.orders.model.Order.counts` is
    true of. What is recommended from them is on sale: active, and in stock.
    """

    def waiting(self) -> bool:
        """Whether an order is still to be counted, or to be counted out again, in one look-up."""

    def count(self, limit: int) -> int:
        """Count orders that wait, in or out; how many: up to ``limit``, fewer when they are long, 0 when none waits.

        The newest first. It passes by orders that another unit has locked, and leaves their versions alone. An order
        adds 1 and its :func:`~storecore.catalog.affinity.weight` to each of its products, and 1 to each two of them.
        """

    def together(self, product_ids: Sequence[str], limit: int) -> Sequence[Neighbour]:
        """For each of up to 12 products, those on sale among the ``limit`` that were bought with it most often,
        equals with the greater id first. One statement.
        """

    def wanted(self, limit: int) -> Sequence[Demand]:
        """Those on sale among the ``limit`` products with the greatest heat, equals with the greater id first."""

    def wanted_in(self, category_ids: Sequence[str], limit: int) -> Sequence[Demand]:
        """The same of the ``limit`` newest products on each of up to 3 shelves, each once."""

    def lately(self, customer_id: str, limit: int) -> Sequence[str]:
        """What a customer bought in their last ten orders that were not cancelled, the newest first, each once."""

    def bought(self, customer_id: str, product_ids: Iterable[str]) -> Set[str]:
        """Those of the products that are in any order of a customer that was not cancelled."""


class Invoices(Protocol):
    """Issued invoices: append-only, one an order, numbered 1, 2, 3, … without a gap."""

    def of_order(self, order_id: str) -> Invoice | None: ...

    def next_sequence(self) -> int:
        """The number for the next one; no other unit gets one until this unit ends. Rolled back, it is used again."""

    def add(self, invoice: Invoice) -> None: ...

    def page(self, page: PageRequest, *, issued_from: datetime | None, issued_to: datetime | None) -> Page[Invoice]:
        """Those issued in ``[issued_from, issued_to)``, newest first."""

    def due(self, limit: int) -> Sequence[str]:
        """Ids of orders that want an invoice and have none: offline and not cancelled, or paid; oldest first."""

    def forget_buyers(self, before: datetime, limit: int) -> Sequence[str]:
        """Put ``FORGOTTEN`` for the buyer on up to ``limit`` invoices issued before a time; the ids of their orders."""


class Payments(Protocol):
    """Attempts to pay. An order has one at most that is not ``failed``; a provider's reference names one."""

    def add(self, payment: Payment) -> None:
        """Raises ``PaymentInProgress`` while the order has another that is not ``failed``."""

    def get(self, payment_id: str) -> Payment: ...

    def by_reference(self, provider: str, reference: str) -> Payment | None: ...

    def of_order(self, order_id: str) -> Sequence[Payment]:
        """Every attempt, oldest first."""

    def save(self, payment: Payment) -> None:
        """Write what may change. Raises ``Contention`` if its version is not one above, ``PaymentInProgress``."""

    def lease(self, at: datetime, until: datetime, limit: int) -> Sequence[Payment]:
        """Take payments whose ``check_at`` has come; it becomes ``until``, so that nobody else gets them before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundQuery:
    """Which refunds to list; ``None`` does not filter."""

    customer_id: str | None = None
    order_id: str | None = None
    status: RefundStatus | None = None


class Refunds(Protocol):
    """Refunds with their items, which come in the order of their lines' ids. Who changes one has locked its order."""

    def add(self, refund: Refund) -> None: ...

    def get(self, refund_id: str) -> Refund: ...

    def of_order(self, order_id: str) -> Sequence[Refund]:
        """Every refund of an order, oldest first."""

    def save(self, refund: Refund) -> None:
        """Write what may change, amounts included. Raises ``Contention`` if its version is not one above."""

    def page(self, query: RefundQuery, page: PageRequest) -> Page[Refund]:
        """Newest first. At most three statements, the count included."""

    def lease(self, at: datetime, until: datetime, limit: int) -> Sequence[Refund]:
        """Take refunds whose ``payout_at`` has come; it becomes ``until``, so that nobody else gets them before.

        What can't be read is taken too, but left out, so that it keeps no other waiting.
        """


class CreditNotes(Protocol):
    """Issued credit notes: append-only, one a refund, one a whole order, numbered 1, 2, 3, … without a gap."""

    def get(self, note_id: str) -> CreditNote: ...

    def of_refund(self, refund_id: str) -> CreditNote | None: ...

    def of_order(self, order_id: str) -> Sequence[CreditNote]:
        """Oldest first."""

    def next_sequence(self) -> int:
        """The number for the next one; no other unit gets one until this unit ends. Rolled back, it is used again."""

    def add(self, note: CreditNote) -> None:
        """Raises ``Contention`` for a second one of a refund, or of a whole order."""

    def forget_buyers(self, before: datetime, limit: int) -> int:
        """Put ``FORGOTTEN`` for the buyer on up to ``limit`` notes issued before a time; how many."""


class Reviews(Protocol):
    """Reviews, one a user and product. Whatever is written, each product's rating counts its published ones at once.

    The rating is a row of its own, changed by what the review adds or takes away: reviews of one product that are
    written at the same time all count, and nobody who edits the product is in their way.
    """

    def add(self, review: Review) -> None:
        """Raises ``DuplicateReview``."""

    def locked(self, review_id: str) -> Review:
        """The review, which no other unit changes until this one ends."""

    def save(self, review: Review) -> None:
        """Write what may change. Raises ``Contention`` if its version is not one above the stored one."""

    def remove(self, review: Review) -> None:
        """Forget it. Raises ``Contention`` if its version is not the stored one."""

    def of_product(self, product_id: str, page: PageRequest) -> Page[Review]:
        """A product's published reviews, newest first. At most two statements, the count included."""

    def of_author(self, author_id: str, page: PageRequest) -> Page[Review]:
        """A user's reviews in any state, newest first."""

    def pending(self, page: PageRequest) -> Page[Review]:
        """Those that wait for a decision, by when they were last written."""

    def published_by(self, author_id: str) -> int:
        """How many reviews of a user are published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationQuery:
    """Which conversations to list; ``None`` does not filter."""

    customer_id: str | None = None
    agent_id: str | None = None
    status: ConversationStatus | None = None


class Conversations(Protocol):
    """Conversations and what is said in them."""

    def add(self, conversation: Conversation) -> None: ...

    def get(self, conversation_id: str) -> Conversation: ...

    def locked(self, conversation_id: str) -> Conversation:
        """The conversation, which no other unit changes until this one ends."""

    def save(self, conversation: Conversation) -> None:
        """Write what may change. Raises ``Contention`` if its version is not one above the stored one."""

    def page(self, query: ConversationQuery, page: PageRequest) -> Page[Conversation]:
        """Newest first."""

    def queue(self, page: PageRequest) -> Page[Conversation]:
        """Those that wait, the longest waiting first."""

    def add_message(self, message: Message) -> None:
        """With the file that came with it, if one did.

        Raises ``Contention`` for a ``seq`` that is taken, and for a ``client_id`` that its author has used here.
        """

    def message(self, conversation_id: str, side: Side, author_id: str | None, client_id: str) -> Message | None:
        """What its author sent under a name of their own."""

    def messages(self, conversation_id: str, page: PageRequest) -> Page[Message]:
        """In order; a page starts after the message whose number is its keyset: ``(seq,)``."""

    def latest(self, conversation_id: str, limit: int) -> Sequence[Message]:
        """The last ones said, in order."""

    def versions(self, conversation_ids: Iterable[str]) -> Mapping[str, int]:
        """The versions of those of the conversations that exist, in one look-up."""

    def message_with(self, attachment_id: str) -> Message:
        """The message that a file came with."""

    def attached(self, stored_as: Iterable[str]) -> Set[str]:
        """Those of these names of files that came with some message, in one look-up whatever their number."""

    def remove(self, conversation_id: str) -> Sequence[str]:
        """Forget it with everything that was said; the names of the files that came with it."""

    def rename_agent(self, user_id: str, name: str) -> None:
        """Put a name for the author of everything that a user said as an agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which entries of the audit log to list; ``None`` does not filter. Times are ``[written_from, written_to)``."""

    actor_id: str | None = None
    action: str | None = None
    object_type: str | None = None
    object_id: str | None = None
    request_id: str | None = None
    written_from: datetime | None = None
    written_to: datetime | None = None


class Audit(Protocol):
    """The audit log: append-only, whatever anybody tries."""

    def add(self, entries: Iterable[AuditEntry]) -> None:
        """Write them, in one statement whatever their number."""

    def page(self, query: AuditQuery, page: PageRequest) -> Page[AuditEntry]:
        """Newest first. At most two statements, the count included."""


class Outbox(Protocol):
    """Mail that is owed."""

    def add(self, notices: Iterable[Notice]) -> None:
        """Write them; one whose event, recipient and template are there already is dropped."""

    def lease(self, at: datetime, until: datetime, limit: int) -> Sequence[Notice]:
        """Take due notices, oldest first, which nobody else gets before ``until``.

        What can't be read is taken too, but left out, so that it keeps no other waiting.
        """

    def save(self, notice: Notice) -> None:
        """Write how it went, and give the lease back."""

    def get(self, notice_id: str) -> Notice: ...

    def locked(self, notice_id: str) -> Notice:
        """The notice, which no other unit changes until this one ends."""

    def page(self, page: PageRequest, *, state: NoticeState | None = None) -> Page[Notice]:
        """Newest first."""

    def owed(self) -> tuple[int, datetime | None]:
        """How many are neither sent nor given up, and the earliest time at which one of them is due."""

    def sweep(self, before: datetime) -> int:
        """Forget notices sent before a time; how many."""

    def of_user(self, user_id: str, page: PageRequest) -> Page[Notice]:
        """Those written to an account, newest first."""

    def remove(self, notice_id: str) -> None:
        """Nothing happens if there is none."""

    def forget(self, user_id: str) -> Sequence[str]:
        """Remove everything written to an account, sent or not; the ids."""


class Insight(Protocol):
    """What the books add up to, always to the last invoice and credit note, in any time zone.

    ``storecore.insight.model`` says what counts when. An adapter may keep sums of papers of the past, which never
    change, and add the latest ones to them as it is asked; no sale waits for that.
    """

    def takings(self, days: Days) -> Sequence[Takings]:
        """By day and tax rate; those of an order that waits for its invoice are of today. In any order, and several
        may be of one day and rate.
        """

    def products(self, days: Days, most: int) -> Sequence[GoodsTakings]:
        """Products that are on the papers of these days, by net revenue, greatest first; equals by id."""

    def categories(self, days: Days) -> Sequence[GoodsTakings]:
        """The same for the categories that the products are filed under first."""

    def customers(self, days: Days, most: int) -> tuple[Sequence[BuyerTakings], BuyerTakings]:
        """Customers by what they spent, most first, equals by id; and all guests as one."""

    def placed(self, days: Days) -> Mapping[Status, int]:
        """How many orders were placed in these days, by every status that an order can have."""

    def new_users(self, days: Days) -> int:
        """How many accounts were opened in these days."""

    def waiting(self) -> Waiting:
        """What waits for the staff now."""

    def to_roll_up(self, timezone: str) -> int:
        """How many papers :meth:`roll_up` has not seen; none if nothing is kept."""

    def roll_up(self, timezone: str, most: int) -> int:
        """Add the next papers, up to ``most`` invoices and credit notes each, to what is kept; how many.

        What was kept by another time zone's days is forgotten first. Units that are at it at once wait for one another.
        """


class Answers(Protocol):
    """What idempotent requests were answered, kept with their effect."""

    def find(self, scope: str, key: str) -> tuple[bytes, bytes] | None:
        """The (fingerprint, answer) of a request that was carried out."""

    def claim(self, scope: str, key: str, fingerprint: bytes, at: datetime) -> bool:
        """Reserve the key for this unit; False when another unit has carried it out. Waits for one that is at it, and
        raises ``RequestInProgress`` when that takes too long.
        """

    def keep(self, scope: str, key: str, answer: bytes) -> None:
        """What the claimed request is answered; encrypted where it is stored."""

    def naming(self, ids: Set[str]) -> Sequence[tuple[str, str]]:
        """The (scope, key) of every answer that has one of these ids in its scope or its text. It reads them all."""

    def forget(self, keys: Iterable[tuple[str, str]]) -> None:
        """Remove these, by (scope, key)."""

    def sweep(self, before: datetime) -> int:
        """Forget answers older than a time; how many."""


class Unit(Protocol):
    """One transaction: every repository sees the same state, and all of their writes happen or none."""

    now: datetime
    """The time of the use case; the same again when it is rerun."""

    @property
    def users(self) -> Users: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def categories(self) -> Categories: ...
    @property
    def products(self) -> Products: ...
    @property
    def search(self) -> Search: ...
    @property
    def stock(self) -> Stock: ...
    @property
    def wishes(self) -> Wishes: ...
    @property
    def coupons(self) -> Coupons: ...
    @property
    def carts(self) -> Carts: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def purchases(self) -> Purchases: ...
    @property
    def invoices(self) -> Invoices: ...
    @property
    def payments(self) -> Payments: ...
    @property
    def refunds(self) -> Refunds: ...
    @property
    def credit_notes(self) -> CreditNotes: ...
    @property
    def reviews(self) -> Reviews: ...
    @property
    def conversations(self) -> Conversations: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def insight(self) -> Insight: ...
    @property
    def answers(self) -> Answers: ...

    def new_id(self) -> str:
        """A new id; the same ones in the same order when the use case is rerun."""

    def commit(self) -> None:
        """Make every write lasting. Raises ``Contention`` when it can't; then nothing was written."""


class Storage(Protocol):
    """Opens units. A unit that is left without ``commit`` has changed nothing.

    Threads open them at the same time; each unit stays with the thread that opened it. When the technology is down or
    full, whatever needs it raises ``Unavailable``.
    """

    @property
    def one_writer(self) -> bool:
        """Whether writing units wait for one another: whoever looks in a snapshot first then spares the others."""

    def reading(self, now: datetime, new_id: NewId) -> AbstractContextManager[Unit]:
        """A snapshot as of now or of its first look: repeated reads agree, and it waits for no writer. Writing in it
        raises ``RuntimeError``.
        """

    def writing(self, now: datetime, new_id: NewId) -> AbstractContextManager[Unit]:
        """A transaction that may write. Raises ``Busy`` when it gets no turn before its deadline."""

    def version(self) -> Hashable:
        """What is committed, in one value: two equal ones mean that nothing was committed between them.

        Different ones mean nothing. It costs much less than any look-up, so that answers can be kept and proven fresh.
        """

    def scrub(self) -> None:
        """Let nothing that was removed or overwritten linger in files of its own, as far as can be done at once."""

    def pause(self, attempt: int) -> None:
        """Wait a short random while before run number ``attempt`` of a use case that lost to another."""

    def close(self) -> None:
        """Give back files and connections."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, told in a few words: ids to look up, never what they stand for.

    ``topic`` is 1 to 200 printable characters, ``message`` at most 2,000 bytes of UTF-8 without NUL. Anything else
    raises ``ValueError``.
    """

    topic: str
    message: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.topic) <= 200 or not self.topic.isprintable():
            raise ValueError(f"a topic has 1 to 200 printable characters: {self.topic[:200]!r}")
        if len(self.message.encode()) > 2_000 or "\0" in self.message:
            raise ValueError("a message has at most 2,000 bytes of UTF-8 and no NUL: send ids, not bodies")


class Listener(Protocol):
    """Hears events, for one thread at a time. It keeps those that were not asked for yet, 1,000 unless told."""

    @property
    def missed(self) -> bool:
        """Whether events were lost before what :meth:`next` gave last: look at the database again."""

    @property
    def ended(self) -> bool:
        """Whether it hears nothing any more, since it was left or its hub was closed."""

    def next(self, timeout: float) -> Event | None:
        """The oldest event not asked for yet; None if there was none for ``timeout`` seconds.

        None at once when events were lost and none is left, or when it has ended. When too many wait, the oldest are
        lost; so are those of a connection that broke, which is told once it stands again.
        """


class Hub(Protocol):
    """Tells every process that shares the database what just happened, so that nobody has to ask all the time.

    An event is a hint, now and then lost or heard twice: whoever needs the truth asks the database, after beginning to
    listen, when an event comes or was missed, and now and then.
    """

    def publish(self, topic: str, message: str) -> None:
        """Tell all who listen, after what it tells of was committed, never inside a unit; the order is kept.

        It waits for no listener. Raises ``ValueError`` for what is no :class:`Event`, and ``Unavailable`` when the
        technology is down or the hub is closed, which undoes nothing of what was committed.
        """

    def listen(self, *topics: str) -> AbstractContextManager[Listener]:
        """Hear what is published on these topics, or with none on any, by anybody, from now until the context ends.

        Raises ``Unavailable`` when the technology is down or the hub is closed.
        """

    def close(self) -> None:
        """End every listener, waking those that wait, and give back connections."""
