"""Wishlists, and news that wishers are told in turns."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from functools import partial

import pytest

from storecore.accounts.model import User
from storecore.catalog.model import Product
from storecore.catalog.wish import News, WishAlert
from storecore.errors import AlreadyWished, NotFound
from storecore.lists import FIRST_PAGE
from storecore.ports import Storage, Unit
from storecore.testing.builders import NOW, ids, make_user, make_wish, make_wish_alert, usd
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import Contract, Together, check_pages, overlap, rerun, seen, written

HOUR = timedelta(hours=1)


def wished(storage: Storage, *, users: int, products: int = 1) -> tuple[list[User], list[Product]]:
    """Users who have each wished each of some products, by id."""
    new_id = ids()
    people = [make_user(new_id) for _ in range(users)]
    things = shelve(storage, new_id, *({} for _ in range(products)))
    with written(storage) as unit:
        for user in people:
            unit.users.add(user)
            for thing in things:
                unit.wishes.add(make_wish(user, thing))
    return people, things


def _next(unit: Unit) -> str | None:
    alert = unit.wishes.next_alert()
    if alert is not None:
        unit.wishes.told(alert.id, None)
    return alert.id if alert else None


class WishesContract(Contract):
    """A product is on a list once; news is kept while somebody has to be told."""

    def test_a_wish_comes_back_in_utc(self, storage: Storage) -> None:
        new_id = ids()
        user, (product,) = make_user(new_id), shelve(storage, new_id, {})
        wish = make_wish(user, product, created_at=NOW.astimezone(timezone(HOUR)))
        with written(storage) as unit:
            unit.users.add(user)
            unit.wishes.add(wish)
        with seen(storage) as unit:
            (found,) = unit.wishes.page(user.id, FIRST_PAGE).items
        assert found == wish
        assert found.created_at.tzinfo is UTC

    def test_a_product_is_wished_once_by_each(self, storage: Storage) -> None:
        (ada, bob), (hat, cap) = wished(storage, users=2, products=2)
        with pytest.raises(AlreadyWished), written(storage) as unit:
            unit.wishes.add(make_wish(ada, hat, created_at=NOW + HOUR))
        with written(storage) as unit:
            unit.wishes.remove(ada.id, hat.id)
        with pytest.raises(NotFound), written(storage) as unit:
            unit.wishes.remove(ada.id, hat.id)
        with seen(storage) as unit:
            assert [wish.product_id for wish in unit.wishes.page(ada.id, FIRST_PAGE).items] == [cap.id]
            assert (unit.wishes.count(ada.id), unit.wishes.count(bob.id), unit.wishes.count("nobody")) == (1, 2, 0)

    def test_a_list_is_cleared_and_others_are_not(self, storage: Storage) -> None:
        (ada, bob), _ = wished(storage, users=2, products=2)
        with written(storage) as unit:
            for _ in range(2):
                unit.wishes.clear(ada.id)
        with seen(storage) as unit:
            assert (unit.wishes.count(ada.id), unit.wishes.count(bob.id)) == (0, 2)

    def test_wishes_are_listed_newest_first(self, storage: Storage) -> None:
        new_id = ids()
        ada, bob = make_user(new_id), make_user(new_id)
        products = shelve(storage, new_id, *({} for _ in range(6)))
        wishes = [make_wish(ada, each, created_at=NOW + HOUR * (n // 2)) for n, each in enumerate(products)]
        with written(storage) as unit:
            unit.users.add(ada)
            unit.users.add(bob)
            for wish in wishes:
                unit.wishes.add(wish)
                unit.wishes.add(replace(wish, user_id=bob.id))
        with seen(storage) as unit:
            check_pages(partial(unit.wishes.page, ada.id), wishes[::-1])

    def test_every_field_of_an_alert_comes_back(self, storage: Storage) -> None:
        _, (hat,) = wished(storage, users=1)
        discount = make_wish_alert(
            ids(50),
            hat,
            news=News.DISCOUNT,
            at=NOW.astimezone(timezone(HOUR)),
            price=usd(2000),
            final_price=usd(1750),
            percent=Decimal("12.5"),
            ends_at=NOW + HOUR,
        )
        restock = make_wish_alert(ids(60), hat, at=NOW + HOUR, told="somebody")
        with written(storage) as unit:
            unit.wishes.announce([discount, restock])
        with written(storage) as unit:
            found = unit.wishes.next_alert()
            assert found == discount
            assert found.at.tzinfo is UTC
            unit.wishes.told(discount.id, None)
            assert unit.wishes.next_alert() == restock

    def test_news_that_nobody_waits_for_is_not_kept(self, storage: Storage) -> None:
        _, (hat,) = wished(storage, users=1)
        new_id = ids(10**5)
        (lonely,) = shelve(storage, new_id, {})
        alerts = [make_wish_alert(new_id, product) for product in (lonely, hat, lonely)]
        with written(storage) as unit:
            unit.wishes.announce(alerts)
            unit.wishes.announce([])
        with written(storage) as unit:
            assert [_next(unit), _next(unit)] == [alerts[1].id, None]

    def test_wishers_are_told_in_turns(self, storage: Storage) -> None:
        people, (hat,) = wished(storage, users=5)
        with written(storage) as unit:
            unit.wishes.announce([make_wish_alert(ids(50), hat, at=NOW + HOUR)])
        told: list[list[User]] = []
        for _ in range(3):
            with written(storage) as unit:
                alert = unit.wishes.next_alert()
                assert alert is not None
                told.append(list(unit.wishes.wishers(alert, 2)))
                unit.wishes.told(alert.id, told[-1][-1].id)
        assert told == [people[:2], people[2:4], people[4:]]

    def test_banned_wishers_take_nobodys_turn(self, storage: Storage) -> None:
        people, (hat,) = wished(storage, users=4)
        with written(storage) as unit:
            for user in people[:2]:
                unit.users.save(user.changed(is_active=False))
        with seen(storage) as unit:
            alert = make_wish_alert(ids(50), hat, at=NOW + HOUR)
            assert list(unit.wishes.wishers(alert, 2)) == people[2:]
            assert list(unit.wishes.wishers(alert, 1)) == people[2:3]

    def test_who_wished_later_is_banned_or_wishes_something_else_is_no_wisher(self, storage: Storage) -> None:
        new_id = ids()
        early, late, banned, other = (make_user(new_id, is_active=n != 2) for n in range(4))
        hat, cap = shelve(storage, new_id, {}, {})
        with written(storage) as unit:
            for user in (early, late, banned, other):
                unit.users.add(user)
            unit.wishes.add(make_wish(early, hat, created_at=NOW - timedelta(microseconds=1)))
            unit.wishes.add(make_wish(late, hat, created_at=NOW))
            unit.wishes.add(make_wish(banned, hat, created_at=NOW - HOUR))
            unit.wishes.add(make_wish(other, cap, created_at=NOW - HOUR))
        with seen(storage) as unit:
            assert unit.wishes.wishers(make_wish_alert(new_id, hat), 10) == [early]

    def test_two_workers_never_have_the_same_alert(self, storage: Storage) -> None:
        _, (hat,) = wished(storage, users=1)
        alerts = [make_wish_alert(ids(50 + n), hat, at=NOW + HOUR * n) for n in range(2)]
        with written(storage) as unit:
            unit.wishes.announce(alerts)
        assert sorted(map(str, overlap(storage, _next, _next))) == [alert.id for alert in alerts]

    def test_a_crowd_of_workers_takes_every_alert_once(self, storage: Storage) -> None:
        _, (hat,) = wished(storage, users=1)
        alerts: list[WishAlert] = [make_wish_alert(ids(50 + n), hat) for n in range(8)]
        with written(storage) as unit:
            unit.wishes.announce(alerts)
        taken = Together(*[partial(rerun, storage, _next) for _ in alerts]).succeed()
        assert sorted(map(str, taken)) == sorted(alert.id for alert in alerts)

    def test_one_user_who_wishes_for_one_thing_many_times_at_once_wishes_it_once(self, storage: Storage) -> None:
        (ada,), (hat,) = wished(storage, users=1)
        with written(storage) as unit:
            unit.wishes.clear(ada.id)
        bodies = [partial(rerun, storage, lambda unit: unit.wishes.add(make_wish(ada, hat))) for _ in range(8)]
        errors = Together(*bodies).join().errors
        assert errors.count(None) == 1
        assert all(isinstance(error, AlreadyWished) for error in errors if error is not None), errors
