"""Files that came with messages: their names can be read, and they are where they were put."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from adapters.sql import tables
from adapters.sql.verify.ciphertexts import opened, unreadable
from adapters.sql.verify.snapshot import Finding, Snapshot, Walk
from storecore.ports import Files

_files = tables.attachments.c


def attachments(files: Files | None) -> Walk:
    """Goes through the rows; without ``files`` nothing is said of the files themselves."""

    def walk(snapshot: Snapshot) -> Iterator[Sequence[Finding]]:
        for id_, private, stored_as, size in snapshot.rows(
            select(_files.id, _files.private, _files.stored_as, _files.size)
        ):
            found = []
            if opened(snapshot, _files.private, id_, private) is None:
                found.append(unreadable(_files.private, id_))
            if files is not None and (there := _size(files, stored_as)) != size:
                what = "is missing" if there is None else f"has {there} bytes instead of {size}"
                found.append(Finding("file", "attachments", id_, f"the file {stored_as} {what}"))
            yield found

    return walk


def _size(files: Files, name: str) -> int | None:
    try:
        return files.size(name)
    except ValueError:  # a row that was altered
        return None
