"""The shop in which every use case is tried: somebody in every role, something in every state, work for the worker.

What use cases are called with is looked up here by the names of their parameters. Whoever adds a use case that needs
something new adds it to :func:`prepare`; the tests say what is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

from storecore.accounts.model import GUEST, SYSTEM, Actor, User
from storecore.accounts.permissions import Permission, Role
from storecore.catalog.model import Product
from storecore.lists import every
from storecore.money import Money
from storecore.notices import NoticeState, Template
from storecore.orders.model import Order, Status
from storecore.orders.refund import Disposition
from storecore.store import Store
from storecore.support.telling import QUEUE
from storecore.testing.builders import NOW, make_address, make_notice
from storecore.testing.machine.bank import NAME, SIGNED, Bank, Card
from storecore.testing.machine.scene import PASSWORD, MovingClock
from storecore.transactions import Once

LONG_AGO = timedelta(days=10 * 365 + 3 + 1)
"""Papers of then need not name their buyer any more, since today."""
LONG_OVER = timedelta(days=38)
"""Sessions of then can be forgotten."""
LAST_MONTH = timedelta(days=31)
"""So can guests' carts, and mail that was sent."""
LAST_WEEK = timedelta(days=7)
AN_HOUR = timedelta(hours=1, minutes=5)


@dataclass
class Shopfloor:
    """Who and what is there by now.

    ``arguments`` has what a parameter of a name may be given, the best first: under the name alone, or only for one
    use case, ``orders.pay.token``. A parameter that may be left out is left out unless it is named so.
    """

    store: Store
    clock: MovingClock
    bank: Bank
    arguments: dict[str, list[Any]] = field(default_factory=dict)

    def offer(self, name: str, *values: Any) -> None:
        """Something that a parameter of this name can be given, the best first."""
        self.arguments.setdefault(name, []).extend(values)

    def person(self, name: str, role: Role = Role.CUSTOMER) -> User:
        """Somebody with an account."""
        email = f"{name.split(maxsplit=1)[0].lower()}@example.com"
        user = self.store.accounts.register(email=email, password=PASSWORD, full_name=name)
        if role is not Role.CUSTOMER:
            user = self.store.accounts.set_role(by=SYSTEM, user_id=user.id, role=role)
        return user

    def product(self, name: str, *, stock: int, shelf: str) -> Product:
        """Something to buy."""
        price = Money(19_99, self.store.shop.currency)
        made = self.store.catalog.create_product(
            by=SYSTEM, sku=name.upper(), name=name, price=price, category_ids=[shelf], stock=stock
        )
        return made.product

    def order(self, by: Actor, product: Product, to: Status = Status.PENDING, **changes: Any) -> Order:
        """Two of something, on their way as far as told."""
        order = self.store.orders.place(by=by, **_bought(product), **changes)
        if changes.get("payment") == NAME:
            order = self.store.orders.pay(by=by, order_id=order.id, provider=NAME, token=Card.GOOD).order
        for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
            if to in {order.status, Status.PENDING}:
                break
            if order.status is not status:
                order = self.store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
        return order

    def refund(self, order: Order, *, by: User) -> str:
        """One unit of an order is to come back."""
        items = [(order.lines[0].id, 1)]
        return self.store.refunds.request(by=by, order_id=order.id, items=items, reason="Too small.").id

    def token(self, template: Template, recipient: str) -> str:
        """What is in the link of the last mail of a kind to somebody."""
        notices = every(lambda page: self.store.notices.page(by=SYSTEM, page=page))
        mail = next(each for each in notices if (each.template, each.recipient) == (template, recipient))
        return parse_qs(urlsplit(str(mail.data["link"])).query)["token"][0]

    def work(self) -> None:
        """Everything that is due is done."""
        while self.store.work():
            pass


