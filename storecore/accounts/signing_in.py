"""Opening, prolonging and ending sessions."""

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from storecore import checks
from storecore.accounts.guarding import Guarding
from storecore.accounts.model import ROTATION_GRACE, Actor, RefreshToken, Session, User, composed_password, require_user
from storecore.errors import Forbidden, Invalid, InvalidCredentials, NotFound, SessionEnded, TokenReused
from storecore.ports import Random, Unit
from storecore.shop import Shop
from storecore.transactions import reading, writing


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """An open session; ``refresh_token`` is shown this once, the shop keeps only its hash."""

    user: User
    session: Session
    refresh_token: str = field(repr=False)


def _normalised(email: str) -> str:
    """As it is stored; what is no email is one that nobody has."""
    try:
        return checks.email(email)
    except Invalid:
        return ""


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


@dataclass(frozen=True, kw_only=True)
class SigningIn(Guarding):
    """Passwords in, sessions out."""

    random: Random
    shop: Shop

    def login(self, *, email: str, password: str, device: str = "", address: str = "") -> SignedIn:
        """Open a session. Raises ``InvalidCredentials``, at the same cost whether the email is known or not.

        ``device`` is what the user will recognise it by, such as a browser's name; ``address`` is where it is. After
        five wrong passwords in a row from there, ``TooManyRequests`` for a while, then for longer and longer.
        """
        password = composed_password(password)
        email = _normalised(email)
        user = self._by_email(email=email)
        if not self.is_password(password, user, email=email, address=address) or user is None:
            raise InvalidCredentials()
        if not user.is_active:
            raise Forbidden("This account is closed.")
        rehashed = self.passwords.hash(password) if self.passwords.outdated(user.password_hash) else None
        token = self._new_token()
        return self._open(user=user, rehashed=rehashed, token=token, device=device[:200])

    @reading
    def _by_email(self, unit: Unit, *, email: str) -> User | None:
        return unit.users.by_email(email)

    @writing
    def _open(self, unit: Unit, *, user: User, rehashed: str | None, token: str, device: str) -> SignedIn:
        current = unit.users.locked(user.id)
        if current.password_hash != user.password_hash or not current.is_active:
            raise InvalidCredentials()  # changed or banned since the password was checked
        if rehashed:
            current = current.changed(password_hash=rehashed)
            unit.users.save(current)
        session = Session(
            id=unit.new_id(),
            user_id=current.id,
            created_at=unit.now,
            seen_at=unit.now,
            expires_at=self.shop.session_end(unit.now, unit.now),
            device=device,
        )
        unit.sessions.add(session, RefreshToken(hash=_hash(token), session_id=session.id, created_at=unit.now))
        return SignedIn(user=current, session=session, refresh_token=token)

    def refresh(self, *, refresh_token: str) -> SignedIn:
        """Swap a refresh token for a fresh one and prolong its session, up to the longest that the shop allows.

        A token that was swapped before is taken for ten seconds more (parallel tabs); after that somebody copied it:
        its session ends. Raises ``TokenReused`` then, ``SessionEnded`` for an unknown token or an ended session.
        """
        rotated = self._rotate(token_hash=_hash(refresh_token), fresh=self._new_token())
        if rotated is None:
            raise TokenReused()
        return rotated

    @writing
    def _rotate(self, unit: Unit, *, token_hash: bytes, fresh: str) -> SignedIn | None:
        found = unit.sessions.token(token_hash)
        if found is None:
            raise SessionEnded()
        token, session, user = found
        if not session.alive(unit.now) or not user.is_active:
            raise SessionEnded()
        if token.replaced_at is not None and unit.now - token.replaced_at > ROTATION_GRACE:
            unit.sessions.end(session.id, unit.now)
            return None
        session = replace(session, seen_at=unit.now, expires_at=self.shop.session_end(session.created_at, unit.now))
        if not session.alive(unit.now):  # begun when sessions could last longer
            raise SessionEnded()
        unit.sessions.rotate(
            replace(token, replaced_at=token.replaced_at or unit.now),
            RefreshToken(hash=_hash(fresh), session_id=session.id, created_at=unit.now),
            seen_at=session.seen_at,
            expires_at=session.expires_at,
        )
        return SignedIn(user=user, session=session, refresh_token=fresh)

    @reading
    def authenticate(self, unit: Unit, *, session_id: str) -> User:
        """Who a session belongs to, as they are now. Raises ``SessionEnded``: signed out, expired or banned."""
        user = unit.sessions.signed_in(session_id, unit.now)
        if user is None:
            raise SessionEnded()
        return user

    @reading
    def signed_in(self, unit: Unit, *, session_ids: Collection[str]) -> Mapping[str, User]:
        """Who those of the sessions that are alive belong to, by session: one question however many are watched."""
        return unit.sessions.all_signed_in(session_ids, unit.now)

    @writing
    def logout(self, unit: Unit, *, session_id: str | None = None, refresh_token: str | None = None) -> None:
        """End a session, named by either; an unknown one is as good as ended."""
        if session_id is not None:
            unit.sessions.end(session_id, unit.now)
        if refresh_token is not None and (found := unit.sessions.token(_hash(refresh_token))):
            unit.sessions.end(found[1].id, unit.now)

    @reading
    def sessions(self, unit: Unit, *, by: Actor) -> Sequence[Session]:
        """One's own open sessions, newest first."""
        own = unit.sessions.of_user(require_user(by).id)
        return [session for session in own if session.alive(unit.now)]

    @writing
    def end_session(self, unit: Unit, *, by: Actor, session_id: str) -> None:
        """Sign a device of one's own out. Raises ``NotFound`` for any other."""
        own = unit.sessions.of_user(require_user(by).id)
        if not any(session.id == session_id and session.alive(unit.now) for session in own):
            raise NotFound("There is no such session.")
        unit.sessions.end(session_id, unit.now)

    def _new_token(self) -> str:
        return base64.urlsafe_b64encode(self.random(32)).decode().rstrip("=")
