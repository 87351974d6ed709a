"""The server: gunicorn's threads, started in this process; Werkzeug's where gunicorn does not run (Windows).

The port is taken first, so that a second server is refused before it touches the database. What holds threads or
connections (the store, its worker) is opened by each server process for itself, after the fork.
"""

import contextlib
import errno
import gc
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog

from webapp import clients, metrics
from webapp.refusals import CantListen
from webapp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Response

    from webapp.site import Site

log = structlog.get_logger()

BACKLOG = 2048
"""Connections that may wait to be accepted."""

SOCKETS = 250
"""Threads of a process beside THREADS, for the WebSockets that it allows and for those that it has to refuse."""
SOCKETS_PATH = "/api/v1/support/ws"

HASHING = frozenset(
    {
        "POST /api/v1/auth/login",
        "POST /api/v1/auth/token",
        "POST /api/v1/auth/register",
        "POST /api/v1/auth/password",
        "POST /api/v1/auth/password/reset",
        "POST /api/v1/auth/email",
        "DELETE /api/v1/users/me",
        "POST /links/reset-password",
    }
)
"""What hashes passwords, which takes a core for a while. Half of THREADS may, the others go on selling."""
LINE, LINE_SECONDS = 40, 5.0
"""How many may wait to get there, in threads that are spare, and for how long."""

FINISH_SECONDS = 5
"""How long running requests may take to finish after SIGTERM."""


def listen(settings: Settings) -> socket.socket:
    """Take HOST and PORT. Raises ``CantListen`` with what to do about it."""
    where = f"{settings.host} port {settings.port}"
    try:
        family, kind, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise CantListen(f"HOST: {settings.host} is no address of this machine ({error.strerror})") from None
    try:
        if sys.platform != "win32":  # there it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CantListen(f"{where} is in use; stop the other program or set PORT to another number") from None
        raise CantListen(f"can't listen on {where}: {error.strerror}") from None
    return listener


def address_of(listener: socket.socket) -> str:
    """Where a browser on this machine reaches the server."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(settings: Settings, listener: socket.socket, open_site: Callable[[], "Site"]) -> None:
    """Serve until SIGTERM or SIGINT; running requests are finished first."""
    if sys.platform == "win32":
        run_werkzeug(settings, listener, open_site)
    else:
        run_gunicorn(settings, listener, open_site)


def run_gunicorn(settings: Settings, listener: socket.socket, open_site: Callable[[], "Site"]) -> None:
    """Serve from ``WORKERS`` processes of ``THREADS`` threads."""
    from gunicorn.app.base import BaseApplication
    from gunicorn.glogging import Logger
    from gunicorn.http.errors import ParseException
    from gunicorn.workers.gthread import ThreadWorker

    class Logs(Logger):  # type: ignore[misc]  # gunicorn ships no types
        """Leaves gunicorn's messages to the program's own log."""

        def setup(self, cfg: Any) -> None:
            self.cfg = cfg
            self.error_log.propagate = True
            self._access_log_enabled = False

        def access(self, *_: object) -> None:
            """Requests are logged by the app, which knows their ids."""

    class Threads(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
        """Refuses what never reaches the app with a problem, like the app, and waits for nobody too long."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.waiting = clients.Waiting()

        def handle(self, conn: Any) -> Any:
            """Answer a request, in a thread; whether the connection stays open, in older versions within a pair."""
            if not isinstance(conn.sock, clients.Client):
                conn.sock = clients.Client(conn.sock, self.waiting)
            conn.data_ready = True  # the connection itself waits for its first bytes
            conn.sock.begin()
            outcome = super().handle(conn)
            if not (outcome[0] if isinstance(outcome, tuple) else outcome):
                conn.sock.part()
            return outcome

        def handle_request(self, req: object, conn: Any) -> Any:
            """Answer a request whose head is read."""
            conn.sock.begin()
            return super().handle_request(req, conn)

        def set_accept_enabled(self, enabled: bool) -> None:
            """Take connections, or take none; at the end who comes is refused at once instead of left waiting."""
            super().set_accept_enabled(enabled)
            if not self.alive:
                for each in self.sockets:
                    each.close()

        def handle_exit(self, sig: int, frame: object) -> None:
            super().handle_exit(sig, frame)
            last_call = threading.Timer(FINISH_SECONDS - 1, self.waiting.cut)
            last_call.daemon = True
            last_call.start()
            for site in sites:
                site.finish()

        def handle_error(self, req: object, client: socket.socket, addr: object, exc: Exception) -> None:  # noqa: ARG002 - gunicorn's
            refused = isinstance(exc, ParseException)
            if not refused:
                log.error("request failed", exc_info=exc)
            with contextlib.suppress(OSError):  # the client may be gone
                client.sendall(problem_of(str(exc) if refused else None))

    sites: list[Site] = []

    def close_site(_server: object, _worker: object) -> None:
        for site in sites:
            site.close()

    def count_out(_server: object, worker: Any) -> None:
        metrics.process_ended(worker.pid)

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
        """Takes its options from the settings, and opens the site in each process."""

        def load_config(self) -> None:
            options: dict[str, Any] = {
                "bind": f"fd://{listener.detach()}",
                "workers": settings.workers,
                "worker_class": Threads,
                "threads": settings.threads + SOCKETS + clients.WAITED_FOR,
                "graceful_timeout": FINISH_SECONDS,
                "keepalive": 15,
                "backlog": BACKLOG,
                "limit_request_line": 8190,
                "logger_class": Logs,
                "forwarded_allow_ips": "",  # TRUSTED_PROXIES decides, in the app
                "control_socket_disable": True,
                "worker_exit": close_site,
                "child_exit": count_out,
            }
            if Path("/dev/shm").is_dir():  # noqa: S108 - gunicorn makes an unnamed file there
                options["worker_tmp_dir"] = "/dev/shm"  # noqa: S108 - a heartbeat must not wait for a disk
            for name, value in options.items():
                if name in self.cfg.settings:  # older versions have fewer
                    self.cfg.set(name, value)

        def load(self) -> Any:
            sites.append(open_site())
            app = sites[0].app
            return clients.unhurried(app, in_turn(app, settings.threads))

    gc.freeze()  # what is loaded by now stays: forked processes go on sharing it, and end without tidying it up
    with metrics.shared(settings.workers):
        Server().run()


