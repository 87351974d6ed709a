"""The assembled store: every use case, by area, over whatever adapters it was given."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar

from storecore.accounts.administering import Administering
from storecore.accounts.erasing import Erasing
from storecore.accounts.exporting import Exporting
from storecore.accounts.profiling import Profiling
from storecore.accounts.recovering import Recovering
from storecore.accounts.registering import Registering
from storecore.accounts.signing_in import SigningIn
from storecore.auditing import Auditing
from storecore.carts.shopping import Shopping
from storecore.catalog.browsing import Browsing
from storecore.catalog.categorising import Categorising
from storecore.catalog.couponing import Couponing
from storecore.catalog.discounting import Discounting
from storecore.catalog.editing import Editing
from storecore.catalog.exporting import Exporting as ExportingProducts
from storecore.catalog.importing import Importing
from storecore.catalog.recommending import Recommending
from storecore.catalog.searching import Searching
from storecore.catalog.stocking import Stocking
from storecore.catalog.wishing import Wishing
from storecore.delivering import Delivering
from storecore.housekeeping import Housekeeping
from storecore.insight.reporting import Reporting
from storecore.orders.fulfilling import Fulfilling
from storecore.orders.invoicing import Invoicing
from storecore.orders.paying import Paying
from storecore.orders.paying_out import PayingOut
from storecore.orders.placing import Placing
from storecore.orders.reading import Reading
from storecore.orders.refunding import Refunding
from storecore.orders.retaining import Retaining
from storecore.orders.settling import Settling
from storecore.ports import (
    Clock,
    Documents,
    Files,
    Hub,
    Mailer,
    NewId,
    Passwords,
    PaymentProvider,
    Random,
    RateLimits,
    Signer,
    Storage,
)
from storecore.reviews.moderating import Moderating
from storecore.reviews.reviewing import Reviewing
from storecore.shop import Shop
from storecore.support.attaching import Attaching
from storecore.support.handling import Handling
from storecore.support.talking import Talking
from storecore.transactions import Activity

A = TypeVar("A", bound=Activity)

SWEEP_EVERY = timedelta(hours=1)
_OFFLINE_ONLY: Mapping[str, PaymentProvider] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Accounts(Registering, SigningIn, Recovering, Profiling, Exporting, Erasing, Administering):
    """``store.accounts``: people, sessions, permissions, and what is known of them."""


@dataclass(frozen=True, kw_only=True)
class Catalog(
    Browsing,
    Searching,
    Recommending,
    Editing,
    Discounting,
    Categorising,
    Stocking,
    Couponing,
    Importing,
    ExportingProducts,
):
    """``store.catalog``: products, search, recommendations, categories, prices, stock, coupons, import and export."""


@dataclass(frozen=True, kw_only=True)
class Wishlist(Wishing):
    """``store.wishlist``: what somebody would like to have one day."""


@dataclass(frozen=True, kw_only=True)
class Carts(Shopping):
    """``store.carts``: what somebody is about to buy."""


@dataclass(frozen=True, kw_only=True)
class Orders(Placing, Paying, Settling, Fulfilling, Reading, Invoicing, Retaining):
    """``store.orders``: quoting, placing, paying, fulfilling, invoices."""


@dataclass(frozen=True, kw_only=True)
class Reviews(Reviewing, Moderating):
    """``store.reviews``: what buyers say."""


@dataclass(frozen=True, kw_only=True)
class Refunds(Refunding, PayingOut):
    """``store.refunds``: what comes back, and what is given back for it."""


@dataclass(frozen=True, kw_only=True)
class Support(Talking, Attaching, Handling):
    """``store.support``: conversations with customers."""


@dataclass(frozen=True, kw_only=True)
class Insight(Reporting):
    """``store.insight``: the dashboard and reports."""


@dataclass(frozen=True, kw_only=True)
class Notices(Delivering):
    """``store.notices``: the mail that is owed."""


@dataclass(frozen=True, kw_only=True)
class Audit(Auditing):
    """``store.audit``: what staff did."""


@dataclass(frozen=True, kw_only=True)
class _Ports:
    """Every port of a store; each activity is equipped with those that it asks for."""

    storage: Storage
    clock: Clock
    new_id: NewId
    random: Random
    passwords: Passwords
    signer: Signer
    mailer: Mailer
    documents: Documents
    files: Files
    hub: Hub
    rate_limits: RateLimits
    providers: Mapping[str, PaymentProvider]
    shop: Shop

    def equip(self, activity: type[A]) -> A:
        return activity(**{field.name: getattr(self, field.name) for field in fields(activity)})


class Store:
    """A whole shop. Adapters' ``open_store`` functions make one; ``with`` closes it.

    ``providers`` are the payment providers beside ``offline``, by name.
    ``work()`` is for a worker that calls it again and again; nothing else runs by itself.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        clock: Clock,
        new_id: NewId,
        random: Random,
        passwords: Passwords,
        signer: Signer,
        mailer: Mailer,
        documents: Documents,
        files: Files,
        hub: Hub,
        rate_limits: RateLimits,
        shop: Shop,
        providers: Mapping[str, PaymentProvider] = _OFFLINE_ONLY,
    ) -> None:
        self.shop, self.clock, self.storage, self.rate_limits = shop, clock, storage, rate_limits
        self._ports = _Ports(
            storage=storage,
            clock=clock,
            new_id=new_id,
            random=random,
            passwords=passwords,
            signer=signer,
            mailer=mailer,
            documents=documents,
            files=files,
            hub=hub,
            rate_limits=rate_limits,
            providers=providers,
            shop=shop,
        )
        self.accounts = self._ports.equip(Accounts)
        self.catalog = self._ports.equip(Catalog)
        self.wishlist = self._ports.equip(Wishlist)
        self.carts = self._ports.equip(Carts)
        self.orders = self._ports.equip(Orders)
        self.reviews = self._ports.equip(Reviews)
        self.refunds = self._ports.equip(Refunds)
        self.support = self._ports.equip(Support)
        self.insight = self._ports.equip(Insight)
        self.notices = self._ports.equip(Notices)
        self.audit = self._ports.equip(Audit)
        self._housekeeping = self._ports.equip(Housekeeping)
        self._swept_at: datetime | None = None

    def at(self, clock: Clock) -> "Store":
        """The same store by another clock: for demo data, imports of old trade, and tests."""
        return Store(**{**self.ports, "clock": clock})

    @property
    def ports(self) -> Mapping[str, Any]:
        """Every adapter that it was assembled from, by parameter: for assembling another one with some of them."""
        return MappingProxyType(vars(self._ports))

    def work(self) -> int:
        """Do what is due: counts, prices of discounts that began or ended, payments, invoices, refunds, the sums of
        reports, mail, hourly the broom.

        How much was done, 0 when there is nothing to do.
        """
        # Counting comes first: it is quick, and waits for nobody who is asked about a payment or handed a mail.
        done = self.catalog.count_purchases()
        done += self.catalog.refresh_prices() + self.orders.settle_due() + self.orders.cancel_overdue()
        done += self.orders.issue_due() + self.refunds.pay_out() + self.insight.roll_up()
        delivered = self.notices.deliver()
        # Wishers are told in between: no confirmation of an order waits for a hundred thousand mails about a discount.
        done += delivered or self.wishlist.tell_wishers()
        now = self.clock()
        if self._swept_at is None or now - self._swept_at >= SWEEP_EVERY:
            self._swept_at = now
            done += self._housekeeping.sweep() + self.support.sweep() + self.orders.forget_buyers()
            done += self.rate_limits.sweep(now)
            self.storage.scrub()
        return done

    def close(self) -> None:
        """Give back files and connections."""
        self._ports.hub.close()
        self.rate_limits.close()
        self.storage.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
