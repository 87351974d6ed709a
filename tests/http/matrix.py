"""A shop with one of everything in it, everybody who may come to its door, and the table of what they get.

``matrix.txt`` is the table; its head says how to add a line.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapters.jwt_tokens import JwtAccessTokens
from adapters.local_rate_limits import Unlimited
from adapters.memory import MemoryMailer, MemoryStorage, open_store
from adapters.memory.tables import Tables
from adapters.passwords import Argon2Passwords
from adapters.payments.demo import SUCCEEDS, DemoPayments
from adapters.system import uuid7
from adapters.tokens import SignedValues
from storecore.accounts.model import GUEST, SYSTEM, Guest, User
from storecore.accounts.permissions import Permission, Role
from storecore.money import Money
from storecore.notices import NoticeState, Template
from storecore.orders.model import Order, Status
from storecore.orders.refund import Disposition, Refund
from storecore.ports import Documents
from storecore.store import Store
from storecore.testing.builders import fixed_clock, make_address, make_notice
from webapp import create_app
from webapp.http.endpoint import API
from webapp.http.parts import Parts

KEY = "a key of the tests, with at least 32 bytes"
PASSWORD = "correct horse battery"
HOME = {"recipient": "Ada", "line1": "1 Main St", "city": "Springfield", "postal_code": "12345", "country": "US"}
BOUNDARY = "boundary-of-the-form"
TABLE = Path(__file__).with_name("matrix.txt")

Route = tuple[str, str]
"""A method and a path in which every part that varies is ``<>``."""

CELL = re.compile(r"yes|4\d\d\*?")


@dataclass(frozen=True)
class Line:
    """A request, and what each caller gets; ``matrix.txt`` says what is in a cell."""

    method: str
    address: str
    cells: Mapping[str, str]
    body: str

    @property
    def route(self) -> Route:
        return self.method, pattern(self.address.partition("?")[0])

    @property
    def nonsense(self) -> str:
        """A body of the same kind that makes no sense."""
        if self.body in ("<upload>", "<sheet>"):
            return _form(no_such_field="1")
        return "" if self.method == "GET" else '{"no_such_field": 1}'

    def __str__(self) -> str:
        return f"{self.method} {self.address.removeprefix(API)} {self.body}".strip()


def _form(**parts: str) -> str:
    """A multipart form; the part ``file`` is a file."""
    named = {name: f'name="{name}"' + ('; filename="a.txt"' if name == "file" else "") for name in parts}
    sent = [f"--{BOUNDARY}\r\nContent-Disposition: form-data; {named[name]}\r\n\r\n{parts[name]}" for name in parts]
    return "\r\n".join([*sent, f"--{BOUNDARY}--\r\n"])


def pattern(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"<[^>]*>", "<>", path)


def routes(app: Flask) -> set[Route]:
    """Everything that an app answers to; HEAD and OPTIONS come with every address by themselves."""
    return {
        (method, pattern(rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def read_table(text: str) -> list[Line]:
    """The lines of the table, whose first row names the callers. Raises ``ValueError`` for one that can't be read."""
    rows = [row for row in text.splitlines() if row and not row.startswith("#")]
    callers = rows.pop(0).split()
    return [_line(row, callers) for row in rows]


def _line(row: str, callers: list[str]) -> Line:
    method, path, *rest = row.split(maxsplit=2 + len(callers))
    cells, body = rest[: len(callers)], "".join(rest[len(callers) :])
    if len(cells) != len(callers) or not all(CELL.fullmatch(cell) for cell in cells):
        raise ValueError(f"{row!r} needs one of yes, 401, 403, 404, … for each of {', '.join(callers)}")
    address = path.removeprefix("/") if path.startswith("//") else API + path
    return Line(method, address, dict(zip(callers, cells, strict=True)), body)


@dataclass(frozen=True)
class Reply:
    """What somebody was answered, and whether anything in the shop was changed."""

    status: int
    text: str
    changed: bool

    @property
    def cell(self) -> str:
        """As it is in the table."""
        return "yes" if self.status < 400 else str(self.status)

    @property
    def problem(self) -> dict[str, Any]:
        """The refusal, without what differs from one request to the next."""
        return {name: value for name, value in json.loads(self.text).items() if name != "request_id"}


