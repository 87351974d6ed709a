"""Whether two answers say the same, and if not, where they begin to differ."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from math import isclose
from typing import Any

from storecore.errors import StoreError
from storecore.insight.model import AMOUNTS, Takings
from storecore.lists import Page

_LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Gap:
    """Where two answers differ: the way to it, such as ``.items[0].status``, and what each has there."""

    at: str
    one: object
    other: object


def gap(one: Any, other: Any, at: str = "") -> Gap | None:
    """The first difference between two answers; None if there is none.

    Errors are compared by type, code, message, fields and extras, those that are no refusals by type alone; a list and
    a tuple by their elements; floats nearly; of a page's keyset, whether there is one.
    """
    if isinstance(one, float) and isinstance(other, float):
        return None if isclose(one, other, rel_tol=1e-9, abs_tol=1e-9) else Gap(at, one, other)
    here, there = _parts(one), _parts(other)
    if here is None or there is None:
        return None if one == other else Gap(at, one, other)
    if here.keys() != there.keys():
        return Gap(at, one, other)
    found = (gap(part, there[name], at + name) for name, part in here.items())
    return next((each for each in found if each is not None), None)


def shown(value: object) -> str:
    """A value, or an error, for people; cut where it gets long."""
    text = f"{type(value).__name__}: {value}" if isinstance(value, Exception) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def merged(takings: Iterable[Takings]) -> Mapping[Any, Mapping[str, int]]:
    """Takings by day, rate and kind, whatever their order, and however many there are of one."""
    sums: dict[Any, Counter[str]] = {}
    for each in takings:
        key = (each.day, each.tax_rate, each.tax_included)
        sums.setdefault(key, Counter()).update({name: getattr(each, name) for name in AMOUNTS})
    return {key: amounts for key, amounts in sums.items() if any(amounts.values())}


def _parts(value: Any) -> Mapping[str, Any] | None:
    """What a value is made of, by the way to it; None for one that is compared as a whole."""
    parts: dict[str, Any] | None = None
    if isinstance(value, Page):
        parts = {".items": value.items, ".total": value.total, ".next is None": value.next is None}
    elif isinstance(value, StoreError):
        parts = {f".{name}": getattr(value, name) for name in ("code", "message", "errors", "extra")}
    elif isinstance(value, Exception):
        parts = {f" raises {type(value).__name__}": True}
    elif is_dataclass(value) and not isinstance(value, type):
        parts = {f".{each.name}": getattr(value, each.name) for each in fields(value)}
    elif isinstance(value, Mapping):
        parts = {f"[{key!r}]": part for key, part in value.items()}
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        parts = {f"[{position}]": part for position, part in enumerate(value)}
    return parts
