"""A client that a program made of the OpenAPI document, through the whole story of a customer and of staff."""

import importlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from tests.e2e.conftest import PASSWORD, LiveShop
from tests.e2e.goods import ADDRESS

CONFIG = """
project_name_override: shop-client
package_name_override: shop_client
post_hooks: []
content_type_overrides:
  application/pdf: application/octet-stream
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the package ``shop_client`` goes, from which it can be imported."""
    folder = tmp_path_factory.mktemp("client")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop_client"]:
        del sys.modules[name]


def make(folder: Path, live: LiveShop) -> None:
    """Generate the client, once."""
    if (folder / "shop_client").exists():
        return
    document = folder / "openapi.json"
    document.write_text(live.visitor().get("/openapi.json").text, encoding="utf-8")
    (folder / "config.yml").write_text(CONFIG, encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(document), "--meta", "none"]
    command += ["--config", str(folder / "config.yml"), "--output-path", str(folder / "shop_client")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Caller:
    """Somebody with the generated client."""

    def __init__(self, live: LiveShop, email: str = "") -> None:
        client = importlib.import_module("shop_client.client")
        self.client = client.Client(base_url=live.address)
        if email:
            token = self.call("auth", "token", body={"email": email, "password": PASSWORD})["access_token"]
            self.client = client.AuthenticatedClient(base_url=live.address, token=token)

    def call(self, area: str, name: str, *path: str, body: Any = None, **more: Any) -> Any:
        """What an operation answers; every field of it has a place in the generated models."""
        operation = importlib.import_module(f"shop_client.api.{area}.{area}_{name}")
        if body is not None:
            hint = get_type_hints(operation.sync_detailed)["body"]
            model = next(each for each in (hint, *get_args(hint)) if hasattr(each, "from_dict"))
            more["body"] = model.from_dict(body) if isinstance(body, dict) else model(**dict(body))
        answer = operation.sync_detailed(*path, client=self.client, **more)
        assert answer.status_code < 300, answer.content
        if answer.headers.get("Content-Type") != "application/json":
            return answer.content
        assert answer.parsed is not None
        shown = json.loads(answer.content)
        assert _plain(answer.parsed.to_dict()) == _plain(shown)
        return shown


def _plain(value: Any) -> Any:
    """JSON without the ways to write one time."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.replace("+00:00", "Z") if isinstance(value, str) else value


def test_a_generated_client_walks_the_whole_story(live: LiveShop, made: Path) -> None:
    make(made, live)
    for role in Role:
        if role is not Role.CUSTOMER:
            user = live.register(f"{role}@example.com", full_name="Grace Hopper")
            live.store.accounts.set_role(by=SYSTEM, user_id=user["id"], role=role)
    keeper, vendor, sales, agent, admin = (
        Caller(live, f"{role}@example.com")
        for role in (Role.PRODUCT_MANAGER, Role.VENDOR, Role.SALES_MANAGER, Role.SUPPORT_AGENT, Role.ADMIN)
    )

    # Staff fill the shelves.
    shelf = keeper.call("categories", "create_category", body={"name": "Hats"})
    product = {"sku": "HAT-1", "name": "Straw hat", "description": "Light.", "price": "20.00", "stock": 10}
    hat = keeper.call("catalog", "create_product", body={**product, "category_ids": [shelf["id"]]})
    keeper.call("catalog", "adjust_stock", hat["id"], body={"change": 5, "reason": "Found some"})
    sales.call("coupons", "create_coupon", body={"code": "TEN", "percent": "10"})

    # A customer finds, orders and asks.
    visitor = Caller(live)
    me = {"email": "ada@example.com", "password": PASSWORD, "full_name": "Ada Lovelace"}
    visitor.call("auth", "register", body=me)
    assert visitor.call("search", "search", q="hat")["items"][0]["id"] == hat["id"]
    ada = Caller(live, "ada@example.com")
    home = ada.call("users", "add_address", body=ADDRESS)
    ada.call("wishlist", "add_wish", hat["id"])
    ada.call("cart", "add_item", body={"product_id": hat["id"], "quantity": 2})
    ada.call("cart", "apply_coupon", body={"code": "TEN"})
    cart = ada.call("cart", "get_cart")
    order = ada.call("cart", "checkout", body={"address_id": home["id"]}, idempotency_key="once")
    assert order["subtotal"] == cart["subtotal"]
    assert ada.call("orders", "list_orders")["items"][0]["id"] == order["id"]
    asked = ada.call("support", "open_conversation", body={"message": "When will it come?"})

    # Staff answer and deliver.
    agent.call("handling", "claim", asked["id"])
    agent.call("support", "send_message", asked["id"], body={"body": "Tomorrow."})
    types = importlib.import_module("shop_client.types")
    file = types.File(payload=io.BytesIO(b"A map"), file_name="map.txt")
    fields = [("file", file), ("body", types.UNSET)]  # it would send the empty default, and after the file
    sent = ada.call("attachments", "attach", asked["id"], body=fields)
    assert ada.call("attachments", "get_attachment", sent["attachment"]["id"]) == b"A map"
    agent.call("handling", "close", asked["id"], body={"notes": "Told when"})
    for status in ("confirmed", "processing", "shipped", "delivered"):
        order = vendor.call("fulfilment", "advance_order", order["id"], body={"status": status})
    assert ada.call("invoices", "invoice", order["id"]).startswith(b"%PDF")

    # One hat goes back, the other is praised.
    items = [{"line_id": order["lines"][0]["id"], "quantity": 1}]
    refund = ada.call("refunds", "request_refund", order["id"], body={"items": items, "reason": "Too small"})
    sales.call("refunds", "approve_refund", refund["id"], body={"note": "Of course"})
    keeper.call("refunds", "receive_return", refund["id"], body={"disposition": "restock"})
    review = ada.call("reviews", "write_review", hat["id"], body={"rating": 5, "comment": "Light indeed."})
    keeper.call("reviews", "approve_review", review["id"])
    assert visitor.call("products", "get_product", hat["id"])["rating"]["count"] == 1

    # And the shop is looked after.
    assert sales.call("dashboard", "dashboard")
    assert admin.call("administration", "list_users", q="ada")["items"]
    assert admin.call("audit", "list_entries")["items"]
    assert ada.call("privacy", "export")
