# ruff: noqa: N818 - they are refusals, named after what is refused, not programming errors
"""Refusals as answers: every error becomes ``application/problem+json`` (RFC 9457), mapped here and nowhere else.

Importing this module adds the errors that only HTTP has to the catalogue of codes in ``storecore.errors``.
"""

from dataclasses import is_dataclass
from functools import singledispatch
from typing import Any

import structlog
from flask import Flask, Response, request
from pydantic_core import to_json
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WerkzeugMethodNotAllowed

from storecore.errors import CATALOGUE, Forbidden, NotFound, StoreError, TooLarge, UnsupportedType

MEDIA_TYPE = "application/problem+json"

STATUS = {
    "malformed": 400,
    "not-authenticated": 401,
    "forbidden": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "conflict": 409,
    "precondition-failed": 412,
    "too-large": 413,
    "unsupported-type": 415,
    "invalid": 422,
    "too-many-requests": 429,
    "internal": 500,
    "unavailable": 503,
}
"""The status of each kind of error."""

RETRY_AFTER = {"too-many-requests": 60, "unavailable": 2}
"""Seconds after which to try again, for errors that don't say so in ``extra["retry_after"]``."""

MOST_ERRORS = 50
"""A problem names at most so many fields."""

log = structlog.get_logger("storecore.http")


class BadRequest(StoreError):
    """The request is not proper HTTP, or is addressed to another host."""

    kind = "malformed"
    code = "bad-request"
    title = "The request can't be understood"


class MalformedJson(BadRequest):
    """The body is not JSON (RFC 8259), is not UTF-8, or nests too deeply."""

    code = "malformed-json"
    title = "The body is not well-formed JSON"


class InvalidIdempotencyKey(BadRequest):
    """An ``Idempotency-Key`` that is empty, too long or not printable."""

    code = "invalid-idempotency-key"
    title = "An Idempotency-Key has 1 to 255 printable ASCII characters"


class CrossSite(Forbidden):
    """Another site's page made a browser send this, with our cookies."""

    code = "cross-site"
    title = "A request from another site may not change anything"


class MethodNotAllowed(StoreError):
    """The address exists, but not for this method; ``Allow`` lists those it has."""

    kind = "method-not-allowed"
    code = "method-not-allowed"
    title = "This address does not take that method"

    def __init__(self, allowed: tuple[str, ...] = ()) -> None:
        self.allowed = allowed
        super().__init__()


class Internal(StoreError):
    """A fault of ours. It is logged with the request id; nothing about it is told."""

    kind = "internal"
    code = "internal"
    title = "Something went wrong on our side"


@singledispatch
def show_extra(value: object) -> Any:
    """How a value in an error's ``extra`` looks in JSON; areas register their entities (``@show_extra.register``)."""
    raise TypeError(f"no way to show {type(value).__name__} in a problem: register one with show_extra")


def members(error: StoreError, request_id: str) -> dict[str, Any]:
    """What is told about an error: the standard members, ``code``, ``request_id``, and what the error adds."""
    body: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": STATUS[error.kind],
        "detail": error.message,
        "code": error.code,
        "request_id": request_id,
    }
    if error.errors:
        body["errors"] = [{"field": field, "message": why} for field, why in error.errors[:MOST_ERRORS]]
    # An entity would not reach the fallback: pydantic writes any dataclass, field by field.
    shown = {name: show_extra(value) if is_dataclass(value) else value for name, value in error.extra.items()}
    return body | {name: value for name, value in shown.items() if name not in body and name != "retry_after"}


def problem(error: StoreError, request_id: str) -> Response:
    """The answer for an error."""
    status = STATUS[error.kind]
    headers = {"Cache-Control": "private, no-store", "Vary": "Cookie, Authorization"}
    if error.kind in RETRY_AFTER:
        headers["Retry-After"] = str(error.extra.get("retry_after", RETRY_AFTER[error.kind]))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    body = members(error, request_id)
    return Response(to_json(body, fallback=show_extra), status, headers, content_type=MEDIA_TYPE)


def request_id() -> str:
    """The id of the request at hand."""
    found: str = request.environ.get("storecore.request_id", "")
    return found


def install(app: Flask) -> None:
    """Answer every error of an app with a problem."""

    def refused(error: StoreError) -> Response:
        request.environ["storecore.problem"] = error.code
        return problem(error, request_id())

    def refused_by_werkzeug(error: HTTPException) -> Response:
        return problem(_translated(error), request_id())

    def failed(error: Exception) -> Response:
        log.error("request failed", route=str(request.url_rule), method=request.method, exc_info=error)
        return problem(Internal(), request_id())

    def refused_by_server(error: Exception) -> Response:
        return problem(BadRequest(f"The body can't be read: {error}"), request_id())

    app.register_error_handler(StoreError, refused)
    app.register_error_handler(HTTPException, refused_by_werkzeug)
    app.register_error_handler(Exception, failed)
    for kind in _unreadable():
        app.register_error_handler(kind, refused_by_server)


def _unreadable() -> tuple[type[Exception], ...]:
    """What the server raises while a body is read that breaks off or whose chunks are none."""
    try:
        from gunicorn.http.errors import NoMoreData, ParseException
    except ImportError:  # Windows has no gunicorn
        return ()
    return ParseException, NoMoreData


def _translated(error: HTTPException) -> StoreError:
    if isinstance(error, WerkzeugMethodNotAllowed):
        return MethodNotAllowed(tuple(sorted(error.valid_methods or ())))
    match error.code:
        case 404:
            return NotFound()
        case 413:
            return TooLarge()
        case 415:
            return UnsupportedType()
        case code if code is not None and code >= 500:
            return Internal()
        case _:
            return BadRequest()


def codes() -> dict[str, type[StoreError]]:
    """Every code there is, in alphabetical order."""
    return dict(sorted(CATALOGUE.items()))
