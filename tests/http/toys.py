"""A toy shop behind the real HTTP: things on a shelf, kept in a dict, sold through the real ``@writing``."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from threading import Lock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any

from flask import Flask
from flask.testing import FlaskClient
from pydantic import Field
from typing_extensions import TypedDict

from adapters.jwt_tokens import JwtAccessTokens
from adapters.local_rate_limits import LocalRateLimits
from adapters.tokens import SignedValues
from storecore.accounts.model import Actor, Guest, Session, User
from storecore.accounts.permissions import Permission, Role
from storecore.accounts.signing_in import SignedIn
from storecore.errors import (
    LinkInvalid,
    NotFound,
    OutOfStock,
    PreconditionFailed,
    PriceChanged,
    SessionEnded,
    TooManyRequests,
)
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.money import Money
from storecore.notices import Attachment
from storecore.shop import Shop
from storecore.transactions import Activity, Once, writing
from webapp import create_app, system
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import (
    Amount,
    AmountText,
    Choice,
    Day,
    FreeObject,
    Id,
    Instant,
    Number,
    Percent,
    Quantity,
    Text,
)
from webapp.http.parts import Parts
from webapp.http.validation import Body, Query, absent
from webapp.sessions import Who

KEY = "a key of the tests, with at least 32 bytes"
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Thing:
    id: str
    name: str
    price: Money = Money(1999, "USD")
    colour: Colour = Colour.RED
    owner: str | None = None
    version: int = 1


class _Answers:
    def __init__(self, unit: "_Storage") -> None:
        self.kept = unit.kept

    def claim(self, scope: str, key: str, fingerprint: bytes, at: datetime) -> bool:
        if (scope, key) in self.kept:
            return False
        self.kept[scope, key] = (fingerprint, b"")
        return True

    def find(self, scope: str, key: str) -> tuple[bytes, bytes] | None:
        return self.kept.get((scope, key))

    def keep(self, scope: str, key: str, answer: bytes) -> None:
        self.kept[scope, key] = (self.kept[scope, key][0], answer)


class _Storage:
    """One lock, and a copy that comes back when a use case fails."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.kept: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self.things: dict[str, Thing] = {}

    @contextmanager
    def writing(self, now: datetime, new_id: Any) -> Iterator[Any]:
        with self.lock:
            before = dict(self.kept), dict(self.things)
            try:
                yield SimpleNamespace(
                    now=now, new_id=new_id, commit=lambda: None, answers=_Answers(self), things=self.things
                )
            except BaseException:
                self.kept, self.things = before
                raise


@dataclass(frozen=True, kw_only=True)
class Shelf(Activity):
    """The toy's use cases."""

    @writing
    def put(self, unit: Any, *, by: Actor, name: str, price: Money, once: Once | None = None) -> Thing:
        if name == "sold out":
            lines = [{"product_id": "p1", "requested": 3, "available": 1}]
            raise OutOfStock("Only 1 is left.", lines=lines)
        thing = Thing(id=unit.new_id(), name=name, price=price, owner=by.id)
        unit.things[thing.id] = thing
        return thing

    @writing
    def rename(self, unit: Any, /, *, by: Actor, thing_id: str, version: int | None, **changes: Any) -> Thing:
        if thing_id not in unit.things:
            raise NotFound()
        thing: Thing = unit.things[thing_id]
        if version is not None and version != thing.version:
            raise PreconditionFailed()
        unit.things[thing_id] = thing = replace(thing, version=thing.version + 1, **changes)
        return thing


