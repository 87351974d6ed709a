"""A backup of a SQLite shop is whole, whatever happens meanwhile, and nobody else can read it."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Condition, Thread

import pytest
from click.testing import CliRunner, Result

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage, migrate
from adapters.sql.backup import backup
from adapters.sql.verify import verify
from storecore.accounts.model import SYSTEM
from storecore.errors import Unavailable
from storecore.lists import PageRequest
from storecore.shop import Shop
from tests.usecases.floor import HOME, Clock, Floor, person, product
from webapp.cli import main

CIPHER = FernetCipher(["k" * 32])
BUYERS = 8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    migrate(path)
    return path


@pytest.fixture
def store(path: Path) -> Iterator[Floor]:
    store = Floor(SqlStorage(path, cipher=CIPHER), Clock(), Shop())
    yield store
    store.close()


class Crowd:
    """Threads that place one order after another until they are told to stop."""

    def __init__(self, store: Floor) -> None:
        self._store = store
        self._buyer, self._thing = person(store), product(store, stock=1_000_000)
        self._news = Condition()
        self._stopped = False
        self._acknowledged: list[str] = []
        self._threads = [Thread(target=self._buy) for _ in range(BUYERS)]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopped = True
        for thread in self._threads:
            thread.join()

    def _buy(self) -> None:
        while not self._stopped:
            order = self._store.orders.place(by=self._buyer, items=[(self._thing.id, 1)], deliver_to=HOME)
            with self._news:
                self._acknowledged.append(order.id)
                self._news.notify_all()

    def acknowledged(self) -> set[str]:
        """The orders whose buyers were told that they are placed."""
        with self._news:
            return set(self._acknowledged)

    def wait_for(self, more: int) -> None:
        """Until so many more orders are placed."""
        with self._news:
            wanted = len(self._acknowledged) + more
            assert self._news.wait_for(lambda: len(self._acknowledged) >= wanted, timeout=60), "buyers are blocked"


def orders_in(storage: SqlStorage) -> set[str]:
    store, found, page = Floor(storage, Clock(), Shop()), set[str](), PageRequest(limit=100)
    while True:
        shown = store.orders.everyones(by=SYSTEM, page=page)
        found |= {order.id for order in shown.items}
        if shown.next is None:
            return found
        page = PageRequest(limit=100, after=shown.next)


def test_a_backup_that_is_taken_while_eight_threads_place_orders_has_every_order_that_was_there(
    store: Floor, path: Path, tmp_path: Path
) -> None:
    steps: list[tuple[int, int]] = []
    with Crowd(store) as crowd:
        crowd.wait_for(20)
        before = crowd.acknowledged()

        def sell_on(done: int, total: int) -> None:
            steps.append((done, total))
            if len(steps) <= 5:
                crowd.wait_for(BUYERS)

        backup(path, tmp_path / "copy.db", progress=sell_on, step=10)
        after = crowd.acknowledged()
    assert len(steps) > 5, "orders were placed between its steps"
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]
    restored = SqlStorage(tmp_path / "copy.db", cipher=CIPHER)
    assert verify(restored, Clock().at) == []
    assert before <= orders_in(restored) < after
    assert Floor(restored, Clock(), Shop()).work() > 0, "the shop goes on from it"
    assert verify(restored, Clock().at) == []
    restored.close()


def test_a_backup_is_one_file_that_only_its_owner_can_read(store: Floor, path: Path, tmp_path: Path) -> None:
    product(store)
    folder = tmp_path / "backups"
    folder.mkdir()
    before = os.umask(0)
    try:
        backup(path, folder / "copy.db")
    finally:
        os.umask(before)
    assert [each.name for each in folder.iterdir()] == ["copy.db"]
    if os.name == "posix":
        assert (folder / "copy.db").stat().st_mode & 0o777 == 0o600


def test_a_backup_holds_what_is_still_in_the_log(store: Floor, path: Path, tmp_path: Path) -> None:
    thing = product(store)
    assert path.with_name("shop.db-wal").stat().st_size
    backup(path, tmp_path / "copy.db")
    with Floor(SqlStorage(tmp_path / "copy.db", cipher=CIPHER), Clock(), Shop()) as restored:
        assert restored.catalog.product(product=thing.id).product == thing


def test_a_file_is_replaced_only_when_that_was_asked_for(store: Floor, path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(b"last year")
    with pytest.raises(FileExistsError):
        backup(path, copy)
    assert copy.read_bytes() == b"last year"
    backup(path, copy, replace=True)
    assert copy.read_bytes().startswith(b"SQLite format 3")


def test_a_database_is_never_copied_onto_itself(store: Floor, path: Path, tmp_path: Path) -> None:
    (tmp_path / "other name.db").symlink_to(path)
    for same in (path, tmp_path / "other name.db"):
        with pytest.raises(ValueError, match="onto itself"):
            backup(path, same, replace=True)


def test_a_database_in_use_is_never_replaced(store: Floor, path: Path, tmp_path: Path) -> None:
    migrate(tmp_path / "other.db")
    with Floor(SqlStorage(tmp_path / "other.db", cipher=CIPHER), Clock(), Shop()) as other:
        product(other)
        for used in ("other.db", "other.db-wal", "shop.db-wal"):
            with pytest.raises(ValueError, match="in use"):
                backup(path, tmp_path / used, replace=True)


def test_a_backup_that_fails_half_way_leaves_nothing_behind(store: Floor, path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "copy.db").write_bytes(b"last year")

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(path, folder / "copy.db", replace=True, progress=interrupt, step=1)
    assert [each.name for each in folder.iterdir()] == ["copy.db"]
    assert (folder / "copy.db").read_bytes() == b"last year"


def test_what_is_no_database_is_not_copied(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        backup(tmp_path / "missing.db", tmp_path / "copy.db")
    (tmp_path / "text.db").write_text("This is no database. " * 1000)
    with pytest.raises(Unavailable):
        backup(tmp_path / "text.db", tmp_path / "copy.db")
    assert [each.name for each in tmp_path.iterdir()] == ["text.db"]


def test_a_url_of_a_file_will_do(store: Floor, path: Path, tmp_path: Path) -> None:
    backup(f"sqlite:///{path}", tmp_path / "copy.db")
    assert (tmp_path / "copy.db").exists()


def run(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(main, arguments, env=env)


def test_the_command_says_what_else_is_needed_and_restoring_is_putting_the_file_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database, secrets = tmp_path / "instance" / "store.db", tmp_path / "instance" / "secrets.json"
    assert run("seed").exit_code == 0
    result = run("backup", "copy.db")
    assert result.exit_code == 0, result.output
    assert str(secrets) in result.output
    assert "ENCRYPTION_KEYS" in run("backup", "other.db", ENCRYPTION_KEYS="x" * 32).output
    connection = sqlite3.connect(database)
    connection.execute("DELETE FROM order_lines")
    connection.commit()
    connection.close()
    assert run("verify").exit_code == 1
    (tmp_path / "copy.db").replace(database)
    result = run("verify")
    assert result.exit_code == 0, result.output
    assert "orders 20, " in result.output


def test_the_command_refuses_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("migrate").exit_code == 0
    (tmp_path / "copy.db").write_bytes(b"last year")
    for arguments, why in (
        (("backup", "copy.db"), "--force replaces it"),
        (("backup", "instance/store.db", "--force"), "onto itself"),
        (("backup", "no such folder/copy.db"), "no such folder is not there"),
    ):
        result = run(*arguments)
        assert (result.exit_code, len(result.output.splitlines())) == (1, 1), result.output
        assert why in result.output
    assert (tmp_path / "copy.db").read_bytes() == b"last year"
    assert run("backup", "copy.db", "--force").exit_code == 0


def test_on_postgresql_the_command_names_the_tool_that_does_it_and_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("backup", "copy.db", DATABASE_URL="postgresql+psycopg://shop:hunter22@db.example/shop")
    assert result.exit_code == 1
    assert "pg_dump" in result.output
    assert "postgresql://shop:***@db.example/shop" in result.output
    assert "hunter22" not in result.output
    assert not list(tmp_path.iterdir())
