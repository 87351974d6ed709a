"""Nobody finds a password out by trying, and nobody is locked out by somebody elsewhere."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.local_rate_limits import LocalRateLimits
from adapters.memory import MemoryStorage
from adapters.passwords import Argon2Passwords
from storecore.accounts.guarding import LOCKED, lock_after
from storecore.accounts.model import User
from storecore.errors import InvalidCredentials, StoreError, TooManyRequests, Unavailable, WrongPassword
from storecore.notices import Template
from storecore.shop import Shop
from storecore.store import Store
from tests.usecases.floor import BACK_ENDS, PASSWORD, Clock, Floor, open_floor, person

HERE, THERE = "198.51.100.7", "203.0.113.9"


@pytest.fixture(params=BACK_ENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Floor]:
    with open_floor(request.param, tmp_path) as floor:
        yield floor


def login(store: Store, who: User | str, password: str = PASSWORD, address: str = HERE) -> str | int:
    """Who got in, the code of what they were refused with, or the seconds they are to wait."""
    email = who if isinstance(who, str) else who.email
    try:
        return store.accounts.login(email=email, password=password, address=address).user.email
    except TooManyRequests as refused:
        return int(refused.extra["retry_after"])
    except StoreError as refused:
        return refused.code


def guess(store: Store, who: User | str, times: int, address: str = HERE) -> list[str | int]:
    return [login(store, who, "wrong password", address) for _ in range(times)]


def test_after_five_wrong_passwords_in_a_row_the_right_one_is_not_looked_at_either(store: Floor) -> None:
    ada = person(store)
    assert guess(store, ada, 7) == ["invalid-credentials"] * 5 + [60, 60]
    assert login(store, ada) == 60
    store.time.forward(seconds=59)
    assert login(store, ada) == 1
    store.time.forward(seconds=1)
    assert login(store, ada) == ada.email


def test_each_further_wrong_one_locks_for_twice_as_long_up_to_an_hour(store: Floor) -> None:
    ada = person(store)
    guess(store, ada, 4)
    locks = []
    for _ in range(9):
        assert guess(store, ada, 1) == ["invalid-credentials"]
        locks.append(login(store, ada))
        store.time.forward(seconds=float(locks[-1]))
    assert locks == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_an_unknown_email_is_treated_like_a_known_one(store: Floor) -> None:
    stories = []
    for who in (person(store).email, "nobody@example.com", "no email at all"):
        story = guess(store, who, 6)
        for seconds in (60, 0, 120, 0):
            store.time.forward(seconds=seconds)
            story += guess(store, who, 1)
        stories.append(story)
    assert stories[0] == stories[1] == stories[2]


def test_the_right_password_in_between_makes_the_count_begin_anew(store: Floor) -> None:
    ada = person(store)
    for _ in range(3):
        assert guess(store, ada, 4) == ["invalid-credentials"] * 4
        assert login(store, ada) == ada.email
    guess(store, ada, 5)
    store.time.forward(seconds=60)
    assert login(store, ada) == ada.email
    assert guess(store, ada, 6) == ["invalid-credentials"] * 5 + [60]


def test_a_day_later_the_count_begins_anew(store: Floor) -> None:
    ada = person(store)
    guess(store, ada, 4)
    store.time.forward(days=1)
    assert guess(store, ada, 6) == ["invalid-credentials"] * 5 + [60]


def test_only_the_account_is_locked_and_only_where_the_guesses_came_from(store: Floor) -> None:
    ada, grace = person(store), person(store)
    guess(store, ada, 6)
    assert login(store, ada, address=THERE) == ada.email
    assert login(store, grace) == grace.email
    assert login(store, ada.email.upper()) == 60, "however the email is written"


def test_an_account_that_is_guessed_at_from_many_places_is_slowed(store: Floor) -> None:
    ada = person(store)
    for number in range(50):
        assert guess(store, ada, 2, f"10.0.0.{number}") == ["invalid-credentials"] * 2
    assert guess(store, ada, 2, "10.0.1.1") == ["invalid-credentials", 30], "one at a time"
    assert login(store, ada, address="10.0.1.2") == 30
    store.time.forward(seconds=30)
    assert login(store, ada, address="10.0.1.2") == ada.email
    assert login(store, ada, address="10.0.1.2") == 30, "a right one changes nothing for the others"
    store.time.forward(hours=1)
    assert [login(store, ada, address="10.0.1.3") for _ in range(3)] == [ada.email] * 3


def test_an_email_that_nobody_has_is_slowed_alike(store: Floor) -> None:
    for number in range(100):
        guess(store, "nobody@example.com", 1, f"10.0.0.{number}")
    assert guess(store, "nobody@example.com", 2, "10.0.1.1") == ["invalid-credentials", 30]


def test_a_new_password_by_mail_lifts_every_lock(store: Floor) -> None:
    ada = person(store)
    for number in range(24):
        guess(store, ada, 4, f"10.0.0.{number}")
    guess(store, ada, 6)
    assert login(store, ada) == 60
    store.accounts.forgot_password(email=ada.email)
    letter = [notice for notice in store.mail() if notice.template is Template.RESET_PASSWORD][-1]
    token = str(letter.data["link"]).partition("token=")[2]
    store.accounts.reset_password(token=token, password="another password")
    assert [login(store, ada, "another password") for _ in range(3)] == [ada.email] * 3


def test_a_stolen_session_can_not_guess_the_password(store: Floor) -> None:
    ada = person(store)

    def change_password() -> None:
        store.accounts.change_password(by=ada, current="wrong password", new="another one", address=HERE)

    def change_email() -> None:
        store.accounts.change_email(by=ada, password="wrong password", email="new@example.com", address=HERE)

    for ask in (change_password, change_email, change_password, change_email, change_password):
        with pytest.raises(WrongPassword):
            ask()
    for locked in (change_password, change_email):
        with pytest.raises(TooManyRequests) as refused:
            locked()
        assert refused.value.extra == {"retry_after": 60}
    assert login(store, ada) == 60, "one count for every way to ask"
    with pytest.raises(TooManyRequests):
        store.accounts.change_password(by=ada, current=PASSWORD, new="another one", address=HERE)
    assert store.accounts.change_password(by=ada, current=PASSWORD, new="another one", address=THERE).id == ada.id


def at_once(count: int, act: Callable[[], str | int]) -> list[str | int]:
    gate = Barrier(count)

    def run(_: int) -> str | int:
        gate.wait()
        return act()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_many_guesses_at_once_are_no_more_than_one_after_another(store: Floor) -> None:
    ada = person(store)
    answers = at_once(20, lambda: login(store, ada, "wrong password"))
    assert sorted(map(str, answers)) == ["60"] * 15 + ["invalid-credentials"] * 5


def test_many_right_ones_at_once_lock_nobody_out(store: Floor) -> None:
    ada = person(store)
    assert at_once(20, lambda: login(store, ada)) == [ada.email] * 20


class Broken(LocalRateLimits):
    """Their technology is down."""

    def look(self, *_: object) -> None:  # type: ignore[override] # it never answers
        raise Unavailable()


@pytest.fixture
def memory() -> Floor:
    return Floor(MemoryStorage(), Clock(), Shop())


def on(store: Store, **ports: object) -> Store:
    """The same store with other ports."""
    return Store(**{**store.ports, **ports})


def test_while_wrong_passwords_can_not_be_counted_nobody_gets_in(memory: Floor) -> None:
    ada = person(memory)
    assert login(on(memory, rate_limits=Broken()), ada) == "unavailable"


def test_a_password_that_was_not_compared_is_not_counted(memory: Floor) -> None:
    ada = person(memory)

    def full(*_: object) -> bool:
        raise Unavailable()

    crowded = on(memory, passwords=SimpleNamespace(verify=full))
    assert guess(crowded, ada, 6) == ["unavailable"] * 6
    assert login(memory, ada) == ada.email


def test_while_it_is_locked_no_password_is_hashed(memory: Floor) -> None:
    ada, compared = person(memory), list[str]()

    class Counting(Argon2Passwords):
        def verify(self, password: str, hashed: str | None) -> bool:
            compared.append(password)
            return super().verify(password, hashed)

    store = on(memory, passwords=Counting(time_cost=1, memory_cost=8))
    guess(store, ada, 50)
    guess(store, "nobody@example.com", 50)
    assert len(compared) == 10


def test_a_banned_customer_learns_so_by_the_right_password_alone(memory: Floor) -> None:
    ada = person(memory)
    with memory.storage.writing(memory.clock(), str) as unit:
        unit.users.save(unit.users.locked(ada.id).changed(is_active=False))
        unit.commit()
    assert [login(memory, ada), *guess(memory, ada, 6)] == ["forbidden", *["invalid-credentials"] * 5, 60]


def test_the_worker_sweeps_what_is_over(memory: Floor) -> None:
    limits = LocalRateLimits()
    store = on(memory, rate_limits=limits)
    guess(store, "nobody@example.com", 5)
    memory.time.forward(days=2)
    assert store.work() >= 3
    assert limits.sweep(memory.clock()) == 0


@given(st.integers(0, 10**6))
def test_a_lock_never_gets_shorter_and_never_longer_than_an_hour(wrong: int) -> None:
    assert lock_after(wrong) <= lock_after(wrong + 1) <= LOCKED.window
    assert (lock_after(wrong) == timedelta(0)) == (wrong < 5)


def test_an_invalid_password_counts_as_a_wrong_one(memory: Floor) -> None:
    ada = person(memory)
    assert [login(memory, ada, "") for _ in range(6)] == [InvalidCredentials.code] * 5 + [60]
