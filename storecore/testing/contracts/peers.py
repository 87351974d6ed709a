"""One shop that several processes have open: what one commits, each of them knows."""

from functools import partial

import pytest

from storecore.catalog.model import StockReason
from storecore.errors import OutOfStock
from storecore.ports import Storage, Unit
from storecore.testing.builders import ids, make_move, make_user
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import Contract, Together, rerun, seen, written
from storecore.testing.contracts.search import changed, found
from storecore.testing.contracts.stock import check_ledger


class PeersContract(Contract):
    """Give a ``peer``: the same shop as another process opens it. Where nothing is shared, they are one."""

    @pytest.fixture
    def peer(self, storage: Storage) -> Storage:
        """The storage of another process."""
        return storage

    def test_what_one_process_commits_is_there_for_the_others(self, storage: Storage, peer: Storage) -> None:
        for number, (one, other) in enumerate(((storage, peer), (peer, storage)), start=1):
            before, user = other.version(), make_user(ids(number))
            with written(one) as unit:
                unit.users.add(user)
            assert other.version() != before, "another process committed, and the version stayed"
            with seen(other) as unit:
                assert unit.users.get(user.id) == user

    def test_a_reader_goes_on_while_another_process_writes(self, storage: Storage, peer: Storage) -> None:
        user = make_user(ids())
        with seen(peer) as snapshot, written(storage) as unit:
            unit.users.add(user)
            assert snapshot.users.by_email(user.email) is None, "it is not committed"
        with seen(peer) as unit:
            assert unit.users.by_email(user.email) == user

    def test_words_that_one_process_writes_are_known_to_the_others(self, storage: Storage, peer: Storage) -> None:
        (product,) = shelve(storage, ids(), {"sku": "A", "name": "Umbrella"})
        assert found(peer, "umbrela") == "A", "mistyped: by the words that the storage knows"
        changed(peer, product, name="Parasol")
        assert (found(storage, "parassol"), found(storage, "umbrella")) == ("A", "")

    def test_no_update_is_lost_between_two_processes(self, storage: Storage, peer: Storage) -> None:
        user = make_user(ids(), preferences={"steps": 0})
        with written(storage) as unit:
            unit.users.add(user)

        def step(unit: Unit) -> None:
            locked = unit.users.locked(user.id)
            unit.users.save(locked.changed(preferences={"steps": locked.preferences["steps"] + 1}))

        def walk(shop: Storage) -> None:
            for _ in range(5):
                rerun(shop, step)

        Together(*(partial(walk, shop) for shop in (storage, peer) * 2)).succeed()
        with seen(peer) as unit:
            assert unit.users.get(user.id).preferences == {"steps": 20}

    def test_sixty_four_buyers_in_two_processes_make_one_sale(self, storage: Storage, peer: Storage) -> None:
        (product,) = shelve(storage, ids(), {"stock": 1})

        def buy(shop: Storage, number: int) -> None:
            move = make_move(ids(1000 + number), product.id, -1, reason=StockReason.SALE)
            rerun(shop, lambda unit: unit.stock.move([move], sold=True))

        buyers = [partial(buy, (storage, peer)[number % 2], number) for number in range(64)]
        errors = Together(*buyers).join().errors
        assert errors.count(None) == 1, "so many of 64 buyers got the one unit"
        assert all(isinstance(error, OutOfStock) for error in errors if error is not None), errors
        check_ledger(peer, product.id)
