"""What customers wish for, and that nobody else is told of it."""

from collections import defaultdict
from functools import partial

from hypothesis.stateful import rule

from storecore.errors import AlreadyWished, NotAuthenticated, NotFound, ProductUnavailable, StoreError
from storecore.notices import Template
from storecore.ports import Unit
from storecore.testing.machine.scene import Scene, Shopper, Stage, every, people, wares

NEWS = frozenset({Template.WISHLIST_DISCOUNT, Template.WISHLIST_RESTOCK})


class Wishing(Scene):
    """Wishlists: each product once on a list, for those who have an account."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.wished: defaultdict[str, set[str]] = defaultdict(set)
        """Products by account."""
        self.wishers: set[str] = set()
        """The emails of all who ever wished for anything."""

    @rule(who=people, which=wares)
    def wish(self, who: Shopper, which: int) -> None:
        """For a product that is sold."""
        ware = self.wares[which]
        refusal: type[StoreError] | None = None if ware.active else ProductUnavailable
        if who.account is None:
            refusal = NotAuthenticated
        elif refusal is None and ware.id in self.wished[who.account.id]:
            refusal = AlreadyWished
        if self.attempt(refusal, lambda: self.store.wishlist.add(by=who.by, product_id=ware.id)) and who.account:
            self.wished[who.account.id].add(ware.id)
            self.wishers.add(who.email)

    @rule(who=people, which=wares)
    def stop_wishing(self, who: Shopper, which: int) -> None:
        """For a product, whether it is still sold or not."""
        ware = self.wares[which]
        if who.account is None:
            self.attempt(NotAuthenticated, lambda: self.store.wishlist.remove(by=who.by, product_id=ware.id))
            return
        refusal = None if ware.id in self.wished[who.account.id] else NotFound
        self.attempt(refusal, lambda: self.store.wishlist.remove(by=who.by, product_id=ware.id))
        self.wished[who.account.id].discard(ware.id)

    def check(self, unit: Unit) -> None:
        """Lists are what their owners made them, and news goes to wishers."""
        super().check(unit)
        for shopper in self.shoppers:
            if shopper.account:
                user_id = shopper.account.id
                found = list(every(partial(unit.wishes.page, user_id)))
                assert len(found) == unit.wishes.count(user_id)
                assert {wish.product_id for wish in found} == self.wished[user_id]
                assert [wish.created_at for wish in found] == sorted((w.created_at for w in found), reverse=True)
        assert {each.recipient for each in self.notices(unit) if each.template in NEWS} <= self.wishers
