"""Query strings are strict, pages follow one another, and cursors are ours alone."""

from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storecore.lists import Page
from tests.http.toys import Client, Toy
from webapp.http.lists import show_page

NUMBERS = "/api/v1/numbers"
LETTERS = "/api/v1/letters"


def cursor_of(client: Client, path: str) -> str:
    found = client.get(path).json["next_cursor"]
    assert isinstance(found, str)
    return found


def errors(client: Client, query: str, path: str = NUMBERS) -> list[tuple[str, str]]:
    answer = client.get(f"{path}?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    return [(error["field"], error["message"]) for error in answer.json["errors"]]


def test_a_page_has_twenty_rows_unless_asked_otherwise(client: Client) -> None:
    answer = client.get(NUMBERS).json
    assert [item["number"] for item in answer["items"]] == list(range(20))
    assert "total" not in answer


@pytest.mark.parametrize("limit", [1, 7, 29, 30, 100])
def test_pages_follow_one_another_without_loss(client: Client, limit: int) -> None:
    seen, query = [], f"?limit={limit}"
    while True:
        answer = client.get(NUMBERS + query).json
        seen += [item["number"] for item in answer["items"]]
        if answer["next_cursor"] is None:
            break
        query = f"?limit={limit}&cursor={answer['next_cursor']}"
    assert seen == list(range(30))


def test_a_total_is_counted_on_request(client: Client) -> None:
    assert client.get(f"{NUMBERS}?include_total=true").json["total"] == 30
    assert "total" not in client.get(f"{NUMBERS}?include_total=false").json


@pytest.mark.parametrize("limit", ["0", "101", "-1", "", "1.0", "1e1", "ten", "١", "+5", "1_0", "9" * 40])
def test_a_limit_is_1_to_100(client: Client, limit: str) -> None:
    assert errors(client, f"limit={quote(limit)}") == [("limit", "must be a whole number from 1 to 100")]


@pytest.mark.parametrize("cursor", ["", "x", "a.b", "%00", "x" * 3000])
def test_a_forged_cursor_is_refused(client: Client, cursor: str) -> None:
    assert [field for field, _ in errors(client, f"cursor={cursor}")] == ["cursor"]


def test_a_changed_cursor_is_refused(client: Client) -> None:
    cursor = cursor_of(client, NUMBERS)
    for i in range(len(cursor)):
        other = "A" if cursor[i] != "A" else "B"
        assert errors(client, f"cursor={cursor[:i]}{other}{cursor[i + 1 :]}")


def test_a_signed_value_of_another_purpose_is_no_cursor(client: Client, toy: Toy) -> None:
    assert errors(client, f"cursor={toy.values.dumps('cart', ['x', 1])}")


def test_a_cursor_is_good_for_its_own_list_and_filters_only(client: Client) -> None:
    why = [("cursor", "belongs to another list, or to other filters")]
    cursor = cursor_of(client, f"{NUMBERS}?colour=red&q=x")
    assert client.get(f"{NUMBERS}?q=x&limit=5&colour=red&cursor={cursor}").status_code == 200
    assert errors(client, f"colour=blue&q=x&cursor={cursor}") == why
    assert errors(client, f"colour=red&cursor={cursor}") == why
    assert errors(client, f"cursor={cursor_of(client, NUMBERS)}", LETTERS) == why
    assert client.get(f"{LETTERS}?cursor={cursor_of(client, LETTERS)}").status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("what=1", [("what", "is not a parameter that is known here")]),
        ("colour=red&colour=red", [("colour", "is given twice")]),
        ("limit=5&limit=5", [("limit", "is given twice")]),
        ("attr.size=M&attr.size=M", [("attr.size", "is given twice")]),
        ("attr=M", [("attr", "is not a parameter that is known here")]),
        ("q.x=1", [("q.x", "is not a parameter that is known here")]),
        ("colour=green", [("colour", "must be one of 'red' or 'blue'")]),
        ("colour=", [("colour", "must be one of 'red' or 'blue'")]),
        ("in_stock=1", [("in_stock", "must be true or false")]),
        ("in_stock=True", [("in_stock", "must be true or false")]),
        ("at_least=x", [("at_least", "must be a whole number")]),
        ("at_least=-1", [("at_least", "must be at least 0")]),
        ("at_least=1000001", [("at_least", "must be at most 1000000")]),
        ("min_price=19.999999", [("min_price", 'must be an amount such as "19.99"')]),
        ("from=yesterday", [("from", "must be a day such as 2026-01-31")]),
        ("begin=2026-01-31", [("begin", "is not a parameter that is known here")]),
        ("q=a%00b", [("q", "must not contain the control character U+0000")]),
        ("q=" + "x" * 101, [("q", "must have at most 100 characters")]),
    ],
)
def test_what_is_wrong_is_named(client: Client, query: str, expected: list[tuple[str, str]]) -> None:
    assert errors(client, query) == expected


@pytest.mark.parametrize("query", ["q=%FF", "q=%ED%A0%80", "q=\xff", "&".join(f"tag={i}" for i in range(101))])
def test_what_can_not_be_read_is_refused(client: Client, query: str) -> None:
    answer = client.get(NUMBERS, environ_overrides={"QUERY_STRING": query})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")


def test_what_is_understood(client: Client) -> None:
    query = (
        "q=a%20b+c&colour=blue&in_stock=false&at_least=7&tag=x&tag=y&attr.size=M&attr.colour=r%C3%A9d&from=2026-01-31"
    )
    assert client.post(f"/api/v1/echo?{query}").json == {
        "given": {
            "?q": "a b c",
            "?colour": "blue",
            "?in_stock": False,
            "?at_least": 7,
            "?tag": ["x", "y"],
            "?attr": {"size": "M", "colour": "réd"},
            "?begin": "2026-01-31",
        }
    }


def test_a_route_without_parameters_refuses_them(client: Client) -> None:
    answer = client.get("/api/v1/things/t1?expand=all")
    assert answer.json["errors"] == [{"field": "expand", "message": "is not a parameter that is known here"}]


@settings(max_examples=200, deadline=None)
@given(
    keyset=st.lists(st.none() | st.integers(-(2**53), 2**53) | st.text(), min_size=1, max_size=4).map(tuple),
    binding=st.text("0123456789abcdef", min_size=1),
)
def test_a_cursor_carries_any_keyset_there_and_back(keyset: tuple[str | int | None, ...], binding: str) -> None:
    values = VALUES
    cursor = show_page(Page(items=(), next=keyset), str, binding, values)["next_cursor"]
    bound_to, *found = values.loads("cursor", cursor)
    assert (bound_to, tuple(found)) == (binding, keyset)


VALUES = Toy().values


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.text(st.characters(max_codepoint=255))
    | st.from_regex(r"(limit|cursor|q|colour|attr\.a)=[%a-z0-9_]{0,9}(&q=%)?", fullmatch=True)
)
def test_no_query_makes_a_fault_of_ours(client: Client, query: str) -> None:
    answer = client.get(NUMBERS, environ_overrides={"QUERY_STRING": query})
    assert answer.status_code in {200, 422}
