"""The example under the contracts of its ports."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.system import utc_now
from storecore.ports import Files, Storage
from storecore.testing.contracts import ALL_CAPABILITIES, FilesContract, StorageContract
from tests.example.files import SqliteFiles
from tests.example.storage import SqliteStorage


class TestSqliteStorage(StorageContract):
    missing = ALL_CAPABILITIES

    @pytest.fixture
    def storage(self, tmp_path: Path) -> Iterator[Storage]:
        with closing(SqliteStorage(tmp_path / "shop.db")) as storage:
            yield storage

    @pytest.fixture
    def peer(self, tmp_path: Path) -> Iterator[Storage]:
        with closing(SqliteStorage(tmp_path / "shop.db")) as peer:
            yield peer


class TestSqliteFiles(FilesContract):
    @pytest.fixture
    def files(self, tmp_path: Path) -> Files:
        return SqliteFiles(tmp_path / "shop.db", utc_now)
