"""What the shop writes to the author of a review."""

from storecore.notices import Notice, Template, compose
from storecore.ports import Unit
from storecore.reviews.model import Review, ReviewStatus
from storecore.shop import Shop


def review_decided(unit: Unit, shop: Shop, review: Review, note: str | None) -> Notice:
    """A moderator has decided, perhaps with a few words to the author."""
    author, product = unit.users.get(review.author_id), unit.products.get(review.product_id)
    return compose(
        id=unit.new_id(),
        at=unit.now,
        shop=shop,
        event=f"review:{review.id}:{review.version}",
        template=Template.REVIEW_DECIDED,
        recipient=author.email,
        user_id=author.id,
        data={
            "name": author.full_name,
            "product": product.name,
            "published": review.status is ReviewStatus.PUBLISHED,
            "note": note or "",
        },
    )
