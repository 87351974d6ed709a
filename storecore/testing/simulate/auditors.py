"""What has to hold of a simulated shop whatever happened: its books, the bank's, and what people know, agree."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import pairwise

from storecore.insight.days import Days, day_of
from storecore.insight.model import Sales
from storecore.notices import NoticeState, Template
from storecore.orders.model import NEXT, Invoice, Order, Status
from storecore.orders.payment import Payment, PaymentState
from storecore.orders.refund import CreditNote, Disposition, Refund, RefundCause, RefundStatus
from storecore.ports import AuditQuery, OrderQuery, RefundQuery, Unit
from storecore.testing.builders import make_address
from storecore.testing.machine.books import check_sums, frozen
from storecore.testing.machine.reckoning import letters
from storecore.testing.machine.scene import every
from storecore.testing.simulate.world import World


class Papers:
    """Everything that is in the books as of one snapshot."""

    def __init__(self, unit: Unit) -> None:
        self.orders = {order.id: order for order in every(partial(unit.orders.page, OrderQuery()))}
        self.refunds = list(every(partial(unit.refunds.page, RefundQuery())))
        self.invoices: list[Invoice] = list(every(partial(unit.invoices.page, issued_from=None, issued_to=None)))
        self.payments: dict[str, list[Payment]] = {each: list(unit.payments.of_order(each)) for each in self.orders}
        self.notes: list[CreditNote] = [note for each in self.orders for note in unit.credit_notes.of_order(each)]
        self.notices = list(every(unit.outbox.page))

    def refunds_of(self, order: Order) -> list[Refund]:
        """Those of one order."""
        return [each for each in self.refunds if each.order_id == order.id]


class Auditors:
    """They come each day, and look twice when all is settled. They raise ``AssertionError`` for what is wrong."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.placed: dict[str, Order] = {}
        self.audits = 0

    def audit(self, *, settled: bool = False) -> None:
        """Look at everything; ``settled``: nothing may be left open."""
        self.audits += 1
        with self.world.reading() as unit:
            papers = Papers(unit)
            for order in papers.orders.values():
                self._check_order(order, papers)
            self._check_keys(papers)
            self._check_shelves(unit, papers)
            self._check_coupons(unit, papers)
            self._check_purchases(unit, papers)
            self._check_numbers(papers)
            self._check_reports(unit, papers)
            self._check_mail(papers)
            self._check_audit_log(unit, papers)
            if settled:
                self._check_settled(unit, papers)
        self.world.backend.prove(self.world.storage, self.world.clock())

    def _check_order(self, order: Order, papers: Papers) -> None:
        """Its sums, its way so far, and that nothing that was agreed has changed since it was looked at before."""
        check_sums(order)
        before = self.placed.get(order.id, order)
        assert _agreed(order) == _agreed(before), f"{order.number} has changed"
        assert order.history[: len(before.history)] == before.history, f"the history of {order.number} was rewritten"
        self.placed[order.id] = order
        steps = [entry.status for entry in order.history]
        assert (steps[0], steps[-1]) == (Status.PENDING, order.status), (
            f"{order.number} is {order.status}, and went {steps}"
        )
        assert all(after in NEXT[step] for step, after in pairwise(steps)), f"{order.number} went {steps}"
        self._check_money(order, papers.payments[order.id], papers.refunds_of(order))

    def _check_money(self, order: Order, payments: Sequence[Payment], refunds: Sequence[Refund]) -> None:
        """Paid once at most, and no more given back than was paid: by the shop's books, and by the bank's."""
        opened = [each for each in payments if each.state is not PaymentState.FAILED]
        assert len(opened) <= 1, f"{order.number} has {len(opened)} payments"
        done = [each.amount.minor for each in refunds if each.status is RefundStatus.REFUNDED]
        assert sum(done) == order.refunded.minor <= order.total.minor, f"{order.number}: {done} refunded"
        assert not order.refunded or order.is_paid, f"{order.number} was refunded, and never paid"
        bank = self.world.bank
        accounts = bank.of_order(order.id)
        assert sum(each.taken for each in accounts) <= order.total.minor, f"{order.number} was paid twice"
        assert all(sum(each.given_back.values()) <= each.taken for each in accounts), f"{order.number} was repaid twice"
        for payment in payments:
            if payment.state is PaymentState.SUCCEEDED:
                taken = bank.accounts[payment.id].taken
                assert taken == payment.amount.minor, f"{order.number} is paid, and the bank took {taken}"

    def _check_keys(self, papers: Papers) -> None:
        """Each idempotency key has one order at most; one that was answered has the order of the answer."""
        by_key = Counter(order.note for order in papers.orders.values())
        assert all(times == 1 for times in by_key.values()), "an order was placed twice"
        told = self.world.told
        for key, order_id in told.answered.items():
            assert order_id in papers.orders, f"{key} was answered with an order that is not there"
            assert papers.orders[order_id].note == key, f"{key} was answered with the order of another request"
        assert by_key.keys() <= told.answered.keys() | told.unanswered, "an order that nobody placed"

    def _check_shelves(self, unit: Unit, papers: Papers) -> None:
        """On hand is what was there at first, and every move since; each move has its cause."""
        told = self.world.told
        moved: Counter[str] = Counter(told.opening)
        for adjustment in told.adjustments:
            moved[adjustment.product_id] += adjustment.change
        sold: Counter[str] = Counter()
        for order in papers.orders.values():
            if order.status is not Status.CANCELLED:
                sold.update(order.quantities)
        moved.subtract(sold)
        for refund in papers.refunds:
            if refund.disposition is Disposition.RESTOCK:
                moved.update({item.product_id: item.quantity for item in refund.items})
        products = unit.products.some(told.opening)
        assert len(products) == len(told.opening), "a product is gone"
        for product in products.values():
            ledger = sum(move.change for move in every(partial(unit.stock.ledger, product.id)))
            assert 0 <= product.stock == ledger, f"{product.sku}: {product.stock} on hand, {ledger} in the ledger"
            assert product.stock == moved[product.id], (
                f"{product.sku}: {product.stock} on hand, not {moved[product.id]}"
            )
            assert product.units_sold == sold[product.id], (
                f"{product.sku}: {product.units_sold} sold, not {sold[product.id]}"
            )

    def _check_coupons(self, unit: Unit, papers: Papers) -> None:
        """Uses are the orders that have one, but for those that were cancelled before they were paid."""
        used = Counter[str]()
        for order in papers.orders.values():
            if order.coupon_id and not (order.status is Status.CANCELLED and not _paid_before(order, papers)):
                used[order.coupon_id] += 1
        for coupon in every(unit.coupons.page):
            assert coupon.uses == used[coupon.id], f"{coupon.code} has {coupon.uses} uses, not {used[coupon.id]}"
            assert coupon.max_uses is None or coupon.uses <= coupon.max_uses, f"{coupon.code} was used too often"

    def _check_purchases(self, unit: Unit, papers: Papers) -> None:
        """Unless the worker has still to count, products are in as many orders as the orders say."""
        if unit.purchases.waiting():
            return
        counts = Counter(each for order in papers.orders.values() if order.counts for each in order.quantities)
        on_sale = {each.id for each in unit.products.some(counts).values() if each.is_active and each.stock > 0}
        wanted = {each.product_id: each.orders for each in unit.purchases.wanted(len(self.world.told.opening))}
        assert wanted == {each: counts[each] for each in on_sale}, f"purchases were counted as {wanted}"

    def _check_numbers(self, papers: Papers) -> None:
        """Invoices and credit notes without a gap, one an order, with the totals of what they are about."""
        for issued in (papers.invoices, papers.notes):
            numbers = sorted(each.sequence for each in issued)
            assert numbers == list(range(1, len(issued) + 1)), f"papers are numbered {numbers}"
        by_order = {each.order_id: each for each in papers.invoices}
        assert len(by_order) == len(papers.invoices), "an order was invoiced twice"
        for each in papers.invoices:
            assert each.total == papers.orders[each.order_id].total, f"{each.number} is about {each.total}"
        refunds = {each.id: each for each in papers.refunds}
        for note in papers.notes:
            assert note.order_id in by_order, f"{note.number} takes off an invoice that was never issued"
            about = refunds[note.refund_id].amount if note.refund_id else papers.orders[note.order_id].total
            assert note.total == about, f"{note.number} is about {note.total}, not {about}"
        credited = {(note.order_id, note.refund_id) for note in papers.notes}
        assert len(credited) == len(papers.notes), "something was credited twice"

    def _check_reports(self, unit: Unit, papers: Papers) -> None:
        """The figures of all days are the sums of the papers."""
        zone = self.world.shop.timezone
        first, last = (day_of(at, zone) for at in (self.world.clock.began, self.world.clock()))
        days = Days(first=first, last=last + timedelta(days=1), timezone=zone)
        sales = Sales.of(unit.insight.takings(days), self.world.shop.currency)
        waiting = [papers.orders[each] for each in unit.invoices.due(len(papers.orders) + 1)]
        invoiced = sum(each.total.minor for each in papers.invoices) + sum(each.total.minor for each in waiting)
        credited = sum(each.total.minor for each in papers.notes)
        assert (sales.invoiced.minor, sales.credited.minor) == (invoiced, credited), f"reports say {sales}"
        kept = sales.net + sales.tax + sales.shipping
        given = sales.refunds + sales.refunded_tax + sales.refunded_shipping
        assert sales.invoiced - sales.credited == kept - given, f"reports say {sales}"
        placed = unit.insight.placed(days)
        assert sum(placed.values()) == len(papers.orders), f"reports say {placed}"

    def _check_mail(self, papers: Papers) -> None:
        """A letter about each event, none about anything else; nothing is sent twice but for a crash."""
        mail = self.world.mail
        causes = Counter((each.event, each.recipient, each.template) for each in papers.notices)
        assert all(times == 1 for times in causes.values()), f"two letters about one thing: {causes.most_common(1)}"
        written = Counter(
            each.event
            for each in papers.notices
            if each.template in {Template.ORDER_PLACED, Template.ORDER_STATUS, Template.REFUND_STATUS}
        )
        owed = Counter(
            f"order:{order.id}:{what}"
            for order in papers.orders.values()
            for what in ("placed", *(entry.status for entry in order.history[1:]))
        )
        owed.update(f"refund:{each.id}:{status}" for each in papers.refunds for status in letters(each))
        swept = {each.event for each in mail.letters.values()} - {each.event for each in papers.notices}
        wrong = [event for event in (written | owed).keys() - swept if written[event] != owed[event]]
        assert not wrong, f"letters that should (or should not) have been written: {sorted(wrong)}"
        for each in papers.notices:
            if each.state is NoticeState.SENT:
                assert mail.taken[each.message_id], f"{each.event} is said to be sent, and was not"
        for message_id, times in mail.taken.items():
            assert times <= 1 + mail.unanswered[message_id], f"{mail.letters[message_id].event} was sent {times} times"

    def _check_audit_log(self, unit: Unit, papers: Papers) -> None:
        """What staff did to orders, refunds and shelves is in there, once, and nothing else is."""
        entries = list(every(partial(unit.audit.page, AuditQuery())))
        assert len({each.id for each in entries}) == len(entries), "the audit log says something twice"
        staff = self.world.told.staff
        logged = Counter((each.action, each.object_id) for each in entries)
        expected = Counter[tuple[str, str]]()
        for order in papers.orders.values():
            for step in order.history[1:]:
                if step.actor_id in staff and step.actor_id != order.customer_id:
                    expected["order.cancel" if step.status is Status.CANCELLED else "order.advance", order.id] += 1
        for refund in papers.refunds:
            if refund.decided_by is not None:
                refused = refund.status is RefundStatus.REJECTED
                expected["refund.reject" if refused else "refund.approve", refund.id] += 1
            if refund.received_at is not None:
                expected["refund.receive", refund.id] += 1
        for adjustment in self.world.told.adjustments:
            expected["product.adjust_stock", adjustment.product_id] += 1
        kinds = {
            "order.advance",
            "order.cancel",
            "refund.approve",
            "refund.reject",
            "refund.receive",
            "product.adjust_stock",
        }
        found = Counter({what: times for what, times in logged.items() if what[0] in kinds})
        assert found == expected, f"the audit log differs: {found - expected} {expected - found}"

    def _check_settled(self, unit: Unit, papers: Papers) -> None:
        """Nobody waits for mail, money, or an invoice; the bank has what the books say."""
        for notice in papers.notices:
            assert notice.state is NoticeState.SENT, f"{notice.event} is {notice.state}: {notice.error}"
        for order in papers.orders.values():
            accounts = self.world.bank.of_order(order.id)
            held = sum(each.taken - sum(each.given_back.values()) for each in accounts)
            through_bank = any(each.taken for each in accounts)
            assert order.pay_by is None, f"{order.number} still waits for its money"
            assert all(each.state.final for each in papers.payments[order.id]), f"{order.number} is being paid"
            assert all(each.payout_at is None for each in papers.refunds_of(order)), f"{order.number} is owed money"
            assert held == ((order.total - order.refunded).minor if through_bank else 0), f"{order.number}: {held} held"
            assert not through_bank or order.is_paid, f"{order.number} was paid, and nobody noticed"
            assert order.status is not Status.CANCELLED or held == 0, f"{order.number} is cancelled: {held} held"
        assert not unit.invoices.due(1), "an order still waits for its invoice"
        assert not unit.purchases.waiting(), "an order was still not counted"


def _agreed(order: Order) -> Order:
    """As much of an order as nothing may change; its address may be moved, but not to where it is taxed differently."""
    return replace(frozen(order), delivery_address=make_address())


def _paid_before(order: Order, papers: Papers) -> bool:
    """Whether a cancelled order had been paid when it was cancelled."""
    return any(each.cause is RefundCause.CANCELLATION for each in papers.refunds_of(order))
