"""Wishlists, and telling their owners when something on them gets cheaper or comes back."""

from dataclasses import dataclass
from datetime import datetime

from storecore.accounts.model import Actor, User, require, require_user
from storecore.accounts.permissions import Permission
from storecore.catalog import letters
from storecore.catalog.offers import Offer, offer, offers
from storecore.catalog.wish import MAX_WISHES, Wish
from storecore.errors import NotFound, ProductUnavailable, WishlistFull
from storecore.lists import FIRST_PAGE, Page, PageRequest
from storecore.ports import Unit
from storecore.shop import Shop
from storecore.transactions import Activity, Once, reading, writing


@dataclass(frozen=True, slots=True, kw_only=True)
class WishedOffer:
    """A wished product as it is offered now, an archived one too (``offer.product.is_active`` tells)."""

    offer: Offer
    wished_at: datetime


@dataclass(frozen=True, kw_only=True)
class Wishing(Activity):
    """One wishlist for each user; guests have none."""

    shop: Shop

    @writing
    def add(self, unit: Unit, *, by: Actor, product_id: str, once: Once | None = None) -> WishedOffer:
        """Wish for a product. Raises ``NotFound``, ``ProductUnavailable``, ``AlreadyWished``, ``WishlistFull``."""
        user = unit.users.locked(_wisher(by).id)  # or who adds twenty at once could pass the limit
        product = unit.products.some([product_id]).get(product_id)
        if product is None:
            raise NotFound("There is no such product.")
        if not product.is_active:
            raise ProductUnavailable(f"No longer sold: {product.name}.", product_ids=[product.id])
        wish = Wish(user_id=user.id, product_id=product.id, created_at=unit.now)
        unit.wishes.add(wish)
        if unit.wishes.count(user.id) > MAX_WISHES:
            raise WishlistFull(f"A wishlist holds up to {MAX_WISHES} products; remove some first.")
        return WishedOffer(offer=offer(unit, product), wished_at=wish.created_at)

    @writing
    def remove(self, unit: Unit, *, by: Actor, product_id: str) -> None:
        """Take a product off one's list. Raises ``NotFound`` if it is not on it."""
        unit.wishes.remove(_wisher(by).id, product_id)

    @writing
    def clear(self, unit: Unit, *, by: Actor) -> None:
        """Wish for nothing any more."""
        unit.wishes.clear(_wisher(by).id)

    @reading
    def wishes(self, unit: Unit, *, by: Actor, page: PageRequest = FIRST_PAGE) -> Page[WishedOffer]:
        """One's own wishlist, newest first."""
        found = unit.wishes.page(require_user(by).id, page)
        products = unit.products.some([wish.product_id for wish in found.items])
        shown = offers(unit, [products[wish.product_id] for wish in found.items])
        items = tuple(
            WishedOffer(offer=each, wished_at=wish.created_at) for each, wish in zip(shown, found.items, strict=True)
        )
        return Page(items=items, next=found.next, total=found.total)

    @writing
    def tell_wishers(self, unit: Unit, *, limit: int = 100) -> int:
        """The worker's: owe the oldest news to the next ``limit`` wishers. 0 when everybody has been told everything.

        Mail and the place where to go on are written at once: a worker that is killed leaves nobody out, and tells
        nobody twice.
        """
        alert = unit.wishes.next_alert()
        if alert is None:
            return 0
        product = unit.products.get(alert.product_id)
        wishers = unit.wishes.wishers(alert, limit) if product.is_active else ()
        unit.outbox.add([letters.wish_news(unit, self.shop, alert, product, user) for user in wishers])
        unit.wishes.told(alert.id, wishers[-1].id if len(wishers) == limit else None)
        return max(1, len(wishers))


def _wisher(by: Actor) -> User:
    require(by, Permission.ORDERS_PLACE)
    return require_user(by)
