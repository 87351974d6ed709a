"""Statuses, locations, tags, caches, downloads, and the headers that every answer has."""

import re
from typing import Any

import pytest

from storecore import audit
from storecore.accounts.permissions import Role
from tests.http.toys import Client, Toy
from webapp.http import etags
from webapp.http.headers import SECURITY


@pytest.fixture
def staff(toy: Toy) -> dict[str, str]:
    return toy.bearer(Role.PRODUCT_MANAGER)


@pytest.fixture
def thing(client: Client) -> Any:
    return client.post("/api/v1/things", json={"name": "Hat"})


def test_what_is_made_says_where_it_is(client: Client, thing: Any) -> None:
    assert thing.status_code == 201
    assert thing.headers["Location"] == "/api/v1/things/t1"
    assert thing.json == {
        "id": "t1",
        "name": "Hat",
        "price": "19.99",
        "currency": "USD",
        "colour": "red",
        "version": 1,
    }
    assert client.get(thing.headers["Location"]).json == thing.json


def test_a_request_leaves_its_id_to_nobody(client: Client) -> None:
    client.get("/api/v1/things", headers={"X-Request-ID": "4711"})
    client.get("/api/v1/nothing", headers={"X-Request-ID": "4712"})
    assert audit.request_id.get() is None


def test_an_answer_without_a_body_has_no_type(client: Client, toy: Toy) -> None:
    answer = client.delete("/api/v1/things/t1", headers=toy.bearer())
    assert (answer.status_code, answer.data, "Content-Type" in answer.headers) == (204, b"", False)
    assert client.post("/api/v1/actions").status_code == 202


def test_a_tag_is_the_version_and_a_digest_of_the_body(client: Client, thing: Any) -> None:
    answer = client.get("/api/v1/things/t1")
    assert re.fullmatch(r'"1\.[0-9a-f]{16}"', answer.headers["ETag"])
    assert answer.headers["ETag"] == thing.headers["ETag"]


def test_an_edit_with_the_tag_that_was_read_passes_once(client: Client, thing: Any, staff: dict[str, str]) -> None:
    headers = {**staff, "If-Match": thing.headers["ETag"]}
    first = client.patch("/api/v1/things/t1", json={"name": "Cap"}, headers=headers)
    assert (first.status_code, first.json["version"]) == (200, 2)
    second = client.patch("/api/v1/things/t1", json={"name": "Beret"}, headers=headers)
    assert (second.status_code, second.json["code"]) == (412, "precondition-failed")
    assert client.get("/api/v1/things/t1").json["name"] == "Cap"


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        ("*", 200),
        (' "1.whatever" ', 200),
        ('"1"', 200),
        ('W/"1.abc"', 200),
        ('"1.abc-gzip"', 200),
        ('"7.x", "1.y"', 200),
        ('"1.y", "7.x", "8.x"', 200),
        ('"2.abc"', 412),
        ('"8.x", "9.y"', 412),
        ("1", 412),
        ('"x"', 412),
        ('"-1"', 412),
        ('""', 412),
        ("", 412),
        ("garbage, more", 412),
        ('"1', 412),
        ('"' + "9" * 400 + '"', 412),
    ],
)
def test_an_edit_is_compared_by_version_alone(
    client: Client, thing: Any, staff: dict[str, str], if_match: str, status: int
) -> None:
    headers = {**staff, "If-Match": if_match}
    assert client.patch("/api/v1/things/t1", json={"name": "Cap"}, headers=headers).status_code == status


def test_a_stale_edit_of_nothing_is_not_found(client: Client, staff: dict[str, str]) -> None:
    answer = client.patch("/api/v1/things/t404", json={"name": "Cap"}, headers={**staff, "If-Match": '"9.x"'})
    assert answer.status_code == 404


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_what_is_there_already_is_not_sent_again(client: Client, thing: Any, form: str) -> None:
    headers = {"If-None-Match": form.format(thing.headers["ETag"])}
    answer = client.get("/api/v1/things/t1", headers=headers)
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", thing.headers["ETag"])
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("tag", ['"1"', '"1.0000000000000000"', "garbage", ""])
def test_another_body_is_sent_whatever_its_version(client: Client, thing: Any, tag: str) -> None:
    assert client.get("/api/v1/things/t1", headers={"If-None-Match": tag}).status_code == 200


