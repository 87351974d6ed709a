"""Pages and requests for them."""

from typing import Any

import pytest

from storecore.lists import FIRST_PAGE, MAX_LIMIT, Page, PageRequest


def test_a_page_has_20_rows_unless_asked_otherwise() -> None:
    assert (FIRST_PAGE.limit, FIRST_PAGE.after, FIRST_PAGE.total) == (20, None, False)


@pytest.mark.parametrize("limit", [1, MAX_LIMIT])
def test_a_page_has_1_to_100_rows(limit: int) -> None:
    assert PageRequest(limit=limit).limit == limit


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_other_sizes_are_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 100 rows"):
        PageRequest(limit=limit)


@pytest.mark.parametrize("limit", [True, 20.0, "20"])
def test_a_size_is_a_whole_number(limit: Any) -> None:
    with pytest.raises(TypeError, match="whole number"):
        PageRequest(limit=limit)


def test_showing_the_rows_of_a_page_keeps_its_place_and_count() -> None:
    page = Page(items=(1, 2), next=("b", 2, "id"), total=7)
    assert page.map(str) == Page(items=("1", "2"), next=("b", 2, "id"), total=7)
