"""Pages of long lists, by keyset: a page starts after the last row of the one before, wherever that is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

Keyset = tuple[str | int | None, ...]
"""The sort values of a page's last row, its id at the end. Opaque to callers; they hand it back as it was."""

MAX_LIMIT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which page: up to ``limit`` (1 to 100) rows after the keyset; ``total`` asks for a count of all rows too."""

    limit: int = 20
    after: Keyset | None = None
    total: bool = False

    def __post_init__(self) -> None:
        if type(self.limit) is not int:
            raise TypeError(f"a page has a whole number of rows, not {self.limit!r}")
        if not 1 <= self.limit <= MAX_LIMIT:
            raise ValueError(f"a page has 1 to {MAX_LIMIT} rows, not {self.limit}")


FIRST_PAGE = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some rows, the keyset that the next page starts after (None at the end), and the count if it was asked for."""

    items: tuple[T, ...]
    next: Keyset | None = None
    total: int | None = None

    def map(self, show: Callable[[T], U]) -> "Page[U]":
        """The same page with each row shown in another way."""
        return Page(items=tuple(show(item) for item in self.items), next=self.next, total=self.total)


def every(fetch: Callable[[PageRequest], Page[T]]) -> Iterator[T]:
    """Each row of a list, fetched page by page as it is wanted."""
    page = fetch(PageRequest(limit=MAX_LIMIT))
    yield from page.items
    while page.next is not None:
        page = fetch(PageRequest(limit=MAX_LIMIT, after=page.next))
        yield from page.items
