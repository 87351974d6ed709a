"""Encryption at rest with Fernet: one key ring for the shop, from which each purpose derives its own keys."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence

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

    Each row has keys of its own, which cost less to derive than a decryption. What was encrypted before rows had keys
    is opened by the key of its purpose, and nobody can make such a value from one that was encrypted for a row.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._ring = key_ring(keys)
        self._purposes: dict[str, tuple[Sequence[bytes], MultiFernet]] = {}
        self._index_keys: dict[str, Sequence[bytes]] = {}
        self.names = tuple(_derive(key, "name").hex()[:_NAME] for key in self._ring)

    def encrypt(self, purpose: str, row: str, plain: bytes) -> bytes:
        """Authenticated encryption with the newest key, for a row; different bytes each time."""
        return next(self._ciphers(purpose, row)).encrypt(plain)

    def decrypt(self, purpose: str, row: str, secret: bytes) -> bytes:
        """The plain bytes, by any key of the ring. Raises ``ValueError`` when none opens it in this row."""
        for cipher in self._ciphers(purpose, row):
            try:
                return cipher.decrypt(secret)
            except InvalidToken:
                continue
        raise ValueError(
            f"no encryption key opens this {purpose!r} value in its row: its key is missing from the ring, or it was "
            "changed or moved"
        )

    def renewed(self, purpose: str, row: str, secret: bytes) -> bytes | None:
        """The same, encrypted with the newest key for its row; None if it is. Raises ``ValueError`` as above."""
        newest = next(self._ciphers(purpose, row))
        try:
            newest.decrypt(secret)
        except InvalidToken:
            return newest.encrypt(self.decrypt(purpose, row, secret))
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

    def _ciphers(self, purpose: str, row: str) -> Iterator[Fernet | MultiFernet]:
        """The row's, by each key, newest first; then that of before rows had keys."""
        if purpose not in self._purposes:
            whole = [Fernet(urlsafe_b64encode(_derive(key, f"encrypt:{purpose}"))) for key in self._ring]
            self._purposes[purpose] = [_derive(key, f"rows:{purpose}") for key in self._ring], MultiFernet(whole)
        keys, before = self._purposes[purpose]
        name = row.encode("utf-8", "surrogatepass")
        for key in keys:
            yield Fernet(urlsafe_b64encode(hmac.digest(key, name, "sha256")))
        yield before


def _derive(key: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"storecore:{info}".encode()).derive(key)
