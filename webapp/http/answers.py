"""Answers before they are Flask's: status, headers and bytes, which can be kept and given again."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from os import SEEK_END
from typing import BinaryIO
from urllib.parse import quote

from flask import Response, request
from pydantic_core import to_json
from werkzeug.wsgi import wrap_file

from storecore.notices import Attachment

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered. ``media_type`` is empty where there is no body.

    A ``file`` is sent instead of ``body`` without being held in memory, and closed; so are ``pieces``, one by one.
    """

    status: int
    body: bytes = b""
    media_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    file: BinaryIO | None = None
    pieces: Iterator[bytes] | None = None

    def dump(self) -> bytes:
        """As bytes: a line of JSON, then the body."""
        return json.dumps([self.status, self.media_type, self.headers]).encode() + b"\n" + self.body

    @classmethod
    def load(cls, kept: bytes) -> "Answer":
        """What :meth:`dump` kept."""
        head, _, body = kept.partition(b"\n")
        status, media_type, headers = json.loads(head)
        return cls(status, body, media_type, headers)

    def response(self, headers: dict[str, str]) -> Response:
        """As Flask sends it, with more headers."""
        sent: bytes | Iterable[bytes] = self.pieces or self.body
        if self.file is not None:
            sent = wrap_file(request.environ, self.file)
        response = Response(sent, self.status, {**headers, **self.headers}, direct_passthrough=self.file is not None)
        if self.media_type:
            response.headers["Content-Type"] = self.media_type
        else:
            del response.headers["Content-Type"]
        return response


def json_answer(status: int, shown: object, headers: dict[str, str]) -> Answer:
    """Anything that JSON has, aware times, enums and Decimals as text."""
    return Answer(status, to_json(shown), JSON, headers)


def download(file: Attachment) -> Answer:
    """A file, to be saved under its name."""
    return Answer(200, file.content, file.media_type, {"Content-Disposition": disposition(file.name)})


def sheet(name: str, pieces: Iterator[bytes]) -> Answer:
    """A CSV file to be saved under a name, sent while it is being made; its beginning is made first.

    What is refused there is a problem, as everywhere; later it breaks the connection off.
    """
    begun = next(pieces, b"")
    headers = {"Content-Disposition": disposition(name)}
    return Answer(200, media_type="text/csv; charset=utf-8", headers=headers, pieces=chain([begun], pieces))


def saved(file: BinaryIO, *, name: str, media_type: str) -> Answer:
    """A file about a person, to be saved under its name and kept by nobody on the way."""
    size = file.seek(0, SEEK_END)
    file.seek(0)
    headers = {
        "Content-Disposition": disposition(name),
        "Content-Length": str(size),
        "Cache-Control": "private, no-store",
    }
    return Answer(200, media_type=media_type, headers=headers, file=file)


def strangers_file(file: BinaryIO, *, name: str, media_type: str, size: int, tag: str) -> Answer:
    """What somebody uploaded, to be saved under its name and never shown: whatever it is, it runs nowhere."""
    headers = {
        "Content-Disposition": disposition(name),
        "Content-Length": str(size),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "ETag": f'"{tag}"',
    }
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    return Answer(200, media_type=media_type, headers=headers, file=file)


def disposition(name: str) -> str:
    """The header that says under which name to save (RFC 6266): in ASCII, and as it is if that says more."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ") else "_" for c in name)
    header = f'attachment; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"
