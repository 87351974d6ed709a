"""One's own profile and address book over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from storecore.accounts.permissions import Role
from tests.e2e.conftest import PASSWORD, LiveShop, MovableClock, problem

HOME = {
    "label": "Home",
    "recipient": "Ayşe Yılmaz",
    "line1": "Bağdat Caddesi 12",
    "line2": "Daire 3",
    "city": "İstanbul",
    "region": "Kadıköy",
    "postal_code": "34710",
    "country": "TR",
}


@pytest.fixture
def ada(live: LiveShop) -> httpx.Client:
    return live.customer()


def save(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = client.post("/users/me/addresses", json=HOME | changes)
    assert answer.status_code == 201, answer.text
    saved: dict[str, Any] = answer.json()
    return saved


# Profile.


def test_the_profile_is_what_auth_me_says_with_a_tag(ada: httpx.Client) -> None:
    answer = ada.get("/users/me")
    assert answer.json() == ada.get("/auth/me").json()
    assert answer.headers["ETag"].startswith('"1.')
    unchanged = ada.get("/users/me", headers={"If-None-Match": answer.headers["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_what_is_sent_changes_and_the_rest_stays(ada: httpx.Client) -> None:
    first = {"phone": "+44 20 7946 0000", "tax_id": "GB123", "home_address": "London", "preferences": {"theme": "dark"}}
    assert ada.patch("/users/me", json=first).status_code == 200
    answer = ada.patch("/users/me", json={"full_name": " Augusta Ada King ", "phone": None, "tax_id": ""})
    user = answer.json()
    assert (user["full_name"], user["phone"], user["tax_id"]) == ("Augusta Ada King", None, None)
    assert (user["home_address"], user["preferences"]) == ("London", {"theme": "dark"})
    assert (user["version"], answer.headers["ETag"][:3]) == (3, '"3.')
    assert ada.get("/users/me").json() == user


def test_preferences_are_any_object_up_to_8_kib(ada: httpx.Client) -> None:
    anything = {"a": [1, 2.5, None, {"b": "ü"}], "": False}
    assert ada.patch("/users/me", json={"preferences": anything}).json()["preferences"] == anything
    assert ada.patch("/users/me", json={"preferences": {"x": "y" * 8180}}).status_code == 200
    big = ada.patch("/users/me", json={"preferences": {"x": "y" * 8200}})
    assert problem(big, 422, "invalid")["errors"][0]["field"] == "preferences"
    assert ada.patch("/users/me", json={"preferences": {}}).json()["preferences"] == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "eve@example.com"),
        ("role", "admin"),
        ("is_active", True),
        ("email_verified", True),
        ("permissions", []),
        ("password", "12345678"),
        ("version", 9),
        ("full_name", None),
        ("full_name", ""),
        ("full_name", "Ada\u0007"),
        ("phone", 5),
        ("home_address", "x" * 501),
        ("preferences", None),
        ("preferences", []),
        ("preferences", "dark"),
    ],
)
def test_a_bad_change_is_refused_by_its_name_and_changes_nothing(ada: httpx.Client, field: str, value: Any) -> None:
    before = ada.get("/users/me").json()
    answer = ada.patch("/users/me", json={"phone": "1", field: value})
    assert [error["field"] for error in problem(answer, 422, "invalid")["errors"]] == [field]
    assert ada.get("/users/me").json() == before


@pytest.mark.parametrize(
    "preferences",
    [b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"a": {"b": 1, "b": 2}}', b'{"a": "\\ud800"}', b'{"a": 1e999}'],
)
def test_preferences_that_are_no_proper_json_are_refused(ada: httpx.Client, preferences: bytes) -> None:
    body = b'{"preferences": ' + preferences + b"}"
    answer = ada.patch("/users/me", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    assert ada.get("/users/me").json()["preferences"] == {}


def test_a_stale_edit_is_refused(ada: httpx.Client) -> None:
    tag = ada.get("/users/me").headers["ETag"]
    assert ada.patch("/users/me", json={"phone": "1"}, headers={"If-Match": tag}).status_code == 200
    problem(ada.patch("/users/me", json={"phone": "2"}, headers={"If-Match": tag}), 412, "precondition-failed")
    assert ada.patch("/users/me", json={"phone": "3"}, headers={"If-Match": "*"}).json()["phone"] == "3"


def test_of_two_edits_of_one_version_one_is_made(live: LiveShop, ada: httpx.Client) -> None:
    tabs = [live.signed_in("ada@example.com") for _ in range(4)]
    tag = ada.get("/users/me").headers["ETag"]

    def edit(number: int) -> int:
        return tabs[number].patch("/users/me", json={"phone": str(number)}, headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(edit, range(4))) == [200, 412, 412, 412]


# Addresses.


def test_a_saved_address_is_found_where_its_location_says(live: LiveShop, ada: httpx.Client) -> None:
    answer = ada.post("/users/me/addresses", json=HOME)
    saved = answer.json()
    assert answer.status_code == 201
    assert saved == {"id": saved["id"], **HOME, "created_at": "2026-01-15T12:00:00.123456Z"}
    assert answer.headers["Location"] == f"/api/v1/users/me/addresses/{saved['id']}"
    assert ada.get(f"{live.address}{answer.headers['Location']}").json() == saved
    assert ada.get("/users/me/addresses").json() == {"items": [saved], "next_cursor": None}


def test_an_address_needs_only_what_a_parcel_needs(ada: httpx.Client) -> None:
    least = {name: HOME[name] for name in ("recipient", "line1", "city", "postal_code", "country")}
    saved = ada.post("/users/me/addresses", json=least).json()
    assert (saved["label"], saved["line2"], saved["region"]) == (None, None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recipient", ""),
        ("recipient", None),
        ("line1", "x" * 201),
        ("city", 5),
        ("city", "a\nb"),
        ("postal_code", "1" * 21),
        ("country", "tr"),
        ("country", "XX"),
        ("country", "TUR"),
        ("country", None),
        ("label", "x" * 61),
        ("user_id", "somebody"),
    ],
)
def test_a_bad_address_is_refused_by_the_field_that_is_bad(ada: httpx.Client, field: str, value: Any) -> None:
    saved = save(ada)
    refused = problem(ada.post("/users/me/addresses", json=HOME | {field: value}), 422, "invalid")
    assert [error["field"] for error in refused["errors"]] == [field]
    refused = problem(ada.patch(f"/users/me/addresses/{saved['id']}", json={field: value}), 422, "invalid")
    assert [error["field"] for error in refused["errors"]] == [field]
    assert ada.get("/users/me/addresses").json()["items"] == [saved]


@pytest.mark.parametrize("field", ["recipient", "line1", "city", "postal_code", "country"])
def test_an_address_lacks_nothing_that_a_parcel_needs(ada: httpx.Client, field: str) -> None:
    body = {name: value for name, value in HOME.items() if name != field}
    refused = problem(ada.post("/users/me/addresses", json=body), 422, "invalid")
    assert [error["field"] for error in refused["errors"]] == [field]


def test_an_address_that_is_sent_twice_with_one_key_is_saved_once(ada: httpx.Client) -> None:
    first, second = (ada.post("/users/me/addresses", json=HOME, headers={"Idempotency-Key": "k"}) for _ in "12")
    assert (first.json(), second.headers["Idempotent-Replayed"]) == (second.json(), "true")
    assert second.headers["Location"] == first.headers["Location"]
    assert len(ada.get("/users/me/addresses").json()["items"]) == 1
    other = ada.post("/users/me/addresses", json=HOME | {"label": "Work"}, headers={"Idempotency-Key": "k"})
    problem(other, 422, "idempotency-key-reused")


def test_of_a_saved_address_what_is_sent_changes_and_the_rest_stays(ada: httpx.Client) -> None:
    saved = save(ada)
    path = f"/users/me/addresses/{saved['id']}"
    moved = ada.patch(path, json={"line1": "Moda Caddesi 1", "line2": None})
    assert moved.json() == saved | {"line1": "Moda Caddesi 1", "line2": None}
    assert ada.patch(path, json={"label": "Old home"}).json()["label"] == "Old home"
    assert ada.patch(path, json={"label": None}).json()["label"] is None
    assert ada.patch(path, json={}).json() == ada.get(path).json() == moved.json() | {"label": None}


def test_a_removed_address_is_gone(ada: httpx.Client) -> None:
    path = f"/users/me/addresses/{save(ada)['id']}"
    answer = ada.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("GET", "PATCH", "DELETE"):
        problem(ada.request(method, path), 404, "not-found")
    assert ada.get("/users/me/addresses").json()["items"] == []


def test_another_users_address_is_not_found_and_stays_as_it_is(live: LiveShop, ada: httpx.Client) -> None:
    saved = save(ada)
    eve = live.customer("eve@example.com")
    for method, body in (("GET", None), ("PATCH", {"line1": "Mine now"}), ("DELETE", None)):
        for address_id in (saved["id"], "nothing-like-an-id", "%00", "x" * 300):
            problem(eve.request(method, f"/users/me/addresses/{address_id}", json=body), 404, "not-found")
    assert eve.get("/users/me/addresses").json()["items"] == []
    assert ada.get("/users/me/addresses").json()["items"] == [saved]


def test_addresses_come_in_pages_oldest_first(ada: httpx.Client, clock: MovableClock) -> None:
    labels = [f"Number {number}" for number in range(5)]
    for position, label in enumerate(labels):
        save(ada, label=label)
        clock.forward(seconds=position % 2)  # some are as old as one another
    found, query = [], "?limit=2"
    while query:
        page = ada.get(f"/users/me/addresses{query}&include_total=true").json()
        assert page["total"] == 5
        assert len(page["items"]) <= 2
        found += [item["label"] for item in page["items"]]
        query = page["next_cursor"] and f"?limit=2&cursor={page['next_cursor']}"
    assert found == labels


def test_a_page_goes_on_where_it_ended_when_its_last_address_is_removed(ada: httpx.Client) -> None:
    ids = [save(ada)["id"] for _ in range(4)]
    page = ada.get("/users/me/addresses?limit=2").json()
    ada.delete(f"/users/me/addresses/{ids[1]}")
    rest = ada.get(f"/users/me/addresses?limit=2&cursor={page['next_cursor']}").json()
    assert [item["id"] for item in rest["items"]] == ids[2:]


def test_a_cursor_of_another_list_is_refused(ada: httpx.Client) -> None:
    for _ in range(2):
        save(ada)
    cursor = ada.get("/users/me/addresses?limit=1").json()["next_cursor"]
    problem(ada.get(f"/auth/sessions?cursor={cursor}"), 422, "invalid")
    problem(ada.get(f"/users/me/addresses?cursor={cursor[:-1]}"), 422, "invalid")


def test_an_address_book_holds_50(ada: httpx.Client) -> None:
    for _ in range(50):
        save(ada)
    refused = problem(ada.post("/users/me/addresses", json=HOME), 422, "invalid")
    assert refused["errors"][0]["field"] == "addresses"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/me"),
        ("PATCH", "/users/me"),
        ("GET", "/users/me/addresses"),
        ("POST", "/users/me/addresses"),
        ("GET", "/users/me/addresses/1"),
        ("PATCH", "/users/me/addresses/1"),
        ("DELETE", "/users/me/addresses/1"),
    ],
)
def test_everything_here_needs_signing_in(visitor: httpx.Client, method: str, path: str) -> None:
    problem(visitor.request(method, path), 401, "not-authenticated")


# What others see.


def test_others_see_little_more_than_a_name_and_admins_everything(live: LiveShop, ada: httpx.Client) -> None:
    ada.patch("/users/me", json={"phone": "+44 20 7946 0000"})
    me = ada.get("/users/me").json()
    public = {"id": me["id"], "display_name": "Ada L.", "created_at": me["created_at"], "published_reviews": 0}
    assert live.customer("bob@example.com").get(f"/users/{me['id']}").json() == public
    assert live.staff(Role.VENDOR).get(f"/users/{me['id']}").json() == public
    assert live.staff(Role.ADMIN).get(f"/users/{me['id']}").json() == me | public
    assert ada.get(f"/users/{me['id']}").json() == me | public
    problem(live.visitor().get(f"/users/{me['id']}"), 401, "not-authenticated")
    problem(ada.get("/users/nobody"), 404, "not-found")


def test_a_new_account_is_where_its_location_says(live: LiveShop) -> None:
    body = {"email": "eve@example.com", "password": PASSWORD, "full_name": "Eve"}
    answer = live.visitor().post("/auth/register", json=body)
    assert answer.headers["Location"] == f"/api/v1/users/{answer.json()['id']}"
    client = live.signed_in("eve@example.com")
    there = client.get(answer.headers["Location"].removeprefix("/api/v1")).json()
    assert there.items() >= answer.json().items()
