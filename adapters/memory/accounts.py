"""Users, address books, sessions."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.pages import in_utc, page_of, ticks
from adapters.memory.tables import Repository
from storecore.accounts.finding import found_by
from storecore.accounts.model import RefreshToken, SavedAddress, Session, User
from storecore.accounts.permissions import Role
from storecore.errors import Contention, EmailTaken, NotFound
from storecore.lists import Page, PageRequest
from storecore.ports import UserQuery


class MemoryUsers(Repository):
    """Accounts. The writer's turn is the lock."""

    def add(self, user: User) -> None:
        """Raises ``EmailTaken``."""
        draft = self._draft
        if user.email in draft.users_by_email:
            raise EmailTaken()
        draft.users.put(user.id, _own(user))
        draft.users_by_email.put(user.email, user.id)

    def get(self, user_id: str) -> User:
        """Raises ``NotFound``."""
        if (user := self._tables.users.get(user_id)) is None:
            raise NotFound("There is no such user.")
        return user

    def by_email(self, email: str) -> User | None:
        """``email`` is normalised."""
        user_id = self._tables.users_by_email.get(email)
        return None if user_id is None else self.get(user_id)

    def locked(self, user_id: str) -> User:
        """Raises ``NotFound``."""
        _ = self._draft
        return self.get(user_id)

    def save(self, user: User) -> None:
        """Raises ``EmailTaken``, ``Contention``."""
        draft, stored = self._draft, self.get(user.id)
        if user.version != stored.version + 1:
            raise Contention()
        if draft.users_by_email.get(user.email) not in (None, user.id):
            raise EmailTaken()
        draft.users_by_email.drop(stored.email)
        draft.users_by_email.put(user.email, user.id)
        draft.users.put(user.id, _own(user))

    def page(self, query: UserQuery, page: PageRequest) -> Page[User]:
        """Newest first, or by what begins with a text."""
        rows = [
            user
            for user in self._tables.users.rows()
            if query.role in (None, user.role) and query.active in (None, user.is_active)
        ]
        if query.text is None:
            return page_of(rows, page, lambda user: (ticks(user.created_at), user.id), descending=True)
        keys = {user.id: found_by(user.email, user.full_name, query.text) for user in rows}
        found = (user for user in rows if keys[user.id] is not None)
        return page_of(found, page, lambda user: (keys[user.id], user.id))

    def active_with_role(self, role: Role) -> Sequence[User]:
        """Oldest first."""
        found = (user for user in self._tables.users.rows() if user.is_active and user.role is role)
        return sorted(found, key=lambda user: (user.created_at, user.id))

    def add_address(self, address: SavedAddress) -> None:
        """Into its user's book."""
        draft = self._draft
        self.get(address.user_id)
        draft.addresses.put(address.user_id, (*self._book(address.user_id), in_utc(address)))

    def addresses(self, user_id: str) -> Sequence[SavedAddress]:
        """Oldest first."""
        return sorted(self._book(user_id), key=lambda address: (address.created_at, address.id))

    def address(self, user_id: str, address_id: str) -> SavedAddress:
        """Raises ``NotFound``."""
        for address in self._book(user_id):
            if address.id == address_id:
                return address
        raise NotFound("There is no such address.")

    def save_address(self, address: SavedAddress) -> None:
        """Raises ``NotFound``."""
        draft, old = self._draft, self.address(address.user_id, address.id)
        book = self._book(address.user_id)
        draft.addresses.put(address.user_id, tuple(in_utc(address) if each == old else each for each in book))

    def remove_address(self, user_id: str, address_id: str) -> None:
        """Raises ``NotFound``."""
        draft, old = self._draft, self.address(user_id, address_id)
        draft.addresses.put(user_id, tuple(each for each in self._book(user_id) if each != old))

    def _book(self, user_id: str) -> tuple[SavedAddress, ...]:
        return self._tables.addresses.get(user_id) or ()


def _own(user: User) -> User:
    """The user with preferences that nobody else can change."""
    return in_utc(replace(user, preferences=json.loads(json.dumps(dict(user.preferences)))))


