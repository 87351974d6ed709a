"""Days of the shop's calendar: the ranges that reports are about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from storecore import checks
from storecore.errors import Invalid

MOST_DAYS = 3_660
"""Ten years: the longest range of a report."""
MOST_PARTS = 400
"""Rows of a report over time."""

_ONE = timedelta(days=1)


class By(StrEnum):
    """What a range is cut into: days, weeks that begin on Monday (ISO 8601), or calendar months."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """From the beginning of ``first`` to the end of ``last`` in a time zone, half-open as moments.

    Raises ``Invalid`` naming ``to`` when the last day is before the first, or more than ten years later, and naming
    ``from`` for days at the edge of the calendar.
    """

    first: date
    last: date
    timezone: str

    def __post_init__(self) -> None:
        days = (("from", self.first), ("to", self.last))
        if wrong := [name for name, day in days if not date(1971, 1, 1) <= day <= date(9998, 12, 31)]:
            raise Invalid(errors=[(name, "must be a day from 1971 to 9998") for name in wrong])
        if self.last < self.first:
            raise checks.refuse("to", "must not be before the first day")
        if (self.last - self.first).days >= MOST_DAYS:
            raise checks.refuse("to", f"must be within {MOST_DAYS} days")

    @property
    def begins(self) -> datetime:
        """The first moment, in UTC."""
        return _midnight(self.first, self.timezone)

    @property
    def ends(self) -> datetime:
        """The first moment after the range, in UTC."""
        return _midnight(self.last + _ONE, self.timezone)

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def by(self, by: By) -> Sequence["Days"]:
        """The range cut into parts, the first and the last of which may be cut short.

        Raises ``Invalid`` naming ``by`` for too many.
        """
        parts = list(self._cut(by))
        if len(parts) > MOST_PARTS:
            raise checks.refuse("by", f"would make {len(parts)} rows of this range; {MOST_PARTS} are allowed")
        return parts

    def _cut(self, by: By) -> Iterator["Days"]:
        first = self.first
        while first <= self.last:
            last = min(_last_of(first, by), self.last)
            yield Days(first=first, last=last, timezone=self.timezone)
            first = last + _ONE


def day_of(at: datetime, timezone: str) -> date:
    """The day of a moment, as clocks in a time zone have it."""
    return at.astimezone(_zone(timezone)).date()


def month_of(day: date, timezone: str) -> Days:
    """The calendar month that a day is in."""
    return Days(first=day.replace(day=1), last=_last_of(day, By.MONTH), timezone=timezone)


def _last_of(day: date, by: By) -> date:
    if by is By.WEEK:
        return day + (6 - day.weekday()) * _ONE
    if by is By.MONTH:
        return (day.replace(day=1) + 31 * _ONE).replace(day=1) - _ONE
    return day


def _midnight(day: date, timezone: str) -> datetime:
    """When a day begins: where clocks are put forward at midnight, that moment is meant."""
    return datetime.combine(day, time(), _zone(timezone)).astimezone(UTC)


def _zone(timezone: str) -> tzinfo:
    if timezone == "UTC":
        return UTC  # which needs no files of zones
    from zoneinfo import ZoneInfo

    return ZoneInfo(timezone)
