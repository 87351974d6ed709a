"""Query strings, read as strictly as bodies, and the pages of lists with their signed cursors."""

import re
import types
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qsl

from flask import Request

from storecore import checks
from storecore.errors import Invalid
from storecore.lists import FIRST_PAGE, MAX_LIMIT, Page, PageRequest
from webapp.http.parts import SignedValues
from webapp.http.validation import Query, check

MOST_PARAMETERS = 100
LONGEST_VALUE = 2000
PAGING = ("limit", "cursor", "include_total")

_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_FLAGS = {"true": True, "false": False}

Q = TypeVar("Q", bound=Query)


class QueryReader(Generic[Q]):
    """Reads one route's query string. ``also`` names parameters that somebody else reads."""

    def __init__(self, model: type[Q] | None, *, route: str, paged: bool, also: tuple[str, ...] = ()) -> None:
        self._model = model
        self._route = route
        self._paged = paged
        self._also = also
        self._unbound = {*PAGING, *also, *(() if model is None else model.unbound)}
        self._kinds = (
            {}
            if model is None
            else {field.alias or n: _kind(field.annotation) for n, field in model.model_fields.items()}
        )

    def read(self, request: Request, values: SignedValues) -> tuple[Q | None, PageRequest, str]:
        """The query, which page of the list, and what binds its cursors. Raises ``Invalid`` naming each parameter."""
        raw = request.environ.get("QUERY_STRING", "")
        pairs = _pairs(raw) if raw else []
        paging: dict[str, str] = {}
        given: dict[str, Any] = {}
        errors: list[tuple[str, str]] = []
        for name, text in pairs:
            try:
                value = checks.text(text, name, most=LONGEST_VALUE, least=0)
            except Invalid as error:
                errors += error.errors
                continue
            if name in self._also:
                continue
            if self._paged and name in PAGING:
                if name in paging:
                    errors.append((name, "is given twice"))
                paging[name] = value
            elif why := self._take(given, name, value):
                errors.append((name, why))
        if errors:
            raise Invalid(errors=[(_legible(name), why) for name, why in errors])
        query = check(self._model, given) if self._model is not None else None
        binding = self._binding(pairs) if self._paged else ""
        page = _page(paging, binding, values) if paging else FIRST_PAGE
        return query, page, binding

    def _take(self, given: dict[str, Any], name: str, value: str) -> str:
        """Put a parameter where its field wants it; what is wrong with it, if anything."""
        kind = self._kinds.get(name)
        prefix, dot, rest = name.partition(".")
        if kind is None and dot and self._kinds.get(prefix) is dict:
            inner = given.setdefault(prefix, {})
            if rest in inner:
                return "is given twice"
            inner[rest] = value
        elif kind is None or kind is dict:
            return "is not a parameter that is known here"
        elif kind is list:
            given.setdefault(name, []).append(value)
        elif name in given:
            return "is given twice"
        elif kind is bool:
            given[name] = _FLAGS.get(value, value)
        elif kind is int:
            given[name] = int(value) if _WHOLE.fullmatch(value) else value
        else:
            given[name] = value
        return ""

    def _binding(self, pairs: list[tuple[str, str]]) -> str:
        """The list that a cursor belongs to: its route and filters, in whatever order they were written."""
        filters = sorted(pair for pair in pairs if pair[0] not in self._unbound)
        text = repr((self._route, filters)).encode(errors="backslashreplace")
        return blake2b(text, digest_size=12).hexdigest()


def show_page(page: Page[Any], show: Callable[[Any], object], binding: str, values: SignedValues) -> dict[str, Any]:
    """``{"items": […], "next_cursor": "…" or null}``, with ``total`` where it was counted."""
    cursor = None if page.next is None else values.dumps("cursor", [binding, *page.next])
    shown: dict[str, Any] = {"items": [show(item) for item in page.items], "next_cursor": cursor}
    if page.total is not None:
        shown["total"] = page.total
    return shown


def _page(paging: Mapping[str, str], binding: str, values: SignedValues) -> PageRequest:
    errors: list[tuple[str, str]] = []
    limit = paging.get("limit", "20")
    if not _WHOLE.fullmatch(limit) or not 1 <= int(limit) <= MAX_LIMIT:
        errors.append(("limit", f"must be a whole number from 1 to {MAX_LIMIT}"))
    total = paging.get("include_total", "false")
    if total not in _FLAGS:
        errors.append(("include_total", "must be true or false"))
    after = None
    if (cursor := paging.get("cursor")) is not None:
        try:
            bound_to, *keyset = values.loads("cursor", cursor)
            after = tuple(keyset)
            if bound_to != binding:
                errors.append(("cursor", "belongs to another list, or to other filters"))
        except Invalid:
            errors.append(("cursor", "is not a cursor that was given out here"))
    if errors:
        raise Invalid(errors=errors)
    return PageRequest(limit=int(limit), after=after, total=_FLAGS[total])


def _pairs(raw: str) -> list[tuple[str, str]]:
    try:
        text = raw if raw.isascii() else raw.encode("latin-1").decode()
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except UnicodeError:
        raise Invalid("The query string is not UTF-8.") from None
    except ValueError:
        raise Invalid(f"The query string has more than {MOST_PARAMETERS} parameters.") from None


def _legible(name: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in name[:80])


def _kind(annotation: Any) -> type:
    """How a field's parameter is read: ``int``, ``bool``, ``list`` (may be repeated), ``dict`` (dotted) or ``str``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return next(_kind(part) for part in get_args(annotation) if part is not type(None))
    bare = origin or annotation
    if bare in (int, bool):
        return bool if bare is bool else int
    if bare in (list, tuple):
        return list
    if isinstance(bare, type) and issubclass(bare, Mapping):
        return dict
    return str
