"""Keyset pages of rows in memory, and times in UTC."""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import is_
from typing import Any, TypeVar, cast, get_args, get_type_hints

from storecore.lists import Keyset, Page, PageRequest

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def ticks(at: datetime) -> int:
    """A moment as a sort value: microseconds since 1970."""
    return (at - _EPOCH) // _TICK


def page_of(rows: Iterable[T], page: PageRequest, key: Callable[[T], Keyset], *, descending: bool = False) -> Page[T]:
    """The rows after the page's keyset in order of ``key``, which no two rows share."""
    keyed: list[tuple[Any, T]] = [(key(row), row) for row in rows]
    total = len(keyed) if page.total else None
    if page.after is not None:
        after: Any = tuple(page.after)
        keyed = [(sort, row) for sort, row in keyed if (sort < after if descending else sort > after)]
    pick = heapq.nlargest if descending else heapq.nsmallest
    found = pick(page.limit + 1, keyed, key=lambda pair: pair[0])
    shown = found[: page.limit]
    return Page(
        items=tuple(row for _, row in shown),
        next=shown[-1][0] if len(found) > len(shown) else None,
        total=total,
    )


def in_utc(entity: T) -> T:
    """The same entity with each of its times in UTC. Raises ``ValueError`` for a time without an offset."""
    return cast(T, _convert(entity))


def _convert(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError(f"{value} has no offset: the shop's times are moments")
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    if isinstance(value, tuple):
        converted = tuple(_convert(each) for each in value)
        return value if all(map(is_, value, converted)) else converted
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changes = {}
    for name in _timed(type(value)):
        old = getattr(value, name)
        if (new := _convert(old)) is not old:
            changes[name] = new
    return replace(value, **changes) if changes else value


@cache
def _timed(entity: type) -> tuple[str, ...]:
    """The fields of a dataclass that hold times, at whatever depth."""
    hints = get_type_hints(entity)
    return tuple(each.name for each in fields(entity) if _holds_time(hints[each.name]))


def _holds_time(hint: Any) -> bool:
    if hint is datetime or (isinstance(hint, type) and is_dataclass(hint) and _timed(hint)):
        return True
    return any(_holds_time(part) for part in get_args(hint))
