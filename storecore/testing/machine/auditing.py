"""The audit log: each thing that staff did is in there once, and stays as it was written."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

from storecore.audit import AuditEntry
from storecore.catalog.model import StockReason
from storecore.orders.model import Status
from storecore.orders.refund import APPROVED, RefundStatus
from storecore.ports import AuditQuery, OrderQuery, RefundQuery, Unit
from storecore.testing.machine.administering import Administering
from storecore.testing.machine.reviewing import Reviewing
from storecore.testing.machine.running import Running
from storecore.testing.machine.scene import Stage, every
from storecore.testing.machine.supporting import Supporting

Done = tuple[str, str | None, str]
"""An action, by whom, on what."""

_NOT_IN_THE_BOOKS = frozenset({"order.record_payment", "review.delete"})
"""Actions that leave no other trace of who did them."""


class Auditing(Administering, Supporting, Reviewing, Running):
    """The log is held against the books, where what staff did has left its mark as well."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.log: list[AuditEntry] = []

    def check(self, unit: Unit) -> None:
        """The same snapshot of the log and the books."""
        super().check(unit)
        log = list(every(partial(unit.audit.page, AuditQuery())))[::-1]
        assert log[: len(self.log)] == self.log, "the log was rewritten"
        self.log = log
        found = Counter((each.action, each.actor_id, each.object_id) for each in log)
        known = {done: times for done, times in found.items() if done[0] not in _NOT_IN_THE_BOOKS}
        edits = {done: times for done, times in known.items() if _is_edit(done[0])}
        assert known.items() - edits.items() == Counter(self._done(unit)).items()
        self._check_edits(unit, edits)
        assert all(times == 1 for done, times in found.items() if done[0] in _NOT_IN_THE_BOOKS)

    def _done(self, unit: Unit) -> Iterator[Done]:
        """What the books, and the model, say that staff have done."""
        yield from self.staff_did.elements()
        for order in every(partial(unit.orders.page, OrderQuery())):
            for entry in order.history:
                if entry.actor_id == self.staff.id:
                    cancelled = entry.status is Status.CANCELLED
                    yield "order.cancel" if cancelled else "order.advance", entry.actor_id, order.id
        for refund in every(partial(unit.refunds.page, RefundQuery())):
            if refund.decided_by is not None and refund.status in APPROVED | {RefundStatus.REJECTED}:
                rejected = refund.status is RefundStatus.REJECTED
                yield "refund.reject" if rejected else "refund.approve", refund.decided_by, refund.id
            if refund.received_at is not None:
                yield "refund.receive", self.staff.id, refund.id
        for ware in self.wares:
            for move in every(partial(unit.stock.ledger, ware.id)):
                if move.reason is StockReason.ADJUSTMENT:
                    yield "product.adjust_stock", move.actor_id, ware.id

    def _check_edits(self, unit: Unit, edits: dict[Done, int]) -> None:
        """Each version of a product or a coupon after the first has its entry."""
        by_object: Counter[str] = Counter()
        for (_, actor_id, object_id), times in edits.items():
            assert actor_id == self.staff.id
            by_object[object_id] += times
        products = unit.products.some([ware.id for ware in self.wares])
        versions = {product.id: product.version for product in products.values()}
        versions |= {coupon.id: coupon.version for coupon in every(unit.coupons.page)}
        assert by_object == Counter({each: version - 1 for each, version in versions.items() if version > 1})


def _is_edit(action: str) -> bool:
    return action.startswith(("product.", "coupon.")) and action != "product.adjust_stock"
