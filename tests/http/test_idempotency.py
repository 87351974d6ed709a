"""Sent twice, done once."""

from threading import Barrier, Thread
from typing import Any

import pytest

from tests.http.toys import Client, Toy

THINGS = "/api/v1/things"


def put(client: Client, key: str, name: str = "Hat", **headers: str) -> Any:
    return client.post(THINGS, json={"name": name}, headers={"Idempotency-Key": key, **headers})


def test_a_repeated_request_gets_the_same_answer_and_has_no_second_effect(client: Client, toy: Toy) -> None:
    headers = toy.bearer()
    first, again = put(client, "k1", **headers), put(client, "k1", **headers)
    assert (again.status_code, again.data) == (first.status_code, first.data)
    for name in ("Location", "ETag", "Content-Type", "Cache-Control"):
        assert again.headers[name] == first.headers[name]
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert len(toy.store.storage.things) == 1


def test_the_same_key_with_another_body_is_refused(client: Client, toy: Toy) -> None:
    headers = toy.bearer()
    put(client, "k1", **headers)
    answer = put(client, "k1", name="Cap", **headers)
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency-key-reused")
    assert len(toy.store.storage.things) == 1


def test_another_key_or_none_is_another_request(client: Client, toy: Toy) -> None:
    headers = toy.bearer()
    put(client, "k1", **headers)
    put(client, "k2", **headers)
    client.post(THINGS, json={"name": "Hat"}, headers=headers)
    client.post(THINGS, json={"name": "Hat"}, headers=headers)
    assert len(toy.store.storage.things) == 4


def test_keys_of_different_people_are_apart(client: Client, toy: Toy) -> None:
    first = put(client, "k1", **toy.bearer(user_id="u1"))
    second = put(client, "k1", **toy.bearer(user_id="u2"))
    assert first.json["id"] != second.json["id"]


def test_guests_are_told_apart_by_cart_or_else_by_what_they_send(client: Client, toy: Toy) -> None:
    assert put(client, "k1").json["id"] == put(client, "k1").json["id"] == "t1"
    assert put(client, "k1", name="Cap").json["id"] == "t2"
    client.set_cookie("cart_token", toy.values.dumps("cart", "c1"))
    assert put(client, "k1").json["id"] == "t3"
    assert put(client, "k1", name="Cap").json["code"] == "idempotency-key-reused"
    client.set_cookie("cart_token", toy.values.dumps("cart", "c2"))
    assert put(client, "k1", name="Cap").json["id"] == "t4"


def test_a_refusal_is_judged_afresh(client: Client, toy: Toy) -> None:
    headers = toy.bearer()
    assert put(client, "k1", name="sold out", **headers).status_code == 409
    assert toy.store.storage.kept == {}
    assert put(client, "k1", name="Hat", **headers).status_code == 201


@pytest.mark.parametrize("key", ["", "a\tb", "é", "x" * 256])
def test_a_key_is_printable_and_not_too_long(client: Client, key: str) -> None:
    answer = put(client, key)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid-idempotency-key")


@pytest.mark.parametrize("key", ["x", "x" * 255, "a b;c"])
def test_any_printable_key_will_do(client: Client, key: str) -> None:
    assert put(client, key).status_code == 201


def test_a_route_that_takes_no_key_does_not_care(client: Client) -> None:
    assert client.post("/api/v1/actions", headers={"Idempotency-Key": ""}).status_code == 202


def test_twenty_at_once_have_one_effect(toy: Toy) -> None:
    headers, barrier, found = toy.bearer(), Barrier(20), []

    def ask() -> None:
        client = toy.client()
        barrier.wait(timeout=10)
        found.append(put(client, "k1", **headers))

    threads = [Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert {(answer.status_code, answer.data) for answer in found} == {(201, found[0].data)}
    assert sum("Idempotent-Replayed" in answer.headers for answer in found) == 19
    assert len(toy.store.storage.things) == 1
