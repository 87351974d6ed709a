"""PostgreSQL passes every storage contract, and what only a database on a server has to prove."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from threading import Barrier
from traceback import format_exception
from typing import Any, ClassVar

import psycopg
import pytest
from sqlalchemy import PoolProxiedConnection, event, insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage, migrate, open_store, tables
from storecore.accounts.model import SYSTEM, User
from storecore.errors import Busy, CategoryInUse, Contention, EmailTaken, NotFound, RequestInProgress, Unavailable
from storecore.lists import FIRST_PAGE, PageRequest
from storecore.ports import Storage, Unit
from storecore.testing.builders import (
    NOW,
    ids,
    make_category,
    make_move,
    make_order,
    make_product,
    make_user,
)
from storecore.testing.contracts import BREAK_COMMITS, COUNT_STATEMENTS, Counted, StorageContract
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import Together, overlap, rerun, seen, written
from tests.contracts.looks import LOOKS, Look
from tests.postgresql import Server, conninfo

CIPHER = FernetCipher(["k" * 32])


@pytest.fixture
def storage(url: URL) -> Iterator[SqlStorage]:
    storage = SqlStorage(url, cipher=CIPHER)
    yield storage
    storage.close()


@pytest.fixture
def hasty(url: URL) -> Iterator[SqlStorage]:
    """The same database to somebody with one connection and little patience."""
    storage = SqlStorage(url, cipher=CIPHER, pool_size=1, patience=0.1)
    yield storage
    storage.close()


class TestPostgresql(StorageContract):
    """Each test has a database of its own."""

    capabilities: ClassVar[frozenset[str]] = frozenset({COUNT_STATEMENTS, BREAK_COMMITS})

    @pytest.fixture
    def peer(self, url: URL) -> Iterator[Storage]:
        peer = SqlStorage(url, cipher=CIPHER)
        yield peer
        peer.close()

    def count_statements(self, storage: Storage) -> AbstractContextManager[Counted]:
        assert isinstance(storage, SqlStorage)
        return storage.count_statements()

    @contextmanager
    def break_commits(self, storage: Storage, *, lasting: bool) -> Iterator[None]:
        assert isinstance(storage, SqlStorage)
        readers, writers = storage._database.engines
        commit = writers.dialect.do_commit

        def broken(connection: PoolProxiedConnection) -> None:
            if lasting:
                commit(connection)
            driver: Any = connection.driver_connection
            with readers.connect() as other:
                other.exec_driver_sql("SELECT pg_terminate_backend(%s, 10000)", (driver.info.backend_pid,))
            driver.execute("COMMIT")  # its connection is gone

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(writers.dialect, "do_commit", broken)
            yield


# Waiting, and its end.


def test_a_writer_who_waits_too_long_for_anothers_row_is_told_that_the_shop_is_busy(
    storage: SqlStorage, hasty: SqlStorage
) -> None:
    user, other = make_user(ids()), make_user(ids(7))
    with written(storage) as unit:
        unit.users.add(user)
        unit.users.add(other)
    with written(storage) as unit:
        unit.users.locked(user.id)
        with pytest.raises(Busy), hasty.writing(NOW, ids()) as waiting:
            waiting.users.locked(user.id)
        with written(hasty) as unhindered:
            unhindered.users.save(unhindered.users.locked(other.id).changed(full_name="Somebody Else"))


def test_a_unit_that_gets_no_connection_in_time_is_told_that_the_shop_is_busy(hasty: SqlStorage) -> None:
    with hasty.reading(NOW, ids()):
        with pytest.raises(Busy), hasty.reading(NOW, ids()):
            pass
        with hasty.writing(NOW, ids()) as unit:
            assert unit.users.by_email("nobody@example.com") is None, "a writer has a connection of its own"
            with pytest.raises(Busy), hasty.writing(NOW, ids()):
                pass


def test_a_duplicate_that_waits_too_long_for_the_first_is_told_that_it_is_in_progress(
    storage: SqlStorage, hasty: SqlStorage
) -> None:
    with written(storage) as unit:
        assert unit.answers.claim("ada", "key", b"1", NOW)
        with pytest.raises(RequestInProgress), hasty.writing(NOW, ids()) as duplicate:
            duplicate.answers.claim("ada", "key", b"1", NOW)


def test_whoever_wants_the_next_invoice_number_waits_for_the_last(storage: SqlStorage, hasty: SqlStorage) -> None:
    with storage.writing(NOW, ids()) as unit:
        assert unit.invoices.next_sequence() == 1
        with pytest.raises(Busy), hasty.writing(NOW, ids()) as waiting:
            waiting.invoices.next_sequence()
    with hasty.writing(NOW, ids()) as unit:
        assert unit.invoices.next_sequence() == 1, "a number that was drawn and not used"


def test_of_two_who_wait_for_each_other_one_loses_and_tries_again(storage: SqlStorage) -> None:
    users = [make_user(ids(n)) for n in (1, 2)]
    with written(storage) as unit:
        for user in users:
            unit.users.add(user)
    met, lost = Barrier(2), list[Contention]()

    def rename(unit: Unit, first: User, second: User) -> None:
        unit.users.save(unit.users.locked(first.id).changed(full_name="Somebody Else"))
        if not lost:
            met.wait(30)
        try:
            unit.users.save(unit.users.locked(second.id).changed(full_name="Somebody Else"))
        except Contention as contention:
            lost.append(contention)
            raise

    Together(*(partial(rerun, storage, partial(rename, first=a, second=b)) for a, b in (users, users[::-1]))).succeed()
    assert len(lost) == 1
    with seen(storage) as unit:
        assert [unit.users.get(user.id).version for user in users] == [3, 3]


@pytest.fixture(params=["nestloop", "hashjoin", "mergejoin"])
def planned(url: URL, request: pytest.FixtureRequest) -> Iterator[SqlStorage]:
    """A storage for whose statements PostgreSQL finds one kind of plan."""
    others = {"nestloop", "hashjoin", "mergejoin"} - {request.param}
    options = " ".join(f"-c enable_{each}=off" for each in others)
    storage = SqlStorage(url.update_query_dict({"options": options}), cipher=CIPHER)
    yield storage
    storage.close()


def test_whoever_waits_for_a_shelf_holds_none_that_comes_after_it(planned: SqlStorage, url: URL) -> None:
    first, *others = sorted(product.id for product in shelve(planned, ids(), *({"stock": 9} for _ in range(4))))
    new_id = ids(1000)

    def take() -> object:
        with written(planned) as unit:
            return unit.stock.move([make_move(new_id, product_id, -1) for product_id in (*others, first)])

    with psycopg.connect(conninfo(url), autocommit=True) as looking, psycopg.connect(conninfo(url)) as holding:
        looking.execute(
            "UPDATE shelf SET on_hand = on_hand WHERE product_id = %s", [first]
        )  # now the last in the table
        holding.execute("SELECT FROM shelf WHERE product_id = %s FOR UPDATE", [first])
        taking = Together(take)
        while not looking.execute("SELECT pid FROM pg_locks WHERE NOT granted").fetchone():
            assert taking.errors == [None]
        free = looking.execute("SELECT product_id FROM shelf ORDER BY product_id FOR UPDATE SKIP LOCKED").fetchall()
        holding.rollback()
    assert [product_id for (product_id,) in free] == others
    assert taking.succeed() == [dict.fromkeys([first, *others], 8)]


def test_carts_with_the_same_things_in_opposite_order_never_wait_for_each_other(planned: SqlStorage) -> None:
    products = [product.id for product in shelve(planned, ids(), *({"stock": 1000} for _ in range(3)))]

    def buy(order: list[str], start: int) -> None:
        new_id = ids(start)
        for _ in range(25):
            with written(planned) as unit:
                unit.stock.move([make_move(new_id, product_id, -1) for product_id in order])

    orders = (products, products[::-1], products[1:] + products[:1], [products[2], products[0]])
    Together(*(partial(buy, order, 1000 * n) for n, order in enumerate(orders, start=1))).succeed()
    with seen(planned) as unit:
        assert unit.stock.on_hand(products) == dict(zip(products, (900, 925, 900), strict=True))


def test_a_product_is_sold_while_staff_edit_it(storage: SqlStorage, hasty: SqlStorage) -> None:
    new_id = ids()
    (product,) = shelve(storage, new_id, {"stock": 5})
    with written(storage) as unit:
        found = unit.products.locked([product.id])[product.id]
        unit.products.save(found.changed(at=NOW, name="Another Name"), NOW)
        with written(hasty) as sale:
            sale.orders.add(make_order(new_id, [product]))
            sale.stock.move([make_move(new_id, product.id, -1)], sold=True)
    with seen(storage) as unit:
        assert (unit.products.get(product.id).name, unit.products.get(product.id).stock) == ("Another Name", 4)


BUYERS = """
import sys
from threading import Thread
from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage
from storecore.errors import OutOfStock
from storecore.testing.builders import NOW, ids, make_move

