"""Rate limits over HTTP: who is counted, when, and how clients are told.

Requests are counted by the address that they come from before anything else is done for them, by the account once it is
known who asks, and by the email that is given once the body was read. All count, also those that are refused later, and
those that an ``Idempotency-Key`` repeats. Answers tell how things stand in ``RateLimit`` and ``RateLimit-Policy``, as
draft-ietf-httpapi-ratelimit-headers-10 has them.

What counts being down, requests pass: a shop that sells uncounted is better than one that is closed. (Passwords are
guarded by the core, which then lets nobody in.)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from ipaddress import IPv6Address, ip_address, ip_network

import structlog
from flask import Flask, Request, Response, request

from storecore.accounts.model import Actor, Guest
from storecore.errors import TooManyRequests, Unavailable
from storecore.ports import Allowance, RateLimit
from storecore.store import Store

POLICY, STANDING = "RateLimit-Policy", "RateLimit"

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
_WINDOWS = {MINUTE: "a minute", HOUR: "an hour"}

_ALLOWANCES = "storecore.allowances"

log = structlog.get_logger("storecore.http")


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How often a thing may be done in a ``window`` from one ``address``, by one ``account``, and for one ``email``.

    Where there is no number, nothing is counted. With ``guests``, users are not.
    """

    name: str
    window: timedelta
    address: int | None = None
    account: int | None = None
    email: int | None = None
    guests: bool = False

    @cached_property
    def by_address(self) -> RateLimit | None:
        """The limit of an address; IPv6 networks of 64 bits, which are given to one customer, count as one."""
        return self._of("address", self.address)

    @cached_property
    def by_account(self) -> RateLimit | None:
        """The limit of a user, or of whoever holds a conversation's token."""
        return self._of("account", self.account)

    @cached_property
    def by_email(self) -> RateLimit | None:
        """The limit of an email that is given."""
        return self._of("email", self.email)

    def _of(self, whom: str, most: int | None) -> RateLimit | None:
        return None if most is None else RateLimit(name=f"{self.name}-{whom}", most=most, window=self.window)

    def described(self) -> str:
        """In words, for the documentation."""
        numbers = {"from one address": self.address, "by one account": self.account, "for one email": self.email}
        rates = ", ".join(f"{most} {whom}" for whom, most in numbers.items() if most is not None)
        return f"Limited to {rates} in {_WINDOWS[self.window]}{' (guests only)' if self.guests else ''}."


def arrived(store: Store, asked: Request, limit: Limit) -> None:
    """A request has come; nobody has looked at it yet. Raises ``TooManyRequests``."""
    if limit.by_address and not limit.guests:
        _count(store, asked, limit.by_address, place(asked))


def recognised(store: Store, asked: Request, limit: Limit, by: Actor) -> None:
    """It is known who asks. Raises ``TooManyRequests``."""
    if limit.by_address and limit.guests and isinstance(by, Guest):
        _count(store, asked, limit.by_address, place(asked))
    if limit.by_account and (account := _account(by)):
        _count(store, asked, limit.by_account, account)


def read(store: Store, asked: Request, limit: Limit, by: Actor, body: object) -> None:
    """It is known what is asked for. Raises ``TooManyRequests``."""
    email = getattr(body, "email", None)
    if limit.by_email and isinstance(email, str) and (isinstance(by, Guest) or not limit.guests):
        _count(store, asked, limit.by_email, email.strip().lower())


def said(store: Store, asked: Request, limit: Limit, by: Actor) -> None:
    """Somebody says something at a socket, which was opened by a request. Raises ``TooManyRequests``."""
    for rate, key in ((limit.by_address, place(asked)), (limit.by_account, _account(by))):
        if rate and key:
            _take(store, rate, key, [])


def place(asked: Request) -> str:
    """Where a request comes from, as far as the proxies in front can be trusted: who has it has all of its network."""
    address = asked.remote_addr or ""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((found, 64), strict=False).network_address)


def _account(by: Actor) -> str | None:
    return by.conversation_id if isinstance(by, Guest) else by.id


def _count(store: Store, asked: Request, rate: RateLimit, key: str) -> None:
    """Take one, and remember to tell how things stand then."""
    _take(store, rate, key, asked.environ.setdefault(_ALLOWANCES, []))


def _take(store: Store, rate: RateLimit, key: str, told: list[Allowance]) -> None:
    try:
        allowance = store.rate_limits.take(rate, key, store.clock())
    except Unavailable as down:
        log.warning("requests are not counted", limit=rate.name, error=down.message)
        return
    told.append(allowance)
    if allowance.exceeded:
        seconds = allowance.seconds
        raise TooManyRequests(f"Too many requests; try again in {seconds} seconds.", retry_after=seconds)


def install(app: Flask) -> None:
    """Tell clients of an app how they stand."""

    @app.after_request
    def tell(answer: Response) -> Response:
        allowances: Iterable[Allowance] | None = request.environ.get(_ALLOWANCES)
        if allowances:
            answer.headers[POLICY] = ", ".join(map(_policy, allowances))
            answer.headers[STANDING] = ", ".join(map(_standing, allowances))
        return answer


def _policy(allowance: Allowance) -> str:
    limit = allowance.limit
    return f'"{limit.name}";q={limit.most};w={limit.window // timedelta(seconds=1)}'


def _standing(allowance: Allowance) -> str:
    return f'"{allowance.limit.name}";r={allowance.remaining};t={allowance.seconds}'
