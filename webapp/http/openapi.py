"""The OpenAPI 3.1 document, written from the endpoints themselves, so that it can't say anything else than they do."""

import inspect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from storecore.accounts.model import GUEST, require
from storecore.errors import (
    Busy,
    Conflict,
    Forbidden,
    IdempotencyKeyReused,
    Invalid,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
    RequestInProgress,
    SessionEnded,
    StoreError,
    TooLarge,
    TooManyRequests,
    UnsupportedType,
)
from webapp.http import limiting
from webapp.http.bodies import JSON
from webapp.http.endpoint import Endpoint, Routes
from webapp.http.parameters import Schema, parameters
from webapp.http.problems import (
    MEDIA_TYPE,
    STATUS,
    BadRequest,
    CrossSite,
    InvalidIdempotencyKey,
    MalformedJson,
    codes,
)
from webapp.http.uploads import FORM
from webapp.sessions import ACCESS, TOKENS, Who

SCHEMES = {Who.HOLDER: "order", Who.PARTY: "conversation"}
"""How the document calls what guests hold."""

DRAFT = "draft-ietf-httpapi-ratelimit-headers-10"

REF = "#/components/schemas/{model}"

INTRODUCTION = """\
Everything the store can do.

* **Money** is a decimal string with exactly the currency's digits, next to a `currency`; percentages are strings too.
* **Times** are RFC 3339, in UTC.
* **Errors** are `application/problem+json` (RFC 9457) with a stable `code`; see `/problems/{code}`.
* **Lists** answer `items` and `next_cursor`; hand the cursor back as `cursor` with the same filters.
* **Who asks**: `POST /auth/login` sets cookies; `POST /auth/token` gives a token for `Authorization: Bearer`.
* **Sent twice, done once**: requests that create or move money take an `Idempotency-Key`.
* **Too much, too fast** is 429 with `Retry-After`; `RateLimit` tells beforehand how much is left.
* **Edits** may carry `If-Match` with the `ETag` that was read; a stale one is refused with 412.
"""


def document(areas: Sequence[Routes], *, title: str, version: str) -> Schema:
    """The whole document as plain JSON values."""
    endpoints = [endpoint for area in areas for endpoint in area.endpoints]
    schemas, definitions = _schemas(endpoints)
    inlined = {_name(schemas[e.name, "query"]) for e in endpoints if e.query}
    inlined |= {_name(schemas[e.name, "body"]) for e in endpoints if e.form}
    paths: dict[str, Schema] = defaultdict(dict)
    for endpoint in endpoints:
        paths[endpoint.path][endpoint.method.lower()] = _operation(endpoint, schemas, definitions)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": [{"name": area.name, "description": area.description} for area in areas if area.endpoints],
        "paths": dict(paths),
        "components": {
            "schemas": {name: s for name, s in definitions.items() if name not in inlined} | {"Problem": _problem()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": ACCESS},
                **{scheme: {"type": "apiKey", "in": "header", "name": TOKENS[who]} for who, scheme in SCHEMES.items()},
            },
            "headers": {
                "RequestId": {"description": "Names this request in logs.", "schema": {"type": "string"}},
                "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
                "RateLimit": {
                    "description": f'What remains, for how many seconds: `"cart-address";r=99;t=60` ({DRAFT}).',
                    "schema": {"type": "string"},
                },
                "RateLimitPolicy": {
                    "description": f'Requests in how many seconds: `"cart-address";q=100;w=60` ({DRAFT}).',
                    "schema": {"type": "string"},
                },
            },
        },
    }


