"""Signed texts with HMAC, by a key that lives as long as the process."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime

from adapters.memory.pages import ticks
from storecore.errors import LinkInvalid


class MemorySigner:
    """The ``Signer`` port. Links signed by one process mean nothing to the next."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, purpose: str, data: Mapping[str, str], expires_at: datetime) -> str:
        """A token of URL-safe characters that carries ``data``, readable by anyone who has it."""
        body = urlsafe_b64encode(json.dumps([ticks(expires_at), dict(data)]).encode()).decode().rstrip("=")
        return f"{body}.{self._signature(purpose, body)}"

    def read(self, purpose: str, token: str, at: datetime) -> Mapping[str, str]:
        """What was signed. Raises ``LinkInvalid`` for a token that is expired, forged, cut, or for another purpose."""
        body, _, signature = token.partition(".")
        expected = self._signature(purpose, body)
        if not hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), expected.encode()):
            raise LinkInvalid()
        expires, data = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        if ticks(at) >= expires:
            raise LinkInvalid()
        signed: Mapping[str, str] = data
        return signed

    def _signature(self, purpose: str, body: str) -> str:
        return hmac.digest(self._key, json.dumps([purpose, body]).encode(), "sha256").hex()
