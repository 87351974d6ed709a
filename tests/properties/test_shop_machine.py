"""Whatever customers, guests, staff and time do in whatever order, the books balance after each step.

Here it is quick and does the same each time. To look for longer, and anew:
``pytest tests/properties/test_shop_machine.py --hypothesis-profile=long``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings

from adapters.sql import SqlStorage
from adapters.sql.verify import verify
from storecore.ports import Clock
from storecore.store import Store
from storecore.testing.machine import ShopMachine
from tests.usecases.floor import open_floor


class ShopInMemory(ShopMachine):
    @contextmanager
    def open_store(self, clock: Clock) -> Iterator[Store]:
        with open_floor("memory", Path(), providers=self.providers) as floor:
            yield floor.at(clock)


class ShopOnSqlite(ShopMachine):
    @contextmanager
    def open_store(self, clock: Clock) -> Iterator[Store]:
        with TemporaryDirectory() as folder, open_floor("sqlite", Path(folder), providers=self.providers) as floor:
            yield floor.at(clock)

    def prove(self) -> None:
        assert isinstance(self.store.storage, SqlStorage)
        assert verify(self.store.storage, self.clock()) == []


def _settings(*, max_examples: int, stateful_step_count: int) -> settings:
    """The profile that was asked for, or else so much."""
    if settings.get_current_profile_name() == "long":
        return settings()
    return settings(max_examples=max_examples, stateful_step_count=stateful_step_count, deadline=None, derandomize=True)


TestShopInMemory = ShopInMemory.TestCase
TestShopInMemory.settings = _settings(max_examples=150, stateful_step_count=50)
TestShopOnSqlite = ShopOnSqlite.TestCase
TestShopOnSqlite.settings = _settings(max_examples=12, stateful_step_count=30)
