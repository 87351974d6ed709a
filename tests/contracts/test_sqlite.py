"""SQLite passes every storage contract, and what only a database in a file has to prove."""

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from sqlalchemy import PoolProxiedConnection, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage, migrate
from adapters.sql.dialect import refusal
from adapters.sql.turnstile import Turnstile
from storecore.errors import Busy, NotFound, OutOfStock, Unavailable
from storecore.lists import PageRequest
from storecore.ports import Storage
from storecore.testing.builders import (
    NOW,
    ids,
    make_category,
    make_conversation,
    make_invoice,
    make_message,
    make_move,
    make_notice,
    make_order,
    make_product,
    make_review,
    make_saved_address,
    make_session,
    make_token,
    make_user,
)
from storecore.testing.contracts import BREAK_COMMITS, COUNT_STATEMENTS, Counted, StorageContract
from tests.contracts.looks import LOOKS, Look

CIPHER = FernetCipher(["k" * 32])


@pytest.fixture(scope="session")
def empty_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without rows, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "shop.db"
    migrate(path)
    return path


@pytest.fixture
def path(empty_shop: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty_shop, tmp_path / "shop.db"))


@pytest.fixture
def storage(path: Path) -> Iterator[SqlStorage]:
    storage = SqlStorage(path, cipher=CIPHER)
    yield storage
    storage.close()


class TestSqlite(StorageContract):
    """Each test has a file of its own."""

    capabilities: ClassVar[frozenset[str]] = frozenset({COUNT_STATEMENTS, BREAK_COMMITS})

    @pytest.fixture
    def peer(self, path: Path) -> Iterator[Storage]:
        peer = SqlStorage(path, cipher=CIPHER)
        yield peer
        peer.close()

    def count_statements(self, storage: Storage) -> AbstractContextManager[Counted]:
        assert isinstance(storage, SqlStorage)
        return storage.count_statements()

    @contextmanager
    def break_commits(self, storage: Storage, *, lasting: bool) -> Iterator[None]:
        assert isinstance(storage, SqlStorage)
        _, writers = storage._database.engines
        commit = writers.dialect.do_commit

        def broken(connection: PoolProxiedConnection) -> None:
            if lasting:
                commit(connection)
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(writers.dialect, "do_commit", broken)
            yield


def stocked(storage: Storage, *stocks: int) -> list[str]:
    """Ids of new products with so many on the shelf."""
    new_id = ids()
    category = make_category(new_id)
    products = [make_product(new_id, category_ids=[category.id], attributes={"size": "M"}) for _ in stocks]
    with storage.writing(NOW, new_id) as unit:
        unit.categories.add(category)
        for product, stock in zip(products, stocks, strict=True):
            unit.products.add(product)
            unit.stock.move([make_move(new_id, product.id, stock)])
        unit.commit()
    return [product.id for product in products]


def test_power_can_fail_without_losing_a_commit(storage: SqlStorage) -> None:
    for engine in storage._database.engines:
        with engine.connect() as connection:
            for pragma, expected in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
                assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == expected


def test_personal_data_is_not_readable_in_the_files(path: Path) -> None:
    storage, new_id = SqlStorage(path, cipher=CIPHER), ids()
    (product_id,) = stocked(storage, 1)
    user = make_user(new_id, phone="+90 555 PHONE", tax_id="TAXNUMBER", home_address="HOMESTREET 1")
    address = make_saved_address(new_id, user, label="LABELLED")
    with storage.writing(NOW, new_id) as unit:
        unit.users.add(user)
        unit.users.add_address(address)
        product = unit.products.get(product_id)
        order = make_order(new_id, [product], email="GUEST@example.com", note="NOTED")
        unit.orders.add(order)
        unit.invoices.add(make_invoice(new_id, order, unit.invoices.next_sequence()))
        unit.reviews.add(make_review(new_id, user, product, comment="REVIEWED"))
        unit.outbox.add([make_notice(new_id, recipient="REACHED@example.com", data={"name": "NAMED"}, error="ERRED")])
        asked = make_conversation(
            new_id, customer_name="WHOEVER", guest_email="ASKED@example.com", subject="ABOUT", notes="FOUND"
        )
        unit.conversations.add(asked)
        unit.conversations.add_message(make_message(new_id, asked, 1, author_name="SPEAKER", body="SPOKEN"))
        unit.answers.claim("scope", "key", b"fingerprint", NOW)
        unit.answers.keep("scope", "key", b"ANSWERED")
        unit.commit()
    storage.close()
    written = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert order.number.encode() in written, "this test looks at the right bytes"
    secrets = [
        "PHONE",
        "TAXNUMBER",
        "HOMESTREET",
        "LABELLED",
        "GUEST",
        "NOTED",
        "REVIEWED",
        "REACHED",
        "NAMED",
        "ERRED",
        "ANSWERED",
        "WHOEVER",
        "ASKED",
        "ABOUT",
        "FOUND",
        "SPEAKER",
        "SPOKEN",
    ]
    for secret in (*secrets, "Guest Müller", "Bağdat Caddesi", "İstanbul"):
        assert secret.encode() not in written, secret


