"""Files in conversations over HTTP: everything that may be sent, and how little of it is dangerous to fetch."""

import http.client
import re
import socket
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from storecore.accounts.permissions import Role
from storecore.ports import Unit
from storecore.support.saying import Said
from tests.e2e.conftest import LiveShop, problem
from tests.e2e.test_support import GUEST, HEADER, NOBODYS, opened, path, shown

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1000
MOST = 15 * 1024 * 1024
FORM = "multipart/form-data; boundary=b"
NESTED = b"Content-Type: multipart/mixed; boundary=c\r\n\r\n" + b"--c\r\n\r\nx\r\n" * 5_000 + b"--c--"
"""A form inside a part of a form, to be read by nobody."""
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\n\r\n'


def send(
    client: httpx.Client,
    to: dict[str, Any],
    content: bytes = PNG,
    *,
    name: str = "photo.png",
    declared: str = "image/png",
    headers: dict[str, str] | None = None,
    **fields: str,
) -> httpx.Response:
    files = {"file": (name, content, declared)}
    return client.post(path(to, "attachments"), files=files, data=fields, headers=headers)


def sent(client: httpx.Client, to: dict[str, Any], content: bytes = PNG, **more: Any) -> dict[str, Any]:
    """Send a file; the message."""
    return shown(send(client, to, content, **more), 201)


def raw(client: httpx.Client, to: dict[str, Any], body: bytes, content_type: str = FORM) -> httpx.Response:
    return client.post(path(to, "attachments"), content=body, headers={"Content-Type": content_type})


def url(message: dict[str, Any]) -> str:
    return f"/support/attachments/{message['attachment']['id']}"


def kept(live: LiveShop) -> list[Path]:
    """Every file in the shop's folder, whole or not."""
    folder = live.mail_folder.with_suffix(".files")
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_file_is_sent_seen_and_downloaded_by_both_sides(live: LiveShop) -> None:
    customer, agent = live.customer(full_name="Ayşe Yılmaz"), live.staff(Role.SUPPORT_AGENT)
    asked = opened(customer)
    answer = send(customer, asked, name="Şapka.png", body="Here it is", client_id="c1")
    message = shown(answer, 201)
    file = message["attachment"]
    assert answer.headers["Location"] == f"/api/v1{url(message)}"
    assert message == {
        "id": message["id"],
        "seq": 2,
        "client_id": "c1",
        "author": {"side": "customer", "id": customer.get("/auth/me").json()["id"], "name": "Ayşe Y."},
        "body": "Here it is",
        "attachment": {
            "id": file["id"],
            "name": "Şapka.png",
            "media_type": "image/png",
            "size": len(PNG),
            "sha256": sha256(PNG).hexdigest(),
        },
        "created_at": "2026-01-15T12:00:00.123456Z",
    }
    assert shown(agent.get(path(asked, "messages")))["items"][1] == message
    shown(agent.post(path(asked, "claim")))
    reply = sent(agent, asked, b"Thanks", name="reply.txt")
    assert (reply["body"], reply["attachment"]["media_type"]) == ("", "text/plain")
    for client in (customer, agent):
        found = client.get(url(message))
        assert (found.status_code, found.content) == (200, PNG)
        assert client.get(url(reply)).headers["Content-Type"] == "text/plain; charset=utf-8"
    headers = customer.get(url(message)).headers
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Length"] == str(len(PNG))
    assert headers["Content-Disposition"] == "attachment; filename=\"_apka.png\"; filename*=UTF-8''%C5%9Eapka.png"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["ETag"] == f'"{file["sha256"]}"'
    known = customer.get(url(message), headers={"If-None-Match": headers["ETag"]})
    assert (known.status_code, known.content) == (304, b"")
    looked = customer.head(url(message))
    assert (looked.status_code, looked.headers["Content-Length"], looked.content) == (200, str(len(PNG)), b"")


