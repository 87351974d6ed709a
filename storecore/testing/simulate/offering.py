"""What is offered, and for how much: prices, discounts, coupons, products."""

from datetime import timedelta
from decimal import Decimal

from storecore.accounts.permissions import Role
from storecore.lists import PageRequest
from storecore.testing.machine.scene import every
from storecore.testing.simulate.warehouse import People
from storecore.testing.simulate.world import World


def set_prices(world: World, staff: People) -> None:
    """Another price, or a discount: at once, planned, or over."""
    by, random, product_id = staff[Role.SALES_MANAGER], world.random, world.choose(world.on_sale())
    if product_id is None:
        return
    luck, price = random.random(), world.money(random.randint(1, 150_00))
    starts = world.clock() + timedelta(hours=random.choice((-1, 0, 5, 50)))
    ends = starts + timedelta(hours=random.randint(2, 100)) if random.random() < 0.7 else None
    percent = Decimal(random.choice(("5", "12.5", "33.33", "100")))
    if luck < 0.4:
        what = "sets a price"
        world.ask("sales", what, lambda store: store.catalog.update_product(by=by, product_id=product_id, price=price))
    elif luck < 0.8:
        world.ask(
            "sales",
            f"takes {percent} % off something",
            lambda store: store.catalog.discount(
                by=by, product_ids=[product_id], percent=percent, starts_at=starts, ends_at=ends
            ),
        )
    else:
        what = "ends a discount"
        world.ask("sales", what, lambda store: store.catalog.clear_discount(by=by, product_ids=[product_id]))


def give_coupons(world: World, staff: People) -> None:
    """With a limit or two; some are withdrawn."""
    by, random = staff[Role.SALES_MANAGER], world.random
    with world.reading() as unit:
        active = [coupon for coupon in every(unit.coupons.page) if coupon.is_active]
    if len(active) > 3:
        coupon_id = random.choice(active).id
        world.ask(
            "sales", "withdraws a coupon", lambda store: store.catalog.withdraw_coupon(by=by, coupon_id=coupon_id)
        )
        return
    code = world.key().upper()
    percent, amount = (Decimal(15), None) if random.random() < 0.5 else (None, world.money(5_00))
    each, most = random.choice((None, 1)), random.choice((None, 2, 6))
    world.ask_once(
        "sales",
        f"gives out {code}",
        lambda store, once: store.catalog.create_coupon(
            by=by, code=code, percent=percent, amount=amount, max_uses=most, max_uses_per_user=each, once=once
        ),
        lambda coupon: coupon.id,
    )


def edit_products(world: World, staff: People) -> None:
    """Another name, something new, something that is no longer sold, or again."""
    by, random = staff[Role.PRODUCT_MANAGER], world.random
    luck, key, stock = random.random(), world.key(), random.randint(0, 10)
    with world.reading() as unit:
        product = random.choice(list(every(unit.products.every)))
        shelf = unit.categories.page(PageRequest()).items[0].id
    if luck < 0.5:
        name = f"{random.choice(('Green', 'Old', 'Warm'))} thing {key}"
        what = f"renames {product.sku}"
        world.ask("editor", what, lambda store: store.catalog.update_product(by=by, product_id=product.id, name=name))
    elif luck < 0.7 and product.is_active:
        what = f"archives {product.sku}"
        world.ask("editor", what, lambda store: store.catalog.archive_product(by=by, product_id=product.id))
    elif luck < 0.9:
        what = f"brings {product.sku} back"
        world.ask(
            "editor", what, lambda store: store.catalog.update_product(by=by, product_id=product.id, is_active=True)
        )
    else:
        price = world.money(random.randint(1, 90_00))
        made = world.ask_once(
            "editor",
            f"adds {key}",
            lambda store, once: store.catalog.create_product(
                by=by, sku=key, name=f"New thing {key}", price=price, category_ids=[shelf], stock=stock, once=once
            ),
            lambda offer: offer.product.id,
        )
        if made:
            world.told.opening[made] = stock
