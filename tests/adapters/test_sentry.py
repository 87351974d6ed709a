"""Reports of failures, as a local server receives them."""

import gzip
import json
import logging
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from adapters.sentry import SentryReports
from webapp import configuration, logs, wiring
from webapp.refusals import BadSettings
from webapp.settings import Settings

PLANTED = "planted-with-a-person"


@dataclass
class SentryServer:
    """Keeps what is reported to it, whole."""

    dsn: str = ""
    envelopes: list[bytes] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        """The events among them."""
        rows = [json.loads(row) for each in self.envelopes for row in each.splitlines() if row]
        return [row for row in rows if "exception" in row]


@contextmanager
def serving() -> Iterator[SentryServer]:
    """A server for the reports of one project."""
    kept = SentryServer()

    class Project(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            match self.headers.get("Content-Encoding"):
                case "gzip":
                    body = gzip.decompress(body)
                case "deflate":
                    body = zlib.decompress(body)
            kept.envelopes.append(body)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Project) as server:
        kept.dsn = f"http://key@127.0.0.1:{server.server_port}/1"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


@pytest.fixture
def sentry(monkeypatch: pytest.MonkeyPatch) -> Iterator[SentryServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def fail(email: str) -> None:
    password = f"{PLANTED}-password"
    try:
        raise LookupError(f"nobody is called {email} {password}")
    except LookupError as error:
        raise RuntimeError(f"{PLANTED}: {email}") from error


def test_a_failure_that_is_logged_is_reported_without_anything_personal(sentry: SentryServer) -> None:
    settings = Settings(sentry_dsn=SecretStr(sentry.dsn))
    logs.configure(settings)
    about = {"request_id": "r-1", "method": "POST", "route": "/orders/<id>", "user_id": PLANTED, "email": PLANTED}
    with wiring.reporting(settings):
        structlog.contextvars.bind_contextvars(cookie=PLANTED, url=f"/x?token={PLANTED}")
        try:
            fail(f"{PLANTED}@shop.test")
        except RuntimeError as error:
            structlog.get_logger().error("request failed", exc_info=error, **about)
            logging.getLogger("a library").exception("%s failed", PLANTED)
        finally:
            structlog.contextvars.clear_contextvars()
        structlog.get_logger().info("request", **about)
    first, second = sentry.events()
    assert first["tags"] == {"request_id": "r-1", "method": "POST", "route": "/orders/<id>"}
    assert first["environment"] == "development"
    assert first["release"].startswith("storecore@")
    assert [each["type"] for each in first["exception"]["values"]] == ["LookupError", "RuntimeError"]
    frame = first["exception"]["values"][-1]["stacktrace"]["frames"][-1]
    assert (frame["function"], frame["lineno"] > 0) == ("fail", True)
    assert [each["type"] for each in second["exception"]["values"]] == ["LookupError", "RuntimeError"]
    sent = b"".join(sentry.envelopes).decode()
    assert PLANTED not in sent
    assert '"vars"' not in sent


def test_once_it_is_closed_nothing_is_reported(sentry: SentryServer) -> None:
    settings = Settings(sentry_dsn=SecretStr(sentry.dsn))
    logs.configure(settings)
    with wiring.reporting(settings):
        pass
    structlog.get_logger().error("request failed", exc_info=RuntimeError())
    assert sentry.envelopes == []


def test_a_server_that_is_not_there_harms_nobody() -> None:
    reports = SentryReports("http://key@127.0.0.1:9/1", environment="production", release="1")
    reports.report(RuntimeError(), {})
    reports.close()


def test_without_its_package_the_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "find_spec", lambda name: None)
    with pytest.raises(BadSettings, match=r"SENTRY_DSN: .*storecore\[sentry\]"):
        configuration.load(None, sentry_dsn="https://key@sentry.test/1")


@pytest.mark.parametrize(
    "dsn", ["planted", "https://sentry.test/1", "https://planted@sentry.test/", "ftp://planted@sentry.test/1"]
)
def test_what_is_no_dsn_is_refused_and_not_repeated(dsn: str) -> None:
    with pytest.raises(BadSettings, match="SENTRY_DSN: must be the DSN of a project") as caught:
        configuration.load(None, sentry_dsn=dsn)
    assert "planted" not in str(caught.value)
