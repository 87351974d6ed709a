"""Addresses in requests and answers."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from typing_extensions import TypedDict

from storecore import checks
from storecore.accounts.model import Address
from storecore.errors import Invalid
from webapp.http.fields import Text, refused
from webapp.http.validation import Body


def _country(value: str) -> str:
    try:
        return checks.country(value, "")
    except Invalid as error:
        raise refused(error.errors[0][1]) from None


Country = Annotated[
    str, AfterValidator(_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$", "examples": ["TR"]})
]
"""ISO 3166-1 alpha-2."""


class DeliveryAddress(Body):
    """Where goods go. ``country`` is ISO 3166 alpha-2."""

    recipient: Annotated[str, Text(200)]
    line1: Annotated[str, Text(200)]
    line2: Annotated[str, Text(200, least=0)] | None = None
    city: Annotated[str, Text(100)]
    region: Annotated[str, Text(100, least=0)] | None = None
    postal_code: Annotated[str, Text(20)]
    country: Country

    def read(self) -> Address:
        """The address for the core."""
        return Address(**{name: getattr(self, name) for name in DeliveryAddress.model_fields})


class AddressView(TypedDict):
    """Where goods go."""

    recipient: str
    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country: str


def show_address(address: Address) -> AddressView:
    """An address as it is answered."""
    return {
        "recipient": address.recipient,
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "region": address.region,
        "postal_code": address.postal_code,
        "country": address.country,
    }
