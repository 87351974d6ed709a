"""What a route's function is handed: who asks, what was parsed, and the store."""

from dataclasses import dataclass
from typing import Generic

from flask import Request
from typing_extensions import TypeVar

from storecore.accounts.model import Actor, User, require_user
from storecore.lists import FIRST_PAGE, PageRequest
from storecore.store import Store
from storecore.transactions import Once
from webapp.http.limiting import place
from webapp.http.parts import Parts
from webapp.sessions import REFRESH, Sessions

B = TypeVar("B", default=None)
Q = TypeVar("Q", default=None)


@dataclass(slots=True, kw_only=True)
class Ask(Generic[B, Q]):
    """One request: ``Ask[Body]``, ``Ask[Body, Query]``, ``Ask[None, Query]``, ``Ask[bytes]``, or plain ``Ask``.

    ``page`` is the page of a list that is wanted. ``once`` is set when the client sent an ``Idempotency-Key`` to a
    route that takes one; ``if_version`` when it sent ``If-Match``. Both go to the use case as they are.
    """

    parts: Parts
    sessions: Sessions
    request: Request
    request_id: str
    by: Actor
    session_id: str | None
    body: B
    query: Q
    page: PageRequest = FIRST_PAGE
    once: Once | None = None
    if_version: int | None = None

    @property
    def store(self) -> Store:
        """The shop."""
        return self.parts.store

    @property
    def user(self) -> User:
        """The user who asks. Raises ``NotAuthenticated`` for a guest."""
        return require_user(self.by)

    @property
    def address(self) -> str:
        """The network address it came from, as far as the proxies in front can be trusted."""
        return self.request.remote_addr or ""

    @property
    def place(self) -> str:
        """The address, or the network that whoever has the address has all of: by which wrong passwords are counted."""
        return place(self.request)

    @property
    def device(self) -> str:
        """What the client calls itself, for a list of sessions."""
        named = self.request.headers.get("User-Agent", "")
        return "".join(c for c in named if c.isprintable())[:200].strip()

    @property
    def refresh_token(self) -> str | None:
        """The refresh token of the browser that asks."""
        return self.request.cookies.get(REFRESH)
