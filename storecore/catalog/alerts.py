"""News for those who wish a product: one row in the transaction of the cause, however many they are.

The worker tells them (:mod:`storecore.catalog.wishing`), so that no edit and no sale waits for so many mails.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from storecore.catalog.model import Product, StockMove
from storecore.catalog.wish import News, WishAlert
from storecore.ports import Unit


def restocked(unit: Unit, moves: Sequence[StockMove], left: Mapping[str, int]) -> None:
    """Tell wishers of products that these moves brought back; ``left`` is what ``unit.stock.move`` said of them.

    Costs nothing unless something returns from none.
    """
    changes = Counter[str]()
    for move in moves:
        changes[move.product_id] += move.change
    back = sorted(each for each, change in changes.items() if left[each] - change <= 0 < left[each])
    if back:
        products = unit.products.some(back)
        _announce(unit, [_alert(unit, products[each], News.RESTOCK, unit.now) for each in back])


def reduced(unit: Unit, changes: Iterable[tuple[Product, Product]]) -> None:
    """Tell wishers of products of which staff now take more off than before, and which cost less for it.

    ``changes`` are products before and after. The same discount again is no news, nor one that a higher price undoes.
    """
    at = unit.now
    cheaper = [
        after
        for before, after in changes
        if _taken_off(before, at) < _taken_off(after, at) and after.final_price(at) < before.final_price(at)
    ]
    _announce(unit, [_alert(unit, product, News.DISCOUNT, at) for product in cheaper])


def begun(unit: Unit, products: Iterable[Product]) -> None:
    """Tell wishers of products whose planned discount has begun, as of the moment when it did."""
    _announce(
        unit,
        [
            _alert(unit, product, News.DISCOUNT, product.discount.starts_at)
            for product in products
            if product.discount is not None
            and product.discount.runs(unit.now)
            and product.final_price(unit.now) < product.price
        ],
    )


def _taken_off(product: Product, at: datetime) -> Decimal:
    return product.discount.percent if product.discount is not None and product.discount.runs(at) else Decimal(0)


def _alert(unit: Unit, product: Product, news: News, at: datetime) -> WishAlert | None:
    if not product.is_active:
        return None
    discount = product.discount if news is News.DISCOUNT else None
    return WishAlert(
        id=unit.new_id(),
        product_id=product.id,
        news=news,
        at=at,
        price=product.price,
        final_price=product.final_price(unit.now),
        percent=discount.percent if discount else None,
        ends_at=discount.ends_at if discount else None,
    )


def _announce(unit: Unit, alerts: Iterable[WishAlert | None]) -> None:
    if worth_telling := [alert for alert in alerts if alert is not None]:
        unit.wishes.announce(worth_telling)
