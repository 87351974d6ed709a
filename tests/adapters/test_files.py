import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.files import DiskFiles
from storecore.errors import Unavailable

NAME = "0123456789abcdef" * 2
SOON = timedelta(hours=1)


def test_only_the_owner_reads_folder_and_files(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    seen = list[int]()

    def content() -> Iterator[bytes]:
        yield b"x"
        seen.extend(path.stat().st_mode & 0o777 for path in folder.iterdir())

    DiskFiles(folder).keep(NAME, content())
    assert seen == [0o600]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["../secrets.json", "x", "", NAME + "\n", NAME.upper(), NAME + ".part", "/" + NAME])
def test_a_name_that_is_not_ours_is_never_looked_for(tmp_path: Path, name: str) -> None:
    files = DiskFiles(tmp_path)
    for use in (files.open, files.size, lambda name: files.keep(name, [b"x"])):
        with pytest.raises(ValueError, match="no name of a file"):
            use(name)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_had_begun_is_found_by_its_age_and_removed(tmp_path: Path) -> None:
    files, part = DiskFiles(tmp_path), tmp_path / f"{NAME}.part"
    part.write_bytes(b"half")
    now = datetime.now(UTC)
    assert files.kept_before(now - SOON) == []
    os.utime(part, ((now - 2 * SOON).timestamp(),) * 2)
    assert files.kept_before(now - SOON) == [part.name]
    assert files.size(NAME) is None
    files.remove(part.name)
    assert not part.exists()


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("thesis.odt", f"{NAME}.bak", f"x{NAME}", ".hidden"):
        (tmp_path / name).write_bytes(b"mine")
    assert DiskFiles(tmp_path).kept_before(datetime.now(UTC) + SOON) == []


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened = []
    fsync, rename = os.fsync, Path.rename

    def note_fsync(file: int) -> None:
        happened.append("folder" if os.path.isdir(f"/proc/self/fd/{file}") else "file")  # noqa: PTH112 - a descriptor
        fsync(file)

    def note_rename(path: Path, target: Path) -> Path:
        happened.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "rename", note_rename)
    DiskFiles(tmp_path).keep(NAME, [b"x"])
    assert happened == ["file", "rename", "folder"]


def test_a_write_that_takes_only_some_bytes_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, bytes(data)[:3]))
    DiskFiles(tmp_path).keep(NAME, [b"0123456789", b"abc"])
    assert (tmp_path / NAME).read_bytes() == b"0123456789abc"


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    files = DiskFiles(tmp_path / "file" / "folder")
    with pytest.raises(Unavailable):
        files.keep(NAME, [b"x"])
