"""Parsed input checked against its model, and refusals in words that a person understands."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from storecore.errors import Invalid

LONGEST_NAME = 80
"""Characters of a client's own field names that an error repeats."""


class Model(BaseModel):
    """What a request may hold: nothing unknown, nothing converted."""

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid", frozen=True)

    def given(self) -> dict[str, Any]:
        """The fields that were sent, by name: for changes, where absent differs from null."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class Body(Model):
    """The base of every JSON body. Python names are JSON names; defaults make a field optional."""


class Query(Model):
    """The base of every query string. ``field: Mapping[str, str]`` collects ``field.<name>=<value>`` parameters.

    ``unbound`` are those that do not change which rows a list has: a cursor holds with and without them.
    """

    unbound: ClassVar[tuple[str, ...]] = ()


class Nothing(Body):
    """The body of a request that has none; an empty object passes too."""


def absent() -> Any:
    """The default of a field that may be left out but not be null; tell the two apart with ``given()``."""
    return Field(default_factory=lambda: None)


class Repeated:
    """Stands where an object had the same key twice: no model takes it, so its place is named in the refusal."""

    def __init__(self, key: str) -> None:
        self.key = key


M = TypeVar("M", bound=Model)


def check(model: type[M], value: object) -> M:
    """The value as a model. Raises ``Invalid`` naming each field that is wrong."""
    try:
        return model.__pydantic_validator__.validate_python(value)  # type: ignore[no-any-return] # the model's own validator
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
    except UnicodeError:  # half of a surrogate pair in a name that has to be repeated
        raise Invalid(errors=[("", "a field's name must not contain half of a surrogate pair")]) from None
    raise Invalid(errors=[(_field(detail), _why(detail)) for detail in details])


def _field(detail: ErrorDetails) -> str:
    path = [part if isinstance(part, int) else _legible(part) for part in detail["loc"]]
    if isinstance(repeated := detail["input"], Repeated):
        path.append(_legible(repeated.key))
    return ".".join(str(part) for part in path)


def _legible(name: str) -> str:
    """A client's own field name, made safe to repeat."""
    return name[:LONGEST_NAME].encode("utf-8", "backslashreplace").decode()


_WHY: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "is not a field that is known here",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be text",
    "string_sub_type": "must be text",
    "string_unicode": "must not contain half of a surrogate pair",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "mapping_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "none_required": "must be null",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "string_pattern_mismatch": "does not have the right form",
}


def _why(detail: ErrorDetails) -> str:
    if isinstance(detail["input"], Repeated):
        return "is given twice"
    if detail["type"] == "refused":
        return str(detail["msg"])
    words = _WHY.get(detail["type"])
    return words.format(**detail.get("ctx", {})) if words else "is not valid"
