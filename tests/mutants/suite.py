"""Each contract under the adapter in memory (or the simplest there is), imported anew: it may be a mutant."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from storecore.ports import (
    Cipher,
    Documents,
    Files,
    Hub,
    Mailer,
    Passwords,
    PaymentProvider,
    RateLimits,
    Signer,
    Storage,
)
from storecore.testing import contracts
from storecore.testing.contracts import Bank, StorageContract, hub, proving
from tests.adapters.test_payments import DemoBank
from tests.contracts.test_memory import TestMemoryStorage


@pytest.fixture(autouse=True)
def sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits half a minute for what a mutant never does."""
    for module in (proving, hub):
        monkeypatch.setattr(module, "PATIENCE", 10.0)


class _InMemory:
    capabilities = TestMemoryStorage.capabilities
    missing = TestMemoryStorage.missing
    break_commits = TestMemoryStorage.break_commits

    @pytest.fixture
    def storage(self) -> Storage:
        storage: Storage = import_module("adapters.memory").MemoryStorage(deadline=5)
        return storage


globals().update(
    {f"Test{each.__name__}": type(f"Test{each.__name__}", (_InMemory, each), {}) for each in StorageContract.__bases__}
)


class TestPasswordsContract(contracts.PasswordsContract):
    @pytest.fixture
    def passwords(self) -> Passwords:
        passwords: Passwords = import_module("adapters.memory").ScryptPasswords(n=4)
        return passwords


class TestSignerContract(contracts.SignerContract):
    @pytest.fixture
    def signer(self) -> Signer:
        signer: Signer = import_module("adapters.memory").MemorySigner(b"k" * 32)
        return signer


class TestCipherContract(contracts.CipherContract):
    @pytest.fixture
    def cipher(self) -> Cipher:
        cipher: Cipher = import_module("adapters.encryption").FernetCipher(["k" * 32, "j" * 32])
        return cipher


class TestMailerContract(contracts.MailerContract):
    @pytest.fixture
    def mailer(self) -> Mailer:
        mailer: Mailer = import_module("adapters.memory").MemoryMailer()
        return mailer


class TestDocumentsContract(contracts.DocumentsContract):
    @pytest.fixture
    def documents(self) -> Documents:
        documents: Documents = import_module("adapters.memory").TextDocuments()
        return documents


class TestFilesContract(contracts.FilesContract):
    @pytest.fixture
    def files(self) -> Files:
        files: Files = import_module("adapters.memory").MemoryFiles()
        return files


class TestHubContract(contracts.HubContract):
    @pytest.fixture
    def hub(self) -> Hub:
        hub: Hub = import_module("adapters.local_hub").LocalHub()
        return hub


class TestRateLimitsContract(contracts.RateLimitsContract):
    @pytest.fixture
    def rate_limits(self) -> RateLimits:
        rate_limits: RateLimits = import_module("adapters.local_rate_limits").LocalRateLimits()
        return rate_limits


class TestPaymentProviderContract(contracts.PaymentProviderContract):
    @pytest.fixture
    def provider(self, tmp_path: Path) -> PaymentProvider:
        provider: PaymentProvider = import_module("adapters.payments.demo").DemoPayments(tmp_path / "bank.db")
        return provider

    @pytest.fixture
    def bank(self, provider: Any) -> Bank:
        return DemoBank(provider)
