"""What staff and time do: stock, prices, coupons."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from storecore.errors import OutOfStock
from storecore.testing.machine.scene import LONGEST_WAIT, Offered, Scene, Shopper, coupons, people, waits, wares
from storecore.testing.strategies import percents

changes = st.integers(-4, 6).filter(bool)
limits = st.none() | st.integers(1, 3)


class Running(Scene):
    """Keeping shop."""

    @precondition(lambda self: len(self.shoppers) < 5)
    @rule(target=people, guest=st.booleans())
    def somebody_comes(self, guest: bool) -> Shopper:
        """One more guest, or one more account."""
        return self.enter("" if guest else f"customer{next(self.numbers)}@example.com")

    @rule(which=wares, change=st.none() | changes)
    def adjust_stock(self, which: int, change: int | None) -> None:
        """Without a ``change`` everything is gone."""
        ware = self.wares[which]
        change = change or -ware.stock or 1
        refusal = OutOfStock if ware.stock + change < 0 else None
        if self.attempt(
            refusal,
            lambda: self.store.catalog.adjust_stock(by=self.staff, product_id=ware.id, change=change, reason="counted"),
        ):
            ware.stock += change

    @rule(which=wares, percent=st.none() | percents(least=1), wait=st.none() | waits, lasts=st.none() | waits)
    def discount(self, which: int, percent: Decimal | None, wait: timedelta | None, lasts: timedelta | None) -> None:
        """Without a ``percent`` the discount ends."""
        ware, catalog = self.wares[which], self.store.catalog
        start = self.clock() + (wait or timedelta())
        end = start + lasts if lasts else None
        if percent is None:
            catalog.clear_discount(by=self.staff, product_ids=[ware.id])
        else:
            catalog.discount(by=self.staff, product_ids=[ware.id], percent=percent, starts_at=start, ends_at=end)
        ware.percent, ware.window = percent or Decimal(0), (start, end)

    @rule(which=wares, minor=st.integers(1, 99_99))
    def reprice(self, which: int, minor: int) -> None:
        ware = self.wares[which]
        self.store.catalog.update_product(by=self.staff, product_id=ware.id, price=self.money(minor))
        ware.minor = minor

    @rule(which=wares)
    def archive_or_bring_back(self, which: int) -> None:
        ware = self.wares[which]
        if ware.active:
            self.store.catalog.archive_product(by=self.staff, product_id=ware.id)
        else:
            self.store.catalog.update_product(by=self.staff, product_id=ware.id, is_active=True)
        ware.active = not ware.active

    @rule(
        target=coupons,
        off=percents(least=1) | st.integers(1, 50_00),
        least=st.none() | st.integers(1, 60_00),
        max_uses=limits,
        max_uses_per_user=limits,
        lasts=st.none() | waits,
    )
    def make_coupon(
        self,
        off: Decimal | int,
        least: int | None,
        max_uses: int | None,
        max_uses_per_user: int | None,
        lasts: timedelta | None,
    ) -> Offered:
        return self.offer(
            percent=off if isinstance(off, Decimal) else None,
            amount=self.money(off) if isinstance(off, int) else None,
            min_spend=self.money(least) if least else None,
            max_uses=max_uses,
            max_uses_per_user=max_uses_per_user,
            ends_at=self.clock() + lasts if lasts else None,
        )

    @rule(offered=coupons)
    def withdraw_coupon(self, offered: Offered) -> None:
        self.store.catalog.withdraw_coupon(by=self.staff, coupon_id=offered.coupon.id)
        offered.active = False

    @precondition(lambda self: self.nothing_is_forgotten_within(LONGEST_WAIT))
    @rule(wait=waits)
    def time_passes(self, wait: timedelta) -> None:
        self.later(wait)
