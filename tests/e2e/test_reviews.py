"""Reviews over HTTP: who may write, read and decide, and what never gets out before its time."""

from collections import Counter
from functools import partial
from typing import Any

import httpx
import pytest

from storecore.accounts.model import SYSTEM
from storecore.accounts.permissions import Role
from storecore.orders.model import Status
from tests.e2e.conftest import LiveShop, problem, text_of
from tests.e2e.goods import order_of
from tests.e2e.test_ordering_at_once import at_once

WAY = (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED)
SECRET = "Do not read this yet"


def buyer(live: LiveShop, hat: str, email: str = "ada@example.com", **more: Any) -> httpx.Client:
    """A new customer to whom a product was delivered."""
    customer = live.customer(email, **more)
    order = customer.post("/orders", json=order_of((hat, 1))).json()
    for status in WAY:
        live.store.orders.advance(by=SYSTEM, order_id=order["id"], to=status)
    return customer


def write(client: httpx.Client, hat: str, rating: int = 4, comment: str | None = None) -> dict[str, Any]:
    """The review as it was answered."""
    answer = client.post(f"/products/{hat}/reviews", json={"rating": rating, "comment": comment})
    assert answer.status_code == 201, answer.text
    review: dict[str, Any] = answer.json()
    return review


def rating(client: httpx.Client, hat: str) -> Any:
    return client.get(f"/products/{hat}").json()["rating"]


def listed(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_a_review_from_writing_to_being_read_by_everybody(live: LiveShop, visitor: httpx.Client) -> None:
    hat, moderator = live.hat(name="Şapka"), live.staff(Role.PRODUCT_MANAGER)
    ada = buyer(live, hat, full_name="Ada King Lovelace")
    answer = ada.post(f"/products/{hat}/reviews", json={"rating": 5, "comment": "Sıcak.\r\nFits."})
    review = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/reviews/{review['id']}")
    assert answer.headers["ETag"].startswith('"1.')
    expected = {"product_id": hat, "rating": 5, "comment": "Sıcak.\nFits.", "status": "pending", "author": "Ada L."}
    assert review.items() >= expected.items()
    assert review.keys() - expected.keys() == {"id", "created_at", "updated_at", "version"}
    assert listed(visitor, f"/products/{hat}/reviews") == []
    assert listed(moderator, "/reviews/pending") == listed(ada, "/reviews/mine") == [review]
    answer = moderator.post(f"/reviews/{review['id']}/approve", json={"note": "Teşekkürler <3"})
    assert (answer.status_code, answer.json()["status"], answer.json()["version"]) == (200, "published", 2)
    assert listed(visitor, f"/products/{hat}/reviews") == [answer.json()]
    assert rating(visitor, hat) == {"average": 5.0, "count": 1}
    mail = live.mail("ada@example.com")[-1]
    assert mail["Subject"] == "Your review of Şapka is published"
    assert "Teşekkürler <3" in text_of(mail)
    page = mail.get_body(("html",))
    assert page is not None
    assert "Teşekkürler &lt;3" in page.get_content()
    user = ada.get("/users/me").json()["id"]
    assert moderator.get(f"/users/{user}").json()["published_reviews"] == 1


def test_stars_alone_need_no_moderator(live: LiveShop, visitor: httpx.Client) -> None:
    hat = live.hat()
    slug = visitor.get(f"/products/{hat}").json()["slug"]
    ada, bob = buyer(live, hat), buyer(live, hat, "bob@example.com", full_name="Bob")
    first = write(ada, slug, 5)
    answer = bob.post(f"/products/{hat}/reviews", json={"rating": 2})
    assert (answer.status_code, answer.json()["comment"], answer.json()["author"]) == (201, None, "Bob")
    assert listed(visitor, f"/products/{slug}/reviews") == [answer.json(), first]
    assert rating(visitor, hat) == {"average": 3.5, "count": 2}


def test_what_is_not_published_is_found_nowhere_by_others(live: LiveShop, visitor: httpx.Client) -> None:
    hat, moderator = live.hat(), live.staff(Role.PRODUCT_MANAGER)
    ada, bob = buyer(live, hat), buyer(live, hat, "bob@example.com")
    pending = write(ada, hat, 1, SECRET)
    rejected = write(bob, hat, 1, SECRET)
    assert moderator.post(f"/reviews/{rejected['id']}/reject").json()["status"] == "rejected"
    user = ada.get("/users/me").json()["id"]
    others = [visitor, live.customer("eve@example.com"), live.staff(Role.VENDOR), live.staff(Role.SALES_MANAGER)]
    places = [f"/products/{hat}/reviews", f"/products/{hat}", "/products", "/reviews/mine", "/reviews/pending"]
    for other in others:
        for place in [*places, f"/users/{user}"]:
            assert SECRET not in other.get(place).text
        for review in (pending, rejected):
            for method, path, body in (
                ("PATCH", f"/reviews/{review['id']}", {"rating": 5}),
                ("DELETE", f"/reviews/{review['id']}", None),
                ("POST", f"/reviews/{review['id']}/approve", {}),
                ("GET", f"/reviews/{review['id']}", None),
            ):
                answer = other.request(method, path, json=body)
                assert answer.status_code in (401, 403, 404, 405), (method, path)
                assert SECRET not in answer.text
    problem(bob.patch(f"/reviews/{pending['id']}", json={"rating": 5}), 404, "not-found")
    problem(bob.delete(f"/reviews/{pending['id']}"), 404, "not-found")
    assert [each["comment"] for each in listed(bob, "/reviews/mine")] == [SECRET]
    assert rating(visitor, hat) == {"average": None, "count": 0}


def test_what_is_edited_is_not_read_until_it_is_decided_again(live: LiveShop, visitor: httpx.Client) -> None:
    hat, moderator = live.hat(), live.staff(Role.PRODUCT_MANAGER)
    ada = buyer(live, hat)
    review = write(ada, hat, 4, "Warm")
    path, seen = f"/reviews/{review['id']}", f"/products/{hat}/reviews"
    assert moderator.post(f"{path}/approve").status_code == 200
    assert [each["comment"] for each in listed(visitor, seen)] == ["Warm"]
    edited = ada.patch(path, json={"comment": "Cold"})
    assert (edited.status_code, edited.json()["status"], edited.json()["rating"]) == (200, "pending", 4)
    assert listed(visitor, seen) == []
    assert rating(visitor, hat) == {"average": None, "count": 0}
    stale = moderator.post(f"{path}/approve", headers={"If-Match": '"2"'})
    problem(stale, 412, "precondition-failed")
    assert moderator.post(f"{path}/approve", headers={"If-Match": edited.headers["ETag"]}).status_code == 200
    problem(moderator.post(f"{path}/approve"), 409, "already-decided")
    problem(moderator.post(f"{path}/reject"), 409, "already-decided")
    problem(ada.patch(path, json={"rating": 1}, headers={"If-Match": '"1"'}), 412, "precondition-failed")
    assert ada.patch(path, json={"comment": None, "rating": 2}).json()["status"] == "published"
    assert rating(visitor, hat) == {"average": 2.0, "count": 1}
    assert ada.delete(path).status_code == 204
    problem(ada.delete(path), 404, "not-found")
    assert rating(visitor, hat) == {"average": None, "count": 0}


def test_a_moderator_takes_any_review_away(live: LiveShop, visitor: httpx.Client) -> None:
    hat, moderator = live.hat(), live.staff(Role.PRODUCT_MANAGER)
    review = write(buyer(live, hat), hat)
    assert moderator.delete(f"/reviews/{review['id']}").status_code == 204
    assert listed(visitor, f"/products/{hat}/reviews") == []


def test_only_buyers_write_and_each_once(live: LiveShop) -> None:
    hat = live.hat()
    ada, path = buyer(live, hat), f"/products/{hat}/reviews"
    problem(live.customer("bob@example.com").post(path, json={"rating": 5}), 403, "not-a-buyer")
    problem(live.visitor().post(path, json={"rating": 5}), 401, "not-authenticated")
    problem(ada.post("/products/nothing/reviews", json={"rating": 5}), 404, "not-found")
    problem(live.visitor().get("/products/nothing/reviews"), 404, "not-found")
    write(ada, hat)
    problem(ada.post(path, json={"rating": 5}), 409, "duplicate-review")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rating"),
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": "5"}, "rating"),
        ({"rating": True}, "rating"),
        ({"rating": 4.0}, "rating"),
        ({"rating": None}, "rating"),
        ({"rating": 5, "comment": ""}, "comment"),
        ({"rating": 5, "comment": " \n "}, "comment"),
        ({"rating": 5, "comment": "x" * 2001}, "comment"),
        ({"rating": 5, "comment": "\x07"}, "comment"),
        ({"rating": 5, "status": "published"}, "status"),
        ({"rating": 5, "author": "The Queen"}, "author"),
    ],
)
def test_what_is_no_review_is_refused_field_by_field(live: LiveShop, body: dict[str, Any], field: str) -> None:
    answer = live.customer().post("/products/any/reviews", json=body)
    assert [each["field"] for each in problem(answer, 422, "invalid")["errors"]] == [field]


