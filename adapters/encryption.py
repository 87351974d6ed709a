"""Encryption at rest with Fernet: one key ring for the shop, from which each purpose derives its own keys."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.secrets import key_ring


class FernetCipher:
    """The ``Cipher`` port. The first of ``keys`` encrypts, all of them decrypt; each has at least 32 bytes.

    To rotate, put a new key in front; what was encrypted before stays readable. Blind indexes are made with the last
    (oldest) key, so that they stay comparable while the ring grows; before that key is dropped, everything has to be
    encrypted and indexed anew.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._ring = key_ring(keys)
        self._ciphers: dict[str, MultiFernet] = {}
        self._index_keys: dict[str, bytes] = {}

    def encrypt(self, purpose: str, plain: bytes) -> bytes:
        """Authenticated encryption with the newest key; different bytes each time."""
        return self._cipher(purpose).encrypt(plain)

    def decrypt(self, purpose: str, secret: bytes) -> bytes:
        """The plain bytes, by any key of the ring. Raises ``ValueError`` when none fits."""
        try:
            return self._cipher(purpose).decrypt(secret)
        except InvalidToken:
            raise ValueError(
                f"no encryption key opens this {purpose!r} value: its key is missing from the ring, or it was changed"
            ) from None

    def blind_index(self, purpose: str, plain: str) -> bytes:
        """Equal for equal texts and says nothing else about them: 32 bytes for looking up an encrypted column."""
        if purpose not in self._index_keys:
            self._index_keys[purpose] = _derive(self._ring[-1], f"index:{purpose}")
        return hmac.digest(self._index_keys[purpose], plain.encode("utf-8", "surrogatepass"), "sha256")

    def _cipher(self, purpose: str) -> MultiFernet:
        if purpose not in self._ciphers:
            derived = [_derive(key, f"encrypt:{purpose}") for key in self._ring]
            self._ciphers[purpose] = MultiFernet([Fernet(urlsafe_b64encode(key)) for key in derived])
        return self._ciphers[purpose]


def _derive(key: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"storecore:{info}".encode()).derive(key)
