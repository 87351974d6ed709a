"""Which hosts a request may be for: a name that is not the shop's must not get into links, caches and cookies."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from flask import Flask, request

from webapp.http.problems import BadRequest

_HOST = re.compile(r"([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)


def answers_to(host: str, allowed: Collection[str]) -> bool:
    """Whether a ``Host`` is one of the allowed names, on any port; ``.shop.example`` allows all below it as well.

    Names are in lower case. With none allowed every well-formed host is.
    """
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].lower()
    return not allowed or any(
        name == each.removeprefix(".") or (each.startswith(".") and name.endswith(each)) for each in allowed
    )


def install(app: Flask, allowed: Collection[str]) -> None:
    """Refuse requests for other hosts before anything else is looked at."""

    @app.before_request
    def refuse_other_hosts() -> None:
        environ = request.environ
        host = environ.get("HTTP_HOST", "")
        target = urlsplit(str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"))
        elsewhere = target.scheme and target.netloc.lower() != host.lower()
        if elsewhere or not answers_to(host, allowed):
            raise BadRequest("The request is for a host that this server does not answer to.")
