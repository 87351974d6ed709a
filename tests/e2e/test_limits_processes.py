"""Limits that server processes share."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.e2e.processes import Shop, all_at_once
from tests.e2e.servers import serving
from tests.postgresql import empty_database

WRONG = {"email": "customer@example.com", "password": "not this one"}
RIGHT = {"email": "customer@example.com", "password": "12345678"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Two server processes on one PostgreSQL database, with their limits on."""
    folder = tmp_path_factory.mktemp("instance")
    with ExitStack() as stack:
        url = stack.enter_context(empty_database()).render_as_string(hide_password=False)
        started = (serving(folder, DATABASE_URL=url, RATE_LIMITS="on") for _ in range(2))
        yield Shop([stack.enter_context(server)[1] for server in started])


def test_two_processes_share_their_counts(pair: Shop) -> None:
    def forgot(number: int) -> httpx.Response:
        return clients[number].post("/auth/password/forgot", json={"email": f"{number} is no email"})

    with pair.crowd(80, "") as clients:
        left = [forgot(number).headers["RateLimit"] for number in range(6)]
        answers = all_at_once(74, lambda number: forgot(number + 6))
    assert [each.split(";")[1] for each in left] == ["r=59", "r=58", "r=57", "r=56", "r=55", "r=54"]
    assert Counter(answer.status_code for answer in answers) == {422: 54, 429: 20}


def test_two_processes_share_a_lock(pair: Shop) -> None:
    with pair.crowd(2, "") as clients:
        answers = [clients[number % 2].post("/auth/login", json=WRONG).status_code for number in range(8)]
        locked = [client.post("/auth/token", json=RIGHT) for client in clients]
    assert answers == [401] * 5 + [429] * 3
    assert [answer.status_code for answer in locked] == [429, 429]
    assert {1 <= int(answer.headers["Retry-After"]) <= 60 for answer in locked} == {True}
