"""Rate limits that all processes share through PostgreSQL: one statement a hit, in no transaction of the shop's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from adapters.sql.dialect import refusal
from adapters.sql.postgresql import connector, opened, pooled
from storecore.ports import Allowance, Cipher, RateLimit

_STILL_THERE = ""
"""An empty statement: it tells whether a connection stands, and begins nothing."""

_TAKE = """
INSERT INTO rate_limits AS kept (key, used, ends_at) VALUES (%(key)s, 1, %(longest)s)
ON CONFLICT (key) DO UPDATE SET
    used = CASE WHEN kept.ends_at > %(at)s THEN kept.used + 1 ELSE 1 END,
    ends_at = CASE WHEN kept.ends_at > %(at)s THEN least(kept.ends_at, %(longest)s) ELSE %(longest)s END
RETURNING used, ends_at
"""
_LOOK = """
SELECT used, least(ends_at, %(longest)s) AS ends_at FROM rate_limits WHERE key = %(key)s AND ends_at > %(at)s
"""
_CLEAR = "DELETE FROM rate_limits WHERE key = %(key)s"
_SWEEP = "DELETE FROM rate_limits WHERE ends_at <= %(at)s"


class PostgresqlRateLimits:
    """The ``RateLimits`` port on PostgreSQL, through a few connections of its own, opened when they are needed.

    Whoever waits longer than ``patience`` seconds for one, or for an answer, gets ``Unavailable``: a shop in trouble is
    not to wait for its doorman. Keys are blind indexes. Open it after forking.
    """

    def __init__(self, url: str | URL, *, cipher: Cipher, pool_size: int = 4, patience: float = 2.0) -> None:
        # A count that a crash loses is no loss, so no commit waits for a disk.
        settings = {"statement_timeout": f"{patience:g}s", "synchronous_commit": "off"}
        self._engine = pooled(connector(make_url(url), patience, **settings), _STILL_THERE, pool_size, patience)
        self._cipher = cipher

    def take(self, limit: RateLimit, key: str, at: datetime) -> Allowance:
        """One more hit."""
        return self._standing(_TAKE, limit, key, at)

    def look(self, limit: RateLimit, key: str, at: datetime) -> Allowance:
        """How it stands."""
        return self._standing(_LOOK, limit, key, at)

    def clear(self, limit: RateLimit, key: str) -> None:
        """Forget a window."""
        with self._asked(_CLEAR, key=self._index(limit, key)):
            pass

    def sweep(self, at: datetime) -> int:
        """Forget windows that are over."""
        with self._asked(_SWEEP, at=at) as answer:
            return answer.rowcount

    def close(self) -> None:
        """Give back connections."""
        self._engine.dispose()

    def _standing(self, statement: str, limit: RateLimit, key: str, at: datetime) -> Allowance:
        with self._asked(statement, key=self._index(limit, key), at=at, longest=at + limit.window) as answer:
            row = answer.first()
        if row is None:
            return Allowance(limit=limit, used=0, resets_in=limit.window)
        return Allowance(limit=limit, used=row.used, resets_in=row.ends_at - at)

    def _index(self, limit: RateLimit, key: str) -> bytes:
        return self._cipher.blind_index("rate_limits", f"{limit.name}\n{key}")

    @contextmanager
    def _asked(self, statement: str, **values: object) -> Iterator[CursorResult[Any]]:
        with opened(self._engine) as connection:
            try:
                yield connection.exec_driver_sql(statement, values)
            except SQLAlchemyError as error:
                raise refusal(error, {}) from error
