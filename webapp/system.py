"""The server itself: is it alive, is it ready, and what do its error codes mean."""

import inspect
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from typing_extensions import TypedDict

from storecore.errors import NotFound, Unavailable
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.problems import STATUS, codes

LEAST_FREE_BYTES = 50 * 1024 * 1024
"""With less room on the disk the server is not ready for more."""

routes = Routes("system", "The server itself.", prefix="")


class NotReady(Unavailable):
    """The server runs, but something it needs does not. ``extra["checks"]`` says which."""

    code = "not-ready"
    title = "The server is not ready"


class Health(TypedDict):
    """The server answers."""

    status: Literal["ok"]


class Readiness(TypedDict):
    """Everything the server needs works; ``checks`` names it."""

    status: Literal["ready"]
    checks: dict[str, bool]


class Code(TypedDict):
    """What an error code means."""

    code: str
    title: str
    status: int
    description: str


@routes.endpoint("GET", "/health", public=True)
def health(ask: Ask) -> Health:  # noqa: ARG001 - every route is asked the same way
    """Is the process alive?"""
    return {"status": "ok"}


@routes.endpoint("GET", "/ready", public=True, refuses=(NotReady,))
def ready(ask: Ask) -> Readiness:
    """Can it work: database, worker, disk?"""
    checks = {name: _works(check) for name, check in ask.parts.ready.items()}
    if not all(checks.values()):
        raise NotReady(checks=checks)
    return {"status": "ready", "checks": checks}


@routes.endpoint("GET", "/problems/{code}", public=True)
def problem(ask: Ask, code: str) -> Code:  # noqa: ARG001 - every route is asked the same way
    """What does an error code mean?"""
    if code not in codes():
        raise NotFound()
    error = codes()[code]
    return {
        "code": code,
        "title": error.title,
        "status": STATUS[error.kind],
        "description": inspect.cleandoc(error.__doc__ or ""),
    }


def disk(folder: Path) -> Callable[[], bool]:
    """A check that there is room where the server writes."""
    return lambda: shutil.disk_usage(folder).free >= LEAST_FREE_BYTES


def _works(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:  # noqa: BLE001 - whatever it is, it does not work
        return False
