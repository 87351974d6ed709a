"""What the app is assembled from: the store, the tokens it trusts, and the settings that HTTP depends on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal, Protocol

from storecore.money import Money
from storecore.store import Store
from webapp.metrics import Metrics

Network = IPv4Network | IPv6Network

SOCKETS, SOCKETS_EACH = 200, 8
"""Live conversations at a process, and of one person among them."""


class AccessClaims(Protocol):
    """What an access token says."""

    @property
    def user_id(self) -> str:
        """Whose it is."""

    @property
    def session_id(self) -> str:
        """The sign-in that it was issued for."""


class AccessTokens(Protocol):
    """Short-lived signed tokens that name a user and their session."""

    def issue(self, *, user_id: str, session_id: str, at: datetime, lifetime: timedelta) -> str:
        """A token that is good for ``lifetime``."""

    def read(self, token: str, *, at: datetime) -> AccessClaims:
        """What a token says. Raises ``NotAuthenticated`` when it is expired, forged or anything else."""


class SignedValues(Protocol):
    """Plain JSON values signed so that nobody can make or change one; each is for one purpose."""

    def dumps(self, purpose: str, value: Any) -> str:
        """The value as URL-safe characters."""

    def loads(self, purpose: str, text: str) -> Any:
        """What was signed. Raises ``Invalid`` for anything else."""


class DemoBank(Protocol):
    """The payment provider for development, whose page the app shows."""

    @property
    def numbers(self) -> Mapping[str, str]:
        """Every test number, and what happens to it."""

    def due(self, reference: str) -> tuple[str, Money, str, str | None]:
        """What is paid for, the amount, the state, and why it failed. Raises ``NotFound``."""

    def charge(self, reference: str, number: str) -> object:
        """Somebody gave a number. Raises ``ProviderDown``."""

    def approve(self, reference: str, *, approved: bool) -> object:
        """Somebody took the second step."""

    def tell(self, reference: str, at: datetime) -> tuple[Mapping[str, str], bytes]:
        """The headers and the body of the event for the shop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """How cookies are set. ``secure`` also asks browsers to stay on HTTPS (HSTS)."""

    secure: bool = False
    domain: str | None = None
    path: str = "/"
    samesite: Literal["lax", "strict", "none"] = "lax"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatLimits:
    """Live conversations: how many ``sockets`` a process holds, each with a thread of its own, and how many of them are
    ``each`` person's (None: any number); how many messages of ``history``, and how much of the ``queue``, a client is
    sent at first; and for how many seconds' ``patience`` a client may leave unread what it is sent.
    """

    sockets: int = SOCKETS
    each: int | None = SOCKETS_EACH
    history: int = 50
    queue: int = 50
    patience: float = 15.0


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything ``create_app`` needs.

    ``access_lifetime`` is how long an access token is good. ``cors_origins`` are the other origins whose pages may call
    with cookies. So many ``trusted_proxies`` in front are ours. ``allowed_hosts`` are the Host names to answer to; with
    none, any. Each of ``ready`` tells, by name, whether something that ``/ready`` asks about works; raising means no.
    ``demo_bank`` is the payment provider ``demo`` where it may be played with. ``metrics`` are what is
    counted, shown to whoever is in ``metrics_from``. With ``hsts_subdomains`` browsers keep to HTTPS at the hosts below
    ours too, where they do at ours.
    """

    store: Store
    access_tokens: AccessTokens
    values: SignedValues
    access_lifetime: timedelta = timedelta(minutes=30)
    cookies: Cookies = Cookies()
    cors_origins: tuple[str, ...] = ()
    hsts_subdomains: bool = False
    trusted_proxies: int = 0
    allowed_hosts: tuple[str, ...] = ()
    ready: Mapping[str, Callable[[], bool]] = field(default_factory=dict)
    demo_bank: DemoBank | None = None
    version: str = "0.1.0"
    chat: ChatLimits = ChatLimits()
    metrics: Metrics = field(default_factory=Metrics)
    metrics_from: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1"))