def prepare(store: Store, clock: MovingClock, bank: Bank) -> Mapping[str, Sequence[Any]]:
    """Fill an empty store, whose clock, ids, random bytes, bank and mail are the trials' own; what is in it, by name.

    It ends at the time of ``builders.NOW``, with something due for everything that the worker does.
    """
    floor = Shopfloor(store, clock, bank)
    clock.at = NOW - LONG_AGO
    shelf = store.catalog.create_category(by=SYSTEM, name="Hats")
    stocks = {"Hat": 60, "Cap": 60, "Scarf": 0}
    hat, cap, scarf = (floor.product(name, stock=stock, shelf=shelf.id) for name, stock in stocks.items())
    floor.order(GUEST, hat, Status.DELIVERED, email="forgotten@example.com")
    floor.work()
    clock.at = NOW - LONG_OVER
    ada, leaver = floor.person("Ada Lovelace"), floor.person("Lea Verne")
    store.accounts.login(email=ada.email, password=PASSWORD)
    floor.order(leaver, hat, Status.DELIVERED)
    clock.at = NOW - LAST_MONTH
    floor.work()
    store.carts.add_item(by=GUEST, product_id=hat.id, quantity=1)
    clock.at = NOW - LAST_WEEK
    staff = floor.person("Grace Hopper", Role.ADMIN)
    agent, colleague = (floor.person(name, Role.SUPPORT_AGENT) for name in ("Mary Seacole", "Florence Nightingale"))
    banned = store.accounts.ban(by=SYSTEM, user_id=floor.person("Ban Quo").id)
    _last_week(floor, ada, leaver, agent, (hat, cap))
    clock.at = NOW - timedelta(days=3)
    old = Once(scope="long ago", key="old", fingerprint=b"old", render=lambda _: b"old")
    store.accounts.add_address(by=leaver, address=make_address(), once=old)
    clock.at = NOW - AN_HOUR
    _an_hour_ago(floor, ada, hat, cap)
    clock.at = NOW - timedelta(minutes=5)
    _just_now(floor, ada, hat, scarf)
    floor.offer("by", ada, staff, agent, leaver, SYSTEM)
    floor.offer("accounts.erase.by", leaver)
    floor.offer("catalog.recommendations.by", ada)
    floor.offer("user", ada)
    floor.offer("user_id", agent.id, banned.id)
    floor.offer("agent_id", colleague.id)
    floor.offer("product_id", scarf.id, hat.id, cap.id)
    floor.offer("product_ids", [scarf.id, cap.id])
    floor.offer("items", [(hat.id, 2), (cap.id, 1)])
    floor.offer("category_id", store.catalog.create_category(by=SYSTEM, name="Empty").id, shelf.id)
    floor.offer("category_ids", [shelf.id])
    floor.offer("product", hat.slug)
    _words(floor)
    clock.at = NOW
    return floor.arguments


def _last_week(floor: Shopfloor, ada: User, leaver: User, agent: User, goods: tuple[Product, Product]) -> None:
    """What is long finished, and refunds of orders that were paid online, in every state."""
    store, refunds, (hat, cap) = floor.store, floor.store.refunds, goods
    paid, received, decided, asked = (
        floor.order(ada, product, Status.DELIVERED, payment=NAME) for product in (cap, cap, cap, hat)
    )
    credited = refunds.approve(by=SYSTEM, refund_id=floor.refund(paid, by=ada), expect_return=False)
    asking = store.support.open(by=leaver, message="Where is it?", subject="My hat")
    said = store.support.attach(by=leaver, conversation_id=asking.id, name="hat.txt", content=[b"A hat."])
    floor.work()
    waits = refunds.approve(by=SYSTEM, refund_id=floor.refund(decided, by=ada))
    requested = floor.refund(asked, by=ada)
    review = store.reviews.write(by=ada, product_id=hat.id, rating=4, comment="Fits.")
    address = store.accounts.add_address(by=leaver, address=make_address())
    own = store.accounts.add_address(by=ada, address=make_address())
    claimed = store.support.open(by=ada, message="And where is mine?")
    store.support.attach(by=ada, conversation_id=claimed.id, name="cap.txt", content=[b"A cap."])
    claimed = store.support.claim(by=agent, conversation_id=claimed.id)
    waiting = store.support.open(by=ada, message="Hello?")
    token = store.support.token(
        store.support.open(by=GUEST, message="?", guest_name="Zoe", guest_email="z@example.com")
    )
    floor.work()
    floor.offer("refund_id", requested, waits.id, credited.id)
    floor.offer("items", [(received.lines[0].id, 1)])
    floor.offer("order_id", received.id)
    floor.offer("review_id", review.id)
    floor.offer("address_id", own.id, address.id)
    floor.offer("conversation_id", claimed.id, waiting.id, asking.id)
    floor.offer("conversation_ids", [claimed.id, waiting.id])
    floor.offer("conversation", claimed)
    floor.offer("attachment_id", said.message.attached.id if said.message.attached else None)
    floor.offer("token", token)


def _an_hour_ago(floor: Shopfloor, ada: User, hat: Product, cap: Product) -> None:
    """What is due by now: orders to be paid, a discount to begin, a file that came with no message."""
    store = floor.store
    overdue, given_up = (store.orders.place(by=ada, **_bought(hat), payment=NAME) for _ in range(2))
    store.orders.pay(by=ada, order_id=given_up.id, provider=NAME, token=Card.SECOND_STEP)
    starts_at = NOW - timedelta(minutes=1)
    store.catalog.discount(by=SYSTEM, product_ids=[cap.id], percent=Decimal(20), starts_at=starts_at)
    store.ports["files"].keep("0123456789abcdef" * 2, [b"Nobody's."])
    floor.offer("order_id", overdue.id)