url, start, *products = sys.argv[1:]
storage, sold = SqlStorage(url, cipher=FernetCipher(["k" * 32])), []

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


def test_two_processes_of_many_buyers_sell_what_there_is_and_no_more(storage: SqlStorage, url: URL) -> None:
    products = [product.id for product in shelve(storage, ids(), {"stock": 60}, {"stock": 50})]
    command = [sys.executable, "-c", BUYERS, url.render_as_string(hide_password=False)]
    processes = [
        subprocess.Popen([*command, str(start), *products], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for start in (100_000, 500_000)
    ]
    answers = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in answers] == ["", ""]
    assert sum(int(sold) for sold, _ in answers) == 50
    with storage.reading(NOW, ids()) as unit:
        assert unit.stock.on_hand(products) == {products[0]: 10, products[1]: 0}


# What one writer at a time never meets.


def test_a_category_is_not_removed_while_something_is_being_filed_under_it(storage: SqlStorage) -> None:
    new_id = ids()
    category = make_category(new_id)
    with written(storage) as unit:
        unit.categories.add(category)
    product = make_product(new_id, category_ids=[category.id])
    outcomes = overlap(
        storage, lambda unit: unit.products.add(product), lambda unit: unit.categories.remove(category.id)
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), CategoryInUse]


def test_nothing_is_filed_under_a_category_that_is_being_removed(storage: SqlStorage) -> None:
    new_id = ids()
    category = make_category(new_id)
    with written(storage) as unit:
        unit.categories.add(category)
    product = make_product(new_id, category_ids=[category.id])
    outcomes = overlap(
        storage, lambda unit: unit.categories.remove(category.id), lambda unit: unit.products.add(product)
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), NotFound]


