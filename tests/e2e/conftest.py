"""A whole shop behind a real socket, on each database: mail is files, and the clock moves when it is told to.

A server stays open from test to test, since opening one takes longer than most of them; each finds it empty.
"""

import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import URL
from werkzeug.serving import WSGIRequestHandler, make_server

from adapters.encryption import FernetCipher
from adapters.jwt_tokens import JwtAccessTokens
from adapters.local_rate_limits import Unlimited
from adapters.passwords import Argon2Passwords
from adapters.payments.demo import DemoPayments
from adapters.secrets import new_key
from adapters.sql import open_rate_limits, open_store
from adapters.tokens import SignedValues
from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.money import Money
from storecore.ports import RateLimits
from storecore.shop import Shop
from storecore.store import Store
from storecore.testing.builders import NOW
from tests.databases import DATABASES, database, empty
from tests.e2e import processes
from tests.postgresql import conninfo
from webapp import create_app
from webapp.chat import Chat
from webapp.http.parts import ChatLimits, Parts

API = "/api/v1"
OPENED = NOW.replace(microsecond=123_456)
"""A moment as real clocks tell it."""
PASSWORD = "correct horse battery"


class MovableClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime = OPENED) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        """Let time pass: ``clock.forward(minutes=31)``."""
        self.at += timedelta(**by)


class Switch:
    """Rate limits that are off until a test turns them on."""

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        self._now: RateLimits = Unlimited()

    def turn_on(self) -> None:
        """Limit everything from now on."""
        self._now = self._limits

    def turn_off(self) -> None:
        """Limit nothing any more, and forget everything."""
        self._limits.sweep(OPENED + timedelta(days=1000))
        self._now = Unlimited()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._now, name)

    def close(self) -> None:
        """Give back connections; the store does so too."""
        self._limits.close()


