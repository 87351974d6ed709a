"""Days, weeks and months of a shop's calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storecore.errors import Invalid
from storecore.insight.days import MOST_DAYS, By, Days, day_of, month_of

ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo", "America/Sao_Paulo")
_SINCE_1980 = int(datetime(1980, 1, 1, tzinfo=UTC).timestamp())
"""Until October 1979 the clocks of Kiritimati were 10 hours and 40 minutes behind."""


def days(first: date, last: date, timezone: str = "UTC") -> Days:
    return Days(first=first, last=last, timezone=timezone)


def hours(day: date, timezone: str) -> float:
    one = days(day, day, timezone)
    return (one.ends - one.begins) / timedelta(hours=1)


def test_a_day_on_which_clocks_are_moved_is_shorter_or_longer() -> None:
    assert hours(date(2026, 3, 8), "America/New_York") == 23
    assert hours(date(2026, 11, 1), "America/New_York") == 25
    assert hours(date(2026, 4, 24), "Africa/Cairo") == 23, "at midnight, which there is not on that day"
    assert hours(date(2026, 4, 5), "Australia/Lord_Howe") == 24.5
    assert hours(date(2026, 3, 8), "UTC") == 24


@given(
    at=st.integers(_SINCE_1980, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    timezone=st.sampled_from(sorted(available_timezones())) | st.sampled_from(ZONES),
)
def test_every_moment_is_in_the_day_that_begins_before_and_ends_after_it(at: datetime, timezone: str) -> None:
    day = day_of(at, timezone)
    one = days(day, day, timezone)
    assert one.begins <= at < one.ends
    assert one.begins.timestamp() % 900 == 0, "days are made of quarters of an hour"


@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.integers(0, 390), st.sampled_from(By))
def test_parts_follow_one_another_and_make_the_whole(first: date, more: int, by: By) -> None:
    whole = days(first, first + timedelta(days=more), "America/Sao_Paulo")
    parts = whole.by(by)
    assert parts[0].first == whole.first
    assert parts[-1].last == whole.last
    assert [part.first for part in parts[1:]] == [part.last + timedelta(days=1) for part in parts[:-1]]
    assert [part.begins for part in parts[1:]] == [part.ends for part in parts[:-1]]
    if by is By.WEEK:
        assert all(part.first.weekday() == 0 for part in parts[1:])
    if by is By.MONTH:
        assert all(part.first.day == 1 for part in parts[1:])


def test_a_month_has_all_of_its_days() -> None:
    assert month_of(date(2024, 2, 10), "UTC") == days(date(2024, 2, 1), date(2024, 2, 29))
    assert month_of(date(2026, 12, 31), "UTC") == days(date(2026, 12, 1), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (date(2026, 1, 2), date(2026, 1, 1), "to"),
        (date(2016, 1, 1), date(2016, 1, 1) + timedelta(days=MOST_DAYS), "to"),
        (date.min, date(2026, 1, 1), "from"),
        (date(2026, 1, 1), date.max, "to"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(first: date, last: date, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        days(first, last)
    assert [name for name, _ in refused.value.errors] == [field]


def test_ten_years_are_fine_but_not_day_by_day() -> None:
    whole = days(date(2016, 1, 1), date(2016, 1, 1) + timedelta(days=MOST_DAYS - 1))
    assert len(whole.by(By.MONTH)) == 121
    with pytest.raises(Invalid, match="by"):
        whole.by(By.DAY)
