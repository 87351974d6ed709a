"""What the server counts, for Prometheus: of all its processes together, the ended ones too.

prometheus_client decides at its import whether processes share what they count, in files of a folder that the
environment names. So it is imported here alone, when an app is made: after :func:`shared` has named the folder, which
is new for each start of the server, and after the fork. The outbox is counted in the database, when somebody asks.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from tempfile import mkdtemp
from time import time
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response, request

from storecore.errors import NotFound, StoreError
from storecore.ports import Passwords
from webapp.refusals import CantListen

if TYPE_CHECKING:
    from prometheus_client import Gauge, Metric

    from webapp.http.parts import Parts

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable in which prometheus_client looks for the folder."""

PLACING = frozenset({"orders.place", "cart.checkout"})
"""The endpoints that place orders."""

Owed = Callable[[], tuple[int, float]]
"""How many mails are owed, and for how many seconds the one that is due the longest has been."""


@contextmanager
def shared(processes: int) -> Iterator[None]:
    """Let so many server processes, which are forked in here, count together; a single one needs no files."""
    if processes == 1:
        yield
        return
    if "prometheus_client" in sys.modules:
        raise RuntimeError("prometheus_client was imported too early to count in several processes")
    owner, room = os.getpid(), Path("/dev/shm")  # noqa: S108 - a folder that nobody else can guess is made there
    os.environ[FOLDER] = folder = mkdtemp(prefix="storecore-metrics-", dir=room if room.is_dir() else None)
    try:
        yield
    finally:
        if os.getpid() == owner:  # a forked process ends through here as well
            shutil.rmtree(folder, ignore_errors=True)


def process_ended(pid: int) -> None:
    """What a process had at hand (sockets, its worker) is gone; what it counted stays."""
    if folder := os.environ.get(FOLDER):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]  # the package has no types there


class Metrics:
    """Counters and gauges of an app, and the text that Prometheus asks for."""

    def __init__(self, owed: Owed | None = None) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector

        self._own = None if FOLDER in os.environ else CollectorRegistry()
        self._outbox = _Outbox(owed) if owed else None
        to: dict[str, Any] = {"registry": self._own}
        if self._own is not None:
            ProcessCollector(registry=self._own)
            GCCollector(registry=self._own)
            if self._outbox is not None:
                self._own.register(self._outbox)
        self._seconds = Histogram("storecore_request_seconds", "How long requests took.", ["method", "route"], **to)
        self._requests = Counter("storecore_requests", "Requests, by status.", ["method", "route", "status"], **to)
        self._placed = Counter("storecore_orders_placed", "Orders that were placed.", **to)
        self._stock_outs = Counter("storecore_stock_outs", "Requests refused since too little was in stock.", **to)
        self._sockets = Gauge("storecore_sockets", "WebSockets that are open.", multiprocess_mode="livesum", **to)
        self._passwords = Gauge(
            "storecore_passwords_waiting",
            "Passwords that are being hashed or wait for it.",
            multiprocess_mode="livesum",
            **to,
        )
        self._failures = Counter("storecore_worker_failures", "Rounds of the worker that failed.", **to)

    @cached_property
    def _round(self) -> "Gauge":
        """Made by the first round: a process without a worker has none."""
        from prometheus_client import Gauge

        return Gauge(
            "storecore_worker_last_round_timestamp_seconds",
            "When the worker last went round without failing; of several, that which has not for longest.",
            multiprocess_mode="livemin",
            registry=self._own,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered; ``route`` is a pattern, of which there are few."""
        self._seconds.labels(method, route).observe(seconds)
        self._requests.labels(method, route, status).inc()

    def outcome(self, endpoint: str | None, answer: Response, problem: str | None) -> None:
        """What it meant for the shop."""
        if problem == "out-of-stock":
            self._stock_outs.inc()
        if endpoint in PLACING and answer.status_code == 201 and "Idempotent-Replayed" not in answer.headers:
            self._placed.inc()

    def sockets(self, number: int) -> None:
        """So many are open in this process."""
        self._sockets.set(number)

    def worked(self, *, failed: bool) -> None:
        """The worker of this process went round."""
        if failed:
            self._failures.inc()
        else:
            self._round.set(time())

    @contextmanager
    def hashing(self) -> Iterator[None]:
        """A password is being hashed or waits for it."""
        with self._passwords.track_inprogress():
            yield

    @contextmanager
    def told_at(self, port: int) -> Iterator[str]:
        """Tell whoever asks on this machine, where no app does; the address. Raises ``CantListen``."""
        from prometheus_client import start_http_server

        assert self._own is not None  # noqa: S101 - one process counts by itself
        try:
            server, thread = start_http_server(port, "127.0.0.1", registry=self._own)
        except OSError as error:
            raise CantListen(f"can't tell metrics at port {port} of this machine: {error.strerror}") from None
        try:
            yield f"http://127.0.0.1:{server.server_port}/metrics"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def text(self) -> bytes:
        """Everything, in the format of Prometheus."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        if self._own is not None:
            return generate_latest(self._own)
        everything = CollectorRegistry()
        MultiProcessCollector(everything)  # type: ignore[no-untyped-call]  # the package has no types there
        if self._outbox is not None:
            everything.register(self._outbox)
        return generate_latest(everything)


class Watched:
    """``Passwords`` whose queue somebody watches."""

    def __init__(self, passwords: Passwords, hashing: Callable[[], AbstractContextManager[None]]) -> None:
        self._passwords, self._hashing = passwords, hashing
        self.outdated = passwords.outdated

    def hash(self, password: str) -> str:
        """As the port says."""
        with self._hashing():
            return self._passwords.hash(password)

    def verify(self, password: str, hashed: str | None) -> bool:
        """As the port says."""
        with self._hashing():
            return self._passwords.verify(password, hashed)


class _Outbox:
    """Owed mail, as the database says when it is asked; nothing while it does not answer."""

    def __init__(self, owed: Owed) -> None:
        self._owed = owed

    def describe(self) -> "list[Metric]":
        """Nothing is asked yet."""
        return []

    def collect(self) -> "Iterator[Metric]":
        """Two gauges."""
        from prometheus_client.core import GaugeMetricFamily

        try:
            depth, age = self._owed()
        except StoreError:
            return
        yield GaugeMetricFamily("storecore_outbox_depth", "Mail that is owed.", value=depth)
        yield GaugeMetricFamily(
            "storecore_outbox_oldest_due_seconds", "For how long the longest due mail has been due.", value=age
        )


def install(app: Flask, parts: "Parts") -> None:
    """Answer ``/metrics`` to those who may see it; to anybody else it is not there."""

    def admitted(asked: Request) -> bool:
        if not parts.trusted_proxies and {"X-Forwarded-For", "Forwarded"} & set(asked.headers.keys()):
            return False  # somebody's proxy passed it on, and nobody knows for whom
        try:
            address = ip_address(asked.remote_addr or "")
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in parts.metrics_from)

    @app.get("/metrics")
    def measured() -> Response:
        from prometheus_client import CONTENT_TYPE_LATEST

        if not admitted(request):
            raise NotFound()
        return Response(parts.metrics.text(), content_type=CONTENT_TYPE_LATEST)
