"""People with accounts who do not shop: appointed, banned, signed in and out, and in the end forgotten."""

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, rule

from storecore.accounts.model import ERASED, SYSTEM, User
from storecore.accounts.permissions import Permission, Role, effective
from storecore.errors import Forbidden, InvalidCredentials, LastAdmin
from storecore.ports import Unit, UserQuery
from storecore.testing.machine.scene import PASSWORD, Scene, Stage, every


@dataclass(eq=False)
class Member:
    """An account as it should be; ``sessions`` by id, and whether each is open."""

    user: User
    role: Role = Role.CUSTOMER
    grants: dict[Permission, bool] = field(default_factory=dict)
    active: bool = True
    sessions: dict[str, bool] = field(default_factory=dict)
    erased: bool = False


members: "Bundle[Member]" = Bundle("members")


class Administering(Scene):
    """Roles, permissions, bans, sessions, erasing. What somebody may do is what their role and grants say."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.members: list[Member] = []

    @rule(target=members)
    def join(self) -> Member:
        """A new account."""
        member = Member(self.register(f"member{next(self.numbers)}@example.com"))
        self.members.append(member)
        return member

    @rule(member=members, role=st.sampled_from(Role))
    def appoint(self, member: Member, role: Role) -> None:
        member.user = self.store.accounts.set_role(by=self.staff, user_id=member.user.id, role=role)
        member.role = role
        self.note(self.staff, "user.set_role", member.user.id)

    @rule(member=members, permission=st.sampled_from(Permission), allowed=st.none() | st.booleans())
    def permit(self, member: Member, permission: Permission, allowed: bool | None) -> None:
        """Or deny, or return to the role's default."""
        member.user = self.store.accounts.set_permission(
            by=self.staff, user_id=member.user.id, permission=permission, allowed=allowed
        )
        member.grants.pop(permission, None)
        if allowed is not None:
            member.grants[permission] = allowed
        self.note(self.staff, "user.set_permission", member.user.id)

    @rule(member=members, pardoned=st.booleans())
    def ban_or_unban(self, member: Member, pardoned: bool) -> None:
        """A ban ends every session, also for whoever is ``pardoned`` at once."""
        self.open_session(member)
        if member.active:
            member.user = self.store.accounts.ban(by=self.staff, user_id=member.user.id)
            member.sessions = dict.fromkeys(member.sessions, False)
            self.note(self.staff, "user.ban", member.user.id)
        if not member.active or pardoned:
            member.user = self.store.accounts.unban(by=self.staff, user_id=member.user.id)
            self.note(self.staff, "user.unban", member.user.id)
        member.active = not member.active or pardoned

    @rule(member=members)
    def open_session(self, member: Member) -> None:
        refusal = None if member.active else Forbidden
        signed_in = self.attempt(refusal, lambda: self.store.accounts.login(email=member.user.email, password=PASSWORD))
        if signed_in is not None:
            member.sessions[signed_in.session.id] = True

    @rule(member=members, which=st.integers(0, 3))
    def end_session(self, member: Member, which: int) -> None:
        """One of them, which may have ended before."""
        if member.sessions:
            session_id = list(member.sessions)[which % len(member.sessions)]
            self.store.accounts.logout(session_id=session_id)
            member.sessions[session_id] = False

    @rule()
    def ban_the_last_admin(self) -> None:
        """While there is no other, nobody can."""
        if not any(each.role is Role.ADMIN and each.active and not each.erased for each in self.members):
            self.attempt(LastAdmin, lambda: self.store.accounts.ban(by=SYSTEM, user_id=self.staff.id))
        self.attempt(Forbidden, lambda: self.store.accounts.ban(by=self.staff, user_id=self.staff.id))

    @rule(member=consumes(members), again=st.booleans())
    def forget_me(self, member: Member, again: bool) -> None:
        """An account is erased by its owner; the email is free for another one."""
        if not member.active:
            self.attempt(Forbidden, lambda: self.store.accounts.erase(by=member.user, password=PASSWORD))
            return
        self.store.accounts.erase(by=member.user, password=PASSWORD)
        member.erased, member.role, member.active = True, Role.CUSTOMER, False
        member.grants, member.sessions = {}, dict.fromkeys(member.sessions, False)
        email = member.user.email
        self.attempt(InvalidCredentials, lambda: self.store.accounts.login(email=email, password=PASSWORD))
        if again:
            self.members.append(Member(self.register(email)))

    def check(self, unit: Unit) -> None:
        """Accounts are what was made of them, and nobody is signed in who should not be."""
        super().check(unit)
        found = {user.id: user for user in every(lambda page: unit.users.page(UserQuery(), page))}
        for member in self.members:
            user = found[member.user.id]
            assert (user.role, user.grants, user.is_active) == (member.role, member.grants, member.active)
            assert user.permissions == (effective(member.role, member.grants) if member.active else frozenset())
            for session_id, is_open in member.sessions.items():
                signed_in = unit.sessions.signed_in(session_id, self.clock())
                assert signed_in == (user if is_open else None)
            if member.erased:
                assert (user.full_name, user.phone, user.password_hash) == (ERASED, None, "")
                assert not unit.sessions.of_user(user.id)
                assert unit.carts.of_user(user.id) is None
        emails = [user.email for user in found.values()]
        assert len(set(emails)) == len(emails)