@dataclass
class Caller:
    """Somebody at the door: what they send along, and what they mean by ``<name>`` where others mean another thing."""

    headers: dict[str, str] = field(default_factory=dict)
    things: dict[str, str] = field(default_factory=dict)


class Street:
    """The real app over a shop in memory, which is as it was again before each request."""

    def __init__(self, folder: Path, *, documents: Documents | None = None) -> None:
        self.mailer = MemoryMailer()
        self.bank = DemoPayments(folder / "demo-bank.db")
        clock, passwords = fixed_clock(), Argon2Passwords(time_cost=1, memory_cost=8)
        self.store: Store = open_store(
            clock=clock,
            passwords=passwords,
            mailer=self.mailer,
            documents=documents,
            rate_limits=Unlimited(),
            providers={"demo": self.bank},
        )
        assert isinstance(self.store.storage, MemoryStorage)
        self.storage: MemoryStorage = self.store.storage
        self.values = SignedValues([KEY])
        parts = Parts(store=self.store, access_tokens=JwtAccessTokens([KEY]), values=self.values, demo_bank=self.bank)
        self.app: Flask = create_app(parts)
        self.client: FlaskClient = self.app.test_client(use_cookies=False)
        self.users: dict[str, User] = {}
        self.things = self._goods()
        self.callers = self._people()
        self.callers |= {
            "nobody": Caller(),
            "guest": self._guest("guest@example.com"),
            "guest2": self._guest("guest2@example.com"),
        }
        for thing in ("order", "conversation"):
            self.callers["guest2"].things[thing] = self.callers["guest"].things[thing]
        self.things |= self._owned() | self._returned() | self._paying() | self._asked()
        self.signature, self.things["event"] = self._event(self.things["reference"])
        for name in ("sales", "admin"):
            mine = self._delivered(self.users[name], self.things["scarf"])
            self.callers[name].things["own_refund"] = self._refund(self.users[name], mine).id
        self.before: Tables = self.storage.tables

    def ask(
        self, line: Line, caller: Caller, *, body: str | None = None, query: str = "", nowhere: bool = False
    ) -> Reply:
        """Send a request as somebody to the shop as it was in the beginning, perhaps with another body or more query.

        ``nowhere``: to an address whose ids are those of nothing.
        """
        self.storage.swap_in(self.before)
        version = self.storage.version()
        answer = self.send(line, caller, body=body, query=query, nowhere=nowhere)
        reply = Reply(answer.status_code, answer.text, changed=self.storage.version() != version)
        answer.close()
        return reply

    def send(
        self, line: Line, caller: Caller, *, body: str | None = None, query: str = "", nowhere: bool = False
    ) -> TestResponse:
        """The answer itself, to be closed, of the shop as it is; see :meth:`ask`."""
        address = re.sub(r"<\w+>", lambda _: str(uuid4()), line.address) if nowhere else line.address
        address += query and f"{'&' if '?' in address else '?'}{query}"
        sent = self.fill(line.body, caller) if body is None else body
        kind = "application/json" if sent.startswith("{") else "application/x-www-form-urlencoded"
        if sent.startswith("--"):
            kind = f"multipart/form-data; boundary={BOUNDARY}"
        return self.client.open(
            self.fill(address, caller),
            method=line.method,
            headers=caller.headers | self.signature,
            data=sent or None,
            content_type=kind if sent else None,
        )

    def fill(self, text: str, caller: Caller) -> str:
        """The text with every ``<name>`` replaced."""
        things = self.things | caller.things
        return re.sub(r"<(\w+)>", lambda found: things[found[1]], text)

    def _goods(self) -> dict[str, str]:
        catalog = self.store.catalog
        shelf = catalog.create_category(by=SYSTEM, name="Hats")
        bare = catalog.create_category(by=SYSTEM, name="Nothing yet")
        hat = catalog.create_product(
            by=SYSTEM, sku="HAT-1", name="Hat", price=Money(20_00, "USD"), stock=100, category_ids=[shelf.id]
        )
        scarf = catalog.create_product(
            by=SYSTEM, sku="SCARF-1", name="Scarf", price=Money(30_00, "USD"), stock=100, category_ids=[shelf.id]
        )
        coupon = catalog.create_coupon(by=SYSTEM, code="TENOFF", amount=Money(1000, "USD"))
        return {
            "asset": "redoc.js",
            "bare_category": bare.id,
            "category": shelf.id,
            "code": "not-found",
            "coupon": coupon.id,
            "home": json.dumps(HOME),
            "password": PASSWORD,
            "product": hat.product.id,
            "provider": "demo",
            "scarf": scarf.product.id,
            "sheet": _form(file="sku\nHAT-1"),
            "test_number": SUCCEEDS,
        }

    def _people(self) -> dict[str, Caller]:
        """Two customers, one of each other role, and one who was a customer."""
        roles = {"owner": Role.CUSTOMER, "other": Role.CUSTOMER, "banned": Role.CUSTOMER}
        roles |= {role.partition("_")[0]: role for role in Role if role is not Role.CUSTOMER}
        callers = {}
        for name, role in roles.items():
            callers[name] = self._somebody(name, role)
            if name == "banned":
                self.store.accounts.ban(by=SYSTEM, user_id=self.users[name].id)
        return callers

    def _somebody(self, name: str, role: Role) -> Caller:
        """A new user with a role, signed in, with something in the cart."""
        accounts, email = self.store.accounts, f"{name}@example.com"
        user = accounts.register(email=email, password=PASSWORD, full_name="Ada Lovelace")
        if role is not Role.CUSTOMER:
            user = accounts.set_role(by=SYSTEM, user_id=user.id, role=role)
        self.users[name] = user
        self.store.carts.add_item(by=user, product_id=self.things["product"], quantity=1)
        answer = self.client.post(f"{API}/auth/token", json={"email": email, "password": PASSWORD})
        headers = {"Authorization": f"Bearer {answer.json['access_token']}"}  # type: ignore[index] # it is JSON
        return Caller(headers, {"self": user.id})

    @contextmanager
    def granted(self, name: str, permission: Permission, *, allowed: bool) -> Iterator[Caller]:
        """A caller to whom a permission was granted (True) or denied (False) for the time being."""
        before = self.before
        self.storage.swap_in(before)
        self.store.accounts.set_permission(
            by=SYSTEM, user_id=self.users[name].id, permission=permission, allowed=allowed
        )
        self.before = self.storage.tables
        yield self.callers[name]
        self.before = before

    def _guest(self, email: str) -> Caller:
        """A guest with a cart and an order, who has their tokens."""
        cart = self.store.carts.add_item(by=GUEST, product_id=self.things["product"], quantity=1).cart
        order = self._order(Guest(cart_id=cart.id), email=email)
        cookie = SimpleCookie({"cart_token": self.values.dumps("cart", cart.id)})["cart_token"]
        asked = self.store.support.open(by=GUEST, message="Hello?", guest_name="Guest", guest_email=email)
        held = {
            "X-Order-Token": self.store.orders.token(order),
            "X-Conversation-Token": self.store.support.token(asked),
            "Cookie": f"cart_token={cookie.coded_value}",
        }
        things = {"order": order.id, "line": order.lines[0].id, "order_token": held["X-Order-Token"]}
        return Caller(held, {**things, "conversation": asked.id})

    def _owned(self) -> dict[str, str]:
        """What belongs to the ``owner``, and what was mailed."""
        accounts, owner = self.store.accounts, self.users["owner"]
        signed_in = accounts.login(email=owner.email, password=PASSWORD, device="phone")
        address = accounts.add_address(by=owner, address=make_address())
        accounts.forgot_password(email=owner.email)
        order = self._order(owner)
        while self.store.work():
            pass
        return {
            "address": address.id,
            "order": order.id,
            "line": order.lines[0].id,
            "order_token": self.callers["guest"].things["order_token"],
            "permission": Permission.ORDERS_PLACE,
            "refresh_token": signed_in.refresh_token,
            "reset_token": self._mailed(owner, Template.RESET_PASSWORD),
            "self": owner.id,
            "session": signed_in.session.id,
            "user": owner.id,
            "verify_token": self._mailed(owner, Template.VERIFY_EMAIL),
        }

    def _returned(self) -> dict[str, str]:
        """What the ``owner`` got and does not want to keep, at each step, and what they say and wish."""
        owner, refunds = self.users["owner"], self.store.refunds
        asked, agreed, repaid = (
            self._refund(owner, self._delivered(owner, self.things["scarf"], self.things["product"])) for _ in range(3)
        )
        for refund in (agreed, repaid):
            refunds.approve(by=SYSTEM, refund_id=refund.id)
        refunds.receive(by=SYSTEM, refund_id=repaid.id, disposition=Disposition.SCRAP)
        kept = self._delivered(owner, self.things["scarf"])
        review = self.store.reviews.write(by=owner, product_id=self.things["scarf"], rating=4, comment="Warm.")
        self.store.wishlist.add(by=owner, product_id=self.things["scarf"])
        return {
            "approved_refund": agreed.id,
            "dead_mail": self._dead_mail(),
            "delivered": kept.id,
            "delivered_line": kept.lines[0].id,
            "own_refund": asked.id,
            "refund": asked.id,
            "refunded": repaid.id,
            "review": review.id,
            "wished": self.things["scarf"],
        }

    def _paying(self) -> dict[str, str]:
        """Somebody is about to pay on the bank's page."""
        owner = self.users["owner"]
        attempt = self.store.orders.pay(by=owner, order_id=self._order(owner).id, provider="demo")
        assert attempt.payment is not None
        assert attempt.payment.reference is not None
        return {"reference": attempt.payment.reference}

    def _asked(self) -> dict[str, str]:
        """What the ``owner`` asks the shop: one waits, one is with the agent ``support``."""
        waiting, claimed = (self.store.support.open(by=self.users["owner"], message="Hello?") for _ in range(2))
        self.store.support.claim(by=self.users["support"], conversation_id=claimed.id)
        sent = self.store.support.attach(
            by=self.users["owner"], conversation_id=claimed.id, name="a.txt", content=[b"Hello"]
        ).message
        assert sent.attached is not None
        return {
            "agent": self.users["admin"].id,
            "attachment": sent.attached.id,
            "claimed": claimed.id,
            "conversation": waiting.id,
            "upload": _form(body="Look!", file="Hello"),
        }

    def _event(self, reference: str) -> tuple[dict[str, str], str]:
        """What the bank tells about a payment: its signature, which is sent with every request, and the body."""
        headers, body = self.bank.tell(reference, self.store.clock())
        return {name: value for name, value in headers.items() if name != "Content-Type"}, body.decode()

    def _delivered(self, user: User, *product_ids: str) -> Order:
        order = self._order(user, None, *product_ids)
        for to in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
            order = self.store.orders.advance(by=SYSTEM, order_id=order.id, to=to)
        return order

    def _refund(self, user: User, order: Order) -> Refund:
        items = [(order.lines[0].id, 1)]
        return self.store.refunds.request(by=user, order_id=order.id, items=items, reason="Too small.")

    def _order(self, by: User | Guest, email: str | None = None, *product_ids: str) -> Order:
        items = [(product_id, 1) for product_id in product_ids or [self.things["product"]]]
        return self.store.orders.place(by=by, items=items, deliver_to=make_address(), email=email)

    def _dead_mail(self) -> str:
        """The id of mail that was given up."""
        with self.storage.writing(self.store.clock(), uuid7) as unit:
            notice = make_notice(unit.new_id, state=NoticeState.DEAD)
            unit.outbox.add([notice])
            unit.commit()
        return notice.id

    def _mailed(self, user: User, template: Template) -> str:
        links = [
            str(notice.data["link"])
            for notice, _ in self.mailer.sent
            if notice.recipient == user.email and notice.template is template
        ]
        return links[-1].partition("?token=")[2]
