"""A shop to look at: staff, customers, a fashion catalog, two months of orders, and all that follows.

Everything goes through the store's own use cases, at times in the past, so that the demo data keeps every promise
that real data keeps.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle, product

from storecore.accounts.letters import VERIFY_EMAIL
from storecore.accounts.model import GUEST, SYSTEM, Address, User
from storecore.accounts.permissions import Role
from storecore.catalog.offers import Offer
from storecore.money import Money
from storecore.orders.model import OFFLINE, Order, Status
from storecore.orders.refund import Disposition, RefundStatus
from storecore.ports import OrderQuery
from storecore.store import Store
from webapp.demo.products import CATEGORIES, STYLES, Style

PASSWORD = "12345678"  # noqa: S105 - the documented password of the demo accounts

STAFF = {
    "admin@example.com": ("Alex Admin", Role.ADMIN),
    "manager@example.com": ("Paula Product", Role.PRODUCT_MANAGER),
    "sales@example.com": ("Sam Sales", Role.SALES_MANAGER),
    "support@example.com": ("Robin Support", Role.SUPPORT_AGENT),
    "vendor@example.com": ("Vera Vendor", Role.VENDOR),
}
CUSTOMERS = {
    "customer@example.com": (
        "Chris Customer",
        Address(
            recipient="Chris Customer", line1="12 Main Street", city="Springfield", postal_code="62701", country="US"
        ),
    ),
    "ayse@example.com": (
        "Ayşe Yıldırım Öğüt",
        Address(
            recipient="Ayşe Yıldırım Öğüt",
            line1="İstiklal Caddesi 45",
            line2="Daire 7",
            city="İstanbul",
            postal_code="34430",
            country="TR",
        ),
    ),
    "dmitri@example.com": (
        "Дмитрий Щербаков",
        Address(
            recipient="Дмитрий Щербаков",
            line1="улица Пушкина, дом 10",
            city="Алматы",
            postal_code="050000",
            country="KZ",
        ),
    ),
    "elena@example.com": (
        "Έλενα Παπαδοπούλου",
        Address(recipient="Έλενα Παπαδοπούλου", line1="Ερμού 25", city="Αθήνα", postal_code="105 63", country="GR"),
    ),
    "joao@example.com": (
        "João Gonçalves",
        Address(
            recipient="João Gonçalves", line1="Rua Augusta 100", city="Lisboa", postal_code="1100-053", country="PT"
        ),
    ),
}
DEMO_BANK = "demo"
WAY = (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED)
ORDERS: tuple[tuple[int, Status], ...] = (
    (58, Status.DELIVERED),
    (51, Status.DELIVERED),
    (45, Status.DELIVERED),
    (40, Status.CANCELLED),
    (33, Status.DELIVERED),
    (29, Status.DELIVERED),
    (24, Status.DELIVERED),
    (20, Status.DELIVERED),
    (16, Status.DELIVERED),
    (12, Status.DELIVERED),
    (9, Status.DELIVERED),
    (7, Status.SHIPPED),
    (5, Status.SHIPPED),
    (4, Status.CANCELLED),
    (3, Status.SHIPPED),
    (2, Status.PROCESSING),
    (1, Status.PROCESSING),
    (1, Status.CONFIRMED),
    (0, Status.PENDING),
    (0, Status.PENDING),
)
"""(days ago, the status it has reached), oldest first."""

SMALLER_SIZE = (
    "Merhaba! The coat is lovely, but too large. Can I change it for a smaller one?",
    "Of course. Keep the label on, and order the smaller size; we take the other one back.",
    "Perfect, thank you!",
)
PARCEL = (
    "Hello, where is my parcel? The carrier's page has not changed since yesterday.",
    "Hello Chris, let me have a look.",
    "Take your time.",
    "It is in the depot in Springfield and leaves tomorrow morning.",
    "Great. Can they leave it with my neighbour?",
)

REVIEWS: tuple[tuple[int, str | None, bool | None], ...] = (
    (5, "Even better than in the pictures. Fits as it says.", True),
    (4, None, None),
    (2, "Buy yours at my shop instead: www.example.net", False),
    (4, "Lovely fabric, washes well.\nThe parcel took two days longer than promised.", True),
    (5, None, None),
    (3, "Fine, but the colour is a bit darker than on my screen.", True),
    (5, "Kumaşı çok güzel, tam bedenine göre.", True),
    (1, "The seam opened on the second day.", None),
    (4, "My second one, in another colour.", None),
)
"""(stars, comment, whether a moderator published it, None for not decided) of what arrived, oldest order first."""

CARDS = {10: "4242424242424242", 17: "4242424242424242", 19: "4000000000000002"}
"""Which of the orders were paid online, where the shop has the demo bank, and with which of its test numbers."""

REFUNDS = (
    ("It is too small.", RefundStatus.REQUESTED, None),
    ("The colour is not what I expected.", RefundStatus.APPROVED, "Please use the label in the parcel."),
    ("I ordered the wrong size.", RefundStatus.REFUNDED, None),
    ("I do not like it any more.", RefundStatus.REJECTED, "It has been worn."),
)
"""(why, how it ended, what staff said) of refunds of the latest delivered orders, latest first."""

Progress = Callable[[str], None]


def is_empty(store: Store) -> bool:
    """Whether there is nothing in the store yet that demo data could get in the way of."""
    return not store.catalog.categories().items and not store.catalog.products().items


def seed(store: Store, progress: Progress = lambda _: None) -> None:
    """Fill an empty store. Raises ``RuntimeError`` for one that has a catalog: demo data is no guest in a real shop."""
    if not is_empty(store):
        raise RuntimeError("This store is not empty; demo data goes only into an empty one.")
    opened = store.clock() - timedelta(days=90)
    progress("people")
    people = {email: _person(_at(store, opened), email, name, role) for email, (name, role) in STAFF.items()}
    customers = []
    for email, (name, address) in CUSTOMERS.items():
        customer = _person(_at(store, opened), email, name, Role.CUSTOMER)
        _at(store, opened).accounts.add_address(by=customer, address=address, label="Home")
        customers.append((customer, address))
    progress("products")
    offers = _catalog(_at(store, opened), people["manager@example.com"], people["sales@example.com"])
    progress("orders")
    arrived = _orders(store, customers, offers, people["vendor@example.com"])
    progress("reviews")
    _reviews(store, arrived, people["manager@example.com"])
    progress("refunds")
    buyers: dict[str | None, User] = {customer.id: customer for customer, _ in customers}
    _refunds(store, buyers, sales=people["sales@example.com"], manager=people["manager@example.com"])
    _sell_out(store, offers[-1], people["manager@example.com"])
    progress("wishes")
    _wishes(store, [customer for customer, _ in customers], offers)
    progress("conversations")
    _conversations(store, [customer for customer, _ in customers], people["support@example.com"])


def _at(store: Store, moment: datetime) -> Store:
    """The same store on another day."""
    return store.at(lambda: moment)


def _person(store: Store, email: str, name: str, role: Role) -> User:
    user = store.accounts.register(email=email, password=PASSWORD, full_name=name)
    expires = store.clock() + timedelta(days=1)
    token = store.accounts.signer.sign(VERIFY_EMAIL, {"user": user.id, "email": email, "was": email}, expires)
    user = store.accounts.verify_email(token=token)
    return user if role is Role.CUSTOMER else store.accounts.set_role(by=SYSTEM, user_id=user.id, role=role)


def _catalog(store: Store, manager: User, sales: User) -> list[Offer]:
    shelves = {name: store.catalog.create_category(by=manager, name=name).id for name in CATEGORIES}
    offers: list[Offer] = []
    reduced: dict[str, list[str]] = {}
    for style in STYLES:
        for offer in _variants(store, manager, style, shelves[style.category]):
            offers.append(offer)
            reduced.setdefault(style.discount, []).append(offer.product.id)
    later = _at(store, store.clock() + timedelta(days=30))
    for percent, product_ids in reduced.items():
        if percent != "0":
            later.catalog.discount(by=sales, product_ids=product_ids, percent=Decimal(percent))
    later.catalog.create_coupon(by=sales, code="WELCOME10", percent=Decimal(10), max_uses_per_user=1)
    return offers


def _variants(store: Store, manager: User, style: Style, category_id: str) -> Iterator[Offer]:
    price = Money(int(style.price.replace(".", "")), store.shop.currency)
    for colour, size in product(style.colours, style.sizes or ("",)):
        tags = [part for part in (colour, size) if part]
        attributes = {"colour": colour, "brand": style.brand, "material": style.material} | (
            {"size": size} if size else {}
        )
        yield store.catalog.create_product(
            by=manager,
            sku="-".join([style.code, *(tag.upper().replace(" ", "") for tag in tags)]),
            name=f"{style.name} {' '.join(tags)}",
            description=style.description,
            price=price,
            cost=price.share(45, 100),
            stock=style.stock,
            category_ids=[category_id],
            attributes=attributes,
            group=style.code.lower(),
        )


def _orders(
    store: Store, customers: Sequence[tuple[User, Address]], offers: list[Offer], staff: User
) -> list[tuple[User, Order]]:
    """Orders of the last two months; those that arrived, with who placed them."""
    arrived: list[tuple[User, Order]] = []
    buyers, picks = cycle(customers), cycle(offers[::7] + offers[3::5])
    now = store.clock()
    for number, (days, reached) in enumerate(ORDERS):
        buyer, address = next(buyers)
        placed = now - timedelta(days=days, hours=3 if days else 0, minutes=7 * (len(ORDERS) - number))
        items = {next(picks).product.id: 1 + number % 3 for _ in range(1 + number % 4)}
        card = CARDS.get(number) if DEMO_BANK in store.orders.providers else None
        order = _at(store, placed).orders.place(
            by=buyer, items=list(items.items()), deliver_to=address, payment=DEMO_BANK if card else OFFLINE
        )
        if reached is Status.CANCELLED:
            _at(store, placed + timedelta(minutes=20)).orders.cancel(by=buyer, order_id=order.id, note="Wrong size")
            continue
        soon = _at(store, placed + timedelta(minutes=2)).orders
        if card:
            soon.pay(by=buyer, order_id=order.id, provider=DEMO_BANK, token=card)
        soon.issue_due()
        for step, status in enumerate(WAY[: WAY.index(reached) + 1] if reached in WAY else ()):
            if card and status is Status.CONFIRMED:
                continue  # its payment did that
            shipped = status is Status.SHIPPED
            _at(store, min(placed + timedelta(hours=1 + 20 * step), now)).orders.advance(
                by=staff,
                order_id=order.id,
                to=status,
                carrier="Swift Post" if shipped else None,
                tracking_number=f"SP{number:08d}" if shipped else None,
            )
        if reached is Status.DELIVERED:
            arrived.append((buyer, order))
    return arrived


def _reviews(store: Store, arrived: Sequence[tuple[User, Order]], moderator: User) -> None:
    """What buyers wrote five days after they had ordered, and what the moderator thought of it in the evening."""
    for (buyer, order), (rating, comment, published) in zip(arrived, REVIEWS, strict=False):
        written = order.created_at + timedelta(days=5)
        reviews = _at(store, written).reviews
        review = reviews.write(by=buyer, product_id=order.lines[0].product_id, rating=rating, comment=comment)
        reviews = _at(store, written + timedelta(hours=6)).reviews
        if published:
            reviews.approve(by=moderator, review_id=review.id)
        elif published is False:
            reviews.reject(by=moderator, review_id=review.id, note="Please write about the product.")


def _refunds(store: Store, buyers: Mapping[str | None, User], *, sales: User, manager: User) -> None:
    """The latest deliveries: a return to decide, one that is on its way, one that was paid, and one declined."""
    delivered = store.orders.everyones(by=sales, query=OrderQuery(status=Status.DELIVERED)).items
    for order, (reason, decision, note) in zip(delivered, REFUNDS, strict=False):
        buyer = buyers[order.customer_id]
        day = (order.delivered_at or order.created_at) + timedelta(days=1)
        line = order.lines[0]
        asked = _at(store, day).refunds.request(by=buyer, order_id=order.id, items=[(line.id, 1)], reason=reason)
        decided = _at(store, day + timedelta(hours=4)).refunds
        if decision is RefundStatus.REJECTED:
            decided.reject(by=sales, refund_id=asked.id, note=note)
        elif decision is not RefundStatus.REQUESTED:
            decided.approve(by=sales, refund_id=asked.id, note=note)
        if decision is RefundStatus.REFUNDED:
            here = _at(store, day + timedelta(days=3)).refunds
            here.receive(by=manager, refund_id=asked.id, disposition=Disposition.RESTOCK)


def _sell_out(store: Store, offer: Offer, manager: User) -> None:
    """Every shop has something that it is out of."""
    left = store.catalog.product(product=offer.product.id).product.stock
    store.catalog.adjust_stock(by=manager, product_id=offer.product.id, change=-left, reason="Sent back to the maker")


def _wishes(store: Store, customers: Sequence[User], offers: list[Offer]) -> None:
    """Everybody wishes for a few things, and for what has run out."""
    for number, customer in enumerate(customers):
        for days, wished in enumerate((*offers[number :: len(offers) // 4][:4], offers[-1])):
            moment = store.clock() - timedelta(days=5 - days, minutes=number)
            _at(store, moment).wishlist.add(by=customer, product_id=wished.product.id)


def _conversations(store: Store, customers: Sequence[User], agent: User) -> None:
    """One that was closed, one that is being talked in, one that waits, and a guest's that waits as well."""
    now = store.clock()
    for minutes, customer, subject, words, closed in (
        (2 * 24 * 60, customers[1], "A smaller size", SMALLER_SIZE, True),
        (25, customers[0], "My parcel", PARCEL, False),
    ):
        asked = now - timedelta(minutes=minutes)
        opened = _at(store, asked).support.open(by=customer, subject=subject, message=words[0])
        _at(store, asked + timedelta(minutes=2)).support.claim(by=agent, conversation_id=opened.id)
        for number, (body, speaker) in enumerate(zip(words[1:], cycle((agent, customer))), start=3):
            there = _at(store, asked + timedelta(minutes=number)).support
            there.send(by=speaker, conversation_id=opened.id, body=body)
        if closed:
            over = _at(store, asked + timedelta(minutes=20)).support
            over.close(by=agent, conversation_id=opened.id, notes="Explained how to exchange; no refund needed.")
    _at(store, now - timedelta(minutes=12)).support.open(
        by=customers[2], subject="Добрый день", message="Здравствуйте! Есть ли у вас эта куртка чёрного цвета?"
    )
    _at(store, now - timedelta(minutes=4)).support.open(
        by=GUEST, message="Do you ship to Iceland?", guest_name="Björk Jónsdóttir", guest_email="bjork@example.com"
    )