def _just_now(floor: Shopfloor, ada: User, hat: Product, scarf: Product) -> None:
    """What waits for the worker, and what somebody is in the middle of."""
    store, orders = floor.store, floor.store.orders
    session = store.accounts.login(email=ada.email, password=PASSWORD)
    floor.offer("session_id", session.session.id)
    floor.offer("accounts.logout.session_id", session.session.id)
    floor.offer("session_ids", [session.session.id])
    floor.offer("refresh_token", session.refresh_token)
    floor.person("Bob Cratchit")
    floor.offer("token", floor.token(Template.VERIFY_EMAIL, "bob@example.com"))
    store.accounts.forgot_password(email=ada.email)
    floor.offer("token", floor.token(Template.RESET_PASSWORD, ada.email))
    for product in (scarf, hat):
        store.wishlist.add(by=ada, product_id=product.id)
    store.catalog.discount(by=SYSTEM, product_ids=[hat.id], percent=Decimal(10))
    code = store.catalog.create_coupon(by=SYSTEM, code="TEN", percent=Decimal(10))
    store.carts.add_item(by=ada, product_id=hat.id, quantity=3)
    store.carts.apply_coupon(by=ada, code=code.code)
    cart = store.carts.add_item(by=GUEST, product_id=hat.id, quantity=2).cart
    floor.offer("cart_id", cart.id)
    to_pay = orders.place(by=ada, **_bought(hat), payment=NAME, coupon=code.code)
    asked, told, paid = (orders.place(by=ada, **_bought(hat), payment=NAME) for _ in range(3))
    for order in (asked, told):
        orders.pay(by=ada, order_id=order.id, provider=NAME, token=Card.SECOND_STEP)
    floor.bank.approve(floor.bank.of_order(told.id)[0], approved=True)
    floor.offer("body", floor.bank.told[-1])
    orders.pay(by=ada, order_id=paid.id, provider=NAME, token=Card.GOOD)
    offline = orders.place(by=ada, **_bought(hat))
    guests = orders.place(by=GUEST, **_bought(hat), email="zoe@example.com")
    floor.offer("order_id", paid.id, to_pay.id, offline.id)
    floor.offer("orders.cancel.order_id", paid.id)
    floor.offer("order", guests)
    floor.offer("token", orders.token(guests))
    owed = floor.order(ada, hat, Status.DELIVERED, payment=NAME)
    store.refunds.approve(by=SYSTEM, refund_id=floor.refund(owed, by=ada), expect_return=False)
    floor.offer("coupon_id", code.id)
    floor.offer("code", code.code)
    floor.offer("orders.place.coupon", code.code)
    floor.offer("orders.quote.coupon", code.code)
    with store.storage.writing(store.clock(), store.ports["new_id"]) as unit:
        dead = make_notice(unit.new_id, state=NoticeState.DEAD, attempts=40)
        unit.outbox.add([dead])
        unit.commit()
    floor.offer("notice_id", dead.id)


def _words(floor: Shopfloor) -> None:
    """What needs nothing to be there."""
    plain: Mapping[str, Sequence[Any]] = {
        "insight.roll_up.fewest": [1],
        "orders.pay.token": [Card.GOOD],
        "orders.advance.note": ["On its way."],
        "support.attach.body": ["Look!"],
        "support.attach.client_id": ["file 1"],
        "support.send.client_id": ["message 1"],
        "catalog.products.text": ["hat"],
        "catalog.products.with_facets": [True],
        "catalog.search.with_facets": [True],
        "reviews.write.comment": ["Warm."],
        "refunds.approve.include_shipping": [True],
        "deliver_to": [make_address()],
        "delivery_address": [make_address(city="Ankara")],
        "address": [make_address(city="Ankara"), "127.0.0.1"],
        "changes": [{"city": "Ankara"}],
        "label": ["Work"],
        "email": ["ada@example.com", "somebody.new@example.com", "lea@example.com"],
        "password": [PASSWORD],
        "current": [PASSWORD],
        "new": ["another long password"],
        "full_name": ["Somebody New"],
        "role": [Role.VENDOR],
        "permission": [Permission.REPORTS_READ],
        "allowed": [True],
        "name": ["Mittens", "note.txt"],
        "sku": ["MITTENS"],
        "price": [Money(7_77, floor.store.shop.currency)],
        "percent": [Decimal(50)],
        "code": ["FRESH"],
        "change": [5],
        "quantity": [1],
        "at_most": [5],
        "to": list(Status),
        "disposition": [Disposition.RESTOCK],
        "provider": [NAME],
        "headers": [SIGNED],
        "reason": ["Too large."],
        "rating": [2],
        "comment": ["Not warm."],
        "message": ["Hello!"],
        "body": ["Hello!"],
        "content": [(b"What is attached.",)],
        "file": [BytesIO(b"sku,name,price,categories,stock\nHAT,Hat of felt,,,\nGLOVES,Gloves,5.00,Hats,7\n")],
        "text": ["hat"],
        "seq": [1],
        "after": [0],
        "topic_": [QUEUE],
        "what": ["waiting"],
        "note": ["Ring thrice."],
    }
    for name, values in plain.items():
        floor.offer(name, *values)


def _bought(product: Product) -> dict[str, Any]:
    return {"items": [(product.id, 2)], "deliver_to": make_address()}
