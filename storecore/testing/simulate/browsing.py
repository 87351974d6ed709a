"""Looking around, and filling a cart."""

from collections.abc import Callable

from storecore.catalog.recommending import Context
from storecore.errors import NotFound
from storecore.ports import ProductQuery
from storecore.store import Store
from storecore.testing.simulate.shopper import Shopper
from storecore.testing.simulate.world import REFUSALS, World

_WORDS = ("thing", "hat", "a red scarf", "thnig", "boots", "nothing of the kind")


def look_around(world: World, shopper: Shopper) -> None:
    """Search, a product's page, and what else might please."""
    random = world.random
    text, query, facets = random.choice(_WORDS), ProductQuery(sort=random.choice(("price", "rating"))), _often(world)

    def search(store: Store) -> None:
        store.catalog.suggest(text=text)
        store.catalog.search(text=text)
        store.catalog.products(query=query, with_facets=facets)

    world.ask(shopper.email, f"searches {text}", search, quiet=True)
    if product_id := world.choose(world.on_sale()):

        def look(store: Store) -> None:
            store.catalog.product(product=product_id)
            store.catalog.recommendations(by=shopper.by, context=Context.PRODUCT, product_id=product_id)
            store.reviews.of_product(product_id=product_id)

        world.ask(shopper.email, "looks at a product", look, refusals=(*REFUSALS, NotFound), quiet=True)


def _often(world: World) -> bool:
    return world.random.random() < 0.3


def fill_cart(world: World, shopper: Shopper) -> None:
    """One thing more."""
    product_id, quantity = world.choose(world.on_sale()), world.random.randint(1, 3)
    if product_id is None:
        return
    cart_id = world.ask_once(
        shopper.email,
        f"puts {quantity} of something into the cart",
        lambda store, once: store.carts.add_item(by=shopper.by, product_id=product_id, quantity=quantity, once=once),
        lambda priced: priced.cart.id,
    )
    if cart_id and shopper.user is None:
        shopper.cart_id = cart_id
        world.told.guest_carts.append(cart_id)


def change_cart(world: World, shopper: Shopper) -> None:
    """Another quantity, one thing less, a coupon, or nothing at all."""
    by = shopper.by
    with world.reading() as unit:
        cart = unit.carts.of_user(by.id) if by.id else unit.carts.get(shopper.cart_id or "")
    if cart is None or not cart.items:
        return
    random = world.random
    product_id, quantity, code = (
        random.choice(cart.items).product_id,
        random.randint(1, 4),
        random.choice(world.codes()),
    )
    changes: tuple[tuple[str, Callable[[Store], object]], ...] = (
        (
            "wants another quantity",
            lambda store: store.carts.set_quantity(by=by, product_id=product_id, quantity=quantity),
        ),
        ("takes something out of the cart", lambda store: store.carts.remove_item(by=by, product_id=product_id)),
        (f"tries {code}", lambda store: store.carts.apply_coupon(by=by, code=code)),
        (f"tries {code} again", lambda store: store.carts.apply_coupon(by=by, code=code)),
        ("empties the cart", lambda store: store.carts.clear(by=by)),
    )
    what, change = random.choice(changes)
    world.ask(shopper.email, what, change, refusals=(*REFUSALS, NotFound))
