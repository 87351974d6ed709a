"""The catalogue of refusals."""

import copy
import pickle
import re

import pytest

from storecore.errors import CATALOGUE, Contention, Invalid, OutOfStock, StoreError

KINDS = {
    "invalid",
    "not-authenticated",
    "forbidden",
    "not-found",
    "conflict",
    "precondition-failed",
    "malformed",
    "too-large",
    "unavailable",
    "unsupported-type",
    "too-many-requests",
}


def _all() -> list[type[StoreError]]:
    found, ahead = [], [StoreError]
    while ahead:
        children = ahead.pop().__subclasses__()
        found += children
        ahead += children
    return [error for error in found if error.__module__.startswith("storecore.")]


def test_every_refusal_is_in_the_catalogue_under_its_own_code() -> None:
    assert all(CATALOGUE[error.code] is error for error in _all())
    assert all("code" in error.__dict__ for error in _all())


@pytest.mark.parametrize("error", _all(), ids=lambda error: str(error.code))
def test_every_refusal_has_a_code_a_kind_a_title_and_a_documentation(error: type[StoreError]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)
    assert error.kind in KINDS
    assert error.title
    assert not error.title.endswith(".")
    assert error.__doc__
    assert str(error()) == error().message == error.title


def test_titles_tell_refusals_apart() -> None:
    titles = [error.title for error in _all()]
    assert len(titles) == len(set(titles))


def test_each_kind_is_a_refusal_itself_and_the_others_descend_from_it() -> None:
    for kind in KINDS:
        assert CATALOGUE[kind].kind == kind
    for error in _all():
        assert issubclass(error, CATALOGUE[error.kind])


def test_a_code_can_t_be_taken_twice() -> None:
    with pytest.raises(TypeError, match="'out-of-stock' is already taken by OutOfStock"):
        type("AlsoOutOfStock", (StoreError,), {"code": "out-of-stock"})
    assert CATALOGUE["out-of-stock"] is OutOfStock


def test_a_refusal_says_what_a_client_needs_to_go_on() -> None:
    lines = [{"product_id": "p", "requested": 2, "available": 1}]
    refusal = OutOfStock("Only one is left.", lines=lines)
    assert (refusal.message, refusal.extra["lines"]) == ("Only one is left.", lines)


def test_invalid_names_every_field_in_its_message_too() -> None:
    refusal = Invalid(errors=iter([("email", "must be an email address"), ("items.0.quantity", "must be 1 to 999")]))
    assert refusal.errors == (("email", "must be an email address"), ("items.0.quantity", "must be 1 to 999"))
    assert str(refusal) == "email: must be an email address; items.0.quantity: must be 1 to 999"


def test_a_given_message_wins_over_the_fields() -> None:
    assert str(Invalid("No.", errors=[("a", "b")])) == "No."


def test_a_lost_race_is_something_to_try_again() -> None:
    assert Contention().kind == "unavailable"


def test_refusals_survive_copying_between_processes() -> None:
    refusal = Invalid(errors=[("email", "bad")], hint="x")
    for twin in (copy.copy(refusal), pickle.loads(pickle.dumps(refusal))):
        assert (twin.message, twin.errors, twin.extra) == (refusal.message, refusal.errors, refusal.extra)