class Doorkeeper:
    """Takes ``order-7`` for the token of order 7."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def holder(self, token: str) -> Guest:
        kind, _, what = token.partition("-")
        if kind != self._kind:
            raise LinkInvalid()
        return Guest(**{f"{kind}_id": what})


class ToyStore:
    """As much of a ``Store`` as HTTP itself needs, and a shelf."""

    def __init__(self) -> None:
        self.at = NOW
        self.users: dict[str, User] = {}
        self.looked_up: list[str] = []
        self.storage = _Storage()
        self.shop = Shop()
        self.rate_limits = LocalRateLimits()
        numbers = iter(range(1, 1_000_000))
        self.shelf = Shelf(storage=self.storage, clock=self.clock, new_id=lambda: f"t{next(numbers)}")  # type: ignore[arg-type] # as much of a storage as the shelf needs
        self.accounts = self
        self.orders, self.support = Doorkeeper("order"), Doorkeeper("conversation")

    def clock(self) -> datetime:
        return self.at

    def authenticate(self, *, session_id: str) -> User:
        self.looked_up.append(session_id)
        if session_id not in self.users:
            raise SessionEnded()
        return self.users[session_id]

    def sign_in(self, role: Role = Role.CUSTOMER, user_id: str = "u1") -> SignedIn:
        user = User(
            id=user_id, email=f"{user_id}@example.com", full_name="Ada L", role=role, password_hash="-", created_at=NOW
        )
        session = Session(
            id=f"s-{user_id}", user_id=user_id, created_at=NOW, seen_at=NOW, expires_at=self.at + timedelta(days=30)
        )
        self.users[session.id] = user
        return SignedIn(user=user, session=session, refresh_token=f"refresh-{user_id}")


class ThingView(TypedDict):
    id: str
    name: str
    price: Amount
    currency: str
    colour: Colour
    version: int


class Line(Body):
    product_id: Id
    quantity: Quantity


class Order(Body):
    items: Annotated[list[Line], Field(min_length=1, max_length=100)]
    note: Annotated[str, Text(2000, lines=True)] | None = None


class NewThing(Body):
    name: Annotated[str, Text(50)]
    price: AmountText = "19.99"


class ThingChanges(Body):
    name: Annotated[str, Text(50)] = absent()
    colour: Choice[Colour] = absent()


class Everything(Body):
    text: Annotated[str, Text(20)] = "-"
    lines: Annotated[str, Text(200, lines=True)] = "-"
    amount: AmountText = "0"
    percent: Percent = Decimal(0)
    number: Number = Decimal(0)
    at: Instant = NOW
    day: Day | None = None
    colour: Choice[Colour] | None = None
    flag: bool = False
    count: Annotated[int, Field(ge=0, le=1000)] = 0
    tags: list[Annotated[str, Text(10)]] = Field(default_factory=list)
    free: FreeObject = Field(default_factory=dict)
    line: Line | None = None


class ThingList(Query):
    q: Annotated[str, Text(100, least=0)] = ""
    colour: Choice[Colour] | None = None
    min_price: AmountText | None = None
    in_stock: bool | None = None
    at_least: Annotated[int, Field(ge=0, le=10**6)] | None = None
    tag: list[str] = Field(default_factory=list)
    attr: Mapping[str, str] = Field(default_factory=dict)
    begin: Annotated[Day | None, Field(alias="from")] = None


class Echo(TypedDict):
    given: dict[str, Any]


class Came(TypedDict):
    user_id: str | None
    cart_id: str | None
    order_id: str | None
    conversation_id: str | None


class NumberView(TypedDict):
    number: int


def show_thing(thing: Thing) -> ThingView:
    return {
        "id": thing.id,
        "name": thing.name,
        "price": str(thing.price),
        "currency": thing.price.currency,
        "colour": thing.colour,
        "version": thing.version,
    }


def show_number(number: int) -> NumberView:
    return {"number": number}


def shelf(ask: Ask[Any, Any]) -> Shelf:
    store: Any = ask.store
    found: Shelf = store.shelf
    return found


toys = Routes("toys", "Things to try HTTP with.")


@toys.endpoint(
    "POST", "/things", show=show_thing, location="/things/{id}", may=Permission.ORDERS_PLACE, once=True, etag=True,
    refuses=(OutOfStock, PriceChanged),
)  # fmt: skip
def put(ask: Ask[NewThing]) -> Thing:
    """Put a thing on the shelf.

    It gets a number.
    """
    price = Money.parse(ask.body.price, "USD", field="price")
    return shelf(ask).put(by=ask.by, name=ask.body.name, price=price, once=ask.once)


@toys.endpoint("GET", "/things/{thing_id}", show=show_thing, etag=True)
def one(ask: Ask, thing_id: str) -> Thing:
    """One thing."""
    things: dict[str, Thing] = ask.store.storage.things  # type: ignore[attr-defined] # the toy's storage
    if thing_id not in things:
        raise NotFound()
    return things[thing_id]


@toys.endpoint("PATCH", "/things/{thing_id}", show=show_thing, may=Permission.CATALOG_WRITE, etag=True)
def rename(ask: Ask[ThingChanges], thing_id: str) -> Thing:
    """Change a thing."""
    return shelf(ask).rename(by=ask.by, thing_id=thing_id, version=ask.if_version, **ask.body.given())


@toys.endpoint("DELETE", "/things/{thing_id}", who=Who.SIGNED_IN)
def drop(ask: Ask, thing_id: str) -> None:
    """Drop a thing."""


@toys.endpoint("GET", "/numbers", show=show_number)
def numbers(ask: Ask[None, ThingList]) -> Page[int]:
    """The numbers from 0 to 29."""
    return page_of_numbers(ask.page)


def page_of_numbers(page: PageRequest = FIRST_PAGE) -> Page[int]:
    start = 0 if page.after is None else int(page.after[0] or 0) + 1
    items = tuple(range(start, min(start + page.limit, 30)))
    following = (items[-1],) if items and items[-1] < 29 else None
    return Page(items=items, next=following, total=30 if page.total else None)


@toys.endpoint("GET", "/letters", show=show_number)
def letters(ask: Ask) -> Page[int]:
    """Another list."""
    return page_of_numbers(ask.page)


@toys.endpoint("POST", "/echo")
def echo(ask: Ask[Everything, ThingList]) -> Echo:
    """What was understood."""
    return {"given": {**ask.body.given(), **{f"?{name}": value for name, value in ask.query.given().items()}}}


@toys.endpoint("POST", "/orders", may=Permission.ORDERS_PLACE)
def order(ask: Ask[Order]) -> Echo:
    """Order."""
    return {"given": ask.body.model_dump()}


@toys.endpoint("POST", "/actions", status=202)
def act(ask: Ask) -> None:
    """Do something later."""


@toys.endpoint("GET", "/me", who=Who.SIGNED_IN)
def me(ask: Ask) -> Came:
    """Who am I?"""
    return came(ask)


@toys.endpoint("GET", "/came")
def anyone(ask: Ask) -> Came:
    """Who came?"""
    return came(ask)


@toys.endpoint("GET", "/held/{thing_id}", who=Who.HOLDER)
def held(ask: Ask, thing_id: str) -> Came:
    """Who came with an order's token?"""
    return came(ask)


