"""What the values of settings are, each refused with what it should have been."""

import re
from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, IPvAnyNetwork, SecretStr
from pydantic_settings import NoDecode

from storecore import media
from storecore.money import EXPONENTS
from storecore.pricing import check_rate

SQLITE = "sqlite:///"
POSTGRESQL = ("postgresql", "postgresql+psycopg")

SHORTEST_SECRET = 32
"""Characters. HS256 is as strong as its key only from 32 bytes on."""

_PASSWORD = re.compile(r"(://[^/@:]*:)[^/]*(?=@)|([?&]password=)[^&]*")
_ORIGIN = re.compile(r"https?://[^/*?#@\s]+", re.ASCII)
_HOST = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")


def _listed(separator: str) -> BeforeValidator:
    def split(value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(separator) if part.strip())

    return BeforeValidator(split)


def _known_currency(code: str) -> str:
    if code not in EXPONENTS:
        raise ValueError("must be an ISO 4217 code in capitals, such as USD")
    return code


def _exact_rate(rate: Decimal) -> Decimal:
    check_rate(rate)
    return rate


def _known_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError("must be a time zone such as Europe/Istanbul") from None
    return name


def _http_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an address such as https://shop.example")
    return url.rstrip("/")


def _database_address(url: str) -> str:
    path = url.removeprefix(SQLITE)
    if path != url and path not in {"", ":memory:"} and "?" not in path:
        return url
    parts = urlsplit(url)
    if parts.scheme not in POSTGRESQL or len(parts.path) < 2 or parts.fragment:
        raise ValueError(
            "must be the path of a file, such as sqlite:////var/lib/shop/store.db, or a database on a server, such as "
            "postgresql+psycopg://shop:password@db.example/shop"
        )
    return url


def without_password(url: str) -> str:
    """An address as it may be shown."""
    return _PASSWORD.sub(r"\1\2********", url)


def _exact_origin(origin: str) -> str:
    if not _ORIGIN.fullmatch(origin):
        raise ValueError("each origin is written out, such as https://shop.example; wildcards are not allowed")
    return origin.lower()


def _exact_host(host: str) -> str:
    if not _HOST.fullmatch(host.lower()):
        raise ValueError(
            "each host is written out without a port, such as shop.example, or .shop.example with all below it; "
            "wildcards are not allowed"
        )
    return host.lower()


def _long_secret(secret: SecretStr) -> SecretStr:
    length = len(secret.get_secret_value().encode())
    if length < SHORTEST_SECRET:
        raise ValueError(f"is too short: {length} characters, of at least {SHORTEST_SECRET}")
    return secret


def _project_address(dsn: SecretStr) -> SecretStr:
    parts = urlsplit(dsn.get_secret_value())
    number = parts.path.rpartition("/")[2]
    if parts.scheme not in {"http", "https"} or not parts.username or not parts.hostname or not number.isdecimal():
        raise ValueError("must be the DSN of a project, such as https://key@sentry.example/1")
    return dsn


def _recognised_types(types: tuple[str, ...]) -> tuple[str, ...]:
    if not types or not set(types) <= set(media.TYPES):
        raise ValueError(f"must be some of {', '.join(media.TYPES)}")
    return types


SearchLanguage = Literal[
    "arabic", "armenian", "basque", "catalan", "czech", "danish", "dutch", "english", "esperanto", "estonian",
    "finnish", "french", "german", "greek", "hindi", "hungarian", "indonesian", "irish", "italian", "lithuanian",
    "nepali", "norwegian", "persian", "polish", "portuguese", "romanian", "russian", "serbian", "sesotho", "spanish",
    "swedish", "tamil", "turkish", "yiddish",
]  # fmt: skip
Names = Annotated[tuple[str, ...], NoDecode, _listed(",")]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_exact_origin)], ...], NoDecode, _listed(",")]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_exact_host)], ...], NoDecode, _listed(",")]
Networks = Annotated[tuple[IPvAnyNetwork, ...], NoDecode, _listed(",")]
Keys = Annotated[tuple[Annotated[SecretStr, AfterValidator(_long_secret)], ...], NoDecode, _listed(",")]
AddressLines = Annotated[tuple[str, ...], NoDecode, _listed("|")]
Currency = Annotated[str, AfterValidator(_known_currency)]
Timezone = Annotated[str, AfterValidator(_known_timezone)]
HttpAddress = Annotated[str, AfterValidator(_http_address)]
DatabaseAddress = Annotated[str, AfterValidator(_database_address)]
FileTypes = Annotated[Names, AfterValidator(_recognised_types)]
SentryAddress = Annotated[SecretStr, AfterValidator(_project_address)]
Percent = Annotated[Decimal, AfterValidator(_exact_rate)]