def test_the_same_key_writes_one_review(live: LiveShop) -> None:
    hat = live.hat()
    ada, path = buyer(live, hat), f"/products/{hat}/reviews"
    answers = [ada.post(path, json={"rating": 5}, headers={"Idempotency-Key": "1"}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert rating(ada, hat) == {"average": 5.0, "count": 1}


def test_lists_come_in_pages_with_totals_and_everybody_gets_the_same(live: LiveShop, visitor: httpx.Client) -> None:
    hat = live.hat()
    clients = [buyer(live, hat, f"buyer{n}@example.com") for n in range(3)]
    newest_first = [write(client, hat, n + 1)["id"] for n, client in enumerate(clients)][::-1]
    path, asked = f"/products/{hat}/reviews", {"limit": "2", "include_total": "true"}
    page = visitor.get(path, params=asked)
    assert page.headers["Cache-Control"].startswith("public")
    assert page.content == clients[0].get(path, params=asked).content
    rest = visitor.get(path, params=asked | {"cursor": page.json()["next_cursor"]})
    assert [each["id"] for each in (*page.json()["items"], *rest.json()["items"])] == newest_first
    assert (page.json()["total"], rest.json()["next_cursor"]) == (3, None)


def test_ten_moderators_at_once_decide_once(live: LiveShop) -> None:
    hat, moderator = live.hat(), live.staff(Role.PRODUCT_MANAGER)
    path = f"/reviews/{write(buyer(live, hat), hat, 3, 'Warm')['id']}"
    token = moderator.cookies["access_token"]
    clients = [live.visitor(Authorization=f"Bearer {token}") for _ in range(10)]
    decisions = ("approve", "reject") * 5
    calls = [partial(client.post, f"{path}/{decision}") for client, decision in zip(clients, decisions, strict=True)]
    answers = at_once(calls)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 9}
    assert sum("Your review" in mail["Subject"] for mail in live.mail("ada@example.com")) == 1
