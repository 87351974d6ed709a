"""Every refusal is a problem, with a code of the catalogue."""

import pytest

from storecore.errors import CATALOGUE
from storecore.money import Money
from tests.http.toys import Client, Toy
from webapp.http import problems

PROBLEM = "application/problem+json"


def test_an_unknown_address_is_a_problem(client: Client) -> None:
    answer = client.get("/api/v1/nothing", headers={"X-Request-ID": "abc"})
    assert (answer.status_code, answer.content_type) == (404, PROBLEM)
    assert answer.json == {
        "type": "/problems/not-found",
        "title": "There is no such thing",
        "status": 404,
        "detail": "There is no such thing",
        "code": "not-found",
        "request_id": "abc",
    }


@pytest.mark.parametrize(
    "path", ["/", "/api/v1", "/api//v1/things", "/api/v1/things/", "/api/v1/things/%00", "/static/x"]
)
def test_odd_addresses_are_404_and_never_redirects(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.content_type) == (404, PROBLEM)


def test_a_wrong_method_says_which_are_right(client: Client) -> None:
    answer = client.put("/api/v1/things/t1")
    assert (answer.status_code, answer.json["code"]) == (405, "method-not-allowed")
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"


def test_a_malformed_id_and_a_missing_one_are_answered_alike(client: Client) -> None:
    def asked(thing_id: str) -> object:
        answer = client.get(f"/api/v1/things/{thing_id}", headers={"X-Request-ID": "same"})
        return answer.status_code, answer.json

    assert asked("t404") == asked("%E2%80%AE") == asked("%01") == asked("x" * 5000) == asked("%FF")


@pytest.mark.parametrize("thing_id", ["%00", "a%0Ab", "x" * 201])
def test_a_malformed_id_never_reaches_a_use_case(client: Client, thing_id: str) -> None:
    assert client.get(f"/api/v1/held/{thing_id}", headers={"X-Order-Token": "order-1"}).status_code == 404


def test_extra_members_ride_along(client: Client) -> None:
    answer = client.post("/api/v1/things", json={"name": "sold out"})
    assert answer.status_code == 409
    assert answer.json["code"] == "out-of-stock"
    assert answer.json["detail"] == "Only 1 is left."
    assert answer.json["lines"] == [{"product_id": "p1", "requested": 3, "available": 1}]


def test_fields_are_named(client: Client) -> None:
    answer = client.post("/api/v1/orders", json={"items": [{"product_id": "p", "quantity": 0}], "price": "1"})
    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {"field": "items.0.quantity", "message": "must be at least 1"},
        {"field": "price", "message": "is not a field that is known here"},
    ]


def test_too_many_requests_say_when_to_come_back(client: Client) -> None:
    answer = client.get("/api/v1/limited")
    assert (answer.status_code, answer.headers["Retry-After"], "retry_after" in answer.json) == (429, "7", False)


def test_a_fault_of_ours_tells_nothing(client: Client) -> None:
    answer = client.get("/api/v1/broken")
    assert (answer.status_code, answer.json["code"], answer.content_type) == (500, "internal", PROBLEM)
    assert b"secret" not in answer.data
    assert b"ZeroDivision" not in answer.data


def test_sign_in_first_names_the_scheme(client: Client) -> None:
    answer = client.get("/api/v1/me")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_answers_to_refusals_are_not_shared(client: Client) -> None:
    answer = client.get("/api/v1/me")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Vary"] == "Cookie, Authorization"


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_code_has_a_status_and_a_page(client: Client, code: str) -> None:
    answer = client.get(f"/problems/{code}")
    assert answer.status_code == 200
    assert answer.json["code"] == code
    assert answer.json["status"] == problems.STATUS[CATALOGUE[code].kind]
    assert answer.json["description"]


def test_an_unknown_code_has_no_page(client: Client) -> None:
    assert client.get("/problems/what").status_code == 404


def test_an_entity_in_extra_needs_to_be_shown_by_somebody() -> None:
    with pytest.raises(TypeError, match="no way to show Money"):
        problems.show_extra(Money(1, "USD"))


def test_a_host_that_is_not_ours_is_refused() -> None:
    client = Toy(options={"allowed_hosts": ("shop.example",)}).client()
    assert client.get("/health", base_url="http://shop.example").status_code == 200
    answer = client.get("/health", base_url="http://evil.example")
    assert (answer.status_code, answer.json["code"]) == (400, "bad-request")
