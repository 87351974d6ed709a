"""PostgreSQL passes every storage contract, and what only a database on a server has to prove."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import ClassVar

import pytest
from sqlalchemy.engine import URL

from adapters.encryption import FernetCipher
from adapters.sql import SqlStorage
from storecore.ports import Storage
from storecore.testing.contracts import COUNT_STATEMENTS, Counted, StorageContract
from tests.postgresql import database

CIPHER = FernetCipher(["k" * 32])


@pytest.fixture
def url() -> Iterator[URL]:
    with database() as url:
        yield url


@pytest.fixture
def storage(url: URL) -> Iterator[SqlStorage]:
    storage = SqlStorage(url, cipher=CIPHER)
    yield storage
    storage.close()


class TestPostgresql(StorageContract):
    """Each test has a database of its own."""

    capabilities: ClassVar[frozenset[str]] = frozenset({COUNT_STATEMENTS})

    def count_statements(self, storage: Storage) -> AbstractContextManager[Counted]:
        assert isinstance(storage, SqlStorage)
        return storage.count_statements()
