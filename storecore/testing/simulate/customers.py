"""Customers and guests: who they are, and what they do in a visit to the shop."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from storecore.accounts.model import User
from storecore.errors import InvalidCredentials, NotABuyer, NotFound, SessionEnded, TokenReused
from storecore.lists import PageRequest
from storecore.store import Store
from storecore.testing.simulate.browsing import change_cart, fill_cart, look_around
from storecore.testing.simulate.buying import change_address, change_mind, check_out, order_directly, return_goods
from storecore.testing.simulate.shopper import PASSWORD, Shopper
from storecore.testing.simulate.world import REFUSALS, World

MOST_ACCOUNTS = 14


class Customers:
    """Everybody on that side of the counter."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shoppers: list[Shopper] = []

    def visit(self) -> None:
        """Somebody comes by, and does a few things as chance will have it."""
        random = self.world.random
        if shopper := self._somebody():
            for step in random.choices(list(STEPS), list(STEPS.values()), k=random.randint(1, 6)):
                step(self.world, shopper)

    def _somebody(self) -> Shopper | None:
        random = self.world.random
        known = [each for each in self.shoppers if each.user]
        guests = [each for each in self.shoppers if not each.user][-10:]
        luck = random.random()
        if luck < 0.65 and known:
            return random.choice(known)
        if luck < 0.75 and guests:
            return random.choice(guests)
        email = f"{self.world.key()}@example.com"
        user = None
        if len(known) < MOST_ACCOUNTS and luck > 0.85 and (user := self._register(email)) is None:
            return None
        self.shoppers.append(Shopper(email, user))
        return self.shoppers[-1]

    def _register(self, email: str) -> User | None:
        """Whoever was not answered signs in, if there is an account by now."""

        def register(store: Store) -> User:
            try:
                return store.accounts.login(email=email, password=PASSWORD).user
            except InvalidCredentials:
                return store.accounts.register(email=email, password=PASSWORD, full_name="Ada Lovelace")

        return self.world.ask(email, "opens an account", register)


def wish(world: World, shopper: Shopper) -> None:
    """Or wish no more."""
    if shopper.user is None:
        return
    with world.reading() as unit:
        wished = [each.product_id for each in unit.wishes.page(shopper.user.id, PageRequest()).items]
    by, product_id = shopper.user, world.choose(world.on_sale())
    if wished and world.random.random() < 0.2:
        world.ask(
            shopper.email,
            "wishes for less",
            lambda store: store.wishlist.remove(by=by, product_id=wished[0]),
            refusals=(*REFUSALS, NotFound),
        )
    elif product_id:
        world.ask(shopper.email, "makes a wish", lambda store: store.wishlist.add(by=by, product_id=product_id))


def review(world: World, shopper: Shopper) -> None:
    """Say what one thinks of something, think again, or take it back."""
    if shopper.user is None:
        return
    random, by = world.random, shopper.user
    with world.reading() as unit:
        own = unit.reviews.of_author(by.id, PageRequest()).items
    rating, comment, luck = random.randint(1, 5), random.choice((None, "Fine.", "Never again.")), random.random()
    if own and luck < 0.4:
        review_id = random.choice(own).id
        world.ask(
            shopper.email,
            "thinks again about something",
            lambda store: store.reviews.edit(by=by, review_id=review_id, rating=rating, comment=comment),
        )
    elif own and luck < 0.5:
        review_id = own[0].id
        world.ask(
            shopper.email,
            "takes a review back",
            lambda store: store.reviews.delete(by=by, review_id=review_id),
            refusals=(*REFUSALS, NotFound),
        )
    elif product_id := world.choose(shopper.bought):
        world.ask_once(
            shopper.email,
            f"gives {rating} stars",
            lambda store, once: store.reviews.write(
                by=by, product_id=product_id, rating=rating, comment=comment, once=once
            ),
            lambda written: written.id,
            refusals=(*REFUSALS, NotABuyer),
        )


def talk(world: World, shopper: Shopper) -> None:
    """Ask the shop something, or go on about it, with a picture now and then."""
    random = world.random
    if not shopper.conversations or random.random() < 0.2:
        name, email = (None, None) if shopper.user else ("Guest Müller", shopper.email)
        opened = world.ask_once(
            shopper.email,
            "asks for help",
            lambda store, once: store.support.open(
                by=shopper.by, message="Where is it?", guest_name=name, guest_email=email, once=once
            ),
            lambda conversation: conversation.id,
        )
        if opened:
            shopper.conversations.append(opened)
        return
    conversation_id, client_id, luck = random.choice(shopper.conversations), world.key(), random.random()
    by = shopper.talking(conversation_id)
    if luck < 0.2:
        world.ask(
            shopper.email, "says goodbye", lambda store: store.support.close(by=by, conversation_id=conversation_id)
        )
    elif luck < 0.4:
        world.ask(
            shopper.email,
            "sends a picture",
            lambda store: store.support.attach(
                by=by,
                conversation_id=conversation_id,
                name="parcel.png",
                content=[_PICTURE],
                body="Look.",
                client_id=client_id,
            ),
        )
    else:
        world.ask(
            shopper.email,
            "says something",
            lambda store: store.support.send(
                by=by, conversation_id=conversation_id, body="Still here?", client_id=client_id
            ),
        )


_PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)


def sign_in(world: World, shopper: Shopper) -> None:
    """Sign in, bringing a guest's cart along, prolong that, or sign out."""
    if shopper.user is None:
        return
    by, luck, token = shopper.user, world.random.random(), shopper.refresh_token
    if token is None or luck < 0.4:
        signed = world.ask(
            shopper.email, "signs in", lambda store: store.accounts.login(email=by.email, password=PASSWORD)
        )
        shopper.refresh_token = signed.refresh_token if signed else None
        if cart_id := world.choose(world.told.guest_carts[-5:]):
            world.ask(shopper.email, "brings a cart along", lambda store: store.carts.merge(by=by, cart_id=cart_id))
    elif luck < 0.8:
        fresh = world.ask(
            shopper.email,
            "comes back",
            lambda store: store.accounts.refresh(refresh_token=token),
            refusals=(*REFUSALS, SessionEnded, TokenReused),
        )
        shopper.refresh_token = fresh.refresh_token if fresh else None
    else:
        world.ask(shopper.email, "signs out", lambda store: store.accounts.logout(refresh_token=token))
        shopper.refresh_token = None


STEPS: Mapping[Callable[[World, Shopper], None], int] = MappingProxyType(
    {
        look_around: 2,
        fill_cart: 6,
        change_cart: 3,
        check_out: 5,
        order_directly: 4,
        change_mind: 2,
        change_address: 1,
        return_goods: 3,
        review: 3,
        wish: 3,
        talk: 2,
        sign_in: 2,
    }
)
"""What somebody may do next, and how often."""
