"""What is recommended to whom, and why; orders count a moment after they were placed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.sql import SqlStorage
from storecore.accounts.model import GUEST, SYSTEM, Actor, Guest, User
from storecore.accounts.permissions import Role
from storecore.catalog.model import Product
from storecore.catalog.recommending import Context, Recommendation
from storecore.errors import Invalid, NotFound
from storecore.orders.model import Order, Status
from tests.usecases.floor import BACK_ENDS, HOME, Floor, open_floor, person, product


@pytest.fixture(params=[each for each in BACK_ENDS if each != "memory"])
def counting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Floor]:
    """A fresh, empty store on each back end that statements are sent to."""
    with open_floor(request.param, tmp_path) as floor:
        yield floor


def things(store: Floor, *names: str, stock: int = 50, shelf: str | None = None) -> list[Product]:
    """Products of these names, on a shelf together."""
    category = store.catalog.create_category(by=SYSTEM, name=shelf or f"Shelf of {names[0]}")
    return [product(store, name=name, category_ids=[category.id], stock=stock) for name in names]


def bought(store: Floor, *products: Product, by: User | None = None, times: int = 1) -> list[Order]:
    """Orders of some products, counted by the worker; of somebody new each time, unless said otherwise."""
    items = [(each.id, 1) for each in products]
    orders = [store.orders.place(by=by or person(store), items=items, deliver_to=HOME) for _ in range(times)]
    store.mail()
    return orders


def recommended(store: Floor, **asked: Any) -> list[str]:
    """The names of what is recommended, in order."""
    return [each.offer.product.name for each in looked(store, **asked)]


def looked(
    store: Floor, *, by: Actor = GUEST, context: Context = Context.HOME, beside: Product | None = None, limit: int = 20
) -> Sequence[Recommendation]:
    product_id = beside.id if beside else None
    return store.catalog.recommendations(by=by, context=context, product_id=product_id, limit=limit)


def beside(store: Floor, this: Product, by: Actor = GUEST) -> list[str]:
    return recommended(store, by=by, context=Context.PRODUCT, beside=this)


def why(store: Floor, **asked: Any) -> dict[str, str]:
    """The reasons by name."""
    return {each.offer.product.name: each.reason for each in looked(store, **asked)}


def test_beside_a_product_comes_what_was_bought_together_with_it(store: Floor) -> None:
    tea, pot, cup = things(store, "Tea", "Pot", "Cup")
    (tent,) = things(store, "Tent")
    bought(store, tea, pot, times=3)
    bought(store, tea, cup)
    bought(store, tent, times=4)
    first, second, third = looked(store, context=Context.PRODUCT, beside=tea)
    assert [each.offer.product.name for each in (first, second, third)] == ["Pot", "Cup", "Tent"]
    assert (first.reason, second.reason) == ("bought together with Tea", "bought together with Tea")
    assert third.reason == "popular right now"
    assert 1 >= first.score > second.score > third.score > 0


def test_what_everybody_buys_anyway_is_less_close_than_what_goes_with_it(store: Floor) -> None:
    tea, pot, bag = things(store, "Tea", "Pot", "Bag")
    bought(store, tea, pot, times=3)
    bought(store, tea, bag, times=3)
    bought(store, bag, times=12)
    assert beside(store, tea) == ["Pot", "Bag"]


def test_an_order_counts_after_the_worker_has_looked_and_a_cancelled_one_no_more(store: Floor) -> None:
    tea, pot, *_ = things(store, "Tea", "Pot", "Cup")
    user = person(store)
    order = store.orders.place(by=user, items=[(tea.id, 1), (pot.id, 1)], deliver_to=HOME)
    assert "bought together with Tea" not in why(store, context=Context.PRODUCT, beside=tea).values()
    assert store.catalog.count_purchases() == 1
    assert why(store, context=Context.PRODUCT, beside=tea)["Pot"] == "bought together with Tea"
    assert store.catalog.count_purchases() == 0
    store.orders.cancel(by=user, order_id=order.id)
    assert store.catalog.count_purchases() == 1
    assert "bought together with Tea" not in why(store, context=Context.PRODUCT, beside=tea).values()


def test_an_order_whose_money_was_all_given_back_counts_no_more(store: Floor) -> None:
    tea, pot = things(store, "Tea", "Pot")
    (order,) = bought(store, tea, pot)
    for status in (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED):
        store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    with store.storage.reading(store.clock(), str) as unit:
        buyer = unit.users.get(str(order.customer_id))
    for line, shipping, reason in ((0, False, "bought together with Tea"), (1, True, "popular in Shelf of Tea")):
        asked = store.refunds.request(
            by=buyer, order_id=order.id, items=[(order.lines[line].id, 1)], reason="Not wanted"
        )
        store.refunds.approve(by=SYSTEM, refund_id=asked.id, expect_return=False, include_shipping=shipping)
        store.mail()
        if line == 0:
            assert why(store, context=Context.PRODUCT, beside=tea) == {"Pot": reason}
    assert why(store, context=Context.PRODUCT, beside=tea) == {"Pot": "new in the shop"}


def test_at_home_comes_what_goes_with_what_the_user_bought_lately(store: Floor) -> None:
    tea, pot = things(store, "Tea", "Pot")
    tent, stove = things(store, "Tent", "Stove")
    bought(store, tea, pot, times=2)
    bought(store, tent, stove, times=5)
    ada = person(store)
    bought(store, tea, by=ada)
    assert recommended(store, by=ada)[0] == "Pot"
    assert why(store, by=ada)["Pot"] == "bought together with Tea"
    assert set(recommended(store)[:2]) == {"Tent", "Stove"}, "a guest sees what is wanted"


def test_what_the_user_ever_bought_is_not_recommended_however_long_ago(store: Floor) -> None:
    old, other = things(store, "Old", "Other")
    later = things(store, *(f"Later {n}" for n in range(13)))
    ada = person(store)
    bought(store, old, by=ada)
    for each in later:
        store.time.forward(days=1)
        bought(store, each, by=ada)
    bought(store, old, later[12], other, times=3)
    for context in Context:
        assert recommended(store, by=ada, context=context, beside=later[12]) == ["Other"]


def test_what_was_cancelled_was_not_bought(store: Floor) -> None:
    (tea,) = things(store, "Tea")
    ada = person(store)
    (order,) = bought(store, tea, by=ada)
    assert recommended(store, by=ada) == []
    store.orders.cancel(by=ada, order_id=order.id)
    assert recommended(store, by=ada) == ["Tea"]


def test_what_is_sold_out_or_no_longer_sold_is_not_recommended(store: Floor) -> None:
    tea, pot, cup, tray = things(store, "Tea", "Pot", "Cup", "Tray", stock=10)
    bought(store, tea, pot, cup, tray, times=2)
    store.catalog.adjust_stock(by=SYSTEM, product_id=pot.id, change=-8, reason="broken")
    store.catalog.archive_product(by=SYSTEM, product_id=cup.id)
    assert beside(store, tea) == ["Tray"]
    assert sorted(recommended(store)) == ["Tea", "Tray"]


def test_the_cart_begins_with_what_is_in_it_and_shows_nothing_of_that(store: Floor) -> None:
    tea, pot, cup, tent = things(store, "Tea", "Pot", "Cup", "Tent")
    bought(store, tea, pot, cup, times=2)
    bought(store, tent, times=5)
    ada = person(store)
    store.carts.add_item(by=ada, product_id=tea.id, quantity=1)
    store.carts.add_item(by=ada, product_id=pot.id, quantity=2)
    assert recommended(store, by=ada, context=Context.CART) == ["Cup", "Tent"]
    guest = Guest(cart_id=store.carts.add_item(by=Guest(), product_id=tea.id, quantity=1).cart.id)
    assert set(recommended(store, by=guest, context=Context.CART)[:2]) == {"Pot", "Cup"}
    with_ada_s = Guest(cart_id=store.carts.cart(by=ada).cart.id)
    assert recommended(store, by=with_ada_s, context=Context.CART) == recommended(store, context=Context.CART)


def test_a_product_that_nobody_bought_is_beside_what_is_popular_on_its_shelf(store: Floor) -> None:
    fresh, lamp, rug = things(store, "Fresh", "Lamp", "Rug", shelf="Living")
    (tent,) = things(store, "Tent")
    bought(store, lamp)
    bought(store, rug, times=2)
    bought(store, tent, times=2)
    assert why(store, context=Context.PRODUCT, beside=fresh) == {
        "Rug": "popular in Living",
        "Lamp": "popular in Living",
        "Tent": "popular right now",
    }
    assert beside(store, fresh) == ["Rug", "Lamp", "Tent"]


def test_a_new_shop_recommends_what_is_new(store: Floor) -> None:
    assert recommended(store) == []
    things(store, "Old", "New")
    things(store, "Sold out", stock=0)
    assert why(store) == {"New": "new in the shop", "Old": "new in the shop"}
    assert recommended(store) == ["New", "Old"]
    assert recommended(store, by=person(store), limit=1) == ["New"]


def test_what_was_wanted_long_ago_makes_room_for_what_is_wanted_now(store: Floor) -> None:
    old, new = things(store, "Old", "New")
    bought(store, old, times=5)
    store.time.forward(days=7 * 4 * 4)
    bought(store, new)
    assert recommended(store) == ["New", "Old"]


def test_it_is_the_same_each_time_and_for_each_who_is_alike(store: Floor) -> None:
    shelf = things(store, *(f"Thing {n}" for n in range(12)))
    for n in range(12):
        bought(store, shelf[n], shelf[(n * 5 + 1) % 12], shelf[(n * 7 + 2) % 12] if n % 3 else shelf[(n + 1) % 12])
    ada, bob = person(store), person(store)
    bought(store, shelf[0], by=ada)
    bought(store, shelf[0], by=bob)
    found = looked(store, by=ada)
    assert found == looked(store, by=ada) == looked(store, by=bob)
    assert [(-each.score, each.offer.product.id) for each in found] == sorted(
        (-each.score, each.offer.product.id) for each in found
    )
    assert all(0 <= each.score <= 1 for each in found)
    assert looked(store, by=ada, limit=3) == found[:3]


def test_archived_and_unknown_products_are_not_found_and_a_product_is_needed(store: Floor) -> None:
    (tea,) = things(store, "Tea")
    store.catalog.archive_product(by=SYSTEM, product_id=tea.id)
    for unknown in (tea.id, "nothing", ""):
        with pytest.raises(NotFound):
            store.catalog.recommendations(context=Context.PRODUCT, product_id=unknown)
    manager = person(store, Role.PRODUCT_MANAGER)
    assert store.catalog.recommendations(by=manager, context=Context.PRODUCT, product_id=tea.id) == []
    with pytest.raises(Invalid) as refused:
        store.catalog.recommendations(context=Context.PRODUCT)
    assert [field for field, _ in refused.value.errors] == ["product_id"]
    for limit in (0, 101):
        with pytest.raises(Invalid):
            store.catalog.recommendations(limit=limit)


def test_orders_are_counted_so_many_at_a_time_and_first_in_each_round_of_work(store: Floor) -> None:
    tea, pot = things(store, "Tea", "Pot", stock=100)
    for _ in range(5):
        store.orders.place(by=Guest(), items=[(tea.id, 1), (pot.id, 1)], deliver_to=HOME, email="guest@example.com")
    assert [store.catalog.count_purchases(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    for _ in range(60):
        store.orders.place(by=Guest(), items=[(pot.id, 1)], deliver_to=HOME, email="guest@example.com")
    store.work()
    assert store.catalog.count_purchases() == 0, "one round is enough, though some of them have no invoice yet"


def test_looking_takes_as_many_statements_however_much_was_bought(counting: Floor) -> None:
    store, storage = counting, counting.storage
    assert isinstance(storage, SqlStorage)
    shelf = things(store, *(f"Thing {n}" for n in range(30)), stock=99)
    ada = person(store)

    def statements() -> list[int]:
        counts = []
        for context in Context:
            with storage.count_statements() as counted:
                looked(store, by=ada, context=context, beside=shelf[1], limit=5)
            counts.append(counted.count)
        return counts

    store.carts.add_item(by=ada, product_id=shelf[1].id, quantity=1)
    bought(store, *shelf[:10], by=ada)
    bought(store, *shelf)
    few = statements()
    for n in range(12):
        bought(store, *shelf[n : n + 9])
    bought(store, *shelf[3:12], by=ada)
    assert statements() == few
    assert max(few) <= 11


def test_looking_for_an_order_to_count_is_one_statement_that_writes_nothing(counting: Floor) -> None:
    storage = counting.storage
    assert isinstance(storage, SqlStorage)
    version = storage.version()
    with storage.count_statements() as counted:
        assert counting.catalog.count_purchases() == 0
    assert (counted.count, storage.version()) == (1, version)