def test_a_guest_with_the_token_sends_and_fetches_and_nobody_else_does(live: LiveShop) -> None:
    guest, other = live.visitor(), live.visitor()
    asked, others = opened(guest, **GUEST), opened(other, **GUEST)
    held, foreign = {HEADER: asked["token"]}, {HEADER: others["token"]}
    message = sent(guest, asked, headers=held)
    assert guest.get(url(message), headers=held).content == PNG
    assert guest.get(url(message), params={"token": asked["token"]}).content == PNG
    eve = live.customer("eve@example.com")
    problem(eve.get(url(message)), 404, "not-found")
    problem(send(eve, asked), 404, "not-found")
    problem(other.get(url(message), headers=foreign), 404, "not-found")
    problem(send(other, asked, headers=foreign), 404, "not-found")
    problem(other.get(url(message)), 401, "not-authenticated")
    problem(send(other, asked), 401, "not-authenticated")
    agent = live.staff(Role.SUPPORT_AGENT)
    for bad in (NOBODYS, "x", "%00", "..%2F..%2Fsecrets.json", kept(live)[0].name, message["id"], "x" * 300):
        problem(agent.get(f"/support/attachments/{bad}"), 404, "not-found")
    problem(send(agent, {"id": NOBODYS}), 404, "not-found")
    problem(send(agent, asked), 409, "not-claimed")
    shown(guest.post(path(asked, "close"), headers=held))
    problem(send(guest, asked, headers=held), 409, "conversation-closed")
    assert guest.get(url(message), headers=held).content == PNG
    assert len(kept(live)) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"PK\3\4\x14\0\6\0\x08\0\0\0word/document.xml",
        b"#!/bin/sh\nrm -rf ~",
        b"text \0",
    ],
)
def test_what_a_file_is_called_does_not_make_it_an_image(live: LiveShop, content: bytes) -> None:
    customer = live.customer()
    asked = opened(customer)
    problem(send(customer, asked, content, name="photo.png", declared="image/png"), 415, "unsupported-type")
    assert kept(live) == []
    assert shown(customer.get(path(asked)))["last_seq"] == 1


def test_a_gif_with_a_script_inside_is_harmless(live: LiveShop) -> None:
    customer = live.customer()
    trick = b"GIF89a/*<script>alert(document.cookie)</script>*/=1;"
    message = sent(customer, opened(customer), trick, name="x.html", declared="text/html")
    answer = customer.get(url(message))
    assert answer.content == trick
    assert answer.headers["Content-Type"] == "image/gif"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="x.html.gif"'
    assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"]
    assert answer.headers.get_list("Content-Security-Policy") == ["sandbox; default-src 'none'"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../../etc/passwd", "passwd.png"),
        ("..\\..\\boot.ini", "boot.ini.png"),
        ("a\r\nSet-Cookie: x=1\r\n.png", None),
        ("a\0b.png", None),
        ('a"; filename="evil.exe', None),
        ("x" * 300 + ".png", "x" * 116 + ".png"),
        ("sale\u202egnp.exe", "salegnp.exe.png"),
        ("COM1.png", "_COM1.png"),
        ("帽" * 300, "帽" * 116 + ".png"),
        ("%2e%2e%2fx.png", None),
    ],
)
def test_names_are_stored_safely_and_offered_back_clean(live: LiveShop, name: str, expected: str | None) -> None:
    customer = live.customer()
    message = sent(customer, opened(customer), name=name)
    shown_name = message["attachment"]["name"]
    assert expected is None or shown_name == expected
    header = customer.get(url(message)).headers["Content-Disposition"]
    found = re.fullmatch(r"""attachment; filename="([\w .-]+)"(?:; filename\*=UTF-8''([\w.%~-]+))?""", header, re.ASCII)
    assert found is not None, header
    assert unquote(found[2] or found[1]) == shown_name
    assert len(shown_name) <= 120
    assert not set(shown_name) & set('/\\"\r\n\0\u202e%')
    (file,) = kept(live)
    assert re.fullmatch("[0-9a-f]{32}", file.name)
    assert file.read_bytes() == PNG


def test_the_same_name_twice_overwrites_nothing(live: LiveShop) -> None:
    customer = live.customer()
    asked = opened(customer)
    messages = [sent(customer, asked, text, name="note.txt") for text in (b"one", b"two", b"one")]
    assert [customer.get(url(each)).content for each in messages] == [b"one", b"two", b"one"]
    assert [each["attachment"]["name"] for each in messages] == ["note.txt"] * 3
    assert len(kept(live)) == 3


