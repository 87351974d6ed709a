"""Attempts to pay."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from adapters.sql import tables
from adapters.sql.dialect import Refusals
from adapters.sql.transaction import Row, Transaction
from storecore.errors import Contention, NotFound, PaymentInProgress
from storecore.money import Money
from storecore.orders.payment import Payment, PaymentState

_payments = tables.payments.c
_PAYMENT = (
    _payments.id,
    _payments.order_id,
    _payments.provider,
    _payments.reference,
    _payments.amount,
    _payments.currency,
    _payments.state,
    _payments.attempt_key,
    _payments.failure,
    _payments.check_at,
    _payments.created_at,
    _payments.version,
)
_REFUSES: Refusals = {
    "uq_payments_order_id": PaymentInProgress,
    "uq_payments_provider_reference": Contention,
}

_add = insert(tables.payments)
_get = select(*_PAYMENT).where(_payments.id == bindparam("id"))
_by_reference = select(*_PAYMENT).where(
    _payments.provider == bindparam("provider"), _payments.reference == bindparam("reference")
)
_of_order = (
    select(*_PAYMENT).where(_payments.order_id == bindparam("order_id")).order_by(_payments.created_at, _payments.id)
)
_save = (
    update(tables.payments)
    .where(_payments.id == bindparam("this"), _payments.version == bindparam("version_before"))
    .values({name: bindparam(name) for name in ("reference", "state", "failure", "check_at", "version")})
)
_due = (
    select(*_PAYMENT)
    .where(_payments.check_at <= bindparam("at"))
    .order_by(_payments.check_at, _payments.id)
    .limit(bindparam("most"))
    .with_for_update(key_share=True, skip_locked=True)
)
_lease = update(tables.payments).where(_payments.id == bindparam("this")).values(check_at=bindparam("until"))


class SqlPayments:
    """The ``Payments`` port."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, payment: Payment) -> None:
        """Raises ``PaymentInProgress``."""
        values = {
            "id": payment.id,
            "order_id": payment.order_id,
            "provider": payment.provider,
            "amount": payment.amount.minor,
            "currency": payment.amount.currency,
            "attempt_key": payment.attempt_key,
            "created_at": payment.created_at,
            **_changing(payment),
        }
        self._transaction.write(_add, values, refuses=_REFUSES)

    def get(self, payment_id: str) -> Payment:
        """Raises ``NotFound``."""
        row = self._transaction.row(_get, {"id": payment_id})
        if row is None:
            raise NotFound("There is no such payment.")
        return _payment(row)

    def by_reference(self, provider: str, reference: str) -> Payment | None:
        """The payment that the provider calls so."""
        row = self._transaction.row(_by_reference, {"provider": provider, "reference": reference})
        return _payment(row) if row else None

    def of_order(self, order_id: str) -> Sequence[Payment]:
        """Oldest first."""
        return [_payment(row) for row in self._transaction.rows(_of_order, {"order_id": order_id})]

    def save(self, payment: Payment) -> None:
        """Raises ``Contention``, ``PaymentInProgress``."""
        values = {"this": payment.id, "version_before": payment.version - 1, **_changing(payment)}
        self._transaction.save(_save, values, refuses=_REFUSES)

    def lease(self, at: datetime, until: datetime, limit: int) -> Sequence[Payment]:
        """Locks those it returns and skips those that others have locked."""
        self._transaction.check_writable()
        rows = self._transaction.rows(_due, {"at": at, "most": limit})
        self._transaction.write(_lease, [{"this": row[0], "until": until} for row in rows])
        return [_payment(row, check_at=until.astimezone(UTC)) for row in rows]


def _changing(payment: Payment) -> dict[str, Any]:
    return {
        "reference": payment.reference,
        "state": str(payment.state),
        "failure": payment.failure,
        "check_at": payment.check_at,
        "version": payment.version,
    }


def _payment(row: Row, **changed: Any) -> Payment:
    id_, order_id, provider, reference, amount, currency, state, key, failure, check_at, created_at, version = row
    fields: dict[str, Any] = {
        "id": id_,
        "order_id": order_id,
        "provider": provider,
        "reference": reference,
        "amount": Money(amount, currency),
        "state": PaymentState(state),
        "attempt_key": key,
        "failure": failure,
        "check_at": check_at,
        "created_at": created_at,
        "version": version,
    }
    return Payment(**(fields | changed))
