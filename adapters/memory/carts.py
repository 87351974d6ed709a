"""Carts of users and guests."""

from datetime import datetime

from adapters.memory.pages import in_utc
from adapters.memory.tables import Repository
from storecore.carts.model import Cart
from storecore.errors import Contention


class MemoryCarts(Repository):
    """One cart a user."""

    def get(self, cart_id: str) -> Cart | None:
        """The cart, if there is one."""
        return self._tables.carts.get(cart_id)

    def of_user(self, user_id: str) -> Cart | None:
        """A user's cart, if they have one."""
        cart_id = self._tables.carts_by_user.get(user_id)
        return None if cart_id is None else self.get(cart_id)

    def locked(self, cart_id: str) -> Cart | None:
        """The cart, if there is one; the writer's turn is the lock."""
        _ = self._draft
        return self.get(cart_id)

    def save(self, cart: Cart) -> None:
        """Raises ``Contention`` for a user's second one."""
        draft = self._draft
        if cart.user_id is not None and draft.carts_by_user.get(cart.user_id) not in (None, cart.id):
            raise Contention()
        self.remove(cart.id)
        draft.carts.put(cart.id, in_utc(cart))
        if cart.user_id is not None:
            draft.carts_by_user.put(cart.user_id, cart.id)

    def remove(self, cart_id: str) -> None:
        """If there is one."""
        draft = self._draft
        if (cart := draft.carts.get(cart_id)) is not None:
            draft.carts.drop(cart_id)
            if cart.user_id is not None:
                draft.carts_by_user.drop(cart.user_id)

    def sweep(self, before: datetime) -> int:
        """Forget guests' old ones."""
        old = [cart.id for cart in self._draft.carts.rows() if cart.user_id is None and cart.updated_at < before]
        for cart_id in old:
            self.remove(cart_id)
        return len(old)
