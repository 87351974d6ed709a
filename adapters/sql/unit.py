"""The unit of work: one transaction with a repository for each area."""

from datetime import datetime
from functools import cached_property

from adapters.sql.accounts import SqlUsers
from adapters.sql.answers import SqlAnswers
from adapters.sql.audit import SqlAudit
from adapters.sql.carts import SqlCarts
from adapters.sql.categories import SqlCategories
from adapters.sql.conversations import SqlConversations
from adapters.sql.coupons import SqlCoupons
from adapters.sql.credit_notes import SqlCreditNotes
from adapters.sql.invoices import SqlInvoices
from adapters.sql.orders import SqlOrders
from adapters.sql.outbox import SqlOutbox
from adapters.sql.payments import SqlPayments
from adapters.sql.products import SqlProducts
from adapters.sql.refunds import SqlRefunds
from adapters.sql.reviews import SqlReviews
from adapters.sql.sessions import SqlSessions
from adapters.sql.stock import SqlStock
from adapters.sql.transaction import Transaction
from adapters.sql.wishes import SqlWishes
from storecore.ports import NewId


class SqlUnit:
    """The ``Unit`` port."""

    def __init__(self, transaction: Transaction, new_id: NewId) -> None:
        self._transaction = transaction
        self._new_id = new_id
        self.now: datetime = transaction.now

    @cached_property
    def users(self) -> SqlUsers:
        """Accounts."""
        return SqlUsers(self._transaction)

    @cached_property
    def sessions(self) -> SqlSessions:
        """Sign-ins."""
        return SqlSessions(self._transaction)

    @cached_property
    def categories(self) -> SqlCategories:
        """Categories."""
        return SqlCategories(self._transaction)

    @cached_property
    def products(self) -> SqlProducts:
        """The catalog."""
        return SqlProducts(self._transaction)

    @cached_property
    def stock(self) -> SqlStock:
        """Shelves and their ledger."""
        return SqlStock(self._transaction)

    @cached_property
    def wishes(self) -> SqlWishes:
        """Wishlists."""
        return SqlWishes(self._transaction)

    @cached_property
    def coupons(self) -> SqlCoupons:
        """Coupons."""
        return SqlCoupons(self._transaction)

    @cached_property
    def carts(self) -> SqlCarts:
        """Carts."""
        return SqlCarts(self._transaction)

    @cached_property
    def orders(self) -> SqlOrders:
        """Orders."""
        return SqlOrders(self._transaction)

    @cached_property
    def invoices(self) -> SqlInvoices:
        """Invoices."""
        return SqlInvoices(self._transaction)

    @cached_property
    def payments(self) -> SqlPayments:
        """Attempts to pay."""
        return SqlPayments(self._transaction)

    @cached_property
    def refunds(self) -> SqlRefunds:
        """Refunds."""
        return SqlRefunds(self._transaction)

    @cached_property
    def credit_notes(self) -> SqlCreditNotes:
        """Issued credit notes."""
        return SqlCreditNotes(self._transaction)

    @cached_property
    def reviews(self) -> SqlReviews:
        """Reviews."""
        return SqlReviews(self._transaction)

    @cached_property
    def conversations(self) -> SqlConversations:
        """Conversations."""
        return SqlConversations(self._transaction)

    @cached_property
    def audit(self) -> SqlAudit:
        """What staff did."""
        return SqlAudit(self._transaction)

    @cached_property
    def outbox(self) -> SqlOutbox:
        """Mail that is owed."""
        return SqlOutbox(self._transaction)

    @cached_property
    def answers(self) -> SqlAnswers:
        """Answers to idempotent requests."""
        return SqlAnswers(self._transaction)

    def new_id(self) -> str:
        """A new id."""
        return self._new_id()

    def commit(self) -> None:
        """Make every write lasting."""
        self._transaction.commit()
