"""Who asks: users by a bearer token or a cookie, guests by what they hold; and the cookies that make it so."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType

from flask import Request, Response, after_this_request

from storecore.accounts.model import GUEST, Actor, Guest, User, require, require_user
from storecore.accounts.permissions import Permission
from storecore.accounts.signing_in import SignedIn
from storecore.errors import Invalid, NotAuthenticated, SessionEnded
from webapp.http.parts import Parts
from webapp.http.problems import CrossSite

ACCESS = "access_token"
REFRESH = "refresh_token"
CART = "cart_token"
CART_LIFETIME = timedelta(days=90)
"""How long a browser keeps a guest's cart."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


class Who(Enum):
    """Who may ask, before any permission: see ``webapp.http``."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    HOLDER = "holder"
    PARTY = "party"
    NEWCOMER = "newcomer"


TOKENS: Mapping[Who, str] = MappingProxyType({Who.HOLDER: "X-Order-Token", Who.PARTY: "X-Conversation-Token"})
"""The header in which guests show what they hold; ``?token=`` does as well."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody, and the session they came with, if it was one."""

    by: Actor
    session_id: str | None = None


class Sessions:
    """Recognises callers, and opens and closes what they are recognised by."""

    def __init__(self, parts: Parts) -> None:
        self._store = parts.store
        self._tokens = parts.access_tokens
        self._values = parts.values
        self._lifetime = parts.access_lifetime
        self._cookies = parts.cookies
        self._origins = frozenset(origin.lower() for origin in parts.cors_origins)

    def refuse_cross_site(self, request: Request) -> None:
        """Let a request that changes something and brings cookies of ours pass only if no other site sent it.

        Raises ``CrossSite``. Browsers say where a request comes from in ``Sec-Fetch-Site``, older ones in ``Origin``;
        who sends neither is no browser. A bearer token is never sent by itself, so it exempts.
        """
        if request.method in SAFE or not any(name in request.cookies for name in (ACCESS, REFRESH, CART)):
            return
        self.refuse_foreign(request)

    def refuse_foreign(self, request: Request) -> None:
        """Let a request pass only if no other site sent it, whatever it brings but a bearer token.

        Raises ``CrossSite``.
        """
        if _bearer(request) is not None:
            return
        origin = request.environ.get("HTTP_ORIGIN")
        if origin is not None and origin.lower() in self._origins:
            return
        site = request.environ.get("HTTP_SEC_FETCH_SITE")
        if site is not None:
            same = site in ("same-origin", "none")
        else:
            same = origin is None or origin.lower().partition("://")[2] == request.host.lower()
        if not same:
            raise CrossSite()

    def caller(self, request: Request, who: Who = Who.ANYONE) -> Caller:
        """Who asks. A token that is no good, of whatever kind, raises ``NotAuthenticated``; a stale cookie does not:
        whoever brings one is a guest.
        """
        if who in TOKENS and (token := request.headers.get(TOKENS[who]) or request.args.get("token")):
            return Caller(self._holder(token, who))
        if who is not Who.NEWCOMER:
            if (token := _bearer(request)) is not None:
                return self._user(token)
            if token := request.cookies.get(ACCESS):
                try:
                    return self._user(token)
                except NotAuthenticated as stale:
                    if who is Who.SIGNED_IN:
                        raise SessionEnded() from stale
        return Caller(self._guest(request))

    def _user(self, token: str) -> Caller:
        claims = self._tokens.read(token, at=self._store.clock())
        user = self._store.accounts.authenticate(session_id=claims.session_id)
        if user.id != claims.user_id:
            raise SessionEnded()
        return Caller(user, claims.session_id)

    def _holder(self, token: str, who: Who) -> Guest:
        try:
            return (self._store.orders if who is Who.HOLDER else self._store.support).holder(token)
        except Invalid as error:
            raise NotAuthenticated(error.message) from None

    def _guest(self, request: Request) -> Guest:
        token = request.cookies.get(CART)
        if not token:
            return GUEST
        try:
            return Guest(cart_id=self._values.loads("cart", token))
        except Invalid:
            return GUEST

    def access_token(self, signed_in: SignedIn) -> str:
        """An access token for a session, for clients that keep tokens themselves."""
        return self._tokens.issue(
            user_id=signed_in.user.id,
            session_id=signed_in.session.id,
            at=self._store.clock(),
            lifetime=self._lifetime,
        )

    @property
    def expires_in(self) -> int:
        """Seconds for which an access token is good."""
        return int(self._lifetime.total_seconds())

    def open(self, signed_in: SignedIn) -> None:
        """Give the browser that is being answered the cookies of a session."""
        self._set(ACCESS, self.access_token(signed_in), self._lifetime)
        self._set(REFRESH, signed_in.refresh_token, signed_in.session.expires_at - self._store.clock())

    def close(self) -> None:
        """Take the cookies of its session from the browser that is being answered."""
        self._clear(ACCESS)
        self._clear(REFRESH)

    def keep_cart(self, cart_id: str) -> None:
        """Let the browser that is being answered hold a guest's cart."""
        self._set(CART, self._values.dumps("cart", cart_id), CART_LIFETIME)

    def drop_cart(self) -> None:
        """Take a guest's cart from the browser that is being answered."""
        self._clear(CART)

    def _set(self, name: str, value: str, lifetime: timedelta) -> None:
        cookies = self._cookies
        _on_answer(
            lambda answer: answer.set_cookie(
                name,
                value,
                max_age=lifetime,
                path=cookies.path,
                domain=cookies.domain,
                secure=cookies.secure,
                httponly=True,
                samesite=cookies.samesite.capitalize(),
            )
        )

    def _clear(self, name: str) -> None:
        cookies = self._cookies
        _on_answer(
            lambda answer: answer.delete_cookie(
                name,
                path=cookies.path,
                domain=cookies.domain,
                secure=cookies.secure,
                httponly=True,
                samesite=cookies.samesite.capitalize(),
            )
        )


def _on_answer(change: Callable[[Response], None]) -> None:
    @after_this_request
    def changed(answer: Response) -> Response:
        change(answer)
        return answer


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def admit(by: Actor, who: Who, may: Sequence[Permission]) -> None:
    """Let somebody in, by the core's own rules. Raises ``NotAuthenticated``, then ``Forbidden``."""
    if isinstance(by, User):
        require_user(by)
    elif isinstance(by, Guest) and not _admits(who, by):
        raise NotAuthenticated()
    if may:
        require(by, *may)


def _admits(who: Who, guest: Guest) -> bool:
    if who is Who.HOLDER:
        return guest.order_id is not None
    if who is Who.PARTY:
        return guest.conversation_id is not None
    return who is not Who.SIGNED_IN
