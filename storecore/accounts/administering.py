"""Who is staff and what they may do: roles, single permissions, bans."""

from collections.abc import Callable
from dataclasses import dataclass

from storecore.accounts.model import Actor, User, require
from storecore.accounts.permissions import Permission, Role
from storecore.errors import Forbidden, LastAdmin
from storecore.ports import Unit
from storecore.support.leaving import release_all
from storecore.transactions import Activity, writing


@dataclass(frozen=True, kw_only=True)
class Administering(Activity):
    """An admin's hand on other people's accounts. Every change counts from the next request on.

    Whoever is no support agent any more leaves their conversations to the others.
    """

    @writing
    def set_role(self, unit: Unit, *, by: Actor, user_id: str, role: Role) -> User:
        """Make somebody something else. Raises ``Forbidden`` for one's own role, ``LastAdmin``."""
        if by.id == user_id:
            raise Forbidden("Nobody can change their own role.")
        return self._change(unit, by, user_id, lambda user: user.changed(role=role))

    @writing
    def set_permission(
        self, unit: Unit, *, by: Actor, user_id: str, permission: Permission, allowed: bool | None
    ) -> User:
        """Grant (True) or deny (False) one permission, or return it to the role's default (None).

        Raises ``Forbidden`` for one's own permissions, ``LastAdmin``.
        """
        if by.id == user_id:
            raise Forbidden("Nobody can change their own permissions.")

        def changed(user: User) -> User:
            others = {name: given for name, given in user.grants.items() if name is not permission}
            return user.changed(grants=others if allowed is None else others | {permission: allowed})

        return self._change(unit, by, user_id, changed)

    @writing
    def ban(self, unit: Unit, *, by: Actor, user_id: str) -> User:
        """Close an account: its sessions end at once. Raises ``Forbidden`` for one's own, ``LastAdmin``."""
        if by.id == user_id:
            raise Forbidden("Nobody can ban themselves.")
        banned = self._change(unit, by, user_id, lambda user: user.changed(is_active=False))
        unit.sessions.end_all(user_id, unit.now)
        return banned

    @writing
    def unban(self, unit: Unit, *, by: Actor, user_id: str) -> User:
        """Open an account again; its owner signs in anew."""
        return self._change(unit, by, user_id, lambda user: user.changed(is_active=True))

    @staticmethod
    def _change(unit: Unit, by: Actor, user_id: str, change: Callable[[User], User]) -> User:
        require(by, Permission.USERS_WRITE)
        admins = [admin.id for admin in unit.users.active_with_role(Role.ADMIN)]
        locked = {each: unit.users.locked(each) for each in sorted({*admins, user_id})}
        changed = change(locked[user_id])
        after = {**locked, user_id: changed}.values()
        if admins and not any(user.role is Role.ADMIN and user.is_active for user in after):
            raise LastAdmin()
        unit.users.save(changed)
        if locked[user_id].may(Permission.SUPPORT_AGENT) and not changed.may(Permission.SUPPORT_AGENT):
            release_all(unit, changed)
        return changed
