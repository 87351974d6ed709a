"""The document is valid, and says what the routes do."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from storecore.errors import CATALOGUE
from tests.http.toys import Client, Toy
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes


@pytest.fixture
def document(client: Client) -> Any:
    return client.get("/api/v1/openapi.json").json


def test_the_document_is_valid(document: Any) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"


def test_every_route_is_in_it(document: Any, toy: Toy) -> None:
    undocumented = {"/api/v1/openapi.json", "/api/v1/docs", "/api/v1/redoc", "/api/v1/docs/assets/<name>", "/metrics"}
    spoken = [rule for rule in toy.app.url_map.iter_rules() if not rule.websocket]  # OpenAPI has no words for sockets
    rules = {rule.rule for rule in spoken if not rule.rule.startswith("/links/")} - undocumented
    assert {path.replace("{", "<").replace("}", ">") for path in document["paths"]} == rules


def test_an_operation_is_named_described_and_filed(document: Any) -> None:
    operation = document["paths"]["/api/v1/things"]["post"]
    assert operation["operationId"] == "toys_put"
    assert operation["summary"] == "Put a thing on the shelf"
    assert operation["description"] == "It gets a number.\n\nNeeds the permission `orders:place`."
    assert operation["tags"] == ["toys"]


def test_bodies_and_answers_have_schemas(document: Any) -> None:
    operation = document["paths"]["/api/v1/things"]["post"]
    schemas = document["components"]["schemas"]
    sent = operation["requestBody"]["content"]["application/json"]["schema"]
    assert sent == {"$ref": "#/components/schemas/NewThing"}
    assert schemas["NewThing"]["additionalProperties"] is False
    assert schemas["NewThing"]["properties"]["name"] == {
        "title": "Name",
        "type": "string",
        "minLength": 1,
        "maxLength": 50,
    }
    answered = operation["responses"]["201"]["content"]["application/json"]["schema"]
    assert answered == {"$ref": "#/components/schemas/ThingView"}
    assert schemas["ThingView"]["required"] == ["id", "name", "price", "currency", "colour", "version"]
    assert schemas["Colour"]["enum"] == ["red", "blue"]


def test_every_refusal_is_documented(document: Any) -> None:
    def statuses(path: str, method: str) -> set[str]:
        return set(document["paths"][f"/api/v1{path}"][method]["responses"])

    assert statuses("/things", "post") == {"201", "400", "401", "403", "409", "413", "415", "422", "503"}
    assert statuses("/things/{thing_id}", "get") == {"200", "304", "401", "404", "422", "503"}
    assert statuses("/things/{thing_id}", "patch") >= {"200", "401", "403", "404", "412", "422"}
    assert statuses("/audit", "get") == {"200", "401", "403", "422", "503"}
    assert "429" in statuses("/limited", "get")
    assert "401" not in statuses("/same", "get")


def test_a_refusal_lists_its_codes(document: Any) -> None:
    refused = document["paths"]["/api/v1/things"]["post"]["responses"]["409"]
    assert "* `out-of-stock`: Not enough in stock\n* `price-changed`" in refused["description"]
    assert list(refused["content"]) == ["application/problem+json"]
    assert set(document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]) == set(CATALOGUE)


def test_parameters_and_headers_are_documented(document: Any) -> None:
    def named(path: str, method: str) -> dict[str, Any]:
        parameters = document["paths"][f"/api/v1{path}"][method]["parameters"]
        return {parameter["name"]: parameter for parameter in parameters}

    numbers = named("/numbers", "get")
    assert {"q", "colour", "from", "attr", "limit", "cursor", "include_total"} <= set(numbers)
    assert numbers["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert numbers["colour"]["schema"] == {"$ref": "#/components/schemas/Colour"}
    assert numbers["in_stock"]["schema"] == {"title": "In Stock", "type": "boolean"}
    assert set(numbers["attr"]["schema"]["patternProperties"]) == {r"^attr\."}
    assert named("/things", "post")["Idempotency-Key"]["in"] == "header"
    assert "If-Match" in named("/things/{thing_id}", "patch")
    assert named("/things/{thing_id}", "patch")["thing_id"] == {
        "name": "thing_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    }


def test_who_may_ask_is_documented(document: Any) -> None:
    def security(path: str, method: str) -> Any:
        return document["paths"][path][method]["security"]

    signed_in: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
    assert security("/api/v1/me", "get") == signed_in
    assert security("/api/v1/things/{thing_id}", "patch") == signed_in
    assert security("/api/v1/things", "post") == [*signed_in, {}]
    assert security("/api/v1/held/{thing_id}", "get") == [*signed_in, {"order": []}]
    assert security("/api/v1/heard/{thing_id}", "get") == [*signed_in, {"conversation": []}]
    schemes = document["components"]["securitySchemes"]
    assert [schemes[name]["name"] for name in ("order", "conversation")] == ["X-Order-Token", "X-Conversation-Token"]
    assert security("/health", "get") == []


def test_lists_and_files_are_documented(document: Any) -> None:
    page = document["paths"]["/api/v1/numbers"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert page["properties"]["items"]["items"] == {"$ref": "#/components/schemas/NumberView"}
    assert list(document["paths"]["/api/v1/file"]["get"]["responses"]["200"]["content"]) == ["application/pdf"]
    assert list(document["paths"]["/api/v1/lines"]["post"]["requestBody"]["content"]) == ["text/csv"]


@pytest.mark.parametrize("page", ["/api/v1/docs", "/api/v1/redoc"])
def test_the_pages_load_nothing_from_other_hosts(client: Client, page: str) -> None:
    import re

    answer = client.get(page)
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert "https://" not in answer.text
    assert "https:" not in answer.headers["Content-Security-Policy"]
    loaded = re.findall(r'(?:src|href)="(/[^"]+)"', answer.text)
    assert len(loaded) >= 2
    for address in loaded:
        asset = client.get(address)
        assert asset.status_code == 200
        assert asset.content_type.partition(";")[0] in {"text/css", "text/javascript"}
        assert "cdn." not in asset.text, "a browser would log what the policy keeps it from"
        asset.close()


@pytest.mark.parametrize("name", ["x.js", "..%2f__init__.py", "%2e%2e", "swagger-ui.css%00"])
def test_no_other_file_is_served(client: Client, name: str) -> None:
    assert client.get(f"/api/v1/docs/assets/{name}").status_code == 404


def test_a_route_says_what_it_takes() -> None:
    routes = Routes("x", "X.")
    with pytest.raises(TypeError, match=r"parameters of /api/v1/x/\{x_id\}"):

        @routes.endpoint("GET", "/x/{x_id}")
        def wrong(ask: Ask, other: str) -> None:
            """Wrong."""

    with pytest.raises(TypeError, match="write one"):

        @routes.endpoint("GET", "/x")
        def silent(ask: Ask) -> None:
            ask.sessions.close()
