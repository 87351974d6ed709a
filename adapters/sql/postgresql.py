"""PostgreSQL: pooled connections, snapshots for readers, and writers who wait for nothing but the same rows."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Lock
from typing import Any

import psycopg
from sqlalchemy import Connection, Dialect, Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError

from adapters.sql.dialect import queue_for, refusal
from storecore.errors import Unavailable

_DRIVER = "postgresql+psycopg"
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
_LONGEST_STATEMENT = 60
"""Seconds that a statement which writes may take; those of a shop take milliseconds."""
_LONGEST_SILENCE = 30
"""Seconds after which a server that vanished is given up, and so is a writer's transaction by the server."""
_QUOTING = "22"
"""Errors about a value, which is quoted in their first line."""

Connect = Callable[[], psycopg.Connection[Any]]


class PostgresqlDatabase:
    """A database on a server, with ``pool_size`` connections for readers and half as many for writers.

    Whoever waits longer than ``patience`` seconds for a connection, or for a row that another has changed, gets
    ``Busy``. A server that is down is ``Unavailable``; once it is back, the next unit finds it.
    """

    one_writer = False

    def __init__(self, url: URL, *, pool_size: int, patience: float) -> None:
        writers = {
            "lock_timeout": f"{patience:g}s",
            "statement_timeout": f"{_LONGEST_STATEMENT}s",
            "idle_in_transaction_session_timeout": f"{_LONGEST_SILENCE}s",
        }
        connect = connector(url, patience)
        self._readers = pooled(connect, _READ, pool_size, patience)
        self._writers = pooled(connector(url, patience, **writers), _WRITE, max(1, pool_size // 2), patience)
        self._observer = _Observer(connect)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Every engine that statements go through."""
        return self._readers, self._writers

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot."""
        with opened(self._readers) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction whose every statement sees what others have committed by then."""
        with opened(self._writers) as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """The same while no other process migrates; its statements take as long as they need."""
        with opened(self._writers) as connection:
            try:
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                queue_for(connection, "migrations")
            except SQLAlchemyError as error:
                raise refusal(error, {}) from error
            yield connection

    def version(self) -> str:
        """The transactions that are over, as a snapshot names them: another text after any commit."""
        return self._observer.ask("SELECT pg_current_snapshot()::text")

    def scrub(self) -> None:
        """The server looks after its files; ``VACUUM`` runs there by itself."""

    def close(self) -> None:
        """Give back connections."""
        for engine in self.engines:
            engine.dispose()
        self._observer.close()


@contextmanager
def opened(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction. Ending one that was not committed never fails: it is over with its connection."""
    try:
        connection = engine.connect()
        connection.begin()
    except SQLAlchemyError as error:
        raise refusal(error, {}) from error
    try:
        yield connection
    finally:
        with suppress(SQLAlchemyError):
            connection.close()


def pooled(connect: Connect, begin: str, pool_size: int, patience: float) -> Engine:
    """Connections that are asked to ``begin`` whenever one is taken from the pool."""
    engine = create_engine(
        f"{_DRIVER}://",
        creator=connect,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # an error that is logged must not quote a customer
        pool_timeout=patience,
        pool_use_lifo=True,
        execution_options={"preserve_rowcount": True},
    )

    engine.dialect.use_insertmanyvalues_wo_returning = True  # several rows cost little more than one

    @event.listens_for(engine, "checkout")
    def start(connection: psycopg.Connection[Any], record: Any, _: Any) -> None:
        # Beginning here tells at no cost whether the connection still stands; if not, the pool opens another and asks
        # again. One that was just opened and fails has found the server down.
        fresh = "used" not in record.info
        record.info["used"] = True
        try:
            connection.execute(begin)
        except psycopg.OperationalError as error:
            if fresh:
                raise
            raise InvalidatePoolError() from error

    event.listen(engine, "handle_error", _leave_out_values)
    return engine


def _leave_out_values(context: ExceptionContext) -> None:
    """Keep what the server says of a row (``DETAIL:  Failing row contains (…)``) out of the error, which is logged.

    The constraint's name stays. Where even the first line would quote a value, only the error's code does.
    """
    cause, error = context.original_exception, context.sqlalchemy_exception
    if isinstance(cause, psycopg.Error) and cause.sqlstate:
        quoting = cause.sqlstate.startswith(_QUOTING) or not cause.diag.message_primary
        said = f"SQLSTATE {cause.sqlstate}" if quoting else cause.diag.message_primary
        if error is not None:
            error.args = (str(error.args[0]).replace(str(cause), str(said)), *error.args[1:])
        cause.args = (said,)


def connector(url: URL, patience: float, **settings: str) -> Connect:
    """Opens connections; what the URL says beats what is said here."""
    url = url.set(drivername=_DRIVER)
    dialect: Dialect = url.get_dialect()()
    arguments, given = dialect.create_connect_args(url)
    options = [f"-c {name}={value}" for name, value in ({"timezone": "UTC"} | settings).items()]
    named = {
        "application_name": "storecore",
        "client_encoding": "utf8",
        "connect_timeout": max(2, math.ceil(patience)),
        "keepalives_idle": _LONGEST_SILENCE // 3,
        "keepalives_interval": _LONGEST_SILENCE // 3,
        "keepalives_count": 2,
        "tcp_user_timeout": _LONGEST_SILENCE * 1000,
        **given,
        "options": " ".join([*options, given.get("options", "")]).strip(),
    }
    return partial(psycopg.connect, *arguments, autocommit=True, **named)


class _Observer:
    """A connection for one question, which is asked often; it takes part in no transaction."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: psycopg.Connection[Any] | None = None
        self._lock = Lock()

    def ask(self, question: str) -> str:
        """The answer. Raises ``Unavailable``."""
        with self._lock:
            try:
                return self._answer(question)
            except psycopg.Error:
                self._connection = None
            try:
                return self._answer(question)
            except psycopg.Error as error:
                raise Unavailable() from error

    def _answer(self, question: str) -> str:
        if self._connection is None:
            self._connection = self._connect()
        row = self._connection.execute(question).fetchone()
        return str(row and row[0])

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