def test_the_largest_file_is_taken_and_a_byte_more_is_not(live: LiveShop) -> None:
    customer = live.customer()
    asked = opened(customer)
    largest = PNG + bytes(MOST - len(PNG))
    message = sent(customer, asked, largest)
    assert sha256(customer.get(url(message)).content).hexdigest() == sha256(largest).hexdigest()
    problem(send(customer, asked, largest + b"x"), 413, "too-large")
    problem(send(customer, asked, largest + bytes(100_000)), 413, "too-large")

    def chunked() -> Iterator[bytes]:
        yield HEAD + PNG
        for _ in range(256):
            yield bytes(65536)

    answer = customer.post(path(asked, "attachments"), content=chunked(), headers={"Content-Type": FORM})
    assert answer.status_code in (400, 413, 422), "the server of this test knows no chunked bodies"
    assert len(kept(live)) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (HEAD + PNG + b"\r\n--b--\r\n", "application/json", 415),
        (HEAD + PNG + b"\r\n--b--\r\n", "image/png", 415),
        (HEAD + PNG + b"\r\n--b--\r\n", "multipart/mixed; boundary=b", 415),
        (HEAD + PNG + b"\r\n--b--\r\n", "multipart/form-data", 400),
        (HEAD + PNG + b"\r\n--b--\r\n", "multipart/form-data; boundary=" + "b" * 71, 400),
        (HEAD + PNG + b"\r\n--b--\r\n", "multipart/form-data; boundary=other", 400),
        (HEAD + PNG, FORM, 400),
        (HEAD + PNG + b"\r\n--b", FORM, 400),
        (HEAD, FORM, 400),
        (HEAD[:-4], FORM, 400),
        (HEAD[:-2] + PNG, FORM, 400),
        (b"", FORM, 400),
        (b"no form at all", FORM, 400),
        (b"--b--\r\n", FORM, 422),
        (b"--b\r\n\r\n" + PNG + b"\r\n--b--\r\n", FORM, 400),
        (b'--b\r\nContent-Disposition: form-data; filename="x"\r\n\r\nx\r\n--b--\r\n', FORM, 400),
        (b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xff\xfe"\r\n\r\nx\r\n--b--\r\n', FORM, 400),
        (b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n', FORM, 422),
        (HEAD.replace(b'"file"', b'"photo"') + PNG + b"\r\n--b--\r\n", FORM, 422),
        (HEAD + PNG + b"\r\n" + HEAD + PNG + b"\r\n--b--\r\n", FORM, 422),
        (HEAD + b"\r\n--b--\r\n", FORM, 422),
        (HEAD + PNG + b'\r\n--b\r\nContent-Disposition: form-data; name="body"\r\n\r\nx\r\n--b--\r\n', FORM, 422),
        (b'--b\r\nContent-Disposition: form-data; name="body"\r\n\r\n\xff\r\n' + HEAD + b"x\r\n--b--\r\n", FORM, 422),
        (2 * b'--b\r\nContent-Disposition: form-data; name="body"\r\n\r\nx\r\n' + HEAD + b"x\r\n--b--\r\n", FORM, 422),
        (b'--b\r\nContent-Disposition: form-data; name="to"\r\n\r\nx\r\n' + HEAD + b"x\r\n--b--\r\n", FORM, 422),
        (b'--b\r\nContent-Disposition: form-data; name="body"\r\n\r\n' + b"x" * 70_000 + b"\r\n" + HEAD, FORM, 413),
        (b"--b\r\n" + b"X-Header: x\r\n" * 30_000 + b"\r\n", FORM, 413),
        (b'--b\r\nContent-Disposition: form-data; name="a"' + b";" * 300_000 + b"\r\n\r\nx\r\n--b--\r\n", FORM, 413),
        (b'--b\r\nContent-Disposition: form-data; name="more"\r\n' + NESTED + b"\r\n--b--\r\n", FORM, 422),
        (b"".join(b'--b\r\nContent-Disposition: form-data; name="%d"\r\n\r\nx\r\n' % n for n in range(20)), FORM, 413),
        (HEAD + PNG + b"\r\n--b--\r\n" + b"x" * 500_000, FORM, 413),
    ],
)
def test_a_form_that_is_no_form_is_refused_and_leaves_nothing(
    live: LiveShop, body: bytes, content_type: str, status: int
) -> None:
    customer = live.customer()
    asked = opened(customer)
    answer = raw(customer, asked, body, content_type)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    assert kept(live) == []
    assert shown(customer.get(path(asked)))["last_seq"] == 1


def test_a_form_is_read_whatever_is_around_its_parts(live: LiveShop) -> None:
    customer = live.customer()
    asked = opened(customer)
    tricky = b"GIF89a\r\n--\r\n--bb\r\n--b x\r\n--" + bytes(70_000) + b"\r\n"
    body = b"preamble\r\n" + HEAD + tricky + b"\r\n--b--\r\nepilogue"
    message = shown(raw(customer, asked, body, 'Multipart/Form-Data; charset=utf-8; boundary="b"'), 201)
    assert customer.get(url(message)).content == tricky


