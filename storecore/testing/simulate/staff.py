"""Staff: who they are, what they do in a shift, and what is done in the office."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from storecore.accounts.model import SYSTEM, User
from storecore.accounts.permissions import Permission, Role
from storecore.lists import PageRequest
from storecore.notices import NoticeState
from storecore.ports import ConversationQuery
from storecore.store import Store
from storecore.support.model import ConversationStatus
from storecore.testing.machine.scene import every
from storecore.testing.simulate.offering import edit_products, give_coupons, set_prices
from storecore.testing.simulate.shopper import PASSWORD
from storecore.testing.simulate.warehouse import People, decide_refunds, fill_shelves, move_orders, receive_returns
from storecore.testing.simulate.world import World

PRODUCTS = 8
_MANY = PageRequest(limit=50)


class Staff:
    """One of each role, who were there before the doors opened. Each shift is a few duties."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.of: dict[Role, User] = {}

    def open_shop(self) -> None:
        """The first accounts, shelves, products and coupons; nobody dies before that is done."""
        self.world.fate.resting = True
        store = self.world.store
        for role in (Role.ADMIN, Role.PRODUCT_MANAGER, Role.SALES_MANAGER, Role.SUPPORT_AGENT):
            email, name = f"{role}@example.com", "Grace Hopper"
            user = store.accounts.register(email=email, password=PASSWORD, full_name=name)
            self.of[role] = store.accounts.set_role(by=SYSTEM, user_id=user.id, role=role)
            self.world.told.staff.add(user.id)
        shelves = [store.catalog.create_category(by=SYSTEM, name=name).id for name in ("Hats", "Other things")]
        for number in range(PRODUCTS):
            stock = self.world.random.randint(5, 25)
            made = store.catalog.create_product(
                by=SYSTEM,
                sku=f"SKU-{number}",
                name=f"{'Red' if number % 2 else 'Blue'} {'hat' if number % 3 else 'thing'} {number}",
                price=self.world.money(self.world.random.choice((1, 999, 20_00, 33_33, 120_00))),
                category_ids=[shelves[number % 2]],
                stock=stock,
            )
            self.world.told.opening[made.product.id] = stock
        self.world.fate.resting = False

    def shift(self) -> None:
        """Some duties."""
        random = self.world.random
        for duty in random.choices(list(DUTIES), list(DUTIES.values()), k=random.randint(3, 7)):
            duty(self.world, self.of)

    def close_shop(self) -> None:
        """The last thing that is left to people."""
        send_again(self.world, self.of)


def moderate(world: World, staff: People) -> None:
    """Comments are read before everybody may."""
    with world.reading() as unit:
        pending = unit.reviews.pending(_MANY).items
    for review in pending[:2]:
        _decide(world, staff[Role.PRODUCT_MANAGER], review.id)


def _decide(world: World, by: User, review_id: str) -> None:
    if world.random.random() < 0.7:
        world.ask("moderator", "publishes a review", lambda store: store.reviews.approve(by=by, review_id=review_id))
    else:
        world.ask("moderator", "rejects a review", lambda store: store.reviews.reject(by=by, review_id=review_id))


def answer(world: World, staff: People) -> None:
    """Take a conversation, say something, end it."""
    by, random, client_id = staff[Role.SUPPORT_AGENT], world.random, world.key()
    with world.reading() as unit:
        waiting = unit.conversations.queue(_MANY).items
        query = ConversationQuery(agent_id=by.id, status=ConversationStatus.CLAIMED)
        own = unit.conversations.page(query, _MANY).items
    if waiting and (not own or random.random() < 0.5):
        first = waiting[0].id
        world.ask("agent", "takes a conversation", lambda store: store.support.claim(by=by, conversation_id=first))
    elif own:
        mine = random.choice(own).id
        if random.random() < 0.3:
            world.ask("agent", "ends a conversation", lambda store: store.support.close(by=by, conversation_id=mine))
        else:
            world.ask(
                "agent",
                "answers",
                lambda store: store.support.send(by=by, conversation_id=mine, body="Soon.", client_id=client_id),
            )


def change_roles(world: World, staff: People) -> None:
    """Somebody helps out as a vendor, or may do a little less for a while."""
    by, random = staff[Role.ADMIN], world.random
    with world.reading() as unit:
        customers = unit.users.active_with_role(Role.CUSTOMER)
        vendors = unit.users.active_with_role(Role.VENDOR)
    user = world.choose(vendors or customers)
    if user is None:
        return
    role, may = (Role.CUSTOMER if vendors else Role.VENDOR), random.choice((True, None))
    if random.random() < 0.6:
        world.ask(
            "admin",
            f"makes somebody a {role}",
            lambda store: store.accounts.set_role(by=by, user_id=user.id, role=role),
        )
    else:
        world.ask(
            "admin",
            "says what somebody may do",
            lambda store: store.accounts.set_permission(
                by=by, user_id=user.id, permission=Permission.REPORTS_READ, allowed=may
            ),
        )


def send_again(world: World, staff: People) -> None:
    """Mail that was given up after a long outage."""
    by = staff[Role.ADMIN]
    with world.reading() as unit:
        dead = [notice.id for notice in every(partial(unit.outbox.page, state=NoticeState.DEAD))]
    for each in dead:
        _retry(world, by, each)


def _retry(world: World, by: User, notice_id: str) -> None:
    what = "wants a mail sent after all"
    world.ask("admin", what, lambda store: store.notices.retry(by=by, notice_id=notice_id))


def look_at_figures(world: World, staff: People) -> None:
    """Whoever runs the shop wants to know."""
    by = staff[Role.ADMIN]

    def look(store: Store) -> None:
        store.insight.dashboard(by=by)
        store.insight.sales(by=by)
        store.insight.customers(by=by)
        store.audit.page(by=by)

    world.ask("admin", "looks at the figures", look, quiet=True)


DUTIES: Mapping[Callable[[World, People], None], int] = MappingProxyType(
    {
        fill_shelves: 5,
        move_orders: 8,
        decide_refunds: 3,
        receive_returns: 3,
        set_prices: 2,
        give_coupons: 2,
        edit_products: 2,
        moderate: 2,
        answer: 3,
        change_roles: 1,
        send_again: 1,
        look_at_figures: 1,
    }
)
"""What staff do next, and how often."""
