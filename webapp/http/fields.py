"""The types of fields, in requests and in answers.

For requests: :class:`Text`, :data:`Id`, :data:`Quantity`, :data:`AmountText`, :data:`Percent`, :data:`Number`,
:data:`Instant`, :data:`Day`, :data:`Choice`, :data:`FreeObject`. For answers: :data:`Amount`, :data:`PercentText`, and
any type that JSON has; aware datetimes, enums and Decimals are written as text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from storecore import checks
from storecore.catalog.model import MAX_QUANTITY
from storecore.errors import Invalid
from storecore.money import parse_percent
from webapp.http.validation import Repeated

E = TypeVar("E", bound=Enum)

_INTEGERS = 2**63
_AMOUNT = r"^[0-9]{1,15}(\.[0-9]{1,3})?$"
_PERCENT = r"^[0-9]{1,3}(\.[0-9]{1,2})?$"
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def refused(why: str) -> PydanticCustomError:
    """The error of one field, to be raised by its validator."""
    return PydanticCustomError("refused", "{why}", {"why": why})


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """Makes a field of text: read by a function, described by a JSON schema. Hashable, as type annotations must be."""

    read: Callable[[str], Any]
    describe: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.read, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", **self.describe}


@dataclass(frozen=True, slots=True)
class Text:
    """Text of ``least`` to ``most`` characters, cleaned by ``storecore.checks.text``: ``Annotated[str, Text(200)]``.

    ``lines`` allows line feeds and tabs.
    """

    most: int
    least: int = 1
    lines: bool = False

    def _read(self, value: str) -> str:
        try:
            return checks.text(value, "", most=self.most, least=self.least, lines=self.lines)
        except Invalid as error:
            raise refused(error.errors[0][1]) from None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._read, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.most} | ({"minLength": self.least} if self.least else {})


def _percent(value: str) -> Decimal:
    try:
        return parse_percent(value)
    except Invalid as error:
        raise refused(error.errors[0][1]) from None


def _number(value: str) -> Decimal:
    if not _NUMBER.fullmatch(value):
        raise refused('must be a number such as "4.5"')
    return Decimal(value)


def _instant(value: str) -> datetime:
    if not _INSTANT.fullmatch(value):
        raise refused("must be a time with its offset, such as 2026-01-31T12:00:00Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused("must be a time that exists") from None


def _day(value: str) -> date:
    try:
        if _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise refused("must be a day such as 2026-01-31")


def _amount(value: str) -> str:
    if not re.match(_AMOUNT, value, re.ASCII) or value.endswith("\n"):
        raise refused('must be an amount such as "19.99"')
    return value


def _plain(value: Any) -> Any:
    """Free JSON without what no field may hold; its depth was bounded when it was parsed."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _plain(key)
            _plain(inner)
    elif isinstance(value, list):
        for inner in value:
            _plain(inner)
    elif isinstance(value, str):
        try:
            checks.text(value, "", most=len(value), least=0, lines=True)
        except Invalid as error:
            raise refused(error.errors[0][1]) from None
    elif isinstance(value, Repeated):
        raise refused("must not name anything twice")
    elif isinstance(value, float) and not isfinite(value):
        raise refused("must not contain NaN or Infinity")
    elif isinstance(value, int) and not -_INTEGERS <= value < _INTEGERS:
        raise refused("must not contain integers beyond 64 bits")
    return value


Id = Annotated[str, Text(100)]
"""The id of something. One that is malformed is simply the id of nothing."""

Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY)]
"""Units of a product."""

AmountText = Annotated[str, _Read(_amount, {"pattern": _AMOUNT, "examples": ["19.99"]})]
"""An amount of money that is not negative; ``Money.parse`` reads it in the shop's currency, naming its field."""

Percent = Annotated[Decimal, _Read(_percent, {"pattern": _PERCENT, "examples": ["12.5"]})]
"""A percentage from 0 to 100, sent as text with at most two decimals."""

Number = Annotated[Decimal, _Read(_number, {"pattern": f"^{_NUMBER.pattern}$", "examples": ["4.5"]})]
"""A decimal number that is not negative, sent as text."""

Instant = Annotated[datetime, _Read(_instant, {"format": "date-time", "examples": ["2026-01-31T12:00:00Z"]})]
"""A point in time (RFC 3339 with an offset), in UTC."""

Day = Annotated[date, _Read(_day, {"format": "date", "examples": ["2026-01-31"]})]
"""A calendar day."""

Choice = Annotated[E, Field(strict=False)]
"""One value of an enum, sent as text: ``Choice[Status]``."""

FreeObject = Annotated[dict[str, Any], AfterValidator(_plain)]
"""Any JSON object of proper text and numbers; whoever takes it bounds its size."""

Amount = Annotated[str, StringConstraints(pattern=r"^-?[0-9]+(\.[0-9]+)?$"), Field(examples=["19.99"])]
"""An amount in an answer: ``str(money)``, exactly the currency's digits."""

PercentText = Annotated[str, StringConstraints(pattern=_PERCENT), Field(examples=["12.5"])]
"""A percentage in an answer."""
