"""What files are, judged by their content alone, and the names they may be saved under."""

import unicodedata
from codecs import getincrementaldecoder
from collections.abc import Mapping
from types import MappingProxyType

from storecore.errors import UnsupportedType

TEXT = "text/plain"
EXTENSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "image/png": ("png",),
        "image/jpeg": ("jpg", "jpeg"),
        "image/gif": ("gif",),
        "image/webp": ("webp",),
        "application/pdf": ("pdf",),
        "video/mp4": ("mp4", "m4v"),
        TEXT: ("txt", "log", "csv", "md"),
    }
)
"""How names of each type may end; the first is given to a name that ends otherwise."""
TYPES = tuple(EXTENSIONS)
"""Every type that can be recognised."""

LONGEST_NAME = 120
"""Characters of a name; the longest name of four-byte characters and its ending still fit into 512 bytes."""

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_BRANDS = frozenset(
    {b"isom", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"MSNV"} | {b"iso%d" % n for n in range(2, 10)}
)
"""Major brands of MP4 (ISO/IEC 14496-12 and -14); QuickTime, HEIF and 3GPP have others."""
_HEAD = 12
"""Bytes from which everything but text is known."""

_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
"""They shape words of Persian and Indian languages, and emoji."""
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_NOT_IN_NAMES = str.maketrans(dict.fromkeys('<>:"|?*;%', "_"))
"""What Windows forbids, and what download headers are misread for."""
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³")})
"""Names that are devices on Windows, whatever they end with."""


class Recogniser:
    """Tells what a file is while it goes by: by its first bytes, or, if it is text, by all of it."""

    def __init__(self) -> None:
        self._head = b""
        self._found: str | None = None
        self._decoder = getincrementaldecoder("utf-8")()
        self._is_text = True
        self._begun = False

    def feed(self, chunk: bytes) -> None:
        """The next bytes. Raises ``UnsupportedType`` as soon as they can't belong to anything that is known."""
        if len(self._head) < _HEAD:
            self._head += chunk[: _HEAD - len(self._head)]
            self._found = _by_head(self._head)
        if self._found is None:
            self._is_text = self._is_text and self._reads(chunk)
            if not self._is_text and len(self._head) == _HEAD:
                raise UnsupportedType("Files of this type are not taken.")

    def media_type(self) -> str:
        """What it was. Raises ``UnsupportedType``."""
        if self._found is not None:
            return self._found
        if self._is_text and self._reads(b"", end=True):
            return TEXT
        raise UnsupportedType("Files of this type are not taken.")

    def _reads(self, chunk: bytes, *, end: bool = False) -> bool:
        """Whether it is still UTF-8 without NUL that begins neither like markup nor like a script."""
        try:
            text = self._decoder.decode(chunk, final=end)
        except UnicodeDecodeError:
            return False
        if not self._begun and (visible := _from_first_visible(text)):
            self._begun = True
            if visible[0] == "<":
                return False
        return b"\0" not in chunk and not self._head.removeprefix(b"\xef\xbb\xbf").startswith(b"#!")


def _by_head(head: bytes) -> str | None:
    for beginning, media_type in _BEGINNINGS:
        if head.startswith(beginning):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _BRANDS:
        return "video/mp4"
    return None


def _from_first_visible(text: str) -> str:
    for place, character in enumerate(text):
        if unicodedata.category(character) not in _UNSEEN:
            return text[place:]
    return ""


def clean_name(given: str, media_type: str) -> str:
    """A name under which a file of a type is safe to save anywhere, as close to the given one as can be.

    It is the last part of a path, without characters that are invisible, turn the reading direction or are forbidden
    somewhere; it is no device of Windows, begins with no dot, has at most ``LONGEST_NAME`` characters, and ends as
    files of its type do. Cleaning it again changes nothing.
    """
    text = unicodedata.normalize("NFC", given[-4 * LONGEST_NAME :].replace("\\", "/").rpartition("/")[2])
    name = " ".join("".join(filter(_may_stay, text)).translate(_NOT_IN_NAMES).split()).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if not dot or ending.lower() not in EXTENSIONS[media_type]:
        stem, ending = name, EXTENSIONS[media_type][0]
    stem = stem[: LONGEST_NAME - len(ending) - 1].strip(" ." + _JOINERS)
    if stem.partition(".")[0].strip().lower() in _RESERVED:
        stem = f"_{stem}"[: LONGEST_NAME - len(ending) - 1].rstrip(" ." + _JOINERS)
    return f"{stem or 'file'}.{ending}"


def _may_stay(character: str) -> bool:
    return character in _JOINERS or character.isspace() or unicodedata.category(character) not in _DROPPED