def test_two_categories_that_are_moved_at_once_do_not_end_below_each_other(storage: SqlStorage) -> None:
    one, two = (make_category(ids(n)) for n in (1, 2))
    with written(storage) as unit:
        unit.categories.add(one)
        unit.categories.add(two)
    second: Together
    with written(storage) as unit:
        unit.categories.save(one.changed(parent_id=two.id))

        def move() -> None:
            with written(storage) as unit:
                unit.categories.save(two.changed(parent_id=one.id))

        second = Together(move)
        second.linger()
    assert isinstance(second.outcomes[0], Contention)
    with seen(storage) as unit:
        assert {found.id: found.parent_id for found in unit.categories.page(FIRST_PAGE).items} == {
            one.id: two.id,
            two.id: None,
        }


# Connections that break.


def disconnect(url: URL) -> None:
    """Throw everybody out of a database, as a server does that shuts down."""
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_connections_that_broke_while_nobody_used_them_are_not_noticed(storage: SqlStorage, url: URL) -> None:
    user = make_user(ids())
    with written(storage) as unit:
        unit.users.add(user)
    for _ in range(2):
        version = storage.version()
        with seen(storage) as one, seen(storage) as other, storage.writing(NOW, ids()):
            assert one.users.get(user.id) == other.users.get(user.id)
        disconnect(url)
        assert storage.version() == version
        with written(storage) as unit:
            unit.users.locked(user.id)
        with seen(storage) as unit:
            assert unit.users.get(user.id) == user


