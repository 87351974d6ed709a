"""What holds whatever happens: checked after each step, against the model and against the books themselves."""

from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import pairwise, permutations
from math import isclose

from hypothesis.stateful import invariant

from storecore.catalog.affinity import weight
from storecore.catalog.matching import matched
from storecore.catalog.model import StockReason
from storecore.money import half_up, total
from storecore.notices import Template
from storecore.orders.model import NEXT, Invoice, Order, PaymentStatus, Status
from storecore.orders.refund import Disposition
from storecore.ports import RELEVANCE, OrderQuery, ProductQuery, RefundQuery, Unit
from storecore.testing.machine.scene import Sale, Scene, Stage, every


class Books(Scene):
    """Nothing is oversold, lost, done twice or altered."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.invoices: dict[str, Invoice] = {}
        self.explained: set[str] = set()

    @invariant()
    def the_books_balance(self) -> None:
        """Everything is looked at in one snapshot."""
        with self.reading() as unit:
            self._check_shelves(unit)
            self._check_lists(unit)
            self._check_orders(unit)
            self._check_moves(unit)
            self._check_purchases(unit)
            self._check_coupons(unit)
            self._check_carts(unit)
            self._check_invoices(unit)
            self._check_mail(unit)
            self.check(unit)
        self.stage.prove(self.store)

    def _check_shelves(self, unit: Unit) -> None:
        products = unit.products.some([ware.id for ware in self.wares])
        for ware in self.wares:
            ledger = every(partial(unit.stock.ledger, ware.id))
            product = products[ware.id]
            assert product.stock >= 0
            assert product.stock == ware.stock == sum(move.change for move in ledger)
            assert product.units_sold == ware.sold
            assert product.is_active is ware.active
            assert product.final_price(self.clock()).minor == ware.price(self.clock())

    def _check_lists(self, unit: Unit) -> None:
        """What is sold is listed, and found by its name."""
        on_sale = {ware.id for ware in self.wares if ware.active}
        in_stock = {ware.id for ware in self.wares if ware.active and ware.stock}
        assert {each.id for each in every(partial(unit.products.page, ProductQuery()))} == on_sale
        assert {each.id for each in every(partial(unit.products.page, ProductQuery(in_stock=True)))} == in_stock
        found = ProductQuery(match=matched(unit, "things"), sort=RELEVANCE)
        assert {hit.product.id for hit in every(partial(unit.search.page, found))} == on_sale
        assert not unit.search.outdated("", 1)

    def _check_moves(self, unit: Unit) -> None:
        """Each line's units left the shelf once, and came back once if the order was cancelled, or as was agreed."""
        due: Counter[tuple[str, str, StockReason, int]] = Counter()
        for order in every(partial(unit.orders.page, OrderQuery())):
            for line in order.lines:
                due[order.id, line.product_id, StockReason.SALE, -line.quantity] += 1
                if order.status is Status.CANCELLED:
                    due[order.id, line.product_id, StockReason.CANCELLATION, line.quantity] += 1
        for refund in every(partial(unit.refunds.page, RefundQuery())):
            for item in refund.items if refund.disposition is Disposition.RESTOCK else ():
                due[refund.order_id, item.product_id, StockReason.RETURN, item.quantity] += 1
        moves = [move for ware in self.wares for move in every(partial(unit.stock.ledger, ware.id))]
        assert due == Counter(
            (move.order_id, move.product_id, move.reason, move.change) for move in moves if move.order_id is not None
        )

    def _check_orders(self, unit: Unit) -> None:
        orders = {order.id: order for order in every(partial(unit.orders.page, OrderQuery()))}
        assert orders.keys() == self.sales.keys()
        assert len({order.number for order in orders.values()}) == len(orders)
        for sale in self.sales.values():
            order = orders[sale.placed.id]
            check_sums(order)
            assert frozen(order) == frozen(sale.placed), "what was placed has changed"
            assert (order.status, order.is_paid, order.note) == (sale.status, sale.paid, sale.note)
            assert order.refunded.minor == sale.refunded <= order.total.minor
            self._check_history(order, sale)
            if order.id not in self.explained:
                whole = unit.orders.get(order.id)
                assert whole.explanation == sale.placed.explanation
                check_explanation(whole)
                self.explained.add(order.id)

    @staticmethod
    def _check_history(order: Order, sale: Sale) -> None:
        assert order.history[: len(sale.history)] == sale.history, "history was rewritten"
        sale.history = order.history
        steps = [entry.status for entry in order.history]
        assert steps[0] is Status.PENDING
        assert steps[-1] is order.status
        assert all(after in NEXT[before] for before, after in pairwise(steps))

    def _check_purchases(self, unit: Unit) -> None:
        """Unless the worker has still to count, products were bought together as often as the orders say."""
        if unit.purchases.waiting():
            return
        orders = [order for order in every(partial(unit.orders.page, OrderQuery())) if order.counts]
        on_sale = {ware.id for ware in self.wares if ware.active and ware.stock > 0}
        found = unit.purchases.together([ware.id for ware in self.wares], len(self.wares))
        counted = {(each.seed_id, each.other.product_id): each.together for each in found}
        bought = Counter(
            (one, other) for order in orders for one, other in permutations(order.quantities, 2) if other in on_sale
        )
        assert counted == bought
        wanted = {each.product_id: each for each in unit.purchases.wanted(len(self.wares))}
        for ware_id in on_sale:
            weights = [weight(order.created_at) for order in orders if ware_id in order.quantities]
            demand = wanted.get(ware_id)
            assert (demand.orders if demand else 0) == len(weights)
            assert demand is None or isclose(demand.heat, sum(weights), rel_tol=1e-6, abs_tol=1e-6)

    def _check_coupons(self, unit: Unit) -> None:
        stored = {coupon.id: coupon for coupon in every(unit.coupons.page)}
        assert stored.keys() == {offered.coupon.id for offered in self.offered}
        for offered in self.offered:
            coupon = stored[offered.coupon.id]
            assert coupon.uses == self.uses(offered)
            assert coupon.max_uses is None or coupon.uses <= coupon.max_uses
            for shopper in self.shoppers:
                used = unit.coupons.used_by(coupon.id, shopper.name)
                assert used == self.uses(offered, shopper.name)
                assert coupon.max_uses_per_user is None or used <= coupon.max_uses_per_user

    def _check_carts(self, unit: Unit) -> None:
        for shopper in self.shoppers:
            if shopper.account:
                cart = unit.carts.of_user(shopper.account.id)
            else:
                cart = unit.carts.get(shopper.cart_id) if shopper.cart_id else None
            assert (cart.quantities if cart else {}) == shopper.cart
            assert (cart.coupon if cart else None) == shopper.coupon

    def _check_invoices(self, unit: Unit) -> None:
        """Numbered without a gap, one an order, and never changed."""
        issued = list(every(partial(unit.invoices.page, issued_from=None, issued_to=None)))
        assert sorted(invoice.sequence for invoice in issued) == list(range(1, len(issued) + 1))
        by_order = {invoice.order_id: invoice for invoice in issued}
        assert len(by_order) == len(issued)
        assert self.invoices.items() <= by_order.items()
        new = by_order.keys() - self.invoices.keys()
        assert all(self.sales[order_id].status is not Status.CANCELLED for order_id in new)
        assert all(invoice.total == self.sales[order_id].placed.total for order_id, invoice in by_order.items())
        self.invoices = by_order

    def _check_mail(self, unit: Unit) -> None:
        """One letter about each event, and none about anything that did not happen."""
        about = {Template.ORDER_PLACED, Template.ORDER_STATUS}
        notices = self.notices(unit)
        assert all(each.invoice_of is None or each.invoice_of in self.sales for each in notices)
        assert max(Counter((each.event, each.recipient, each.template) for each in notices).values(), default=1) == 1
        written = Counter((each.event, each.recipient) for each in notices if each.template in about)
        owed = Counter(
            (f"order:{order_id}:{what}", sale.placed.email)
            for order_id, sale in self.sales.items()
            for what in ("placed", *(entry.status for entry in sale.history[1:]))
        )
        assert written == owed


