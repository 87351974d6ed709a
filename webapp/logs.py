"""Logs: one line for each event, JSON for machines or text for people, with the request's id in each.

What is logged names things by id, never by name, email, address or secret; tracebacks carry no values of variables.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from threading import Lock
from traceback import print_exception
from typing import Any

import structlog

from storecore import privacy
from webapp.settings import Settings

KEPT_DAYS = 30
"""Log files older than this are removed."""

REDACTED = "[redacted]"
"""What stands in a log line for something personal."""

_NEVER = (privacy.names() - {"error"}) | {"password", "token", "secret", "cookie", "authorization"}
"""Names whose values no log line carries. What a line calls ``error`` is a refusal of ours, which quotes nobody."""

Event = MutableMapping[str, Any]
Reporter = Callable[[BaseException, Mapping[str, Any]], None]

_reporters: list[Reporter] = []


class DailyFile:
    """A log file with a new one each day (UTC): yesterday's lines move to ``name.2026-01-31``.

    Several processes may write to it: the first to notice the new day moves the file, the others follow.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._day = datetime.fromtimestamp(path.stat().st_mtime, UTC).date() if path.exists() else _today()
        self._file = path.open("a", encoding="utf-8")

    def write(self, text: str) -> int:
        """Append to today's file."""
        with self._lock:
            if _today() != self._day or self._moved():
                self._turn()
            return self._file.write(text)

    def flush(self) -> None:
        """Hand what was written to the system."""
        with self._lock:
            self._file.flush()

    def close(self) -> None:
        """Give back the file."""
        with self._lock:
            self._file.close()

    def _moved(self) -> bool:
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return True

    def _turn(self) -> None:
        if _today() != self._day:
            try:
                self._path.with_name(f"{self._path.name}.{self._day}").hardlink_to(self._path)
                self._path.unlink()
                self._forget_old()
            except (FileExistsError, FileNotFoundError):
                pass  # another process has moved it
            self._day = _today()
        self._file.close()
        self._file = self._path.open("a", encoding="utf-8")

    def _forget_old(self) -> None:
        for old in self._path.parent.glob(f"{self._path.name}.????-??-??"):
            try:
                age = _today() - date.fromisoformat(old.name[-10:])
            except ValueError:
                continue
            if age.days > KEPT_DAYS:
                old.unlink(missing_ok=True)


def _today() -> date:
    return datetime.now(UTC).date()


def configure(settings: Settings) -> None:
    """Send every log line of this process, the libraries' too, where the settings say."""
    stream: Any = DailyFile(settings.log_file) if settings.log_file else sys.stderr
    as_json = (settings.log_format or ("json" if settings.production else "text")) == "json"
    render = structlog.processors.JSONRenderer(default=str) if as_json else _as_text
    level = logging.getLevelNamesMapping()[settings.log_level]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _with_traceback,
        _without_people,
    ]
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("gunicorn.error").setLevel(max(level, logging.INFO))  # for debugging it quotes every path
    for chatty in ("alembic", "fontTools", "fpdf", "werkzeug", *([] if settings.production else ["gunicorn.error"])):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))


@contextmanager
def reporting(reporter: Reporter) -> Iterator[None]:
    """Tell of every error that is logged, beside the line that tells of it."""
    _reporters.append(reporter)
    try:
        yield
    finally:
        _reporters.remove(reporter)


def _without_people(_logger: Any, _method: str, event: Event) -> Event:
    """Replace whatever is called like something personal or secret, at any depth."""
    for name, value in event.items():
        event[name] = REDACTED if name in _NEVER else _redacted(value)
    return event


def _redacted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: REDACTED if name in _NEVER else _redacted(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(each) for each in value]
    return value


def _with_traceback(_logger: Any, _method: str, event: Event) -> Event:
    """Replace ``exc_info`` by the traceback as text, as Python prints it."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        text = StringIO()
        print_exception(error, file=text)
        event["exception"] = text.getvalue().rstrip()
        for report in _reporters:
            report(error, event)
    return event


def _as_text(_logger: Any, _method: str, event: Event) -> str:
    """``12:30:01 info     request method=GET status=200``."""
    time, level, what = (str(event.pop(name, "")) for name in ("time", "level", "event"))
    traceback = event.pop("exception", None)
    details = "".join(f" {name}={value}" for name, value in event.items() if value is not None)
    line = f"{time[11:19]} {level:8} {what}{details}"
    return f"{line}\n{traceback}" if traceback else line
