"""The worker: whatever the shop owes but no request waits for, such as mail and invoices."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Protocol

import structlog

log = structlog.get_logger()

IDLE_SECONDS = 1.0
"""How long the worker waits when there was nothing to do."""

LONGEST_PAUSE_SECONDS = 30.0
"""How long it waits, at most, after failing again and again."""


class Work(Protocol):
    """A shop with something to do: an assembled ``Store``."""

    def work(self) -> int:
        """Do some of what is due; how much was done."""


def _nobody(_failed: bool) -> None: ...


class Worker:
    """Works until it is stopped, in a thread of its own (:meth:`start`) or in the caller's (:meth:`run`).

    A failure never ends it: it is logged, and tried again after a pause that doubles from one second to thirty.
    ``told`` hears of each round whether it failed.
    """

    def __init__(self, shop: Work, *, idle: float = IDLE_SECONDS, told: Callable[[bool], None] = _nobody) -> None:
        self._told = told
        self._shop = shop
        self._idle = idle
        self._stopping = Event()
        self._thread: Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether its thread is running."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin to work beside the caller."""
        self._thread = Thread(target=self.run, name="worker", daemon=True)
        self._thread.start()

    def stop(self, *, wait: float = 0.0) -> None:
        """Finish what is in hand and end; ``wait`` so many seconds for that."""
        self._stopping.set()
        if self._thread is not None and wait:
            self._thread.join(wait)

    def run(self) -> None:
        """Work until :meth:`stop` is called."""
        pause, failures = 0.0, 0
        while not self._stopping.wait(pause):
            try:
                pause, failures = (0.0 if self._shop.work() else self._idle), 0
                self._told(False)
            except Exception:
                log.exception("worker failed")
                failures += 1
                self._told(True)
                pause = min(2.0 ** min(failures - 1, 10), LONGEST_PAUSE_SECONDS)
