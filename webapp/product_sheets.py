"""The catalog as CSV files over HTTP: in and out."""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from hashlib import sha256
from tempfile import TemporaryFile
from typing import IO

from typing_extensions import TypedDict

from storecore.catalog.exporting import MAY_EXPORT
from storecore.catalog.import_report import ImportReport, Result
from storecore.catalog.importing import MAY_IMPORT
from storecore.errors import ImportRefused, MalformedSheet, Unavailable
from webapp.http.answers import Answer, sheet
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.http.fields import Choice
from webapp.http.problems import show_extra
from webapp.http.uploads import Upload
from webapp.http.validation import Body, Query

routes = Routes("product files", "The catalog as CSV files.")

CSV = "text/csv"
MOST = 64 * 1024 * 1024
"""Bytes of a file."""


class Mode(StrEnum):
    """What bad rows do: refuse all the others too, or themselves alone."""

    ALL = "all"
    SKIP = "skip"


class ProductFile(Body):
    """Nothing but the file."""


class ImportOptions(Query):
    """``dry_run`` changes nothing and says what would happen. ``mode`` is what a bad row does to the others."""

    dry_run: bool = False
    mode: Choice[Mode] = Mode.ALL


class FieldError(TypedDict):
    """What is wrong in a row: the column, or what in its cell, and why."""

    field: str
    message: str


class RowView(TypedDict):
    """What became of the row that begins in a line of the file; ``changed`` names the columns with new values."""

    line: int
    sku: str
    result: Result
    changed: list[str]
    errors: list[FieldError]


class ImportView(TypedDict):
    """All rows in numbers, the categories that were made, and the first 1,000 refused rows and 1,000 others."""

    dry_run: bool
    created: int
    changed: int
    unchanged: int
    refused: int
    new_categories: list[str]
    rows: list[RowView]


@show_extra.register
def show_report(report: ImportReport) -> ImportView:
    """What an import did, or would do."""
    return {
        "dry_run": report.dry_run,
        "created": report.created,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "refused": report.refused,
        "new_categories": list(report.new_categories),
        "rows": [
            {
                "line": row.line,
                "sku": row.sku,
                "result": row.result,
                "changed": list(row.changed),
                "errors": [{"field": field, "message": why} for field, why in row.errors],
            }
            for row in report.rows
        ],
    }


@routes.endpoint(
    "POST",
    "/products/import",
    show=show_report,
    may=MAY_IMPORT,
    once=True,
    accepts=(CSV,),
    most=MOST,
    refuses=(ImportRefused, MalformedSheet, Unavailable),
)
def import_products(ask: Ask[Upload[ProductFile], ImportOptions]) -> ImportReport:
    """Import products from a CSV file of up to 64 MiB.

    The file is the part `file` of a form, or the body itself as `text/csv`: UTF-8, with commas, semicolons or tabs. Its
    header names columns of `GET /products/export`, `sku` at least, and `attr.<name>` for single attributes. An unknown
    SKU makes a product (`name`, `categories` and `price` are required then), a known one is changed where the file says
    otherwise. An absent column leaves values alone; an empty cell clears `description`, `group`, `images`,
    `attributes`, `attr.<name>` and the discount, and says nothing about anything else.

    With `mode=all` one bad row refuses them all: 422 `import-refused`, whose `errors` name `lines.<line>.<column>` and
    whose `report` is what this answers otherwise. With `mode=skip` the other rows are imported. A file that was
    imported before changes nothing.

    Creating a product needs `catalog:write`; changing prices, costs and discounts `prices:write`, stock `stock:adjust`,
    the rest `catalog:write`; a category that is missing is made for those with `categories:write`. What somebody may
    not change may be in the file as it is, but for a cost that they may not see.
    """
    once, options = ask.once, ask.query
    with TemporaryFile() as file:
        digest = _keep(ask.body, file)
        if once is not None:
            once = replace(once, fingerprint=sha256(once.fingerprint + digest).digest())
        return ask.store.catalog.import_products(
            by=ask.by, file=file, dry_run=options.dry_run, skip_bad=options.mode is Mode.SKIP, once=once
        )


@routes.endpoint("GET", "/products/export", may=MAY_EXPORT, produces=CSV)
def export_products(ask: Ask) -> Answer:
    """Download every product as a CSV file, archived ones too, the oldest first.

    It imports back to the same catalog: a cell that a spreadsheet would take for a formula has a `'` in front, which
    the import takes off. The column `cost` is there for those who may see it.
    """
    return sheet("products.csv", ask.store.catalog.export_products(by=ask.by))


def _keep(content: Iterable[bytes], file: IO[bytes]) -> bytes:
    """Write what comes to a file; its SHA-256. Raises ``Unavailable`` when the disk is full."""
    digest = sha256()
    try:
        for chunk in content:
            digest.update(chunk)
            file.write(chunk)
        file.flush()
    except OSError:
        raise Unavailable("There is no room for the file right now.") from None
    return digest.digest()
