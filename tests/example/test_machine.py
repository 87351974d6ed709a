"""Whatever people do in a shop in a file, its books balance."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings

from adapters.memory import ScryptPasswords, open_store
from storecore.ports import Clock, PaymentProvider
from storecore.store import Store
from storecore.testing.machine import ShopMachine
from tests.example.storage import SqliteStorage


class TestShopInAFile(ShopMachine):
    settings = settings(max_examples=8, stateful_step_count=25, deadline=None, derandomize=True)

    @contextmanager
    def open_store(self, clock: Clock, providers: Mapping[str, PaymentProvider]) -> Iterator[Store]:
        with TemporaryDirectory() as folder:
            storage, passwords = SqliteStorage(Path(folder) / "shop.db"), ScryptPasswords(n=4)
            with open_store(storage=storage, clock=clock, passwords=passwords, providers=providers) as store:
                yield store
