"""Sessions and their refresh tokens."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from adapters.sql import tables
from adapters.sql.accounts import USER, user_from
from adapters.sql.columns import Instant
from adapters.sql.transaction import Row, Transaction
from storecore.accounts.model import RefreshToken, Session, User

_sessions, _tokens, _users = tables.sessions.c, tables.refresh_tokens.c, tables.users.c

_SESSION = (
    _sessions.id,
    _sessions.user_id,
    _sessions.created_at,
    _sessions.seen_at,
    _sessions.expires_at,
    _sessions.device,
    _sessions.ended_at,
)
_TOKEN = (_tokens.hash, _tokens.session_id, _tokens.created_at, _tokens.replaced_at)

_add_session = insert(tables.sessions)
_add_token = insert(tables.refresh_tokens)
_of_user = (
    select(*_SESSION)
    .where(_sessions.user_id == bindparam("owner"))
    .order_by(_sessions.user_id.desc(), _sessions.created_at.desc(), _sessions.id.desc())
)
_open = (_sessions.ended_at.is_(None), _sessions.expires_at > bindparam("at"), _users.is_active)
_users_of_sessions = select(*USER).join_from(tables.sessions, tables.users)
_signed_in = _users_of_sessions.where(_sessions.id == bindparam("id"), *_open)
_all_signed_in = _users_of_sessions.add_columns(_sessions.id).where(
    _sessions.id.in_(bindparam("ids", expanding=True)), *_open
)
_token = (
    select(*_TOKEN, *_SESSION, *USER)
    .select_from(tables.refresh_tokens.join(tables.sessions).join(tables.users))
    .where(_tokens.hash == bindparam("hash"))
    .with_for_update(of=(tables.sessions, tables.refresh_tokens), key_share=True)
)
_replace_token = (
    update(tables.refresh_tokens)
    .where(_tokens.hash == bindparam("old"))
    .values(replaced_at=func.coalesce(_tokens.replaced_at, bindparam("at", type_=Instant)))
)
_prolong = (
    update(tables.sessions)
    .where(_sessions.id == bindparam("this"))
    .values(seen_at=bindparam("seen_at"), expires_at=bindparam("expires_at"))
)
_alive = _sessions.ended_at.is_(None)
_end = update(tables.sessions).where(_sessions.id == bindparam("this"), _alive).values(ended_at=bindparam("at"))
_end_all = (
    update(tables.sessions)
    .where(_sessions.user_id == bindparam("owner"), _sessions.id != bindparam("but"), _alive)
    .values(ended_at=bindparam("at"))
)
_forget = delete(tables.sessions).where(_sessions.user_id == bindparam("owner"))
_sweep = delete(tables.sessions).where(
    or_(_sessions.expires_at < bindparam("before"), _sessions.ended_at < bindparam("before"))
)


class SqlSessions:
    """The ``Sessions`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, session: Session, token: RefreshToken) -> None:
        """With its first token."""
        self._transaction.write(_add_session, asdict(session))
        self._transaction.write(_add_token, asdict(token))

    def of_user(self, user_id: str) -> Sequence[Session]:
        """Newest first."""
        return [_session(row) for row in self._transaction.rows(_of_user, {"owner": user_id})]

    def signed_in(self, session_id: str, at: datetime) -> User | None:
        """One look-up."""
        row = self._transaction.row(_signed_in, {"id": session_id, "at": at})
        return user_from(self._transaction, row) if row else None

    def all_signed_in(self, session_ids: Iterable[str], at: datetime) -> Mapping[str, User]:
        """One look-up."""
        wanted = list(set(session_ids))
        rows = self._transaction.rows(_all_signed_in, {"ids": wanted, "at": at}) if wanted else ()
        return {row[-1]: user_from(self._transaction, row[:-1]) for row in rows}

    def token(self, token_hash: bytes) -> tuple[RefreshToken, Session, User] | None:
        """Locks the rows of the session and of the token."""
        self._transaction.check_writable()
        row = self._transaction.row(_token, {"hash": token_hash})
        if row is None:
            return None
        hash_, session_id, created_at, replaced_at = row[:4]
        token = RefreshToken(hash=hash_, session_id=session_id, created_at=created_at, replaced_at=replaced_at)
        return token, _session(row[4:11]), user_from(self._transaction, row[11:])

    def rotate(self, old: RefreshToken, new: RefreshToken, *, seen_at: datetime, expires_at: datetime) -> None:
        """Three statements, whatever the family's size."""
        self._transaction.write(_replace_token, {"old": old.hash, "at": old.replaced_at or seen_at})
        self._transaction.write(_add_token, asdict(new))
        self._transaction.write(_prolong, {"this": old.session_id, "seen_at": seen_at, "expires_at": expires_at})

    def end(self, session_id: str, at: datetime) -> None:
        """Once."""
        self._transaction.write(_end, {"this": session_id, "at": at})

    def end_all(self, user_id: str, at: datetime, *, but: str | None = None) -> None:
        """Those that have not ended."""
        self._transaction.write(_end_all, {"owner": user_id, "but": but or "", "at": at})

    def forget(self, user_id: str) -> None:
        """Their tokens go with them."""
        self._transaction.write(_forget, {"owner": user_id})

    def sweep(self, before: datetime) -> int:
        """Their tokens go with them."""
        return self._transaction.write(_sweep, {"before": before})


def _session(row: Row) -> Session:
    id_, user_id, created_at, seen_at, expires_at, device, ended_at = row
    return Session(
        id=id_,
        user_id=user_id,
        created_at=created_at,
        seen_at=seen_at,
        expires_at=expires_at,
        device=device,
        ended_at=ended_at,
    )