def in_turn(
    app: "WSGIApplication", most: int, *, line: int = LINE, patience: float = LINE_SECONDS
) -> "WSGIApplication":
    """The app for so many requests at a time; WebSockets, which keep a thread each, it counts itself.

    Half as many may hash passwords, and a ``line`` of others waits for that without taking a turn, for ``patience``
    seconds: a storm of logins slows logins, and not the shop. Who finds the line full gets 503, too.
    """
    turns, hashing = threading.BoundedSemaphore(most), threading.BoundedSemaphore(max(1, most // 2))
    waiting = threading.BoundedSemaphore(line)

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        if environ["PATH_INFO"] == SOCKETS_PATH:
            return app(environ, start_response)
        if f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}" not in HASHING:
            with turns:
                return app(environ, start_response)
        if not (hashing.acquire(blocking=False) or queued()):
            return busy()(environ, start_response)
        try:
            with turns:
                return app(environ, start_response)
        finally:
            hashing.release()

    def queued() -> bool:
        if not waiting.acquire(blocking=False):
            return False
        try:
            return hashing.acquire(timeout=patience)
        finally:
            waiting.release()

    return answer


def busy() -> "Response":
    """The answer to a login, or whatever else asks for a password, while too many others wait."""
    from storecore.errors import Unavailable
    from webapp.http.problems import problem

    why = Unavailable("Too many passwords are being checked at once; try again shortly.")
    return problem(why, request_id=uuid4().hex)


def problem_of(why: str | None) -> bytes:
    """The whole answer to something that is not HTTP, and ``why``; or, without that, to a failure of the server."""
    from webapp.http import headers
    from webapp.http.problems import BadRequest, Internal, problem

    request_id = uuid4().hex
    answer = problem(BadRequest(why) if why else Internal(), request_id=request_id)
    answer.headers.extend(headers.SECURITY)
    answer.headers["Content-Security-Policy"] = headers.CONTENT_SECURITY_POLICY
    answer.headers[headers.REQUEST_ID] = request_id
    answer.headers["Connection"] = "close"
    answer.headers["Content-Length"] = str(len(answer.data))
    body: bytes = answer.data
    return f"HTTP/1.1 {answer.status}\r\n{answer.headers}".encode("latin-1") + body


def run_werkzeug(settings: Settings, listener: socket.socket, open_site: Callable[[], "Site"]) -> None:
    """Serve from one process with a thread for each connection."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        """Leaves logging to the app, and says nothing of versions."""

        timeout = clients.GRACE_SECONDS

        def version_string(self) -> str:
            """The ``Server`` header."""
            return "storecore"

        def log_request(self, *_: object) -> None:
            """Requests are logged by the app, which knows their ids."""

    site = open_site()
    port = listener.getsockname()[1]
    server = make_server(settings.host, port, site.app, threaded=True, request_handler=Quiet, fd=listener.fileno())
    server.daemon_threads = False  # type: ignore[attr-defined]  # so that closing waits for running requests

    def stop(_signal: int, _frame: object) -> None:
        site.finish()
        threading.Thread(target=server.shutdown).start()  # it waits for the loop that this handler interrupts

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    server.serve_forever()
    server.server_close()
    site.close()
