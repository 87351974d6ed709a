import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from adapters.encryption import FernetCipher
from adapters.files import DiskFiles
from adapters.mail.eml import EmlMailer
from adapters.mail.smtp import SmtpMailer
from adapters.passwords import Argon2Passwords
from adapters.pdf import PdfDocuments
from adapters.secrets import new_key
from adapters.tokens import ItsDangerousSigner
from storecore.ports import Cipher, Documents, Files, Mailer, Passwords, Signer
from storecore.testing.contracts.files import FilesContract
from storecore.testing.contracts.letters import DocumentsContract, MailerContract
from storecore.testing.contracts.secrecy import CipherContract, PasswordsContract, SignerContract


class TestArgon2Passwords(PasswordsContract):
    @pytest.fixture
    def passwords(self) -> Passwords:
        return Argon2Passwords(time_cost=1, memory_cost=8)


class TestItsDangerousSigner(SignerContract):
    @pytest.fixture
    def signer(self) -> Signer:
        return ItsDangerousSigner([new_key(), new_key()])


class TestFernetCipher(CipherContract):
    @pytest.fixture
    def cipher(self) -> Cipher:
        return FernetCipher([new_key(), new_key()])


class TestPdfDocuments(DocumentsContract):
    @pytest.fixture
    def documents(self) -> Documents:
        return PdfDocuments()


class TestDiskFiles(FilesContract):
    @pytest.fixture
    def files(self, tmp_path: Path) -> Files:
        return DiskFiles(tmp_path / "not made yet" / "files")


class TestEmlMailer(MailerContract):
    @pytest.fixture
    def mailer(self, tmp_path: Path) -> Mailer:
        return EmlMailer(tmp_path, sender="shop@example.com", shop="Hats & Co")


class TestSmtpMailer(MailerContract):
    @pytest.fixture
    def mailer(self) -> Iterator[Mailer]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(Sink(), hostname="127.0.0.1", port=port)
        controller.start()
        yield SmtpMailer("127.0.0.1", port, starttls=False, sender="shop@example.com", shop="Hats & Co")
        controller.stop()
