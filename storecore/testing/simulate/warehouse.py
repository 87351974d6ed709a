"""In the warehouse: goods come in, parcels go out, and some come back."""

from collections.abc import Mapping
from types import MappingProxyType

from storecore.accounts.model import User
from storecore.accounts.permissions import Role
from storecore.lists import PageRequest
from storecore.orders.model import OFFLINE, Order, Status
from storecore.orders.refund import Disposition, Refund, RefundStatus
from storecore.ports import OrderQuery, RefundQuery
from storecore.testing.machine.scene import every
from storecore.testing.simulate.world import Adjustment, World

People = Mapping[Role, User]
"""Staff, one of each role."""

_MANY = PageRequest(limit=50)
_WORK = (Status.PENDING, Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED)
_NEXT = MappingProxyType(
    {
        Status.PENDING: Status.CONFIRMED,
        Status.CONFIRMED: Status.PROCESSING,
        Status.PROCESSING: Status.SHIPPED,
        Status.SHIPPED: Status.DELIVERED,
    }
)


def fill_shelves(world: World, staff: People) -> None:
    """What runs low comes in; now and then something breaks."""
    by, random = staff[Role.PRODUCT_MANAGER], world.random
    with world.reading() as unit:
        low = list(unit.stock.low(world.shop.low_stock_at, _MANY).items)
        stocked = list(every(unit.products.every))
    product = world.choose(low) if low and random.random() < 0.9 else world.choose(stocked)
    assert product is not None
    change, note = (random.randint(5, 20) if product in low else -random.randint(1, 3)), world.key()
    done = world.ask_once(
        "warehouse",
        f"{change:+} of {product.sku}",
        lambda store, once: store.catalog.adjust_stock(
            by=by, product_id=product.id, change=change, reason=note, once=once
        ),
        lambda offer: offer.product.id,
    )
    if done:
        world.told.adjustments.append(Adjustment(product.id, change, note))


def move_orders(world: World, staff: People) -> None:
    """The oldest go on first; a few are paid in hand, a few are stopped."""
    by, random = staff[Role.PRODUCT_MANAGER], world.random
    with world.reading() as unit:
        waiting = [each for status in _WORK for each in unit.orders.page(OrderQuery(status=status), _MANY).items]
    for order in waiting[-random.randint(1, 10) :]:
        if order.status is Status.PENDING and order.payment_provider != OFFLINE:
            continue
        luck = random.random()
        if luck < 0.06 and order.status is not Status.SHIPPED:
            _stop(world, by, order)
        elif luck < 0.15 and not order.is_paid:
            _take_money(world, by, order)
        else:
            _advance(world, by, order)


def _stop(world: World, by: User, order: Order) -> None:
    world.ask(
        "warehouse",
        f"stops {order.number}",
        lambda store: store.orders.cancel(by=by, order_id=order.id, note="It fell down."),
    )


def _take_money(world: World, by: User, order: Order) -> None:
    world.ask_once(
        "warehouse",
        f"takes the money for {order.number}",
        lambda store, once: store.orders.record_payment(by=by, order_id=order.id, once=once),
        lambda paid: paid.id,
    )


def _advance(world: World, by: User, order: Order) -> None:
    to = _NEXT[order.status]
    world.ask(
        "warehouse",
        f"moves {order.number} to {to}",
        lambda store: store.orders.advance(by=by, order_id=order.id, to=to),
    )


def decide_refunds(world: World, staff: People) -> None:
    """Most are approved."""
    for refund in _refunds(world, RefundStatus.REQUESTED):
        if world.random.random() < 0.2:
            _reject(world, staff[Role.SALES_MANAGER], refund)
        else:
            _approve(world, staff[Role.SALES_MANAGER], refund)


def _approve(world: World, by: User, refund: Refund) -> None:
    shipping, goods = world.random.random() < 0.2, world.random.random() < 0.7
    world.ask_once(
        "sales",
        "approves a refund",
        lambda store, once: store.refunds.approve(
            by=by, refund_id=refund.id, include_shipping=shipping, expect_return=goods, once=once
        ),
        lambda decided: decided.id,
    )


def _reject(world: World, by: User, refund: Refund) -> None:
    world.ask_once(
        "sales",
        "refuses a refund",
        lambda store, once: store.refunds.reject(by=by, refund_id=refund.id, once=once),
        lambda decided: decided.id,
    )


def receive_returns(world: World, staff: People) -> None:
    """What comes back is sold again, or thrown away."""
    for refund in _refunds(world, RefundStatus.APPROVED):
        _receive(world, staff[Role.PRODUCT_MANAGER], refund)


def _receive(world: World, by: User, refund: Refund) -> None:
    disposition = world.random.choice(list(Disposition))
    world.ask_once(
        "warehouse",
        f"gets goods back: {disposition}",
        lambda store, once: store.refunds.receive(by=by, refund_id=refund.id, disposition=disposition, once=once),
        lambda received: received.id,
    )


def _refunds(world: World, status: RefundStatus) -> list[Refund]:
    with world.reading() as unit:
        found = list(unit.refunds.page(RefundQuery(status=status), _MANY).items)
    return [each for each in found if each.expect_return][:3]
