"""Requests for other hosts, and from pages of other origins."""

import pytest

from tests.http.toys import Client, Toy
from webapp.http.hosts import answers_to

OURS, LISTED, ALSO_LISTED = "shop.example", "https://app.example", "https://[::1]:3000"


@pytest.fixture
def guarded() -> Client:
    return Toy(options={"allowed_hosts": (OURS, ".shops.example", "[::1]"), "cors_origins": (LISTED,)}).client()


@pytest.mark.parametrize(
    "host", [OURS, "SHOP.Example", f"{OURS}:8000", "a.shops.example", "shops.example", "[::1]", "[::1]:8000"]
)
def test_a_host_of_ours_is_answered_whatever_its_case_and_port(guarded: Client, host: str) -> None:
    assert guarded.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        f"{OURS}.evil.example",
        f"evil{OURS}",
        "evilshops.example",
        "a..shops.example",
        f"evil.example,{OURS}",
        f"{OURS},evil.example",
        f"{OURS}@evil.example",
        f"{OURS}:8000:1",
        f"{OURS}:x",
        f"{OURS}:",
        f"{OURS}/",
        f" {OURS}",
        "[::2]",
        "[::1",
        "127.0.0.1",
    ],
)
@pytest.mark.parametrize("path", ["/health", "/api/v1/no-such-route", "/api/v1/same"])
def test_another_host_is_refused_before_anything_is_looked_at(guarded: Client, host: str, path: str) -> None:
    answer = guarded.get(path, headers={"Host": host})
    assert (answer.status_code, answer.json["code"]) == (400, "bad-request")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (f"http://{OURS}/health", 200),
        ("http://evil.example/health", 400),
        (f"http://{OURS}@evil.example/health", 400),
        ("/health", 200),
        ("//evil.example/health", 200),
    ],
)
def test_a_request_line_that_names_another_host_is_refused(guarded: Client, target: str, status: int) -> None:
    answer = guarded.get("/health", headers={"Host": OURS}, environ_overrides={"RAW_URI": target})
    assert answer.status_code == status


def test_without_a_list_every_host_that_is_one_is_answered() -> None:
    assert answers_to("anything.example:80", ())
    assert not answers_to("any thing", ())
    assert not answers_to("", ())


@pytest.fixture
def shared() -> Client:
    return Toy(options={"cors_origins": (LISTED, ALSO_LISTED)}).client()


@pytest.mark.parametrize("origin", [LISTED, ALSO_LISTED])
def test_a_listed_origin_may_read_answers_with_cookies(shared: Client, origin: str) -> None:
    headers = shared.get("/api/v1/same", headers={"Origin": origin}).headers
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert "ETag" in headers["Access-Control-Expose-Headers"]
    assert "Origin" in [name.strip() for name in ",".join(headers.get_all("Vary")).split(",")]


@pytest.mark.parametrize("path", ["/api/v1/same", "/api/v1/no-such-route", "/api/v1/broken"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example",
        f"{LISTED}.evil.example",
        "https://app.example:444",
        "null",
        "*",
        "",
    ],
)
def test_another_origin_may_not(shared: Client, path: str, method: str, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-a"}
    headers = shared.open(path, method=method, headers=asked).headers
    assert not [name for name in headers.keys() if name.startswith("Access-Control-")]  # noqa: SIM118 - no dict


def test_what_depends_on_the_origin_says_so_also_to_those_without_one() -> None:
    client = Toy(options={"cors_origins": (LISTED,)}).client()
    for origin in ({}, {"Origin": LISTED}, {"Origin": "https://evil.example"}):
        vary = ",".join(client.get("/api/v1/same", headers=origin).headers.get_all("Vary"))
        assert "Origin" in [name.strip() for name in vary.split(",")], origin


def test_a_preflight_of_a_listed_origin_is_told_what_it_may_send(shared: Client) -> None:
    asked = {
        "Origin": LISTED,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type, if-match, idempotency-key",
    }
    answer = shared.open("/api/v1/same", method="OPTIONS", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
    allowed = {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"content-type", "if-match", "idempotency-key"} <= allowed
    assert answer.headers["Access-Control-Max-Age"] == "600"


def test_without_listed_origins_nobody_is_told_anything(client: Client) -> None:
    headers = client.get("/api/v1/same", headers={"Origin": LISTED}).headers
    assert not [name for name in headers.keys() if name.startswith("Access-Control-")]  # noqa: SIM118 - no dict
