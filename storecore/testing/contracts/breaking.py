"""Commits that break: the old state or the new, nothing between, and the next try ends in one effect."""

from dataclasses import dataclass

import pytest

from storecore.catalog.model import Product, StockReason
from storecore.errors import Contention, Unavailable
from storecore.lists import FIRST_PAGE
from storecore.orders.model import Order
from storecore.ports import AuditQuery, OrderQuery, Storage, Unit
from storecore.testing.builders import NOW, ids, make_move, make_notice, make_order
from storecore.testing.contracts.audit import make_audit_entry
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import BREAK_COMMITS, Contract, needs, rerun, seen, written


@dataclass(frozen=True)
class Sale:
    """A request that writes to many places."""

    product: Product
    order: Order

    def once(self, unit: Unit) -> None:
        """Sell, unless it was done before."""
        new_id = ids(5000)
        if not unit.answers.claim("ada", "key", b"fingerprint", NOW):
            return
        unit.orders.add(self.order)
        unit.audit.add([make_audit_entry(new_id)])
        unit.outbox.add([make_notice(new_id)])
        move = make_move(new_id, self.product.id, -1, reason=StockReason.SALE, order_id=self.order.id)
        unit.stock.move([move], sold=True)
        unit.answers.keep("ada", "key", b"sold")

    def seen(self, storage: Storage) -> tuple[object, ...]:
        """What is there of it."""
        with seen(storage) as unit:
            product = unit.products.get(self.product.id)
            return (
                [order.id for order in unit.orders.page(OrderQuery(), FIRST_PAGE).items],
                len(unit.audit.page(AuditQuery(), FIRST_PAGE).items),
                len(unit.outbox.page(FIRST_PAGE).items),
                (product.stock, product.units_sold),
                sum(move.change for move in unit.stock.ledger(product.id, FIRST_PAGE).items),
                unit.answers.find("ada", "key"),
            )


def prepared(storage: Storage) -> tuple[Sale, tuple[object, ...], tuple[object, ...]]:
    """A sale that can be made, what is seen before it, and what after."""
    new_id = ids()
    (product,) = shelve(storage, new_id, {"stock": 5})
    sale = Sale(product, make_order(new_id, [product]))
    after = ([sale.order.id], 1, 1, (4, 1), 4, (b"fingerprint", b"sold"))
    return sale, ([], 0, 0, (5, 0), 5, None), after


class BreakingContract(Contract):
    """What is left of a unit whose commit failed, before or after it lasted."""

    @needs(BREAK_COMMITS)
    @pytest.mark.parametrize("lasting", [False, True])
    def test_a_commit_that_breaks_leaves_the_old_state_or_the_new(self, storage: Storage, lasting: bool) -> None:
        sale, before, after = prepared(storage)
        assert sale.seen(storage) == before
        with self.break_commits(storage, lasting=lasting), pytest.raises((Unavailable, Contention)):
            self._sell(storage, sale)
        assert sale.seen(storage) == (after if lasting else before)

    @needs(BREAK_COMMITS)
    @pytest.mark.parametrize("lasting", [False, True])
    def test_a_request_whose_commit_broke_has_one_effect_when_it_is_sent_again(
        self, storage: Storage, lasting: bool
    ) -> None:
        sale, _, after = prepared(storage)
        for _ in range(2):
            with self.break_commits(storage, lasting=lasting), pytest.raises((Unavailable, Contention)):
                self._sell(storage, sale)
        for _ in range(2):
            rerun(storage, sale.once)
            assert sale.seen(storage) == after

    @staticmethod
    def _sell(storage: Storage, sale: Sale) -> None:
        with written(storage) as unit:
            sale.once(unit)
