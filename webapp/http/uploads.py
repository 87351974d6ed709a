"""Forms with a file (``multipart/form-data``, RFC 7578), read while they arrive: a file is never held in memory."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.sansio import multipart

from storecore.checks import refuse
from storecore.errors import TooLarge, UnsupportedType
from webapp.http.problems import BadRequest
from webapp.http.validation import Body, check

FORM = "multipart/form-data"
FILE = "file"
"""The name of the part with the file."""

AROUND_A_FILE = 64 * 1024
"""Bytes of a form beside its file."""
_MOST_PARTS = 8
_CHUNK = 64 * 1024
_HELD = 4 * _CHUNK
"""Bytes that are held at a time, at most."""

F = TypeVar("F", bound=Body)


class Upload(Generic[F]):
    """A form: some ``fields``, then a part ``file`` with a ``name``, whose content one goes through once.

    A body of one of the types ``whole`` is a file without a name and without fields. It is read from the network only
    as far as one has gone. Raises 413 ``TooLarge``, 415 ``UnsupportedType``, 400 ``BadRequest``.
    """

    name: str
    fields: F

    def __init__(self, request: Request, model: type[F], *, most: int, whole: Sequence[str] = ()) -> None:
        media_type, options = parse_options_header(request.environ.get("CONTENT_TYPE") or "")
        self._bare = media_type.lower() in whole and options.get("charset", "utf-8").lower() in ("utf-8", "utf8")
        if not self._bare and media_type.lower() != FORM:
            types = " or ".join((FORM, *whole))
            raise UnsupportedType(f"Send {types}, not {media_type[:100] or 'a body without a Content-Type'}.")
        if request.environ.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("", "identity"):
            raise UnsupportedType("Send the body without a Content-Encoding.")
        if (request.content_length or 0) > most:
            raise TooLarge(f"The body has more than {most} bytes.")
        boundary = "none" if self._bare else options.get("boundary", "")
        if not (1 <= len(boundary) <= 70 and boundary.isascii()):
            raise BadRequest("The Content-Type names no boundary of 1 to 70 characters.")
        request.max_content_length = most + 1  # Werkzeug cuts a body of unknown length off there without a word
        self._model = model
        self._most = most
        self._received = 0
        self._stream = request.stream
        self._decoder = multipart.MultipartDecoder(boundary.encode(), _HELD, max_parts=_MOST_PARTS)

    def begin(self) -> None:
        """Read up to the file. Raises ``Invalid`` for fields that are wrong, and for a form without a file."""
        if self._bare:
            self.name, self.fields = "", check(self._model, {})
            return
        given: dict[str, str] = {}
        while isinstance(part := self._next_part(), multipart.Field):
            if part.name in given:
                raise refuse(_shown(part.name), "was sent twice")
            try:
                given[part.name] = b"".join(self._data(most=AROUND_A_FILE)).decode()
            except UnicodeDecodeError:
                raise refuse(_shown(part.name), "must be UTF-8") from None
        self.fields = check(self._model, given)
        if part is None:
            raise refuse(FILE, "is required")
        if part.name != FILE:
            raise refuse(_shown(part.name), "must not be a file")
        self.name = part.filename

    def __iter__(self) -> Iterator[bytes]:
        """The file's content. Raises ``Invalid`` if anything comes after it."""
        if self._bare:
            while chunk := self._read():
                yield chunk
            return
        yield from self._data(most=self._most)
        if (part := self._next_part()) is not None:
            why = "one file at a time" if isinstance(part, multipart.File) else "must come before the file"
            raise refuse(_shown(part.name), why)

    def _next_part(self) -> multipart.Field | multipart.File | None:
        while True:
            event = self._event()
            if isinstance(event, multipart.Epilogue):
                return None
            if isinstance(event, (multipart.Field, multipart.File)):
                if not isinstance(event.name, str):
                    raise BadRequest("A part of the form has no name.")
                return event

    def _data(self, *, most: int) -> Iterator[bytes]:
        size = 0
        while True:
            event = self._event()
            if not isinstance(event, multipart.Data):
                raise BadRequest("The form ends in the middle of a part.")
            size += len(event.data)
            if size > most:
                raise TooLarge(f"A part of the form has more than {most} bytes.")
            if event.data:
                yield event.data
            if not event.more_data:
                return

    def _event(self) -> multipart.Event:
        try:
            while isinstance(event := self._decoder.next_event(), multipart.NeedData):
                self._decoder.receive_data(self._read())
        except HTTPException as error:
            raise (TooLarge() if error.code == 413 else BadRequest("The form was cut off.")) from None
        except (ValueError, AttributeError):  # the decoder trips over parts without a line break
            raise BadRequest(f"The body is not well-formed {FORM}.") from None
        return event

    def _read(self) -> bytes | None:
        """What comes next, None at the end."""
        chunk = self._stream.read(_CHUNK)
        self._received += len(chunk)
        if self._received > self._most:
            raise TooLarge(f"The body has more than {self._most} bytes.")
        return chunk or None


def _shown(name: str) -> str:
    return name[:80]
