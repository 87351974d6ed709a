"""Password hashing with scrypt (RFC 7914), which is in the standard library."""

import hashlib
import hmac
import os
import re
from base64 import b64decode, b64encode

_SALT_BYTES = 16
_HASH_BYTES = 32
_HASH = re.compile(
    r"scrypt\$(?P<n>[1-9]\d{0,6})\$(?P<r>[1-9]\d?)\$(?P<p>[1-9]\d?)\$(?P<salt>[A-Za-z0-9+/]{22}==)\$(?P<hash>[A-Za-z0-9+/]{43}=)",
    re.ASCII,
)


class ScryptPasswords:
    """The ``Passwords`` port. A hash takes ``128 * n * r`` bytes of memory while it runs: 16 MiB by default.

    Hashes read ``scrypt$n$r$p$salt$hash``, the last two in base64.
    """

    def __init__(self, *, n: int = 2**14, r: int = 8, p: int = 1) -> None:
        self._cost = (n, r, p)
        self._nobody = (self._cost, os.urandom(_SALT_BYTES), os.urandom(_HASH_BYTES))

    def hash(self, password: str) -> str:
        """A salted hash that carries its own parameters."""
        salt = os.urandom(_SALT_BYTES)
        hashed = _scrypt(password, salt, self._cost)
        return "$".join(["scrypt", *map(str, self._cost), b64encode(salt).decode(), b64encode(hashed).decode()])

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether they match. ``hashed`` None, or what is no hash, costs the same time and is never a match."""
        known = _read(hashed or "")
        cost, salt, kept = known or self._nobody
        return hmac.compare_digest(_scrypt(password, salt, cost), kept) and known is not None

    def outdated(self, hashed: str) -> bool:
        """Whether it was made with weaker parameters than :meth:`hash` uses now."""
        known = _read(hashed)
        return known is None or any(then < now for then, now in zip(known[0], self._cost, strict=True))


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    secret = password.encode("utf-8", "surrogatepass")  # half of a surrogate pair is a wrong password, not a crash
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=_HASH_BYTES)


def _read(hashed: str) -> tuple[tuple[int, int, int], bytes, bytes] | None:
    """The cost, the salt and the hash proper, None for what is no such hash."""
    if not (match := _HASH.fullmatch(hashed)):
        return None
    n, r, p = (int(number) for number in match.group("n", "r", "p"))
    return (n, r, p), b64decode(match["salt"]), b64decode(match["hash"])
