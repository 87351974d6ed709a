"""Whoever writes the database puts what is encrypted for one row into another: it opens nowhere, and shows nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from sqlalchemy import Column, select, update

from adapters.sql import SqlStorage
from adapters.sql.personal import Kept, columns
from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from tests.e2e.abuse.tables import unchanged
from tests.e2e.conftest import API, LiveShop, problem
from tests.e2e.goods import ADDRESS, order_of
from tests.e2e.test_attachments import sent
from tests.e2e.test_refunds import asked, delivered
from tests.e2e.test_support import opened, path


def belongings(live: LiveShop, client: httpx.Client, hat: str) -> dict[str, str]:
    """Something in every column that is encrypted, and where its owner reads it."""
    order = delivered(live, client, hat)
    assert client.get(f"/orders/{order['id']}/invoice.pdf").status_code == 200
    refund = asked(client, order)
    live.store.refunds.approve(by=SYSTEM, refund_id=refund["id"], expect_return=False)
    while live.store.work():
        pass
    home = client.post("/users/me/addresses", json=ADDRESS).json()
    client.post(f"/products/{hat}/reviews", json={"rating": 5, "comment": "It fits"})
    talk = opened(client)
    sent(client, talk)
    return {
        "users.private": "/auth/me",
        "addresses.private": f"/users/me/addresses/{home['id']}",
        "orders.private": f"/orders/{order['id']}",
        "invoices.private": f"/orders/{order['id']}/invoice.pdf",
        "credit_notes.private": f"/refunds/{refund['id']}/credit-note.pdf",
        "refunds.private": f"/refunds/{refund['id']}",
        "reviews.private": "/reviews/mine",
        "conversations.private": path(talk),
        "messages.private": path(talk, "messages"),
        "attachments.private": path(talk, "messages"),
    }


@contextmanager
def moved(live: LiveShop, column: "Column[bytes]") -> Iterator[None]:
    """Meanwhile each row of a column has what is the row's before it, the first what is the last one's."""
    assert isinstance(live.store.storage, SqlStorage)
    key = list(column.table.primary_key)
    with live.store.storage.snapshot() as (connection, _):
        rows = connection.execute(select(*key, column).where(column.is_not(None)).order_by(*key)).all()
    secrets = [row[-1] for row in rows]
    assert len(rows) > 1, column
    for found in (secrets[-1:] + secrets[:-1], secrets):
        with live.store.storage.changing(live.clock()) as transaction:
            for row, secret in zip(rows, found, strict=True):
                this = [part == value for part, value in zip(key, row[:-1], strict=True)]
                transaction.write(update(column.table).where(*this).values({column.name: secret}), {})
            transaction.commit()
        if found is not secrets:
            yield


def test_what_is_encrypted_for_one_row_opens_in_no_other(live: LiveShop) -> None:
    hat, admin = live.hat(stock=50), live.staff(Role.ADMIN)
    once = {"Idempotency-Key": "once"}
    ada, eve = (live.customer(email, phone="+905551234567") for email in ("ada@example.com", "eve@example.com"))
    reads = {client: belongings(live, client, hat) for client in (ada, eve)}[eve]
    for client in (ada, eve):
        assert client.post("/orders", json=order_of((hat, 1)), headers=once).status_code == 201
    eve, staff = (
        httpx.Client(base_url=f"{live.address}{API}", cookies=client.cookies, trust_env=False, timeout=30)
        for client in (eve, admin)
    )
    with eve, staff, unchanged(live):
        for column in columns(Kept.SEALED):
            with moved(live, column):
                if str(column) == "answers.answer":
                    answer = eve.post("/orders", json=order_of((hat, 1)), headers=once)
                elif str(column) == "outbox.private":
                    answer = staff.get("/admin/outbox")
                else:
                    answer = eve.get(reads[str(column)])
                told = problem(answer, 503, "unreadable")
                assert told["detail"] == "Something that is kept encrypted can't be read just now"
                assert live.visitor().get("/products").status_code == 200
        for address in reads.values():
            assert eve.get(address).status_code == 200, address
