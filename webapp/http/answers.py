"""Answers before they are Flask's: status, headers and bytes, which can be kept and given again."""

import json
from dataclasses import dataclass, field
from urllib.parse import quote

from flask import Response
from pydantic_core import to_json

from storecore.notices import Attachment

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered. ``media_type`` is empty where there is no body."""

    status: int
    body: bytes = b""
    media_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)

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
        response = Response(self.body, self.status, {**headers, **self.headers})
        if self.media_type:
            response.headers["Content-Type"] = self.media_type
        else:
            del response.headers["Content-Type"]
        return response


def json_answer(status: int, shown: object, headers: dict[str, str]) -> Answer:
    """Anything that JSON has, aware times, enums and Decimals as text."""
    return Answer(status, to_json(shown), JSON, headers)


def download(file: Attachment) -> Answer:
    """A file, to be saved under its name (RFC 6266)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ") else "_" for c in file.name)
    disposition = f'attachment; filename="{plain}"'
    if plain != file.name:
        disposition += f"; filename*=UTF-8''{quote(file.name, safe='')}"
    return Answer(200, file.content, file.media_type, {"Content-Disposition": disposition})
