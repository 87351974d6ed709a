"""The worker goes on whatever happens, and ends when it is told to."""

from collections.abc import Callable
from threading import Event

import pytest
from structlog.testing import capture_logs

from webapp import worker
from webapp.worker import Worker


class Shop:
    """Something to work on: each call takes the next step."""

    def __init__(self, *steps: Callable[[], int]) -> None:
        self._steps = iter(steps)
        self.idle = Event()

    def work(self) -> int:
        step = next(self._steps, None)
        if step is None:
            self.idle.set()
            return 0
        return step()


def broken() -> int:
    raise RuntimeError("the disk is full")


def test_it_works_until_nothing_is_due_and_stops_at_once() -> None:
    done: list[int] = []

    def step() -> int:
        done.append(1)
        return 1

    shop = Shop(*[step] * 5)
    working = Worker(shop, idle=60)
    working.start()
    assert shop.idle.wait(10)
    assert len(done) == 5
    assert working.alive
    working.stop(wait=10)
    assert [working.alive, Worker(shop).alive] == [False, False]


def test_a_failure_is_logged_and_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LONGEST_PAUSE_SECONDS", 0.01)
    shop = Shop(broken, broken, lambda: 1)
    working = Worker(shop, idle=60)
    with capture_logs() as logged:
        working.start()
        assert shop.idle.wait(10)
    assert working.alive
    working.stop(wait=10)
    assert [(line["event"], line["log_level"], line["exc_info"]) for line in logged] == [
        ("worker failed", "error", True)
    ] * 2


def test_one_that_was_stopped_before_it_began_does_nothing() -> None:
    working = Worker(Shop(broken))
    working.stop()
    working.run()
