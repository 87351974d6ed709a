"""Routes of signing up, in and out."""

from datetime import datetime
from typing import Annotated, Any, Literal

from typing_extensions import TypedDict

from storecore.accounts.model import Guest, Session, User
from storecore.accounts.signing_in import SignedIn
from storecore.errors import (
    EmailTaken,
    Forbidden,
    InvalidCredentials,
    NotAuthenticated,
    SessionEnded,
    TokenReused,
)
from storecore.lists import Page
from webapp import limits
from webapp.carts import CartView, show_cart
from webapp.credentials import Email, NewPassword, Password
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Text
from webapp.http.validation import Body
from webapp.sessions import Who
from webapp.users import FullName, HomeAddress, Phone, TaxId, UserView, page_of, show_user

routes = Routes("auth", "Accounts and sessions.")

RefreshToken = Annotated[str, Text(2000)]


class Registration(Body):
    """A new account, always a customer's."""

    email: Email
    password: NewPassword
    full_name: FullName
    home_address: HomeAddress | None = None
    phone: Phone | None = None
    tax_id: TaxId | None = None


@routes.endpoint(
    "POST",
    "/auth/register",
    show=show_user,
    location="/users/{id}",
    who=Who.NEWCOMER,
    once=True,
    limit=limits.REGISTER,
    refuses=(EmailTaken,),
)
def register(ask: Ask[Registration]) -> User:
    """Open an account.

    A mail asks to confirm the address. This signs nobody in: `POST /auth/login` does.
    """
    return ask.store.accounts.register(**ask.body.model_dump(), once=ask.once)


class Credentials(Body):
    """What one signs in with."""

    email: Email
    password: Password


class CappedView(TypedDict):
    """Of a product, fewer were kept than wanted when two carts became one."""

    product_id: str
    wanted: int
    kept: int


class LoginView(TypedDict):
    """Who is signed in, and their cart. The tokens are in cookies."""

    user: UserView
    cart: CartView
    capped: list[CappedView]


@routes.endpoint("POST", "/auth/login", who=Who.NEWCOMER, limit=limits.SIGN_IN, refuses=(InvalidCredentials, Forbidden))
def login(ask: Ask[Credentials]) -> LoginView:
    """Sign in with cookies.

    What was put into a cart before signing in goes into the user's own cart; `capped` names the products of which
    less was available than both carts held together.

    After five wrong passwords in a row from one address the account is closed to that address for a minute, after each
    further one for twice as long, up to an hour: the right one gets a 429 then, too. A new password, set by the link
    of a mail, ends that.
    """
    signed_in = ask.store.accounts.login(
        email=ask.body.email, password=ask.body.password, device=ask.device, address=ask.place
    )
    cart_id = ask.by.cart_id if isinstance(ask.by, Guest) else None
    merged = ask.store.carts.merge(by=signed_in.user, cart_id=cart_id)
    ask.sessions.open(signed_in)
    ask.sessions.drop_cart()
    return {
        "user": show_user(signed_in.user),
        "cart": show_cart(merged.cart),
        "capped": [{"product_id": each.product_id, "wanted": each.wanted, "kept": each.kept} for each in merged.capped],
    }


class TokenView(TypedDict):
    """Tokens for a client that keeps them itself. ``expires_in`` is in seconds, and about the access token."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    user: UserView


def show_tokens(signed_in: SignedIn, ask: Ask[Any]) -> TokenView:
    """The tokens of a session that was just opened or prolonged."""
    return {
        "access_token": ask.sessions.access_token(signed_in),
        "refresh_token": signed_in.refresh_token,
        "token_type": "Bearer",
        "expires_in": ask.sessions.expires_in,
        "user": show_user(signed_in.user),
    }


@routes.endpoint(
    "POST",
    "/auth/token",
    show=show_tokens,
    who=Who.NEWCOMER,
    limit=limits.SIGN_IN,
    refuses=(InvalidCredentials, Forbidden),
)
def token(ask: Ask[Credentials]) -> SignedIn:
    """Sign in with tokens, for clients that are no browsers.

    Send the access token as `Authorization: Bearer …`. Wrong passwords count as at `/auth/login`.
    """
    return ask.store.accounts.login(
        email=ask.body.email, password=ask.body.password, device=ask.device, address=ask.place
    )


class Renewal(Body):
    """The refresh token of a client that keeps it itself; a browser's is in its cookie."""

    refresh_token: RefreshToken | None = None


class RenewedView(TypedDict):
    """Whose session was prolonged. The tokens are in cookies."""

    expires_in: int
    user: UserView


@routes.endpoint("POST", "/auth/refresh", who=Who.NEWCOMER, limit=limits.REFRESH, refuses=(SessionEnded, TokenReused))
def refresh(ask: Ask[Renewal]) -> TokenView | RenewedView:
    """Swap a refresh token for a fresh pair of tokens.

    With `refresh_token` in the body the tokens are in the answer, otherwise the cookies are renewed. A refresh token
    works once; when one comes back more than 10 seconds later its session ends.
    """
    if ask.body.refresh_token is not None:
        return show_tokens(ask.store.accounts.refresh(refresh_token=ask.body.refresh_token), ask)
    if ask.refresh_token is None:
        raise NotAuthenticated()
    try:
        renewed = ask.store.accounts.refresh(refresh_token=ask.refresh_token)
    except NotAuthenticated:
        ask.sessions.close()
        raise
    ask.sessions.open(renewed)
    return {"expires_in": ask.sessions.expires_in, "user": show_user(renewed.user)}


@routes.endpoint("POST", "/auth/logout")
def logout(ask: Ask[Renewal]) -> None:
    """Sign out.

    Ends the session of the access token or cookies that are sent, or of the `refresh_token` in the body.
    """
    refresh_token = ask.refresh_token if ask.body.refresh_token is None else ask.body.refresh_token
    ask.store.accounts.logout(session_id=ask.session_id, refresh_token=refresh_token)
    ask.sessions.close()


@routes.endpoint("GET", "/auth/me", show=show_user, who=Who.SIGNED_IN)
def me(ask: Ask) -> User:
    """Who am I?"""
    return ask.user


class SessionView(TypedDict):
    """A sign-in on one device. ``current`` is the one that asks."""

    id: str
    device: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    current: bool


def show_session(session: Session, ask: Ask[Any]) -> SessionView:
    """A session, for its owner."""
    return {
        "id": session.id,
        "device": session.device,
        "created_at": session.created_at,
        "seen_at": session.seen_at,
        "expires_at": session.expires_at,
        "current": session.id == ask.session_id,
    }


@routes.endpoint("GET", "/auth/sessions", show=show_session, who=Who.SIGNED_IN)
def list_sessions(ask: Ask) -> Page[Session]:
    """Where I am signed in, newest first."""
    return page_of(ask.store.accounts.sessions(by=ask.by), ask.page, newest_first=True)


@routes.endpoint("DELETE", "/auth/sessions/{session_id}", who=Who.SIGNED_IN)
def end_session(ask: Ask, session_id: str) -> None:
    """Sign one of my devices out."""
    ask.store.accounts.end_session(by=ask.by, session_id=session_id)
    if session_id == ask.session_id:
        ask.sessions.close()
