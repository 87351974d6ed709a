"""Wishlists over HTTP, for users."""

from datetime import datetime
from typing import Any

from storecore.accounts.permissions import Permission
from storecore.catalog.wishing import WishedOffer
from storecore.errors import AlreadyWished, NotFound, ProductUnavailable, WishlistFull
from storecore.lists import Page
from webapp.http.ask import Ask
from webapp.http.endpoint import Routes
from webapp.products import ProductView, show_product
from webapp.sessions import Who

routes = Routes("wishlist", "What somebody would like to have one day.")


class WishView(ProductView):
    """A wished product as it is offered now; ``is_active`` is false for one that is no longer sold."""

    wished_at: datetime


def show_wish(wished: WishedOffer, ask: Ask[Any, Any]) -> WishView:
    """A wished product as it is answered to its wisher."""
    return {**show_product(wished.offer, ask), "wished_at": wished.wished_at}


@routes.endpoint("GET", "/wishlist", show=show_wish, who=Who.SIGNED_IN)
def list_wishes(ask: Ask) -> Page[WishedOffer]:
    """My wishlist, newest first."""
    return ask.store.wishlist.wishes(by=ask.by, page=ask.page)


@routes.endpoint(
    "POST",
    "/wishlist/{product_id}",
    show=show_wish,
    location="/wishlist/{id}",
    who=Who.SIGNED_IN,
    may=Permission.ORDERS_PLACE,
    once=True,
    refuses=(NotFound, AlreadyWished, ProductUnavailable, WishlistFull),
)
def add_wish(ask: Ask, product_id: str) -> WishedOffer:
    """Put a product on my wishlist.

    Mail tells when it gets a discount, and when it is back in stock.
    """
    return ask.store.wishlist.add(by=ask.by, product_id=product_id, once=ask.once)


@routes.endpoint("DELETE", "/wishlist/{product_id}", who=Who.SIGNED_IN, may=Permission.ORDERS_PLACE)
def remove_wish(ask: Ask, product_id: str) -> None:
    """Take a product off my wishlist."""
    ask.store.wishlist.remove(by=ask.by, product_id=product_id)


@routes.endpoint("DELETE", "/wishlist", who=Who.SIGNED_IN, may=Permission.ORDERS_PLACE)
def clear_wishes(ask: Ask) -> None:
    """Empty my wishlist."""
    ask.store.wishlist.clear(by=ask.by)
