"""Bodies that are too long, too deep, or of too many parts."""

import pytest

from tests.e2e.abuse.tables import unchanged
from tests.e2e.conftest import LiveShop, problem
from tests.e2e.test_support import opened, path

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.mark.parametrize("address", ["/auth/register", "/auth/login", "/orders/quote", "/cart/items", "/orders"])
def test_ten_megabytes_are_refused_without_being_read(live: LiveShop, address: str) -> None:
    body = b'{"a": "' + b"x" * 10 * 1024 * 1024 + b'"}'
    with unchanged(live):
        problem(live.visitor().post(address, content=body, headers=JSON), 413, "too-large")
        chunks = (body[at : at + 65536] for at in range(0, len(body), 65536))
        problem(live.visitor().post(address, content=chunks, headers=JSON), 413, "too-large")


@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_two_hundred_thousand_levels_are_refused(live: LiveShop, brackets: str) -> None:
    opening = "[" if brackets == "[]" else '{"a":'
    body = opening * 200_000 + "1" + brackets[1] * 200_000
    customer = live.customer()
    with unchanged(live):
        for address in ("/auth/login", "/orders/quote", "/orders"):
            problem(customer.post(address, content=body.encode()[:1_048_576], headers=JSON), 400, "malformed-json")
        whole = f'{{"preferences": {body}}}'.encode()
        answer = customer.patch("/users/me", content=whole, headers=JSON)
        assert answer.json()["code"] in ("malformed-json", "too-large")


def test_a_hundred_thousand_parts_are_refused(live: LiveShop) -> None:
    customer = live.customer()
    asked = opened(customer)
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    with unchanged(live):
        answer = customer.post(path(asked, "attachments"), content=part * 100_000 + b"--b--\r\n", headers=FORM)
        problem(answer, 422, "invalid")