def test_a_client_that_hangs_up_leaves_nothing(live: LiveShop) -> None:
    customer = live.bearer(live.register("ada@example.com")["email"])
    asked = opened(customer)
    connection = announced(live, customer, asked, 1_000_000)
    connection.send(HEAD + PNG)
    connection.sock.shutdown(socket.SHUT_WR)
    answer = connection.getresponse()
    assert (answer.status, b"cut off" in answer.read()) == (400, True)
    connection.close()
    assert kept(live) == []
    assert shown(customer.get(path(asked)))["last_seq"] == 1


def announced(live: LiveShop, client: httpx.Client, to: dict[str, Any], length: int) -> http.client.HTTPConnection:
    """A connection on which a form of so many bytes is about to be sent."""
    address = httpx.URL(live.address)
    connection = http.client.HTTPConnection(address.host, address.port or 80)
    connection.putrequest("POST", f"/api/v1{path(to, 'attachments')}")
    connection.putheader("Authorization", client.headers["Authorization"])
    connection.putheader("Content-Type", FORM)
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    return connection


def test_a_repeated_client_id_or_key_is_one_message(live: LiveShop) -> None:
    customer = live.customer()
    asked = opened(customer)
    first = sent(customer, asked, client_id="c1")
    assert sent(customer, asked, client_id="c1") == first
    key = {"Idempotency-Key": "k1"}
    second = send(customer, asked, headers=key)
    again = send(customer, asked, headers=key)
    assert (again.status_code, again.json()) == (201, second.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == second.headers["Location"]
    problem(send(customer, asked, PNG + b"!", headers=key), 422, "idempotency-key-reused")
    problem(send(customer, asked, name="other.png", headers=key), 422, "idempotency-key-reused")
    assert shown(customer.get(path(asked)))["last_seq"] == 3
    assert len(kept(live)) == 2


def test_ten_uploads_at_once_are_ten_whole_files(live: LiveShop) -> None:
    customers = [live.customer(f"c{n}@example.com") for n in range(10)]
    asked = [opened(customer) for customer in customers]
    contents = [PNG + bytes([n]) * 1_000_000 for n in range(10)]
    answers: list[httpx.Response] = []
    threads = [
        Thread(target=lambda n=n: answers.append(send(customers[n], asked[n], contents[n], body=str(n))))
        for n in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 10
    for answer in answers:
        message = shown(answer, 201)
        number = int(message["body"])
        assert customers[number].get(url(message)).content == contents[number]


def test_uploads_take_as_much_memory_whatever_their_size(live: LiveShop) -> None:
    customer = live.bearer(live.register("ada@example.com")["email"])
    asked = opened(customer)
    chunk, tail, statuses = bytes(65536), b"\r\n--b--\r\n", list[int]()

    def upload(chunks: int) -> None:
        connection = announced(live, customer, asked, len(HEAD) + len(PNG) + chunks * len(chunk) + len(tail))
        connection.send(HEAD + PNG)
        for _ in range(chunks):
            connection.send(chunk)
        connection.send(tail)
        answer = connection.getresponse()
        statuses.append(answer.status)
        answer.read()
        connection.close()

    def peak_of(chunks: int) -> int:
        tracemalloc.start()
        threads = [Thread(target=upload, args=(chunks,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    upload(1)
    small, large = peak_of(1), peak_of(200)
    assert statuses == [201] * 9
    assert large < small + 4 * 1024 * 1024, f"4 files of a chunk took {small} bytes, of 200 chunks {large}"


def test_a_unit_that_fails_after_the_file_was_kept_leaves_no_row_and_the_broom_takes_the_file(
    live: LiveShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = live.customer()
    asked = opened(customer)

    def fail(unit: Unit, *_: object, **__: object) -> Said:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("storecore.support.attaching.Attaching._kept", fail)
        customer.event_hooks = {"response": []}  # this one failure is meant
        problem(send(customer, asked), 500, "internal")
    assert shown(customer.get(path(asked)))["last_seq"] == 1
    assert len(kept(live)) == 1
    live.clock.forward(minutes=61)
    while live.store.work():
        pass
    assert kept(live) == []


def test_the_documentation_says_how_a_file_is_sent(live: LiveShop) -> None:
    document = live.visitor().get("/openapi.json").json()
    post = document["paths"]["/api/v1/support/conversations/{conversation_id}/attachments"]["post"]
    assert list(post["requestBody"]["content"]) == ["multipart/form-data"]
    assert {"201", "400", "401", "404", "409", "413", "415", "422", "503"} <= post["responses"].keys()
    get = document["paths"]["/api/v1/support/attachments/{attachment_id}"]["get"]
    assert list(get["responses"]["200"]["content"]) == ["application/octet-stream"]
