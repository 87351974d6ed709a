"""A review checks itself, and goes where its author and moderators may take it."""

from datetime import timedelta
from itertools import product as pairs
from typing import Any

import pytest

from storecore.catalog.model import UNRATED, Rating
from storecore.errors import AlreadyDecided, Invalid, PreconditionFailed
from storecore.reviews.model import NEXT, Review, ReviewStatus
from storecore.testing.builders import NOW, ids, make_product, make_review, make_user

PENDING, PUBLISHED, REJECTED = ReviewStatus
LATER = NOW + timedelta(days=1)


def review(**fields: Any) -> Review:
    new_id = ids()
    return make_review(new_id, make_user(new_id), make_product(new_id, category_ids=["shelf"]), **fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rating", 0),
        ("rating", 6),
        ("comment", ""),
        ("comment", " \n\u200b "),
        ("comment", "x" * 2001),
        ("comment", "bell\a"),
        ("comment", "\u202etxt"),
    ],
)
def test_a_bad_field_of_a_review_is_refused_by_its_name(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        review(**{"status": PENDING, field: value})
    assert [name for name, _ in refused.value.errors] == [field]
    with pytest.raises(Invalid):
        review().edited(LATER, **{field: value})


@pytest.mark.parametrize("rating", [4.0, True, "4", None])
def test_stars_are_whole_numbers(rating: Any) -> None:
    with pytest.raises(TypeError):
        review(rating=rating)


def test_a_comment_is_cleaned_and_keeps_its_lines() -> None:
    assert review(comment="  Warm.\r\n\r\nFits. \n").comment == "Warm.\n\nFits."
    assert review(comment="x" * 2000).comment == "x" * 2000


@pytest.mark.parametrize("status", [PENDING, REJECTED])
def test_stars_alone_are_never_anything_but_published(status: ReviewStatus) -> None:
    assert review().status is PUBLISHED
    assert review(comment="Warm").status is PENDING
    with pytest.raises(ValueError, match="published"):
        review(status=status)


@pytest.mark.parametrize(("before", "after"), [*pairs(ReviewStatus, (PUBLISHED, REJECTED))])
def test_only_a_pending_review_is_decided(before: ReviewStatus, after: ReviewStatus) -> None:
    given = review(comment="Warm", status=before)
    decide = given.published if after is PUBLISHED else given.rejected
    if before is PENDING:
        decided = decide()
        assert (decided.status, decided.version, decided.updated_at) == (after, 2, NOW)
    else:
        with pytest.raises(AlreadyDecided, match=str(before)):
            decide()
    assert (after in NEXT[before]) is (before is PENDING)


@pytest.mark.parametrize(("before", "changes"), [*pairs(ReviewStatus, ({"comment": "Itches"}, {"rating": 1}))])
def test_an_edited_comment_waits_for_a_moderator_again(before: ReviewStatus, changes: dict[str, Any]) -> None:
    edited = review(comment="Warm", status=before).edited(LATER, **changes)
    assert (edited.status, edited.updated_at, edited.created_at, edited.version) == (PENDING, LATER, NOW, 2)
    assert edited.counted == UNRATED


@pytest.mark.parametrize("before", ReviewStatus)
def test_a_review_whose_comment_is_removed_is_published(before: ReviewStatus) -> None:
    edited = review(comment="Warm", status=before).edited(LATER, comment=None)
    assert (edited.status, edited.comment) == (PUBLISHED, None)
    assert edited.edited(LATER, rating=2).status is PUBLISHED
    assert edited.edited(LATER, comment="Warm").status is PENDING


@pytest.mark.parametrize("status", ReviewStatus)
def test_an_edit_that_changes_nothing_is_none(status: ReviewStatus) -> None:
    given = review(comment="Warm", status=status)
    for nothing in ({}, {"rating": 4}, {"comment": " Warm "}, {"rating": 4, "comment": "Warm"}):
        assert given.edited(LATER, **nothing) is given


@pytest.mark.parametrize(("status", "counted"), [(PENDING, 0), (PUBLISHED, 1), (REJECTED, 0)])
def test_a_rating_counts_what_is_published(status: ReviewStatus, counted: int) -> None:
    assert review(comment="Warm", status=status, rating=3).counted == Rating(total=3 * counted, count=counted)


def test_an_editor_may_name_the_version_that_they_read() -> None:
    given = review()
    given.expect(None)
    given.expect(1)
    with pytest.raises(PreconditionFailed):
        given.expect(2)


def test_a_comment_is_not_in_what_logs_show() -> None:
    assert "Warm" not in repr(review(comment="Warm"))
