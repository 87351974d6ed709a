"""Texts that mean something to the next program: SQL, header lines, scripts."""

from typing import Any

import httpx
import pytest

from storecore.accounts.permissions import Role
from tests.e2e.abuse.tables import unchanged
from tests.e2e.conftest import PASSWORD, LiveShop, problem
from tests.e2e.goods import ADDRESS, category, order_of
from tests.e2e.test_support import opened, path

SQL = [
    "'",
    "' OR '1'='1",
    "1; DROP TABLE users; --",
    '"; DELETE FROM orders; --',
    "hat' UNION SELECT email, password_hash FROM users --",
    "%' AND 1=(SELECT COUNT(*) FROM users) --",
    "name; pg_sleep(10)",
    "hat NEAR/0 *",
    "\\",
    "%_%",
    "hat:*&!(|)",
]
"""Among them the words of both full-text searches."""

CRLF = [
    "Ada\r\nBcc: eve@example.com",
    "Ada\nSubject: Won",
    "Ada\r\n\r\n<b>Hello",
    "Ada\x00",
    "Ada\x0bEve",
    "Ada\u2028Eve",
]


@pytest.mark.parametrize("text", SQL)
def test_sql_is_looked_for_and_never_run(live: LiveShop, text: str) -> None:
    live.hat()
    admin, visitor = live.staff(Role.ADMIN), live.visitor()
    with unchanged(live):
        for client, address, name in [
            (visitor, "/search", "q"),
            (visitor, "/search/suggest", "q"),
            (visitor, "/products", "q"),
            (admin, "/users", "q"),
            (admin, "/admin/audit", "action"),
            (admin, "/admin/audit", "actor"),
        ]:
            answer = client.get(address, params={name: text})
            assert answer.status_code in (200, 422), answer.text
        for address in ("/products", "/search?q=hat", "/users", "/orders/all"):
            problem(admin.get(address, params={"sort": text}), 422, "invalid")
        for address in ("/products", "/users", "/orders/all", "/admin/audit", "/invoices"):
            told = problem(admin.get(address, params={"cursor": text}), 422, "invalid")
            assert [error["field"] for error in told["errors"]] == ["cursor"]
        for address in ("/products/{}", "/orders/{}", "/users/{}", "/refunds/{}", "/categories/{}"):
            problem(admin.get(address.format(httpx.URL(path="/" + text).raw_path.decode()[1:])), 404, "not-found")


@pytest.mark.parametrize("text", CRLF, ids=ascii)
def test_no_name_reaches_into_a_header(live: LiveShop, text: str) -> None:
    hat, customer, keeper = live.hat(), live.customer(), live.staff(Role.PRODUCT_MANAGER)
    shelf = category(live)
    account = {"email": "eve@example.com", "password": PASSWORD, "full_name": text}
    product = {"sku": "CAP", "name": text, "description": "", "price": "1.00", "stock": 1, "category_ids": [shelf]}
    asked: list[tuple[httpx.Client, str, dict[str, Any]]] = [
        (live.visitor(), "/auth/register", account),
        (live.visitor(), "/auth/register", {**account, "full_name": "Eve", "email": f"{text}@example.com"}),
        (live.visitor(), "/auth/password/forgot", {"email": f"ada@example.com{text[3:]}"}),
        (customer, "/users/me/addresses", {**ADDRESS, "recipient": text}),
        (customer, "/orders", order_of((hat, 1), delivery_address={**ADDRESS, "city": text})),
        (keeper, "/products", product),
        (keeper, "/categories", {"name": text}),
        (customer, "/support/conversations", {"message": "Hello", "subject": text}),
    ]
    with unchanged(live):
        for client, address, body in asked:
            problem(client.post(address, json=body), 422, "invalid")


@pytest.mark.parametrize("header", ["X-Request-ID", "X-Order-Token", "X-Conversation-Token", "If-None-Match"])
def test_no_header_of_a_request_comes_back_as_two(live: LiveShop, header: str) -> None:
    for value in ("a%0d%0aSet-Cookie: a=b", "a\tb", "x" * 300, "<script>"):
        answer = live.visitor().get("/products", headers={header: value})
        assert "a=b" not in answer.headers.get("Set-Cookie", "")
        assert value not in answer.headers.values()


def test_the_name_of_a_file_is_one_line(live: LiveShop) -> None:
    customer = live.customer()
    asked = opened(customer)
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a%0d%0aSet-Cookie: a=b\\"<script>.txt"\r\n\r\n'
        b"Hello\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = customer.post(path(asked, "attachments"), content=form, headers=headers)
    assert answer.status_code == 201, answer.text
    file = customer.get(f"/support/attachments/{answer.json()['attachment']['id']}")
    assert "Set-Cookie" not in file.headers
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script>" not in file.headers["Content-Disposition"]
