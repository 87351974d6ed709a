"""A shop in memory: units of work over tables that are swapped in as a whole."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Protocol

from adapters.memory.accounts import MemorySessions, MemoryUsers
from adapters.memory.audit import MemoryAudit
from adapters.memory.carts import MemoryCarts
from adapters.memory.catalog import MemoryCategories, MemoryProducts
from adapters.memory.conversations import MemoryConversations
from adapters.memory.coupons import MemoryCoupons
from adapters.memory.insight import MemoryInsight
from adapters.memory.orders import MemoryInvoices, MemoryOrders
from adapters.memory.outbox import MemoryAnswers, MemoryOutbox
from adapters.memory.payments import MemoryCreditNotes, MemoryPayments, MemoryRefunds
from adapters.memory.purchases import MemoryPurchases
from adapters.memory.reviews import MemoryReviews
from adapters.memory.search import MemorySearch, Vocabulary
from adapters.memory.stock import MemoryStock
from adapters.memory.tables import Tables, Workspace
from adapters.memory.wishes import MemoryWishes
from storecore.catalog.english import ENGLISH
from storecore.catalog.words import Language
from storecore.errors import Busy
from storecore.ports import NewId, Unit


class Keeper(Protocol):
    """What a unit needs of the storage that opened it."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The storage's words."""

    def swap_in(self, tables: Tables) -> None:
        """Make this the state that later units begin with: what the unit commits."""


class MemoryUnit:
    """Every repository over one workspace.

    They know rows by :class:`~adapters.memory.tables.Table` alone: over tables of another kind, with a storage that
    keeps what is committed, they are the repositories of another adapter. ``tests/example`` is one, on SQLite.
    """

    def __init__(self, storage: Keeper, space: Workspace, new_id: NewId) -> None:
        self._storage = storage
        self._space = space
        self._new_id = new_id
        self.now = space.now
        self.users = MemoryUsers(space)
        self.sessions = MemorySessions(space)
        self.categories = MemoryCategories(space)
        self.products = MemoryProducts(space, storage.vocabulary.language)
        self.search = MemorySearch(space, storage.vocabulary)
        self.stock = MemoryStock(space)
        self.wishes = MemoryWishes(space)
        self.coupons = MemoryCoupons(space)
        self.carts = MemoryCarts(space)
        self.orders = MemoryOrders(space)
        self.purchases = MemoryPurchases(space)
        self.invoices = MemoryInvoices(space)
        self.payments = MemoryPayments(space)
        self.refunds = MemoryRefunds(space)
        self.credit_notes = MemoryCreditNotes(space)
        self.reviews = MemoryReviews(space)
        self.conversations = MemoryConversations(space)
        self.audit = MemoryAudit(space)
        self.outbox = MemoryOutbox(space)
        self.insight = MemoryInsight(space)
        self.answers = MemoryAnswers(space)

    def new_id(self) -> str:
        """An id from the maker that the unit was given."""
        return self._new_id()

    def commit(self) -> None:
        """Swap the draft in; the unit has then ended. Raises ``RuntimeError`` in a reading unit."""
        self._storage.swap_in(self._space.draft.sealed())
        self._space.writable = False


class MemoryStorage:
    """A shop that lives as long as the process. Writers take turns, readers keep the state they began with.

    ``deadline`` is how many seconds a writer waits for its turn before ``Busy``. What products are found by is made
    with ``language``.
    """

    one_writer = True

    def __init__(self, *, deadline: float = 5.0, language: Language = ENGLISH) -> None:
        self.tables = Tables()
        self.vocabulary = Vocabulary(language)
        self._deadline = deadline
        self._turn = Lock()
        self._commits = 0

    def swap_in(self, tables: Tables) -> None:
        """Make this the state that later units begin with; for the one writer whose turn it is."""
        self.tables = tables
        self._commits += 1

    def version(self) -> int:
        """The number of commits."""
        return self._commits

    @contextmanager
    def reading(self, now: datetime, new_id: NewId) -> Iterator[Unit]:
        """A snapshot."""
        yield MemoryUnit(self, Workspace(self.tables, now, writable=False), new_id)

    @contextmanager
    def writing(self, now: datetime, new_id: NewId) -> Iterator[Unit]:
        """A transaction. Raises ``Busy``."""
        if not self._turn.acquire(timeout=self._deadline):
            raise Busy()
        try:
            space = Workspace(self.tables.draft(), now, writable=True)
            try:
                yield MemoryUnit(self, space, new_id)
            finally:
                space.writable = False
        finally:
            self._turn.release()

    def scrub(self) -> None:
        """Memory keeps nothing that was removed."""

    def pause(self, attempt: int) -> None:
        """A few milliseconds, more with each attempt."""
        time.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 6)))  # noqa: S311 - a pause is no secret

    def close(self) -> None:
        """Nothing to give back."""
