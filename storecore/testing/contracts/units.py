"""Transactions: all or nothing, snapshots, and two writers at once."""

from collections.abc import Callable, Hashable
from datetime import timedelta
from functools import partial

import pytest

from storecore.accounts.model import SYSTEM
from storecore.carts.model import Cart
from storecore.errors import NotFound
from storecore.lists import FIRST_PAGE
from storecore.ports import Storage, Unit
from storecore.support.model import Side
from storecore.testing.builders import (
    NOW,
    ids,
    make_category,
    make_conversation,
    make_coupon,
    make_credit_note,
    make_invoice,
    make_message,
    make_move,
    make_notice,
    make_order,
    make_payment,
    make_price_change,
    make_product,
    make_refund,
    make_review,
    make_saved_address,
    make_session,
    make_token,
    make_user,
    make_wish,
    make_wish_alert,
)
from storecore.testing.contracts.audit import make_audit_entry
from storecore.testing.contracts.proving import Contract, Together, overlap, rerun, seen, written

USER, SHELF, COUPON, NOTICE = make_user(ids()), make_category(ids()), make_coupon(ids()), make_notice(ids())
PRODUCT = make_product(ids(), category_ids=[SHELF.id])
ORDER = make_order(ids(), [PRODUCT], customer=USER)
SESSION, ADDRESS, REVIEW = (
    make_session(ids(), USER),
    make_saved_address(ids(), USER),
    make_review(ids(), USER, PRODUCT, comment="Warm"),
)
INVOICE, PAYMENT, REFUND = make_invoice(ids(), ORDER, 1), make_payment(ids(), ORDER), make_refund(ids(), ORDER)
TALK, ALERT, SOON = make_conversation(ids()), make_wish_alert(ids(), PRODUCT), NOW + timedelta(minutes=1)

