"""The shop's secrets: key rings whose first key is in use and whose others still open what they once closed."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from tempfile import NamedTemporaryFile

LEAST_BYTES = 32


def new_key() -> str:
    """A fresh key: 32 random bytes as 43 URL-safe characters."""
    return token_urlsafe(LEAST_BYTES)


def key_ring(keys: Sequence[str]) -> tuple[bytes, ...]:
    """The keys as bytes. Raises ``ValueError`` for an empty ring or a key shorter than 32 bytes."""
    if isinstance(keys, str):
        raise TypeError("a key ring is a sequence of keys, not one string")
    ring = tuple(key.encode() for key in keys)
    if not ring:
        raise ValueError("a key ring needs at least one key")
    for position, key in enumerate(ring, start=1):
        if len(key) < LEAST_BYTES:
            raise ValueError(f"key {position} of the ring has {len(key)} bytes; it needs at least {LEAST_BYTES}")
    return ring


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Key rings for signing (sessions, links, cursors) and for encryption at rest, newest key first."""

    signing_keys: tuple[str, ...] = field(repr=False)
    encryption_keys: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        key_ring(self.signing_keys)
        key_ring(self.encryption_keys)

    @classmethod
    def generate(cls) -> "Secrets":
        """New random ones, one key in each ring."""
        return cls(signing_keys=(new_key(),), encryption_keys=(new_key(),))


def load_or_create(path: Path) -> Secrets:
    """The secrets in a JSON file, which is made (mode 0600) if there is none; processes that start at once agree.

    Raises ``PermissionError`` for a file that others may read, ``ValueError`` for one that holds no secrets.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path, Secrets.generate())
    return _load(path)


def _load(path: Path) -> Secrets:
    with path.open(encoding="utf-8") as file:
        mode = os.fstat(file.fileno()).st_mode & 0o777
        if os.name == "posix" and mode & 0o077:
            raise PermissionError(
                f"{path} has mode {mode:04o}, so others can reach the secrets in it; run: chmod 600 {path}"
            )
        try:
            kept = json.load(file)
            return Secrets(**{name: tuple(keys) for name, keys in kept.items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} does not hold the shop's secrets ({error}); restore it from a backup") from error


def _create(path: Path, secrets: Secrets) -> None:
    """Write the whole file beside its place, then link it there, which only the first process can."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8") as file:  # is 0600
        json.dump({"signing_keys": secrets.signing_keys, "encryption_keys": secrets.encryption_keys}, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
        try:
            path.hardlink_to(file.name)
        except FileExistsError:
            return  # another process was first; its secrets count
