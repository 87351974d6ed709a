"""Failures, reported to Sentry: what went wrong and where in the program, and nothing about anybody.

Only what is named here is sent: the error's type, the lines of code it passed through, the request's id, method and
route. Messages of errors, values of variables, addresses, headers, cookies and bodies stay in the shop; its log has the
whole story under the same request id.
"""

from collections.abc import Mapping
from typing import Any

import sentry_sdk
from sentry_sdk.utils import event_from_exception

SENT = ("event_id", "timestamp", "level", "platform", "environment", "release", "sdk", "tags")
"""Members of a report, beside the error."""
TAGS = ("request_id", "method", "route")
OF_ERROR = ("type", "module")
OF_FRAME = ("filename", "function", "module", "lineno", "pre_context", "context_line", "post_context", "in_app")

CLOSING_SECONDS = 2.0


class SentryReports:
    """Sends failures to the project of a DSN, by a thread of its own. Open it after forking, and close it."""

    def __init__(self, dsn: str, *, environment: str, release: str) -> None:
        self._client = sentry_sdk.Client(
            dsn=dsn,
            environment=environment,
            release=release,
            server_name="",
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            include_local_variables=False,
            max_request_body_size="never",
            send_client_reports=False,
            max_breadcrumbs=0,
            before_send=_impersonal,
        )

    def report(self, error: BaseException, about: Mapping[str, Any]) -> None:
        """Send an error; ``about`` is the line of the log that tells of it."""
        event, hint = event_from_exception(error, client_options=self._client.options)
        event["tags"] = {name: str(about[name]) for name in TAGS if about.get(name) is not None}
        self._client.capture_event(event, hint)

    def close(self) -> None:
        """Send what waits, for at most two seconds."""
        self._client.close(timeout=CLOSING_SECONDS)


def _impersonal(event: Any, _hint: Any) -> Any:
    kept = {name: event[name] for name in SENT if name in event}
    errors = event.get("exception", {}).get("values", [])
    kept["exception"] = {"values": [_error(each) for each in errors]}
    return kept


def _error(error: Mapping[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames", [])
    shown = [{name: frame[name] for name in OF_FRAME if name in frame} for frame in frames]
    return {name: error[name] for name in OF_ERROR if name in error} | {"stacktrace": {"frames": shown}}
