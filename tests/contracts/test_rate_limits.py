"""Both adapters of rate limits pass the contract, and each proves what only it has to."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.local_rate_limits import LocalRateLimits, Unlimited
from adapters.sql import open_rate_limits
from adapters.sql.rate_limits import PostgresqlRateLimits
from storecore.errors import Unavailable
from storecore.ports import RateLimits
from storecore.testing.builders import NOW
from storecore.testing.contracts import RateLimitsContract
from storecore.testing.contracts.rate_limits import SECOND, THREE, left, take
from tests.postgresql import Server, conninfo, database

CIPHER = FernetCipher(["k" * 32])


@pytest.fixture
def url() -> Iterator[URL]:
    with database() as url:
        yield url


class TestLocalRateLimits(RateLimitsContract):
    @pytest.fixture
    def rate_limits(self) -> RateLimits:
        return LocalRateLimits()


class TestPostgresqlRateLimits(RateLimitsContract):
    """Each test has a database of its own, and two processes' limits on it."""

    @pytest.fixture
    def rate_limits(self, url: URL) -> RateLimits:
        return PostgresqlRateLimits(url, cipher=CIPHER)

    @pytest.fixture
    def peer(self, url: URL, rate_limits: RateLimits) -> RateLimits:
        return PostgresqlRateLimits(url, cipher=CIPHER)


def test_under_ever_new_names_memory_stays_bounded_and_the_newest_are_counted() -> None:
    limits = LocalRateLimits(room=10)
    for number in range(1_000):
        take(limits, key=str(number), after=number % 50)
    assert [left(limits, key=str(number), after=49) for number in (989, 990, 999)] == [3, 2, 2]
    assert limits.sweep(NOW + 200 * SECOND) == 10


def test_a_key_that_is_hit_again_after_its_window_is_not_the_oldest() -> None:
    limits = LocalRateLimits(room=2)
    take(limits, key="first")
    take(limits, key="second", after=30)
    take(limits, key="first", after=70)
    take(limits, key="third", after=71)
    assert [left(limits, key=key, after=72) for key in ("first", "second", "third")] == [2, 3, 2]


def test_where_nothing_is_limited_nothing_is_counted() -> None:
    limits = Unlimited()
    assert all(take(limits) for _ in range(10))
    assert (left(limits), limits.sweep(NOW)) == (3, 0)
    limits.clear(THREE, "ada")
    limits.close()


@pytest.fixture
def shared(url: URL) -> Iterator[PostgresqlRateLimits]:
    limits = PostgresqlRateLimits(url, cipher=CIPHER)
    yield limits
    limits.close()


def test_no_email_and_no_address_is_written_down(shared: PostgresqlRateLimits, url: URL) -> None:
    take(shared, key="ada@example.com\n198.51.100.7")
    with psycopg.connect(conninfo(url)) as connection:
        rows = connection.execute("SELECT * FROM rate_limits").fetchall()
    assert len(rows) == 1
    assert len(rows[0][0]) == 32
    assert b"ada" not in rows[0][0]


def test_the_table_is_unlogged_and_a_hit_touches_its_key_alone(url: URL) -> None:
    with psycopg.connect(conninfo(url)) as connection:
        kind = connection.execute("SELECT relpersistence FROM pg_class WHERE relname = 'rate_limits'").fetchone()
        indexes = connection.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'rate_limits'").fetchall()
    assert kind == ("u",)
    assert indexes == [("pk_rate_limits",)]


def test_a_hit_waits_for_no_transaction_and_ends_with_its_statement(shared: PostgresqlRateLimits, url: URL) -> None:
    with psycopg.connect(conninfo(url)) as connection:
        connection.execute("LOCK TABLE users, orders, carts")
        assert take(shared)
        open_ones = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state LIKE 'idle in transaction%'"
        ).fetchone()
    assert open_ones == (0,)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    limits = PostgresqlRateLimits("postgresql://nobody@127.0.0.1:1/nothing", cipher=CIPHER, patience=0.1)
    for ask in (
        lambda: limits.take(THREE, "ada", NOW),
        lambda: limits.look(THREE, "ada", NOW),
        lambda: limits.clear(THREE, "ada"),
        lambda: limits.sweep(NOW),
    ):
        with pytest.raises(Unavailable):
            ask()
    limits.close()


def test_one_who_waits_too_long_for_a_row_is_told(url: URL) -> None:
    limits = PostgresqlRateLimits(url, cipher=CIPHER, patience=0.1)
    take(limits)
    with psycopg.connect(conninfo(url)) as connection:
        connection.execute("SELECT 1 FROM rate_limits FOR UPDATE")
        with pytest.raises(Unavailable):
            take(limits)
    assert take(limits)
    limits.close()


def test_it_outlives_a_restart_of_the_server() -> None:
    server = Server()
    try:
        with psycopg.connect(conninfo(server.url), autocommit=True) as connection:
            connection.execute("CREATE TABLE rate_limits (key bytea PRIMARY KEY, used bigint, ends_at timestamptz)")
        limits = open_rate_limits(server.url, cipher=CIPHER)
        assert take(limits)
        server.stop()
        with pytest.raises(Unavailable):
            take(limits)
        server.start()
        assert [take(limits) for _ in range(3)] == [True, True, False]
        limits.close()
    finally:
        server.remove()
