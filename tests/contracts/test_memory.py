"""The memory adapter under every contract."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest

from adapters.memory import MemoryFiles, MemoryMailer, MemorySigner, MemoryStorage, ScryptPasswords, TextDocuments
from adapters.memory.tables import Tables
from storecore.errors import Unavailable
from storecore.ports import Documents, Files, Mailer, Passwords, Signer, Storage
from storecore.testing.contracts import (
    BREAK_COMMITS,
    COUNT_STATEMENTS,
    DocumentsContract,
    FilesContract,
    MailerContract,
    PasswordsContract,
    SignerContract,
    StorageContract,
)


class TestMemoryStorage(StorageContract):
    capabilities: ClassVar[frozenset[str]] = frozenset({BREAK_COMMITS})
    missing: ClassVar[frozenset[str]] = frozenset({COUNT_STATEMENTS})

    @pytest.fixture
    def storage(self) -> Storage:
        return MemoryStorage(deadline=20)

    @contextmanager
    def break_commits(self, storage: Storage, *, lasting: bool) -> Iterator[None]:
        swap_in = storage.swap_in  # type: ignore[attr-defined] # it is a MemoryStorage, perhaps of a module of its own

        def broken(tables: Tables) -> None:
            if lasting:
                swap_in(tables)
            raise Unavailable()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(storage, "swap_in", broken)
            yield


class TestScryptPasswords(PasswordsContract):
    @pytest.fixture
    def passwords(self) -> Passwords:
        return ScryptPasswords(n=4)


class TestMemorySigner(SignerContract):
    @pytest.fixture
    def signer(self) -> Signer:
        return MemorySigner(b"k" * 32)


class TestMemoryMailer(MailerContract):
    @pytest.fixture
    def mailer(self) -> Mailer:
        return MemoryMailer()


class TestTextDocuments(DocumentsContract):
    @pytest.fixture
    def documents(self) -> Documents:
        return TextDocuments()


class TestMemoryFiles(FilesContract):
    @pytest.fixture
    def files(self) -> Files:
        return MemoryFiles()
