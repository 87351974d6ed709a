"""The API's documentation in the browser: Swagger UI and ReDoc from installed packages, without any other host."""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from flask import Flask, Response, send_file
from pydantic_core import to_json

from storecore.errors import NotFound
from webapp.http.endpoint import API, Routes
from webapp.http.openapi import document

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; worker-src blob:; font-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Both pages write styles of their own, and ReDoc searches in a worker; nothing may come from another host."""

_ASSETS = {
    "swagger-ui.css": ("flask_openapi3_swagger", "templates/swagger/css/swagger-ui.css"),
    "swagger-ui-bundle.js": ("flask_openapi3_swagger", "templates/swagger/js/swagger-ui-bundle.js"),
    "redoc.standalone.js": ("flask_openapi3_redoc", "templates/redoc/js/redoc.standalone.js"),
}

_ELSEWHERE = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
"""The one image that ReDoc would load from another host: its maker's logo, without which it says its name alone."""

_SCRIPTS = {
    "swagger.js": f'SwaggerUIBundle({{url: "{API}/openapi.json", dom_id: "#docs", deepLinking: true}});',
    "redoc.js": f'Redoc.init("{API}/openapi.json", {{hideLoading: true}}, document.getElementById("docs"));',
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
{style}
</head>
<body style="margin: 0">
<div id="docs"></div>
<script src="{api}/docs/assets/{library}"></script>
<script src="{api}/docs/assets/{script}"></script>
</body>
</html>
"""

_STYLE = f'<link rel="stylesheet" href="{API}/docs/assets/swagger-ui.css">'


def install(app: Flask, areas: Sequence[Routes], *, title: str, version: str) -> None:
    """Serve the OpenAPI document and both pages. The document is written when it is first asked for."""

    @cache
    def openapi() -> bytes:
        return to_json(document(areas, title=title, version=version))

    def page(library: str, script: str, style: str = "") -> Response:
        text = _PAGE.format(title=title, api=API, library=library, script=script, style=style)
        return Response(text, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})

    @app.get(f"{API}/openapi.json")
    def openapi_json() -> Response:
        return Response(openapi(), content_type="application/json", headers={"Cache-Control": "public, no-cache"})

    @app.get(f"{API}/docs")
    def swagger() -> Response:
        return page("swagger-ui-bundle.js", "swagger.js", _STYLE)

    @app.get(f"{API}/redoc")
    def redoc() -> Response:
        return page("redoc.standalone.js", "redoc.js")

    @app.get(f"{API}/docs/assets/<name>")
    def docs_asset(name: str) -> Response:
        if name in _SCRIPTS:
            return Response(_SCRIPTS[name], content_type="text/javascript; charset=utf-8")
        if name not in _ASSETS:
            raise NotFound()
        if name.startswith("redoc"):
            return send_file(BytesIO(_at_home(name)), "text/javascript", etag=False, max_age=3600)
        return send_file(_asset(name), max_age=3600)


@cache
def _at_home(name: str) -> bytes:
    """A script that asks no other host for anything."""
    return _asset(name).read_bytes().replace(_ELSEWHERE, b"data:,")


@cache
def _asset(name: str) -> Path:
    package, path = _ASSETS[name]
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(f"{package} is not installed: pip install 'storecore[web]'")
    return Path(found.submodule_search_locations[0]) / path
