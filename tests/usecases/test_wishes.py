"""Wishlists, and which mail wishers get: one for each event, none for a discount that was there already."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from storecore.accounts.model import GUEST, SYSTEM, User
from storecore.accounts.permissions import Role
from storecore.catalog import wishing
from storecore.catalog.alerts import restocked
from storecore.catalog.model import Product, StockMove, StockReason
from storecore.catalog.wish import News
from storecore.errors import (
    AlreadyWished,
    Forbidden,
    NotAuthenticated,
    NotFound,
    ProductUnavailable,
    WishlistFull,
)
from storecore.lists import PageRequest
from storecore.money import Money
from storecore.notices import Notice, Template
from storecore.store import Store
from storecore.testing.contracts.proving import Together
from storecore.transactions import Once, Replayed
from tests.usecases.floor import HOME, Floor, person, product

NEWS = (Template.WISHLIST_DISCOUNT, Template.WISHLIST_RESTOCK)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def news(store: Floor) -> list[Notice]:
    """Mail about wishes that was sent so far, once the worker has done what is due."""
    return [notice for notice in store.mail() if notice.template in NEWS]


def wisher(store: Floor, *wished: Product) -> User:
    """Somebody who wishes for these things, a minute ago."""
    user = person(store)
    for each in wished:
        store.wishlist.add(by=user, product_id=each.id)
    store.time.forward(minutes=1)
    return user


def reduce(store: Store, *reduced: Product, percent: str = "10", **window: float) -> None:
    """Reduce products, now or in a window of hours from now."""
    moments = {name: store.clock() + timedelta(hours=hours) for name, hours in window.items()}
    store.catalog.discount(
        by=SYSTEM,
        product_ids=[each.id for each in reduced],
        percent=Decimal(percent),
        starts_at=moments.get("starts"),
        ends_at=moments.get("ends"),
    )


def add_stock(store: Store, item: Product, change: int) -> None:
    store.catalog.adjust_stock(by=SYSTEM, product_id=item.id, change=change, reason="counted")


# The list.


def test_a_wishlist_shows_products_as_they_are_offered_now_newest_first(store: Floor) -> None:
    user, hat, cap = person(store), product(store, price=2000), product(store, stock=0)
    for each in (hat, cap):
        added = store.wishlist.add(by=user, product_id=each.id)
        assert (added.offer.product.id, added.wished_at) == (each.id, store.time.at)
        store.time.forward(minutes=1)
    reduce(store, hat, percent="25")
    store.catalog.archive_product(by=SYSTEM, product_id=cap.id)
    found = store.wishlist.wishes(by=user, page=PageRequest(limit=1, total=True))
    assert (found.total, [each.offer.product.id for each in found.items]) == (2, [cap.id])
    assert not found.items[0].offer.product.is_active
    (last,) = store.wishlist.wishes(by=user, page=PageRequest(limit=1, after=found.next)).items
    assert (last.offer.product.id, last.offer.final_price, last.offer.prior_price) == (hat.id, usd(1500), usd(2000))
    assert not store.wishlist.wishes(by=person(store)).items


def test_a_product_is_wished_once_until_it_is_taken_off(store: Floor) -> None:
    user, hat, cap = person(store), product(store), product(store)
    store.wishlist.add(by=user, product_id=hat.id)
    with pytest.raises(AlreadyWished):
        store.wishlist.add(by=user, product_id=hat.id)
    store.wishlist.remove(by=user, product_id=hat.id)
    with pytest.raises(NotFound):
        store.wishlist.remove(by=user, product_id=hat.id)
    store.wishlist.add(by=user, product_id=hat.id)
    store.wishlist.add(by=user, product_id=cap.id)
    store.wishlist.clear(by=user)
    store.wishlist.clear(by=user)
    assert not store.wishlist.wishes(by=user).items


def test_what_is_unknown_or_no_longer_sold_can_not_be_wished(store: Floor) -> None:
    user, hat = person(store), product(store)
    for unknown in ("nothing", "", hat.slug):
        with pytest.raises(NotFound):
            store.wishlist.add(by=user, product_id=unknown)
    store.catalog.archive_product(by=SYSTEM, product_id=hat.id)
    with pytest.raises(ProductUnavailable):
        store.wishlist.add(by=user, product_id=hat.id)


def test_guests_and_closed_accounts_have_no_wishlist(store: Floor) -> None:
    hat, user = product(store), person(store)
    for act in (
        lambda by: store.wishlist.add(by=by, product_id=hat.id),
        lambda by: store.wishlist.remove(by=by, product_id=hat.id),
        lambda by: store.wishlist.clear(by=by),
        lambda by: store.wishlist.wishes(by=by),
    ):
        for nobody in (GUEST, SYSTEM):
            with pytest.raises(NotAuthenticated):
                act(nobody)
        with pytest.raises(Forbidden):
            act(user.changed(is_active=False))


def test_a_wishlist_holds_so_many_and_not_one_more_also_when_raced(
    store: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wishing, "MAX_WISHES", 3)
    user, things = person(store), [product(store) for _ in range(8)]
    race = [lambda each=each: store.wishlist.add(by=user, product_id=each.id) for each in things]
    errors = Together(*race).join().errors
    assert Counter(type(error) for error in errors) == {type(None): 3, WishlistFull: 5}
    assert store.wishlist.wishes(by=user, page=PageRequest(total=True)).total == 3


def test_a_wish_that_is_sent_again_with_its_key_is_made_once(store: Floor) -> None:
    user, hat = person(store), product(store)
    once = Once("wish", "key", b"fingerprint", lambda wished: wished.offer.product.id.encode())
    store.wishlist.add(by=user, product_id=hat.id, once=once)
    with pytest.raises(Replayed) as replayed:
        store.wishlist.add(by=user, product_id=hat.id, once=once)
    assert replayed.value.answer == hat.id.encode()


# Discounts.


def test_a_discount_tells_every_wisher_once_with_the_price_of_that_moment(store: Floor) -> None:
    hat = product(store, price=2000, name="Straw hat")
    ada, bob = wisher(store, hat), wisher(store, hat)
    wisher(store, product(store))
    reduce(store, hat, percent="12.50", ends=48)
    at = store.time.at
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, price=usd(3000))
    told = news(store)
    assert sorted(notice.recipient for notice in told) == sorted([ada.email, bob.email])
    assert {notice.template for notice in told} == {Template.WISHLIST_DISCOUNT}
    assert dict(told[0].data) == {
        "name": "Ada Lovelace",
        "product": "Straw hat",
        "sku": hat.sku,
        "price": "20.00",
        "final_price": "17.50",
        "currency": "USD",
        "percent": "12.5",
        "ends_at": (at + timedelta(hours=48)).isoformat(),
    }
    store.time.forward(hours=1)
    assert len(news(store)) == 2


def test_a_discount_that_was_there_already_is_no_news(store: Floor) -> None:
    hat = product(store)
    wisher(store, hat)
    reduce(store, hat)
    late = person(store)
    store.wishlist.add(by=late, product_id=hat.id)
    store.time.forward(minutes=1)
    reduce(store, hat)
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, discount_percent=Decimal(10))
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, name="Another name")
    reduce(store, hat, percent="5")
    assert late.email not in [notice.recipient for notice in news(store)]
    assert len(news(store)) == 1


def test_a_greater_discount_is_news_again(store: Floor) -> None:
    hat = product(store)
    wisher(store, hat)
    reduce(store, hat)
    assert len(news(store)) == 1
    store.time.forward(minutes=1)
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, discount_percent=Decimal(20))
    assert [notice.data["percent"] for notice in news(store)] == ["10", "20"]


def test_a_discount_that_a_higher_price_makes_up_for_is_no_news_nor_is_a_lower_price_alone(store: Floor) -> None:
    hat, cap = product(store, price=1000), product(store, price=1000)
    wisher(store, hat, cap)
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, price=usd(1250), discount_percent=Decimal(20))
    store.catalog.update_product(by=SYSTEM, product_id=cap.id, price=usd(500))
    assert news(store) == []
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, price=usd(1260), discount_percent=Decimal(21))
    assert [notice.data["final_price"] for notice in news(store)] == ["9.95"]


def test_a_discount_that_takes_off_less_than_a_cent_is_no_news(store: Floor) -> None:
    hat = product(store, price=10)
    wisher(store, hat)
    reduce(store, hat, percent="0.01")
    reduce(store, hat, percent="0.02", starts=1)
    store.time.forward(hours=2)
    assert news(store) == []


def test_a_discount_of_less_than_a_percent_is_news(store: Floor) -> None:
    hat = product(store, price=2000)
    wisher(store, hat)
    reduce(store, hat, percent="0.50")
    assert [notice.data["final_price"] for notice in news(store)] == ["19.90"]


def test_a_planned_discount_is_news_when_it_begins(store: Floor) -> None:
    hat = product(store)
    early = wisher(store, hat)
    reduce(store, hat, starts=1, ends=2)
    assert news(store) == []
    store.time.forward(hours=1)
    late = person(store)
    store.wishlist.add(by=late, product_id=hat.id)
    store.time.forward(minutes=10)
    assert [notice.recipient for notice in news(store)] == [early.email]
    store.time.forward(hours=3)
    assert len(news(store)) == 1
    assert len(store.catalog.prices(by=SYSTEM, product_id=hat.id).items) == 3, "opening, start and end, once each"


def test_a_planned_discount_that_came_and_went_unseen_is_no_news(store: Floor) -> None:
    hat = product(store)
    wisher(store, hat)
    reduce(store, hat, starts=1, ends=2)
    store.time.forward(hours=3)
    assert news(store) == []


def test_staff_who_edit_before_the_worker_looks_take_no_news_away_and_add_none(store: Floor) -> None:
    hat = product(store, price=1000)
    wisher(store, hat)
    reduce(store, hat, starts=1)
    began = store.time.at + timedelta(hours=1)
    store.time.forward(hours=2)
    for name in ("One", "Two"):
        store.catalog.update_product(by=SYSTEM, product_id=hat.id, name=name)
        store.time.forward(minutes=1)
    assert [notice.data["percent"] for notice in news(store)] == ["10"]
    store.time.forward(days=60)
    store.catalog.update_product(by=SYSTEM, product_id=hat.id, name="Three")
    assert len(news(store)) == 1
    moments = [change.at for change in store.catalog.prices(by=SYSTEM, product_id=hat.id).items]
    assert moments == [began, hat.created_at]


def test_many_products_are_reduced_at_once_and_each_is_an_event(store: Floor) -> None:
    things = [product(store) for _ in range(4)]
    user = wisher(store, *things[:3])
    wisher(store, things[0])
    reduce(store, *things)
    assert Counter(notice.recipient for notice in news(store))[user.email] == 3
    assert len(news(store)) == 4


# Stock.


def test_what_comes_back_tells_its_wishers_and_what_was_there_does_not(store: Floor) -> None:
    hat = product(store, price=2000, stock=0)
    user = wisher(store, hat)
    add_stock(store, hat, 5)
    (told,) = news(store)
    assert (told.template, told.recipient, told.data["final_price"]) == (
        Template.WISHLIST_RESTOCK,
        user.email,
        "20.00",
    )
    store.time.forward(minutes=1)
    add_stock(store, hat, 5)
    add_stock(store, hat, -10)
    assert len(news(store)) == 1
    store.time.forward(minutes=1)
    add_stock(store, hat, 1)
    assert len(news(store)) == 2


def test_units_of_one_product_that_move_at_once_count_together(store: Floor) -> None:
    hat, cap = product(store, stock=0), product(store, stock=0)
    wisher(store, hat, cap)
    with store.storage.writing(store.time.at, store._ports.new_id) as unit:
        moves = [
            StockMove(
                id=unit.new_id(),
                product_id=each.id,
                change=change,
                reason=StockReason.ADJUSTMENT,
                note="counted",
                at=unit.now,
            )
            for each, change in ((hat, 1), (hat, 1), (cap, 1), (cap, -1))
        ]
        restocked(unit, moves, unit.stock.move(moves))
        unit.commit()
    assert [notice.data["sku"] for notice in news(store)] == [hat.sku]


def test_what_comes_back_reduced_is_told_as_coming_back(store: Floor) -> None:
    hat = product(store, price=2000, stock=0)
    reduce(store, hat, ends=48)
    wisher(store, hat)
    add_stock(store, hat, 1)
    with store.storage.writing(store.time.at, str) as unit:
        alert = unit.wishes.next_alert()
    assert alert is not None
    assert (alert.news, alert.product_id, alert.at) == (News.RESTOCK, hat.id, store.time.at)
    assert (alert.price, alert.final_price, alert.percent, alert.ends_at) == (usd(2000), usd(1800), None, None)


def test_a_cancelled_order_brings_its_goods_back(store: Floor) -> None:
    hat, cap = product(store, stock=2), product(store, stock=9)
    user, buyer = wisher(store, hat, cap), person(store)
    order = store.orders.place(by=buyer, items=[(hat.id, 2), (cap.id, 1)], deliver_to=HOME)
    store.time.forward(minutes=1)
    store.orders.cancel(by=buyer, order_id=order.id)
    (told,) = news(store)
    assert (told.recipient, told.data["sku"]) == (user.email, hat.sku)


def test_archived_products_are_no_news(store: Floor) -> None:
    hat, cap = product(store, stock=0), product(store, stock=0)
    wisher(store, hat, cap)
    store.catalog.archive_product(by=SYSTEM, product_id=hat.id)
    add_stock(store, hat, 5)
    reduce(store, hat)
    reduce(store, hat, percent="50", starts=1)
    add_stock(store, cap, 5)
    store.catalog.archive_product(by=SYSTEM, product_id=cap.id)
    store.time.forward(hours=2)
    assert news(store) == []


def test_who_is_banned_or_has_taken_it_off_the_list_is_not_told(store: Floor) -> None:
    hat = product(store, stock=0)
    gone, banned, stays = (wisher(store, hat) for _ in range(3))
    with store.storage.writing(store.clock(), lambda: "") as unit:
        unit.users.save(unit.users.get(banned.id).changed(is_active=False))
        unit.commit()
    add_stock(store, hat, 1)
    store.wishlist.remove(by=gone, product_id=hat.id)
    assert [notice.recipient for notice in news(store)] == [stays.email]


# Many wishers.


def tell(store: Store, limit: int) -> list[int]:
    """One worker, until there is nothing left to tell."""
    done = []
    while step := store.wishlist.tell_wishers(limit=limit):
        done.append(step)
    return done


def test_wishers_are_told_in_batches(store: Floor) -> None:
    hat = product(store, stock=0)
    people = [wisher(store, hat) for _ in range(7)]
    add_stock(store, hat, 1)
    assert tell(store, limit=3) == [3, 3, 1]
    assert Counter(notice.recipient for notice in news(store)) == {user.email: 1 for user in people}


def test_a_worker_that_is_killed_between_two_batches_leaves_nobody_out_and_tells_nobody_twice(store: Floor) -> None:
    class Killed(BaseException):
        """Not an error that anybody catches."""

    hat = product(store, stock=0)
    people = [wisher(store, hat) for _ in range(7)]
    add_stock(store, hat, 1)
    made: list[str] = []

    def dying_id() -> str:
        if len(made) == 5:
            raise Killed
        made.append(store.wishlist.new_id())
        return made[-1]

    dying = Store(**{**store.ports, "new_id": dying_id})
    with pytest.raises(Killed):
        tell(dying, limit=3)
    assert len(made) == 5, "it died in the middle of the second batch"
    tell(store, limit=3)
    assert Counter(notice.recipient for notice in news(store)) == {user.email: 1 for user in people}


def test_several_workers_tell_everybody_once(store: Floor) -> None:
    hat, cap = product(store, stock=0), product(store)
    people = [wisher(store, hat, cap) for _ in range(10)]
    add_stock(store, hat, 1)
    reduce(store, cap)
    Together(*[lambda: tell(store, limit=2)] * 4).succeed()
    assert Counter(notice.recipient for notice in news(store)) == {user.email: 2 for user in people}


def test_other_mail_does_not_wait_for_all_wishers(store: Floor) -> None:
    hat, cap, buyer = product(store, stock=0), product(store), person(store)
    for _ in range(120):
        store.wishlist.add(by=person(store), product_id=hat.id)
    store.mail()
    store.time.forward(minutes=1)
    add_stock(store, hat, 1)
    sent = len(store.mailer.sent)
    for _ in range(4):
        store.work()
    store.orders.place(by=buyer, items=[(cap.id, 1)], deliver_to=HOME)
    store.mail()
    templates = [notice.template for notice, _ in store.mailer.sent[sent:]]
    assert templates.count(Template.WISHLIST_RESTOCK) == 120
    assert templates.index(Template.ORDER_PLACED) == 100, "after the batch that was owed, before the rest"


def test_staff_and_sales_write_one_row_however_many_wish(store: Floor) -> None:
    hat = product(store, stock=0)
    for _ in range(5):
        wisher(store, hat)
    store.mail()
    add_stock(store, hat, 1)
    with store.storage.reading(store.clock(), lambda: "") as unit:
        owed = [notice for notice in unit.outbox.page(PageRequest(limit=100)).items if notice.template in NEWS]
    assert owed == []


def test_every_role_has_a_wishlist(store: Floor) -> None:
    hat = product(store)
    for role in Role:
        store.wishlist.add(by=person(store, role), product_id=hat.id)
