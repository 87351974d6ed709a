"""One's own data over HTTP: the download, and the end of an account in everything that a server leaves on its disk."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import LargeBinary, Text, cast, select

from adapters.sql import SqlStorage
from adapters.sql.columns import metadata
from adapters.sql.verify import verify
from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.orders.model import Status
from tests.e2e.conftest import PASSWORD, LiveShop, problem
from tests.e2e.sockets import calling
from tests.house.conftest import logging_as_it_was  # noqa: F401 - a fixture, for the log that is configured here
from webapp import logs
from webapp.settings import Settings

EMAIL = "zqmarkzq.ada@example.com"
HOME = {
    "recipient": "Zqmarkzqrecipient",
    "line1": "Zqmarkzqline",
    "city": "Zqmarkzqcity",
    "postal_code": "Zqmarkzq1",
    "country": "GB",
}
SAID = ("zqmarkzq", EMAIL, "Lovelace")


def leave(client: httpx.Client, password: str = PASSWORD) -> httpx.Response:
    return client.request("DELETE", "/users/me", json={"password": password})


def lived(live: LiveShop) -> tuple[httpx.Client, dict[str, Any], str]:
    """Somebody who bought, reviewed, asked with a file and got mail; an order, and a conversation."""
    client = live.customer(EMAIL, full_name="Zqmarkzqada Lovelace", phone="zqmarkzqphone", home_address="Zqmarkzqhome")
    hat = live.hat()
    body = {"items": [{"product_id": hat, "quantity": 1}], "delivery_address": HOME, "note": "zqmarkzqnote"}
    order = client.post("/orders", json=body, headers={"Idempotency-Key": "zqmarkzqkey"}).json()
    for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
        live.store.orders.advance(by=SYSTEM, order_id=order["id"], to=status)
    client.post("/users/me/addresses", json={**HOME, "label": "zqmarkzqlabel"})
    client.post(f"/products/{hat}/reviews", json={"rating": 3, "comment": "zqmarkzqcomment"})
    talk = client.post("/support/conversations", json={"message": "zqmarkzqmessage"}).json()["id"]
    files = {"file": ("zqmarkzqfile.txt", b"zqmarkzqcontent", "text/plain")}
    assert client.post(f"/support/conversations/{talk}/attachments", files=files).status_code == 201
    client.post("/auth/email", json={"email": "zqmarkzq.new@example.com", "password": PASSWORD})
    assert live.mail(EMAIL)
    return client, order, talk


def traces(live: LiveShop) -> dict[str, str]:
    """Where there is a trace of them: files as they are (a SQLite database vacuumed), and rows as text."""
    found = {}
    if isinstance(live.where, Path):
        with closing(sqlite3.connect(live.where)) as database:
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for path in live.mail_folder.parent.rglob("*"):
        if path.is_file():
            found[path.name] = path.read_bytes().decode(errors="replace")
    storage = live.store.storage
    assert isinstance(storage, SqlStorage)
    with storage.snapshot() as (connection, _):
        for table in metadata.sorted_tables:
            text = [c if isinstance(c.type, LargeBinary) else cast(c, Text) for c in table.columns]
            found[table.name] = str(connection.execute(select(*text)).all())
    return {place: text for place, text in found.items() if any(each.lower() in text.lower() for each in SAID)}


def test_everything_about_me_is_a_download(live: LiveShop) -> None:
    client, order, talk = lived(live)
    answer = client.get("/users/me/export")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    document = answer.json()
    assert document["profile"][0]["email"] == EMAIL
    assert document["orders"][0]["number"] == order["number"]
    assert document["orders"][0]["invoice"]["buyer"]["name"] == "Zqmarkzqada Lovelace"
    assert document["conversations"][0]["id"] == talk
    for trace in (
        "zqmarkzqphone",
        "Zqmarkzqhome",
        "zqmarkzqnote",
        "zqmarkzqlabel",
        "zqmarkzqcomment",
        "zqmarkzqmessage",
        "zqmarkzqfile.txt",
        "zqmarkzq.new@example.com",
    ):
        assert trace in answer.text, trace
    assert "argon2" not in answer.text


def test_a_long_export_is_whole(live: LiveShop) -> None:
    client, hat = live.customer(EMAIL), live.hat(stock=999)
    body = {"items": [{"product_id": hat, "quantity": 1}], "delivery_address": HOME, "note": "x" * 2000}
    for _ in range(110):
        assert client.post("/orders", json=body).status_code == 201
        assert client.post("/support/conversations", json={"message": "ü" * 4000}).status_code == 201
    answer = client.get("/users/me/export")
    assert len(answer.content) > 1024 * 1024
    document = json.loads(answer.content)
    assert len({order["number"] for order in document["orders"]}) == 110
    assert {len(each["messages"][0]["body"]) for each in document["conversations"]} == {4000}


def test_after_an_erasure_nothing_on_the_disk_tells_of_me(live: LiveShop, tmp_path: Path) -> None:
    log_file = tmp_path / "shop.log"
    logs.configure(Settings(log_file=log_file, log_format="json", log_level="DEBUG"))
    client, order, talk = lived(live)
    agent = live.staff(Role.SUPPORT_AGENT)
    before = traces(live)
    assert {"users", "sessions"} & before.keys()
    assert any(place.endswith(".eml") for place in before)
    assert "zqmarkzqcontent" in "".join(before.values())
    with calling(client, talk) as mine, calling(agent, talk) as theirs:
        answer = leave(client)
        assert (answer.status_code, answer.content) == (204, b"")
        assert mine.goodbye() in {4401, 4403}  # whichever is noticed first: the session, or the conversation
        assert theirs.goodbye() == 4403
    live.mail("nobody")
    assert traces(live) == {}
    lines = log_file.read_text()
    assert "/users/me" in lines
    assert not any(trace.lower() in lines.lower() for trace in SAID)

    problem(client.get("/users/me"), 401, "not-authenticated")
    problem(agent.get(f"/support/conversations/{talk}"), 404, "not-found")
    staff = live.staff(Role.PRODUCT_MANAGER)
    seen = staff.get(f"/orders/{order['id']}").json()
    assert seen["delivery_address"]["recipient"] == "Erased"
    assert (seen["total"], seen["number"]) == (order["total"], order["number"])
    assert staff.get(f"/orders/{order['id']}/invoice.pdf").content.startswith(b"%PDF")
    assert isinstance(live.store.storage, SqlStorage)
    assert not verify(live.store.storage, live.clock())
    assert live.register(EMAIL)["email"] == EMAIL


def test_the_last_mail_says_goodbye_to_nobody_in_particular(live: LiveShop) -> None:
    client = live.customer(EMAIL)
    assert leave(client).status_code == 204
    (letter,) = live.mail("nobody@erased.invalid")
    assert letter["Subject"] == "Your account was erased"
    assert live.mail(EMAIL) == []


def test_the_cookies_go_with_the_account(live: LiveShop) -> None:
    client = live.customer(EMAIL)
    answer = leave(client)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert not {"access_token", "refresh_token"} & set(client.cookies)


def test_a_session_alone_is_not_enough(live: LiveShop) -> None:
    client = live.customer(EMAIL)
    body = problem(leave(client, "not this one"), 422, "wrong-password")
    assert [each["field"] for each in body["errors"]] == ["password"]
    problem(client.request("DELETE", "/users/me"), 422, "invalid")
    problem(client.request("DELETE", "/users/me", json={"password": PASSWORD, "sure": True}), 422, "invalid")
    problem(live.visitor().request("DELETE", "/users/me", json={"password": PASSWORD}), 401, "not-authenticated")
    assert client.get("/users/me").status_code == 200


def test_what_is_still_owed_is_named(live: LiveShop) -> None:
    client = live.customer(EMAIL)
    order = client.post(
        "/orders", json={"items": [{"product_id": live.hat(), "quantity": 1}], "delivery_address": HOME}
    ).json()
    body = problem(leave(client), 409, "still-owed")
    assert body["orders"] == [order["number"]]
    assert order["number"] in body["detail"]
    assert client.post(f"/orders/{order['id']}/cancel").status_code == 200
    assert leave(client).status_code == 204


def test_the_last_admin_can_not_leave(live: LiveShop) -> None:
    problem(leave(live.staff(Role.ADMIN)), 409, "last-admin")
