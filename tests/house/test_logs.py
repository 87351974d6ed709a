"""Log lines: their form, their file, and the day it turns."""

import json
import logging
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import structlog

from storecore import privacy
from webapp import logs
from webapp.logs import DailyFile
from webapp.settings import Settings


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_line_is_json_with_the_request_in_it_whoever_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "shop.log"
    logs.configure(Settings(log_file=path, log_format="json"))
    structlog.contextvars.bind_contextvars(request_id="r-1")
    structlog.get_logger().info("request", status=200)
    logging.getLogger("library").warning("%s is slow", "it")
    ours, theirs = lines(path)
    assert (ours["event"], ours["status"], ours["level"], ours["request_id"]) == ("request", 200, "info", "r-1")
    assert str(ours["time"]).endswith("Z")
    assert (theirs["event"], theirs["logger"], theirs["request_id"]) == ("it is slow", "library", "r-1")


def test_a_traceback_carries_no_values_of_variables(tmp_path: Path) -> None:
    path = tmp_path / "shop.log"
    logs.configure(Settings(log_file=path, log_format="json"))
    password = "".join(["hunter", "22"])
    try:
        raise RuntimeError("no")
    except RuntimeError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed")
    for line in lines(path):
        assert "RuntimeError: no" in str(line["exception"])
        assert password not in str(line)


def test_nothing_that_is_called_like_something_personal_or_secret_is_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "shop.log"
    logs.configure(Settings(log_file=path, log_format="json"))
    planted = {name: f"zq-{name}" for name in [*privacy.names() - {"error"}, "password", "token"]}
    structlog.get_logger().info("odd", **planted, user_id="u-1", error="refused")
    structlog.get_logger().info("deep", order={"lines": [{"id": 1, "note": "zq-n"}]}, seen=("this", {"email": "zq-e"}))
    logging.getLogger("library").warning("plain %(id)s", {"id": "x-1", "email": "zq-f"})
    odd, deep, theirs = lines(path)
    assert {odd[name] for name in planted} == {"[redacted]"}
    assert (odd["event"], odd["user_id"], odd["error"]) == ("odd", "u-1", "refused")
    assert deep["order"] == {"lines": [{"id": 1, "note": "[redacted]"}]}
    assert deep["seen"] == ["this", {"email": "[redacted]"}]
    assert theirs["event"] == "plain x-1"
    assert "zq-" not in path.read_text(encoding="utf-8")


def test_people_get_text_and_the_level_holds(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(log_level="WARNING"))
    structlog.get_logger().info("not this")
    structlog.get_logger().warning("look", at="this")
    logging.getLogger("library").info("nor this")
    said = capsys.readouterr().err
    assert said.endswith("warning  look at=this\n")
    assert said.count("\n") == 1


def test_production_logs_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings(environment="production"))
    structlog.get_logger().info("look")
    assert json.loads(capsys.readouterr().err)["event"] == "look"


def test_each_day_has_a_file_of_its_own_also_for_two_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "shop.log"
    today = date(2026, 1, 31)
    monkeypatch.setattr(logs, "_today", lambda: today)
    path.touch()
    os.utime(path, (noon := datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp(), noon))
    files = DailyFile(path), DailyFile(path)

    def write(text: str) -> None:
        for number, file in enumerate(files):
            file.write(f"{text} {number}\n")
            file.flush()

    (tmp_path / "shop.log.2025-12-31").write_text("old")
    (tmp_path / "shop.log.2026-01-20").write_text("not so old")
    write("January")
    today = date(2026, 2, 1)
    write("February")
    write("still February")
    assert (tmp_path / "shop.log.2026-01-31").read_text() == "January 0\nJanuary 1\n"
    assert path.read_text() == "February 0\nFebruary 1\nstill February 0\nstill February 1\n"
    assert not (tmp_path / "shop.log.2025-12-31").exists()
    assert (tmp_path / "shop.log.2026-01-20").exists()
    for file in files:
        file.close()


def test_a_file_that_was_moved_away_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "shop.log"
    file = DailyFile(path)
    file.write("first\n")
    file.flush()
    path.rename(tmp_path / "moved.log")
    file.write("second\n")
    file.close()
    assert (tmp_path / "moved.log").read_text() == "first\n"
    assert path.read_text() == "second\n"
