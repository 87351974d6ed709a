"""Products in and out of files, for the command line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from storecore.accounts.model import SYSTEM
from storecore.catalog.import_report import ImportReport, Outcome, Result
from storecore.errors import ImportRefused
from storecore.sheet import written
from storecore.store import Store
from webapp import progress

MOST_SHOWN = 20
"""Refused rows that are shown on a terminal."""

Tell = Callable[[Outcome], None]


def take_in(store: Store, file: Path, *, dry_run: bool, skip_bad: bool, report: Path | None) -> ImportReport:
    """Import a file as the shop itself, and say what became of it. Raises ``ImportRefused``."""
    with file.open("rb") as opened, _told(report) as tell, progress.bars() as advance:
        try:
            done = store.catalog.import_products(
                by=SYSTEM,
                file=opened,
                dry_run=dry_run,
                skip_bad=skip_bad,
                tell=tell,
                progress=lambda done, total: advance("rows", done, total),
            )
        except ImportRefused as error:
            _show_refused(error.extra["report"])
            raise
    _show_refused(done)
    numbers = (
        f"{done.created:,} created, {done.changed:,} changed, {done.unchanged:,} unchanged, {done.refused:,} refused"
    )
    click.echo(f"{'Nothing was changed. It would be: ' if dry_run else ''}{numbers}.")
    if done.new_categories:
        click.echo(f"New categories: {', '.join(done.new_categories[:MOST_SHOWN])}.")
    return done


def write_out(store: Store, file: Path) -> None:
    """Export every product into a file, which is there once it is whole."""
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with unfinished.open("wb") as opened, progress.bars() as advance:
            for piece in store.catalog.export_products(by=SYSTEM):
                opened.write(piece)
                advance("bytes", opened.tell(), None)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _told(report: Path | None) -> Iterator[Tell]:
    """What writes down each row's outcome, a line each, as the import goes on."""
    if report is None:
        yield lambda _: None
        return
    with report.open("w", encoding="utf-8", newline="") as file:

        def write(*row: str) -> None:
            file.writelines(written([row]))

        write("line", "sku", "result", "changed", "errors")
        yield lambda row: write(str(row.line), row.sku, row.result, " ".join(row.changed), _why(row))


def _show_refused(report: ImportReport) -> None:
    refused = [row for row in report.rows if row.result is Result.REFUSED]
    for row in refused[:MOST_SHOWN]:
        click.echo(f"Line {row.line}{row.sku and f' ({row.sku})'}: {_why(row)}", err=True)
    if report.refused > MOST_SHOWN:
        click.echo(f"… and {report.refused - MOST_SHOWN:,} more; --report writes them all down.", err=True)


def _why(row: Outcome) -> str:
    return "; ".join(f"{field}: {why}" for field, why in row.errors)
