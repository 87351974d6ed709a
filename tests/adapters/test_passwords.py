from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock

import pytest
from argon2 import PasswordHasher

from adapters.passwords import Argon2Passwords
from storecore.errors import Unavailable
from storecore.testing.contracts.proving import PATIENCE, Together


def quick(time_cost: int = 1, memory_cost: int = 8, concurrency: int = 2) -> Argon2Passwords:
    return Argon2Passwords(time_cost=time_cost, memory_cost=memory_cost, parallelism=1, concurrency=concurrency)


def test_the_right_password_matches_and_no_other() -> None:
    passwords = quick()
    hashed = passwords.hash("correct horse")
    assert passwords.verify("correct horse", hashed)
    assert not passwords.verify("correct horsE", hashed)
    assert not passwords.verify("", hashed)


def test_hashes_of_one_password_differ_and_do_not_contain_it() -> None:
    passwords = quick()
    one, other = passwords.hash("correct horse"), passwords.hash("correct horse")
    assert one != other
    assert "correct" not in one


def test_the_defaults_are_19_mib_two_passes_one_lane() -> None:
    assert Argon2Passwords().hash("correct horse").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("hashed", [None, "", "no password has this hash", "$argon2id$v=19$m=8,t=1,p=1$$"])
def test_an_account_without_a_password_matches_nothing(hashed: str | None) -> None:
    assert not quick().verify("correct horse", hashed)


@pytest.mark.parametrize("hashed", [None, "", "no password has this hash"])
def test_an_unknown_account_is_given_the_work_of_a_known_one(
    monkeypatch: pytest.MonkeyPatch, hashed: str | None
) -> None:
    passwords = quick()
    work: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, against: str, password: bytes) -> bool:
        work.append(against.rpartition("$")[0].rpartition("$")[0])
        return verify(self, against, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    passwords.verify("correct horse", passwords.hash("another"))
    passwords.verify("correct horse", hashed)
    assert work == ["$argon2id$v=19$m=8,t=1,p=1"] * 2


def test_half_of_a_surrogate_pair_is_a_wrong_password_and_no_crash() -> None:
    passwords = quick()
    assert not passwords.verify("\ud800", passwords.hash("correct horse"))
    assert not passwords.verify("\ud800", None)


def test_a_hash_made_with_weaker_parameters_is_outdated() -> None:
    old = quick(time_cost=1, memory_cost=16).hash("correct horse")
    assert not quick(time_cost=1, memory_cost=16).outdated(old)
    assert quick(time_cost=2, memory_cost=16).outdated(old)
    assert quick(time_cost=1, memory_cost=32).outdated(old)
    assert quick(time_cost=2, memory_cost=8).outdated(old)
    assert quick().outdated("no password has this hash")


def test_a_hash_made_with_stronger_parameters_is_not_outdated() -> None:
    assert not quick(time_cost=1, memory_cost=16).outdated(quick(time_cost=3, memory_cost=64).hash("correct horse"))


class Crowd:
    """Counts how many are hashing at once; each waits until ``expected`` are, or until it is sure that no more come."""

    def __init__(self, expected: int) -> None:
        self.most = self._now = 0
        self._lock, self._together = Lock(), Barrier(expected, timeout=30)

    def hash(self, password: bytes) -> str:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self._together.wait()
        with self._lock:
            self._now -= 1
        return "hash"


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Crowd:
    crowd = Crowd(2)
    monkeypatch.setattr(PasswordHasher, "hash", lambda _, password: crowd.hash(password))
    return crowd


def test_no_more_passwords_are_hashed_at_once_than_allowed(crowd: Crowd) -> None:
    passwords = quick(concurrency=2)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(passwords.hash, ["correct horse"] * 8)) == {"hash"}
    assert crowd.most == 2


class Door:
    """Hashing that takes until the door is opened."""

    def __init__(self) -> None:
        self.begun, self.open = Event(), Event()

    def hash(self, password: bytes) -> str:
        self.begun.set()
        assert self.open.wait(PATIENCE)
        return "hash"


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    door = Door()
    monkeypatch.setattr(PasswordHasher, "hash", lambda _, password: door.hash(password))
    return door


def test_who_finds_too_many_waiting_is_told_at_once(door: Door) -> None:
    passwords = Argon2Passwords(concurrency=1, room=1)
    first = Together(lambda: passwords.hash("one"))
    assert door.begun.wait(PATIENCE)
    for ask in (lambda: passwords.hash("two"), lambda: passwords.verify("two", None)):
        with pytest.raises(Unavailable, match="Too many"):
            ask()
    door.open.set()
    assert first.succeed() == ["hash"]
    assert passwords.hash("two") == "hash", "its place was given back"


def test_who_waits_too_long_is_told_and_makes_room(door: Door) -> None:
    passwords = Argon2Passwords(concurrency=1, room=2, patience=0.01)
    for _ in range(3):
        with pytest.raises(Unavailable, match="too long"):
            passwords.hash("one")
    door.open.set()
    waited = Argon2Passwords(concurrency=1, room=1)
    assert [waited.hash("one") for _ in range(3)] == ["hash"] * 3
