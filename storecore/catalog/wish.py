"""What customers wish for, and news about it of which not every wisher has been told."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from storecore.money import Money

MAX_WISHES = 500
"""Products on one wishlist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A product that a user would like to have one day; once on a list."""

    user_id: str
    product_id: str
    created_at: datetime


class News(StrEnum):
    """What may happen to a wished product that its wishers want to hear of."""

    DISCOUNT = "discount"
    RESTOCK = "restock"


@dataclass(frozen=True, slots=True, kw_only=True)
class WishAlert:
    """News about a product, with the facts as of ``at``, for those who had wished it by then.

    ``percent`` and ``ends_at`` are a discount's. Wishers are told in the order of their ids: ``told`` is the last one
    who was, empty at first.
    """

    id: str
    product_id: str
    news: News
    at: datetime
    price: Money
    final_price: Money
    percent: Decimal | None = None
    ends_at: datetime | None = None
    told: str = ""
