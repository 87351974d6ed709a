"""The shop behind nginx, as the examples that come with it say."""

import json
import ssl
from collections.abc import Iterator
from configparser import RawConfigParser
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import httpx
import pytest
import websocket

from tests.e2e.proxies import HOST, nginx
from tests.e2e.servers import serving
from tests.e2e.sockets import WAIT, Phone
from webapp import cli, server
from webapp.settings import Settings

UNIT = Path(__file__).parents[2] / "webapp" / "deploy" / "storecore.service"
PASSWORD = "12345678"


def client(port: int, **headers: str) -> httpx.Client:
    """A client that calls the shop by its name, whoever signed its certificate; close it."""
    return httpx.Client(
        base_url=f"https://127.0.0.1:{port}",
        headers={"Host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}},
        verify=False,
        trust_env=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an nginx in front of a shop with two workers."""
    settings = {"WORKERS": "2", "TRUSTED_PROXIES": "1", "PUBLIC_URL": f"https://{HOST}", "ALLOWED_HOSTS": HOST}
    settings["HSTS_SUBDOMAINS"] = "true"
    with ExitStack() as stack:
        _, address = stack.enter_context(serving(tmp_path_factory.mktemp("instance"), **settings))
        yield stack.enter_context(nginx(tmp_path_factory.mktemp("nginx"), urlsplit(address).port or 0))


def test_a_browser_signs_in_and_shops_through_nginx(behind: int) -> None:
    with client(behind, Origin=f"https://{HOST}") as browser:
        answer = browser.post("/api/v1/auth/login", json={"email": "customer@example.com", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        cookies = answer.headers.get_list("Set-Cookie")
        assert cookies
        assert all("Secure" in each and "HttpOnly" in each for each in cookies)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        assert answer.headers["Server"] == "nginx"
        cookie = "; ".join(each.partition(";")[0] for each in cookies)
        for _ in range(20):
            assert browser.get("/api/v1/auth/me", headers={"Cookie": cookie}).status_code == 200
        foreign = browser.post("/api/v1/auth/logout", headers={"Cookie": cookie, "Origin": "https://evil.example"})
        assert foreign.json()["code"] == "cross-site"


def test_a_request_keeps_its_id_and_another_host_is_refused(behind: int) -> None:
    with client(behind) as browser:
        assert browser.get("/health", headers={"X-Request-ID": "here-1"}).headers["X-Request-ID"] == "here-1"
        answer = browser.get("/health", headers={"Host": "evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


def test_live_conversations_go_through_nginx(behind: int) -> None:
    with client(behind) as browser:
        asked = browser.post(
            "/api/v1/support/conversations",
            json={"message": "Hello?", "guest_name": "Ada", "guest_email": "ada@shop.test"},
        ).json()
        for _ in range(4):  # each of the workers, most likely
            phone = Phone(
                websocket.create_connection(
                    f"wss://127.0.0.1:{behind}/api/v1/support/ws?conversation_id={asked['id']}",
                    timeout=WAIT,
                    host=HOST,
                    origin=f"https://{HOST}",
                    header=[f"X-Conversation-Token: {asked['token']}"],
                    sslopt={"cert_reqs": ssl.CERT_NONE, "check_hostname": False},
                )
            )
            assert phone.read()["type"] == "history"
            assert phone.say("Anybody?")["body"] == "Anybody?"
            phone.socket.close(timeout=1)
            phone.hang_up()


def test_what_is_too_large_is_refused_with_a_problem_by_the_shop_and_by_nginx(behind: int) -> None:
    with client(behind) as browser:
        for size in (2, 66):
            answer = browser.post(
                "/api/v1/auth/token", content=b"x" * (size << 20), headers={"Content-Type": "application/json"}
            )
            assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
            assert answer.headers["Content-Type"] == "application/problem+json"


class Echo(BaseHTTPRequestHandler):
    """Answers which headers came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def test_nginx_says_who_asks_and_a_shop_that_is_not_there_is_said_to_come_back(tmp_path: Path) -> None:
    with (
        HTTPServer(("127.0.0.1", 0), Echo) as echo,
        nginx(tmp_path, echo.server_port) as port,
        client(port, X_Forwarded_For="6.6.6.6", X_Request_ID="here-1", X_Forwarded_Proto="gopher") as browser,
    ):
        thread = Thread(target=echo.handle_request)
        thread.start()
        came = browser.get("/").json()
        thread.join()
        assert came["x-forwarded-for"] == "6.6.6.6, 127.0.0.1"
        assert (came["x-forwarded-proto"], came["host"], came["x-request-id"]) == ("https", HOST, "here-1")
        assert "upgrade" not in came
        echo.server_close()
        answer = browser.get("/")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"]


def test_the_unit_starts_the_server_and_gives_it_time_to_finish() -> None:
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # names of systemd's have capitals
    unit.read(UNIT, encoding="utf-8")
    service = unit["Service"]
    program, command = service["ExecStart"].split()
    assert Path(program).name == "storecore"
    assert command in cli.main.commands
    assert int(service["TimeoutStopSec"]) > 2 * server.FINISH_SECONDS
    assert service["KillMode"] == "mixed"
    names = [pair.partition("=")[0] for pair in service["Environment"].split()]
    assert {name.lower() for name in names} <= set(Settings.model_fields)
