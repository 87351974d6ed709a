"""Health, readiness, metrics and the log."""

from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from tests.http.toys import Client, Toy
from webapp import system
from webapp.metrics import Metrics
from webapp.refusals import CantListen


def test_health_asks_nobody(client: Client) -> None:
    assert client.get("/health").json == {"status": "ok"}


def test_ready_asks_everything_it_was_given(tmp_path: Path) -> None:
    client = Toy(options={"ready": {"database": lambda: True, "disk": system.disk(tmp_path)}}).client()
    assert client.get("/ready").json == {"status": "ready", "checks": {"database": True, "disk": True}}


def test_not_ready_says_what_is_missing() -> None:
    def broken() -> bool:
        raise OSError("secret path")

    client = Toy(options={"ready": {"worker": lambda: False, "disk": broken, "x": lambda: True}}).client()
    answer = client.get("/ready")
    assert (answer.status_code, answer.json["code"]) == (503, "not-ready")
    assert answer.json["checks"] == {"worker": False, "disk": False, "x": True}
    assert "Retry-After" in answer.headers
    assert "secret" not in answer.text


def test_requests_are_counted_by_route(client: Client) -> None:
    client.get("/api/v1/things/t1")
    client.get("/api/v1/things/t2")
    client.get("/api/v1/unknown")
    text = client.get("/metrics").text
    route = "/api/v1/things/<thing_id>"
    assert f'storecore_requests_total{{method="GET",route="{route}",status="404"}} 2.0' in text
    assert 'storecore_requests_total{method="GET",route="(none)",status="404"} 1.0' in text
    assert "storecore_request_seconds_bucket" in text


def test_strange_methods_do_not_fill_the_memory(client: Client) -> None:
    client.open("/health", method="BREW")
    assert 'method="(other)"' in client.get("/metrics").text


def test_a_request_leaves_one_line_without_personal_data(client: Client, toy: Toy) -> None:
    with capture_logs() as lines:
        client.post("/api/v1/things?token=secret", json={"name": "secret"}, headers=toy.bearer())
        client.get("/api/v1/things/secret", headers={"X-Request-ID": "r1"})
    first, second = lines
    assert {**first, "ms": 0} == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "route": "/api/v1/things",
        "status": 422,
        "ms": 0,
        "problem": "invalid",
        "user_id": "u1",
    }
    assert (second["route"], second["status"], second["user_id"]) == ("/api/v1/things/<thing_id>", 404, None)
    assert "secret" not in str(lines)


def test_a_fault_is_logged_with_its_traceback(client: Client) -> None:
    with capture_logs() as lines:
        client.get("/api/v1/broken")
    assert [line["event"] for line in lines] == ["request failed", "request"]
    assert isinstance(lines[0]["exc_info"], ZeroDivisionError)


def test_metrics_are_shown_to_those_who_may_see_them(client: Client, toy: Toy) -> None:
    for address, status in (("127.0.0.1", 200), ("127.8.8.8", 200), ("::1", 200), ("::ffff:127.0.0.1", 200)):
        assert client.get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code == status
    for address in ("10.0.0.1", "203.0.113.9", "2001:db8::1", "", "unix"):
        answer = client.get("/metrics", environ_base={"REMOTE_ADDR": address})
        assert (answer.status_code, answer.json["code"]) == (404, "not-found")
    inside = Toy(options={"metrics_from": (ip_network("10.0.0.0/8"),)}).client()
    assert inside.get("/metrics", environ_base={"REMOTE_ADDR": "10.1.2.3"}).status_code == 200
    assert inside.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 404


def test_metrics_are_not_public_through_a_proxy_on_the_same_machine(client: Client) -> None:
    for header in ("X-Forwarded-For", "Forwarded"):
        assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 404
    behind = Toy(options={"trusted_proxies": 1}).client()
    assert behind.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    assert behind.get("/metrics").status_code == 200


def test_metrics_are_told_where_no_app_does_at_a_port_that_is_free() -> None:
    metrics = Metrics()
    metrics.worked(failed=True)
    with metrics.told_at(0) as address:
        assert "storecore_worker_failures_total 1.0" in httpx.get(address, trust_env=False).text
        port = urlsplit(address).port or 0
        with pytest.raises(CantListen, match=f"port {port} of this machine"), Metrics().told_at(port):
            raise AssertionError("two told at once")
    with metrics.told_at(port):
        """It was given back."""
