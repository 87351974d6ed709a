"""Files in a folder of the local disk, or of one that several machines share."""

import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from adapters.system import utc_now
from storecore.errors import NotFound, Unavailable
from storecore.ports import Clock

log = logging.getLogger(__name__)

_NAME = re.compile(r"[0-9a-f]{32}")
_OURS = re.compile(r"[0-9a-f]{32}(\.part)?")
"""Whatever else is in the folder is none of our business."""


class DiskFiles:
    """The ``Files`` port: a folder that only its owner reads (0700, files 0600), made when the first file comes.

    A file grows as ``<name>.part``, and gets its name once it is whole and on the disk: a power cut leaves either all
    of it or a part that nobody asks for.
    """

    def __init__(self, folder: Path, *, clock: Clock = utc_now) -> None:
        self._folder = folder
        self._clock = clock

    def keep(self, name: str, content: Iterable[bytes]) -> None:
        """Raises ``FileExistsError``, ``Unavailable``, and what reading the content raises."""
        path = self._path(name)
        part = path.with_suffix(".part")
        with _in_our_words():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists():
                raise FileExistsError(name)
            file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            try:
                for chunk in content:
                    with _in_our_words():
                        _write(file, chunk)
                with _in_our_words():
                    os.fsync(file)
            finally:
                os.close(file)
            with _in_our_words():
                now = self._clock().timestamp()
                os.utime(part, (now, now))
                part.rename(path)
                self._sync_folder()
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def open(self, name: str) -> BinaryIO:
        """Raises ``NotFound``, ``Unavailable``."""
        with _in_our_words():
            try:
                return self._path(name).open("rb")
            except FileNotFoundError:
                log.error("file %s is missing in %s", name, self._folder)  # noqa: TRY400 - where from is known
                raise NotFound("The file is not there.") from None

    def size(self, name: str) -> int | None:
        """None if there is none."""
        with _in_our_words():
            try:
                return self._path(name).stat().st_size
            except FileNotFoundError:
                return None

    def kept_before(self, at: datetime) -> Sequence[str]:
        """What was begun counts from when it last grew."""
        with _in_our_words():
            return sorted(self._old(at.timestamp())) if self._folder.is_dir() else []

    def remove(self, name: str) -> None:
        """Nothing happens if there is none."""
        with _in_our_words():
            self._path(name, _OURS).unlink(missing_ok=True)

    def _old(self, before: float) -> Iterator[str]:
        with os.scandir(self._folder) as entries:
            for entry in entries:
                try:
                    if _OURS.fullmatch(entry.name) and entry.stat(follow_symlinks=False).st_mtime < before:
                        yield entry.name
                except FileNotFoundError:  # it was finished or removed meanwhile
                    continue

    def _path(self, name: str, pattern: re.Pattern[str] = _NAME) -> Path:
        if not pattern.fullmatch(name):
            raise ValueError(f"no name of a file: {name[:100]!r}")
        return self._folder / name

    def _sync_folder(self) -> None:
        """Make a new name last; Windows knows no such thing."""
        if hasattr(os, "O_DIRECTORY"):
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        log.warning("attachments can't be kept or read: %s", error.strerror)
        raise Unavailable("Files can't be kept or read just now; the disk may be full.") from error


def _write(file: int, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[os.write(file, left) :]
