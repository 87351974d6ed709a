"""Who is staff and what they may do: roles, single permissions, bans."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from storecore.accounts.model import Actor, User, require
from storecore.accounts.permissions import Permission, Role
from storecore.errors import Forbidden, LastAdmin
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.ports import Unit, UserQuery
from storecore.recording import record
from storecore.support.leaving import release_all
from storecore.support.model import Conversation
from storecore.support.telling import Telling
from storecore.transactions import reading, writing

EVERYBODY = UserQuery()

_Left = tuple[User, Sequence[Conversation]]
"""An account after a change, and the conversations that its owner had to leave."""


@dataclass(frozen=True, kw_only=True)
class Administering(Telling):
    """An admin's hand on other people's accounts. Every change counts from the next request on.

    Whoever is no support agent any more leaves their conversations to the others.
    """

    @reading
    def users(
        self, unit: Unit, *, by: Actor, query: UserQuery = EVERYBODY, page: PageRequest = FIRST_PAGE
    ) -> Page[User]:
        """Accounts: newest first, or in alphabetical order of what begins with ``query.text``."""
        require(by, Permission.USERS_READ)
        return unit.users.page(query, page)

    def set_role(self, *, by: Actor, user_id: str, role: Role, if_version: int | None = None) -> User:
        """Make somebody something else.

        Raises ``Forbidden`` for one's own role, ``NotFound``, ``PreconditionFailed``, ``LastAdmin``.
        """
        if by.id == user_id:
            raise Forbidden("Nobody can change their own role.")
        return self._told(self._set_role(by=by, user_id=user_id, role=role, if_version=if_version))

    @writing
    def _set_role(self, unit: Unit, *, by: Actor, user_id: str, role: Role, if_version: int | None) -> _Left:
        return _change(
            unit, by, user_id, lambda user: user.changed(role=role), action="user.set_role", if_version=if_version
        )

    def set_permission(
        self, *, by: Actor, user_id: str, permission: Permission, allowed: bool | None, if_version: int | None = None
    ) -> User:
        """Grant (True) or deny (False) one permission, or return it to the role's default (None).

        Raises ``Forbidden`` for one's own permissions, ``NotFound``, ``PreconditionFailed``.
        """
        if by.id == user_id:
            raise Forbidden("Nobody can change their own permissions.")
        return self._told(
            self._set_permission(by=by, user_id=user_id, permission=permission, allowed=allowed, if_version=if_version)
        )

    @writing
    def _set_permission(
        self,
        unit: Unit,
        *,
        by: Actor,
        user_id: str,
        permission: Permission,
        allowed: bool | None,
        if_version: int | None,
    ) -> _Left:
        def changed(user: User) -> User:
            others = {name: given for name, given in user.grants.items() if name is not permission}
            return user.changed(grants=others if allowed is None else others | {permission: allowed})

        return _change(unit, by, user_id, changed, action="user.set_permission", if_version=if_version)

    def ban(self, *, by: Actor, user_id: str, if_version: int | None = None) -> User:
        """Close an account: its sessions end at once.

        Raises ``Forbidden`` for one's own, ``NotFound``, ``PreconditionFailed``, ``LastAdmin``.
        """
        if by.id == user_id:
            raise Forbidden("Nobody can ban themselves.")
        return self._told(self._ban(by=by, user_id=user_id, if_version=if_version))

    @writing
    def _ban(self, unit: Unit, *, by: Actor, user_id: str, if_version: int | None) -> _Left:
        left = _change(
            unit, by, user_id, lambda user: user.changed(is_active=False), action="user.ban", if_version=if_version
        )
        unit.sessions.end_all(user_id, unit.now)
        return left

    @writing
    def unban(self, unit: Unit, *, by: Actor, user_id: str, if_version: int | None = None) -> User:
        """Open an account again; its owner signs in anew. Raises ``NotFound``, ``PreconditionFailed``."""
        unbanned, _ = _change(
            unit, by, user_id, lambda user: user.changed(is_active=True), action="user.unban", if_version=if_version
        )
        return unbanned

    def _told(self, left: _Left) -> User:
        user, released = left
        for conversation in released:
            self.tell_of("released", conversation)
        return user


def _change(
    unit: Unit, by: Actor, user_id: str, change: Callable[[User], User], *, action: str, if_version: int | None
) -> _Left:
    """Change somebody while nobody changes them, an admin, or whoever asks."""
    require(by, Permission.USERS_WRITE)
    admins = [admin.id for admin in unit.users.active_with_role(Role.ADMIN)]
    asking = [by.id] if by.id is not None else []
    locked = {each: unit.users.locked(each) for each in sorted({*admins, *asking, user_id})}
    require(locked.get(by.id or "", by), Permission.USERS_WRITE)  # they may have lost it since they asked
    before = locked[user_id]
    before.expect(if_version)
    changed = change(before)
    after = {**locked, user_id: changed}.values()
    if admins and not any(user.role is Role.ADMIN and user.is_active for user in after):
        raise LastAdmin()
    unit.users.save(changed)
    record(unit, by, action, before=before, after=changed)
    leaves = before.may(Permission.SUPPORT_AGENT) and not changed.may(Permission.SUPPORT_AGENT)
    return changed, release_all(unit, changed) if leaves else ()
