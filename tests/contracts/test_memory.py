"""The memory adapter under every contract."""

import pytest

from adapters.memory import MemoryFiles, MemoryMailer, MemorySigner, MemoryStorage, ScryptPasswords, TextDocuments
from storecore.ports import Documents, Files, Mailer, Passwords, Signer, Storage
from storecore.testing.contracts import (
    ALL_CAPABILITIES,
    DocumentsContract,
    FilesContract,
    MailerContract,
    PasswordsContract,
    SignerContract,
    StorageContract,
)


class TestMemoryStorage(StorageContract):
    missing = ALL_CAPABILITIES

    @pytest.fixture
    def storage(self) -> Storage:
        return MemoryStorage(deadline=20)


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
