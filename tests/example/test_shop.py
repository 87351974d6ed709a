"""Whole shops in a file: they sell, last, and are shared by processes."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from adapters.memory import ScryptPasswords, open_store
from adapters.system import utc_now
from storecore.accounts.model import SYSTEM
from storecore.errors import Busy, Unavailable
from storecore.lists import PageRequest
from storecore.money import Money
from storecore.store import Store
from storecore.testing.builders import NOW, ids, make_address, make_user
from storecore.testing.contracts.proving import written
from tests.example.files import SqliteFiles
from tests.example.storage import SqliteStorage

HERE = Path(__file__).parent


def opened(path: Path) -> Store:
    return open_store(storage=SqliteStorage(path), files=SqliteFiles(path, utc_now), passwords=ScryptPasswords(n=4))


def stocked(store: Store, stock: int) -> str:
    """The id of a new product."""
    shelf = store.catalog.create_category(by=SYSTEM, name="Hats")
    price = Money(1999, "USD")
    made = store.catalog.create_product(
        by=SYSTEM, sku="HAT-1", name="Wool hat", price=price, stock=stock, category_ids=[shelf.id]
    )
    return made.product.id


def test_what_was_sold_is_still_sold_when_the_shop_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with opened(path) as store:
        hat = stocked(store, 10)
        ada = store.accounts.register(email="ada@example.com", password="12345678", full_name="Ada Lovelace")
        order = store.orders.place(by=ada, items=[(hat, 2)], deliver_to=make_address())
        while store.work():
            pass
    with opened(path) as store:
        assert store.orders.get(by=ada, order_id=order.id).lines == order.lines
        assert store.orders.invoice(by=ada, order_id=order.id).name == "INV-000001.txt"
        assert [found.offer.product.stock for found in store.catalog.search(text="hats").items] == [8]


BUYERS = """
import sys
from threading import Thread
from pathlib import Path
from adapters.memory import ScryptPasswords, open_store
from storecore.errors import OutOfStock
from storecore.testing.builders import make_address
from tests.example.storage import SqliteStorage

path, name, hat = sys.argv[1:]
store = open_store(storage=SqliteStorage(Path(path), patience=60), passwords=ScryptPasswords(n=4))
buyer = store.accounts.register(email=f"{name}@example.com", password="12345678", full_name=name)
print("ready", flush=True)
sys.stdin.readline()
bought = []

def buy():
    try:
        while True:
            bought.append(store.orders.place(by=buyer, items=[(hat, 1)], deliver_to=make_address()))
    except OutOfStock:
        pass

threads = [Thread(target=buy) for _ in range(4)]
for each in threads: each.start()
for each in threads: each.join()
store.close()
print(len(bought))
"""


def test_two_processes_sell_what_there_is_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with opened(path) as store:
        hat = stocked(store, 40)
        command = [sys.executable, "-c", BUYERS, str(path)]
        shops = [
            subprocess.Popen(
                [*command, name, hat],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=HERE.parents[1],
            )
            for name in ("ada", "zoe")
        ]
        for shop in shops:
            assert shop.stdout is not None
            assert shop.stdout.readline() == "ready\n", shop.communicate()[1]
        for shop in shops:
            assert shop.stdin is not None
            shop.stdin.write("go\n")
            shop.stdin.flush()
        answers = [shop.communicate(timeout=120) for shop in shops]
        assert [errors for _, errors in answers] == ["", ""]
        assert sum(int(bought) for bought, _ in answers) == 40
        product = store.catalog.product(product=hat, by=SYSTEM).product
        assert (product.stock, product.units_sold) == (0, 40)
        orders = store.orders.everyones(by=SYSTEM, page=PageRequest(limit=100)).items
        assert sum(order.quantities[hat] for order in orders) == 40


def test_the_database_itself_keeps_stock_from_falling_below_zero(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with opened(path) as store:
        stocked(store, 1)
    with closing(sqlite3.connect(path)) as outsider, pytest.raises(sqlite3.IntegrityError):
        outsider.execute("""UPDATE shelves SET row = '{"on_hand": -1, "sold": 2}'""")


def test_who_gets_no_turn_in_time_is_told_that_the_shop_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(SqliteStorage(path)) as one, closing(SqliteStorage(path, patience=0.01)) as other:
        with one.writing(NOW, ids()), pytest.raises(Busy), other.writing(NOW, ids()):
            pass
        with other.writing(NOW, ids()) as unit:
            for _ in range(2):
                with pytest.raises(Busy), other.writing(NOW, ids()):
                    pass
            unit.commit()


def test_a_file_that_can_not_be_opened_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "no such folder" / "shop.db"
    for adapter in (lambda: SqliteStorage(path), lambda: SqliteFiles(path, utc_now)):
        with pytest.raises(Unavailable) as refusal:
            adapter()
        assert refusal.type is Unavailable, "trying again at once won't help, as it may when it is Busy"


def test_what_was_removed_is_not_in_the_files_once_they_are_scrubbed(tmp_path: Path) -> None:
    storage, user = SqliteStorage(tmp_path / "shop.db"), make_user(ids(), full_name="NAMED" * 40)
    storage.version()  # and it looks on: a file that nobody looks at is tidied up by SQLite itself
    with written(storage) as unit:
        unit.users.add(user)
    with written(storage) as unit:
        unit.users.save(user.erased("nobody"))
    storage.scrub()
    left = [file.name for file in tmp_path.iterdir() if b"NAMED" in file.read_bytes()]
    storage.close()
    assert left == []


def test_the_example_is_read_in_one_go() -> None:
    parts = ("__init__.py", "rows.py", "storage.py", "files.py", "test_contracts.py")
    assert sum(len((HERE / part).read_text(encoding="utf-8").splitlines()) for part in parts) < 300