def check_sums(order: Order) -> None:
    """An order's amounts are the sums of its lines', and each rate's tax is that of what it is on, rounded once."""
    currency, included = order.currency, order.tax_included
    for line in order.lines:
        assert line.goods.minor >= 0
        assert line.total == (line.goods if included else line.goods + line.tax)
    assert order.subtotal == total((line.unit_price * line.quantity for line in order.lines), currency)
    assert order.discount == total((line.discount for line in order.lines), currency)
    assert order.tax == total((line.tax for line in order.lines), currency) + order.shipping_tax
    goods = order.subtotal - order.discount + order.shipping
    assert order.total == (goods if included else goods + order.tax)
    for rate, net, tax in order.tax_by_rate:
        numerator, denominator = rate.as_integer_ratio()
        base, whole = (net + tax, 100 * denominator + numerator) if included else (net, 100 * denominator)
        assert tax.minor == half_up(base.minor * numerator, whole)


def check_explanation(order: Order) -> None:
    """The explanation accounts for each amount of each line, and for the total."""
    steps = [step for step in order.explanation if step.rule != "tax-included"]
    assert total((step.amount for step in steps), order.currency) == order.total
    for line in order.lines:
        assert total((step.amount for step in steps if step.line == line.id), order.currency) == line.total
        for rule, amount in (
            ("subtotal", line.unit_price * line.quantity),
            ("product-discount", -line.product_discount),
        ):
            said = (step.amount for step in steps if (step.line, step.rule) == (line.id, rule))
            assert total(said, order.currency) == amount
    taxes = (step.amount for step in order.explanation if step.rule in {"tax", "tax-included"})
    assert total(taxes, order.currency) == order.tax


def frozen(order: Order) -> Order:
    """As much of an order as nothing may change once it is placed."""
    return replace(
        order,
        status=Status.PENDING,
        payment_status=PaymentStatus.UNPAID,
        payment_provider="",
        pay_by=None,
        refunded=order.refunded * 0,
        note=None,
        carrier=None,
        tracking_number=None,
        history=(),
        version=1,
        explanation=(),
    )
