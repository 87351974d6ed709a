"""What the catalog writes to those who wish for something in it."""

from storecore.accounts.model import User
from storecore.catalog.model import Product
from storecore.catalog.wish import News, WishAlert
from storecore.notices import Notice, Template, compose
from storecore.ports import Unit
from storecore.shop import Shop

TEMPLATES = {News.DISCOUNT: Template.WISHLIST_DISCOUNT, News.RESTOCK: Template.WISHLIST_RESTOCK}


def wish_news(unit: Unit, shop: Shop, alert: WishAlert, product: Product, user: User) -> Notice:
    """Tells a wisher; each of them once for an alert. Prices are those at the time of the news."""
    return compose(
        id=unit.new_id(),
        at=unit.now,
        shop=shop,
        event=f"wish:{alert.id}",
        template=TEMPLATES[alert.news],
        recipient=user.email,
        user_id=user.id,
        data={
            "name": user.full_name,
            "product": product.name,
            "sku": product.sku,
            "price": str(alert.price),
            "final_price": str(alert.final_price),
            "currency": alert.price.currency,
            "percent": "" if alert.percent is None else f"{alert.percent.normalize():f}",
            "ends_at": alert.ends_at.isoformat() if alert.ends_at else "",
        },
    )
