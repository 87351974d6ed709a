"""A shop to test in: a store on a chosen back end, a clock that moves when told, and people who use it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from adapters.encryption import FernetCipher
from adapters.files import DiskFiles
from adapters.local_hub import LocalHub
from adapters.local_rate_limits import LocalRateLimits
from adapters.memory import MemoryFiles, MemoryMailer, MemorySigner, MemoryStorage, TextDocuments
from adapters.passwords import Argon2Passwords
from adapters.payments.demo import DemoPayments
from adapters.secrets import new_key
from adapters.sql import SqlStorage, open_rate_limits
from adapters.system import random_bytes, uuid7
from storecore.accounts.model import SYSTEM, Address, User
from storecore.accounts.permissions import Role
from storecore.catalog.model import Product
from storecore.money import Money
from storecore.notices import Notice
from storecore.ports import Files, PaymentProvider, RateLimits, Storage
from storecore.shop import Shop
from storecore.store import Store
from tests.databases import DATABASES, database

BACK_ENDS = ("memory", *DATABASES)
PASSWORD = "correct horse"
HOME = Address(recipient="Ada Lovelace", line1="1 Main St", city="Springfield", postal_code="12345", country="US")


class Clock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime = datetime(2026, 3, 1, 9, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **amount: float) -> datetime:
        """Let time pass: ``forward(minutes=5)``."""
        self.at += timedelta(**amount)
        return self.at


class Floor(Store):
    """A store with its clock and its mailbox at hand."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        shop: Shop,
        providers: Mapping[str, PaymentProvider] | None = None,
        files: Files | None = None,
        rate_limits: RateLimits | None = None,
    ) -> None:
        self.time = clock
        self.mailer = MemoryMailer()
        super().__init__(
            storage=storage,
            clock=clock,
            new_id=uuid7,
            random=random_bytes,
            passwords=Argon2Passwords(time_cost=1, memory_cost=8),
            signer=MemorySigner(random_bytes(32)),
            mailer=self.mailer,
            documents=TextDocuments(),
            files=files or MemoryFiles(clock),
            hub=LocalHub(),
            rate_limits=rate_limits or LocalRateLimits(),
            shop=shop,
            providers=providers or {},
        )

    def mail(self) -> Sequence[Notice]:
        """Everything that has been sent once the worker has done what is due."""
        while self.work():
            pass
        return [notice for notice, _ in self.mailer.sent]


@contextmanager
def open_floor(
    back_end: str,
    folder: Path,
    shop: Shop | None = None,
    providers: Mapping[str, PaymentProvider] | None = None,
) -> Iterator[Floor]:
    """A fresh, empty store on one of the ``BACK_ENDS``; ``sqlite`` keeps it in ``folder``.

    Its payment provider is the demo bank, unless another is given.
    """
    providers = providers or {"demo": DemoPayments(folder / "demo-bank.db")}
    with ExitStack() as stack:
        clock = Clock()
        files = MemoryFiles(clock) if back_end == "memory" else DiskFiles(folder / "files", clock=clock)
        storage, rate_limits = _kept(back_end, folder, stack)
        floor = Floor(storage, clock, shop or Shop(), providers, files, rate_limits)
        stack.callback(floor.close)
        yield floor


def _kept(back_end: str, folder: Path, stack: ExitStack) -> tuple[Storage, RateLimits]:
    if back_end == "memory":
        return MemoryStorage(), LocalRateLimits()
    where, cipher = stack.enter_context(database(back_end, folder)), FernetCipher([new_key()])
    return SqlStorage(where, cipher=cipher), open_rate_limits(where, cipher=cipher)


_numbers = count(1)


def person(store: Store, role: Role = Role.CUSTOMER, *, name: str = "Ada Lovelace") -> User:
    """Somebody with an account, and with a role."""
    user = store.accounts.register(email=f"{role}{next(_numbers)}@example.com", password=PASSWORD, full_name=name)
    return user if role is Role.CUSTOMER else store.accounts.set_role(by=SYSTEM, user_id=user.id, role=role)


def product(store: Store, *, price: int = 1000, stock: int = 10, **changes: Any) -> Product:
    """Something to buy; ``price`` in minor units."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "sku": f"SKU-{number}",
        "name": f"Thing {number}",
        "price": Money(price, store.shop.currency),
        "stock": stock,
    }
    if "category_ids" not in changes:
        changes["category_ids"] = [store.catalog.create_category(by=SYSTEM, name=f"Shelf {number}").id]
    return store.catalog.create_product(by=SYSTEM, **(fields | changes)).product


def on_hand(store: Store, item: Product) -> int:
    """Units left, which always equal the ledger's sum."""
    left = store.catalog.product(product=item.id, by=SYSTEM).product.stock
    assert left == sum(move.change for move in store.catalog.ledger(by=SYSTEM, product_id=item.id).items)
    return left
