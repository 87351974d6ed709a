"""What people type in, cleaned or refused with the field's name.

The same rules hold for a library caller and for a request over HTTP, which is why they live here.
"""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

from storecore.errors import Invalid

_ATOM = r"[^\s@.,:;<>()\[\]\\\"]+"
_LABEL = r"(?!-)(?:[a-z0-9-]|[^\x00-\x7f\s]){1,63}(?<!-)"
_EMAIL = re.compile(rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}")
"""Dot-separated atoms (RFC 5322) at a host name of letters of any script; not an IP address."""
_COUNTRIES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO
    JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR
    MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO
    RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV
    TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"""
"""ISO 3166-1 alpha-2, and XK, the user-assigned code that posts and customs use for Kosovo."""
_COUNTRY_CODES = frozenset(_COUNTRIES.split())
_INVISIBLE = frozenset({"Cc", "Cf", "Zs"})
"""Categories of what leaves no ink: line feeds, zero-width characters, spaces of any width."""


def refuse(field: str, why: str) -> Invalid:
    """The error for one bad field, to be raised."""
    return Invalid(errors=[(field, why)])


def text(value: str, field: str, *, most: int, least: int = 1, lines: bool = False) -> str:
    """Text within bounds, stripped of space around it, in Unicode NFC; CRLF becomes LF.

    ``lines`` allows line feeds and tabs. Raises ``Invalid`` for other control characters, direction overrides,
    lone surrogates and lengths out of bounds (text of nothing but invisible characters has none), ``TypeError`` for
    anything but a string.
    """
    if not isinstance(value, str):
        raise TypeError(f"{field} is a string, not {value!r}")
    if not value.isprintable() and (bad := _forbidden(value, lines)):
        raise refuse(field, f"must not contain {bad}")
    value = composed(value.replace("\r\n", "\n").strip(), most)
    if all(unicodedata.category(character) in _INVISIBLE for character in value):
        value = ""
    if not least <= len(value) <= most:
        raise refuse(
            field, f"must have {least} to {most} characters" if least else f"must have at most {most} characters"
        )
    return value


def composed(value: str, most: int) -> str:
    """Unicode NFC, unless the text would stay longer than ``most`` characters anyway: then it comes back as it is.

    No character decomposes into more than four, and composing a million combining marks takes minutes.
    """
    return unicodedata.normalize("NFC", value) if len(value) <= 4 * most else value


def _forbidden(value: str, lines: bool) -> str:
    for character in value.replace("\r\n", "\n") if lines else value:
        if lines and character in "\n\t":
            continue
        category = unicodedata.category(character)
        if category == "Cs":
            return "half of a surrogate pair"
        if category in ("Cc", "Zl", "Zp") or _steers(character):
            return f"the control character U+{ord(character):04X}"
    return ""


def _steers(character: str) -> bool:
    """Whether it makes text read as something it is not (UTS #39), unlike joiners, emoji tags or a soft hyphen."""
    return unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def optional(value: str | None, field: str, *, most: int, lines: bool = False) -> str | None:
    """The same for a field that may be absent; an empty text counts as absent."""
    return None if value is None else text(value, field, most=most, least=0, lines=lines) or None


def email(value: str, field: str = "email") -> str:
    """An email address as it is stored and compared: NFKC, lower case, nothing invisible. Raises ``Invalid``."""
    value = unicodedata.normalize("NFKC", text(value, field, most=254)).lower()
    value = unicodedata.normalize("NFKC", value)  # a small letter may have a composed form that its capital has not
    hidden = any(unicodedata.category(character) == "Cf" for character in value)
    if hidden or len(value) > 254 or not _EMAIL.fullmatch(value):
        raise refuse(field, "must be an email address")
    return value


def country(value: str, field: str) -> str:
    """An ISO 3166-1 alpha-2 code in capitals. Raises ``Invalid``."""
    if value not in _COUNTRY_CODES:
        raise refuse(field, "must be an ISO 3166 country code of two capital letters")
    return value


def whole(value: int, field: str, *, least: int, most: int) -> int:
    """A whole number within bounds. Raises ``TypeError`` for anything else (booleans and floats too), ``Invalid``."""
    if type(value) is not int:
        raise TypeError(f"{field} is a whole number, not {value!r}")
    if not least <= value <= most:
        raise refuse(field, f"must be {least} to {most}")
    return value


def percent(value: Decimal, field: str) -> Decimal:
    """Above 0 and at most 100 per cent, with at most two decimals (``12.500`` comes back as ``12.50``).

    Raises ``TypeError`` for anything but a ``Decimal``, ``Invalid``.
    """
    if not isinstance(value, Decimal):
        raise TypeError(f"a percentage is a Decimal, not {value!r}")
    if not value.is_finite() or not 0 < value <= 100 or 100 % value.as_integer_ratio()[1]:
        raise refuse(field, "must be above 0 and at most 100, with at most two decimals")
    numerator, denominator = value.as_integer_ratio()
    exponent = value.as_tuple().exponent
    return value if exponent in (0, -1, -2) else Decimal(numerator * 100 // denominator).scaleb(-2)


def amount_of(values: Sequence[object], field: str, *, most: int, least: int = 0) -> None:
    """Bounds the number of things in a list. Raises ``Invalid``."""
    if not least <= len(values) <= most:
        raise refuse(field, f"must have {least} to {most} entries")