@toys.endpoint("GET", "/heard/{thing_id}", who=Who.PARTY)
def heard(ask: Ask, thing_id: str) -> Came:
    """Who came with a conversation's token?"""
    return came(ask)


def came(ask: Ask[Any, Any]) -> Came:
    by = ask.by
    return {
        "user_id": by.id,
        "cart_id": by.cart_id if isinstance(by, Guest) else None,
        "order_id": by.order_id if isinstance(by, Guest) else None,
        "conversation_id": by.conversation_id if isinstance(by, Guest) else None,
    }


@toys.endpoint("POST", "/open", who=Who.NEWCOMER)
def enter(ask: Ask) -> None:
    """Open a session."""
    store: Any = ask.store
    ask.sessions.open(store.sign_in())


@toys.endpoint("POST", "/close", who=Who.NEWCOMER)
def leave(ask: Ask) -> None:
    """Close it."""
    ask.sessions.close()


@toys.endpoint("POST", "/cart")
def keep_cart(ask: Ask) -> None:
    """Hold a cart."""
    ask.sessions.keep_cart("c1")


@toys.endpoint("GET", "/file", produces="application/pdf")
def file(ask: Ask) -> Attachment:
    """A file."""
    return Attachment(name='İnvoice "1".pdf', media_type="application/pdf", content=b"%PDF-1.7")


@toys.endpoint("POST", "/lines", accepts=("text/csv",), most=100)
def lines(ask: Ask[bytes]) -> NumberView:
    """Count lines of CSV."""
    return {"number": len(ask.body.splitlines())}


@toys.endpoint("GET", "/audit", may=Permission.AUDIT_READ)
def audit(ask: Ask) -> NumberView:
    """For few eyes."""
    return {"number": 1}


@toys.endpoint("GET", "/same", public=True)
def same(ask: Ask) -> NumberView:
    """The same for everybody."""
    return {"number": 1}


@toys.endpoint("GET", "/limited", refuses=(TooManyRequests,))
def limited(ask: Ask) -> None:
    """Too much."""
    raise TooManyRequests(retry_after=7)


@toys.endpoint("GET", "/broken")
def broken(ask: Ask) -> None:
    """A fault."""
    raise ZeroDivisionError("secret")


class Client(FlaskClient):
    """A test client; what its answers hold is not the type checker's business."""

    if TYPE_CHECKING:

        def open(self, *args: Any, **kwargs: Any) -> Any: ...
        def get(self, *args: Any, **kwargs: Any) -> Any: ...
        def post(self, *args: Any, **kwargs: Any) -> Any: ...
        def put(self, *args: Any, **kwargs: Any) -> Any: ...
        def patch(self, *args: Any, **kwargs: Any) -> Any: ...
        def delete(self, *args: Any, **kwargs: Any) -> Any: ...
        def head(self, *args: Any, **kwargs: Any) -> Any: ...
        def options(self, *args: Any, **kwargs: Any) -> Any: ...


@dataclass
class Toy:
    """A toy store and the app over it."""

    store: ToyStore = field(default_factory=ToyStore)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tokens = JwtAccessTokens([KEY])
        self.values = SignedValues([KEY])
        parts = Parts(store=self.store, access_tokens=self.tokens, values=self.values, **self.options)  # type: ignore[arg-type] # as much of a store as HTTP needs
        self.app: Flask = create_app(parts, areas=(toys, system.routes))

    def client(self) -> Client:
        """A browser with a cookie jar of its own."""
        return Client(self.app, self.app.response_class)

    def bearer(self, role: Role = Role.CUSTOMER, user_id: str = "u1") -> dict[str, str]:
        """Headers of somebody signed in."""
        return {"Authorization": f"Bearer {self.access_token(role, user_id)}"}

    def access_token(self, role: Role = Role.CUSTOMER, user_id: str = "u1") -> str:
        signed_in = self.store.sign_in(role, user_id)
        return self.tokens.issue(
            user_id=user_id, session_id=signed_in.session.id, at=self.store.at, lifetime=timedelta(minutes=30)
        )
