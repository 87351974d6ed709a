"""A storm of logins slows logins, and not the shop."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Semaphore

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapters.jwt_tokens import JwtAccessTokens
from adapters.local_rate_limits import Unlimited
from adapters.memory import open_store
from adapters.passwords import Argon2Passwords
from adapters.tokens import SignedValues
from storecore.testing.contracts.proving import PATIENCE, Together
from webapp import AREAS, create_app, limits, server
from webapp.http.parts import Parts

KEY = "a key of the tests, with at least 32 bytes"
THREADS, STORM = 4, 20
HASHING = {limits.SIGN_IN, limits.REGISTER, limits.PASSWORD, limits.RESET}


@dataclass
class Storm:
    """So many logins at once, at a server whose passwords take until ``enough``."""

    app: Flask
    enough: Event = field(default_factory=Event)
    hashing: Semaphore = field(default_factory=lambda: Semaphore(0))
    answered: Semaphore = field(default_factory=lambda: Semaphore(0))

    def queue(self, **line: float) -> None:
        self.app.wsgi_app = server.in_turn(self.app.wsgi_app, THREADS, **line)  # type: ignore[method-assign, assignment, arg-type] # Flask's documented way

    def begin(self, ask: Callable[[int], tuple[int, str | None]] | None = None) -> Together:
        asked = ask or self.login
        storm = Together(*(lambda number=number: asked(number) for number in range(STORM)))
        for _ in range(THREADS // 2):
            assert self.hashing.acquire(timeout=PATIENCE)
        return storm

    def login(self, number: int) -> tuple[int, str | None]:
        return self.told(self.app.test_client().post("/api/v1/auth/login", json=person(number)))

    def told(self, answer: TestResponse) -> tuple[int, str | None]:
        self.answered.release()
        if answer.status_code == 503:
            assert answer.json is not None
            assert (answer.content_type, answer.json["code"]) == ("application/problem+json", "unavailable")
        return answer.status_code, answer.headers.get("Retry-After")

    def signed_in(self, number: int) -> FlaskClient:
        client = self.app.test_client()
        assert client.post("/api/v1/auth/register", json={**person(number), "full_name": "Ada"}).status_code == 201
        assert client.post("/api/v1/auth/login", json=person(number)).status_code == 200
        self.hashing.acquire()
        return client

    def shop_goes_on(self) -> bool:
        return self.app.test_client().get("/api/v1/products").status_code == 200

    def slowly(self, *_: object) -> bool:
        self.hashing.release()
        assert self.enough.wait(PATIENCE)
        return True


def person(number: int) -> dict[str, str]:
    return {"email": f"{number}@example.com", "password": "a good one"}


@pytest.fixture
def storm(monkeypatch: pytest.MonkeyPatch) -> Storm:
    passwords = Argon2Passwords(time_cost=1, memory_cost=8, concurrency=THREADS)
    store = open_store(passwords=passwords, rate_limits=Unlimited())
    app = create_app(Parts(store=store, access_tokens=JwtAccessTokens([KEY]), values=SignedValues([KEY])))
    storm = Storm(app)
    monkeypatch.setattr(PasswordHasher, "verify", storm.slowly)
    return storm


def test_while_logins_wait_in_line_the_shop_goes_on_selling_and_then_all_get_in(storm: Storm) -> None:
    storm.queue(patience=PATIENCE)
    logins = storm.begin()
    assert storm.shop_goes_on()
    assert not storm.hashing.acquire(blocking=False), "no more than half of the threads hash passwords"
    storm.enough.set()
    assert logins.succeed() == [(401, None)] * STORM


def test_a_storm_of_accounts_that_are_erased_waits_in_the_same_line(storm: Storm) -> None:
    storm.queue(patience=PATIENCE)
    storm.enough.set()
    clients = [storm.signed_in(number) for number in range(STORM)]
    storm.enough.clear()
    erasing = storm.begin(
        lambda number: storm.told(clients[number].delete("/api/v1/users/me", json={"password": "a good one"}))
    )
    assert storm.shop_goes_on()
    assert clients[0].get("/api/v1/users/me").status_code in (200, 401), "to look at one's profile is not to wait"
    assert not storm.hashing.acquire(blocking=False), "no more than half of the threads hash passwords"
    storm.enough.set()
    assert erasing.succeed() == [(204, None)] * STORM


def test_who_waits_too_long_in_line_is_told_to_come_back(storm: Storm) -> None:
    storm.queue(patience=0.01)
    logins = storm.begin()
    for _ in range(STORM - THREADS // 2):
        assert storm.answered.acquire(timeout=PATIENCE)
    storm.enough.set()
    assert Counter(logins.succeed()) == {(401, None): THREADS // 2, (503, "2"): STORM - THREADS // 2}


def test_who_finds_the_line_full_is_told_at_once(storm: Storm) -> None:
    storm.queue(line=3, patience=PATIENCE)
    logins = storm.begin()
    for _ in range(STORM - THREADS // 2 - 3):
        assert storm.answered.acquire(timeout=PATIENCE)
    assert storm.shop_goes_on()
    storm.enough.set()
    assert Counter(logins.succeed()) == {(401, None): THREADS // 2 + 3, (503, "2"): STORM - THREADS // 2 - 3}


def test_every_place_in_line_is_given_back(storm: Storm) -> None:
    storm.queue(line=STORM - THREADS // 2, patience=PATIENCE)
    for _ in range(2):
        storm.enough.clear()
        logins = storm.begin()
        storm.enough.set()
        assert logins.succeed() == [(401, None)] * STORM
        while storm.hashing.acquire(blocking=False):
            """Forget who has hashed."""


def test_all_that_hashes_passwords_waits_in_line() -> None:
    endpoints = [each for area in AREAS for each in area.endpoints if each.limit in HASHING]
    doors = {f"{each.method} {each.path}" for each in endpoints} | {"POST /links/reset-password"}
    assert {door for door in doors if not door.endswith(("verify", "resend", "forgot"))} == server.HASHING
