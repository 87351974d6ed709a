"""The settings that rules depend on."""

from decimal import Decimal

import pytest

from storecore.money import Money
from storecore.pricing import NOWHERE, STANDARD, ShippingPolicy
from storecore.shop import Shop


def test_a_shop_without_settings_is_the_documented_one() -> None:
    shop = Shop()
    assert shop.currency == "USD"
    assert shop.shipping == ShippingPolicy(fee=Money(10_00, "USD"), free_from=Money(100_00, "USD"))
    assert shop.tax.rate(STANDARD, NOWHERE) == Decimal(8)
    assert not shop.tax.included
    assert shop.delivery_time.total_seconds() == 30 * 60


def test_a_shop_ships_in_its_own_currency() -> None:
    with pytest.raises(ValueError, match="the shop sells in EUR, but its shipping policy is in USD"):
        Shop(currency="EUR")
    assert Shop(currency="EUR", shipping=ShippingPolicy(fee=Money(500, "EUR"))).currency == "EUR"


def test_links_are_built_without_a_double_slash() -> None:
    assert Shop(public_url="https://shop.example/").public_url == "https://shop.example"
