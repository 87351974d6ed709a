"""Rows as JSON by their type hints: a file names no classes, and reading it makes nothing but what was meant."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import repeat
from types import NoneType
from typing import Any, cast, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Coder:
    """Makes a value of some type plain enough for JSON, and whole again. Equal keys dump alike."""

    plain: Callable[[Any], Any]
    whole: Callable[[Any], Any]

    def dump(self, value: Any) -> str:
        return json.dumps(self.plain(value))

    def load(self, text: str) -> Any:
        return self.whole(json.loads(text))


@cache
def coder(hint: Any) -> Coder:  # noqa: PLR0911 - one for each kind of type
    """The coder of a type. One that is not told here is JSON as it is."""
    parts = [coder(part) for part in get_args(hint) if part not in {NoneType, ...}]
    if hint is bytes:
        return Coder(bytes.hex, bytes.fromhex)
    if hint is datetime:
        return Coder(datetime.isoformat, datetime.fromisoformat)
    if hint is Decimal:
        return Coder(str, Decimal)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Coder(lambda value: value.value, hint)
    if NoneType in get_args(hint):
        (known,) = parts
        return Coder(
            lambda value: None if value is None else known.plain(value),
            lambda value: None if value is None else known.whole(value),
        )
    if get_origin(hint) is tuple:
        each: Iterable[Coder] = repeat(parts[0]) if ... in get_args(hint) else parts
        return Coder(
            lambda row: [kind.plain(value) for kind, value in zip(each, row, strict=False)],
            lambda row: tuple(kind.whole(value) for kind, value in zip(each, row, strict=False)),
        )
    if get_origin(hint) is Mapping:
        names, values = parts
        return Coder(
            lambda row: {names.plain(name): values.plain(value) for name, value in row.items()},
            lambda row: {names.whole(name): values.whole(value) for name, value in row.items()},
        )
    if is_dataclass(hint):
        make, hints = cast("Callable[..., Any]", hint), get_type_hints(hint)
        kinds = {field.name: coder(hints[field.name]) for field in fields(hint)}
        return Coder(
            lambda entity: {name: kind.plain(getattr(entity, name)) for name, kind in kinds.items()},
            lambda row: make(**{name: kinds[name].whole(value) for name, value in row.items()}),
        )
    return Coder(lambda value: value, lambda value: value)
