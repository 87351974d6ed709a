"""A field that no key opens is an honest 503, not garbage: the rest of the shop goes on."""

import httpx
from sqlalchemy import update

from adapters.sql import SqlStorage, tables
from tests.e2e.conftest import API, LiveShop, problem


def test_a_field_that_no_key_opens_is_unavailable_and_nothing_else_is(live: LiveShop) -> None:
    assert isinstance(live.store.storage, SqlStorage)
    ada, grace = live.customer("ada@example.com", phone="+905551234567"), live.customer("grace@example.com")
    with live.store.storage.changing(live.clock()) as transaction:
        of_ada = update(tables.users).where(tables.users.c.email == "ada@example.com")
        transaction.write(of_ada.values(private=b"garbage"), {})
        transaction.commit()
    answer = httpx.get(f"{live.address}{API}/auth/me", cookies=ada.cookies, trust_env=False)
    told = problem(answer, 503, "unreadable")
    assert told["detail"] == "Something that is kept encrypted can't be read just now"
    assert "Retry-After" in answer.headers
    assert grace.get("/auth/me").status_code == 200
    assert live.visitor().get("/products").status_code == 200
