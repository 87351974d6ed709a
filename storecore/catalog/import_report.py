"""What an import did, or would do, row by row."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MOST_ROWS = 1000
"""Refused rows, and others, that a report shows; it counts them all."""


class Result(StrEnum):
    """What became of a row."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the row that begins in a line of the file.

    ``changed`` names the columns whose values are new, ``errors`` those that were refused and why, ``new_categories``
    the categories that were made for it.
    """

    line: int
    sku: str
    result: Result
    changed: tuple[str, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()
    new_categories: tuple[str, ...] = ()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to write for it."""
        return self.result in (Result.UNCHANGED, Result.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """All rows in numbers, and the first of them in order of lines: refused ones and others, as many of each."""

    dry_run: bool
    created: int
    changed: int
    unchanged: int
    refused: int
    new_categories: tuple[str, ...]
    rows: tuple[Outcome, ...]


class Tally:
    """A report in the making."""

    def __init__(self) -> None:
        self._counts: Counter[Result] = Counter()
        self._shown: Counter[bool] = Counter()
        self._rows: list[Outcome] = []
        self._categories: dict[str, None] = {}

    @property
    def refused(self) -> int:
        """Rows that were refused so far."""
        return self._counts[Result.REFUSED]

    @property
    def idle(self) -> bool:
        """Whether there was nothing to write so far."""
        return not self._counts[Result.CREATED] + self._counts[Result.CHANGED]

    def note(self, outcomes: Iterable[Outcome]) -> None:
        """Count what became of some more rows."""
        for outcome in outcomes:
            self._counts[outcome.result] += 1
            bad = outcome.result is Result.REFUSED
            if self._shown[bad] < MOST_ROWS:
                self._shown[bad] += 1
                self._rows.append(outcome)
            if len(self._categories) < MOST_ROWS:
                self._categories.update(dict.fromkeys(outcome.new_categories))

    def report(self, *, dry_run: bool = False) -> ImportReport:
        """The report so far."""
        return ImportReport(
            dry_run=dry_run,
            created=self._counts[Result.CREATED],
            changed=self._counts[Result.CHANGED],
            unchanged=self._counts[Result.UNCHANGED],
            refused=self.refused,
            new_categories=tuple(self._categories),
            rows=tuple(self._rows),
        )
