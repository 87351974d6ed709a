"""Request bodies: bytes, then strict JSON, each refused with its own code before anybody is asked who they are."""

import json
from collections.abc import Sequence
from typing import Any

from flask import Request
from werkzeug.http import parse_options_header

from storecore.errors import TooLarge, UnsupportedType
from webapp.http.problems import MalformedJson
from webapp.http.validation import Repeated

LIMIT = 1024 * 1024
"""Bytes of a body, where a route does not say otherwise."""

MAX_DEPTH = 32
"""Objects and lists inside one another."""

MOST_MEMBERS = 10_000
"""Keys and list entries altogether: a megabyte of nothing else takes seconds to judge, and nobody needs so many."""

JSON = "application/json"


def read(request: Request, *, accepts: Sequence[str] = (JSON,), most: int = LIMIT) -> bytes:
    """The body as it was sent; empty if there is none. Raises 413 ``TooLarge``, 415 ``UnsupportedType``."""
    request.max_content_length = most + 1  # Werkzeug cuts a body of unknown length off there without a word
    body = request.get_data(cache=False)
    if len(body) > most:
        raise TooLarge(f"The body has more than {most} bytes.")
    sent = request.environ.get("CONTENT_TYPE") or ""
    if (body or sent) and not (sent == JSON and JSON in accepts):
        media_type, options = parse_options_header(sent)
        charset = options.get("charset", "utf-8").lower()
        if media_type.lower() not in accepts or charset not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedType(
                f"Send {' or '.join(accepts)}, not {media_type[:100] or 'a body without a Content-Type'}."
            )
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("", "identity"):
        raise UnsupportedType("Send the body without a Content-Encoding.")
    return body


def parse(body: bytes) -> Any:
    """The JSON value. Raises ``MalformedJson``; what is JSON but can't be accepted is left for the model to refuse."""
    try:
        text = body.decode()
        try:
            value = _decode(text)
        except json.JSONDecodeError:
            raise
        except ValueError:  # an integer with more digits than Python converts
            value = _decode_long_integers(text)
    except json.JSONDecodeError as error:
        raise MalformedJson(f"The body is not well-formed JSON: {error.msg} at character {error.pos}.") from None
    except UnicodeDecodeError:
        raise MalformedJson("The body is not UTF-8.") from None
    except RecursionError:
        raise MalformedJson("The body nests too deeply.") from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH or body.count(b",") >= MOST_MEMBERS:
        _measure(value)
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Repeated:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    return Repeated(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value] # add() gives None, which goes on


def _long_integer(digits: str) -> int:
    """Its first digits: no less beyond every bound than the whole."""
    return int(digits[:40])


_decode = json.JSONDecoder(object_pairs_hook=_pairs).decode
_decode_long_integers = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_long_integer).decode


def _measure(value: Any) -> None:
    """Raises ``MalformedJson`` for what is too deep or has too many members."""
    level, members = [value], 0
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        members += len(level)
        if members > MOST_MEMBERS:
            raise MalformedJson(f"The body has more than {MOST_MEMBERS} keys and list entries.")
    if any(isinstance(inner, (dict, list)) for inner in level):
        raise MalformedJson(f"The body nests more than {MAX_DEPTH} objects or lists inside one another.")
