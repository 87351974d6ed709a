"""Carts. Always read and written whole, a cart keeps its items in its own row."""

from datetime import datetime

from sqlalchemy import bindparam, delete, select

from adapters.sql import tables
from adapters.sql.dialect import Refusals, add_or_replace
from adapters.sql.transaction import Row, Transaction, dumps, loads
from storecore.carts.model import Cart, CartItem
from storecore.errors import Contention
from storecore.money import Money

_carts = tables.carts.c
_CART = (_carts.id, _carts.user_id, _carts["items"], _carts.coupon, _carts.updated_at)
_REFUSES: Refusals = {"uq_carts_user_id": Contention}

_get = select(*_CART).where(_carts.id == bindparam("id"))
_locked = _get.with_for_update(key_share=True)
_of_user = select(*_CART).where(_carts.user_id == bindparam("user_id"))
_save = add_or_replace(tables.carts, "user_id", "items", "coupon", "updated_at")
_remove = delete(tables.carts).where(_carts.id == bindparam("this"))
_sweep = delete(tables.carts).where(_carts.user_id.is_(None), _carts.updated_at < bindparam("before"))


class SqlCarts:
    """The ``Carts`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def get(self, cart_id: str) -> Cart | None:
        """None if there is none."""
        return _cart(self._transaction.row(_get, {"id": cart_id}))

    def of_user(self, user_id: str) -> Cart | None:
        """None if there is none."""
        return _cart(self._transaction.row(_of_user, {"user_id": user_id}))

    def locked(self, cart_id: str) -> Cart | None:
        """Locks the cart's row."""
        self._transaction.check_writable()
        return _cart(self._transaction.row(_locked, {"id": cart_id}))

    def save(self, cart: Cart) -> None:
        """Raises ``Contention`` for a second cart of a user."""
        items = [
            (item.product_id, item.quantity, item.seen_price.minor, item.seen_price.currency) for item in cart.items
        ]
        values = {
            "id": cart.id,
            "user_id": cart.user_id,
            "items": dumps(items),
            "coupon": cart.coupon,
            "updated_at": cart.updated_at,
        }
        self._transaction.write(_save, values, refuses=_REFUSES)

    def remove(self, cart_id: str) -> None:
        """Nothing happens if there is none."""
        self._transaction.write(_remove, {"this": cart_id})

    def sweep(self, before: datetime) -> int:
        """Guests' carts only."""
        return self._transaction.write(_sweep, {"before": before})


def _cart(row: Row | None) -> Cart | None:
    if row is None:
        return None
    id_, user_id, items, coupon, updated_at = row
    return Cart(
        id=id_,
        user_id=user_id,
        items=tuple(
            CartItem(product_id=product_id, quantity=quantity, seen_price=Money(minor, currency))
            for product_id, quantity, minor, currency in loads(items)
        ),
        coupon=coupon,
        updated_at=updated_at,
    )
