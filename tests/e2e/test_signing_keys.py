"""A new signing key in front of the old one ends nothing; without the old one, whatever it signed is refused."""

import re
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx

from tests.e2e.goods import order_of
from tests.e2e.servers import serving

OLD, NEW = "old-k3y-of-the-tests-Zw8fJq2LmX0aTb7s", "new-k3y-of-the-tests-Hc5uRy9PnV1dGe4k"
ENCRYPTION = "encryption-k3y-Bq7xWm2ZtY6sLj0fDc9r"
PASSWORD = "correct horse battery"


def client(address: str, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=30)


def mailed(folder: Path, to: str, purpose: str) -> str:
    """The token of a link that somebody is sent, sooner or later."""
    deadline = monotonic() + 30
    while monotonic() < deadline:
        for path in (folder / "mail").glob("*.eml"):
            letter = message_from_bytes(path.read_bytes(), policy=policy.default)
            assert isinstance(letter, EmailMessage)
            body = letter.get_body(("plain",))
            found = re.search(rf"/links/{purpose}\?token=([\w.-]+)", str(body.get_content()) if body else "")
            if letter["To"] == to and found:
                return found[1]
        sleep(0.1)
    raise AssertionError(f"no mail to {to} with a link to {purpose}")


def signed(address: str, folder: Path, email: str) -> Mapping[str, Any]:
    """One of everything that is signed."""
    with client(address) as guest:
        guest.post("/auth/register", json={"email": email, "password": PASSWORD, "full_name": "Ada"})
        guest.post("/auth/password/forgot", json={"email": email})
        tokens = guest.post("/auth/token", json={"email": email, "password": PASSWORD}).json()
        products = guest.get("/products", params={"limit": 1, "in_stock": True}).json()
        item = (products["items"][0]["id"], 1)
        cart = guest.post("/cart/items", json={"product_id": item[0], "quantity": 1})
        asked = {"message": "Hello?", "guest_name": "Grace", "guest_email": "grace@example.com"}
        return {
            "access": tokens["access_token"],
            "refresh": tokens["refresh_token"],
            "cursor": products["next_cursor"],
            "cart": cart.cookies["cart_token"],
            "order": guest.post("/orders", json=order_of(item, email="grace@example.com")).json(),
            "conversation": guest.post("/support/conversations", json=asked).json(),
            "verify": mailed(folder, email, "verify-email"),
            "reset": mailed(folder, email, "reset-password"),
        }


def good(address: str, made: Mapping[str, Any]) -> dict[str, bool]:
    """Which of it is accepted. Links and refreshing come last, since they change what is signed in."""
    order, talk = made["order"], made["conversation"]
    with client(address) as anybody:
        page = {"limit": 1, "in_stock": True, "cursor": made["cursor"]}
        cart = anybody.get("/cart", headers={"Cookie": f"cart_token={made['cart']}"})
        assert cart.status_code == 200, "a cart that nobody knows is an empty one"
        answers = {
            "access": anybody.get("/auth/me", headers={"Authorization": f"Bearer {made['access']}"}),
            "cookie": anybody.get("/auth/me", headers={"Cookie": f"access_token={made['access']}"}),
            "cursor": anybody.get("/products", params=page),
            "order": anybody.get(f"/orders/{order['id']}", params={"token": order["access_token"]}),
            "conversation": anybody.get(
                f"/support/conversations/{talk['id']}", headers={"X-Conversation-Token": talk["token"]}
            ),
            "refresh": anybody.post("/auth/refresh", json={"refresh_token": made["refresh"]}),
            "verify": anybody.post("/auth/email/verify", json={"token": made["verify"]}),
            "reset": anybody.post("/auth/password/reset", json={"token": made["reset"], "password": PASSWORD}),
        }
    assert all(answer.status_code < 500 for answer in answers.values())
    return {name: answer.is_success for name, answer in answers.items()} | {"cart": bool(cart.json()["items"])}


def test_signing_keys_rotate_by_their_list(tmp_path: Path) -> None:
    with serving(tmp_path, SECRET_KEY=OLD, ENCRYPTION_KEYS=ENCRYPTION) as (_, address):
        one, two = (signed(address, tmp_path, f"{name}@example.com") for name in ("ada", "grace"))
    with serving(tmp_path, SECRET_KEY=f"{NEW},{OLD}", ENCRYPTION_KEYS=ENCRYPTION) as (_, address):
        found = good(address, one)
        assert found == dict.fromkeys(found, True)
        newer = signed(address, tmp_path, "joan@example.com")
    with serving(tmp_path, SECRET_KEY=NEW, ENCRYPTION_KEYS=ENCRYPTION) as (_, address):
        found = good(address, two)
        assert found == {name: name == "refresh" for name in found}, "refresh tokens are not signed"
        found = good(address, newer)
        assert found == dict.fromkeys(found, True)
