"""The administration of users over HTTP: who there is, who is staff, what they may do, who is banned."""

from typing import Annotated

from pydantic import Field

from storecore.accounts.model import User
from storecore.accounts.permissions import Permission, Role
from storecore.errors import LastAdmin, NotFound
from storecore.lists import Page
from storecore.ports import UserQuery
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Choice, Text
from webapp.http.validation import Body, Query
from webapp.users import UserView, show_user

routes = Routes("administration", "Who is staff, what they may do, and who is kept out. Changes count at once.")


class AccountView(UserView):
    """A user, as an admin sees them. ``grants`` are what was granted or denied beside the role."""

    grants: dict[str, bool]


def show_account(user: User) -> AccountView:
    """A user for whoever administers users."""
    return {**show_user(user), "grants": {name.value: allowed for name, allowed in sorted(user.grants.items())}}


class UserList(Query):
    """Which users. ``q`` is what the email, the name or the last name begins with, in any case, accents aside."""

    q: Annotated[str, Text(200)] | None = Field(None, description="What an email, a name or a last name begins with.")
    role: Choice[Role] | None = None
    active: bool | None = Field(None, description="Not banned, or banned.")


@routes.endpoint("GET", "/users", show=show_account, may=Permission.USERS_READ)
def list_users(ask: Ask[None, UserList]) -> Page[User]:
    """Users, newest first.

    With `q`, in alphabetical order of what it was found in.
    """
    query = UserQuery(text=ask.query.q, role=ask.query.role, active=ask.query.active)
    return ask.store.accounts.users(by=ask.by, query=query, page=ask.page)


class RoleChange(Body):
    """What somebody is to be."""

    role: Choice[Role]


class PermissionChange(Body):
    """Granted, or denied whatever the role says."""

    allowed: bool


@routes.endpoint(
    "PATCH", "/users/{user_id}/role", show=show_account, may=Permission.USERS_WRITE, etag=True, refuses=(LastAdmin,)
)
def change_role(ask: Ask[RoleChange], user_id: str) -> User:
    """Make somebody something else; nobody changes their own role."""
    return ask.store.accounts.set_role(by=ask.by, user_id=user_id, role=ask.body.role, if_version=ask.if_version)


@routes.endpoint(
    "POST", "/users/{user_id}/ban", show=show_account, may=Permission.USERS_WRITE, etag=True, refuses=(LastAdmin,)
)
def ban(ask: Ask, user_id: str) -> User:
    """Close an account.

    Its sessions end at once, its sockets within a second, and conversations it had claimed go back to the queue.
    """
    return ask.store.accounts.ban(by=ask.by, user_id=user_id, if_version=ask.if_version)


@routes.endpoint("DELETE", "/users/{user_id}/ban", may=Permission.USERS_WRITE, etag=True)
def unban(ask: Ask, user_id: str) -> None:
    """Open an account again; its owner signs in anew."""
    ask.store.accounts.unban(by=ask.by, user_id=user_id, if_version=ask.if_version)


@routes.endpoint("PUT", "/users/{user_id}/permissions/{name}", show=show_account, may=Permission.USERS_WRITE, etag=True)
def set_permission(ask: Ask[PermissionChange], user_id: str, name: str) -> User:
    """Grant or deny one permission, whatever the role says; nobody changes their own."""
    return ask.store.accounts.set_permission(
        by=ask.by,
        user_id=user_id,
        permission=_permission(name),
        allowed=ask.body.allowed,
        if_version=ask.if_version,
    )


@routes.endpoint("DELETE", "/users/{user_id}/permissions/{name}", may=Permission.USERS_WRITE, etag=True)
def reset_permission(ask: Ask, user_id: str, name: str) -> None:
    """Return one permission to what the role says."""
    ask.store.accounts.set_permission(
        by=ask.by, user_id=user_id, permission=_permission(name), allowed=None, if_version=ask.if_version
    )


def _permission(name: str) -> Permission:
    """It is a part of the address, so that one which does not exist is not found."""
    try:
        return Permission(name)
    except ValueError:
        raise NotFound("There is no such permission.") from None