def _schemas(endpoints: Iterable[Endpoint]) -> tuple[Mapping[tuple[str, str], Schema], dict[str, Schema]]:
    """The schema of each endpoint's ``body``, ``query``, ``answer`` and ``beside``, and what they refer to by name."""
    inputs: list[tuple[tuple[str, str], JsonSchemaMode, TypeAdapter[Any]]] = []
    for endpoint in endpoints:
        if endpoint.body not in (None, bytes):
            inputs.append(((endpoint.name, "body"), "validation", TypeAdapter(endpoint.form or endpoint.body)))
        if endpoint.query is not None:
            inputs.append(((endpoint.name, "query"), "validation", TypeAdapter(endpoint.query)))
        if endpoint.beside is not None:
            beside = get_type_hints(endpoint.beside)["return"]
            inputs.append(((endpoint.name, "beside"), "serialization", TypeAdapter(beside)))
        if (shown := _shown(endpoint)) is not None:
            inputs.append(((endpoint.name, "answer"), "serialization", TypeAdapter(shown)))
    found, definitions = TypeAdapter.json_schemas(inputs, ref_template=REF)
    return {key: schema for (key, _), schema in found.items()}, definitions.get("$defs", {})


def _shown(endpoint: Endpoint) -> Any:
    """The type of the answer's JSON, or of a list's items; None where the answer is no JSON."""
    if endpoint.empty or endpoint.binary:
        return None
    if endpoint.show is not None:
        return get_type_hints(endpoint.show)["return"]
    return get_args(endpoint.returns)[0] if endpoint.paged else endpoint.returns


def _operation(
    endpoint: Endpoint, schemas: Mapping[tuple[str, str], Schema], definitions: Mapping[str, Schema]
) -> Schema:
    summary, _, description = (inspect.getdoc(endpoint.handler) or "").partition("\n\n")
    if endpoint.may:
        names = " or ".join(f"`{permission}`" for permission in endpoint.may)
        description = f"{description}\n\nNeeds the permission {names}.".strip()
    if endpoint.limit is not None:
        description = f"{description}\n\n{endpoint.limit.described()}".strip()
    query = schemas.get((endpoint.name, "query"))
    model = definitions[_name(query)] if query else None
    operation: Schema = {
        "operationId": endpoint.name.replace(".", "_"),
        "tags": [endpoint.area],
        "summary": " ".join(summary.split()).removesuffix("."),
        "parameters": parameters(endpoint, model),
        "responses": {str(endpoint.success): _answer(endpoint, schemas)},
        "security": _security(endpoint),
    }
    if description:
        operation["description"] = description
    if endpoint.form is not None:
        form = _form(definitions[_name(schemas[endpoint.name, "body"])])
        content = {FORM: {"schema": form}} | {media: {} for media in endpoint.whole}
        operation["requestBody"] = {"required": True, "content": content}
    elif endpoint.body is not None:
        schema = schemas.get((endpoint.name, "body"), {})
        required = endpoint.body is bytes or any(f.is_required() for f in endpoint.body.model_fields.values())
        content = {media: {"schema": schema} if media == JSON else {} for media in endpoint.accepts}
        operation["requestBody"] = {"required": required, "content": content}
    if endpoint.etag and endpoint.safe:
        operation["responses"]["304"] = {"description": "You have it already.", "headers": _etag()}
    for status, errors in sorted(_refusals(endpoint).items()):
        operation["responses"][str(status)] = _refusal(status, errors)
    if endpoint.limit is not None:
        operation["responses"]["429"]["headers"] |= _RATE_LIMITS
    return operation