@dataclass
class LiveShop:
    """A running server, the store behind it, and who comes to it. Any 5xx answer fails the test at once."""

    address: str
    store: Store
    clock: MovableClock
    where: Path | URL
    mail_folder: Path
    bank: DemoPayments
    chat: Chat
    _clients: ExitStack = field(default_factory=ExitStack)
    _skus: Iterator[int] = field(default_factory=count)

    def visitor(self, **headers: str) -> httpx.Client:
        """A new HTTP client with cookies of its own; paths begin after ``/api/v1``."""
        client = httpx.Client(
            base_url=f"{self.address}{API}",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            timeout=30,
            trust_env=False,
            verify=False,  # there is no TLS here, and loading certificates for it takes longer than a test
            event_hooks={"response": [_never_fails]},
        )
        return self._clients.enter_context(client)

    def register(self, email: str, *, full_name: str = "Ada Lovelace", **more: Any) -> dict[str, Any]:
        """Open an account with the password ``PASSWORD``; the user as the API shows it."""
        body = {"email": email, "password": PASSWORD, "full_name": full_name, **more}
        answer = self.visitor().post("/auth/register", json=body)
        assert answer.status_code == 201, answer.text
        user: dict[str, Any] = answer.json()
        return user

    def signed_in(self, email: str, password: str = PASSWORD) -> httpx.Client:
        """A client that holds the cookies of a new session."""
        client = self.visitor()
        answer = client.post("/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        return client

    def bearer(self, email: str, password: str = PASSWORD) -> httpx.Client:
        """A client that sends an access token of a new session."""
        answer = self.visitor().post("/auth/token", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        return self.visitor(Authorization=f"Bearer {answer.json()['access_token']}")

    def customer(self, email: str = "ada@example.com", **more: Any) -> httpx.Client:
        """A new customer, signed in by cookies."""
        self.register(email, **more)
        return self.signed_in(email)

    def staff(self, role: Role, email: str | None = None) -> httpx.Client:
        """A new member of staff, signed in by cookies."""
        email = email or f"{role}@example.com"
        user = self.register(email, full_name="Grace Hopper")
        self.store.accounts.set_role(by=SYSTEM, user_id=user["id"], role=role)
        return self.signed_in(email)

    def hat(self, *, stock: int = 10, price: str = "20.00", **more: Any) -> str:
        """Put a new product on the shelf; its id."""
        catalog, currency = self.store.catalog, self.store.shop.currency
        sku = f"HAT-{next(self._skus)}"
        category = catalog.create_category(by=SYSTEM, name=f"Shelf of {sku}")
        fields = {"sku": sku, "name": "Straw hat", "category_ids": [category.id], **more}
        made = catalog.create_product(by=SYSTEM, price=Money.parse(price, currency), stock=stock, **fields)
        return made.product.id

    def mail(self, to: str) -> list[EmailMessage]:
        """Everything that was written to somebody so far, oldest first; what is due is sent first."""
        while self.store.work():
            pass
        letters = [_read(path) for path in sorted(self.mail_folder.glob("*.eml"))]
        return [letter for letter in letters if letter["To"] == to]

    def link(self, to: str, purpose: str) -> str:
        """The newest ``//links/<purpose>`` address that somebody was sent."""
        found = re.compile(rf"{re.escape(self.address)}/links/{purpose}\?token=[\w.-]+")
        texts = [text_of(letter) for letter in self.mail(to)]
        links: list[str] = [link for text in texts for link in found.findall(text)]
        assert links, f"no link to {purpose} among {len(texts)} letters to {to}"
        return links[-1]

    def token(self, to: str, purpose: str) -> str:
        """The token in that link."""
        return self.link(to, purpose).partition("?token=")[2]

    def close(self) -> None:
        """Say good-bye to the visitors."""
        self._clients.close()


def text_of(letter: EmailMessage) -> str:
    """The plain text of a mail."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is this problem; its body."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.json()
    assert body["code"] == code, body
    return body


def _read(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)


def _never_fails(answer: httpx.Response) -> None:
    answer.read()
    assert answer.status_code < 500, f"{answer.request.method} {answer.request.url}: {answer.text}"


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        """The app logs its requests."""


@dataclass(frozen=True, kw_only=True)
class Premises:
    """What stays between tests: a server over a database, and its clock."""

    address: str
    store: Store
    clock: MovableClock
    where: Path | URL
    mail_folder: Path
    bank: DemoPayments
    chat: Chat
    switch: Switch

    def clear(self) -> None:
        """Leave nothing of a test behind."""
        empty(self.where)
        shutil.rmtree(self.mail_folder, ignore_errors=True)
        shutil.rmtree(self.mail_folder.with_suffix(".files"), ignore_errors=True)
        self.clock.at = OPENED
        self.switch.turn_off()


@pytest.fixture(scope="session", params=DATABASES)
def premises(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Premises]:
    """A server on each database."""
    folder = tmp_path_factory.mktemp("shop")
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listener.getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        clock, keys = MovableClock(), [new_key()]
        where = stack.enter_context(database(request.param, folder))
        cipher = FernetCipher(keys)
        switch = stack.enter_context(closing(Switch(open_rate_limits(where, cipher=cipher))))
        bank = DemoPayments(folder / "demo-bank.db", page=f"{address}/demo-bank")
        store = stack.enter_context(
            open_store(
                where if isinstance(where, Path) else conninfo(where),
                keys=folder / "shop.keys",
                shop=Shop(public_url=address, refuses_common_passwords=True),
                clock=clock,
                passwords=Argon2Passwords(time_cost=1, memory_cost=8),
                rate_limits=switch,
                providers={"demo": bank},
            )
        )
        app = create_app(
            Parts(store=store, access_tokens=JwtAccessTokens(keys), values=SignedValues(keys), demo_bank=bank)
        )
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet, fd=listener.fileno())
        stack.callback(server.server_close)
        thread = Thread(target=server.serve_forever, args=(0.01,), name="server")
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        chat = app.extensions["storecore.chat"]
        stack.callback(chat.close, wait=5)
        yield Premises(
            address=address,
            store=store,
            clock=clock,
            where=where,
            mail_folder=folder / "shop.mail",
            bank=bank,
            chat=chat,
            switch=switch,
        )


@pytest.fixture
def clock(premises: Premises) -> MovableClock:
    return premises.clock


@pytest.fixture
def limits(request: pytest.FixtureRequest) -> ChatLimits:
    """Of live conversations."""
    given: ChatLimits = getattr(request, "param", ChatLimits())
    return given


@pytest.fixture
def live(premises: Premises, clock: MovableClock, limits: ChatLimits) -> Iterator[LiveShop]:
    """An empty shop on a socket."""
    premises.chat.limits = limits
    store = premises.store.at(clock)  # it has not swept yet
    shop = LiveShop(premises.address, store, clock, premises.where, premises.mail_folder, premises.bank, premises.chat)
    yield shop
    shop.close()
    premises.clear()


@pytest.fixture
def limited(live: LiveShop, premises: Premises) -> LiveShop:
    """The same, with its rate limits on."""
    premises.switch.turn_on()
    return live


@pytest.fixture
def visitor(live: LiveShop) -> httpx.Client:
    """Somebody without an account."""
    return live.visitor()


@pytest.fixture(scope="session", params=DATABASES)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[processes.Shop]:
    """Two server processes with demo data on each database; tests make what they need and leave it there."""
    with processes.opened(request.param, tmp_path_factory.mktemp("instance")) as shop:
        yield shop
