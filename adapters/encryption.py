"""Encryption at rest with Fernet: one key ring for the shop, from which each purpose derives its own keys."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.secrets import key_ring

_NAME = 12
"""Characters of a key's name."""


class FernetCipher:
    """The ``Cipher`` port. The first of ``keys`` encrypts, all of them decrypt; each has at least 32 bytes.

    To rotate, put a new key in front; what was encrypted before stays readable, and is found by the indexes of all
    keys. Before an older key is dropped, everything has to be encrypted and indexed anew.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._ring = key_ring(keys)
        self._ciphers: dict[str, tuple[Fernet, MultiFernet]] = {}
        self._index_keys: dict[str, Sequence[bytes]] = {}
        self.names = tuple(_derive(key, "name").hex()[:_NAME] for key in self._ring)

    def encrypt(self, purpose: str, plain: bytes) -> bytes:
        """Authenticated encryption with the newest key; different bytes each time."""
        newest, _ = self._cipher(purpose)
        return newest.encrypt(plain)

    def decrypt(self, purpose: str, secret: bytes) -> bytes:
        """The plain bytes, by any key of the ring. Raises ``ValueError`` when none fits."""
        _, ring = self._cipher(purpose)
        try:
            return ring.decrypt(secret)
        except InvalidToken:
            raise ValueError(
                f"no encryption key opens this {purpose!r} value: its key is missing from the ring, or it was changed"
            ) from None

    def renewed(self, purpose: str, secret: bytes) -> bytes | None:
        """The same, encrypted with the newest key; None if it is. Raises ``ValueError`` when no key opens it."""
        newest, _ = self._cipher(purpose)
        try:
            newest.decrypt(secret)
        except InvalidToken:
            return newest.encrypt(self.decrypt(purpose, secret))
        return None

    def blind_index(self, purpose: str, plain: str) -> bytes:
        """By the newest key: equal for equal texts, and says nothing else about them. 32 bytes."""
        return self.blind_indexes(purpose, plain)[0]

    def blind_indexes(self, purpose: str, plain: str) -> Sequence[bytes]:
        """By every key, newest first."""
        if purpose not in self._index_keys:
            self._index_keys[purpose] = [_derive(key, f"index:{purpose}") for key in self._ring]
        text = plain.encode("utf-8", "surrogatepass")
        return [hmac.digest(key, text, "sha256") for key in self._index_keys[purpose]]

    def _cipher(self, purpose: str) -> tuple[Fernet, MultiFernet]:
        """The newest key's, and the whole ring's."""
        if purpose not in self._ciphers:
            derived = [_derive(key, f"encrypt:{purpose}") for key in self._ring]
            each = [Fernet(urlsafe_b64encode(key)) for key in derived]
            self._ciphers[purpose] = each[0], MultiFernet(each)
        return self._ciphers[purpose]


def _derive(key: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"storecore:{info}".encode()).derive(key)
