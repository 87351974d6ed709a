"""Whatever somebody sends, and wherever they put it, no log line has anything personal or secret of it."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller

from tests.e2e.servers import serving
from tests.house.test_settings import KEY, OTHER_KEY, PRODUCTION

PLANTED = "zqx"
"""In everything that is sent, and in nothing else."""
EMAIL = f"{PLANTED}-ada@example.com"
PASSWORD = f"{PLANTED} correct horse"
ADDRESS = {
    "recipient": f"{PLANTED} Ada",
    "line1": f"{PLANTED} street 1",
    "city": f"{PLANTED}ville",
    "postal_code": "12345",
    "country": "US",
}


class Refusing:
    """A mail server that quotes to whom it refuses mail."""

    asked = 0

    async def handle_RCPT(self, _server: Any, _session: Any, _envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's
        self.asked += 1
        return f"550 5.1.1 <{address}> is nobody here"


@pytest.fixture
def mail() -> Iterator[tuple[Refusing, dict[str, str]]]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    handler = Refusing()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "SMTP_STARTTLS": "false"}
    controller.stop()


def a_day_in_the_shop(address: str) -> str:
    """Somebody does all there is to do, right and wrong; their access token."""
    headers = {"User-Agent": f"Browser of {PLANTED}", "Referer": f"https://shop.test/?email={EMAIL}"}
    with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=30) as client:
        account = {
            "email": EMAIL,
            "password": PASSWORD,
            "full_name": f"{PLANTED} Lovelace",
            "phone": "+905551234567",
            "tax_id": f"{PLANTED}-1",
            "home_address": f"{PLANTED} home",
        }
        assert client.post("/auth/register", json=account).status_code == 201
        assert client.post("/auth/register", json=account).status_code == 409
        assert client.post("/auth/token", json={"email": EMAIL, "password": f"{PLANTED} wrong"}).status_code == 401
        answer = client.post("/auth/token", json={"email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 200
        tokens = answer.json()
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        client.post("/auth/password/forgot", json={"email": EMAIL})
        client.post("/auth/password/reset", json={"token": f"{PLANTED}.token", "password": PASSWORD})
        client.post("/auth/refresh", json={"refresh_token": f"{PLANTED}-refresh"})
        client.get("/users/me", headers=bearer)
        client.patch("/users/me", json={"full_name": f"{PLANTED} King", "preferences": {PLANTED: 1}}, headers=bearer)
        client.post("/users/me/addresses", json={"label": PLANTED, **ADDRESS}, headers=bearer)
        client.get("/products", params={"q": f"{PLANTED} hat", "token": PLANTED})
        products = client.get("/products").json()["items"]
        items = [{"product_id": each["id"], "quantity": 1} for each in products[:1]] or [
            {"product_id": PLANTED, "quantity": 1}
        ]
        order = {"items": items, "delivery_address": ADDRESS, "note": f"{PLANTED} please", "coupon": PLANTED}
        for more in ({}, {"email": f"{PLANTED}@guest.example"}, {PLANTED: PLANTED}):
            client.post("/orders", json=order | more, headers={**bearer, "Idempotency-Key": f"{PLANTED}-key"})
            client.post("/orders", json=order | more)
        client.get(f"/orders/{PLANTED}", params={"token": f"{PLANTED}.token"}, headers={"X-Order-Token": PLANTED})
        asked = {"message": f"{PLANTED}?", "subject": PLANTED, "guest_name": PLANTED, "guest_email": EMAIL}
        conversation = client.post("/support/conversations", json=asked).json()
        guest = {"X-Conversation-Token": conversation["token"]}
        talk = f"/support/conversations/{conversation['id']}"
        client.post(f"{talk}/messages", json={"body": f"{PLANTED}!", "client_id": PLANTED}, headers=guest)
        for name, content in ((f"{PLANTED}.txt", PLANTED.encode()), (f"{PLANTED}.exe", b"MZ\0")):
            client.post(f"{talk}/attachments", files={"file": (name, content)}, headers=guest)
        client.get("/support/ws", params={"conversation_id": conversation["id"], "token": PLANTED})
        client.get("/auth/me", headers={"Cookie": f"access_token={PLANTED}.a.b; cart_token={PLANTED}"})
        client.get("/auth/me", headers={"Authorization": f"Basic {PLANTED}"})
        client.get("/orders", params={"cursor": f"{PLANTED}"}, headers=bearer)
        for body in (f'{{"email": "{EMAIL}"', f'["{PLANTED}"]', f'{{"{PLANTED}": NaN}}', "[" * 9000 + PLANTED):
            client.post("/auth/login", content=body, headers={"Content-Type": "application/json"})
        client.post("/auth/login", content=PLANTED, headers={"Content-Type": f"text/{PLANTED}"})
        client.request(PLANTED.upper(), f"/{PLANTED}/{EMAIL}")
        client.get("/products", headers={"Host": f"{PLANTED}.example"})
    host, port = address.removeprefix("http://").removesuffix("/api/v1").split(":")
    for raw in (
        f"{PLANTED}\r\n\r\n",
        f"GET / HTTP/1.1\r\n{PLANTED} {EMAIL}\r\n\r\n",
        f"GET /{PLANTED * 5000} HTTP/1.1\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(raw.encode())
            connection.recv(1000)
    return str(tokens["access_token"])


@pytest.mark.parametrize("environment", ["development", "production"])
def test_nothing_that_was_planted_is_in_the_log(
    environment: str, tmp_path: Path, mail: tuple[Refusing, dict[str, str]]
) -> None:
    server, settings = mail
    log = tmp_path / "shop.log"
    keys = {"SECRET_KEY": KEY, "ENCRYPTION_KEYS": OTHER_KEY, "LOG_FILE": str(log), "LOG_LEVEL": "DEBUG"}
    here = {"ALLOWED_HOSTS": "shop.test, 127.0.0.1", "RATE_LIMITS": "on"}
    more = PRODUCTION | here if environment == "production" else {}
    with serving(tmp_path, **keys, **settings, **{name: more[name] for name in more if name not in keys}) as (
        _,
        address,
    ):
        token = a_day_in_the_shop(address)
        deadline = monotonic() + 30
        while not server.asked:
            assert monotonic() < deadline, "mail is refused"
            sleep(0.05)
    said = log.read_text(encoding="utf-8") + (tmp_path / "server.log").read_text(encoding="utf-8")
    for secret in (PLANTED, PLANTED.upper(), "5551234567", token, KEY, OTHER_KEY):
        assert [line for line in said.splitlines() if secret in line] == []
    assert "Traceback" not in said
    if environment == "production":
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        requests = [line for line in lines if line["event"] == "request"]
        assert len(requests) > 30
        for line in requests:
            assert line.keys() >= {
                "time",
                "level",
                "request_id",
                "route",
                "status",
                "ms",
                "user_id",
                "method",
                "problem",
            }
        assert any(line["user_id"] for line in requests)
        routes = {line["route"] for line in requests}
        assert {"/api/v1/orders/<order_id>", "(none)"} <= routes
