"""Whatever people do in a shop in a file, its books balance."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings

from adapters.memory import ScryptPasswords, open_store
from storecore.ports import Clock
from storecore.store import Store
from storecore.testing.machine import ShopMachine
from tests.example.storage import SqliteStorage


class ShopInAFile(ShopMachine):
    @contextmanager
    def open_store(self, clock: Clock) -> Iterator[Store]:
        with TemporaryDirectory() as folder:
            storage, passwords = SqliteStorage(Path(folder) / "shop.db"), ScryptPasswords(n=4)
            with open_store(storage=storage, clock=clock, passwords=passwords, providers=self.providers) as store:
                yield store


TestShopInAFile = ShopInAFile.TestCase
TestShopInAFile.settings = settings(max_examples=8, stateful_step_count=25, deadline=None, derandomize=True)
