"""The hubs pass their contract, and what only one between processes has to prove."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL

from adapters.local_hub import LocalHub
from adapters.sql import postgresql_hub
from adapters.sql.postgresql_hub import CHANNEL, PostgresqlHub
from adapters.sql.sqlite_hub import SqliteHub
from storecore.errors import Unavailable
from storecore.ports import Event, Hub
from storecore.testing.contracts import HubContract
from storecore.testing.contracts.hub import FOREVER, heard
from storecore.testing.contracts.proving import PATIENCE, Together
from tests.postgresql import Server, conninfo, database

ECHO = """
import sys
from adapters.sql import postgresql_hub
from adapters.sql.postgresql_hub import PostgresqlHub

hub = PostgresqlHub(sys.argv[1])
with hub.listen("question", "end") as listener:
    hub.publish("answer", "ready")
    while (event := listener.next(30)) and event.topic == "question":
        hub.publish("answer", event.message.upper())
hub.close()
"""


@pytest.fixture
def url() -> Iterator[URL]:
    with database() as url:
        yield url


@pytest.fixture
def hub(url: URL) -> Iterator[PostgresqlHub]:
    hub = PostgresqlHub(url)
    yield hub
    hub.close()


class TestLocalHub(HubContract):
    @pytest.fixture
    def hub(self) -> Hub:
        return LocalHub()


class TestSqliteHub(HubContract):
    """Each test has a file of its own, and two hubs on it."""

    @pytest.fixture
    def hub(self, tmp_path: Path) -> Iterator[Hub]:
        hub = SqliteHub(tmp_path / "shop.db")
        yield hub
        hub.close()

    @pytest.fixture
    def peer(self, tmp_path: Path, hub: Hub) -> Iterator[Hub]:
        peer = SqliteHub(tmp_path / "shop.db")
        yield peer
        peer.close()


class TestPostgresqlHub(HubContract):
    """Each test has a database of its own, and two hubs on it."""

    @pytest.fixture
    def hub(self, url: URL) -> Iterator[Hub]:
        hub = PostgresqlHub(url)
        yield hub
        hub.close()

    @pytest.fixture
    def peer(self, url: URL) -> Iterator[Hub]:
        peer = PostgresqlHub(url)
        yield peer
        peer.close()


def throw_out(url: URL) -> int:
    """End every other connection to a database; how many there were."""
    with psycopg.connect(conninfo(url)) as connection:
        return connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).rowcount


def hub_threads() -> int:
    return sum(thread.name == "hub" for thread in threading.enumerate())


def test_a_room_of_its_own_size_can_be_asked_for() -> None:
    hub = LocalHub(room=2)
    with hub.listen("a") as listener:
        for message in "abc":
            hub.publish("a", message)
        assert heard(listener, 2) == ["b", "c"]


def test_one_who_waits_is_woken_by_a_loss() -> None:
    hub = LocalHub()
    with hub.listen("a") as listener:
        waiting = Together(lambda: listener.next(FOREVER))
        waiting.linger()
        hub.lose()
        assert waiting.succeed() == [None]
        assert listener.missed


def test_two_processes_hear_one_another(hub: PostgresqlHub, url: URL) -> None:
    with hub.listen("answer") as listener:
        echo = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", ECHO, conninfo(url)], cwd=Path(__file__).parents[2]
        )
        try:
            assert heard(listener, 1) == ["ready"]
            for number in range(50):
                hub.publish("question", f"who is {number}?")
            assert heard(listener, 50) == [f"WHO IS {number}?" for number in range(50)]
            hub.publish("end", "")
            assert echo.wait(PATIENCE) == 0
        finally:
            echo.kill()
            echo.wait()


def test_one_thread_serves_every_listener_and_none_runs_before(hub: PostgresqlHub, url: URL) -> None:
    hub.publish("a", "nobody listens")
    assert hub_threads() == 0
    for _ in range(2):
        with hub.listen("a"), hub.listen("b"), hub.listen("c"):
            assert hub_threads() == 1
    assert throw_out(url) == 2, "one connection publishes, one hears"
    hub.close()
    assert hub_threads() == 0


def test_a_lost_connection_is_made_again_and_every_listener_told(hub: PostgresqlHub, url: URL) -> None:
    with hub.listen("a") as one, hub.listen("b") as two:
        hub.publish("a", "before")
        assert heard(one, 1) == ["before"]
        for _ in range(2):
            assert throw_out(url) == 2
            for listener in (one, two):
                assert listener.next(PATIENCE) is None
                assert listener.missed
            hub.publish("b", "after")
            assert heard(two, 1) == ["after"]
            assert not two.missed


def test_it_outlives_a_restart_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    noticed = threading.Event()
    monkeypatch.setattr(postgresql_hub.log, "warning", lambda *_: noticed.set())
    server = Server()
    hub = PostgresqlHub(server.url, patience=0.3)
    try:
        with hub.listen("a") as listener:
            hub.publish("a", "before")
            assert heard(listener, 1) == ["before"]
            server.stop()
            with pytest.raises(Unavailable):
                hub.publish("a", "while it is down")
            assert noticed.wait(PATIENCE)
            with pytest.raises(Unavailable):
                hub.listen("a").__enter__()
            down = (listener.next(0), listener.missed)
            server.start()
            up = (listener.next(PATIENCE), listener.missed)
            assert [down, up] == [(None, False), (None, True)], "it is told when there is something to look at again"
            hub.publish("a", "after")
            assert heard(listener, 1) == ["after"]
    finally:
        hub.close()
        server.remove()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    hub = PostgresqlHub("postgresql://nobody@127.0.0.1:1/nothing", patience=0.1)
    with pytest.raises(Unavailable):
        hub.publish("a", "1")
    with pytest.raises(Unavailable):
        hub.listen("a").__enter__()
    hub.close()
    assert hub_threads() == 0


def test_what_others_say_on_the_channel_does_no_harm(hub: PostgresqlHub, url: URL) -> None:
    with hub.listen("a") as listener, psycopg.connect(conninfo(url), autocommit=True) as stranger:
        for payload in ("", "no second line", "\nno topic", "a\n" + "x" * 5_000):
            stranger.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))
        stranger.execute("SELECT pg_notify('another', %s)", ("a\nelsewhere",))
        hub.publish("a", "ours")
        assert listener.next(PATIENCE) == Event("a", "ours")
        assert not listener.missed