WRITES: tuple[Callable[[Unit], object], ...] = (
    lambda unit: unit.users.add(USER),
    lambda unit: unit.users.locked(USER.id),
    lambda unit: unit.users.save(USER.changed()),
    lambda unit: unit.users.add_address(ADDRESS),
    lambda unit: unit.users.save_address(ADDRESS),
    lambda unit: unit.users.remove_address(USER.id, ADDRESS.id),
    lambda unit: unit.sessions.add(SESSION, make_token(SESSION)),
    lambda unit: unit.sessions.token(b"unknown"),
    lambda unit: unit.sessions.rotate(make_token(SESSION), make_token(SESSION), seen_at=NOW, expires_at=SOON),
    lambda unit: unit.sessions.end(SESSION.id, NOW),
    lambda unit: unit.sessions.end_all("nobody", NOW),
    lambda unit: unit.sessions.forget("nobody"),
    lambda unit: unit.sessions.sweep(NOW),
    lambda unit: unit.categories.add(SHELF),
    lambda unit: unit.categories.save(SHELF.changed()),
    lambda unit: unit.categories.remove(SHELF.id),
    lambda unit: unit.products.add(PRODUCT),
    lambda unit: unit.products.locked([PRODUCT.id]),
    lambda unit: unit.products.save(PRODUCT.changed(NOW), NOW),
    lambda unit: unit.products.refresh_prices(NOW, 10),
    lambda unit: unit.products.add_prices([make_price_change(PRODUCT)]),
    lambda unit: unit.search.write([]),
    lambda unit: unit.stock.move([make_move(ids(), "nothing", 1)]),
    lambda unit: unit.wishes.add(make_wish(USER, PRODUCT)),
    lambda unit: unit.wishes.remove(USER.id, PRODUCT.id),
    lambda unit: unit.wishes.clear("nobody"),
    lambda unit: unit.wishes.announce([]),
    lambda unit: unit.wishes.next_alert(),
    lambda unit: unit.wishes.told(ALERT.id, None),
    lambda unit: unit.coupons.add(COUPON),
    lambda unit: unit.coupons.save(COUPON.changed()),
    lambda unit: unit.coupons.use(COUPON, order_id=ORDER.id, user=USER.id),
    lambda unit: unit.coupons.give_back(ORDER.id),
    lambda unit: unit.carts.locked("no cart"),
    lambda unit: unit.carts.save(Cart(id="cart", updated_at=NOW)),
    lambda unit: unit.carts.remove("no cart"),
    lambda unit: unit.carts.sweep(NOW),
    lambda unit: unit.orders.add(ORDER),
    lambda unit: unit.orders.locked(ORDER.id),
    lambda unit: unit.orders.save(ORDER.confirm(by=SYSTEM, at=NOW)),
    lambda unit: unit.orders.erase(ORDER.confirm(by=SYSTEM, at=NOW)),
    lambda unit: unit.purchases.count(1),
    lambda unit: unit.invoices.next_sequence(),
    lambda unit: unit.invoices.add(INVOICE),
    lambda unit: unit.invoices.forget_buyers(NOW, 1),
    lambda unit: unit.payments.add(PAYMENT),
    lambda unit: unit.payments.save(PAYMENT.prepared("reference")),
    lambda unit: unit.payments.lease(NOW, SOON, 10),
    lambda unit: unit.refunds.add(REFUND),
    lambda unit: unit.refunds.save(REFUND.withdraw(at=NOW)),
    lambda unit: unit.refunds.lease(NOW, SOON, 10),
    lambda unit: unit.credit_notes.next_sequence(),
    lambda unit: unit.credit_notes.add(make_credit_note(ids(), INVOICE, ORDER, None, 1)),
    lambda unit: unit.credit_notes.forget_buyers(NOW, 1),
    lambda unit: unit.reviews.add(REVIEW),
    lambda unit: unit.reviews.locked(REVIEW.id),
    lambda unit: unit.reviews.save(REVIEW.published()),
    lambda unit: unit.reviews.remove(REVIEW),
    lambda unit: unit.conversations.add(TALK),
    lambda unit: unit.conversations.locked(TALK.id),
    lambda unit: unit.conversations.save(TALK.close(Side.CUSTOMER, at=NOW)),
    lambda unit: unit.conversations.add_message(make_message(ids(), TALK, 1)),
    lambda unit: unit.conversations.remove(TALK.id),
    lambda unit: unit.conversations.rename_agent("nobody", "Erased"),
    lambda unit: unit.audit.add([make_audit_entry(ids())]),
    lambda unit: unit.outbox.add([NOTICE]),
    lambda unit: unit.outbox.lease(NOW, SOON, 10),
    lambda unit: unit.outbox.save(NOTICE.sent(NOW)),
    lambda unit: unit.outbox.locked("no notice"),
    lambda unit: unit.outbox.sweep(NOW),
    lambda unit: unit.outbox.remove("no notice"),
    lambda unit: unit.outbox.forget("nobody"),
    lambda unit: unit.insight.roll_up("UTC", 1),
    lambda unit: unit.answers.claim("scope", "key", b"fingerprint", NOW),
    lambda unit: unit.answers.keep("scope", "key", b"answer"),
    lambda unit: unit.answers.forget([("scope", "key")]),
    lambda unit: unit.answers.sweep(NOW),
    lambda unit: unit.commit(),
)
"""Everything that writes or locks, with an effect or not."""


