"""Pages of other origins that may call the API with the user's cookies (CORS): those that are listed, and no other."""

from collections.abc import Collection

from flask import Flask, Response, request

from webapp.http import limiting

EXPOSED = (
    "ETag",
    "Location",
    "Retry-After",
    "X-Request-ID",
    "Idempotent-Replayed",
    limiting.STANDING,
    limiting.POLICY,
)
"""Headers of answers that such a page may read."""

TAKEN = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Conversation-Token",
    "X-Order-Token",
    "X-Request-ID",
)
"""Headers that it may send."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
REMEMBERED_SECONDS = 600


def install(app: Flask, listed: Collection[str]) -> None:
    """Tell browsers which origins are ``listed``; without any, nothing is told."""
    if not listed:
        return
    origins = frozenset(origin.lower() for origin in listed)

    @app.after_request
    def tell(answer: Response) -> Response:
        answer.vary.add("Origin")
        origin = request.environ.get("HTTP_ORIGIN", "")
        if origin.lower() not in origins:
            return answer
        headers = answer.headers
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Credentials"] = "true"
        if request.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.environ:
            headers["Access-Control-Allow-Methods"] = ", ".join(METHODS)
            headers["Access-Control-Allow-Headers"] = ", ".join(TAKEN)
            headers["Access-Control-Max-Age"] = str(REMEMBERED_SECONDS)
        else:
            headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED)
        return answer
