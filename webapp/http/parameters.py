"""The parameters of a route in the OpenAPI document: path, query string and headers."""

from typing import Any

from storecore.lists import MAX_LIMIT
from webapp.http.endpoint import Endpoint

Schema = dict[str, Any]


def parameters(endpoint: Endpoint, query: Schema | None) -> list[Schema]:
    """All of them; ``query`` is the schema of its query string."""
    return [*_path(endpoint), *_query(endpoint, query), *_headers(endpoint)]


def _path(endpoint: Endpoint) -> list[Schema]:
    names = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query(endpoint: Endpoint, query: Schema | None) -> list[Schema]:
    found: list[Schema] = []
    if query is not None:
        required = query.get("required", ())
        found += [
            _parameter(name, dict(schema), required=name in required) for name, schema in query["properties"].items()
        ]
    if endpoint.paged:
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": 20}
        found += [
            {"name": "limit", "in": "query", "description": "Rows on a page.", "schema": limit},
            {
                "name": "cursor",
                "in": "query",
                "description": "`next_cursor` of the page before.",
                "schema": {"type": "string"},
            },
            {
                "name": "include_total",
                "in": "query",
                "description": "Count all rows too.",
                "schema": {"type": "boolean", "default": False},
            },
        ]
    return found


def _parameter(name: str, schema: Schema, *, required: bool) -> Schema:
    parameter: Schema = {"name": name, "in": "query"}
    if required:
        parameter["required"] = True
    if description := schema.pop("description", None):
        parameter["description"] = description
    if "anyOf" in schema:  # what is not sent is absent: a query string has no null
        schema["anyOf"] = [way for way in schema["anyOf"] if way != {"type": "null"}]
        if len(schema["anyOf"]) == 1:
            schema |= schema.pop("anyOf")[0]
    if schema.get("default", ...) is None:
        del schema["default"]
    if schema.get("type") == "object":
        values = schema.pop("additionalProperties", {"type": "string"})
        schema |= {"patternProperties": {rf"^{name}\.": values}, "additionalProperties": False}
        schema.pop("default", None)
        parameter |= {"style": "form", "explode": True}
    return parameter | {"schema": schema}


def _headers(endpoint: Endpoint) -> list[Schema]:
    headers: list[tuple[str, str, int | None]] = []
    if endpoint.once:
        headers.append(("Idempotency-Key", "Sent again with the same key, the request is carried out once.", 255))
    if endpoint.conditional:
        headers.append(("If-Match", "The `ETag` that was read: refuses to overwrite a later change.", None))
    if endpoint.etag and endpoint.safe:
        headers.append(("If-None-Match", "The `ETag` that is there already: answers 304 while it is current.", None))
    found: list[Schema] = []
    for name, description, most in headers:
        schema: Schema = {"type": "string"}
        if most is not None:
            schema |= {"minLength": 1, "maxLength": most, "pattern": "^[ -~]+$"}
        found.append({"name": name, "in": "header", "description": description, "schema": schema})
    return found
