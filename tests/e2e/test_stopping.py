"""A server that is told to stop finishes what it has begun, and begins nothing new."""

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from pathlib import Path
from threading import Barrier, Event
from urllib.parse import urlsplit

import httpx

from storecore.accounts.model import SYSTEM
from storecore.lists import PageRequest
from tests.e2e.goods import order_of
from tests.e2e.servers import serving
from webapp import wiring
from webapp.settings import Settings

BUYERS = 8
COUNTED = PageRequest(limit=1, total=True)
SIZE = 3 * 1024 * 1024


def refuses(port: int) -> bool:
    """Whether nobody is let in any more; who was queueing as the door closed is reset instead of refused."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


def test_an_upload_that_has_begun_arrives_and_nobody_else_is_let_in(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, address):
        port = urlsplit(address).port or 0
        guest = {"message": "Hello?", "guest_name": "Ada", "guest_email": "ada@shop.test"}
        asked = httpx.post(f"{address}/support/conversations", json=guest, timeout=30).json()
        before = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        body = before + b"x" * SIZE + b"\r\n--b--\r\n"
        head = (
            f"POST /api/v1/support/conversations/{asked['id']}/attachments HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"X-Conversation-Token: {asked['token']}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(head.encode() + body[: SIZE // 2])
            while not list((tmp_path / "attachments").rglob("*")):
                pass
            process.send_signal(signal.SIGTERM)
            while not refuses(port):
                pass
            client.sendall(body[SIZE // 2 :])
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        status, _, content = answer.partition(b"\r\n\r\n")
        assert status.startswith(b"HTTP/1.1 201"), answer
        assert f'"size":{SIZE}'.encode() in content
        assert process.wait(30) == 0


def test_every_order_that_was_made_was_answered_and_its_mail_is_sent(tmp_path: Path) -> None:
    made: Counter[int] = Counter()
    gate, enough = Barrier(BUYERS), Event()
    with serving(tmp_path) as (process, address):
        product = httpx.get(f"{address}/products?in_stock=true&limit=1", timeout=30).json()["items"][0]["id"]

    settings = Settings(instance_dir=tmp_path)
    with wiring.opened(settings) as store:
        store.catalog.adjust_stock(by=SYSTEM, product_id=product, change=100_000, reason="for all")
        before = store.orders.everyones(by=SYSTEM, page=COUNTED).total or 0

    def buy(number: int) -> None:
        body = {**order_of((product, 1)), "email": f"buyer-{number}@shop.test"}
        with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
            gate.wait()
            while True:
                try:
                    answer = client.post("/orders", json=body)
                except httpx.TransportError:
                    return  # it was not let in any more
                assert answer.status_code == 201, answer.text
                made[number] += 1
                if sum(made.values()) >= 2 * BUYERS:
                    enough.set()

    with serving(tmp_path) as (process, address), ThreadPoolExecutor(BUYERS) as pool:
        buying = [pool.submit(buy, number) for number in range(BUYERS)]
        assert enough.wait(60)
        process.send_signal(signal.SIGTERM)
        for each in buying:
            each.result()
        assert process.wait(30) == 0

    deliver = [sys.executable, "-m", "webapp", "deliver", "--once"]
    root = Path(__file__).parents[2]
    subprocess.run(
        deliver, check=True, cwd=root, capture_output=True, env={**os.environ, "INSTANCE_DIR": str(tmp_path)}
    )
    with wiring.opened(settings) as store:
        assert store.orders.everyones(by=SYSTEM, page=COUNTED).total == before + sum(made.values())
    told = Counter(
        str(message_from_bytes(path.read_bytes(), policy=policy.default)["To"])
        for path in (tmp_path / "mail").glob("*.eml")
    )
    assert {number: told[f"buyer-{number}@shop.test"] for number in range(BUYERS)} == {
        n: made[n] for n in range(BUYERS)
    }