class MemorySessions(Repository):
    """Sign-ins and their refresh tokens."""

    def add(self, session: Session, token: RefreshToken) -> None:
        """Write both."""
        draft = self._draft
        draft.sessions.put(session.id, in_utc(session))
        draft.sessions_of.put(session.user_id, (*(draft.sessions_of.get(session.user_id) or ()), session.id))
        self._add_token(token)

    def of_user(self, user_id: str) -> Sequence[Session]:
        """Newest first."""
        return sorted(self._sessions(user_id), key=lambda session: (session.created_at, session.id), reverse=True)

    def signed_in(self, session_id: str, at: datetime) -> User | None:
        """The active user of a live session."""
        session = self._tables.sessions.get(session_id)
        if session is None or not session.alive(at):
            return None
        user = self._tables.users.get(session.user_id)
        return user if user is not None and user.is_active else None

    def all_signed_in(self, session_ids: Iterable[str], at: datetime) -> Mapping[str, User]:
        """The active users of live sessions."""
        found = {each: self.signed_in(each, at) for each in session_ids}
        return {each: user for each, user in found.items() if user is not None}

    def token(self, token_hash: bytes) -> tuple[RefreshToken, Session, User] | None:
        """A token with its session and user."""
        tables = self._draft
        token = tables.tokens.get(token_hash)
        session = tables.sessions.get(token.session_id) if token else None
        user = tables.users.get(session.user_id) if session else None
        return (token, session, user) if token and session and user else None

    def rotate(self, old: RefreshToken, new: RefreshToken, *, seen_at: datetime, expires_at: datetime) -> None:
        """Raises ``NotFound`` when the session is gone."""
        draft = self._draft
        stored, session = draft.tokens.get(old.hash), draft.sessions.get(old.session_id)
        if stored is None or session is None:
            raise NotFound("There is no such session.")
        draft.tokens.put(old.hash, in_utc(replace(stored, replaced_at=stored.replaced_at or seen_at)))
        draft.sessions.put(session.id, in_utc(replace(session, seen_at=seen_at, expires_at=expires_at)))
        self._add_token(new)

    def end(self, session_id: str, at: datetime) -> None:
        """End one that is going on."""
        draft = self._draft
        session = draft.sessions.get(session_id)
        if session is not None and session.ended_at is None:
            draft.sessions.put(session_id, in_utc(replace(session, ended_at=at)))

    def end_all(self, user_id: str, at: datetime, *, but: str | None = None) -> None:
        """End those that are going on, but perhaps one."""
        _ = self._draft
        for session in self._sessions(user_id):
            if session.id != but:
                self.end(session.id, at)

    def forget(self, user_id: str) -> None:
        """With their tokens."""
        _ = self._draft
        self._remove(self._sessions(user_id))

    def sweep(self, before: datetime) -> int:
        """Forget old ones."""
        old = [
            session
            for session in self._draft.sessions.rows()
            if session.expires_at < before or (session.ended_at is not None and session.ended_at < before)
        ]
        self._remove(old)
        return len(old)

    def _remove(self, old: Iterable[Session]) -> None:
        draft = self._draft
        for session in old:
            for token_hash in draft.tokens_of.get(session.id) or ():
                draft.tokens.drop(token_hash)
            draft.tokens_of.drop(session.id)
            draft.sessions.drop(session.id)
            left = tuple(each for each in draft.sessions_of.get(session.user_id) or () if each != session.id)
            draft.sessions_of.put(session.user_id, left)

    def _sessions(self, user_id: str) -> list[Session]:
        found = (self._tables.sessions.get(each) for each in self._tables.sessions_of.get(user_id) or ())
        return [session for session in found if session is not None]

    def _add_token(self, token: RefreshToken) -> None:
        draft = self._draft
        draft.tokens.put(token.hash, in_utc(token))
        draft.tokens_of.put(token.session_id, (*(draft.tokens_of.get(token.session_id) or ()), token.hash))
