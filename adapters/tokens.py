"""Signed texts with itsdangerous: links that expire, and values such as cursors that only we can have made."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from adapters.secrets import key_ring
from storecore.errors import Invalid, LinkInvalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

WELL_FORMED = re.compile(r"[\w.-]+\.[\w-]{42}[AEIMQUYcgkosw048]", re.ASCII)
"""A text that ends in an SHA-256 signature, spelt in the one canonical way: decoders let many others pass."""


class SignedValues:
    """Plain JSON values signed so that nobody can make or change one; each is for one purpose and never expires.

    The first of ``keys`` signs, all of them verify; each has at least 32 bytes.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._newest_last = list(reversed(key_ring(keys)))
        self._serializers: dict[str, URLSafeSerializer] = {}

    def dumps(self, purpose: str, value: Any) -> str:
        """The value as URL-safe characters, readable by anyone who has them."""
        return self._serializer(purpose).dumps(value)

    def loads(self, purpose: str, text: str) -> Any:
        """What was signed. Raises ``Invalid`` for a text that is forged, cut, or for another purpose."""
        if not WELL_FORMED.fullmatch(text):
            raise Invalid("This was not signed here.")
        try:
            return self._serializer(purpose).loads(text)
        except BadData:
            raise Invalid("This was not signed here.") from None

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        if purpose not in self._serializers:
            self._serializers[purpose] = URLSafeSerializer(
                self._newest_last,
                salt=f"storecore.{purpose}",
                signer_kwargs={"digest_method": sha256, "key_derivation": "hmac"},
            )
        return self._serializers[purpose]


class ItsDangerousSigner:
    """The ``Signer`` port: links that carry a little data and expire at a time that the caller's clock decides."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._values = SignedValues(keys)

    def sign(self, purpose: str, data: Mapping[str, str], expires_at: datetime) -> str:
        """A token of URL-safe characters that carries ``data``, readable by anyone who has it."""
        return self._values.dumps(f"link.{purpose}", [(expires_at - _EPOCH) // _MICROSECOND, dict(data)])

    def read(self, purpose: str, token: str, at: datetime) -> Mapping[str, str]:
        """What was signed. Raises ``LinkInvalid`` for a token that is expired, forged, cut, or for another purpose."""
        try:
            expires, data = self._values.loads(f"link.{purpose}", token)
        except Invalid:
            raise LinkInvalid() from None
        if (at - _EPOCH) // _MICROSECOND >= expires:
            raise LinkInvalid()
        signed: Mapping[str, str] = data
        return signed
