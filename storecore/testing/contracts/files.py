"""Files beside the database. Give a fixture named after the port."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from storecore.errors import NotFound, TooLarge
from storecore.ports import Files
from storecore.testing.contracts.proving import Together

ONE, TWO = "0" * 32, "0123456789abcdef" * 2
HOUR = timedelta(hours=1)


def read(files: Files, name: str) -> bytes:
    """All of a file."""
    with closing(files.open(name)) as file:
        return file.read()


class FilesContract:
    """A file is there as a whole or not at all. Give ``files`` that are empty, and whose clock is right."""

    def test_what_was_kept_comes_back(self, files: Files) -> None:
        chunks = [b"one", b"", b"\x00\xff" * 100_000, b"\r\n"]
        files.keep(ONE, chunks)
        files.keep(TWO, [])
        assert (read(files, ONE), read(files, TWO)) == (b"".join(chunks), b"")
        assert (files.size(ONE), files.size(TWO)) == (200_005, 0)

    def test_a_file_is_never_changed(self, files: Files) -> None:
        files.keep(ONE, [b"first"])
        with pytest.raises(FileExistsError):
            files.keep(ONE, [b"second"])
        assert read(files, ONE) == b"first"

    def test_what_is_not_there_is_not_found(self, files: Files) -> None:
        with pytest.raises(NotFound):
            files.open(ONE)
        assert files.size(ONE) is None
        assert list(files.kept_before(datetime.now(UTC) + HOUR)) == []
        files.remove(ONE)

    def test_a_content_that_fails_half_way_leaves_nothing(self, files: Files) -> None:
        def failing() -> Iterator[bytes]:
            yield b"half"
            assert files.size(ONE) is None, "nobody sees half a file"
            raise TooLarge()

        with pytest.raises(TooLarge):
            files.keep(ONE, failing())
        assert files.size(ONE) is None
        assert list(files.kept_before(datetime.now(UTC) + HOUR)) == []
        files.keep(ONE, [b"whole"])
        assert read(files, ONE) == b"whole"

    def test_files_are_found_by_their_age_and_forgotten(self, files: Files) -> None:
        for name in (ONE, TWO):
            files.keep(name, [b"x"])
        assert list(files.kept_before(datetime.now(UTC) - HOUR)) == []
        assert sorted(files.kept_before(datetime.now(UTC) + HOUR)) == [ONE, TWO]
        for _ in "12":
            files.remove(ONE)
        assert list(files.kept_before(datetime.now(UTC) + HOUR)) == [TWO]
        assert (files.size(ONE), files.size(TWO)) == (None, 1)

    def test_a_file_that_is_being_read_can_be_forgotten(self, files: Files) -> None:
        files.keep(ONE, [b"still here"])
        with closing(files.open(ONE)) as file:
            files.remove(ONE)
            assert file.read() == b"still here"

    def test_many_files_are_kept_at_once(self, files: Files) -> None:
        def keep(number: int) -> None:
            files.keep(f"{number:032x}", [bytes([number]) * 10_000] * 5)

        Together(*(lambda n=n: keep(n) for n in range(8))).succeed()
        assert all(read(files, f"{n:032x}") == bytes([n]) * 50_000 for n in range(8))
