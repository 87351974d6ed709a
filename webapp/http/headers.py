"""What every request and every answer carries: an id, headers that keep browsers careful, and a line in the log."""

import re
from time import perf_counter
from uuid import uuid4

import structlog
from flask import Flask, Request, Response, request

from storecore import audit
from webapp.metrics import Metrics

REQUEST_ID = "X-Request-ID"

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

SECURITY = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    (
        "Permissions-Policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
)
CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
"""For answers that load nothing; a page that does brings its own."""

log = structlog.get_logger("storecore.http")


def install(app: Flask, metrics: Metrics, *, https: bool, subdomains: bool = False) -> None:
    """Give each request an id and each answer its headers; log and count them.

    ``https`` keeps browsers to it for a year, at this host, and at ``subdomains`` of it as well.
    """
    strict = "max-age=31536000" + ("; includeSubDomains" if subdomains else "")
    always = [*SECURITY, *([("Strict-Transport-Security", strict)] if https else [])]

    @app.before_request
    def begin() -> None:
        environ = request.environ
        environ["storecore.started"] = perf_counter()
        environ["storecore.request_id"] = request_id = _request_id(environ.get("HTTP_X_REQUEST_ID"))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        audit.request_id.set(request_id)

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        audit.request_id.set(None)

    @app.after_request
    def finish(answer: Response) -> Response:
        asked: Request = request._get_current_object()  # type: ignore[attr-defined] # the proxy's own way to its object
        environ, headers = asked.environ, answer.headers
        headers[REQUEST_ID] = environ["storecore.request_id"]
        for name, value in always:
            headers.add(name, value)
        if "Content-Security-Policy" not in headers:
            headers.add("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        route = asked.url_rule.rule if asked.url_rule is not None else "(none)"
        method = asked.method if asked.method in _METHODS else "(other)"
        took = perf_counter() - environ["storecore.started"]
        metrics.request(method, route, answer.status_code, took)
        metrics.outcome(asked.endpoint, answer, environ.get("storecore.problem"))
        log.info(
            "request",
            method=method,
            route=route,
            status=answer.status_code,
            problem=environ.get("storecore.problem"),
            ms=round(took * 1000, 1),
            user_id=environ.get("storecore.user_id"),
        )
        return answer


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _request_id(given: str | None) -> str:
    return given if given is not None and _ID.fullmatch(given) else uuid4().hex