def test_at_most_ten_versions_are_tried() -> None:
    assert list(etags.versions(", ".join(f'"{n}.x"' for n in range(50)))) == list(range(49, 39, -1))


def test_answers_depend_on_who_asks_unless_the_route_says_otherwise(client: Client, thing: Any) -> None:
    private = client.get("/api/v1/things/t1").headers
    assert (private["Cache-Control"], private["Vary"]) == ("private, no-cache", "Cookie, Authorization")
    assert thing.headers["Cache-Control"] == "private, no-store"
    held = client.get("/api/v1/held/t1", headers={"X-Order-Token": "order-1"}).headers
    assert held["Cache-Control"] == "private, no-store"
    assert "X-Order-Token" in held["Vary"]
    assert client.get("/api/v1/same").headers["Cache-Control"] == "public, no-cache"


def test_a_route_that_is_the_same_for_all_does_not_look_who_asks(client: Client, toy: Toy) -> None:
    assert client.get("/api/v1/same", headers=toy.bearer()).status_code == 200
    assert toy.store.looked_up == []


def test_a_file_is_saved_under_its_name(client: Client) -> None:
    answer = client.get("/api/v1/file")
    assert (answer.status_code, answer.content_type, answer.data) == (200, "application/pdf", b"%PDF-1.7")
    disposition = answer.headers["Content-Disposition"]
    assert disposition == "attachment; filename=\"_nvoice _1_.pdf\"; filename*=UTF-8''%C4%B0nvoice%20%221%22.pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["/api/v1/same", "/api/v1/nothing", "/api/v1/file", "/metrics", "/api/v1/broken", "/problems/not-found", "/no",
     "/health", "/api/v1/docs", "/api/v1/redoc", "/api/v1/docs/assets/swagger.js", "/links/verify-email"],
)  # fmt: skip
def test_every_answer_is_careful(client: Client, path: str) -> None:
    headers = client.get(path).headers
    for name, value in SECURITY:
        assert headers.getlist(name) == [value]
    (text,) = headers.getlist("Content-Security-Policy")
    policy = dict((part.strip() + " ").split(" ", 1) for part in text.split(";"))
    for name in ("default-src", "frame-ancestors", "base-uri"):
        assert policy[name].strip() == "'none'"
    assert policy["form-action"].strip() in {"'none'", "'self'"}
    assert "unsafe" not in policy.get("script-src", "'none'")
    assert ("script-src" in policy) == (path in {"/api/v1/docs", "/api/v1/redoc"})
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("path", ["/api/v1/docs", "/api/v1/redoc"])
def test_pages_with_scripts_load_them_from_here_and_have_none_in_line(client: Client, path: str) -> None:
    page = client.get(path).text
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 2
    for attributes, content in scripts:
        assert content == ""
        with client.get(re.findall(r'src="(/[^/][^"]*)"', attributes)[0]) as script:
            assert script.content_type.startswith("text/javascript")
    assert not re.search(r"\son\w+=|javascript:", page)


@pytest.mark.parametrize("given", ["abc", "A-1._x", "x" * 128])
def test_a_request_id_is_accepted(client: Client, given: str) -> None:
    assert client.get("/api/v1/same", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 129, "é", "a/b"])
def test_a_request_id_is_made(client: Client, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-ID": given}
    answer = client.get("/api/v1/nothing", headers=headers)
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_head_and_options_are_answered(client: Client) -> None:
    assert client.head("/api/v1/same").status_code == 200
    assert set(client.options("/api/v1/same").headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