@pytest.mark.parametrize("look", [True, False])
def test_a_unit_whose_connection_breaks_is_told_and_has_changed_nothing(
    storage: SqlStorage, url: URL, look: bool
) -> None:
    user = make_user(ids())

    def lose(unit: Unit) -> None:
        unit.users.add(user)
        disconnect(url)
        if look:
            unit.users.by_email(user.email)

    with pytest.raises(Unavailable) as refusal, written(storage) as unit:
        lose(unit)
    assert type(refusal.value) is Unavailable, "a rerun would only make the break longer"
    with seen(storage) as unit:
        assert unit.users.by_email(user.email) is None


def test_a_connection_that_breaks_when_all_is_said_hides_nothing(storage: SqlStorage, url: URL) -> None:
    def fail() -> None:
        disconnect(url)
        raise ZeroDivisionError

    with seen(storage) as unit:
        assert unit.users.by_email("nobody@example.com") is None
        disconnect(url)
    with pytest.raises(ZeroDivisionError), storage.writing(NOW, ids()):
        fail()


def test_a_server_that_restarts_is_unavailable_and_then_found_again() -> None:
    server = Server()
    migrate(server.url)
    storage, user = SqlStorage(server.url, cipher=CIPHER), make_user(ids())
    with written(storage) as unit:
        unit.users.add(user)
    before = storage.version()
    server.stop()
    for _ in range(2):
        for opening in (storage.reading, storage.writing):
            with pytest.raises(Unavailable), opening(NOW, ids()):
                pass
        with pytest.raises(Unavailable):
            storage.version()
    server.start()
    with seen(storage) as unit:
        assert unit.users.get(user.id) == user
    with written(storage) as unit:
        unit.users.save(user.changed(full_name="Somebody Else"))
    assert storage.version() != before
    storage.close()
    server.remove()


def test_a_server_that_is_another_ones_copy_is_unavailable_to_writers(url: URL) -> None:
    copy = SqlStorage(url.update_query_dict({"options": "-c default_transaction_read_only=on"}), cipher=CIPHER)
    with pytest.raises(Unavailable), written(copy) as unit:
        unit.users.add(make_user(ids()))
    with seen(copy) as unit:
        assert unit.users.by_email("nobody@example.com") is None
    copy.close()


# What is logged.


def test_an_error_names_a_broken_constraint_and_no_value(storage: SqlStorage) -> None:
    ada = make_user(ids(), email="ada@example.com")
    with written(storage) as unit:
        unit.users.add(ada)
    with pytest.raises(EmailTaken) as taken, written(storage) as unit:
        unit.users.add(make_user(ids(start=100), email=ada.email))
    said = "".join(format_exception(taken.value))
    assert "uq_users_email" in said
    assert ada.email not in said


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"on_hand": None}, '"on_hand" of relation "shelf"'),
        ({"on_hand": -1}, "ck_shelf"),
        ({"on_hand": 2**63}, "SQLSTATE 22003"),
        ({"product_id": "Ada\x00Lovelace"}, "NUL"),
    ],
)
def test_an_error_that_nobody_expected_quotes_no_row(storage: SqlStorage, row: dict[str, object], named: str) -> None:
    with pytest.raises(SQLAlchemyError) as caught, storage._database.writing() as connection:
        connection.execute(insert(tables.shelf), {"product_id": "Ada Lovelace", "on_hand": 1, "units_sold": 0} | row)
    said = "".join(format_exception(caught.value, limit=0))
    assert named in said
    assert "Lovelace" not in said
    assert str(2**63) not in said


