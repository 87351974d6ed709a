"""Reviews, and the ratings that they add up to."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from functools import partial
from itertools import product as pairs

import pytest

from storecore.accounts.model import User
from storecore.catalog.model import UNRATED, Product, Rating
from storecore.errors import Contention, DuplicateReview, NotFound
from storecore.lists import FIRST_PAGE
from storecore.orders.model import Status
from storecore.ports import NewId, ProductQuery, Storage, Unit
from storecore.reviews.model import Review, ReviewStatus
from storecore.testing.builders import NOW, ids, make_order, make_review, make_user
from storecore.testing.contracts.catalog import shelve
from storecore.testing.contracts.orders import customer_and_products, moved, place
from storecore.testing.contracts.proving import (
    COUNT_STATEMENTS,
    Contract,
    Together,
    check_pages,
    needs,
    overlap,
    rerun,
    seen,
    written,
)

HOUR = timedelta(hours=1)


def people(storage: Storage, new_id: NewId, number: int) -> list[User]:
    """Users who may review, written."""
    users = [make_user(new_id, full_name=f"Ada {chr(65 + n)}lovelace") for n in range(number)]
    with written(storage) as unit:
        for user in users:
            unit.users.add(user)
    return users


def hat(storage: Storage, new_id: NewId) -> Product:
    """Something to review."""
    (found,) = shelve(storage, new_id, {})
    return found


def reviewed(storage: Storage, *reviews: Review) -> None:
    """Write reviews."""
    with written(storage) as unit:
        for review in reviews:
            unit.reviews.add(review)


def rating(storage: Storage, product: Product) -> Rating:
    """What the catalog says, after checking that its statements agree with what is published."""
    with seen(storage) as unit:
        found = unit.products.get(product.id).rating
        published = unit.reviews.of_product(product.id, FIRST_PAGE).items
        assert unit.products.some([product.id])[product.id].rating == found
    assert found == Rating(total=sum(each.rating for each in published), count=len(published))
    return found


def stored(storage: Storage, review: Review) -> Review:
    """The review as it is now."""
    with storage.writing(NOW, ids()) as unit:
        return unit.reviews.locked(review.id)


def write(unit: Unit, review: Review) -> None:
    """An author writes."""
    unit.reviews.add(review)


def publish(unit: Unit, review: Review) -> None:
    """A moderator approves."""
    unit.reviews.save(unit.reviews.locked(review.id).published())


class ReviewsContract(Contract):
    """One a user and product; what is published, and nothing else, counts."""

    def test_every_field_of_a_review_comes_back(self, storage: Storage) -> None:
        new_id = ids()
        (ada, bob), product = people(storage, new_id, 2), hat(storage, new_id)
        here = NOW.astimezone(timezone(timedelta(hours=2)))
        written_ = [
            make_review(new_id, ada, product, comment="Sıcak tutuyor.\n\nFits \U0001f44d", rating=5, created_at=here),
            make_review(new_id, bob, product, updated_at=NOW + HOUR),
        ]
        reviewed(storage, *written_)
        for review in written_:
            assert stored(storage, review) == review
        assert stored(storage, written_[0]).created_at.tzinfo is UTC

    def test_an_author_is_called_by_the_name_that_they_have_now(self, storage: Storage) -> None:
        new_id = ids()
        (ada,), product = people(storage, new_id, 1), hat(storage, new_id)
        reviewed(storage, make_review(new_id, ada, product))
        with written(storage) as unit:
            unit.users.save(ada.changed(full_name="Ayşe Yıldırım Öğüt"))
        with seen(storage) as unit:
            assert [each.author for each in unit.reviews.of_product(product.id, FIRST_PAGE).items] == ["Ayşe Ö."]

    def test_an_unknown_review_is_not_found(self, storage: Storage) -> None:
        with pytest.raises(NotFound), written(storage) as unit:
            unit.reviews.locked("no such id")

    def test_a_user_reviews_a_product_once(self, storage: Storage) -> None:
        new_id = ids()
        (ada, bob), one, other = people(storage, new_id, 2), hat(storage, new_id), hat(storage, new_id)
        first = make_review(new_id, ada, one)
        reviewed(storage, first, make_review(new_id, bob, one), make_review(new_id, ada, other))
        with pytest.raises(DuplicateReview), written(storage) as unit:
            unit.reviews.add(make_review(new_id, ada, one, comment="Again"))
        with written(storage) as unit:
            unit.reviews.remove(first)
            unit.reviews.add(make_review(new_id, ada, one, rating=1))
        assert rating(storage, one) == Rating(total=5, count=2)

    def test_saving_writes_what_may_change_and_nothing_else(self, storage: Storage) -> None:
        new_id = ids()
        (ada, bob), one, other = people(storage, new_id, 2), hat(storage, new_id), hat(storage, new_id)
        review = make_review(new_id, ada, one)
        reviewed(storage, review)
        edited = review.edited(NOW + HOUR, comment="Warm", rating=2)
        with written(storage) as unit:
            unit.reviews.save(replace(edited, author_id=bob.id, product_id=other.id, created_at=NOW + HOUR))
        assert stored(storage, review) == edited
        with written(storage) as unit:
            unit.reviews.save(edited.edited(NOW, comment=None))
        assert stored(storage, review).comment is None

    def test_saving_or_removing_a_stale_review_is_contention(self, storage: Storage) -> None:
        new_id = ids()
        (ada,), product = people(storage, new_id, 1), hat(storage, new_id)
        review = make_review(new_id, ada, product, comment="Warm")
        reviewed(storage, review)
        with written(storage) as unit:
            publish(unit, review)
        for stale in (review.rejected(), review):
            with pytest.raises(Contention), written(storage) as unit:
                unit.reviews.save(stale)
        with pytest.raises(Contention), written(storage) as unit:
            unit.reviews.remove(review)
        assert rating(storage, product) == Rating(total=4, count=1)

    def test_a_rating_counts_what_is_published_through_every_change(self, storage: Storage) -> None:
        new_id = ids()
        (ada, bob, eve), product = people(storage, new_id, 3), hat(storage, new_id)
        assert rating(storage, product) == UNRATED
        stars = make_review(new_id, ada, product, rating=5)
        words = make_review(new_id, bob, product, rating=2, comment="Itches")
        spam = make_review(new_id, eve, product, rating=1, comment="Buy mine")
        reviewed(storage, stars, words, spam)
        assert rating(storage, product) == Rating(total=5, count=1)
        steps: list[tuple[Review, Rating]] = [
            (published := words.published(), Rating(total=7, count=2)),
            (spam.rejected(), Rating(total=7, count=2)),
            (changed := published.edited(NOW, rating=4), Rating(total=5, count=1)),
            (again := changed.published(), Rating(total=9, count=2)),
            (stars := stars.edited(NOW, rating=3), Rating(total=7, count=2)),
            (silent := again.edited(NOW, comment=None, rating=1), Rating(total=4, count=2)),
        ]
        for review, expected in steps:
            with written(storage) as unit:
                unit.reviews.save(review)
            assert rating(storage, product) == expected, review
        for review, expected in ((spam.rejected(), Rating(total=4, count=2)), (silent, Rating(total=3, count=1))):
            with written(storage) as unit:
                unit.reviews.remove(review)
            assert rating(storage, product) == expected
        with written(storage) as unit:
            unit.reviews.remove(stars)
        assert rating(storage, product) == UNRATED

    def test_products_are_found_by_their_average_rounded_half_up(self, storage: Storage) -> None:
        new_id = ids()
        users, product, stars = people(storage, new_id, 8), hat(storage, new_id), (5, 5, 5, 5, 4, 4, 3, 2)
        written_ = (make_review(new_id, user, product, rating=n) for user, n in zip(users, stars, strict=True))
        reviewed(storage, *written_)  # 33 / 8 = 4.125
        with seen(storage) as unit:
            assert unit.products.get(product.id).rating.average == Decimal("4.13")
            for least, found in (("4.13", 1), ("4.131", 0)):
                query = ProductQuery(min_rating=Decimal(least), sort="rating")
                assert len(unit.products.page(query, FIRST_PAGE).items) == found

    def test_products_are_listed_best_rated_first(self, storage: Storage) -> None:
        new_id = ids()
        (ada, bob), (fair, best, unrated, also_fair) = (
            people(storage, new_id, 2),
            [hat(storage, new_id) for _ in "1234"],
        )
        stars = ((ada, fair, 3), (bob, fair, 4), (ada, best, 5), (ada, also_fair, 3), (bob, also_fair, 4))
        reviewed(storage, *(make_review(new_id, who, what, rating=n) for who, what, n in stars))
        with seen(storage) as unit:
            found = [each.id for each in unit.products.page(ProductQuery(sort="rating"), FIRST_PAGE).items]
        assert found == [best.id, fair.id, also_fair.id, unrated.id]

    def test_a_review_leaves_the_version_of_its_product_as_it_was(self, storage: Storage) -> None:
        new_id = ids()
        (ada,), product = people(storage, new_id, 1), hat(storage, new_id)

        def edit(unit: Unit) -> None:
            unit.products.save(product.changed(NOW, name="Cap"), NOW)

        assert overlap(storage, partial(write, review=make_review(new_id, ada, product)), edit) == [None, None]
        with seen(storage) as unit:
            found = unit.products.get(product.id)
        assert (found.name, found.version, found.rating.count) == ("Cap", product.version + 1, 1)

    def test_a_unit_that_is_left_has_counted_nothing(self, storage: Storage) -> None:
        new_id = ids()
        (ada,), product = people(storage, new_id, 1), hat(storage, new_id)
        with storage.writing(NOW, new_id) as unit:
            unit.reviews.add(make_review(new_id, ada, product))
        assert rating(storage, product) == UNRATED

    def test_lists_show_what_they_may_in_their_order(self, storage: Storage) -> None:
        new_id = ids()
        users, products = people(storage, new_id, 4), [hat(storage, new_id), hat(storage, new_id)]
        states = [ReviewStatus.PUBLISHED, ReviewStatus.PENDING, ReviewStatus.PUBLISHED, ReviewStatus.REJECTED]
        reviews = [
            make_review(
                new_id,
                user,
                product,
                comment="Warm",
                status=states[(n + n // 4) % 4],
                created_at=NOW + n // 3 * HOUR,
                updated_at=NOW + (n * 5 % 7) // 2 * HOUR,
            )
            for n, (product, user) in enumerate(pairs(products, users))
        ]
        reviewed(storage, *reviews)
        with seen(storage) as unit:
            for product in products:
                shown = [each for each in reviews if (each.product_id, each.status) == (product.id, "published")]
                assert shown
                check_pages(partial(unit.reviews.of_product, product.id), shown[::-1])
            for user in users:
                own = [each for each in reviews if each.author_id == user.id]
                check_pages(partial(unit.reviews.of_author, user.id), own[::-1])
                assert unit.reviews.published_by(user.id) == sum(each.status == "published" for each in own)
            waiting = [each for each in reviews if each.status is ReviewStatus.PENDING]
            check_pages(unit.reviews.pending, sorted(waiting, key=lambda each: (each.updated_at, each.id)))
            check_pages(partial(unit.reviews.of_product, "nothing"), [])
            assert unit.reviews.published_by("nobody") == 0

    def test_a_review_waits_since_it_was_last_written(self, storage: Storage) -> None:
        new_id = ids()
        users, product = people(storage, new_id, 3), hat(storage, new_id)
        reviews = [make_review(new_id, user, product, comment="Warm") for user in users]
        edited = reviews[0].edited(NOW + HOUR, comment="Very warm")
        reviewed(storage, *reviews)
        with written(storage) as unit:
            unit.reviews.save(edited)
        with seen(storage) as unit:
            check_pages(unit.reviews.pending, [*reviews[1:], edited])

    @needs(COUNT_STATEMENTS)
    def test_a_page_of_reviews_takes_two_statements_names_and_count_included(self, storage: Storage) -> None:
        new_id = ids()
        users, product = people(storage, new_id, 9), hat(storage, new_id)
        reviewed(storage, *(make_review(new_id, user, product) for user in users))
        page = replace(FIRST_PAGE, total=True)
        with self.count_statements(storage) as counted, seen(storage) as unit:
            assert unit.reviews.of_product(product.id, page).total == 9
        assert counted.count <= 2

    def test_a_buyer_is_who_an_order_of_the_product_was_delivered_to(self, storage: Storage) -> None:
        new_id = ids()
        buyer, (had, coming, never) = customer_and_products(storage, new_id, 3)
        (other,) = people(storage, new_id, 1)
        place(
            storage,
            moved(make_order(new_id, [had, coming], customer=buyer), Status.SHIPPED),
            moved(make_order(new_id, [never], customer=buyer), Status.CANCELLED),
            moved(make_order(new_id, [coming, had], customer=buyer), Status.PENDING),
            moved(make_order(new_id, [never, coming], customer=other), Status.DELIVERED),
            moved(make_order(new_id, [never, coming]), Status.DELIVERED),
        )
        with seen(storage) as unit:
            assert not any(unit.orders.delivered(buyer.id, each.id) for each in (had, coming, never))
        place(storage, moved(make_order(new_id, [coming, had], customer=buyer), Status.DELIVERED))
        with seen(storage) as unit:
            assert [unit.orders.delivered(buyer.id, each.id) for each in (had, coming, never)] == [True, True, False]
            assert not unit.orders.delivered("nobody", had.id)

    def test_of_two_reviews_by_one_user_at_once_one_is_written(self, storage: Storage) -> None:
        new_id = ids()
        (ada,), product = people(storage, new_id, 1), hat(storage, new_id)
        reviews = [make_review(new_id, ada, product, rating=n) for n in (1, 5)]
        outcomes = overlap(storage, *(partial(write, review=each) for each in reviews))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["DuplicateReview", "NoneType"]
        assert rating(storage, product).count == 1

    def test_two_reviews_of_one_product_that_are_published_at_once_both_count(self, storage: Storage) -> None:
        new_id = ids()
        (ada, bob), product = people(storage, new_id, 2), hat(storage, new_id)
        reviews = [make_review(new_id, user, product, comment="Warm") for user in (ada, bob)]
        reviewed(storage, *reviews)
        assert overlap(storage, *(partial(publish, review=each) for each in reviews)) == [None, None]
        assert rating(storage, product) == Rating(total=8, count=2)

    def test_a_review_that_is_edited_while_it_is_published_is_what_it_was_last(self, storage: Storage) -> None:
        new_id = ids()
        (ada,), product = people(storage, new_id, 1), hat(storage, new_id)
        review = make_review(new_id, ada, product, comment="Warm")
        reviewed(storage, review)

        def edit(unit: Unit) -> None:
            unit.reviews.save(unit.reviews.locked(review.id).edited(NOW, rating=1, comment="Itches"))

        assert overlap(storage, partial(publish, review=review), edit)[1] is None
        assert stored(storage, review).status is ReviewStatus.PENDING
        assert rating(storage, product) == UNRATED

    def test_many_who_write_publish_and_remove_at_once_leave_a_rating_that_adds_up(self, storage: Storage) -> None:
        new_id = ids()
        users, product = people(storage, new_id, 8), hat(storage, new_id)
        stars = [make_review(new_id, user, product, rating=n % 5 + 1) for n, user in enumerate(users[:4])]
        words = [make_review(new_id, user, product, comment="Warm") for user in users[4:]]
        reviewed(storage, *words, stars[0])
        Together(
            *(partial(rerun, storage, partial(write, review=each)) for each in stars[1:]),
            *(partial(rerun, storage, partial(publish, review=each)) for each in words),
            partial(rerun, storage, lambda unit: unit.reviews.remove(stars[0])),
        ).succeed()
        assert rating(storage, product) == Rating(total=2 + 3 + 4 + 4 * 4, count=7)
