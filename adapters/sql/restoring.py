"""Entities as they were stored."""

from typing import Any, TypeVar

T = TypeVar("T")


def restored(kind: type[T], **fields: Any) -> T:
    """An entity with these field values, every one of them given.

    It checked itself before it was written. Checking it again at each look costs more than finding it, and would
    hide it once a rule has become stricter.
    """
    entity = object.__new__(kind)
    for name, value in fields.items():
        object.__setattr__(entity, name, value)
    return entity
