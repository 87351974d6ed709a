"""Routes of users: one's own profile and address book, and what others may see of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol, TypeVar

from typing_extensions import TypedDict

from storecore.accounts.model import SavedAddress, User
from storecore.accounts.permissions import Permission
from storecore.accounts.profiling import Profile
from storecore.errors import NotFound
from storecore.lists import Page, PageRequest
from webapp.addresses import AddressView, Country, DeliveryAddress, show_address
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import FreeObject, Text
from webapp.http.validation import Body, absent
from webapp.sessions import Who

routes = Routes("users", "Profiles and addresses.")

FullName = Annotated[str, Text(200)]
Phone = Annotated[str, Text(40, least=0)]
TaxId = Annotated[str, Text(40, least=0)]
HomeAddress = Annotated[str, Text(500, least=0)]


class UserView(TypedDict):
    """A user, as they see themselves. ``permissions`` are in alphabetical order."""

    id: str
    email: str
    full_name: str
    role: str
    permissions: list[str]
    is_active: bool
    email_verified: bool
    phone: str | None
    tax_id: str | None
    home_address: str | None
    preferences: dict[str, Any]
    created_at: datetime
    version: int


def show_user(user: User) -> UserView:
    """A user in full, for themselves and for those who may read users."""
    return {
        "id": user.id,
        "email": user.email,
        "full_name": user.full_name,
        "role": user.role.value,
        "permissions": sorted(permission.value for permission in user.permissions),
        "is_active": user.is_active,
        "email_verified": user.email_verified,
        "phone": user.phone,
        "tax_id": user.tax_id,
        "home_address": user.home_address,
        "preferences": dict(user.preferences),
        "created_at": user.created_at,
        "version": user.version,
    }


class ProfileChanges(Body):
    """What to change; what is left out stays, null removes."""

    full_name: FullName = absent()
    phone: Phone | None = None
    tax_id: TaxId | None = None
    home_address: HomeAddress | None = None
    preferences: FreeObject = absent()


@routes.endpoint("GET", "/users/me", show=show_user, who=Who.SIGNED_IN, etag=True)
def me(ask: Ask) -> User:
    """My profile."""
    return ask.user


@routes.endpoint("PATCH", "/users/me", show=show_user, who=Who.SIGNED_IN, etag=True)
def update_me(ask: Ask[ProfileChanges]) -> User:
    """Change my profile.

    The email address and the password have routes of their own under `/auth`.
    """
    return ask.store.accounts.update_profile(by=ask.by, if_version=ask.if_version, **ask.body.given())


class PublicProfile(TypedDict):
    """A user, as any other user sees them."""

    id: str
    display_name: str
    created_at: datetime
    published_reviews: int


class FullProfile(UserView):
    """A user, as they see themselves, and with what others see."""

    display_name: str
    published_reviews: int


def show_profile(profile: Profile, ask: Ask) -> FullProfile | PublicProfile:
    """In full for whoever may read users and for oneself; little more than a name for everybody else."""
    user, published = profile.user, profile.published_reviews
    if ask.by.id == user.id or ask.by.may(Permission.USERS_READ):
        return {**show_user(user), "display_name": user.display_name, "published_reviews": published}
    return {
        "id": user.id,
        "display_name": user.display_name,
        "created_at": user.created_at,
        "published_reviews": published,
    }


@routes.endpoint("GET", "/users/{user_id}", show=show_profile, who=Who.SIGNED_IN)
def user(ask: Ask, user_id: str) -> Profile:
    """A user's public profile, or all of it for oneself and for those who may read users."""
    return ask.store.accounts.profile(by=ask.by, user_id=user_id)


Label = Annotated[str, Text(60, least=0)]


class NewAddress(DeliveryAddress):
    """An address to save."""

    label: Label | None = None


class AddressChanges(Body):
    """What to change; what is left out stays, null removes."""

    label: Label | None = None
    recipient: Annotated[str, Text(200)] = absent()
    line1: Annotated[str, Text(200)] = absent()
    line2: Annotated[str, Text(200, least=0)] | None = None
    city: Annotated[str, Text(100)] = absent()
    region: Annotated[str, Text(100, least=0)] | None = None
    postal_code: Annotated[str, Text(20)] = absent()
    country: Country = absent()


class SavedAddressView(AddressView):
    """An entry of an address book."""

    id: str
    label: str | None
    created_at: datetime


def show_saved_address(saved: SavedAddress) -> SavedAddressView:
    """An entry of an address book, for its owner."""
    return {"id": saved.id, "label": saved.label, **show_address(saved.address), "created_at": saved.created_at}


@routes.endpoint("GET", "/users/me/addresses", show=show_saved_address, who=Who.SIGNED_IN)
def list_addresses(ask: Ask) -> Page[SavedAddress]:
    """My addresses, oldest first."""
    return page_of(ask.store.accounts.addresses(by=ask.by), ask.page)


@routes.endpoint(
    "POST",
    "/users/me/addresses",
    show=show_saved_address,
    location="/users/me/addresses/{id}",
    who=Who.SIGNED_IN,
    once=True,
)
def add_address(ask: Ask[NewAddress]) -> SavedAddress:
    """Save an address, up to 50 of them."""
    body = ask.body
    return ask.store.accounts.add_address(by=ask.by, address=body.read(), label=body.label, once=ask.once)


@routes.endpoint("GET", "/users/me/addresses/{address_id}", show=show_saved_address, who=Who.SIGNED_IN)
def address(ask: Ask, address_id: str) -> SavedAddress:
    """One of my addresses."""
    for saved in ask.store.accounts.addresses(by=ask.by):
        if saved.id == address_id:
            return saved
    raise NotFound("There is no such address.")


@routes.endpoint("PATCH", "/users/me/addresses/{address_id}", show=show_saved_address, who=Who.SIGNED_IN)
def update_address(ask: Ask[AddressChanges], address_id: str) -> SavedAddress:
    """Change one of my addresses. Orders that were placed keep theirs."""
    changes = ask.body.given()
    label = (changes.pop("label") or "") if "label" in changes else None
    return ask.store.accounts.update_address(by=ask.by, address_id=address_id, changes=changes, label=label)


@routes.endpoint("DELETE", "/users/me/addresses/{address_id}", who=Who.SIGNED_IN)
def remove_address(ask: Ask, address_id: str) -> None:
    """Forget one of my addresses. Orders that were placed keep theirs."""
    ask.store.accounts.remove_address(by=ask.by, address_id=address_id)


class Dated(Protocol):
    """A row of a list in order of time."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def created_at(self) -> datetime:
        """When it was made."""


R = TypeVar("R", bound=Dated)


def page_of(rows: Sequence[R], page: PageRequest, *, newest_first: bool = False) -> Page[R]:
    """One page of a short list that its use case gives whole; ``rows`` are in order of time, oldest or newest first."""

    def key(row: R) -> tuple[str, str]:
        return row.created_at.isoformat(timespec="microseconds"), row.id

    rest = sorted(rows, key=key, reverse=newest_first)
    if page.after is not None:
        rest = [row for row in rest if (key(row) < page.after if newest_first else key(row) > page.after)]
    items = tuple(rest[: page.limit])
    following = key(items[-1]) if len(rest) > page.limit else None
    return Page(items=items, next=following, total=len(rows) if page.total else None)
