"""Whatever customers, guests, staff and time do in whatever order, the books balance after each step.

Here it is quick and does the same each time. To look for longer, and anew:
``pytest tests/properties/test_shop_machine.py --hypothesis-profile=long``.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings

from adapters.sql import SqlStorage
from adapters.sql.verify import verify
from storecore.ports import Clock, PaymentProvider
from storecore.store import Store
from storecore.testing.machine import ShopMachine, SideBySide
from tests.usecases.floor import BACK_ENDS, open_floor


def tried(*, max_examples: int, stateful_step_count: int) -> settings:
    """The profile that was asked for, or else so much."""
    if settings.get_current_profile_name() == "long":
        return settings()
    return settings(max_examples=max_examples, stateful_step_count=stateful_step_count, deadline=None, derandomize=True)


class TestShopInMemory(ShopMachine):
    settings = tried(max_examples=40, stateful_step_count=50)

    @contextmanager
    def open_store(self, clock: Clock, providers: Mapping[str, PaymentProvider]) -> Iterator[Store]:
        with open_floor("memory", Path(), providers=providers) as floor:
            yield floor.at(clock)


class TestShopOnSqlite(ShopMachine):
    settings = tried(max_examples=6, stateful_step_count=30)

    @contextmanager
    def open_store(self, clock: Clock, providers: Mapping[str, PaymentProvider]) -> Iterator[Store]:
        with TemporaryDirectory() as folder, open_floor("sqlite", Path(folder), providers=providers) as floor:
            yield floor.at(clock)

    def prove(self, store: Store) -> None:
        assert isinstance(store.storage, SqlStorage)
        assert verify(store.storage, store.clock()) == []


class TestShopsSideBySide(ShopMachine):
    settings = tried(max_examples=4, stateful_step_count=25)

    @contextmanager
    def open_store(self, clock: Clock, providers: Mapping[str, PaymentProvider]) -> Iterator[Store]:
        with ExitStack() as stack:
            floors = []
            for back_end in BACK_ENDS:
                folder = stack.enter_context(TemporaryDirectory())
                floors.append(stack.enter_context(open_floor(back_end, Path(folder), providers=providers)))
            yield SideBySide(*floors).at(clock)
