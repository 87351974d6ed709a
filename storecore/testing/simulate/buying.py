"""Ordering, paying, changing one's mind, and sending things back."""

from collections.abc import Callable
from datetime import timedelta

from storecore.orders.model import OFFLINE, Order, Status
from storecore.orders.payment import PaymentState
from storecore.orders.refund import RefundStatus
from storecore.store import Store
from storecore.testing.builders import make_address
from storecore.testing.machine.bank import NAME, Card
from storecore.testing.simulate.browsing import fill_cart
from storecore.testing.simulate.shopper import Shopper
from storecore.testing.simulate.world import World
from storecore.transactions import Once

_CARDS = (Card.GOOD, Card.GOOD, Card.GOOD, Card.DECLINED, Card.SECOND_STEP)


def check_out(world: World, shopper: Shopper) -> None:
    """Order what is in the cart, often with one thing more."""
    if world.random.random() < 0.6:
        fill_cart(world, shopper)
    provider = _provider(world)

    def check_out(store: Store, once: Once) -> Order:
        return store.orders.checkout(
            by=shopper.by,
            deliver_to=make_address(),
            email=None if shopper.user else shopper.email,
            note=once.key,
            payment=provider,
            once=once,
        )

    _buy(world, shopper, "checks out", check_out, provider)


def order_directly(world: World, shopper: Shopper) -> None:
    """Order some things without a cart, perhaps with a coupon."""
    random, provider, on_sale = world.random, _provider(world), world.on_sale()
    if not on_sale:
        return
    items = [(random.choice(on_sale), random.randint(1, 3)) for _ in range(random.randint(1, 3))]
    coupon = world.choose(world.codes()) if random.random() < 0.5 else None

    def place(store: Store, once: Once) -> Order:
        return store.orders.place(
            by=shopper.by,
            items=items,
            deliver_to=make_address(),
            coupon=coupon,
            email=None if shopper.user else shopper.email,
            note=once.key,
            payment=provider,
            once=once,
        )

    _buy(world, shopper, f"orders {len(items)} things", place, provider)


def _provider(world: World) -> str:
    return NAME if world.random.random() < 0.6 else OFFLINE


def _buy(world: World, shopper: Shopper, what: str, place: Callable[[Store, Once], Order], provider: str) -> None:
    key = world.key()
    world.told.unanswered.add(key)
    order_id = world.ask_once(shopper.email, f"{what} ({key})", place, lambda order: order.id, key=key, patient=False)
    if order_id is None:
        return
    world.told.unanswered.remove(key)
    world.told.answered[key] = order_id
    shopper.orders.append(order_id)
    with world.reading() as unit:
        shopper.bought += unit.orders.get(order_id).quantities
    if provider == NAME and world.random.random() < 0.9:
        pay(world, shopper, order_id)


def pay(world: World, shopper: Shopper, order_id: str, tries: int = 3) -> None:
    """By a card that is good, declined, or asks for a second step, which some never take."""
    card = world.random.choice(_CARDS)
    payment_id = world.ask_once(
        shopper.email,
        f"pays by a card that is {card}",
        lambda store, once: store.orders.pay(
            by=shopper.owning(order_id), order_id=order_id, provider=NAME, token=card, once=once
        ),
        lambda attempt: attempt.payment.id if attempt.payment else "",
        patient=False,
    )
    if not payment_id:
        return
    with world.reading() as unit:
        state = unit.payments.get(payment_id).state
    if state is PaymentState.FAILED and tries > 1 and world.random.random() < 0.6:
        pay(world, shopper, order_id, tries - 1)
    elif state is PaymentState.ACTION_NEEDED and world.random.random() < 0.8:
        approved, wait = world.random.random() < 0.8, timedelta(minutes=world.random.randint(0, 60))
        world.later(wait, lambda: _second_step(world, shopper, order_id, approved=approved))
        if world.random.random() < 0.2:
            _cancel(world, shopper, order_id)


def _second_step(world: World, shopper: Shopper, order_id: str, *, approved: bool) -> None:
    for account in world.bank.of_order(order_id):
        world.bank.approve(account, approved=approved)
    world.note(shopper.email, f"says {'yes' if approved else 'no'} to the bank")


def change_mind(world: World, shopper: Shopper) -> None:
    """Cancel an order, or pay one that was forgotten."""
    order = _own(world, shopper, Status.PENDING, Status.CONFIRMED, Status.PROCESSING)
    if order is None:
        return
    if order.status is Status.PENDING and not order.is_paid and world.random.random() < 0.5:
        pay(world, shopper, order.id)
    elif world.random.random() < 0.5:
        _cancel(world, shopper, order.id)


def _cancel(world: World, shopper: Shopper, order_id: str) -> None:
    world.ask_once(
        shopper.email,
        "cancels an order",
        lambda store, once: store.orders.cancel(by=shopper.owning(order_id), order_id=order_id, once=once),
        lambda cancelled: cancelled.id,
    )


def change_address(world: World, shopper: Shopper) -> None:
    """While the order is pending."""
    if order := _own(world, shopper, Status.PENDING):
        address = make_address(line1=f"Bağdat Caddesi {world.random.randint(1, 500)}")
        world.ask(
            shopper.email,
            f"has moved, so does {order.number}",
            lambda store: store.orders.amend(by=shopper.owning(order.id), order_id=order.id, delivery_address=address),
        )


def return_goods(world: World, shopper: Shopper) -> None:
    """Ask for a refund of something that was delivered, or withdraw it."""
    order, random = _own(world, shopper, Status.DELIVERED), world.random
    if order is None:
        return
    by = shopper.owning(order.id)
    with world.reading() as unit:
        asked = [each.id for each in unit.refunds.of_order(order.id) if each.status is RefundStatus.REQUESTED]
    if asked and random.random() < 0.3:
        world.ask_once(
            shopper.email,
            f"keeps what came with {order.number} after all",
            lambda store, once: store.refunds.withdraw(by=by, refund_id=asked[0], once=once),
            lambda refund: refund.id,
        )
        return
    line = random.choice(order.lines)
    quantity = random.randint(1, line.quantity)
    world.ask_once(
        shopper.email,
        f"sends {quantity} things of {order.number} back",
        lambda store, once: store.refunds.request(
            by=by, order_id=order.id, items=[(line.id, quantity)], reason="Too small.", once=once
        ),
        lambda refund: refund.id,
    )


def _own(world: World, shopper: Shopper, *status: Status) -> Order | None:
    with world.reading() as unit:
        return world.choose(order for order in map(unit.orders.get, shopper.orders[-8:]) if order.status in status)
