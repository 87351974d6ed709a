"""Products as a catalog can hold them, coupons, and carts of such products."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from storecore.carts.model import Cart, CartItem
from storecore.catalog.coupon import Coupon
from storecore.catalog.model import MAX_QUANTITY, Discount, Product, slugify
from storecore.money import Money
from storecore.testing.builders import NOW, make_coupon, make_product
from storecore.testing.strategies.amounts import minor_units, moments, new_ids, percents
from storecore.testing.strategies.people import texts
from storecore.testing.strategies.pricing import TAX_CLASSES

_LASTS = st.none() | st.timedeltas(timedelta(microseconds=1), timedelta(days=30))


@cache
def quantities() -> SearchStrategy[int]:
    """How many of a product one cart or order may hold, mostly few."""
    return st.integers(1, 3) | st.integers(1, MAX_QUANTITY)


@cache
@st.composite
def discounts(draw: DrawFn) -> Discount:
    """A percentage off a product: running, planned, over or for good."""
    starts_at, lasts = draw(moments()), draw(_LASTS)
    return Discount(
        percent=draw(percents().filter(bool)), starts_at=starts_at, ends_at=starts_at + lasts if lasts else None
    )


_PRODUCT: Mapping[str, SearchStrategy[Any]] = {
    "name": texts(most=60),
    "description": st.just("") | texts(most=100, lines=True),
    "price": minor_units(),
    "cost": minor_units(),
    "discount": st.none() | discounts(),
    "attributes": st.just({}) | st.dictionaries(texts(most=20), texts(most=40), max_size=3),
    "images": st.just(())
    | st.lists(texts(most=30).map(lambda text: "/" + "".join(text.split())), max_size=3).map(tuple),
    "group": st.none() | texts(most=30),
    "tax_class": st.sampled_from(TAX_CLASSES),
    "is_active": st.just(True) | st.booleans(),
    "created_at": moments(),
}


@st.composite
def products(draw: DrawFn, /, *, currency: str = "USD", **fields: Any) -> Product:
    """Anything that a catalog can hold; ``fields`` are not drawn. Nothing of it is in stock, nor sold, nor rated.

    No two have the same SKU or slug in one example. Give it the ``category_ids`` of categories that exist, if it is to
    be stored.
    """
    new_id = draw(new_ids())
    own = {name: draw(each) for name, each in _PRODUCT.items() if name not in fields}
    own |= {name: Money(own[name], currency) for name in ("price", "cost") if name in own} | fields
    made = own.setdefault("id", new_id())
    own.setdefault("category_ids", [new_id()])
    own.setdefault("updated_at", own["created_at"])
    own.setdefault("slug", f"{slugify(own['name'])[:60]}-{made[-12:]}".strip("-"))
    return make_product(new_id, **own)


@st.composite
def coupons(draw: DrawFn, /, *, currency: str = "USD", **fields: Any) -> Coupon:
    """A percentage or an amount off, within any limits, valid now or not; ``fields`` are not drawn."""
    amounts = minor_units().filter(bool).map(lambda minor: Money(minor, currency))
    percentages = percents().filter(bool)
    if not fields.keys() & {"starts_at", "ends_at"}:
        starts_at, lasts = draw(st.none() | moments()), draw(_LASTS)
        fields |= {"starts_at": starts_at, "ends_at": (starts_at or NOW) + lasts if lasts else None}
    drawn: dict[str, SearchStrategy[Any]] = {
        "min_spend": st.none() | amounts,
        "max_uses": st.none() | st.integers(1, 3) | st.integers(1, 10**9),
        "max_uses_per_user": st.none() | st.integers(1, 3),
        "is_active": st.just(True) | st.booleans(),
    }
    if not fields.keys() & {"percent", "amount"}:
        drawn |= {"amount": amounts} if draw(st.booleans()) else {"percent": percentages}
    own = {name: draw(each) for name, each in drawn.items() if name not in fields} | fields
    return make_coupon(draw(new_ids()), **own)


@st.composite
def carts(draw: DrawFn, /, of: Sequence[Product] | None = None, **fields: Any) -> Cart:
    """Some of these products, or of up to three that are drawn, in any order, each seen at its list price or another.

    A guest's, unless ``fields`` say whose it is.
    """
    offered = draw(st.lists(products(is_active=True), max_size=3)) if of is None else of
    chosen = draw(st.lists(st.sampled_from(offered), unique_by=lambda each: each.id)) if offered else []
    items = tuple(
        CartItem(
            product_id=each.id,
            quantity=draw(quantities()),
            seen_price=draw(st.just(each.price) | minor_units().map(lambda n: Money(n, "USD"))),
        )
        for each in chosen
    )
    drawn: dict[str, SearchStrategy[Any]] = {
        "coupon": st.none() | coupons().map(lambda coupon: coupon.code),
        "updated_at": moments(),
    }
    own: dict[str, Any] = {name: draw(each) for name, each in drawn.items() if name not in fields} | fields
    return Cart(**({"id": draw(new_ids())(), "items": items} | own))
