"""Writing reviews, deciding about them, and who reads what."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest

from storecore.accounts.model import GUEST, SYSTEM, User
from storecore.accounts.permissions import Permission, Role
from storecore.catalog.model import UNRATED, Product, Rating
from storecore.errors import (
    AlreadyDecided,
    DuplicateReview,
    Forbidden,
    Invalid,
    NotABuyer,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
    StoreError,
)
from storecore.lists import PageRequest
from storecore.notices import Notice, Template
from storecore.orders.model import Status
from storecore.reviews.model import Review, ReviewStatus
from storecore.testing.contracts.proving import Together
from storecore.transactions import Once, Replayed
from tests.usecases.floor import HOME, Floor, person, product

WAY = (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED)


def buyer(store: Floor, *things: Product, name: str = "Ada Lovelace") -> User:
    """Somebody to whom these things were delivered."""
    user = person(store, name=name)
    order = store.orders.place(by=user, items=[(thing.id, 1) for thing in things], deliver_to=HOME)
    for status in WAY:
        store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    return user


def shown(store: Floor, thing: Product) -> list[str | None]:
    """The comments that everybody reads."""
    return [review.comment for review in store.reviews.of_product(product_id=thing.id).items]


def rated(store: Floor, thing: Product) -> Rating:
    return store.catalog.product(product=thing.id, by=SYSTEM).product.rating


def decisions(store: Floor) -> list[Notice]:
    return [notice for notice in store.mail() if notice.template is Template.REVIEW_DECIDED]


def test_stars_alone_are_published_at_once(store: Floor) -> None:
    hat = product(store)
    ada = buyer(store, hat, name="Ada King Lovelace")
    review = store.reviews.write(by=ada, product_id=hat.id, rating=5)
    assert (review.status, review.author, review.version) == (ReviewStatus.PUBLISHED, "Ada L.", 1)
    assert store.reviews.of_product(product_id=hat.slug).items == (review,)
    assert rated(store, hat) == Rating(total=5, count=1)
    assert store.accounts.profile(by=person(store), user_id=ada.id).published_reviews == 1


def test_a_comment_is_read_by_a_moderator_before_anybody_else_reads_it(store: Floor) -> None:
    hat, moderator = product(store), person(store, Role.PRODUCT_MANAGER)
    ada = buyer(store, hat)
    review = store.reviews.write(by=ada, product_id=hat.id, rating=2, comment="Itches.\nA lot.")
    assert review.status is ReviewStatus.PENDING
    assert (shown(store, hat), rated(store, hat)) == ([], UNRATED)
    assert store.accounts.profile(by=ada, user_id=ada.id).published_reviews == 0
    assert store.reviews.mine(by=ada).items == (review,)
    assert store.reviews.pending(by=moderator).items == (review,)
    published = store.reviews.approve(by=moderator, review_id=review.id, note="Thank you")
    assert (published.status, published.author) == (ReviewStatus.PUBLISHED, "Ada L.")
    assert (shown(store, hat), rated(store, hat)) == (["Itches.\nA lot."], Rating(total=2, count=1))
    assert store.reviews.pending(by=moderator).items == ()
    (mail,) = decisions(store)
    assert mail.recipient == ada.email
    assert mail.data == {"name": ada.full_name, "product": hat.name, "published": True, "note": "Thank you"}


def test_a_rejected_review_is_seen_by_its_author_alone(store: Floor) -> None:
    hat, moderator = product(store), person(store, Role.PRODUCT_MANAGER)
    ada = buyer(store, hat)
    review = store.reviews.write(by=ada, product_id=hat.id, rating=1, comment="Buy at mine")
    rejected = store.reviews.reject(by=moderator, review_id=review.id)
    assert (shown(store, hat), rated(store, hat)) == ([], UNRATED)
    assert store.reviews.mine(by=ada).items == (rejected,)
    assert store.reviews.mine(by=moderator).items == ()
    assert store.reviews.pending(by=moderator).items == ()
    (mail,) = decisions(store)
    assert (mail.data["published"], mail.data["note"]) == (False, "")


def test_a_decided_review_is_not_decided_again_until_its_author_changes_it(store: Floor) -> None:
    hat = product(store)
    ada = buyer(store, hat)
    review = store.reviews.write(by=ada, product_id=hat.id, rating=4, comment="Warm")
    store.reviews.approve(by=SYSTEM, review_id=review.id)
    for decide in (store.reviews.approve, store.reviews.reject):
        with pytest.raises(AlreadyDecided):
            decide(by=SYSTEM, review_id=review.id)
    edited = store.reviews.edit(by=ada, review_id=review.id, comment="Warm and soft")
    assert edited.status is ReviewStatus.PENDING
    assert (shown(store, hat), rated(store, hat)) == ([], UNRATED)
    store.reviews.reject(by=SYSTEM, review_id=review.id)
    store.reviews.edit(by=ada, review_id=review.id, comment=None)
    assert (shown(store, hat), rated(store, hat)) == ([None], Rating(total=4, count=1))
    with pytest.raises(AlreadyDecided):
        store.reviews.reject(by=SYSTEM, review_id=review.id)
    assert [mail.data["published"] for mail in decisions(store)] == [True, False]


def test_an_edit_that_changes_nothing_keeps_a_review_where_it_is(store: Floor) -> None:
    hat = product(store)
    ada = buyer(store, hat)
    review = store.reviews.write(by=ada, product_id=hat.id, rating=4, comment="Warm")
    published = store.reviews.approve(by=SYSTEM, review_id=review.id)
    assert store.reviews.edit(by=ada, review_id=review.id) == published
    assert store.reviews.edit(by=ada, review_id=review.id, rating=4, comment="Warm") == published
    assert shown(store, hat) == ["Warm"]


def test_only_those_who_received_it_review_a_product(store: Floor) -> None:
    hat, cap = product(store), product(store)
    ada, bob = buyer(store, hat), person(store)
    order = store.orders.place(by=bob, items=[(hat.id, 1)], deliver_to=HOME)
    for status in WAY:
        with pytest.raises(NotABuyer):
            store.reviews.write(by=bob, product_id=hat.id, rating=5)
        store.orders.advance(by=SYSTEM, order_id=order.id, to=status)
    store.reviews.write(by=bob, product_id=hat.id, rating=5)
    with pytest.raises(NotABuyer):
        store.reviews.write(by=ada, product_id=cap.id, rating=5)
    with pytest.raises(NotABuyer):
        store.reviews.write(by=person(store, Role.ADMIN), product_id=hat.id, rating=5)
    with pytest.raises(NotFound):
        store.reviews.write(by=ada, product_id="nothing", rating=5)
    for nobody in (GUEST, SYSTEM):
        with pytest.raises(NotAuthenticated):
            store.reviews.write(by=nobody, product_id=hat.id, rating=5)


def test_what_was_archived_is_reviewed_by_who_has_it_and_listed_no_more(store: Floor) -> None:
    hat = product(store)
    ada = buyer(store, hat)
    store.catalog.archive_product(by=SYSTEM, product_id=hat.id)
    assert store.reviews.write(by=ada, product_id=hat.id, rating=3).status is ReviewStatus.PUBLISHED
    assert rated(store, hat) == Rating(total=3, count=1)
    for unknown in (hat.id, "nothing"):
        with pytest.raises(NotFound):
            store.reviews.of_product(product_id=unknown)


def test_a_product_is_reviewed_once_by_each_and_again_after_the_review_was_deleted(store: Floor) -> None:
    hat = product(store)
    ada, bob = buyer(store, hat), buyer(store, hat)
    review = store.reviews.write(by=ada, product_id=hat.id, rating=5)
    store.reviews.write(by=bob, product_id=hat.id, rating=4)
    with pytest.raises(DuplicateReview):
        store.reviews.write(by=ada, product_id=hat.id, rating=1, comment="Again")
    assert rated(store, hat).average == Decimal("4.50")
    store.reviews.delete(by=ada, review_id=review.id)
    assert rated(store, hat) == Rating(total=4, count=1)
    store.reviews.write(by=ada, product_id=hat.id, rating=1)
    assert rated(store, hat) == Rating(total=5, count=2)


def test_a_review_that_is_sent_twice_is_written_once(store: Floor) -> None:
    hat = product(store)
    ada, once = buyer(store, hat), Once("reviews", "key", b"request", lambda review: review.id.encode())
    review = store.reviews.write(by=ada, product_id=hat.id, rating=5, once=once)
    with pytest.raises(Replayed) as replayed:
        store.reviews.write(by=ada, product_id=hat.id, rating=5, once=once)
    assert replayed.value.answer == review.id.encode()
    assert rated(store, hat) == Rating(total=5, count=1)


@pytest.mark.parametrize(
    ("rating", "comment", "field"),
    [(0, None, "rating"), (6, "Warm", "rating"), (3, "", "comment"), (3, "\a", "comment")],
)
def test_what_is_no_review_is_refused(store: Floor, rating: int, comment: str | None, field: str) -> None:
    hat = product(store)
    with pytest.raises(Invalid) as refused:
        store.reviews.write(by=buyer(store, hat), product_id=hat.id, rating=rating, comment=comment)
    assert [name for name, _ in refused.value.errors] == [field]


def test_a_review_is_changed_by_its_author_and_deleted_by_moderators_too(store: Floor) -> None:
    hat, moderator = product(store), person(store, Role.PRODUCT_MANAGER)
    ada, bob = buyer(store, hat), buyer(store, hat)
    reviews = [store.reviews.write(by=ada, product_id=hat.id, rating=5, comment="Warm")]
    reviews.append(store.reviews.write(by=bob, product_id=hat.id, rating=1))
    for review, other in zip(reviews, (bob, ada), strict=True):
        attempts: list[Callable[..., object]] = [partial(store.reviews.edit, rating=3), store.reviews.delete]
        for attempt in attempts:
            with pytest.raises(NotFound):
                attempt(by=other, review_id=review.id)
            with pytest.raises(NotFound):
                attempt(by=other, review_id="nothing")
        with pytest.raises(NotFound):
            store.reviews.edit(by=moderator, review_id=review.id, comment="Mine now")
        with pytest.raises(NotAuthenticated):
            store.reviews.edit(by=GUEST, review_id=review.id, rating=3)
        with pytest.raises(NotFound):
            store.reviews.delete(by=GUEST, review_id=review.id)
    assert rated(store, hat) == Rating(total=1, count=1)
    for review in reviews:
        store.reviews.delete(by=moderator, review_id=review.id)
    assert rated(store, hat) == UNRATED
    assert store.reviews.mine(by=ada).items == store.reviews.pending(by=moderator).items == ()


def test_moderators_and_nobody_else_decide(store: Floor) -> None:
    hat = product(store)
    review = store.reviews.write(by=buyer(store, hat), product_id=hat.id, rating=5, comment="Warm")
    for role in Role:
        by = person(store, role)
        attempts = [store.reviews.pending] + [
            partial(decide, review_id="nothing") for decide in (store.reviews.approve, store.reviews.reject)
        ]
        expected: list[type[StoreError] | None] = (
            [None, NotFound, NotFound] if by.may(Permission.REVIEWS_MODERATE) else [Forbidden] * 3
        )
        for attempt, error in zip(attempts, expected, strict=True):
            if error is None:
                attempt(by=by)
            else:
                with pytest.raises(error):
                    attempt(by=by)
    with pytest.raises(NotAuthenticated):
        store.reviews.approve(by=GUEST, review_id=review.id)
    assert not decisions(store)


def test_who_names_a_version_changes_and_decides_about_no_other(store: Floor) -> None:
    hat = product(store)
    ada = buyer(store, hat)
    read = store.reviews.write(by=ada, product_id=hat.id, rating=5, comment="Warm")
    edited = store.reviews.edit(by=ada, review_id=read.id, comment="Buy at mine", if_version=1)
    for decide in (store.reviews.approve, store.reviews.reject):
        with pytest.raises(PreconditionFailed):
            decide(by=SYSTEM, review_id=read.id, if_version=read.version)
    with pytest.raises(PreconditionFailed):
        store.reviews.edit(by=ada, review_id=read.id, rating=1, if_version=read.version)
    store.reviews.reject(by=SYSTEM, review_id=read.id, if_version=edited.version)
    with pytest.raises(Invalid):
        store.reviews.approve(
            by=SYSTEM, review_id=store.reviews.edit(by=ada, review_id=read.id, rating=1).id, note="\a"
        )


def test_who_edits_a_review_goes_to_the_end_of_the_queue(store: Floor) -> None:
    hat = product(store)
    reviews = []
    for name in ("Ada A", "Bob B", "Eve E"):
        user = buyer(store, hat, name=name)
        reviews.append((user, store.reviews.write(by=user, product_id=hat.id, rating=3, comment=name)))
        store.time.forward(minutes=1)
    author, review = reviews[0]
    store.reviews.edit(by=author, review_id=review.id, comment="Ada again")
    first = store.reviews.pending(by=SYSTEM, page=PageRequest(limit=2, total=True))
    rest = store.reviews.pending(by=SYSTEM, page=PageRequest(limit=2, after=first.next))
    assert [each.author for each in (*first.items, *rest.items)] == ["Bob B.", "Eve E.", "Ada A."]
    assert first.total == 3


def _race(bodies: list[Callable[[], object]]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in Together(*bodies).outcomes)


def test_ten_moderators_who_decide_at_once_have_one_effect(store: Floor) -> None:
    hat = product(store)
    review = store.reviews.write(by=buyer(store, hat), product_id=hat.id, rating=3, comment="Warm")
    decide = (store.reviews.approve, store.reviews.reject)
    outcomes = _race([partial(decide[n % 2], by=SYSTEM, review_id=review.id) for n in range(10)])
    assert outcomes == ["AlreadyDecided"] * 9 + ["Review"]
    (mail,) = decisions(store)
    assert rated(store, hat) == Rating(total=3 * bool(mail.data["published"]), count=int(bool(mail.data["published"])))


def test_eight_reviews_by_one_buyer_at_once_are_one(store: Floor) -> None:
    hat = product(store)
    ada = buyer(store, hat)
    write = [partial(store.reviews.write, by=ada, product_id=hat.id, rating=n % 5 + 1) for n in range(8)]
    assert _race([*write]) == ["DuplicateReview"] * 7 + ["Review"]
    (review,) = store.reviews.mine(by=ada).items
    assert rated(store, hat) == Rating(total=review.rating, count=1)


def test_reviews_of_one_product_that_change_at_once_are_all_counted(store: Floor) -> None:
    hat = product(store)
    buyers = [buyer(store, hat) for _ in range(6)]
    kept = [store.reviews.write(by=each, product_id=hat.id, rating=5, comment="Warm") for each in buyers[:2]]
    gone = store.reviews.write(by=buyers[2], product_id=hat.id, rating=1)
    changed = store.reviews.write(by=buyers[3], product_id=hat.id, rating=2)
    bodies: list[Callable[[], Review | None]] = [
        *(partial(store.reviews.approve, by=SYSTEM, review_id=each.id) for each in kept),
        partial(store.reviews.delete, by=buyers[2], review_id=gone.id),
        partial(store.reviews.edit, by=buyers[3], review_id=changed.id, rating=4),
        *(partial(store.reviews.write, by=each, product_id=hat.id, rating=3) for each in buyers[4:]),
    ]
    Together(*bodies).succeed()
    assert rated(store, hat) == Rating(total=5 + 5 + 4 + 3 + 3, count=5)
