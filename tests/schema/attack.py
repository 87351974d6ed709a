"""Everything that schemathesis can think of, sent to a whole shop that is as it was again before each request."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import schemathesis
from schemathesis.engine import events, from_schema
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.http.matrix import Caller, Street

BEYOND_SCHEMA = (
    (r"is not a cursor that was given out here", "cursors are signed"),
    (r"must not contain (the control character|a lone surrogate|an unassigned)", "the rules of text are Unicode's"),
    (r"must (have|be) .*character", "text is counted without the space around it"),
    (r"must be above 0 and at most 100", "decimals are text, which has no bounds"),
    (r"must be a day from 1971 to 9998", "neither have days"),
    (r"must be an ISO 3166 country code", "countries come and go"),
    (r"must be a whole number$", "JSON Schema takes 1.0 for an integer"),
    (r"digits after the point|is too (large|much)|is worth", "the currency is the shop's setting"),
    (r"there is no such|is nobody we know|is no line of|is not known here|unknown", "ids name what there is"),
    (
        r"give (either|both|exactly)|goes with|is for guests|give at least|must be after|must not be after|"
        r"is needed|must be given|must be before|must not be before|must be within",
        "one field depends on another",
    ),
    (r"is wrong$|link is not valid", "secrets are secret"),
    (r"^Line \d+, column", "a file has a grammar of its own"),
    (r"was changed meanwhile", "If-Match names a version that is gone"),
    (r"must be a (time|day) that exists|must be a day such", "31 February has the form of a day"),
)
"""Refusals of what fits the schema, each with the reason why a schema can't say it."""


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        """The app logs its requests."""


@contextmanager
def served(street: Street) -> Iterator[str]:
    """The address of a server, which forgets what the last request did before it begins the next."""

    def app(environ: Any, start_response: Any) -> Any:
        street.storage.swap_in(street.before)
        return street.app(environ, start_response)

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def findings(address: str, caller: Caller, *, examples: int, coverage: bool = True) -> tuple[int, list[str]]:
    """How many requests were made as somebody, and what was wrong with the answers, each once for an operation."""
    schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")
    config = schema.config
    config.headers = dict(caller.headers)
    config.seed = 1
    config.generation.max_examples = examples
    config.generation.deterministic = True
    config.generation.database = "none"
    config.phases.coverage.enabled = coverage
    config.phases.stateful.enabled = False  # each request finds the shop as it was
    asked, found = 0, dict[tuple[str, str], str]()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            asked += len(event.recorder.cases)
            for kind, label, text in _failures(event.recorder, schema.raw_schema, caller):
                found.setdefault((kind, label), f"{kind} {label}: {text}")
        elif isinstance(event, events.NonFatalError):
            found.setdefault(("error", event.label), f"{event.label}: {event.value!r}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return asked, list(found.values())


def _failures(recorder: Any, document: dict[str, Any], caller: Caller) -> Iterator[tuple[str, str, str]]:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            failure, sent = check.failure_info.failure, recorder.interactions[case_id].request
            answer = recorder.interactions[case_id].response
            kind = type(failure).__name__
            if kind == "RejectedPositiveData" and answer is not None and beyond_schema(answer.json()):
                continue
            method, path = recorder.label.split()
            if kind == "AllowHeaderMismatch" and _also_an_id(path, document["paths"]):
                continue
            if kind == "IgnoredAuth" and _shown(sent.headers, caller) & _enough(document, method, path):
                continue
            told = answer.content[:1000].decode(errors="replace") if answer is not None else ""
            yield kind, recorder.label, f"{failure.message}\n{check.failure_info.code_sample}\n{told}"


def _shown(headers: dict[str, list[str]], caller: Caller) -> set[str]:
    """The headers of a request that are a caller's own."""
    return {name for name, value in caller.headers.items() if headers.get(name) == [value]}


def _enough(document: dict[str, Any], method: str, path: str) -> set[str]:
    """The headers that each open an operation alone, whatever is wrong with other ways to sign in."""
    schemes = document["components"]["securitySchemes"]
    ways = document["paths"][path][method.lower()].get("security", ())
    return {schemes[name]["name"] for way in ways for name in way if schemes[name].get("in") == "header"}


def _also_an_id(path: str, paths: Iterable[str]) -> bool:
    """Whether another route takes the end of this path for an id: then the address takes that one's methods too."""
    start, _, _ = path.rpartition("/")
    return any(re.fullmatch(re.escape(start) + r"/\{\w+\}", other) for other in paths if other != path)


def beyond_schema(problem: dict[str, Any]) -> bool:
    """Whether no schema could have said why this was refused."""
    whys = [error["message"] for error in problem.get("errors", ())] or [problem["detail"]]
    return all(any(re.search(pattern, why) for pattern, _ in BEYOND_SCHEMA) for why in whys)