# Rows and their order.


@pytest.mark.parametrize("odd", ["\ud800", "a\x00b", "' OR 1=1 --", "x" * 100_000])
def test_an_id_that_no_row_can_have_is_not_found(storage: SqlStorage, odd: str) -> None:
    with storage.reading(NOW, ids()) as unit:
        with pytest.raises(NotFound):
            unit.products.get(odd)
        with pytest.raises(NotFound):
            unit.orders.get(odd)
        assert unit.products.some([odd]) == {}
        assert unit.sessions.signed_in(odd, NOW) is None


def test_every_text_is_compared_by_its_characters_whatever_the_databases_language(url: URL) -> None:
    with psycopg.connect(conninfo(url)) as connection:
        found = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
        )
        assert found.fetchall() == []


@pytest.mark.parametrize("look", LOOKS)
def test_no_list_has_to_sort_rows_that_it_does_not_show(url: URL, look: Look) -> None:
    # With few rows PostgreSQL would rather sort: told to avoid that, it does so only where no index has the order. What
    # it calls an incremental sort puts equals in order, and no more of them than it shows.
    avoid = "-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off"
    storage = SqlStorage(url.update_query_dict({"options": avoid}), cipher=CIPHER)
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            found = connection.connection.driver_connection.execute(f"EXPLAIN {statement}", values)
            plans.append("\n".join(row[0] for row in found))

    for engine in storage._database.engines:
        event.listen(engine, "before_cursor_execute", explain)
    with storage.writing(NOW, ids()) as unit:
        look(unit, PageRequest())
    storage.close()
    assert plans
    for plan in plans:
        assert "Seq Scan" not in plan
        assert not re.search(r"^(\s*->  )?Sort  \(", plan, re.MULTILINE), plan


def test_a_python_program_opens_a_shop_on_a_server(url: URL, tmp_path: Path) -> None:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with pytest.raises(ValueError, match="keys"):
        open_store(address)
    for _ in range(2):
        with open_store(address, keys=tmp_path / "shop.keys") as store:
            store.catalog.create_category(by=SYSTEM, name=f"Hats {len(store.catalog.categories().items)}")
    assert {path.name for path in tmp_path.iterdir()} <= {"shop.keys", "shop.mail"}


def suggested(storage: SqlStorage, text: str) -> list[str]:
    with storage.reading(NOW, ids()) as unit, unit.search.lexicon() as lexicon:
        return [each.text for each in lexicon.suggest(text)[1]]


def test_who_began_to_write_first_and_commits_last_is_suggested_too(storage: SqlStorage) -> None:
    first, second = (each.id for each in shelve(storage, ids(), {}, {}))
    with storage.writing(NOW, ids()) as slow:
        slow.products.save(slow.products.get(first).changed(NOW, name="Slow hat"), NOW)
        with storage.writing(NOW, ids()) as quick:
            quick.products.save(quick.products.get(second).changed(NOW, name="Quick hat"), NOW)
            quick.commit()
        assert suggested(storage, "quick") == ["Quick hat"]
        assert suggested(storage, "slow") == []
        slow.commit()
    assert suggested(storage, "slow") == ["Slow hat"]
    assert suggested(storage, "quick") == ["Quick hat"]


def test_a_dump_of_another_server_is_searched_like_its_own(url: URL, storage: SqlStorage) -> None:
    """Transactions had larger numbers there: nothing that is written here may hide among them."""
    (hat,) = (each.id for each in shelve(storage, ids(), {}))
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute("UPDATE search_documents SET changed = changed + 1000000000000")
        connection.execute("UPDATE shelf_changes SET changed = changed + 1000000000000")
    for name in ("Blue hat", "Green hat"):
        with storage.writing(NOW, ids()) as unit:
            unit.products.save(unit.products.get(hat).changed(NOW, name=name), NOW)
            unit.commit()
        assert suggested(storage, name) == [name]
    assert suggested(storage, "blue") == []
