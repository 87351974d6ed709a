"""Wishlists, and news that wishers are still to be told."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from adapters.memory.pages import in_utc, page_of, ticks
from adapters.memory.tables import Repository
from storecore.accounts.model import User
from storecore.catalog.wish import Wish, WishAlert
from storecore.errors import AlreadyWished, NotFound
from storecore.lists import Page, PageRequest


class MemoryWishes(Repository):
    """Wishes by user and product. The writer's turn keeps others from an alert."""

    def add(self, wish: Wish) -> None:
        """Raises ``AlreadyWished``."""
        draft, key = self._draft, (wish.user_id, wish.product_id)
        if key in draft.wishes:
            raise AlreadyWished()
        draft.wishes.put(key, in_utc(wish))

    def remove(self, user_id: str, product_id: str) -> None:
        """Raises ``NotFound``."""
        draft, key = self._draft, (user_id, product_id)
        if key not in draft.wishes:
            raise NotFound("This product is not on the wishlist.")
        draft.wishes.drop(key)

    def clear(self, user_id: str) -> None:
        """All of a user's."""
        draft = self._draft
        for wish in self._of(user_id):
            draft.wishes.drop((wish.user_id, wish.product_id))

    def count(self, user_id: str) -> int:
        """How many a user has."""
        return len(self._of(user_id))

    def page(self, user_id: str, page: PageRequest) -> Page[Wish]:
        """Newest first."""
        return page_of(self._of(user_id), page, lambda each: (ticks(each.created_at), each.product_id), descending=True)

    def announce(self, alerts: Iterable[WishAlert]) -> None:
        """Those whose product somebody wishes."""
        draft = self._draft
        wished = {wish.product_id for wish in draft.wishes.rows()}
        for alert in alerts:
            if alert.product_id in wished:
                draft.wish_alerts.put(alert.id, in_utc(alert))

    def next_alert(self) -> WishAlert | None:
        """The oldest."""
        return min(self._draft.wish_alerts.rows(), key=lambda each: (each.at, each.id), default=None)

    def wishers(self, alert: WishAlert, limit: int) -> Sequence[User]:
        """By id."""
        tables = self._tables
        who = sorted(
            wish.user_id
            for wish in tables.wishes.rows()
            if wish.product_id == alert.product_id and wish.user_id > alert.told and wish.created_at < alert.at
        )
        users = (tables.users.get(user_id) for user_id in who)
        return [user for user in users if user is not None and user.is_active][:limit]

    def told(self, alert_id: str, up_to: str | None) -> None:
        """Go on there, or forget it."""
        draft = self._draft
        alert = draft.wish_alerts.get(alert_id)
        if alert is None:
            return
        if up_to is None:
            draft.wish_alerts.drop(alert_id)
        else:
            draft.wish_alerts.put(alert_id, replace(alert, told=up_to))

    def _of(self, user_id: str) -> list[Wish]:
        return [wish for wish in self._tables.wishes.rows() if wish.user_id == user_id]
