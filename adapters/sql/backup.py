"""A copy of a SQLite database while the shop goes on selling.

To restore one, put it in the database's place while nothing runs. A copy is of use only together with the keys that
encrypt what is in it; they are not part of it.
"""

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url
from sqlalchemy.engine import URL

from adapters.sql.dialect import refusal

Progress = Callable[[int, int], None]
"""Told how many pages are copied, and of how many."""

_STEP = 2000
"""Pages that are copied at a time, of 4 KiB each."""


def _in_silence(_done: int, _total: int) -> None: ...


def backup(
    where: str | Path | URL, to: Path, *, replace: bool = False, progress: Progress = _in_silence, step: int = _STEP
) -> None:
    """Copy the database at a path or URL, as it is at this moment, into a file that only its owner can read.

    The file is there whole or not at all. Raises ``ValueError`` for a database that is no file, and for a copy
    onto one in use; ``FileNotFoundError``, ``FileExistsError`` unless it may ``replace`` one, ``Unavailable``.
    """
    path = _file(where)
    for needed in (path, to.parent):
        if not needed.exists():
            raise FileNotFoundError(errno.ENOENT, "is not there", str(needed))
    _check_free(to, path, replace=replace)
    with TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as folder:
        made = Path(folder) / to.name
        os.close(os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            _copy(path, made, progress, step)
        except sqlite3.Error as error:
            raise refusal(error, {}) from error
        _settle(made)
        _check_free(to, path, replace=replace)
        made.replace(to)
    _settle(to.parent)


def _file(where: str | Path | URL) -> Path:
    if isinstance(where, str) and "://" in where:
        where = make_url(where)
    if isinstance(where, URL):
        if where.get_backend_name() != "sqlite":
            raise ValueError(
                "The database is on a server, whose own tools copy it: "
                f'pg_dump --format=custom --file=shop.dump "{where.set(drivername="postgresql").render_as_string()}"'
            )
        where = where.database or ""
    return Path(where)


def _check_free(to: Path, path: Path, *, replace: bool) -> None:
    if to.exists() and to.samefile(path):
        raise ValueError("A database can't be copied onto itself.")
    if to.with_name(f"{to.name}-wal").exists() or to.name.endswith(("-wal", "-shm")):
        raise ValueError(f"{to} is, or is part of, a database in use.")
    if to.exists() and not replace:
        raise FileExistsError(errno.EEXIST, "is there already", str(to))


def _copy(path: Path, made: Path, progress: Progress, step: int) -> None:
    """Page by page from one snapshot: without it, each write of another would make the copy begin again."""
    source = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
    with closing(source), closing(sqlite3.connect(made, isolation_level=None)) as target:
        target.execute("PRAGMA synchronous = OFF")  # it is made lasting once, as a whole
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=step, progress=lambda _status, left, total: progress(total - left, total))
        source.execute("ROLLBACK")


def _settle(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    if path.is_dir() and os.name != "posix":
        return
    opened = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