def test_what_was_removed_is_not_in_the_files_once_they_are_scrubbed(path: Path) -> None:
    storage, new_id = SqlStorage(path, cipher=CIPHER), ids()
    user = make_user(new_id, full_name="NAMED " * 20)
    sessions = [make_session(new_id, user, device=f"DEVICE {n} " * 10) for n in range(200)]
    with storage.writing(NOW, new_id) as unit:
        unit.users.add(user)
        for session in sessions:
            unit.sessions.add(session, make_token(session))
        unit.commit()

    def found() -> set[str]:
        written = b"".join(file.read_bytes() for file in path.parent.iterdir())
        return {word for word in ("NAMED", "DEVICE") if word.encode() in written}

    with storage.reading(NOW, new_id) as reader:
        assert reader.users.get(user.id) == user
        with storage.writing(NOW, new_id) as unit:
            unit.users.save(user.erased(new_id()))
            unit.sessions.forget(user.id)
            unit.commit()
        storage.scrub()
        assert reader.users.get(user.id) == user
        assert found() == {"NAMED", "DEVICE"}, "what somebody still reads is still there"
    storage.scrub()
    assert found() == set()
    assert path.with_name("shop.db-wal").stat().st_size == 0
    storage.close()


def test_a_writer_who_gets_no_turn_is_told_that_the_shop_is_busy(path: Path) -> None:
    one, other = (SqlStorage(path, cipher=CIPHER, patience=0.1) for _ in range(2))
    with one.writing(NOW, ids()):
        for storage in (one, other):
            with pytest.raises(Busy), storage.writing(NOW, ids()):
                pass
    with other.writing(NOW, ids()) as unit:
        unit.users.add(make_user(ids()))
        unit.commit()
    for storage in (one, other):
        storage.close()


def test_a_program_that_does_not_queue_makes_the_shop_busy_and_nothing_worse(path: Path) -> None:
    storage, outsider = SqlStorage(path, cipher=CIPHER, patience=0.1), sqlite3.connect(path, isolation_level=None)
    outsider.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy), storage.writing(NOW, ids()):
        pass
    with storage.reading(NOW, ids()) as unit:
        assert unit.users.by_email("nobody@example.com") is None
    outsider.execute("ROLLBACK")
    outsider.close()
    with storage.writing(NOW, ids()) as unit:
        unit.users.add(make_user(ids()))
        unit.commit()
    storage.close()


def test_a_reader_who_gets_no_connection_is_told_that_the_shop_is_busy(path: Path) -> None:
    storage = SqlStorage(path, cipher=CIPHER, pool_size=1, patience=0.1)
    with storage.reading(NOW, ids()):
        with pytest.raises(Busy), storage.reading(NOW, ids()):
            pass
        with storage.writing(NOW, ids()) as unit:
            assert unit.users.by_email("nobody@example.com") is None, "a writer has a connection of its own"
    storage.close()


