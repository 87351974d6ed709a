"""Bodies are read strictly: wrong bytes are 400, wrong types 415, too much 413, wrong fields 422, never a 5xx."""

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.http.toys import Client, Toy

ECHO = "/api/v1/echo"


def send(client: Client, body: bytes | str, path: str = ECHO, **options: Any) -> Any:
    return client.post(path, data=body, **{"content_type": "application/json", **options})


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"] if answer.status_code >= 400 and answer.json else ""


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"not json",
        b"{'a': 1}",
        b'{"text": "a"} x',
        b'{"text": "a\nb"}',
        b'{"text": "\\x"}',
        b"\xff\xfe{}",
        b'\xef\xbb\xbf{"text": "a"}',
        '{"text": "é"}'.encode("latin-1"),
        '{"text": "a"}'.encode("utf-16"),
        b'{"free": ' + b"[" * 100_000,
        b'{"free": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"free": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}",
        b'{"free": {"a": ' + b"[" * 31 + b"]" * 31 + b"}}",
    ],
)
def test_what_is_not_json_is_malformed(client: Client, body: bytes) -> None:
    assert code(send(client, body)) == (400, "malformed-json")


def many(open_: str, member: str, close: str) -> bytes:
    """A body of 50,000 members, whatever they are."""
    return (open_ + ",".join(member.replace("#", str(n)) for n in range(50_000)) + close).encode()


@pytest.mark.parametrize(
    "body",
    [
        many("{", '"k#":0', "}"),
        many('{"tags": [', '"t#"', "]}"),
        many('{"free": {"a": [', "{}", "]}}"),
        many('{"free": ' + '{"a": ' * 29 + "{", '"k#": 0', "}" * 31),
        many("[", "[0]", "]"),
        b'{"free": {' + b",".join(b'"k%d":[0, []]' % n for n in range(3_334)) + b"}}",
    ],
)
def test_more_members_than_anybody_needs_are_refused_before_they_are_judged(client: Client, body: bytes) -> None:
    answer = send(client, body)
    assert code(answer) == (400, "malformed-json")
    assert answer.json["detail"] == "The body has more than 10000 keys and list entries."


def test_commas_in_a_text_are_no_members(client: Client) -> None:
    assert code(send(client, b'{"text": "' + b"," * 20_000 + b'"}')) == (422, "invalid")
    assert send(client, b'{"free": {"a": "' + b"," * 20_000 + b'"}}').status_code == 200


def test_of_very_many_wrong_fields_fifty_are_named(client: Client) -> None:
    body = json.dumps({f"k{number}": 0 for number in range(9_999)})
    answer = send(client, body)
    assert code(answer) == (422, "invalid")
    assert [each["field"] for each in answer.json["errors"]] == [f"k{number}" for number in range(50)]


