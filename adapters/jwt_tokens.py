"""Access tokens: short-lived JSON Web Tokens (RFC 7519, RFC 9068) that name a user and their session."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from adapters.secrets import key_ring
from adapters.tokens import WELL_FORMED
from storecore.errors import NotAuthenticated


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims:
    """What an access token says. Whether the user and the session still exist is the store's to know."""

    user_id: str
    session_id: str
    issued_at: datetime
    expires_at: datetime


class JwtAccessTokens:
    """Issues and reads access tokens, HS256. The first of ``keys`` signs, all verify; each has at least 32 bytes.

    A token's header must be, to the letter, one that this class writes: so no other algorithm, type or key, and none
    of the headers that point elsewhere (``jku``, ``jwk``, ``x5u``, ``crit``), is even parsed.
    """

    def __init__(self, keys: Sequence[str], *, issuer: str = "storecore", audience: str = "storecore") -> None:
        self._issuer, self._audience = issuer, audience
        ring = [(key, {"typ": "at+jwt", "kid": _key_id(key)}) for key in key_ring(keys)]
        self._signing_key, self._header = ring[0]
        self._keys = {jwt.encode({}, key, "HS256", header).partition(".")[0]: key for key, header in ring}

    def issue(self, *, user_id: str, session_id: str, at: datetime, lifetime: timedelta) -> str:
        """A token that is good from now for ``lifetime``, in whole seconds."""
        issued_at = int(at.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user_id,
            "sid": session_id,
            "iat": issued_at,
            "exp": issued_at + int(lifetime.total_seconds()),
        }
        return jwt.encode(claims, self._signing_key, "HS256", self._header)

    def read(self, token: str, *, at: datetime) -> AccessClaims:
        """What a token says. Raises ``NotAuthenticated`` when it is expired at ``at``, forged, or no access token."""
        key = self._keys.get(token.partition(".")[0])
        if key is None or not WELL_FORMED.fullmatch(token):
            raise NotAuthenticated("The access token is not valid.")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                ["HS256"],
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "require": ["sub", "sid", "iat", "exp", "iss", "aud"],
                    # These compare with the machine's clock; the caller's decides, below.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.InvalidTokenError:
            raise NotAuthenticated("The access token is not valid.") from None
        found = AccessClaims(
            user_id=claims["sub"],
            session_id=claims["sid"],
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
        if at >= found.expires_at:
            raise NotAuthenticated("The access token has expired.")
        return found


def _key_id(key: bytes) -> str:
    """Names a key without telling anything about it."""
    return hmac.digest(key, b"kid", "sha256").hex()[:16]