def test_a_full_disk_is_unavailable(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'small.db'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE rows (text)")
        connection.exec_driver_sql("PRAGMA max_page_count = 2")
        with pytest.raises(SQLAlchemyError) as caught:
            connection.exec_driver_sql("INSERT INTO rows VALUES (?)", ("x" * 100_000,))
    engine.dispose()
    assert isinstance(refusal(caught.value, {}), Unavailable)


def test_a_unit_that_ran_out_of_stock_half_way_can_not_be_committed(storage: SqlStorage) -> None:
    one, two = stocked(storage, 5, 1)
    with storage.writing(NOW, ids()) as unit:
        with pytest.raises(OutOfStock):
            unit.stock.move([make_move(ids(900), one, -2), make_move(ids(901), two, -2)])
        with pytest.raises(RuntimeError):
            unit.commit()
    with storage.reading(NOW, ids()) as unit:
        assert unit.stock.on_hand([one, two]) == {one: 5, two: 1}


@pytest.mark.parametrize("odd", ["\ud800", "a\x00b", "' OR 1=1 --", "x" * 100_000])
def test_an_id_that_no_row_can_have_is_not_found(storage: SqlStorage, odd: str) -> None:
    with storage.reading(NOW, ids()) as unit:
        with pytest.raises(NotFound):
            unit.products.get(odd)
        with pytest.raises(NotFound):
            unit.orders.get(odd)
        assert unit.products.some([odd]) == {}
        assert unit.sessions.signed_in(odd, NOW) is None


@pytest.mark.parametrize("look", LOOKS)
def test_no_list_sorts_rows_that_it_does_not_show(storage: SqlStorage, look: Look) -> None:
    sorting: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            plan = connection.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            sorting.extend(step for *_, step in plan if step == "USE TEMP B-TREE FOR ORDER BY")

    for engine in storage._database.engines:
        event.listen(engine, "before_cursor_execute", explain)
    with storage.writing(NOW, ids()) as unit:
        look(unit, PageRequest())
    assert not sorting


BUYERS = """
import sys
from threading import Thread
from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage
from storecore.errors import OutOfStock
from storecore.testing.builders import NOW, ids, make_move

path, start, *products = sys.argv[1:]
storage, sold = SqlStorage(path, cipher=FernetCipher(["k" * 32])), []

def buy(number):
    new_id = ids(int(start) + 1000 * number)
    for _ in range(5):
        try:
            with storage.writing(NOW, new_id) as unit:
                order = products if number % 2 else products[::-1]
                unit.stock.move([make_move(new_id, product, -1) for product in order], sold=True)
                unit.commit()
                sold.append(1)
        except OutOfStock:
            pass

buyers = [Thread(target=buy, args=(number,)) for number in range(8)]
for each in buyers: each.start()
for each in buyers: each.join()
storage.close()
print(len(sold))
"""


def test_two_processes_of_many_buyers_sell_what_there_is_and_no_more(storage: SqlStorage, path: Path) -> None:
    products = stocked(storage, 60, 50)
    command = [sys.executable, "-c", BUYERS, str(path)]
    processes = [
        subprocess.Popen([*command, str(start), *products], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for start in (100_000, 500_000)
    ]
    answers = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in answers] == ["", ""]
    assert sum(int(sold) for sold, _ in answers) == 50
    with storage.reading(NOW, ids()) as unit:
        assert unit.stock.on_hand(products) == {products[0]: 10, products[1]: 0}


WRITER = """
import sys, time
from pathlib import Path
from adapters.sql.turnstile import Turnstile

turnstile = Turnstile(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    assert turnstile.enter(time.monotonic() + 30)
    time.sleep(0.002)
    turnstile.leave()
    print(time.monotonic())
"""


def test_a_busy_process_lets_another_have_its_turns(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "shop.db"), "40"]
    writers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    turns: list[tuple[float, int]] = []
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    for number, writer in enumerate(writers):
        output, errors = writer.communicate(timeout=60)
        assert errors == ""
        turns += [(float(at), number) for at in output.split()]
    order = [number for _, number in sorted(turns)]
    assert len(order) == 80
    assert sum(one != other for one, other in pairwise(order)) >= 20


def test_threads_get_their_turns_in_the_order_they_came(tmp_path: Path) -> None:
    turnstile, served = Turnstile(tmp_path / "shop.db"), list[int]()
    assert turnstile.enter(time.monotonic() + 5)
    threads = []
    for number in range(5):

        def take(number: int = number) -> None:
            assert turnstile.enter(time.monotonic() + 5)
            served.append(number)
            turnstile.leave()

        threads.append(Thread(target=take))
        threads[-1].start()
        while len(turnstile._line._waiting) <= number:
            time.sleep(0.001)
    assert not turnstile.enter(time.monotonic()), "it is taken, and patience is over"
    turnstile.leave()
    for thread in threads:
        thread.join(5)
    assert served == [0, 1, 2, 3, 4]
    assert turnstile.enter(time.monotonic()), "whoever gave up left no gap"
    turnstile.leave()
    turnstile.close()
