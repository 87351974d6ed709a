"""Taking products in from a CSV file, many at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO
from zlib import crc32

from storecore.accounts.model import Actor, require
from storecore.accounts.permissions import Permission
from storecore.catalog.import_report import ImportReport, Outcome, Tally
from storecore.catalog.intake import Header, Intake
from storecore.catalog.product_sheet import check_columns
from storecore.errors import ImportRefused
from storecore.ports import Unit
from storecore.sheet import Row, Sheet
from storecore.shop import Shop
from storecore.transactions import Activity, Once, reading, writing

BATCH = 100
"""Rows that are looked up together and, where bad ones are skipped, written in one transaction."""
MAY_IMPORT = (Permission.CATALOG_WRITE, Permission.PRICES_WRITE, Permission.STOCK_ADJUST)
"""Whoever has one of these may import; which cells they may change is decided row by row."""
_MARKS = 2**24


def _tell_nobody(*_: object) -> None:
    """Nobody wants to know."""


@dataclass(kw_only=True)
class _Run:
    """One import: who wants what of which file, gone through ``passes`` times for its rows."""

    by: Actor
    file: BinaryIO
    header: Header
    tell: Callable[[Outcome], None]
    progress: Callable[[int, int], None]
    passes: int

    def batches(self, *, passed: int = 0) -> Iterator[Sequence[Row]]:
        """The rows, some at a time."""
        done = passed * self.header.rows
        self.file.seek(0)
        rows = iter(Sheet(self.file))
        while batch := list(islice(rows, BATCH)):
            yield batch
            done += len(batch)
            self.progress(done, self.passes * self.header.rows)


@dataclass(frozen=True, kw_only=True)
class Importing(Activity):
    """Products from a file: an unknown SKU makes a new one, a known one is changed where the file says otherwise.

    The file is gone through several times, and never held in memory.
    """

    shop: Shop

    def import_products(
        self,
        *,
        by: Actor,
        file: BinaryIO,
        dry_run: bool = False,
        skip_bad: bool = False,
        tell: Callable[[Outcome], None] = _tell_nobody,
        progress: Callable[[int, int], None] = _tell_nobody,
        once: Once | None = None,
    ) -> ImportReport:
        """Import a file that can be sought in; one that was imported before changes nothing.

        One bad row refuses them all, before any is written, unless ``skip_bad``. All are written in one transaction,
        for which others wait that want to write: a large file into a shop that is selling goes in with ``skip_bad``,
        which takes a short transaction for each hundred rows. ``dry_run`` writes nothing.

        ``tell`` hears what becomes of each row, ``progress`` how many rows of how many are done. Needs one of
        ``MAY_IMPORT``. Creating a product needs ``catalog:write``; changing prices, costs and discounts
        ``prices:write``, stock ``stock:adjust``, the rest ``catalog:write``; making a category that is missing
        ``categories:write``. Raises ``MalformedSheet``, ``Invalid`` for a wrong header, ``ImportRefused``.
        """
        require(by, *MAY_IMPORT)
        if once is not None and not dry_run:
            self._replay(once=once)
        passes = 1 if dry_run or skip_bad else 2
        run = _Run(by=by, file=file, header=survey(file), tell=tell, progress=progress, passes=passes)
        if skip_bad and not dry_run:
            return self._kept(self._import_some(run), once)
        tally = Tally()
        for rows in run.batches():
            _note(tally, self._judge(run=run, rows=rows), tell)
        if dry_run:
            return tally.report(dry_run=True)
        if tally.refused:
            raise _refused(tally)
        if tally.idle:
            return self._kept(tally.report(), once)
        return self._import_all(run=run, once=once)

    @reading
    def _replay(self, _unit: Unit, *, once: Once) -> None:
        """Raises ``Replayed`` for what was done before."""

    @reading
    def _judge(self, unit: Unit, *, run: _Run, rows: Sequence[Row]) -> Sequence[Outcome]:
        return self._intake(unit, run).take(rows, locked=False)

    @writing
    def _import_all(self, unit: Unit, *, run: _Run, once: Once | None) -> ImportReport:
        tally = Tally()
        for rows in run.batches(passed=1):
            intake = self._intake(unit, run)
            tally.note(intake.take(rows, locked=True))
            if tally.refused:  # something changed since it was looked at
                raise _refused(tally)
            intake.write()
        return tally.report()

    def _import_some(self, run: _Run) -> ImportReport:
        tally = Tally()
        for rows in run.batches():
            outcomes = self._judge(run=run, rows=rows)
            if not all(outcome.idle for outcome in outcomes):
                outcomes = self._import_batch(run=run, rows=rows)
            _note(tally, outcomes, run.tell)
        return tally.report()

    @writing
    def _import_batch(self, unit: Unit, *, run: _Run, rows: Sequence[Row]) -> Sequence[Outcome]:
        intake = self._intake(unit, run)
        outcomes = intake.take(rows, locked=True)
        intake.write()
        return outcomes

    def _kept(self, report: ImportReport, once: Once | None) -> ImportReport:
        return report if once is None else self._remember(report=report, once=once)

    @writing
    def _remember(self, _unit: Unit, *, report: ImportReport, once: Once) -> ImportReport:
        """Keep the answer of an import that took many transactions or none; again, it would change nothing."""
        return report

    def _intake(self, unit: Unit, run: _Run) -> Intake:
        return Intake(unit, run.header, by=run.by, currency=self.shop.currency)


def survey(file: BinaryIO) -> Header:
    """Go through a file once: its header, and every row whose SKU may come again, in constant memory.

    A table of marks finds them: a SKU that falls on another's mark is looked at more closely than it needs to be.
    """
    file.seek(0)
    sheet = Sheet(file)
    check_columns(sheet.columns)
    header = Header(columns=sheet.columns, rows=0, repeated=frozenset(), first_lines={})
    marks, repeated, number = bytearray(_MARKS // 8), set[str](), 0
    for number, row in enumerate(sheet, 1):  # noqa: B007 - the last number counts them
        sku = header.sku(row)
        byte, bit = divmod(crc32(sku.encode()) % _MARKS, 8)
        if marks[byte] & 1 << bit:
            repeated.add(sku)
        marks[byte] |= 1 << bit
    return replace(header, rows=number, repeated=frozenset(repeated))


def _note(tally: Tally, outcomes: Sequence[Outcome], tell: Callable[[Outcome], None]) -> None:
    tally.note(outcomes)
    for outcome in outcomes:
        tell(outcome)


def _refused(tally: Tally) -> ImportRefused:
    report = tally.report()
    errors = [(f"lines.{row.line}.{field}", why) for row in report.rows for field, why in row.errors]
    message = f"Nothing was imported; bad rows: {report.refused:,}."
    return ImportRefused(message, errors=errors, report=report)
