"""Carts of users and guests."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from storecore.carts.model import Cart
from storecore.errors import Contention
from storecore.ports import Storage, Unit
from storecore.testing.builders import NOW, ids, make_user, usd
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.proving import Contract, Together, overlap, rerun, seen, written


class CartsContract(Contract):
    """One cart a user; a guest's is found by its id alone."""

    def test_every_field_of_a_cart_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        user = make_user(new_id)
        products = shelve(storage, new_id, {}, {}, {})
        cart = Cart(id=new_id(), user_id=user.id, coupon="SPRING", updated_at=NOW)
        for quantity, product in enumerate(reversed(products), start=1):
            cart = cart.put(product.id, quantity, seen_price=usd(100 * quantity), at=NOW)
        with written(storage) as unit:
            unit.users.add(user)
            unit.carts.save(cart)
        with written(storage) as unit:
            assert unit.carts.get(cart.id) == cart
            assert unit.carts.of_user(user.id) == cart
            assert unit.carts.locked(cart.id) == cart

    def test_saving_replaces_a_cart(self, storage: Storage) -> None:
        new_id = ids()
        one, two = shelve(storage, new_id, {}, {})
        cart = Cart(id=new_id(), coupon="A", updated_at=NOW).put(one.id, 1, seen_price=usd(1), at=NOW)
        later = NOW.astimezone(timezone(timedelta(hours=2))) + timedelta(hours=1)
        changed = cart.put(two.id, 999, seen_price=usd(2), at=later).put(one.id, 3, seen_price=usd(5), at=later)
        with written(storage) as unit:
            unit.carts.save(cart)
        with written(storage) as unit:
            unit.carts.save(changed.with_coupon(None, at=later))
        with seen(storage) as unit:
            found = unit.carts.get(cart.id)
        assert found == changed.with_coupon(None, at=later)
        assert found is not None
        assert found.updated_at.tzinfo is UTC
        assert [item.product_id for item in found.items] == [one.id, two.id]
        with written(storage) as unit:
            unit.carts.save(changed.emptied(at=later))
            emptied = unit.carts.get(cart.id)
        assert emptied is not None
        assert emptied.items == ()

    def test_there_is_no_cart_until_one_is_saved(self, storage: Storage) -> None:
        with written(storage) as unit:
            assert unit.carts.get("no such id") is None
            assert unit.carts.of_user("nobody") is None
            assert unit.carts.locked("no such id") is None

    def test_a_second_cart_of_a_user_is_contention(self, storage: Storage) -> None:
        new_id = ids()
        user = make_user(new_id)
        guests = Cart(id=new_id(), updated_at=NOW)
        with written(storage) as unit:
            unit.users.add(user)
            unit.carts.save(Cart(id=new_id(), user_id=user.id, updated_at=NOW))
            unit.carts.save(guests)
        with pytest.raises(Contention), written(storage) as unit:
            unit.carts.save(Cart(id=new_id(), user_id=user.id, updated_at=NOW))
        with pytest.raises(Contention), written(storage) as unit:
            unit.carts.save(replace(guests, user_id=user.id))

    def test_a_removed_cart_is_gone_and_its_user_may_have_another(self, storage: Storage) -> None:
        new_id = ids()
        user = make_user(new_id)
        cart = Cart(id=new_id(), user_id=user.id, updated_at=NOW)
        another = Cart(id=new_id(), user_id=user.id, updated_at=NOW)
        with written(storage) as unit:
            unit.users.add(user)
            unit.carts.save(cart)
        with written(storage) as unit:
            unit.carts.remove(cart.id)
            unit.carts.remove(cart.id)
            unit.carts.save(another)
        with seen(storage) as unit:
            assert unit.carts.get(cart.id) is None
            assert unit.carts.of_user(user.id) == another

    def test_a_guests_cart_can_become_a_users(self, storage: Storage) -> None:
        new_id = ids()
        user = make_user(new_id)
        cart = Cart(id=new_id(), updated_at=NOW)
        with written(storage) as unit:
            unit.users.add(user)
            unit.carts.save(cart)
            unit.carts.save(replace(cart, user_id=user.id))
        with seen(storage) as unit:
            assert unit.carts.of_user(user.id) == replace(cart, user_id=user.id)

    def test_sweeping_forgets_old_carts_of_guests_only(self, storage: Storage) -> None:
        new_id = ids()
        user = make_user(new_id)
        old, now = NOW - timedelta(days=90), NOW
        kept = [Cart(id=new_id(), updated_at=now), Cart(id=new_id(), user_id=user.id, updated_at=old)]
        swept = Cart(id=new_id(), updated_at=old)
        with written(storage) as unit:
            unit.users.add(user)
            for cart in (*kept, swept):
                unit.carts.save(cart)
        with written(storage) as unit:
            assert unit.carts.sweep(old) == 0
            assert unit.carts.sweep(old + timedelta(days=1)) == 1
        with seen(storage) as unit:
            assert unit.carts.get(swept.id) is None
            assert [unit.carts.get(cart.id) for cart in kept] == kept

    def test_two_tabs_that_add_at_once_lose_nothing(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {})
        cart = Cart(id=new_id(), updated_at=NOW)
        with written(storage) as unit:
            unit.carts.save(cart)

        def add(unit: Unit) -> None:
            found = unit.carts.locked(cart.id)
            assert found is not None
            unit.carts.save(found.put(product.id, found.quantity(product.id) + 1, seen_price=product.price, at=NOW))

        Together(*[lambda: [rerun(storage, add) for _ in range(5)] for _ in range(4)]).succeed()
        with seen(storage) as unit:
            found = unit.carts.get(cart.id)
        assert found is not None
        assert found.quantity(product.id) == 20

    def test_a_user_who_opens_two_carts_at_once_has_one(self, storage: Storage) -> None:
        new_id = ids()
        user = make_user(new_id)
        with written(storage) as unit:
            unit.users.add(user)

        def open_one(unit: Unit) -> str:
            found = unit.carts.of_user(user.id) or Cart(id=new_id(), user_id=user.id, updated_at=NOW)
            unit.carts.save(found)
            return found.id

        assert len(set(overlap(storage, open_one, open_one))) == 1
