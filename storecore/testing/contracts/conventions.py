"""What the ports promise of every repository alike: times, versions, missing rows, a unit's own writes, and copies."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from functools import partial
from typing import Any

import pytest

from storecore.catalog.model import Product
from storecore.errors import CategoryExists, Contention, CouponExists, EmailTaken, NotFound, SkuTaken, StoreError
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.ports import (
    AuditQuery,
    ConversationQuery,
    NewId,
    OrderQuery,
    ProductQuery,
    RefundQuery,
    Storage,
    Unit,
)
from storecore.support.model import Side
from storecore.testing.builders import (
    NOW,
    ids,
    make_category,
    make_coupon,
    make_notice,
    make_product,
    make_user,
    make_wish,
)
from storecore.testing.contracts.audit import make_audit_entry
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.kinds import Kind, kinds, times
from storecore.testing.contracts.proving import Contract, overlap, seen, written

BAD_IDS = ("no such id", "", "\0", "\ud800")
"""Ids that nothing has: well-formed or not, they are missing rows."""


class ConventionsContract(Contract):
    """The first lines of :mod:`storecore.ports`, of every repository."""

    def test_whatever_is_written_is_read_by_its_own_unit_and_by_later_ones_with_times_in_utc(
        self, storage: Storage
    ) -> None:
        for name, kind in kinds(storage).items():
            with written(storage) as unit:
                kind.add(unit, kind.entity)
                own = kind.read(unit)
            with written(storage) as unit:
                found = kind.read(unit)
            assert own == found == kind.entity, name
            for time in (*times(own), *times(found)):
                assert time.tzinfo is UTC, f"a time of a {name} is not in UTC"

    def test_a_version_goes_up_by_one_or_is_contention(self, storage: Storage) -> None:
        for name, kind in kinds(storage).items():
            if kind.save is None:
                continue
            with written(storage) as unit:
                kind.add(unit, kind.entity)
            for version in (kind.entity.version, kind.entity.version + 2):
                refused = _refusal(storage, kind, version)
                assert isinstance(refused, Contention), f"a {name} of version {version} and {refused}"
            with written(storage) as unit:
                kind.save(unit, replace(kind.entity, version=kind.entity.version + 1))
                found = kind.read(unit)
            assert found == replace(kind.entity, version=kind.entity.version + 1), name
            assert all(time.tzinfo is UTC for time in times(found)), f"a {name} was saved with other times than UTC"

    def test_what_was_never_added_is_not_saved(self, storage: Storage) -> None:
        for name, kind in kinds(storage).items():
            if kind.save is None:
                continue
            refused = _refusal(storage, kind, kind.entity.version + 1)
            assert isinstance(refused, NotFound | Contention), f"a {name} that is not there and {refused}"
            with written(storage) as unit, pytest.raises(NotFound):
                kind.read(unit)
        notice = make_notice(ids(10**5))
        with pytest.raises(NotFound), written(storage) as unit:
            unit.outbox.save(notice)

    def test_of_two_units_that_want_one_name_at_once_one_gets_it(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {})
        wanted: tuple[tuple[type[StoreError], Callable[[Unit], None]], ...] = (
            (EmailTaken, lambda unit: unit.users.add(make_user(new_id, email="ada@example.com"))),
            (CategoryExists, lambda unit: unit.categories.add(make_category(new_id, name="Hats"))),
            (SkuTaken, lambda unit: unit.products.add(_hat(new_id, product, sku="HAT-1"))),
            (CouponExists, lambda unit: unit.coupons.add(make_coupon(new_id, code="SPRING"))),
        )
        for refused, take in wanted:
            outcomes = overlap(storage, take, take)
            assert sorted(type(outcome).__name__ for outcome in outcomes) == sorted([refused.__name__, "NoneType"])

    def test_of_two_units_that_want_one_slug_at_once_each_gets_its_own(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {})
        made = [_hat(new_id, product, name="Red hat") for _ in range(2)]
        adds: list[Callable[[Unit], None]] = [partial(_add, product=each) for each in made]
        assert overlap(storage, *adds) == [None, None]
        with seen(storage) as unit:
            slugs = {each.slug for each in unit.products.some([each.id for each in made]).values()}
        assert len(slugs) == 2
        assert "red-hat" in slugs

    @pytest.mark.parametrize("bad", BAD_IDS)
    def test_an_id_that_nothing_has_is_a_missing_row(self, storage: Storage, bad: str) -> None:
        shelve(storage, ids(), {"stock": 1})
        with written(storage) as unit:
            for look in _not_found(unit):
                with pytest.raises(NotFound):
                    look(bad)
            for look in _nothing(unit):
                assert not look(bad), f"{look} found {look(bad)}"
            for fetch in _empty_lists(unit, bad):
                page = fetch(PageRequest(total=True))
                assert (page.items, page.next, page.total) == ((), None, 0)

    def test_forgetting_what_is_not_there_does_nothing(self, storage: Storage) -> None:
        new_id = ids()
        (product,) = shelve(storage, new_id, {"stock": 1})
        user, bad = make_user(new_id), "no such id"
        with written(storage) as unit:
            unit.users.add(user)
            unit.wishes.add(make_wish(user, product))
        with written(storage) as unit:
            for forget in (
                unit.carts.remove,
                unit.outbox.remove,
                unit.sessions.forget,
                unit.wishes.clear,
                unit.coupons.give_back,
                unit.outbox.forget,
                unit.conversations.remove,
            ):
                assert not forget(bad)
            unit.sessions.end(bad, NOW)
            unit.sessions.end_all(bad, NOW)
            unit.wishes.told(bad, None)
            unit.wishes.told(bad, user.id)
            unit.answers.forget([(bad, bad)])
            assert unit.wishes.count(user.id) == 1

    def test_what_was_given_can_be_changed_without_changing_what_is_kept(self, storage: Storage) -> None:
        new_id, lines = ids(), [{"total": "19.99"}]
        name = {"name": "Hat"}
        notice = make_notice(new_id, data={"lines": lines})
        entry = make_audit_entry(new_id, before=name, after=name)
        with written(storage) as unit:
            unit.outbox.add([notice])
            unit.audit.add([entry])
        lines.append({"total": "0.00"})
        name["name"] = "Cap"
        with written(storage) as unit:
            assert unit.outbox.get(notice.id).data == {"lines": [{"total": "19.99"}]}
            (found,) = unit.audit.page(AuditQuery(), FIRST_PAGE).items
        assert (found.before, found.after) == ({"name": "Hat"}, {"name": "Hat"})


def _hat(new_id: NewId, beside: Product, **fields: str) -> Product:
    return make_product(new_id, category_ids=beside.category_ids, **fields)


def _add(unit: Unit, *, product: Product) -> None:
    unit.products.add(product)


def _refusal(storage: Storage, kind: Kind, version: int) -> StoreError | None:
    """What saving an entity of a version is refused with, if it is."""
    assert kind.save is not None
    try:
        with written(storage) as unit:
            kind.save(unit, replace(kind.entity, version=version))
    except StoreError as refused:
        return refused
    return None


def _not_found(unit: Unit) -> tuple[Callable[[str], object], ...]:
    """Looks that raise for an id that nothing has."""
    return (
        unit.users.get,
        unit.users.locked,
        lambda bad: unit.users.address(bad, bad),
        lambda bad: unit.users.remove_address(bad, bad),
        unit.categories.get,
        unit.categories.remove,
        unit.products.get,
        lambda bad: unit.wishes.remove(bad, bad),
        unit.coupons.get,
        unit.orders.get,
        unit.orders.locked,
        unit.payments.get,
        unit.refunds.get,
        unit.credit_notes.get,
        unit.reviews.locked,
        unit.conversations.get,
        unit.conversations.locked,
        unit.conversations.message_with,
        unit.outbox.get,
        unit.outbox.locked,
    )


def _nothing(unit: Unit) -> tuple[Callable[[str], object], ...]:
    """Looks that find nothing by an id that nothing has."""
    return (
        unit.users.by_email,
        unit.users.addresses,
        unit.sessions.of_user,
        lambda bad: unit.sessions.signed_in(bad, NOW),
        lambda bad: unit.sessions.all_signed_in([bad], NOW),
        lambda bad: unit.categories.some([bad]),
        lambda bad: unit.products.some([bad]),
        lambda bad: unit.products.locked([bad]),
        lambda bad: unit.products.with_skus([bad]),
        unit.products.group,
        lambda bad: dict(unit.products.price_history([bad], NOW)).get(bad),
        lambda bad: unit.search.sold([bad]),
        lambda bad: unit.stock.on_hand([bad]),
        unit.wishes.count,
        unit.coupons.by_code,
        lambda bad: unit.coupons.used_by(bad, bad),
        unit.carts.get,
        unit.carts.of_user,
        unit.carts.locked,
        lambda bad: unit.orders.delivered(bad, bad),
        lambda bad: unit.purchases.together([bad], 5),
        lambda bad: unit.purchases.wanted_in([bad], 5),
        lambda bad: unit.purchases.lately(bad, 5),
        lambda bad: unit.purchases.bought(bad, [bad]),
        unit.invoices.of_order,
        lambda bad: unit.payments.by_reference(bad, bad),
        unit.payments.of_order,
        unit.refunds.of_order,
        unit.credit_notes.of_refund,
        unit.credit_notes.of_order,
        unit.reviews.published_by,
        lambda bad: unit.conversations.message(bad, Side.CUSTOMER, None, bad),
        lambda bad: unit.conversations.latest(bad, 5),
        lambda bad: unit.conversations.versions([bad]),
        lambda bad: unit.conversations.attached([bad]),
        lambda bad: unit.answers.find(bad, bad),
    )


def _empty_lists(unit: Unit, bad: str) -> tuple[Callable[[PageRequest], Page[Any]], ...]:
    """Lists of what belongs to an id that nothing has."""
    return (
        lambda page: unit.products.page(ProductQuery(category_id=bad), page),
        lambda page: unit.products.page(ProductQuery(group=bad), page),
        lambda page: unit.products.prices(bad, page),
        lambda page: unit.stock.ledger(bad, page),
        lambda page: unit.wishes.page(bad, page),
        lambda page: unit.orders.page(OrderQuery(customer_id=bad), page),
        lambda page: unit.orders.page(OrderQuery(number=bad), page),
        lambda page: unit.refunds.page(RefundQuery(order_id=bad), page),
        lambda page: unit.reviews.of_product(bad, page),
        lambda page: unit.reviews.of_author(bad, page),
        lambda page: unit.conversations.page(ConversationQuery(customer_id=bad), page),
        lambda page: unit.conversations.messages(bad, page),
        lambda page: unit.audit.page(AuditQuery(object_id=bad), page),
        lambda page: unit.outbox.of_user(bad, page),
    )
