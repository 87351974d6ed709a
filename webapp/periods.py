"""Ranges of days in query strings, as the shop's calendar has them."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field

from storecore.shop import Shop
from webapp.http.fields import Day
from webapp.http.validation import Query


class Period(Query):
    """From the beginning of one day to the end of another, in the shop's time zone; either may be left open."""

    from_: Day | None = Field(None, alias="from", description="First day, such as 2026-01-01.")
    to: Day | None = Field(None, description="Last day, included.")

    def bounds(self, shop: Shop) -> tuple[datetime | None, datetime | None]:
        """The moments at which it begins (included) and ends (excluded)."""
        zone = ZoneInfo(shop.timezone)
        return _start(self.from_, zone), _start(self.to, zone, after=timedelta(days=1))


def _start(day: date | None, zone: ZoneInfo, after: timedelta = timedelta()) -> datetime | None:
    """When a day begins; None for one at the edge of the calendar, which bounds nothing."""
    if day is None or not date.min + timedelta(days=2) < day < date.max - timedelta(days=2):
        return None
    day += after
    return datetime(day.year, day.month, day.day, tzinfo=zone)
