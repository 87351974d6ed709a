"""Sign-ins and their refresh tokens."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from storecore.accounts.model import RefreshToken, Session, User
from storecore.errors import NotFound
from storecore.ports import NewId, Storage, Unit
from storecore.testing.builders import NOW, ids, make_session, make_token, make_user
from storecore.testing.contracts.proving import Contract, overlap, seen, written


class SessionsContract(Contract):
    """Sign-ins and the rotation of refresh tokens."""

    def test_a_live_session_of_an_active_user_is_signed_in(self, storage: Storage) -> None:
        user, session, _ = sign_in(storage, ids())
        with seen(storage) as unit:
            assert unit.sessions.signed_in(session.id, NOW) == user
            assert unit.sessions.signed_in(session.id, session.expires_at - timedelta(microseconds=1)) == user
            assert unit.sessions.signed_in(session.id, session.expires_at) is None
            assert unit.sessions.signed_in("no such session", NOW) is None

    def test_the_users_of_several_live_sessions_are_found_at_once(self, storage: Storage) -> None:
        new_id = ids()
        user, session, _ = sign_in(storage, new_id)
        second, ended = make_session(new_id, user), make_session(new_id, user, ended_at=NOW)
        with written(storage) as unit:
            for each in (second, ended):
                unit.sessions.add(each, make_token(each))
        asked = [session.id, second.id, ended.id, "no such session", session.id]
        with seen(storage) as unit:
            assert unit.sessions.all_signed_in(asked, NOW) == {session.id: user, second.id: user}
            assert unit.sessions.all_signed_in(asked, session.expires_at) == {}
            assert unit.sessions.all_signed_in([], NOW) == {}
        with written(storage) as unit:
            unit.users.save(user.changed(is_active=False))
        with seen(storage) as unit:
            assert unit.sessions.all_signed_in(asked, NOW) == {}

    def test_a_banned_user_is_not_signed_in(self, storage: Storage) -> None:
        user, session, _ = sign_in(storage, ids())
        with written(storage) as unit:
            unit.users.save(user.changed(is_active=False))
        with seen(storage) as unit:
            assert unit.sessions.signed_in(session.id, NOW) is None

    def test_an_ended_session_is_signed_out_and_stays_listed(self, storage: Storage) -> None:
        user, session, token = sign_in(storage, ids())
        with written(storage) as unit:
            unit.sessions.end(session.id, NOW)
            unit.sessions.end(session.id, NOW + timedelta(hours=1))
        with written(storage) as unit:
            assert unit.sessions.signed_in(session.id, NOW) is None
            assert list(unit.sessions.of_user(user.id)) == [replace(session, ended_at=NOW)]
            assert unit.sessions.token(token.hash) == (token, replace(session, ended_at=NOW), user)

    def test_a_token_is_found_with_its_session_and_user(self, storage: Storage) -> None:
        user, session, token = sign_in(storage, ids())
        with written(storage) as unit:
            assert unit.sessions.token(token.hash) == (token, session, user)
            assert unit.sessions.token(b"unknown") is None

    def test_rotating_replaces_a_token_and_prolongs_its_session(self, storage: Storage) -> None:
        user, session, old = sign_in(storage, ids())
        later = NOW + timedelta(days=1)
        new = RefreshToken(hash=b"second", session_id=session.id, created_at=later)
        with written(storage) as unit:
            unit.sessions.rotate(old, new, seen_at=later, expires_at=later + timedelta(days=30))
        prolonged = replace(session, seen_at=later, expires_at=later + timedelta(days=30))
        with written(storage) as unit:
            assert unit.sessions.token(old.hash) == (replace(old, replaced_at=later), prolonged, user)
            assert unit.sessions.token(new.hash) == (new, prolonged, user)

    def test_a_token_stays_replaced_at_the_time_it_first_was(self, storage: Storage) -> None:
        _, session, old = sign_in(storage, ids())
        for n in (1, 2):
            at = NOW + timedelta(seconds=n)
            new = RefreshToken(hash=f"token {n}".encode(), session_id=session.id, created_at=at)
            with written(storage) as unit:
                unit.sessions.rotate(old, new, seen_at=at, expires_at=session.expires_at)
        with written(storage) as unit:
            found = unit.sessions.token(old.hash)
        assert found is not None
        assert found[0].replaced_at == NOW + timedelta(seconds=1)

    def test_a_token_of_a_session_that_is_gone_is_not_rotated(self, storage: Storage) -> None:
        user, session, old = sign_in(storage, ids())
        new = RefreshToken(hash=b"second", session_id=session.id, created_at=NOW)
        with written(storage) as unit:
            unit.sessions.forget(user.id)
        with pytest.raises(NotFound), written(storage) as unit:
            unit.sessions.rotate(old, new, seen_at=NOW, expires_at=session.expires_at)
        with written(storage) as unit:
            assert unit.sessions.token(new.hash) is None

    def test_of_two_who_rotate_one_token_at_once_the_second_sees_that_it_is_replaced(self, storage: Storage) -> None:
        _, session, old = sign_in(storage, ids())

        def rotate(unit: Unit, name: bytes) -> bool:
            found = unit.sessions.token(old.hash)
            assert found is not None
            if found[0].replaced_at is not None:
                return False
            new = RefreshToken(hash=name, session_id=session.id, created_at=NOW)
            unit.sessions.rotate(found[0], new, seen_at=NOW, expires_at=session.expires_at)
            return True

        outcomes = overlap(storage, partial(rotate, name=b"first"), partial(rotate, name=b"second"))
        assert sorted(map(str, outcomes)) == ["False", "True"]

    def test_sessions_are_listed_newest_first_whatever_their_ids(self, storage: Storage) -> None:
        new_id = ids()
        user, first, _ = sign_in(storage, new_id)
        older = make_session(new_id, user, created_at=NOW - timedelta(hours=1))
        same = make_session(new_id, user)
        with written(storage) as unit:
            for session in (older, same):
                unit.sessions.add(session, make_token(session))
        with seen(storage) as unit:
            assert list(unit.sessions.of_user(user.id)) == [same, first, older]

    def test_every_session_ends_but_the_one_in_use(self, storage: Storage) -> None:
        new_id = ids()
        user, first, _ = sign_in(storage, new_id)
        second = make_session(new_id, user, created_at=NOW + timedelta(minutes=1))
        _, stranger, _ = sign_in(storage, new_id)
        with written(storage) as unit:
            unit.sessions.add(second, make_token(second))
        with written(storage) as unit:
            unit.sessions.end_all(user.id, NOW, but=second.id)
        with seen(storage) as unit:
            assert list(unit.sessions.of_user(user.id)) == [second, replace(first, ended_at=NOW)]
            assert unit.sessions.signed_in(stranger.id, NOW) is not None
        with written(storage) as unit:
            unit.sessions.end_all(user.id, NOW + timedelta(hours=1))
        with seen(storage) as unit:
            assert [session.ended_at for session in unit.sessions.of_user(user.id)] == [NOW + timedelta(hours=1), NOW]

    def test_sweeping_forgets_what_expired_or_ended_before(self, storage: Storage) -> None:
        new_id = ids()
        user, alive, token = sign_in(storage, new_id)
        expired = make_session(new_id, user, expires_at=NOW - timedelta(days=2))
        ended = make_session(new_id, user, ended_at=NOW - timedelta(days=2))
        with written(storage) as unit:
            for session in (expired, ended):
                unit.sessions.add(session, make_token(session))
        with written(storage) as unit:
            assert unit.sessions.sweep(NOW - timedelta(days=2)) == 0
            assert unit.sessions.sweep(NOW - timedelta(days=1)) == 2
            assert unit.sessions.sweep(NOW - timedelta(days=1)) == 0
        with written(storage) as unit:
            assert list(unit.sessions.of_user(user.id)) == [alive]
            assert unit.sessions.token(make_token(expired).hash) is None
            assert unit.sessions.token(token.hash) == (token, alive, user)


def sign_in(storage: Storage, new_id: NewId) -> tuple[User, Session, RefreshToken]:
    """Somebody new with a session and its first token, written."""
    user = make_user(new_id)
    session = make_session(new_id, user)
    token = make_token(session)
    with written(storage) as unit:
        unit.users.add(user)
        unit.sessions.add(session, token)
    return user, session, token
