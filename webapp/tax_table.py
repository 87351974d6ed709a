"""The tax table: a JSON file with a row for each rate, tax class and place."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from storecore.pricing import TaxPolicy, TaxRate


def read(path: Path | None) -> tuple[TaxRate, ...]:
    """The rates in a file; none without one. Raises ``ValueError`` with what is wrong with which row."""
    if path is None:
        return ()
    try:
        rows = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal, parse_int=Decimal)
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(rows, list):
        raise ValueError(f"{path} must hold a list of rows")  # noqa: TRY004 - the file's content is wrong, not a type
    rates = []
    for number, row in enumerate(rows, start=1):
        try:
            rates.append(_tax_row(row))
        except (ValueError, TypeError, ArithmeticError) as error:
            raise ValueError(f"{path}, row {number}: {error}") from None
    try:
        TaxPolicy(default_rate=Decimal(0), rates=tuple(rates))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return tuple(rates)


def _tax_row(row: Any) -> TaxRate:
    if not isinstance(row, dict) or "rate" not in row:
        raise ValueError('is not like {"rate": "8.875", "country": "US"}')
    if unknown := row.keys() - {"rate", "tax_class", "country", "region"}:
        raise ValueError(f"has unknown members: {', '.join(sorted(unknown))}")
    places = {name: value for name, value in row.items() if name != "rate"}
    if not all(isinstance(value, str) for value in places.values()):
        raise ValueError("tax_class, country and region are strings")
    if isinstance(row["rate"], bool) or not re.fullmatch(r"\d{1,3}(\.\d+)?", str(row["rate"]), re.ASCII):
        raise ValueError(f"{row['rate']!r} is not a rate such as 8.875")
    return TaxRate(rate=Decimal(row["rate"]), **places)