def test_thirty_two_levels_are_fine(client: Client) -> None:
    body = b'{"free": {"a": ' + b"[" * 30 + b"]" * 30 + b"}}"
    assert send(client, body).status_code == 200
    assert (
        send(
            client, b'{"tags": [' + b",".join([b'"a"'] * 3) + b'], "free": {"l": [' + b"[]," * 99 + b"[]]}}"
        ).status_code
        == 200
    )


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ('{"text": 1}', "text", "must be text"),
        ('{"text": null}', "text", "must be text"),
        ('{"text": ""}', "text", "must have 1 to 20 characters"),
        ('{"text": "\\u0000"}', "text", "must not contain the control character U+0000"),
        ('{"text": "a\\nb"}', "text", "must not contain the control character U+000A"),
        ('{"text": "\\ud800"}', "text", "must not contain half of a surrogate pair"),
        ('{"text": "a", "text": "b"}', "text", "is given twice"),
        ('{"line": {"quantity": 1, "product_id": "p", "quantity": 1}}', "line.quantity", "is given twice"),
        ('{"free": {"a": 1, "a": 1}}', "free.a", "is given twice"),
        ('{"count": "2"}', "count", "must be a whole number"),
        ('{"count": true}', "count", "must be a whole number"),
        ('{"count": 1.0}', "count", "must be a whole number"),
        ('{"count": NaN}', "count", "must be a whole number"),
        ('{"count": -Infinity}', "count", "must be a whole number"),
        ('{"count": -1}', "count", "must be at least 0"),
        ('{"count": 1' + "0" * 38 + "}", "count", "must be at most 1000"),
        ('{"count": 1' + "0" * 9000 + "}", "count", "must be at most 1000"),
        ('{"count": -1' + "0" * 9000 + "}", "count", "must be at least 0"),
        ('{"count": 1' + "0" * 100_000 + "}", "count", "must be at most 1000"),
        ('{"count": 1.' + "0" * 100_000 + "}", "count", "must be a whole number"),
        ('{"count": 1e' + "9" * 100_000 + "}", "count", "must be a whole number"),
        ('{"flag": 1}', "flag", "must be true or false"),
        ('{"amount": 19.99}', "amount", "must be text"),
        ('{"amount": "-1"}', "amount", 'must be an amount such as "19.99"'),
        ('{"amount": "1e3"}', "amount", 'must be an amount such as "19.99"'),
        ('{"amount": "1\\n"}', "amount", 'must be an amount such as "19.99"'),
        ('{"amount": "١"}', "amount", 'must be an amount such as "19.99"'),
        ('{"percent": "100.01"}', "percent", 'must be a percentage from "0" to "100" with at most two decimals'),
        ('{"percent": 5}', "percent", "must be text"),
        ('{"number": "-1"}', "number", 'must be a number such as "4.5"'),
        ('{"at": "2026-01-31"}', "at", "must be a time with its offset, such as 2026-01-31T12:00:00Z"),
        ('{"at": "2026-01-31T12:00:00"}', "at", "must be a time with its offset, such as 2026-01-31T12:00:00Z"),
        ('{"at": "2026-02-30T12:00:00Z"}', "at", "must be a time that exists"),
        ('{"at": "0001-01-01T00:00:00+10:00"}', "at", "must be a time that exists"),
        ('{"at": 1767225600}', "at", "must be text"),
        ('{"day": "2026-02-30"}', "day", "must be a day such as 2026-01-31"),
        ('{"colour": "green"}', "colour", "must be one of 'red' or 'blue'"),
        ('{"tags": "a"}', "tags", "must be a list"),
        ('{"tags": ["a", 1]}', "tags.1", "must be text"),
        ('{"free": {"a": [{"b": 1, "b": 1}]}}', "free", "must not name anything twice"),
        ('{"free": {"a": [NaN]}}', "free", "must not contain NaN or Infinity"),
        ('{"free": {"a": 1e999}}', "free", "must not contain NaN or Infinity"),
        ('{"free": {"a": 9223372036854775808}}', "free", "must not contain integers beyond 64 bits"),
        ('{"free": {"a": 1' + "0" * 9000 + "}}", "free", "must not contain integers beyond 64 bits"),
        ('{"free": {"a": ["\\u0000"]}}', "free", "must not contain the control character U+0000"),
        ('{"free": {"\\ud800": 1}}', "free", "must not contain half of a surrogate pair"),
        ('{"free": []}', "free", "must be an object"),
        ('{"line": []}', "line", "must be an object"),
        ('{"line": {"product_id": "p"}}', "line.quantity", "is required"),
        ('{"line": {"product_id": "p", "quantity": 1000}}', "line.quantity", "must be at most 999"),
        ('{"role": "admin"}', "role", "is not a field that is known here"),
    ],
)
def test_what_is_json_but_not_right_names_its_field(client: Client, body: str, field: str, message: str) -> None:
    answer = send(client, body.encode())
    assert code(answer) == (422, "invalid")
    assert answer.json["errors"] == [{"field": field, "message": message}]


@pytest.mark.parametrize("body", ["[]", "1", "null", '"x"', "NaN", "true", "[[]]"])
def test_a_body_is_an_object(client: Client, body: str) -> None:
    answer = send(client, body)
    assert code(answer) == (422, "invalid")
    assert answer.json["errors"] == [{"field": "", "message": "must be an object"}]


def test_a_name_that_is_half_a_surrogate_pair_is_refused(client: Client) -> None:
    assert code(send(client, b'{"\\ud800": 1}')) == (422, "invalid")
    assert code(send(client, b'{"line": {"\\udfff": 1, "\\udfff": 2}}')) == (422, "invalid")


