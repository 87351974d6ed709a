"""A storm of logins slows logins, and not the shop."""

from threading import Event, Semaphore

import pytest
from argon2 import PasswordHasher

from adapters.jwt_tokens import JwtAccessTokens
from adapters.local_rate_limits import Unlimited
from adapters.memory import open_store
from adapters.passwords import Argon2Passwords
from adapters.tokens import SignedValues
from storecore.testing.contracts.proving import PATIENCE, Together
from webapp import create_app, server
from webapp.http.parts import Parts

KEY = "a key of the tests, with at least 32 bytes"
THREADS = 4


def test_while_logins_wait_for_one_another_the_shop_goes_on_selling(monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(
        passwords=Argon2Passwords(time_cost=1, memory_cost=8, concurrency=1, room=THREADS // 2),
        rate_limits=Unlimited(),
    )
    app = create_app(Parts(store=store, access_tokens=JwtAccessTokens([KEY]), values=SignedValues([KEY])))
    app.wsgi_app = server.in_turn(app.wsgi_app, THREADS)  # type: ignore[method-assign, assignment] # Flask's documented way
    answered, enough = Semaphore(0), Event()

    def slowly(*_: object) -> bool:
        assert enough.wait(PATIENCE)
        return True

    monkeypatch.setattr(PasswordHasher, "verify", slowly)

    def login(number: int) -> tuple[int, str | None]:
        body = {"email": f"{number}@example.com", "password": "12345678"}
        answer = app.test_client().post("/api/v1/auth/login", json=body)
        answered.release()
        return answer.status_code, answer.headers.get("Retry-After")

    storm = Together(*(lambda number=number: login(number) for number in range(20)))
    for _ in range(20 - THREADS // 2):
        assert answered.acquire(timeout=PATIENCE), "who finds no room is told at once"
    assert app.test_client().get("/api/v1/products").status_code == 200
    enough.set()
    assert sorted(storm.succeed(), key=str) == [(401, None)] * (THREADS // 2) + [(503, "2")] * (20 - THREADS // 2)
