"""The contracts of every port as test classes: subclass one, give one fixture, and your adapter is held against it.

A storage adapter passes them all by::

    class TestMyStorage(StorageContract):
        missing = ALL_CAPABILITIES

        @pytest.fixture
        def storage(self) -> Storage:
            return MyStorage(…)  # fresh and empty

No test waits for time to pass: units are told what time it is. Two writers at once are threads; that the second waits,
and that either is told ``Contention`` or ``Busy`` and is run again, are both fine. A storage that processes share has a
second fixture, ``peer``: the same shop as another process opens it. When it is ``Busy``, and what it does while its
technology is down, is for tests of your own.

What only some adapters can do is a capability. It is named in ``capabilities`` or in ``missing``, or the run fails;
``pytest -rs`` tells what was not checked since one is missing (see :class:`Contract`)::

    class TestMyStorage(StorageContract):
        capabilities = frozenset({COUNT_STATEMENTS})

        def count_statements(self, storage: Storage) -> AbstractContextManager[Counted]:
            return storage.count_statements()  # its ``count`` grows with each statement that is sent

The other ports have a class each: ``PasswordsContract``, ``SignerContract``, ``CipherContract``, ``MailerContract``,
``DocumentsContract``, ``FilesContract``, ``HubContract`` and ``RateLimitsContract``, with a fixture named after the
port, fresh each time. ``HubContract`` and ``RateLimitsContract`` take a ``peer`` as well. ``PaymentProviderContract``
has two, ``provider`` and a ``bank`` (:class:`Bank`), through which the tests see the other side.

The test's name is the rule that was broken, and the docstring in :mod:`storecore.ports` says the rest.
"""

from pkgutil import iter_modules

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))

from storecore.testing.contracts.accounts import (  # noqa: E402 - after the rewrite
    UserListsContract,
    UsersContract,
)
from storecore.testing.contracts.answers import AnswersContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.audit import AuditContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.breaking import BreakingContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.carts import CartsContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.catalog import (  # noqa: E402 - after the rewrite
    CategoriesContract,
    ProductsContract,
)
from storecore.testing.contracts.conventions import ConventionsContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.conversations import ConversationsContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.coupons import CouponsContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.erasure import ErasureContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.files import FilesContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.hub import HubContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.insight import InsightContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.invoices import InvoicesContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.keeping import KeepingContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.letters import (  # noqa: E402 - after the rewrite
    DocumentsContract,
    MailerContract,
)
from storecore.testing.contracts.orders import OrdersContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.outbox import OutboxContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.payments import (  # noqa: E402 - after the rewrite
    OverdueContract,
    PaymentsContract,
)
from storecore.testing.contracts.peers import PeersContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.product_counts import ProductCountsContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.product_lists import (  # noqa: E402 - after the rewrite
    PricesContract,
    ProductListsContract,
)
from storecore.testing.contracts.providers import (  # noqa: E402 - after the rewrite
    Bank,
    PaymentProviderContract,
)
from storecore.testing.contracts.proving import (  # noqa: E402 - after the rewrite
    ALL_CAPABILITIES,
    BREAK_COMMITS,
    COUNT_STATEMENTS,
    Contract,
    Counted,
)
from storecore.testing.contracts.purchases import PurchasesContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.rate_limits import RateLimitsContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.refunds import CreditNotesContract, RefundsContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.reviews import ReviewsContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.search import SearchContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.secrecy import (  # noqa: E402 - after the rewrite
    CipherContract,
    PasswordsContract,
    SignerContract,
)
from storecore.testing.contracts.sessions import SessionsContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.stock import StockContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.units import UnitsContract  # noqa: E402 - after the rewrite
from storecore.testing.contracts.wishes import WishesContract  # noqa: E402 - after the rewrite


class StorageContract(
    UnitsContract,
    KeepingContract,
    BreakingContract,
    ConventionsContract,
    UsersContract,
    UserListsContract,
    SessionsContract,
    CategoriesContract,
    ProductsContract,
    ProductListsContract,
    ProductCountsContract,
    PricesContract,
    SearchContract,
    StockContract,
    WishesContract,
    CouponsContract,
    CartsContract,
    OrdersContract,
    OverdueContract,
    PurchasesContract,
    InvoicesContract,
    ReviewsContract,
    RefundsContract,
    CreditNotesContract,
    PaymentsContract,
    ConversationsContract,
    AuditContract,
    OutboxContract,
    InsightContract,
    AnswersContract,
    ErasureContract,
    PeersContract,
):
    """Every contract of :class:`storecore.ports.Storage` at once."""


__all__ = [
    "ALL_CAPABILITIES",
    "BREAK_COMMITS",
    "COUNT_STATEMENTS",
    "AnswersContract",
    "AuditContract",
    "Bank",
    "BreakingContract",
    "CartsContract",
    "CategoriesContract",
    "CipherContract",
    "Contract",
    "ConventionsContract",
    "ConversationsContract",
    "Counted",
    "CouponsContract",
    "CreditNotesContract",
    "DocumentsContract",
    "ErasureContract",
    "FilesContract",
    "HubContract",
    "InsightContract",
    "InvoicesContract",
    "KeepingContract",
    "MailerContract",
    "OrdersContract",
    "OutboxContract",
    "OverdueContract",
    "PasswordsContract",
    "PaymentProviderContract",
    "PaymentsContract",
    "PeersContract",
    "PricesContract",
    "ProductCountsContract",
    "ProductListsContract",
    "ProductsContract",
    "PurchasesContract",
    "RateLimitsContract",
    "RefundsContract",
    "ReviewsContract",
    "SearchContract",
    "SessionsContract",
    "SignerContract",
    "StockContract",
    "StorageContract",
    "UnitsContract",
    "UserListsContract",
    "UsersContract",
    "WishesContract",
]