def _name(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _form(fields: Schema) -> Schema:
    """The fields of a form, and its file."""
    file = {"type": "string", "format": "binary", "description": "After the fields."}
    required = [*fields.get("required", ()), "file"]
    return {**fields, "properties": fields["properties"] | {"file": file}, "required": required}


def _security(endpoint: Endpoint) -> list[Schema]:
    if endpoint.public or endpoint.who is Who.NEWCOMER:
        return []
    ways: list[Schema] = [{"bearer": []}, {"cookie": []}]
    if endpoint.who in SCHEMES:
        return [*ways, {SCHEMES[endpoint.who]: []}]
    return ways if endpoint.who is Who.SIGNED_IN or not _for_guests(endpoint) else [*ways, {}]


def _for_guests(endpoint: Endpoint) -> bool:
    try:
        if endpoint.may:
            require(GUEST, *endpoint.may)
    except NotAuthenticated:
        return False
    return endpoint.who is Who.ANYONE


def _etag() -> Schema:
    return {"ETag": {"description": '`"<version>.<digest>"`', "schema": {"type": "string"}}}


_RATE_LIMITS: Schema = {
    limiting.POLICY: {"$ref": "#/components/headers/RateLimitPolicy"},
    limiting.STANDING: {"$ref": "#/components/headers/RateLimit"},
}


def _answer(endpoint: Endpoint, schemas: Mapping[tuple[str, str], Schema]) -> Schema:
    schema = schemas.get((endpoint.name, "answer"))
    answer: Schema = {
        "description": {201: "Made.", 202: "Taken; it will be done.", 204: "Done."}.get(endpoint.success, "As asked."),
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}},
    }
    if endpoint.location:
        answer["headers"]["Location"] = {"description": "Where it is now.", "schema": {"type": "string"}}
    if endpoint.etag:
        answer["headers"] |= _etag()
    if endpoint.limit is not None:
        answer["headers"] |= _RATE_LIMITS
    if endpoint.once:
        answer["headers"]["Idempotent-Replayed"] = {
            "description": "`true` when this is the answer of an earlier request.",
            "schema": {"type": "string"},
        }
    if endpoint.binary:
        file: Schema = {"type": "object"} if endpoint.produces == JSON else {"type": "string", "format": "binary"}
        answer["content"] = {endpoint.produces: {"schema": file}}
    elif schema is not None:
        whole = _page_of(schema) if endpoint.paged else schema
        beside = schemas.get((endpoint.name, "beside"))
        answer["content"] = {JSON: {"schema": whole if beside is None else {"allOf": [whole, beside]}}}
        if endpoint.sheet is not None:
            answer["content"]["text/csv"] = {"schema": {"type": "string"}}
    return answer


def _page_of(item: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": item},
            "next_cursor": {"type": ["string", "null"]},
            "total": {"type": "integer"},
        },
    }


def _refusals(endpoint: Endpoint) -> dict[int, list[type[StoreError]]]:
    """What it may answer instead, by status."""
    errors: list[type[StoreError]] = [Busy, *endpoint.refuses]
    recognised = not endpoint.public and endpoint.who is not Who.NEWCOMER
    if recognised:
        errors += [NotAuthenticated, SessionEnded]
    if endpoint.may:
        errors.append(Forbidden)
    if not endpoint.safe:
        errors += [CrossSite, MalformedJson if endpoint.form is None else BadRequest, TooLarge, UnsupportedType]
    if endpoint.limit is not None:
        errors.append(TooManyRequests)
    if "{" in endpoint.path:
        errors.append(NotFound)
    if endpoint.once:
        errors += [InvalidIdempotencyKey, IdempotencyKeyReused, RequestInProgress]
    if endpoint.conditional:
        errors += [PreconditionFailed, Conflict]
    errors.append(Invalid)  # an unknown parameter or field is always one
    found: dict[int, list[type[StoreError]]] = defaultdict(list)
    for error in errors:
        if error not in found[STATUS[error.kind]]:
            found[STATUS[error.kind]].append(error)
    return found


def _refusal(status: int, errors: Iterable[type[StoreError]]) -> Schema:
    first = next(iter(errors))
    headers: Schema = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    if status in (429, 503):
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    return {
        "description": "\n".join(f"* `{error.code}`: {error.title}" for error in errors),
        "headers": headers,
        "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model="Problem")}, "example": _example(first, status)}},
    }


def _example(error: type[StoreError], status: int) -> Schema:
    example: Schema = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": status,
        "detail": error.title,
        "code": error.code,
        "request_id": "0f8fad5bd9cb469fa16570867728950e",
    }
    if error is Invalid:
        why = "items.0.quantity", "must be at least 1"
        example |= {"detail": ": ".join(why), "errors": [{"field": why[0], "message": why[1]}]}
    return example


def _problem() -> Schema:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "Why a request was refused (RFC 9457). Some codes add members of their own.",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": {"type": "string", "enum": list(codes())},
            "request_id": text,
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "message"],
                    "properties": {"field": text, "message": text},
                },
            },
        },
    }