def test_what_is_understood(client: Client) -> None:
    body = {
        "text": "  a\u200d👩‍👧  ",
        "lines": "a\r\nb\tc",
        "amount": "19.99",
        "percent": "12.50",
        "number": "4.5",
        "at": "2026-01-31T12:00:00+02:00",
        "day": "2026-01-31",
        "colour": "blue",
        "count": 3,
        "tags": ["x"],
        "free": {"a": [1, None, {"b": 2.5}]},
    }
    assert send(client, json.dumps(body)).json == {
        "given": {
            **body,
            "text": "a\u200d👩‍👧",
            "lines": "a\nb\tc",
            "at": "2026-01-31T10:00:00Z",
        }
    }


def test_fields_that_may_be_left_out_may_not_be_null(client: Client, toy: Toy) -> None:
    headers = toy.bearer("admin")  # type: ignore[arg-type] # a role by its value
    answer = client.patch("/api/v1/things/t1", json={"name": None}, headers=headers)
    assert answer.json["errors"] == [{"field": "name", "message": "must be text"}]


@pytest.mark.parametrize("options", [{}, {"content_type": "application/json"}, {"data": b""}])
def test_a_body_whose_fields_are_all_optional_may_be_missing(client: Client, options: dict[str, Any]) -> None:
    assert client.post(ECHO, **options).json == {"given": {}}
    assert client.post("/api/v1/actions", **options).status_code == 202


def test_no_body_where_one_is_needed_names_what_is_missing(client: Client) -> None:
    answer = client.post("/api/v1/orders")
    assert answer.json["errors"] == [{"field": "items", "message": "is required"}]
    assert code(send(client, b"", "/api/v1/orders")) == (400, "malformed-json")


def test_a_route_without_a_body_refuses_fields(client: Client) -> None:
    assert send(client, b"{}", "/api/v1/actions").status_code == 202
    assert code(send(client, b'{"role": "admin"}', "/api/v1/actions")) == (422, "invalid")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
        "json",
        "application/json; charset=latin-1",
        "a/b;;=",
        "\x80",
    ],
)
def test_other_types_are_refused(client: Client, content_type: str) -> None:
    assert code(send(client, b"{}", content_type=content_type)) == (415, "unsupported-type")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", 'application/json;charset="UTF-8"']
)
def test_json_by_other_spellings_is_taken(client: Client, content_type: str) -> None:
    assert send(client, b"{}", content_type=content_type).status_code == 200


def test_a_compressed_body_is_refused(client: Client) -> None:
    assert code(send(client, b"x", headers={"Content-Encoding": "gzip"})) == (415, "unsupported-type")


def test_a_body_beyond_the_limit_is_refused_before_it_is_parsed(client: Client) -> None:
    assert code(send(client, b'{"free": "' + b"a" * 1024 * 1024)) == (413, "too-large")
    assert code(send(client, b"x" * 2_000_000, content_type="text/plain")) == (413, "too-large")


def send_chunked(client: Client, body: bytes) -> Any:
    return client.post(
        ECHO,
        input_stream=BytesIO(body),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )


def test_a_chunked_body_is_read_up_to_the_limit(client: Client) -> None:
    assert send_chunked(client, b'{"count": 7}').json == {"given": {"count": 7}}
    assert code(send_chunked(client, b"[" * 2_000_000)) == (413, "too-large")


def test_a_route_may_take_bytes_of_its_own_type_and_size(client: Client) -> None:
    path = "/api/v1/lines"
    assert send(client, b"a\nb", path, content_type="text/csv").json == {"number": 2}
    assert code(send(client, b"[]", path)) == (415, "unsupported-type")
    assert code(send(client, b"a" * 101, path, content_type="text/csv")) == (413, "too-large")


numbers = st.integers() | st.floats()
values = st.recursive(
    st.none()
    | st.booleans()
    | numbers
    | st.text()
    | st.text(st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(
    ["text", "lines", "amount", "percent", "number", "at", "day", "colour", "flag", "count", "tags", "free", "line"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(names | st.text(st.characters(), max_size=4), values) | values)
def test_no_json_makes_a_fault_of_ours(client: Client, body: Any) -> None:
    answer = send(client, json.dumps(body))
    assert answer.status_code in {200, 422}
    assert answer.json is not None


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary() | st.text('{}[]",:\\ud80ntf01-.eE+ ').map(str.encode))
def test_no_bytes_make_a_fault_of_ours(client: Client, body: bytes) -> None:
    assert send(client, body).status_code in {200, 400, 422}
