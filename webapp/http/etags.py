"""Optimistic concurrency: ``ETag: "<version>.<digest of the body>"`` (RFC 9110, 8.8.3 and 13.1).

``If-Match`` is about the version alone, so that a sale, which changes the body but not the version, never makes an edit
stale. ``If-None-Match`` is about the whole.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b

NO_VERSION = -1
"""A version that nothing has: what a tag that we never gave asks for."""

MOST_VERSIONS = 10
"""Different versions that one ``If-Match`` may list."""

_TAG = re.compile(r'(?:W/)?"([^"]*)"|([^\s,]+)')
_VERSION = re.compile(r"([0-9]{1,15})(?:\..*)?", re.ASCII)


def etag(version: int, body: bytes) -> str:
    """The tag of a body, quotes included."""
    return f'"{version}.{blake2b(body, digest_size=8).hexdigest()}"'


def versions(if_match: str | None) -> Sequence[int | None]:
    """Which versions an ``If-Match`` header would accept, best first; ``[None]`` means any.

    A proxy that compresses may have weakened our tag (``W/``) or added to it, which does not touch the version.
    """
    if if_match is None or if_match.strip() == "*":
        return [None]
    tags = [_VERSION.fullmatch(tag[1]) for tag in _TAG.finditer(if_match) if tag[1] is not None]
    found = {int(tag[1]) for tag in tags if tag}
    return [*sorted(found, reverse=True)[:MOST_VERSIONS]] or [NO_VERSION]


def unchanged(if_none_match: str | None, tag: str) -> bool:
    """Whether the client has exactly this body already."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return any(f'"{each[1]}"' == tag for each in _TAG.finditer(if_none_match) if each[1] is not None)