class UnitsContract(Contract):
    """One transaction per use case."""

    @pytest.mark.parametrize("turn", ["first", "second"])
    def test_each_test_has_an_empty_storage_of_its_own(self, storage: Storage, turn: str) -> None:
        user = make_user(ids())
        with written(storage) as unit:
            others = unit.users.by_email(user.email)
            assert others is None, f"the fixture gave the {turn} test a storage that holds what another test wrote"
            unit.users.add(user)

    def test_what_is_committed_is_there_for_the_next_unit(self, storage: Storage) -> None:
        user = make_user(ids())
        with written(storage) as unit:
            unit.users.add(user)
        with seen(storage) as unit:
            assert unit.users.get(user.id) == user

    def test_the_version_changes_with_every_commit(self, storage: Storage) -> None:
        versions = [storage.version()]
        for _ in range(3):
            with written(storage) as unit:
                unit.users.add(make_user(ids(len(versions))))
            versions.append(storage.version())
        assert len(set(versions)) == 4, f"three commits, and a version came back: {versions}"

    def test_the_version_stays_when_nobody_commits(self, storage: Storage) -> None:
        # Others may share the server, so that one pair of looks proves nothing and a hundred do.
        kept = any(storage.version() == self._after_reading(storage) for _ in range(100))
        assert kept, "a hundred times nobody wrote, and each time version() gave another value"

    @staticmethod
    def _after_reading(storage: Storage) -> Hashable:
        with seen(storage) as unit:
            unit.categories.some([])
        return storage.version()

    def test_a_unit_left_without_commit_has_changed_nothing(self, storage: Storage) -> None:
        user = make_user(ids())
        with storage.writing(NOW, ids()) as unit:
            unit.users.add(user)
        with seen(storage) as unit, pytest.raises(NotFound):
            unit.users.get(user.id)

    def test_an_exception_rolls_everything_back(self, storage: Storage) -> None:
        new_id = ids()
        category = make_category(new_id)
        product = make_product(new_id, category_ids=[category.id])
        notice = make_notice(new_id)

        def fail(unit: Unit) -> None:
            unit.categories.add(category)
            unit.products.add(product)
            unit.stock.move([make_move(new_id, product.id, 3)])
            unit.outbox.add([notice])
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError), written(storage) as unit:
            fail(unit)
        with seen(storage) as unit:
            assert unit.categories.some([category.id]) == {}
            assert unit.products.some([product.id]) == {}
            assert unit.stock.on_hand([product.id]) == {}
        with seen(storage) as unit, pytest.raises(NotFound):
            unit.outbox.get(notice.id)

    def test_after_an_error_the_next_writer_has_its_turn(self, storage: Storage) -> None:
        user = make_user(ids())
        for _ in range(2):
            with pytest.raises(ZeroDivisionError), storage.writing(NOW, ids()):
                raise ZeroDivisionError
        with written(storage) as unit:
            unit.users.add(user)
        with seen(storage) as unit:
            assert unit.users.get(user.id) == user

    def test_a_unit_no_longer_sees_what_it_removed(self, storage: Storage) -> None:
        new_id = ids()
        kept, removed = make_category(new_id), make_category(new_id)
        with written(storage) as unit:
            unit.categories.add(kept)
            unit.categories.add(removed)
        with written(storage) as unit:
            unit.categories.remove(removed.id)
            assert unit.categories.page(FIRST_PAGE).items == (kept,)
            assert unit.categories.some([removed.id]) == {}
            with pytest.raises(NotFound):
                unit.categories.get(removed.id)

    def test_writing_units_wait_for_one_another_where_the_storage_says_so(self, storage: Storage) -> None:
        def write() -> bool:
            with storage.writing(NOW, ids()):
                return ended

        ended = False
        with storage.writing(NOW, ids()):
            other = Together(write)
            if storage.one_writer:
                other.linger()
            else:
                other.join()
            ended = True
        assert other.succeed() == [storage.one_writer]

    def test_after_a_rollback_the_same_things_can_be_written_again(self, storage: Storage) -> None:
        user = make_user(ids())
        with storage.writing(NOW, ids()) as unit:
            unit.users.add(user)
        with written(storage) as unit:
            unit.users.add(user)
        with seen(storage) as unit:
            assert unit.users.by_email(user.email) == user

    def test_a_unit_sees_its_own_writes(self, storage: Storage) -> None:
        new_id = ids()
        category = make_category(new_id)
        product = make_product(new_id, category_ids=[category.id])
        with written(storage) as unit:
            unit.categories.add(category)
            unit.products.add(product)
            assert unit.stock.move([make_move(new_id, product.id, 3)]) == {product.id: 3}
            assert unit.products.get(product.id).stock == 3
            assert unit.stock.on_hand([product.id]) == {product.id: 3}
            assert unit.categories.get(category.id) == category

    def test_a_reading_unit_is_a_snapshot_and_waits_for_no_writer(self, storage: Storage) -> None:
        new_id = ids()
        first, second = make_user(new_id), make_user(new_id)
        with written(storage) as unit:
            unit.users.add(first)

        def write() -> None:
            with written(storage) as unit:
                unit.users.add(second)
                unit.users.save(first.changed(full_name="Somebody Else"))

        with seen(storage) as unit:
            assert unit.users.get(first.id) == first
            Together(write).succeed()
            assert unit.users.get(first.id) == first
            assert unit.users.by_email(second.email) is None
        with seen(storage) as unit:
            assert unit.users.get(first.id).full_name == "Somebody Else"

    def test_a_reader_goes_on_while_a_writer_is_at_it(self, storage: Storage) -> None:
        user = make_user(ids())

        def read() -> object:
            with seen(storage) as unit:
                return unit.users.by_email(user.email)

        with written(storage) as unit:
            unit.users.add(user)
            assert Together(read).succeed() == [None]
        assert Together(read).succeed() == [user]

    def test_writing_in_a_reading_unit_is_a_mistake_that_is_told(self, storage: Storage) -> None:
        passed = []
        for number, write in enumerate(WRITES):
            with seen(storage) as unit:
                try:
                    write(unit)
                    passed.append(number)
                except RuntimeError:
                    pass
        assert not passed, "these of WRITES went through"

    def test_a_unit_knows_its_time_and_makes_ids_by_the_given_maker(self, storage: Storage) -> None:
        for opening in (storage.reading, storage.writing):
            with opening(NOW, ids(7)) as unit:
                assert unit.now == NOW
                expected = ids(7)
                assert [unit.new_id(), unit.new_id()] == [expected(), expected()]

    def test_a_pause_ends(self, storage: Storage) -> None:
        for attempt in (1, 2, 3):
            storage.pause(attempt)

    def test_no_update_is_lost_between_two_writers(self, storage: Storage) -> None:
        user = make_user(ids(), preferences={"steps": 0})
        with written(storage) as unit:
            unit.users.add(user)

        def step(unit: Unit) -> None:
            found = unit.users.locked(user.id)
            unit.users.save(found.changed(preferences={"steps": found.preferences["steps"] + 1}))

        Together(*[lambda: [rerun(storage, step) for _ in range(5)] for _ in range(4)]).succeed()
        with seen(storage) as unit:
            assert unit.users.get(user.id).preferences == {"steps": 20}
            assert unit.users.get(user.id).version == 21

    def test_the_second_writer_waits_for_the_first_or_is_told_to_try_again(self, storage: Storage) -> None:
        user = make_user(ids(), preferences={"seen": []})
        with written(storage) as unit:
            unit.users.add(user)

        def note(unit: Unit, who: str) -> None:
            found = unit.users.locked(user.id)
            unit.users.save(found.changed(preferences={"seen": [*found.preferences["seen"], who]}))

        assert overlap(storage, partial(note, who="first"), partial(note, who="second")) == [None, None]
        with seen(storage) as unit:
            assert sorted(unit.users.get(user.id).preferences["seen"]) == ["first", "second"]

    def test_two_things_taken_in_opposite_order_do_not_hang(self, storage: Storage) -> None:
        new_id = ids()
        category = make_category(new_id)
        products = [make_product(new_id, category_ids=[category.id]) for _ in range(2)]
        with written(storage) as unit:
            unit.categories.add(category)
            for product in products:
                unit.products.add(product)
            unit.stock.move([make_move(new_id, product.id, 100) for product in products])
        one, two = (product.id for product in products)

        def buy(order: tuple[str, str], start: int) -> None:
            number = ids(start)
            for _ in range(10):
                moves = [make_move(number, product_id, -1) for product_id in order]
                rerun(storage, lambda unit, moves=moves: unit.stock.move(moves))  # type: ignore[misc] # mypy can't infer it

        Together(lambda: buy((one, two), 1000), lambda: buy((two, one), 2000)).succeed()
        with seen(storage) as unit:
            assert unit.stock.on_hand([one, two]) == {one: 80, two: 80}
