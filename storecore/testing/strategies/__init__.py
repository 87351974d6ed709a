"""Hypothesis strategies for what a shop deals in: use them to prove policies of your own, an adapter, or a program.

==========  ==========================================================================================================
amounts     ``currencies``, ``minor_units``, ``money``, ``percents``, ``rates``, ``moments``, ``new_ids``
pricing     ``baskets``, ``order_discounts``, ``shipping_policies``, ``tax_tables``, ``tax_policies``, ``destinations``
people      ``names``, ``texts``, ``addresses``, ``saved_addresses``, ``users``, ``customers``, ``staff``, ``guests``,
            ``grants``, ``actors``
catalog     ``products``, ``discounts``, ``coupons``, ``carts``, ``quantities``
orders      ``placed_trades``, ``trades`` (an order with its products, payments and refunds), ``orders``
refunds     ``refund_sequences`` (legal steps and others) with ``Returns`` to carry them out, ``whole_returns``
==========  ==========================================================================================================

They draw small, awkward values more often than large ones (zeros, ties, one minor unit, 100 %), nothing that the shop
would refuse, and shrink to the plainest: a cent, a guest, a pending order of one thing. Fields that are given are not
drawn: ``products(is_active=True, category_ids=[shelf.id])``. Ids count up within one example, whatever draws them.
"""

from storecore.testing.strategies.amounts import currencies, minor_units, moments, money, new_ids, percents, rates
from storecore.testing.strategies.catalog import carts, coupons, discounts, products, quantities
from storecore.testing.strategies.orders import Trade, orders, placed_trades, trades
from storecore.testing.strategies.people import (
    actors,
    addresses,
    customers,
    grants,
    guests,
    names,
    saved_addresses,
    staff,
    texts,
    users,
)
from storecore.testing.strategies.pricing import (
    PLACES,
    TAX_CLASSES,
    baskets,
    destinations,
    order_discounts,
    shipping_policies,
    tax_policies,
    tax_tables,
)
from storecore.testing.strategies.refunds import Ask, RefundStep, Returns, refund_sequences, whole_returns

__all__ = [
    "PLACES",
    "TAX_CLASSES",
    "Ask",
    "RefundStep",
    "Returns",
    "Trade",
    "actors",
    "addresses",
    "baskets",
    "carts",
    "coupons",
    "currencies",
    "customers",
    "destinations",
    "discounts",
    "grants",
    "guests",
    "minor_units",
    "moments",
    "money",
    "names",
    "new_ids",
    "order_discounts",
    "orders",
    "percents",
    "placed_trades",
    "products",
    "quantities",
    "rates",
    "refund_sequences",
    "saved_addresses",
    "shipping_policies",
    "staff",
    "tax_policies",
    "tax_tables",
    "texts",
    "trades",
    "users",
    "whole_returns",
]
